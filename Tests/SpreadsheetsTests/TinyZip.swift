/// Writes zips as a test wants them, lies included. Stored, unless an entry brings its own packed bytes.
struct TinyZip {
  struct Entry {
    var name: [UInt8]
    var bytes: [UInt8]
    /// The method and what stands in the file instead of the bytes.
    var packed: (method: UInt16, bytes: [UInt8])?
    var flags: UInt16 = 0x0800
    /// Sizes and CRC follow the data, as streaming programs write.
    var isStreamed = false
    var crc: UInt32?
    var size: UInt32?

    init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }

    init(_ name: String, _ bytes: [UInt8]) {
      self.name = Array(name.utf8)
      self.bytes = bytes
    }

    func with(_ change: (inout Entry) -> Void) -> Entry {
      var entry = self
      change(&entry)
      return entry
    }
  }

  static func bytes(_ entries: [Entry]) -> [UInt8] {
    var file: [UInt8] = []
    var directory: [UInt8] = []
    for entry in entries {
      let offset = UInt32(file.count)
      let content = entry.packed?.bytes ?? entry.bytes
      let crc = entry.crc ?? checksum(entry.bytes)
      let size = entry.size ?? UInt32(entry.bytes.count)
      let flags = entry.flags | (entry.isStreamed ? 8 : 0)
      let method = entry.packed?.method ?? 0
      let sums = le(crc) + le(UInt32(content.count)) + le(size)
      let middle = le(UInt16(20)) + le(flags) + le(method) + le(UInt32(0x5A21_0000))
      let name = le(UInt16(entry.name.count)) + le(UInt16(0))
      file += le(UInt32(0x0403_4B50)) + middle + (entry.isStreamed ? [UInt8](repeating: 0, count: 12) : sums) + name
      file += entry.name + content
      if entry.isStreamed { file += le(UInt32(0x0807_4B50)) + sums }
      directory += le(UInt32(0x0201_4B50)) + le(UInt16(20)) + middle + sums + name
      directory += [UInt8](repeating: 0, count: 10) + le(offset) + entry.name
    }
    let count = le(UInt16(truncatingIfNeeded: entries.count))
    return file + directory + le(UInt32(0x0605_4B50)) + [0, 0, 0, 0] + count + count + le(UInt32(directory.count))
      + le(UInt32(file.count)) + [0, 0]
  }

  static func le<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
  }

  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes { crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
    return ~crc
  }

  /// Deflated (RFC 1951, fixed codes): the head, then blanks in runs of 258, then the tail. ASCII only. What a zip bomb
  /// is made of.
  static func deflated(_ head: String, runsOfBlanks: Int, _ tail: String) -> [UInt8] {
    var bits = Bits()
    bits.put(1, 1)
    bits.put(1, 2)
    func literal(_ byte: UInt8) { bits.putCode(0x30 + UInt32(byte), 8) }
    for byte in head.utf8 + [0x20] { literal(byte) }
    for _ in 0..<runsOfBlanks {
      // Length 258 (code 285), distance 1 (code 0).
      bits.putCode(0xC5, 8)
      bits.putCode(0, 5)
    }
    for byte in tail.utf8 { literal(byte) }
    bits.putCode(0, 7)
    return bits.bytes
  }

  private struct Bits {
    var bytes: [UInt8] = []
    private var used = 8

    mutating func put(_ value: UInt32, _ count: Int) {
      for index in 0..<count {
        if used == 8 {
          bytes.append(0)
          used = 0
        }
        bytes[bytes.count - 1] |= UInt8(value >> UInt32(index) & 1) << UInt8(used)
        used += 1
      }
    }

    /// Huffman codes go highest bit first.
    mutating func putCode(_ value: UInt32, _ count: Int) {
      for index in (0..<count).reversed() { put(value >> UInt32(index) & 1, 1) }
    }
  }
}
