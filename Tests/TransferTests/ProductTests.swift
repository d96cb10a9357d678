import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB
@testable import ConnectorPostgreSQL
@testable import ConnectorSQLite
@testable import Transfer

/// What only one product does.
@Suite struct ProductTests {
  @Test func `every PostgreSQL type that can be granted arrives as it was`() async throws {
    let (source, target) = (try Stand(.postgresql), try Stand(.postgresql))
    try source.run(
      """
      CREATE TABLE "全部" (k char(4), n int2, i int4, d numeric(38,10), f float4, g float8, b bool, day date, at timestamptz,
        local timestamp, raw bytea, u uuid, j jsonb, t text, PRIMARY KEY (k, n));
      INSERT INTO "全部" VALUES ('甲', -32768, 2147483647, 1234567890123456789012345678.0123456789, 1.5, -0.0, true, '0001-01-01',
        '1899-12-31 23:59:59.999999+00', '2026-08-22 08:00:00', '\\x00ff', '123e4567-e89b-12d3-a456-426614174000', '{"a": 1}', '');
      INSERT INTO "全部" (k, n) VALUES ('乙', 2);
      INSERT INTO "全部" (k, n, d) VALUES ('丙', 3, 'NaN');
      INSERT INTO "全部" (k, n, day) VALUES ('丁', 4, 'infinity');
      INSERT INTO "全部" (k, n, g) VALUES ('戊', 5, 'Infinity');
      """)
    var grant = Grant()
    let items: [(String, ValueType)] = [
      ("k", .text), ("n", .integer), ("i", .integer), ("d", .decimal(precision: 38, scale: 10)), ("f", .double),
      ("g", .double),
      ("b", .boolean), ("day", .date), ("at", .timestamp), ("local", .timestamp), ("raw", .bytes), ("u", .text),
      ("j", .text),
      ("t", .text),
    ]
    grant.items = items.map { ItemContract($0.0, $0.1) }
    (grant.key, grant.cursor, grant.source, grant.target) = (["k", "n"], nil, "全部", "全部")
    let outcome = try await grant.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 2)
    #expect(grant.keeper.rows(outcome.provider).map(\.fault) == [.notFinite, .notFinite, .notFinite])
    let names = "k, n, i, d, f, g = 0, b, day, at AT TIME ZONE 'UTC', local AT TIME ZONE 'UTC', raw, u, j, t"
    #expect(
      try target.rows("SELECT \(names) FROM \"全部\" WHERE k = '甲'") == [
        [
          "甲", "-32768", "2147483647", "1234567890123456789012345678.0123456789", "1.5", "t", "t", "0001-01-01",
          "1899-12-31 23:59:59.999999", "2026-08-22 00:00:00", "\\x00ff", "123e4567-e89b-12d3-a456-426614174000",
          "{\"a\": 1}", "",
        ]
      ])
  }

  @Test(arguments: Product.allCases) func `every MariaDB type that can be granted arrives as it was, anywhere`(
    to: Product
  )
    async throws
  {
    let (source, target) = (try Stand(.mariadb), try Stand(to))
    try source.run(
      """
      CREATE TABLE `全部` (k char(4), n tinyint unsigned, w bigint unsigned, d decimal(38,10), deep decimal(65,30), f float, g double,
        b bit(1), day date, at datetime(6), ts timestamp(6) NULL, raw blob, kind enum('甲','乙'), j json, t longtext CHARACTER SET gbk, y year, PRIMARY KEY (k, n))
      """)
    try source.run(
      """
      INSERT INTO `全部` VALUES ('甲', 255, 9223372036854775807, 1234567890123456789012345678.0123456789, 12345678.123456789012345678901234567890, 1.5, -0.0,
        1, '0001-01-01', '1899-12-31 23:59:59.999999', '2026-08-22 08:00:00', X'00ff', '乙', '{"a": 1}', '汉字', 2026)
      """)
    try source.run("INSERT INTO `全部` (k, n) VALUES ('乙', 2)")
    try source.run("INSERT INTO `全部` (k, n, w) VALUES ('丙', 3, 9223372036854775808)")
    try source.run("INSERT INTO `全部` (k, n, deep) VALUES ('丁', 4, 123456789.5)")
    try source.run("INSERT INTO `全部` (k, n, day) VALUES ('戊', 5, '0000-00-00')")
    try source.run("INSERT INTO `全部` (k, n, t) VALUES ('己', 6, _gbk X'FEFE')")
    var grant = Grant()
    let items: [(String, ValueType)] = [
      ("k", .text), ("n", .integer), ("w", .integer), ("d", .decimal(precision: 38, scale: 10)),
      ("deep", .decimal(precision: 38, scale: 30)), ("f", .double), ("g", .double), ("b", .boolean), ("day", .date),
      ("at", .timestamp), ("ts", .timestamp), ("raw", .bytes), ("kind", .text), ("j", .text), ("t", .text),
      ("y", .integer),
    ]
    grant.items = items.map { ItemContract($0.0, $0.1) }
    (grant.key, grant.cursor, grant.source, grant.target) = (["k", "n"], nil, "全部", "全部")
    let outcome = try await grant.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 2)
    #expect(
      Set(grant.keeper.rows(outcome.provider).map { "\($0.item) \($0.fault.code)" }) == [
        "w out-of-range", "deep out-of-range", "day impossible-date", "t invalid-text",
      ])
    // From there into MariaDB again: the same rows, the same sums.
    let back = try Stand(.mariadb)
    let again = try await grant.deliver(.full, run: "r1", from: target, to: back)
    #expect(again.disagreement == nil && again.provider.rowSum == outcome.provider.rowSum)
  }

  @Test func `a key too long for the target's index is set apart, and the rows beside it arrive`() async throws {
    let (source, target) = (try Stand(.sqlite), try Stand(.postgresql))
    try source.run(
      """
      CREATE TABLE codes (code TEXT PRIMARY KEY, name TEXT);
      INSERT INTO codes VALUES ('short', '甲'), ('\(String(repeating: "长", count: 1000))', '乙'), ('tail', '丙')
      """)
    var grant = Grant()
    grant.items = [ItemContract("code", .text), ItemContract("name", .text)]
    (grant.key, grant.cursor, grant.source, grant.target) = (["code"], nil, "codes", "codes")
    let outcome = try await grant.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 2)
    #expect(grant.keeper.rows(outcome.provider).map(\.fault) == [.tooLong])
    let third = try Stand(.mariadb)
    let there = try await grant.deliver(.full, run: "r1", from: source, to: third)
    #expect(there.disagreement == nil && there.provider.counts.delivered == 2)
    // Into SQLite the same key is no trouble.
    let other = try Stand(.sqlite)
    let all = try await grant.deliver(.full, run: "r1", from: source, to: other)
    #expect(all.disagreement == nil && all.provider.counts.delivered == 3)
  }

  @Test(arguments: Way.all) func `a cursor far ahead of the clock hides no row that a slower clock writes later`(
    way: Way
  )
    async throws
  {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    try source.insert([Person(id: 1, changed: "2099-01-01 00:00:00+00"), Person(id: 2)])
    _ = try await grant.deliver(.full, run: "r1", from: source, to: target)
    try source.insert([Person(id: 3, changed: "2026-08-22 09:05:00+00")])
    let outcome = try await grant.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil)
    #expect(try target.persons() == source.persons())
  }

  @Test func `a column that is not granted is never read: the account has no right to it`() async throws {
    let server = try PostgresServer.shared.get()
    let (database, target) = (try server.makeDatabase(), try Stand(.sqlite))
    let role = "reader_\(UUID().uuidString.prefix(8).lowercased())"
    try server.query(
      """
      CREATE TABLE person (id bigint PRIMARY KEY, name text, capital numeric(18,2), born date, changed timestamptz, secret text);
      INSERT INTO person SELECT i, 'n', 1, NULL, now(), 'never' FROM generate_series(1, 10) i;
      CREATE ROLE \(role) LOGIN; GRANT SELECT (id, name, capital, born, changed) ON person TO \(role)
      """, on: database)
    let reader = PostgreSQLConnector(
      PostgreSQLAddress(address: server.address(of: database).replacing("user=postgres", with: "user=\(role)")))
    #expect(try reader.probe().isReadOnly)
    let grant = Grant()
    let control = DeliveryControl(quarantine: { _ in })
    let outcome = try await Delivery(grant.plan(.full, run: "r1"), control: control).run(
      from: reader, to: target.connector)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 10)
    var greedy = grant
    greedy.items.append(ItemContract("secret", .text))
    greedy.name = "grant-2"
    greedy.target = "elsewhere"
    let plan = greedy.plan(.full, run: "r1")
    await #expect { _ = try await Delivery(plan, control: control).run(from: reader, to: target.connector) } throws: {
      ($0 as? ConnectorError)?.code == "postgresql.42501"
    }
  }

  @Test func `SQLite's loose values are set apart one by one, and time has several spellings`() async throws {
    let (source, target, grant) = (try Stand(.sqlite), try Stand(.sqlite), Grant())
    try source.run(
      """
      CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, capital DECIMAL(18,2), born DATE, changed DATETIME);
      INSERT INTO person VALUES (1, '张三', 12.5, '2026-08-22', '2026-08-22 09:00:00'), (2, x'FF', 1, NULL, '2026-08-22T09:00:00Z'),
        (3, 'a' || char(0) || 'b', 1, NULL, '2026/08/22 09:00'), (4, CAST(x'FFFE' AS TEXT), 1, NULL, NULL), (5, 'ok', 'twelve', NULL, NULL),
        (6, 'ok', 1.005, NULL, NULL), (7, 'ok', 1, '2026-02-30', NULL), (8, 'ok', 1, 20260822, NULL), (9, 'ok', 1, 2.5, NULL),
        (10, 'ok', 1, NULL, 'yesterday'), (11, 'ok', 1e15, NULL, 1755000000), (12, 'ok', 7, '19491001', NULL);
      """)
    let outcome = try await grant.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil)
    let faults = grant.keeper.rows(outcome.provider).map { "\($0.item) \($0.fault.code)" }
    #expect(
      faults == [
        "name wrong-type", "name contains-nul", "name invalid-text", "capital not-a-number",
        "capital too-many-decimals",
        "born impossible-date", "born wrong-type", "changed impossible-date", "changed wrong-type",
      ])
    #expect(
      try target.rows("SELECT id, capital, born FROM person ORDER BY id") == [
        ["1", "12.50", "2026-08-22"], ["8", "1.00", "2026-08-22"], ["12", "7.00", "1949-10-01"],
      ])
  }

  @Test(arguments: Product.allCases) func `a source that is not in its key's order is delivered too, each key once`(
    to: Product
  ) async throws {
    let (source, target) = (try Stand(.sqlite), try Stand(to))
    // Two spellings of one day are one key, and do not stand side by side.
    try source.run("CREATE TABLE person (id INTEGER, name TEXT, born DATE, changed TIMESTAMP)")
    try source.run(
      """
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
      INSERT INTO person SELECT i, 'n' || i, date('1990-01-01', '+' || i || ' days'), '2026-08-22 09:00:00' FROM n;
      INSERT INTO person VALUES (1, 'again', '1990/01/02', '2026-08-22 09:00:00')
      """)
    var grant = Grant()
    grant.items = [ItemContract("born", .date), ItemContract("name", .text)]
    grant.key = ["born"]
    let outcome = try await grant.deliver(.full, run: "r1", from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 9000)
    #expect(grant.keeper.rows(outcome.provider).map(\.fault) == [.duplicateKey])
    #expect(try target.value("SELECT count(*) FROM person") == "9000")
  }

  @Test func `a source without a table, a wrong password's kind of answer, an unknown kind: each says what is wrong`()
    throws
  {
    let nowhere = SQLiteConnector(path: "/nonexistent/x.db")
    #expect { try nowhere.probe() } throws: { ($0 as? ConnectorError)?.kind == .permanent }
    let closed = PostgreSQLConnector(PostgreSQLAddress(address: "host=/nonexistent dbname=x"))
    #expect { try closed.probe() } throws: { ($0 as? ConnectorError)?.kind == .retryable }
    let catalog = ConnectorCatalog([PostgreSQLConnector.kind, SQLiteConnector.kind])
    #expect { try catalog.open("oracle", [:]) } throws: { ($0 as? ConnectorError)?.code == "connector.unknown-kind" }
    #expect { try catalog.open("sqlite", [:]) } throws: { ($0 as? ConnectorError)?.code == "connector.setting-missing" }
    #expect { try catalog.open("sqlite", ["path": "x", "zone": "Peking"]) } throws: {
      ($0 as? ConnectorError)?.code == "sqlite.zone"
    }
  }
}
