internal import Inventory
internal import Kernel
internal import Web

func searchPage(
  _ request: Request, _ query: CatalogQuery, _ hits: CatalogHits, lists: CodeLists, classification: Classification,
  mayCompile: Bool, mayReview: Bool
) -> Page {
  let t = request.language
  let total =
    hits.isTotalExact
    ? t("共 \(hits.total) 条", "\(hits.total) found") : t("超过 \(hits.total) 条", "More than \(hits.total) found")
  var tools: [HTML] = []
  if mayCompile {
    tools.append("<a class=\"button\" href=\"\(CatalogLink.new)\">\(t("编制目录", "New entry"))</a>")
    tools.append("<a href=\"\(CatalogLink.work)\">\(t("本单位在编目录", "Entries being written"))</a>")
  }
  if mayReview { tools.append("<a class=\"button\" href=\"\(CatalogLink.queue)\">\(t("目录审核", "Review"))</a>") }
  let next = hits.next.map { after in
    var following = query
    following.after = after
    return
      "<p class=\"pager\"><a rel=\"next\" href=\"\(CatalogLink.search(following))\">\(t("下一页", "Next page"))</a></p>"
      as HTML
  }
  return Page(
    Text("资源目录", "Catalogue"), section: .catalog,
    body: """
      <h1>\(t("政务信息资源目录", "Catalogue of data resources"))</h1>\(searchBox(t, query))\(when: !tools.isEmpty, "<p class=\"tools\">\(tools.joined(" "))</p>")\
      <div class="with-facets"><aside class="facets" aria-label="\(t("筛选", "Filters"))">\(facets(t, query, hits, lists, classification))</aside>\
      <section aria-labelledby="found"><h2 id="found">\(total)</h2>\(results(t, query, hits, lists))\(next)</section></div>
      """)
}

private func searchBox(_ t: Language, _ query: CatalogQuery) -> HTML {
  var kept: [(String, String)] = []
  if let node = query.node { kept.append(("class", node)) }
  if let provider = query.provider { kept.append(("provider", provider.text)) }
  if let type = query.sharingType { kept.append(("sharing", type)) }
  if let format = query.format { kept.append(("format", format)) }
  if let cycle = query.cycle { kept.append(("cycle", cycle)) }
  if let mounted = query.isMounted { kept.append(("mounted", mounted ? "1" : "0")) }
  return """
    <form class="search" method="get" action="\(CatalogLink.search)" role="search"><label for="q">\
    \(t("名称、摘要、信息项、提供方或代码", "Name, abstract, items, provider or code"))</label>\
    <input id="q" name="q" type="search" maxlength="100" value="\(query.text)">\
    \(kept, { "<input type=\"hidden\" name=\"\($0.0)\" value=\"\($0.1)\">" })<button>\(t("查找", "Search"))</button></form>
    """
}

private func results(_ t: Language, _ query: CatalogQuery, _ hits: CatalogHits, _ lists: CodeLists) -> HTML {
  if hits.entries.isEmpty {
    return """
      <div class="empty"><p>\(query.text.isEmpty ? t("还没有已发布的目录。数据管理员可从信息系统的数据表编制，审核发布后在此可查。", "Nothing is published yet. Data officers compile entries from their systems' tables; what is published is found here.") : t("没有找到。请减少或换用词语，或取消筛选；仍没有时，可向可能的提供部门提出需求。", "Nothing found. Use fewer or other words, or drop a filter; failing that, ask the department that may hold it."))</p></div>
      """
  }
  return """
    <ul class="entries">\(hits.entries, { entry in
      """
      <li><h3><a href="\(CatalogLink.resource(entry.id))">\(entry.name)</a></h3>\
      <p class="badges">\(sharingBadge(t, entry.sharingType, lists)) \(badge(t(lists.cycles.text(entry.cycle)))) \
      \(entry.isMounted ? badge(t("已挂接", "Mounted"), .good) : badge(t("未挂接", "Not mounted"), .soon))</p>\
      <p>\(entry.abstract)\(when: entry.abstract.count >= 200, "…")</p>\
      <p class="muted">\(entry.providerName) · <span class="code">\(entry.code)</span> · \
      \(t("\(entry.itemCount) 个信息项", "\(entry.itemCount) items")) · \(t(lists.formats.text(entry.format))) · \(t("发布于", "published")) \(entry.publishedOn)</p></li>
      """
    })</ul>
    """
}

private func facets(
  _ t: Language, _ query: CatalogQuery, _ hits: CatalogHits, _ lists: CodeLists, _ classification: Classification
) -> HTML {
  var html = HTML.nothing
  var above: [(String, String)] = []
  if let node = query.node {
    var all = query
    all.after = nil
    all.node = nil
    above.append((t("全部分类", "All classes"), CatalogLink.search(all)))
    for step in classification.path(to: node).dropLast() {
      all.node = step.code
      above.append((step.name, CatalogLink.search(all)))
    }
  }
  html += facet(
    t, Text("资源分类", "Class"), hits.classes, chosen: query.node.map { classification.name(of: $0) }, above: above
  ) { value, next in
    next.node = value ?? query.node
  } query: {
    query
  }
  html += facet(
    t, Text("提供方", "Provider"), hits.providers,
    chosen: query.provider.map { id in hits.providers.first { $0.value == id.text }.map { t($0.name) } ?? id.text }
  ) { value, next in
    next.provider = value.map(OrganisationID.init(trusted:))
  } query: {
    query
  }
  html += facet(
    t, Text("共享类型", "Sharing"), hits.sharingTypes, chosen: query.sharingType.map { t(lists.sharingTypes.text($0)) }
  ) { value, next in
    next.sharingType = value
  } query: {
    query
  }
  html += facet(
    t, Text("格式", "Format"), hits.formats, chosen: query.format.map { t(lists.formatClasses.text($0)) }
  ) { value, next in
    next.format = value
  } query: {
    query
  }
  html += facet(
    t, Text("更新周期", "Update cycle"), hits.cycles, chosen: query.cycle.map { t(lists.cycles.text($0)) }
  ) { value, next in
    next.cycle = value
  } query: {
    query
  }
  return html
}

/// One facet: what is chosen with a way to drop it, or the values with their counts.
private func facet(
  _ t: Language, _ title: Text, _ counts: [CatalogHits.Count], chosen: String?, above: [(String, String)] = [],
  set: (String?, inout CatalogQuery) -> Void, query: () -> CatalogQuery
) -> HTML {
  func address(_ value: String?) -> String {
    var next = query()
    next.after = nil
    set(value, &next)
    return CatalogLink.search(next)
  }
  let list: HTML =
    "<ul>\(counts, { "<li><a href=\"\(address($0.value))\">\(t($0.name))</a> <span class=\"count\">\($0.count)</span></li>" })</ul>"
  var body = HTML.nothing
  if !above.isEmpty {
    body += "<p>\(above, { "<a href=\"\($0.1)\">\($0.0)</a> › " })<strong>\(chosen ?? "")</strong></p>"
    body += list
  } else if let chosen {
    body +=
      "<p><strong>\(chosen)</strong> <a href=\"\(address(nil))\">\(t("取消", "Clear"))<span class=\"visually-hidden\"> \(t(title))</span></a></p>"
  } else {
    body += list
  }
  return counts.isEmpty && chosen == nil ? .nothing : "<details open><summary>\(t(title))</summary>\(body)</details>"
}

/// The classification, level by level, for whoever has to pick a code.
func classesPage(_ request: Request, _ classification: Classification) -> Page {
  let t = request.language
  let words = request.query["q"] ?? ""
  let under = request.query["under"].flatMap { classification[$0] }
  let nodes = words.isEmpty ? classification.children(of: under?.code) : classification.search(String(words.prefix(50)))
  let path = (under.map { classification.path(to: $0.code) } ?? []).map { node in
    " › <a href=\"\(CatalogLink.classes)?under=\(node.code)\">\(node.name)</a>" as HTML
  }.joined()
  let rows = nodes.map { node in
    let below = classification.children(of: node.code).count
    let name: HTML =
      below > 0 ? "<a href=\"\(CatalogLink.classes)?under=\(node.code)\">\(node.name)</a>" : "\(node.name)"
    return """
      <tr><td class="code">\(node.code)</td><td>\(name)</td><td class="number">\(below)</td>\
      <td><a href="\(CatalogLink.search)?class=\(node.code)">\(t("查看目录", "Entries"))</a></td></tr>
      """ as HTML
  }.joined()
  return Page(
    Text("资源分类", "Classification"), section: .catalog, trail: [catalogTrail],
    body: """
      <h1>\(t("政务信息资源分类", "Classification of resources"))</h1>\
      <p>\(t("2017 年国家分类共 \(classification.count) 个节点（类、项、目、细目）。", "The national tree of 2017 with \(classification.count) nodes."))</p>\
      <form class="search" method="get" action="\(CatalogLink.classes)" role="search"><label for="q">\(t("按名称或代码查找", "Find by name or code"))</label>\
      <input id="q" name="q" type="search" maxlength="50" value="\(words)"><button>\(t("查找", "Search"))</button></form>\
      <p><a href="\(CatalogLink.classes)">\(t("全部", "All"))</a>\(path)</p>\
      \(table(
        caption: t("分类节点", "Nodes"), head: [t("代码", "Code"), t("名称", "Name"), t("下级", "Below"), t("目录", "Entries")],
        rows: rows, empty: "<p>\(t("没有下级分类。", "Nothing below."))</p>"))
      """)
}
