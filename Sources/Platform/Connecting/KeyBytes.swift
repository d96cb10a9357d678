/// A row's key taken out of the row: `(Int32 length, bytes)*`, the fields' order being the key's.
package enum KeyBytes {
  /// Fields of a row with their headers, in the order of `key`.
  package static func encode(_ row: UnsafeRawBufferPointer, key: [Int]) -> [UInt8] {
    let last = key.max() ?? -1
    var ranges: [Range<Int>] = []
    var at = 2
    for _ in 0..<(last + 1) {
      let header = Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))
      let length = header >= 0 ? Int(header) : header == -1 ? 0 : Int(UInt32(bitPattern: header) & 0xFF_FFFF)
      ranges.append(at..<at + 4 + length)
      at += 4 + length
    }
    return key.flatMap { row[ranges[$0]] }
  }

  /// Whether one of the key's fields is NULL. A malformed one is not.
  package static func hasNull(_ row: UnsafeRawBufferPointer, key: [Int]) -> Bool {
    let last = key.max() ?? -1
    var at = 2
    for index in 0..<(last + 1) {
      let header = Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))
      if header == -1, key.contains(index) { return true }
      at += 4 + (header >= 0 ? Int(header) : header == -1 ? 0 : Int(UInt32(bitPattern: header) & 0xFF_FFFF))
    }
    return false
  }

  /// The fields' bytes; nil when the text is not `count` values that are not NULL.
  package static func decode(_ bytes: [UInt8], count: Int) -> [[UInt8]]? {
    var values: [[UInt8]] = []
    var at = 0
    while at + 4 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length >= 0, at + 4 + length <= bytes.count else { return nil }
      values.append(Array(bytes[at + 4..<at + 4 + length]))
      at += 4 + length
    }
    return at == bytes.count && values.count == count ? values : nil
  }
}
