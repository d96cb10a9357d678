import Kernel
import Reshaping
import Testing

@testable import Exchange
@testable import Transfer

@Suite struct TaskValueTests {
  @Test(arguments: [
    // 18:00 in China.
    ("22:00", "06:00", "2026-11-29 22:00"), ("06:00", "22:00", "2026-11-29 18:00"),
    ("18:00", "18:01", "2026-11-29 18:00"),
    ("17:00", "18:00", "2026-11-30 17:00"), ("00:00", "23:59", "2026-11-29 18:00"),
    ("19:00", "18:30", "2026-11-29 18:00"),
  ])
  func `a window is open from its first minute to before its last, also over midnight`(
    from: String, to: String, opens: String
  ) throws {
    let ends = (try #require(DayWindow.minute(from)), try #require(DayWindow.minute(to)))
    let window = try #require(DayWindow(from: ends.0, to: ends.1))
    let moment = try #require(Instant("2026-11-29T10:00:00.000Z"))
    #expect(window.next(from: moment).minuteInChina == opens)
    #expect(window.contains(moment) == (opens == "2026-11-29 18:00"))
  }

  @Test(arguments: ["24:00", "9", "9:60", "a:00", "", "009:00", "-1:00"])
  func `a time of day that is none is refused`(text: String) { #expect(DayWindow.minute(text) == nil) }

  @Test func `an empty window is none`() { #expect(DayWindow(from: 60, to: 60) == nil) }

  @Test(arguments: [
    (TaskRule.Kind.length, "5..2"), (.number, "9..1"), (.number, "-1..-2.5"), (.date, "2026-01-02..2026-01-01"),
  ])
  func `ends that no value can lie between are refused, with both named`(kind: TaskRule.Kind, argument: String) throws {
    let refusal = #expect(throws: Refusal.self) {
      try TaskRule(column: "a", kind: kind, argument: argument).qualityRule()
    }
    let ends = argument.split(separator: "..").map(String.init)
    #expect(refusal?.faults.first.map { fault in ends.allSatisfy { fault.message.chinese.contains($0) } } == true)
  }

  @Test(arguments: [
    (TaskRule.Kind.length, "2..50", QualityRule.Kind.length(least: 2, most: 50)),
    (.length, "..50", .length(least: 0, most: 50)), (.number, "0.5 .. ", .number(least: "0.5", most: nil)),
    (.date, "1949-10-01..", .date(from: CalendarDate("1949-10-01"), through: nil)), (.code, "mobile", .code(.mobile)),
    (.dictionary, "1, 2，9", .dictionary(["1", "2", "9"])), (.holds, "a > b", .holds("a > b")), (.notNull, "", .notNull),
  ])
  func `a rule's argument is read as it is written`(kind: TaskRule.Kind, argument: String, expected: QualityRule.Kind)
    throws
  {
    #expect(try TaskRule(column: "a", kind: kind, argument: argument).qualityRule().kind == expected)
  }

  @Test(arguments: [
    (TaskRule.Kind.length, "2-50"), (.length, ".."), (.length, "a..b"), (.number, ""), (.date, "1949..2026"),
    (.code, "x"),
    (.dictionary, " , "), (.format, ""),
  ])
  func `an argument that cannot be read is refused with an example`(kind: TaskRule.Kind, argument: String) {
    #expect(throws: Refusal.self) { try TaskRule(column: "a", kind: kind, argument: argument).qualityRule() }
  }

  @Test func `a delivery waits as long as its share of the rate asks for, and saves up a second at most`() {
    let start = ContinuousClock.now
    let pace = Pace(Pace.Limit(rows: 1_000, bytes: nil), from: start)
    func moved(_ rows: Int) -> DeliveryProgress {
      DeliveryProgress(batch: 1, read: rows, delivered: rows, unchanged: 0, quarantined: 0, bytes: 0)
    }
    #expect(pace.wait(after: moved(2_000), at: start) == .seconds(2))
    #expect(pace.wait(after: moved(2_000), at: start + .seconds(2)) == .zero, "nothing more was moved")
    // Ten idle seconds give one second's rows for nothing, not ten.
    #expect(pace.wait(after: moved(5_000), at: start + .seconds(12)) == .seconds(2))
    pace.share(among: 4)
    #expect(
      pace.wait(after: moved(5_500), at: start + .seconds(14)) == .seconds(2), "500 rows at a quarter of the rate")
  }

  @Test func `where nothing is limited nothing waits`() {
    let pace = Pace(.none)
    #expect(
      pace.wait(after: DeliveryProgress(batch: 1, read: .max, delivered: 0, unchanged: 0, quarantined: 0, bytes: .max))
        == .zero)
  }

  @Test func `measures are written as Prometheus reads them`() {
    var metrics = Metrics()
    metrics.add("grants_active", "Grants.", 3)
    metrics.add(
      "age_seconds", "Ages.",
      [Metrics.Sample(labels: [("grant", "青数授〔2026〕1"), ("odd", "a\"b\\c\nd")], value: 1.5)])
    #expect(
      metrics.text == """
        # HELP sanjiang_grants_active Grants.
        # TYPE sanjiang_grants_active gauge
        sanjiang_grants_active 3
        # HELP sanjiang_age_seconds Ages.
        # TYPE sanjiang_age_seconds gauge
        sanjiang_age_seconds{grant="青数授〔2026〕1",odd="a\\"b\\\\c\\nd"} 1.5

        """)
  }
}
