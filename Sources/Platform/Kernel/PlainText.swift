/// What text from outside may be before anybody counts, stores or shows it.
package enum PlainText {
  /// The most Unicode scalars that one character may be made of. Written languages need fewer than ten and the longest
  /// emoji eleven; who sends more hides a page in what every limit counts as one character.
  package static let mostScalarsInACharacter = 16

  /// Whether some character carries more than `mostScalarsInACharacter`.
  package static func isOverloaded(_ text: String) -> Bool {
    // Telling characters apart is slow, and the usual texts need it not: one that is overloaded has many scalars in a row
    // that are neither ASCII nor Chinese, be it before or behind the one of its character that is.
    var row = 0
    let mayBe = text.unicodeScalars.contains { scalar in
      row = beginsCharacter(scalar) ? 0 : row + 1
      return row >= mostScalarsInACharacter / 2
    }
    return mayBe
      && text.contains { character in
        character.unicodeScalars.dropFirst(mostScalarsInACharacter).first != nil
      }
  }

  /// ASCII, Chinese characters and punctuation: there are none of them in what hangs on another character.
  private static func beginsCharacter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x80, 0x3000...0x3029, 0x3400...0x9FFF, 0xFF01...0xFF5E: true
    default: false
    }
  }

  /// How long a text is for limits: in Unicode scalars, as databases and other programs count, and not in the characters
  /// that people see, of which one may be of any length.
  package static func length(_ text: String) -> Int { text.unicodeScalars.count }

  /// Whether it holds a control character other than those of lines and tabs.
  package static func holdsControls(_ text: String) -> Bool {
    func isControl(_ byte: UInt8) -> Bool {
      byte < 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09 || byte == 0x7F
    }
    return text.utf8.withContiguousStorageIfAvailable { $0.contains(where: isControl) }
      ?? text.utf8.contains(where: isControl)
  }

  /// Why this cannot be shown as the name of somebody or something, or nil.
  ///
  /// A name stands in lists, in decisions and in the log: it must show, show as what it is, and look different from
  /// others. So nothing invisible (format characters, fillers, variation selectors), nothing that turns the direction of
  /// writing (U+202A–202E, U+2066–2069), no line ends, and something to see. `lengths` counts Unicode scalars.
  package static func wrongName(_ name: String, lengths: ClosedRange<Int>) -> Text? {
    let length = length(name)
    guard lengths.contains(length) else {
      return Text(
        "应为 \(lengths.lowerBound) 到 \(lengths.upperBound) 个字，现在是 \(length) 个。",
        "It must have \(lengths.lowerBound) to \(lengths.upperBound) characters and has \(length).")
    }
    for (index, scalar) in name.unicodeScalars.enumerated() where !isPlain(scalar) {
      let code = "U+" + String(repeating: "0", count: max(0, 4 - hex(scalar).count)) + hex(scalar)
      return Text(
        "第 \(index + 1) 个字符（\(code)）看不见或会改变书写方向，请删去后重新输入。",
        "Character \(index + 1) (\(code)) is invisible or turns the direction of writing; leave it out.")
    }
    guard name.unicodeScalars.contains(where: isVisible) else {
      return Text("只有空白，请输入看得见的字。", "There are only blanks in it; enter something that can be seen.")
    }
    if let first = name.unicodeScalars.first, let last = name.unicodeScalars.last,
      [first, last].contains(where: { !isUsual($0) && $0.properties.isWhitespace })
    {
      return Text("首尾不能是空白。", "It must not begin or end with a blank.")
    }
    if isOverloaded(name) {
      return Text("一个字上叠加的符号太多。", "One of its characters carries too many marks.")
    }
    return nil
  }

  /// Why this cannot stand as what somebody said (a reason, a question, an answer), or nil. It is read by others and kept
  /// as evidence: something in it must show, nothing may turn the direction of writing, and it has at most `most` Unicode
  /// scalars. `missing` answers for what is blank; without it words may be left out, and then be empty.
  package static func wrongWords(_ words: String, most: Int, missing: Text? = nil) -> Text? {
    if words.isEmpty { return missing }
    guard words.unicodeScalars.contains(where: { isVisible($0) && isPlain($0) }) else {
      return missing ?? Text("只有空白，请输入看得见的字。", "There are only blanks in it; enter something that can be seen.")
    }
    let length = length(words)
    guard length <= most else {
      return Text("最多 \(most) 字，现有 \(length) 字。", "At most \(most) characters; there are \(length).")
    }
    if holdsControls(words) || words.unicodeScalars.contains(where: turnsDirection) {
      return Text("含有看不见的控制字符，请删去后重新输入。", "It holds invisible control characters; leave them out.")
    }
    return isOverloaded(words) ? Text("一个字上叠加的符号太多。", "One of its characters carries too many marks.") : nil
  }

  private static func turnsDirection(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  private static func hex(_ scalar: Unicode.Scalar) -> String { String(scalar.value, radix: 16, uppercase: true) }

  /// ASCII's signs, Chinese characters and punctuation, full-width forms: all of them show, and take no looking up.
  private static func isUsual(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x21..<0x7F, 0x3001...0x3003, 0x3008...0x3011, 0x4E00...0x9FEF, 0xFF01...0xFF5E: true
    default: false
    }
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    if isUsual(scalar) { return true }
    return switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
    // A Braille cell without dots looks like a blank and is none.
    default: !scalar.properties.isDefaultIgnorableCodePoint && scalar != "\u{2800}"
    }
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    if isUsual(scalar) { return true }
    return switch scalar.properties.generalCategory {
    case .spaceSeparator, .nonspacingMark, .enclosingMark, .spacingMark: false
    default: true
    }
  }
}

extension StringProtocol {
  /// Without blanks and ends of lines at both ends.
  package var trimmingBlanks: String {
    let scalars = unicodeScalars
    guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return "" }
    return String(String.UnicodeScalarView(scalars[first...last]))
  }
}
