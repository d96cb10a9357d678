/// Decimals, dates and times as text bytes, written into memory that is used again for each row: for targets that keep
/// them as text. What was appended lives until `removeAll`.
package struct WrittenBytes: ~Copyable {
  private let base = UnsafeMutableRawPointer.allocate(byteCount: WrittenBytes.room, alignment: 8)
  private var used = 0
  private static let room = 64 << 10

  package init() {}

  deinit { base.deallocate() }

  package mutating func removeAll() { used = 0 }

  /// `value` must be canonical. Timestamps end in `Z`, so that nothing depends on who reads them where.
  package mutating func append(_ value: UnsafeRawBufferPointer, as type: ValueType) -> UnsafeRawBufferPointer {
    precondition(used + 128 <= Self.room, "a row of a thousand columns fits")
    let start = base + used
    let length =
      switch type {
      case .date: Self.date(Int(Int32(bigEndian: value.loadUnaligned(as: Int32.self))), start)
      case .timestamp: Self.timestamp(Int64(bigEndian: value.loadUnaligned(as: Int64.self)), start)
      default: Self.text(value, type, start)
      }
    used += length
    return UnsafeRawBufferPointer(start: start, count: length)
  }

  private static func text(_ value: UnsafeRawBufferPointer, _ type: ValueType, _ start: UnsafeMutableRawPointer) -> Int
  {
    var text = CanonicalText.text(of: value, as: type) ?? ""
    return text.withUTF8 { bytes in
      let count = min(bytes.count, 64)
      if let source = bytes.baseAddress { start.copyMemory(from: source, byteCount: count) }
      return count
    }
  }

  private static func timestamp(_ time: Int64, _ start: UnsafeMutableRawPointer) -> Int {
    let day = time >= 0 ? time / 86_400_000_000 : (time - 86_399_999_999) / 86_400_000_000
    let rest = Int(time - day * 86_400_000_000)
    _ = date(Int(day), start)
    start.storeBytes(of: UInt8(ascii: " "), toByteOffset: 10, as: UInt8.self)
    let seconds = rest / 1_000_000
    digits(seconds / 3600, 2, start + 11)
    start.storeBytes(of: UInt8(ascii: ":"), toByteOffset: 13, as: UInt8.self)
    digits(seconds / 60 % 60, 2, start + 14)
    start.storeBytes(of: UInt8(ascii: ":"), toByteOffset: 16, as: UInt8.self)
    digits(seconds % 60, 2, start + 17)
    start.storeBytes(of: UInt8(ascii: "."), toByteOffset: 19, as: UInt8.self)
    digits(rest % 1_000_000, 6, start + 20)
    start.storeBytes(of: UInt8(ascii: "Z"), toByteOffset: 26, as: UInt8.self)
    return 27
  }

  /// Howard Hinnant's civil_from_days, counted from March of the year 0.
  private static func date(_ days: Int, _ start: UnsafeMutableRawPointer) -> Int {
    let z = days + WrittenTime.epoch + 719_468
    let era = z / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let m = (5 * dayOfYear + 2) / 153
    let month = m < 10 ? m + 3 : m - 9
    digits(yearOfEra + era * 400 + (month <= 2 ? 1 : 0), 4, start)
    start.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 4, as: UInt8.self)
    digits(month, 2, start + 5)
    start.storeBytes(of: UInt8(ascii: "-"), toByteOffset: 7, as: UInt8.self)
    digits(dayOfYear - (153 * m + 2) / 5 + 1, 2, start + 8)
    return 10
  }

  private static func digits(_ number: Int, _ width: Int, _ start: UnsafeMutableRawPointer) {
    var rest = number
    for place in stride(from: width - 1, through: 0, by: -1) {
      start.storeBytes(of: UInt8(truncatingIfNeeded: 48 + rest % 10), toByteOffset: place, as: UInt8.self)
      rest /= 10
    }
  }
}
