import Attachments
import Audit
import Calendars
import Connecting
import Deadlines
import Identity
import Inbox
import Inventory
import Kernel
import Storage
import Synchronization
import TestKit

@testable import Catalog
@testable import Feedback

/// Three offices with their people, an entry of the first, and a clock moved by hand.
struct Desk: Sendable {
  /// A Thursday of an ordinary week.
  static let start = Instant("2026-08-20T01:00:00Z")!
  static let provider = OrganisationID(trusted: "00000000-0000-7000-8000-000000000001")
  static let raiser = OrganisationID(trusted: "00000000-0000-7000-8000-000000000002")
  static let third = OrganisationID(trusted: "00000000-0000-7000-8000-000000000003")
  static let centre = OrganisationID(trusted: "00000000-0000-7000-8000-000000000004")

  static let officer = person("马数据", of: provider, .dataOfficer)
  static let colleague = person("同事", of: provider, .dataOfficer)
  static let clerk = person("李经办", of: raiser, .clerk)
  static let leader = person("王处长", of: raiser, .leader)
  static let stranger = person("外人", of: third, .dataOfficer)
  static let authority = person("张运营", of: centre, .platformOperator)

  static let migrations = [
    InboxSchema.migrations, AuditSchema.migrations, IdentitySchema.migrations, InventorySchema.migrations,
    AttachmentSchema.migrations, CatalogSchema.migrations, FeedbackSchema.migrations,
  ]

  let db: any Database
  let hand = Hand(start)
  let resource = ResourceID.make(at: start)

  final class Hand: Sendable {
    private let now: Mutex<Instant>
    init(_ start: Instant) { now = Mutex(start) }
    var clock: Clock { Clock { self.now.withLock { $0 } } }
    func move(_ duration: Duration) { now.withLock { $0 = $0 + duration } }
    /// Nine in the morning of that day.
    func go(to day: String) { now.withLock { $0 = CalendarDate(day)!.startInChina + .seconds(9 * 3600) } }
  }

  static func with<T: Sendable>(_ engine: Engine, _ body: (Desk) async throws -> T) async throws -> T {
    try await withDatabase(engine, migrations) { db in
      let desk = Desk(db: db)
      try await desk.publish("企业法人登记信息")
      return try await body(desk)
    }
  }

  static func person(_ name: String, of office: OrganisationID, _ roles: Role...) -> Principal {
    Principal(
      person: .make(at: start), name: name, organisation: office, organisationName: officeName(office),
      permissions: Authority([Cataloguing.authority, Feedback.authority]).permissions(of: Set(roles)))
  }

  static func officeName(_ office: OrganisationID) -> String {
    switch office {
    case provider: "省市场监管局"
    case raiser: "省民政厅"
    case third: "省教育厅"
    default: "省政府办公厅"
    }
  }

  var feedback: Feedback { feedback(by: .embedded) }

  func feedback(by calendar: WorkCalendar) -> Feedback {
    let register = SystemRegister(
      db: db, clock: hand.clock, probe: .through(.init([])), seal: .under(key: Array(repeating: 7, count: 32)),
      admission: .anywhere, organisation: { _, _ in nil })
    return Feedback(
      database: db, clock: hand.clock, cataloguing: Cataloguing(db: db, clock: hand.clock, register: register),
      calendars: .fixed(calendar))
  }

  // MARK: - Entries

  /// Puts a version in force, by its rows alone.
  func publish(_ name: String, as id: ResourceID? = nil, version: Int = 1, number: Int = 1) async throws {
    let (id, now) = (id ?? resource, hand.clock.now())
    let entry = Resource(
      id: id, version: version, state: .published, code: ResourceCode(node: "3070120302", number: number),
      provider: Self.provider, providerName: Self.officeName(Self.provider), providerCode: "11630000015000001A",
      system: nil,
      metadata: Metadata(
        name: name, classes: ["3070120302"], abstract: "全省登记事项。", format: "0311", sharingType: "2", cycle: "7"),
      items: [Item(id: .make(at: now), name: "统一社会信用代码", column: "uscc", dataType: "C", length: 18, isKey: true)],
      mount: nil, changedAt: now, publishedOn: now.dateInChina)
    try await db.write { tx in
      try CatalogStore.insert(entry, in: tx)
      if version == 1 { try CatalogStore.setCode(entry.code!, of: id, in: tx) }
      try CatalogStore.issue(version, of: id, online: .online, since: now, at: now, in: tx)
      try CatalogSearch.put(entry, publishedOn: now.dateInChina, classification: .embedded, in: tx)
    }
  }

  func withdraw(_ id: ResourceID? = nil) async throws {
    let (id, now) = (id ?? resource, hand.clock.now())
    try await db.write { tx in
      let entry = try CatalogStore.published(id, in: tx)!
      try CatalogStore.setOnline(.offline, of: entry, at: now, due: nil, in: tx)
      try CatalogSearch.remove(id, in: tx)
      try Feedback.noteWithdrawal(of: entry, at: now, in: tx)
    }
  }

  // MARK: - What people see

  func tasks(of principal: Principal) async throws -> [InboxTask] {
    try await db.read { try Inbox.waiting(for: principal, in: $0) }
  }

  func notices(of principal: Principal) async throws -> [String] {
    try await db.read { try Inbox.notices(for: principal, in: $0).map(\.kind) }
  }

  func actions() async throws -> [String] {
    try await db.read { try $0.rows("SELECT action FROM audit_record ORDER BY id").map { try $0.text("action") } }
  }

  // MARK: - Steps

  func raised(_ words: String = "条件于法无据", key: String? = nil) async throws -> Objection {
    try await feedback.raise(
      ObjectionDraft(resource: resource, kind: "condition", words: words, formKey: key), by: Self.clerk)
  }

  func act(
    _ objection: Objection, _ event: ObjectionEvent, by principal: Principal, correctedBy: Int? = nil
  ) async throws -> Objection {
    try await feedback.act(
      on: objection.id, ObjectionStep(event, words: "理由", correctedBy: correctedBy), version: objection.version,
      by: principal)
  }
}
