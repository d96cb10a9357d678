import Connecting
import Kernel

/// Canonical bytes as a target takes them in text: decimals, dates, times and some numbers.
struct ODBCWrittenValue: ~Copyable {
  private var scratch = WrittenBytes()
  private let room = UnsafeMutableRawPointer.allocate(byteCount: ODBCWrittenValue.size, alignment: 8)
  private static let size = WrittenBytes.longest
  /// Nil where times are kept as instants, with a Z.
  private let shift: Int64?

  init(zone: Int?) { shift = zone.map { Int64($0) * 1_000_000 } }

  deinit { room.deallocate() }

  /// Good until the next call.
  mutating func text(
    _ value: UnsafeRawBufferPointer, as type: ValueType
  ) throws(ConnectorError) -> UnsafeRawBufferPointer {
    scratch.removeAll()
    switch type {
    case .timestamp:
      guard let shift else { return try scratch.append(value, as: type) }
      guard let written = try scratch.append(local: value, later: shift) else { throw Self.outsideOfYears }
      return written
    case .boolean: return put("\(value[0])")
    case .double:
      let number = Double(bitPattern: UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)))
      guard number.isFinite else { throw .outsideOfContract(type) }
      return put("\(number)")
    default: return try scratch.append(value, as: type)
    }
  }

  private func put(_ text: String) -> UnsafeRawBufferPointer {
    var text = text
    return text.withUTF8 { bytes in
      let count = min(bytes.count, Self.size)
      if let base = bytes.baseAddress { room.copyMemory(from: base, byteCount: count) }
      return UnsafeRawBufferPointer(start: room, count: count)
    }
  }

  private static let outsideOfYears = ConnectorError(
    .data, "odbc.year",
    Text(
      "有一个时间按接收方的时区换算后不在 0001 年至 9999 年之间，接收方无法保存；请把接收方的时区设为 +00:00。",
      "A time lies outside the years 0001 to 9999 in the target's zone, which it cannot hold; set the target's zone to +00:00."
    ))
}
