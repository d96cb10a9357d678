import Connecting
import ConnectorPostgreSQL
import Foundation
import Kernel
import TestKit
import Transfer

/// Both sides of a delivery compared, PostgreSQL and PostgreSQL: equal, then with a thousand rows of each kind of
/// difference, then with every row changed, which is as much as there can be to remember.
struct ReconcileBench {
  var rows: Int

  func run() async throws {
    let server = try PostgresServer()
    defer { server.remove() }
    let target = try server.makeDatabase()
    let source = try Sample.database(rows, on: server)
    // In a process of its own: what delivering needs is not what comparing needs.
    try shell(
      "'\(CommandLine.arguments[0])' one postgresql '\(server.address(of: source))' '\(server.address(of: target))' masked"
    )
    for database in [source, target] { try server.query("VACUUM ANALYZE", on: database) }
    let connectors = [source, target].map {
      PostgreSQLConnector(PostgreSQLAddress(address: server.address(of: $0)))
    }
    try await compare("equal", connectors[0], connectors[1])
    // Every thousandth row of the sample is bad: not those.
    let step = max(4, rows / 1000)
    try server.query("DELETE FROM legal_person WHERE id % \(step) = 1", on: source)
    try server.query("DELETE FROM copy WHERE id % \(step) = 2", on: target)
    try server.query("UPDATE copy SET staff = staff + 1 WHERE id % \(step) = 3", on: target)
    try await compare("a thousand removed, added and changed", connectors[0], connectors[1])
    try server.query("UPDATE copy SET staff = staff + 1", on: target)
    try await compare("every row changed", connectors[0], connectors[1])
  }

  private func compare(_ title: String, _ source: PostgreSQLConnector, _ target: PostgreSQLConnector) async throws {
    let reconciliation = try Reconciliation(
      EngineRun.plan(table: "legal_person", into: "copy"), control: DeliveryControl(quarantine: { _ in }))
    let start = Usage.now()
    let report = try await reconciliation.run(from: source, to: target)
    let used = Usage.now() - start
    let million = Double(rows) / 1e6
    print("== \(title)")
    print(
      String(
        format: "%.2f s, %.0fk rows of a side/s, own CPU %.2f s/million, peak memory so far %d MiB (limit 96)",
        used.wall,
        Double(rows) / used.wall / 1000, used.cpu / million, used.peakMiB))
    print(
      "source \(report.sourceRows), target \(report.targetRows), bad \(report.bad); missing \(report.counts.missing), extra \(report.counts.extra), different \(report.counts.different), complete \(report.isComplete), ranges \(report.ranges.count)"
    )
  }
}
