internal import Kernel
internal import Web

/// Three steps on one page: the template, filling it in, sending it.
func importPage(_ request: Request, refusal: Refusal?) -> Page {
  let t = request.language
  let title = Text("用 Excel 编制目录", "Compile by Excel")
  let (resources, items) = CatalogWorkbook.mostRows
  let file = Field(
    "workbook", Text("填好的文件", "Filled-in file"), .file,
    hint: Text(
      ".xlsx 工作簿不超过 \(CatalogWorkbook.mostBytes >> 20) MiB，或 .csv（UTF-8 或 GB18030，每行一个信息项，列名同模板，信息项的列名前加“\(CatalogCSV.itemMark.chinese)”）不超过 \(CatalogCSV.mostBytes >> 20) MiB；\(resources) 条目录、\(items) 个信息项以内。",
      "An .xlsx of at most \(CatalogWorkbook.mostBytes >> 20) MiB, or a .csv (UTF-8 or GB18030; a row an item, titled as the template, an item's titles after “\(CatalogCSV.itemMark.english)”) of at most \(CatalogCSV.mostBytes >> 20) MiB; \(resources) resources and \(items) items at most."
    ))
  return Page(
    title, section: .catalog, status: refusal?.status ?? 200,
    trail: [catalogTrail, (Text("在编目录", "Entries being written"), CatalogLink.work)],
    body: """
      <h1>\(t(title))</h1>\(faultSummary(t, refusal))\
      <ol><li><a href="\(CatalogLink.template)">\(t("下载模板", "Download the template"))</a>\
      \(t("：“信息资源目录”每行一条目录，“信息项”每行一个信息项，“填写说明”逐列说明。", ": one row a resource, one row an item, and a guide to each column."))</li>\
      <li>\(t("填写。有下拉列表的列可以选择，也可以填代码或名称；列的次序可以改变，列名不能。", "Fill it in. Where there is a list, choose, or enter code or name; columns may be moved, not renamed."))</li>\
      <li>\(t("导入。核验通过的保存为本单位的草稿；有误的连同原因退回，更正后可再次导入。已有的同名目录不会重复，也不会被覆盖。", "Send it. What passes the rules becomes drafts of your organisation; the rest comes back with reasons, to be corrected and sent again. An entry that is there already is neither doubled nor overwritten."))</li></ol>\
      \(form(request, action: CatalogLink.imports, upload: true, "\(field(t, file, value: Fields(), faults: refusal?.faults ?? []))\(buttons(button(t("导入", "Import")), buttonLink(t("返回", "Back"), href: CatalogLink.work)))"))
      """)
}

/// What became of a workbook: how much was kept, how much was not, and why.
func importedPage(_ request: Request, _ summary: ImportSummary, rejected: String?) -> Page {
  let t = request.language
  let title = Text("导入结果", "What was imported")
  let reasons = summary.reasons.prefix(50).map { reason in
    "<tr><td>\(t(reason.example))</td>\(numberCell(reason.rows))</tr>" as HTML
  }.joined()
  let kept: HTML = """
    <p>\(t("保存为草稿：", "Kept as drafts: "))<a href="\(CatalogLink.work)"><strong>\(entries(t, summary.kept.resources))</strong></a>\
    \(t.comma)\(items(t, summary.kept.items))\
    \(when: summary.warned > 0, "\(t.semicolon)\(t("其中 \(grouped(summary.warned)) 条有需要核对之处，见各条的核验结果", "\(grouped(summary.warned)) of them with something to check, shown beside each"))")\
    \(t("。", "."))</p>
    """
  let link = rejected.map(CatalogLink.rejected)
  return Page(
    title, section: .catalog,
    trail: [catalogTrail, (Text("用 Excel 编制目录", "Compile by Excel"), CatalogLink.imports)],
    body: """
      <h1>\(t(title))\(t.colon)\(summary.file)</h1>\
      \(when: summary.kept.resources > 0, note(.good, kept))\
      \(when: summary.unchanged > 0, "<p>\(t("目录中已有且未变：", "There already, unchanged: "))\(entries(t, summary.unchanged))</p>")\
      \(link.map { link -> HTML in
        note(.late, """
          <p>\(t("未导入：", "Not imported: "))<strong>\(entries(t, summary.rejected.resources))</strong>\(t.comma)\
          \(items(t, summary.rejected.items))\(t.stop)<a class="button primary" href="\(link)">\
          \(t("下载未导入的行", "Download the rows that were not imported"))</a></p>\
          <p>\(t("原因写在每行最后一列；更正后直接导入这个文件即可。文件保留 24 小时。", "Each row says why in its last column; correct it and send that very file. It is kept for 24 hours."))</p>
          """)
      })\
      \(when: !summary.reasons.isEmpty, table(
        caption: t("未导入的原因", "Why"), columns: [Column(t("例如", "For example")), Column(t("处数", "Times"), numeric: true)],
        rows: reasons, empty: .nothing))\
      \(buttons(
        buttonLink(t("在编目录", "Entries being written"), href: CatalogLink.work, .primary),
        buttonLink(t("再导入一个文件", "Import another file"), href: CatalogLink.imports)))
      """)
}

private func entries(_ t: Language, _ count: Int) -> String {
  t("\(grouped(count)) 条目录", count == 1 ? "1 entry" : "\(grouped(count)) entries")
}

private func items(_ t: Language, _ count: Int) -> String { t("\(grouped(count)) 个信息项", plural(count, "item")) }
