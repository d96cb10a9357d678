import Demo
import Exchange
import Jobs
import Kernel
import Sharing
import Storage
import TestKit
import Testing

@testable import App

/// When a delivery may begin, that there is one at a time, and what of it another office sees: nothing.
@Suite struct DeliveryRulesTests {
  @Test(arguments: Engine.allCases)
  func `a grant that is not in force moves nothing, and says why`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      var draft = stage.draft
      draft.firstDay = draft.firstDay + 10
      let grant = try await stage.grant(draft)
      let (exchange, sharing) = (stage.node.exchange, stage.node.sharing)
      let clerk = stage.cast.clerk
      func refusal() async -> Refusal? {
        do {
          _ = try await exchange.ask(grant.id, by: clerk)
          return nil
        } catch {
          return error as? Refusal
        }
      }
      let early = await refusal()
      #expect(early?.code == "sharing.grant.early")
      stage.clock.advance(by: .seconds(11 * 86_400))
      let suspended = try await sharing.order(
        .suspend, grant.id, why: "核对口径", version: grant.version, by: stage.cast.officer)
      let stopped = await refusal()
      #expect(stopped?.code == "sharing.grant.suspended")
      let resumed = try await sharing.order(
        .resume, grant.id, why: "已核对", version: suspended.version, by: stage.cast.officer)
      let asked = try await exchange.ask(grant.id, by: stage.cast.clerk)
      // Queued in time, but the grant is revoked before a worker comes.
      _ = try await sharing.order(.revoke, grant.id, why: "改由接口核验", version: resumed.version, by: stage.cast.officer)
      _ = try await stage.node.runner().drain()
      let view = try await exchange.delivery(asked.id, for: stage.cast.clerk)
      #expect(view.delivery.state == .stopped && view.delivery.delivered == 0)
      #expect(view.delivery.reason?.chinese.contains("改由接口核验") == true)
      let revoked = await refusal()
      #expect(revoked?.code == "sharing.grant.revoked")
      let tables = try Tool.run("/usr/bin/sqlite3", [stage.databases.consumerPath, ".tables"])
      #expect(!tables.contains("checked"), "nothing was even made ready")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a grant delivers by its frequency from its first day on, rests while suspended, and ends with itself`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      var draft = stage.draft
      draft.firstDay = draft.firstDay + 5
      let grant = try await stage.grant(draft)
      let (exchange, sharing, runner) = (stage.node.exchange, stage.node.sharing, stage.node.runner())
      func deliveries() async throws -> Int {
        _ = try await runner.turn()
        _ = try await runner.drain()
        return try await exchange.deliveries(for: stage.cast.clerk, grant: grant.id).count
      }
      let before = try await deliveries()
      #expect(before == 0, "its period has not begun")
      stage.clock.advance(by: .seconds(6 * 86_400))
      let first = try await deliveries()
      #expect(first == 1)
      let suspended = try await sharing.order(
        .suspend, grant.id, why: "核对", version: grant.version, by: stage.cast.officer)
      stage.clock.advance(by: .seconds(86_400))
      let resting = try await deliveries()
      #expect(resting == 1)
      let resumed = try await sharing.order(
        .resume, grant.id, why: "恢复", version: suspended.version, by: stage.cast.officer)
      stage.clock.advance(by: .seconds(86_400))
      let again = try await deliveries()
      #expect(again == 2)
      _ = try await sharing.order(.revoke, grant.id, why: "结束", version: resumed.version, by: stage.cast.officer)
      stage.clock.advance(by: .seconds(86_400))
      let over = try await deliveries()
      #expect(over == 2)
      let left = try await stage.node.database.read {
        try $0.int("SELECT COUNT(*) FROM jobs_schedule WHERE kind = \(Exchange.turn)")
      }
      #expect(left == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a grant past its last day moves nothing`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      stage.clock.advance(by: .seconds(40 * 86_400))
      let refusal = await #expect(throws: Refusal.self) {
        try await stage.node.exchange.ask(grant.id, by: stage.cast.clerk)
      }
      #expect(refusal?.code == "sharing.grant.expired")
    }
  }

  @Test(arguments: Engine.allCases)
  func `asked for many times at once, a grant has one open delivery`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let (exchange, clerk) = (stage.node.exchange, stage.cast.clerk)
      let ids = try await withThrowingTaskGroup(of: DeliveryID.self) { group in
        for _ in 0..<8 { group.addTask { try await exchange.ask(grant.id, by: clerk).id } }
        return try await group.reduce(into: Set<DeliveryID>()) { $0.insert($1) }
      }
      #expect(ids.count == 1)
      _ = try await stage.node.runner().drain()
      let done = try await exchange.ask(grant.id, by: clerk)
      #expect(!ids.contains(done.id), "the first one is delivered, so this is the next")
    }
  }

  @Test(arguments: Engine.allCases)
  func `one that failed and will be tried again is asked for again, not doubled, and then tried at once`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let exchange = stage.node.exchange
      let first = try await exchange.ask(grant.id, by: stage.cast.clerk)
      // As after an attempt that met a database which was away: the queue keeps the job for later.
      let later = stage.node.clock.now() + .seconds(3600)
      try await stage.node.database.write { tx -> Void in
        try tx.run("UPDATE exchange_delivery SET state = 'failed' WHERE id = \(first.id)")
        try tx.run("UPDATE jobs_job SET run_at = \(later), attempts = 1 WHERE payload = \(first.id)")
      }
      _ = try await stage.node.runner().drain()
      let waiting = try await exchange.delivery(first.id, for: stage.cast.clerk)
      #expect(waiting.delivery.state == .failed, "its time has not come")
      let again = try await exchange.ask(grant.id, by: stage.cast.clerk)
      #expect(again.id == first.id)
      _ = try await stage.node.runner().drain()
      let view = try await exchange.delivery(first.id, for: stage.cast.clerk)
      #expect(view.delivery.state == .delivered && view.delivery.agrees == true)
      let counts = try await stage.counts()
      #expect(counts["exchange_delivery"] == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a delivery's end is kept once, whoever runs it again`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let exchange = stage.node.exchange
      let delivery = try await exchange.ask(grant.id, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      let before = try await stage.counts()
      #expect(before["exchange_receipt"] == 2)
      let job = try #require(try await stage.node.database.read { try JobQueue.list(kind: Exchange.job, in: $0).first })
      await #expect(throws: JobFailure.self) { try await exchange.carryOut(job) }
      let after = try await stage.counts()
      #expect(after == before)
      let view = try await exchange.delivery(delivery.id, for: stage.cast.clerk)
      #expect(view.delivery.state == .delivered)
    }
  }

  @Test(arguments: Engine.allCases)
  func `another office sees neither delivery nor receipt nor quarantine`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let (exchange, stranger) = (stage.node.exchange, try await stage.stranger())
      let delivery = try await exchange.ask(grant.id, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      let (view, lines) = try await exchange.quarantine(delivery.id, for: stage.cast.officer)
      let line = try #require(lines.first)
      #expect(view.delivery.quarantined == stage.databases.generator.flawCount)
      let steps: [(String, @Sendable () async throws -> Void)] = [
        ("delivery", { _ = try await exchange.delivery(delivery.id, for: stranger) }),
        ("quarantine", { _ = try await exchange.quarantine(delivery.id, for: stranger) }),
        (
          "row",
          {
            _ = try await exchange.openBadRow(
              delivery.id, batch: line.batch, part: line.part, position: line.position, by: stranger)
          }
        ),
        ("list", { _ = try await exchange.deliveries(for: stranger, grant: grant.id) }),
      ]
      for (name, step) in steps {
        let refusal = await #expect(throws: Refusal.self, "\(name)") { try await step() }
        #expect(refusal?.kind == .notFound, "\(name)")
      }
      let all = try await exchange.deliveries(for: stranger)
      #expect(all.isEmpty)
    }
  }
}
