package import Kernel

/// What stands in a cell.
package enum CellValue: Hashable, Sendable {
  case empty
  case text(String)
  /// `digits` is what the file says: `0.1`, `1.1000000000000001`, `6.3010119900101E+17`. Excel keeps 15 significant
  /// digits of what is typed: the rest of a longer code typed as a number is lost before it is saved.
  case number(Double, digits: String)
  case date(CalendarDate)
  case dateTime(CalendarDate, WallTime)
  case time(WallTime)
  case boolean(Bool)
  /// `#N/A`, `#REF!` …
  case error(String)

  package static func number(_ value: Int) -> CellValue { .number(Double(value), digits: "\(value)") }

  /// Infinities and what is not a number come to `.error("#NUM!")`, as in Excel.
  package static func number(_ value: Double) -> CellValue {
    value.isFinite ? .number(value, digits: "\(value)") : .error("#NUM!")
  }

  /// As a person sees it, and as a text field takes it: a number in its 15 significant digits without an exponent
  /// (`1.1`, `630101199001010000`), a date as `2026-08-22`, a boolean as `TRUE`; empty for `.empty`.
  package var shown: String {
    switch self {
    case .empty: ""
    case .text(let text): text
    case .number(_, let digits): DecimalDigits(digits)?.rounded(to: 15).description ?? digits
    case .date(let date): date.description
    case .dateTime(let date, let time): "\(date) \(time)"
    case .time(let time): time.description
    case .boolean(let value): value ? "TRUE" : "FALSE"
    case .error(let code): code
    }
  }

  /// True for a whole number of more than 15 digits: Excel has already put noughts in the place of its last ones, so
  /// that an ID number typed as a number cannot be taken back from it.
  package var hasLostDigits: Bool {
    guard case .number(let value, _) = self else { return false }
    return abs(value) >= 1e15
  }
}

/// A time on a wall, without a date or zone, to the millisecond.
package struct WallTime: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// 0 ..< 86,400,000.
  package let milliseconds: Int

  /// Nil outside one day.
  package init?(milliseconds: Int) {
    guard (0..<86_400_000).contains(milliseconds) else { return nil }
    self.milliseconds = milliseconds
  }

  package init?(hour: Int, minute: Int, second: Int = 0, millisecond: Int = 0) {
    guard (0..<24).contains(hour), (0..<60).contains(minute), (0..<60).contains(second),
      (0..<1000).contains(millisecond)
    else { return nil }
    milliseconds = ((hour * 60 + minute) * 60 + second) * 1000 + millisecond
  }

  package static func < (a: WallTime, b: WallTime) -> Bool { a.milliseconds < b.milliseconds }

  package var hour: Int { milliseconds / 3_600_000 }
  package var minute: Int { milliseconds / 60_000 % 60 }
  package var second: Int { milliseconds / 1000 % 60 }
  package var millisecond: Int { milliseconds % 1000 }

  /// `09:30:00`, with `.250` where there are milliseconds.
  package var description: String {
    func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
    let fraction = millisecond == 0 ? "" : ".\(millisecond < 10 ? "00" : millisecond < 100 ? "0" : "")\(millisecond)"
    return "\(two(hour)):\(two(minute)):\(two(second))\(fraction)"
  }
}

/// A decimal number as its digits, so that nothing is lost or added by binary fractions.
struct DecimalDigits: CustomStringConvertible {
  private var isNegative = false
  /// Significant digits 0 … 9 without leading noughts; empty for nought.
  private var digits: [UInt8] = []
  /// The power of ten of the last digit.
  private var exponent = 0

  /// Reads `-12.50`, `1.5E-7`; nil for anything else.
  init?(_ text: String) {
    var bytes = Array(text.utf8)[...]
    if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      isNegative = sign == UInt8(ascii: "-")
      bytes = bytes.dropFirst()
    }
    var (seen, isFraction) = (false, false)
    while let byte = bytes.first {
      if byte >= 0x30, byte <= 0x39 {
        seen = true
        if byte != 0x30 || !digits.isEmpty { digits.append(byte - 0x30) }
        if isFraction { exponent -= 1 }
      } else if byte == UInt8(ascii: "."), !isFraction {
        isFraction = true
      } else {
        break
      }
      bytes = bytes.dropFirst()
    }
    guard seen else { return nil }
    if let mark = bytes.first {
      guard mark | 0x20 == UInt8(ascii: "e"), bytes.count <= 6,
        let power = Int(String(decoding: bytes.dropFirst(), as: UTF8.self))
      else { return nil }
      exponent += power
    }
    if digits.isEmpty { exponent = 0 }
  }

  /// Half away from nought, as Excel shows it.
  func rounded(to most: Int) -> DecimalDigits {
    guard digits.count > most else { return self }
    var result = self
    let goesUp = digits[most] >= 5
    result.exponent += digits.count - most
    result.digits.removeSubrange(most...)
    guard goesUp else { return result }
    var at = most - 1
    while at >= 0, result.digits[at] == 9 {
      result.digits[at] = 0
      at -= 1
    }
    if at >= 0 { result.digits[at] += 1 } else { result.digits.insert(1, at: 0) }
    return result
  }

  /// Without an exponent as long as that takes no more than 40 places.
  var description: String {
    var digits = digits
    var exponent = exponent
    while exponent < 0, digits.last == 0 {
      digits.removeLast()
      exponent += 1
    }
    guard !digits.isEmpty else { return "0" }
    let sign = isNegative ? "-" : ""
    func text(_ digits: some Sequence<UInt8>) -> String { String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self) }
    guard digits.count + exponent <= 40, exponent >= -40 else {
      let power = exponent + digits.count - 1
      let rest = digits.count > 1 ? "." + text(digits.dropFirst()) : ""
      return "\(sign)\(text(digits.prefix(1)))\(rest)E\(power)"
    }
    if exponent >= 0 { return sign + text(digits) + String(repeating: "0", count: exponent) }
    let whole = digits.count + exponent
    if whole <= 0 { return sign + "0." + String(repeating: "0", count: -whole) + text(digits) }
    return sign + text(digits[..<whole]) + "." + text(digits[whole...])
  }
}
