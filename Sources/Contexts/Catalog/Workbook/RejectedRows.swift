internal import Kernel
internal import Spreadsheets

extension CatalogWorkbook {
  /// Writes what was rejected as a workbook that can be corrected and sent again: a rejected resource with all its items,
  /// each row with the reason why it was not taken; where that is its resource, with the resource's. Blocks while it writes.
  func writeRejected(_ found: WorkbookEntries, _ outcome: ImportOutcome, to path: String, _ language: Language) throws {
    var reasons: [WorkbookSheet: [Int: [String]]] = [:]
    let unread = found.resources.flatMap(\.problems) + found.items.flatMap(\.problems)
    for problem in unread + outcome.problems where problem.severity == .error {
      reasons[problem.sheet, default: [:]][problem.row, default: []].append(language(problem.reason))
    }
    // A cell that nobody can read through helps nobody.
    func reason(_ sheet: WorkbookSheet, _ row: GivenRow, most: Int = 10) -> String? {
      guard let all = reasons[sheet]?[row.number] else { return nil }
      let shown = all.prefix(most).joined(separator: "\n")
      return all.count > most ? shown + language("\n等 \(all.count) 处", "\n\(all.count) in all") : shown
    }
    let writer = try WorkbookWriter(path: path, language: language)
    // Which entry a row is of must not be lost on the way back.
    let told = ToldColumn.allCases.filter { column in found.resources.contains { $0.told[column]?.isEmpty == false } }
    var plan = plan(.resources, language, withReasons: true)
    plan.columns += told.map { SheetColumn(language($0.title)) }
    let resources = try writer.addSheet(plan)
    let items = try writer.addSheet(self.plan(.items, language, withReasons: true))
    // Of each item its own reason, or its resource's.
    var rejectedItems: [Int: String] = [:]
    for index in outcome.rejected {
      let entry = found.entries[index]
      let row = found.resources[entry.row]
      let why =
        reason(.resources, row, most: 3) ?? language("其他信息项有误。", "other items of it are wrong.")
      for item in entry.itemRows {
        rejectedItems[item] = language("其资源未导入：", "Its resource was not imported: ") + why
      }
      try resources.append(
        (row.values + told.map { .text(row.told[$0] ?? "") }).map(writable),
        rejectedFor: reason(.resources, row)
          ?? language("它的信息项有误，见“\(WorkbookSheet.items.name.chinese)”表。", "Its items are wrong; see the sheet “Items”.")
      )
    }
    // In the file's order, so that what stood together still does.
    for index in found.items.indices where rejectedItems[index] != nil || !found.items[index].problems.isEmpty {
      let row = found.items[index]
      try items.append(row.values.map(writable), rejectedFor: reason(.items, row) ?? rejectedItems[index])
    }
    try writeGuide(writer, language)
    try writer.finish()
  }

  /// A cell goes back as it came, but for what no cell can hold.
  private func writable(_ value: CellValue) -> CellValue {
    guard case .text(let text) = value, text.utf8.contains(0) else { return value }
    return .text(text.replacing("\0", with: ""))
  }
}
