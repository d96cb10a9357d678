internal import Kernel
internal import Web

private let runsTrail: (label: Text, href: String) = (Text("目录迁入", "Moving in"), CatalogPath.runs)

/// The form that sends another system's export.
func sendExportPage(_ request: Request, values: Fields, refusal: Refusal?) throws -> Page {
  let t = request.language
  let faults = refusal?.faults ?? []
  let presets = try MoveMapping.presets.map { ($0, try MoveMapping.preset($0)?.title ?? $0) }
  let fields: HTML = [
    Field("preset", Text("原系统", "Former system"), .radio(presets)),
    Field(
      "export", Text("导出文件", "Export"), .file,
      hint: Text(
        ".zip（内为 CSV 或 .xlsx，文件名即表名）或每表一个工作表的 .xlsx，不超过 \(ImportDesk.mostExportBytes >> 20) MiB、\(grouped(ImportDesk.mostMovedEntries)) 条目录；CSV 用 UTF-8 或 GB18030 编码。",
        "A .zip of CSV or .xlsx named like their tables, or an .xlsx with a sheet a table; at most \(ImportDesk.mostExportBytes >> 20) MiB and \(grouped(ImportDesk.mostMovedEntries)) entries. CSV in UTF-8 or GB18030."
      )),
    Field(
      "mapping", Text("自己的对应关系", "A mapping of your own"), .file, required: false,
      hint: Text(
        "JSON；原系统不在上面，或导出的表和列有所不同时提供，代替上面的选择。原系统没有的表写 optional。",
        "JSON; for another system, or where tables and columns differ. It stands in for the choice above. A table that is not there is “optional”."
      )),
    Field(
      "trial", Text("方式", "How"), .ticks([("1", t("只试运行：给出报告，不写入任何内容", "Try only: report, and keep nothing"))]),
      required: false, saysOptional: false),
  ].map { field(t, $0, value: values, faults: faults) }.joined()
  let mappings = MoveMapping.presets.map { link("\($0).json", CatalogPath.mapping($0)) }.joined("\(t("、", ", "))")
  return Page(
    Text("迁入一个导出", "Move an export in"), section: .catalog, status: refusal?.status ?? 200,
    trail: [catalogTrail, runsTrail],
    body: """
      <h1>\(t("从原目录系统的导出迁入", "Move in from another system's export"))</h1>\(faultSummary(t, refusal))\
      <p>\(t(
        "目录、信息项、分类和经过按原样迁入，已发布的继续有效；不合规则之处列入报告，由各部门整改。同一导出再送一次不会重复，中途断开后再送会接着进行。",
        "Entries, items, classes and history come as they are; what was published stays in force. What breaks our rules is reported, for its department to mend. The same export again doubles nothing, and goes on where it was broken off."))</p>\
      <p>\(t("对应关系的样本：", "Mappings to begin from: "))\(mappings)</p>\
      \(form(request, action: CatalogPath.sendExport, upload: true, "\(fields)\(buttons(button(t("迁入", "Move in")), buttonLink(t("返回", "Back"), href: CatalogPath.runs)))"))
      """)
}

/// What an export that was sent came to: the same report as at the command line.
func sentExportPage(_ request: Request, _ kept: KeptMove, _ key: String) -> Page {
  let t = request.language
  let reasons = kept.reasons.map { "<tr><td>\(t($0.words))</td>\(numberCell($0.number))</tr>" as HTML }.joined()
  let run = kept.run.flatMap { MoveRunID($0) }
  return Page(
    Text("迁入结果", "What was moved in"), section: .catalog, trail: [catalogTrail, runsTrail],
    body: """
      \(heading(
        "\(t(run == nil ? Text("试运行", "Trial") : Text("迁入结果", "What was moved in")))\(t.colon)\(kept.file)",
        actions: buttonLink(t("下载报告", "Download the report"), href: CatalogPath.sentReport(key), .primary)))\
      \(run == nil ? note(.soon, "<p>\(t("这是试运行，没有写入任何内容。", "This was a trial; nothing was kept."))</p>") : .nothing)\
      \(facts([(t("原系统", "Source"), "\(kept.title)")] + kept.counts.map { (t($0.words), "\(grouped($0.number))") }))\
      \(panel(t("未照搬之处", "What did not fit"), id: "findings", table(
        caption: t("最常见的原因", "The most frequent reasons"),
        columns: [Column(t("例如", "For example")), Column(t("处数", "Times"), numeric: true)], rows: reasons,
        empty: emptyState(t("全部照搬。", "Everything fitted.")))))\
      <p class="muted">\(t("报告逐处列出文件、行、列、值、原因和处理，以及新旧代码对照，保留 24 小时。", "The report names file, line, column, value, reason and what was done, and which code became which. Kept for 24 hours."))</p>\
      \(buttons(
        run.map { buttonLink(t("逐处查看", "Place by place"), href: CatalogPath.run($0)) } ?? .nothing,
        buttonLink(t("再送一个导出", "Send another"), href: CatalogPath.sendExport)))
      """)
}
