internal import Deadlines
internal import Inventory
internal import Kernel
internal import Web

/// What waits for the reviewer: filtered, longest waiting first, decided one by one or many at once.
func queuePage(
  _ request: Request, _ page: QueuePage, _ filter: QueueFilter, picked: Set<String> = [], values: Fields = Fields(),
  refusal: Refusal? = nil
) -> Page {
  let t = request.language
  var first = filter
  first.after = nil
  func view(_ view: QueueFilter.View, _ label: Text) -> Tab {
    Tab(t(label), href: CatalogLink.queue(QueueFilter(view: view)), current: filter.view == view)
  }
  var next = filter
  next.after = page.next
  return Page(
    Text("目录审核", "Review"), section: .catalog, status: refusal?.status ?? 200, trail: [catalogTrail],
    body: """
      <h1>\(t("目录审核", "Entries to review"))</h1>\(faultSummary(t, refusal))\
      \(tabs(label: t("审核事项", "What waits"), [
        view(.submitted, Text("待审核", "To decide")), view(.approved, Text("待发布", "To publish")),
        view(.online, Text("上下架申请", "Offline and back")), view(.offline, Text("已下架", "Offline")),
      ]))\
      \(list(request, page, filter, picked, values, refusal))\
      \(pager(
        t, previous: filter.after == nil ? nil : CatalogLink.queue(first),
        next: page.next == nil ? nil : CatalogLink.queue(next)))
      """)
}

private func list(
  _ request: Request, _ page: QueuePage, _ filter: QueueFilter, _ picked: Set<String>, _ values: Fields,
  _ refusal: Refusal?
) -> HTML {
  switch filter.view {
  case .online: onlineRequests(request, page)
  case .offline: offlineTable(request.language, page.offline, isOwn: false)
  case .submitted, .approved:
    filterForm(request.language, page, filter) + entries(request, page, filter, picked, values, refusal)
  }
}

private func filterForm(_ t: Language, _ page: QueuePage, _ filter: QueueFilter) -> HTML {
  let any = t("全部", "all")
  let values = Fields([
    ("provider", filter.provider?.text ?? ""), ("since", filter.waitingSince?.description ?? ""),
    ("due", filter.due?.rawValue ?? ""), ("found", filter.found?.rawValue ?? ""),
  ])
  let fields = [
    Field(
      "provider", Text("提供方", "Provider"), .choice([("", any)] + page.offices.map { ($0.id.text, $0.name) })),
    Field("since", Text("提交日期不晚于", "Submitted until"), .date),
    Field(
      "due", Text("办理期限", "Due"),
      .choice([
        ("", any), ("late", t("已逾期", "late")), ("today", t("今天到期", "due today")), ("later", t("未到期", "later")),
      ])),
    Field(
      "found", Text("提交时的核验", "Found when submitted"),
      .choice([
        ("", any), ("clean", t("没有提示", "nothing")), ("warnings", t("有请核对", "warnings")),
        ("alike", t("有相近目录", "entries alike")),
      ])),
  ]
  let view: HTML =
    filter.view == .submitted ? .nothing : "<input type=\"hidden\" name=\"view\" value=\"\(filter.view.rawValue)\">"
  return """
    <form class="search grid" method="get" action="\(CatalogLink.queue)">\(view)\
    \(fields, { field(t, Field($0.name, $0.label, $0.kind, required: false, saysOptional: false), value: values) })<button>\(t("筛选", "Filter"))</button></form>
    """
}

private func entries(
  _ request: Request, _ page: QueuePage, _ filter: QueueFilter, _ picked: Set<String>, _ values: Fields,
  _ refusal: Refusal?
) -> HTML {
  let t = request.language
  let today = request.now.dateInChina
  let isFiltered = filter != QueueFilter(view: filter.view)
  let rows = page.entries.map { entry -> HTML in
    let line = entry.line
    let pick = ReviewPick.text(line)
    return """
      <tr><td>\(rowTick(name: "pick", value: pick, label: line.name, checked: picked.contains(pick)))</td>\
      <td><a href="\(CatalogLink.review(line.id))">\(line.name)</a></td><td>\(line.providerName)</td>\
      <td>\(t("第 \(line.version) 版", "Version \(line.version)"))</td>\
      <td>\(line.submittedAt.map { time($0) })</td><td>\(reviewDue(t, line, today))</td><td>\(found(t, entry))</td></tr>
      """
  }.joined()
  let list = table(
    caption: t("等待最久的在前", "Longest waiting first"),
    head: [
      t("选择", "Pick"), t("名称", "Name"), t("提供方", "Provider"), t("版本", "Version"), t("提交时间", "Submitted"),
      t("办理期限", "Due"), t("核验", "Findings"),
    ],
    rows: rows,
    empty: emptyState(
      isFiltered
        ? t("没有符合条件的目录。", "Nothing fits these filters.")
        : filter.view == .approved
          ? t(
            "没有等待发布的目录。审核时选“通过，暂不发布”的目录会列在这里。",
            "Nothing waits to be published. What is approved to be published later is listed here.")
          : t(
            "没有等待审核的目录。部门提交后会列在这里，并出现在待办中。", "Nothing waits. What departments submit is listed here and in your tasks."),
      action: isFiltered
        ? buttonLink(t("取消筛选", "Drop the filters"), href: CatalogLink.queue(QueueFilter(view: filter.view))) : .nothing)
  )
  guard !page.entries.isEmpty else { return list }
  let decisions: HTML =
    filter.view == .approved
    ? buttons(button(t("发布选中的", "Publish those picked"), name: "decision", value: "publish"))
    : """
    \(field(t, Field("reasons", Text("退回原因", "Reasons for returning"), .area(maxLength: Cataloguing.reasonLimit), required: false, hint: Text("每条目录的编制人都会看到。", "The compiler of each entry will read them."), needed: Text("退回时必填", "needed when returning")), value: values, faults: refusal?.faults ?? []))\
    \(buttons(
      button(t("通过并发布选中的", "Approve and publish those picked"), name: "decision", value: "approve-publish",
        confirm: t(
          "登记并发布选中的各条？有相近目录或“请核对”的也一并发布；代码赋予后不再收回。",
          "Register and publish those picked? So are those that are like others or marked to be looked at; a code that is given is never taken back.")),
      button(t("通过选中的，暂不发布", "Approve those picked, publish later"), .plain, name: "decision", value: "approve"),
      button(t("退回选中的", "Return those picked"), .danger, name: "decision", value: "return")))
    """
  return form(
    request, action: CatalogLink.queue(filter),
    "\(formKey(request, Fields()))<div id=\"pick\" tabindex=\"-1\">\(list)</div>\(decisions)")
}

private func found(_ t: Language, _ entry: QueueEntry) -> HTML {
  let alike = entry.line.alike ?? 0
  return """
    \(when: entry.errors > 0, "\(badge(t("\(entry.errors) 项须更正", "\(entry.errors) to correct"), .late)) ")\
    \(when: entry.warnings > 0, "\(badge(t("\(entry.warnings) 项请核对", "\(entry.warnings) to check"), .soon)) ")\
    \(when: alike > 0, "\(badge(t("\(alike) 条相近", "\(alike) alike"), .soon)) ")\
    \(when: entry.errors + entry.warnings + alike == 0, badge(t("通过", "Passed"), .good))
    """
}

private func onlineRequests(_ request: Request, _ page: QueuePage) -> HTML {
  let t = request.language
  let rows = page.requests.map { asked in
    let due = asked.due.flatMap { DueDate(encoded: $0) }
    return """
      <tr><td><a href="\(CatalogLink.onlineRequest(asked.id))">\(asked.name)</a></td><td>\(asked.providerName)</td>\
      <td>\(onlineBadge(t, asked.state))</td><td>\(time(asked.at))</td>\
      <td>\(due.map { dueBadge(t, Due($0.date, isProvisional: $0.provisional, explanation: $0.explanation), today: request.now.dateInChina, soon: 1) })</td></tr>
      """ as HTML
  }.joined()
  return table(
    caption: t("等待最久的在前", "Longest waiting first"),
    head: [t("名称", "Name"), t("提供方", "Provider"), t("申请", "Asked for"), t("申请时间", "Asked"), t("办理期限", "Due")],
    rows: rows,
    empty: emptyState(t("没有上下架申请。", "No request waits.")))
}

/// What became of each entry that was decided, or submitted, together with others.
func outcomePage(
  _ request: Request, _ outcomes: [ReviewOutcome], done: Text, words: String? = nil,
  back: (label: Text, href: String) = (Text("目录审核", "Review"), CatalogLink.queue)
) -> Page {
  let t = request.language
  let failed = outcomes.filter { $0.refusal != nil }
  let rows = (failed + outcomes.filter { $0.refusal == nil }).map { outcome in
    """
    <tr><td>\(outcome.name.map { link($0, CatalogLink.resource(outcome.pick.id)) } ?? "—")</td>\
    <td>\(outcome.refusal == nil ? badge(t(done), .good) : badge(t("未办理", "not done"), .late))</td>\
    <td>\(outcome.refusal.map { refusalWords(t, $0) })</td></tr>
    """ as HTML
  }.joined()
  let succeeded = outcomes.count - failed.count
  return Page(
    Text("批量办理结果", "What became of them"), section: .catalog,
    trail: [catalogTrail, back],
    body: """
      <h1>\(t("批量办理结果", "What became of them"))</h1>\
      \(note(failed.isEmpty ? .good : .soon, "<p>\(t("\(done.chinese) \(succeeded) 条，未办理 \(failed.count) 条。", "\(done.english): \(succeeded); not done: \(failed.count)."))</p>"))\
      \(when: !failed.isEmpty, words.map { "<p>\(t("您填写的退回原因（未办理的目录没有收到）：", "The reasons you gave, which the entries not done did not get: "))\($0)</p>" as HTML } ?? .nothing)\
      \(table(caption: t("逐条结果", "One by one"), head: [t("名称", "Name"), t("结果", "Result"), t("原因", "Why")], rows: rows, empty: .nothing))\
      \(buttons(buttonLink("\(t("返回", "Back to: "))\(t(back.label))", href: back.href, .primary)))
      """)
}
