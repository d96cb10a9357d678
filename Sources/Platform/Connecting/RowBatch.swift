/// Rows as one stretch of memory, in PostgreSQL's binary COPY form: `Int16 fields, (Int32 length, bytes)*`, big-endian,
/// length -1 for NULL.
///
/// A length below -1 says that the connector read something that has no canonical bytes: bits 24 to 30 are the
/// `RowFault`, bits 0 to 23 the length of the raw bytes that follow (cut at 64 KiB), which only ever go to the sealed
/// quarantine. Bounded by `capacity` in bytes: a batch is full when it holds that much, and only a single row may be
/// larger. Not thread-safe: it is handed from thread to thread, never shared.
package final class RowBatch: @unchecked Sendable {
  package static let smallest = 64 << 10
  package static let largest = 4 << 20
  /// What of a malformed value is kept.
  package static let rawLimit = 64 << 10

  package let capacity: Int
  // Each access to these would otherwise be entered in a run-time table, several times for each field of each row.
  @exclusivity(unchecked) package private(set) var base: UnsafeMutableRawPointer
  @exclusivity(unchecked) package private(set) var byteCount = 0
  @exclusivity(unchecked) package private(set) var rowCount = 0
  /// Where each row starts; `starts[rowCount]` is `byteCount`.
  @exclusivity(unchecked) package private(set) var starts: UnsafeMutablePointer<Int>
  @exclusivity(unchecked) private var room: Int
  @exclusivity(unchecked) private var startRoom: Int

  package init(capacity: Int = 1 << 20) {
    self.capacity = capacity
    room = capacity + capacity / 8 + 4096
    startRoom = 1024
    base = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
    starts = UnsafeMutablePointer<Int>.allocate(capacity: startRoom + 1)
    starts[0] = 0
  }

  deinit {
    base.deallocate()
    starts.deallocate()
  }

  package var isFull: Bool { byteCount >= capacity }
  package var isEmpty: Bool { rowCount == 0 }

  package func removeAll() {
    byteCount = 0
    rowCount = 0
    // A batch that once held a huge row gives the memory back.
    if room > 4 * capacity + (1 << 20) {
      base.deallocate()
      room = capacity + capacity / 8 + 4096
      base = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
    }
  }

  /// The bytes of row `index`, field count included. Valid until the batch is changed.
  package func row(_ index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + starts[index], count: starts[index + 1] - starts[index])
  }

  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: byteCount) }

  /// The fields of row `index`; for tests and rare paths, the hot loops walk the bytes themselves.
  package func fields(_ index: Int) -> [RowField] { RowField.fields(of: row(index)) }

  // MARK: Building. One `endRow` after each row's fields.

  /// Room for `count` more bytes, to be filled and then counted with `advance`.
  package func reserve(_ count: Int) -> UnsafeMutableRawPointer {
    if byteCount + count > room { grow(to: byteCount + count) }
    return base + byteCount
  }

  package func advance(_ count: Int) { byteCount += count }

  package func beginRow(fields: Int) { storeBig(Int16(truncatingIfNeeded: fields)) }

  package func appendNull() { storeBig(Int32(-1)) }

  package func append(_ bytes: UnsafeRawBufferPointer) {
    let target = reserve(bytes.count + 4)
    target.storeBytes(of: Int32(truncatingIfNeeded: bytes.count).bigEndian, as: Int32.self)
    if let source = bytes.baseAddress { (target + 4).copyMemory(from: source, byteCount: bytes.count) }
    byteCount += bytes.count + 4
  }

  package func append(_ value: Int64) {
    let target = reserve(12)
    target.storeBytes(of: Int32(8).bigEndian, as: Int32.self)
    (target + 4).storeBytes(of: value.bigEndian, as: Int64.self)
    byteCount += 12
  }

  package func append(_ value: Int32) {
    let target = reserve(8)
    target.storeBytes(of: Int32(4).bigEndian, as: Int32.self)
    (target + 4).storeBytes(of: value.bigEndian, as: Int32.self)
    byteCount += 8
  }

  package func append(_ value: Bool) {
    let target = reserve(5)
    target.storeBytes(of: Int32(1).bigEndian, as: Int32.self)
    (target + 4).storeBytes(of: value ? 1 : 0, as: UInt8.self)
    byteCount += 5
  }

  /// NaN and infinities become malformed fields.
  package func append(_ value: Double) {
    guard value.isFinite else {
      withUnsafeBytes(of: value.bitPattern.bigEndian) { appendMalformed(.notFinite, $0) }
      return
    }
    append(Int64(bitPattern: value == 0 ? 0 : value.bitPattern))
  }

  /// A value that has no canonical bytes, with what was found instead.
  package func appendMalformed(_ fault: RowFault, _ raw: UnsafeRawBufferPointer) {
    let kept = min(raw.count, Self.rawLimit)
    let target = reserve(kept + 4)
    let header = 0x8000_0000 | UInt32(fault.rawValue) << 24 | UInt32(kept)
    target.storeBytes(of: header.bigEndian, as: UInt32.self)
    if let source = raw.baseAddress { (target + 4).copyMemory(from: source, byteCount: kept) }
    byteCount += kept + 4
  }

  /// A value that did not change and that the source does not say again: only in changes of rows.
  package func appendUnchanged() { storeBig(Self.unchanged) }

  package static let unchanged = Int32(bitPattern: 0xFF00_0000)

  package func endRow() {
    if rowCount == startRoom { growStarts() }
    rowCount += 1
    starts[rowCount] = byteCount
  }

  /// Takes off the last row, for a reader that only then sees that it belongs to the next batch.
  package func removeLastRow() {
    rowCount -= 1
    byteCount = starts[rowCount]
  }

  /// Bytes of one row at most, as it is read: several of them are in memory at once, on their way through the engine.
  package static let longestRow = 32 << 20

  /// For readers, after `endRow`: a row that is longer is set apart, and what it took is given back.
  @inline(__always)
  package func limitLastRow() {
    if byteCount - starts[rowCount - 1] > Self.longestRow { shortenLastRow() }
  }

  private func shortenLastRow() {
    let long = [UInt8](row(rowCount - 1))
    removeLastRow()
    move(to: byteCount + capacity / 8 + 4096)
    long.withUnsafeBytes { appendShortened($0) }
  }

  /// A row in the form above that is longer than a row may be: of its long fields only the beginning is kept, as malformed.
  /// The others stay, so that the key tells which row it is.
  package func appendShortened(_ row: UnsafeRawBufferPointer) {
    let count = Int(Int16(bigEndian: row.loadUnaligned(as: Int16.self)))
    // At least one field is as long as this.
    let long = min(Self.rawLimit, Self.longestRow / max(1, count) / 2)
    beginRow(fields: count)
    var at = 2
    for _ in 0..<count {
      let header = Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))
      let length = header >= 0 ? Int(header) : header == -1 ? 0 : Int(UInt32(bitPattern: header) & 0xFF_FFFF)
      if header >= 0, length >= long {
        appendMalformed(.rowTooLarge, UnsafeRawBufferPointer(rebasing: row[at + 4..<at + 4 + min(256, length)]))
      } else if let source = row.baseAddress {
        reserve(4 + length).copyMemory(from: source + at, byteCount: 4 + length)
        byteCount += 4 + length
      }
      at += 4 + length
    }
    endRow()
  }

  /// A whole row in the form above.
  package func appendRow(_ row: UnsafeRawBufferPointer) {
    guard let source = row.baseAddress else { return }
    reserve(row.count).copyMemory(from: source, byteCount: row.count)
    byteCount += row.count
    endRow()
  }

  /// A row of another's key fields alone, in the key's order. None of them may be NULL or malformed.
  package func appendKey(of row: UnsafeRawBufferPointer, key: [Int]) {
    beginRow(fields: key.count)
    for field in key {
      var at = 2
      for _ in 0..<field {
        at += 4 + max(0, Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))))
      }
      let length = 4 + max(0, Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))))
      if let source = row.baseAddress { reserve(length).copyMemory(from: source + at, byteCount: length) }
      advance(length)
    }
    endRow()
  }

  private func storeBig<T: FixedWidthInteger>(_ value: T) {
    reserve(MemoryLayout<T>.size).storeBytes(of: value.bigEndian, as: T.self)
    byteCount += MemoryLayout<T>.size
  }

  private func grow(to count: Int) {
    move(to: max(count, room + room / 2))
  }

  private func move(to size: Int) {
    let moved = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    moved.copyMemory(from: base, byteCount: byteCount)
    base.deallocate()
    base = moved
    room = size
  }

  private func growStarts() {
    let moved = UnsafeMutablePointer<Int>.allocate(capacity: startRoom * 2 + 1)
    moved.update(from: starts, count: startRoom + 1)
    starts.deallocate()
    starts = moved
    startRoom *= 2
  }
}

/// One field of a row, copied out: for tests and rare paths.
package enum RowField: Hashable, Sendable {
  case null
  case value([UInt8])
  case malformed(RowFault, raw: [UInt8])

  package static func fields(of row: UnsafeRawBufferPointer) -> [RowField] {
    var fields: [RowField] = []
    var at = 2
    let count = Int(Int16(bigEndian: row.loadUnaligned(fromByteOffset: 0, as: Int16.self)))
    for _ in 0..<count {
      let header = Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))
      at += 4
      if header == -1 {
        fields.append(.null)
      } else if header >= 0 {
        fields.append(.value([UInt8](row[at..<at + Int(header)])))
        at += Int(header)
      } else {
        let bits = UInt32(bitPattern: header)
        let length = Int(bits & 0xFF_FFFF)
        let fault = RowFault(rawValue: UInt8(bits >> 24 & 0x7F)) ?? .wrongType
        fields.append(.malformed(fault, raw: [UInt8](row[at..<at + length])))
        at += length
      }
    }
    return fields
  }
}
