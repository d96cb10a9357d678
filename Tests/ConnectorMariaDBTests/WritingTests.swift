import Connecting
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB

@Suite struct WritingTests {
  private static let columns: [WritePlan.Column] = [
    .init("id", .integer), .init("k", .text, length: 20), .init("note", .text), .init("name", .text, length: 12),
    .init("d", .decimal(precision: 38, scale: 10)), .init("f", .double), .init("b", .boolean), .init("day", .date),
    .init("at", .timestamp), .init("raw", .bytes),
  ]

  private func plan(
    _ columns: [WritePlan.Column] = columns, key: [Int] = [0, 1], stream: String = "g1", fence: Int64 = 1
  ) -> WritePlan {
    WritePlan(table: TableName("接收"), columns: columns, key: key, stream: stream, run: "r1", fence: fence)
  }

  /// Rows of text values in `columns`' spelling; nil is NULL.
  private func batch(_ rows: [[String?]], _ columns: [WritePlan.Column] = columns) -> RowBatch {
    let batch = RowBatch()
    for row in rows {
      batch.beginRow(fields: columns.count)
      for (value, column) in zip(row, columns) {
        guard let value else {
          batch.appendNull()
          continue
        }
        Array(value.utf8).withUnsafeBytes {
          CanonicalText(zone: 0, trustsText: true).append($0, as: column.type, to: batch)
        }
      }
      batch.endRow()
    }
    return batch
  }

  private static let extremes: [[String?]] = [
    [
      "-9223372036854775808", "a", "", "", "-1234567890123456789012345678.0123456789", "-1.7976931348623157e308", "0",
      "0001-01-01", "0001-01-01 00:00:00", "",
    ],
    [
      "9223372036854775807", "A", "𠮷'\"\\`%\n\r\u{1A}", "正好十二个汉字的名字啊啊", "0.0000000001", "5e-324", "1", "9999-12-31",
      "9999-12-31 23:59:59.999999", "x'\\",
    ],
    ["0", "a ", "trailing  ", " x ", "0", "0.1", "1", "1899-12-31", "1899-12-31 23:59:59.999999", "\u{0}\u{1}"],
    ["1", "é", nil, nil, nil, nil, nil, nil, nil, nil],
    [
      "1", "e\u{301}", "NULL", "\\N", "9999999999999999999999999999.9999999999", "3.0000000000000004", "0",
      "2000-02-29", "2026-08-22 01:02:03.000004", "é",
    ],
  ]

  @Test(
    arguments: [
      ([0x7F, 0xF0, 0, 0, 0, 0, 0, 0], ValueType.double), ([0xFF, 0xF8, 0, 0, 0, 0, 0, 0], .double),
      ([0, 0, 0, 0, 0xC0, 0, 0, 0], .decimal(precision: 18, scale: 2)), ([0x7F, 0xFF, 0xFF, 0xFF], .date),
      ([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .timestamp), ([0x80, 0, 0, 0, 0, 0, 0, 0], .timestamp),
      ([], .integer),
    ] as [([UInt8], ValueType)])
  func `a key that no column here can hold equals none, and its row is refused`(key: [UInt8], type: ValueType) throws {
    for (zone, arrays) in [(28_800, true), (0, false)] {
      let source = try Source(zone: zone)
      let plan = WritePlan(
        table: TableName("接收"), columns: [.init("k", type), .init("v", .integer)], key: [0], stream: "g1", run: "r1",
        fence: 1)
      let writer = try MariaDBConnector(address(source, arrays: arrays)).openWriter(plan)
      defer { writer.close() }
      #expect(try writer.open() == nil)
      let keys = RowBatch(capacity: RowBatch.smallest)
      keys.beginRow(fields: 1)
      key.withUnsafeBytes { keys.append($0) }
      keys.endRow()
      #expect(try writer.markStale(keys, batch: 1, at: Instant(milliseconds: 0)) == 0)
      guard type != .integer, type != .double || !arrays else { continue }
      let rows = RowBatch(capacity: RowBatch.smallest)
      rows.beginRow(fields: 2)
      key.withUnsafeBytes { rows.append($0) }
      rows.append(Int64(1))
      rows.endRow()
      #expect { try writer.write(rows, batch: 1, mode: .append) } throws: { ($0 as? ConnectorError)?.kind == .data }
    }
  }

  private func address(_ source: Source, arrays: Bool) -> MariaDBAddress {
    var address = source.address
    address.usesArrays = arrays
    return address
  }

  private func record(_ batch: Int64, _ rows: Int) -> BatchRecord {
    BatchRecord(
      batch: batch, run: "r1", delivered: rows, quarantined: 0, bytes: 1, digest: String(repeating: "0", count: 64))
  }

  private func all(_ reader: any RowReader) throws -> [[RowField]] {
    defer { reader.close() }
    let batch = RowBatch()
    var rows: [[RowField]] = []
    while try reader.read(into: batch) != .end { rows += (0..<batch.rowCount).map { batch.fields($0) } }
    return rows
  }

  @Test(arguments: [true, false], [true, false])
  func `every value comes back as it was written, by arrays and by text, appended and merged`(
    arrays: Bool, appends: Bool
  )
    throws
  {
    let source = try Source()
    let writer = try MariaDBWriter(plan(), address(source, arrays: arrays))
    defer { writer.close() }
    #expect(try writer.open() == nil && writer.isEmpty())
    let rows = batch(Self.extremes)
    let outcome = try writer.write(rows, batch: 7, mode: appends ? .append : .merge(rewriteFrom: 7, ownFrom: 7))
    #expect(outcome.inserted == 5 && outcome.updated == 0 && outcome.written == nil)
    try writer.commit(record(7, 5), state: "s", durable: true)
    let sent = (0..<5).map { rows.fields($0) + [.value([0, 0, 0, 0, 0, 0, 0, 7])] }
    #expect(Set(try all(writer.readBack(7...7))) == Set(sent))
    let beside = try #require(try source.connector.openBatchReader(plan()))
    #expect(Set(try all(beside.read(7, in: 0..<0))) == Set(sent))
    beside.close()
    // And as a source like any other.
    let read = source.plan("接收", Self.columns.map { ($0.name, $0.type) }, key: [0, 1])
    #expect(Set(try source.read(read).rows) == Set((0..<5).map { rows.fields($0) }))
    #expect(
      try source.connector.describe(TableName("接收")).columns.prefix(10).map(\.type) == [
        .integer, .text, .text, .text, .decimal(precision: 38, scale: 10), .double, .boolean, .date, .timestamp, .bytes,
      ])
  }

  @Test(arguments: [true, false])
  func `thousands of rows of all sizes arrive whole, whatever the server's message may hold`(arrays: Bool) throws {
    let server = try MariaDBServer.shared.get()
    let source = try Source(on: server)
    let columns = [WritePlan.Column("id", .integer), WritePlan.Column("v", .text), WritePlan.Column("w", .bytes)]
    let rows = RowBatch(capacity: 8 << 20)
    for id in 0..<5003 {
      rows.beginRow(fields: 3)
      rows.append(Int64(id))
      let long = id % 1000 == 999 ? 1_500_000 : id % 97
      [UInt8](repeating: id % 2 == 0 ? 0x27 : 0x61, count: long).withUnsafeBytes { rows.append($0) }
      [UInt8](repeating: UInt8(id % 256), count: id % 13).withUnsafeBytes { rows.append($0) }
      rows.endRow()
    }
    let writer = try MariaDBWriter(plan(columns, key: [0]), address(source, arrays: arrays))
    defer { writer.close() }
    _ = try writer.open()
    _ = try writer.write(rows, batch: 1, mode: .append)
    try writer.commit(record(1, 5003), state: "s", durable: false)
    let found = try all(writer.readBack(1...1))
    let sent = (0..<5003).map { rows.fields($0) + [.value([0, 0, 0, 0, 0, 0, 0, 1])] }
    #expect(found.count == 5003)
    #expect(zip(found, sent).enumerated().filter { $1.0 != $1.1 }.map(\.offset).prefix(9) == [])
    // One that no message can hold.
    let huge = RowBatch()
    huge.beginRow(fields: 3)
    huge.append(Int64(9999))
    [UInt8](repeating: 0x61, count: 17 << 20).withUnsafeBytes { huge.append($0) }
    huge.appendNull()
    huge.endRow()
    #expect { try writer.write(huge, batch: 2, mode: .append) } throws: {
      ($0 as? ConnectorError)?.code == "mariadb.packet"
    }
    writer.rollback()
    #expect(try source.rows("SELECT count(*) FROM `接收`") == [["5003"]])
  }

  @Test(arguments: [true, false])
  func `merging writes what differs by one byte, names what came twice, and leaves the rest`(arrays: Bool) throws {
    let source = try Source()
    let columns = [WritePlan.Column("k", .text), .init("v", .text), .init("n", .double)]
    let writer = try MariaDBWriter(plan(columns, key: [0]), address(source, arrays: arrays))
    defer { writer.close() }
    _ = try writer.open()
    _ = try writer.write(
      batch([["a", "v", "1"], ["A", "v", nil], ["a ", "v", "1"], ["b", nil, "1"], ["c", "v", "1"]], columns), batch: 1,
      mode: .append)
    try writer.commit(record(1, 5), state: "s", durable: true)
    // Row 3's flag goes when it is seen to be good as it stands.
    let key = batch([["c"]], [columns[0]])
    #expect(try writer.markStale(key, batch: 2, at: Instant(milliseconds: 1_787_400_000_123)) == 1)
    #expect(try writer.markStale(batch([["zz"]], [columns[0]]), batch: 2, at: Instant(milliseconds: 0)) == 0)
    try writer.commit(record(2, 0), state: "s", durable: true)
    #expect(try writer.countStale(2...2) == 1)
    #expect(try source.rows("SELECT sj_stale_since FROM `接收` WHERE k = 'c'")[0][0]?.hasSuffix(".123000") == true)
    let outcome = try writer.write(
      batch(
        [["a", "V", "1"], ["A", "v", nil], ["a ", "v ", "1"], ["b", "", "1"], ["c", "v", "1"], ["d", "v", "1"]], columns
      ),
      batch: 3, mode: .merge(rewriteFrom: 3, ownFrom: 3))
    #expect(
      outcome.written == [0, 2, 3, 5] && outcome.inserted == 1 && outcome.updated == 3 && outcome.duplicates.isEmpty)
    try writer.commit(record(3, 4), state: "s", durable: true)
    #expect(try writer.countStale(1...9) == 0)
    let again = try writer.write(
      batch([["a", "V", "1"], ["A", "w", nil], ["c", "v", "1"]], columns), batch: 4,
      mode: .merge(rewriteFrom: 3, ownFrom: 3))
    #expect(again.duplicates == [0] && again.written == [1] && again.updated == 1)
    writer.rollback()
    // What an interrupted run wrote is written again, equal or not.
    let rewritten = try writer.write(
      batch([["a", "V", "1"], ["c", "v", "1"]], columns), batch: 4, mode: .merge(rewriteFrom: 3, ownFrom: 4))
    #expect(rewritten.written == [0] && rewritten.updated == 1 && rewritten.duplicates.isEmpty)
    try writer.commit(record(4, 1), state: "s", durable: true)
    #expect(
      try source.rows("SELECT k, v, sj_batch FROM `接收` ORDER BY k") == [
        ["A", "v", "1"], ["a", "V", "4"], ["a ", "v ", "3"], ["b", "", "3"], ["c", "v", "1"], ["d", "v", "3"],
      ])
    #expect(try writer.deleteOlder(than: 3, at: Instant(milliseconds: 0)) == 2)
    try writer.commit(nil, state: "s", durable: true)
    try writer.indexBatches()
    try writer.indexBatches()
    #expect(try writer.batches(1...9).map(\.batch) == [1, 2, 3, 4])
  }

  @Test func `rows, record and offset are one transaction, and an older fence changes nothing`() throws {
    let source = try Source()
    let columns = [WritePlan.Column("id", .integer)]
    let old = try MariaDBWriter(plan(columns, key: [0], fence: 1), source.address)
    _ = try old.open()
    _ = try old.write(batch([["1"]], columns), batch: 1, mode: .append)
    try old.commit(record(1, 1), state: "first", durable: true)
    _ = try old.write(batch([["2"]], columns), batch: 2, mode: .append)
    let new = try MariaDBWriter(plan(columns, key: [0], fence: 2), source.address)
    #expect(try new.open() == StoredOffset(fence: 1, run: "r1", batch: 1, state: "first"))
    #expect { try old.commit(record(2, 1), state: "second", durable: true) } throws: {
      ($0 as? ConnectorError)?.kind == .fenced
    }
    #expect(try source.rows("SELECT count(*), max(sj_batch) FROM `接收`") == [["1", "1"]])
    #expect(try new.batches(1...9).count == 1)
    let third = try MariaDBWriter(plan(columns, key: [0], fence: 1), source.address)
    #expect { try third.open() } throws: { ($0 as? ConnectorError)?.kind == .fenced }
    let rival = try MariaDBWriter(plan(columns, key: [0], stream: "g2", fence: 9), source.address)
    #expect { try rival.open() } throws: { ($0 as? ConnectorError)?.code == "contract.target-taken" }
    // A state that stays as it was is no other's.
    try new.commit(nil, state: "first", durable: true)
    try new.commit(nil, state: "first", durable: true)
  }

  @Test(arguments: [
    (
      "CREATE TABLE `接收` (id bigint PRIMARY KEY, v varchar(9), sj_batch bigint NOT NULL, sj_stale_batch bigint, sj_stale_since datetime(6)) ENGINE = MyISAM",
      "contract.target-engine"
    ),
    ("CREATE VIEW `接收` AS SELECT 1 AS id", "contract.target-engine"),
    (
      "CREATE TABLE `接收` (id bigint PRIMARY KEY, v varchar(9), sj_batch bigint NOT NULL, sj_stale_batch bigint)",
      "contract.target-column-missing"
    ),
    (
      "CREATE TABLE `接收` (id int PRIMARY KEY, v varchar(9), sj_batch bigint NOT NULL, sj_stale_batch bigint, sj_stale_since datetime(6))",
      "contract.target-column-type"
    ),
    (
      "CREATE TABLE `接收` (id bigint PRIMARY KEY, v varchar(9) CHARACTER SET gbk, sj_batch bigint NOT NULL, sj_stale_batch bigint, sj_stale_since datetime(6))",
      "contract.target-column-collation"
    ),
    (
      "CREATE TABLE `接收` (id bigint PRIMARY KEY, v varchar(9), w int, sj_batch bigint NOT NULL, sj_stale_batch bigint, sj_stale_since datetime(6))",
      "contract.target-column-extra"
    ),
    (
      "CREATE TABLE `接收` (id bigint, v varchar(9) PRIMARY KEY, sj_batch bigint NOT NULL, sj_stale_batch bigint, sj_stale_since datetime(6))",
      "contract.target-key"
    ),
    (
      "CREATE TABLE `接收` (id bigint PRIMARY KEY, v varchar(9) UNIQUE, sj_batch bigint NOT NULL, sj_stale_batch bigint, sj_stale_since datetime(6))",
      "contract.target-unique"
    ),
  ])
  func `a table that is not as it must be is refused and stays as it is`(sql: String, code: String) throws {
    let source = try Source()
    try source.run(sql)
    let writer = try MariaDBWriter(
      plan([.init("id", .integer), .init("v", .text, length: 9)], key: [0]), source.address)
    defer { writer.close() }
    #expect { try writer.open() } throws: { ($0 as? ConnectorError)?.code == code }
  }

  @Test func `a text key must be compared by bytes in a table that was there before`() throws {
    let source = try Source()
    let columns = [WritePlan.Column("k", .text, length: 9)]
    let rest = "sj_batch bigint NOT NULL, sj_stale_batch bigint, sj_stale_since datetime(6), PRIMARY KEY (k)"
    try source.run("CREATE TABLE `接收` (k varchar(9) COLLATE utf8mb4_general_ci NOT NULL, \(rest))")
    let refused = try MariaDBWriter(plan(columns, key: [0]), source.address)
    #expect { try refused.open() } throws: { ($0 as? ConnectorError)?.code == "contract.target-column-collation" }
    try source.run("DROP TABLE `接收`; CREATE TABLE `接收` (k varchar(9) COLLATE utf8mb4_nopad_bin NOT NULL, \(rest))")
    let writer = try MariaDBWriter(plan(columns, key: [0]), source.address)
    #expect(try writer.open() == nil)
    // Without our index a batch is found once it has been built.
    _ = try writer.write(batch([["a"], ["A"]], columns), batch: 1, mode: .append)
    try writer.commit(record(1, 2), state: "s", durable: true)
    try writer.indexBatches()
    #expect(try all(writer.readBack(1...1)).count == 2)
  }

  @Test func `a table of two hundred columns of text is made, and a key as long as an index may be`() throws {
    let source = try Source()
    let many =
      [WritePlan.Column("id", .integer)]
      + (1...180).map { WritePlan.Column("c\($0)", .text, length: $0 % 2 == 0 ? 20 : 500) }
    let wide = try MariaDBWriter(plan(many, key: [0]), source.address)
    #expect(try wide.open() == nil)
    _ = try wide.write(
      batch([["1"] + (1...180).map { _ in "二十个字" }], many), batch: 1, mode: .merge(rewriteFrom: 1, ownFrom: 1))
    try wide.commit(record(1, 1), state: "s", durable: true)
    wide.close()
    // Opened again, the table is what the plan wants.
    #expect(try MariaDBWriter(plan(many, key: [0]), source.address).open()?.state == "s")
    var long = plan([.init("k", .text), .init("l", .text, length: 300)], key: [0, 1], stream: "g2")
    long.table = TableName("long")
    #expect(try MariaDBWriter(long, source.address).open() == nil)
    long.columns[1].length = 800
    long.table = TableName("longer")
    let tooLong = long
    #expect { try MariaDBWriter(tooLong, source.address).open() } throws: {
      ($0 as? ConnectorError)?.code == "contract.target-key-long"
    }
  }

  @Test func `times are kept in the target's zone, and what it cannot hold is said`() throws {
    let source = try Source(zone: 28_800)
    let columns = [WritePlan.Column("id", .integer), .init("at", .timestamp)]
    let writer = try MariaDBWriter(plan(columns, key: [0]), source.address)
    _ = try writer.open()
    _ = try writer.write(batch([["1", "2026-08-22 01:00:00"]], columns), batch: 1, mode: .append)
    try writer.commit(record(1, 1), state: "s", durable: true)
    #expect(try source.rows("SELECT at FROM `接收`") == [["2026-08-22 09:00:00.000000"]])
    #expect(
      try source.texts(source.plan("接收", [("id", .integer), ("at", .timestamp)]))[0][1] == "2026-08-22 01:00:00.000000")
    #expect { try writer.write(batch([["2", "9999-12-31 23:00:00"]], columns), batch: 2, mode: .append) } throws: {
      ($0 as? ConnectorError)?.code == "mariadb.year"
    }
    writer.rollback()
  }

  @Test(arguments: [true, false])
  func `a value that does not fit is an error of the data and never cut`(arrays: Bool) throws {
    let source = try Source()
    let columns = [WritePlan.Column("id", .integer), .init("v", .text, length: 3)]
    let writer = try MariaDBWriter(plan(columns, key: [0]), address(source, arrays: arrays))
    _ = try writer.open()
    #expect { try writer.write(batch([["1", "geheim"]], columns), batch: 1, mode: .append) } throws: {
      ($0 as? ConnectorError)?.kind == .data && !"\($0)".contains("geheim")
    }
    writer.rollback()
    _ = try writer.write(batch([["1", "abc"]], columns), batch: 1, mode: .append)
    #expect { try writer.write(batch([["1", "abc"]], columns), batch: 1, mode: .append) } throws: {
      ($0 as? ConnectorError)?.code == "mariadb.1062" && !"\($0)".contains("'1'")
    }
    writer.rollback()
    #expect(try writer.isEmpty())
  }

  @Test func `a server that dies while rows are written is reported as gone, and nothing half-written remains`()
    async throws
  {
    try await withMariaDBServer { server in
      let source = try Source(on: server)
      let columns = [WritePlan.Column("id", .integer), .init("v", .text)]
      let writer = try MariaDBWriter(plan(columns, key: [0]), source.address)
      _ = try writer.open()
      let rows = batch((1...500).map { ["\($0)", "v"] }, columns)
      _ = try writer.write(rows, batch: 1, mode: .append)
      try writer.commit(record(1, 500), state: "one", durable: true)
      _ = try writer.write(batch((501...900).map { ["\($0)", "v"] }, columns), batch: 2, mode: .append)
      server.stop(.kill)
      #expect { try writer.commit(record(2, 400), state: "two", durable: true) } throws: {
        ($0 as? ConnectorError)?.kind == .retryable
      }
      writer.rollback()
      writer.close()
      #expect { try MariaDBConnector(source.address).probe() } throws: { ($0 as? ConnectorError)?.kind == .retryable }
      try server.start()
      let next = try MariaDBWriter(plan(columns, key: [0], fence: 2), source.address)
      #expect(try next.open() == StoredOffset(fence: 1, run: "r1", batch: 1, state: "one"))
      #expect(try source.rows("SELECT count(*), max(sj_batch) FROM `接收`") == [["500", "1"]])
    }
  }
}
