/// One pass over text: is it UTF-8 (RFC 3629: no surrogates, nothing overlong), has it a NUL, how many characters
/// (Unicode scalars, as PostgreSQL and GB/T standards count a field's length) does it have.
///
/// Eight bytes are looked at at once: as many ASCII characters as they begin with, or two characters of three bytes, which is
/// what Chinese is made of.
package struct UTF8Scan {
  package private(set) var characters = 0
  package private(set) var fault: RowFault?

  package init(_ text: UnsafeRawBufferPointer) { self.init(text.baseAddress, text.count) }

  package init(_ start: UnsafeRawPointer?, _ count: Int) {
    guard let base = start else { return }
    var at = 0
    var characters = 0
    while at < count {
      let word = Self.word(base, at, count)
      let high = word & 0x8080_8080_8080_8080
      if high & 0x80 == 0 {
        let ascii = min(high == 0 ? 8 : high.trailingZeroBitCount >> 3, count - at)
        // The first zero byte is exactly told, those behind it are not.
        let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
        if zeros != 0, zeros.trailingZeroBitCount >> 3 < ascii {
          fault = .containsNUL
          return
        }
        at += ascii
        characters += ascii
        continue
      }
      let threes = Self.threes(word)
      if threes > 0 {
        at += threes * 3
        characters += threes
      } else {
        let length = Self.rare(word)
        guard length > 0 else {
          fault = .invalidText
          return
        }
        at += length
        characters += 1
      }
    }
    self.characters = characters
  }

  /// The next eight bytes, the first of them lowest; zeros stand for those behind the end, which is never read over.
  @inline(__always)
  private static func word(_ base: UnsafeRawPointer, _ at: Int, _ count: Int) -> UInt64 {
    if at + 8 <= count { return UInt64(littleEndian: (base + at).loadUnaligned(as: UInt64.self)) }
    if count >= 8 {
      let last = UInt64(littleEndian: (base + count - 8).loadUnaligned(as: UInt64.self))
      return last >> UInt64(8 * (8 - (count - at)))
    }
    var word: UInt64 = 0
    for place in stride(from: count - 1, through: at, by: -1) {
      word = word << 8 | UInt64((base + place).load(as: UInt8.self))
    }
    return word
  }

  /// How many good characters of three bytes eight bytes (the first of them lowest) begin with, at most two; the few that
  /// begin with E0 or ED are not counted.
  @inline(__always)
  package static func threes(_ word: UInt64) -> Int {
    guard word & 0xC0_C0F0 == 0x80_80E0, isPlain(word) else { return 0 }
    return (word >> 24) & 0xC0_C0F0 == 0x80_80E0 && isPlain(word >> 24) ? 2 : 1
  }

  /// Whether any two bytes may follow a first one of three: not after E0 (overlong) and ED (surrogates).
  @inline(__always)
  private static func isPlain(_ word: UInt64) -> Bool { 0x2001 &>> (word & 0xF) & 1 == 0 }

  /// The length of a character that is neither ASCII nor of three plain bytes; 0 where there is none. Zeros behind the end
  /// are no bytes that may follow.
  private static func rare(_ word: UInt64) -> Int {
    func byte(_ place: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> (place * 8)) }
    func follows(_ place: UInt64) -> Bool { byte(place) & 0xC0 == 0x80 }
    let second = byte(1)
    switch byte(0) {
    case 0xC2...0xDF: return follows(1) ? 2 : 0
    case 0xE0: return second >= 0xA0 && follows(1) && follows(2) ? 3 : 0
    case 0xED: return second <= 0x9F && follows(1) && follows(2) ? 3 : 0
    case 0xF0: return second >= 0x90 && follows(1) && follows(2) && follows(3) ? 4 : 0
    case 0xF1...0xF3: return follows(1) && follows(2) && follows(3) ? 4 : 0
    case 0xF4: return second <= 0x8F && follows(1) && follows(2) && follows(3) ? 4 : 0
    default: return 0
    }
  }
}
