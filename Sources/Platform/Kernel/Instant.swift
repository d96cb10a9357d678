#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A moment in time, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Stored and sent as `2026-08-22T09:30:00.000Z`, which sorts as text. Bounds: years 0001 to 9999.
package struct Instant: Hashable, Comparable, Sendable {
  package var milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }
  package static func + (a: Instant, b: Duration) -> Instant {
    Instant(milliseconds: a.milliseconds + b.inMilliseconds)
  }
  package static func - (a: Instant, b: Duration) -> Instant {
    Instant(milliseconds: a.milliseconds - b.inMilliseconds)
  }
  package static func - (a: Instant, b: Instant) -> Duration { .milliseconds(a.milliseconds - b.milliseconds) }

  /// Reads `2026-08-22T09:30:00Z` with nought, three or six decimals; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes.count <= 30, bytes[bytes.count - 1] == UInt8(ascii: "Z"),
      bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
      let date = CalendarDate(String(decoding: bytes[0..<10], as: UTF8.self)),
      let hour = digits(bytes, 11, 2), hour < 24, let minute = digits(bytes, 14, 2), minute < 60,
      let second = digits(bytes, 17, 2), second < 60
    else { return nil }
    var fraction = 0
    if bytes.count > 20 {
      guard bytes[19] == UInt8(ascii: "."), bytes.count >= 24, let three = digits(bytes, 20, 3),
        digits(bytes, 20, bytes.count - 21) != nil
      else { return nil }
      fraction = three
    }
    milliseconds =
      Int64(date.daysSince1970) * 86_400_000 + Int64(((hour * 60 + minute) * 60 + second) * 1000 + fraction)
  }

  /// The date shown on a wall in Qinghai (UTC+8, no daylight saving since 1991).
  package var dateInChina: CalendarDate {
    CalendarDate(daysSince1970: Int((milliseconds + 28_800_000).flooredDivision(by: 86_400_000)))
  }

  /// `2026-08-22 17:30` in China's time, for people.
  package var minuteInChina: String {
    let minutes = Int(((milliseconds + 28_800_000) - Int64(dateInChina.daysSince1970) * 86_400_000) / 60_000)
    return "\(dateInChina) \(twoDigits(minutes / 60)):\(twoDigits(minutes % 60))"
  }
}

extension Instant: CustomStringConvertible {
  package var description: String {
    let day = milliseconds.flooredDivision(by: 86_400_000)
    let rest = Int(milliseconds - day * 86_400_000)
    let (seconds, fraction) = (rest / 1000, rest % 1000)
    let thousandths = fraction < 10 ? "00\(fraction)" : fraction < 100 ? "0\(fraction)" : "\(fraction)"
    return "\(CalendarDate(daysSince1970: Int(day)))T\(twoDigits(seconds / 3600)):\(twoDigits(seconds / 60 % 60)):"
      + "\(twoDigits(seconds % 60)).\(thousandths)Z"
  }
}

/// A day of the proleptic Gregorian calendar, without a time zone.
package struct CalendarDate: Hashable, Comparable, Sendable {
  package let daysSince1970: Int

  package init(daysSince1970: Int) { self.daysSince1970 = daysSince1970 }

  /// Nil when there is no such day (31 April, 29 February of a common year, year 0 or above 9999).
  package init?(year: Int, month: Int, day: Int) {
    guard (1...9999).contains(year), (1...12).contains(month), day >= 1, day <= Self.length(ofMonth: month, year: year)
    else { return nil }
    // Howard Hinnant's days_from_civil: years counted from March, so that the leap day comes last.
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    daysSince1970 = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// Reads `2026-08-22`.
  package init?(_ text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      let year = digits(bytes, 0, 4), let month = digits(bytes, 5, 2), let day = digits(bytes, 8, 2)
    else { return nil }
    self.init(year: year, month: month, day: day)
  }

  package static func < (a: CalendarDate, b: CalendarDate) -> Bool { a.daysSince1970 < b.daysSince1970 }
  package static func + (a: CalendarDate, days: Int) -> CalendarDate {
    CalendarDate(daysSince1970: a.daysSince1970 + days)
  }
  package static func - (a: CalendarDate, b: CalendarDate) -> Int { a.daysSince1970 - b.daysSince1970 }

  package var year: Int { civil.year }
  package var month: Int { civil.month }
  package var day: Int { civil.day }
  /// 1 is Monday, 7 is Sunday (ISO 8601).
  package var weekday: Int { (daysSince1970 + 3).flooredRemainder(by: 7) + 1 }
  /// The first moment of this day in China.
  package var startInChina: Instant { Instant(milliseconds: Int64(daysSince1970) * 86_400_000 - 28_800_000) }

  package static func length(ofMonth month: Int, year: Int) -> Int {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  private var civil: (year: Int, month: Int, day: Int) {
    let z = daysSince1970 + 719_468
    let era = z.flooredDivision(by: 146_097)
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let m = (5 * dayOfYear + 2) / 153
    let month = m < 10 ? m + 3 : m - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * m + 2) / 5 + 1)
  }
}

extension CalendarDate: CustomStringConvertible {
  package var description: String {
    let (year, month, day) = civil
    let y = year < 10 ? "000\(year)" : year < 100 ? "00\(year)" : year < 1000 ? "0\(year)" : "\(year)"
    return "\(y)-\(twoDigits(month))-\(twoDigits(day))"
  }
}

/// Where the time comes from. Tests and the demo move it by hand.
package struct Clock: Sendable {
  package var now: @Sendable () -> Instant

  package init(now: @escaping @Sendable () -> Instant) { self.now = now }

  package static let system = Clock {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }

  package var today: CalendarDate { now().dateInChina }
}

extension Duration {
  /// Whole milliseconds, rounded towards zero.
  package var inMilliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}

extension BinaryInteger {
  package func flooredDivision(by divisor: Self) -> Self {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }

  package func flooredRemainder(by divisor: Self) -> Self {
    let remainder = self % divisor
    return remainder < 0 ? remainder + divisor : remainder
  }
}

private func twoDigits(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }

private func digits(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int? {
  guard start + count <= bytes.count else { return nil }
  var value = 0
  for byte in bytes[start..<start + count] {
    guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
    value = value * 10 + Int(byte - UInt8(ascii: "0"))
  }
  return value
}
