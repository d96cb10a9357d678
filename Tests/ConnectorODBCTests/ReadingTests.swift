import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorODBC

@Suite struct ReadingTests {
  @Test func `every type that can be granted is described and read to its last digit`() throws {
    let source = try Source(zone: 28_800)
    try source.run(
      """
      CREATE TABLE "表" (k char(4), small int2, wide int8, money numeric(18,2), deep numeric(38,10), free numeric, f float4, d float8,
        flag bool, day date, at timestamptz, plain timestamp(3), raw bytea, name varchar(20), note text, id uuid, doc jsonb, span interval,
        PRIMARY KEY (k));
      COMMENT ON TABLE "表" IS '法人''库'; COMMENT ON COLUMN "表".name IS '名称';
      INSERT INTO "表" VALUES ('甲', -3, 9223372036854775807, -12.50, 1234567890123456789012345678.0123456789, 0.5, 0.1, 0.1, true, '1899-12-31',
        '1899-12-31 23:59:59.999999+00', '2026-08-22 09:00:00.125', '\\x00ff27', '𠮷野家', repeat('长😀', 3000), '6f9619ff-8b86-d011-b42d-00c04fc964ff', '{"a": 1}', '1 day');
      INSERT INTO "表" (k, free, day, at, d, money, note) VALUES
        ('乙', 0.00000000001, '0044-03-15 BC', 'infinity', 'NaN', 'NaN', ''), ('丙', 1e200, '0001-01-01', '0044-03-15 00:00:00+00 BC', '-Infinity', 0, 'x');
      """)
    let columns: [(String, ValueType)] = [
      ("k", .text), ("small", .integer), ("wide", .integer), ("money", .decimal(precision: 18, scale: 2)),
      ("deep", .decimal(precision: 38, scale: 10)), ("free", .decimal(precision: 38, scale: 10)), ("f", .double),
      ("d", .double), ("flag", .boolean), ("day", .date), ("at", .timestamp), ("plain", .timestamp), ("raw", .bytes),
      ("name", .text), ("note", .text), ("id", .text), ("doc", .text),
    ]
    let table = try source.connector.describe(TableName("表"))
    #expect(table.columns.map(\.name) == columns.map(\.0) + ["span"])
    #expect(table.columns.map { $0.type } == columns.map { $0.1 } + [nil])
    #expect(table.comment == "法人'库" && table.column("name")?.comment == "名称" && table.key.map(\.name) == ["k"])
    #expect(table.column("name")?.nativeType == "character varying(20)" && table.column("k")?.isNullable == false)
    let rows = try source.texts(source.plan("表", columns))
    #expect(
      rows.first { $0[0] == "甲" } == [
        "甲", "-3", "9223372036854775807", "-12.50", "1234567890123456789012345678.0123456789", "0.5000000000",
        "\(Double(Float(0.1)))", "0.1", "true", "1899-12-31", "1899-12-31 23:59:59.999999",
        "2026-08-22 01:00:00.125000", "\\x00ff27", "𠮷野家", String(repeating: "长😀", count: 3000),
        "6f9619ff-8b86-d011-b42d-00c04fc964ff", "{\"a\": 1}",
      ])
    // What has no canonical bytes is set apart, never NULL and never rounded.
    let second = try #require(rows.first { $0[0] == "乙" })
    #expect(
      [second[5], second[9], second[10], second[7], second[3], second[14]] == [
        "!too-many-decimals", "!impossible-date", "!impossible-date", "!not-a-number", "!not-a-number", "",
      ])
    let third = try #require(rows.first { $0[0] == "丙" })
    #expect([third[5], third[9], third[10], third[3]] == ["!out-of-range", "0001-01-01", "!impossible-date", "0.00"])
  }

  @Test func `values of every length between the room of a block and megabytes come whole`() throws {
    let source = try Source()
    try source.run(
      """
      CREATE TABLE t (id int PRIMARY KEY, v text, b bytea);
      INSERT INTO t SELECT n, repeat(CASE n % 3 WHEN 0 THEN 'a' WHEN 1 THEN '长' ELSE '😀' END, n), decode(repeat('0a', n), 'hex')
      FROM unnest(ARRAY[0, 1, 497, 498, 499, 500, 501, 997, 998, 999, 1000, 1001, 1002, 1999, 2000, 2001, 2047, 2048, 4095, 4096, 70000, 900000]) n
      """)
    let read = try source.read(source.plan("t", [("id", .integer), ("v", .text), ("b", .bytes)]), capacity: 1 << 20)
    #expect(read.rows.count == 22)
    for row in read.rows {
      guard case .value(let id) = row[0], case .value(let text) = row[1], case .value(let bytes) = row[2] else {
        #expect(Bool(false))
        continue
      }
      let length = id.reduce(0) { $0 << 8 | Int($1) }
      let character = ["a", "长", "😀"][length % 3]
      #expect(text == Array(String(repeating: character, count: length).utf8), "a text of \(length)")
      #expect(bytes == [UInt8](repeating: 0x0A, count: length), "bytes of \(length)")
    }
  }

  @Test(arguments: [nil, 1, 3] as [Int?])
  func `reading goes on behind any row of any key`(page: Int?) throws {
    var source = try Source(zone: 28_800)
    source.address.pageRows = page
    try source.run(
      """
      CREATE TABLE t (a numeric(38,10), b timestamptz, c timestamp, d uuid, e bytea, f float8, g char(5), h text, i bool, j date, PRIMARY KEY (a, b, c, d, e, f, g, h, i, j));
      INSERT INTO t SELECT n / 3 / 7.0, timestamptz '1960-01-01 00:00:00.000001+08' + (n / 2) * interval '1 second', '0001-01-01', '00000000-0000-0000-0000-000000000001',
        decode('00ff', 'hex'), 0.1 * (n % 2), 'x', repeat('长', 1500) || (n % 2)::text, n % 2 = 0, '0001-01-01' FROM generate_series(1, 20) n
      """)
    let types: [(String, ValueType)] = [
      ("a", .decimal(precision: 38, scale: 10)), ("b", .timestamp), ("c", .timestamp), ("d", .text), ("e", .bytes),
      ("f", .double), ("g", .text), ("h", .text), ("i", .boolean), ("j", .date),
    ]
    let plan = source.plan("t", types, key: Array(0..<10))
    let all = try source.read(plan)
    #expect(all.rows.count == 20 && all.positions.count == 20)
    for (index, position) in all.positions.enumerated() {
      var rest = plan
      rest.range = .full(after: position)
      #expect(try source.read(rest).rows == Array(all.rows[(index + 1)...]), "behind row \(index)")
    }
    var broken = plan
    broken.range = .full(after: [1, 2, 3])
    #expect { try source.read(broken) } throws: { ($0 as? ConnectorError)?.code == "contract.position" }
  }

  @Test func `names are only names, whatever stands in them`() throws {
    let source = try Source()
    let (table, column) = ("t?\"; DROP TABLE \"{x}'--", "c'?{d}\"%_\\")
    let quotes = { (name: String) in "\"\(name.replacing("\"", with: "\"\""))\"" }
    try source.run(
      "CREATE TABLE \(quotes(table)) (id int PRIMARY KEY, \(quotes(column)) text); INSERT INTO \(quotes(table)) VALUES (1, 'v?{x}')"
    )
    #expect(try source.connector.tables().map(\.name.name) == [table])
    #expect(try source.texts(source.plan(table, [("id", .integer), (column, .text)])) == [["1", "v?{x}"]])
  }

  @Test func `400 tables are surveyed in less time than one by one, and described the same`() throws {
    let source = try Source()
    try source.run(
      """
      DO $$ BEGIN FOR i IN 0..399 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, %s)', i,
        (SELECT string_agg(format('c%s varchar(%s)', n, n + 10), ', ') FROM generate_series(1, 20) n)); END LOOP; END $$
      """)
    try source.run("CREATE SCHEMA other; CREATE TABLE other.t1 (x int); CREATE VIEW other.v AS SELECT 1 AS x")
    let start = ContinuousClock.now
    let survey = try source.connector.survey()
    let took = ContinuousClock.now - start
    #expect(survey.count == 402 && survey.first { $0.name.name == "v" }?.isView == true)
    for name in [
      TableName(schema: "public", "t1"), TableName(schema: "other", "t1"), TableName(schema: "public", "t399"),
    ] {
      #expect(try source.connector.describe(name) == survey.first { $0.name == name })
    }
    // Against itself in the same minute: a busy machine makes both slow.
    let single = try ContinuousClock().measure {
      for index in 0..<20 { _ = try source.connector.describe(TableName(schema: "public", "t\(index)")) }
    }
    #expect(took < single * 20, "\(took) for all, \(single) for 20 alone")
  }

  @Test func `a look that takes too long is given up`() throws {
    let source = try Source()
    try source.run("CREATE VIEW slow AS SELECT pg_sleep(20)::text AS v")
    let start = ContinuousClock.now
    #expect {
      try source.connector.peek(TableName("slow"), [.init("v", .text)], rows: 1, within: .milliseconds(700))
    } throws: { ($0 as? ConnectorError)?.code == "odbc.timeout" }
    #expect(ContinuousClock.now - start < .seconds(5))
    try source.run(
      "CREATE TABLE t (id int PRIMARY KEY, at timestamptz); INSERT INTO t VALUES (7, '2026-08-22 01:00:00+00')")
    let mark = try source.connector.examine(TableName("t"), columns: ["id"], cursor: "at", within: .seconds(5)).mark
    #expect(mark?.at == Instant(milliseconds: 1_787_360_400_000) && mark?.kind == .cursor)
    #expect(
      try source.connector.examine(TableName("t"), columns: [], cursor: "id", within: .seconds(5)).mark?.own == "7")
  }

  @Test func `a driver that does not carry Chinese text is refused, and never loses a character`() throws {
    // Debian's ANSI driver: what it makes of text depends on this process's locale.
    var source = try Source()
    try source.run("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, '青海😀')")
    source.address.driver = "PostgreSQL ANSI"
    do {
      #expect(try source.texts(source.plan("t", [("id", .integer), ("v", .text)])) == [["1", "青海😀"]])
    } catch let error as ConnectorError {
      #expect(error.code == "odbc.unicode" && error.kind == .permanent)
    }
  }

  @Test func `a file that is not there is not made by looking for it`() async throws {
    try await withTemporaryFolder { folder in
      let connector = ODBCConnector(ODBCAddress(driver: "SQLite3", database: folder + "/missing.db"))
      #expect(throws: ConnectorError.self) { try connector.probe() }
      #expect(throws: ConnectorError.self) { try connector.tables() }
      #expect(!FileManager.default.fileExists(atPath: folder + "/missing.db"))
      try "no database at all, only text".write(toFile: folder + "/text.db", atomically: true, encoding: .utf8)
      let text = ODBCConnector(ODBCAddress(driver: "SQLite3", database: folder + "/text.db"))
      #expect(throws: ConnectorError.self) { try text.tables() }
    }
  }

  @Test func `what SQLite holds against its own declarations is set apart, and text with a NUL is not cut`()
    async throws
  {
    try await withTemporaryFolder { folder in
      let path = folder + "/中文.db"
      try Tool.run(
        "/usr/bin/sqlite3",
        [
          path,
          """
          CREATE TABLE "表" (id INTEGER PRIMARY KEY, v TEXT, n INTEGER, d REAL, m DECIMAL_TEXT(18,2), at TIMESTAMP, b BLOB);
          INSERT INTO "表" VALUES (1, CAST(x'610062' AS TEXT), 'abc', 1.7976931348623157e308, 1.5, '2026-08-22 09:00:00', x'00'),
            (2, x'616263', 2.0, 1e999, '1.005', 5, 'text'), (3, CAST(x'ff' AS TEXT), 9223372036854775807, 7, '0.10', 'x', NULL),
            (4, '中😀', NULL, 0.1, NULL, NULL, x'')
          """,
        ])
      let connector = ODBCConnector(ODBCAddress(driver: "SQLite3", database: path, zone: 28_800))
      let types: [(String, ValueType)] = [
        ("id", .integer), ("v", .text), ("n", .integer), ("d", .double), ("m", .decimal(precision: 18, scale: 2)),
        ("at", .timestamp), ("b", .bytes),
      ]
      #expect(try connector.describe(TableName("表")).columns.map { $0.type } == types.map { $0.1 })
      let plan = ReadPlan(table: TableName("表"), columns: types.map { .init($0.0, $0.1) }, key: [0])
      let reader = try connector.openReader(plan)
      defer { reader.close() }
      let batch = RowBatch()
      #expect(try reader.read(into: batch) == .rows)
      let found = (0..<batch.rowCount).map { row in
        zip(batch.fields(row), types).map { field, type -> String? in
          switch field {
          case .null: nil
          case .value(let bytes): bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: type.1) }
          case .malformed(let fault, _): "!\(fault.code)"
          }
        }
      }
      #expect(
        found == [
          [
            "1", "!contains-nul", "!not-a-number", "1.7976931348623157e+308", "1.50", "2026-08-22 01:00:00.000000",
            "\\x00",
          ],
          ["2", "!wrong-type", "2", "!not-finite", "!too-many-decimals", "!wrong-type", "!wrong-type"],
          ["3", "!invalid-text", "9223372036854775807", "7.0", "0.10", "!impossible-date", nil],
          ["4", "中😀", nil, "0.1", nil, nil, "\\x"],
        ])
    }
  }
}
