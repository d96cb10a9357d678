import Deadlines
import Kernel
import Web

/// A return: where it stands, what it adds up to, and its lines, to be filled in page by page.
struct ReturnPage {
  static let linesOnPage = 20

  let request: Request
  let campaign: Campaign
  let owner: CensusReturn
  let before: SixQuantities?
  let found: Census.Lines
  /// What the address asks of the list.
  var category: String?
  var origin: LineOrigin?
  var after: String?
  var isOwn: Bool
  var mayRun: Bool
  /// What was entered when a save was refused.
  var entered = Fields()
  var refusal: Refusal?
  /// What came of the file that was sent last, with the key of what was not taken.
  var imported: (key: String, summary: CensusImportSummary)?

  private var t: Language { request.language }
  private var isEditable: Bool { isOwn && owner.state.isEditable && campaign.state != .closed }
  private var here: String { CensusLink.owner(owner.id, category: category, origin: origin, after: after) }

  func render() -> Page {
    let today = request.now.dateInChina
    return Page(
      Text(same: owner.officeName), section: .catalog, status: refusal?.status ?? 200,
      trail: [catalogTrail, censusTrail, (Text(same: campaign.name), CensusLink.campaign(campaign.id))],
      body: """
        \(heading("\(campaign.name)\(t.colon)\(owner.officeName)", state: returnBadge(t, owner.state), actions: tools))\
        \(faultSummary(t, refusal))\(imported.map { importNote($0.key, $0.summary) })\
        \(when: owner.state == .returned, note(.late, "<p><strong>\(t("退回原因：", "Sent back: "))</strong>\(owner.words)</p>"))\
        \(when: campaign.state == .closed, note(.neutral, "<p>\(t("普查已结束，数据冻结。", "The campaign is closed; its numbers are frozen."))</p>"))\
        \(facts([
          (t("基准日", "Reference day"), time(campaign.referenceDay)),
          (t("填报期限", "Due"), owner.state.isOwing && campaign.state != .closed ? dueOf(t, campaign, today: today) : "\(campaign.due.date)"),
          (t("已填", "Entered"), "\(link("\(grouped(owner.entered)) / \(grouped(owner.lines))", CensusLink.owner(owner.id)))"),
          (t("提交", "Submitted"), owner.submittedAt.map { "\(time($0)) \(owner.submittedBy ?? "")" } ?? "—"),
          (t("验收", "Decided"), owner.decidedAt.map { "\(time($0)) \(owner.decidedBy ?? "")" } ?? "—"),
        ]))\
        \(comparison(t, caption: t("本单位六项合计", "The six quantities of this organisation"), owner.sums, before: before, href: CensusLink.owner(owner.id)))\
        \(when: mayRun && campaign.state == .open, decision)\
        \(panel(t("逐项填报", "Resource by resource"), id: "lines", actions: .nothing, lines))\
        \(when: isEditable, workbook)
        """)
  }

  private var tools: HTML {
    var tools: [HTML] = [buttonLink(t("打印", "Print"), href: CensusLink.print(owner.id))]
    if isOwn, owner.state == .submitted, campaign.state != .closed {
      tools.append(form(request, action: CensusLink.step(owner.id, "recall"), button(t("撤回", "Take back"), .plain)))
    }
    return tools.joined(" ")
  }

  private var decision: HTML {
    guard owner.state == .submitted || owner.state == .accepted else { return .nothing }
    let reasons = Field(
      "reasons", Text("退回原因", "Reasons for sending it back"), .area(maxLength: Census.reasonLimit), required: false,
      hint: Text("填报单位会看到", "the organisation will read them"))
    return panel(
      t("验收", "Decide"), id: "decide",
      form(
        request, action: CensusLink.step(owner.id, "decide"),
        """
        \(field(t, reasons, value: entered, faults: refusal?.faults ?? []))\
        <p class="buttons">\(when: owner.state == .submitted, button(t("验收通过", "Accept"), .primary, name: "decision", value: "accept")) \
        \(button(t("退回", "Send back"), .danger, name: "decision", value: "return"))</p>
        """))
  }

  // MARK: Lines

  private var lines: HTML {
    let filters = tabs(
      label: t("筛选", "Filter"),
      [Tab(t("全部", "All"), href: CensusLink.owner(owner.id), count: owner.lines, current: origin == nil)]
        + LineOrigin.allCases.map {
          Tab(t($0.title), href: CensusLink.owner(owner.id, origin: $0), current: origin == $0)
        })
    let rows = found.lines.enumerated().map { index, line in row(index, line) }.joined()
    let list = table(
      caption: t("逐项资源的六项数量", "The six quantities, resource by resource"),
      columns: [Column(t("资源", "Resource"))] + quantityColumns(t), rows: rows,
      empty: emptyState(
        owner.lines == 0
          ? t("本单位没有已发布的资源，可直接提交。", "This organisation has no published resource; submit as it is.")
          : t("没有符合筛选的资源。", "No resource fits the filter.")))
    let next = found.next.map { CensusLink.owner(owner.id, category: category, origin: origin, after: $0) }
    let pages = pager(
      t, previous: after == nil ? nil : CensusLink.owner(owner.id, category: category, origin: origin), next: next)
    guard isEditable else { return filters + list + pages }
    // What stands on this page is saved with it.
    let left = owner.lines - owner.entered - found.lines.count { $0.origin != .entered }
    let question =
      left > 0
      ? t(
        "有 \(left) 条没有填写，按现有数字或 0 提交。确认提交？", "\(left) lines were not entered and count as they stand. Submit?")
      : t("确认提交填报？提交后须撤回才能修改。", "Submit the return? To change it later, it has to be recalled.")
    guard !found.lines.isEmpty else {
      let submit = form(
        request, action: CensusLink.step(owner.id, "submit"),
        buttons(button(t("提交填报", "Submit the return"), .primary, confirm: question)))
      return filters + list + pages + submit
    }
    // What was typed goes along with the return. Saving comes first: it is what Enter in a field does.
    let buttons: HTML = """
      <p class="buttons">\(button(t("保存本页", "Save this page"), .primary, name: "then", value: "stay"))\
      \(when: next != nil, " \(button(t("保存并到下一页", "Save and go on"), .plain, name: "then", value: "next"))") \
      \(button(t("保存并提交填报", "Save and submit the return"), .plain, name: "then", value: "submit", confirm: question))</p>
      """
    return """
      \(filters)<p class="muted">\(t("保存即表示本页各行已核实；空白按 0 计。", "Saving says that the lines of this page were checked; a blank counts as 0."))</p>\
      \(form(request, action: here, "\(list)\(found.next.map { "<input type=\"hidden\" name=\"next\" value=\"\($0)\">" as HTML })\(buttons)"))\(pages)
      """
  }

  private func row(_ index: Int, _ line: CensusLine) -> HTML {
    let hint = CensusWorkbook(language: t).hint(line)
    let head: HTML = """
      <td class="named"><a href="/catalog/resources/\(line.resource)">\(line.name)</a><br><span class="code">\(line.code)</span>\
      <br><span class="muted">\(hint)</span>\
      \(when: isEditable, """
        <input type="hidden" name="lines.\(index).code" value="\(line.code)">\
        <input type="hidden" name="lines.\(index).revision" value="\(line.revision)">
        """)\(fault(index, "code"))</td>
      """
    let last = found.before[line.resource]
    let cells = Quantity.allCases.map { quantity in
      let was: HTML =
        last.map { numbers -> HTML in
          let shown = SixQuantities.shown(numbers[quantity], quantity)
          return "<br><span class=\"muted\">\(t("上次", "last")) \(shown)</span>"
        } ?? .nothing
      guard isEditable else {
        return "<td class=\"number\">\(SixQuantities.shown(line.numbers[quantity], quantity))\(was)</td>" as HTML
      }
      let name = "lines.\(index).\(quantity.rawValue)"
      let value =
        entered.pairs.first { $0.name == name }?.value ?? SixQuantities.plain(line.numbers[quantity], quantity)
      return """
        <td class="number">\(rowText(
          name: name, label: "\(line.name) \(t(quantity.heading))", value: value, maxLength: 24,
          wrong: refusal?.faults.contains { $0.field == name } ?? false))\(was)\(fault(index, quantity.rawValue))</td>
        """
    }.joined()
    return "<tr>\(head)\(cells)</tr>"
  }

  private func fault(_ index: Int, _ part: String) -> HTML? {
    let name = "lines.\(index).\(part)"
    guard let fault = refusal?.faults.first(where: { $0.field == name }) else { return nil }
    return "<p class=\"fault\"\(when: part == "code", " id=\"\(name)\"")>\(t(fault.message))</p>"
  }

  // MARK: The workbook

  private var workbook: HTML {
    let file = Field(
      "workbook", Text("填好的文件", "Filled-in file"), .file,
      hint: Text(
        ".xlsx 或 .csv，不超过 \(CensusWorkbook.mostBytes >> 20) MiB、\(grouped(CensusWorkbook.mostLines)) 行",
        ".xlsx or .csv, at most \(CensusWorkbook.mostBytes >> 20) MiB and \(grouped(CensusWorkbook.mostLines)) rows"))
    return panel(
      t("用工作簿填报", "Fill it in as a workbook"), id: "workbook",
      """
      <ol><li><a href="\(CensusLink.file(owner.id, "xlsx"))">\(t("下载本单位的工作簿", "Download this return as a workbook"))</a>\
      \(t("或", " or "))<a href="\(CensusLink.file(owner.id, "csv"))">CSV</a>\
      \(t("，已填入现有数字。", ", with the numbers that stand now."))</li>\
      <li>\(t("填写六列数字后导入；有误的行连同原因退回，更正后再导入。", "Fill in the six columns and send it; wrong rows come back with reasons, to be corrected and sent again."))</li></ol>\
      \(form(request, action: CensusLink.workbook(owner.id), upload: true, "\(field(t, file, value: Fields(), faults: refusal?.faults ?? []))\(buttons(button(t("导入", "Import"))))"))
      """)
  }

  private func importNote(_ key: String, _ summary: CensusImportSummary) -> HTML {
    note(
      summary.rejected == 0 ? .good : .late,
      """
      <p>\(summary.file)\(t("：已保存 \(grouped(summary.kept)) 行", ": \(grouped(summary.kept)) rows kept"))\
      \(when: summary.rejected > 0, t("，\(grouped(summary.rejected)) 行未导入。", "; \(grouped(summary.rejected)) rows were not imported.").asHTML)</p>\
      \(when: summary.rejected > 0, """
        <p><a class="button primary" href="\(CensusLink.rejected(key))">\(t("下载未导入的行", "Download the rows that were not imported"))</a> \
        <span class="muted">\(t("原因写在每行最后一列；更正后直接导入这个文件。保留 24 小时。", "Each row says why in its last column; correct it and send that very file. Kept for 24 hours."))</span></p>
        """)
      """)
  }
}

extension String {
  fileprivate var asHTML: HTML { "\(self)" }
}
