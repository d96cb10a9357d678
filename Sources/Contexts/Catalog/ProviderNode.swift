package import Identity
package import Kernel
package import Storage

/// What the catalogue asks of Identity about the offices that provide.
package struct Providers: Sendable {
  package var organisation: @Sendable (OrganisationID, any Transaction) throws -> Organisation?
  /// Those of these offices that there are.
  package var organisations: @Sendable ([OrganisationID], any Transaction) throws -> [OrganisationID: Organisation]
  /// The offices it took over from, nearest first.
  package var predecessors: @Sendable (OrganisationID, any Transaction) throws -> [OrganisationID]
  /// The offices that took over from it.
  package var successors: @Sendable (OrganisationID, any Transaction) throws -> [OrganisationID]
  /// The offices, standing or not, whose own node it is.
  package var holders: @Sendable (_ node: String, any Transaction) throws -> [Organisation]
  /// The office of that credit code, standing or not.
  package var coded: @Sendable (_ creditCode: String, any Transaction) throws -> Organisation?
  /// The offices that ever bore the name, the latest first.
  package var named: @Sendable (_ name: String, any Transaction) throws -> [Organisation]
  /// The offices that stand on a day, at most `mostListed`, by division and name.
  package var standing: @Sendable (CalendarDate, any Transaction) throws -> [Organisation]

  /// As many as a list to choose from can hold.
  package static let mostListed = 500

  /// `organisations` asks for one after the other unless it is given.
  package init(
    organisation: @escaping @Sendable (OrganisationID, any Transaction) throws -> Organisation?,
    organisations: (@Sendable ([OrganisationID], any Transaction) throws -> [OrganisationID: Organisation])? = nil,
    predecessors: @escaping @Sendable (OrganisationID, any Transaction) throws -> [OrganisationID],
    successors: @escaping @Sendable (OrganisationID, any Transaction) throws -> [OrganisationID] = { _, _ in [] },
    holders: @escaping @Sendable (String, any Transaction) throws -> [Organisation] = { _, _ in [] },
    coded: @escaping @Sendable (String, any Transaction) throws -> Organisation? = { _, _ in nil },
    named: @escaping @Sendable (String, any Transaction) throws -> [Organisation] = { _, _ in [] },
    standing: @escaping @Sendable (CalendarDate, any Transaction) throws -> [Organisation] = { _, _ in [] }
  ) {
    self.organisation = organisation
    self.organisations =
      organisations ?? { ids, tx in
        try ids.reduce(into: [:]) { found, id in found[id] = try organisation(id, tx) }
      }
    self.predecessors = predecessors
    self.successors = successors
    self.holders = holders
    self.coded = coded
    self.named = named
    self.standing = standing
  }

  package static let identity = Providers(
    organisation: { try OrganisationStore.find($0, in: $1) },
    organisations: { try OrganisationStore.find($0, in: $1) },
    predecessors: { try OrganisationStore.predecessors(of: $0, in: $1).map(\.id) },
    successors: { try OrganisationStore.successors(of: $0, in: $1).map(\.id) },
    holders: { try OrganisationStore.holding(node: $0, in: $1) },
    coded: { try OrganisationStore.coded($0, in: $1) }, named: { try OrganisationStore.everNamed($0, in: $1) },
    standing: { try OrganisationStore.list(on: $0, limit: mostListed, in: $1) })

  /// What became of an office since it was called `name`; nil when it still stands under that name.
  func later(
    of office: OrganisationID, called name: String, on day: CalendarDate, in tx: any Transaction
  ) throws -> ProviderToday? {
    guard let found = try organisation(office, tx) else { return nil }
    guard let ended = found.validTo, ended <= day else {
      return found.name == name ? nil : ProviderToday(since: nil, names: [found.name])
    }
    return ProviderToday(since: ended, names: try heirs(of: office, on: day, in: tx))
  }

  /// Those that stand today at the end of the line, by name.
  private func heirs(
    of office: OrganisationID, on day: CalendarDate, in tx: any Transaction
  ) throws -> [String] {
    var (seen, next, standing): (Set<OrganisationID>, [OrganisationID], [String]) = ([office], [office], [])
    while !next.isEmpty, seen.count < 100 {
      var later: [OrganisationID] = []
      for id in try next.flatMap({ try successors($0, tx) }) where seen.insert(id).inserted {
        guard let heir = try organisation(id, tx) else { continue }
        if heir.validTo.map({ $0 <= day }) ?? false { later.append(id) } else { standing.append(heir.name) }
      }
      next = later
    }
    return standing.sorted()
  }
}

/// An office of today with the way that leads to it: the office whose node or name it was, and what that went on as.
package struct OfficeToday: Hashable, Sendable {
  /// The first was asked for, the last stands; one and the same where nothing was reformed.
  package var way: [Organisation]

  package var office: Organisation { way[way.count - 1] }
}

extension Providers {
  /// What became of an office by a day: itself where it stands, or those that stand and took over from it, however often
  /// reformed (农牧厅 → 农业农村厅); none when nobody did.
  func today(of office: Organisation, on day: CalendarDate, in tx: any Transaction) throws -> [OfficeToday] {
    var found: [OfficeToday] = []
    var open = [OfficeToday(way: [office])]
    var seen: Set<OrganisationID> = [office.id]
    while !open.isEmpty, seen.count < 100 {
      let next = open.removeFirst()
      if next.office.stands(on: day) {
        found.append(next)
        continue
      }
      for id in try successors(next.office.id, tx) where seen.insert(id).inserted {
        if let office = try organisation(id, tx) { open.append(OfficeToday(way: next.way + [office])) }
      }
    }
    return found
  }
}

/// What a provider is called today, or who took over from it.
struct ProviderToday: Hashable, Sendable {
  /// The day the office of before ended; nil when it was only renamed.
  var since: CalendarDate?
  /// Empty when nobody is known to have taken over.
  var names: [String]
}

/// The classification node that prefixes a provider's codes.
///
/// The tree is of 2017 and the offices are not: one that was founded by a later reform uses the node configured for it
/// (`Organisation.classificationNode`), or else that of the nearest predecessor that has one, so that its codes stay in the
/// branch where its data always stood. Nil when neither is known: somebody must configure one first.
func codeNode(
  of organisation: OrganisationID, _ providers: Providers, _ classification: Classification, in tx: any Transaction
) throws -> String? {
  var seen: Set<OrganisationID> = [organisation]
  var next = [organisation]
  while !next.isEmpty, seen.count < 100 {
    var earlier: [OrganisationID] = []
    for id in next {
      if let node = try providers.organisation(id, tx)?.classificationNode, classification[node] != nil { return node }
      earlier += try providers.predecessors(id, tx).filter { seen.insert($0).inserted }
    }
    next = earlier
  }
  return nil
}
