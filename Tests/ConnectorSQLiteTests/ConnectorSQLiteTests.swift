import Connecting
import TestKit
import Testing

@testable import ConnectorSQLite

@Suite struct ConnectorSQLiteTests {
  @Test(arguments: [
    ("INTEGER", ValueType.integer), ("bigint", .integer), ("VARCHAR(60)", .text), ("nvarchar(20)", .text),
    ("TEXT", .text),
    ("DECIMAL(18,2)", .decimal(precision: 18, scale: 2)), ("DECIMAL_TEXT(38, 10)", .decimal(precision: 38, scale: 10)),
    ("NUMERIC", .decimal(precision: 38, scale: 10)), ("NUMERIC(8)", .decimal(precision: 8, scale: 0)),
    ("REAL", .double),
    ("DATE", .date), ("DATETIME", .timestamp), ("TIMESTAMP", .timestamp), ("BOOLEAN", .boolean), ("BLOB", .bytes),
    ("", nil),
    ("GEOMETRY", nil), ("DECIMAL(60,2)", nil),
  ])
  func `a declared type says what the column holds`(declared: String, type: ValueType?) {
    #expect(SQLiteTable.type(of: declared) == type)
  }

  @Test func `a table is described with its key, lengths and views`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/a.db"
      try SQLiteConnection(path, writes: true).run(
        """
        CREATE TABLE "企业" ("名称" VARCHAR(60) NOT NULL, "代码" TEXT, "序号" INTEGER, PRIMARY KEY ("代码", "序号"));
        CREATE VIEW v AS SELECT 1 AS one; CREATE TABLE r (id INTEGER PRIMARY KEY)
        """)
      let connector = SQLiteConnector(path: path)
      #expect(try connector.tables().map(\.name.name) == ["r", "v", "企业"])
      let table = try connector.describe(TableName("企业"))
      #expect(table.key.map(\.name) == ["代码", "序号"])
      #expect(table.columns.map(\.length) == [60, nil, nil])
      // SQLite lets a primary key be NULL, unless it is the row id.
      #expect(table.columns.map(\.isNullable) == [false, true, true])
      #expect(try connector.describe(TableName("r")).columns[0].isNullable == false)
      #expect(throws: ConnectorError.self) { try connector.describe(TableName("nothing")) }
    }
  }

  @Test func `a target commits with full synchronisation`() async throws {
    try await withTemporaryFolder { folder in
      let connection = try SQLiteConnection(folder + "/a.db", writes: true)
      #expect(try connection.rows("PRAGMA synchronous") == [["2"]])
    }
  }
}
