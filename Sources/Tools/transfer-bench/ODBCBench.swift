import Connecting
import ConnectorODBC
import ConnectorPostgreSQL
import Foundation
import Kernel
import TestKit

/// One PostgreSQL server through its own client and through a driver: what the driver costs.
struct ODBCBench {
  var rows: Int

  func run() async throws {
    let server = try PostgresServer(port: Int.random(in: 20_000...30_000))
    defer { server.remove() }
    let target = try server.makeDatabase()
    let source = try Sample.database(rows, on: server)
    try server.query("CREATE INDEX ON legal_person (changed); ANALYZE legal_person", on: source)
    func driver(_ database: String) -> ODBCConnector {
      ODBCConnector(
        ODBCAddress(
          driver: "PostgreSQL Unicode", server: "127.0.0.1", port: server.port, database: database, user: "postgres"))
    }
    func own(_ database: String) -> PostgreSQLConnector {
      PostgreSQLConnector(PostgreSQLAddress(address: server.address(of: database)))
    }
    for _ in 0..<2 {
      for (name, source, target) in [
        ("libpq", own(source) as any Connector, own(target) as any Connector),
        ("psqlodbc", driver(source), driver(target)),
      ] {
        try server.query("DROP TABLE IF EXISTS written, sj_offset, sj_batch", on: "\(databaseName(target, server))")
        let start = Usage.now()
        let batches = try read(source)
        report("reading, \(name)", Usage.now() - start)
        try write(batches, to: target, name)
      }
      print("")
    }
    try server.query("DROP TABLE IF EXISTS copy, written, sj_offset, sj_batch", on: target)
    let run = try await EngineRun.measure(driver(source), driver(target), table: "legal_person", into: "copy")
    run.report(rows, peer: "(no peer)", run.write.wall, limited: false)
  }

  private func databaseName(_ target: any Connector, _ server: PostgresServer) -> String {
    if let target = target as? ODBCConnector { return target.address.database ?? "" }
    return (target as? PostgreSQLConnector)?.address.address.split(separator: "=").last.map(String.init) ?? ""
  }

  private static let types: [ValueType] = [
    .integer, .text, .text, .text, .decimal(precision: 18, scale: 2), .date, .text, .text, .text, .text, .integer,
    .timestamp,
  ]

  private func read(_ source: any Connector) throws -> [RowBatch] {
    let columns = zip(Sample.columns, Self.types).map { ReadPlan.Column($0, $1) }
    let reader = try source.openReader(ReadPlan(table: TableName("legal_person"), columns: columns, key: [0]))
    defer { reader.close() }
    var batches: [RowBatch] = []
    while true {
      let batch = RowBatch()
      if try reader.read(into: batch) == .end { return batches }
      batches.append(batch)
    }
  }

  private func write(_ batches: [RowBatch], to target: any Connector, _ name: String) throws {
    let lengths: [Int?] = [nil, 18, 60, 20, nil, nil, 120, 40, 8, 20, nil, nil]
    let columns = zip(zip(Sample.columns, Self.types), lengths).map { WritePlan.Column($0.0, $0.1, length: $1) }
    let plan = WritePlan(
      table: TableName("written"), columns: columns, key: [0], stream: "bench", run: "bench", fence: 1)
    let writer = try target.openWriter(plan)
    defer { writer.close() }
    _ = try writer.open()
    var start = Usage.now()
    var number: Int64 = 0
    func commit(_ rows: Int) throws {
      let record = BatchRecord(
        batch: number, run: "bench", delivered: rows, quarantined: 0, bytes: 1,
        digest: String(repeating: "0", count: 64))
      try writer.commit(record, state: "s", durable: false)
    }
    for batch in batches {
      number += 1
      _ = try writer.write(batch, batch: number, mode: .append)
      try commit(batch.rowCount)
    }
    report("appending, \(name)", Usage.now() - start)
    start = Usage.now()
    let kept = batches.prefix(max(1, batches.count / 5))
    for batch in kept {
      number += 1
      _ = try writer.write(batch, batch: number, mode: .merge(rewriteFrom: 0, ownFrom: number))
      try commit(batch.rowCount)
    }
    report("merging, \(name)", Usage.now() - start, of: kept.reduce(0) { $0 + $1.rowCount })
    try writer.indexBatches()
    start = Usage.now()
    let back = try writer.readBack(1...number)
    let batch = RowBatch()
    while try back.read(into: batch) != .end {}
    back.close()
    report("reading back, \(name)", Usage.now() - start)
  }

  private func report(_ title: String, _ used: Usage, of rows: Int? = nil) {
    let rows = Double(rows ?? self.rows)
    print(
      title.padding(toLength: 42, withPad: " ", startingAt: 0)
        + String(
          format: "%.2f s, %.0fk rows/s, own CPU %.2f s/million", used.wall, rows / used.wall / 1000,
          used.cpu / rows * 1e6))
  }
}
