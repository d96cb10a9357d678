import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorMariaDB

/// A stream of changes, read to where the log ends.
struct Following {
  struct Change: Hashable {
    var kind: ChangeKind
    var fields: [RowField]
  }

  let plan: ChangePlan
  let reader: any ChangeReader

  init(_ source: Source, _ plan: ChangePlan, after position: [UInt8]? = nil) throws {
    self.plan = plan
    reader = try source.connector.openChanges(plan, after: position)
  }

  /// Everything committed so far, and where the stream was behind each batch.
  func read(capacity: Int = 1 << 20, until isEnough: (Int) -> Bool = { _ in false }) throws -> [(
    changes: [Change], position: [UInt8]
  )] {
    let mark = try reader.mark()
    let begun = ContinuousClock.now
    let batch = ChangeBatch(capacity: capacity)
    var found: [([Change], [UInt8])] = []
    while true {
      let outcome = try reader.read(into: batch, within: .milliseconds(50))
      if !batch.isEmpty {
        let changes = (0..<batch.rows.rowCount).map { Change(kind: batch.kinds[$0], fields: batch.rows.fields($0)) }
        found.append((changes, reader.position))
        if isEnough(found.count) { return found }
      } else if outcome == .caughtUp, reader.hasPassed(mark) {
        return found
      }
      // The slowest of all servers: a stream that does not come to where the log ended is broken.
      try #require(
        ContinuousClock.now - begun < .seconds(60),
        "\(String(decoding: reader.position, as: UTF8.self)) < \(String(decoding: mark, as: UTF8.self))")
    }
  }

  func changes() throws -> [Change] { try read().flatMap(\.changes) }

  /// `+1 a`, `=1 b`, `-1`, `x`: a change a word.
  func written() throws -> [String] { try changes().map { written($0) } }

  func written(_ change: Change) -> String {
    func text(_ index: Int) -> String {
      switch change.fields[index] {
      case .null: "NULL"
      case .value(let bytes):
        bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: plan.columns[index].type) } ?? "?"
      case .malformed(let fault, _): "!\(fault.code)"
      }
    }
    return switch change.kind {
    case .insert: "+" + plan.columns.indices.map(text).joined(separator: " ")
    case .upsert: "=" + plan.columns.indices.map(text).joined(separator: " ")
    case .delete: "-" + plan.key.map(text).joined(separator: " ")
    case .truncate: "x"
    }
  }
}

extension Source {
  /// On the server that keeps a log.
  static func logging(zone: Int = 0) throws -> Source { try Source(zone: zone, on: MariaDBServer.logging.get()) }

  func changePlan(
    _ table: String, _ columns: [(String, ValueType)], key: [Int] = [0], stream: String = UUID().uuidString
  ) -> ChangePlan {
    ChangePlan(
      table: TableName(table), columns: columns.map { ReadPlan.Column($0.0, $0.1) }, key: key, stream: stream)
  }

  static let pair: [(String, ValueType)] = [("id", .integer), ("v", .text)]

  /// A table of numbers and words, followed from now on.
  func followed(_ rows: String = "") throws -> Following {
    try run(
      "CREATE TABLE t (id int PRIMARY KEY, v varchar(40))" + (rows.isEmpty ? "" : "; INSERT INTO t VALUES \(rows)"))
    return try Following(self, changePlan("t", Self.pair))
  }
}
