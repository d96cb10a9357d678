internal import Kernel
internal import Storage

/// What a trial has decided so far and not kept: what the run itself would find in the catalogue at this place.
struct MoveTrial: Sendable {
  /// The entries that were decided on, each once, and whether they would be offered.
  private var isOffered: [ResourceID: Bool] = [:]
  private var bearers: [NameKey: Set<ResourceID>] = [:]
  private var holders: [String: ResourceID] = [:]
  /// The last running number of each node.
  private var numbers: [String: Int]

  /// `numbers` are the highest of the export itself, by node.
  init(numbers: [String: Int]) { self.numbers = numbers }

  /// An entry as it would stand from now on: the code that it has, the names of the versions of it that count.
  mutating func note(_ id: ResourceID, code: ResourceCode?, names: Set<NameKey>, isOffered: Bool) {
    for name in names { bearers[name, default: []].insert(id) }
    if let code { holders[code.description] = id }
    self.isOffered[id] = isOffered
  }

  /// The entry of this trial that would have the code.
  func holder(of code: ResourceCode) -> ResourceID? { holders[code.description] }

  /// The number that the run would give next.
  mutating func number(under node: String, in tx: any Transaction) throws -> Int {
    let last = max(numbers[node] ?? 0, try MoveStore.lastNumber(under: node, in: tx))
    numbers[node] = last + 1
    return last + 1
  }

  /// Puts what would be in the place of what the catalogue holds.
  func amend(_ known: inout [NameKey: [ResourceID]], of resources: [Resource]) {
    for key in Set(resources.map(NameKey.init)) {
      let others = known[key, default: []].filter { isOffered[$0] == nil }
      known[key] = others + (bearers[key] ?? []).sorted { $0.text < $1.text }
    }
  }

  /// The same for the codes that are looked for.
  func amend(_ published: inout Set<String>, among codes: [String]) {
    for code in codes {
      guard let isOffered = holders[code].flatMap({ isOffered[$0] }) else { continue }
      if isOffered { published.insert(code) } else { published.remove(code) }
    }
  }
}
