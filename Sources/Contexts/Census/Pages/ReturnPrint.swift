import Kernel
import Web

/// A return on paper: what it adds up to, line by line, with a place for the office's seal.
struct ReturnPrint {
  /// A form of more lines than this is no paper; the rest is in the file.
  static let mostLines = 1000

  let campaign: Campaign
  let owner: CensusReturn
  let before: SixQuantities?
  let found: Census.Lines

  func page(_ request: Request) -> Page {
    let t = request.language
    return PrintedForm(
      title: Text("政务信息资源普查表", "Census of government information resources"),
      number: "\(campaign.name) · \(owner.officeName)", body: body(t),
      seals: [Text("填报单位：\(owner.officeName)", "Organisation: \(owner.officeName)"), Text("验收单位", "Accepted by")]
    ).page(
      request, section: .catalog,
      trail: [
        censusTrail, (Text(same: campaign.name), CensusLink.campaign(campaign.id)),
        (Text(same: owner.officeName), CensusLink.owner(owner.id)),
      ], tools: buttonLink("CSV", href: CensusLink.file(owner.id, "csv")))
  }

  private func body(_ t: Language) -> HTML {
    let sums = Quantity.allCases.map { quantity in
      """
      <tr><td>\(t(quantity.heading))</td><td class="number">\(SixQuantities.shown(owner.sums[quantity], quantity))</td>\
      <td class="number">\(before.map { SixQuantities.shown($0[quantity], quantity) } ?? "—")</td></tr>
      """ as HTML
    }.joined()
    let rows = found.lines.enumerated().map { index, line in
      """
      <tr><td class="number">\(index + 1)</td><td>\(line.name)<br><span class="code">\(line.code)</span></td>\
      \(quantityCells(line.numbers))<td>\(t(line.origin.title))</td></tr>
      """ as HTML
    }.joined()
    let heads = Quantity.allCases.map { t($0.short) }
    return """
      \(ruledFacts([
        [(t("填报单位", "Organisation"), "\(owner.officeName)"), (t("状态", "State"), "\(t(owner.state.title))")],
        [(t("普查批次", "Campaign"), "\(campaign.name)"), (t("基准日", "Reference day"), "\(campaign.referenceDay)")],
        [
          (t("提交", "Submitted"), owner.submittedAt.map { "\($0.minuteInChina) \(owner.submittedBy ?? "")" } ?? "—"),
          (t("验收", "Decided"), owner.decidedAt.map { "\($0.minuteInChina) \(owner.decidedBy ?? "")" } ?? "—"),
        ],
      ]))\
      \(ruledList(t("合计（\(owner.lines) 条资源）", "In all (\(owner.lines) resources)"), [t("项目", "Quantity"), t("本次", "This census"), t("上次", "Last census")], sums, empty: ""))\
      \(ruledList(t("逐项资源", "Resource by resource"), [t("序号", "No."), t("信息资源", "Resource")] + heads + [t("来源", "From")], rows, empty: t("没有资源。", "No resources.")))\
      \(when: found.next != nil, "<p>\(t("仅打印前 \(Self.mostLines) 条，全部见 CSV 或工作簿。", "The first \(Self.mostLines) are printed; all are in the CSV or the workbook."))</p>")
      """
  }
}
