import Kernel
import Web

enum OrganisationPages {
  static func list(_ request: Request, _ organisations: [Organisation], day: CalendarDate, search: String?) -> Page {
    let t = request.language
    return Page(
      Text("单位", "Organisations"), section: .people,
      body: """
        <h1>\(t("单位", "Organisations"))</h1>
        <form class="search fields" method="get" action="/organisations"><div><label for="q">\(t("名称", "Name"))</label>\
        <input id="q" name="q" value="\(search ?? "")" maxlength="50"></div><div><label for="on">\(t("截至", "As of"))</label>\
        <input id="on" name="on" type="date" value="\(day)"></div><button>\(t("查找", "Find"))</button></form>
        \(table(
          caption: t("\(day) 在设的单位 \(organisations.count) 个", "\(organisations.count) organisations on \(day)"),
          head: [t("名称", "Name"), t("简称", "Short"), t("区划", "Division"), t("统一社会信用代码", "Credit code"), t("自", "Since")],
          rows: organisations.map {
            "<tr><td><a href=\"/organisations/\($0.id)\">\($0.name)</a></td><td>\($0.shortName)</td><td>\(division($0.division, on: day, t))</td><td><code>\($0.creditCode)</code></td><td>\(time($0.validFrom))</td></tr>"
          }.joined(), empty: "<p>\(t("没有找到单位。", "No organisation found."))</p>"))
        """)
  }

  static func organisation(
    _ request: Request, _ organisation: Organisation, before: [Organisation], after: [Organisation],
    nodes: ClassificationNodes, entered: String? = nil, refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let node = organisation.classificationNode
    func links(_ organisations: [Organisation]) -> HTML {
      organisations.map {
        "<li><a href=\"/organisations/\($0.id)\">\($0.name)</a>\(t.opening)\($0.validFrom) – \($0.validTo?.description ?? "")\(t.closing)</li>"
          as HTML
      }.joined()
    }
    return Page(
      Text(same: organisation.name), section: .people, status: refusal?.status ?? 200,
      trail: [(Text("单位", "Organisations"), "/organisations")],
      body: """
        <h1>\(organisation.name)</h1>\(faultSummary(t, refusal))
        \(facts([
          (t("简称", "Short"), "\(organisation.shortName)"), (t("统一社会信用代码", "Credit code"), "<code>\(organisation.creditCode)</code>"),
          (t("行政区划", "Division"), division(organisation.division, on: request.now.dateInChina, t, whole: true)),
          (t("国家分类节点", "Classification node"), node.map { "<code>\($0)</code> \(nodes.title($0) ?? "")" as HTML } ?? "—"),
          (t("存续", "Stands"), "\(organisation.validFrom) – \(organisation.validTo?.description ?? t("今", "now"))"),
        ]))
        \(when: request.principal?.may(.organisationsManage) ?? false, nodeForm(request, organisation, entered, refusal))
        \(when: !before.isEmpty, "<h2>\(t("由以下单位而来", "Came from"))</h2><ul>\(links(before))</ul>")
        \(when: !after.isEmpty, "<h2>\(t("由以下单位继承", "Went on as"))</h2><ul>\(links(after))</ul>")
        """)
  }

  private static func nodeForm(
    _ request: Request, _ organisation: Organisation, _ entered: String?, _ refusal: Refusal?
  ) -> HTML {
    let t = request.language
    let node = organisation.classificationNode
    let input = Field(
      "node", Text("分类节点代码", "Code of the node"), .text(maxLength: 24),
      hint: Text(
        "目录的国家分类树中本单位的节点，1 到 24 位数字。本单位资源的代码以它开头；没有时沿用前身单位的。已编的代码不变。",
        "The office's node in the catalogue's national tree, 1 to 24 digits. Codes of its resources begin with it; without one its predecessor's is used. Codes given already stay."
      ))
    return """
      <h2>\(t("设置分类节点", "Set the classification node"))</h2>\
      \(form(request, action: "/organisations/\(organisation.id)/node", """
        <input type="hidden" name="seen" value="\(node ?? "")">\
        \(field(t, input, value: Fields([("node", entered ?? node ?? "")]), faults: refusal?.faults ?? []))\
        <button>\(t("保存", "Save"))</button>
        """))
      """
  }

  /// The division's name with its code; where the code is out of force, what it belongs to now.
  private static func division(_ code: String, on day: CalendarDate, _ t: Language, whole: Bool = false) -> HTML {
    let all = Divisions.embedded
    let name = whole ? all.fullName(of: code, on: day) : (all.division(code, on: day) ?? all.known(code))?.name
    let shown: HTML = "\(name ?? t("未知区划", "unknown division")) <code>\(code)</code>"
    guard all.division(code, on: day) == nil, all.known(code) != nil else { return shown }
    let now = all.successors(of: code, on: day).map { "\($0.name) <code>\($0.code)</code>" as HTML }.joined(
      "\(t("、", ", "))")
    return """
      \(shown) \(badge(t("已停用", "out of force"), .soon))\(when: !now.isEmpty, "<br>\(t("现为", "now")) \(now)")
      """
  }
}
