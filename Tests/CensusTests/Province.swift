import Audit
import Catalog
import Census
import Identity
import Inbox
import Inventory
import Jobs
import Kernel
import Storage
import Synchronization
import TestKit
import Testing

/// Three offices with resources in force, their people, and a clock moved by hand.
struct Province: Sendable {
  static let start = Instant("2026-08-20T01:00:00Z")!
  static let market = office(1, "青海省市场监督管理局")
  static let affairs = office(2, "青海省民政厅")
  static let gone = office(3, "青海省工商行政管理局", until: "2018-10-25")
  static let centre = office(4, "青海省政务信息中心")
  static let all = [market, affairs, gone, centre]

  static let officer = person(of: market, "张三", .readCensus, .fillCensus)
  static let colleague = person(of: market, "孙七", .readCensus, .fillCensus)
  static let otherOfficer = person(of: affairs, "李四", .readCensus, .fillCensus)
  static let chief = person(of: centre, "王五", .readCensus, .runCensus)
  static let leader = person(of: market, "赵六", .readCensus)

  let db: any Database
  let time = Hand(start)
  var measured: [ResourceID: Measured] = [:]

  final class Hand: Sendable {
    private let now: Mutex<Instant>
    init(_ start: Instant) { now = Mutex(start) }
    var clock: Clock { Clock { self.now.withLock { $0 } } }
    func move(_ duration: Duration) { now.withLock { $0 = $0 + duration } }
  }

  var census: Census {
    let measured = measured
    return Census(
      database: db, clock: time.clock,
      measuring: .init { ids, _ in measured.filter { ids.contains($0.key) } },
      offices: .init { id, _ in Self.all.first { $0.id == id } })
  }

  static let migrations = [
    JobsSchema.migrations, AuditSchema.migrations, InboxSchema.migrations, InventorySchema.migrations,
    CatalogSchema.migrations, CensusSchema.migrations,
  ]

  static func with<T: Sendable>(
    _ engine: Engine, isolation: isolated (any Actor)? = #isolation, _ body: (Province) async throws -> T
  ) async throws -> T {
    try await withDatabase(engine, migrations) { db in try await body(Province(db: db)) }
  }

  static func office(_ number: Int, _ name: String, until: String? = nil) -> Organisation {
    Organisation(
      id: ID(trusted: "00000000-0000-7000-8000-00000000000\(number)"), name: name, shortName: name,
      creditCode: "11630000MB00000\(number)0\(number)", division: "63", classificationNode: nil,
      validFrom: CalendarDate("1950-01-01")!, validTo: until.flatMap { CalendarDate($0) })
  }

  static func person(of office: Organisation, _ name: String, _ permissions: Permission...) -> Principal {
    Principal(
      person: .make(at: start), name: name, organisation: office.id, organisationName: office.name,
      permissions: Set(permissions))
  }

  // MARK: Steps

  /// Puts resources in force, as the catalogue would have them.
  @discardableResult
  func publish(_ count: Int, of office: Organisation, node: String = "3070120330", from first: Int = 1) async throws
    -> [ResourceID]
  {
    try await db.write { tx in
      try (first..<first + count).map { number in
        let id = ResourceID.make(at: Self.start)
        let code =
          "\(node)\(office.id.text.suffix(1))/\(String(repeating: "0", count: 6 - String(number).count))\(number)"
        let name = "\(office.name)资源\(number)"
        try tx.run(
          """
          INSERT INTO catalog_resource (id, provider, code, latest, published, made_at)
          VALUES (\(id), \(office.id), \(code), 1, 1, \(Self.start))
          """)
        try tx.run(
          """
          INSERT INTO catalog_version (resource, version, state, provider, provider_name, provider_code, name, folded_name,
            classes, abstract, format, sharing_type, sharing_condition, method_class, method_type, open_type,
            open_condition, cycle, related, secrecy, level, revision, lists, changed_at)
          VALUES (\(id), 1, 'published', \(office.id), \(office.name), '', \(name), \(name), \(node), '', '0301', '1', '',
            '', '', '3', '', '7', '', '0', '2', 1, '', \(Self.start))
          """)
        return id
      }
    }
  }

  /// Opens a campaign for these offices and lays out its lines.
  func open(_ name: String = "2026 年普查", _ offices: Organisation...) async throws -> Campaign {
    let campaign = try await census.open(
      Self.chief,
      CampaignDraft(name: name, referenceDay: CalendarDate("2026-06-30")!, offices: offices.map(\.id)))
    try await census.prepare(campaign.id)
    return campaign
  }

  func owner(_ campaign: Campaign, _ office: Organisation) async throws -> CensusReturn {
    try #require(try await census.totals(Self.chief, campaign.id).returns.first { $0.office == office.id })
  }

  func state(_ id: CensusReturnID) async throws -> ReturnState {
    try await census.view(Self.chief, id).owner.state
  }

  func waiting(_ principal: Principal) async throws -> [String] {
    try await db.read { try Inbox.waiting(for: principal, in: $0).map(\.kind) }
  }
}

func six(
  _ storage: Int = 0, _ records: Int = 0, _ sharedStorage: Int = 0, _ sharedRecords: Int = 0, _ openStorage: Int = 0,
  _ openRecords: Int = 0
) -> SixQuantities {
  let values = [storage, records, sharedStorage, sharedRecords, openStorage, openRecords]
  return SixQuantities { values[Quantity.allCases.firstIndex(of: $0) ?? 0] }
}
