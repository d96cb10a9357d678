import Connecting
import Kernel
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

@Suite struct SQLiteDeletingTests {
  @Test func `rows are removed by their keys, unless this run wrote them`() async throws {
    try await withTemporaryFolder { folder in
      let connector = SQLiteConnector(path: folder + "/target.db")
      let plan = WritePlan(
        table: TableName("t"),
        columns: [
          .init("名", .text, length: 10), .init("额", .decimal(precision: 10, scale: 2)), .init("日", .date),
          .init("值", .integer),
        ], key: [2, 0, 1], stream: "g", run: "r", fence: 1)
      let writer = try connector.openWriter(plan)
      defer { writer.close() }
      #expect(try writer.open() == nil)
      func rows(_ numbers: ClosedRange<Int>, keysOnly: Bool) -> RowBatch {
        let batch = RowBatch(capacity: RowBatch.smallest)
        for number in numbers {
          let (name, amount) = (Array("名\(number)".utf8), Array("\(number).50".utf8))
          batch.beginRow(fields: keysOnly ? 3 : 4)
          if keysOnly { batch.append(Int32(number)) }
          name.withUnsafeBytes { batch.append($0) }
          _ = amount.withUnsafeBytes { Decimal38($0)?.append(precision: 10, scale: 2, to: batch) }
          if !keysOnly {
            batch.append(Int32(number))
            batch.append(Int64(number))
          }
          batch.endRow()
        }
        return batch
      }
      _ = try writer.write(rows(1...100, keysOnly: false), batch: 1, mode: .append)
      _ = try writer.write(rows(101...110, keysOnly: false), batch: 2, mode: .append)
      try writer.commit(nil, state: "s", durable: true)
      #expect(
        try writer.deleteKeys(rows(91...120, keysOnly: true), writtenBefore: 2, at: Instant(milliseconds: 0)) == 10)
      #expect(
        try writer.deleteKeys(RowBatch(capacity: RowBatch.smallest), writtenBefore: 2, at: Instant(milliseconds: 0))
          == 0)
      writer.rollback()
      #expect(try writer.deleteKeys(rows(1...1, keysOnly: true), writtenBefore: 2, at: Instant(milliseconds: 0)) == 1)
      try writer.commit(nil, state: "s", durable: true)
      #expect(
        try SQLiteConnection(folder + "/target.db", writes: false).rows("SELECT count(*), min(\"值\") FROM t") == [
          ["109", "2"]
        ])
    }
  }

  /// As a source may have them: infinite times, NaN, 1e130000.
  @Test(
    arguments: [
      ([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], ValueType.timestamp), ([0x7F, 0xFF, 0xFF, 0xFF], .date),
      ([0, 0, 0, 0, 0xC0, 0, 0, 0], .decimal(precision: 38, scale: 10)), ([0x7F, 0xF0, 0, 0, 0, 0, 0, 0], .double),
      ([0, 1, 0x7E, 0xF4, 0, 0, 0, 0, 0, 1], .decimal(precision: 38, scale: 10)),
    ] as [([UInt8], ValueType)])
  func `a value outside of every contract ends the write and not the process`(value: [UInt8], type: ValueType)
    async throws
  {
    try await withTemporaryFolder { folder in
      let plan = WritePlan(
        table: TableName("t"), columns: [.init("k", type), .init("v", .integer)], key: [0], stream: "g", run: "r",
        fence: 1)
      let writer = try SQLiteConnector(path: folder + "/target.db").openWriter(plan)
      defer { writer.close() }
      #expect(try writer.open() == nil)
      func batch(isKey: Bool) -> RowBatch {
        let batch = RowBatch(capacity: RowBatch.smallest)
        batch.beginRow(fields: isKey ? 1 : 2)
        value.withUnsafeBytes { batch.append($0) }
        if !isKey { batch.append(Int64(1)) }
        batch.endRow()
        return batch
      }
      let refused = ConnectorError.outsideOfContract(type)
      #expect(throws: refused) { try writer.write(batch(isKey: false), batch: 1, mode: .append) }
      #expect(throws: refused) { try writer.markStale(batch(isKey: true), batch: 1, at: Instant(milliseconds: 0)) }
      #expect(throws: refused) {
        try writer.deleteKeys(batch(isKey: true), writtenBefore: 1, at: Instant(milliseconds: 0))
      }
      writer.rollback()
    }
  }
}
