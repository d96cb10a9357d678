internal import Catalog
internal import Connecting
internal import Inventory
internal import Kernel
internal import Web

/// Which tables of a source a list shows.
enum TableView: String, CaseIterable, Sendable {
  case uncatalogued, catalogued, received, gone, all

  func title(_ t: Language) -> String {
    switch self {
    case .uncatalogued: t("未编目", "Not catalogued")
    case .catalogued: t("已编目", "Catalogued")
    case .received: t("平台送达", "Received")
    case .gone: t("已删除", "Dropped")
    case .all: t("全部", "All")
    }
  }

  func shows(_ table: SurveyedTable, _ list: Mounting.TableList) -> Bool {
    switch self {
    case .all: true
    case .gone: table.goneAt != nil
    case .received: table.goneAt == nil && table.isReceived
    case .catalogued: table.goneAt == nil && list.entries[table.name] != nil
    case .uncatalogued: table.goneAt == nil && !table.isReceived && list.entries[table.name] == nil
    }
  }
}

private let tablesOnPage = 100

/// A source's tables: what is catalogued and what is not, and drafts of many at once.
func tablesPage(_ request: Request, _ list: Mounting.TableList, view: TableView, mayCompile: Bool) -> Page {
  let t = request.language
  let words = foldedForSearch(request.query["q"] ?? "")
  let after = request.query["after"]
  let found = list.tables.filter { table in
    view.shows(table, list)
      && (words.isEmpty || foldedForSearch("\(table.name) \(table.comment)").contains(words))
  }
  let start =
    after.flatMap { place in found.firstIndex { $0.name.description > place } } ?? (after == nil ? 0 : found.count)
  let shown = found[start...].prefix(tablesOnPage)
  func here(_ view: TableView, after: String? = nil) -> String {
    address(
      MountingLink.tables(list.source),
      [("view", view == .uncatalogued ? nil : view.rawValue), ("q", request.query["q"]), ("after", after)])
  }
  let next = start + tablesOnPage < found.count ? shown.last.map { here(view, after: $0.name.description) } : nil
  let rows = shown.map { tableRow(request, $0, list, mayCompile: mayCompile) }.joined()
  let listed = table(
    caption: t("\(view.title(t))（\(grouped(found.count))）", "\(view.title(t)) (\(grouped(found.count)))"),
    head: (mayCompile ? [t("选择", "Choose")] : []) + [
      t("表", "Table"), t("注释", "Comment"), t("列", "Columns"), t("行数", "Rows"), t("目录", "Entry"),
    ], rows: rows,
    empty: emptyState(
      words.isEmpty
        ? t("没有这样的数据表。", "There is no such table.")
        : t("没有名称或注释符合“\(words)”的数据表。", "No table's name or comment matches “\(words)”."),
      action: view == .all && words.isEmpty
        ? .nothing
        : buttonLink(
          t("查看全部数据表", "Show all tables"), href: address(MountingLink.tables(list.source), [("view", "all")]))))
  let draftable = mayCompile && view == .uncatalogued && !found.isEmpty
  let body =
    draftable
    ? form(
      request, action: MountingLink.drafts(list.source.id),
      """
      \(listed)\(buttons(
        button(t("为选中的表生成草稿", "Make drafts of the chosen"), name: "scope", value: "chosen"),
        button(t("为全部未编目的表生成草稿", "Make drafts of all not catalogued"), .plain, name: "scope", value: "all")))
      """) : listed
  return Page(
    Text("数据表", "Tables"), section: .systems,
    trail: [
      (Text("信息系统", "Information systems"), "/systems"),
      (Text(same: list.source.name), "/systems/\(list.source.system)#sources"),
    ],
    body: """
      \(heading(
        "\(list.source.name)\(t.colon)\(t("数据表", "tables"))",
        actions: form(request, action: MountingLink.read(list.source.id), button(t("重新读取", "Read again"), .plain))))\
      \(surveyNote(request, list))\
      \(searchForm(
        t, action: MountingLink.tables(list.source), query: request.query["q"],
        label: Text("按表名或注释查找", "Find by name or comment"), keeping: view == .uncatalogued ? [] : [("view", view.rawValue)]))\
      \(tabs(label: t("哪些表", "Which tables"), TableView.allCases.map { one in
        Tab(one.title(t), href: here(one), count: list.tables.count { one.shows($0, list) }, current: one == view)
      }))\(body)\(pager(t, previous: nil, next: next))
      """)
}

/// A source whose tables could not be read: why, and where that is mended.
func unreadPage(_ request: Request, _ source: DataSource, _ refusal: Refusal) -> Page {
  let t = request.language
  let title = Text("读不到数据表", "The tables cannot be read")
  let system = "/systems/\(source.system)"
  return Page(
    title, section: .systems, status: refusal.status,
    trail: [(Text("信息系统", "Information systems"), "/systems"), (Text(same: source.name), "\(system)#sources")],
    body: """
      <h1>\(t(title))\(t.colon)\(source.name)</h1>\
      \(note(.late, refusalWords(t, refusal)))\
      <p>\(t("请核对这个数据源的设置（位置、账号、口令），或请数据库的管理人员处理，然后重试。", "Check the settings of the source (where it is, account, password), or ask those who run the database; then try again."))</p>\
      \(buttons(
        request.principal?.may(.manageInventory) == true
          ? buttonLink(t("修改数据源", "Edit the source"), href: "\(system)/sources/\(source.id)/edit", .primary) : .nothing,
        buttonLink(t("重试", "Try again"), href: MountingLink.tables(source))))
      """)
}

private func tableRow(
  _ request: Request, _ table: SurveyedTable, _ list: Mounting.TableList, mayCompile: Bool
) -> HTML {
  let t = request.language
  let entry = list.entries[table.name]
  let isFree = entry == nil && !table.isReceived && table.goneAt == nil
  let value = "\(table.name.schema ?? "")\n\(table.name.name)"
  let state: HTML =
    if let entry {
      link(entry.name, "/catalog/resources/\(entry.resource)?version=\(entry.version)")
    } else if table.isReceived {
      badge(t("平台送达，由提供方编目", "received: catalogued by its provider"))
    } else if table.goneAt != nil {
      badge(t("已删除", "dropped"))
    } else if mayCompile {
      link(
        t("编制目录", "Catalogue it"),
        address(
          "/catalog/new", [("source", list.source.id.text), ("schema", table.name.schema), ("table", table.name.name)]))
    } else {
      badge(t("未编目", "not catalogued"), .soon)
    }
  return """
    <tr>\(when: mayCompile, "<td>\(isFree ? rowTick(name: "table", value: value, label: table.name.description) : .nothing)</td>")\
    <td class="code">\(table.name.description)\(when: table.isView, " \(badge(t("视图", "view")))")\
    \(when: table.firstSeenAt > list.survey.firstAt && table.goneAt == nil, " \(badge(t("新表", "new"), .active))")</td>\
    <td>\(table.comment)</td><td class="number">\(table.columns)</td>\
    <td class="number">\(table.estimatedRows.map { t("约 \(grouped($0))", "about \(grouped($0))") } ?? "")</td><td>\(state)</td></tr>
    """
}

private func surveyNote(_ request: Request, _ list: Mounting.TableList) -> HTML {
  let t = request.language
  let survey = list.survey
  var notes: HTML = """
    <p class="muted">\(t("表结构读取于", "Schema read")) \(time(t, survey.readAt, now: request.now))\(t("，", ", "))\
    \(t("共 \(grouped(survey.tables)) 张表；行数为数据库的估计；每日自动重新读取。", "\(plural(survey.tables, "table")); numbers of rows are the database's estimates; read again every day."))</p>
    """
  if let fault = survey.fault {
    notes += note(
      .late,
      "<p>\(t("\(survey.triedAt.minuteInChina) 读取失败：\(fault.chinese)", "Reading failed at \(survey.triedAt.minuteInChina): \(fault.english)"))</p>"
    )
  }
  if list.openChanges > 0 {
    notes += note(
      .soon,
      "<p><a href=\"\(MountingLink.changes(list.source.id))\">\(t("\(list.openChanges) 张已编目的表结构有变化，请处理", "The schema of \(plural(list.openChanges, "catalogued table")) changed"))</a></p>"
    )
  } else {
    notes += "<p><a href=\"\(MountingLink.changes(list.source.id))\">\(t("结构变化记录", "Changes of the schema"))</a></p>"
  }
  if let batch = list.lastBatch, batch.endedAt == nil {
    notes += note(
      .active,
      "<p><a href=\"\(MountingLink.batch(batch.id))\">\(t("正在批量生成草稿：\(batch.done) / \(batch.tables.count)", "Drafts are being made: \(batch.done) of \(batch.tables.count)"))</a></p>"
    )
  }
  return notes
}

/// What became of drafts that were asked for together.
func batchPage(_ request: Request, _ batch: DraftBatch) -> Page {
  let t = request.language
  let refused = batch.tables.filter { $0.refusal != nil }
  let rows = (refused + batch.tables.filter { $0.refusal == nil }).prefix(500).map { table in
    let outcome: HTML =
      if let id = table.resource {
        link(t("草稿", "draft"), "/catalog/resources/\(id)/edit")
      } else if let why = table.refusal {
        "\(badge(t("未生成", "not made"), .late)) \(t(why))"
      } else {
        badge(t("等待", "waiting"))
      }
    return "<tr><td class=\"code\">\(table.name.description)</td><td>\(outcome)</td></tr>" as HTML
  }.joined()
  let isOver = batch.endedAt != nil
  return Page(
    Text("批量生成草稿", "Drafts of many tables"), section: .catalog, trail: [catalogueTrail], refresh: isOver ? nil : 3,
    body: """
      <h1>\(t("批量生成草稿", "Drafts of many tables"))</h1>\
      \(progress(t, id: "batch", label: t("已处理的表", "Tables done"), done: batch.done, of: batch.tables.count, unit: Text("张表", "tables"), poll: isOver ? nil : MountingLink.batch(batch.id)))\
      \(when: isOver, "<p>\(t("生成 \(batch.done - refused.count) 份草稿，\(refused.count) 张表未生成。", "\(plural(batch.done - refused.count, "draft")) made, \(plural(refused.count, "table")) without."))</p>")\
      \(table(
        caption: t("各表", "Tables"), head: [t("表", "Table"), t("结果", "Outcome")], rows: rows, empty: .nothing))\
      \(buttons(buttonLink(t("在编目录", "Entries being written"), href: "/catalog/work")))
      """)
}

/// What was read differently than before, table by table, and what to do about it.
func changesPage(
  _ request: Request, _ source: DataSource, _ changes: [SchemaChange], names: [ResourceID: String],
  next: SchemaChangeID?, refusal: Refusal?
) -> Page {
  let t = request.language
  let parts = changes.map { change in
    let name = change.resource.flatMap { names[$0] }
    return panel(
      change.table.description, id: "change-\(change.id)",
      """
      <p>\(changeBadge(t, change.state)) \(t("发现于", "found")) \(time(change.foundAt))\
      \(change.resource.map { " · <a href=\"/catalog/resources/\($0)\">\(name ?? t("目录", "entry"))</a>" as HTML })\
      \(change.decidedAt.map { " · \(change.decidedBy ?? "") \(time($0))" as HTML })\(change.reason.map { "\(t.colon)\($0)" as HTML })</p>\
      <ul>\(change.differences.prefix(100), { "<li>\(t($0.words))</li>" })</ul>\
      \(when: change.state == .open, decisions(request, change, refusal))
      """)
  }.joined()
  return Page(
    Text("表结构变化", "Changes of the schema"), section: .systems, status: refusal?.status ?? 200,
    trail: [
      (Text("信息系统", "Information systems"), "/systems"),
      (Text(same: source.name), MountingLink.tables(source)),
    ],
    body: """
      <h1>\(source.name)\(t.colon)\(t("表结构变化", "changes of the schema"))</h1>\(faultSummary(t, refusal))\
      \(changes.isEmpty ? emptyState(t("自首次读取以来没有变化。", "Nothing changed since it was first read."), action: buttonLink(t("返回数据表", "Back to the tables"), href: MountingLink.tables(source))) : parts)\
      \(pager(t, previous: nil, next: next.map { address(MountingLink.changes(source.id), [("before", $0.text)]) }))
      """)
}

private func decisions(_ request: Request, _ change: SchemaChange, _ refusal: Refusal?) -> HTML {
  let t = request.language
  let take: HTML =
    change.after.content.isEmpty
    ? "<p>\(t("表已不在：请为目录改挂其他表，或下架目录。", "The table is gone: mount the entry elsewhere, or withdraw it."))</p>"
    : form(
      request, action: MountingLink.change(change.id, "take"), buttons(button(t("纳入新版本草稿", "Take over into a draft"))))
  return take
    + details(
      t("不影响目录", "Of no matter"), open: refusal != nil,
      form(
        request, action: MountingLink.change(change.id, "dismiss"),
        """
        \(field(t, Field("reason", Text("理由", "Reason"), .area(maxLength: Mounting.reasonLimit), id: "reason-\(change.id)"), value: Fields(), faults: refusal?.faults ?? []))\
        \(buttons(button(t("确认不影响", "It is of no matter"), .plain)))
        """))
}

private func changeBadge(_ t: Language, _ state: SchemaChange.State) -> HTML {
  switch state {
  case .open: badge(t("待处理", "Open"), .soon)
  case .noted: badge(t("未编目的表", "Not catalogued"))
  case .taken: badge(t("已纳入", "Taken over"), .good)
  case .dismissed: badge(t("不影响", "Of no matter"))
  case .reverted: badge(t("已恢复原样", "Reverted"))
  }
}
