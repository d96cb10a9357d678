import Kernel

/// Days as Excel counts them (ECMA-376 part 1, 18.17.4).
///
/// In the 1900 system day 1 is 1 January 1900 and day 60 the 29 February 1900 that never was (Lotus's fault, kept for
/// ever); day 61 is 1 March. In the 1904 system (old Macs) day 0 is 1 January 1904.
enum DateSystem: Sendable {
  case from1900, from1904

  /// Nil for the day that never was, for day 0 of 1900, below and above 31 December 9999.
  func date(_ day: Int) -> CalendarDate? {
    let days: Int
    switch self {
    case .from1900:
      guard day >= 1, day != 60 else { return nil }
      days = day - (day < 60 ? 25_568 : 25_569)
    case .from1904:
      guard day >= 0 else { return nil }
      days = day - 24_107
    }
    return days <= Self.lastDay ? CalendarDate(daysSince1970: days) : nil
  }

  /// Nil before the system's first day.
  func day(_ date: CalendarDate) -> Int? {
    let days = date.daysSince1970
    switch self {
    case .from1900:
      let day = days + 25_569
      // Before 1 March 1900 the day that never was is not yet counted.
      let counted = day < 61 ? day - 1 : day
      return counted >= 1 && days <= Self.lastDay ? counted : nil
    case .from1904:
      let day = days + 24_107
      return day >= 0 && days <= Self.lastDay ? day : nil
    }
  }

  /// 31 December 9999.
  private static let lastDay = 2_932_896

  /// What a number means in a cell whose format shows a date or a time; nil where it means none (negative, too great,
  /// a day that never was), and then it stays a number.
  func value(_ number: Double, as format: NumberFormat) -> CellValue? {
    guard format != .number, number >= 0, number < 2_958_467 else { return nil }
    var day = Int(number.rounded(.down))
    var milliseconds = Int(((number - Double(day)) * 86_400_000).rounded())
    if milliseconds >= 86_400_000 {
      day += 1
      milliseconds = 0
    }
    guard let time = WallTime(milliseconds: milliseconds) else { return nil }
    switch format {
    case .number: return nil
    case .elapsed: return day == 0 ? .time(time) : nil
    case .time:
      if day == 0 { return .time(time) }
      // A time may be shown of what holds a date as well; and some built-in formats are dates in one country and times
      // in another. A whole number of days is a day.
      return date(day).map { milliseconds == 0 ? .date($0) : .dateTime($0, time) }
    case .date: return date(day).map { milliseconds == 0 ? .date($0) : .dateTime($0, time) }
    case .dateTime:
      if day == 0, self == .from1900 { return .time(time) }
      return date(day).map { .dateTime($0, time) }
    }
  }
}

/// Reads the ISO 8601 values of `t="d"` cells: `2026-08-22`, `2026-08-22T09:30:00.250`, `09:30`; nil for anything else.
func isoValue(_ text: String) -> CellValue? {
  var text = Substring(text)
  if text.hasSuffix("Z") { text = text.dropLast() }
  guard let mark = text.firstIndex(of: "T") else {
    if text.contains(":") { return wallTime(text).map { .time($0) } }
    return CalendarDate(text).map { .date($0) }
  }
  let rest = text[text.index(after: mark)...]
  guard let date = CalendarDate(text[..<mark]) else {
    return mark == text.startIndex ? wallTime(rest).map { .time($0) } : nil
  }
  return wallTime(rest).map { .dateTime(date, $0) }
}

private func wallTime(_ text: Substring) -> WallTime? {
  let parts = text.split(separator: ":", omittingEmptySubsequences: false)
  guard (2...3).contains(parts.count), let hour = twoDigits(parts[0]), let minute = twoDigits(parts[1]) else {
    return nil
  }
  guard parts.count == 3 else { return WallTime(hour: hour, minute: minute) }
  let seconds = parts[2].split(separator: ".", omittingEmptySubsequences: false)
  guard let second = twoDigits(seconds[0]), seconds.count <= 2 else { return nil }
  var millisecond = 0
  if seconds.count == 2 {
    guard (1...9).contains(seconds[1].utf8.count), seconds[1].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
      return nil
    }
    for byte in (seconds[1] + "00").utf8.prefix(3) { millisecond = millisecond * 10 + Int(byte - 0x30) }
  }
  return WallTime(hour: hour, minute: minute, second: second, millisecond: millisecond)
}

private func twoDigits(_ text: Substring) -> Int? {
  text.utf8.count == 2 && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Int(text) : nil
}
