import Audit
import Connecting
import Foundation
import Identity
import Inventory
import Kernel
import Storage
import TestKit
import Testing

let now = Instant("2026-08-20T01:00:00Z")!

func organisation(_ digit: Int, _ name: String) -> Organisation {
  Organisation(
    id: ID(trusted: "00000000-0000-7000-8000-00000000000\(digit)"), name: name, shortName: name,
    creditCode: "11630000015000000X", division: "63", classificationNode: nil, validFrom: CalendarDate("2018-10-25")!,
    validTo: nil)
}

let market = organisation(1, "青海省市场监督管理局")
let civilAffairs = organisation(2, "青海省民政厅")

func person(of office: Organisation, _ permissions: Permission...) -> Principal {
  Principal(
    person: .make(at: now), name: "张三", organisation: office.id, organisationName: office.name,
    permissions: Set(permissions))
}

let manager = person(of: market, .readInventory, .manageInventory)
let foreigner = person(of: civilAffairs, .readInventory, .manageInventory)

/// A made-up connector that remembers nothing and answers by its settings.
struct FakeConnector: Connector {
  var settings: [String: String]
  var guarantee: ConnectorGuarantee {
    ConnectorGuarantee(
      promise: Text("测试", "test"), overlap: .seconds(0), limits: [], readsIncrementally: false, writes: false)
  }
  func probe() throws(ConnectorError) -> ConnectorProbe {
    guard settings["password"] == "right" else {
      throw ConnectorError(.permanent, "fake.password", Text("口令错误。", "Wrong password."))
    }
    return ConnectorProbe(product: "Fake 1.0", isProtected: true, isReadOnly: true)
  }
  func tables() throws(ConnectorError) -> [TableSummary] { [TableSummary(name: TableName("legal_person"))] }
  func describe(_ table: TableName) throws(ConnectorError) -> TableDescription {
    throw .contract("table-missing", "没有这张表。", "There is no such table.")
  }
  func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    throw ConnectorError(.permanent, "fake.reader", Text("不能读取。", "Cannot read."))
  }
}

let connectors = ConnectorCatalog([
  ConnectorKind(
    name: "fake", title: Text("测试库", "Fake"),
    settings: [
      .init("file", Text("文件", "file")), .init("user", Text("用户", "user"), required: false),
      .init("password", Text("口令", "password"), secret: true),
      .init("key", Text("私钥", "key"), secret: true, required: false).long,
    ], guarantee: FakeConnector(settings: [:]).guarantee
  ) { settings in FakeConnector(settings: settings) }
])

func register(_ db: any Database, admission: SourceAdmission = .anywhere) -> SystemRegister {
  SystemRegister(
    db: db, clock: Clock { now }, probe: .through(connectors), seal: .under(key: Array(repeating: 7, count: 32)),
    admission: admission,
    organisation: { id, _ in [market, civilAffairs].first { $0.id == id } })
}

func facts(_ name: String = "企业登记系统") -> SystemFacts {
  SystemFacts(
    name: name, function: "企业、个体工商户登记与公示", scope: "2", frequency: "1", approvedBy: "青海省发展和改革委员会",
    approvedOn: CalendarDate("2015-03-02"), fundSource: "财政资金", network: "2", stage: "4")
}

func facts(_ spoil: (inout SystemFacts) -> Void) -> SystemFacts {
  var changed: SystemFacts = facts()
  spoil(&changed)
  return changed
}

func source(_ settings: [String: String] = ["file": "/srv/register.db", "password": "right"]) -> SourceDraft {
  SourceDraft(name: "企业登记库", kind: "fake", settings: settings)
}

let migrations = [AuditSchema.migrations, InventorySchema.migrations]

@Suite struct `Information systems` {
  @Test(arguments: Engine.allCases)
  func `a registered system has its number, is found and is recorded`(engine: Engine) async throws {
    try await withDatabase(engine, migrations) { db in
      let first = try await register(db).register(manager, facts())
      let second = try await register(db).register(manager, facts("年报公示系统"))
      #expect(first.number == "XT63-000001")
      #expect(second.number == "XT63-000002")
      let read = try await register(db).system(manager, first.id)
      #expect(read.system == first)
      for (words, expected) in [
        ("", 2), ("企业登记系统", 1), ("年报 公示", 1), ("公示", 2), ("xt63-000002", 1), ("ＸＴ６３", 2), ("民政", 0), ("100%", 0),
      ] {
        #expect(try await register(db).list(manager, words: words).systems.count == expected, "\(words)")
      }
      let actions = try await db.read { tx in
        try tx.rows("SELECT action FROM audit_record ORDER BY id").map { try $0.text("action") }
      }
      #expect(actions == ["inventory.system.register", "inventory.system.register"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `pages of the list follow each other without gap or repeat`(engine: Engine) async throws {
    try await withDatabase(engine, migrations) { db in
      for number in 0..<25 { _ = try await register(db).register(manager, facts("系统\(number)")) }
      var seen: [SystemID] = []
      var after: String?
      repeat {
        let page = try await register(db).list(manager, after: after, limit: 10)
        seen += page.systems.map(\.id)
        after = page.next
      } while after != nil
      #expect(seen.count == 25)
      #expect(Set(seen).count == 25)
      await #expect(throws: Refusal.self) { try await register(db).list(manager, after: "x'; DROP") }
    }
  }

  @Test(arguments: Engine.allCases)
  func `an edit from an old form, a taken name and another's system are refused`(engine: Engine) async throws {
    try await withDatabase(engine, migrations) { db in
      let system = try await register(db).register(manager, facts())
      _ = try await register(db).register(manager, facts("年报系统"))
      let edited = try await register(db).edit(manager, system.id, from: 1, facts("企业登记管理系统"))
      #expect(edited.revision == 2)
      let old = await #expect(throws: Refusal.self) {
        try await register(db).edit(manager, system.id, from: 1, facts("别的"))
      }
      #expect(old?.code == "inventory.system.changed")
      let taken = await #expect(throws: Refusal.self) {
        try await register(db).edit(manager, system.id, from: 2, facts("年报系统"))
      }
      #expect(taken?.faults.first?.field == "name")
      let foreign = await #expect(throws: Refusal.self) {
        try await register(db).edit(foreigner, system.id, from: 2, facts("别的"))
      }
      #expect(foreign?.kind == .forbidden)
      #expect(try await register(db).system(manager, system.id).system == edited)
    }
  }

  @Test(arguments: [
    ("name", facts { $0.name = "" }), ("name", facts { $0.name = String(repeating: "长", count: 65) }),
    ("name", facts { $0.name = "a\u{0}b" }), ("function", facts { $0.function = "" }),
    ("scope", facts { $0.scope = "9" }), ("frequency", facts { $0.frequency = "" }),
    ("approvedBy", facts { $0.approvedBy = "" }), ("approvedOn", facts { $0.approvedOn = nil }),
    ("approvedOn", facts { $0.approvedOn = CalendarDate("2026-08-21") }),
    ("fundSource", facts { $0.fundSource = "" }), ("network", facts { $0.network = "电子政务外网" }),
    ("stage", facts { $0.stage = "0" }),
  ])
  func `each fact that is missing or impossible is named`(field: String, wrong: SystemFacts) {
    #expect(wrong.faults(lists: .embedded, on: now.dateInChina).map(\.field) == [field])
    #expect(facts().faults(lists: .embedded, on: now.dateInChina).isEmpty)
  }
}

@Suite struct `Data sources` {
  @Test(arguments: Engine.allCases)
  func `a secret is sealed, opens for its own source only and is never shown`(engine: Engine) async throws {
    try await withDatabase(engine, migrations) { db in
      let system = try await register(db).register(manager, facts())
      let made = try await register(db).addSource(manager, system.id, source())
      let read = try #require(try await register(db).system(manager, system.id).sources.first)
      #expect(read.settings == ["file": "/srv/register.db"])
      #expect(read.secrets == ["password"])
      #expect(read == made)
      #expect(!"\(read)".contains("right"))
      let kept = try await db.read { tx in
        try tx.rows("SELECT sealed FROM inventory_source_setting WHERE sealed IS NOT NULL").map {
          try $0.blob("sealed")
        }
      }
      #expect(kept.count == 1)
      #expect(!String(decoding: kept[0], as: UTF8.self).contains("right"))
      let seal = SourceSeal.under(key: Array(repeating: 7, count: 32))
      let opened = try await db.read { tx in try InventoryStore.address(of: made.id, seal: seal, in: tx) }
      #expect(opened?.address.settings["password"] == "right")
      #expect(!"\(try #require(opened).address)".contains("right"))
      #expect(throws: (any Error).self) { try seal.open(kept[0], "another/password") }
      #expect(throws: (any Error).self) {
        try SourceSeal.under(key: Array(repeating: 8, count: 32)).open(kept[0], "\(made.id)/password")
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a probe says what answered or why not, and changing a password keeps the rest`(engine: Engine) async throws {
    try await withDatabase(engine, migrations) { db in
      let system = try await register(db).register(manager, facts())
      let made = try await register(db).addSource(
        manager, system.id, source(["file": "/srv/a.db", "password": "wrong"]))
      let bad = try await register(db).probe(manager, made.id)
      #expect(bad.product == nil)
      #expect(bad.failure == Text("口令错误。", "Wrong password."))
      func kept() async throws -> Text? {
        try await register(db).system(manager, system.id).sources.first?.lastProbe?.failure
      }
      #expect(try await kept() == bad.failure)
      // As it was kept before it was kept in two languages.
      try await db.write { _ = try $0.run("UPDATE inventory_source SET failure = 'permanent fake.password: Wrong'") }
      #expect(try await kept() == Text(same: "permanent fake.password: Wrong"))
      _ = try await register(db).editSource(manager, made.id, source(["file": "/srv/a.db", "password": "right"]))
      let good = try await register(db).probe(manager, made.id)
      #expect(good.product == "Fake 1.0")
      // A blank secret stays what it was.
      let renamed = try await register(db).editSource(manager, made.id, source(["file": "/srv/b.db"]))
      #expect(renamed.secrets == ["password"])
      #expect(renamed.lastProbe == nil)
      #expect(try await register(db).probe(manager, made.id).product == "Fake 1.0")
      #expect(try await register(db).tables(manager, made.id).tables.map(\.name.name) == ["legal_person"])
      let missing = await #expect(throws: Refusal.self) {
        try await register(db).describe(manager, made.id, TableName("x"))
      }
      #expect(missing?.code == "contract.table-missing")
    }
  }

  @Test(arguments: Engine.allCases)
  func `another department neither sees nor uses a source`(engine: Engine) async throws {
    try await withDatabase(engine, migrations) { db in
      let system = try await register(db).register(manager, facts())
      let made = try await register(db).addSource(manager, system.id, source())
      #expect(try await register(db).system(foreigner, system.id).sources.isEmpty)
      await #expect(throws: Refusal.self) { try await register(db).probe(foreigner, made.id) }
      await #expect(throws: Refusal.self) { try await register(db).tables(foreigner, made.id) }
      await #expect(throws: Refusal.self) { try await register(db).editSource(foreigner, made.id, source()) }
      await #expect(throws: Refusal.self) { try await register(db).addSource(foreigner, system.id, source()) }
      let clerk = person(of: market, .readInventory)
      await #expect(throws: Refusal.self) { try await register(db).probe(clerk, made.id) }
    }
  }

  @Test(arguments: [
    (["file": "/srv/a.db"], ["setting.password"]),
    (["password": "x"], ["setting.file"]),
    (["file": "/srv/a.db", "password": "x", "port": "1"], ["setting.port"]),
    (["file": "postgres://u@h/db?sslmode=require", "password": "x"], []),
    (["file": "a\nb", "password": "x"], ["setting.file"]),
    (["file": String(repeating: "a", count: 1001), "password": "x"], ["setting.file"]),
    (["file": "/srv/a.db", "password": "x"], []),
    // A key has lines, and is longer than what fits into one.
    (["file": "/srv/a.db", "password": "x", "key": "-----BEGIN\n" + String(repeating: "a", count: 3000)], []),
    (["file": "/srv/a.db", "password": "x", "key": String(repeating: "a", count: 16_385)], ["setting.key"]),
    (["file": "/srv/a.db", "password": "x", "key": "a\u{0}b"], ["setting.key"]),
    (["file": "/srv/a\n.db", "password": "x"], ["setting.file"]),
  ])
  func `each wrong setting is named`(settings: [String: String], fields: [String]) {
    let faults = source(settings).faults(kind: connectors.kind("fake"), kept: [], admission: .anywhere, owner: "OWN")
    #expect(faults.map(\.field) == fields)
    #expect(!"\(faults)".contains("geheim"))
  }

  @Test(arguments: [
    ("/srv/data/OWN/a.db", true), ("/srv/data/OWN/deep/a.db", true), ("/srv/data/OWN", false),
    ("/srv/data/OWN/", false),
    ("/srv/data/OWN/../secret.db", false), ("/srv/data/OWN/./a.db", false), ("/srv/database.db", false),
    ("/srv/data/OTHER/a.db", false), ("/srv/data/a.db", false), ("/etc/passwd", false), ("a.db", false),
  ])
  func `files lie in the owner's folder among those that the node permits`(path: String, permitted: Bool) {
    let admission = SourceAdmission.files(under: ["/srv/data"])
    #expect(admission.faults(["file": path], "OWN").isEmpty == permitted)
  }

  @Test(arguments: [
    ("list", "/data/list", true), ("total", "/total", true), ("pointer", "/next", true), ("password", "/etc/x9", true),
    ("secret", "/a+b=", true), ("host", "/run/postgresql", true), ("database", "/etc/passwd", false),
    ("anything", "/etc/passwd", false), ("folder", "data/list", false),
  ])
  func `what begins with a slash is a path, but for places in an answer and what is secret`(
    name: String, value: String, permitted: Bool
  ) {
    #expect(SourceAdmission.files(under: ["/srv/data"]).faults([name: value], "OWN").isEmpty == permitted)
  }

  @Test func `a link out of the owner's folder is followed before it is judged`() async throws {
    try await withTemporaryFolder { folder in
      let files = FileManager.default
      for name in ["OWN", "OTHER"] {
        try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: false)
      }
      try Data().write(to: URL(fileURLWithPath: folder + "/OTHER/a.db"))
      try Data().write(to: URL(fileURLWithPath: folder + "/OWN/b.db"))
      try files.createSymbolicLink(atPath: folder + "/OWN/link.db", withDestinationPath: folder + "/OTHER/a.db")
      try files.createSymbolicLink(atPath: folder + "/OWN/door", withDestinationPath: folder + "/OTHER")
      try files.createSymbolicLink(atPath: folder + "/OWN/inner.db", withDestinationPath: folder + "/OWN/b.db")
      let admission = SourceAdmission.files(under: [folder])
      for (name, permitted) in [
        ("b.db", true), ("inner.db", true), ("not-yet.db", true), ("link.db", false), ("door/a.db", false),
        ("door/not-yet.db", false),
      ] { #expect(admission.faults(["path": "\(folder)/OWN/\(name)"], "OWN").isEmpty == permitted, "\(name)") }
    }
  }
}

@Suite struct `Code lists` {
  @Test func `every list has both languages and no code twice`() {
    let lists = CodeLists.embedded
    for name in [
      "format", "format-class", "item-type", "cycle", "sharing-type", "method-class", "method-type", "open-type",
      "secrecy", "level", "grade", "semantic", "network", "stage", "frequency", "scope",
    ] {
      let list = lists[name]
      #expect(!list.entries.isEmpty, "\(name)")
      #expect(Set(list.entries.map(\.code)).count == list.entries.count)
      #expect(list.entries.allSatisfy { !$0.name.chinese.isEmpty && !$0.name.english.isEmpty })
    }
    #expect(lists.formats.entries.allSatisfy { lists.formatClasses[String($0.code.prefix(2))] != nil })
  }

  @Test func `a code is offered only while it is valid but always has its name`() throws {
    let lists = try CodeLists(
      version: "t",
      text: """
        list,code,chinese,english,value,valid_from,valid_to
        cycle,1,旧,Old,,2000-01-01,2010-01-01
        cycle,2,新,New,,2010-01-01,
        """)
    #expect(lists.cycles.offered(on: CalendarDate("2009-12-31")!).map(\.code) == ["1"])
    #expect(lists.cycles.offered(on: CalendarDate("2010-01-01")!).map(\.code) == ["2"])
    #expect(lists.cycles.text("1") == Text("旧", "Old"))
    #expect(lists.cycles.text("9") == Text(same: "9"))
    #expect(!lists["no-such-list"].permits("1", on: CalendarDate("2010-01-01")!))
  }
}
