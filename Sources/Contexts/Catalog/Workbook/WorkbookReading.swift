internal import Inventory
internal import Kernel
internal import Spreadsheets

extension CatalogWorkbook {
  /// Reads a workbook that was filled in. What is wrong with a row is noted with it; a file that is none of ours is
  /// refused as a whole. Blocks while it reads.
  func read(_ path: String, at now: Instant) throws -> WorkbookEntries {
    var limits = ReadingLimits()
    (limits.fileBytes, limits.partBytes, limits.totalBytes) = (Self.mostBytes, 256 << 20, 512 << 20)
    (limits.columns, limits.cells) = (256, 5_000_000)
    let reader = try WorkbookReader(path: path, limits: limits)
    var collector = EntryCollector(self, at: now)
    let places = try readSheet(.resources, reader) { collector.addResource($0) }
    collector.found.places[.resources] = places
    let itemPlaces = try readSheet(.items, reader) { collector.addItem($0) }
    collector.found.places[.items] = itemPlaces
    return collector.end()
  }

  private func readSheet(
    _ sheet: WorkbookSheet, _ reader: WorkbookReader, _ body: (WorkbookRow) -> Void
  ) throws -> [String: Int] {
    let names = [sheet.name.chinese, sheet.name.english].map(foldedForSearch)
    guard let name = reader.sheets.map(\.name).first(where: { names.contains(foldedForSearch($0)) }) else {
      let there = reader.sheets.prefix(6).map { "“\($0.name.prefix(31))”" }
      throw Refusal(
        .invalid, "catalog.workbook.sheet",
        Text(
          "工作簿里没有“\(sheet.name.chinese)”工作表，只有 \(there.joined(separator: "、"))。请在下载的模板中填写，不改工作表名。",
          "The workbook has no sheet “\(sheet.name.english)”, only \(there.joined(separator: ", ")). Fill in the template and leave its sheets' names."
        ))
    }
    let columns = columns(of: sheet)
    let most = sheet == .resources ? Self.mostRows.resources : Self.mostRows.items
    var fields: [Int: Int]?
    var found: [String: Int] = [:]
    var count = 0
    try reader.readRows(of: name) { row in
      guard let fields else {
        fields = try header(row, sheet, columns)
        found = places(fields ?? [:], columns)
        return .next
      }
      // A row of blanks is no row.
      guard row.cells.contains(where: { !$0.value.shown.allSatisfy(\.isWhitespace) || $0.isFormula }) else {
        return .next
      }
      count += 1
      guard count <= most else {
        throw Refusal(
          .tooLarge, "catalog.workbook.rows",
          Text(
            "“\(sheet.name.chinese)”超过 \(most) 行。请分成几个文件导入，同一资源的信息项放在同一文件。",
            "“\(sheet.name.english)” has more than \(most) rows. Divide it among several files, all of a resource in one."
          ))
      }
      body(WorkbookRow(row, sheet, columns, fields: fields, places: found))
      return .next
    }
    guard fields != nil else { throw Self.wrongHeader(sheet, Text("没有表头行", "has no header")) }
    return found
  }

  /// By field, where a sheet's columns stand in the file.
  func places(_ fields: [Int: Int], _ columns: [WorkbookColumn]) -> [String: Int] {
    var places: [String: Int] = [:]
    for (column, index) in fields {
      if let field = index >= 0 ? columns[index].field : ToldColumn(rawValue: index)?.field { places[field] = column }
    }
    return places
  }

  /// The template has fewer than 30.
  private static let mostColumns = 256

  /// Which of our columns each of the file's is, by index; what an export told by its `ToldColumn`; -1 for the reasons of
  /// an earlier import, which are left out. A text has no sheets: its titles are told as they stand there, `mark` before.
  func header(
    _ row: SheetRow, _ sheet: WorkbookSheet, _ columns: [WorkbookColumn], marked mark: Text? = nil
  ) throws -> [Int: Int] {
    func wrong(_ what: Text, column: Int? = nil) -> Refusal {
      mark == nil
        ? Self.wrongHeader(sheet, what, row: column.map { _ in row.number }, column: column)
        : Self.wrongHeader(what, line: row.number, column: column)
    }
    var fields: [Int: Int] = [:]
    var unknown: [String] = []
    func isTitle(_ title: Text, _ folded: String) -> Bool {
      [title.chinese, title.english].map(foldedForSearch).contains(folded)
    }
    guard row.cells.count <= Self.mostColumns else {
      throw wrong(
        Text(
          "有 \(row.cells.count) 列，最多 \(Self.mostColumns) 列；请改用模板",
          "has \(row.cells.count) columns of at most \(Self.mostColumns); use the template"))
    }
    for cell in row.cells {
      let title = SheetColumn.title(fromHeader: cell.value.shown)
      if title.isEmpty { continue }
      let folded = foldedForSearch(title)
      if isTitle(Self.reasonTitle, folded) {
        fields[cell.column] = -1
      } else if let index = columns.firstIndex(where: { isTitle($0.title, folded) })
        ?? (sheet == .resources ? ToldColumn.allCases.first { isTitle($0.title, folded) }?.rawValue : nil)
      {
        guard !fields.values.contains(index) else {
          throw wrong(
            Text("的列名“\(mark?.chinese ?? "")\(title)”出现两次", "has the title “\(mark?.english ?? "")\(title)” twice"),
            column: cell.column)
        }
        fields[cell.column] = index
      } else {
        unknown.append("\(mark?.chinese ?? "")\(title.prefix(40))（\(ColumnLetters(cell.column))）")
      }
    }
    guard unknown.isEmpty else {
      let names = unknown.prefix(10).joined(separator: "、")
      throw wrong(
        Text(
          "有不认识的列名：\(names)；请改回模板中的列名，或删去整列", "has titles that are not the template's: \(names); restore or delete them"
        ))
    }
    let missing = columns.indices.filter { columns[$0].isRequired && !fields.values.contains($0) }
    guard missing.isEmpty else {
      let titles = missing.map { columns[$0].title }
      let chinese = titles.map { (mark?.chinese ?? "") + $0.chinese }.joined(separator: "、")
      let english = titles.map { (mark?.english ?? "") + $0.english }.joined(separator: ", ")
      throw wrong(
        Text(
          "缺少必填的列：\(chinese)；列名应在第一个有内容的行",
          "lacks the columns \(english); titles stand in the first row that holds anything"))
    }
    return fields
  }

  private static func wrongHeader(
    _ sheet: WorkbookSheet, _ what: Text, row: Int? = nil, column: Int? = nil
  ) -> Refusal {
    let chinese = CellPlace(sheet.name.chinese, row: row, column: column).text.chinese
    let english = CellPlace(sheet.name.english, row: row, column: column).text.english
    return Refusal(
      .invalid, "catalog.workbook.header",
      Text("\(chinese)\(what.chinese)。", "The \(english) \(what.english)."))
  }

  /// The same of a text, which has lines only.
  private static func wrongHeader(_ what: Text, line: Int, column: Int?) -> Refusal {
    let place = column.map { Text(" \(ColumnLetters($0)) 列", ", column \(ColumnLetters($0)),") }
    return Refusal(
      .invalid, "catalog.csv.header",
      Text(
        "文件第 \(line) 行\(place?.chinese ?? "")\(what.chinese)。",
        "Line \(line)\(place?.english ?? "") of the file \(what.english)."))
  }
}
