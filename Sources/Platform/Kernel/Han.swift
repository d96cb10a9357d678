internal import CEmbedded

/// What searching in Chinese needs to know of a character: its simplified form (简) and its pinyin initial. From Unihan;
/// `scripts/make-han-tables` makes the table.
package enum Han {
  private struct Table: Sendable {
    /// By code point of the basic plane; 0 where a character has no other simplified form.
    var simplified = [UInt16](repeating: 0, count: 0x10000)
    /// Of U+4E00 and on: a letter, or `-`.
    var initials: [UInt8] = []
  }

  private static let table: Table = {
    let lines = embeddedText(sj_han_txt(), sj_han_txt_length).split(separator: "\n").filter { !$0.hasPrefix("#") }
    precondition(lines.count == 2, "the embedded table of Han characters is broken")
    var table = Table()
    table.initials = Array(lines[0].utf8)
    var traditional: UInt32?
    for scalar in lines[1].unicodeScalars {
      if let before = traditional {
        table.simplified[Int(before)] = UInt16(scalar.value)
        traditional = nil
      } else {
        traditional = scalar.value
      }
    }
    return table
  }()

  /// Whether a text has any Chinese character.
  package static func isPart(of text: String) -> Bool {
    text.unicodeScalars.contains { scalar in
      switch scalar.value {
      case 0x4E00...0x9FEF: true
      case 0..<0x3005: false
      default: scalar.properties.isIdeographic
      }
    }
  }

  /// 統 becomes 统; everything that is no traditional form stays as it is.
  package static func simplified(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    guard (0x3400...0xFFFF).contains(scalar.value) else { return scalar }
    let other = table.simplified[Int(scalar.value)]
    return other == 0 ? scalar : Unicode.Scalar(other) ?? scalar
  }

  /// The first letter of the character's usual reading, a to z; nil where none is known. Of a run, `initials` knows more.
  static func initial(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    let index = Int(scalar.value) - 0x4E00
    guard table.initials.indices.contains(index), table.initials[index] != UInt8(ascii: "-") else { return nil }
    return Unicode.Scalar(table.initials[index])
  }
}
