import Catalog
import Deadlines
import Kernel
import Web

/// A campaign with what it adds up to: over all, by organisation, by class; each number leads to its rows.
enum TotalsPage {
  static func render(_ request: Request, _ totals: Census.Totals, onlyLate: Bool, _ classification: Classification)
    -> Page
  {
    let t = request.language
    let today = request.now.dateInChina
    let campaign = totals.campaign
    let late = totals.returns.filter { $0.isLate(due: campaign.due.date, today: today) }
    let mayClose = totals.isWhole && campaign.state == .open
    let tools = [
      buttonLink("XLSX", href: CensusLink.totals(campaign.id, "xlsx")),
      buttonLink("CSV", href: CensusLink.totals(campaign.id, "csv")),
      mayClose ? buttonLink(t("结束普查", "Close"), href: CensusLink.close(campaign.id), .danger) : .nothing,
    ].joined(" ")
    return Page(
      Text(same: campaign.name), section: .catalog, trail: [catalogTrail, censusTrail],
      refresh: campaign.state == .preparing ? 5 : nil,
      body: """
        \(heading(campaign.name, state: campaignBadge(t, campaign.state), actions: tools))\
        \(when: campaign.state == .preparing, note(.neutral, "<p>\(t("正在为各单位逐条生成填报表，完成一个单位即通知一个单位。", "Lines are being laid out; each organisation is told as soon as its own are there."))</p>"))\
        \(facts([
          (t("基准日", "Reference day"), time(campaign.referenceDay)),
          (t("填报期限", "Due"), dueOf(t, campaign, today: today)),
          (t("发起", "Opened"), "\(time(campaign.openedAt)) \(campaign.openedBy)"),
          (t("结束", "Closed"), campaign.closedAt.map { "\(time($0)) \(campaign.closedBy ?? "")" } ?? "—"),
          (t("对比批次", "Compared with"), totals.previous.map { link($0.name, CensusLink.campaign($0.id)) } ?? "\(t("没有上一批", "no earlier campaign"))"),
        ]))\
        \(when: totals.isWhole, progress(t, totals, late: late.count))\
        \(panel(
          totals.isWhole ? t("全省合计", "The province in all") : t("本单位合计", "Our organisation in all"), id: "total",
          comparison(
            t, caption: t("六项合计", "The six quantities"), totals.total.numbers, before: totals.before,
            href: CensusLink.lines(campaign.id))))\
        \(panel(
          onlyLate ? t("逾期单位", "Late organisations") : t("按单位", "By organisation"), id: "offices",
          offices(t, campaign, onlyLate ? late : totals.returns, today: today)))\
        \(panel(t("按分类", "By class"), id: "classes", categories(t, totals, classification)))
        """)
  }

  /// How far the offices are; each number leads to its list.
  private static func progress(_ t: Language, _ totals: Census.Totals, late: Int) -> HTML {
    let here = CensusLink.campaign(totals.campaign.id)
    func count(_ states: ReturnState...) -> Int { totals.returns.count { states.contains($0.state) } }
    return figures([
      Figure(t("填报单位", "Organisations"), totals.returns.count, href: here + "#offices"),
      Figure(t("待填报", "Still to fill in"), count(.preparing, .filling, .returned), href: here + "#offices"),
      Figure(
        t("待验收", "To accept"), count(.submitted), href: here + "#offices",
        tone: count(.submitted) > 0 ? .soon : .neutral),
      Figure(t("已验收", "Accepted"), count(.accepted), href: here + "#offices", tone: .good),
      Figure(t("逾期", "Late"), late, href: here + "?late=1#offices", tone: late > 0 ? .late : .neutral),
      Figure(t("资源", "Resources"), totals.total.lines, href: CensusLink.lines(totals.campaign.id)),
    ])
  }

  private static func offices(
    _ t: Language, _ campaign: Campaign, _ returns: [CensusReturn], today: CalendarDate
  ) -> HTML {
    let rows = returns.map { owner in
      let href = CensusLink.owner(owner.id)
      return """
        <tr><td class="named"><a href="\(href)">\(owner.officeName)</a></td><td>\(returnBadge(t, owner.state))\
        \(when: owner.isLate(due: campaign.due.date, today: today), " \(badge(t("逾期", "late"), .late))")</td>\
        <td class="number"><a href="\(href)">\(grouped(owner.entered)) / \(grouped(owner.lines))</a></td>\
        \(quantityCells(owner.sums, href: href))</tr>
        """ as HTML
    }.joined()
    return table(
      caption: t("各单位填报情况", "What each organisation returned"),
      columns: [
        Column(t("单位", "Organisation")), Column(t("状态", "State")),
        Column(t("已填 / 资源", "Entered / resources"), numeric: true),
      ] + quantityColumns(t), rows: rows, empty: emptyState(t("没有逾期的单位。", "No organisation is late.")))
  }

  private static func categories(_ t: Language, _ totals: Census.Totals, _ classification: Classification) -> HTML {
    let rows = totals.categories.map { category, sum in
      let href = CensusLink.lines(totals.campaign.id, category: category)
      return """
        <tr><td class="named"><a href="\(href)">\(categoryName(t, category, classification))</a> <span class="code">\(category)</span></td>\
        \(numberCell(sum.lines, href: href))\(quantityCells(sum.numbers, href: href))</tr>
        """ as HTML
    }.joined()
    return table(
      caption: t("各分类合计", "What each class adds up to"),
      columns: [Column(t("分类", "Class")), Column(t("资源", "Resources"), numeric: true)] + quantityColumns(t), rows: rows,
      empty: emptyState(t("还没有资源。", "No resources yet.")))
  }

  /// The rows behind a number: lines of all organisations by code.
  static func lines(_ request: Request, _ found: Census.Lines, category: String?, _ classification: Classification)
    -> Page
  {
    let t = request.language
    let id = found.campaign.id
    let rows = found.lines.map { line in
      """
      <tr><td class="named"><a href="/catalog/resources/\(line.resource)">\(line.name)</a><br><span class="code">\(line.code)</span></td>\
      <td><a href="\(CensusLink.owner(line.owner, from: line.code))">\(line.officeName)</a></td>\
      <td>\(t(line.origin.title))</td>\(quantityCells(line.numbers))</tr>
      """ as HTML
    }.joined()
    let title = category.map { categoryName(t, $0, classification) } ?? t("全部资源", "All resources")
    return Page(
      Text(same: title), section: .catalog,
      trail: [catalogTrail, censusTrail, (Text(same: found.campaign.name), CensusLink.campaign(id))],
      body: """
        \(table(
          caption: t("逐项资源", "Resource by resource"),
          columns: [Column(t("资源", "Resource")), Column(t("单位", "Organisation")), Column(t("来源", "From"))] + quantityColumns(t),
          rows: rows, empty: emptyState(t("没有资源。", "No resources."))))\
        \(pager(
          t, previous: request.query["after"] == nil ? nil : CensusLink.lines(id, category: category),
          next: found.next.map { CensusLink.lines(id, category: category, after: $0) }))
        """)
  }
}
