import Demo
import Exchange
import Jobs
import Kernel
import Logging
import Sharing
import Storage
import TestKit
import Testing
import Transfer

@testable import App

/// First full deliveries that several workers carry out in parts.
@Suite struct PartsTests {
  private func consumer(_ stage: Stage, _ statement: String) throws -> Int {
    let said = try Tool.run("/usr/bin/sqlite3", [stage.databases.consumerPath, statement])
    return Int(said.filter(\.isNumber)) ?? -1
  }

  /// A grant whose first delivery is asked for in parts.
  private func asked(_ stage: Stage, parts: Int) async throws -> Grant {
    let grant = try await stage.grant(stage.draft)
    var task = try await stage.node.exchange.task(grant.id, for: stage.cast.officer).task
    task.parts = parts
    try await stage.node.exchange.set(task, by: stage.cast.officer)
    return grant
  }

  private func last(_ stage: Stage, _ grant: Grant) async throws -> DeliveryRecord {
    try await stage.node.database.read { try DeliveryStore.list(grant: grant.id, limit: 1, in: $0)[0] }
  }

  private func states(_ stage: Stage) async throws -> [String] {
    try await stage.node.database.read {
      try $0.rows("SELECT state FROM exchange_part ORDER BY delivery, place").map { try $0.text("state") }
    }
  }

  /// The delivery's own job alone: it cuts the table, and waits.
  private func cut(_ stage: Stage) async throws {
    let own = stage.node.handlers.filter { $0.key == Exchange.job }
    _ = try await JobRunner(
      database: stage.node.database, clock: stage.node.clock, handlers: own, concurrency: 1, owner: "cutter",
      logger: Logger(label: "test")
    ).drain()
  }

  @Test(arguments: Engine.allCases)
  func `parts make one delivery, and an incremental one follows`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await asked(stage, parts: 3)
      _ = try await stage.node.exchange.ask(grant.id, by: stage.cast.clerk)
      _ = try await stage.node.runner(concurrency: 3).drain()
      let first = try await last(stage, grant)
      #expect(first.state == .delivered && first.agrees == true, "\(first)")
      #expect(try await states(stage) == ["done", "done", "done"])
      let rows = try consumer(stage, "SELECT count(*) FROM checked")
      #expect(first.delivered > 900 && first.delivered == rows)
      #expect(first.read == first.delivered + first.quarantined)
      let set = try await stage.node.database.read { try DeliveryStore.quarantineSummary(of: first.id, in: $0) }
      #expect(set.reduce(0) { $0 + $1.rows } == first.quarantined)
      _ = try await stage.node.exchange.compare(grant.id, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      #expect(try await stage.node.exchange.task(grant.id, for: stage.cast.officer).comparison?.state == .agrees)
      let statement =
        "UPDATE legal_person SET name = '改名', updated_at = '2026-03-05T09:00:00.000Z' WHERE rowid IN (SELECT rowid FROM legal_person LIMIT 5)"
      _ = try Tool.run("/usr/bin/sqlite3", [stage.databases.providerPath, statement])
      stage.clock.advance(by: .seconds(86_400))
      let second = try await stage.node.deliverNow(grant.id)
      #expect(second.state == .delivered && second.mode == .incremental && second.agrees == true)
      // There are rows by now: another full delivery is one as a whole.
      _ = try await stage.node.exchange.ask(grant.id, isFull: true, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      let third = try await last(stage, grant)
      #expect(third.state == .delivered && third.mode == .full && third.agrees == true)
      #expect(try await states(stage).count == 3)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a part that fails for good fails the delivery with its reason, and asked for again it is whole`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let grant = try await asked(stage, parts: 2)
      _ = try await stage.node.exchange.ask(grant.id, by: stage.cast.clerk)
      try await cut(stage)
      #expect(try await states(stage) == ["waiting", "waiting"])
      let waiting = try await last(stage, grant)
      #expect(waiting.state == .queued && waiting.reason?.english.contains("2 parts") == true, "\(waiting)")
      // The source's table changes its shape before a part is read.
      func provider(_ statement: String) throws {
        _ = try Tool.run("/usr/bin/sqlite3", [stage.databases.providerPath, statement])
      }
      try provider("ALTER TABLE legal_person RENAME COLUMN status TO state_now")
      _ = try? await stage.node.runner().drain()
      let failed = try await last(stage, grant)
      #expect(failed.state == .failed && failed.reason?.chinese.contains("status") == true, "\(failed)")
      try provider("ALTER TABLE legal_person RENAME COLUMN state_now TO status")
      let task = try await stage.node.exchange.task(grant.id, for: stage.cast.officer).task
      // As of any delivery whose source is not what was agreed.
      #expect(task.pause?.isFrozen == true)
      try await stage.node.exchange.resume(grant.id, by: stage.cast.officer)
      _ = try await stage.node.exchange.ask(grant.id, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      let again = try await last(stage, grant)
      #expect(again.state == .delivered && again.agrees == true, "\(again)")
      let rows = try consumer(stage, "SELECT count(*) FROM checked")
      #expect(again.delivered == rows)
    }
  }

  @Test(arguments: Engine.allCases)
  func `workers that are lost with a part and with the whole are made up for`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await asked(stage, parts: 2)
      _ = try await stage.node.exchange.ask(grant.id, by: stage.cast.clerk)
      try await cut(stage)
      let clock = stage.node.clock
      // Takes a job and is never heard of again, one with a part, one with the delivery.
      func lose(_ kind: String) async throws {
        let now = clock.now()
        let taken = try await stage.node.database.write {
          try JobQueue.claim(kinds: [kind], owner: "lost", at: now, in: $0)
        }
        #expect(taken != nil)
      }
      try await lose(Exchange.part)
      _ = try await stage.node.runner().drain()
      #expect(try await states(stage).filter { $0 == "done" }.count == 1)
      stage.clock.advance(by: JobQueue.lease + .seconds(20))
      try await lose(Exchange.job)
      stage.clock.advance(by: JobQueue.lease + .seconds(20))
      _ = try await stage.node.runner().drain()
      stage.clock.advance(by: .seconds(60))
      _ = try await stage.node.runner().drain()
      let delivery = try await last(stage, grant)
      let rows = try consumer(stage, "SELECT count(*) FROM checked")
      #expect(delivery.state == .delivered && delivery.agrees == true && delivery.delivered == rows, "\(delivery)")
    }
  }

  @Test func `a delivery that is cancelled ends its parts`() async throws {
    try await withStage(.sqlite) { stage in
      let grant = try await asked(stage, parts: 2)
      let delivery = try await stage.node.exchange.ask(grant.id, by: stage.cast.clerk)
      try await cut(stage)
      try await stage.node.exchange.cancel(delivery.id, by: stage.cast.clerk)
      _ = try? await stage.node.runner().drain()
      #expect(try await states(stage) == ["waiting", "waiting"])
      let rows = try consumer(stage, "SELECT count(*) FROM checked")
      #expect(rows == 0)
    }
  }

  @Test func `a grant that is revoked stops the parts and the delivery`() async throws {
    try await withStage(.sqlite) { stage in
      let grant = try await asked(stage, parts: 2)
      _ = try await stage.node.exchange.ask(grant.id, by: stage.cast.clerk)
      try await cut(stage)
      _ = try await stage.node.sharing.order(
        .revoke, grant.id, why: "用途变更", version: grant.version, by: stage.cast.officer)
      _ = try? await stage.node.runner().drain()
      #expect(try await last(stage, grant).state == .stopped)
      let rows = try consumer(stage, "SELECT count(*) FROM checked")
      #expect(rows == 0)
    }
  }
}
