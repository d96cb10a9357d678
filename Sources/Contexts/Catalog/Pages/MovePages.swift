internal import Kernel
internal import Web

private let runsTrail: (label: Text, href: String) = (Text("目录迁入", "Moving in"), CatalogPath.runs)

/// Which catalogue systems were moved in, and how.
func moveRunsPage(_ request: Request, _ runs: [MoveStore.Run]) -> Page {
  let t = request.language
  let rows = runs.map { run -> HTML in
    """
    <tr><td><a href="\(CatalogPath.run(run.id))">\(run.startedAt.minuteInChina)</a></td><td>\(MoveMapping.title(of: run.source))</td>\
    <td>\(runState(t, run))</td>\(numberCell(run.read))\(numberCell(run.moved))\(numberCell(run.changed))\
    \(numberCell(run.same))\(numberCell(run.leftOut))\(numberCell(run.findings, href: CatalogPath.run(run.id)))</tr>
    """
  }.joined()
  let columns =
    [t("时间", "When"), t("原系统", "Source"), t("状态", "State")].map { Column($0) }
    + [
      t("读到", "Read"), t("新迁入", "Moved in"), t("已更新", "Changed"), t("没有变化", "As before"), t("未迁入", "Left out"),
      t("未照搬之处", "Did not fit"),
    ].map { Column($0, numeric: true) }
  let send = buttonLink(t("迁入一个导出", "Move an export in"), href: CatalogPath.sendExport, .primary)
  return Page(
    Text("目录迁入", "Moving in"), section: .catalog, trail: [catalogTrail],
    body: """
      \(heading(t("原目录系统的迁入", "Moving in from existing catalogue systems"), actions: send))\
      \(table(
        caption: t("历次迁入", "Movings in"), columns: columns, rows: rows,
        empty: emptyState(t(
          "还没有迁入过。把原系统的表导出为 CSV 或 .xlsx，打成一个 .zip 送来，先试运行看报告。",
          "Nothing was moved in yet. Export the other system's tables as CSV or .xlsx, send them as one .zip, and try it first to see the report."),
          action: send)))
      """)
}

func moveRunPage(
  _ request: Request, _ run: MoveStore.Run, _ findings: [(position: Int, finding: MoveFinding)], after: Int
) -> Page {
  let t = request.language
  let shown = findings.prefix(Cataloguing.movePage)
  let rows = shown.map { _, finding -> HTML in
    let place: HTML =
      finding.line == 0 ? "\(finding.file)" : "\(finding.file) \(t("第 \(finding.line) 行", "line \(finding.line)"))"
    let value: HTML =
      finding.resource.map {
        "<a href=\"\(CatalogLink.resource($0))\">\(finding.value.isEmpty ? t("目录", "entry") : finding.value)</a>"
      } ?? "\(finding.value)"
    return """
      <tr><td>\(place)</td><td>\(finding.elementTitle.map { "\(t($0))" as HTML })\
      \(when: !finding.code.hasPrefix("rule.") && !finding.column.isEmpty, " <span class=\"code\">\(finding.column)</span>")</td><td>\(value)</td><td>\(t(finding.reason))</td>\
      <td>\(actionBadge(t, finding.action))</td></tr>
      """
  }.joined()
  let next =
    findings.count > Cataloguing.movePage ? shown.last.map { "\(CatalogPath.run(run.id))?after=\($0.position)" } : nil
  return Page(
    Text("迁入报告", "Report of moving in"), section: .catalog, trail: [catalogTrail, runsTrail],
    body: """
      \(heading(t("迁入报告", "Report of moving in"), state: runState(t, run)))\
      \(facts([
        (t("原系统", "Source"), "\(MoveMapping.title(of: run.source))"), (t("导出", "Export"), "\(run.folder)"),
        (t("时间", "When"), "\(run.startedAt.minuteInChina) – \(run.endedAt?.minuteInChina ?? "")"), (t("由", "By"), "\(run.person)"),
        (t("读到", "Read"), "\(grouped(run.read))"), (t("新迁入", "Moved in"), "\(grouped(run.moved))"),
        (t("已更新", "Changed"), "\(grouped(run.changed))"), (t("没有变化", "As before"), "\(grouped(run.same))"),
        (t("未迁入", "Left out"), "\(grouped(run.leftOut))"),
      ]))\
      \(panel(t("未照搬之处 \(grouped(run.findings))", "\(grouped(run.findings)) places that did not fit"), id: "findings", table(
        caption: t("未照搬之处", "What did not fit"),
        head: [t("位置", "Where"), t("列", "Column"), t("值", "Value"), t("原因", "Why"), t("处理", "Instead")], rows: rows,
        empty: emptyState(t("全部照搬。", "Everything fitted.")))))\
      \(pager(t, previous: after > 0 ? CatalogPath.run(run.id) : nil, next: next))
      """)
}

/// A department's entries that still are as they were moved in.
func movedPage(_ request: Request, _ open: [MoveStore.Open]) -> Page {
  let t = request.language
  let shown = open.prefix(Cataloguing.movePage)
  let rows = shown.map { entry -> HTML in
    let found = entry.findings.prefix(5).map { finding -> HTML in
      "<li>\(actionBadge(t, finding.action)) \(finding.elementTitle.map { "\(t($0))\(t("：", ": "))" } ?? "")\(t(finding.reason))</li>"
    }.joined()
    let step: HTML =
      switch entry.state {
      case .published:
        form(request, action: CatalogLink.step(entry.id, "change"), button(t("编制新版本", "New version"), .plain))
      case .draft, .returned: buttonLink(t("编辑", "Edit"), href: CatalogLink.edit(entry.id))
      default: .nothing
      }
    return """
      <tr><td><a href="\(CatalogLink.resource(entry.id, version: entry.version))">\(entry.name)</a>\
      <br><span class="code">\(entry.code ?? "")</span></td><td>\(entry.state == .published ? onlineBadge(t, entry.online) : stateBadge(t, entry.state))</td>\
      <td><ul>\(found)\(when: entry.findings.count > 5, "<li>…</li>")</ul></td><td>\(step)</td></tr>
      """
  }.joined()
  let next = open.count > Cataloguing.movePage ? shown.last.map { "\(CatalogPath.moved)?after=\($0.id)" } : nil
  let title = Text("迁入后待整改的目录", "Entries to mend after moving in")
  return Page(
    title, section: .catalog, trail: [catalogTrail, (Text("在编目录", "Entries being written"), CatalogLink.work)],
    body: """
      <h1>\(t(title))</h1>\
      <p>\(t("这些目录从原系统照原样迁入，已发布的仍然有效。编制新版本改正后，就不再列在这里。",
        "These came from the former system as they were; what was published stays in force. Each leaves this list with its new version."))</p>\
      \(table(
        caption: t("待整改", "To mend"),
        head: [t("目录", "Entry"), t("状态", "State"), t("问题", "What did not fit"), t("办理", "Step")], rows: rows,
        empty: emptyState(
          t("没有待整改的目录。", "Nothing to mend."),
          action: form(request, action: CatalogPath.moved + "/done", button(t("办结待办", "End the task"), .plain)))))\
      \(pager(t, previous: nil, next: next))
      """)
}

private func runState(_ t: Language, _ run: MoveStore.Run) -> HTML {
  run.endedAt == nil ? badge(t("未完成", "Not ended"), .soon) : badge(t("已完成", "Done"), .good)
}

private func actionBadge(_ t: Language, _ action: MoveFinding.Action) -> HTML {
  let tone: Tone =
    switch action {
    case .leftOut: .late
    case .draftOnly, .kept: .soon
    case .replaced, .shortened, .newCode: .neutral
    }
  return badge(t(action.title), tone)
}
