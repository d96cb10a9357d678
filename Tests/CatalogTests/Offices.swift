import Attachments
import Audit
import Connecting
import Identity
import Inbox
import Inventory
import Kernel
import Storage
import Synchronization
import TestKit

@testable import Catalog

/// Three offices, their people, a table to catalogue, and a clock moved by hand.
struct Offices: Sendable {
  static let start = Instant("2026-08-20T01:00:00Z")!

  static let commerce = office(1, "青海省工商行政管理局", node: "3070120302", until: "2018-10-25")
  static let market = office(2, "青海省市场监督管理局", node: nil)
  static let civilAffairs = office(3, "青海省民政厅", node: "3070120337")
  static let centre = office(4, "青海省政务信息中心", node: nil)
  static let all = [commerce, market, civilAffairs, centre]

  static let officer = person(of: market, "张三", .compileCatalog, .readCatalog, .readInventory, .manageInventory)
  static let otherOfficer = person(
    of: civilAffairs, "李四", .compileCatalog, .readCatalog, .readInventory, .manageInventory)
  static let operatorOfPlatform = person(of: centre, "王五", .reviewCatalog, .readCatalog, .readInventory)
  static let clerk = person(of: civilAffairs, "赵六", .readCatalog)

  let db: any Database
  let time = Hand(start)

  final class Hand: Sendable {
    private let now: Mutex<Instant>
    init(_ start: Instant) { now = Mutex(start) }
    var clock: Clock { Clock { self.now.withLock { $0 } } }
    func move(_ duration: Duration) { now.withLock { $0 = $0 + duration } }
  }

  var register: SystemRegister {
    SystemRegister(
      db: db, clock: time.clock, probe: .through(ConnectorCatalog([madeUp])),
      seal: .under(key: Array(repeating: 7, count: 32)), admission: .anywhere, organisation: Self.find)
  }

  var cataloguing: Cataloguing {
    Cataloguing(
      db: db, clock: time.clock, register: register,
      providers: Providers(
        organisation: Self.find,
        predecessors: { id, _ in id == Self.market.id ? [Self.commerce.id] : [] },
        successors: { id, _ in id == Self.commerce.id ? [Self.market.id] : [] },
        holders: { node, _ in Self.all.filter { $0.classificationNode == node } },
        coded: { code, _ in Self.all.first { $0.creditCode == code } },
        named: { name, _ in Self.all.filter { $0.name == name } },
        standing: { day, _ in Self.all.filter { $0.stands(on: day) } }))
  }

  /// As a database was before the catalogue's step of this number.
  static func migrations(before step: String) -> [Migrations] {
    let earlier = CatalogSchema.migrations.steps.prefix { !$0.name.hasPrefix(step) }
      .reduce(Migrations("catalog")) { $0.adding($1.name, sqlite: $1.sqlite, postgres: $1.postgres) }
    return migrations.map { $0.context == "catalog" ? earlier : $0 }
  }

  /// Of every version there is.
  static func items(in tx: any Transaction) throws -> [Item] {
    try tx.rows("SELECT items FROM catalog_version").flatMap { try ItemDocument.items(try $0.text("items")) }
  }

  static let migrations = [
    AuditSchema.migrations, InboxSchema.migrations, InventorySchema.migrations, AttachmentSchema.migrations,
    CatalogSchema.migrations,
  ]

  static func with<T: Sendable>(_ engine: Engine, _ body: (Offices) async throws -> T) async throws -> T {
    try await withDatabase(engine, migrations) { db in try await body(Offices(db: db)) }
  }

  static let find: @Sendable (OrganisationID, any Transaction) throws -> Organisation? = { id, _ in
    all.first { $0.id == id }
  }

  static func office(_ number: Int, _ name: String, node: String?, until: String? = nil) -> Organisation {
    Organisation(
      id: ID(trusted: "00000000-0000-7000-8000-00000000000\(number)"), name: name, shortName: name,
      creditCode: try! CreditCode.make(
        department: "1", category: "1", division: "630000", organisation: "0150000\(number)"
      ).text,
      division: "63", classificationNode: node, validFrom: CalendarDate("1950-01-01")!,
      validTo: until.flatMap { CalendarDate($0) })
  }

  static func person(of office: Organisation, _ name: String, _ permissions: Permission...) -> Principal {
    Principal(
      person: .make(at: start), name: name, organisation: office.id, organisationName: office.name,
      permissions: Set(permissions))
  }

  // MARK: Steps of the journey

  /// A system of the market office with one source.
  func source() async throws -> DataSource {
    let system = try await register.register(Self.officer, systemFacts)
    return try await register.addSource(
      Self.officer, system.id, SourceDraft(name: "登记库", kind: "made-up", settings: [:]))
  }

  /// A draft from the made-up table with everything filled in that only people know.
  func completeDraft(_ name: String = "企业法人登记信息") async throws -> Resource {
    let source = try await source()
    let draft = try await cataloguing.draft(Self.officer, from: source.id, table: TableName("legal_person"))
    return try await cataloguing.edit(Self.officer, draft.id, from: 1, .init(metadata: complete(draft.metadata, name)))
      .resource
  }

  func published(_ name: String = "企业法人登记信息", in classes: [String]? = nil) async throws -> Resource {
    var draft = try await completeDraft(name)
    if let classes {
      draft.metadata.classes = classes
      draft = try await cataloguing.edit(Self.officer, draft.id, from: draft.revision, .init(metadata: draft.metadata))
        .resource
    }
    _ = try await cataloguing.submit(Self.officer, draft.id)
    return try await cataloguing.decide(Self.operatorOfPlatform, draft.id, .approve(publish: true))
  }
}

let systemFacts = SystemFacts(
  name: "企业登记系统", function: "企业登记与公示", scope: "2", frequency: "1", approvedBy: "省发展改革委",
  approvedOn: CalendarDate("2015-03-02"), fundSource: "财政资金", network: "2", stage: "4")

func complete(_ metadata: Metadata, _ name: String) -> Metadata {
  var metadata = metadata
  metadata.name = name
  metadata.abstract = "全省企业法人的登记事项，来自企业登记系统，每日更新。"
  metadata.sharingType = "2"
  metadata.sharingCondition = "用于依法履行职责时核对企业身份。"
  metadata.openType = "3"
  metadata.cycle = "7"
  return metadata
}
