/// Where a token stands in the entries of a span, as bytes: of each entry its rising positions as differences, seven bits
/// a byte, the lowest bit saying that the entry has another.
struct Positions {
  private(set) var bytes: [UInt8] = []
  private var last = (entry: -1, position: 0, at: 0)

  /// Entries by rising number, positions of each rising; at most 2^14 of them (`SearchDocument.limit`).
  mutating func append(_ position: Int, of entry: Int) {
    var value = position << 1
    if last.entry == entry {
      bytes[last.at] |= 1
      value = (position - last.position) << 1
    }
    last = (entry, position, bytes.count)
    while value > 127 {
      bytes.append(UInt8(truncatingIfNeeded: value) | 128)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  /// Where a phrase may begin whose token number `index` this is: for each wanted entry and position one rising number,
  /// so that a phrase is the intersection of its tokens' answers and `offset(of:)` says which entries have it.
  static func starts(_ bytes: [UInt8], of places: PlaceSet, wanted: PlaceSet, index: Int) -> [Int] {
    var starts: [Int] = []
    var at = 0
    places.forEach { offset in
      let isWanted = wanted.contains(offset)
      var position = 0
      var more = true
      while more, at < bytes.count {
        let value = next(bytes, &at)
        more = value & 1 == 1
        position += value >> 1
        if isWanted, position >= index { starts.append(offset << positionBits | position - index) }
      }
    }
    return starts
  }

  static func offset(of start: Int) -> Int { start >> positionBits }

  /// Where the bytes of so many entries end.
  static func end(of entries: Int, in bytes: [UInt8], from start: Int = 0) -> Int {
    var at = start
    for _ in 0..<entries {
      while at < bytes.count, next(bytes, &at) & 1 == 1 {}
    }
    return at
  }

  private static func next(_ bytes: [UInt8], _ at: inout Int) -> Int {
    var value = 0
    var shift = 0
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      value |= Int(byte & 127) << shift
      shift += 7
      if byte < 128 { break }
    }
    return value
  }

  /// Enough for `SearchDocument.limit`.
  private static let positionBits = 14

  /// What two rising lists have in common.
  static func common(_ a: [Int], _ b: [Int]) -> [Int] {
    var common: [Int] = []
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      if a[i] == b[j] {
        common.append(a[i])
        i += 1
        j += 1
      } else if a[i] < b[j] {
        i += 1
      } else {
        j += 1
      }
    }
    return common
  }
}
