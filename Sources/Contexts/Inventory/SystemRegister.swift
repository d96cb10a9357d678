internal import Audit
package import Connecting
package import Identity
package import Kernel
package import Storage

extension Permission {
  package static let readInventory = Permission("inventory.read")
  package static let manageInventory = Permission("inventory.manage")
}

/// Registering information systems and the sources they hold.
package struct SystemRegister: Sendable {
  package static let authority: [Permission: Set<Role>] = [
    .readInventory: [.platformOperator, .dataOfficer, .clerk, .leader],
    .manageInventory: [.dataOfficer],
  ]

  package var db: any Database
  package var clock: Clock
  package var lists: CodeLists
  package var probe: SourceProbe
  package var seal: SourceSeal
  package var admission: SourceAdmission
  /// Identity's answer to who an organisation is.
  package var organisation: @Sendable (OrganisationID, any Transaction) throws -> Organisation?

  package init(
    db: any Database, clock: Clock, lists: CodeLists = .embedded, probe: SourceProbe, seal: SourceSeal,
    admission: SourceAdmission,
    organisation: @escaping @Sendable (OrganisationID, any Transaction) throws -> Organisation? = {
      try OrganisationStore.find($0, in: $1)
    }
  ) {
    self.db = db
    self.clock = clock
    self.lists = lists
    self.probe = probe
    self.seal = seal
    self.admission = admission
    self.organisation = organisation
  }

  // MARK: Systems

  /// Registers a system of the principal's own organisation and gives it its number.
  package func register(_ principal: Principal, _ facts: SystemFacts) async throws -> InformationSystem {
    let now = clock.now()
    guard let owner = principal.organisation else { throw Refusal.forbidden(.manageInventory) }
    try principal.require(.manageInventory, in: owner)
    try check(facts, on: now.dateInChina)
    return try await db.write { tx in
      guard let office = try organisation(owner, tx) else { throw Refusal.notFound(Text("单位", "organisation")) }
      try checkName(facts.name, owner: owner, except: nil, in: tx)
      let system = InformationSystem(
        id: .make(at: now), number: try InventoryStore.nextNumber(division: office.division, in: tx), owner: owner,
        ownerName: office.name, facts: facts, revision: 1, registeredAt: now, changedAt: now)
      try InventoryStore.insert(system, in: tx)
      try record("inventory.system.register", system, principal, now, [("number", system.number)], in: tx)
      return system
    }
  }

  /// Changes what is said of a system; refused when somebody else changed it since `revision`.
  package func edit(
    _ principal: Principal, _ id: SystemID, from revision: Int, _ facts: SystemFacts
  ) async throws -> InformationSystem {
    let now = clock.now()
    try principal.require(.manageInventory)
    try check(facts, on: now.dateInChina)
    return try await db.write { tx in
      var system = try own(id, principal, in: tx)
      try checkName(facts.name, owner: system.owner, except: id, in: tx)
      let changed = changedFields(from: system.facts, to: facts)
      guard system.revision == revision else {
        throw Refusal(
          .conflict, "inventory.system.changed",
          Text("您填写期间，这个系统已被他人修改，请刷新后重填。", "Somebody changed this system meanwhile; reload and enter it again."))
      }
      system.facts = facts
      system.revision += 1
      system.changedAt = now
      try InventoryStore.update(system, in: tx)
      try record(
        "inventory.system.edit", system, principal, now, [("changed", changed.joined(separator: " "))], in: tx)
      return system
    }
  }

  package struct Listing: Sendable {
    package var systems: [InformationSystem]
    /// What `after` takes for the next page; nil on the last.
    package var next: String?
  }

  /// Systems by name; `words` must all occur in number, name, function or owner.
  package func list(
    _ principal: Principal, words: String = "", owner: OrganisationID? = nil, after: String? = nil, limit: Int = 50
  ) async throws -> Listing {
    try principal.require(.readInventory)
    let limit = min(max(limit, 1), 200)
    let words = foldedForSearch(String(words.prefix(100))).split(separator: " ").prefix(8).map(String.init)
    let start = try after.map(Self.place)
    return try await db.read { tx in
      let found = try InventoryStore.page(words: words, owner: owner, after: start, limit: limit + 1, in: tx)
      let shown = Array(found.prefix(limit))
      return Listing(systems: shown, next: found.count > limit ? shown.last.map { "\($0.id)\($0.facts.name)" } : nil)
    }
  }

  /// A system and what it holds.
  package func system(
    _ principal: Principal, _ id: SystemID
  ) async throws -> (system: InformationSystem, sources: [DataSource]) {
    try principal.require(.readInventory)
    return try await db.read { tx in
      guard let system = try InventoryStore.system(id, in: tx) else { throw Self.unknownSystem }
      // Where a database stands is its owner's business.
      let mine = principal.organisation == system.owner
      return (system, mine ? try InventoryStore.sources(of: id, in: tx) : [])
    }
  }

  // MARK: Sources

  package func addSource(_ principal: Principal, _ system: SystemID, _ draft: SourceDraft) async throws -> DataSource {
    try await db.write { tx in try addSource(principal, system, draft, in: tx) }
  }

  /// The same in a transaction that has more to do.
  package func addSource(
    _ principal: Principal, _ system: SystemID, _ draft: SourceDraft, in tx: any Transaction
  ) throws -> DataSource {
    let now = clock.now()
    try principal.require(.manageInventory)
    let kind = probe.kind(draft.kind)
    let system = try own(system, principal, in: tx)
    let owner = try creditCode(system.owner, in: tx)
    try refuse(draft.faults(kind: kind, kept: [], admission: admission, owner: owner))
    try checkSourceName(draft.name, of: system.id, except: nil, in: tx)
    let source = DataSource(
      id: .make(at: now), system: system.id, owner: system.owner, name: draft.name, kind: draft.kind,
      settings: open(draft, kind), secrets: secrets(draft, kind).keys.sorted(), lastProbe: nil, madeAt: now)
    try InventoryStore.insert(source, sealed: sealed(draft, kind, source.id), in: tx)
    try record("inventory.source.add", source, principal, now, in: tx)
    return source
  }

  /// Changes a source's name and settings; blank secrets stay as they are. The kind stays: another kind is another source.
  package func editSource(_ principal: Principal, _ id: SourceID, _ draft: SourceDraft) async throws -> DataSource {
    try await db.write { tx in try editSource(principal, id, draft, in: tx) }
  }

  /// The same in a transaction that has more to do.
  package func editSource(
    _ principal: Principal, _ id: SourceID, _ draft: SourceDraft, in tx: any Transaction
  ) throws -> DataSource {
    let now = clock.now()
    try principal.require(.manageInventory)
    var source = try ownSource(id, principal, in: tx)
    var draft = draft
    draft.kind = source.kind
    let kind = probe.kind(draft.kind)
    let owner = try creditCode(source.owner, in: tx)
    try refuse(draft.faults(kind: kind, kept: source.secrets, admission: admission, owner: owner))
    try checkSourceName(draft.name, of: source.system, except: id, in: tx)
    source.name = draft.name
    source.settings = open(draft, kind)
    source.secrets = Set(source.secrets).union(secrets(draft, kind).keys).sorted()
    source.lastProbe = nil
    try InventoryStore.update(source, sealed: sealed(draft, kind, id), in: tx)
    try record("inventory.source.edit", source, principal, now, in: tx)
    return source
  }

  /// Closes a source whose database is being taken back: nobody opens it any more, and its secrets are forgotten. Whoever calls
  /// answers for who may.
  package func closeSource(_ id: SourceID, by principal: Principal, in tx: any Transaction) throws {
    guard let source = try InventoryStore.source(id, in: tx) else { throw Self.unknownSource }
    let now = clock.now()
    try InventoryStore.close(id, at: now, in: tx)
    try record("inventory.source.close", source, principal, now, in: tx)
  }

  /// Tries to connect and keeps what was found, good or bad.
  package func probe(_ principal: Principal, _ id: SourceID) async throws -> DataSource.Probe {
    let found = try await address(principal, id)
    let probe = probe
    let result = await DataSource.Probe.of(clock) { try await probe.probe(found.address) }
    try await db.write { tx in
      try InventoryStore.record(result, of: id, in: tx)
      try record(
        "inventory.source.probe", found.source, principal, result.at, [("answered", result.product ?? "no")], in: tx)
    }
    return result
  }

  /// `use` is what the tables are read for: whoever may do any of it in the owner's office may read them. Changing a source
  /// is always `manageInventory`'s.
  package func tables(
    _ principal: Principal, _ id: SourceID, for use: Permission...
  ) async throws -> (source: DataSource, tables: [TableSummary]) {
    let found = try await address(principal, id, for: use)
    return (found.source, try await reaching { try await probe.tables(found.address) })
  }

  /// `use` as of `tables`.
  package func describe(
    _ principal: Principal, _ id: SourceID, _ table: TableName, for use: Permission...
  ) async throws -> (source: DataSource, table: TableDescription) {
    let found = try await address(principal, id, for: use)
    return (found.source, try await reaching { try await probe.describe(found.address, table) })
  }

  /// A few values of the table's text columns, for guessing what they hold; recorded, because rows were read. `use` as of
  /// `tables`.
  package func sample(
    _ principal: Principal, _ id: SourceID, _ table: TableDescription, limit: Int = 1000, for use: Permission...
  ) async throws -> TableSample {
    let found = try await address(principal, id, for: use)
    let sample = try await reaching { try await probe.sample(found.address, table, limit) }
    try await db.write { tx in
      try record(
        "inventory.source.sample", found.source, principal, clock.now(),
        [("table", table.name.description), ("rows", String(sample.rows))], in: tx)
    }
    return sample
  }

  /// Every table of one's own source, described. `use` as of `tables`.
  package func survey(
    _ principal: Principal, _ id: SourceID, for use: Permission...
  ) async throws -> (source: DataSource, tables: [TableDescription]) {
    let found = try await address(principal, id, for: use)
    return (found.source, try await reaching { try await probe.survey(found.address) })
  }

  // MARK: The platform itself

  /// What opens a source, for what the platform does by itself on a schedule: no person, but the same admission.
  package func unattended(_ id: SourceID) async throws -> (source: DataSource, address: SourceAddress) {
    try await db.read { tx in
      guard let found = try InventoryStore.address(of: id, seal: seal, in: tx) else { throw Self.unknownSource }
      try admission.check(found.source, found.address, owner: organisation(found.source.owner, tx))
      return found
    }
  }

  // MARK: Parts

  static let unknownSystem = Refusal.notFound(Text("信息系统", "information system"))
  package static let unknownSource = Refusal.notFound(Text("数据源", "data source"))

  private func address(
    _ principal: Principal, _ id: SourceID, for use: [Permission] = []
  ) async throws -> (source: DataSource, address: SourceAddress) {
    let held = use.first(where: principal.may) ?? .manageInventory
    guard principal.may(held) else { throw principal.lacking(use.first ?? held) }
    return try await db.read { tx in
      _ = try ownSource(id, principal, holding: held, in: tx)
      guard let found = try InventoryStore.address(of: id, seal: seal, in: tx) else { throw Self.unknownSource }
      try admission.check(found.source, found.address, owner: organisation(found.source.owner, tx))
      return found
    }
  }

  private func creditCode(_ owner: OrganisationID, in tx: any Transaction) throws -> String {
    guard let office = try organisation(owner, tx) else { throw Refusal.notFound(Text("单位", "organisation")) }
    return office.creditCode
  }

  private func reaching<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    do { return try await body() } catch let error as ConnectorError {
      throw error.refusal
    }
  }

  private func own(_ id: SystemID, _ principal: Principal, in tx: any Transaction) throws -> InformationSystem {
    guard let system = try InventoryStore.system(id, in: tx) else { throw Self.unknownSystem }
    try principal.require(.manageInventory, in: system.owner)
    return system
  }

  private func ownSource(
    _ id: SourceID, _ principal: Principal, holding permission: Permission = .manageInventory, in tx: any Transaction
  ) throws -> DataSource {
    guard let source = try InventoryStore.source(id, in: tx), source.closedAt == nil else { throw Self.unknownSource }
    try principal.require(permission, in: source.owner)
    return source
  }

  private func check(_ facts: SystemFacts, on day: CalendarDate) throws {
    try refuse(facts.faults(lists: lists, on: day), "inventory.system.invalid")
  }

  private func refuse(_ faults: [Refusal.Fault], _ code: String = "inventory.source.invalid") throws {
    if !faults.isEmpty { throw Refusal.invalid(code, faults) }
  }

  private func checkName(
    _ name: String, owner: OrganisationID, except id: SystemID?, in tx: any Transaction
  ) throws {
    guard try !InventoryStore.nameIsTaken(name, owner: owner, except: id, in: tx) else {
      throw Refusal.invalid(
        "inventory.system.name-taken", "name",
        Text("本单位已登记同名系统。", "Your organisation has registered a system of this name."))
    }
  }

  private func checkSourceName(
    _ name: String, of system: SystemID, except id: SourceID?, in tx: any Transaction
  ) throws {
    guard try !InventoryStore.isTaken(name, bySourceOf: system, except: id, in: tx) else {
      throw Refusal.invalid(
        "inventory.source.name-taken", "source",
        Text("这个系统已有同名数据源。", "This system already has a source of this name."))
    }
  }

  private func open(_ draft: SourceDraft, _ kind: ConnectorKind?) -> [String: String] {
    let secret = Set((kind?.settings ?? []).filter(\.isSecret).map(\.name))
    return draft.settings.filter { !secret.contains($0.key) && !$0.value.isEmpty }
  }

  private func secrets(_ draft: SourceDraft, _ kind: ConnectorKind?) -> [String: String] {
    let secret = Set((kind?.settings ?? []).filter(\.isSecret).map(\.name))
    return draft.settings.filter { secret.contains($0.key) && !$0.value.isEmpty }
  }

  private func sealed(_ draft: SourceDraft, _ kind: ConnectorKind?, _ id: SourceID) throws -> [String: [UInt8]] {
    var sealed: [String: [UInt8]] = [:]
    for (name, value) in secrets(draft, kind) { sealed[name] = try seal.seal(Array(value.utf8), "\(id)/\(name)") }
    return sealed
  }

  private func record(
    _ action: String, _ system: InformationSystem, _ principal: Principal, _ now: Instant,
    _ detail: [(name: String, value: String)], in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "system", subject: system.id.text,
        subjectName: system.facts.name, detail: detail), in: tx)
  }

  private func record(
    _ action: String, _ source: DataSource, _ principal: Principal, _ now: Instant,
    _ detail: [(name: String, value: String)] = [], in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "source", subject: source.id.text,
        subjectName: source.name, detail: [("kind", source.kind)] + detail), in: tx)
  }

  private static func place(_ text: String) throws -> (name: String, id: SystemID) {
    guard text.count <= 36 + SystemFacts.limits.name, let id = SystemID(text.prefix(36)) else {
      throw Refusal.invalid("inventory.page", "after", Text("分页位置不正确。", "This page position is wrong."))
    }
    return (String(text.dropFirst(36)), id)
  }
}

private func changedFields(from old: SystemFacts, to new: SystemFacts) -> [String] {
  var changed: [String] = []
  if old.name != new.name { changed.append("name") }
  if old.function != new.function { changed.append("function") }
  if old.scope != new.scope { changed.append("scope") }
  if old.frequency != new.frequency { changed.append("frequency") }
  if old.approvedBy != new.approvedBy { changed.append("approvedBy") }
  if old.approvedOn != new.approvedOn { changed.append("approvedOn") }
  if old.fundSource != new.fundSource { changed.append("fundSource") }
  if old.network != new.network { changed.append("network") }
  if old.stage != new.stage { changed.append("stage") }
  return changed
}
