internal import Connecting
internal import Inventory
internal import Kernel
internal import Web

func resourcePage(
  _ request: Request, _ view: ResourceView, lists: CodeLists, classification: Classification, mayReview: Bool,
  section: HTML = .nothing
) -> Page {
  let t = request.language
  let resource = view.resource
  return Page(
    Text(same: resource.metadata.name), section: .catalog, trail: [catalogTrail],
    body: """
      \(heading(
        resource.metadata.name, state: stateBadge(t, resource.state), actions: actions(request, view, mayReview: mayReview)))\
      <p class="badges">\(sharingBadge(t, resource.metadata.sharingType, lists)) \
      \(resource.mount == nil ? badge(t("未挂接", "Not mounted"), .soon) : badge(t("已挂接", "Mounted"), .good)) \
      \(badge(t("第 \(resource.version) 版", "Version \(resource.version)")))</p>\(latestNotice(t, view))\
      \(facts(metadataFacts(t, view, lists, classification)))\(section)\(itemsPart(request, view, lists))\(history(t, view))
      """)
}

/// The core metadata in the order of the guide's elements.
func metadataFacts(
  _ t: Language, _ view: ResourceView, _ lists: CodeLists, _ classification: Classification
) -> [(String, HTML)] {
  let r = view.resource
  let m = r.metadata
  func named(_ code: String, _ list: CodeList) -> HTML { code.isEmpty ? missing(t) : "\(t(list.text(code)))" }
  let classes: HTML =
    m.classes.isEmpty
    ? missing(t)
    : m.classes.map {
      "<a href=\"\(CatalogLink.search)?class=\($0)\">\(classification.title(of: $0))</a> <span class=\"code\">\($0)</span>"
        as HTML
    }.joined("<br>")
  var method = named(m.methodClass, lists.methodClasses)
  if m.methodClass == "1", !m.methodType.isEmpty { method += " · \(t(lists.methodTypes.text(m.methodType)))" }
  if m.sharingType == "3" { method = "—" }
  var pairs: [(String, HTML)] = [
    (
      t("信息资源代码", "Code"),
      r.code.map { "<span class=\"code\">\($0.description)</span>" } ?? "\(t("审核通过后由平台赋码", "given when approved"))"
    ),
    (t("信息资源分类", "Classes"), classes),
    (t("提供方", "Provider"), "<a href=\"\(CatalogLink.search)?provider=\(r.provider)\">\(r.providerName)</a>"),
    (t("提供方代码", "Provider's code"), "<span class=\"code\">\(r.providerCode)</span>"),
    (t("所属信息系统", "System"), r.system.map { "<a href=\"/systems/\($0)\">\(view.systemName ?? "")</a>" } ?? "—"),
    (t("摘要", "Abstract"), m.abstract.isEmpty ? missing(t) : "\(m.abstract)"),
    (
      t("信息资源格式", "Format"),
      m.format.isEmpty
        ? missing(t) : "\(t(lists.formatClasses.text(m.formatClass))) · \(t(lists.formats.text(m.format)))"
    ),
    (t("共享类型", "Sharing"), named(m.sharingType, lists.sharingTypes)),
    (
      m.sharingType == "3" ? t("不予共享依据", "Legal basis of refusal") : t("共享条件", "Condition"),
      m.sharingCondition.isEmpty ? "—" : "\(m.sharingCondition)"
    ),
    (t("共享方式", "Method"), method),
    (
      t("开放属性", "Openness"),
      "\(named(m.openType, lists.openTypes))\(when: !m.openCondition.isEmpty, "：\(m.openCondition)")"
    ),
    (t("更新周期", "Update cycle"), named(m.cycle, lists.cycles)),
    (t("发布日期", "Published"), r.publishedOn.map { "\($0)" } ?? "—"),
    (
      t("关联资源", "Related resources"), m.related.isEmpty ? "—" : "\(m.related, { "<span class=\"code\">\($0)</span> " })"
    ),
    (t("涉密属性", "Secrecy"), named(m.secrecy, lists.secrecies)),
    (t("层级", "Level"), named(m.level, lists.levels)),
  ]
  if let mount = r.mount {
    pairs.append(
      (
        t("挂接", "Mount"),
        """
        \(when: view.sourceName != nil, "\(view.sourceName ?? "") · <span class=\"code\">\(mount.table.description)</span> · ")\
        \(t("主键", "key")) <span class="code">\(mount.keyColumns.joined(separator: ", "))</span> · \
        \(mount.cursorColumn.map { "\(t("增量标记", "changes by")) <span class=\"code\">\($0)</span>" as HTML } ?? "\(t("仅支持全量", "full deliveries only"))")
        """
      ))
  }
  return pairs
}

private func missing(_ t: Language) -> HTML { "<span class=\"muted\">\(t("未填写", "not entered"))</span>" }

private func latestNotice(_ t: Language, _ view: ResourceView) -> HTML {
  guard let latest = view.latest else { return .nothing }
  return """
    <p>\(t("另有第 \(latest.version) 版", "There is also version \(latest.version)")) \(stateBadge(t, latest.state)) \
    <a href="\(CatalogLink.resource(view.resource.id, version: latest.version))">\(t("查看", "Show"))</a></p>
    """
}

private func actions(_ request: Request, _ view: ResourceView, mayReview: Bool) -> HTML {
  let t = request.language
  let id = view.resource.id
  var tools: [HTML] = []
  func post(_ verb: String, _ label: String, _ kind: ButtonKind = .plain) {
    tools.append(form(request, action: CatalogLink.step(id, verb), button(label, kind)))
  }
  func go(_ address: String, _ label: String, _ kind: ButtonKind = .plain) {
    tools.append(buttonLink(label, href: address, kind))
  }
  if view.isOwn {
    switch view.resource.state {
    case .draft, .returned:
      go(CatalogLink.edit(id), t("编辑元数据", "Edit metadata"))
      go(CatalogLink.items(id), t("编辑信息项", "Edit items"))
      post("submit", t("提交审核", "Submit for review"), .primary)
      go(CatalogLink.step(id, "discard"), t("放弃", "Discard"), .danger)
    case .submitted: post("recall", t("撤回", "Take back"))
    case .published:
      if view.latest == nil || view.latest?.state == .discarded { post("change", t("编制新版本", "Write a new version")) }
    case .approved, .superseded, .withdrawn, .discarded: break
    }
  }
  if mayReview, view.resource.state == .submitted || view.resource.state == .approved {
    go(CatalogLink.review(id), t("审核", "Review"), .primary)
  }
  if view.resource.state == .published, view.isOwn || mayReview {
    go(CatalogLink.step(id, "withdraw"), t("下架", "Withdraw"), .danger)
  }
  return tools.joined(" ")
}

/// The items; for what is in force, a form to ask for some of them.
private func itemsPart(_ request: Request, _ view: ResourceView, _ lists: CodeLists) -> HTML {
  let t = request.language
  let resource = view.resource
  let asks =
    resource.state == .published && resource.metadata.sharingType != "3"
    && request.principal?.organisation != resource.provider
  let rows = resource.items.map { item in
    let type = resource.sharingType(of: item)
    return """
      <tr>\(when: asks, "<td>\(type == "3" ? .nothing : rowTick(name: "item", value: item.id.text, label: item.name))</td>")\
      <td>\(item.name)\(when: item.isKey, " \(badge(t("主键", "key")))")</td><td class="code">\(item.column)</td>\
      <td>\(t(lists.itemTypes.text(item.dataType)))\(length(item)) · \(item.isNullable ? t("可空", "nullable") : t("非空", "not null"))</td>\
      <td>\(item.semantic.map { t(lists.semantics.text($0)) } ?? "")\(when: item.evidence != nil, "<br>")\(evidence(t, item))</td>\
      <td>\(sharingBadge(t, type, lists))\(when: !item.sharingCondition.isEmpty, "<br>\(item.sharingCondition)")</td>\
      <td>\(t(lists.grades.text(item.grade)))</td><td>\(item.description)</td></tr>
      """ as HTML
  }.joined()
  let head =
    (asks ? [t("申请", "Ask")] : []) + [
      t("信息项", "Item"), t("技术名称", "Column"), t("类型", "Type"), t("语义", "Kind of value"),
      t("共享", "Sharing"), t("分级", "Grade"), t("说明", "Description"),
    ]
  let body = table(
    caption: t("信息项（\(resource.items.count)）", "Items (\(resource.items.count))"), head: head, rows: rows,
    empty: emptyState(t("没有信息项。", "No items.")))
  let ask: HTML = """
    <form method="get" action="/requests/new"><input type="hidden" name="resource" value="\(resource.id)">\(body)\
    \(buttons(button(t("申请这些信息项", "Ask for these items"))))</form>
    """
  return panel(t("信息项", "Items"), id: "items", asks ? ask : body)
}

func length(_ item: Item) -> HTML {
  guard let length = item.length else { return .nothing }
  return item.scale.map { "(\(length),\($0))" } ?? "(\(length))"
}

func evidence(_ t: Language, _ item: Item) -> HTML {
  guard let evidence = item.evidence else { return .nothing }
  if evidence.looked == 0 {
    return "<span class=\"muted\">\(t("按列名推测，没有样本值", "by the column's name; there was no value to look at"))</span>"
  }
  return """
    <span class="muted">\(t("抽样 \(evidence.looked) 个值，\(evidence.valid) 个通过校验", "\(evidence.valid) of \(evidence.looked) sampled values pass"))</span>
    """
}

func history(_ t: Language, _ view: ResourceView) -> HTML {
  let versions = view.versions.map { line in
    """
    <tr><td><a href="\(CatalogLink.resource(line.id, version: line.version))">\(t("第 \(line.version) 版", "Version \(line.version)"))</a></td>\
    <td>\(line.name)</td><td>\(stateBadge(t, line.state))</td><td>\(time(line.changedAt))</td></tr>
    """ as HTML
  }.joined()
  let events = view.events.map { event in
    TimelineEvent(
      t("第 \(event.version) 版：", "Version \(event.version): ") + (event.event.map { t($0.title) } ?? ""), at: event.at,
      by: "\(event.person)（\(event.organisation)）",
      tone: event.event == .sendBack ? .late : event.event == .publish ? .good : .neutral, detail: "\(event.words)")
  }
  let list = table(
    caption: t("各版本", "All versions"),
    head: [t("版本", "Version"), t("名称", "Name"), t("状态", "State"), t("变更时间", "Changed")], rows: versions,
    empty: .nothing)
  return panel(t("版本", "Versions"), id: "versions", list)
    + (events.isEmpty ? .nothing : panel(t("办理经过", "History"), id: "history", timeline(t, events)))
}

extension VersionEvent {
  var title: Text {
    switch self {
    case .edit: Text("编辑", "Edited")
    case .submit: Text("提交审核", "Submitted")
    case .recall: Text("撤回", "Taken back")
    case .sendBack: Text("退回", "Returned")
    case .approve: Text("审核通过并登记", "Approved and registered")
    case .publish: Text("发布", "Published")
    case .supersede: Text("被新版本替代", "Superseded")
    case .withdraw: Text("下架", "Withdrawn")
    case .discard: Text("放弃", "Discarded")
    }
  }
}
