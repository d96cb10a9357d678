import Connecting
import Kernel
import Testing

@testable import Transfer

/// Values of every type, keys of every order, on every product.
@Suite struct ReconciliationValueTests {
  /// A column, what stands in it, and another value that is nearly that.
  private static let columns: [(name: String, type: ValueType, value: String, near: String)] = [
    ("t", .text, "'青海 '", "'青海'"), ("e", .text, "''", "NULL"), ("c", .text, "'Abc'", "'abc'"),
    ("i", .integer, "-9223372036854775807", "-9223372036854775806"),
    ("d", .decimal(precision: 30, scale: 6), "'123456789012345678.000100'", "'123456789012345678.000101'"),
    ("f", .double, "0.1", "0.10000000000000002"), ("g", .double, "1e-300", "-1e-300"), ("z", .double, "0.0", "5e-324"),
    ("w", .boolean, "TRUE", "FALSE"), ("day", .date, "'0001-01-01'", "'0001-01-02'"),
    ("at", .timestamp, "'1899-12-31 23:59:59.999999+00'", "'1899-12-31 23:59:59.999998+00'"),
    ("raw", .bytes, "X'00FF'", "X'00FE'"), ("n", .bytes, "NULL", "X''"),
  ]

  private func written(_ literal: String, _ type: ValueType, _ product: Product) -> String {
    type == .bytes && product == .postgresql && literal != "NULL"
      ? "'\\x\(literal.dropFirst(2).dropLast())'" : literal
  }

  @Test(arguments: Way.all) func `a value that somebody changed in the target is found, whatever its type`(way: Way)
    async throws
  {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    let names = Self.columns.map(\.name).joined(separator: ", ")
    let types = Self.columns.map { "\($0.name) \(source.type($0.type))" }.joined(separator: ", ")
    let values = Self.columns.map { written($0.value, $0.type, way.from) }.joined(separator: ", ")
    try source.run(
      "CREATE TABLE person (id \(source.type(.text, 20)) PRIMARY KEY, \(types), longest \(source.type(.text)))")
    // A text of its own for each row, some longer than a batch.
    let long = (0..<20_000).map { "第\($0)行" }.joined()
    for index in Self.columns.indices {
      try source.run("INSERT INTO person (id, \(names), longest) VALUES ('k\(index)', \(values), '\(index)\(long)')")
    }
    try source.run("INSERT INTO person (id) VALUES ('空')")
    var ours = Reconciled()
    ours.grant.items =
      [ItemContract("id", .text, length: 20)] + Self.columns.map { ItemContract($0.name, $0.type) }
      + [ItemContract("longest", .text)]
    ours.grant.cursor = nil
    let outcome = try await ours.deliver(from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == Self.columns.count + 1)
    let equal = try await ours.compare(source, target)
    #expect(equal.agrees && equal.sourceSum == outcome.provider.rowSum && equal.targetSum == equal.sourceSum)
    for (index, column) in Self.columns.enumerated() {
      let near = written(column.near, column.type, way.to)
      try target.run("UPDATE person SET \(column.name) = \(near) WHERE id = 'k\(index)'")
      let report = try await ours.compare(source, target)
      #expect(report.counts == .init(different: index + 1), "\(column.name)")
      #expect(report.ranges.contains { $0.last == ["k\(index)"] || $0.first == ["k\(index)"] }, "\(column.name)")
    }
    try await ours.expectRepair(source, target)
    // The last character of a long text; and nothing where there was nothing.
    try target.run("UPDATE person SET longest = '0\(long.dropLast())列' WHERE id = 'k0'")
    try target.run("UPDATE person SET t = '' WHERE id = '空'")
    #expect(try await ours.compare(source, target).summary == "-0 +0 ≠2 [k0 空]")
  }

  @Test(arguments: ["'infinity'::date", "'2026-01-01 BC'::date"]) func `a value that cannot be is one that differs`(
    value: String
  ) async throws {
    let (source, target, ours) = (try Stand(.sqlite), try Stand(.postgresql), Reconciled())
    try source.makePersons()
    try source.insert(Person.many(1...20))
    try await ours.deliver(from: source, to: target)
    try target.run("UPDATE person SET born = \(value) WHERE id = 13")
    try target.run("UPDATE person SET born = \(value), sj_stale_batch = 1 WHERE id = 14")
    let report = try await ours.compare(source, target)
    #expect(report.summary == "-0 +0 ≠2 [13…14]" && report.targetRows == 19 && report.stale == 1)
    try await ours.expectRepair(source, target)
  }

  /// How the two sides put their keys in order.
  @Test(arguments: Way.all) func `keys in another order on the other side make no difference`(way: Way) async throws {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    let collation =
      switch way.from {
      case .postgresql: "varchar(40) COLLATE \"zh-x-icu\""
      case .sqlite: "VARCHAR(40) COLLATE NOCASE"
      case .mariadb: "varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
      }
    try source.run(
      "CREATE TABLE person (id \(collation), part \(source.type(.integer)), name \(source.type(.text)), PRIMARY KEY (id, part))"
    )
    var keys = ["b", "A", "c", "Z", "_", "10", "9", "é", "张三", "李四", "阿", "𠮷", "ཀ", "Σ", "ß", "a b", "a-b", "~"]
    keys += (0..<2000).map { "\(["x", "Y", "赵", "钱"][$0 % 4])\(($0 * 7919) % 2000)" }
    for start in stride(from: 0, to: keys.count, by: 500) {
      let rows = keys[start..<min(start + 500, keys.count)].map { "('\($0)', \($0.utf8.count % 3 - 1), '名\($0)')" }
      try source.run("INSERT INTO person VALUES \(rows.joined(separator: ", "))")
    }
    var ours = Reconciled()
    // The key stands neither first nor in its own order.
    ours.grant.items = [
      ItemContract("name", .text), ItemContract("part", .integer), ItemContract("id", .text, length: 40),
    ]
    (ours.grant.key, ours.grant.cursor) = (["id", "part"], nil)
    let outcome = try await ours.deliver(from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == keys.count)
    #expect(try await ours.compare(source, target).agrees)
    try target.run("UPDATE person SET name = '改' WHERE id IN ('A', '张三', '𠮷')")
    try target.run("DELETE FROM person WHERE id = '~'")
    let report = try await ours.compare(source, target)
    #expect(report.counts == .init(missing: 1, different: 3) && report.isComplete)
    // By code points and then by number, on every machine.
    #expect(report.ranges.map(\.first) == [["A", "0"], ["~", "0"], ["张三", "-1"], ["𠮷", "0"]])
  }

  @Test(arguments: [
    (ValueType.decimal(precision: 12, scale: 3), "numeric", "17.5"), (.double, "double precision", "-0"),
    (.date, "date", "2026-01-01"), (.boolean, "boolean", "true"), (.timestamp, "timestamptz", "2026-01-01 00:00:00+00"),
    (.text, "char(8)", "甲"), (.bytes, "bytea", "x"),
  ])
  func `a bad row is found by its key however the source spells it`(type: ValueType, native: String, key: String)
    async throws
  {
    let (source, target) = (try Stand(.postgresql), try Stand(.postgresql))
    try source.run("CREATE TABLE person (id \(native) PRIMARY KEY, name text, changed timestamptz)")
    try source.run("INSERT INTO person VALUES ('\(key)', '甲', '2026-08-22 09:00:00+00')")
    var ours = Reconciled()
    ours.grant.items = [ItemContract("id", type), ItemContract("name", .text, length: 3)]
    #expect(try await ours.deliver(from: source, to: target).disagreement == nil)
    try source.run("UPDATE person SET name = '太长的名字', changed = '2026-08-22 10:00:00+00'")
    try await ours.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    let report = try await ours.compare(source, target)
    #expect(report.agrees && report.bad == 1 && report.stale == 1, "\(report)")
    try target.run("UPDATE person SET sj_stale_batch = NULL")
    #expect(try await ours.compare(source, target).counts == .init(different: 1))
  }

  @Test func `tables in schemas are found there`() async throws {
    let (source, target, ours) = (try Stand(.postgresql), try Stand(.postgresql), Reconciled())
    for stand in [source, target] { try stand.run("CREATE SCHEMA \"省 库\"") }
    try source.run("CREATE TABLE \"省 库\".\"人员 表\" (id bigint PRIMARY KEY, name text, capital numeric(18,2), born date)")
    try source.run("INSERT INTO \"省 库\".\"人员 表\" (id, name) SELECT i, 'n' || i FROM generate_series(1, 500) i")
    var plan = ours.plan()
    (plan.cursor, plan.source) = (nil, TableName(schema: "省 库", "人员 表"))
    plan.target = TableName(schema: "省 库", "收")
    let control = DeliveryControl(quarantine: { _ in })
    _ = try await Delivery(plan, control: control).run(from: source.connector, to: target.connector)
    let reconciliation = try Reconciliation(plan, control: control)
    #expect(try await reconciliation.run(from: source.connector, to: target.connector).agrees)
    try target.run("DELETE FROM \"省 库\".\"收\" WHERE id BETWEEN 5 AND 6")
    #expect(
      try await reconciliation.run(from: source.connector, to: target.connector).summary == "-2 +0 ≠0 [5…6]")
  }
}
