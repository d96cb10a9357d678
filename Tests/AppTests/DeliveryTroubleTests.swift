import Demo
import Exchange
import Jobs
import Kernel
import Sharing
import Storage
import TestKit
import Testing
import Transfer

@testable import App

/// What happens to a delivery when something else goes wrong: the target, the worker, the platform's own database.
@Suite struct DeliveryTroubleTests {
  private func rows(_ stage: Stage) throws -> Int {
    Int(
      try Tool.run("/usr/bin/sqlite3", [stage.databases.consumerPath, "SELECT count(*) FROM checked"])
        .filter(\.isNumber)) ?? -1
  }

  @Test(arguments: ["DROP TABLE checked", "DELETE FROM checked", "UPDATE sj_offset SET state = 'garbled'"])
  func `a target that lost what it was given is filled anew, and the log says why`(harm: String) async throws {
    try await withStage(.sqlite) { stage in
      let grant = try await stage.grant(stage.draft)
      let first = try await stage.node.deliverNow(grant.id)
      #expect(first.state == .delivered)
      _ = try Tool.run("/usr/bin/sqlite3", [stage.databases.consumerPath, harm])
      let again = try await stage.node.deliverNow(grant.id)
      #expect(again.state == .delivered && again.agrees == true && again.mode == .full)
      #expect(again.delivered == first.delivered)
      #expect(try rows(stage) == first.delivered)
      let logged = try await stage.node.database.read {
        try $0.int("SELECT COUNT(*) FROM audit_record WHERE action = 'exchange.delivery.refill'")
      }
      #expect(logged == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a full delivery can be asked for again, and follows a disagreement by itself`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let first = try await stage.node.deliverNow(grant.id)
      _ = try Tool.run(
        "/usr/bin/sqlite3",
        [stage.databases.providerPath, "DELETE FROM legal_person WHERE rowid IN (SELECT min(rowid) FROM legal_person)"])
      let incremental = try await stage.node.deliverNow(grant.id)
      #expect(incremental.mode == .incremental && incremental.agrees == true)
      #expect(try rows(stage) == first.delivered, "a cursor never shows what was deleted")
      _ = try await stage.node.exchange.ask(grant.id, isFull: true, by: stage.cast.clerk)
      let full = try await stage.node.deliverNow(grant.id)
      #expect(full.mode == .full && full.agrees == true)
      #expect(try rows(stage) < first.delivered)
      try await stage.node.database.write { tx in
        try tx.run("UPDATE exchange_delivery SET agrees = FALSE WHERE id = \(full.id)")
      }
      let next = try await stage.node.deliverNow(grant.id)
      #expect(next.mode == .full)
    }
  }

  @Test(arguments: Engine.allCases)
  func `trouble in the platform's own database is tried again, and a delivery that is given up is no dead end`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let (node, database) = (stage.node, stage.node.database)
      let grant = try await stage.grant(stage.draft)
      let delivery = try await node.exchange.ask(grant.id, by: stage.cast.clerk)
      try await database.write { try $0.script("ALTER TABLE exchange_quarantine RENAME TO hidden") }
      _ = try await node.runner().drain()
      var job = try #require(try await database.read { try JobQueue.list(kind: Exchange.job, in: $0).first })
      #expect(job.state == .queued && job.attempts >= 1, "it waits for its next attempt")
      let id = job.id
      try await database.write { tx in
        try tx.run("UPDATE jobs_job SET max_attempts = attempts + 1 WHERE id = \(id)")
        _ = try JobQueue.hasten(dedupe: "delivery:\(delivery.id)", at: node.clock.now(), in: tx)
      }
      _ = try await node.runner().drain()
      job = try #require(try await database.read { try JobQueue.find(id, in: $0) })
      let failed = try #require(try await database.read { try DeliveryStore.find(delivery.id, in: $0) })
      #expect(job.state == .failed && failed.state == .failed)
      let waiting = try await database.read {
        try $0.int("SELECT COUNT(*) FROM inbox_task WHERE kind = 'delivery.failed' AND closed_at IS NULL")
      }
      #expect(waiting == 2, "both offices hear of it")
      try await database.write { try $0.script("ALTER TABLE hidden RENAME TO exchange_quarantine") }
      let again = try await node.deliverNow(grant.id)
      #expect(again.state == .delivered && again.id != delivery.id)
      let left = try await database.read {
        try $0.int("SELECT COUNT(*) FROM inbox_task WHERE kind = 'delivery.failed' AND closed_at IS NULL")
      }
      #expect(left == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a worker that lost its job changes nothing of its successor's delivery`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let (node, database) = (stage.node, stage.node.database)
      let grant = try await stage.grant(stage.draft)
      let delivery = try await node.exchange.ask(grant.id, by: stage.cast.clerk)
      let claimed = try await database.write(.readCommitted) {
        try JobQueue.claim(kinds: [Exchange.job], owner: "sleeper", at: node.clock.now(), in: $0)
      }
      let sleeper = try #require(claimed)
      stage.clock.advance(by: .seconds(60))
      _ = try await node.runner().drain()
      let done = try #require(try await database.read { try DeliveryStore.find(delivery.id, in: $0) })
      #expect(done.state == .delivered)
      let before = try await stage.counts()
      let failure = await #expect(throws: JobFailure.self) { try await node.exchange.carryOut(sleeper) }
      #expect(failure != nil)
      let after = try await stage.counts()
      #expect(before == after)
      let kept = try await database.read { try DeliveryStore.find(delivery.id, in: $0) }
      #expect(kept == done)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a waiting delivery is cancelled at once, by those it concerns, and can be asked for again`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let exchange = stage.node.exchange
      let grant = try await stage.grant(stage.draft)
      let delivery = try await exchange.ask(grant.id, by: stage.cast.clerk)
      let stranger = try await stage.stranger()
      await #expect(throws: Refusal.self) { try await exchange.cancel(delivery.id, by: stranger) }
      try await exchange.cancel(delivery.id, by: stage.cast.clerk)
      let view = try await exchange.delivery(delivery.id, for: stage.cast.officer)
      #expect(view.delivery.state == .stopped)
      let again = await #expect(throws: Refusal.self) { try await exchange.cancel(delivery.id, by: stage.cast.clerk) }
      #expect(again?.kind == .conflict)
      _ = try await stage.node.runner().drain()
      let next = try await stage.node.deliverNow(grant.id)
      #expect(next.state == .delivered && next.id != delivery.id)
    }
  }
}
