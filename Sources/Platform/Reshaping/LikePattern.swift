/// A LIKE pattern over UTF-8: `%` any text, `_` one character, `\` before either (or itself) means itself.
///
/// Matching goes back to the last `%` only, so it takes at most the product of both lengths.
struct LikePattern: Hashable, Sendable {
  private enum Piece: Hashable {
    case byte(UInt8)
    case character
    case anything
  }

  private let pieces: [Piece]

  /// Nil when the pattern ends in a single `\`.
  init?(_ pattern: String) {
    var pieces: [Piece] = []
    var isEscaped = false
    for byte in pattern.utf8 {
      if isEscaped {
        pieces.append(.byte(byte))
        isEscaped = false
        continue
      }
      switch byte {
      case UInt8(ascii: "\\"): isEscaped = true
      case UInt8(ascii: "%"): if pieces.last != .anything { pieces.append(.anything) }
      case UInt8(ascii: "_"): pieces.append(.character)
      default: pieces.append(.byte(byte))
      }
    }
    if isEscaped { return nil }
    self.pieces = pieces
  }

  func matches(_ text: UnsafeRawBufferPointer) -> Bool {
    pieces.withUnsafeBufferPointer { pieces in
      var (at, piece) = (0, 0)
      var star: (piece: Int, at: Int)?
      while at < text.count {
        if piece < pieces.count {
          switch pieces[piece] {
          case .anything:
            star = (piece, at)
            piece += 1
            continue
          case .byte(let byte) where byte == text[at]:
            at += 1
            piece += 1
            continue
          case .character:
            at = Characters.end(text, at)
            piece += 1
            continue
          case .byte: break
          }
        }
        guard let back = star else { return false }
        star = (back.piece, back.at + 1)
        (at, piece) = (back.at + 1, back.piece + 1)
        // Only at the beginning of a character can `_` start.
        while at < text.count, text[at] & 0xC0 == 0x80 {
          at += 1
          star?.at = at
        }
      }
      while piece < pieces.count, pieces[piece] == .anything { piece += 1 }
      return piece == pieces.count
    }
  }
}

/// Characters (Unicode scalars) of UTF-8 that is known to be good.
enum Characters {
  /// Where the character that begins at `at` ends.
  @inline(__always) static func end(_ text: UnsafeRawBufferPointer, _ at: Int) -> Int {
    var end = at + 1
    while end < text.count, text[end] & 0xC0 == 0x80 { end += 1 }
    return end
  }

  static func count(_ text: UnsafeRawBufferPointer) -> Int {
    var count = 0
    for byte in text where byte & 0xC0 != 0x80 { count += 1 }
    return count
  }

  /// Where character number `index` (from 0) begins; the end when there are fewer.
  static func offset(_ text: UnsafeRawBufferPointer, _ index: Int) -> Int {
    var left = index
    for at in 0..<text.count where text[at] & 0xC0 != 0x80 {
      if left == 0 { return at }
      left -= 1
    }
    return text.count
  }

  /// Where the last `count` characters begin.
  static func tail(_ text: UnsafeRawBufferPointer, _ count: Int) -> Int {
    var (at, left) = (text.count, count)
    while at > 0, left > 0 {
      at -= 1
      if text[at] & 0xC0 != 0x80 { left -= 1 }
    }
    return at
  }

  /// The scalar that begins at `at`.
  @inline(__always) static func scalar(_ text: UnsafeRawBufferPointer, _ at: Int) -> UInt32 {
    let first = UInt32(text[at])
    func next(_ offset: Int) -> UInt32 { at + offset < text.count ? UInt32(text[at + offset]) & 0x3F : 0 }
    if first < 0x80 { return first }
    if first < 0xE0 { return (first & 0x1F) << 6 | next(1) }
    if first < 0xF0 { return (first & 0x0F) << 12 | next(1) << 6 | next(2) }
    return (first & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3)
  }

  static func trimmed(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var (low, high) = (0, text.count)
    while low < high {
      if text[low] == 0x20 || (0x09...0x0D).contains(text[low]) {
        low += 1
      } else if isWideBlank(text, low) {
        low += 3
      } else {
        break
      }
    }
    while low < high {
      if text[high - 1] == 0x20 || (0x09...0x0D).contains(text[high - 1]) {
        high -= 1
      } else if high - low >= 3, isWideBlank(text, high - 3) {
        high -= 3
      } else {
        break
      }
    }
    return UnsafeRawBufferPointer(rebasing: text[low..<high])
  }

  private static func isWideBlank(_ text: UnsafeRawBufferPointer, _ at: Int) -> Bool {
    at + 3 <= text.count && text[at] == 0xE3 && text[at + 1] == 0x80 && text[at + 2] == 0x80
  }
}
