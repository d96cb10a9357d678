import Kernel
import Web

enum OrganisationPages {
  static func list(_ request: Request, _ organisations: [Organisation], day: CalendarDate, search: String?) -> Page {
    let t = request.language
    return Page(
      Text("单位", "Organisations"), section: .people,
      body: """
        <h1>\(t("单位", "Organisations"))</h1>
        <form class="search" method="get" action="/organisations"><label for="q">\(t("名称", "Name"))</label>\
        <input id="q" name="q" value="\(search ?? "")" maxlength="50"><label for="on">\(t("截至", "As of"))</label>\
        <input id="on" name="on" type="date" value="\(day)"><button>\(t("查找", "Find"))</button></form>
        \(table(
          caption: t("\(day) 在设的单位 \(organisations.count) 个", "\(organisations.count) organisations on \(day)"),
          head: [t("名称", "Name"), t("简称", "Short"), t("区划", "Division"), t("统一社会信用代码", "Credit code"), t("自", "Since")],
          rows: organisations.map {
            "<tr><td><a href=\"/organisations/\($0.id)\">\($0.name)</a></td><td>\($0.shortName)</td><td>\($0.division)</td><td><code>\($0.creditCode)</code></td><td>\($0.validFrom)</td></tr>"
          }.joined(), empty: "<p>\(t("没有找到单位。", "No organisation found."))</p>"))
        """)
  }

  static func organisation(
    _ request: Request, _ organisation: Organisation, before: [Organisation], after: [Organisation]
  ) -> Page {
    let t = request.language
    func links(_ organisations: [Organisation]) -> HTML {
      organisations.map {
        "<li><a href=\"/organisations/\($0.id)\">\($0.name)</a>（\($0.validFrom) – \($0.validTo?.description ?? "")）</li>"
          as HTML
      }.joined()
    }
    return Page(
      Text(same: organisation.name), section: .people, trail: [(Text("单位", "Organisations"), "/organisations")],
      body: """
        <h1>\(organisation.name)</h1>
        \(facts([
          (t("简称", "Short"), "\(organisation.shortName)"), (t("统一社会信用代码", "Credit code"), "<code>\(organisation.creditCode)</code>"),
          (t("行政区划", "Division"), "\(organisation.division)"),
          (t("国家分类节点", "Classification node"), "\(organisation.classificationNode ?? "—")"),
          (t("存续", "Stands"), "\(organisation.validFrom) – \(organisation.validTo?.description ?? t("今", "now"))"),
        ]))
        \(when: !before.isEmpty, "<h2>\(t("由以下单位而来", "Came from"))</h2><ul>\(links(before))</ul>")
        \(when: !after.isEmpty, "<h2>\(t("由以下单位继承", "Went on as"))</h2><ul>\(links(after))</ul>")
        """)
  }
}
