package import Kernel

/// Dates and times as departments write them.
package enum WrittenTime {
  /// 2000-01-01, in days since 1970-01-01.
  package static let epoch = 10_957
  /// 0001-01-01 and 9999-12-31 as canonical dates.
  package static let days: ClosedRange<Int> = -730_119...2_921_939
  /// The same two days' first and last microsecond.
  package static let microseconds: ClosedRange<Int64> =
    Int64(days.lowerBound) * 86_400_000_000...Int64(days.upperBound) * 86_400_000_000 + 86_399_999_999

  /// Reads `2026-08-22`, `2026/8/22`, `2026.8.22`, `2026年8月22日` or `20260822` from the start; with where it ended.
  package static func date(_ text: UnsafeRawBufferPointer) -> (CalendarDate, Int)? {
    guard let year = number(text, 0, 4, 4) else { return nil }
    if text.count >= 10, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-") {
      // The usual spelling, without the cost of the others.
      guard let month = number(text, 5, 2, 2), let day = number(text, 8, 2, 2) else { return nil }
      return CalendarDate(year: year.0, month: month.0, day: day.0).map { ($0, 10) }
    }
    var at = 4
    if let month = number(text, 4, 2, 2), let day = number(text, 6, 2, 2) {
      return CalendarDate(year: year.0, month: month.0, day: day.0).map { ($0, 8) }
    }
    guard at < text.count else { return nil }
    let marks: [[UInt8]] =
      switch text[at] {
      case UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "."): [[text[at]], [text[at]], []]
      default: [Array("年".utf8), Array("月".utf8), Array("日".utf8)]
      }
    var parts: [Int] = []
    for mark in marks {
      guard starts(text, at, mark) else { return nil }
      at += mark.count
      if parts.count == 2 { break }
      guard let (value, end) = number(text, at, 1, 2) else { return nil }
      parts.append(value)
      at = end
    }
    return CalendarDate(year: year.0, month: parts[0], day: parts[1]).map { ($0, at) }
  }

  /// Microseconds since 2000 (UTC) of `date[( |T)HH:MM[:SS[.ffffff]]][Z|±HH[[:]MM]]`; `zone` where none is written.
  package static func microseconds(_ text: UnsafeRawBufferPointer, zone: Int) -> Int64? {
    guard let (date, dateEnd) = date(text) else { return nil }
    var at = dateEnd
    var value = Int64(date.daysSince1970 - epoch) * 86_400_000_000
    var offset = zone
    if at < text.count {
      guard text[at] == UInt8(ascii: " ") || text[at] == UInt8(ascii: "T"),
        let (hour, hourEnd) = number(text, at + 1, 1, 2), hour < 24, starts(text, hourEnd, [UInt8(ascii: ":")]),
        let (minute, minuteEnd) = number(text, hourEnd + 1, 2, 2), minute < 60
      else { return nil }
      at = minuteEnd
      var seconds = hour * 3600 + minute * 60
      if starts(text, at, [UInt8(ascii: ":")]) {
        guard let (second, secondEnd) = number(text, at + 1, 2, 2), second < 60 else { return nil }
        seconds += second
        at = secondEnd
        if starts(text, at, [UInt8(ascii: ".")]) {
          guard let (fraction, end) = fraction(text, at + 1) else { return nil }
          value += fraction
          at = end
        }
      }
      value += Int64(seconds) * 1_000_000
      if at < text.count {
        guard let written = self.zone(text, at) else { return nil }
        offset = written
      }
    }
    value -= Int64(offset) * 1_000_000
    return microseconds.contains(value) ? value : nil
  }

  /// A time some microseconds later; nil where that lies outside of the years 1 to 9999.
  package static func moved(_ time: Int64, by shift: Int64) -> Int64? {
    let (moved, isBeyond) = time.addingReportingOverflow(shift)
    return !isBeyond && microseconds.contains(moved) ? moved : nil
  }

  package static func text(days: Int) -> String? {
    self.days.contains(days) ? (CalendarDate(year: 2000, month: 1, day: 1).map { "\($0 + days)" }) : nil
  }

  package static func text(microseconds value: Int64) -> String? {
    guard microseconds.contains(value) else { return nil }
    let day = value >= 0 ? value / 86_400_000_000 : (value - 86_399_999_999) / 86_400_000_000
    let rest = Int(value - day * 86_400_000_000)
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let seconds = rest / 1_000_000
    let time = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
    return text(days: Int(day)).map { "\($0) \(time).\(padded(rest % 1_000_000, 6))" }
  }

  /// `+08:00`, `-0330` or `Z` in seconds east of UTC.
  package static func zone(_ written: String) -> Int? {
    Array(written.utf8).withUnsafeBytes { $0.isEmpty ? nil : zone($0, 0) }
  }

  private static func zone(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int? {
    var at = start
    if text[at] == UInt8(ascii: "Z") { return at + 1 == text.count ? 0 : nil }
    if text[at] == UInt8(ascii: " ") { at += 1 }
    guard at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-"),
      let (hours, hoursEnd) = number(text, at + 1, 2, 2), hours <= 14
    else { return nil }
    let sign = text[at] == UInt8(ascii: "-") ? -1 : 1
    at = hoursEnd
    guard at < text.count else { return sign * hours * 3600 }
    if text[at] == UInt8(ascii: ":") { at += 1 }
    guard let (minutes, end) = number(text, at, 2, 2), minutes < 60, end == text.count else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }

  /// Up to six decimals; more only when they are zeros.
  private static func fraction(_ text: UnsafeRawBufferPointer, _ start: Int) -> (Int64, Int)? {
    var (at, value, places) = (start, Int64(0), 0)
    while at < text.count, isDigit(text[at]) {
      if places < 6 { value = value * 10 + Int64(text[at] - 0x30) } else if text[at] != 0x30 { return nil }
      places += 1
      at += 1
    }
    guard places > 0, places <= 18 else { return nil }
    while places < 6 {
      value *= 10
      places += 1
    }
    return (value, at)
  }

  private static func number(_ text: UnsafeRawBufferPointer, _ start: Int, _ least: Int, _ most: Int) -> (Int, Int)? {
    var (at, value) = (start, 0)
    while at < text.count, at - start < most, isDigit(text[at]) {
      value = value * 10 + Int(text[at] - 0x30)
      at += 1
    }
    return at - start >= least ? (value, at) : nil
  }

  private static func starts(_ text: UnsafeRawBufferPointer, _ at: Int, _ mark: [UInt8]) -> Bool {
    at + mark.count <= text.count && mark.indices.allSatisfy { text[at + $0] == mark[$0] }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
