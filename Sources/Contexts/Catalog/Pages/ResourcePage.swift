internal import Connecting
internal import Deadlines
internal import Inventory
internal import Kernel
internal import Web

func resourcePage(
  _ request: Request, _ view: ResourceView, lists: CodeLists, classification: Classification, mayReview: Bool,
  badges: [HTML] = [], sections: [HTML] = []
) -> Page {
  let t = request.language
  let resource = view.resource
  return Page(
    Text(same: resource.metadata.name), section: .catalog, trail: [catalogTrail],
    within: resource.state.isOpen ? CatalogLink.work : nil,
    body: """
      \(heading(
        resource.metadata.name, state: entryBadge(t, resource), actions: actions(request, view, mayReview: mayReview)))\
      <p class="badges">\(sharingBadge(t, resource.metadata.sharingType, lists)) \
      \(badges.joined(" ")) \
      \(badge(t("第 \(resource.version) 版", "Version \(resource.version)")))</p>\(dayNotice(t, view))\(latestNotice(t, view))\(onlineNotice(request, view, mayReview: mayReview))\
      \(changeNotice(t, view, request.now.dateInChina))\
      \(facts(metadataFacts(t, view, lists, classification)))\(itemsPart(request, view, lists))\(sections.joined())\(attachmentsPart(t, view))\(history(t, view))
      """)
}

/// Of what counts now, whether it is offered; of every other version, where it stands.
private func entryBadge(_ t: Language, _ resource: Resource) -> HTML {
  resource.state == .published ? onlineBadge(t, resource.online) : stateBadge(t, resource.state)
}

private func dayNotice(_ t: Language, _ view: ResourceView) -> HTML {
  guard let day = view.day else { return .nothing }
  return note(
    .active,
    """
    <p>\(t("这是 \(day) 在用的第 \(view.resource.version) 版。", "This is version \(view.resource.version), in force on \(day)."))\
     <a href="\(CatalogLink.resource(view.resource.id))">\(t("查看现在的版本", "Show it as it is now"))</a></p>
    """)
}

/// Since when it is offline, or what was asked for, until when that is decided and by whom.
private func onlineNotice(_ request: Request, _ view: ResourceView, mayReview: Bool) -> HTML {
  let t = request.language
  let resource = view.resource
  guard resource.state == .published, resource.online != .online, let since = view.onlineSince else { return .nothing }
  let meaning: String =
    resource.online.isOnline
    ? t("目前仍可查到、申请和交换。", "It is still found, asked for and delivered.")
    : t(
      "下架期间查不到、不能申请，交换暂停；代码和授权保留，重新上线后继续。",
      "While offline it is neither found nor asked for and deliveries stand still; its code and grants stay and go on when it is back."
    )
  let next: HTML =
    resource.online.isAuditing
    ? """
    <p>\(t("待办：平台审核", "Next: the operator decides"))\
    \(view.onlineDue.map { due in
      " \(dueBadge(t, Due(due.date, isProvisional: due.provisional, explanation: due.explanation), today: request.now.dateInChina, soon: 1))" as HTML
    })\(when: mayReview, " <a href=\"\(CatalogLink.onlineRequest(resource.id))\">\(t("办理", "Decide"))</a>")</p>
    """ : .nothing
  return note(
    resource.online.isOnline ? .active : .soon,
    "<p>\(onlineBadge(t, resource.online)) \(t("自 ", "since "))\(time(since))\(t.stop)\(meaning)</p>\(next)")
}

/// Why this version was written, and whether in time.
func changeNotice(_ t: Language, _ view: ResourceView, _ today: CalendarDate) -> HTML {
  guard let change = view.change else { return .nothing }
  var lines: [(String, HTML)] = [
    (t("变更原因", "Why it changed"), "\(t(change.kind.title))\(t.colon)\(change.words)")
  ]
  if let trigger = change.trigger { lines.append((t("触发日期", "Day of what made it necessary"), "\(trigger)")) }
  if let due = change.due {
    let submitted = view.resource.submittedAt?.dateInChina
    let met: HTML =
      submitted.map { day in
        day <= due.date
          ? badge(t("按期（\(day) 提交）", "in time (submitted \(day))"), .good)
          : badge(t("逾期（\(day) 提交）", "late (submitted \(day))"), .late)
      } ?? .nothing
    lines.append(
      (
        t("应在此前更新", "To be updated by"),
        """
        <span class="due"><time datetime="\(due.date)">\(due.date)</time> \(met)</span>\
        <details class="why"><summary>\(t("怎么算的", "How it was counted"))</summary><ul>\(due.explanation, { "<li>\(t($0))</li>" })</ul></details>
        """
      ))
  }
  return facts(lines)
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
      "<a href=\"\(CatalogLink.search)?class=\($0)\">\(classification.title(of: $0))</a> <span class=\"code\">\($0)</span>\(classification[$0].map { " \(standingBadge(t, $0))" as HTML })"
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
    (
      t("提供方", "Provider"),
      "<a href=\"\(CatalogLink.search)?provider=\(r.provider)\">\(r.providerName)</a>\(view.providerToday.map { today(t, $0) })"
    ),
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
      "\(named(m.openType, lists.openTypes))\(when: !m.openCondition.isEmpty, "\(t.colon)\(m.openCondition)")"
    ),
    (t("更新周期", "Update cycle"), named(m.cycle, lists.cycles)),
    (t("发布日期", "Published"), r.publishedOn.map { time($0) } ?? "—"),
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

/// What became of the provider since this version was written.
private func today(_ t: Language, _ provider: ProviderToday) -> HTML {
  let names = provider.names.joined(separator: t.listing)
  let words =
    provider.since.map { day in
      names.isEmpty
        ? t("该单位 \(day) 撤销，承接单位未登记", "ended on \(day); who took over is not registered")
        : t("\(day) 起由\(names)承接", "taken over by \(names) on \(day)")
    } ?? t("现名\(names)", "now called \(names)")
  return "<br><span class=\"muted\">\(words)</span>"
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
  go(AttachmentLink.print(id, version: view.resource.version), t("打印", "Print"))
  if view.isOwn {
    switch view.resource.state {
    case .draft, .returned:
      go(CatalogLink.edit(id), t("编辑元数据", "Edit metadata"))
      go(CatalogLink.items(id), t("编辑信息项", "Edit items"))
      if view.resource.version == 1 {
        post("submit", t("提交审核", "Submit for review"), .primary)
      } else {
        go(CatalogLink.step(id, "submit"), t("提交审核", "Submit for review"), .primary)
      }
      go(CatalogLink.step(id, "discard"), t("放弃", "Discard"), .danger)
    case .submitted: post("recall", t("撤回", "Take back"))
    case .published:
      if view.latest == nil || view.latest?.state == .discarded { post("change", t("编制新版本", "Write a new version")) }
    case .approved, .superseded, .discarded: break
    }
  }
  if mayReview, view.resource.state == .submitted || view.resource.state == .approved {
    go(CatalogLink.review(id), t("审核", "Review"), .primary)
  }
  guard view.resource.state == .published, view.day == nil, view.isOwn || mayReview else { return tools.joined(" ") }
  let online = view.resource.online
  func offers(_ event: OnlineEvent) -> Bool { online.after(event) != nil }
  if view.isOwn, offers(.recall) { post("online/recall", t("撤回上下架申请", "Take the request back")) }
  if mayReview ? offers(.takeDown) : offers(.requestDown) {
    go(CatalogLink.step(id, "offline"), mayReview ? t("下架", "Take offline") : t("申请下架", "Ask to take offline"), .danger)
  }
  if mayReview ? offers(.bringUp) : offers(.requestUp) {
    go(CatalogLink.step(id, "online"), mayReview ? t("重新上线", "Bring back") : t("申请重新上线", "Ask to bring back"))
  }
  return tools.joined(" ")
}

/// The items; for what is in force, a form to ask for some of them.
private func itemsPart(_ request: Request, _ view: ResourceView, _ lists: CodeLists) -> HTML {
  let t = request.language
  let resource = view.resource
  let asks =
    resource.state == .published && resource.online.isOnline && view.day == nil && resource.metadata.sharingType != "3"
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

/// What was seen of the values that count: only some kinds have a digit that can be checked.
private func seen(_ semantic: String?) -> Text {
  switch semantic {
  case "uscc", "citizen-id", "organisation-code", "bank-card": Text("校验位正确", "have the right check digit")
  case "mobile": Text("符合手机号码的位数和号段", "have the digits of a mobile number")
  case "division": Text("是已知的区划代码", "are known codes of divisions")
  case "address": Text("写法像地址", "read like addresses")
  case "person-name": Text("写法像姓名", "read like names of persons")
  default: Text("写法相符", "are written that way")
  }
}

func evidence(_ t: Language, _ item: Item) -> HTML {
  guard let evidence = item.evidence else { return .nothing }
  if evidence.looked == 0 {
    return "<span class=\"muted\">\(t("按列名推测，没有样本值", "by the column's name; there was no value to look at"))</span>"
  }
  let seen = seen(item.semantic)
  return """
    <span class="muted">\(t("抽样 \(evidence.looked) 个值，\(evidence.valid) 个\(seen.chinese)", "\(evidence.valid) of \(evidence.looked) sampled values \(seen.english)"))</span>
    """
}

func history(_ t: Language, _ view: ResourceView) -> HTML {
  let id = view.resource.id
  let versions = view.versions.map { line in
    """
    <tr><td><a href="\(CatalogLink.resource(id, version: line.version))">\(t("第 \(line.version) 版", "Version \(line.version)"))</a></td>\
    <td>\(line.name)</td><td>\(stateBadge(t, line.state))</td><td>\(inForce(t, line.version, view.periods))</td>\
    <td>\(time(line.changedAt))</td>\
    <td>\(when: view.versions.contains { $0.version < line.version }, "<a href=\"\(CatalogLink.compare(id, to: line.version))\">\(t("与上一版比较", "Compare with the one before"))</a>")</td></tr>
    """ as HTML
  }.joined()
  let events = runs(view.events).map { event, times in
    TimelineEvent(
      t("第 \(event.version) 版：", "Version \(event.version): ") + t(eventTitle(event.event)), at: event.at,
      by: "\(event.person)\(t.opening)\(event.organisation)\(t.closing)", tone: tone(of: event.event),
      detail: times > 1
        ? "\(t("共保存 \(times) 次，最近一次如上。", "Saved \(times) times, the last as above."))" : "\(event.words)")
  }
  let list = table(
    caption: t("各版本", "All versions"),
    head: [
      t("版本", "Version"), t("名称", "Name"), t("状态", "State"), t("在用时间", "In force"), t("变更时间", "Changed"),
      t("差别", "Differences"),
    ], rows: versions, empty: .nothing)
  let ask: HTML =
    view.periods.isEmpty
    ? .nothing
    : """
    <form class="search grid" method="get" action="\(CatalogLink.resource(id))">\
    \(field(t, Field("on", Text("查看某日在用的版本", "The version in force on"), .date), value: Fields([("on", view.day?.description ?? "")])))\
    <button>\(t("查看", "Show"))</button></form>
    """
  return panel(t("版本", "Versions"), id: "versions", list + ask)
    + (events.isEmpty ? .nothing : panel(t("办理经过", "History"), id: "history", timeline(t, events)))
}

/// The events, newest first; one after the other that somebody saved a version is told once, with how often.
private func runs(_ events: [CatalogStore.Event]) -> [(event: CatalogStore.Event, times: Int)] {
  var runs: [(event: CatalogStore.Event, times: Int)] = []
  for event in events {
    if let last = runs.last, event.event == VersionEvent.edit.rawValue, event.words.isEmpty,
      last.event.event == event.event,
      last.event.words.isEmpty, last.event.version == event.version, last.event.person == event.person
    {
      runs[runs.count - 1].times += 1
    } else {
      runs.append((event, 1))
    }
  }
  return runs
}

/// From when until when a version was in force; several times where it was offline between.
private func inForce(_ t: Language, _ version: Int, _ periods: [ForcePeriod]) -> HTML {
  periods.filter { $0.version == version }.map { period in
    period.until.map { Web.period(period.from.dateInChina, $0.dateInChina) }
      ?? "\(t("\(period.from.dateInChina) 起", "since \(period.from.dateInChina)"))"
  }.joined("<br>")
}

func eventTitle(_ event: String) -> Text {
  VersionEvent(rawValue: event)?.title ?? OnlineEvent(rawValue: event)?.title ?? Text(same: event)
}

private func tone(of event: String) -> Tone {
  switch event {
  case VersionEvent.sendBack.rawValue, OnlineEvent.takeDown.rawValue, OnlineEvent.approveDown.rawValue,
    OnlineEvent.rejectDown.rawValue, OnlineEvent.rejectUp.rawValue:
    .late
  case VersionEvent.publish.rawValue, OnlineEvent.approveUp.rawValue, OnlineEvent.bringUp.rawValue: .good
  default: .neutral
  }
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
    case .discard: Text("放弃", "Discarded")
    }
  }
}
