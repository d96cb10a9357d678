import Connecting
import Kernel
import TestKit
import Testing

@testable import ConnectorODBC

/// Keys whose collation takes texts of different bytes for equal.
@Suite struct CollationTests {
  private static let collation =
    "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"

  @Test func `of PostgreSQL are read in one order of their bytes, none passed over where a reading goes on`() throws {
    let source = try Source()
    try source.run(
      """
      \(Self.collation) CREATE TABLE t (k text COLLATE ci NOT NULL, v int); CREATE UNIQUE INDEX ON t (k COLLATE "C");
      INSERT INTO t VALUES ('a', 1), ('A', 2), ('b', 3), ('B', 4), ('á', 5)
      """)
    let plan = source.plan("t", [("k", .text), ("v", .integer)])
    let read = try source.read(plan)
    #expect(read.rows.count == 5)
    for (index, position) in read.positions.enumerated() {
      let rest = try source.read(source.plan("t", [("k", .text), ("v", .integer)], .full(after: position)))
      #expect(rest.rows == Array(read.rows.dropFirst(index + 1)))
    }
  }

  @Test func `of a target's in PostgreSQL are refused when it is prepared`() throws {
    let source = try Source()
    try source.run(
      """
      \(Self.collation) CREATE TABLE t (k varchar(10) COLLATE ci NOT NULL PRIMARY KEY, v text, sj_batch bigint NOT NULL,
        sj_stale_batch bigint, sj_stale_since timestamptz)
      """)
    let plan = WritePlan(
      table: TableName("t"), columns: [.init("k", .text, length: 10), .init("v", .text)], key: [0], stream: "g",
      run: "r", fence: 1)
    #expect {
      let writer = try source.connector.openWriter(plan)
      defer { writer.close() }
      _ = try writer.open()
    } throws: {
      ($0 as? ConnectorError)?.code == "contract.target-column-collation"
    }
  }
}

@Suite struct WrittenValueTests {
  @Test(arguments: [nil, 0, 28_800, -43_200] as [Int?])
  func `what lies outside of every contract is refused and ends no process`(zone: Int?) throws {
    var written = ODBCWrittenValue(zone: zone)
    let values: [([UInt8], ValueType)] = [
      ([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], .timestamp), ([0x80, 0, 0, 0, 0, 0, 0, 0], .timestamp),
      ([0x7F, 0xFF, 0xFF, 0xFF], .date), ([0x7F, 0xF0, 0, 0, 0, 0, 0, 0], .double),
      ([0, 1, 0x7E, 0xF4, 0, 0, 0, 0, 0, 1], .decimal(precision: 38, scale: 10)),
    ]
    for (bytes, type) in values {
      var kind: ConnectorError.Kind?
      do { try bytes.withUnsafeBytes { _ = try written.text($0, as: type) } } catch {
        kind = (error as? ConnectorError)?.kind
      }
      #expect(kind == .data, "\(type)")
    }
  }
}
