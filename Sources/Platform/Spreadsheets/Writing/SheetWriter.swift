import CXLSXWriter
package import Kernel

/// Writes the rows of one sheet, from the top down. Made by `WorkbookWriter.addSheet`; of no use after `finish`.
package final class SheetWriter {
  /// Rows under the header written so far.
  package private(set) var rowCount = 0

  let plan: SheetPlan
  private let sheet: UnsafeMutablePointer<lxw_worksheet>
  private let formats: CellFormats
  private let language: Language
  /// Cells written, the header's included.
  private(set) var cellCount = 0
  var isOpen = true

  init(
    _ plan: SheetPlan, _ sheet: UnsafeMutablePointer<lxw_worksheet>, _ formats: CellFormats, _ language: Language
  ) throws(Refusal) {
    self.plan = plan
    self.sheet = sheet
    self.formats = formats
    self.language = language
    worksheet_freeze_panes(sheet, 1, 0)
    worksheet_set_comments_author(sheet, language("填写说明", "Notes"))
    // The header is printed on each page.
    try check(worksheet_repeat_rows(sheet, 0, 0), CellPlace(plan.name))
    for (index, column) in plan.columns.enumerated() {
      let place = CellPlace(plan.name, row: 1, column: index)
      let number = UInt16(index)
      try check(
        worksheet_set_column(sheet, number, number, column.shownWidth, formats.format(column.kind.style)), place)
      try writeText(column.header, column.isRequired ? formats.requiredHeader : formats.header, place)
      if let comment = ColumnRules(column: column, language: language).comment {
        var options = lxw_comment_options()
        let lines = comment.split(separator: "\n").reduce(1) { $0 + 1 + $1.unicodeScalars.count / 18 }
        options.width = 260
        options.height = UInt16(min(600, 24 + 18 * lines))
        try check(worksheet_write_comment_opt(sheet, 0, number, TextEscapes.encode(comment), &options), place)
      }
    }
    if let title = plan.reasonTitle {
      let number = UInt16(plan.columns.count)
      let place = CellPlace(plan.name, row: 1, column: plan.columns.count)
      try check(worksheet_set_column(sheet, number, number, 48, formats.format(.text)), place)
      try writeText(title, formats.reasonHeader, place)
    }
  }

  /// Sets drop-downs and checks; `lists` are the columns' drop-downs as formulas.
  func makeFillable(_ lists: [String?]) throws(Refusal) {
    guard plan.fillableRows > 0 else { return }
    for (index, column) in plan.columns.enumerated() {
      try check(
        ColumnRules(column: column, language: language)
          .apply(to: sheet, column: UInt16(index), rows: UInt32(plan.fillableRows), list: lists[index]),
        CellPlace(plan.name, row: 1, column: index))
    }
  }

  /// Writes one row. Missing values at the end are empty. With a reason the row is marked as rejected, and the reason
  /// stands in the last column (if the plan has one).
  ///
  /// By rule: text is text, also `=1+1`; numbers in a text column are written as text, and so are whole numbers of more
  /// than 15 digits anywhere, since Excel would put noughts in the place of the last ones; dates before 1 March 1900 are
  /// written as text, since Excel and others count them differently; characters that XML cannot hold as their `_x0001_` escapes; a NUL is refused.
  package func append(_ values: [CellValue], rejectedFor reason: String? = nil) throws(Refusal) {
    let row = rowCount + 1
    let place = CellPlace(plan.name, row: row + 1)
    guard isOpen else {
      throw .workbook("finished", at: place, "工作簿已经写完，不能再加行。", "the workbook is finished; no row can be added.")
    }
    guard row < SheetBounds.rows else {
      throw .tooLarge(
        "rows", at: place, "超过 Excel 每张工作表 \(SheetBounds.rows) 行的上限。请分成几张工作表。",
        "more than the \(SheetBounds.rows) rows of a sheet of Excel. Divide them among several sheets.")
    }
    guard values.count <= plan.columns.count else {
      throw .workbook(
        "row-width", at: place, "有 \(values.count) 个值，但只有 \(plan.columns.count) 列。",
        "there are \(values.count) values for \(plan.columns.count) columns.")
    }
    // All is looked at before anything is written, so that a refused row leaves no trace.
    for (index, value) in values.enumerated() {
      if case .text(let text) = value { try checkText(text, row, index) }
    }
    if let reason { try checkText(reason, row, plan.columns.count) }
    for (index, column) in plan.columns.enumerated() {
      try write(index < values.count ? values[index] : .empty, column.kind, row, index, isRejected: reason != nil)
    }
    if let reason, plan.reasonTitle != nil {
      let place = CellPlace(plan.name, row: row + 1, column: plan.columns.count)
      try writeText(reason, formats.format(.text, isRejected: true), place)
    }
    rowCount = row
  }

  func finish() throws(Refusal) {
    isOpen = false
    let rows = max(rowCount, plan.fillableRows, 1)
    try check(worksheet_autofilter(sheet, 0, 0, UInt32(rows), UInt16(plan.titles.count - 1)), CellPlace(plan.name))
  }

  private func write(
    _ value: CellValue, _ kind: SheetColumn.Kind, _ row: Int, _ column: Int, isRejected: Bool
  ) throws(Refusal) {
    let place = CellPlace(plan.name, row: row + 1, column: column)
    func writeNumber(_ number: Double, _ style: CellFormats.Style) throws(Refusal) {
      cellCount += 1
      let format = formats.format(style, isRejected: isRejected)
      try check(worksheet_write_number(sheet, UInt32(row), UInt16(column), number, format), place)
    }
    let text = formats.format(.text, isRejected: isRejected)
    switch value {
    case .empty, .text(""):
      // An empty cell takes its column's look; a rejected row is coloured throughout.
      guard isRejected else { return }
      cellCount += 1
      let format = formats.format(kind.style, isRejected: true)
      try check(worksheet_write_blank(sheet, UInt32(row), UInt16(column), format), place)
    case .text(let string): try writeText(string, text, place)
    case .number(let number, let digits):
      let isCode = abs(number) >= 1e15 && number == number.rounded()
      if case .text = kind {
        try writeText(isCode ? DecimalDigits(digits)?.description ?? digits : value.shown, text, place)
      } else if isCode || !number.isFinite {
        try writeText(DecimalDigits(digits)?.description ?? digits, text, place)
      } else if case .wholeNumber = kind, number == number.rounded() {
        try writeNumber(number, .wholeNumber)
      } else {
        try writeNumber(number, .general)
      }
    case .date(let date):
      guard let day = agreedDay(date) else { return try writeText(value.shown, text, place) }
      try writeNumber(Double(day), .date)
    case .dateTime(let date, let time):
      guard let day = agreedDay(date) else { return try writeText(value.shown, text, place) }
      try writeNumber(Double(day) + Double(time.milliseconds) / 86_400_000, .dateTime)
    case .time(let time): try writeNumber(Double(time.milliseconds) / 86_400_000, .time)
    case .boolean(let isTrue):
      if case .yesNo = kind {
        return try writeText(isTrue ? language("是", "Yes") : language("否", "No"), text, place)
      }
      cellCount += 1
      let format = formats.format(.general, isRejected: isRejected)
      try check(worksheet_write_boolean(sheet, UInt32(row), UInt16(column), isTrue ? 1 : 0, format), place)
    case .error(let code): try writeText(code, text, place)
    }
  }

  /// The day's number where all programs agree on it: nobody but Excel counts the 29 February 1900 that never was.
  private func agreedDay(_ date: CalendarDate) -> Int? {
    DateSystem.from1900.day(date).flatMap { $0 > 60 ? $0 : nil }
  }

  private func checkText(_ text: String, _ row: Int, _ column: Int) throws(Refusal) {
    guard text.utf8.count > SheetBounds.textLength || text.utf8.contains(0) else { return }
    let place = CellPlace(plan.name, row: row + 1, column: column)
    guard text.utf16.count <= SheetBounds.textLength else {
      throw .tooLarge(
        "text-length", at: place, "文字有 \(text.utf16.count) 个字符，Excel 每格最多 \(SheetBounds.textLength) 个。",
        "the text has \(text.utf16.count) characters; a cell of Excel holds \(SheetBounds.textLength).")
    }
    guard !text.utf8.contains(0) else {
      throw .workbook("nul", at: place, "文字中含有空字符（NUL），请删除。", "the text holds a NUL character; remove it.")
    }
  }

  private func writeText(
    _ text: String, _ format: CellFormats.Format, _ place: CellPlace
  ) throws(Refusal) {
    guard let row = place.row, let column = place.column else { return }
    cellCount += 1
    try check(worksheet_write_string(sheet, UInt32(row - 1), UInt16(column), TextEscapes.encode(text), format), place)
  }

  private func check(_ result: lxw_error, _ place: CellPlace) throws(Refusal) {
    guard result != LXW_NO_ERROR else { return }
    let why = String(cString: lxw_strerror(result))
    throw .workbook("write", at: place, "无法写入（\(why)）。", "this cannot be written (\(why)).")
  }
}
