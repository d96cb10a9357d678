package import Kernel

/// A format that a whole text must have: `[0-9]{6}`, `[A-Z]{2}\d+`, `(省|市)?.*`.
///
/// Literals, `.`, classes `[a-z一-龥]` and `[^…]`, `\d` digit, `\l` letter A–Z a–z, `\h` Han character, `\` before a mark
/// for itself, `( | )`, and the counts `? * + {n} {n,} {n,m}`. No back references and no going back: the text is read once,
/// all ways side by side, so that no pattern and no text can make it slow.
package struct BytePattern: Hashable, Sendable {
  package struct Fault: Error, Hashable, Sendable {
    /// In characters from 1.
    package var place: Int
    package var message: Text
  }

  /// Characters of a pattern, and places of its counts written out.
  package static let most = 256

  let positions: [CharacterSet]
  /// By position: which may come next; a row of `words` words each.
  let follow: [UInt64]
  let first: [UInt64]
  let last: [UInt64]
  let acceptsNothing: Bool
  private let words: Int

  package init(_ pattern: String) throws(Fault) {
    var reader = PatternReader(pattern)
    let tree = try reader.whole()
    var builder = PatternBuilder()
    guard let part = builder.build(tree) else {
      throw Fault(
        place: 1,
        message: Text("格式展开后超过 \(Self.most) 个字符。", "Written out, the format has more than \(Self.most) characters."))
    }
    positions = builder.positions
    words = max(1, (positions.count + 63) / 64)
    let words = words
    func bits(_ set: Set<Int>) -> [UInt64] {
      var bits = [UInt64](repeating: 0, count: words)
      for place in set { bits[place / 64] |= 1 << UInt64(place % 64) }
      return bits
    }
    follow = builder.follow.flatMap(bits)
    first = bits(part.first)
    last = bits(part.last)
    acceptsNothing = part.isNullable
  }

  package func matches(_ text: UnsafeRawBufferPointer) -> Bool {
    guard text.count > 0 else { return acceptsNothing }
    return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words * 2) { room in
      let (open, next) = (room.baseAddress!, room.baseAddress! + words)
      for word in 0..<words { open[word] = first[word] }
      var at = 0
      while at < text.count {
        let scalar = Characters.scalar(text, at)
        at = Characters.end(text, at)
        let isLast = at == text.count
        var (isAlive, isAccepted) = (false, false)
        for word in 0..<words { next[word] = 0 }
        for word in 0..<words {
          var left = open[word]
          while left != 0 {
            let place = word * 64 + left.trailingZeroBitCount
            left &= left - 1
            guard positions[place].contains(scalar) else { continue }
            isAlive = true
            if isLast, last[word] >> UInt64(place % 64) & 1 == 1 { isAccepted = true }
            for other in 0..<words { next[other] |= follow[place * words + other] }
          }
        }
        if isLast { return isAccepted }
        guard isAlive else { return false }
        for word in 0..<words { open[word] = next[word] }
      }
      return false
    }
  }
}

/// Characters of one place.
struct CharacterSet: Hashable, Sendable {
  /// ASCII by bits, 64 each.
  private(set) var low: UInt64 = 0
  private(set) var high: UInt64 = 0
  private(set) var ranges: [ClosedRange<UInt32>] = []
  var isNegated = false

  init() {}

  init(_ range: ClosedRange<UInt32>) { insert(range) }

  static let digit = CharacterSet(48...57)
  static let letter: CharacterSet = {
    var set = CharacterSet(65...90)
    set.insert(97...122)
    return set
  }()
  static let han: CharacterSet = {
    var set = CharacterSet(0x4E00...0x9FFF)
    set.insert(0x3400...0x4DBF)
    set.insert(0x20000...0x323AF)
    set.insert(0x3007...0x3007)
    return set
  }()
  static let any: CharacterSet = {
    var set = CharacterSet()
    set.isNegated = true
    return set
  }()

  mutating func insert(_ range: ClosedRange<UInt32>) {
    for value in range where value < 128 {
      if value < 64 { low |= 1 << UInt64(value) } else { high |= 1 << UInt64(value - 64) }
    }
    if range.upperBound >= 128 { ranges.append(max(128, range.lowerBound)...range.upperBound) }
  }

  mutating func insert(_ other: CharacterSet) {
    low |= other.low
    high |= other.high
    ranges += other.ranges
  }

  @inline(__always) func contains(_ scalar: UInt32) -> Bool {
    let isIn =
      scalar < 64
      ? low >> UInt64(scalar) & 1 == 1
      : scalar < 128 ? high >> UInt64(scalar - 64) & 1 == 1 : ranges.contains { $0.contains(scalar) }
    return isIn != isNegated
  }
}

indirect enum PatternTree {
  case one(CharacterSet)
  case sequence([PatternTree])
  case choice([PatternTree])
  case counted(PatternTree, least: Int, most: Int?)
}

/// Positions and what follows what (Glushkov's construction): no step without a character.
struct PatternBuilder {
  struct Part {
    var isNullable: Bool
    var first: Set<Int>
    var last: Set<Int>
  }

  private(set) var positions: [CharacterSet] = []
  private(set) var follow: [Set<Int>] = []

  /// Counts of nothing make no position and would otherwise be written out for ever.
  private var steps = 0

  /// Nil when it grows too large.
  mutating func build(_ tree: PatternTree) -> Part? {
    steps += 1
    guard steps <= 16 * BytePattern.most else { return nil }
    switch tree {
    case .one(let set):
      guard positions.count < BytePattern.most else { return nil }
      positions.append(set)
      follow.append([])
      let place = positions.count - 1
      return Part(isNullable: false, first: [place], last: [place])
    case .sequence(let list):
      var whole = Part(isNullable: true, first: [], last: [])
      for tree in list {
        guard let part = build(tree) else { return nil }
        whole = chain(whole, part)
      }
      return whole
    case .choice(let list):
      var whole = Part(isNullable: false, first: [], last: [])
      for tree in list {
        guard let part = build(tree) else { return nil }
        whole.isNullable = whole.isNullable || part.isNullable
        whole.first.formUnion(part.first)
        whole.last.formUnion(part.last)
      }
      return whole
    case .counted(let tree, let least, let most):
      var whole = Part(isNullable: true, first: [], last: [])
      for index in 0..<max(least, most ?? max(least, 1)) {
        guard var part = build(tree) else { return nil }
        if index >= least { part.isNullable = true }
        if most == nil, index == max(least, 1) - 1 {
          for place in part.last { follow[place].formUnion(part.first) }
        }
        whole = chain(whole, part)
      }
      return whole
    }
  }

  private mutating func chain(_ a: Part, _ b: Part) -> Part {
    for place in a.last { follow[place].formUnion(b.first) }
    return Part(
      isNullable: a.isNullable && b.isNullable, first: a.isNullable ? a.first.union(b.first) : a.first,
      last: b.isNullable ? b.last.union(a.last) : b.last)
  }
}
