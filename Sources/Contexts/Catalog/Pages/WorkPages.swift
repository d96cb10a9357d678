internal import Inventory
internal import Kernel
internal import Web

/// What the department is writing and what it has offline; drafts are submitted one by one or many at once.
func workPage(
  _ request: Request, _ page: WorkPage, _ filter: WorkFilter, picked: Set<String> = [], refusal: Refusal? = nil
) -> Page {
  let t = request.language
  var (first, next) = (filter, filter)
  (first.after, next.after) = (nil, page.next)
  func tab(_ view: WorkFilter.View, _ label: Text) -> Tab {
    Tab(
      t(label), href: CatalogLink.work(WorkFilter(view: view)), count: page.counts[view] ?? 0,
      current: filter.view == view)
  }
  return Page(
    Text("在编目录", "Entries being written"), section: .catalog, status: refusal?.status ?? 200, trail: [catalogTrail],
    body: """
      \(heading(
        t("本单位在编目录", "Entries your organisation is writing"),
        actions:
          "\(buttonLink(t("用 Excel 编制", "By Excel"), href: CatalogLink.imports)) \(buttonLink(t("编制目录", "New entry"), href: CatalogLink.new, .primary))"))\
      \(faultSummary(t, refusal))\
      \(tabs(label: t("状态", "State"), [
        tab(.all, Text("全部在编", "All")), tab(.draft, Text("草稿", "Drafts")), tab(.returned, Text("已退回", "Returned")),
        tab(.submitted, Text("待审核", "Under review")), tab(.approved, Text("待发布", "To be published")),
        tab(.offline, Text("已下架", "Offline")),
      ]))\
      \(nameForm(t, filter))\
      \(filter.view == .offline ? offlineTable(t, page.offline, isOwn: true, filtered: !filter.name.isEmpty) : lines(request, page, filter, picked))\
      \(pager(
        t, previous: filter.after == nil ? nil : CatalogLink.work(first),
        next: page.next == nil ? nil : CatalogLink.work(next)))
      """)
}

private func nameForm(_ t: Language, _ filter: WorkFilter) -> HTML {
  let view: HTML =
    filter.view == .all ? .nothing : "<input type=\"hidden\" name=\"view\" value=\"\(filter.view.rawValue)\">"
  let name = Field("q", Text("名称包含", "Name contains"), .text(maxLength: 100), required: false, saysOptional: false)
  return """
    <form class="search grid" method="get" action="\(CatalogLink.work)">\(view)\
    \(field(t, name, value: Fields([("q", filter.name)])))<button>\(t("查找", "Find"))</button></form>
    """
}

private func lines(_ request: Request, _ page: WorkPage, _ filter: WorkFilter, _ picked: Set<String>) -> HTML {
  let t = request.language
  let today = request.now.dateInChina
  let rows = page.lines.map { line -> HTML in
    let pick = ReviewPick.text(line)
    let tick: HTML =
      line.state.isEditable
      ? rowTick(name: "pick", value: pick, label: line.name, checked: picked.contains(pick)) : .nothing
    return """
      <tr><td>\(tick)</td><td><a href="\(CatalogLink.resource(line.id, version: line.version))">\(line.name)</a></td>\
      <td>\(t("第 \(line.version) 版", "Version \(line.version)"))</td><td>\(stateBadge(t, line.state))</td>\
      <td>\(time(line.changedAt))</td><td>\(whoActs(t, line, today))</td></tr>
      """
  }.joined()
  let list = table(
    caption: t("最近变更的在前", "Last changed first"),
    head: [
      t("选择", "Pick"), t("名称", "Name"), t("版本", "Version"), t("状态", "State"), t("变更时间", "Changed"),
      t("下一步", "Who acts next"),
    ],
    rows: rows,
    empty: emptyState(
      filter.view == .all && filter.name.isEmpty
        ? t(
          "没有正在编制的目录。可从数据表生成、用 Excel 导入或手工编制；修改已发布的目录，从它的页面“编制新版本”。",
          "Nothing is being written. Make an entry from a table, by Excel or by hand; to change a published one, write a new version from its page."
        ) : t("没有符合条件的目录。", "Nothing fits.")))
  guard page.lines.contains(where: { $0.state.isEditable }) else { return list }
  // What stands in the box but was not looked for is no condition: the button says what is.
  let which = filter.name.isEmpty ? Text("", "") : Text("名称含“\(filter.name)”的", " with “\(filter.name)” in their names")
  let kind = filter.view == .returned ? Text("退回", "returned") : Text("草稿", "drafts")
  let (many, most) = (page.submittable, page.submittable == ReviewPick.limit)
  let label = Text(
    "提交\(which.chinese)\(most ? "前" : "全部") \(many) 条\(kind.chinese)",
    "Submit \(most ? "the first" : "all") \(many) \(kind.english)\(which.english)")
  return form(
    request, action: CatalogLink.work(filter),
    """
    \(formKey(request, Fields()))<div id="pick" tabindex="-1">\(list)</div>\
    <p>\(t("提交前逐条核验，有错误的不提交并说明原因；第 2 版起须在它自己的页面填写变更原因。", "Each is checked first; one with errors is not submitted and you are told why. From the second version on the reason is given on its own page."))</p>\
    \(buttons(
      button(t("提交选中的", "Submit those picked"), name: "what", value: "picked"),
      many == 0 ? .nothing : button(
        t(label), .plain, name: "what", value: "first",
        confirm: t("\(label.chinese)？有错误的不会提交。", "\(label.english)? Those with errors are not submitted."))))
    """)
}

private func whoActs(_ t: Language, _ line: CatalogStore.Line, _ today: CalendarDate) -> HTML {
  switch line.state {
  case .draft, .returned: "\(t("本单位：补全并提交", "your organisation: complete and submit"))"
  case .submitted: "\(t("平台审核", "the reviewer")) \(reviewDue(t, line, today))"
  case .approved: "\(t("平台发布", "the operator publishes"))"
  case .published, .superseded, .discarded: .nothing
  }
}

/// Entries that are registered and not in the catalogue now, for their department or for the operator.
func offlineTable(_ t: Language, _ lines: [CatalogStore.OfflineLine], isOwn: Bool, filtered: Bool = false) -> HTML {
  let rows = lines.map { line in
    """
    <tr><td><a href="\(CatalogLink.resource(line.id, version: line.version))">\(line.name)</a></td>\
    <td class="code">\(line.code)</td>\(when: !isOwn, "<td>\(line.providerName)</td>")<td>\(line.at.map { time($0) })</td></tr>
    """ as HTML
  }.joined()
  return table(
    caption: t("最近下架的在前", "Last taken offline first"),
    head: [t("名称", "Name"), t("代码", "Code")] + (isOwn ? [] : [t("提供方", "Provider")]) + [t("下架时间", "Offline since")],
    rows: rows,
    empty: emptyState(filtered ? t("没有符合条件的目录。", "Nothing fits.") : t("没有已下架的目录。", "Nothing is offline.")))
}
