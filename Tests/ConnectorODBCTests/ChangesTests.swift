import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorODBC

/// What changes of another's log need of a target: rows by key, looked at before they are committed.
@Suite struct ChangesTests {
  private static let columns = [
    WritePlan.Column("k", .text, length: 20), .init("v", .text), .init("n", .decimal(precision: 18, scale: 2)),
    .init("raw", .bytes), .init("at", .timestamp),
  ]

  private func batch(_ rows: [[String?]], _ columns: [WritePlan.Column] = columns) -> RowBatch {
    let batch = RowBatch()
    for row in rows {
      batch.beginRow(fields: columns.count)
      for (value, column) in zip(row, columns) {
        guard let value else {
          batch.appendNull()
          continue
        }
        Array(value.utf8).withUnsafeBytes { CanonicalText(zone: 0).append($0, as: column.type, to: batch) }
      }
      batch.endRow()
    }
    return batch
  }

  private func all(_ reader: any RowReader) throws -> Set<[RowField]> {
    defer { reader.close() }
    let batch = RowBatch()
    var rows: Set<[RowField]> = []
    while try reader.read(into: batch) != .end { for row in 0..<batch.rowCount { rows.insert(batch.fields(row)) } }
    return rows
  }

  private func fields(_ rows: [[String?]], batch number: UInt8) -> Set<[RowField]> {
    let rows = batch(rows)
    return Set((0..<rows.rowCount).map { rows.fields($0) + [.value([0, 0, 0, 0, 0, 0, 0, number])] })
  }

  private func keys(_ names: [String]) -> RowBatch { batch(names.map { [$0] }, [Self.columns[0]]) }

  private func follow(_ address: ODBCAddress) throws {
    let plan = WritePlan(
      table: TableName("变更"), columns: Self.columns, key: [0], stream: "g", run: "r", fence: 1)
    let writer = try ODBCWriter(plan, address)
    defer { writer.close() }
    _ = try writer.open()
    let time = "2026-08-22 01:00:00.000001"
    // As many as an INSERT holds, and some more; empty bytes and long ones among them.
    let first = (0..<230).map { index -> [String?] in
      [
        "k\(index)", index % 5 == 0 ? nil : "值\(index)😀", "\(index).50",
        index % 3 == 0 ? "" : String(repeating: "b", count: index * 3),
        index % 7 == 0 ? nil : time,
      ]
    }
    let outcome = try writer.write(batch(first), batch: 1, mode: .insert)
    #expect(outcome.inserted == 230 && outcome.updated == 0)
    #expect(try all(writer.written()) == fields(first, batch: 1))
    try writer.commit(nil, state: "one", durable: true)
    let changed: [[String?]] = [
      ["k3", "新", "1.00", "x", time], ["K3", nil, nil, nil, nil], ["k3 ", "", "0.00", "", time],
    ]
    let second = try writer.write(batch(changed), batch: 2, mode: .upsert)
    #expect(second.inserted == 2 && second.updated == 1)
    #expect(try all(writer.written()) == fields(changed, batch: 2))
    #expect(
      try all(writer.current(keys(["k3", "k4", "nobody"])))
        == fields([changed[0]], batch: 2).union(fields([first[4]], batch: 1)))
    #expect(
      try writer.deleteKeys(keys(["k1", "k2", "k3", "nobody"]), writtenBefore: 2, at: Instant(milliseconds: 0)) == 2)
    try writer.commit(nil, state: "two", durable: false)
    #expect(try writer.deleteAll(at: Instant(milliseconds: 0)) == 230)
    writer.rollback()
    #expect(try all(writer.readBack(2...2)) == fields(changed, batch: 2))
    #expect(try all(writer.readBack(1...2)).count == 230)
  }

  @Test func `changes are written by key and looked at as PostgreSQL holds them`() throws {
    try follow(try Source(zone: 28_800).address)
  }

  @Test func `changes are written by key and looked at as SQLite holds them`() async throws {
    try await withTemporaryFolder { folder in
      try follow(ODBCAddress(driver: "SQLite3", database: folder + "/x.db", zone: 28_800))
    }
  }
}
