import Connecting
import Deadlines
import Inventory
import Kernel
import Mounting
import Testing

/// The declared cycle against what the source shows, around the National Day holiday of 2026 (1 to 7 October; Saturday
/// 10 October is worked in exchange).
@Suite struct TimelinessTests {
  private func judge(_ cycle: String, changed: String?, mayHave: String? = nil, today: String) -> Timeliness {
    let moment = { (day: String) in CalendarDate(day)!.startInChina + .seconds(9 * 3600) }
    let watch = ChangeWatch(
      mark: ChangeMark(.cursor, own: "1"), since: moment("2026-01-05"), changedAt: changed.map(moment),
      mayHaveChangedAt: (mayHave ?? changed).map(moment))
    return .judge(
      cycle: CodeLists.embedded.cycles[cycle], watch: watch, on: CalendarDate(today)!, calendar: .embedded)
  }

  @Test(arguments: [
    // Daily: two working days. Changed on the last day before the holiday.
    ("7", "2026-09-30", "2026-10-08", Timeliness.State.timely, "2026-10-09"),
    ("7", "2026-09-30", "2026-10-09", .timely, "2026-10-09"),
    ("7", "2026-09-30", "2026-10-10", .late, "2026-10-09"),
    // In the holiday nothing is expected.
    ("7", "2026-09-29", "2026-10-07", .timely, "2026-10-08"), ("7", "2026-09-29", "2026-10-09", .late, "2026-10-08"),
    // A week-end in between, without a holiday.
    ("7", "2026-11-13", "2026-11-17", .timely, "2026-11-17"), ("7", "2026-11-13", "2026-11-18", .late, "2026-11-17"),
    // Real time: one working day.
    ("9", "2026-09-30", "2026-10-08", .timely, "2026-10-08"), ("9", "2026-09-30", "2026-10-09", .late, "2026-10-08"),
    // Weekly: ten days, and what falls into the holiday is put off to the next working day.
    ("6", "2026-09-24", "2026-10-08", .timely, "2026-10-08"), ("6", "2026-09-24", "2026-10-09", .late, "2026-10-08"),
    // 10 October is a Saturday that is worked: it ends a period.
    ("6", "2026-09-30", "2026-10-10", .timely, "2026-10-10"), ("6", "2026-09-30", "2026-10-11", .late, "2026-10-10"),
    ("1", "2025-09-01", "2026-10-08", .timely, "2026-10-08"),
  ])
  func `a cycle ends on a working day and holidays put it off`(
    cycle: String, changed: String, today: String, state: Timeliness.State, until: String
  ) {
    let found = judge(cycle, changed: changed, today: today)
    #expect(found.state == state)
    #expect(found.until == CalendarDate(until))
  }

  // The Spring Festival of 2026: 15 to 23 February; Saturdays 14 and 28 February are worked in exchange.
  @Test(arguments: [
    // Daily, last changed on the Friday before: Saturday is the first working day, the 24th the second.
    ("7", "2026-02-13", "2026-02-14", Timeliness.State.timely, "2026-02-24"),
    ("7", "2026-02-13", "2026-02-23", .timely, "2026-02-24"), ("7", "2026-02-13", "2026-02-24", .timely, "2026-02-24"),
    ("7", "2026-02-13", "2026-02-25", .late, "2026-02-24"),
    // Changed on the worked Saturday, and by a machine within the holiday.
    ("7", "2026-02-14", "2026-02-25", .timely, "2026-02-25"), ("7", "2026-02-14", "2026-02-26", .late, "2026-02-25"),
    ("7", "2026-02-18", "2026-02-25", .timely, "2026-02-25"), ("7", "2026-02-18", "2026-02-26", .late, "2026-02-25"),
    // Late before the holiday began stays late in it.
    ("7", "2026-02-10", "2026-02-13", .late, "2026-02-12"), ("7", "2026-02-10", "2026-02-20", .late, "2026-02-12"),
    // Hourly and in real time: the first working day after.
    ("9", "2026-02-14", "2026-02-24", .timely, "2026-02-24"), ("8", "2026-02-14", "2026-02-25", .late, "2026-02-24"),
    // Weekly and monthly: what ends in the holiday ends on the first working day after it.
    ("6", "2026-02-10", "2026-02-24", .timely, "2026-02-24"), ("6", "2026-02-10", "2026-02-25", .late, "2026-02-24"),
    ("4", "2026-01-04", "2026-02-24", .timely, "2026-02-24"),
    // The Saturday worked in exchange ends a month; the Sunday after is late.
    ("4", "2026-01-14", "2026-02-28", .timely, "2026-02-28"), ("4", "2026-01-14", "2026-03-01", .late, "2026-02-28"),
    // 2025: 28 January to 4 February; Sunday 26 January and Saturday 8 February are worked.
    ("7", "2025-01-26", "2025-02-05", .timely, "2025-02-05"), ("7", "2025-01-26", "2025-02-06", .late, "2025-02-05"),
    ("7", "2025-02-06", "2025-02-08", .timely, "2025-02-08"), ("7", "2025-02-06", "2025-02-09", .late, "2025-02-08"),
  ])
  func `the Spring Festival counts as it was decreed`(
    cycle: String, changed: String, today: String, state: Timeliness.State, until: String
  ) {
    let found = judge(cycle, changed: changed, today: today)
    #expect(found.state == state)
    #expect(found.until == CalendarDate(until))
    #expect(!found.isProvisional)
  }

  @Test func `on no day of the holiday is a daily entry late, and on every one after`() {
    var day = CalendarDate("2026-02-13")!
    while day <= CalendarDate("2026-03-20")! {
      let state = judge("7", changed: "2026-02-13", today: "\(day)").state
      #expect(state == (day <= CalendarDate("2026-02-24")! ? .timely : .late), "\(day)")
      day = day + 1
    }
  }

  @Test func `over the holiday it stays said that a change cannot be told`() {
    #expect(judge("7", changed: nil, mayHave: "2026-02-14", today: "2026-02-23").state == .unknown)
    let last = judge("7", changed: "2026-01-05", mayHave: "2026-02-14", today: "2026-02-25")
    #expect(last.state == .unknown && last.until == nil)
    #expect(last.reasons.contains { $0.chinese.contains("不能排除有变化") })
    #expect(judge("7", changed: nil, mayHave: "2026-02-14", today: "2026-02-26").state == .late)
  }

  @Test func `a year whose holidays are not announced is counted by weekdays and says so`() {
    let found = judge("7", changed: "2026-12-31", today: "2027-01-04")
    #expect(found.state == .timely && found.until == CalendarDate("2027-01-04") && found.isProvisional)
    #expect(found.reasons.contains { $0.chinese.contains("暂定") && $0.english.contains("provisional") })
  }

  @Test func `the answer explains itself: cycle, last change, holiday, date`() {
    let words = judge("7", changed: "2026-09-30", today: "2026-10-10").reasons.map(\.chinese).joined(separator: " ")
    for part in ["更新周期“每日”", "最近变化 2026-09-30 09:00", "国庆节，不计入", "应于 2026-10-09"] {
      #expect(words.contains(part), "\(part) in \(words)")
    }
  }

  @Test(arguments: ["10", "11", ""])
  func `an irregular cycle is not judged`(cycle: String) {
    #expect(judge(cycle, changed: "2020-01-01", today: "2026-10-10").state == .unjudged)
  }

  @Test func `a change that cannot be ruled out is neither timely nor late`() {
    #expect(judge("7", changed: "2026-08-03", mayHave: "2026-11-16", today: "2026-11-17").state == .unknown)
    #expect(judge("7", changed: nil, mayHave: "2026-11-16", today: "2026-11-17").state == .unknown)
    #expect(judge("7", changed: nil, mayHave: "2026-11-02", today: "2026-11-17").state == .late)
    let blind = Timeliness.judge(
      cycle: CodeLists.embedded.cycles["7"], watch: ChangeWatch(), on: CalendarDate("2026-11-17")!, calendar: .embedded)
    #expect(blind.state == .unknown)
  }
}

/// What comparing one mark with the next proves.
@Suite struct ChangeWatchTests {
  private let monday = Instant("2026-11-16T01:00:00Z")!
  private let tuesday = Instant("2026-11-17T01:00:00Z")!

  private func watch(_ marks: ChangeMark?...) -> ChangeWatch {
    var watch = ChangeWatch()
    for (index, mark) in marks.enumerated() { watch.look(mark, at: monday + .seconds(86_400 * index)) }
    return watch
  }

  @Test func `a source that says when it changed is believed at once`() {
    let found = watch(ChangeMark(.cursor, own: "a", at: Instant("2026-11-01T00:00:00Z")))
    #expect(found.changedAt == Instant("2026-11-01T00:00:00Z"))
  }

  @Test func `counters prove a change only by differing, and nothing when they fell`() {
    #expect(watch(ChangeMark(.statistics, own: "5 0 0")).changedAt == nil)
    #expect(watch(ChangeMark(.statistics, own: "5 0 0"), ChangeMark(.statistics, own: "5 0 0")).changedAt == nil)
    // As many rows as before: an update is still seen.
    #expect(watch(ChangeMark(.statistics, own: "5 0 0"), ChangeMark(.statistics, own: "5 1 0")).changedAt == tuesday)
    let reset = watch(ChangeMark(.statistics, own: "5 9 0"), ChangeMark(.statistics, own: "1 0 0"))
    #expect(reset.changedAt == nil && reset.since == tuesday && reset.mayHaveChangedAt == tuesday)
  }

  @Test func `a file of many tables that changed proves nothing of one of them`() {
    let found = watch(
      ChangeMark(.lastRow, own: "7", around: "x"), ChangeMark(.lastRow, own: "7", around: "y"))
    #expect(found.changedAt == nil && found.mayHaveChangedAt == tuesday)
    let grown = watch(ChangeMark(.lastRow, own: "7", around: "x"), ChangeMark(.lastRow, own: "8", around: "y"))
    #expect(grown.changedAt == tuesday)
    let still = watch(ChangeMark(.lastRow, own: "7", around: "x"), ChangeMark(.lastRow, own: "7", around: "x"))
    #expect(still.mayHaveChangedAt == monday)
  }

  @Test func `a file that was only touched did not change`() {
    let found = watch(
      ChangeMark(.file, own: "d1", at: Instant("2026-11-01T00:00:00Z")),
      ChangeMark(.file, own: "d1", at: Instant("2026-11-17T00:00:00Z")))
    #expect(found.changedAt == Instant("2026-11-01T00:00:00Z"))
  }
}
