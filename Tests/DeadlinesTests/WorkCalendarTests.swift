import Deadlines
import Kernel
import Testing

private let calendar = WorkCalendar.embedded
func day(_ text: String) -> CalendarDate { CalendarDate(text)! }

@Suite struct `Working days` {
  @Test(arguments: [
    ("2026-08-21", WorkCalendar.Day.weekday), ("2026-08-22", .weekend), ("2026-08-23", .weekend),
    ("2026-10-01", .holiday("国庆节")), ("2026-10-10", .makeUp("国庆节")), ("2026-09-25", .holiday("中秋节")),
    ("2025-01-26", .makeUp("春节")), ("2025-01-28", .holiday("春节")), ("2015-09-03", .holiday("抗战胜利70周年纪念日")),
    ("2027-10-01", .weekday),
  ])
  func `a day is what the arrangement says, else what the week says`(date: String, expected: WorkCalendar.Day) {
    #expect(calendar.day(day(date)) == expected)
  }

  @Test func `the years 2004 to 2026 are known and no other`() {
    #expect((calendar.firstYear, calendar.lastYear) == (2004, 2026))
    #expect((1990...2040).filter { calendar.knows(year: $0) } == Array(2004...2026))
    #expect(calendar.version.hasPrefix("2026-"))
  }

  /// Published totals: 365 or 366 days less weekends and holidays, plus make-up days.
  @Test(arguments: [(2024, 251), (2025, 248), (2026, 248)])
  func `a year has its published number of working days`(year: Int, expected: Int) {
    #expect(calendar.workingDays(after: day("\(year - 1)-12-31"), through: day("\(year)-12-31")) == expected)
  }

  @Test(arguments: [
    ("", "a whole file without a year"), ("date,kind\n", "no occasion"),
    ("date,kind,occasion\n2026-13-01,holiday,x\n", "no such day"),
    ("date,kind,occasion\n2026-10-01,feast,x\n", "no such kind"),
    ("date,kind,occasion\n2026-10-01,holiday,x\n2026-10-01,holiday,x\n", "twice"),
    ("date,kind,occasion\n2026-10-12,workday,x\n", "a Monday needs no make-up"),
    ("date,kind,occasion\n2026-10-01,holiday\n", "a short line"),
    ("date,kind,occasion\n2026-10-01,holiday,x\n", "one holiday makes no year"),
  ])
  func `a broken calendar is refused`(csv: String, why: String) {
    #expect(throws: WorkCalendar.Fault.self, "\(why)") { try WorkCalendar(csv: csv) }
  }
}

@Suite struct `Due dates` {
  @Test(arguments: [
    // A plain week: Monday plus five is the next Monday.
    ("2026-08-17", 5, "2026-08-24"),
    ("2026-08-17", 1, "2026-08-18"),
    ("2026-08-17", 0, "2026-08-17"),
    // Friday plus one is Monday; so are Saturday and Sunday plus one.
    ("2026-08-21", 1, "2026-08-24"), ("2026-08-22", 1, "2026-08-24"), ("2026-08-23", 1, "2026-08-24"),
    // Spring Festival 2025: 26 January (Sunday) is worked, 28 January to 4 February are off, 8 February is worked.
    ("2025-01-24", 1, "2025-01-26"), ("2025-01-24", 2, "2025-01-27"), ("2025-01-24", 3, "2025-02-05"),
    ("2025-01-24", 6, "2025-02-08"), ("2025-01-24", 7, "2025-02-10"),
    // A request on a holiday begins to count on the first working day after it.
    ("2025-01-29", 1, "2025-02-05"), ("2025-02-04", 1, "2025-02-05"),
    // National Day 2026: 20 September and 10 October are worked, 25–27 September and 1–7 October off.
    ("2026-09-18", 1, "2026-09-20"), ("2026-09-24", 1, "2026-09-28"), ("2026-09-30", 1, "2026-10-08"),
    ("2026-09-30", 3, "2026-10-10"), ("2026-09-30", 10, "2026-10-20"), ("2026-10-03", 1, "2026-10-08"),
    // Over a year's end that is known: 1 January 2025 is a Wednesday.
    ("2024-12-31", 1, "2025-01-02"), ("2025-12-31", 1, "2026-01-04"),
  ])
  func `fall where the arrangement puts them`(from: String, workingDays: Int, expected: String) {
    let due = calendar.due(from: day(from), workingDays: workingDays)
    #expect(due.date == day(expected))
    #expect(!due.provisional)
    #expect(due.calendarVersion == calendar.version)
  }

  @Test func `the trace names every day that did not count and every make-up day that did`() {
    let due = calendar.due(from: day("2026-09-30"), workingDays: 4)
    #expect(due.date == day("2026-10-12"))
    #expect(
      due.trace == [
        .init(from: day("2026-10-01"), through: day("2026-10-07"), reason: .holiday("国庆节")),
        .init(from: day("2026-10-10"), through: day("2026-10-10"), reason: .makeUp("国庆节")),
        .init(from: day("2026-10-11"), through: day("2026-10-11"), reason: .weekend),
      ])
    #expect(due.trace.map(\.text.chinese).first == "2026-10-01 至 2026-10-07：国庆节，不计入")
    #expect(due.trace.map(\.text.english).first == "2026-10-01 to 2026-10-07: National Day, not counted")
    #expect(due.trace.map(\.counted) == [false, true, false])
  }

  @Test func `the days of a period are its working days and the days its trace takes out`() {
    for start in stride(from: day("2004-01-01").daysSince1970, to: day("2027-06-01").daysSince1970, by: 11) {
      for length in [1, 2, 5, 10, 20, 60] {
        let from = CalendarDate(daysSince1970: start)
        let due = calendar.due(from: from, workingDays: length)
        let out = due.trace.filter { !$0.counted }.reduce(0) { $0 + $1.days }
        #expect(due.date - from == length + out)
        #expect(calendar.isWorkingDay(due.date))
        #expect(calendar.workingDays(after: from, through: due.date) == length)
      }
    }
  }

  /// The next year's arrangement as it might be announced.
  private static let withNextYear: WorkCalendar = {
    let next = """
      2027-01-01,holiday,元旦
      2027-01-02,holiday,元旦
      2027-01-03,holiday,元旦
      2027-02-05,holiday,春节
      2027-02-08,holiday,春节
      2027-02-09,holiday,春节
      2027-02-20,workday,春节

      """
    let old = (2020...2026).map { year in
      (1...5).map { "\(year)-10-0\($0),holiday,国庆节\n" }.joined()
    }.joined()
    return try! WorkCalendar(csv: "date,kind,occasion\n" + old + next)
  }()

  @Test func `over the end of the last known year the week counts, provisionally, until the year is loaded`() {
    let due = calendar.due(from: day("2026-12-30"), workingDays: 3)
    #expect(due.date == day("2027-01-04"))
    #expect(due.provisional)
    #expect(due.explanation.contains { $0.chinese.contains("暂定") })

    let again = due.recomputed(with: Self.withNextYear)
    #expect(again.date == day("2027-01-05"))
    #expect(!again.provisional)
    #expect(again.trace == [.init(from: day("2027-01-01"), through: day("2027-01-03"), reason: .holiday("元旦"))])
    #expect(again.calendarVersion != due.calendarVersion)
  }

  @Test func `a period that ends within the last known year is not provisional`() {
    #expect(!calendar.due(from: day("2026-12-30"), workingDays: 1).provisional)
    #expect(calendar.due(from: day("2026-12-31"), workingDays: 1).provisional)
    #expect(calendar.due(from: day("2003-12-01"), workingDays: 5).provisional)
  }

  @Test func `recomputing with the same calendar changes nothing`() {
    let due = calendar.due(from: day("2026-12-30"), workingDays: 3)
    #expect(due.recomputed(with: calendar) == due)
  }

  @Test func `recomputing keeps pauses and extensions`() {
    let pause = Pause(from: day("2026-12-31"), through: day("2027-01-05"), reason: Text("补正", "supplement"))
    let more = Extension(on: day("2026-12-30"), workingDays: 2, reason: Text("复杂", "complex"))
    let due = calendar.due(from: day("2026-12-30"), workingDays: 1, pauses: [pause], extensions: [more])
    #expect(due.date == day("2027-01-08"))
    #expect(due.recomputed(with: Self.withNextYear).date == day("2027-01-08"))
    #expect(due.recomputed(with: Self.withNextYear).pauses == [pause])
    #expect(due.recomputed(with: Self.withNextYear).extensions == [more])
  }

  @Test func `days within a pause do not count, its first and last included`() {
    let pause = Pause(from: day("2026-08-19"), through: day("2026-08-24"), reason: Text("等待补正", "awaiting papers"))
    let due = calendar.due(from: day("2026-08-17"), workingDays: 3, pauses: [pause])
    // The 18th counts, the 19th to the 24th do not, the 25th and 26th do.
    #expect(due.date == day("2026-08-26"))
    #expect(due.trace == [.init(from: pause.from, through: pause.through, reason: .paused(pause.reason))])
  }

  @Test func `an explanation names rule, start, days, extension and calendar`() {
    let rule = RuleSet.embedded[0]["share.conditional.reply"]!.reference
    let more = Extension(on: day("2026-09-29"), workingDays: 2, reason: Text("涉及多部门", "several departments"))
    let lines = calendar.due(from: day("2026-09-21"), workingDays: 5, rule: rule, extensions: [more])
      .explanation.map(\.chinese)
    #expect(lines.first == "有条件共享提供部门答复：配置规则（2017.1 版）")
    #expect(lines.contains("自 2026-09-21 的次日起 7 个工作日，至 2026-10-08（含当日）"))
    #expect(lines.contains("2026-09-29 延长 2 个工作日：涉及多部门"))
    #expect(lines.contains("2026-09-25 至 2026-09-27：中秋节，不计入"))
    #expect(lines.last == "工作日历版本 \(calendar.version)")
  }
}

@Suite struct `Due dates as text` {
  @Test func `come back as they were`() {
    let pause = Pause(from: day("2026-09-22"), through: day("2026-09-23"), reason: Text("补正“材料”", "papers \"A\" \\ 1"))
    let more = Extension(on: day("2026-09-24"), workingDays: 2, reason: Text("复杂", "complex"))
    for rule in [nil, RuleSet.embedded[1]["share.conditional.reply"]!.reference] {
      for from in ["2026-09-18", "2026-12-28", "2024-02-05"] {
        let due = calendar.due(
          from: day(from), workingDays: 8, rule: rule, pauses: [pause], extensions: [more])
        #expect(DueDate(encoded: due.encoded) == due)
        #expect(!due.encoded.contains("\n"))
      }
    }
  }

  @Test(arguments: ["", "{}", "[]", "null", "{\"date\":\"2026-02-30\"}"])
  func `anything else is refused`(text: String) {
    #expect(DueDate(encoded: text) == nil)
    #expect(ClockState(encoded: text) == nil)
  }

  @Test func `a changed text is refused when its days are none`() {
    let text = calendar.due(from: day("2026-09-30"), workingDays: 3).encoded
    #expect(DueDate(encoded: text) != nil)
    #expect(DueDate(encoded: text.replacing("2026-10-01", with: "2026-10-32")) == nil)
    #expect(DueDate(encoded: text.replacing("holiday", with: "feast")) == nil)
  }
}
