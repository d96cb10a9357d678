import Catalog
import Inventory
import Kernel
import Web

/// The searches a person keeps, and what is new in each.
enum SavedPages {
  static func list(_ request: Request, _ kept: [SearchNews], words: (SearchNews) -> String) -> Page {
    let t = request.language
    return Page(
      savedTrail.label, section: .catalog, trail: [catalogTrail],
      body: """
        <h1>\(t("收藏的检索", "Saved searches"))</h1>\
        <p>\(t("有新发布、变更或下架的目录符合条件时，在待办页提醒一次。", "When an entry that fits is published, changed or withdrawn, your inbox says so once."))</p>\
        \(table(
          caption: t("收藏的检索（\(kept.count)，最多 \(Feedback.limits.searches)）", "\(kept.count) of at most \(Feedback.limits.searches)"),
          columns: [Column(t("名称", "Name")), Column(t("条件", "Looks for")), Column(t("新变化", "New"), numeric: true), Column(t("提醒", "News"))],
          rows: kept.map { row($0, words, t) }.joined(),
          empty: emptyState(
            t("还没有收藏。先在目录里检索，再点“收藏这个检索”。", "Nothing saved yet. Search the catalogue, then choose “Save this search”."),
            action: buttonLink(t("去检索", "Search"), href: "/catalog", .primary))))
        """)
  }

  private static func row(_ news: SearchNews, _ words: (SearchNews) -> String, _ t: Language) -> HTML {
    let search = news.search
    return """
      <tr><td><a href="\(FeedbackLink.saved(search.id))">\(search.name)</a></td>\
      <td><a href="\(CatalogRoutes.address(of: search.query))">\(words(news))</a></td>\
      <td class="number">\(when: news.count > 0, "<a href=\"\(FeedbackLink.saved(search.id))\">\(news.count)\(when: news.hasMore, "+")</a>")\(when: news.count == 0, "0")</td>\
      <td>\(search.isPaused ? badge(t("已暂停", "Paused")) : badge(t("提醒中", "On"), .good))</td></tr>
      """
  }

  static func new(
    _ request: Request, _ query: CatalogQuery, words: String, entered: Fields, refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    return Page(
      Text("收藏这个检索", "Save this search"), section: .catalog, status: refusal?.status ?? 200,
      trail: [catalogTrail, savedTrail],
      body: """
        <h1>\(t("收藏这个检索", "Save this search"))</h1>\(faultSummary(t, refusal))\
        \(facts([(t("条件", "Looks for"), "\(words)")]))\
        \(form(request, action: FeedbackLink.saved, """
          <input type="hidden" name="query" value="\(query.encoded)">\
          \(field(t, Field("name", Text("名称", "Name"), .text(maxLength: Feedback.limits.searchName)), value: entered, faults: refusal?.faults ?? []))\
          \(buttons(button(t("收藏", "Save")), buttonLink(t("返回检索", "Back to the search"), href: CatalogRoutes.address(of: query))))
          """))
        """)
  }

  static func one(
    _ request: Request, _ news: SearchNews, words: String, entered: Fields = Fields(), refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let search = news.search
    let more: HTML =
      news.hasMore
      ? "<p>\(t("只显示最新的 \(SearchNews.most) 条，", "Only the latest \(SearchNews.most) are shown; "))<a href=\"\(CatalogRoutes.address(of: search.query))\">\(t("查看全部结果", "see all results"))</a></p>"
      : .nothing
    let seen = form(
      request, action: FeedbackLink.saved(search.id),
      """
      <input type="hidden" name="to" value="\(news.head)">\(buttons(button(t("已看过，不再显示", "Seen: put away"), name: "step", value: "seen")))
      """)
    return Page(
      Text(same: search.name), section: .catalog, status: refusal?.status ?? 200, trail: [catalogTrail, savedTrail],
      body: """
        \(heading(search.name, state: search.isPaused ? badge(t("已暂停提醒", "News paused")) : badge(t("提醒中", "News on"), .good), actions: buttonLink(t("现在检索", "Search now"), href: CatalogRoutes.address(of: search.query), .primary)))\
        \(faultSummary(t, refusal))\(facts([(t("条件", "Looks for"), "\(words)"), (t("收藏于", "Saved"), time(search.madeAt))]))\
        \(table(
          caption: t("上次看过以后的变化", "What changed since you last looked"),
          head: [t("目录", "Entry"), t("变化", "Change"), t("提供方", "Provider"), t("日期", "Day")],
          rows: (news.entries.map { entry in
            """
            <tr><td><a href="\(FeedbackLink.resource(entry.id))">\(entry.name)</a></td>\
            <td>\(entry.version > 1 ? badge(t("变更至第 \(entry.version) 版", "changed to version \(entry.version)"), .active) : badge(t("新发布", "published"), .good))</td>\
            <td>\(entry.providerName)</td><td>\(time(entry.publishedOn))</td></tr>
            """ as HTML
          } + news.losses.map { loss in
            "<tr><td><a href=\"\(FeedbackLink.resource(loss.resource))\">\(loss.name)</a></td><td>\(badge(t("已下架", "withdrawn"), .late))</td><td>—</td><td>\(loss.at.dateInChina)</td></tr>"
          }).joined(),
          empty: emptyState(t("没有新的变化。", "Nothing new."))))\
        \(more)\(when: news.count > 0, seen)\(settings(request, search, entered, refusal))
        """)
  }

  private static func settings(_ request: Request, _ search: SavedSearch, _ entered: Fields, _ refusal: Refusal?)
    -> HTML
  {
    let t = request.language
    let here = FeedbackLink.saved(search.id)
    let values = entered["name"] == nil ? Fields([("name", search.name)]) : entered
    let toggle =
      search.isPaused
      ? button(t("恢复提醒", "Resume news"), .plain, name: "step", value: "resume")
      : button(t("暂停提醒", "Pause news"), .plain, name: "step", value: "pause")
    return """
      \(form(request, action: here, buttons(toggle)))\
      \(details(t("改名", "Rename"), open: refusal != nil, form(request, action: here, """
        \(field(t, Field("name", Text("名称", "Name"), .text(maxLength: Feedback.limits.searchName)), value: values, faults: refusal?.faults ?? []))\
        \(buttons(button(t("改名", "Rename"), .plain, name: "step", value: "rename")))
        """)))\
      \(details(t("删除", "Delete"), """
        <p>\(t("删除“\(search.name)”后不再提醒；目录本身不受影响。", "“\(search.name)” will bring no more news; entries are not touched."))</p>\
        \(form(request, action: here, buttons(button(t("删除“\(search.name)”", "Delete “\(search.name)”"), .danger, name: "step", value: "delete"))))
        """))
      """
  }

  /// A query's words and filters as people read them.
  static func words(
    _ t: Language, _ query: CatalogQuery, provider: String?, lists: CodeLists, classification: Classification
  ) -> String {
    var parts: [String] = []
    if !query.text.isEmpty { parts.append("“\(query.text)”") }
    if let node = query.node { parts.append(t("分类：", "class: ") + classification.title(of: node)) }
    if query.provider != nil { parts.append(t("提供方：", "provider: ") + (provider ?? t("所选单位", "the chosen office"))) }
    if let code = query.sharingType { parts.append(t(lists.sharingTypes.text(code))) }
    if let code = query.format { parts.append(t(lists.formatClasses.text(code))) }
    if let code = query.cycle { parts.append(t(lists.cycles.text(code))) }
    if let mounted = query.isMounted { parts.append(mounted ? t("已挂接", "mounted") : t("无可用挂接", "no working mount")) }
    if let freshness = query.freshness { parts.append(t(freshness.title)) }
    return parts.joined(separator: t("、", ", "))
  }
}
