/// Decimals, dates and times as text bytes, written into memory that is used again for each row: for targets that keep
/// them as text. What was appended lives until `removeAll`.
package struct WrittenBytes: ~Copyable {
  /// The first is kept, the others are added where a row needs more and go with it.
  private var pieces = [UnsafeMutableRawPointer.allocate(byteCount: WrittenBytes.room, alignment: 8)]
  private var used = 0
  private static let room = 64 << 10
  /// Bytes of one value at most: 38 digits, sign, point and a zero in front of it are 41.
  package static let longest = 48
  /// What is written beyond a value's end on the way.
  private static let slack = 4

  package init() {}

  deinit { for piece in pieces { piece.deallocate() } }

  package mutating func removeAll() {
    used = 0
    while pieces.count > 1 { pieces.removeLast().deallocate() }
  }

  /// Timestamps end in `Z`, so that nothing depends on who reads them where. Throws for what is not canonical or not of the
  /// years 1 to 9999 and 38 digits that every type has: nobody hands such a value on, and here it would only be a wrong one.
  package mutating func append(
    _ value: UnsafeRawBufferPointer, as type: ValueType
  ) throws(ConnectorError) -> UnsafeRawBufferPointer {
    let start = place()
    let length =
      switch type {
      case .date: Self.day(value).map { Self.date($0, start) }
      case .timestamp: Self.time(value).map { Self.timestamp($0, start) }
      default: Self.decimal(value, start)
      }
    guard let length else { throw .outsideOfContract(type) }
    used += length
    return UnsafeRawBufferPointer(start: start, count: length)
  }

  /// Where the next value goes.
  private mutating func place() -> UnsafeMutableRawPointer {
    if used + Self.longest + Self.slack > Self.room {
      pieces.append(.allocate(byteCount: Self.room, alignment: 8))
      used = 0
    }
    return pieces[pieces.count - 1] + used
  }

  /// A timestamp so many microseconds later and without the Z, for columns that keep a zone's own time. Nil where that lies
  /// outside of the years 1 to 9999.
  package mutating func append(
    local value: UnsafeRawBufferPointer, later shift: Int64
  ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
    guard value.count == 8 else { throw .outsideOfContract(.timestamp) }
    guard let local = WrittenTime.moved(Int64(bigEndian: value.loadUnaligned(as: Int64.self)), by: shift) else {
      return nil
    }
    let start = place()
    let length = Self.timestamp(local, start)
    used += length
    return UnsafeRawBufferPointer(start: start, count: length - 1)
  }

  private static func day(_ value: UnsafeRawBufferPointer) -> Int? {
    guard value.count == 4 else { return nil }
    let day = Int(Int32(bigEndian: value.loadUnaligned(as: Int32.self)))
    return WrittenTime.days.contains(day) ? day : nil
  }

  private static func time(_ value: UnsafeRawBufferPointer) -> Int64? {
    guard value.count == 8 else { return nil }
    let time = Int64(bigEndian: value.loadUnaligned(as: Int64.self))
    return WrittenTime.microseconds.contains(time) ? time : nil
  }

  /// The digits of a canonical `numeric`, always with its scale's decimals; nil for what is none (NaN, infinities, groups
  /// that say no four digits) or has more digits than any agreed one.
  private static func decimal(_ value: UnsafeRawBufferPointer, _ start: UnsafeMutableRawPointer) -> Int? {
    func word(_ index: Int) -> Int {
      Int(UInt16(bigEndian: value.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
    }
    guard value.count >= 8 else { return nil }
    let (count, weight, scale) = (word(0), Int(Int16(truncatingIfNeeded: word(1))), word(3))
    guard word(2) == 0 || word(2) == 0x4000, value.count == 8 + 2 * count,
      (0..<count).allSatisfy({ word(4 + $0) < 10_000 })
    else { return nil }
    func group(_ power: Int) -> Int {
      let index = weight - power
      return index >= 0 && index < count ? word(4 + index) : 0
    }
    var at = 0
    func put(_ byte: UInt8) {
      start.storeBytes(of: byte, toByteOffset: at, as: UInt8.self)
      at += 1
    }
    let first = weight >= 0 ? group(weight) : 0
    let width = first >= 1000 ? 4 : first >= 100 ? 3 : first >= 10 ? 2 : 1
    guard 1 + width + 4 * max(0, weight) + 1 + scale <= longest else { return nil }
    if word(2) == 0x4000 { put(UInt8(ascii: "-")) }
    digits(first, width, start + at)
    at += width
    for power in stride(from: weight - 1, through: 0, by: -1) {
      digits(group(power), 4, start + at)
      at += 4
    }
    guard scale > 0 else { return at }
    put(UInt8(ascii: "."))
    let end = at + scale
    var power = -1
    while at < end {
      digits(group(power), 4, start + at)
      at += 4
      power -= 1
    }
    return end
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
