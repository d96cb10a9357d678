import Connecting
import Glibc
import NationalCrypto
import Remote

/// A text on its way into a file: in memory first, then in a file of this machine without a name. What was not kept can be
/// taken back. Used by one thread.
final class GatheredText {
  private static let room = 1 << 18

  private(set) var spool: SpoolFile
  // Each access to these would otherwise be entered in a run-time table, for each field and each comma.
  @exclusivity(unchecked) private var base: UnsafeMutableRawPointer
  @exclusivity(unchecked) private var size: Int
  @exclusivity(unchecked) private var used = 0
  /// Bytes that stay whatever is taken back.
  private(set) var kept = 0
  @exclusivity(unchecked) private(set) var longestLine = 0
  @exclusivity(unchecked) private var lineStart = 0

  init() throws(ConnectorError) {
    spool = try SpoolFile()
    size = Self.room
    base = .allocate(byteCount: size, alignment: 16)
  }

  deinit { base.deallocate() }

  var count: Int { spool.count + used }

  /// Room for that many bytes more, to be filled from there on and then counted with `advance`.
  @inline(__always) func reserve(_ bytes: Int) -> UnsafeMutableRawPointer {
    if used + bytes > size { grow(used + bytes) }
    return base + used
  }

  @inline(__always) func advance(_ bytes: Int) { used += bytes }

  @inline(__always) func append(_ byte: UInt8) {
    reserve(1).storeBytes(of: byte, as: UInt8.self)
    used += 1
  }

  @inline(__always) func append(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    memcpy(reserve(bytes.count), source, bytes.count)
    used += bytes.count
  }

  func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  @inline(__always) func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Between lines: what has gathered goes to the disk.
  func endLine() throws(ConnectorError) {
    longestLine = max(longestLine, count - lineStart)
    lineStart = count
    if used >= Self.room / 2 { try flush() }
  }

  func flush() throws(ConnectorError) {
    try spool.append(UnsafeRawBufferPointer(start: base, count: used))
    used = 0
    guard size > 4 * Self.room else { return }
    base.deallocate()
    size = Self.room
    base = .allocate(byteCount: size, alignment: 16)
  }

  func keep() { kept = count }

  func takeBack() {
    if kept >= spool.count {
      used = kept - spool.count
    } else {
      spool.truncate(to: kept)
      used = 0
    }
    lineStart = kept
  }

  /// SM3 over the whole text.
  func digest() throws(ConnectorError) -> String {
    try flush()
    return try SM3.digest(count: spool.count) { target, wanted, offset throws(ConnectorError) in
      try self.spool.read(into: target, wanted, at: offset)
    }
  }

  private func grow(_ wanted: Int) {
    size = max(wanted, size * 2)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
    larger.copyMemory(from: base, byteCount: used)
    base.deallocate()
    base = larger
  }
}

extension SM3 {
  /// Of bytes that `read` gives piece by piece, hexadecimal.
  static func digest(
    count: Int, _ read: (UnsafeMutableRawPointer, _ wanted: Int, _ offset: Int) throws(ConnectorError) -> Int
  ) throws(ConnectorError) -> String {
    let room = 1 << 18
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
    defer { buffer.deallocate() }
    var hash = SM3()
    var offset = 0
    while offset < count {
      let got = try read(buffer, min(room, count - offset), offset)
      guard got > 0 else { break }
      hash.update(UnsafeRawBufferPointer(start: buffer, count: got))
      offset += got
    }
    return hash.finish().hex
  }
}
