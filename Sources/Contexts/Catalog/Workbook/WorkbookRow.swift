internal import Inventory
internal import Kernel
internal import Spreadsheets

/// Reads the cells of one row, and notes what each of them cannot be.
struct WorkbookRow {
  let sheet: WorkbookSheet
  let columns: [WorkbookColumn]
  let places: [String: Int]
  private(set) var given: GivenRow

  /// `cells` are by the file's columns; `fields` says which of ours each is, or which an export told; -1 for one that is
  /// left out.
  init(
    _ row: SheetRow, _ sheet: WorkbookSheet, _ columns: [WorkbookColumn], fields: [Int: Int], places: [String: Int]
  ) {
    self.sheet = sheet
    self.columns = columns
    self.places = places
    given = GivenRow(number: row.number, values: Array(repeating: .empty, count: columns.count))
    for cell in row.cells {
      guard let index = fields[cell.column] else {
        let letters = ColumnLetters(cell.column)
        note(
          "untitled", nil,
          Text("\(letters) 列没有列名，其中的内容无处可放。", "Column \(letters) has no title; what stands in it has no place."))
        continue
      }
      guard index >= 0 else {
        guard let told = ToldColumn(rawValue: index) else { continue }
        given.told[told] = trimmed(cell.value.shown)
        if let fault = Self.fault(cell) { note(fault.code, nil, fault.message) }
        continue
      }
      given.values[index] = cell.value
      if let fault = Self.fault(cell) { note(fault.code, columns[index], fault.message) }
    }
  }

  /// What may stand in no column at all.
  private static func fault(_ cell: SheetCell) -> (code: String, message: Text)? {
    if cell.isFormula {
      return (
        "formula",
        Text("单元格是公式；请改为填写值（复制后“选择性粘贴—数值”）。", "This is a formula; enter its value (copy, then paste values only).")
      )
    }
    if cell.value.hasLostDigits {
      return (
        "lost-digits",
        Text(
          "号码被 Excel 当作数字，第 15 位以后已丢失；请把单元格设为文本后重新填写。",
          "Excel took the code for a number and lost its digits after the fifteenth; make the cell text and enter it again."
        )
      )
    }
    switch cell.value {
    case .error(let code):
      return ("error", Text("单元格是错误值 \(code)。", "The cell holds the error \(code)."))
    case .date, .dateTime, .time:
      return (
        "date",
        Text(
          "单元格被 Excel 当作日期（\(cell.value.shown)）；这里不填日期，请设为文本后重新填写。",
          "Excel took this for a date (\(cell.value.shown)); no date belongs here. Make the cell text and enter it again."
        )
      )
    case .text(let text) where text.utf8.contains(0) || PlainText.isOverloaded(text):
      return ("text", Text("文字里有空字符，或一个字上叠加的符号太多。", "The text holds a NUL, or a character with too many marks."))
    default: return nil
    }
  }

  private mutating func note(_ code: String, _ column: WorkbookColumn?, _ message: Text) {
    if let column { given.unread.insert(column.field) }
    given.problems.append(
      WorkbookProblem(
        severity: .error, code: "workbook.\(code)", sheet: sheet, row: given.number,
        column: column.flatMap { places[$0.field] }, columnTitle: column?.title, message: message))
  }

  /// For what concerns several rows: a name that stands twice, a resource that is not there.
  mutating func reject(_ code: String, _ field: String, _ message: Text) {
    note(code, columns.first { $0.field == field }, message)
  }

  private func cell(_ field: String) -> (column: WorkbookColumn, value: CellValue)? {
    guard !given.unread.contains(field), let index = columns.firstIndex(where: { $0.field == field }) else {
      return nil
    }
    return (columns[index], given.values[index])
  }

  /// Without blanks at its ends; empty for what is missing or was noted.
  mutating func text(_ field: String) -> String {
    guard let (column, value) = cell(field) else { return "" }
    if case .boolean = value {
      note("boolean", column, Text("这里应是文字，不是 TRUE 或 FALSE。", "This should be text, not TRUE or FALSE."))
      return ""
    }
    return trimmed(value.shown)
  }

  /// The code of what was chosen; empty when nothing was.
  mutating func code(_ field: String) -> String {
    let entered = text(field)
    guard !entered.isEmpty, let (column, value) = cell(field), case .code(let choices) = column.content else {
      return ""
    }
    if let choice = choices.find(entered) { return choice.code }
    if Self.isRounded(entered[...]) {
      note("rounded", column, Self.rounded(entered[...]))
      return ""
    }
    let offered = choices.offered.prefix(4)
    let (chinese, english) = (
      offered.map { $0.shown(.chinese) }.joined(separator: "、"),
      offered.map { $0.shown(.english) }.joined(separator: ", ")
    )
    let shown = entered.prefix(40)
    if case .number = value {
      note(
        "number-for-code", column,
        Text(
          "“\(shown)”是数字，不是本列的代码（开头的 0 可能已被 Excel 去掉）；应如：\(chinese)。",
          "“\(shown)” is a number and no code of this column (Excel may have dropped leading noughts); such as: \(english)."
        ))
    } else {
      note(
        "code", column,
        Text("“\(shown)”不在可选值中；应如：\(chinese)。", "“\(shown)” is none of the choices; such as: \(english)."))
    }
    return ""
  }

  /// A whole number of nought or more; nil when missing.
  mutating func number(_ field: String) -> Int? {
    let entered = text(field)
    guard !entered.isEmpty, let column = cell(field)?.column else { return nil }
    if let number = Int(entered), number >= 0, number <= 1_000_000_000 { return number }
    note(
      "number", column, Text("“\(entered.prefix(40))”不是 0 以上的整数。", "“\(entered.prefix(40))” is no whole number from 0.")
    )
    return nil
  }

  mutating func yesNo(_ field: String, else usual: Bool) -> Bool {
    guard let (column, value) = cell(field) else { return usual }
    if case .boolean(let isTrue) = value { return isTrue }
    let entered = trimmed(value.shown)
    switch entered.lowercased() {
    case "": return usual
    case "是", "yes", "y", "1", "true": return true
    case "否", "no", "n", "0", "false": return false
    default:
      note("yes-no", column, Text("“\(entered.prefix(40))”应为“是”或“否”。", "“\(entered.prefix(40))” should be Yes or No."))
      return usual
    }
  }

  /// `3.07012E+09`: what a spreadsheet makes of a long code that it takes for a number.
  private static func isRounded(_ text: Substring) -> Bool {
    text.wholeMatch(of: /[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]+/) != nil
  }

  private static func rounded(_ text: Substring) -> Text {
    Text(
      "“\(text.prefix(40))”不是代码：表格软件把代码当作数字取整了，末几位已丢失；请把该列设为文本后重新填写。",
      "“\(text.prefix(40))” is no code: a spreadsheet took the code for a number and rounded its last digits away; make the column text and enter it again."
    )
  }

  /// Codes divided by “;”, each perhaps with its name behind it.
  mutating func codes(_ field: String) -> [String] {
    let entered = text(field)
    if let number = entered.split(whereSeparator: { ";；,，、\n ".contains($0) }).first(where: Self.isRounded),
      let column = cell(field)?.column
    {
      note("rounded", column, Self.rounded(number))
      return []
    }
    return entered.split { ";；,，、\n".contains($0) }.flatMap { piece -> [String] in
      let words = piece.split(whereSeparator: \.isWhitespace).map(String.init)
      let allCodes = words.allSatisfy { $0.utf8.allSatisfy { (0x2F...0x39).contains($0) } }
      return allCodes ? words : Array(words.prefix(1))
    }
  }
}

/// Without blanks at its ends.
func trimmed(_ text: String) -> String {
  if isSurelyTrimmed(text.utf8) { return text }
  var text = text[...]
  while text.first?.isWhitespace == true { text.removeFirst() }
  while text.last?.isWhitespace == true { text.removeLast() }
  return String(text)
}

/// Whether it plainly begins and ends with something to see, in ASCII or Chinese, as nearly every text does: telling
/// characters apart is slow.
private func isSurelyTrimmed(_ text: String.UTF8View) -> Bool {
  func isSeen(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) }
  // U+4000 to U+9FFF are three bytes, of which the first is one of these.
  func beginsChinese(_ byte: UInt8) -> Bool { (0xE4...0xE9).contains(byte) }
  guard let first = text.first, let last = text.last else { return true }
  return (isSeen(first) || beginsChinese(first))
    && (isSeen(last) || text.dropLast(2).last.map(beginsChinese) ?? false)
}
