import Connecting
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB

@Suite struct LookingTests {
  @Test func `tables with Chinese names, comments and views are described`() throws {
    let source = try Source()
    try source.run(
      """
      CREATE TABLE `法人``库` (`统一代码` char(18) COMMENT '代码', `序号` int, `名称` varchar(60) NOT NULL COMMENT '企业''名称', place geometry,
        PRIMARY KEY (`序号`, `统一代码`)) COMMENT '法人库';
      CREATE VIEW v AS SELECT `名称` FROM `法人``库`; CREATE SEQUENCE s
      """)
    let name = TableName("法人`库")
    #expect(try source.connector.tables().map(\.name.name) == ["v", "法人`库"])
    let table = try source.connector.describe(name)
    #expect(table.comment == "法人库" && table.key.map(\.name) == ["序号", "统一代码"] && !table.isView)
    let title = try #require(table.column("名称"))
    #expect(title.comment == "企业'名称" && title.length == 60 && !title.isNullable && title.nativeType == "varchar(60)")
    #expect(table.column("place")?.type == nil)
    let view = try source.connector.describe(TableName("v"))
    #expect(view.isView && view.comment == nil && view.key.isEmpty)
    #expect(throws: ConnectorError.self) { try source.connector.describe(TableName("法人库")) }
    #expect(throws: ConnectorError.self) { try source.connector.describe(TableName(schema: "mysql", "global_priv")) }
  }

  @Test func `400 tables are surveyed within ten seconds, and described as one by one`() throws {
    let source = try Source()
    defer { try? source.server.dropDatabase(source.address.database) }
    let columns = (1...20).map { "c\($0) varchar(\($0 + 10)) COMMENT '名称'" }.joined(separator: ", ")
    // By twenty at a time: what one statement's text may hold.
    for start in stride(from: 0, to: 400, by: 20) {
      let tables = (start..<start + 20).map { "CREATE TABLE t\($0) (id int PRIMARY KEY, \(columns)) ENGINE = MEMORY" }
      try source.run(tables.joined(separator: "; "))
    }
    let begun = ContinuousClock.now
    let tables = try source.connector.survey()
    let ours = ContinuousClock.now - begun
    let limit = ContinuousClock.now
    let rows = try source.rows(
      "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '\(source.address.database)'"
    )
    print("survey of 400 MariaDB tables: \(ours); information_schema.columns alone: \(ContinuousClock.now - limit)")
    #expect(tables.count == 400 && tables.map(\.columns.count).reduce(0, +) == rows.count)
    #expect(ours < .seconds(10))
    #expect(tables[7] == (try source.connector.describe(tables[7].name)))
  }

  @Test func `a peek shows values as text, cut, and gives up when it takes too long`() throws {
    let source = try Source()
    try source.run(
      """
      CREATE TABLE t (id int PRIMARY KEY, a text, b bit(1), f float, raw blob);
      INSERT INTO t SELECT seq, repeat('长', 300), seq % 2, 0.1, x'00ff' FROM seq_1_to_1000;
      CREATE VIEW slow AS SELECT sum(a.seq * b.seq) AS n FROM seq_1_to_1000000 a, seq_1_to_1000000 b
      """)
    let columns: [ReadPlan.Column] = [
      .init("id", .integer), .init("a", .text), .init("b", .boolean), .init("f", .double), .init("raw", .bytes),
    ]
    let rows = try source.connector.peek(TableName("t"), columns, rows: 100, within: .seconds(10))
    #expect(rows.count == 100 && rows.allSatisfy { $0[1]?.count == ReadPlan.peekedText && $0[4] == "\\x00ff" })
    #expect(Set(rows.map { $0[2] }) == ["true", "false"])
    for act in [0, 1] {
      let begun = ContinuousClock.now
      #expect { () throws in
        if act == 0 {
          _ = try source.connector.peek(TableName("slow"), [.init("n", .double)], rows: 1, within: .milliseconds(300))
        } else {
          _ = try source.connector.examine(TableName("slow"), columns: ["n"], cursor: nil, within: .milliseconds(300))
        }
      } throws: { ($0 as? ConnectorError)?.kind == .retryable || ($0 as? ConnectorError)?.kind == .contract }
      #expect(ContinuousClock.now - begun < .seconds(10))
    }
  }

  @Test func `the highest cursor not ahead of the clock is the mark of a change`() throws {
    let source = try Source(zone: 28_800)
    try source.run(
      """
      CREATE TABLE t (id int PRIMARY KEY, at datetime(3), KEY (at));
      INSERT INTO t VALUES (1, '2026-01-01 08:00:00.5'), (2, '2999-01-01 00:00:00'), (3, NULL)
      """)
    func mark(_ cursor: String?) throws -> ChangeMark? {
      try source.connector.examine(TableName("t"), columns: ["id"], cursor: cursor, within: .seconds(5)).mark
    }
    let first = try mark("at")
    #expect(first?.kind == .cursor && first?.at == Instant(milliseconds: 1_767_225_600_500))
    try source.run("INSERT INTO t VALUES (4, '2026-01-01 08:00:01')")
    #expect(try mark("at")?.own != first?.own)
    #expect(try mark("id")?.own == "4")
    // Without a cursor, and where the server counts nothing, nothing shows.
    #expect(try mark(nil) == nil)
  }

  @Test func `an account that can only read is told from one that can write, and needs no right to other columns`()
    throws
  {
    let source = try Source()
    let user = "r\(source.address.database.prefix(12))"
    try source.run(
      """
      CREATE TABLE t (id int PRIMARY KEY, secret text); INSERT INTO t VALUES (1, 'never');
      CREATE USER \(user) IDENTIFIED BY 'geheim'; GRANT SELECT (id) ON t TO \(user)
      """)
    var address = source.address
    (address.user, address.password) = (user, "geheim")
    #expect(try MariaDBConnector(address).probe().isReadOnly)
    #expect(try source.connector.probe().isReadOnly == false)
    #expect(try source.connector.probe().product.hasPrefix("MariaDB 1"))
    let plan = source.plan("t", [("id", .integer)])
    let reader = try MariaDBConnector(address).openReader(plan)
    #expect(try reader.read(into: RowBatch()) == .rows)
    reader.close()
    let greedy = source.plan("t", [("id", .integer), ("secret", .text)])
    #expect(throws: ConnectorError.self) { try MariaDBConnector(address).openReader(greedy).read(into: RowBatch()) }
    try source.run("GRANT INSERT ON t TO \(user)")
    #expect(try MariaDBConnector(address).probe().isReadOnly == false)
    address.password = "falsch"
    #expect { try MariaDBConnector(address).probe() } throws: {
      ($0 as? ConnectorError)?.kind == .permanent && ($0 as? ConnectorError)?.code == "mariadb.connect"
        && !"\($0)".contains("falsch")
    }
  }

  @Test(arguments: [
    (["GRANT SELECT, SHOW VIEW ON `a`.* TO `r`@`%`", "GRANT USAGE ON *.* TO `r`@`%`"], false, true),
    (["GRANT SELECT (`a`, `b`), INSERT (`c`) ON `a`.`t` TO `r`@`%`"], false, false),
    (["GRANT ALL PRIVILEGES ON *.* TO `r`@`%`"], true, false),
    (["GRANT INSERT, UPDATE ON `a`.* TO `r`@`%`"], true, true),
    (["GRANT `clerk` TO `r`@`%`", "GRANT USAGE ON *.* TO `r`@`%`"], false, false),
  ])
  func `rights are read from the server's own words`(lines: [String], isReplica: Bool, isReadOnly: Bool) {
    #expect(MariaDBGrants.onlyRead(lines, onReplica: isReplica) == isReadOnly)
  }

  @Test(arguments: [
    ("10.11.6-MariaDB-0+deb12u1", "", "MariaDB 10.11.6"), ("5.5.5-10.2.8-MariaDB", "", "MariaDB 10.2.8"),
    ("8.0.36", "MySQL Community Server - GPL", "MySQL 8.0.36"), ("5.7.44-log", "", "MySQL 5.7.44"),
    ("8.0.11-TiDB-v7.5.1", "TiDB Server", "TiDB 7.5.1"), ("5.7.25-OceanBase-v4.2.1.0", "", "OceanBase 4.2.1.0"),
    ("5.7.25", "OceanBase 4.0.0.0", "OceanBase "),
  ])
  func `a product is known by its version`(version: String, comment: String, product: String) {
    let found = MariaDBProduct(version: version, comment: comment)
    #expect("\(found.name) \(found.version)" == product)
  }
}
