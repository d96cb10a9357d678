import Connecting
import Testing

@testable import ConnectorODBC

/// The SQL of the products that no server of is here, looked at as text.
@Suite struct DialectTests {
  private func column(_ name: String, _ written: String, _ dialect: ODBCDialect, size: Int? = nil, scale: Int? = nil)
    -> ODBCTable.Column
  {
    ODBCTable.column(name, written, code: 0, size: size, scale: scale, isNullable: true, dialect)
  }

  @Test(
    arguments: [
      (ODBCDialect.sqlserver, "int identity", nil, nil, ValueType.integer),
      (.sqlserver, "decimal", 38, 10, .decimal(precision: 38, scale: 10)),
      (.sqlserver, "nvarchar", 40, nil, .text), (.sqlserver, "datetimeoffset", 34, 7, .timestamp),
      (.sqlserver, "bit", 1, nil, .boolean),
      (.sqlserver, "uniqueidentifier", 36, nil, .text), (.sqlserver, "money", 19, 4, .decimal(precision: 19, scale: 4)),
      (.sqlserver, "geometry", nil, nil, nil), (.sqlserver, "sql_variant", 8000, nil, nil),
      (.sqlserver, "rowversion", 8, nil, .bytes),
      (.oracle, "NUMBER", 10, 0, .integer), (.oracle, "NUMBER", 38, 0, .decimal(precision: 38, scale: 0)),
      (.oracle, "NUMBER", 18, 2, .decimal(precision: 18, scale: 2)),
      (.oracle, "NUMBER", 0, nil, .decimal(precision: 38, scale: 10)),
      (.oracle, "NUMBER", 2, 5, .decimal(precision: 5, scale: 5)), (.oracle, "DATE", 19, nil, .timestamp),
      (.oracle, "TIMESTAMP(6) WITH TIME ZONE", nil, nil, .timestamp), (.oracle, "CLOB", nil, nil, .text),
      (.oracle, "LONG", nil, nil, nil),
      (.oracle, "BINARY_DOUBLE", nil, nil, .double), (.oracle, "RAW", 16, nil, .bytes),
      (.dm, "BIGINT", 19, 0, .integer), (.dm, "VARCHAR2", 40, nil, .text), (.dm, "DATE", 10, nil, .date),
      (.dm, "DATETIME(6)", nil, nil, .timestamp), (.dm, "NUMBER", 22, 4, .decimal(precision: 22, scale: 4)),
      (.dm, "BIT", 1, nil, .boolean),
      (.dm, "INTERVAL DAY TO SECOND", nil, nil, nil),
    ] as [(ODBCDialect, String, Int?, Int?, ValueType?)])
  func `a product's types are carried or named as ones that cannot be`(
    dialect: ODBCDialect, written: String, size: Int?, scale: Int?, type: ValueType?
  ) {
    #expect(column("c", written, dialect, size: size, scale: scale).description.type == type)
  }

  @Test(arguments: [
    (ODBCDialect.sqlserver, "datetime2", "LEFT(CONVERT(varchar(27), t.c, 121), 26)", false),
    (.sqlserver, "datetimeoffset", "LEFT(CONVERT(varchar(34), SWITCHOFFSET(t.c, '+00:00'), 121), 26)", true),
    (.sqlserver, "datetime", "CONVERT(varchar(23), t.c, 121)", false), (.sqlserver, "nchar", "RTRIM(t.c)", false),
    (.sqlserver, "uniqueidentifier", "CONVERT(varchar(36), t.c)", false), (.sqlserver, "bigint", "t.c", false),
    (.oracle, "DATE", "TO_CHAR(t.c, 'SYYYY-MM-DD HH24:MI:SS')", false),
    (.oracle, "NUMBER", "TO_CHAR(t.c, 'TM9')", false),
    (.oracle, "TIMESTAMP(6)", "TO_CHAR(t.c, 'SYYYY-MM-DD HH24:MI:SS.FF6')", false),
    (.oracle, "TIMESTAMP(6) WITH TIME ZONE", "TO_CHAR(SYS_EXTRACT_UTC(t.c), 'SYYYY-MM-DD HH24:MI:SS.FF6')", true),
    (.dm, "DATE", "TO_CHAR(t.c, 'YYYY-MM-DD')", false),
    (.dm, "TIMESTAMP", "TO_CHAR(t.c, 'YYYY-MM-DD HH24:MI:SS.FF6')", false),
    (.dm, "BIGINT", "t.c", false), (.generic, "anything", "t.c", false),
  ])
  func `values are spelled by the server where drivers differ`(
    dialect: ODBCDialect, written: String, sql: String, isInstant: Bool
  ) {
    let spelling = dialect.spelled(column("c", written, dialect), "t.c")
    #expect(spelling.sql == sql && spelling.isInstant == isInstant)
  }

  @Test func `a place in a key is kept to its last digit, in the column's own type`() throws {
    let exact = column("c", "datetime2", .sqlserver)
    #expect(ODBCDialect.sqlserver.place(exact, "t.c").sql == "CONVERT(varchar(27), t.c, 121)")
    #expect(
      try ODBCDialect.sqlserver.parameter(exact, Array("x".utf8), isUnique: true).sql == "CAST(? AS datetime2(7))")
    let text = column("c", "varchar", .sqlserver, size: 20)
    // A parameter of nvarchar would put the index on a varchar column out of use.
    #expect(try ODBCDialect.sqlserver.parameter(text, [], isUnique: true).sql == "CAST(? AS varchar(8000))")
    #expect(ODBCDialect.sqlserver.order(text, "t.c", isUnique: true) == "t.c")
    // Where the collation takes `a` for `A` and no index holds them apart, bytes decide, on both sides.
    #expect(ODBCDialect.sqlserver.order(text, "t.c", isUnique: false) == "CAST(t.c AS varbinary(8000))")
    #expect(
      try ODBCDialect.sqlserver.parameter(text, [], isUnique: false).sql
        == "CAST(CAST(? AS varchar(8000)) AS varbinary(8000))")
    let stamp = column("c", "TIMESTAMP(9)", .oracle)
    #expect(ODBCDialect.oracle.place(stamp, "t.c").sql == "TO_CHAR(t.c, 'SYYYY-MM-DD HH24:MI:SS.FF9')")
    #expect(
      try ODBCDialect.oracle.parameter(stamp, [], isUnique: true).sql == "TO_TIMESTAMP(?, 'SYYYY-MM-DD HH24:MI:SS.FF9')"
    )
    #expect(throws: ConnectorError.self) { try ODBCDialect.sqlite.parameter(text, Array("x1".utf8), isUnique: true) }
  }

  @Test(arguments: [
    (ODBCDialect.sqlserver, "SELECT TOP (5) a FROM t ORDER BY a"), (.dm, "SELECT TOP 5 a FROM t ORDER BY a"),
    (.oracle, "SELECT * FROM (SELECT a FROM t ORDER BY a) WHERE ROWNUM <= 5"),
    (.postgresql, "SELECT a FROM t ORDER BY a LIMIT 5"), (.sqlite, "SELECT a FROM t ORDER BY a LIMIT 5"),
    (.generic, "SELECT a FROM t ORDER BY a FETCH FIRST 5 ROWS ONLY"),
  ])
  func `a page is asked for in each product's words`(dialect: ODBCDialect, sql: String) {
    #expect(dialect.select("a", "FROM t ORDER BY a", atMost: 5) == sql)
    #expect(dialect.select("a", "FROM t", atMost: nil) == "SELECT a FROM t")
  }

  @Test func `rows are merged in one statement`() {
    func merge(_ dialect: ODBCDialect) -> String {
      dialect.merge(
        into: "T", from: "S", names: ["k", "v"], keys: ["k"], batchColumn: "b", batch: 7, clearing: ["x"])
    }
    #expect(
      merge(.sqlserver) == """
        MERGE INTO T WITH (HOLDLOCK) AS t USING S AS s ON (s.k = t.k) WHEN MATCHED THEN UPDATE SET t.v = s.v, t.b = 7, t.x = NULL
        WHEN NOT MATCHED THEN INSERT (k, v, b) VALUES (s.k, s.v, 7);
        """)
    #expect(
      merge(.oracle) == """
        MERGE INTO T t USING S s ON (s.k = t.k) WHEN MATCHED THEN UPDATE SET t.v = s.v, t.b = 7, t.x = NULL
        WHEN NOT MATCHED THEN INSERT (k, v, b) VALUES (s.k, s.v, 7)
        """)
    #expect(merge(.dm) == merge(.oracle))
    #expect(
      merge(.postgresql) == """
        INSERT INTO T (k, v, b) SELECT k, v, 7 FROM S WHERE 1 = 1
        ON CONFLICT (k) DO UPDATE SET v = EXCLUDED.v, b = EXCLUDED.b, x = NULL
        """)
  }

  @Test(arguments: [
    (
      ODBCDialect.sqlserver, WritePlan.Column("c", .text, length: 20), true,
      "nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL"
    ),
    (.sqlserver, .init("c", .text), false, "nvarchar(max) COLLATE Latin1_General_100_BIN2"),
    (.sqlserver, .init("c", .timestamp), false, "datetime2(6)"),
    (.sqlserver, .init("c", .bytes), true, "varbinary(800) NOT NULL"),
    (.oracle, .init("c", .text, length: 20), true, "VARCHAR2(20 CHAR) NOT NULL"),
    (.oracle, .init("c", .text), false, "CLOB"), (.oracle, .init("c", .integer), true, "NUMBER(19) NOT NULL"),
    (.oracle, .init("c", .boolean), false, "NUMBER(1)"), (.dm, .init("c", .text, length: 20), false, "VARCHAR(80)"),
    (.dm, .init("c", .decimal(precision: 38, scale: 10)), false, "DECIMAL(38,10)"),
    (.dm, .init("c", .double), false, "DOUBLE"),
  ])
  func `columns of a target are made in each product's types`(
    dialect: ODBCDialect, column: WritePlan.Column, isKey: Bool, definition: String
  ) {
    #expect(dialect.definition(column, isKey: isKey) == definition)
  }

  @Test func `an unknown product is a source and no target`() {
    #expect(ODBCDialect.allCases.filter { !$0.canWrite } == [.generic])
    #expect(ODBCDialect.allCases.filter { $0.pageRows != nil } == [.generic])
  }
}
