import Jobs
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import Supervision

/// The months: what is kept of each, for all and for one office.
@Suite struct TrendTests {
  @Test(arguments: Engine.allCases)
  func `a month keeps its last numbers, with what arrived after they were counted`(engine: Engine) async throws {
    try await Province.with(engine, offices: 2) { province in
      let office = province.offices[0]
      try await province.supervision.refresh()
      // Late on the last day something arrives, and nobody counts before midnight.
      province.clock.set("2026-03-31T15:00:00.000Z")
      try await province.supervision.refresh()
      try await province.db.write { tx in
        try Province.deliver(
          900_000, under: Province.id(6, 0), rows: 500, at: Instant("2026-03-31T15:59:00.000Z")!, in: tx)
      }
      province.clock.set("2026-03-31T16:01:00.000Z")
      try await province.db.write { tx in try tx.run("DELETE FROM catalog_entry WHERE provider = \(office)") }
      try await province.supervision.refresh()

      let trend = try await province.supervision.trend(of: office, for: .system())
      #expect(trend.months.map(\.0.description) == ["2026-03", "2026-04"])
      #expect(trend.months[0].1[.deliveries] == 10 && trend.months[0].1[.rowsDelivered] == 599)
      #expect(trend.months[0].1[.entries] == 40, "the month's last numbers stand")
      #expect(trend.months[1].1[.deliveries] == 0 && trend.months[1].1[.entries] == 0)
      let all = try await province.supervision.trend(of: nil, for: .system())
      #expect(all.months[0].1[.deliveries] == 19 && all.months[0].1[.entries] == 80)
      #expect(all.months[1].1[.entries] == 40 && all.office == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `every number of a month opens to rows: what arrived in it, or what stands now beside what was kept`(
    engine: Engine
  ) async throws {
    try await Province.with(engine, offices: 2) { province in
      let (office, march) = (province.offices[0], CalendarMonth("2026-03")!)
      try await province.supervision.refresh()
      let before = try await province.supervision.rows(behind: .deliveries, of: nil, limit: 100, for: .system())
      #expect(before.rows.count == 18 && before.month == nil)
      province.clock.set("2026-04-02T04:00:00.000Z")
      try await province.db.write { tx in
        try Province.deliver(
          900_000, under: Province.id(6, 0), rows: 500, at: Instant("2026-04-01T04:00:00.000Z")!, in: tx)
        try tx.run("DELETE FROM catalog_entry WHERE provider = \(office)")
      }
      try await province.supervision.refresh()
      func rows(_ measure: Measure, _ office: OrganisationID?, _ month: CalendarMonth?) async throws -> CountedList {
        var (all, place): (CountedList?, CountedRow.Place?) = (nil, nil)
        repeat {
          let list = try await province.supervision.rows(
            behind: measure, of: office, in: month, after: place, limit: 5, for: .system())
          if all == nil { all = list } else { all?.rows += list.rows }
          place = list.next
        } while place != nil
        return try #require(all)
      }
      let trend = try await province.supervision.trend(of: nil, for: .system()).months
      #expect(trend.map(\.0) == [march, march.next])
      for (office, arrived, entries) in [(OrganisationID?.none, 18, 80), (office, 9, 40)] {
        let moved = try await rows(.deliveries, office, march)
        #expect(moved.counted == arrived && moved.rows.count == arrived && moved.month == march)
        #expect(moved.rows.allSatisfy { $0.on.map { CalendarMonth($0) } == march })
        let stood = try await rows(.entries, office, march)
        #expect(stood.counted == entries, "what was kept of the month")
        #expect(stood.rows.count == entries - 40, "and what stands now")
        let running = try await rows(.deliveries, office, march.next)
        #expect(running.month == nil && running.counted == 1 && running.rows.count == 1)
      }
      let unknown = try await rows(.deliveries, nil, CalendarMonth("2020-01")!)
      #expect(unknown.counted == 0 && unknown.rows.isEmpty)
    }
  }

  @Test func `each month's numbers are links to their rows, and a month to come is refused`() async throws {
    try await Province.with(.sqlite, offices: 1, entries: 40) { province in
      try await province.supervision.refresh()
      province.clock.set("2026-04-02T04:00:00.000Z")
      try await province.supervision.refresh()
      let routes = SupervisionRoutes.routes(province.supervision)
      func page(_ path: String, _ query: [(String, String)]) async throws -> Page {
        let route = try #require(routes.first { $0.path == path })
        var request = Request(method: .get, path: path, now: province.clock.now)
        request.principal = .system()
        request.query = Fields(query)
        guard case .page(let page) = try await route.answer(request) else { throw Refusal.notFound(Text("页", "page")) }
        return page
      }
      let trend = try await page("/supervision/trend", []).body.text
      for month in ["2026-03", "2026-04"] {
        #expect(trend.contains("href=\"/supervision/rows?what=entries&amp;month=\(month)\""), "\(month)")
      }
      let past = try await page("/supervision/rows", [("what", "entries"), ("month", "2026-03")]).body.text
      #expect(past.contains("2026-03 月末的数为") && past.contains("往月只留数字"))
      let moved = try await page("/supervision/rows", [("what", "deliveries"), ("month", "2026-03")])
      #expect(moved.title.chinese == "2026-03 送达的交换" && moved.body.text.contains("month=2026-03"))
      for month in ["2026-05", "2026-13", "x"] {
        await #expect(throws: Refusal.self) {
          _ = try await page("/supervision/rows", [("what", "entries"), ("month", month)])
        }
      }
    }
  }

  @Test func `no more than two years of months are shown, the last ones`() async throws {
    try await Province.with(.sqlite, offices: 1, entries: 4) { province in
      var now = Province.now
      for _ in 0..<26 {
        province.clock.set(now.description)
        try await province.supervision.refresh()
        now = CalendarMonth(now.dateInChina).next.first.startInChina
      }
      let months = try await province.supervision.trend(of: nil, for: .system()).months
      #expect(months.count == 24 && months.first?.0.description == "2026-05" && months.last?.0.description == "2028-04")
    }
  }

  @Test func `months follow each other over the year's end and read what they write`() {
    let december = CalendarMonth("2026-12")!
    #expect(december.next.description == "2027-01" && december.before(12).description == "2025-12")
    #expect(december.bounds.end == Instant("2026-12-31T16:00:00.000Z"))
    #expect(CalendarMonth("2026-13") == nil && CalendarMonth("2026-1") == nil && december < december.next)
  }

  @Test(arguments: Engine.allCases)
  func `the schedule is set once, is due at once and then every five minutes`(engine: Engine) async throws {
    try await Province.with(engine, offices: 1, entries: 4) { province in
      try await province.supervision.keepCounting()
      let first = try await province.db.read { try JobSchedule.next(Supervision.job, in: $0) }
      #expect(first == Province.now)
      province.clock.advance(by: .seconds(10))
      let now = province.clock.now
      try await province.db.write { try JobSchedule.turn(at: now, in: $0) }
      try await province.supervision.keepCounting()
      let next = try await province.db.read { try JobSchedule.next(Supervision.job, in: $0) }
      #expect(next == Province.now + .seconds(300))
    }
  }
}
