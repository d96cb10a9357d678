import Exchange
import Jobs
import Kernel
import Sharing
import Storage
import TestKit
import Testing

@testable import App

@Suite struct AbandonedTests {
  @Test(arguments: Engine.allCases)
  func `a delivery over which worker after worker was lost is failed, says so, and can be asked for again`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let exchange = stage.node.exchange
      let first = try await exchange.ask(grant.id, by: stage.cast.clerk)
      let long = stage.node.clock.now() + .seconds(-3600)
      try await stage.node.database.write { tx -> Void in
        try tx.run("UPDATE exchange_delivery SET state = 'running' WHERE id = \(first.id)")
        try tx.run(
          """
          UPDATE jobs_job SET state = 'running', attempts = max_attempts, lease_owner = 'lost', lease_until = \(long)
          WHERE payload = \(first.id)
          """)
      }
      _ = try await stage.node.runner().drain()
      let given = try await exchange.delivery(first.id, for: stage.cast.clerk)
      #expect(given.delivery.state == .failed)
      #expect(given.delivery.reason?.chinese.contains("多次中断") == true)
      let second = try await exchange.ask(grant.id, by: stage.cast.clerk)
      #expect(second.id != first.id)
      _ = try await stage.node.runner().drain()
      let view = try await exchange.delivery(second.id, for: stage.cast.clerk)
      #expect(view.delivery.state == .delivered)
    }
  }
}
