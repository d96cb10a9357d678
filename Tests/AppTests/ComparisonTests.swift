import Audit
import Demo
import Exchange
import Inbox
import Jobs
import Kernel
import Reshaping
import Sharing
import Storage
import TestKit
import Testing
import Transfer

@testable import App

/// Both sides of a grant compared, by a person and by the calendar, and mended.
@Suite struct ComparisonTests {
  private func consumer(_ stage: Stage, _ statement: String) throws -> String {
    try Tool.run("/usr/bin/sqlite3", [stage.databases.consumerPath, statement]).split(separator: "\n").joined(
      separator: "\n")
  }

  private func compared(_ stage: Stage, _ grant: GrantID) async throws -> Comparison {
    _ = try await stage.node.exchange.compare(grant, by: stage.cast.clerk)
    _ = try await stage.node.runner().drain()
    return try #require(try await stage.node.exchange.task(grant, for: stage.cast.clerk).comparison)
  }

  @Test(arguments: Engine.allCases)
  func `what was changed behind the platform's back is found, told, and mended`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let exchange = stage.node.exchange
      let grant = try await stage.grant(
        stage.draft, masks: ["uscc": .reshaped(.token(.creditCode)), "name": .reshaped(.cut(2))],
        rowFilter: "kind = '有限责任公司'")
      let delivered = try await stage.node.deliverNow(grant.id)
      #expect(delivered.state == .delivered)
      let equal = try await compared(stage, grant.id)
      #expect(equal.state == .agrees && equal.counts.source == delivered.delivered)
      #expect(equal.counts.target == delivered.delivered && equal.counts.bad == delivered.quarantined)

      // The clocks of rows do not move: no incremental run would ever notice.
      let keys = try consumer(stage, "SELECT uscc FROM checked ORDER BY uscc LIMIT 3").split(separator: "\n").map(
        String.init)
      _ = try consumer(
        stage,
        """
        UPDATE checked SET name = '改名' WHERE uscc = '\(keys[0])';
        DELETE FROM checked WHERE uscc = '\(keys[1])';
        UPDATE checked SET uscc = '11000000000000000X' WHERE uscc = '\(keys[2])';
        """)
      let found = try await compared(stage, grant.id)
      #expect(found.state == .differs && found.isComplete)
      #expect(found.counts.different == 1 && found.counts.missing == 2 && found.counts.extra == 1)
      for office in [grant.provider, grant.consumer] {
        let told = try await stage.node.database.read {
          try $0.int(
            "SELECT COUNT(*) FROM inbox_task WHERE kind = 'exchange.differs' AND organisation = \(office) AND closed_at IS NULL"
          )
        }
        #expect(told == 1)
      }

      #expect(try await exchange.metrics(for: stage.cast.officer).contains("sanjiang_grants_differing 1\n"))

      let (_, ranges) = try await exchange.differences(found.id, by: stage.cast.clerk)
      let named = Set(ranges.flatMap { $0.first + $0.last })
      #expect(!ranges.isEmpty && named.isSubset(of: Set(keys + ["11000000000000000X"])))
      #expect(ranges.reduce(0) { $0 + $1.missing + $1.extra + $1.different } == 4)
      for other in [stage.cast.operatorInChief, try await stage.stranger()] {
        let refusal = await #expect(throws: Refusal.self) { try await exchange.differences(found.id, by: other) }
        #expect(refusal?.kind == .notFound)
      }
      // No key stands readable in our own database.
      let kept =
        try await stage.node.database.read {
          try $0.row("SELECT ranges FROM exchange_comparison WHERE id = \(found.id)")?.blob("ranges")
        } ?? []
      #expect(!kept.isEmpty && !String(decoding: kept, as: UTF8.self).contains(keys[0]))

      // What is under way already is no full delivery: it would mend nothing.
      let under = try await exchange.ask(grant.id, by: stage.cast.clerk)
      let busy = await #expect(throws: Refusal.self) { try await exchange.repair(found.id, by: stage.cast.clerk) }
      #expect(busy?.code == "exchange.busy")
      try await exchange.cancel(under.id, by: stage.cast.clerk)
      let mending = try await exchange.repair(found.id, by: stage.cast.clerk)
      await #expect(throws: Refusal.self) { try await exchange.repair(found.id, by: stage.cast.clerk) }
      _ = try await stage.node.runner().drain()
      let mended = try await exchange.delivery(mending.id, for: stage.cast.clerk).delivery
      #expect(mended.state == .delivered && mended.mode == .full && mended.agrees == true)
      #expect(mended.delivered == delivered.delivered && mended.removed == 1)
      // Looked at once more by itself.
      let again = try #require(try await exchange.task(grant.id, for: stage.cast.clerk).comparison)
      #expect(again.id != found.id && again.state == .agrees)
      #expect(try await exchange.metrics(for: stage.cast.officer).contains("sanjiang_grants_differing 0\n"))
      let open = try await stage.node.database.read {
        try $0.int("SELECT COUNT(*) FROM inbox_task WHERE kind = 'exchange.differs' AND closed_at IS NULL")
      }
      #expect(open == 0)
    }
  }

  @Test func `sides are compared as often as the task says, and not before anything was delivered`() async throws {
    try await withStage(.sqlite) { stage in
      var draft = stage.draft
      draft.lastDay = draft.firstDay + 90
      let grant = try await stage.grant(draft)
      let exchange = stage.node.exchange
      func last() async throws -> Comparison? {
        try await exchange.task(grant.id, for: stage.cast.clerk).comparison
      }
      try await exchange.takeComparingTurn(grant.id)
      #expect(try await last() == nil)
      #expect(try await stage.node.deliverNow(grant.id).state == .delivered)
      var task = ExchangeTask(grant: grant.id)
      task.comparing = .weekly
      try await exchange.set(task, by: stage.cast.officer)
      stage.clock.advance(by: .seconds(6 * 86_400))
      try await stage.node.runner().turn()
      _ = try await stage.node.runner().drain()
      #expect(try await last() == nil)
      // Settings saved again put nothing off.
      task = try await exchange.task(grant.id, for: stage.cast.officer).task
      #expect(task.comparing == .weekly)
      try await exchange.set(task, by: stage.cast.officer)
      stage.clock.advance(by: .seconds(86_400 + 60))
      try await stage.node.runner().turn()
      _ = try await stage.node.runner().drain()
      let turned = try await last()
      #expect(turned?.state == .agrees, "\(turned.map { "\($0)" } ?? "none")")
      task = try await exchange.task(grant.id, for: stage.cast.officer).task
      task.comparing = .never
      try await exchange.set(task, by: stage.cast.officer)
      let schedules = try await stage.node.database.read {
        try $0.int("SELECT COUNT(*) FROM jobs_schedule WHERE kind = \(Exchange.comparingTurn)")
      }
      #expect(schedules == 0)
    }
  }

  @Test func `a side that cannot be read is said, and who may not is refused`() async throws {
    try await withStage(.sqlite) { stage in
      let grant = try await stage.grant(stage.draft)
      let exchange = stage.node.exchange
      let failed = try await compared(stage, grant.id)
      // Nothing was ever delivered: there is no table.
      #expect(failed.state == .failed && failed.reason != nil)
      let stranger = try await stage.stranger()
      await #expect(throws: Refusal.self) { try await exchange.compare(grant.id, by: stranger) }
      await #expect(throws: Refusal.self) { try await exchange.repair(failed.id, by: stage.cast.clerk) }
      try await exchange.pause(grant.id, why: "检修", by: stage.cast.officer)
      await #expect(throws: Refusal.self) { try await exchange.compare(grant.id, by: stage.cast.clerk) }
    }
  }
}
