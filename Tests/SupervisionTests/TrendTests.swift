import Jobs
import Kernel
import Storage
import TestKit
import Testing

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
