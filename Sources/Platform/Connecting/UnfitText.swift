import Kernel

/// How a value reads that its type can hold and no contract permits: what is no number, infinities, years outside 1 to 9999.
///
/// For people who look at a bad row; it is never delivered so.
package enum UnfitText {
  /// Nil for what is none of these.
  package static func text(of bytes: [UInt8], as type: ValueType) -> String? {
    func number<T: FixedWidthInteger>(_: T.Type, at place: Int = 0) -> T {
      bytes.withUnsafeBytes { T(bigEndian: $0.loadUnaligned(fromByteOffset: place, as: T.self)) }
    }
    switch type {
    case .decimal where bytes.count >= 8:
      return [0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"][number(UInt16.self, at: 4)]
    case .date where bytes.count == 4:
      let day = number(Int32.self)
      if day == .max || day == .min { return day > 0 ? "infinity" : "-infinity" }
      return date(Int64(day))
    case .timestamp where bytes.count == 8:
      let time = number(Int64.self)
      if time == .max || time == .min { return time > 0 ? "infinity" : "-infinity" }
      let second = time.flooredDivision(by: 1_000_000)
      let ofDay = second.flooredRemainder(by: 86_400)
      return date(second.flooredDivision(by: 86_400)) + " "
        + [ofDay / 3600, ofDay / 60 % 60, ofDay % 60].map(two).joined(separator: ":") + "+00:00"
    default: return nil
    }
  }

  private static func two(_ number: some BinaryInteger) -> String { number < 10 ? "0\(number)" : "\(number)" }

  /// ISO 8601, its years with a sign where they have not four digits: the year 0 is that before the year 1.
  private static func date(_ day: Int64) -> String {
    let date = CalendarDate(daysSince1970: Int(day) + WrittenTime.epoch)
    let digits = "\(date.year.magnitude)"
    let written = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    let sign = date.year < 0 ? "-" : date.year > 9999 ? "+" : ""
    return sign + written + "-" + two(date.month) + "-" + two(date.day)
  }
}
