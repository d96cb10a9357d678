import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import ConnectorODBC

/// A PostgreSQL server for all tests of this process, reached as a department's is: by host and port.
enum ODBCServer {
  static let shared = Result { try PostgresServer(durable: false, port: Int.random(in: 20_000...30_000)) }
}

/// One database of a PostgreSQL server behind psqlodbc, with SQL by hand.
struct Source {
  let server: PostgresServer
  var address: ODBCAddress
  var connector: ODBCConnector { ODBCConnector(address) }

  init(zone: Int = 0, on server: PostgresServer? = nil) throws {
    let server = try server ?? ODBCServer.shared.get()
    self.server = server
    address = ODBCAddress(
      driver: "PostgreSQL Unicode", server: "127.0.0.1", port: server.port, database: try server.makeDatabase(),
      user: "postgres", zone: zone)
  }

  func run(_ sql: String) throws { try server.query(sql, on: address.database ?? "") }

  func rows(_ sql: String) throws -> [[String?]] { try ODBCConnection(address).run(sql) }

  func plan(
    _ table: String, _ columns: [(String, ValueType)], key: [Int] = [0], cursor: Int? = nil,
    _ range: ReadPlan.Range = .full(after: nil)
  ) -> ReadPlan {
    ReadPlan(
      table: TableName(table), columns: columns.map { ReadPlan.Column($0.0, $0.1) }, key: key, cursor: cursor,
      range: range)
  }

  struct Read {
    var rows: [[RowField]] = []
    /// The position behind each row, when a batch holds one.
    var positions: [[UInt8]] = []
    var withoutKey = 0
    var horizon: CursorValue?
  }

  /// A row a batch, so that every row has a position.
  func read(_ plan: ReadPlan, capacity: Int = 1) throws -> Read {
    let reader = try connector.openReader(plan)
    defer { reader.close() }
    var found = Read()
    found.horizon = reader.horizon
    let batch = RowBatch(capacity: capacity)
    while true {
      let outcome = try reader.read(into: batch)
      if outcome == .end { return found }
      for index in 0..<batch.rowCount { found.rows.append(batch.fields(index)) }
      if outcome == .rows { found.positions.append(reader.position) } else { found.withoutKey += batch.rowCount }
    }
  }

  /// Values as text; a malformed one as `!fault`.
  func texts(_ plan: ReadPlan) throws -> [[String?]] {
    try read(plan).rows.map { row in
      zip(row, plan.columns).map { field, column in
        switch field {
        case .null: nil
        case .value(let bytes): bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: column.type) } ?? "?"
        case .malformed(let fault, _): "!\(fault.code)"
        }
      }
    }
  }
}
