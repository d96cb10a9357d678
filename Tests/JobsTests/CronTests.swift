import Jobs
import Kernel
import Testing

@Suite struct CronTests {
  private func next(_ text: String, after moment: String) throws -> String? {
    try CronExpression(parsing: text).next(after: #require(Instant(moment)))?.minuteInChina
  }

  // 2026-11-29 is a Sunday; 10:00Z is 18:00 in China.
  @Test(arguments: [
    ("30 2 * * *", "2026-11-30 02:30"), ("0 * * * *", "2026-11-29 19:00"), ("*/15 * * * *", "2026-11-29 18:15"),
    ("0 8-17/3 * * 1-5", "2026-11-30 08:00"), ("0 0 1 * *", "2026-12-01 00:00"), ("0 0 29 2 *", "2028-02-29 00:00"),
    ("15 9 * * 7", "2026-12-06 09:15"), ("15 9 * * 0", "2026-12-06 09:15"), ("15 19 * * 7", "2026-11-29 19:15"),
    // Either of the two day fields, as in cron.
    ("0 6 13 * 5", "2026-12-04 06:00"), ("5,10 18 29 11 *", "2026-11-29 18:05"), ("10/20 18 * * *", "2026-11-29 18:10"),
  ])
  func `the next time is the first later minute of which all five fields are true, in China's time`(
    text: String, expected: String
  ) throws {
    #expect(try next(text, after: "2026-11-29T10:00:00.000Z") == expected)
  }

  @Test func `a moment that is due itself is not its own next time`() throws {
    #expect(try next("0 18 * * *", after: "2026-11-29T10:00:00.000Z") == "2026-11-30 18:00")
    #expect(try next("0 18 * * *", after: "2026-11-29T09:59:59.999Z") == "2026-11-29 18:00")
  }

  @Test(arguments: [
    "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *",
    "1- * * * *", "5-1 * * * *", "*/0 * * * *", "1,,2 * * * *", "-1 * * * *", "1/2/3 * * * *", "0 0 30 2 *",
    "+1 * * * *",
  ])
  func `what cron would not understand, or no day is ever like, is refused`(text: String) {
    #expect(throws: CronExpression.Fault.self) { try CronExpression(parsing: text) }
  }
}
