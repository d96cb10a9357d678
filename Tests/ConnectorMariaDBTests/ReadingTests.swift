import Connecting
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB

@Suite struct ReadingTests {
  @Test func `every type that can be granted is read to its last digit`() throws {
    let source = try Source(zone: 28_800)
    try source.run(
      """
      CREATE TABLE t (k char(4), tiny tinyint(1), wide bigint unsigned, money decimal(18,2), deep decimal(38,10),
        f float, d double, fixed double(10,3), flag bit(1), bits bit(9), day date, at datetime(6), plain datetime, ts timestamp(3) NULL, y year,
        span time(3), kind enum('国有','民营'), tags set('a','b'), doc json, raw blob, fixedraw binary(3), old varchar(20) CHARACTER SET latin1, han varchar(20) CHARACTER SET gbk,
        note longtext, zero int(8) zerofill, PRIMARY KEY (k));
      SET time_zone = '+08:00';
      INSERT INTO t VALUES ('甲 ', 2, 9223372036854775807, -12.50, 1234567890123456789012345678.0123456789, 0.1, 0.1,
        1234.567, b'1', b'100000001', '1899-12-31', '1899-12-31 23:59:59.999999', '2026-08-22 09:00:00', '2026-08-22 09:00:00.125', 1901,
        '-838:59:59.5', '民营', 'a,b', '{"a": 1}', x'00ff27', x'41', 'café', '汉字', '𠮷野家''\\\\', 42);
      INSERT INTO t (k, day, at) VALUES ('乙', '0001-01-01', '9999-12-31 23:59:59.999999');
      """)
    let columns: [(String, ValueType)] = [
      ("k", .text), ("tiny", .integer), ("wide", .integer), ("money", .decimal(precision: 18, scale: 2)),
      ("deep", .decimal(precision: 38, scale: 10)), ("f", .double), ("d", .double), ("fixed", .double),
      ("flag", .boolean), ("bits", .integer), ("day", .date), ("at", .timestamp), ("plain", .timestamp),
      ("ts", .timestamp), ("y", .integer), ("span", .text), ("kind", .text), ("tags", .text), ("doc", .text),
      ("raw", .bytes), ("fixedraw", .bytes), ("old", .text), ("han", .text), ("note", .text), ("zero", .integer),
    ]
    let table = try source.connector.describe(TableName("t"))
    #expect(table.columns.map(\.name) == columns.map(\.0))
    #expect(table.columns.map { $0.type } == columns.map { $0.1 })
    let rows = try source.texts(source.plan("t", columns))
    #expect(
      rows.first { $0[0] == "甲" } == [
        "甲", "2", "9223372036854775807", "-12.50", "1234567890123456789012345678.0123456789", "\(Double(Float(0.1)))",
        "0.1", "1234.567", "true", "257", "1899-12-31", "1899-12-31 15:59:59.999999", "2026-08-22 01:00:00.000000",
        "2026-08-22 01:00:00.125000", "1901", "-838:59:59.500", "民营", "a,b", "{\"a\": 1}", "\\x00ff27", "\\x410000",
        "café", "汉字", "𠮷野家'\\", "42",
      ])
    let second = try #require(rows.first { $0[0] == "乙" })
    #expect(second[10] == "0001-01-01" && second[11] == "9999-12-31 15:59:59.999999" && second[1] == nil)
  }

  @Test func `what has no canonical bytes is set apart, never NULL and never rounded`() throws {
    let source = try Source()
    try source.run(
      """
      SET sql_mode = 'ALLOW_INVALID_DATES';
      CREATE TABLE t (id int PRIMARY KEY, n bigint unsigned, d decimal(65,30), day date NOT NULL, at datetime(6), ts timestamp NULL, flag tinyint, txt text);
      INSERT INTO t VALUES (1, 9223372036854775808, 12345678901234567890123456789012345.5, '0000-00-00', '2026-02-30 00:00:00', '0000-00-00 00:00:00', 2, 'ok'),
        (2, 18446744073709551615, 0.000000000000000000000000000001, '2026-00-10', '0000-00-00 00:00:00', NULL, 1, concat('a', char(0), 'b')),
        (3, 1, 12345678.000000000000000000000000000001, '2026-02-28', NULL, NULL, 0, '');
      """)
    let columns: [(String, ValueType)] = [
      ("id", .integer), ("n", .integer), ("d", .decimal(precision: 38, scale: 30)), ("day", .date), ("at", .timestamp),
      ("ts", .timestamp), ("flag", .boolean), ("txt", .text),
    ]
    #expect(try source.connector.describe(TableName("t")).columns[2].type == .decimal(precision: 38, scale: 30))
    #expect(
      try source.texts(source.plan("t", columns)) == [
        [
          "1", "!out-of-range", "!out-of-range", "!impossible-date", "!impossible-date", "!impossible-date",
          "!not-a-boolean", "ok",
        ],
        [
          "2", "!out-of-range", "0.000000000000000000000000000001", "!impossible-date", "!impossible-date", nil, "true",
          "a\0b",
        ],
        ["3", "1", "12345678.000000000000000000000000000001", "2026-02-28", nil, nil, "false", ""],
      ])
  }

  @Test func `a character without a place in Unicode is set apart, not delivered as a question mark`() throws {
    let source = try Source()
    try source.run(
      """
      CREATE TABLE t (id int PRIMARY KEY, v varchar(10) CHARACTER SET gbk);
      INSERT INTO t VALUES (1, '中文?'), (2, _gbk x'FEFE'), (3, NULL)
      """)
    let rows = try source.texts(source.plan("t", [("id", .integer), ("v", .text)]))
    #expect(rows[0][1] == "中文?" && rows[1][1] == "!invalid-text" && rows[2][1] == nil)
  }

  @Test func `a column of another type than agreed is refused, and one that is gone`() throws {
    let source = try Source()
    try source.run("CREATE TABLE t (id int PRIMARY KEY, v text, g point)")
    for (wanted, code): ((String, ValueType), String) in [
      (("v", .integer), "contract.column-type"), (("g", .text), "contract.column-type"),
      (("gone", .text), "contract.column-missing"),
    ] {
      let plan = source.plan("t", [("id", .integer), wanted])
      #expect { try source.connector.openReader(plan) } throws: { ($0 as? ConnectorError)?.code == code }
    }
    #expect(try source.connector.describe(TableName("t")).column("g")?.type == nil)
  }

  /// Tables whose keys a database orders otherwise than by bytes.
  @Test(arguments: [
    "k varchar(20) COLLATE utf8mb4_general_ci, UNIQUE (k)", "k varchar(20) COLLATE utf8mb4_general_ci",
    "k varchar(20) COLLATE utf8mb4_unicode_ci, UNIQUE (k)",
    "k varchar(20) COLLATE utf8mb4_bin NOT NULL, PRIMARY KEY (k)",
    "k varchar(20) CHARACTER SET gbk, UNIQUE (k)", "k varchar(20) CHARACTER SET gbk", "k text",
    "k char(20) CHARACTER SET utf8mb3",
  ])
  func `whatever the collation, reading goes on behind any row, loses none and doubles none`(definition: String) throws
  {
    let source = try Source()
    let isUnique = definition.contains("UNIQUE") || definition.contains("PRIMARY")
    let keys =
      ["b", "a", "Z", "é", "中", "一", "'", "\\", "a b", "ab", "?", "", "~"]
      + (isUnique ? [] : ["A", "a ", "a", "B", "a"])
    try source.run("CREATE TABLE t (id int, \(definition))")
    for (id, key) in keys.enumerated() {
      let written = key.replacing("\\", with: "\\\\").replacing("'", with: "''")
      // What gbk has not, it cannot hold.
      try source.run("INSERT IGNORE INTO t VALUES (\(id), '\(written)')")
    }
    let plan = source.plan("t", [("k", .text), ("id", .integer)])
    let all = try source.read(plan)
    let count = try source.rows("SELECT count(*) FROM t")[0][0]
    #expect("\(all.rows.count)" == count && Set(all.rows).count == all.rows.count)
    // The same key's rows stand side by side.
    var seen: Set<RowField> = []
    for (index, row) in all.rows.enumerated() where index == 0 || all.rows[index - 1][0] != row[0] {
      #expect(seen.insert(row[0]).inserted)
    }
    for (index, position) in all.positions.enumerated() {
      var rest = plan
      rest.range = .full(after: position)
      let found = try source.read(rest).rows
      // Rows of the very same key are passed together: the target has that key already.
      let expected = all.rows[(index + 1)...].filter { $0[0] != all.rows[index][0] }
      let isSame = found.map { $0[0] } == expected.map { $0[0] } && Set(found) == Set(expected)
      #expect(isSame, "behind row \(index)")
    }
  }

  @Test(arguments: [
    (
      "a int, b varchar(10) COLLATE utf8mb4_general_ci, PRIMARY KEY (a, b)",
      ["1, 'x'", "1, 'y'", "2, 'X'", "2, ''", "-3, 'z'"], [ValueType.integer, .text]
    ),
    (
      "a datetime(3), b decimal(20,4), PRIMARY KEY (a, b)",
      ["'2026-01-01', 1.5", "'2026-01-01', -1.5", "'1900-01-01 00:00:00.001', 7"],
      [.timestamp, .decimal(precision: 20, scale: 4)]
    ),
    (
      "a float, b double, PRIMARY KEY (a, b)", ["0.1, 0.1", "0.1, 0.2", "1e30, 1e-300", "-5, 3.0000000000000004"],
      [.double, .double]
    ),
    (
      "a varbinary(9), b binary(2), PRIMARY KEY (a, b)", ["x'00', x'01'", "x'', x'00'", "x'FF27', x'0027'"],
      [.bytes, .bytes]
    ),
    (
      "a enum('乙','甲') NOT NULL, b time(2), PRIMARY KEY (a, b)",
      ["'甲', '-10:00:00'", "'乙', '100:00:00.25'", "'乙', '00:00:00'"], [.text, .text]
    ),
    (
      "a timestamp(6) NOT NULL DEFAULT 0, b bit(1), PRIMARY KEY (a, b)",
      ["'2026-01-01 00:00:00.000001', b'1'", "'2026-01-01', b'0'", "'1980-01-01', b'0'"], [.timestamp, .boolean]
    ),
    (
      "a date, b year, UNIQUE (a, b)",
      ["'2026-01-01', 2001", "NULL, 2001", "'2026-01-01', NULL", "'0001-01-01', 1999"], [.date, .integer]
    ),
  ])
  func `keys of every type are gone on from`(definition: String, values: [String], types: [ValueType]) throws {
    let source = try Source()
    try source.run("CREATE TABLE t (\(definition)); INSERT INTO t VALUES (\(values.joined(separator: "), (")))")
    let plan = source.plan("t", [("a", types[0]), ("b", types[1])], key: [0, 1])
    let all = try source.read(plan)
    #expect(all.rows.count == values.count && all.withoutKey == values.count { $0.contains("NULL") })
    for (index, position) in all.positions.enumerated() {
      var rest = plan
      rest.range = .full(after: position)
      #expect(try source.read(rest).rows == Array(all.rows[(index + 1)...]))
    }
  }

  @Test func `an invalid key has a position too`() throws {
    let source = try Source()
    try source.run(
      """
      SET sql_mode = ''; CREATE TABLE t (k date PRIMARY KEY, v int); CREATE TABLE u (k varchar(9) CHARACTER SET gbk PRIMARY KEY);
      INSERT INTO t VALUES ('0000-00-00', 1), ('2026-01-01', 2), ('2026-00-00', 3);
      INSERT INTO u VALUES ('一'), (_gbk x'FEFE'), (_gbk x'FEFD'), ('丁')
      """)
    for (plan, count) in [(source.plan("t", [("k", .date)]), 3), (source.plan("u", [("k", .text)]), 4)] {
      let all = try source.read(plan)
      #expect(all.rows.count == count)
      for (index, position) in all.positions.enumerated() {
        var rest = plan
        rest.range = .full(after: position)
        #expect(try source.read(rest).rows == Array(all.rows[(index + 1)...]))
      }
    }
  }

  @Test func `going on walks the key's index and sorts nothing`() throws {
    let source = try Source()
    try source.run(
      """
      CREATE TABLE t (a int, b varchar(20) CHARACTER SET latin1, c datetime, v text, PRIMARY KEY (a, b));
      INSERT INTO t SELECT seq DIV 10, concat('k', seq), now(), 'v' FROM seq_1_to_20000; ANALYZE TABLE t
      """)
    let plan = source.plan("t", [("a", .integer), ("b", .text), ("v", .text)], key: [0, 1])
    let connection = try MariaDBConnection(source.address)
    let statement = try MariaDBReadStatement(
      plan, MariaDBTable.read(plan.table, connection), database: source.address.database, zone: 0)
    let place = Array([0, 0, 0, 4] + Array("1990".utf8) + [0, 0, 0, 6] + Array("k19905".utf8))
    let explained = try connection.run("EXPLAIN \(try statement.keyed(after: place))")[0]
    #expect(explained[3] == "range" && explained[5] == "PRIMARY")
    #expect(explained[9]?.contains("filesort") != true)
    #expect((explained[8].flatMap { Int($0) } ?? .max) < 2000)
  }

  @Test func `a read sees one state of the table, whatever is written meanwhile`() throws {
    let source = try Source()
    try source.run(
      "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT seq, repeat('x', 100) FROM seq_1_to_50000")
    let reader = try source.connector.openReader(source.plan("t", [("id", .integer), ("v", .text)]))
    defer { reader.close() }
    let batch = RowBatch(capacity: RowBatch.smallest)
    _ = try reader.read(into: batch)
    var count = batch.rowCount
    try source.run(
      "DELETE FROM t WHERE id % 2 = 0; INSERT INTO t SELECT seq, 'new' FROM seq_60000_to_61000; UPDATE t SET v = 'changed'"
    )
    while try reader.read(into: batch) != .end {
      count += batch.rowCount
      #expect(batch.fields(batch.rowCount - 1)[1] == .value([UInt8](repeating: 0x78, count: 100)))
    }
    #expect(count == 50_000)
  }

  @Test func `a reader that is left early costs no more, and its connection is gone`() throws {
    let source = try Source()
    try source.run(
      "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT seq, repeat('x', 1000) FROM seq_1_to_100000")
    let begun = ContinuousClock.now
    let reader = try source.connector.openReader(source.plan("t", [("id", .integer), ("v", .text)]))
    _ = try reader.read(into: RowBatch(capacity: 1))
    reader.close()
    reader.close()
    #expect(ContinuousClock.now - begun < .seconds(5))
    #expect(throws: ConnectorError.self) { try reader.read(into: RowBatch(capacity: 1)) }
  }

  @Test func `an incremental read takes what grew, what has no time and what has an impossible one`() throws {
    let source = try Source(zone: 28_800)
    try source.run(
      """
      SET sql_mode = ''; SET time_zone = '+08:00';
      CREATE TABLE t (id int PRIMARY KEY, at datetime NULL, ts timestamp NULL, n bigint);
      INSERT INTO t VALUES (1, '2026-01-01 08:00:00', '2026-01-01 08:00:00', 1), (2, '2026-01-02 08:00:00', '2026-01-02 08:00:00', 2),
        (3, NULL, NULL, NULL), (4, '0000-00-00 00:00:00', '0000-00-00 00:00:00', 0), (5, '2999-01-01 00:00:00', '2037-01-01 00:00:00', 9)
      """)
    func ids(_ cursor: String, _ type: ValueType, _ above: CursorValue) throws -> (Set<String?>, CursorValue?) {
      let plan = source.plan("t", [("id", .integer), (cursor, type)], cursor: 1, .incremental(above: above))
      return (Set(try source.texts(plan).map { $0[0] }), try source.read(plan).horizon)
    }
    let first = try #require(WrittenTime.microseconds(ofText: "2026-01-01 00:00:00"))
    for name in ["at", "ts"] {
      let (found, horizon) = try ids(name, .timestamp, .timestamp(first))
      #expect(found == ["2", "3", "4", "5"])
      // The highest that is not ahead of the clock.
      #expect(horizon == .timestamp(first + 86_400_000_000))
      #expect(try ids(name, .timestamp, .timestamp(Int64.min / 2)).0.count == 5)
      #expect(try ids(name, .timestamp, .timestamp(WrittenTime.microseconds.upperBound)).0 == ["3", "4"])
    }
    let (numbers, highest) = try ids("n", .integer, .integer(1))
    #expect(numbers == ["2", "3", "5"] && highest == .integer(9))
  }
}

extension WrittenTime {
  static func microseconds(ofText text: String) -> Int64? {
    Array(text.utf8).withUnsafeBytes { microseconds($0, zone: 0) }
  }
}
