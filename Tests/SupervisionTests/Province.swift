import Attachments
import Audit
import Calendars
import Catalog
import Exchange
import Identity
import Inbox
import Inventory
import Jobs
import Kernel
import Sharing
import Storage
import TestKit

@testable import Supervision

/// A province made up for counting: each office holds systems, entries, mounts, grants and deliveries of every kind that
/// the matrix tells apart, as a pure function of its number.
struct Province: Sendable {
  static let now = Instant("2026-03-20T04:00:00.000Z")!
  static let migrations = [
    JobsSchema.migrations, CalendarsSchema.migrations, InboxSchema.migrations, AuditSchema.migrations,
    IdentitySchema.migrations, InventorySchema.migrations, AttachmentSchema.migrations,
    CatalogSchema.migrations, SharingSchema.migrations,
    ExchangeSchema.migrations, SupervisionSchema.migrations,
  ]

  let db: any Database
  let clock: ManualClock
  let supervision: Supervision
  let offices: [OrganisationID]

  /// Entries of each office. Of every ten the fifth has no items, the sixth no system, the seventh no condition; the even
  /// ones are mounted, and those that four divides have a grant.
  let entries: Int

  static func id<T>(_ kind: Int, _ number: Int) -> ID<T> {
    func hex(_ value: Int, _ width: Int) -> String {
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: width - digits.count) + digits
    }
    return ID(trusted: "019c0000-0000-7000-8000-\(hex(kind, 2))\(hex(number, 10))")
  }

  static func with<T: Sendable>(
    _ engine: Engine, offices: Int = 5, entries: Int = 40, measured: Bool = false,
    isolation: isolated (any Actor)? = #isolation, _ body: (Province) async throws -> T
  ) async throws -> T {
    try await withDatabase(engine, migrations) { db in
      let clock = ManualClock(now.description)
      let province = Province(
        db: db, clock: clock,
        supervision: Supervision(
          database: db, clock: clock.clock, measured: measured ? broken : nil),
        offices: (0..<offices).map { id(1, $0) }, entries: entries)
      try await province.fill()
      return try await body(province)
    }
  }

  /// The first office's first two mounts do not answer. Of the second one, with entries from the fortieth on, three that
  /// name no table are tied to files or an API, and two that name one are so as well; what is last is no longer in force.
  static let broken = MeasuredMounts(
    failing: { _ in [id(1, 0): 2] },
    list: { office, after, limit, _ in page([id(3, 0), id(3, 2)], of: id(1, 0), office, after, limit) },
    untabled: MeasuredMounts.Untabled(
      each: { count, _, body in
        for start in stride(from: 0, to: untabled.count, by: count) {
          try body(Array(untabled[start..<min(start + count, untabled.count)]))
        }
      },
      list: { office, after, limit, _ in page(untabled, of: id(1, 1), office, after, limit) },
      among: { ids, _ in Set(untabled).intersection(ids) }))

  static let untabled: [ResourceID] = [id(3, 41), id(3, 44), id(3, 47), id(3, 58), id(3, 79), id(3, 9999)]

  private static func page(
    _ all: [ResourceID], of owner: OrganisationID, _ office: OrganisationID, _ after: ResourceID?, _ limit: Int
  ) -> [ResourceID] {
    guard office == owner else { return [] }
    return Array(all.filter { id in after.map { $0 < id } ?? true }.prefix(limit))
  }

  /// Somebody with a role of the house.
  func person(_ role: Role, of office: Int) -> Principal {
    Principal(
      person: Self.id(2, office), name: "某人", organisation: offices[office], organisationName: "",
      permissions: Authority([Supervision.authority]).permissions(of: [role]))
  }

  private func fill() async throws {
    let (offices, entries) = (offices, entries)
    let divisions = ["63", "6301", "630102"]
    try await db.write { tx in
      for (place, office) in offices.enumerated() {
        try tx.run(
          """
          INSERT INTO identity_organisation (id, name, short_name, credit_code, division, valid_from)
          VALUES (\(office), \("第\(place)局"), \("\(place)局"), \("code-\(place)"), \(divisions[place % 3]), '2000-01-01')
          """)
        try tx.run(
          """
          INSERT INTO identity_person (id, login, name, organisation, is_active, must_change, created_at, version)
          VALUES (\(Self.id(2, place) as PersonID), \("p\(place)"), '某人', \(office), \(true), \(false), \(Self.now), 1)
          """)
      }
    }
    try await db.write { tx in
      for (place, office) in offices.enumerated() { try Self.fill(systemsOf: place, office, in: tx) }
    }
    for place in offices.indices {
      try await db.write { tx in
        for number in 0..<entries {
          try Self.fill(entry: place * entries + number, number, of: place, offices, in: tx)
        }
      }
    }
  }

  /// An office's three systems: entries come from the first two, so that the third has none.
  private static func fill(systemsOf place: Int, _ office: OrganisationID, in tx: any Transaction) throws {
    for number in 0..<3 {
      let system: SystemID = id(4, place * 3 + number)
      try tx.run(
        """
        INSERT INTO inventory_system (id, number, owner, owner_name, name, purpose, scope, frequency, approved_by,
          approved_on, fund_source, network, stage, folded, revision, registered_at, changed_at)
        VALUES (\(system), \("XT-\(place)-\(number)"), \(office), '', \("系统\(number)"), '', '', '', '', '2016-01-01', '',
          '', '', '', 1, \(now), \(now))
        """)
      try tx.run(
        """
        INSERT INTO inventory_source (id, system, owner, name, kind, made_at, is_protected, is_read_only)
        VALUES (\(id(5, place * 3 + number) as SourceID), \(system), \(office), '库', 'sqlite', \(now), \(false), \(false))
        """)
    }
  }

  private static func fill(
    entry: Int, _ number: Int, of place: Int, _ offices: [OrganisationID], in tx: any Transaction
  ) throws {
    let (resource, office): (ResourceID, OrganisationID) = (id(3, entry), offices[place])
    let (kind, isMounted) = (number % 10, number % 2 == 0)
    let system: SystemID? = kind == 5 ? nil : id(4, place * 3 + number % 2)
    let source: SourceID? = isMounted ? id(5, place * 3) : nil
    let condition = kind == 6 ? "" : "履行职责需要"
    let code = "63\(entry)"
    try tx.run(
      """
      INSERT INTO catalog_resource (id, provider, code, latest, published, made_at)
      VALUES (\(resource), \(office), \(code), 2, 1, \(now))
      """)
    for (version, state) in [(1, "published"), (2, "draft")] {
      try tx.run(
        """
        INSERT INTO catalog_version (resource, version, state, provider, provider_name, provider_code, system, name,
          folded_name, classes, abstract, format, sharing_type, sharing_condition, method_class, method_type, open_type,
          open_condition, cycle, related, secrecy, level, mount_source, mount_table, mount_keys, revision, lists, changed_at,
          published_on)
        VALUES (\(resource), \(version), \(state), \(office), '', '', \(version == 1 ? system : nil), \("目录\(entry)"), '',
          '', '', '0311', '2', \(version == 1 ? condition : ""), '1', '1', '3', '', '7', '', '0', '2', \(source),
          \(source == nil ? nil : "t"), \(source == nil ? nil : "id"), 1, '', \(now), '2026-03-01')
        """)
    }
    try tx.run(
      """
      INSERT INTO catalog_entry (place, resource, version, code, name, abstract, provider, provider_name, classes,
        sharing_type, format, format_class, cycle, is_mounted, items, published_on)
      VALUES (\(entry + 1), \(resource), 1, \(code), \("目录\(entry)"), '', \(office), '', '', '2', '0311', '03', '7',
        \(isMounted), \(kind == 4 ? 0 : 7), '2026-03-01')
      """)
    if number % 4 == 0 { try fill(grant: entry, number, on: resource, of: place, offices, in: tx) }
  }

  /// The next office obtains it. By turns it delivered this month, last month only, long ago, never; and every fifth one
  /// is revoked, every seventh has run out.
  private static func fill(
    grant: Int, _ number: Int, on resource: ResourceID, of place: Int, _ offices: [OrganisationID],
    in tx: any Transaction
  ) throws {
    let (id, consumer): (GrantID, Int) = (Self.id(6, grant), (place + 1) % offices.count)
    let turn = number / 4
    let (state, last) = (turn % 5 == 4 ? "revoked" : "active", turn % 7 == 6 ? "2026-03-01" : "2026-12-31")
    try tx.run(
      """
      INSERT INTO sharing_request (id, number, resource, resource_version, resource_name, sharing_type, provider,
        provider_name, consumer, consumer_name, asked_by, asked_by_name, purpose, legal_basis, scene, mode, frequency,
        first_day, last_day, target_source, target_table, state, supplement_asked, rules, version, created_at, changed_at)
      VALUES (\(Self.id(7, grant) as ShareRequestID), \("Q\(grant)"), \(resource), 1, '', '2', \(offices[place]), '',
        \(offices[consumer]), '', \(Self.id(2, consumer) as PersonID), '', '', '', '', 'table', 'daily', '2026-01-01',
        \(last), \(Self.id(5, consumer * 3) as SourceID), 't', 'granted', \(false), '', 1, \(now), \(now))
      """)
    try tx.run(
      """
      INSERT INTO sharing_grant (id, number, request, resource, resource_version, resource_name, provider, provider_name,
        consumer, consumer_name, purpose, legal_basis, scene, mode, frequency, first_day, last_day, target_source,
        target_table, secret, state, version, created_at)
      VALUES (\(id), \("G\(grant)"), \(Self.id(7, grant) as ShareRequestID), \(resource), 1, \("目录\(grant)"),
        \(offices[place]), '', \(offices[consumer]), '', '', '', '', 'table', 'daily', '2026-01-01', \(last),
        \(Self.id(5, consumer * 3) as SourceID), 't', \([1] as [UInt8]), \(state), 1, \(now))
      """)
    let arrived: [[Int]] = [[1, 2, 3], [40], [200], []]
    for (position, days) in arrived[turn % 4].enumerated() {
      try deliver(grant * 4 + position, under: id, rows: 10 + position, at: now - .seconds(days * 86_400), in: tx)
    }
    // What failed is no delivery.
    try deliver(grant * 4 + 3, under: id, rows: 0, state: "failed", at: now, in: tx)
  }

  static func deliver(
    _ number: Int, under grant: GrantID, rows: Int, state: String = "delivered", at: Instant, in tx: any Transaction
  ) throws {
    try tx.run(
      """
      INSERT INTO exchange_delivery (id, grant_id, mode, state, trigger_kind, asked_by, rows_read, rows_delivered,
        rows_unchanged, rows_quarantined, rows_stale, bytes, created_at, finished_at)
      VALUES (\(Self.id(8, number) as DeliveryID), \(grant), 'full', \(state), 'person', '', \(rows), \(rows), 0, 0, 0, 0,
        \(at), \(at))
      """)
  }
}
