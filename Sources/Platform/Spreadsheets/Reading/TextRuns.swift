/// The text of a string item (`si`, `is`): its plain text or its runs joined, without the phonetic hints beside them
/// (ECMA-376 part 1, 18.4.8). Kept as UTF-8 bytes.
struct TextRuns {
  private(set) var bytes: [UInt8] = []
  private var isInText = false
  private var keepsSpace = false
  private var start = 0
  /// The depth of the phonetic run one is in, or 0.
  private var phonetic = 0

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    isInText = false
    phonetic = 0
  }

  mutating func begin(_ name: ElementName, _ attributes: AttributeList, depth: Int) {
    if name.is("t") {
      guard phonetic == 0 else { return }
      isInText = true
      keepsSpace =
        attributes["http://www.w3.org/XML/1998/namespace|space"].map { $0.spell("preserve") } ?? false
      start = bytes.count
    } else if name.is("rPh"), phonetic == 0 {
      phonetic = depth
    }
  }

  /// False when there would be more than `most` bytes.
  mutating func text(_ more: UnsafeRawBufferPointer, most: Int) -> Bool {
    guard isInText else { return true }
    guard bytes.count + more.count <= most else { return false }
    bytes += more
    return true
  }

  mutating func end(_ name: ElementName, depth: Int) {
    if phonetic == depth {
      phonetic = 0
    } else if isInText, name.is("t") {
      isInText = false
      // As Excel does: blanks at a text's ends count only where they are said to.
      if !keepsSpace { trim() }
      TextEscapes.decode(&bytes, from: start)
    }
  }

  private mutating func trim() {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D }
    while bytes.count > start, isBlank(bytes[bytes.count - 1]) { bytes.removeLast() }
    let blanks = bytes[start...].prefix(while: isBlank).count
    if blanks > 0 { bytes.removeSubrange(start..<start + blanks) }
  }
}
