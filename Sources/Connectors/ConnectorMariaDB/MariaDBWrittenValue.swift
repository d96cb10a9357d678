import Connecting
import Kernel

/// Canonical bytes as the server takes them in text: decimals, dates, and times in the target's zone.
struct MariaDBWrittenValue: ~Copyable {
  private var scratch = WrittenBytes()
  private let shift: Int64

  init(zone: Int) { shift = Int64(zone) * 1_000_000 }

  /// Good until the next call. Nil for a time that the zone moves out of the years that DATETIME has.
  mutating func text(_ value: UnsafeRawBufferPointer, as type: ValueType) -> UnsafeRawBufferPointer? {
    scratch.removeAll()
    guard type == .timestamp else { return scratch.append(value, as: type) }
    let local = Int64(bigEndian: value.loadUnaligned(as: Int64.self)) + shift
    guard WrittenTime.microseconds.contains(local) else { return nil }
    let written = withUnsafeBytes(of: local.bigEndian) { scratch.append($0, as: .timestamp) }
    // Without the Z that says what this column's zone is not.
    return UnsafeRawBufferPointer(rebasing: written.dropLast())
  }

  static func time(_ time: Int64, zone: Int) -> String? {
    WrittenTime.text(microseconds: time + Int64(zone) * 1_000_000)
  }

  /// For the few values that stand in a statement of their own.
  static func literal(_ value: [UInt8], _ type: ValueType, zone: Int) -> String {
    let text = value.withUnsafeBytes { CanonicalText.text(of: $0, as: type) } ?? ""
    switch type {
    case .text: return "_utf8mb4 " + MariaDBQuote.hexadecimal(value)
    case .bytes: return MariaDBQuote.hexadecimal(value)
    case .integer, .decimal: return text
    case .double: return text.contains("e") ? text : text + "e0"
    case .boolean: return text == "true" ? "1" : "0"
    case .date: return "'\(text)'"
    case .timestamp:
      let time = value.withUnsafeBytes { Int64(bigEndian: $0.loadUnaligned(as: Int64.self)) }
      return "'\(Self.time(time, zone: zone) ?? "0000-00-00 00:00:00")'"
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
