import Kernel

/// A sheet to be written: its name, its columns, and what else it is for.
package struct SheetPlan: Sendable {
  /// At most 31 characters, none of `[ ] : * ? / \`, no apostrophe at its ends, unlike every other sheet's in more than case.
  package var name: String
  /// At least one; titles differ.
  package var columns: [SheetColumn]
  /// How many rows under the header are made ready to be filled in: drop-downs, checks and hints. Formats hold for whole
  /// columns. 0 for a list that is only read.
  package var fillableRows = 0
  /// The title of a last column that says why a row was rejected; nil for none.
  package var reasonTitle: String?

  package init(_ name: String, _ columns: [SheetColumn], fillableRows: Int = 0, reasonTitle: String? = nil) {
    self.name = name
    self.columns = columns
    self.fillableRows = fillableRows
    self.reasonTitle = reasonTitle
  }

  /// As many as a clerk fills in before it is time for another way.
  package static let usualFillableRows = 20_000

  var titles: [String] { columns.map(\.header) + (reasonTitle.map { [$0] } ?? []) }
}

package struct SheetColumn: Sendable {
  package enum Kind: Sendable {
    /// Kept as text whatever it looks like: codes keep their leading noughts and their eighteen digits.
    case text
    case wholeNumber, decimal
    /// Shown as 2026-08-22; kept as a real date.
    case date
    case dateTime
    /// 是 or 否 (Yes or No) from a drop-down.
    case yesNo
  }

  package var title: String
  package var kind: Kind
  /// In characters of the standard font, two for a Chinese one; nil for a width that suits title and kind.
  package var width: Double?
  /// Shown as the header cell's comment, and beside each cell of the column while it is filled in.
  package var note: String?
  /// What may be chosen; empty for anything.
  package var choices: [String]
  package var isRequired: Bool

  package init(
    _ title: String, _ kind: Kind = .text, width: Double? = nil, note: String? = nil, choices: [String] = [],
    isRequired: Bool = false
  ) {
    self.title = title
    self.kind = kind
    self.width = width
    self.note = note
    self.choices = choices
    self.isRequired = isRequired
  }

  /// What stands in the header row: `*姓名` for a required column.
  package var header: String { isRequired ? "*" + title : title }

  /// The title in a header that may carry the mark of a required column, blanks around it or a line break.
  package static func title(fromHeader header: String) -> String {
    var title = header.split(whereSeparator: \.isNewline).joined()[...]
    func trim() {
      while title.first?.isWhitespace == true { title.removeFirst() }
      while title.last?.isWhitespace == true { title.removeLast() }
    }
    trim()
    if title.hasPrefix("*") || title.hasPrefix("＊") { title.removeFirst() }
    trim()
    return String(title)
  }

  var shownWidth: Double {
    if let width { return width }
    // The drop-down's button and the filter's take room as well.
    let title = Double(header.unicodeScalars.reduce(0) { $0 + ($1.value >= 0x2E80 ? 2 : 1) }) + 4
    let usual: Double =
      switch kind {
      case .text: 16
      case .wholeNumber, .decimal, .date: 12
      case .dateTime: 20
      case .yesNo: 8
      }
    return min(60, max(title, usual))
  }
}

extension SheetPlan {
  /// Throws what makes the plan no sheet of Excel's.
  func check(others: [String]) throws(Refusal) {
    try Self.check(name: name, others: others)
    let place = CellPlace(name)
    let width = titles.count
    guard !columns.isEmpty, width <= SheetBounds.columns else {
      throw .workbook(
        "columns", at: place, "有 \(width) 列，应为 1 至 \(SheetBounds.columns) 列。",
        "there are \(width) columns; 1 to \(SheetBounds.columns) can be.")
    }
    guard (0..<SheetBounds.rows).contains(fillableRows) else {
      throw .workbook(
        "fillable-rows", at: place, "预留 \(fillableRows) 行，应为 0 至 \(SheetBounds.rows - 1) 行。",
        "\(fillableRows) rows to fill in; 0 to \(SheetBounds.rows - 1) can be.")
    }
    var seen: Set<String> = []
    for (index, title) in titles.enumerated() {
      let place = CellPlace(name, row: 1, column: index)
      guard !SheetColumn.title(fromHeader: title).isEmpty, title.utf16.count <= 255, TextEscapes.isPlain(title) else {
        throw .workbook(
          "title", at: place, "列名应为 1 至 255 个字符，不含控制字符。",
          "a column's title has 1 to 255 characters, none of them a control character.")
      }
      guard seen.insert(SheetColumn.title(fromHeader: title)).inserted else {
        throw .workbook("title", at: place, "列名“\(shown(title))”重复。", "the title “\(shown(title))” stands twice.")
      }
    }
    for (index, column) in columns.enumerated() {
      let place = CellPlace(name, row: 1, column: index)
      guard column.width.map({ $0 > 0 && $0 <= 255 }) ?? true else {
        throw .workbook("width", at: place, "列宽应大于 0 且不超过 255。", "a column's width is more than 0 and at most 255.")
      }
      guard column.choices.allSatisfy({ !$0.isEmpty && $0.utf16.count <= 255 && !$0.utf8.contains(0) }) else {
        throw .workbook(
          "choice", at: place, "每个选项应为 1 至 255 个字符，不含空字符（NUL）。", "a choice has 1 to 255 characters, none of them NUL.")
      }
      guard (column.note?.utf16.count ?? 0) <= 4000, TextEscapes.isPlain(column.note ?? "") else {
        throw .workbook(
          "note", at: place, "列说明最多 4000 个字符，不含控制字符。",
          "the note has at most 4000 characters, none of them a control character.")
      }
    }
  }

  private static func check(name: String, others: [String]) throws(Refusal) {
    func refuse(_ chinese: String, _ english: String) -> Refusal {
      .workbook("sheet-name", "工作表名“\(shown(name))”\(chinese)。", "The sheet name “\(shown(name))” \(english).")
    }
    guard !name.isEmpty else { throw refuse("是空的", "is empty") }
    guard name.utf16.count <= SheetBounds.nameLength else {
      throw refuse("超过 \(SheetBounds.nameLength) 个字符", "is longer than \(SheetBounds.nameLength) characters")
    }
    let barred = #"[]:*?/\"#
    guard
      !name.unicodeScalars.contains(where: {
        barred.unicodeScalars.contains($0) || $0.value < 0x20 || !TextEscapes.isPlain($0)
      })
    else {
      throw refuse(
        "含有不允许的字符（\(barred) 或控制字符）", "holds a character that may not be there (\(barred) or a control character)")
    }
    guard !name.hasPrefix("'"), !name.hasSuffix("'") else {
      throw refuse("以单引号开头或结尾", "begins or ends with an apostrophe")
    }
    guard name.lowercased() != "history" else { throw refuse("是 Excel 的保留名", "is kept by Excel for itself") }
    guard !others.contains(where: { $0.lowercased() == name.lowercased() }) else { throw refuse("重复", "stands twice") }
  }
}
