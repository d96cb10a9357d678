import Kernel
import Testing

@testable import Deadlines

private let known = WorkCalendar.embedded

/// A made-up 2027: New Year with a Sunday worked for it, Spring Festival, and what every year has.
private let year2027 = """
  date,kind,occasion
  2027-01-01,holiday,元旦
  2027-01-02,holiday,元旦
  2027-01-03,holiday,元旦
  2027-01-04,holiday,元旦
  2027-01-10,workday,元旦
  2027-05-01,holiday,劳动节
  2027-10-01,holiday,国庆节

  """

private func news(_ text: String, over calendar: WorkCalendar = known) throws(WorkCalendar.FileFault)
  -> [WorkCalendar.Exception]
{ try calendar.news(in: Array(text.utf8)) }

private func without(_ line: String) -> String {
  year2027.split(separator: "\n").filter { !$0.hasPrefix(line) }.joined(separator: "\n") + "\n"
}

private func embedded(_ year: Int) -> String {
  known.exceptions(in: year).map { "\($0.date),\($0.kind ?? ""),\($0.occasion)\n" }.joined()
}

@Suite struct CalendarFileTests {
  @Test func `a year that follows is taken whole, and then there is nothing new in it`() throws {
    let days = try news(year2027)
    #expect(days.count == 7)
    let longer = known.adding(days)
    #expect(longer.knows(year: 2027) && longer.lastYear == 2027 && longer.version.hasPrefix("2027-"))
    #expect(longer.isWorkingDay(CalendarDate("2027-01-10")!) && !longer.isWorkingDay(CalendarDate("2027-01-04")!))
    #expect(try news(year2027, over: longer) == [])
    #expect(longer.adding(days).version == longer.version)
  }

  @Test func `known years may be repeated as they are beside a new one`() throws {
    #expect(try news("date,kind,occasion\n" + embedded(2026)) == [])
    #expect(try news(year2027 + embedded(2025) + embedded(2026)).count == 7)
  }

  @Test func `a new year's New Year may take days of the December before it, once`() throws {
    let text = year2027 + "2026-12-27,workday,元旦\n2026-12-31,holiday,元旦\n"
    let days = try news(text)
    #expect(days.count == 9)
    let longer = known.adding(days)
    #expect(longer.isWorkingDay(CalendarDate("2026-12-27")!) && !longer.isWorkingDay(CalendarDate("2026-12-31")!))
    #expect(try news(text, over: longer) == [])
    // The year stands now: another day of that December would be a second opinion.
    #expect(throws: WorkCalendar.FileFault.self) { try news(text + "2026-12-30,holiday,元旦\n", over: longer) }
  }

  @Test func `a later program that carries a loaded year keeps its own`() throws {
    let carried = known.adding(try news(year2027))
    let stored = try news(without("2027-01-10") + "2027-01-09,workday,元旦\n")
    #expect(carried.adding(stored).version == carried.version)
  }

  private static let wrong: [(String, WorkCalendar.FileFault)] = [
    ("", .lines(.csv(CSV.Fault(line: 1, problem: .missingColumn("date"))))),
    ("date,kind\n", .lines(.csv(CSV.Fault(line: 1, problem: .missingColumn("occasion"))))),
    ("date,kind,occasion\n", .nothing),
    (year2027 + "2027-02-30,holiday,春节\n", .lines(.date(line: 9))),
    (year2027 + "2027/02/06,holiday,春节\n", .lines(.date(line: 9))),
    (year2027 + "2027-02-06,feast,春节\n", .lines(.kind(line: 9))),
    (year2027 + "2027-02-06,holiday,\n", .occasion(line: 9)),
    (year2027 + "2027-10-01,holiday,国庆节\n", .lines(.repeated(line: 9))),
    (year2027 + "2027-01-10,holiday,元旦\n", .lines(.contradicts(line: 9))),
    (year2027 + "2027-03-01,workday,元旦\n", .lines(.needless(line: 9))),
    (year2027 + "2027-10-02,holiday\n", .lines(.csv(CSV.Fault(line: 9, problem: .columns(expected: 3, found: 2))))),
    (without("2027-10-01"), .lacks(day: CalendarDate("2027-10-01")!)),
    (without("2027-01-01"), .lacks(day: CalendarDate("2027-01-01")!)),
    ("date,kind,occasion\n2028-01-01,holiday,元旦\n", .gap(year: 2028, next: 2027)),
    ("date,kind,occasion\n2003-10-01,holiday,国庆节\n", .gap(year: 2003, next: 2027)),
    (year2027 + "2026-10-11,workday,国庆节\n", .differs(line: 9, day: CalendarDate("2026-10-11")!)),
    (year2027 + "2026-10-01,holiday,中秋节\n", .differs(line: 9, day: CalendarDate("2026-10-01")!)),
    (year2027 + "2026-10-01,holiday,国庆节\n", .partly(year: 2026, lacks: CalendarDate("2026-01-01")!)),
    ("date,kind,occasion\n2026-12-31,holiday,元旦\n", .differs(line: 2, day: CalendarDate("2026-12-31")!)),
  ]

  @Test(arguments: wrong.indices)
  func `a file with something wrong is refused with the line or day that is wrong`(index: Int) {
    let (text, fault) = Self.wrong[index]
    #expect(throws: fault) { try news(text) }
    #expect(fault.refusal.faults.first?.field == "file" && fault.refusal.kind == .invalid)
  }

  @Test func `bytes that are not UTF-8 are refused with their line, and a flood by its size`() {
    let bytes = Array("date,kind,occasion\n2027-01-01,holiday,".utf8) + [0xD4, 0xAA, 0xB5, 0xA9, 0x0A]
    #expect(throws: WorkCalendar.FileFault.encoding(line: 2)) { try known.news(in: bytes) }
    #expect(throws: WorkCalendar.FileFault.size) {
      try known.news(in: Array(repeating: 0x20, count: WorkCalendar.fileLimit + 1))
    }
  }

  @Test func `a due date moves only when the calendar changes something for it`() throws {
    let longer = known.adding(try news(year2027))
    let within = known.due(from: CalendarDate("2026-12-01")!, workingDays: 5)
    #expect(within.moved(by: longer) == nil)
    let beyond = known.due(from: CalendarDate("2026-12-30")!, workingDays: 3)
    let moved = try #require(beyond.moved(by: longer))
    #expect(beyond.provisional && !moved.provisional)
    #expect(beyond.date == CalendarDate("2027-01-04") && moved.date == CalendarDate("2027-01-06"))
    #expect(moved.trace.contains { $0.reason == .holiday("元旦") })
    #expect(moved.moved(by: longer) == nil)
  }
}
