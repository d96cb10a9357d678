package import Kernel
internal import Spreadsheets

/// What is wrong with one row of a workbook that was filled in, and where.
package struct WorkbookProblem: Hashable, Sendable {
  package var severity: Finding.Severity
  /// Stable, for programs: a finding's code, or `workbook.…` for what could not even be read.
  package var code: String
  package var sheet: WorkbookSheet
  /// From 1, as on the screen.
  package var row: Int
  /// As it stands in the file, from 0; nil when it concerns the whole row.
  package var column: Int?
  package var columnTitle: Text?
  package var message: Text
  /// In words, where the file has no sheets.
  package var place: Text?

  /// The same in a file without sheets.
  func byLine() -> WorkbookProblem {
    var problem = self
    problem.place = Text("第 \(row) 行", "line \(row)")
    return problem
  }

  /// `工作表“信息项”第 7 行 D 列：…`
  package var text: Text {
    let chinese = place?.chinese ?? CellPlace(sheet.name.chinese, row: row, column: column).text.chinese
    let english = place?.english ?? CellPlace(sheet.name.english, row: row, column: column).text.english
    return Text("\(chinese)：\(reason.chinese)", "In \(english): \(reason.english)")
  }

  /// What stands in the row itself, where its place is plain.
  package var reason: Text {
    guard let columnTitle else { return message }
    return Text("【\(columnTitle.chinese)】\(message.chinese)", "[\(columnTitle.english)] \(message.english)")
  }
}

/// One row as it was given: its values in the order of the sheet's columns, whatever the file's order was.
struct GivenRow: Sendable {
  var number: Int
  var values: [CellValue]
  var problems: [WorkbookProblem] = []
  /// Fields that could not be read: what the rules say of the void in their place is no news.
  var unread: Set<String> = []
  /// What an export told of the entry.
  var told: [ToldColumn: String] = [:]
}

/// A resource of the workbook with its items, as far as they could be read.
struct WorkbookEntry: Sendable {
  /// Into the rows of the first sheet.
  var row: Int
  /// Into the rows of the second, in the order of `items`.
  var itemRows: [Int] = []
  var metadata: Metadata
  /// A number or a name.
  var system: String
  var items: [Item] = []
}

/// What a workbook holds.
struct WorkbookEntries: Sendable {
  var resources: [GivenRow] = []
  var items: [GivenRow] = []
  var entries: [WorkbookEntry] = []
  /// In the file, by field: where the columns of each sheet really stand.
  var places: [WorkbookSheet: [String: Int]] = [:]
  /// Else it is one text, whose places are lines.
  var hasSheets = true

  /// Notes what was found out about a resource's row after it was read.
  mutating func reject(_ row: Int, _ code: String, _ workbook: CatalogWorkbook, _ field: String, _ message: Text) {
    resources[row].unread.insert(field)
    resources[row].problems.append(
      WorkbookProblem(
        severity: .error, code: "workbook.\(code)", sheet: .resources, row: resources[row].number,
        column: places[.resources]?[field],
        columnTitle: workbook.resourceColumns.first { $0.field == field }?.title, message: message))
  }

  /// Whether something of the entry could not be read at all.
  func isUnread(_ entry: WorkbookEntry) -> Bool {
    !resources[entry.row].problems.isEmpty || entry.itemRows.contains { !items[$0].problems.isEmpty }
  }
}
