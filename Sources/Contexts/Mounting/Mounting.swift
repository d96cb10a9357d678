internal import Audit
package import Calendars
package import Catalog
internal import Deadlines
package import Identity
internal import Inbox
package import Inventory
internal import Jobs
package import Kernel
package import Storage

extension Permission {
  package static let readMounting = Permission("mounting.read")
  package static let manageMounting = Permission("mounting.manage")
}

/// Ties entries to what really holds them, tests the ties, and follows the sources' schemas.
package struct Mounting: Sendable {
  package static let authority: [Permission: Set<Role>] = [
    .readMounting: [.platformOperator, .dataOfficer, .leader],
    .manageMounting: [.dataOfficer],
  ]

  package var db: any Database
  package var clock: Clock
  package var register: SystemRegister
  package var cataloguing: Cataloguing
  package var calendars: Calendars
  package var lists: CodeLists
  package var services: ServiceProbe

  package init(
    db: any Database, clock: Clock, register: SystemRegister, cataloguing: Cataloguing,
    calendars: Calendars = .embedded,
    lists: CodeLists = .embedded, services: ServiceProbe = .none
  ) {
    self.db = db
    self.clock = clock
    self.register = register
    self.cataloguing = cataloguing
    self.calendars = calendars
    self.lists = lists
    self.services = services
  }

  /// Tests everything that is due; without payload.
  package static let sweepJob = "mounting.sweep"
  /// Tests one tie at once; its payload is the tie's id.
  package static let testJob = "mounting.test"
  /// Makes the drafts that were asked for together; its payload is the batch's id.
  package static let draftJob = "mounting.draft"

  // MARK: What the catalogue says

  /// Hears from the catalogue, in its transaction, what an entry now says of its table. What is in force counts; before
  /// anything is, the draft.
  package static func heard(_ resource: Resource, at now: Instant, in tx: any Transaction) throws {
    let isInForce = resource.state == .published && resource.online.isOnline
    switch resource.state {
    case .published: break
    case .draft, .returned, .submitted, .approved:
      if try CatalogStore.isInForce(resource.id, in: tx) { return }
    case .discarded:
      if try CatalogStore.isInForce(resource.id, in: tx) { return }
      for tie in try TieStore.ties(of: resource.id, in: tx) { try end(tie, by: .system(), at: now, in: tx) }
      return
    case .superseded: return
    }
    var ties = try TieStore.ties(of: resource.id, in: tx)
    for index in ties.indices {
      ties[index].name = resource.metadata.name
      ties[index].version = resource.version
      ties[index].cycle = resource.metadata.cycle
      ties[index].isInForce = isInForce
    }
    let target = resource.mount.map { Tie.Target.table($0.source, $0.table, cursor: $0.cursorColumn) }
    let before = ties.first { $0.target.kind == .table }
    for var tie in ties where tie.target.kind != .table {
      tie.dueAt = now
      try put(tie, at: now, in: tx)
    }
    switch (before, target) {
    case (nil, nil): break
    case (nil, let target?):
      let tie = Tie(resource, target, isInForce: isInForce, at: now)
      try TieStore.insert(tie, in: tx)
      try test(tie.id, at: now, in: tx)
    case (let tie?, nil): try end(tie, by: .system(), at: now, in: tx)
    case (var tie?, let target?):
      if tie.target != target { tie.retarget(target, at: now) }
      tie.dueAt = now
      try put(tie, at: now, in: tx)
    }
    if isInForce { try tellSearch(of: resource.id, in: tx) }
  }

  private static func put(_ tie: Tie, at now: Instant, in tx: any Transaction) throws {
    try TieStore.update(tie, in: tx)
    try test(tie.id, at: now, in: tx)
  }

  /// Has a tie tested by the next free worker.
  static func test(_ id: TieID, at now: Instant, in tx: any Transaction) throws {
    _ = try JobQueue.enqueue(testJob, payload: id.text, maxAttempts: 3, dedupe: "mounting:\(id)", at: now, in: tx)
  }

  static func end(_ tie: Tie, by principal: Principal, at now: Instant, in tx: any Transaction) throws {
    try TieStore.remove(tie.id, in: tx)
    try Inbox.close(subject: "tie", tie.id.text, by: principal, at: now, in: tx)
  }

  // MARK: Seeing

  /// One page of ties with counts; the platform's operator sees every office's, others their own.
  package struct Listing: Sendable {
    package var ties: [Tie]
    package var next: TieID?
    package var counts: [Tie.State: Int]
    package var timeliness: [Timeliness.State: Int]
  }

  package func list(
    _ principal: Principal, state: Tie.State? = nil, timeliness: Timeliness.State? = nil, after: TieID? = nil,
    limit: Int = 50
  ) async throws -> Listing {
    let office = try scope(principal)
    return try await db.read { tx in
      let found = try TieStore.page(
        .init(provider: office, state: state, timeliness: timeliness), after: after, limit: limit + 1, in: tx)
      var listing = Listing(
        ties: Array(found.prefix(limit)), next: found.count > limit ? found[limit - 1].id : nil, counts: [:],
        timeliness: [:])
      for state in Tie.State.allCases {
        listing.counts[state] = try TieStore.count(.init(provider: office, state: state), in: tx)
      }
      for one in Timeliness.State.allCases {
        listing.timeliness[one] = try TieStore.count(.init(provider: office, timeliness: one), in: tx)
      }
      return listing
    }
  }

  /// A tie with why it counts as timely or not, and its history.
  package struct View: Sendable {
    package var tie: Tie
    package var timeliness: Timeliness
    package var runs: [TieStore.Run]
    /// The source's name, for its own office and the operator.
    package var sourceName: String?
  }

  /// The ties of an entry, for whoever may see them: all for its office and the operator.
  package func ties(of resource: ResourceID, for principal: Principal) async throws -> [View] {
    try await db.read { tx in
      try TieStore.ties(of: resource, in: tx).compactMap { tie in try view(tie, for: principal, in: tx) }
    }
  }

  /// The same of an entry that must be there, of the principal's office where he is not the operator.
  func mounts(of resource: ResourceID, for principal: Principal) async throws -> [View] {
    try await db.read { tx in
      guard let entry = try CatalogStore.latest(resource, in: tx) else { throw Cataloguing.unknown }
      if !sees(principal, entry.provider) {
        // What another office still writes is nobody's to know of.
        guard entry.code != nil else { throw Cataloguing.unknown }
        try principal.require(.readMounting, in: entry.provider)
      }
      return try TieStore.ties(of: resource, in: tx).compactMap { tie in try view(tie, for: principal, in: tx) }
    }
  }

  package func tie(_ id: TieID, for principal: Principal) async throws -> View {
    try await db.read { tx in
      guard let tie = try TieStore.find(id, in: tx), let view = try view(tie, for: principal, in: tx) else {
        throw Self.unknown
      }
      return view
    }
  }

  private func view(_ tie: Tie, for principal: Principal, in tx: any Transaction) throws -> View? {
    guard sees(principal, tie.provider) else { return nil }
    return View(
      tie: tie, timeliness: try judge(tie, in: tx), runs: try TieStore.runs(of: tie.id, in: tx),
      sourceName: try tie.target.source.flatMap { try InventoryStore.source($0, in: tx)?.name })
  }

  func judge(_ tie: Tie, in tx: any Transaction) throws -> Timeliness {
    .judge(
      cycle: lists.cycles[tie.cycle], watch: tie.watch, on: clock.today, calendar: try calendars.inForce(tx))
  }

  // MARK: Parts

  static let unknown = Refusal.notFound(Text("挂接", "mount"))

  /// The office whose ties the principal sees; nil is every office's.
  func scope(_ principal: Principal) throws -> OrganisationID? {
    try principal.require(.readMounting)
    if principal.may(.reviewCatalog) { return nil }
    guard let office = principal.organisation else { throw Refusal.forbidden(.readMounting) }
    return office
  }

  func sees(_ principal: Principal, _ provider: OrganisationID) -> Bool {
    principal.may(.readMounting) && (principal.may(.reviewCatalog) || principal.organisation == provider)
  }

  func record(
    _ action: String, _ tie: Tie, by principal: Principal, at now: Instant,
    detail: [(name: String, value: String)] = [], in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "tie", subject: tie.id.text, subjectName: tie.name,
        detail: [("kind", tie.target.kind.rawValue)] + detail), in: tx)
  }
}
