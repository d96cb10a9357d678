import Connecting

/// How the log writes a column's values.
enum MariaDBLoggedForm: Hashable, Sendable {
  case integer(bytes: Int)
  case float(bytes: Int)
  case decimal(precision: Int, scale: Int)
  case bit(bits: Int)
  case year
  case date
  case time(decimals: Int)
  case datetime(decimals: Int)
  case timestamp(decimals: Int)
  /// CHAR and BINARY: without what only fills them up.
  case fixed(length: Int)
  case varying(longest: Int)
  case blob(lengthBytes: Int)
  case geometry(lengthBytes: Int)
  case enumeration(bytes: Int)
  case set(bytes: Int)
  case compressed(lengthBytes: Int)
  /// Nobody knows how long its values are: no row can be read. Times in the form of before version 10.1, for one.
  case unknown(UInt8)

  var hasCollation: Bool {
    switch self {
    case .fixed, .varying, .blob, .geometry, .compressed: true
    default: false
    }
  }

  var isEnum: Bool { if case .enumeration = self { true } else { false } }
  var isSet: Bool { if case .set = self { true } else { false } }

  /// Where the value that starts at `at` has its bytes; those of its length are not among them.
  func range(in data: UnsafeRawBufferPointer, at: Int) throws(ConnectorError) -> Range<Int> {
    func sized(_ count: Int) throws(ConnectorError) -> Range<Int> {
      guard count >= 0, at <= data.count, count <= data.count - at else { throw MariaDBLogEvent.unreadable }
      return at..<at + count
    }
    func prefixed(_ bytes: Int) throws(ConnectorError) -> Range<Int> {
      guard (1...4).contains(bytes), at + bytes <= data.count else { throw MariaDBLogEvent.unreadable }
      let length = data[at..<at + bytes].reversed().reduce(0) { $0 << 8 | Int($1) }
      guard length <= data.count - at - bytes else { throw MariaDBLogEvent.unreadable }
      return at + bytes..<at + bytes + length
    }
    switch self {
    case .integer(let bytes), .enumeration(let bytes), .set(let bytes): return try sized(bytes)
    case .float(let bytes): return try sized(bytes == 4 ? 4 : 8)
    case .decimal(let precision, let scale):
      return try sized(Self.decimalBytes(precision - scale) + Self.decimalBytes(scale))
    case .bit(let bits): return try sized((bits + 7) / 8)
    case .year: return try sized(1)
    case .date: return try sized(3)
    case .time(let decimals): return try sized(3 + (decimals + 1) / 2)
    case .datetime(let decimals): return try sized(5 + (decimals + 1) / 2)
    case .timestamp(let decimals): return try sized(4 + (decimals + 1) / 2)
    case .fixed(let length), .varying(let length): return try prefixed(length > 255 ? 2 : 1)
    case .blob(let bytes), .geometry(let bytes), .compressed(let bytes): return try prefixed(bytes)
    case .unknown: throw MariaDBLogEvent.unreadable
    }
  }

  static func decimalBytes(_ digits: Int) -> Int { digits / 9 * 4 + [0, 1, 1, 2, 2, 3, 3, 4, 4][digits % 9] }
}

/// The text that the server itself would send for a value, from the bytes in its log.
enum MariaDBLoggedText {
  static func integer(_ value: UnsafeRawBufferPointer, isUnsigned: Bool) -> String {
    let bits = value.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard !isUnsigned, let last = value.last, last & 0x80 != 0 else { return String(bits) }
    let unused = UInt64(64 - value.count * 8)
    return String(Int64(bitPattern: bits << unused) >> Int64(unused))
  }

  /// The first byte the highest.
  static func bits(_ value: UnsafeRawBufferPointer) -> String {
    String(value.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  static func double(_ value: UnsafeRawBufferPointer) -> Double {
    if value.count == 4 {
      return Double(Float(bitPattern: UInt32(littleEndian: value.loadUnaligned(as: UInt32.self))))
    }
    return Double(bitPattern: UInt64(littleEndian: value.loadUnaligned(as: UInt64.self)))
  }

  /// Nine digits are four bytes; what is left over at either end has fewer. The first bit is turned over, and all of
  /// them where the number is negative.
  static func decimal(_ value: UnsafeRawBufferPointer, precision: Int, scale: Int) -> String {
    var bytes = [UInt8](value)
    guard !bytes.isEmpty else { return "0" }
    let isNegative = bytes[0] & 0x80 == 0
    bytes[0] ^= 0x80
    if isNegative { for index in bytes.indices { bytes[index] = ~bytes[index] } }
    var at = 0
    func digits(_ count: Int) -> String {
      let size = MariaDBLoggedForm.decimalBytes(count)
      let number = String(bytes[at..<at + size].reduce(0) { $0 << 8 | Int($1) })
      at += size
      return String(repeating: "0", count: max(0, count - number.count)) + number
    }
    let whole = precision - scale
    var text = whole % 9 > 0 ? digits(whole % 9) : ""
    for _ in 0..<whole / 9 { text += digits(9) }
    text = String(text.drop { $0 == "0" })
    if text.isEmpty { text = "0" }
    if scale > 0 {
      text += "."
      for _ in 0..<scale / 9 { text += digits(9) }
      if scale % 9 > 0 { text += digits(scale % 9) }
    }
    return isNegative ? "-" + text : text
  }

  static func year(_ value: UnsafeRawBufferPointer) -> String { value[0] == 0 ? "0000" : String(1900 + Int(value[0])) }

  static func date(_ value: UnsafeRawBufferPointer) -> String {
    let bits = Int(value[0]) | Int(value[1]) << 8 | Int(value[2]) << 16
    return "\(four(bits >> 9))-\(two(bits >> 5 & 15))-\(two(bits & 31))"
  }

  static func datetime(_ value: UnsafeRawBufferPointer, decimals: Int) -> String {
    let bits = big(value, 0, 5) - 0x80_0000_0000
    let (day, time) = (bits >> 17, bits & 0x1_FFFF)
    let date = "\(four((day >> 5) / 13))-\(two((day >> 5) % 13))-\(two(day & 31))"
    return "\(date) \(clock(time))" + written(microseconds(value, 5, decimals), decimals)
  }

  /// In UTC, which is the session's zone when rows are read.
  static func timestamp(_ value: UnsafeRawBufferPointer, decimals: Int) -> String {
    let (seconds, fraction) = (big(value, 0, 4), microseconds(value, 4, decimals))
    if seconds == 0, fraction == 0 { return "0000-00-00 00:00:00" + written(0, decimals) }
    let text = WrittenTime.text(microseconds: (Int64(seconds) - 946_684_800) * 1_000_000) ?? ""
    return text.prefix(19) + written(fraction, decimals)
  }

  /// A signed whole with its fraction: below zero both count from the next lower second.
  static func time(_ value: UnsafeRawBufferPointer, decimals: Int) -> String {
    let (bytes, unit) = ((decimals + 1) / 2, [1_000_000, 10_000, 100, 1][(decimals + 1) / 2])
    var bits = big(value, 0, 3 + bytes) - 0x80_0000 << (8 * bytes)
    let isNegative = bits < 0
    if isNegative { bits = -bits }
    let time = bits >> (8 * bytes)
    let fraction = bytes == 0 ? 0 : (bits & (1 << (8 * bytes) - 1)) * unit
    return (isNegative ? "-" : "") + "\(clock(time))" + written(fraction, decimals)
  }

  private static func clock(_ bits: Int) -> String {
    "\(two(bits >> 12 & 1023)):\(two(bits >> 6 & 63)):\(two(bits & 63))"
  }

  private static func microseconds(_ value: UnsafeRawBufferPointer, _ start: Int, _ decimals: Int) -> Int {
    let bytes = (decimals + 1) / 2
    return big(value, start, bytes) * [0, 10_000, 100, 1][bytes]
  }

  private static func written(_ microseconds: Int, _ decimals: Int) -> String {
    decimals == 0 ? "" : "." + String(String(microseconds + 1_000_000).dropFirst()).prefix(decimals)
  }

  private static func big(_ value: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> Int {
    value[start..<start + count].reduce(0) { $0 << 8 | Int($1) }
  }

  private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  private static func four(_ value: Int) -> String { String(String(value + 10_000).dropFirst()) }
}
