import Connecting
import JSONBytes

/// The lines of a message, one change each, in the order in which they are to be done. `PutRows` reads rows back to the
/// same bytes.
///
/// | type | JSON |
/// |---|---|
/// | NULL | null |
/// | text | string |
/// | integer | number, its digits only |
/// | decimal | string with all decimals of the type, since many a reader takes numbers for doubles |
/// | double | number, the shortest digits that give the same double |
/// | boolean | true, false |
/// | date | string: 2026-08-22 |
/// | timestamp | string: 2026-08-22T01:30:00.000000Z (RFC 3339) |
/// | bytes | string: base64 (RFC 4648) |
final class MessageChanges {
  private let plan: WritePlan
  /// In front of each value of a row, and of a key.
  private let labels: [[UInt8]]
  private let keyLabels: [[UInt8]]
  private var text: UnsafeMutableRawPointer
  private var size: Int
  private var used = 0
  private var scratch = WrittenBytes()
  /// Where the rows of the last write begin.
  private var writeStart = 0
  private(set) var puts = 0
  private(set) var deletes = 0
  private(set) var stale = 0
  private(set) var count = 0

  private static let room = 1 << 18

  init(_ plan: WritePlan) {
    self.plan = plan
    func labels(_ columns: some Collection<Int>) -> [[UInt8]] {
      columns.enumerated().map { place, column in
        (place == 0 ? [] : [UInt8(ascii: ",")]) + WrittenJSON.quoted(plan.columns[column].name) + [UInt8(ascii: ":")]
      }
    }
    self.labels = labels(plan.columns.indices)
    keyLabels = labels(plan.key)
    size = Self.room
    text = .allocate(byteCount: size, alignment: 16)
  }

  deinit { text.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: text, count: used) }
  /// The lines of the last write.
  var lastWrite: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[writeStart...]) }

  func removeAll() {
    (used, writeStart, puts, deletes, stale, count) = (0, 0, 0, 0, 0, 0)
    guard size > 16 * Self.room else { return }
    text.deallocate()
    size = Self.room
    text = .allocate(byteCount: size, alignment: 16)
  }

  // MARK: Changes

  func beginWrite() { writeStart = used }

  /// The row is this.
  func put(_ row: UnsafeRawBufferPointer) throws(ConnectorError) {
    append("{\"put\":{")
    try append(row, plan.columns.indices, labels)
    puts += 1
  }

  /// The row under this key is gone. `key`: a row of the key's fields alone.
  func delete(_ key: UnsafeRawBufferPointer) throws(ConnectorError) {
    append("{\"delete\":{")
    try append(key, plan.key, keyLabels)
    deletes += 1
  }

  /// What there is under this key is no longer up to date.
  func markStale(_ key: UnsafeRawBufferPointer) throws(ConnectorError) {
    append("{\"stale\":{")
    try append(key, plan.key, keyLabels)
    stale += 1
  }

  /// All rows go.
  func clear() {
    append("{\"clear\":true}\n")
    count += 1
  }

  /// All rows go that were last put before that batch, unless one is flagged as stale by it or a later one.
  func drop(before batch: Int64) {
    append("{\"drop_before\":")
    advance(WrittenJSON.write(batch, to: reserve(WrittenJSON.longestInteger)))
    append("}\n")
    count += 1
  }

  // MARK: Text

  private func append(
    _ row: UnsafeRawBufferPointer, _ columns: some Collection<Int>, _ labels: [[UInt8]]
  ) throws(ConnectorError) {
    var at = 2
    for (place, column) in columns.enumerated() {
      labels[place].withUnsafeBytes { append($0) }
      let length = Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self)))
      at += 4
      guard length >= 0 else {
        append("null")
        continue
      }
      try append(UnsafeRawBufferPointer(rebasing: row[at..<at + length]), as: plan.columns[column].type)
      at += length
    }
    append("}}\n")
    count += 1
  }

  private func append(_ value: UnsafeRawBufferPointer, as type: ValueType) throws(ConnectorError) {
    switch type {
    case .text: advance(WrittenJSON.quote(value, to: reserve(WrittenJSON.room(value.count))))
    case .integer:
      let number = Int64(bigEndian: value.loadUnaligned(as: Int64.self))
      advance(WrittenJSON.write(number, to: reserve(WrittenJSON.longestInteger)))
    case .double:
      let number = Double(bitPattern: UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)))
      guard number.isFinite else { throw .outsideOfContract(type) }
      Array("\(number)".utf8).withUnsafeBytes { append($0) }
    case .boolean: append(value[0] == 0 ? "false" : "true")
    case .decimal, .date, .timestamp:
      scratch.removeAll()
      let written = try scratch.append(value, as: type)
      append("\"")
      let start = reserve(written.count)
      append(written)
      if type == .timestamp { start.storeBytes(of: UInt8(ascii: "T"), toByteOffset: 10, as: UInt8.self) }
      append("\"")
    case .bytes:
      append("\"")
      let count = Base64.room(value.count)
      Base64.encode(value, to: reserve(count))
      advance(count)
      append("\"")
    }
  }

  private func append(_ literal: StaticString) {
    append(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  private func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    reserve(bytes.count).copyMemory(from: source, byteCount: bytes.count)
    used += bytes.count
  }

  private func reserve(_ bytes: Int) -> UnsafeMutableRawPointer {
    if used + bytes > size {
      size = max(used + bytes, size * 2)
      let larger = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
      larger.copyMemory(from: text, byteCount: used)
      text.deallocate()
      text = larger
    }
    return text + used
  }

  private func advance(_ bytes: Int) { used += bytes }
}
