internal import Inventory
internal import Kernel
internal import Web

func searchPage(
  _ request: Request, _ query: CatalogQuery, _ hits: CatalogHits, lists: CodeLists, classification: Classification,
  mayCompile: Bool, mayReview: Bool, more: [HTML] = []
) -> Page {
  let t = request.language
  let total =
    hits.isTotalExact
    ? t("共 \(grouped(hits.total)) 条", "\(grouped(hits.total)) found")
    : t("超过 \(grouped(hits.total)) 条", "More than \(grouped(hits.total)) found")
  var tools: [HTML] = []
  if mayCompile { tools.append(buttonLink(t("编制目录", "New entry"), href: CatalogLink.new, .primary)) }
  if mayReview { tools.append(buttonLink(t("目录审核", "Review"), href: CatalogLink.queue, .primary)) }
  var following = query
  following.after = hits.next
  return Page(
    Text("资源目录", "Catalogue"), section: .catalog,
    body: """
      \(heading(t("政务信息资源目录", "Catalogue of data resources"), actions: (tools + more).joined(" ")))\
      \(searchForm(
        t, action: CatalogLink.search, query: query.text,
        label: Text("名称、摘要、信息项、提供方或代码", "Name, abstract, items, provider or code"), keeping: kept(query)))\
      <div class="faceted">\(filters(t, facets(t, query, hits, lists, classification)))\
      <section aria-label="\(t("结果", "Results"))"><p class="found" role="status">\(total)</p>\(results(t, query, hits, lists))\
      \(pager(t, previous: nil, next: hits.next == nil ? nil : CatalogLink.search(following)))</section></div>
      """)
}

/// The filters that a new search keeps.
private func kept(_ query: CatalogQuery) -> [(String, String)] {
  let all = [
    ("class", query.node), ("provider", query.provider?.text), ("sharing", query.sharingType),
    ("format", query.format), ("cycle", query.cycle), ("mounted", query.isMounted.map { $0 ? "1" : "0" }),
    ("fresh", query.freshness?.rawValue),
  ]
  return all.compactMap { name, value in value.map { (name, $0) } }
}

private func results(_ t: Language, _ query: CatalogQuery, _ hits: CatalogHits, _ lists: CodeLists) -> HTML {
  if hits.entries.isEmpty {
    return query == CatalogQuery()
      ? emptyState(
        t(
          "还没有已发布的目录。数据管理员可从信息系统的数据表编制，审核发布后在此可查。",
          "Nothing is published yet. Data officers compile entries from their systems' tables; what is published is found here."
        ))
      : emptyState(
        query.isUnsearchable
          ? t(
            "“\(query.text)”里没有可以检索的文字或数字。", "“\(query.text)” has no letters or digits to search for.")
          : t(
            "没有找到。请减少或换用词语，或取消筛选。目录里确实没有时，在单位名录中找到可能掌握数据的部门，请其数据管理员编目。",
            "Nothing found. Use fewer or other words, or drop a filter. When the catalogue does not have it, find the department that may hold the data and ask its data officer to catalogue it."
          ),
        action: """
          \(when: !kept(query).isEmpty && !query.text.isEmpty, buttonLink(t("取消筛选，只按词语查找", "Search by the words alone"), href: CatalogLink.search(CatalogQuery(text: query.text))))\
          \(buttonLink(t("查看全部目录", "Show all entries"), href: CatalogLink.search))\
          \(buttonLink(t("按分类查找", "Browse by class"), href: CatalogLink.classes))\
          \(buttonLink(t("单位名录", "Organisations"), href: "/organisations"))
          """)
  }
  let words = query.text.split(separator: " ").map(String.init)
  return """
    <ul class="entries">\(hits.entries, { entry in
      """
      <li><h2><a href="\(CatalogLink.resource(entry.id))">\(searchHighlight(entry.name, words))</a></h2>\
      <p class="badges">\(sharingBadge(t, entry.sharingType, lists)) \(badge(t(lists.cycles.text(entry.cycle)))) \
      \(badge(t(CatalogHits.mounted(entry.isMounted ? "1" : "0")), entry.isMounted ? .good : .soon)) \
      \(freshnessBadge(t, entry.freshness))</p>\
      <p>\(searchHighlight(entry.abstract, words))\(when: entry.abstract.count >= 200, "…")</p>\
      <p class="muted">\(entry.providerName) · <span class="code">\(entry.code)</span> · \
      \(t("\(entry.itemCount) 个信息项", plural(entry.itemCount, "item"))) · \(t(lists.formats.text(entry.format))) · \(t("发布于", "published")) \(time(entry.publishedOn))</p></li>
      """
    })</ul>
    """
}

private func facets(
  _ t: Language, _ query: CatalogQuery, _ hits: CatalogHits, _ lists: CodeLists, _ classification: Classification
) -> [Facet] {
  func address(_ change: (inout CatalogQuery) -> Void) -> String {
    var next = query
    next.after = nil
    change(&next)
    return CatalogLink.search(next)
  }
  func facet(
    _ title: Text, _ counts: [CatalogHits.Count], chosen: String?, name: (String) -> String,
    set: (String?, inout CatalogQuery) -> Void
  ) -> Facet {
    if let chosen {
      return Facet(t(title), [.init(name(chosen), href: address { set(nil, &$0) }, chosen: true)])
    }
    return Facet(
      t(title),
      counts.map { count in .init(t(count.name), count: count.count, href: address { set(count.value, &$0) }) })
  }
  // A class opens to those below it; taking one away goes back to the one above.
  let path = query.node.map { classification.path(to: $0) } ?? []
  let steps = path.enumerated().map { index, node in
    Facet.Choice(
      node.name, href: address { $0.node = index > 0 ? path[index - 1].code : nil }, chosen: true)
  }
  let below = hits.classes.map { count in
    Facet.Choice(t(count.name), count: count.count, href: address { $0.node = count.value })
  }
  return [
    Facet(t("资源分类", "Class"), steps + below),
    facet(
      Text("提供方", "Provider"), hits.providers, chosen: query.provider?.text,
      name: { id in hits.providers.first { $0.value == id }.map { t($0.name) } ?? t("所选单位", "the chosen office") }
    ) { value, next in next.provider = value.map(OrganisationID.init(trusted:)) },
    facet(
      Text("共享类型", "Sharing"), hits.sharingTypes, chosen: query.sharingType,
      name: { t(lists.sharingTypes.text($0)) }
    ) { value, next in next.sharingType = value },
    facet(
      Text("格式", "Format"), hits.formats, chosen: query.format, name: { t(lists.formatClasses.text($0)) }
    ) { value, next in next.format = value },
    facet(Text("更新周期", "Update cycle"), hits.cycles, chosen: query.cycle, name: { t(lists.cycles.text($0)) }) {
      value, next in next.cycle = value
    },
    facet(
      Text("挂接", "Mounted"), hits.mounted, chosen: query.isMounted.map { $0 ? "1" : "0" },
      name: { t(CatalogHits.mounted($0)) }
    ) { value, next in next.isMounted = value.map { $0 == "1" } },
    facet(
      Text("更新情况", "Freshness"), hits.freshness, chosen: query.freshness?.rawValue,
      name: { t(Freshness(rawValue: $0)?.title ?? Text(same: $0)) }
    ) { value, next in next.freshness = value.flatMap(Freshness.init(rawValue:)) },
  ]
}
