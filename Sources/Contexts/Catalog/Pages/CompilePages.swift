internal import Connecting
internal import Deadlines
internal import Inventory
internal import Kernel
internal import Web

/// Until when a submitted version must be decided, with the days that were counted.
func reviewDue(_ t: Language, _ line: CatalogStore.Line, _ today: CalendarDate) -> HTML {
  guard line.state == .submitted, let due = line.reviewDue else { return .nothing }
  return dueBadge(
    t, Due(due.date, isProvisional: due.provisional, explanation: due.explanation), today: today, soon: 1)
}

/// Where a new entry starts: from a table, or by hand.
func newPage(
  _ request: Request, _ systems: [(system: InformationSystem, sources: [DataSource])], values: Fields, refusal: Refusal?
) -> Page {
  let t = request.language
  let sources = systems.flatMap { pair in pair.sources.map { (pair.system, $0) } }
  let rows = sources.map { system, source in
    """
    <tr><td>\(system.facts.name)</td><td>\(source.name)</td>\
    <td><a href="\(CatalogLink.tables(source))">\(t("选择数据表", "Choose a table"))</a></td></tr>
    """ as HTML
  }.joined()
  let fields = [
    Field(
      "name", Text("信息资源名称", "Name"), .text(maxLength: Metadata.limits.name),
      hint: Text("描述数据内容，如“企业法人基本信息”。", "Says what the data is, such as “basic data of legal persons”.")),
    Field(
      "system", Text("所属信息系统", "Information system"),
      .choice([("", t("无", "none"))] + systems.map { ($0.system.id.text, $0.system.facts.name) }), required: false),
  ]
  let title = Text("编制目录", "New entry")
  return Page(
    title, section: .catalog, status: refusal?.status ?? 200, trail: [catalogTrail],
    within: CatalogLink.work,
    body: """
      <h1>\(t(title))</h1>\(faultSummary(t, refusal))\
      <h2>\(t("从数据表编制", "From a table"))</h2>\
      <p>\(t("平台读取表结构，自动填好信息项、类型、长度、主键，并按校验位识别证件号码等。", "The platform reads the table and fills in items, types, lengths and keys, and recognises identity numbers by their check digits."))</p>\
      \(table(
        caption: t("本单位的数据源", "Your organisation's sources"), head: [t("信息系统", "System"), t("数据源", "Source"), t("操作", "Action")],
        rows: rows,
        empty: emptyState(
          t("还没有数据源。请先登记信息系统并连接它的数据库。", "No source yet. First register a system and connect its database."),
          action: buttonLink(t("信息系统", "Information systems"), href: "/systems"))))\
      <h2>\(t("用 Excel 编制", "By Excel"))</h2>\
      <p>\(t("一次编制多条：", "Many at once: "))<a href="\(CatalogLink.imports)">\(t("下载模板、填写、导入", "template, fill in, import"))</a></p>\
      <h2>\(t("手工编制", "By hand"))</h2>\
      \(form(request, action: CatalogLink.drafts, "\(formKey(request, values))\(fields, { field(t, $0, value: values, faults: refusal?.faults ?? []) })\(buttons(button(t("开始编制", "Start"))))"))
      """)
}

/// The table that was chosen, before a draft is made of it.
func newFromTablePage(
  _ request: Request, _ source: DataSource, _ table: TableDescription, entry: Resource?
) -> Page {
  let t = request.language
  let rows = table.columns.map { column in
    """
    <tr><td class="code">\(column.name)\(when: column.keyPosition != nil, " \(badge(t("主键", "key")))")</td>\
    <td class="code">\(column.nativeType)</td><td>\(column.type.map { t($0.title) } ?? t("不能传送", "cannot be carried"))</td>\
    <td>\(column.isNullable ? t("可空", "yes") : t("非空", "no"))</td><td>\(column.comment ?? "")</td></tr>
    """ as HTML
  }.joined()
  // What came from another department is catalogued by that department.
  let isReceived = table.columns.contains { $0.name.lowercased() == WritePlan.batchColumn }
  let start: HTML =
    isReceived
    ? note(
      .soon,
      """
      <p>\(t("这张表由平台送达：数据来自别的部门，由提供部门编目，不必在这里重复编制。", "The platform delivered this table: its data is another department's, which catalogues it. It needs no entry here."))</p>\
      \(buttons(buttonLink(t("返回数据表", "Back to the tables"), href: CatalogLink.tables(source)), buttonLink(t("在目录中查找", "Find it in the catalogue"), href: CatalogLink.search)))
      """) : entry.map { thereAlready(t, $0) } ?? draftForm(request, source, table)
  let title = Text("从数据表编制", "Entry from a table")
  return Page(
    title, section: .catalog,
    trail: [
      catalogTrail, (Text("编制目录", "New entry"), CatalogLink.new), (Text(same: source.name), CatalogLink.tables(source)),
    ], within: CatalogLink.work,
    body: """
      <h1>\(t(title))\(t.colon)<span class="code">\(table.name.description)</span></h1>\
      \(facts([
        (t("数据源", "Source"), "\(source.name)"), (t("注释", "Comment"), "\(table.comment ?? "—")"),
        (t("行数", "Rows"), "\(table.estimatedRows.map { t("约 \(grouped($0))", "about \(grouped($0))") } ?? "—")"),
      ]))\
      \(start)\
      \(Web.table(
        caption: t("列（\(table.columns.count)）", "Columns (\(table.columns.count))"),
        head: [t("列", "Column"), t("库内类型", "Native type"), t("传送类型", "Carried as"), t("可空", "Nullable"), t("注释", "Comment")],
        rows: rows, empty: .nothing))
      """)
}

/// A table that has an entry leads to it, rather than to one more of the same name.
private func thereAlready(_ t: Language, _ entry: Resource) -> HTML {
  let link = entry.state.isEditable ? CatalogLink.edit(entry.id) : CatalogLink.resource(entry.id)
  return note(
    .soon,
    """
    <p>\(t("这张表已有目录“\(entry.metadata.name)”（\(entry.state.title.chinese)），不必另编。确需再编一条的，请手工编制后挂接到这张表。", "This table has the entry “\(entry.metadata.name)” (\(entry.state.title.english)). Should it need another, write it by hand and tie it to the table."))</p>\
    \(buttons(buttonLink(t("打开这条目录", "Open the entry"), href: link), buttonLink(t("手工编制", "Write one by hand"), href: CatalogLink.new)))
    """)
}

private func draftForm(_ request: Request, _ source: DataSource, _ table: TableDescription) -> HTML {
  let t = request.language
  return form(
    request, action: CatalogLink.drafts,
    """
    \(formKey(request, Fields()))<input type="hidden" name="source" value="\(source.id)">\
    <input type="hidden" name="schema" value="\(table.name.schema ?? "")">\
    <input type="hidden" name="table" value="\(table.name.name)">\
    <p>\(t("将抽样读取至多 1,000 行以识别证件号码、信用代码等，只计数，不保存、不显示任何值。", "At most 1,000 rows are sampled to recognise identity numbers and codes; only counts are kept, no value is stored or shown."))</p>\
    \(buttons(button(t("生成草稿", "Make a draft")), buttonLink(t("返回数据表", "Back to the tables"), href: CatalogLink.tables(source))))
    """)
}

/// A table that could not be read: why, and back to where another is chosen.
func unreadablePage(_ request: Request, _ source: DataSource, _ table: TableName, _ refusal: Refusal) -> Page {
  let t = request.language
  let title = Text("无法从这张表编制", "No entry from this table")
  return Page(
    title, section: .catalog, status: refusal.status,
    trail: [
      catalogTrail, (Text("编制目录", "New entry"), CatalogLink.new), (Text(same: source.name), CatalogLink.tables(source)),
    ], within: CatalogLink.work,
    body: """
      <h1>\(t(title))\(t.colon)<span class="code">\(table.description)</span></h1>\
      \(note(.late, "<p>\(t(refusal.message))</p>\(when: !refusal.faults.isEmpty, "<ul>\(refusal.faults, { "<li>\(t($0.message))</li>" })</ul>")"))\
      <p>\(t("请在“\(source.name)”中更正后重试，或另选一张表。草稿没有生成。", "Mend it in “\(source.name)” and try again, or choose another table. No draft was made."))</p>\
      \(buttons(
        buttonLink(t("返回数据表", "Back to the tables"), href: CatalogLink.tables(source), .primary),
        buttonLink(t("检查数据源", "Check the source"), href: "/systems/\(source.system)#sources")))
      """)
}

/// Asks before something that cannot be undone, saying what it gives up.
func confirmPage(_ request: Request, title: Text, _ resource: Resource, verb: String, warning: Text) -> Page {
  let t = request.language
  let back = CatalogLink.resource(resource.id, version: resource.version)
  return Page(
    title, section: .catalog, trail: [catalogTrail, (Text(same: resource.metadata.name), back)],
    within: resource.state.isOpen ? CatalogLink.work : nil,
    body: """
      <h1>\(t(title))\(t.colon)\(resource.metadata.name)</h1>\
      \(confirmForm(
        request, action: CatalogLink.step(resource.id, verb), question: warning, touches: [], button: title, cancel: back))
      """)
}
