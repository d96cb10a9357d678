internal import Connecting
internal import Deadlines
internal import Inventory
internal import Kernel
internal import Web

/// What the department is writing.
func workPage(_ request: Request, _ lines: [CatalogStore.Line]) -> Page {
  let t = request.language
  let rows = lines.map { line in
    """
    <tr><td><a href="\(CatalogLink.resource(line.id, version: line.version))">\(line.name)</a></td>\
    <td>\(t("第 \(line.version) 版", "Version \(line.version)"))</td><td>\(stateBadge(t, line.state))</td>\
    <td>\(line.changedAt.minuteInChina)</td><td>\(whoActs(t, line))</td></tr>
    """ as HTML
  }.joined()
  return Page(
    Text("在编目录", "Entries being written"), section: .catalog, trail: [catalogTrail],
    body: """
      <h1>\(t("本单位在编目录", "Entries your organisation is writing"))</h1>\
      <p><a class="button" href="\(CatalogLink.new)">\(t("编制目录", "New entry"))</a></p>\
      \(table(
        caption: t("在编目录", "Entries being written"),
        head: [t("名称", "Name"), t("版本", "Version"), t("状态", "State"), t("变更时间", "Changed"), t("下一步", "Who acts next")],
        rows: rows,
        empty: "<p>\(t("没有正在编制的目录。", "Nothing is being written."))</p>"))
      """)
}

private func whoActs(_ t: Language, _ line: CatalogStore.Line) -> String {
  switch line.state {
  case .draft, .returned: t("本单位：补全并提交", "your organisation: complete and submit")
  case .submitted:
    t("平台审核", "the reviewer")
      + (line.reviewDue.map {
        t("，\($0.date) 前", ", by \($0.date)") + ($0.provisional ? t("（暂定）", " (provisional)") : "")
      } ?? "")
  case .approved: t("平台发布", "the operator publishes")
  case .published, .superseded, .withdrawn, .discarded: ""
  }
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
    <td><a href="/systems/\(system.id)/sources/\(source.id)/tables">\(t("选择数据表", "Choose a table"))</a></td></tr>
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
    title, section: .catalog, status: refusal == nil ? 200 : 422, trail: [catalogTrail],
    body: """
      <h1>\(t(title))</h1>\(faultSummary(t, refusal))\
      <h2>\(t("从数据表编制", "From a table"))</h2>\
      <p>\(t("平台读取表结构，自动填好信息项、类型、长度、主键，并按校验位识别证件号码等。", "The platform reads the table and fills in items, types, lengths and keys, and recognises identity numbers by their check digits."))</p>\
      \(table(
        caption: t("本单位的数据源", "Your organisation's sources"), head: [t("信息系统", "System"), t("数据源", "Source"), t("操作", "Action")],
        rows: rows,
        empty: "<p>\(t("还没有数据源。请先在", "No source yet. First connect a database under "))<a href=\"/systems\">\(t("信息系统", "Information systems"))</a>\(t("中连接数据库。", "."))</p>"))\
      <h2>\(t("手工编制", "By hand"))</h2>\
      \(form(request, action: CatalogLink.drafts, "\(fields, { field(t, $0, value: values, faults: refusal?.faults ?? []) })<p><button>\(t("开始编制", "Start"))</button></p>"))
      """)
}

/// The table that was chosen, before a draft is made of it.
func newFromTablePage(_ request: Request, _ source: DataSource, _ table: TableDescription) -> Page {
  let t = request.language
  let rows = table.columns.map { column in
    """
    <tr><td class="code">\(column.name)\(when: column.keyPosition != nil, " \(badge(t("主键", "key")))")</td>\
    <td class="code">\(column.nativeType)</td><td>\(column.type.map { t($0.title) } ?? t("不能传送", "cannot be carried"))</td>\
    <td>\(column.isNullable ? t("可空", "yes") : t("非空", "no"))</td><td>\(column.comment ?? "")</td></tr>
    """ as HTML
  }.joined()
  let title = Text("从数据表编制", "Entry from a table")
  return Page(
    title, section: .catalog, trail: [catalogTrail, (Text("编制目录", "New entry"), CatalogLink.new)],
    body: """
      <h1>\(t(title))：<span class="code">\(table.name.description)</span></h1>\
      \(facts([
        (t("数据源", "Source"), "\(source.name)"), (t("注释", "Comment"), "\(table.comment ?? "—")"),
        (t("行数", "Rows"), "\(table.estimatedRows.map { t("约 \($0)", "about \($0)") } ?? "—")"),
      ]))\
      \(form(request, action: CatalogLink.drafts, """
        <input type="hidden" name="source" value="\(source.id)">\
        <input type="hidden" name="schema" value="\(table.name.schema ?? "")">\
        <input type="hidden" name="table" value="\(table.name.name)">\
        <p>\(t("将抽样读取至多 1,000 行以识别证件号码、信用代码等，只计数，不保存、不显示任何值。", "At most 1,000 rows are sampled to recognise identity numbers and codes; only counts are kept, no value is stored or shown."))</p>\
        <p><button class="primary">\(t("生成草稿", "Make a draft"))</button></p>
        """))\
      \(Web.table(
        caption: t("列（\(table.columns.count)）", "Columns (\(table.columns.count))"),
        head: [t("列", "Column"), t("库内类型", "Native type"), t("传送类型", "Carried as"), t("可空", "Nullable"), t("注释", "Comment")],
        rows: rows, empty: .nothing))
      """)
}

/// Asks before something that cannot be undone, naming what it touches.
func confirmPage(
  _ request: Request, title: Text, _ resource: Resource, verb: String, warning: Text, touches: [Text] = [],
  reason: Bool = false, values: Fields = Fields(), refusal: Refusal? = nil
) -> Page {
  let t = request.language
  let input: HTML =
    reason
    ? field(
      t, Field("reason", Text("原因", "Reason"), .area(maxLength: Cataloguing.reasonLimit)), value: values,
      faults: refusal?.faults ?? []) : .nothing
  return Page(
    title, section: .catalog, status: refusal == nil ? 200 : 422,
    trail: [
      catalogTrail, (Text(same: resource.metadata.name), CatalogLink.resource(resource.id, version: resource.version)),
    ],
    body: """
      <h1>\(t(title))：\(resource.metadata.name)</h1>\(faultSummary(t, refusal))<p>\(t(warning))</p>\
      \(when: !touches.isEmpty, "<ul>\(touches, { "<li>\(t($0))</li>" })</ul>")\
      \(form(request, action: CatalogLink.step(resource.id, verb), "\(input)<p><button class=\"danger\">\(t(title))</button> <a href=\"\(CatalogLink.resource(resource.id, version: resource.version))\">\(t("返回", "Back"))</a></p>"))
      """)
}
