import Glibc
import Kernel

/// A cell as the file writes it.
struct WrittenCell {
  enum Kind { case number, shared, inline, formulaText, boolean, error, date }

  var kind = Kind.number
  var style = 0
  var bytes: [UInt8] = []
  var isInline = false
  var isFormula = false

  mutating func begin(_ attributes: AttributeList, _ place: CellPlace) throws(Refusal) {
    bytes.removeAll(keepingCapacity: true)
    isInline = false
    isFormula = false
    style = attributes.number("s") ?? 0
    guard let type = attributes["t"] else {
      kind = .number
      return
    }
    if type.spell("s") {
      kind = .shared
    } else if type.spell("n") {
      kind = .number
    } else if type.spell("inlineStr") {
      kind = .inline
    } else if type.spell("str") {
      kind = .formulaText
    } else if type.spell("b") {
      kind = .boolean
    } else if type.spell("e") {
      kind = .error
    } else if type.spell("d") {
      kind = .date
    } else {
      let name = shown(String(decoding: type, as: UTF8.self))
      throw .workbook("cell-type", at: place, "单元格类型“\(name)”未知。", "the cell type “\(name)” is unknown.")
    }
  }
}

/// Turns written cells into values by the workbook's strings, styles and date system.
struct CellValues {
  let strings: SharedStrings
  let styles: StylesPart
  let dates: DateSystem
  let textLength: Int

  func value(_ cell: WrittenCell, inline: [UInt8], _ place: CellPlace) throws(Refusal) -> CellValue {
    if cell.kind == .inline, cell.isInline { return try text(inline[...], place) }
    guard !cell.bytes.isEmpty else { return .empty }
    switch cell.kind {
    case .shared:
      guard let index = cell.bytes.withUnsafeBytes({ wholeNumber(trimmed($0)) }), index < strings.count else {
        throw .workbook(
          "shared-string", at: place, "引用了不存在的文字（编号 \(written(cell))，共 \(strings.count) 条）。",
          "it refers to a text that is not there (number \(written(cell)) of \(strings.count)).")
      }
      return try text(strings[index], place)
    // An inline cell with a value instead of a text is taken at its word.
    case .formulaText, .inline:
      var bytes = cell.bytes
      TextEscapes.decode(&bytes, from: 0)
      return try text(bytes[...], place)
    case .boolean:
      switch written(cell) {
      case "1", "true": return .boolean(true)
      case "0", "false": return .boolean(false)
      case let other:
        throw .workbook("boolean", at: place, "逻辑值“\(other)”应为 0 或 1。", "the boolean “\(other)” should be 0 or 1.")
      }
    case .error: return .error(written(cell))
    case .date:
      let text = written(cell)
      guard let value = isoValue(text) else {
        throw .workbook(
          "date", at: place, "日期“\(text)”应为 2026-08-22 这样的形式。", "the date “\(text)” should be like 2026-08-22.")
      }
      return value
    case .number: return try number(cell, place)
    }
  }

  private func number(_ cell: WrittenCell, _ place: CellPlace) throws(Refusal) -> CellValue {
    let digits = cell.bytes.withUnsafeBytes { String(decoding: trimmed($0), as: UTF8.self) }
    if digits.isEmpty { return .empty }
    // The characters first: Swift also reads “nan” and hexadecimal.
    guard digits.utf8.count <= 64,
      digits.utf8.allSatisfy({
        ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2E || $0 == 0x2D || $0 == 0x2B || $0 | 0x20 == 0x65
      }),
      let number = Double(digits), number.isFinite
    else {
      throw .workbook("number", at: place, "“\(shown(digits))”不是数字。", "“\(shown(digits))” is no number.")
    }
    return dates.value(number, as: styles.format(cell.style)) ?? .number(number, digits: digits)
  }

  private func text(_ bytes: ArraySlice<UInt8>, _ place: CellPlace) throws(Refusal) -> CellValue {
    if bytes.isEmpty { return .empty }
    let text = String(decoding: bytes, as: UTF8.self)
    let hasNUL = bytes.withUnsafeBytes { memchr($0.baseAddress!, 0, $0.count) != nil }
    if bytes.count > textLength, text.utf16.count > textLength { throw tooLong(place) }
    guard !hasNUL else {
      throw .workbook("nul", at: place, "文字中含有空字符（NUL），请删除。", "the text holds a NUL character; remove it.")
    }
    return .text(text)
  }

  func tooLong(_ place: CellPlace) -> Refusal {
    .tooLarge(
      "text-length", at: place, "文字超过 \(textLength) 个字符，请缩短。",
      "the text is longer than \(textLength) characters; shorten it.")
  }

  private func written(_ cell: WrittenCell) -> String {
    cell.bytes.withUnsafeBytes { shown(String(decoding: trimmed($0), as: UTF8.self), most: 40) }
  }
}

/// Without XML's blanks at the ends.
private func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
  func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D }
  var (from, to) = (0, bytes.count)
  while from < to, isBlank(bytes[from]) { from += 1 }
  while to > from, isBlank(bytes[to - 1]) { to -= 1 }
  return UnsafeRawBufferPointer(rebasing: bytes[from..<to])
}
