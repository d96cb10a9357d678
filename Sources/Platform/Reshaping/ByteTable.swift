#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The order of bytes, which is that of the characters' numbers.
enum ByteOrder {
  static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let common = min(a.count, b.count)
    if common > 0, let x = a.baseAddress, let y = b.baseAddress {
      let result = memcmp(x, y, common)
      if result != 0 { return Int(result) }
    }
    return a.count - b.count
  }

  @inline(__always) static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    a.count == b.count && compare(a, b) == 0
  }
}

/// SipHash-2-4 (Aumasson, Bernstein) with 64 bits: what others' values are put into tables by, so that nobody can choose
/// values that all meet in one place.
struct SipHash: Hashable, Sendable {
  let k0: UInt64
  let k1: UInt64

  func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var (v0, v1) = (k0 ^ 0x736f_6d65_7073_6575, k1 ^ 0x646f_7261_6e64_6f6d)
    var (v2, v3) = (k0 ^ 0x6c79_6765_6e65_7261, k1 ^ 0x7465_6462_7974_6573)
    func round() {
      v0 = v0 &+ v1
      v2 = v2 &+ v3
      v1 = (v1 << 13 | v1 >> 51) ^ v0
      v3 = (v3 << 16 | v3 >> 48) ^ v2
      v0 = v0 << 32 | v0 >> 32
      v2 = v2 &+ v1
      v0 = v0 &+ v3
      v1 = (v1 << 17 | v1 >> 47) ^ v2
      v3 = (v3 << 21 | v3 >> 43) ^ v0
      v2 = v2 << 32 | v2 >> 32
    }
    var at = 0
    while at + 8 <= bytes.count {
      let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
      v3 ^= word
      round()
      round()
      v0 ^= word
      at += 8
    }
    var last = UInt64(truncatingIfNeeded: bytes.count) << 56
    for offset in 0..<(bytes.count - at) { last |= UInt64(bytes[at + offset]) << UInt64(offset * 8) }
    v3 ^= last
    round()
    round()
    v0 ^= last
    v2 ^= 0xFF
    for _ in 0..<4 { round() }
    return v0 ^ v1 ^ v2 ^ v3
  }
}

/// Byte strings that are asked for by bytes: each has the place at which it was added. No String, no allocation per look.
struct ByteTable: Hashable, Sendable {
  private static let key = SipHash(k0: 0x736A_636F, k1: 0x6465_7365)
  private(set) var keys: [[UInt8]] = []
  /// Open addressing at most half full: a place among `keys` plus one, or 0.
  private var slots: [Int32]
  private let mask: Int

  /// Later ones equal to an earlier one are left out.
  init(_ list: [[UInt8]]) {
    var room = 16
    while room < list.count * 2 { room *= 2 }
    slots = Array(repeating: 0, count: room)
    mask = room - 1
    for bytes in list {
      var slot = bytes.withUnsafeBytes { Int(truncatingIfNeeded: Self.key.hash($0)) } & mask
      while slots[slot] != 0, keys[Int(slots[slot]) - 1] != bytes { slot = (slot + 1) & mask }
      guard slots[slot] == 0 else { continue }
      keys.append(bytes)
      slots[slot] = Int32(keys.count)
    }
  }

  func place(of bytes: UnsafeRawBufferPointer) -> Int? {
    var slot = Int(truncatingIfNeeded: Self.key.hash(bytes)) & mask
    while slots[slot] != 0 {
      let place = Int(slots[slot]) - 1
      let isSame = keys[place].withUnsafeBytes { ByteOrder.areEqual($0, bytes) }
      if isSame { return place }
      slot = (slot + 1) & mask
    }
    return nil
  }
}
