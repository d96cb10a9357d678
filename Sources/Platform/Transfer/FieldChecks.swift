import Connecting
import Kernel

/// Rules of single values, over bytes.
enum FieldChecks {
  /// What is wrong with a value that is not NULL, as its contract has it: its type, its bounds and what it means.
  @inline(__always)
  static func fault(
    _ value: UnsafeRawPointer, _ length: Int, _ field: UnsafePointer<FieldPlan>, checksText: Bool
  ) -> RowFault? {
    switch field.pointee.kind {
    case .text:
      // A text of no more bytes than characters allowed need not be counted.
      if checksText || length > field.pointee.length {
        let scan = UTF8Scan(value, length)
        if let fault = scan.fault { return fault }
        if scan.characters > field.pointee.length { return .tooLong }
      }
    case .integer: if length != 8 { return .wrongType }
    case .decimal:
      if let fault = decimal(value, length, field.pointee.precision, field.pointee.scale) { return fault }
    case .double:
      guard length == 8 else { return .wrongType }
      let bits = UInt64(bigEndian: value.loadUnaligned(as: UInt64.self))
      if bits & 0x7FF0_0000_0000_0000 == 0x7FF0_0000_0000_0000 { return .notFinite }
    case .boolean: if length != 1 || value.load(as: UInt8.self) > 1 { return .wrongType }
    case .date:
      guard length == 4 else { return .wrongType }
      let day = Int32(bigEndian: value.loadUnaligned(as: Int32.self))
      if !WrittenTime.days.contains(Int(day)) {
        return day == .max || day == .min ? .notFinite : .impossibleDate
      }
    case .timestamp:
      guard length == 8 else { return .wrongType }
      let time = Int64(bigEndian: value.loadUnaligned(as: Int64.self))
      if !WrittenTime.microseconds.contains(time) {
        return time == .max || time == .min ? .notFinite : .impossibleDate
      }
    case .bytes: if length > field.pointee.length { return .tooLong }
    }
    return field.pointee.hasCheck ? meaning(UnsafeRawBufferPointer(start: value, count: length), field) : nil
  }

  /// PostgreSQL's `numeric`: finite, stripped of zero groups as its server sends it, within precision and scale.
  static func decimal(_ value: UnsafeRawPointer, _ length: Int, _ precision: Int, _ scale: Int) -> RowFault? {
    @inline(__always) func word(_ index: Int) -> Int {
      Int(UInt16(bigEndian: value.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
    }
    guard length >= 8 else { return .wrongType }
    let (count, sign) = (word(0), word(2))
    if sign & 0xC000 == 0xC000 { return .notFinite }
    guard length == 8 + count * 2, sign == 0 || sign == 0x4000 else { return .wrongType }
    guard count > 0 else { return nil }
    let weight = Int(Int16(truncatingIfNeeded: word(1)))
    let (first, last) = (word(4), word(3 + count))
    guard first > 0, last > 0, first < 10_000, last < 10_000 else { return .wrongType }
    if weight >= 0 {
      let digits = weight * 4 + (first >= 1000 ? 4 : first >= 100 ? 3 : first >= 10 ? 2 : 1)
      if digits > precision - scale { return .outOfRange }
    }
    let lowest = weight - count + 1
    if lowest < 0 {
      let decimals = -lowest * 4 - (last % 1000 == 0 ? 3 : last % 100 == 0 ? 2 : last % 10 == 0 ? 1 : 0)
      if decimals > scale { return .tooManyDecimals }
    }
    return nil
  }

  /// What the value means, beyond its type.
  static func meaning(_ value: UnsafeRawBufferPointer, _ field: UnsafePointer<FieldPlan>) -> RowFault? {
    switch field.pointee.check {
    case .none: return nil
    case .creditCode: return CreditCode.isValid(value) ? nil : value.count == 18 ? .checkDigit : .malformedCode
    case .citizenID(let horizon):
      return CitizenID.isValid(value, on: horizon) ? nil : value.count == 18 ? .checkDigit : .malformedCode
    case .organisationCode:
      return OrganisationCode.isValid(value) ? nil : value.count == 9 ? .checkDigit : .malformedCode
    case .dictionary(let codes): return codes.contains(value) ? nil : .notInDictionary
    case .range(let range):
      let number =
        value.count == 4
        ? Int64(Int32(bigEndian: value.loadUnaligned(as: Int32.self)))
        : Int64(bigEndian: value.loadUnaligned(as: Int64.self))
      return range.contains(number) ? nil : .dateOutOfRange
    }
  }

  /// Keeps whole characters at both ends and puts `*` for each between; all `*` when nothing would be hidden.
  static func keepHeadTail(
    _ value: UnsafeRawPointer, _ length: Int, _ head: Int, _ tail: Int, _ room: UnsafeMutableRawPointer
  ) -> Int {
    var characters = 0
    var headEnd = length
    for at in 0..<length where value.load(fromByteOffset: at, as: UInt8.self) & 0xC0 != 0x80 {
      if characters == head { headEnd = at }
      characters += 1
    }
    guard characters > head + tail else {
      memset(room, Int32(UInt8(ascii: "*")), characters)
      return characters
    }
    var tailStart = length
    var left = tail
    while left > 0 {
      tailStart -= 1
      if value.load(fromByteOffset: tailStart, as: UInt8.self) & 0xC0 != 0x80 { left -= 1 }
    }
    let stars = characters - head - tail
    room.copyMemory(from: value, byteCount: headEnd)
    memset(room + headEnd, Int32(UInt8(ascii: "*")), stars)
    (room + headEnd + stars).copyMemory(from: value + tailStart, byteCount: length - tailStart)
    return headEnd + stars + length - tailStart
  }

  @inline(__always)
  private static func memset(_ room: UnsafeMutableRawPointer, _ byte: Int32, _ count: Int) {
    room.initializeMemory(as: UInt8.self, repeating: UInt8(truncatingIfNeeded: byte), count: count)
  }
}
