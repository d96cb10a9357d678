import Connecting
import Kernel

/// China's time in canonical units: what a day of a timestamp means, and a written time without a zone.
enum RowTime {
  /// Seconds east of UTC.
  static let zone = 28_800
  static let microsecondsOfDay: Int64 = 86_400_000_000

  /// The day in China, in days since 2000.
  static func day(_ microseconds: Int64) -> Int64 {
    let local = microseconds + Int64(zone) * 1_000_000
    return local >= 0 ? local / microsecondsOfDay : (local - microsecondsOfDay + 1) / microsecondsOfDay
  }

  /// When that day begins in China.
  static func start(ofDay day: Int64) -> Int64 { day * microsecondsOfDay - Int64(zone) * 1_000_000 }

  static func date(_ day: Int64) -> CalendarDate { CalendarDate(daysSince1970: Int(day) + WrittenTime.epoch) }

  static func day(_ date: CalendarDate) -> Int64 { Int64(date.daysSince1970 - WrittenTime.epoch) }
}

/// How a date is written, by `yyyy MM dd HH mm ss`; every other character that is no letter A–Z stands for itself.
struct DateFormat: Hashable, Sendable {
  enum Part: Hashable {
    case year, month, day, hour, minute, second
    case mark([UInt8])

    var width: Int { if case .year = self { 4 } else { 2 } }
  }

  let parts: [Part]

  /// Nil for a format that is not understood, names a part twice or runs over 100 characters.
  init?(_ format: String) {
    var parts: [Part] = []
    var rest = Array(format.unicodeScalars)[...]
    guard !rest.isEmpty, rest.count <= 100 else { return nil }
    let words: [(String, Part)] = [
      ("yyyy", .year), ("MM", .month), ("dd", .day), ("HH", .hour), ("mm", .minute), ("ss", .second),
    ]
    scan: while let first = rest.first {
      for (word, part) in words where rest.starts(with: word.unicodeScalars) {
        guard !parts.contains(part) else { return nil }
        parts.append(part)
        rest = rest.dropFirst(word.unicodeScalars.count)
        continue scan
      }
      guard !(first.isASCII && first.properties.isAlphabetic), first.value != 0 else { return nil }
      parts.append(.mark(Array(String(first).utf8)))
      rest = rest.dropFirst()
    }
    self.parts = parts
  }

  private func has(_ part: Part) -> Bool { parts.contains(part) }

  /// A whole day can be read with it.
  var readsDate: Bool { has(.year) && has(.month) && has(.day) && !has(.hour) && !has(.minute) && !has(.second) }
  /// A day with or without a time of day.
  var readsTime: Bool { has(.year) && has(.month) && has(.day) && (has(.hour) || !has(.minute) && !has(.second)) }
  var writesDate: Bool { !has(.hour) && !has(.minute) && !has(.second) }

  /// Day since 2000 and second of the day; nil when the text is written otherwise or names no day or time.
  func read(_ text: UnsafeRawBufferPointer) -> (day: Int64, second: Int64)? {
    var at = 0
    var (year, month, day, hour, minute, second) = (0, 1, 1, 0, 0, 0)
    for part in parts {
      if case .mark(let bytes) = part {
        guard at + bytes.count <= text.count else { return nil }
        for (offset, byte) in bytes.enumerated() where text[at + offset] != byte { return nil }
        at += bytes.count
        continue
      }
      guard at + part.width <= text.count else { return nil }
      var value = 0
      for offset in 0..<part.width {
        let digit = text[at + offset] &- 48
        guard digit < 10 else { return nil }
        value = value * 10 + Int(digit)
      }
      at += part.width
      switch part {
      case .year: year = value
      case .month: month = value
      case .day: day = value
      case .hour: hour = value
      case .minute: minute = value
      default: second = value
      }
    }
    guard at == text.count, hour < 24, minute < 60, second < 60,
      let date = CalendarDate(year: year, month: month, day: day)
    else { return nil }
    return (RowTime.day(date), Int64(hour * 3600 + minute * 60 + second))
  }

  func write(day: Int64, second: Int64) -> [UInt8] {
    let date = RowTime.date(day)
    let time = Int(second)
    var bytes: [UInt8] = []
    for part in parts {
      let value =
        switch part {
        case .mark(let mark):
          {
            bytes += mark
            return -1
          }()
        case .year: date.year
        case .month: date.month
        case .day: date.day
        case .hour: time / 3600
        case .minute: time / 60 % 60
        case .second: time % 60
        }
      guard value >= 0 else { continue }
      let digits = Array(String(value).utf8)
      bytes += [UInt8](repeating: 48, count: max(0, part.width - digits.count)) + digits
    }
    return bytes
  }
}
