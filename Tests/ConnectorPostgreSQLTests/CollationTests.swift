import Connecting
import Kernel
import TestKit
import Testing

@testable import ConnectorPostgreSQL

/// Keys whose collation takes texts of different bytes for equal.
@Suite struct CollationTests {
  private let address: PostgreSQLAddress

  init() throws {
    let server = try PostgresServer.shared.get()
    address = PostgreSQLAddress(address: server.address(of: try server.makeDatabase()))
    try run("CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
  }

  private func run(_ sql: String) throws {
    try PostgreSQLConnection(address).run("SET search_path = public; " + sql)
  }

  /// Read one row a batch, going on in a new reader behind each.
  private func readAll(_ plan: ReadPlan) throws -> [[RowField]] {
    var (found, plan, after): ([[RowField]], ReadPlan, [UInt8]?) = ([], plan, nil)
    let batch = RowBatch(capacity: 1)
    while true {
      plan.range = .full(after: after)
      let reader = try PostgreSQLConnector(address).openReader(plan)
      defer { reader.close() }
      guard try reader.read(into: batch) == .rows else { return found }
      for row in 0..<batch.rowCount { found.append(batch.fields(row)) }
      after = reader.position
    }
  }

  private static let spellings = ["a", "A", "b", "B", "á", "straße", "STRASSE", "k 1", "K 1"]

  @Test func `are read in one order of their bytes, none passed over where a reading goes on`() throws {
    try run(
      """
      CREATE TABLE t (k text COLLATE ci NOT NULL, n int, v int); CREATE UNIQUE INDEX ON t (k COLLATE "C");
      INSERT INTO t SELECT k, 1, i FROM unnest(ARRAY[\(Self.spellings.map { "'\($0)'" }.joined(separator: ", "))])
        WITH ORDINALITY AS s (k, i)
      """)
    let plan = ReadPlan(
      table: TableName("t"), columns: [.init("v", .integer), .init("k", .text), .init("n", .integer)], key: [1])
    #expect(Set(try readAll(plan)).count == Self.spellings.count)
    var both = plan
    both.key = [2, 1]
    try run("UPDATE t SET n = v % 2; ALTER TABLE t ALTER COLUMN n SET NOT NULL")
    let rows = try readAll(both)
    #expect(rows.count == Self.spellings.count && Set(rows).count == rows.count)
  }

  @Test func `are cut into parts that together are all of them`() throws {
    try run(
      """
      CREATE TABLE t (k text COLLATE ci NOT NULL, v int); CREATE UNIQUE INDEX ON t (k COLLATE "C");
      INSERT INTO t SELECT CASE WHEN i % 2 = 0 THEN 'k' ELSE 'K' END || lpad((i / 2)::text, 6, '0'), i FROM generate_series(0, 19999) i
      """)
    let plan = ReadPlan(table: TableName("t"), columns: [.init("k", .text), .init("v", .integer)], key: [0])
    let cuts = try PostgreSQLConnector(address).cut(plan, into: 4)
    #expect(cuts.count == 3)
    var count = 0
    for (after, through) in zip([nil] + cuts.map { Optional($0) }, cuts.map { Optional($0) } + [nil]) {
      var part = plan
      (part.range, part.through) = (.full(after: after), through)
      let reader = try PostgreSQLConnector(address).openReader(part)
      defer { reader.close() }
      let batch = RowBatch()
      while try reader.read(into: batch) != .end { count += batch.rowCount }
    }
    #expect(count == 20_000)
  }

  @Test func `in documents of JSON are read by what is written`() throws {
    try run("CREATE TABLE t (k jsonb NOT NULL, v int); INSERT INTO t VALUES ('1.0', 1), ('1.00', 2), ('{\"a\": 1}', 3)")
    let plan = ReadPlan(table: TableName("t"), columns: [.init("k", .text), .init("v", .integer)], key: [0])
    #expect(try readAll(plan).count == 3)
  }

  @Test func `of a target's are refused when it is prepared`() throws {
    try run(
      """
      CREATE TABLE t (k varchar(10) COLLATE ci PRIMARY KEY, v text, sj_batch bigint NOT NULL, sj_stale_batch bigint,
        sj_stale_since timestamptz)
      """)
    let plan = WritePlan(
      table: TableName("t"), columns: [.init("k", .text, length: 10), .init("v", .text)], key: [0], stream: "g",
      run: "r", fence: 1)
    let writer = try PostgreSQLConnector(address).openWriter(plan)
    #expect { try writer.open() } throws: { error in
      guard let error = error as? ConnectorError else { return false }
      return error.code == "contract.target-column-collation" && error.message.chinese.contains("“k”")
    }
    writer.close()
    // One that orders otherwise, and tells all bytes apart, is as good as the default.
    try run("ALTER TABLE t ALTER COLUMN k TYPE varchar(10) COLLATE \"C\"")
    let again = try PostgreSQLConnector(address).openWriter(plan)
    defer { again.close() }
    #expect(try again.open() == nil)
  }
}
