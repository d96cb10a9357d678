import Connecting
import Foundation
import Kernel
import Remote
import TestKit

@testable import ConnectorMessages
@testable import ConnectorSQLite

/// A table of a number and a text, sent to the documented receiver.
enum SentRows {
  static let columns: [WritePlan.Column] = [.init("k", .integer), .init("v", .text, length: 20)]

  static func plan(
    _ table: String = "t", stream: String = "s", run: String = "r1", fence: Int64 = 1,
    columns: [WritePlan.Column] = columns
  ) -> WritePlan {
    WritePlan(table: TableName(table), columns: columns, key: [0], stream: stream, run: run, fence: fence)
  }

  static func target(_ base: String, secret: String = MessageReceiver.secret) -> MessagesTarget {
    var target = MessagesTarget(
      address: try! RemoteAddress(base), headers: ["X-Token: a very secret token"], secret: Array(secret.utf8),
      messageBytes: 64 << 10)
    target.patience = .seconds(3)
    return target
  }

  static func writer(_ base: String, _ plan: WritePlan = plan()) throws -> any RowWriter {
    try MessagesConnector(target(base)).openWriter(plan)
  }

  static func rows(_ rows: [(Int64, String?)]) -> RowBatch {
    let batch = RowBatch()
    for (key, value) in rows {
      batch.beginRow(fields: 2)
      batch.append(key)
      if let value { Array(value.utf8).withUnsafeBytes { batch.append($0) } } else { batch.appendNull() }
      batch.endRow()
    }
    return batch
  }

  static func keys(_ keys: [Int64]) -> RowBatch {
    let batch = RowBatch()
    for key in keys {
      batch.beginRow(fields: 1)
      batch.append(key)
      batch.endRow()
    }
    return batch
  }

  static func record(_ batch: Int64, _ rows: Int, run: String = "r1") -> BatchRecord {
    BatchRecord(
      batch: batch, run: run, delivered: rows, quarantined: 0, bytes: rows, digest: String(repeating: "0", count: 64))
  }

  /// What the receiver's table holds: `key value flag`.
  static func held(_ receiver: MessageReceiver) throws -> [String] {
    try rows(receiver, "SELECT k, coalesce(v, '-'), coalesce(sj_stale_batch, '') FROM t ORDER BY k").map { row in
      row.compactMap { $0.flatMap { $0.isEmpty ? nil : $0 } }.joined(separator: " ")
    }
  }

  static func rows(_ receiver: MessageReceiver, _ sql: String) throws -> [[String?]] {
    try SQLiteConnection(receiver.database, writes: true).rows(sql)
  }

  /// The rows of these batches as the receiver gives them back: `key value batch`.
  static func readBack(_ writer: any RowWriter, _ range: ClosedRange<Int64>) throws -> [String] {
    let reader = try writer.readBack(range)
    defer { reader.close() }
    let batch = RowBatch()
    var all: [String] = []
    func number(_ field: RowField) -> Int64? {
      if case .value(let bytes) = field { bytes.reduce(0) { $0 << 8 | Int64($1) } } else { nil }
    }
    while try reader.read(into: batch) != .end {
      for row in 0..<batch.rowCount {
        let fields = batch.fields(row)
        var text = "-"
        if case .value(let bytes) = fields[1] { text = String(decoding: bytes, as: UTF8.self) }
        all.append("\(number(fields[0]) ?? -1) \(text) \(number(fields[2]) ?? -1)")
      }
    }
    return all
  }
}
