internal import Storage

/// Which entries of one span hold something: a bit for each of its places. Sets of one size only go together.
struct PlaceSet: Hashable, Sendable {
  private var words: [UInt64]

  var size: Int { words.count * 64 }

  /// `size` is a multiple of 64, at most 65,536.
  init(size: Int) { words = [UInt64](repeating: 0, count: size / 64) }

  /// As `bytes` made it, of a set of the same size.
  init(_ bytes: [UInt8], size: Int) {
    self.init(size: size)
    bytes.withUnsafeBytes { bytes in
      if bytes.count == size / 8 {
        for index in words.indices {
          words[index] = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
      } else {
        for at in stride(from: 0, to: bytes.count - 1, by: 2) {
          let offset = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self)))
          if offset < size { insert(offset) }
        }
      }
    }
  }

  /// Few places as two bytes each, many as the bits; the length tells which.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    let count = count
    if count * 2 < size / 8 {
      bytes.reserveCapacity(count * 2)
      forEach { offset in
        bytes.append(UInt8(truncatingIfNeeded: offset))
        bytes.append(UInt8(truncatingIfNeeded: offset >> 8))
      }
    } else {
      bytes.reserveCapacity(size / 8)
      for word in words { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
    }
    return bytes
  }

  /// The same as decoding, inserting and encoding, without doing so where a byte or two is all that changes.
  static func insert(_ offset: Int, into bytes: inout [UInt8], size: Int) {
    let isRising = bytes.isEmpty || Int(bytes[bytes.count - 2]) | Int(bytes[bytes.count - 1]) << 8 < offset
    if bytes.count == size / 8 {
      bytes[offset >> 3] |= 1 << UInt8(offset & 7)
    } else if isRising, bytes.count + 2 < size / 8 {
      bytes.append(UInt8(truncatingIfNeeded: offset))
      bytes.append(UInt8(truncatingIfNeeded: offset >> 8))
    } else {
      var places = PlaceSet(bytes, size: size)
      places.insert(offset)
      bytes = places.bytes
    }
  }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
  var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// How many places below `offset`, a multiple of 64, are members.
  func count(below offset: Int) -> Int { words[..<(offset / 64)].reduce(0) { $0 + $1.nonzeroBitCount } }

  func contains(_ offset: Int) -> Bool { words[offset >> 6] & 1 << UInt64(offset & 63) != 0 }
  mutating func insert(_ offset: Int) { words[offset >> 6] |= 1 << UInt64(offset & 63) }
  mutating func remove(_ offset: Int) { words[offset >> 6] &= ~(1 << UInt64(offset & 63)) }

  mutating func formIntersection(_ other: PlaceSet) {
    for index in words.indices { words[index] &= other.words[index] }
  }
  mutating func formUnion(_ other: PlaceSet) { for index in words.indices { words[index] |= other.words[index] } }
  mutating func subtract(_ other: PlaceSet) { for index in words.indices { words[index] &= ~other.words[index] } }

  /// The members from `offset` on, a multiple of 64, for a set of `size`.
  func part(from offset: Int, size: Int) -> PlaceSet {
    var part = PlaceSet(size: size)
    for index in part.words.indices { part.words[index] = words[offset / 64 + index] }
    return part
  }

  /// Puts a smaller set in the place of the members from `offset` on, a multiple of 64.
  mutating func replace(from offset: Int, with part: PlaceSet) {
    for index in part.words.indices { words[offset / 64 + index] = part.words[index] }
  }

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
