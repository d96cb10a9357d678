package import Kernel

/// When something is due, as cron writes it: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday),
/// in China's time. `*`, lists, ranges and steps; as in cron, a day is due by either of the two day fields when both say
/// something.
package struct CronExpression: Hashable, Sendable {
  /// As it was written, with single spaces.
  package let text: String
  private let minutes: Field
  private let hours: Field
  private let days: Field
  private let months: Field
  private let weekdays: Field

  private struct Field: Hashable, Sendable {
    var values: UInt64
    /// `*`: says nothing.
    var isAny: Bool

    func contains(_ value: Int) -> Bool { values & (1 << UInt64(value)) != 0 }
  }

  /// Throws what is wrong with it, and in which of the five fields.
  package init(parsing text: String) throws(Fault) {
    let parts = text.split(whereSeparator: \.isWhitespace).map(String.init)
    guard parts.count == 5 else {
      throw Fault(
        Text(
          "应为五段：分 时 日 月 周，如“30 2 * * 1-5”。",
          "Five fields: minute hour day month weekday, such as “30 2 * * 1-5”."))
    }
    self.text = parts.joined(separator: " ")
    minutes = try Self.field(parts[0], 0...59, Text("分", "minute"))
    hours = try Self.field(parts[1], 0...23, Text("时", "hour"))
    days = try Self.field(parts[2], 1...31, Text("日", "day"))
    months = try Self.field(parts[3], 1...12, Text("月", "month"))
    var weekdays = try Self.field(parts[4], 0...7, Text("周", "weekday"))
    // Sunday is written both ways; the calendar counts it as 7.
    if weekdays.contains(0) { weekdays.values |= 1 << 7 }
    self.weekdays = weekdays
    guard next(after: Instant(milliseconds: 1_700_000_000_000)) != nil else {
      throw Fault(Text("没有这样的日期。", "No day is ever like this."))
    }
  }

  package struct Fault: Error, Hashable, Sendable {
    package var message: Text

    init(_ message: Text) { self.message = message }
  }

  private static func field(_ text: String, _ range: ClosedRange<Int>, _ name: Text) throws(Fault) -> Field {
    var values: UInt64 = 0
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let halves = part.split(separator: "/", omittingEmptySubsequences: false)
      let step = halves.count == 2 ? number(halves[1]) : 1
      guard (1...2).contains(halves.count), let step, step > 0, let span = span(halves[0], range, halves.count == 2)
      else {
        throw Fault(
          Text(
            "“\(name.chinese)”一段不对：“\(part)”，应在 \(range.lowerBound) 至 \(range.upperBound) 之间。",
            "The \(name.english) is wrong: “\(part)”; it is from \(range.lowerBound) through \(range.upperBound)."))
      }
      for value in stride(from: span.lowerBound, through: span.upperBound, by: step) { values |= 1 << UInt64(value) }
    }
    return Field(values: values, isAny: text == "*")
  }

  /// `*`, `5`, `5-9`; with a step, `5` means from there on.
  private static func span(_ text: Substring, _ range: ClosedRange<Int>, _ hasStep: Bool) -> ClosedRange<Int>? {
    if text == "*" { return range }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(number)
    guard (1...2).contains(ends.count), let low = ends[0], range.contains(low) else { return nil }
    guard ends.count == 2 else { return low...(hasStep ? range.upperBound : low) }
    guard let high = ends[1], range.contains(high), low <= high else { return nil }
    return low...high
  }

  private static func number(_ text: Substring) -> Int? {
    (1...2).contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
  }

  private func isDue(_ day: CalendarDate) -> Bool {
    guard months.contains(day.month) else { return false }
    let (byDay, byWeekday) = (days.contains(day.day), weekdays.contains(day.weekday))
    return days.isAny || weekdays.isAny ? byDay && byWeekday : byDay || byWeekday
  }

  /// The first minute after a moment at which it is due; nil when none is within nine years (29 February may be eight
  /// away).
  package func next(after moment: Instant) -> Instant? {
    let today = moment.dateInChina
    for ahead in 0...(9 * 366) {
      let day = today + ahead
      guard isDue(day) else { continue }
      for hour in 0...23 where hours.contains(hour) {
        for minute in 0...59 where minutes.contains(minute) {
          let at = day.startInChina + .seconds((hour * 60 + minute) * 60)
          if at > moment { return at }
        }
      }
    }
    return nil
  }
}
