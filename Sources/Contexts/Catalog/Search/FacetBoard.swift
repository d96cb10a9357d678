internal import Kernel
internal import Storage
import Synchronization

/// The filters' values of every entry in force, kept in memory (about 20 bytes an entry), so that ten thousand hits are
/// counted by every filter in a fraction of a millisecond.
///
/// It follows the entries by their `place`, which only grows and becomes visible in that order. Nothing but a measured
/// condition changes under an entry's place, and each such change has a number that grows likewise. What left the
/// catalogue stays on the board and is never among the hits.
package final class FacetBoard: Sendable {
  /// How many of the hits have each value; in no order, and values that none has are left out.
  struct Counts {
    struct Value {
      /// A code, a node or an office's id.
      var text: String
      var count: Int
      /// What an office is called.
      var name: String?
    }

    var providers: [Value] = []
    var sharingTypes: [Value] = []
    var formats: [Value] = []
    var cycles: [Value] = []
    var classes: [Value] = []
    var mounted: [Value] = []
    var freshness: [Value] = []
  }

  private let state = Mutex(State())
  /// Held by the one who reads much: the others count meanwhile.
  private let loading = Mutex(())
  private let isBehind = Atomic(false)

  /// So much a search reads by itself.
  private let mostAtOnce: Int

  package init(mostAtOnce: Int = 5_000) { self.mostAtOnce = mostAtOnce }

  /// Reads what came since the last time, however much.
  func follow(_ classification: Classification, in tx: any Transaction) throws {
    try loading.withLock { _ in
      var read = state.withLock { $0 }
      try read.catchUp(classification, to: State.newest(in: tx), in: tx)
      state.withLock { $0 = read }
      isBehind.store(false, ordering: .relaxed)
    }
  }

  /// Whether somebody counted while much was left to read, and nobody is at it.
  var needsReading: Bool {
    isBehind.load(ordering: .relaxed) && loading.withLockIfAvailable { _ in true } ?? false
  }

  /// Counts the hits' values; `depth` says on which level of the classification (1 for the three classes). Before all
  /// entries have been read, as at the start of the program, it reads the hits themselves.
  func count(
    _ places: [Int], depth: Int, classification: Classification, in tx: any Transaction
  ) throws -> Counts {
    let newest = try State.newest(in: tx)
    let counts: Counts? = try state.withLock { state in
      if state.isBehind(classification, newest, by: mostAtOnce) { return nil }
      try state.catchUp(classification, to: newest, in: tx)
      return state.count(places, depth: depth)
    }
    if let counts { return counts }
    isBehind.store(true, ordering: .relaxed)
    var hits = State()
    for part in stride(from: 0, to: places.count, by: 250) {
      let some = places[part..<min(part + 250, places.count)]
      try hits.read("place IN (\(each: some))", classification, isPacked: true, in: tx)
    }
    return hits.count(Array(hits.values.indices), depth: depth)
  }

  /// Numbers for texts that recur.
  private struct Numbers {
    private(set) var texts: [String] = []
    private var numbers: [String: UInt16] = [:]

    init(_ texts: [String] = []) { for text in texts { _ = of(text) } }

    mutating func of(_ text: String) -> UInt16 {
      if let number = numbers[text] { return number }
      // More than 65,535 offices or classes are no province; what comes beyond shares the last number.
      let number = UInt16(clamping: texts.count)
      if texts.count <= Int(UInt16.max) { texts.append(text) }
      numbers[text] = number
      return number
    }

    func counted(_ counts: ArraySlice<UInt32>, names: [String]? = nil) -> [Counts.Value] {
      counts.enumerated().compactMap { number, count in
        count > 0 ? Counts.Value(text: texts[number], count: Int(count), name: names?[number]) : nil
      }
    }
  }

  private struct Values {
    var provider, sharingType, format, cycle: UInt16
    /// 0 or 1.
    var mounted: UInt8
    /// Which of `Freshness.allCases`.
    var freshness: UInt8
    /// Where its classes begin in `classes`, and how many they are.
    var firstClass: UInt32
    var classCount: UInt16
  }

  private struct State {
    var values: [Values?] = []
    var classes: [UInt16] = []
    var seen = 0
    /// Of the classification it was counted by.
    var mapping = 0
    var seenCondition = 0
    var providers = Numbers()
    var providerNames: [String] = []
    var sharingTypes = Numbers()
    var formats = Numbers()
    var cycles = Numbers()
    var nodes = Numbers()
    var depths: [UInt8] = []
    private var numbersOfClasses: [String: [UInt16]] = [:]

    typealias Newest = (place: Int, change: Int)

    /// The newest entry and the newest change of a condition that there are.
    static func newest(in tx: any Transaction) throws -> Newest {
      try tx.row(
        """
        SELECT (SELECT MAX(place) FROM catalog_entry) AS place,
          (SELECT MAX(condition_change) FROM catalog_entry) AS change
        """
      ).map { (try $0.intOrNil("place") ?? 0, try $0.intOrNil("change") ?? 0) } ?? (0, 0)
    }

    func isBehind(_ classification: Classification, _ newest: Newest, by most: Int) -> Bool {
      let begun = mapping == classification.mapping
      return newest.place - (begun ? seen : 0) > most || newest.change - (begun ? seenCondition : 0) > most
    }

    mutating func catchUp(
      _ classification: Classification, to newest: Newest, in tx: any Transaction
    ) throws {
      // A class that is mapped anew counts under other nodes: everything is read again.
      if mapping != classification.mapping {
        self = State()
        mapping = classification.mapping
      }
      guard newest.place > seen || newest.change > seenCondition else { return }
      // A read that fails half way leaves whole rows only: the next goes on after the last of them.
      try read("place > \(seen)", classification, in: tx)
      try tx.forEach(
        """
        SELECT place, is_mounted, freshness, condition_change FROM catalog_entry
        WHERE condition_change > \(seenCondition) ORDER BY condition_change
        """
      ) { row in
        let place = try row.int("place")
        values[place]?.mounted = try Self.mounted(row)
        values[place]?.freshness = try Self.freshness(row)
        seenCondition = try row.int("condition_change")
        return true
      }
    }

    /// Reads entries, each to its place; `isPacked` puts a few one behind the other.
    mutating func read(
      _ which: SQL, _ classification: Classification, isPacked: Bool = false, in tx: any Transaction
    ) throws {
      try tx.forEach(
        """
        SELECT place, provider, provider_name, sharing_type, format_class, cycle, classes, is_mounted, freshness
        FROM catalog_entry WHERE \(which) ORDER BY place
        """
      ) { row in
        let place = try row.int("place")
        let provider = providers.of(try row.text("provider"))
        if Int(provider) >= providerNames.count { providerNames.append("") }
        providerNames[Int(provider)] = try row.text("provider_name")
        let nodes = numbers(ofClasses: try row.text("classes"), classification)
        let at = isPacked ? values.count : place
        if values.count <= at { values.append(contentsOf: repeatElement(nil, count: at + 1 - values.count)) }
        values[at] = Values(
          provider: provider, sharingType: sharingTypes.of(try row.text("sharing_type")),
          format: formats.of(try row.text("format_class")), cycle: cycles.of(try row.text("cycle")),
          mounted: try Self.mounted(row), freshness: try Self.freshness(row),
          firstClass: UInt32(classes.count), classCount: UInt16(nodes.count))
        classes.append(contentsOf: nodes)
        seen = place
        return true
      }
    }

    /// The nodes of an entry's classes with all above them.
    private mutating func numbers(ofClasses text: String, _ classification: Classification) -> [UInt16] {
      if let known = numbersOfClasses[text] { return known }
      var numbers: Set<UInt16> = []
      for code in text.split(separator: " ") {
        for branch in classification.branches(of: String(code)) {
          for (depth, node) in branch.enumerated() {
            let number = nodes.of(node.code)
            if Int(number) >= depths.count { depths.append(UInt8(clamping: depth + 1)) }
            numbers.insert(number)
          }
        }
      }
      // Most entries have one class; what is seldom together is worked out again.
      if numbersOfClasses.count < 10_000 { numbersOfClasses[text] = Array(numbers) }
      return Array(numbers)
    }

    private static func mounted(_ row: Row) throws -> UInt8 { try row.bool("is_mounted") ? 1 : 0 }

    private static func freshness(_ row: Row) throws -> UInt8 {
      let freshness: Freshness = try row.choice("freshness")
      return UInt8(Freshness.allCases.firstIndex(of: freshness) ?? 0)
    }

    /// One row of numbers for all facets, each in its own part of it: ten thousand hits are one walk over plain memory.
    func count(_ places: [Int], depth: Int) -> Counts {
      var ends: [Int] = []
      for size in [providers.texts, sharingTypes.texts, formats.texts, cycles.texts, nodes.texts].map(\.count) + [2, 3]
      {
        ends.append((ends.last ?? 0) + size)
      }
      var tally = [UInt32](repeating: 0, count: ends[6])
      tally.withUnsafeMutableBufferPointer { tally in
        values.withUnsafeBufferPointer { values in
          classes.withUnsafeBufferPointer { classes in
            depths.withUnsafeBufferPointer { depths in
              for place in places where place < values.count {
                guard let found = values[place] else { continue }
                tally[Int(found.provider)] += 1
                tally[ends[0] + Int(found.sharingType)] += 1
                tally[ends[1] + Int(found.format)] += 1
                tally[ends[2] + Int(found.cycle)] += 1
                let first = Int(found.firstClass)
                for at in first..<first + Int(found.classCount) where Int(depths[Int(classes[at])]) == depth {
                  tally[ends[3] + Int(classes[at])] += 1
                }
                tally[ends[4] + Int(found.mounted)] += 1
                tally[ends[5] + Int(found.freshness)] += 1
              }
            }
          }
        }
      }
      var counts = Counts()
      counts.providers = providers.counted(tally[..<ends[0]], names: providerNames)
      counts.sharingTypes = sharingTypes.counted(tally[ends[0]..<ends[1]])
      counts.formats = formats.counted(tally[ends[1]..<ends[2]])
      counts.cycles = cycles.counted(tally[ends[2]..<ends[3]])
      counts.classes = nodes.counted(tally[ends[3]..<ends[4]])
      counts.mounted = Numbers(["0", "1"]).counted(tally[ends[4]..<ends[5]])
      counts.freshness = Numbers(Freshness.allCases.map(\.rawValue)).counted(tally[ends[5]...])
      return counts
    }
  }
}
