import Attachments
import Audit
import Calendars
import Connecting
import Identity
import Inbox
import Inventory
import Jobs
import Kernel
import Storage
import TestKit

@testable import Catalog
@testable import Mounting

/// Two offices with sources, entries put in force by their rows alone, and a clock moved by hand.
struct Desk: Sendable {
  static let offices = (1...2).map { OrganisationID(trusted: "00000000-0000-7000-8000-00000000000\($0)") }
  static let migrations = [
    JobsSchema.migrations, CalendarsSchema.migrations, InboxSchema.migrations, AuditSchema.migrations,
    IdentitySchema.migrations, InventorySchema.migrations, AttachmentSchema.migrations, CatalogSchema.migrations,
    MountingSchema.migrations,
  ]

  let db: any Database
  let hand = ManualClock("2026-08-20T01:00:00Z")
  let sources: [SourceID]

  static func with<T: Sendable>(
    _ engine: Engine, isolation: isolated (any Actor)? = #isolation, _ body: (Desk) async throws -> T
  ) async throws -> T {
    try await withDatabase(engine, migrations) { db in
      let desk = Desk(db: db, sources: (0..<4).map { _ in .make() })
      try await desk.fillInventory()
      return try await body(desk)
    }
  }

  private init(db: any Database, sources: [SourceID]) {
    self.db = db
    self.sources = sources
  }

  /// Sources are reached as `probe` says; without it there are none to reach.
  func mounting(_ probe: SourceProbe = .through(ConnectorCatalog([]))) -> Mounting {
    let register = SystemRegister(
      db: db, clock: hand.clock, probe: probe, seal: .under(key: Array(repeating: 7, count: 32)), admission: .anywhere,
      organisation: { _, _ in nil })
    return Mounting(
      db: db, clock: hand.clock, register: register,
      cataloguing: Cataloguing(db: db, clock: hand.clock, register: register))
  }

  private func fillInventory() async throws {
    let (now, sources) = (hand.now, sources)
    try await db.write { tx in
      for (place, source) in sources.enumerated() {
        let (system, office): (SystemID, OrganisationID) = (.make(at: now), Self.offices[place % 2])
        try tx.run(
          """
          INSERT INTO inventory_system (id, number, owner, owner_name, name, purpose, scope, frequency, approved_by,
            approved_on, fund_source, network, stage, folded, revision, registered_at, changed_at)
          VALUES (\(system), \("XT-\(place)"), \(office), '', \("系统\(place)"), '', '', '', '', '2016-01-01', '', '', '',
            '', 1, \(now), \(now))
          """)
        try tx.run(
          """
          INSERT INTO inventory_source (id, system, owner, name, kind, made_at, is_protected, is_read_only)
          VALUES (\(source), \(system), \(office), '库', 'sqlite', \(now), \(false), \(false))
          """)
      }
    }
  }

  func entry(_ number: Int, mount: Mount?) -> Resource {
    Resource(
      id: .make(at: hand.now), version: 1, state: .published, code: ResourceCode(node: "3070120302", number: number),
      provider: Self.offices[number % 2], providerName: "第\(number % 2)局", providerCode: "11630000015000001A",
      system: nil,
      metadata: Metadata(
        name: "目录\(number)", classes: ["3070120302"], abstract: "登记事项。", format: "0311", sharingType: "2", cycle: "7"),
      items: [
        Item(id: .make(at: hand.now), name: "代码", column: "uscc", dataType: "C", length: 18, isKey: true, type: .text)
      ], mount: mount, changedAt: hand.now, publishedOn: hand.now.dateInChina)
  }

  func mount(_ number: Int) -> Mount {
    Mount(source: sources[number % 4], table: TableName("t\(number)"), keyColumns: ["uscc"], cursorColumn: nil)
  }

  /// Puts entries in force as they were before there were ties: nobody hears of it.
  @discardableResult
  func publish(_ entries: [Resource]) async throws -> [Resource] {
    let now = hand.now
    try await db.write { tx in
      for entry in entries {
        try CatalogStore.insert(entry, in: tx)
        try CatalogStore.setCode(entry.code!, of: entry.id, in: tx)
        try CatalogStore.issue(1, of: entry.id, online: .online, since: now, at: now, in: tx)
      }
      try CatalogSearch.put(
        entries.map { ($0, .init()) }, publishedOn: now.dateInChina, classification: .embedded, in: tx)
    }
    return entries
  }

  func ties() async throws -> [Tie] {
    try await db.read { try TieStore.page(.init(), after: nil, limit: 10_000, in: $0) }
  }
}
