@testable import Kernel
import Testing

@Suite struct `A calendar date` {
  @Test func `comes back from its number for every day of 1600 to 9999`() {
    var expected = CalendarDate(year: 1600, month: 1, day: 1)!.daysSince1970
    for year in 1600...9999 {
      for month in 1...12 {
        for day in 1...CalendarDate.length(ofMonth: month, year: year) {
          let date = CalendarDate(year: year, month: month, day: day)
          guard let date, date.daysSince1970 == expected, date.year == year, date.month == month, date.day == day
          else {
            Issue.record("\(year)-\(month)-\(day)")
            return
          }
          expected += 1
        }
      }
    }
  }

  @Test func `comes back from its text over all years`() {
    for number in stride(
      from: CalendarDate("0001-01-01")!.daysSince1970, through: CalendarDate("9999-12-31")!.daysSince1970, by: 37)
    {
      let date = CalendarDate(daysSince1970: number)
      #expect(CalendarDate("\(date)") == date)
    }
  }

  @Test(arguments: [
    ("1970-01-01", 0, 4), ("1969-12-31", -1, 3), ("2000-02-29", 11_016, 2), ("2026-08-22", 20_687, 6),
    ("0001-01-01", -719_162, 1), ("9999-12-31", 2_932_896, 5), ("1582-10-15", -141_427, 5),
  ])
  func `has its number and weekday`(text: String, number: Int, weekday: Int) throws {
    let date = try #require(CalendarDate(text))
    #expect(date.daysSince1970 == number)
    #expect(date.weekday == weekday)
  }

  @Test(arguments: [
    (1600, true), (1700, false), (1900, false), (2000, true), (2024, true), (2025, false), (2100, false),
  ])
  func `leap years have a 29 February`(year: Int, leap: Bool) {
    #expect((CalendarDate(year: year, month: 2, day: 29) != nil) == leap)
  }

  @Test(arguments: [
    "", "2026", "2026-8-22", "2026-08-2", "2026-08-222", "2026/08/22", "2026-13-01", "2026-00-10", "2026-04-31",
    "2026-02-29", "2026-01-00", "0000-01-01", "-026-01-01", "２０２６-08-22", "2026-08-22 ", " 2026-08-2", "2026-0a-22",
    "+026-01-01",
  ])
  func `a text that is no date is refused`(text: String) {
    #expect(CalendarDate(text) == nil)
  }

  @Test func `days are added and counted over months and years`() {
    let date = CalendarDate("2024-02-28")!
    #expect(date + 2 == CalendarDate("2024-03-01"))
    #expect(date + -59 == CalendarDate("2023-12-31"))
    #expect(CalendarDate("2025-01-01")! - CalendarDate("2024-01-01")! == 366)
    #expect(CalendarDate("2024-02-28")! < CalendarDate("2024-02-29")!)
  }
}

@Suite struct `An instant` {
  @Test(arguments: [
    ("1970-01-01T00:00:00Z", Int64(0)), ("1970-01-01T00:00:00.001Z", 1), ("1969-12-31T23:59:59.999Z", -1),
    ("2026-08-22T09:30:00.000Z", 1_787_391_000_000), ("2026-08-22T09:30:00.123456Z", 1_787_391_000_123),
    ("0001-01-01T00:00:00Z", -62_135_596_800_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
  ])
  func `is read from its text and written so that text sorts like time`(text: String, milliseconds: Int64) throws {
    let instant = try #require(Instant(text))
    #expect(instant.milliseconds == milliseconds)
    #expect(instant.description.utf8.count == 24)
    #expect(Instant(instant.description) == instant)
  }

  @Test(arguments: [
    "", "2026-08-22", "2026-08-22T09:30:00", "2026-08-22 09:30:00Z", "2026-08-22T24:00:00Z", "2026-08-22T09:60:00Z",
    "2026-08-22T09:30:60Z", "2026-08-22T09:30:00.Z", "2026-08-22T09:30:00.1Z", "2026-08-22T09:30:00.12xZ",
    "2026-08-22T09:30:00+08:00", "2026-02-30T00:00:00Z", "2026-08-22T09:30:00.000z", "2026-08-22T9:30:00.00Z",
    "2026-08-22T09:30:00,000Z", "2026-08-22T09:30:00.1234567891234Z",
  ])
  func `a text that is no instant is refused`(text: String) {
    #expect(Instant(text) == nil)
  }

  @Test func `order of texts is order of time`() {
    let instants = [-62_135_596_800_000, -1, 0, 1, 999, 1000, 1_787_391_000_000, 253_402_300_799_999]
      .map { Instant(milliseconds: $0) }
    #expect(instants.map(\.description) == instants.map(\.description).sorted())
    #expect(instants == instants.sorted())
  }

  @Test(arguments: [
    ("2026-08-22T15:59:59.999Z", "2026-08-22", "2026-08-22 23:59"),
    ("2026-08-22T16:00:00.000Z", "2026-08-23", "2026-08-23 00:00"),
    ("1969-12-31T15:59:59.999Z", "1969-12-31", "1969-12-31 23:59"),
    ("2026-01-01T01:05:00.000Z", "2026-01-01", "2026-01-01 09:05"),
  ])
  func `has a date and a minute in China`(text: String, date: String, minute: String) {
    let instant = Instant(text)!
    #expect(instant.dateInChina == CalendarDate(date))
    #expect(instant.minuteInChina == minute)
  }

  @Test func `a day in China begins eight hours before its day in UTC`() {
    #expect(CalendarDate("2026-08-23")!.startInChina == Instant("2026-08-22T16:00:00Z"))
    #expect(CalendarDate("2026-08-23")!.startInChina.dateInChina == CalendarDate("2026-08-23"))
  }

  @Test func `durations are added and taken away in milliseconds`() {
    let instant = Instant(milliseconds: 1000)
    #expect((instant + .seconds(2)).milliseconds == 3000)
    #expect((instant - .milliseconds(1500)).milliseconds == -500)
    #expect(Instant(milliseconds: 5) - instant == .milliseconds(-995))
    #expect(Duration.microseconds(1999).inMilliseconds == 1)
  }

  @Test func `the clock can be moved by hand`() {
    let clock = Clock { Instant("2026-08-22T20:00:00Z")! }
    #expect(clock.today == CalendarDate("2026-08-23"))
    #expect(Clock.system.now() > Instant("2025-01-01T00:00:00Z")!)
  }
}
