/// A text as numbers: each character that has a class is a digit of that class's size, and so many of them as arithmetic
/// holds make one number. What has no class (punctuation, blanks) stays where it is.
struct TokenText {
  private enum Class {
    /// So many characters from this one on.
    case run(UInt32, UInt32)
    case han(HanClasses.Kind)

    var size: UInt32 {
      switch self {
      case .run(_, let size): size
      case .han(let kind): kind.size
      }
    }

    /// Thousandths of a bit. Whole numbers: where a text is divided must be the same on every machine.
    var weight: Int {
      switch self {
      case .run(_, let size): size == 10 ? 3322 : 4701
      case .han(.common): 11_875
      case .han(.other): 14_074
      case .han(.extensionA): 12_687
      case .han(.extensionB): 15_383
      }
    }
  }

  private struct Letter {
    var place: Int
    var index: UInt32
    var kind: Class
    var part: Int
  }

  private var scalars: [UInt32] = []
  private var letters: [Letter] = []
  /// The parts' values and how many values each can have.
  private(set) var numbers: [UInt128] = []
  private(set) var sizes: [UInt128] = []

  /// Nil for a text with letters of no class, and for one so short that its token could be tried out.
  init?(_ text: UnsafeRawBufferPointer) {
    var at = 0
    while at < text.count {
      let scalar = Characters.scalar(text, at)
      at = Characters.end(text, at)
      if let (kind, index) = Self.place(of: scalar) {
        letters.append(Letter(place: scalars.count, index: index, kind: kind, part: 0))
      } else if Self.isLetter(scalar) {
        return nil
      }
      scalars.append(scalar)
    }
    let total = letters.reduce(0) { $0 + $1.kind.weight }
    // 2^20 is the first power above a million.
    guard total >= 19_932 else { return nil }
    let parts = (total + 99_999) / 100_000
    numbers = Array(repeating: 0, count: parts)
    sizes = Array(repeating: 1, count: parts)
    var reached = 0
    for index in letters.indices {
      let part = min(parts - 1, reached * parts / total)
      letters[index].part = part
      let size = UInt128(letters[index].kind.size)
      numbers[part] = numbers[part] * size + UInt128(letters[index].index)
      sizes[part] *= size
      reached += letters[index].kind.weight
    }
    guard sizes.allSatisfy({ $0 >= UInt128(FormatPreserving.Limit.smallest) }) else { return nil }
  }

  func written(_ numbers: [UInt128]) -> [UInt8] {
    var (scalars, rest) = (scalars, numbers)
    for letter in letters.reversed() {
      let (quotient, index) = rest[letter.part].quotientAndRemainder(dividingBy: UInt128(letter.kind.size))
      rest[letter.part] = quotient
      scalars[letter.place] =
        switch letter.kind {
        case .run(let first, _): first + UInt32(index)
        case .han(let kind): HanClasses.scalar(kind, UInt32(index))
        }
    }
    var text = String.UnicodeScalarView()
    for scalar in scalars { text.append(Unicode.Scalar(scalar) ?? "?") }
    return Array(String(text).utf8)
  }

  private static let runs: [(UInt32, UInt32)] = [
    (0x30, 10), (0x41, 26), (0x61, 26), (0xFF10, 10), (0xFF21, 26), (0xFF41, 26),
  ]

  private static func place(of scalar: UInt32) -> (Class, UInt32)? {
    for (first, size) in runs where scalar >= first && scalar < first + size {
      return (.run(first, size), scalar - first)
    }
    return HanClasses.place(of: scalar).map { (.han($0.kind), $0.index) }
  }

  /// Would show something of the value if it stayed.
  private static func isLetter(_ scalar: UInt32) -> Bool {
    guard let properties = Unicode.Scalar(scalar)?.properties else { return true }
    switch properties.generalCategory {
    case .spaceSeparator, .lineSeparator, .paragraphSeparator, .control, .connectorPunctuation, .dashPunctuation,
      .openPunctuation, .closePunctuation, .initialPunctuation, .finalPunctuation, .otherPunctuation, .mathSymbol,
      .currencySymbol, .modifierSymbol, .otherSymbol:
      return false
    default: return true
    }
  }
}
