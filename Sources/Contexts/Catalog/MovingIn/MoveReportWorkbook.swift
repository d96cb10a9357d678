package import Kernel
internal import Spreadsheets

extension MoveReport {
  /// Writes the report as a workbook: how it went, what did not fit, which entry became which, which code became which.
  /// Blocks while it writes.
  package func write(to path: String, _ t: Language) throws {
    let writer = try WorkbookWriter(path: path, language: t)
    let summary = try writer.addSheet(
      SheetPlan(
        t("概况", "Summary"), [SheetColumn(t("项目", "What"), width: 36), SheetColumn(t("数量", "Number"), .wholeNumber)]))
    for (what, number) in counts { try summary.append([.text(t(what)), .number(number)]) }

    let places = try writer.addSheet(
      SheetPlan(
        t("未照搬之处", "What did not fit"),
        [
          SheetColumn(t("文件", "File"), width: 30), SheetColumn(t("行", "Line"), .wholeNumber),
          SheetColumn(t("元素", "Element"), width: 24), SheetColumn(t("原系统的列", "Their column"), width: 22),
          SheetColumn(t("值", "Value"), width: 30),
          SheetColumn(t("原因", "Why"), width: 60), SheetColumn(t("处理", "Instead"), width: 20),
          SheetColumn(t("规则", "Rule"), width: 22),
        ]))
    for finding in findings {
      try places.append([
        .text(finding.file), finding.line == 0 ? .empty : .number(finding.line),
        .text(finding.elementTitle.map { t($0) } ?? ""), .text(finding.column), .text(finding.value),
        .text(t(finding.reason)), .text(t(finding.action.title)), .text(finding.code),
      ])
    }
    let entries = try writer.addSheet(
      SheetPlan(
        t("编号对照", "Old and new ids"),
        [
          SheetColumn(t("原标识", "Old id"), width: 36), SheetColumn(t("原代码", "Old code"), width: 24),
          SheetColumn(t("名称", "Name"), width: 40), SheetColumn(t("结果", "Outcome"), width: 16),
          SheetColumn(t("新标识", "New id"), width: 38), SheetColumn(t("代码", "Code"), width: 24),
          SheetColumn(t("状态", "State"), width: 14),
        ]))
    for entry in self.entries {
      try entries.append([
        .text(entry.oldID), .text(entry.oldCode), .text(entry.name), .text(t(entry.outcome.title)),
        .text(entry.resource?.text ?? ""), .text(entry.code ?? ""), .text(entry.standing.map { t($0) } ?? ""),
      ])
    }
    let codes = try writer.addSheet(
      SheetPlan(
        t("代码对照", "Codes"),
        [
          SheetColumn(t("元素", "Element"), width: 20), SheetColumn(t("原代码", "Theirs"), width: 30),
          SheetColumn(t("本平台", "Ours"), width: 16), SheetColumn(t("次数", "Times"), .wholeNumber),
        ]))
    for code in self.codes {
      try codes.append([
        .text(t(code.elementTitle)), .text(code.theirs), .text(code.ours ?? t("（没有对应）", "(none)")), .number(code.times),
      ])
    }
    let classes = try writer.addSheet(
      SheetPlan(
        t("分类对照", "Classes"),
        [
          SheetColumn(t("原代码", "Theirs"), width: 24), SheetColumn(t("名称", "Name"), width: 36),
          SheetColumn(t("本平台", "Ours"), width: 24), SheetColumn(t("新建", "New"), .yesNo),
        ]))
    for one in self.classes {
      try classes.append([.text(one.theirs), .text(one.name), .text(one.ours), .boolean(one.isNew)])
    }
    try writer.finish()
  }

  /// What is worth knowing at a glance, in order.
  package var counts: [(Text, Int)] {
    [
      (Text("读到的目录", "Entries read"), entries.count), (Text("读到的信息项", "Items read"), items),
    ] + MovedEntry.Outcome.allCases.map { ($0.title, count($0)) } + [
      (Text("其中在用", "Of them in force"), entries.count(where: \.isInForce)),
      (Text("新建的本地分类", "Local classes made"), classes.count { $0.isNew }),
      (Text("未照搬之处", "Places that did not fit"), findings.count),
    ]
  }
}
