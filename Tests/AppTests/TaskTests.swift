import Catalog
import Connecting
import Demo
import Exchange
import Inbox
import Inventory
import Jobs
import Kernel
import Reshaping
import Sharing
import Storage
import TestKit
import Testing
import Transfer

@testable import App

/// How a grant is carried out: by its filter and masks, its task's time and rules, and beside others at the same source.
@Suite struct TaskTests {
  private func consumer(_ stage: Stage, _ statement: String) throws -> String {
    try Tool.run("/usr/bin/sqlite3", [stage.databases.consumerPath, statement]).trimmingCharacters()
  }

  private func provider(_ stage: Stage, _ statement: String) throws -> String {
    try Tool.run("/usr/bin/sqlite3", [stage.databases.providerPath, statement]).trimmingCharacters()
  }

  @Test(arguments: Engine.allCases)
  func `a grant gives the rows of its filter, in the forms of its masks, and takes back what no longer belongs`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(
        stage.draft, masks: ["uscc": .reshaped(.token(.creditCode)), "name": .reshaped(.cut(2))],
        rowFilter: "kind = '有限责任公司' and capital >= 100")
      #expect(grant.rowFilter == "kind = '有限责任公司' and capital >= 100")
      let wanted =
        try Int(
          provider(stage, "SELECT count(*) FROM legal_person WHERE kind = '有限责任公司' AND capital >= 100")) ?? -1
      let first = try await stage.node.deliverNow(grant.id)
      #expect(first.state == .delivered && first.agrees == true && wanted > 0)
      #expect(first.delivered + first.quarantined == wanted && first.filtered == first.read - wanted)
      #expect(try consumer(stage, "SELECT max(length(name)) FROM checked") == "2")
      #expect(try consumer(stage, "SELECT count(*) FROM checked WHERE uscc LIKE '11%' OR uscc LIKE '91%'") == "0")
      let rows = try Int(consumer(stage, "SELECT count(*) FROM checked")) ?? -1
      _ = try provider(
        stage,
        """
        UPDATE legal_person SET kind = '个人独资企业', updated_at = '2026-03-05T09:00:00.000Z'
        WHERE rowid IN (SELECT rowid FROM legal_person WHERE kind = '有限责任公司' AND capital >= 100 LIMIT 3)
        """)
      stage.clock.advance(by: .seconds(7_200))
      let second = try await stage.node.deliverNow(grant.id)
      #expect(second.state == .delivered && second.agrees == true && second.mode == .incremental)
      #expect(try Int(consumer(stage, "SELECT count(*) FROM checked")) ?? -1 <= rows - second.removed)
      #expect(second.removed > 0)
    }
  }

  @Test func `a filter or a mask that does not fit is refused where it was entered`() async throws {
    try await withStage(.sqlite) { stage in
      for (filter, masks) in [
        ("nothing = 1", [:]), ("capital", [:]), ("capital > ", [:]), ("", ["capital": Mask.keepHeadTail(1, 0)]),
        ("", ["uscc": .reshaped(.cut(3))]), ("", ["name": .reshaped(.period(.year))]),
      ] as [(String, [String: Mask])] {
        var draft = stage.draft
        draft.items = stage.items(["uscc", "name", "capital"])
        let refusal = await #expect(throws: Refusal.self) {
          _ = try await stage.grant(draft, masks: masks, rowFilter: filter)
        }
        let field = refusal?.faults.first?.field ?? ""
        #expect(filter.isEmpty ? field.hasPrefix("mask-") : field == "rowFilter", "\(filter) \(masks)")
        for open in try await stage.node.sharing.requests(for: stage.cast.clerk) where open.state.isOpen {
          _ = try await stage.node.sharing.withdraw(open.id, words: "", version: open.version, by: stage.cast.clerk)
        }
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `the target gets what is computed from the granted items, and nothing that a mask keeps`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft, masks: ["name": .reshaped(.cut(2))])
      let (exchange, officer) = (stage.node.exchange, stage.cast.officer)
      var version = 0
      func add(_ name: String, _ type: ValueType, _ expression: String) async throws {
        try await exchange.add(
          TaskColumn(name: name, type: type, expression: expression), to: grant.id, version: version, by: officer)
        version += 1
      }
      func refused(_ field: String, _ body: () async throws -> Void) async {
        let refusal = await #expect(throws: Refusal.self, "\(field)") { try await body() }
        #expect(refusal?.faults.first?.field == field, "\(String(describing: refusal))")
      }
      // The raw value of a masked item, a column that is not granted, a wrong type, a name that is taken.
      await refused("expression") { try await add("leak", .text, "name") }
      await refused("expression") { try await add("leak", .text, "CONCAT(uscc, address)") }
      await refused("expression") { try await add("n", .integer, "LEFT(uscc, 2)") }
      await refused("expression") { try await add("said", .text, "LOOKUP('登记状态', status)") }
      await refused("name") { try await add("USCC", .text, "'x'") }
      await refused("name") { try await add("sj_mine", .text, "'x'") }
      let states = try provider(stage, "SELECT DISTINCT status FROM legal_person ORDER BY 1").split(separator: "\n")
      await refused("lines") {
        try await exchange.set(
          TaskDictionary(name: "登记状态", lines: "a,1\na,2"), of: grant.id, version: version, by: officer)
      }
      try await exchange.set(
        TaskDictionary(
          name: "登记状态", lines: states.enumerated().map { "\($1), S\($0)" }.joined(separator: "\r\n"), unknown: .null),
        of: grant.id, version: version, by: officer)
      version += 1
      try await add("origin", .text, "'青海省'")
      try await add("class", .integer, "TO_INTEGER(LEFT(uscc, 2))")
      try await add("said", .text, "LOOKUP('登记状态', status)")
      let used = await #expect(throws: Refusal.self) {
        try await exchange.removeDictionary("登记状态", from: grant.id, version: version, by: officer)
      }
      #expect(used?.code == "exchange.dictionary.used")
      let stranger = try await stage.stranger()
      let unseen = await #expect(throws: Refusal.self) {
        try await exchange.removeColumn("said", from: grant.id, version: version, by: stranger)
      }
      #expect(unseen?.kind == .notFound)

      let delivery = try await stage.node.deliverNow(grant.id)
      #expect(delivery.state == .delivered && delivery.agrees == true, "\(delivery.reason?.english ?? "")")
      #expect(try consumer(stage, "SELECT count(*) FROM checked WHERE origin = '青海省' AND class = 91") != "0")
      #expect(
        try consumer(
          stage, "SELECT count(*) FROM checked WHERE said IS NULL OR origin IS NULL OR class <> substr(uscc, 1, 2)")
          == "0"
      )
      #expect(try consumer(stage, "SELECT count(DISTINCT said) FROM checked") == "\(states.count)")
      let task = try await exchange.task(grant.id, for: officer).task
      #expect(task.columns.map(\.name) == ["origin", "class", "said"] && task.dictionaries.count == 1)
      // Saving the settings keeps them.
      try await exchange.set(task, by: officer)
      #expect(try await exchange.task(grant.id, for: officer).task.columns == task.columns)
      // The table lacks what is new: told, and nothing is delivered in part.
      version += 1
      try await add("later", .text, "'x'")
      let late = try await stage.node.deliverNow(grant.id)
      #expect(late.state == .failed && late.reason?.chinese.contains("later") == true)
      #expect(try await exchange.task(grant.id, for: officer).task.pause?.isFrozen == true)
    }
  }

  @Test(arguments: Engine.allCases)
  func `outside its window a task waits, without using up its attempts`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let (exchange, runner) = (stage.node.exchange, stage.node.runner())
      let now = stage.node.clock.now()
      let minute = Int((now - now.dateInChina.startInChina).inMilliseconds / 60_000)
      let window = try #require(DayWindow(from: (minute + 60) % 1440, to: (minute + 120) % 1440))
      var wanted = ExchangeTask(grant: grant.id)
      wanted.window = window
      try await exchange.set(wanted, by: stage.cast.officer)
      let asked = try await exchange.ask(grant.id, by: stage.cast.clerk)
      _ = try await runner.drain()
      #expect(try await exchange.delivery(asked.id, for: stage.cast.clerk).delivery.state == .queued)
      stage.clock.advance(by: .seconds(3_660))
      _ = try await runner.drain()
      #expect(try await exchange.delivery(asked.id, for: stage.cast.clerk).delivery.state == .delivered)
      // Queued within the window, taken after it.
      let late = try await exchange.ask(grant.id, by: stage.cast.clerk)
      stage.clock.advance(by: .seconds(3_600))
      for _ in 0..<20 {
        _ = try await runner.drain()
        stage.clock.advance(by: .seconds(60))
      }
      let waiting = try await exchange.delivery(late.id, for: stage.cast.clerk).delivery
      #expect(waiting.state == .queued && waiting.reason?.chinese.contains(window.text) == true)
      stage.clock.advance(by: .seconds(86_400 - 4_800))
      _ = try await runner.drain()
      #expect(try await exchange.delivery(late.id, for: stage.cast.clerk).delivery.state == .delivered)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a paused task moves nothing until it is resumed, and says who paused it and why`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let (exchange, runner) = (stage.node.exchange, stage.node.runner())
      let asked = try await exchange.ask(grant.id, by: stage.cast.clerk)
      try await exchange.pause(grant.id, why: "系统割接", by: stage.cast.consumerOfficer)
      _ = try await runner.drain()
      let stopped = try await exchange.delivery(asked.id, for: stage.cast.clerk).delivery
      #expect(stopped.state == .stopped && stopped.reason?.chinese.contains("系统割接") == true)
      let refusal = await #expect(throws: Refusal.self) { _ = try await exchange.ask(grant.id, by: stage.cast.clerk) }
      #expect(refusal?.code == "exchange.task.paused")
      stage.clock.advance(by: .seconds(3 * 86_400))
      _ = try await runner.turn()
      _ = try await runner.drain()
      #expect(try await exchange.deliveries(for: stage.cast.clerk, grant: grant.id).count == 1)
      await #expect(throws: Refusal.self) { try await exchange.pause(grant.id, why: "再停", by: stage.cast.officer) }
      try await exchange.resume(grant.id, by: stage.cast.officer)
      stage.clock.advance(by: .seconds(86_400))
      _ = try await runner.turn()
      _ = try await runner.drain()
      #expect(try await exchange.deliveries(for: stage.cast.clerk, grant: grant.id).first?.0.state == .delivered)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a source that drifts freezes its task and tells both sides; mended and resumed it goes on`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let (exchange, runner) = (stage.node.exchange, stage.node.runner())
      #expect(try await stage.node.deliverNow(grant.id).state == .delivered)
      let before = try consumer(stage, "SELECT count(*) FROM checked")
      _ = try provider(stage, "ALTER TABLE legal_person RENAME COLUMN status TO condition")
      let drifted = try await stage.node.deliverNow(grant.id)
      #expect(drifted.state == .failed && drifted.reason?.chinese.contains("status") == true)
      let view = try await exchange.task(grant.id, for: stage.cast.officer)
      #expect(view.task.pause?.isFrozen == true)
      for side in [stage.cast.officer, stage.cast.consumerOfficer] {
        let waiting = try await stage.node.database.read { try Inbox.waiting(for: side, limit: 20, in: $0) }
        #expect(waiting.count { $0.kind == "exchange.drift" } == 1)
      }
      stage.clock.advance(by: .seconds(5 * 86_400))
      _ = try await runner.turn()
      _ = try await runner.drain()
      #expect(try await exchange.deliveries(for: stage.cast.clerk, grant: grant.id).count == 2, "frozen")
      #expect(try consumer(stage, "SELECT count(*) FROM checked") == before, "no partial copy")
      _ = try provider(stage, "ALTER TABLE legal_person RENAME COLUMN condition TO status")
      try await exchange.resume(grant.id, by: stage.cast.officer)
      #expect(try await stage.node.deliverNow(grant.id).state == .delivered)
      let left = try await stage.node.database.read { try Inbox.waiting(for: stage.cast.officer, limit: 20, in: $0) }
      #expect(!left.contains { $0.kind == "exchange.drift" })
    }
  }

  @Test(arguments: Engine.allCases)
  func
    `bad rows go back to their provider, are read again once it has corrected them, and stay open while they are bad`(
      engine: Engine
    ) async throws
  {
    try await withStage(engine) { stage in
      var draft = stage.draft
      draft.items = stage.items(["uscc", "name", "established"])
      let grant = try await stage.grant(draft)
      let exchange = stage.node.exchange
      _ = try provider(
        stage,
        """
        UPDATE legal_person SET established = '2020-02-30' WHERE rowid IN (
          SELECT rowid FROM legal_person WHERE established NOT LIKE '%-13-%' LIMIT 4)
        """)
      let first = try await stage.node.deliverNow(grant.id)
      let view = try await exchange.delivery(first.id, for: stage.cast.clerk)
      let bad = try #require(view.quarantine.first { $0.item == "established" })
      try await exchange.handBack(
        first.id, item: bad.item, fault: bad.fault, words: "日期不存在，请核对档案", by: stage.cast.consumerOfficer)
      await #expect(throws: Refusal.self) {
        try await exchange.handBack(
          first.id, item: bad.item, fault: bad.fault, words: "再退", by: stage.cast.consumerOfficer)
      }
      func waiting() async throws -> Int {
        try await stage.node.database.read {
          try Inbox.waiting(for: stage.cast.officer, limit: 50, in: $0).count { $0.kind == "exchange.hand-back" }
        }
      }
      #expect(try await waiting() == 1)
      let handed = try #require(try await exchange.handBacks(of: first.id, for: stage.cast.officer).first)
      #expect(handed.state == .open && handed.rows == bad.rows)
      await #expect(throws: Refusal.self) {
        _ = try await exchange.answer(handed.id, since: nil, words: "", by: stage.cast.consumerOfficer)
      }
      // Says it is corrected, and it is not.
      _ = try await exchange.answer(handed.id, since: nil, words: "已更正", by: stage.cast.officer)
      #expect(try await waiting() == 0)
      _ = try await stage.node.runner().drain()
      let again = try #require(try await exchange.handBacks(of: first.id, for: stage.cast.officer).first)
      #expect(again.state == .stillBad && again.stillBad == bad.rows)
      #expect(try await waiting() == 1)
      _ = try provider(stage, "UPDATE legal_person SET established = '2020-02-28' WHERE established LIKE '2020-02-30%'")
      let delivery = try await exchange.answer(handed.id, since: nil, words: "按档案更正", by: stage.cast.officer)
      _ = try await stage.node.runner().drain()
      let ended = try #require(try await exchange.handBacks(of: first.id, for: stage.cast.officer).first)
      #expect(ended.reread == delivery.id && ended.answer == "按档案更正")
      #expect(
        ended.stillBad
          == (try await exchange.delivery(delivery.id, for: stage.cast.officer)).quarantine
          .filter { $0.item == bad.item && $0.fault == bad.fault }.reduce(0) { $0 + $1.rows })
      #expect(ended.state == (ended.stillBad == 0 ? .mended : .stillBad))
      #expect(try await exchange.delivery(delivery.id, for: stage.cast.clerk).delivery.state == .delivered)
    }
  }

  @Test func `a task that one has no part in is not there, whatever is asked of it`() async throws {
    try await withStage(.sqlite) { stage in
      let grant = try await stage.grant(stage.draft)
      let delivery = try await stage.node.deliverNow(grant.id)
      let (exchange, stranger) = (stage.node.exchange, try await stage.stranger())
      func isNotThere(_ what: String, _ body: () async throws -> Void) async {
        let refusal = await #expect(throws: Refusal.self, "\(what)") { try await body() }
        #expect(refusal?.kind == .notFound, "\(what)")
      }
      await isNotThere("seeing it") { _ = try await exchange.task(grant.id, for: stranger) }
      await isNotThere("setting it") { try await exchange.set(ExchangeTask(grant: grant.id), by: stranger) }
      await isNotThere("a rule") {
        try await exchange.add(TaskRule(column: "name", kind: .notNull), to: grant.id, version: 0, by: stranger)
      }
      await isNotThere("pausing") { try await exchange.pause(grant.id, why: "x", by: stranger) }
      await isNotThere("resuming") { try await exchange.resume(grant.id, by: stranger) }
      await isNotThere("handing back") {
        try await exchange.handBack(delivery.id, item: "name", fault: "null", words: "x", by: stranger)
      }
      await isNotThere("what was handed back") { _ = try await exchange.handBacks(of: delivery.id, for: stranger) }
      #expect(try await exchange.tasks(for: stranger).isEmpty)
      #expect(try await exchange.flows(for: stranger).isEmpty)
      #expect(try await exchange.sources(for: stranger).isEmpty)
      let flow = try #require(try await exchange.flows(for: stage.cast.clerk).first)
      #expect(flow.grants == 1 && flow.deliveries == 1 && flow.rows == delivery.delivered)
    }
  }

  @Test(arguments: Engine.allCases)
  func `the measures count what was delivered, and no other office's`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let delivery = try await stage.node.deliverNow(grant.id)
      try await stage.node.exchange.pause(grant.id, why: "割接", by: stage.cast.officer)
      let text = try await stage.node.exchange.metrics(for: stage.cast.officer)
      for line in [
        "sanjiang_grants_active 1", "sanjiang_deliveries{state=\"delivered\"} 1",
        "sanjiang_rows_delivered_day \(delivery.delivered)", "sanjiang_rows_quarantined_day \(delivery.quarantined)",
        "sanjiang_tasks_paused 1", "sanjiang_tasks_frozen 0",
      ] {
        #expect(text.split(separator: "\n").contains(Substring(line)), "\(line)")
      }
      #expect(text.contains("sanjiang_source_age_seconds{grant=\"\(grant.number)\""))
      let others = try await stage.node.exchange.metrics(for: stage.stranger())
      #expect(others.contains("sanjiang_grants_active 0") && !others.contains(grant.number))
    }
  }

  @Test(arguments: Engine.allCases)
  func `a task may wait for others, and none for itself in a circle`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let first = try await stage.grant(stage.draft(into: "first"))
      let second = try await stage.grant(stage.draft(into: "second"))
      let (exchange, runner) = (stage.node.exchange, stage.node.runner())
      func wait(_ grant: Grant, for other: Grant) async throws {
        var wanted = ExchangeTask(grant: grant.id)
        wanted.start = .afterOthers
        try await exchange.set(wanted, after: [other.number], by: stage.cast.officer)
      }
      try await wait(second, for: first)
      let circle = await #expect(throws: Refusal.self) {
        try await wait(first, for: second)
      }
      #expect(circle?.faults.first?.field == "after")
      stage.clock.advance(by: .seconds(60))
      _ = try await runner.turn()
      _ = try await runner.drain()
      let made = try await exchange.deliveries(for: stage.cast.clerk, grant: second.id)
      #expect(made.count == 1 && made[0].0.state == .delivered && made[0].0.trigger == "after")
      stage.clock.advance(by: .seconds(86_400))
      _ = try await runner.turn()
      _ = try await runner.drain()
      #expect(try await exchange.deliveries(for: stage.cast.clerk, grant: second.id).count == 2)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a source with a limit has no more deliveries at once, and the next has its turn soon`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let first = try await stage.grant(stage.draft(into: "first"))
      let second = try await stage.grant(stage.draft(into: "second"))
      let (exchange, runner) = (stage.node.exchange, stage.node.runner())
      var limit = SourceLimit(source: stage.target)
      limit.deliveries = 1
      try await exchange.set(limit, by: stage.cast.consumerOfficer)
      await #expect(throws: Refusal.self) { try await exchange.set(limit, by: stage.cast.consumerOfficer) }
      await #expect(throws: Refusal.self) { try await exchange.set(limit, by: stage.cast.officer) }
      let busy = try await exchange.ask(first.id, by: stage.cast.clerk)
      // As if another machine carried it out just now.
      try await stage.node.database.write { tx in
        try tx.run(
          "UPDATE exchange_delivery SET state = 'running', target = \(stage.target) WHERE id = \(busy.id)")
        try tx.run("UPDATE jobs_job SET run_at = '2099-01-01T00:00:00.000Z' WHERE payload = \(busy.id.text)")
      }
      let asked = try await exchange.ask(second.id, by: stage.cast.clerk)
      _ = try await runner.drain()
      let waiting = try await exchange.delivery(asked.id, for: stage.cast.clerk).delivery
      #expect(waiting.state == .queued && waiting.reason?.chinese.contains("1 个交换") == true)
      try await stage.node.database.write { tx in
        try tx.run("UPDATE exchange_delivery SET state = 'queued' WHERE id = \(busy.id)")
      }
      stage.clock.advance(by: .seconds(6))
      _ = try await runner.drain()
      #expect(try await exchange.delivery(asked.id, for: stage.cast.clerk).delivery.state == .delivered)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a day can be gone back to, and what is there already is not delivered twice`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let first = try await stage.node.deliverNow(grant.id)
      let runner = stage.node.runner()
      // Committed long after its own time: no cursor ever comes back to it.
      _ = try provider(
        stage,
        "UPDATE legal_person SET name = '迟到的名称', updated_at = '2024-06-10T00:00:00.000Z' WHERE rowid = 5")
      let usual = try await stage.node.deliverNow(grant.id)
      #expect(usual.delivered == 0)
      let day = try #require(CalendarDate("2024-06-10"))
      let asked = try await stage.node.exchange.ask(grant.id, since: day, by: stage.cast.clerk)
      _ = try await runner.drain()
      let back = try await stage.node.exchange.delivery(asked.id, for: stage.cast.clerk).delivery
      #expect(back.state == .delivered && back.agrees == true && back.since == day && back.mode == .incremental)
      #expect(back.delivered == 1)
      #expect(try consumer(stage, "SELECT count(*) FROM checked") == "\(first.delivered)")
      #expect(try consumer(stage, "SELECT count(*) FROM checked WHERE name = '迟到的名称'") == "1")
      let tomorrow = stage.node.clock.now().dateInChina + 1
      await #expect(throws: Refusal.self) {
        _ = try await stage.node.exchange.ask(grant.id, since: tomorrow, by: stage.cast.clerk)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a task's rules set rows apart, count, and stop a delivery that is too bad`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let exchange = stage.node.exchange
      let officer = stage.cast.officer
      try await exchange.add(
        TaskRule(column: "name", kind: .length, argument: "..5"), to: grant.id, version: 0, by: officer)
      // No name is so short: nothing could be delivered, and that is no success.
      let none = try await stage.node.deliverNow(grant.id)
      #expect(none.state == .failed && none.agrees == true && none.delivered == 0)
      #expect(none.reason?.chinese.contains("一行也没有送达") == true)
      _ = try provider(stage, "UPDATE legal_person SET name = '短名' WHERE rowid <= 20")
      let long = try Int(provider(stage, "SELECT count(*) FROM legal_person WHERE length(name) > 5")) ?? 0
      let first = try await stage.node.deliverNow(grant.id)
      #expect(first.state == .delivered && first.agrees == true && first.quarantined >= long && long > 0)
      for (rule, field) in [
        (TaskRule(column: "name", kind: .number, argument: "1..2"), "argument"),
        (TaskRule(column: "capital", kind: .notNull), "column"),
        (TaskRule(column: nil, kind: .holds, argument: "name ="), "argument"),
        (TaskRule(column: "name", kind: .uniqueInTarget), "kind"),
        (TaskRule(column: "name", kind: .length, argument: "..5"), "kind"),
      ] {
        let refusal = await #expect(throws: Refusal.self) {
          try await exchange.add(rule, to: grant.id, version: 1, by: officer)
        }
        #expect(refusal?.faults.first?.field == field, "\(rule)")
      }
      await #expect(throws: Refusal.self) {
        try await exchange.removeRule("name: length ..5", from: grant.id, version: 1, by: stage.cast.consumerOfficer)
      }
      try await exchange.removeRule("name: length ..5", from: grant.id, version: 1, by: officer)
      try await exchange.add(
        TaskRule(
          column: "name", kind: .length, argument: "..5", severity: .warn,
          stopWhen: StopRule(share: 0.01, leastRows: 10)),
        to: grant.id, version: 2, by: officer)
      let before = try consumer(stage, "SELECT count(*) FROM checked")
      let stopped = try await stage.node.deliverNow(grant.id)
      #expect(stopped.state == .failed && stopped.reason?.chinese.contains("length ..5") == true)
      #expect(try consumer(stage, "SELECT count(*) FROM checked") == before)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a grant that marks rows keeps what the source has no more, and both sides agree on it`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      var draft = stage.draft
      draft.goneRows = .marked
      let grant = try await stage.grant(draft)
      #expect(grant.goneRows == .marked)
      _ = try await stage.node.deliverNow(grant.id)
      let before = try consumer(stage, "SELECT count(*) FROM checked")
      _ = try provider(
        stage, "DELETE FROM legal_person WHERE uscc IN (SELECT uscc FROM legal_person ORDER BY uscc LIMIT 7)")
      _ = try await stage.node.exchange.ask(grant.id, isFull: true, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      let second = try await stage.node.database.read { try DeliveryStore.list(grant: grant.id, limit: 1, in: $0)[0] }
      #expect(second.state == .delivered && second.agrees == true && second.removed > 0)
      #expect(try consumer(stage, "SELECT count(*) FROM checked") == before)
      let marked = try consumer(stage, "SELECT count(*) FROM checked WHERE sj_deleted_since IS NOT NULL")
      #expect(Int(marked) == second.removed)
      _ = try await stage.node.exchange.compare(grant.id, by: stage.cast.clerk)
      _ = try await stage.node.runner().drain()
      #expect(try await stage.node.exchange.task(grant.id, for: stage.cast.officer).comparison?.state == .agrees)
    }
  }
}

extension String {
  fileprivate func trimmingCharacters() -> String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
