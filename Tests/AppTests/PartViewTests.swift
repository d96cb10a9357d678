import Catalog
import Connecting
import Exchange
import Jobs
import Kernel
import Logging
import Sharing
import Storage
import TestKit
import Testing

@testable import App

/// Parts of one delivery read their source as it was at one moment, where it can be kept.
@Suite struct PartViewTests {
  private func asked(_ stage: Stage, _ resource: Resource) async throws -> Grant {
    var draft = Vehicles.draft(stage, resource)
    draft.frequency = .daily
    let grant = try await stage.grant(draft)
    var task = try await stage.node.exchange.task(grant.id, for: stage.cast.officer).task
    task.parts = 2
    try await stage.node.exchange.set(task, by: stage.cast.officer)
    _ = try await stage.node.exchange.ask(grant.id, by: stage.cast.clerk)
    return grant
  }

  private func last(_ stage: Stage, _ grant: Grant) async throws -> DeliveryRecord {
    try await stage.node.database.read { try DeliveryStore.list(grant: grant.id, limit: 1, in: $0)[0] }
  }

  /// One job of a kind: the delivery's own cuts the table, and waits.
  private func runOne(_ stage: Stage, _ kind: String) async throws {
    let own = stage.node.handlers.filter { $0.key == kind }
    _ = try await JobRunner(
      database: stage.node.database, clock: stage.node.clock, handlers: own, concurrency: 1, owner: "one",
      logger: Logger(label: "test")
    ).drain()
  }

  private func finish(_ stage: Stage) async throws {
    for _ in 0..<3 {
      _ = try? await stage.node.runner().drain()
      stage.clock.advance(by: .seconds(60))
    }
  }

  private func views(_ server: PostgresServer) throws -> String {
    try server.query(
      "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query IN ('SELECT 1', 'SELECT pg_export_snapshot()')",
      on: "postgres"
    ).filter(\.isNumber)
  }

  private func loseView(_ server: PostgresServer) throws {
    try server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'", on: "postgres")
  }

  private static let change = "UPDATE vehicle SET plate = 'B' || id; DELETE FROM vehicle WHERE id % 3 = 0"

  @Test(arguments: Engine.allCases)
  func `what changes after the table was cut is in none of its parts`(engine: Engine) async throws {
    try await Vehicles.with(engine) { stage, server, name, resource in
      let grant = try await asked(stage, resource)
      let before = try Vehicles.there(server, name)
      try await runOne(stage, Exchange.job)
      #expect(try await last(stage, grant).reason?.english.contains("as of one moment") == true)
      #expect(try views(server) == "1")
      try server.query(Self.change, on: name)
      try await finish(stage)
      let delivery = try await last(stage, grant)
      #expect(delivery.state == .delivered && delivery.agrees == true && delivery.delivered == 500, "\(delivery)")
      #expect(try Vehicles.here(stage) == before)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a view that is lost has the table cut anew, as of a later moment`(engine: Engine) async throws {
    try await Vehicles.with(engine) { stage, server, name, resource in
      let grant = try await asked(stage, resource)
      try await runOne(stage, Exchange.job)
      try loseView(server)
      try server.query(Self.change, on: name)
      try await finish(stage)
      let delivery = try await last(stage, grant)
      #expect(delivery.state == .delivered && delivery.agrees == true && delivery.delivered == 334, "\(delivery)")
      #expect(try Vehicles.here(stage) == Vehicles.there(server, name))
    }
  }

  @Test(arguments: Engine.allCases)
  func `a source that keeps no view is read all the same, each part as of its own moment`(engine: Engine) async throws {
    try await Vehicles.with(engine) { stage, server, name, resource in
      let grant = try await asked(stage, resource)
      for _ in 1...2 {
        try await runOne(stage, Exchange.job)
        #expect(try views(server) == "1")
        try loseView(server)
        try await runOne(stage, Exchange.part)
      }
      try await runOne(stage, Exchange.job)
      #expect(try views(server) == "0")
      #expect(try await last(stage, grant).reason?.english.contains("as of one moment") == false)
      try server.query(Self.change, on: name)
      try await finish(stage)
      let delivery = try await last(stage, grant)
      #expect(delivery.state == .delivered && delivery.agrees == true && delivery.delivered == 334, "\(delivery)")
      #expect(try Vehicles.here(stage) == Vehicles.there(server, name))
    }
  }
}
