import Connecting
import Kernel

/// Canonical bytes as the server takes them in text: decimals, dates, and times in the target's zone.
struct MariaDBWrittenValue: ~Copyable {
  private var scratch = WrittenBytes()
  private let shift: Int64

  init(zone: Int) { shift = Int64(zone) * 1_000_000 }

  /// Good until the next call. Throws for a time that the zone moves out of the years that DATETIME has.
  mutating func text(
    _ value: UnsafeRawBufferPointer, as type: ValueType
  ) throws(ConnectorError) -> UnsafeRawBufferPointer {
    scratch.removeAll()
    guard type == .timestamp else { return try scratch.append(value, as: type) }
    guard let written = try scratch.append(local: value, later: shift) else { throw Self.outsideOfYears }
    return written
  }

  static func time(_ time: Int64, zone: Int) -> String? {
    WrittenTime.moved(time, by: Int64(zone) * 1_000_000).flatMap { WrittenTime.text(microseconds: $0) }
  }

  /// For the few values that stand in a statement of their own, to be compared with. What no column here can hold is NULL, which
  /// equals nothing.
  static func literal(_ value: [UInt8], _ type: ValueType, zone: Int) -> String {
    guard let text = value.withUnsafeBytes({ CanonicalText.text(of: $0, as: type) }) else { return "NULL" }
    switch type {
    case .text: return "_utf8mb4 " + MariaDBQuote.hexadecimal(value)
    case .bytes: return MariaDBQuote.hexadecimal(value)
    case .integer, .decimal: return text
    case .double:
      guard Double(text)?.isFinite ?? false else { return "NULL" }
      return text.contains("e") ? text : text + "e0"
    case .boolean: return text == "true" ? "1" : "0"
    case .date: return "'\(text)'"
    case .timestamp:
      let time = value.withUnsafeBytes { Int64(bigEndian: $0.loadUnaligned(as: Int64.self)) }
      return Self.time(time, zone: zone).map { "'\($0)'" } ?? "NULL"
    }
  }

  static let outsideOfYears = ConnectorError(
    .data, "mariadb.year",
    Text(
      "有一个时间按接收方的时区换算后不在 0001 年至 9999 年之间，DATETIME 无法保存；请把接收方的时区设为 +00:00。",
      "A time lies outside the years 0001 to 9999 in the target's zone, which DATETIME cannot hold; set the target's zone to +00:00."
    ))

  static let outsideOfPacket = MariaDBConnection.error(1153, state: "", said: "")
}
