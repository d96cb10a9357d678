internal import Kernel
internal import Spreadsheets

/// The catalogue's workbook as one text file: a row for each item, the resource's columns before it. In the rows after its
/// first a resource's columns may stay empty or be repeated; an item's columns bear the mark `信息项：` (`Item: `).
enum CatalogCSV {
  static let itemMark = Text("信息项：", "Item: ")
  static let mostBytes = 64 << 20
}

extension CatalogWorkbook {
  /// Reads such a file; blocks. What is wrong with a row is noted with it, a file that is none of ours is refused as a whole.
  func readCSV(_ path: String, at now: Instant) throws -> WorkbookEntries {
    let file = try TextFile(path: path, mostBytes: CatalogCSV.mostBytes)
    var records: [(line: Int, fields: [String])] = []
    do {
      try CSV.forEach(file.text) { records.append(($0, $1)) }
    } catch let fault as CSV.Fault {
      throw Refusal(.invalid, "catalog.csv", fault.message)
    }
    guard let head = records.first else { throw Refusal(.invalid, "catalog.csv", Text("文件是空的。", "The file is empty.")) }
    if let separator = Self.otherSeparator(head.fields) {
      throw Refusal(
        .invalid, "catalog.csv.separator",
        Text(
          "文件的各列以\(separator.chinese)分隔，应以逗号分隔。请另存为“CSV UTF-8（逗号分隔）”。",
          "Its columns are separated by \(separator.english), not by commas. Save it as CSV UTF-8 (comma delimited)."))
    }
    let isItem = head.fields.map { title in CatalogCSV.itemMark.both.contains { title.hasPrefix($0) } }
    let (ours, items) = (resourceColumns, Array(itemColumns.dropFirst()))
    let titles = head.fields.map { title in
      CatalogCSV.itemMark.both.first { title.hasPrefix($0) }.map { String(title.dropFirst($0.count)) } ?? title
    }
    func header(_ sheet: WorkbookSheet, _ columns: [WorkbookColumn]) throws -> [Int: Int] {
      try self.header(
        row(titles, head.line) { isItem[$0] == (sheet == .items) }, sheet, columns,
        marked: sheet == .items ? CatalogCSV.itemMark : Text(same: ""))
    }
    let fields = (resource: try header(.resources, ours), item: try header(.items, items))
    let places = (resource: self.places(fields.resource, ours), item: self.places(fields.item, items))
    var collector = EntryCollector(self, at: now)
    collector.found.hasSheets = false
    collector.found.places = [.resources: places.resource, .items: places.item]
    var first: (line: Int, fields: [String])?
    for record in records.dropFirst() where record.fields.contains(where: { !$0.allSatisfy(\.isWhitespace) }) {
      guard record.fields.count == head.fields.count else {
        let fault = CSV.Fault(
          line: record.line, problem: .columns(expected: head.fields.count, found: record.fields.count))
        throw Refusal(.invalid, "catalog.csv", fault.message)
      }
      let own = row(record.fields, record.line) { !isItem[$0] }
      let name = places.resource["name"].map { record.fields[$0] } ?? ""
      let isNext = !name.isEmpty && name != first.flatMap { found in places.resource["name"].map { found.fields[$0] } }
      if isNext || first == nil {
        first = record
        collector.addResource(WorkbookRow(own, .resources, ours, fields: fields.resource, places: places.resource))
      }
      let cells = row(record.fields, record.line) { isItem[$0] }
      guard !cells.cells.isEmpty else { continue }
      var item = WorkbookRow(cells, .items, items, fields: fields.item, places: places.item)
      let differing = own.cells.first { cell in
        first.map { $0.fields[cell.column] != record.fields[cell.column] } ?? false
      }
      if let differing {
        item.reject(
          "differs", "name",
          Text(
            "“\(titles[differing.column])”与本资源第一行不同；应相同或不填。",
            "“\(titles[differing.column])” is not what the resource's first row says; repeat it or leave it empty."))
      }
      collector.addItemOfLast(item)
    }
    guard collector.found.resources.count <= Self.mostRows.resources, collector.found.items.count <= Self.mostRows.items
    else {
      throw Refusal(
        .tooLarge, "catalog.csv.rows",
        Text(
          "文件超过 \(Self.mostRows.resources) 条目录或 \(Self.mostRows.items) 个信息项，请分成几个文件。",
          "More than \(Self.mostRows.resources) resources or \(Self.mostRows.items) items; divide the file."))
    }
    return collector.end()
  }

  /// What stands between the titles, when it is no comma and so all of them are one.
  private static func otherSeparator(_ head: [String]) -> Text? {
    guard head.count == 1, let line = head.first else { return nil }
    let known = [
      (";", Text("半角分号“;”", "semicolons")), ("\t", Text("制表符", "tabs")), ("|", Text("竖线“|”", "bars")),
      ("，", Text("全角逗号“，”", "Chinese commas")), ("；", Text("全角分号“；”", "Chinese semicolons")),
    ]
    return known.first { line.contains($0.0) }?.1
  }

  /// The fields of one side as cells. A text that a spreadsheet would run is a formula, unless it was made harmless.
  private func row(_ fields: [String], _ line: Int, _ isWanted: (Int) -> Bool) -> SheetRow {
    var cells: [SheetCell] = []
    for (column, field) in fields.enumerated() where isWanted(column) && !field.isEmpty {
      cells.append(
        SheetCell(column: column, value: .text(CSV.unguarded(field)), isFormula: field.utf8.first == UInt8(ascii: "=")))
    }
    return SheetRow(number: line, cells: cells)
  }
}

extension Text {
  /// In either language.
  fileprivate var both: [String] { [chinese, english] }
}
