internal import Inventory
internal import Kernel

/// An entry as a program or a file gives it: whole, with what its department knows it by.
///
/// The key is the first of these that is given: the department's own reference, which the catalogue keeps with the entry
/// from then on; the id or the code that the platform gave; else the name, which is unique in a department.
struct GivenEntry: Sendable {
  /// Any text of up to 128 characters that the department's system keeps, such as its own row's key.
  var reference = ""
  var id: ResourceID?
  /// Given by the platform at registration; one that it did not give to this department is refused.
  var code = ""
  /// Its provider by name, credit code or id, as an answer or an export told it, each with its field; another office's entry
  /// is refused.
  var providers: [(field: String, text: String)] = []
  var metadata: Metadata
  /// An information system's number, name or id.
  var system = ""
  var items: [Item] = []
  /// Why the next version is written, for one that has an earlier one.
  var change: VersionChange?
  /// What could not even be read; the entry is judged for what it says, and refused for this.
  var faults: [Finding] = []
  /// The same where the faults are kept elsewhere, as by a workbook with its rows.
  var isUnread = false

  static let referenceLimit = 128
}

/// What became of an entry that was given.
enum EntryOutcome: String, Sendable, CaseIterable {
  case created, updated, unchanged, refused
}

/// One entry's outcome, with what the rules say of it.
struct TakenEntry: Sendable {
  var outcome: EntryOutcome
  /// As it stands now; nil when the entry is none of the department's.
  var resource: Resource?
  var findings: [Finding]
}

/// Whether what is in the catalogue already may be changed by what is given.
package enum TakingMode: String, Sendable, CaseIterable {
  /// New entries only; one that is there already and says something else is refused.
  case add
  /// New entries, and changes of those that are there: in their draft, or as their next version.
  case update
}

/// The systems of an office as people and programs name them.
struct SystemNames: Sendable {
  private var byText: [String: SystemID] = [:]
  private var numbers: [SystemID: String] = [:]

  init(_ systems: [InformationSystem]) {
    for system in systems {
      let name = foldedForSearch(system.facts.name)
      byText[name] = system.id
      byText[foldedForSearch(system.number)] = system.id
      byText[foldedForSearch("\(system.facts.name)（\(system.number)）")] = system.id
      byText[foldedForSearch("\(system.number) \(system.facts.name)")] = system.id
      byText[system.id.text] = system.id
      numbers[system.id] = system.number
    }
  }

  func find(_ entered: String) -> SystemID? { entered.isEmpty ? nil : byText[foldedForSearch(entered)] }

  /// What an export writes, so that `find` gets it back.
  func number(of system: SystemID) -> String? { numbers[system] }
}

extension Item {
  /// The item as it stands in `resource`, in the one way in which it can be compared: a sharing type that only repeats the
  /// resource's says nothing.
  func plain(in resource: String) -> Item {
    var item = self
    if item.sharingType == resource { item.sharingType = nil }
    return item
  }
}

extension Resource {
  /// This resource with the content of `given`. An item is the one of the same column (of several, of the same name too), and
  /// keeps its id, the way it is carried and the evidence of what its values are; what a mount says of keys holds.
  func taking(_ given: GivenEntry, system: SystemID?) -> Resource {
    var next = self
    next.metadata = given.metadata
    next.system = system
    var known = Dictionary(grouping: items, by: \.column)
    next.items = given.items.map { item in
      var item = item.plain(in: given.metadata.sharingType)
      if let mount { item.isKey = mount.keyColumns.contains(item.column) }
      guard let same = known[item.column], !same.isEmpty else { return item }
      let before = same.first { $0.name == item.name } ?? same[0]
      known[item.column] = same.filter { $0.id != before.id }
      item.id = before.id
      item.type = before.type
      if item.semantic == before.semantic { item.evidence = before.evidence }
      return item
    }
    return next
  }

  /// Whether two states say the same of the resource.
  func saysTheSame(as other: Resource) -> Bool {
    metadata == other.metadata && system == other.system
      && items.map { $0.plain(in: metadata.sharingType) } == other.items.map { $0.plain(in: metadata.sharingType) }
  }
}
