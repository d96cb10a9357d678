import Connecting
import Kernel
import TestKit
import Testing

@testable import ConnectorSQLite

/// Keys whose collation takes texts of different bytes for equal.
@Suite struct CollationTests {
  private func readAll(_ plan: ReadPlan, _ path: String) throws -> [[RowField]] {
    var (found, plan, after): ([[RowField]], ReadPlan, [UInt8]?) = ([], plan, nil)
    let batch = RowBatch(capacity: 1)
    while true {
      plan.range = .full(after: after)
      let reader = try SQLiteConnector(path: path).openReader(plan)
      defer { reader.close() }
      guard try reader.read(into: batch) == .rows else { return found }
      for row in 0..<batch.rowCount { found.append(batch.fields(row)) }
      after = reader.position
    }
  }

  @Test(arguments: [
    "CREATE TABLE t (k TEXT COLLATE NOCASE NOT NULL, v INTEGER); CREATE UNIQUE INDEX u ON t (k COLLATE BINARY)",
    "CREATE TABLE t (k TEXT COLLATE nocase NOT NULL, v INTEGER); CREATE UNIQUE INDEX u ON t (k COLLATE binary)",
    "CREATE TABLE t (k TEXT COLLATE RTRIM NOT NULL, v INTEGER, PRIMARY KEY (k COLLATE BINARY)) WITHOUT ROWID",
    "CREATE TABLE b (k TEXT COLLATE NOCASE NOT NULL, v INTEGER); CREATE VIEW t AS SELECT * FROM b",
    "CREATE TABLE t (k TEXT NOT NULL, v INTEGER)",
  ])
  func `are read in one order of their bytes, none passed over where a reading goes on`(table: String) async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/s.db"
      let connection = try SQLiteConnection(path, writes: true)
      try connection.run(table)
      let keys = ["a", "A", "a ", "b", "B", "c"]
      let target = table.contains("VIEW") ? "b" : "t"
      for (number, key) in keys.enumerated() {
        try connection.run("INSERT INTO \(target) VALUES ('\(key)', \(number))")
      }
      let plan = ReadPlan(table: TableName("t"), columns: [.init("v", .integer), .init("k", .text)], key: [1])
      #expect(Set(try readAll(plan, path)).count == keys.count)
      guard target == "t" else { return }
      let cuts = try SQLiteConnector(path: path).cut(plan, into: 3)
      var count = 0
      for (after, through) in zip([nil] + cuts.map { Optional($0) }, cuts.map { Optional($0) } + [nil]) {
        var part = plan
        (part.range, part.through) = (.full(after: after), through)
        let reader = try SQLiteConnector(path: path).openReader(part)
        defer { reader.close() }
        let batch = RowBatch()
        while try reader.read(into: batch) != .end { count += batch.rowCount }
      }
      #expect(cuts.count == 2 && count == keys.count)
    }
  }

  @Test func `an index serves the order where the column itself tells bytes apart`() async throws {
    try await withTemporaryFolder { folder in
      let connection = try SQLiteConnection(folder + "/s.db", writes: true)
      try connection.run("CREATE TABLE t (k TEXT, n INTEGER, c TEXT COLLATE NOCASE, PRIMARY KEY (k, n))")
      let table = try SQLiteTable.read(TableName("t"), connection)
      #expect(["k", "n", "c"].map(table.order) == ["\"k\"", "\"n\"", "\"c\" COLLATE BINARY"])
    }
  }

  private func plan(_ fence: Int64 = 1) -> WritePlan {
    WritePlan(
      table: TableName("t"), columns: [.init("k", .text), .init("v", .text)], key: [0], stream: "g", run: "r",
      fence: fence)
  }

  @Test(arguments: [
    "k TEXT COLLATE NOCASE, v TEXT, sj_batch INTEGER NOT NULL, sj_stale_batch INTEGER, sj_stale_since TIMESTAMP, PRIMARY KEY (k)",
    "k TEXT, v TEXT, sj_batch INTEGER NOT NULL, sj_stale_batch INTEGER, sj_stale_since TIMESTAMP, PRIMARY KEY (k COLLATE RTRIM)",
    "k TEXT COLLATE nocase, v TEXT, sj_batch INTEGER NOT NULL, sj_stale_batch INTEGER, sj_stale_since TIMESTAMP, PRIMARY KEY (k COLLATE BINARY)",
  ])
  func `of a target's are refused when it is prepared`(columns: String) async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/t.db"
      try SQLiteConnection(path, writes: true).run("CREATE TABLE t (\(columns))")
      let writer = try SQLiteConnector(path: path).openWriter(plan())
      defer { writer.close() }
      #expect { try writer.open() } throws: { error in
        guard let error = error as? ConnectorError else { return false }
        return error.code == "contract.target-column-collation" && error.message.chinese.contains("“k”")
      }
    }
  }

  @Test func `a change of case is one, whatever collation somebody gave the other columns`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/t.db"
      try SQLiteConnection(path, writes: true).run(
        """
        CREATE TABLE t (k TEXT, v TEXT COLLATE NOCASE, sj_batch INTEGER NOT NULL, sj_stale_batch INTEGER,
          sj_stale_since TIMESTAMP, PRIMARY KEY (k))
        """)
      let writer = try SQLiteConnector(path: path).openWriter(plan())
      defer { writer.close() }
      #expect(try writer.open() == nil)
      func row(_ value: String) -> RowBatch {
        let batch = RowBatch(capacity: RowBatch.smallest)
        batch.beginRow(fields: 2)
        for text in ["k", value] { Array(text.utf8).withUnsafeBytes { batch.append($0) } }
        batch.endRow()
        return batch
      }
      _ = try writer.write(row("abc"), batch: 1, mode: .append)
      try writer.commit(nil, state: "s", durable: true)
      let outcome = try writer.write(
        row("ABC"), batch: 2, mode: .merge(rewriteFrom: .max, ownFrom: .max, mostlyNew: false))
      try writer.commit(nil, state: "s", durable: true)
      #expect(outcome.updated == 1)
      #expect(try SQLiteConnection(path, writes: false).rows("SELECT v FROM t") == [["ABC"]])
    }
  }
}
