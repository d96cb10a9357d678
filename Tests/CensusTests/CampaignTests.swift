import Audit
import Deadlines
import Foundation
import Identity
import Kernel
import Spreadsheets
import Storage
import TestKit
import Testing

@testable import Census

@Suite struct CampaignTests {
  private func refusal(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Void
  ) async -> Refusal? {
    do {
      try await body()
      return nil
    } catch { return error as? Refusal }
  }

  private func lines(_ province: Province, _ owner: CensusReturn, by principal: Principal = Province.officer)
    async throws -> [CensusLine]
  {
    try await province.census.lines(principal, .init(campaign: owner.campaign, owner: owner.id, limit: 1000)).lines
  }

  @Test(arguments: Engine.allCases)
  func `a campaign goes from its opening to frozen totals, with a task at each step`(engine: Engine) async throws {
    try await Province.with(engine) { province in
      let census = province.census
      try await province.publish(3, of: Province.market)
      try await province.publish(2, of: Province.affairs, node: "201001")
      #expect(
        try await census.askable(Province.chief).map(\.name) == [Province.market.name, Province.affairs.name].sorted())
      let campaign = try await province.open("普查", Province.market, Province.affairs)
      #expect(campaign.due.workingDays == 20)
      #expect(try await province.waiting(Province.officer) == ["census.fill"])
      #expect(try await province.waiting(Province.leader) == [])

      let owner = try await province.owner(campaign, Province.market)
      let codes = try await lines(province, owner).map(\.code)
      #expect(codes.count == 3 && owner.lines == 3 && owner.entered == 0)
      try await census.save(
        Province.officer, owner.id,
        [
          .init(code: codes[0], revision: 1, numbers: six(5_000_000, 100, 1_000_000, 40, 0, 10)),
          .init(code: codes[1], numbers: six(1, 1)),
        ])
      try await census.submit(Province.officer, owner.id)
      #expect(try await province.waiting(Province.officer) == [])
      #expect(try await province.waiting(Province.chief) == ["census.decide"])
      try await census.decide(Province.chief, owner.id, .sendBack(reasons: "第三条未填"))
      #expect(try await province.waiting(Province.officer) == ["census.fill"])
      try await census.save(Province.officer, owner.id, [.init(code: codes[2], numbers: six(0, 9, 0, 9))])
      #expect(try await province.state(owner.id) == .returned)
      try await census.submit(Province.officer, owner.id)
      try await census.decide(Province.chief, owner.id, .accept)

      let totals = try await census.totals(Province.chief, campaign.id)
      #expect(totals.total.numbers == six(5_000_001, 110, 1_000_000, 49, 0, 10))
      #expect(totals.total.lines == 5 && totals.total.entered == 3)
      #expect(totals.categories.map(\.category) == ["201", "307"])
      #expect(totals.returns.first { $0.office == Province.market.id }?.sums == totals.total.numbers)

      try await census.close(Province.chief, campaign.id)
      #expect(try await province.waiting(Province.otherOfficer) == [], "what nobody answers any more waits no more")
      let closed = await refusal {
        try await census.save(Province.officer, owner.id, [.init(code: codes[0], numbers: .zero)])
      }
      #expect(closed?.code == "census.closed")
      for again in [
        await refusal { try await census.submit(Province.officer, owner.id) },
        await refusal { try await census.decide(Province.chief, owner.id, .sendBack(reasons: "晚了")) },
      ] { #expect(again?.code == "census.closed") }
      #expect(await refusal { try await census.close(Province.chief, campaign.id) }?.code == "census.campaign.state")
      let actions = try await province.db.read { tx in
        // The clock stands still, and with it the order of the records.
        try tx.rows("SELECT action FROM audit_record ORDER BY action").map { try $0.text("action") }
      }
      #expect(
        actions == [
          "census.campaign.close", "census.campaign.open", "census.return.accept", "census.return.fill",
          "census.return.fill", "census.return.return", "census.return.submit", "census.return.submit",
        ])
    }
  }

  @Test(arguments: Engine.allCases)
  func `the next campaign begins with the last one's numbers, or with what was measured`(engine: Engine) async throws {
    try await Province.with(engine) { before in
      var province = before
      let resources = try await province.publish(2, of: Province.market)
      let first = try await province.open("一", Province.market)
      let owner = try await province.owner(first, Province.market)
      let code = try await lines(province, owner)[0].code
      try await province.census.save(Province.officer, owner.id, [.init(code: code, numbers: six(7, 70, 3, 30))])
      let running = await refusal { _ = try await province.open("二", Province.market) }
      #expect(running?.code == "census.running")
      try await province.census.close(Province.chief, first.id)

      let new = try await province.publish(2, of: Province.market, from: 3)
      province.measured = [new[0]: Measured(records: 500, sharedRecords: 800), resources[0]: Measured(records: 71)]
      province.time.move(.seconds(60))
      let second = try await province.open("二", Province.market)
      let made = try await lines(province, try await province.owner(second, Province.market))
      #expect(made.map(\.origin) == [.carried, .carried, .measured, .blank])
      #expect(made.map(\.numbers) == [six(7, 70, 3, 30), .zero, six(0, 800, 0, 800), .zero])
      #expect(made[0].measured.records == 71, "an estimate stands beside what was said, and replaces nothing")
      let totals = try await province.census.totals(Province.chief, second.id)
      #expect(totals.before == six(7, 70, 3, 30))
      #expect(totals.total.numbers == six(7, 870, 3, 830))
      #expect(totals.total.entered == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what is submitted keeps the numbers that differ, all or none of it`(engine: Engine) async throws {
    try await Province.with(engine) { before in
      var province = before
      let resources = try await province.publish(3, of: Province.market)
      province.measured = [resources[1]: Measured(records: 500)]
      let campaign = try await province.open("普查", Province.market)
      let owner = try await province.owner(campaign, Province.market)
      let made = try await lines(province, owner)
      let wrong = await refusal {
        try await province.census.submit(
          Province.officer, owner.id,
          with: [
            .init(code: made[0].code, revision: 1, numbers: six(7, 70)),
            .init(code: made[1].code, revision: 2, numbers: six(1, 1)),
          ])
      }
      #expect(wrong?.faults.map(\.field) == ["lines.1.code"])
      #expect(try await province.state(owner.id) == .filling)
      #expect(try await lines(province, owner).map(\.origin) == [.blank, .measured, .blank], "and nothing was kept")
      try await province.census.submit(
        Province.officer, owner.id,
        with: [
          .init(code: made[0].code, revision: 1, numbers: six(7, 70)),
          .init(code: made[1].code, revision: 1, numbers: six(0, 500)),
          .init(code: made[2].code, revision: 1, numbers: .zero),
        ])
      #expect(try await province.state(owner.id) == .submitted)
      let kept = try await lines(province, owner)
      #expect(kept.map(\.origin) == [.entered, .measured, .blank], "an estimate that nobody changed stays one")
      #expect(kept.map(\.numbers) == [six(7, 70), six(0, 500), .zero])
      #expect(try await province.owner(campaign, Province.market).sums == six(7, 570))
    }
  }

  @Test(arguments: Engine.allCases)
  func `a page is kept whole or not at all, and two who enter one line are told`(engine: Engine) async throws {
    try await Province.with(engine) { province in
      let census = province.census
      try await province.publish(3, of: Province.market)
      try await province.publish(1, of: Province.affairs)
      let campaign = try await province.open("普查", Province.market, Province.affairs)
      let owner = try await province.owner(campaign, Province.market)
      let codes = try await lines(province, owner).map(\.code)
      let foreign = try await lines(
        province, try await province.owner(campaign, Province.affairs), by: Province.otherOfficer)[0].code

      let wrong = await refusal {
        try await census.save(
          Province.officer, owner.id,
          [.init(code: codes[0], numbers: six(1, 1)), .init(code: codes[1], numbers: six(1, 1, 2, 0))])
      }
      #expect(wrong?.faults.map(\.field) == ["lines.1.sharedStorage"])
      let stranger = await refusal {
        try await census.save(
          Province.officer, owner.id, [.init(code: codes[0], numbers: six(1)), .init(code: foreign, numbers: six(1))])
      }
      #expect(stranger?.faults.map(\.field) == ["lines.1.code"])
      let twice = await refusal {
        try await census.save(
          Province.officer, owner.id, [.init(code: codes[0], numbers: six(1)), .init(code: codes[0], numbers: six(2))])
      }
      #expect(twice?.faults.map(\.field) == ["lines.1.code"])
      #expect(try await province.owner(campaign, Province.market).sums == .zero)

      try await census.save(Province.colleague, owner.id, [.init(code: codes[0], revision: 1, numbers: six(4, 4))])
      let late = await refusal {
        try await census.save(Province.officer, owner.id, [.init(code: codes[0], revision: 1, numbers: six(5, 5))])
      }
      #expect(late?.faults.first?.message.chinese.contains("孙七") == true)
      try await census.save(Province.officer, owner.id, [.init(code: codes[0], revision: 2, numbers: six(5, 5))])
      let after = try await province.owner(campaign, Province.market)
      #expect(after.sums == six(5, 5) && after.entered == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `an office sees its own return and no other, and only its officers write in it`(engine: Engine) async throws {
    try await Province.with(engine) { province in
      let census = province.census
      try await province.publish(1, of: Province.market)
      try await province.publish(1, of: Province.affairs)
      let campaign = try await province.open("普查", Province.market)
      let owner = try await province.owner(campaign, Province.market)
      let entry = LineEntry(code: try await lines(province, owner)[0].code, numbers: .zero)
      for by in [Province.otherOfficer, Province.leader, Province.chief] {
        #expect(await refusal { try await census.save(by, owner.id, [entry]) } != nil)
        #expect(await refusal { try await census.submit(by, owner.id) } != nil)
      }
      #expect(await refusal { try await census.decide(Province.officer, owner.id, .accept) }?.kind == .forbidden)
      #expect(await refusal { _ = try await census.view(Province.otherOfficer, owner.id) }?.kind == .notFound)
      #expect(await refusal { _ = try await census.totals(Province.otherOfficer, campaign.id) }?.kind == .notFound)
      let all = try await census.lines(Province.leader, .init(campaign: campaign.id))
      #expect(all.lines.count == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `laying out that was broken off goes on, and does nothing twice`(engine: Engine) async throws {
    try await Province.with(engine) { province in
      struct Killed: Error {}
      try await province.publish(1_200, of: Province.market)
      let campaign = try await province.census.open(
        Province.chief,
        CampaignDraft(name: "普查", referenceDay: CalendarDate("2026-06-30")!, offices: [Province.market.id]))
      await #expect(throws: Killed.self) {
        try await province.census.prepare(campaign.id) { lines in if lines >= 1000 { throw Killed() } }
      }
      #expect(try await province.owner(campaign, Province.market).lines == 1000)
      #expect(try await province.waiting(Province.officer) == [])
      try await province.census.prepare(campaign.id)
      try await province.census.prepare(campaign.id)
      let owner = try await province.owner(campaign, Province.market)
      #expect(owner.lines == 1_200 && owner.state == .filling)
      #expect(try await province.waiting(Province.officer) == ["census.fill"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `who is late is told by the day, also once it came`(engine: Engine) async throws {
    try await Province.with(engine) { province in
      try await province.publish(1, of: Province.market)
      let campaign = try await province.open("普查", Province.market)
      let due = campaign.due.date
      var owner = try await province.owner(campaign, Province.market)
      #expect(!owner.isLate(due: due, today: due) && owner.isLate(due: due, today: due + 1))
      province.time.move(.seconds(86_400 * 60))
      try await province.census.submit(Province.officer, owner.id)
      owner = try await province.owner(campaign, Province.market)
      #expect(owner.isLate(due: due, today: due + 60))
    }
  }

  @Test func `a draft of a campaign is refused with each of its faults`() async throws {
    try await Province.with(.sqlite) { province in
      try await province.publish(1, of: Province.market)
      let wrong = await refusal {
        _ = try await province.census.open(
          Province.chief,
          CampaignDraft(name: " ", referenceDay: CalendarDate("2026-08-21")!, workingDays: 0, offices: []))
      }
      #expect(wrong?.faults.map(\.field) == ["name", "referenceDay", "workingDays", "office"])
      let gone = await refusal {
        _ = try await province.census.open(
          Province.chief,
          CampaignDraft(name: "普查", referenceDay: CalendarDate("2026-08-20")!, offices: [Province.gone.id]))
      }
      #expect(gone?.faults.map(\.field) == ["office"])
      #expect(await refusal { _ = try await province.census.askable(Province.officer) }?.kind == .forbidden)
    }
  }

  // MARK: Scale

  @Test(arguments: Engine.allCases)
  func `no list of a census scans`(engine: Engine) async throws {
    try await Province.with(engine) { province in
      let id = CampaignID.make(at: Province.start)
      let owner = CensusReturnID.make(at: Province.start)
      let queries: [SQL] = [
        "SELECT * FROM census_line WHERE (return_id = \(owner)) AND (code > \("3")) ORDER BY code LIMIT 20",
        "SELECT * FROM census_line WHERE (campaign = \(id)) AND (code > \("3")) ORDER BY code LIMIT 20",
        "SELECT * FROM census_line WHERE (campaign = \(id)) AND (category = \("307")) ORDER BY code LIMIT 20",
        "SELECT * FROM census_line WHERE (return_id = \(owner)) AND (origin = \("blank")) ORDER BY code LIMIT 20",
        "SELECT * FROM census_sum WHERE return_id = \(owner) ORDER BY category LIMIT 1000",
        "SELECT * FROM census_return WHERE campaign = \(id) ORDER BY office_name, id LIMIT 1000",
        "SELECT r.id FROM catalog_resource r WHERE r.provider = \("x") AND r.id > \("") ORDER BY r.id LIMIT 500",
        "SELECT provider FROM catalog_resource WHERE provider > \("") ORDER BY provider LIMIT 1",
      ]
      for query in queries {
        let plan = try await province.db.read { tx -> String in
          if engine == .postgres { _ = try tx.rows("SELECT set_config('enable_seqscan', 'off', true)") }
          let explain: SQL = engine == .sqlite ? "EXPLAIN QUERY PLAN " : "EXPLAIN "
          return try tx.rows(explain + query).map { "\($0.values)" }.joined(separator: "\n")
        }
        #expect(!plan.contains("SCAN ") && !plan.contains("Seq Scan") && !plan.contains("TEMP B-TREE"), "\(plan)")
      }
    }
  }
}
