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
