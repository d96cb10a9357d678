internal import Inventory
internal import Kernel
internal import Storage

/// What the catalogue holds of what a part of a batch names: read with a few statements for all of it, and kept in step with
/// what is decided of the part, which is written when all of it is.
struct KnownEntries {
  /// So many entries are looked up together.
  static let most = 500

  private let office: OrganisationID
  private var references: [String: ResourceID] = [:]
  private var withReference: Set<ResourceID> = []
  private var own: Set<ResourceID> = []
  private var codes: [String: ResourceID] = [:]
  /// By folded name, the versions of that name that are live: in force, or the latest and neither given up nor superseded.
  private var bearers: [String: [VersionKey]] = [:]
  private var latest: [ResourceID: Resource] = [:]
  private var systemNames: Set<String> = []
  private var publishedCodes: Set<String> = []

  init(of office: OrganisationID) { self.office = office }

  init(_ given: [GivenEntry], of office: OrganisationID, asking context: RuleContext, in tx: any Transaction) throws {
    self.init(of: office)
    for part in parts(of: Self.each(given.map(\.reference))) {
      references.merge(try EntryKey.referred(by: part, of: office, in: tx)) { $1 }
    }
    for part in parts(of: given.compactMap(\.id)) { own.formUnion(try CatalogStore.own(part, of: office, in: tx)) }
    for part in parts(of: Self.each(given.map(\.code))) {
      codes.merge(try CatalogStore.coded(part, of: office, in: tx)) { $1 }
    }
    for part in parts(of: Self.each(given.map { foldedForSearch($0.metadata.name) })) {
      for (name, version) in try CatalogStore.live(named: part, of: office, in: tx) {
        bearers[name, default: []].append(version)
      }
    }
    for part in parts(of: Array(Set(bearers.values.joined().map(\.resource)))) {
      withReference.formUnion(try EntryKey.withReference(part, in: tx))
    }
    for part in parts(of: Self.each(given.map(\.metadata.name))) {
      systemNames.formUnion(try InventoryStore.systemNames(among: Array(part), in: tx))
    }
    publishedCodes = try CatalogStore.publishedCodes(
      among: Self.each(given.flatMap { context.asked(of: $0.metadata) }), in: tx)
    let meant = given.compactMap { entry in
      references[entry.reference] ?? entry.id.flatMap { own.contains($0) ? $0 : nil } ?? codes[entry.code]
        ?? named(entry.metadata.name)
    }
    for resource in try CatalogStore.latest(Set(meant), in: tx) { latest[resource.id] = resource }
  }

  /// Each of these texts once, without those that nothing in the catalogue can be called.
  private static func each(_ texts: [String]) -> [String] {
    Array(Set(texts.filter { !$0.utf8.contains(0) }))
  }

  // MARK: Asking

  /// The entry that the office keeps this reference for.
  func referred(_ reference: String) -> ResourceID? { references[reference] }
  func hasReference(_ id: ResourceID) -> Bool { withReference.contains(id) }
  /// Whether there is such an entry of the office.
  func holds(_ id: ResourceID) -> Bool { own.contains(id) }
  /// The entry of the office with this code.
  func coded(_ code: String) -> ResourceID? { codes[code] }
  /// The oldest live entry of the office with this name.
  func named(_ name: String) -> ResourceID? { bearers[foldedForSearch(name)]?.map(\.resource).min() }
  func isNameTaken(_ name: String, except id: ResourceID) -> Bool {
    bearers[foldedForSearch(name)]?.contains { $0.resource != id } ?? false
  }
  func isSystemName(_ name: String) -> Bool { systemNames.contains(name) }
  func unknown(_ codes: [String]) -> [String] { codes.filter { !publishedCodes.contains($0) } }

  /// As it stands with what was decided so far.
  mutating func latest(_ id: ResourceID, in tx: any Transaction) throws -> Resource? {
    if let known = latest[id] { return known }
    latest[id] = try CatalogStore.latest(id, in: tx)
    return latest[id]
  }

  // MARK: Deciding

  /// An entry that is new, or a further version of one.
  mutating func add(_ resource: Resource) {
    own.insert(resource.id)
    latest[resource.id] = resource
    bearers[foldedForSearch(resource.metadata.name), default: []].append(VersionKey(resource))
  }

  /// A draft that says something else from now on.
  mutating func change(_ before: Resource, to after: Resource) {
    bearers[foldedForSearch(before.metadata.name)]?.removeAll { $0 == VersionKey(before) }
    add(after)
  }

  mutating func keep(_ reference: String, for id: ResourceID) {
    references[reference] = id
    withReference.insert(id)
  }
}
