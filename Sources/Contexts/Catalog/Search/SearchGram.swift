/// One to three characters in a row with their mark, in one number: an entry has a thousand of them, and numbers are told
/// apart much faster than texts.
struct SearchGram: Hashable, Sendable {
  /// A one, three bits for the mark, eighteen for each character.
  private let bits: UInt64

  /// Letters of the pinyin alphabet or ideographs, all of which are below U+40000.
  init(_ mark: SearchMark, _ characters: ArraySlice<Unicode.Scalar>) {
    let letter = characters.count == 3 ? mark.triples : mark.rawValue
    var bits = 8 | UInt64(Self.marks.firstIndex(of: letter) ?? 0)
    for character in characters { bits = bits << 18 | UInt64(character.value) }
    self.bits = bits
  }

  private static let marks = [SearchMark.anywhere, .name, .initials].flatMap { [$0.rawValue, $0.triples] }

  /// As the index keeps it.
  var token: String {
    let count = (60 - bits.leadingZeroBitCount) / 18
    var token = Self.marks[Int(bits >> UInt64(count * 18) & 7)]
    for at in (0..<count).reversed() {
      if let character = Unicode.Scalar(UInt32(bits >> UInt64(at * 18) & 0x3FFFF)) {
        token.unicodeScalars.append(character)
      }
    }
    return token
  }
}
