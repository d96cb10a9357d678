internal import Catalog
internal import Connecting
internal import Inventory
internal import Kernel
internal import Web

/// Addresses of this context, in one place.
enum MountingLink {
  static let list = "/mounting"
  static func list(state: Tie.State? = nil, timeliness: Timeliness.State? = nil, after: TieID? = nil) -> String {
    address(list, [("state", state?.rawValue), ("timeliness", timeliness?.rawValue), ("after", after?.text)])
  }
  static func tie(_ id: TieID) -> String { "/mounting/ties/\(id)" }
  static func resource(_ id: ResourceID) -> String { "/mounting/resources/\(id)" }
  static func entry(_ id: ResourceID) -> String { "/catalog/resources/\(id)" }
  static func tables(_ source: DataSource) -> String { "/systems/\(source.system)/sources/\(source.id)/tables" }
  static func read(_ id: SourceID) -> String { "/mounting/sources/\(id)/read" }
  static func drafts(_ id: SourceID) -> String { "/mounting/sources/\(id)/drafts" }
  static func changes(_ id: SourceID) -> String { "/mounting/sources/\(id)/changes" }
  static func change(_ id: SchemaChangeID, _ verb: String) -> String { "/mounting/changes/\(id)/\(verb)" }
  static func batch(_ id: DraftBatchID) -> String { "/mounting/batches/\(id)" }
}

let mountingTrail: (label: Text, href: String) = (Text("挂接与更新", "Mounts and updates"), MountingLink.list)
let catalogueTrail: (label: Text, href: String) = (Text("数据目录", "Catalogue"), "/catalog")

func stateBadge(_ t: Language, _ tie: Tie) -> HTML {
  badge(t(tie.state.title), tie.state == .mounted ? .good : tie.state == .failing ? .late : .neutral)
}

func timelinessBadge(_ t: Language, _ state: Timeliness.State) -> HTML {
  badge(t(state.title), state == .timely ? .good : state == .late ? .late : state == .unknown ? .soon : .neutral)
}

/// Every tie the visitor sees, narrowed by state or timeliness.
func tieListPage(
  _ request: Request, _ listing: Mounting.Listing, state: Tie.State?, timeliness: Timeliness.State?, isForAll: Bool
) -> Page {
  let t = request.language
  let rows = listing.ties.map { tie in
    """
    <tr><td><a href="\(MountingLink.tie(tie.id))">\(tie.name)</a>\(when: !tie.isInForce, " \(badge(t("未发布", "not in force")))")</td>\
    \(when: isForAll, "<td>\(tie.providerName)</td>")<td>\(t(tie.target.kind.title))</td>\
    <td>\(stateBadge(t, tie)) <span class="muted">\(t("自", "since")) \(time(t, tie.since, now: request.now))</span>\
    \(tie.fault.map { "<br>\(t($0.words))" as HTML })</td>\
    <td>\(timelinessBadge(t, tie.timeliness))\(tie.timelyUntil.map { " <span class=\"unbroken\">\($0)</span>" as HTML })</td>\
    <td>\(tie.measuredAt.map { time(t, $0, now: request.now) } ?? "—")</td></tr>
    """ as HTML
  }.joined()
  func shown(_ count: Int) -> String {
    count > TieStore.countLimit
      ? t("\(grouped(TieStore.countLimit)) 以上", "over \(grouped(TieStore.countLimit))") : grouped(count)
  }
  let choices: [Figure] = [
    Figure(
      t("已挂接", "Mounted"), text: shown(listing.counts[.mounted] ?? 0), href: MountingLink.list(state: .mounted),
      tone: .good),
    Figure(
      t("挂接失效", "Failing"), text: shown(listing.counts[.failing] ?? 0), href: MountingLink.list(state: .failing),
      tone: listing.counts[.failing] ?? 0 > 0 ? .late : .neutral),
    Figure(
      t("待检测", "To be tested"), text: shown(listing.counts[.declared] ?? 0), href: MountingLink.list(state: .declared)),
    Figure(
      t("逾期未更新", "Update overdue"), text: shown(listing.timeliness[.late] ?? 0),
      href: MountingLink.list(timeliness: .late),
      tone: listing.timeliness[.late] ?? 0 > 0 ? .late : .neutral),
    Figure(
      t("无法判断", "Cannot be told"), text: shown(listing.timeliness[.unknown] ?? 0),
      href: MountingLink.list(timeliness: .unknown),
      tone: listing.timeliness[.unknown] ?? 0 > 0 ? .soon : .neutral),
  ]
  let filter = state.map { t($0.title) } ?? timeliness.map { t($0.title) }
  let head =
    [t("目录", "Entry")] + (isForAll ? [t("提供方", "Provider")] : [])
    + [t("方式", "Kind"), t("状态", "State"), t("更新", "Updates"), t("最近检测", "Last test")]
  return Page(
    Text("挂接与更新", "Mounts and updates"), section: .catalog, trail: [catalogueTrail],
    body: """
      <h1>\(t("挂接与更新", "Mounts and updates"))</h1>\(figures(choices))\
      \(when: filter != nil, "<p>\(badge(filter ?? "", .active)) <a href=\"\(MountingLink.list)\">\(t("查看全部", "Show all"))</a></p>")\
      \(table(
        caption: t("目录的挂接", "Mounts of entries"), head: head, rows: rows,
        empty: emptyState(
          filter == nil
            ? t("还没有挂接。从数据表编制目录，或为已有目录选择数据表、文件或接口。", "Nothing is mounted yet. Compile an entry from a table, or give one a table, files or an API.")
            : t("没有这样的挂接。", "There is no such mount."),
          action: filter == nil && request.principal?.may(.compileCatalog) == true
            ? buttonLink(t("编制目录", "New entry"), href: "/catalog/new") : .nothing)))\
      \(pager(t, previous: nil, next: listing.next.map { MountingLink.list(state: state, timeliness: timeliness, after: $0) }))
      """)
}

/// One tie: whether it works, whether it is updated, why, and what its tests found before.
func tiePage(_ request: Request, _ view: Mounting.View, isOwn: Bool) -> Page {
  let t = request.language
  let tie = view.tie
  var tools = form(request, action: MountingLink.tie(tie.id) + "/test", button(t("立即检测", "Test now")))
  if isOwn {
    tools += buttonLink(t("更改挂接", "Change the mount"), href: MountingLink.resource(tie.resource))
    if tie.target.kind != .table {
      tools += form(
        request, action: MountingLink.tie(tie.id) + "/remove", confirm: Text("取消这项挂接？", "Give up this mount?"),
        button(t("取消挂接", "Give up"), .danger))
    }
  }
  return Page(
    Text(same: tie.name), section: .catalog, trail: [catalogueTrail, mountingTrail],
    body: """
      \(heading(tie.name, state: stateBadge(t, tie), actions: tools))\
      <p><a href="\(MountingLink.entry(tie.resource))">\(t("查看目录", "Show the entry"))</a></p>\
      \(tieFacts(request, view))\(panel(t("检测记录", "Tests"), runsTable(t, view.runs)))
      """)
}

/// What is known of a tie, for its own page and the entry's.
func tieFacts(_ request: Request, _ view: Mounting.View) -> HTML {
  let t = request.language
  let tie = view.tie
  var pairs: [(String, HTML)] = [
    (t("挂接方式", "Kind"), "\(t(tie.target.kind.title))"), (t("位置", "Where"), place(t, view)),
    (
      t("状态", "State"),
      """
      \(stateBadge(t, tie)) \(t("自", "since")) \(time(tie.since))\
      \(tie.fault.map { "<br>\(t($0.words))" as HTML })
      """
    ),
    (
      t("检测", "Tests"),
      """
      \(tie.measuredAt.map { "\(t("最近", "last")) \(time($0))\(t.comma)" as HTML })\(t("下次", "next")) \(time(tie.dueAt))\
      \(when: tie.failures > 1, "\(t.comma)\(t("连续失败 \(tie.failures) 次", "\(tie.failures) failed in a row"))")
      """
    ),
    (
      t("更新及时性", "Updates"),
      "\(timelinessBadge(t, tie.timeliness))<ul>\(view.timeliness.reasons, { "<li>\(t($0))</li>" })</ul>"
    ),
  ]
  if let mark = tie.watch.mark {
    pairs.append((t("变化标记", "Mark of changes"), "\(t(ChangeMark.limits(of: mark.kind)))"))
  }
  if tie.state == .failing || tie.timeliness == .late {
    pairs.append(
      (t("下一步", "Who acts next"), "\(t("\(tie.providerName)的数据管理员", "the data officer of \(tie.providerName)"))"))
  }
  return facts(pairs)
}

private func place(_ t: Language, _ view: Mounting.View) -> HTML {
  let source = view.sourceName.map { "\($0) · " } ?? ""
  return switch view.tie.target {
  case .table(_, let table, let cursor):
    """
    \(source)<span class="code">\(table.description)</span>\
    \(cursor.map { " · \(t("增量标记", "changes by")) <span class=\"code\">\($0)</span>" as HTML })
    """
  case .files(_, let pattern): "\(source)<span class=\"code\">\(pattern)</span>"
  case .api(let url, let status, let isJSON):
    "<span class=\"code\">\(url)</span> → \(status)\(when: isJSON, " · JSON")"
  }
}

private func runsTable(_ t: Language, _ runs: [TieStore.Run]) -> HTML {
  let rows = runs.map { run in
    """
    <tr><td>\(run.fault == nil ? badge(t("通过", "Passed"), .good) : badge(t("失败", "Failed"), .late))</td>\
    <td>\(time(run.first)) – \(time(run.last))</td><td class="number">\(grouped(run.tests))</td>\
    <td>\(run.fault.map { t($0.words) } ?? "")</td></tr>
    """ as HTML
  }.joined()
  return table(
    caption: t("结果相同的连续检测合为一行", "Tests that ended alike, one after the other, are one line"),
    head: [t("结果", "Result"), t("时间", "When"), t("次数", "Tests"), t("说明", "What was found")], rows: rows,
    empty: emptyState(t("还没有检测。", "Not tested yet.")))
}

/// The section on an entry's page.
func entrySection(_ request: Request, _ resource: Resource, _ views: [Mounting.View], isOwn: Bool) -> HTML {
  let t = request.language
  guard !views.isEmpty || isOwn else { return .nothing }
  let parts = views.map { view in
    tieFacts(request, view) + "<p><a href=\"\(MountingLink.tie(view.tie.id))\">\(t("检测记录", "Tests"))</a></p>"
  }.joined()
  return panel(
    t("挂接与更新", "Mount and updates"), id: "mounting",
    actions: isOwn ? buttonLink(t("挂接", "Mount"), href: MountingLink.resource(resource.id)) : .nothing,
    views.isEmpty ? emptyState(t("还没有挂接数据表、文件或接口。", "No table, files or API are tied to it yet.")) : parts)
}
