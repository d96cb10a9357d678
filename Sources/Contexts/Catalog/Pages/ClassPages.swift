internal import Identity
internal import Kernel
internal import Web

/// The classification, level by level, for whoever has to pick a code or wants to see what is in a class.
func classesPage(_ request: Request, _ view: ClassView, words: String, mayKeep: Bool) -> Page {
  let t = request.language
  let tree = view.tree
  let path = (view.node.map { tree.path(to: $0.code) } ?? []).map { node in
    " › <a href=\"\(CatalogLink.classes(under: node.code))\">\(node.name)</a>" as HTML
  }.joined()
  var tools: [HTML] = []
  if mayKeep {
    if view.node?.isRetired != true {
      let label = view.node == nil ? t("新建本地分类树", "New local tree") : t("新增下级分类", "Add a class below")
      tools.append(buttonLink(label, href: CatalogLink.newClass(under: view.node?.code)))
    }
    if let node = view.node {
      let label = node.isLocal ? t("变更或停用", "Change or retire") : t("停用", "Retire")
      tools.append(buttonLink(label, href: CatalogLink.editClass(node.code)))
    }
  }
  if !tree.retired.isEmpty {
    tools.append(buttonLink(t("停用分类中的目录", "Entries in retired classes"), href: CatalogPath.retiredClasses))
  }
  let counted = words.isEmpty
  let rows = view.listed.map { classRow(t, $0, tree, counted ? (view.counts[$0.code] ?? 0, view.isExact) : nil) }
    .joined()
  let title = view.node?.name ?? t("政务信息资源分类", "Classification of resources")
  let local = tree.localCount
  let intro: HTML = """
    <p>\(t(
      "2017 年国家分类 \(grouped(tree.count - local)) 个节点（类、项、目、细目）\(local > 0 ? "，本地分类 \(grouped(local)) 个" : "")。",
      "The national tree of 2017 with \(grouped(tree.count - local)) nodes\(local > 0 ? ", and \(grouped(local)) local ones" : "")."))</p>
    """
  let head = [
    Column(t("代码", "Code")), Column(t("名称", "Name")), Column(t("下级", "Below"), numeric: true),
    Column(t("目录", "Entries"), numeric: counted),
  ]
  return Page(
    Text("资源分类", "Classification"), section: .catalog, trail: [catalogTrail],
    body: """
      \(heading(title, state: view.node.map { standingBadge(t, $0) } ?? .nothing, actions: tools.joined(" ")))\
      \(when: view.node == nil, intro)\
      \(searchForm(t, action: CatalogLink.classes, query: words, label: Text("按名称或代码查找", "Find by name or code")))\
      <p><a href="\(CatalogLink.classes)">\(t("全部", "All"))</a>\(path)</p>\
      \(view.node.map { nodeFacts(t, $0, view, on: request.now.dateInChina) } ?? .nothing)\
      \(table(
        caption: counted ? t("下级分类", "Classes below") : t("名称或代码含“\(words)”", "Found by “\(words)”"), columns: head,
        rows: rows,
        empty: emptyState(
          counted ? t("没有下级分类。", "Nothing below.") : t("没有找到。换一个词，或只输入代码的开头。", "Nothing found. Try another word, or the beginning of a code."))))\
      \(periodList(t, view))
      """)
}

private func classRow(
  _ t: Language, _ node: Classification.Node, _ tree: Classification, _ count: (Int, isExact: Bool)?
) -> HTML {
  let below = tree.children(of: node.code).count
  let href = CatalogLink.search(class: node.code)
  let entries: HTML =
    if let (number, isExact) = count {
      number == 0
        ? "<td class=\"number\">\(isExact ? "0" : "—")</td>"
        : "<td class=\"number\"><a href=\"\(href)\">\(isExact ? "" : "≥ ")\(grouped(number))</a></td>"
    } else {
      "<td><a href=\"\(href)\">\(t("查看目录", "Entries"))</a></td>"
    }
  return """
    <tr><td class="code">\(node.code)</td><td><a href="\(CatalogLink.classes(under: node.code))">\(node.name)</a> \
    \(standingBadge(t, node))\(when: node.isLocal, badge(t("本地", "Local")))</td>\
    <td class="number">\(below)</td>\(entries)</tr>
    """
}

func standingBadge(_ t: Language, _ node: Classification.Node) -> HTML {
  switch node.standing {
  case .inForce:
    guard let end = node.period?.validTo else { return .nothing }
    return badge(t("自 \(end) 停用", "Retires \(end)"), .soon)
  case .future(let day): return badge(t("自 \(day) 启用", "From \(day)"), .active)
  case .retired(let day): return badge(t("\(day) 起停用", "Retired since \(day)"), .late)
  }
}

private func nodeFacts(
  _ t: Language, _ node: Classification.Node, _ view: ClassView, on today: CalendarDate
) -> HTML {
  let tree = view.tree
  func named(_ code: String) -> HTML {
    "<a href=\"\(CatalogLink.classes(under: code))\">\(tree.title(of: code))</a> <span class=\"code\">\(code)</span>"
  }
  let total = view.isExact ? grouped(view.total) : t("超过 \(grouped(view.total))", "more than \(grouped(view.total))")
  var pairs: [(String, HTML)] = [
    (t("代码", "Code"), "<code>\(node.code)</code>"),
    (t("目录", "Entries"), "<a href=\"\(CatalogLink.search(class: node.code))\">\(total)</a>"),
  ]
  if node.isLocal {
    let mapped = tree.national(of: node.code)
    pairs.append(
      (t("对应国家分类", "National class"), mapped.map(named) ?? "\(t("没有，不能作主分类", "none; it cannot be a primary class"))"))
    pairs.append((t("供谁使用", "For"), useWords(t, node.period?.usedBy ?? .everyone, view.user)))
  }
  if !view.mappedFrom.isEmpty {
    pairs.append(
      (
        t("对应的本地分类", "Local classes"),
        view.mappedFrom.prefix(20).map {
          link("\($0.name)\(t.opening)\($0.code)\(t.closing)", CatalogLink.classes(under: $0.code))
        }.joined(
          "\(t.listing)")
      ))
  }
  if let successor = node.successor {
    let heir = tree.heir(of: node.code, on: max(today, node.period?.validTo ?? today))
    let now: HTML =
      if let heir {
        heir.code == successor
          ? .nothing : "<br>\(t("它也停用，承接的是", "retired too; its entries go to ")) \(named(heir.code))"
      } else {
        "<br>\(t("它也停用，没有承接的分类", "retired too, and no class takes over"))"
      }
    pairs.append((t("后继分类", "Successor"), "\(named(successor))\(now)"))
  }
  if !view.holders.isEmpty {
    let held = view.holders.map { held -> HTML in
      let way = held.way.dropLast().map {
        "\($0.name)\(t("（至 ", " (until "))\($0.validTo?.description ?? "")\(t("）→ ", ") → "))" as HTML
      }.joined()
      return "\(way)<a href=\"/organisations/\(held.office.id)\">\(held.office.name)</a>"
    }.joined("<br>")
    pairs.append((t("现由", "Held today by"), held))
  }
  return facts(pairs)
}

private func useWords(_ t: Language, _ use: ClassUse, _ user: Organisation?) -> HTML {
  switch use {
  case .everyone: "\(t("所有单位", "every office"))"
  case .division(let code): "\(Divisions.embedded.known(code)?.name ?? code) <span class=\"code\">\(code)</span>"
  case .office(let id): "<a href=\"/organisations/\(id)\">\(user?.name ?? t("一个单位", "one office"))</a>"
  }
}

private func periodList(_ t: Language, _ view: ClassView) -> HTML {
  guard !view.periods.isEmpty else { return .nothing }
  let rows = view.periods.map { period -> HTML in
    """
    <tr><td>\(time(period.validFrom)) – \(period.validTo.map { time($0) })</td><td>\(period.name)</td>\
    <td class="code">\(period.national ?? "—")</td><td class="code">\(period.successor ?? "—")</td>\
    <td>\(period.changedBy)<br><span class="muted">\(period.changedAt.minuteInChina)</span></td></tr>
    """
  }.joined()
  return panel(
    t("沿革", "History"), id: "periods",
    table(
      caption: t("各时期", "Periods"),
      head: [
        t("有效期", "Period"), t("名称", "Name"), t("对应国家分类", "National class"), t("后继", "Successor"),
        t("登记", "Kept by"),
      ], rows: rows, empty: .nothing))
}

// MARK: Keeping

func newClassPage(
  _ request: Request, _ view: ClassView, _ choices: ClassUseChoices, values: Fields, refusal: Refusal?
) -> Page {
  let t = request.language
  let title = view.node == nil ? Text("新建本地分类树", "New local tree") : Text("新增下级分类", "Add a class below")
  let codeHint =
    view.node.map {
      Text("以上级代码 \($0.code) 开头，再加 2 或 3 位数字。", "The code above, \($0.code), and 2 or 3 more digits.")
    } ?? Text("2 到 8 个小写字母，如 cj（场景）。", "2 to 8 small letters, such as cj.")
  let isUnderNational = view.node.map { view.tree.path(to: $0.code).first?.isLocal == false } ?? false
  return classForm(
    request, view, title: title, refusal: refusal,
    form(
      request, action: CatalogLink.newClass(under: nil),
      """
      <input type="hidden" name="parent" value="\(view.node?.code ?? "")">\
      \(field(t, Field("code", Text("代码", "Code"), .text(maxLength: ClassPeriod.limits.code), hint: codeHint), value: values, faults: refusal?.faults ?? []))\
      \(classFields(t, view, choices, isMappable: !isUnderNational, values, refusal))\
      \(buttons(button(t("新增", "Add")), buttonLink(t("返回", "Back"), href: CatalogLink.classes(under: view.node?.code))))
      """))
}

func editClassPage(
  _ request: Request, _ view: ClassView, _ choices: ClassUseChoices, values: Fields, refusal: Refusal?
) -> Page {
  let t = request.language
  let node = view.node
  let code = node?.code ?? ""
  let faults = refusal?.faults ?? []
  let isUnderNational = view.tree.path(to: code).first?.isLocal == false
  let change = form(
    request, action: CatalogLink.classes + "/\(code)/change",
    """
    \(classFields(t, view, choices, isMappable: !isUnderNational, values, refusal))\(buttons(button(t("变更", "Change"))))
    """)
  let total = view.isExact ? "\(view.total)" : t("超过 \(view.total)", "more than \(view.total)")
  let retire = form(
    request, action: CatalogLink.classes + "/\(code)/retire",
    """
    <p>\(t("停用后不能再放入新的目录；已在其中的 \(total) 条仍有效，其单位会收到待办，可一键改用后继分类。旧版本保留原分类。",
      "Nothing more can be put into it; the \(total) entries in it stay in force, and their departments get a task to move them to the successor. Old versions keep what they had."))</p>\
    \(field(t, Field("on", Text("停用日", "Retired from"), .date), value: values, faults: faults))\
    \(field(t, Field("successor", Text("后继分类代码", "Code of the successor"), .text(maxLength: ClassPeriod.limits.code), required: false), value: values, faults: faults))\
    \(when: view.total > 0, field(t, Field("leaves", Text("没有后继", "No successor"), .ticks([("1", t("由各单位逐条另选分类", "Each department chooses another class for its entries"))]), required: false, saysOptional: false), value: values, faults: faults))\
    \(buttons(button(t("停用", "Retire"), .danger), buttonLink(t("返回", "Back"), href: CatalogLink.classes(under: code))))
    """)
  return classForm(
    request, view, title: Text("变更分类", "Change class"), refusal: refusal,
    (node?.isLocal == true ? panel(t("名称、对应和使用范围", "Name, mapping and use"), id: "change", change) : .nothing)
      + panel(t("停用", "Retire"), id: "retire", retire))
}

private func classForm(
  _ request: Request, _ view: ClassView, title: Text, refusal: Refusal?, _ body: HTML
) -> Page {
  let t = request.language
  return Page(
    title, section: .catalog, status: refusal?.status ?? 200,
    trail: [catalogTrail, (Text("资源分类", "Classification"), CatalogLink.classes(under: view.node?.code))],
    body: """
      <h1>\(t(title))\(view.node.map { "\(t.colon)\($0.name)\(t.opening)\($0.code)\(t.closing)" as HTML })</h1>\(faultSummary(t, refusal))\(body)
      """)
}

private func classFields(
  _ t: Language, _ view: ClassView, _ choices: ClassUseChoices, isMappable: Bool, _ values: Fields, _ refusal: Refusal?
) -> HTML {
  var fields = [
    Field("name", Text("名称", "Name"), .text(maxLength: ClassPeriod.limits.name)),
    Field("from", Text("自", "From"), .date),
  ]
  if isMappable {
    fields.append(
      Field(
        "national", Text("对应的国家分类代码", "Code of the national class"), .text(maxLength: ClassPeriod.limits.code),
        required: false,
        hint: Text(
          "没有对应时沿用上级的；都没有则不能作主分类。",
          "Without one, that of the class above; with none at all, it cannot be a primary class.")))
  }
  fields.append(
    Field(
      "usedBy", Text("供谁使用", "For whom"),
      .choice(choices.options(t, keeping: values["usedBy"] ?? "", named: view.user?.name)), required: false,
      hint: choices.isCut
        ? Text(
          "只列出前 \(Providers.mostListed) 个单位，其余单位请用 sanjiang classes import 设置。",
          "The first \(Providers.mostListed) offices are listed; set others by sanjiang classes import.")
        : nil, saysOptional: false))
  return fields.map { field(t, $0, value: values, faults: refusal?.faults ?? []) }.joined()
}

// MARK: Retired classes

func retiredClassesPage(_ request: Request, _ classes: [RetiredClass], mayMove: Bool) -> Page {
  let t = request.language
  let title = Text("停用分类中的目录", "Entries in retired classes")
  let parts = classes.map { one -> HTML in
    let rows = one.entries.map { entry -> HTML in
      let step =
        one.successor == nil
        ? form(
          request, action: CatalogLink.step(entry.id, "change"),
          button(t("编制新版本，另选分类", "Write a new version with another class"), .plain))
        : form(
          request, action: CatalogLink.step(entry.id, "move-class"),
          """
          <input type="hidden" name="class" value="\(one.node.code)">\(button(t("改用后继分类", "Move to the successor"), .plain))
          """)
      return """
        <tr><td><a href="\(CatalogLink.resource(entry.id))">\(entry.name)</a></td><td>\(entry.providerName)</td>\
        <td class="code">\(entry.code)</td>\(when: mayMove, "<td>\(step)</td>")</tr>
        """
    }.joined()
    let next: HTML =
      one.successor.map {
        "\(t("后继", "Successor"))\(t.colon)<a href=\"\(CatalogLink.classes(under: $0.code))\">\($0.name)</a> <span class=\"code\">\($0.code)</span>"
      }
      ?? "\(t("没有后继：在各条目录的新版本中另选分类，发布后即从这里移出。", "No successor: choose another class in a new version of each entry, which leaves this list when it is published."))"
    return panel(
      "\(one.node.name)\(t.opening)\(one.node.code)\(t.closing)",
      """
      <p>\(standingBadge(t, one.node)) \(next)</p>\
      \(table(
        caption: t("在用目录", "Entries in force"),
        head: [t("名称", "Name"), t("提供方", "Provider"), t("代码", "Code")] + (mayMove ? [t("办理", "Step")] : []),
        rows: rows, empty: .nothing))\
      \(when: one.total > one.entries.count, "<p><a href=\"\(CatalogLink.search(class: one.node.code))\">\(t("全部 \(grouped(one.total)) 条", "All \(grouped(one.total))"))\(when: !one.isTotalExact, "+")</a></p>")
      """)
  }.joined()
  return Page(
    title, section: .catalog, trail: [catalogTrail, (Text("资源分类", "Classification"), CatalogLink.classes)],
    body: """
      <h1>\(t(title))</h1>\
      \(classes.isEmpty ? emptyState(t("没有目录在停用的分类中，无需办理。", "No entry is in a retired class; nothing to do.")) : parts)
      """)
}
