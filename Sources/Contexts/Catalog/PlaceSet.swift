/// Which entries of one block hold something: a bit for each of its places.
struct PlaceSet: Hashable, Sendable {
  /// Places of a block. A larger block is read faster and written slower: publishing an entry rewrites a row for each of
  /// its tokens in the newest block.
  static let size = 4096

  private var words = [UInt64](repeating: 0, count: size / 64)

  init() {}

  /// As `bytes` made it.
  init(_ bytes: [UInt8]) {
    if bytes.count == Self.size / 8 {
      for (index, byte) in bytes.enumerated() { words[index >> 3] |= UInt64(byte) << UInt64((index & 7) * 8) }
    } else {
      for at in stride(from: 0, to: bytes.count - 1, by: 2) { insert(Int(bytes[at]) | Int(bytes[at + 1]) << 8) }
    }
  }

  /// Few places as two bytes each, many as the bits; the length tells which.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    if count * 2 < Self.size / 8 {
      forEach { offset in
        bytes.append(UInt8(truncatingIfNeeded: offset))
        bytes.append(UInt8(truncatingIfNeeded: offset >> 8))
      }
    } else {
      bytes.reserveCapacity(Self.size / 8)
      for word in words {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift * 8))) }
      }
    }
    return bytes
  }

  /// The same as decoding, inserting and encoding, without doing so where a byte or two is all that changes.
  static func insert(_ offset: Int, into bytes: inout [UInt8]) {
    let isRising = bytes.isEmpty || Int(bytes[bytes.count - 2]) | Int(bytes[bytes.count - 1]) << 8 < offset
    if bytes.count == size / 8 {
      bytes[offset >> 3] |= 1 << UInt8(offset & 7)
    } else if isRising, bytes.count + 2 < size / 8 {
      bytes.append(UInt8(truncatingIfNeeded: offset))
      bytes.append(UInt8(truncatingIfNeeded: offset >> 8))
    } else {
      var places = PlaceSet(bytes)
      places.insert(offset)
      bytes = places.bytes
    }
  }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  func contains(_ offset: Int) -> Bool { words[offset >> 6] & 1 << UInt64(offset & 63) != 0 }
  mutating func insert(_ offset: Int) { words[(offset & (Self.size - 1)) >> 6] |= 1 << UInt64(offset & 63) }
  mutating func remove(_ offset: Int) { words[offset >> 6] &= ~(1 << UInt64(offset & 63)) }

  mutating func formIntersection(_ other: PlaceSet) {
    for index in words.indices { words[index] &= other.words[index] }
  }
  mutating func formUnion(_ other: PlaceSet) { for index in words.indices { words[index] |= other.words[index] } }
  mutating func subtract(_ other: PlaceSet) { for index in words.indices { words[index] &= ~other.words[index] } }

  func forEach(_ body: (Int) -> Void) {
    for (index, bits) in words.enumerated() {
      var rest = bits
      while rest != 0 {
        body(index << 6 + rest.trailingZeroBitCount)
        rest &= rest - 1
      }
    }
  }

  /// The newest first; until `body` answers false.
  func walkDown(_ body: (Int) -> Bool) {
    for index in words.indices.reversed() {
      var rest = words[index]
      while rest != 0 {
        let bit = 63 - rest.leadingZeroBitCount
        guard body(index << 6 + bit) else { return }
        rest &= ~(1 << UInt64(bit))
      }
    }
  }
}
