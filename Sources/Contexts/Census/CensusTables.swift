import Catalog
import Kernel
import Spreadsheets

/// Totals and lines as files for other programs and for reports.
enum CensusTables {
  /// The totals on two sheets: by organisation and by class, each with the campaign before beside it.
  static func write(_ totals: Census.Totals, _ classification: Classification, to path: String, _ t: Language) throws {
    let writer = try WorkbookWriter(path: path, language: t)
    let six = Quantity.allCases.map {
      SheetColumn(t($0.heading), $0.isStorage ? .decimal : .wholeNumber, width: 18)
    }
    let last = Quantity.allCases.map {
      SheetColumn(
        t(Text("上次\($0.heading.chinese)", "Last: \($0.heading.english)")), $0.isStorage ? .decimal : .wholeNumber,
        width: 18)
    }
    let counts = [
      SheetColumn(t("资源数", "Resources"), .wholeNumber), SheetColumn(t("已填", "Entered"), .wholeNumber),
    ]
    let offices = try writer.addSheet(
      SheetPlan(
        t("按单位", "By organisation"),
        [SheetColumn(t("单位", "Organisation"), width: 30), SheetColumn(t("状态", "State"), width: 12)] + counts + six
          + last))
    for owner in totals.returns {
      try offices.append(
        [.text(owner.officeName), .text(t(owner.state.title)), .number(owner.lines), .number(owner.entered)]
          + cells(owner.sums) + cells(totals.officesBefore[owner.office]))
    }
    let classes = try writer.addSheet(
      SheetPlan(
        t("按分类", "By class"),
        [SheetColumn(t("分类代码", "Class code"), width: 10), SheetColumn(t("分类", "Class"), width: 40)] + counts + six
          + last))
    for (category, sum) in totals.categories {
      try classes.append(
        [
          .text(category), .text(classification.title(of: category)), .number(sum.lines), .number(sum.entered),
        ] + cells(sum.numbers) + cells(totals.categoriesBefore[category]))
    }
    try writer.finish()
  }

  private static func cells(_ numbers: SixQuantities?) -> [CellValue] {
    guard let numbers else { return Quantity.allCases.map { _ in .empty } }
    return Quantity.allCases.map { quantity in
      let value = numbers[quantity]
      return quantity.isStorage
        ? .number(Double(value) / 1_000_000, digits: SixQuantities.plain(value, quantity)) : .number(value)
    }
  }

  /// By organisation, as UTF-8 with a byte-order mark, which Excel needs.
  static func csv(_ totals: Census.Totals, _ t: Language) -> [UInt8] {
    file(
      [t("单位", "Organisation"), t("状态", "State"), t("资源数", "Resources"), t("已填", "Entered")],
      totals.returns.map { owner in
        ([owner.officeName, t(owner.state.title), String(owner.lines), String(owner.entered)], owner.sums)
      }, t)
  }

  static func csv(_ lines: [CensusLine], _ t: Language) -> [UInt8] {
    file(
      [t("信息资源代码", "Resource code"), t("信息资源名称", "Resource name"), t("来源", "From")],
      lines.map { ([$0.code, $0.name, t($0.origin.title)], $0.numbers) }, t)
  }

  private static func file(_ head: [String], _ rows: [([String], SixQuantities)], _ t: Language) -> [UInt8] {
    var text = "\u{FEFF}" + CSV.line(head + Quantity.allCases.map { t($0.heading) }) + "\r\n"
    for (words, numbers) in rows {
      text += CSV.line(
        words.map(CSV.guarded) + Quantity.allCases.map { SixQuantities.plain(numbers[$0], $0) })
      text += "\r\n"
    }
    return Array(text.utf8)
  }
}
