import Connecting
import TestKit
import Testing

@testable import ConnectorPostgreSQL

/// Where PostgreSQL's tables are cut, beyond what every connector's conformance says.
@Suite struct CutTests {
  private let address: PostgreSQLAddress

  init() throws {
    let server = try PostgresServer.shared.get()
    address = PostgreSQLAddress(address: server.address(of: try server.makeDatabase()))
  }

  private func run(_ sql: String) throws {
    try PostgreSQLConnection(address).run("SET search_path = public; " + sql)
  }

  /// How many rows each part has.
  private func parts(_ plan: ReadPlan, into count: Int) throws -> [Int] {
    let cuts = try PostgreSQLConnector(address).cut(plan, into: count)
    var rows: [Int] = []
    for (after, through) in zip([nil] + cuts.map { Optional($0) }, cuts.map { Optional($0) } + [nil]) {
      var part = plan
      (part.range, part.through) = (.full(after: after), through)
      let reader = try PostgreSQLReader(part, address)
      defer { reader.close() }
      let batch = RowBatch()
      var found = 0
      while try reader.read(into: batch) != .end { found += batch.rowCount }
      rows.append(found)
    }
    return rows
  }

  @Test(arguments: [
    "i", "i::int8 * i", "hashint8(i)::int8 * 100000 + i", "CASE WHEN i < 150000 THEN i ELSE i::int8 * 1000000 END",
  ])
  func `a table of many pages is cut in even parts by a few of them, however its keys lie`(key: String) throws {
    try run(
      "CREATE TABLE t (k bigint PRIMARY KEY, v text); INSERT INTO t SELECT \(key), repeat('x', 60) FROM generate_series(1, 200000) i"
    )
    let plan = ReadPlan(table: TableName("t"), columns: [.init("v", .text), .init("k", .integer)], key: [1])
    for count in [2, 5] {
      let rows = try parts(plan, into: count)
      #expect(rows.count == count && rows.reduce(0, +) == 200_000)
      for part in rows { #expect(abs(part * count - 200_000) < 40_000, "\(rows)") }
    }
  }

  @Test func `a partitioned table is cut as one, and one with few rows on many pages too`() throws {
    try run(
      """
      CREATE TABLE t (k text, n bigint, PRIMARY KEY (k, n)) PARTITION BY HASH (k);
      CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      INSERT INTO t SELECT 'k' || i % 9, i FROM generate_series(1, 60000) i;
      CREATE TABLE s (k bigint PRIMARY KEY, v text); INSERT INTO s SELECT i, repeat('x', 700) FROM generate_series(1, 60000) i;
      DELETE FROM s WHERE k % 100 > 0; VACUUM s
      """.replacing("; VACUUM s", with: ""))
    let whole = ReadPlan(table: TableName("t"), columns: [.init("k", .text), .init("n", .integer)], key: [0, 1])
    let rows = try parts(whole, into: 3)
    #expect(rows.count == 3 && rows.reduce(0, +) == 60_000 && rows.allSatisfy { (14_000...26_000).contains($0) })
    let sparse = try parts(ReadPlan(table: TableName("s"), columns: [.init("k", .integer)], key: [0]), into: 3)
    #expect(sparse.count == 3 && sparse.reduce(0, +) == 600 && sparse.allSatisfy { (150...250).contains($0) })
  }

  @Test func `a view is not cut, and infinite keys part a table as others do`() throws {
    try run(
      """
      CREATE TABLE t (d date PRIMARY KEY); INSERT INTO t VALUES ('infinity'), ('-infinity'), ('2026-01-01');
      CREATE VIEW v AS SELECT * FROM t
      """)
    func plan(_ name: String) -> ReadPlan {
      ReadPlan(table: TableName(name), columns: [.init("d", .date)], key: [0])
    }
    #expect(try PostgreSQLConnector(address).cut(plan("v"), into: 2) == [])
    let cuts = try PostgreSQLConnector(address).cut(plan("t"), into: 3)
    #expect(cuts.count == 2)
    #expect(try parts(plan("t"), into: 3) == [1, 1, 1])
  }
}
