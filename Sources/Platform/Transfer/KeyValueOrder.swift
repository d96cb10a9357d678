import CStripes
import Connecting

/// The order of keys that a person expects: numbers by their size, texts by their code points, field after field. NULL
/// and what is no value of its type come first.
///
/// Compares the bytes as they are, since there may be a hundred thousand keys and no room for a second form of each.
struct KeyValueOrder {
  /// Of the key's fields, in its order.
  let types: [ValueType]

  func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.withUnsafeBytes { a in b.withUnsafeBytes { b in compare(a, b) < 0 } }
  }

  private func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    var (x, y) = (0, 0)
    for type in types {
      let (left, right) = (Self.field(a, &x), Self.field(b, &y))
      guard let left, let right else {
        if left == nil && right == nil { continue }
        return left == nil ? -1 : 1
      }
      let result = Self.compare(left, right, type)
      if result != 0 { return result }
    }
    return 0
  }

  private static func field(_ key: UnsafeRawBufferPointer, _ at: inout Int) -> UnsafeRawBufferPointer? {
    guard at + 4 <= key.count else { return nil }
    let header = Int32(bigEndian: key.loadUnaligned(fromByteOffset: at, as: Int32.self))
    let start = at + 4
    at = start + (header >= 0 ? Int(header) : header == -1 ? 0 : Int(UInt32(bitPattern: header) & 0xFF_FFFF))
    return header >= 0 && at <= key.count ? UnsafeRawBufferPointer(rebasing: key[start..<at]) : nil
  }

  private static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer, _ type: ValueType) -> Int {
    switch type {
    case .text, .bytes, .boolean: return bytes(a, b)
    case .integer, .timestamp, .date:
      // Two's complement: only the first byte has a sign.
      guard let x = a.first, let y = b.first, x != y else { return bytes(a, b) }
      return Int(Int8(bitPattern: x)) - Int(Int8(bitPattern: y))
    case .double:
      guard a.count == 8, b.count == 8 else { return bytes(a, b) }
      let (x, y) = (Double(bitPattern: word(a)), Double(bitPattern: word(b)))
      return x < y ? -1 : x > y ? 1 : 0
    case .decimal: return decimals(a, b)
    }
  }

  private static func word(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
  }

  /// Bytes first, then length.
  private static func bytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let common = min(a.count, b.count)
    if common > 0, let x = a.baseAddress, let y = b.baseAddress {
      let result = memcmp(x, y, common)
      if result != 0 { return Int(result) }
    }
    return a.count - b.count
  }

  /// `numeric`: count, weight, sign, scale, then digits to the base 10,000 without zeros at the ends.
  private static func decimals(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    func sign(_ number: UnsafeRawBufferPointer) -> Int { number.count <= 8 ? 0 : number[4] & 0x40 == 0 ? 1 : -1 }
    let (left, right) = (sign(a), sign(b))
    guard left == right, left != 0 else { return left - right }
    func weight(_ number: UnsafeRawBufferPointer) -> Int {
      Int(Int16(bigEndian: number.loadUnaligned(fromByteOffset: 2, as: Int16.self)))
    }
    let size =
      weight(a) != weight(b)
      ? weight(a) - weight(b)
      : bytes(UnsafeRawBufferPointer(rebasing: a[8...]), UnsafeRawBufferPointer(rebasing: b[8...]))
    return left * size
  }
}
