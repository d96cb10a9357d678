internal import Catalog
internal import Connecting
internal import Inventory
internal import Kernel
internal import Web

/// Where an entry is tied to a table, files or an API.
func tyingPage(_ request: Request, _ view: Mounting.TyingView, values: Fields, refusal: Refusal?) -> Page {
  let t = request.language
  let resource = view.resource
  let folders = view.sources.filter { $0.settings["folder"] != nil }
  let faults = refusal?.faults ?? []
  let tables = view.sources.map { source in
    """
    <tr><td>\(source.name)</td><td><form method="get" action="\(MountingLink.resource(resource.id))/table">\
    <input type="hidden" name="source" value="\(source.id)">\
    \(rowText(name: "table", label: t("\(source.name)中的表名", "Name of a table in \(source.name)"), value: nil))\
    \(button(t("比对", "Compare"), .plain))</form></td>\
    <td><a href="\(MountingLink.tables(source))">\(t("查看有哪些表", "See its tables"))</a></td></tr>
    """ as HTML
  }.joined()
  let hasFrozen = !resource.state.isEditable
  return Page(
    Text("挂接", "Mount"), section: .catalog, status: refusal?.status ?? 200,
    trail: [catalogueTrail, (Text(same: resource.metadata.name), MountingLink.entry(resource.id))],
    body: """
      <h1>\(t("挂接", "Mount"))\(t.colon)\(resource.metadata.name)</h1>\(faultSummary(t, refusal))\
      \(view.ties.map { tieFacts(request, $0) }.joined())\
      <h2>\(t("库表", "Table"))</h2>\
      \(hasFrozen ? note(.neutral, "<p>\(t("库表挂接决定交换的内容，须在新版本中更改。", "A table's mount decides what is delivered: it is changed in a new version."))</p>\(form(request, action: "/catalog/resources/\(resource.id)/change", button(t("编制新版本", "Write a new version"), .plain)))") : table(
        caption: t("填写表名（模式.表），与信息项逐一比对", "Enter a table (schema.table) to compare it with the items"),
        head: [t("数据源", "Source"), t("表", "Table"), t("操作", "Actions")], rows: tables,
        empty: emptyState(t("还没有数据源。", "No source yet."), action: buttonLink(t("信息系统", "Information systems"), href: "/systems"))))\
      <h2>\(t("文件", "Files"))</h2>\
      \(folders.isEmpty ? noFolder(t, resource) : form(request, action: MountingLink.resource(resource.id) + "/files", """
        \(field(t, Field("source", Text("文件夹", "Folder"), .choice(folders.map { ($0.id.text, $0.name) })), value: values, faults: faults))\
        \(field(t, Field("pattern", Text("文件名", "File names"), .text(maxLength: 200), hint: Text("可用 * 和 ?，如 2026-*.csv。", "With * and ?, such as 2026-*.csv.")), value: values, faults: faults))\
        \(buttons(button(t("挂接文件", "Tie files"))))
        """))\
      <h2>\(t("服务接口", "API"))</h2>\
      \(form(request, action: MountingLink.resource(resource.id) + "/api", """
        \(field(t, Field("url", Text("地址", "Address"), .text(maxLength: 1000), hint: Text("平台用 GET 访问，只限已声明的主机；不跟随跳转。", "Asked by GET, on declared hosts only; no redirect is followed.")), value: values, faults: faults))\
        \(field(t, Field("status", Text("应答状态", "Status"), .number(100...599)), value: values["status"] == nil ? Fields([("status", "200")]) : values, faults: faults))\
        \(field(t, Field("json", Text("应答格式", "Answer"), .choice([("1", "JSON"), ("0", t("不限", "any"))])), value: values, faults: faults))\
        \(buttons(button(t("挂接接口", "Tie API"))))
        """))
      """)
}

/// Where a folder is had from, so that files in it can be tied.
private func noFolder(_ t: Language, _ resource: Resource) -> HTML {
  let (words, label, address) =
    if let system = resource.system {
      (
        Text("所属信息系统还没有文件夹数据源。", "The entry's system has no folder as a source."),
        Text("登记文件夹数据源", "Register a folder as a source"), "/systems/\(system)/sources/new?kind=csv"
      )
    } else {
      (
        Text(
          "本单位还没有文件夹数据源：先在信息系统中登记一个。", "Your organisation has no folder as a source: register one at a system first."),
        Text("信息系统", "Information systems"), "/systems"
      )
    }
  return "<p class=\"muted\">\(t(words))</p><p>\(buttonLink(t(label), href: address))</p>"
}

/// A table beside an entry's items, before they are tied.
func fittingPage(_ request: Request, _ fitting: Mounting.Fitting, refusal: Refusal?) -> Page {
  let t = request.language
  let resource = fitting.resource
  let options = [("", t("无", "none"))] + fitting.table.columns.map { ($0.name, "\($0.name) \($0.comment ?? "")") }
  let rows = resource.items.map { item in
    let wrong = fitting.misfits[item.id]
    return """
      <tr><td>\(item.name)</td><td>\(item.dataType)\(item.length.map { "(\($0))" as HTML })</td>\
      <td>\(rowSelect(name: "column.\(item.id)", label: t("\(item.name)的列", "Column of \(item.name)"), options: options, value: fitting.columns[item.id] ?? ""))</td>\
      <td>\(wrong.map { badge(t($0), .soon) } ?? badge(t("相符", "Fits"), .good))</td></tr>
      """ as HTML
  }.joined()
  let cursors = fitting.table.columns.filter { $0.type == .timestamp || $0.type == .integer }
  return Page(
    Text("比对数据表", "Compare a table"), section: .catalog, status: refusal?.status ?? 200,
    trail: [
      catalogueTrail, (Text(same: resource.metadata.name), MountingLink.entry(resource.id)),
      (Text("挂接", "Mount"), MountingLink.resource(resource.id)),
    ],
    body: """
      <h1>\(resource.metadata.name) ↔ <span class="code">\(fitting.table.name.description)</span></h1>\
      \(faultSummary(t, refusal))\
      \(form(request, action: MountingLink.resource(resource.id) + "/table", """
        <input type="hidden" name="source" value="\(fitting.source.id)">\
        <input type="hidden" name="schema" value="\(fitting.table.name.schema ?? "")">\
        <input type="hidden" name="table" value="\(fitting.table.name.name)">\
        <input type="hidden" name="revision" value="\(resource.revision)">\
        \(table(
          caption: t("信息项与列", "Items and columns"), head: [t("信息项", "Item"), t("类型", "Type"), t("列", "Column"), t("比对", "Fit")],
          rows: rows, empty: emptyState(t("还没有信息项。", "There are no items yet."))))\
        \(when: !fitting.left.isEmpty, "<p>\(t("没有信息项说明的列：", "Columns without an item: "))<span class=\"code\">\(fitting.left.joined(separator: ", "))</span></p>")\
        \(field(t, Field("cursor", Text("增量标记列", "Change cursor"), .choice([("", t("无", "none"))] + cursors.map { ($0.name, $0.name) }), required: false), value: Fields(), faults: []))\
        \(buttons(button(t("挂接这张表", "Tie this table")), buttonLink(t("返回", "Back"), href: MountingLink.resource(resource.id))))
        """))
      """)
}
