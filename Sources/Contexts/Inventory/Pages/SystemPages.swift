internal import Connecting
internal import Kernel
internal import Web

/// Addresses of this context, in one place.
enum SystemLink {
  static let list = "/systems"
  static let new = "/systems/new"
  static func system(_ id: SystemID) -> String { "/systems/\(id)" }
  static func edit(_ id: SystemID) -> String { "/systems/\(id)/edit" }
  static func sources(_ id: SystemID) -> String { "/systems/\(id)/sources" }
  static func newSource(_ id: SystemID) -> String { "/systems/\(id)/sources/new" }
  static func newSource(_ id: SystemID, kind: String) -> String { newSource(id) + "?kind=\(kind)" }
  static func source(_ source: DataSource) -> String { "/systems/\(source.system)/sources/\(source.id)" }
  /// A page of Mounting, which knows what is catalogued.
  static func tables(_ source: DataSource) -> String { self.source(source) + "/tables" }
  static func probe(_ source: DataSource) -> String { self.source(source) + "/probe" }
}

func systemListPage(_ request: Request, _ listing: SystemRegister.Listing, mayManage: Bool, lists: CodeLists) -> Page {
  let t = request.language
  let words = request.query["q"] ?? ""
  let rows = listing.systems.map { system in
    """
    <tr><td><a href="\(SystemLink.system(system.id))">\(system.facts.name)</a></td><td class="code">\(system.number)</td>\
    <td>\(system.ownerName)</td><td>\(t(lists.networks.text(system.facts.network)))</td>\
    <td>\(stageBadge(t, system.facts.stage, lists))</td></tr>
    """ as HTML
  }.joined()
  let next = listing.next.map { address(SystemLink.list, [("q", request.query["q"]), ("after", $0)]) }
  return Page(
    Text("信息系统", "Information systems"), section: .systems,
    body: """
      \(heading(
        t("政务信息系统", "Information systems"),
        actions: mayManage ? buttonLink(t("登记信息系统", "Register a system"), href: SystemLink.new, .primary) : .nothing))\
      \(searchForm(
        t, action: SystemLink.list, query: request.query["q"],
        label: Text("按名称、编号、功能或单位查找", "Find by name, number, function or owner")))\
      \(table(
        caption: t("信息系统清单", "Register of systems"),
        head: [t("名称", "Name"), t("编号", "Number"), t("所属单位", "Owner"), t("承载网络", "Network"), t("阶段", "Stage")],
        rows: rows, empty: emptyList(t, words, mayManage)))\(pager(t, previous: nil, next: next))
      """)
}

private func emptyList(_ t: Language, _ words: String, _ mayManage: Bool) -> HTML {
  if !words.isEmpty { return emptyState(t("没有符合“\(words)”的信息系统。", "No system matches “\(words)”.")) }
  guard mayManage else { return emptyState(t("还没有登记信息系统。", "No system is registered yet.")) }
  return emptyState(
    t(
      "还没有登记信息系统。先登记一个，再连接它的数据库，就能把表编成目录。",
      "No system is registered yet. Register one, connect its database, and its tables can be catalogued."),
    action: buttonLink(t("登记信息系统", "Register a system"), href: SystemLink.new))
}

func stageBadge(_ t: Language, _ stage: String, _ lists: CodeLists) -> HTML {
  badge(t(lists.stages.text(stage)), stage == "4" ? .good : stage == "5" ? .neutral : .active)
}

func systemPage(
  _ request: Request, _ system: InformationSystem, _ sources: [DataSource], isOwn: Bool, kinds: [ConnectorKind],
  lists: CodeLists
) -> Page {
  let t = request.language
  let f = system.facts
  let given: [(String, HTML)] = [
    (t("编号", "Number"), "<span class=\"code\">\(system.number)</span>"),
    (t("所属单位", "Owner"), "\(system.ownerName)"),
    (t("主要功能", "Function"), "\(f.function)"),
    (t("系统阶段", "Stage"), stageBadge(t, f.stage, lists)),
    (t("使用范围", "Scope of use"), "\(t(lists.scopes.text(f.scope)))"),
    (t("使用频度", "Frequency of use"), "\(t(lists.frequencies.text(f.frequency)))"),
    (t("审批部门", "Approved by"), "\(f.approvedBy)"),
    (t("审批时间", "Approved on"), f.approvedOn.map { time($0) } ?? .nothing),
    (t("经费来源", "Source of funds"), "\(f.fundSource)"),
    (t("承载网络", "Network"), "\(t(lists.networks.text(f.network)))"),
    (t("登记时间", "Registered"), time(system.registeredAt)),
    (t("最近修改", "Last changed"), time(system.changedAt)),
  ]
  return Page(
    Text(same: f.name), section: .systems, trail: [(Text("信息系统", "Information systems"), SystemLink.list)],
    body: """
      \(heading(
        f.name, state: stageBadge(t, f.stage, lists),
        actions: isOwn ? buttonLink(t("修改", "Edit"), href: SystemLink.edit(system.id)) : .nothing))\
      \(facts(given))\
      \(when: isOwn, sourcesPart(request, system, sources, kinds))
      """)
}

private func sourcesPart(
  _ request: Request, _ system: InformationSystem, _ sources: [DataSource], _ kinds: [ConnectorKind]
) -> HTML {
  let t = request.language
  let rows = sources.map { source in
    """
    <tr><td>\(source.name)</td><td>\(t(kinds.first { $0.name == source.kind }?.title ?? Text(same: source.kind)))</td>\
    <td class="code">\(source.location)\(when: !source.secrets.isEmpty, " <span class=\"muted\">\(t("（口令已加密保存）", "(password kept sealed)"))</span>")</td>\
    <td>\(probeState(t, source))</td><td class="actions">\
    \(form(request, action: SystemLink.probe(source), button(t("测试连接", "Test connection"), .plain)))\
    <a href="\(SystemLink.tables(source))">\(t("发现数据表", "Discover tables"))</a> \
    <a href="\(SystemLink.source(source))/edit">\(t("修改", "Edit"))</a></td></tr>
    """ as HTML
  }.joined()
  return panel(
    t("数据源", "Data sources"), id: "sources",
    actions: buttonLink(t("连接数据源", "Connect a source"), href: SystemLink.newSource(system.id)),
    table(
      caption: t("本系统的数据源", "Sources of this system"),
      head: [
        t("名称", "Name"), t("连接方式", "Kind"), t("位置", "Location"), t("最近测试", "Last test"), t("操作", "Actions"),
      ],
      rows: rows,
      empty: emptyState(
        t(
          "还没有数据源。请连接这个系统的数据库或文件，口令会用国密算法加密保存。",
          "No source yet. Connect the database or files of this system; passwords are kept sealed by national algorithms."
        ))))
}

private func probeState(_ t: Language, _ source: DataSource) -> HTML {
  guard let probe = source.lastProbe else { return badge(t("未测试", "Not tested")) }
  let at = time(probe.at)
  if let product = probe.product {
    let notes = [
      probe.isProtected ? nil : t("链路未加密", "connection not encrypted"),
      probe.isReadOnly
        ? nil
        : t(
          "账号可写：接收数据须如此；只提供数据的，建议改用只读账号",
          "account can write: needed to receive; where it only provides, a read-only one is better"),
    ].compactMap { $0 }
    return """
      \(badge(t("可连接", "Answers"), .good)) \(product) \(at)\(notes, { "<br><span class=\"muted\">\($0)</span>" })
      """
  }
  return "\(badge(t("连接失败", "Failed"), .late)) \(at)<br>\(probe.failure.map { t($0) } ?? "")"
}

// MARK: Forms

func systemForm(
  _ request: Request, title: Text, action: String, values: Fields, refusal: Refusal?, lists: CodeLists
) -> Page {
  let t = request.language
  let today = request.now.dateInChina
  let none = t("请选择", "Choose")
  let fields: [Field] = [
    Field("name", Text("系统名称", "Name"), .text(maxLength: SystemFacts.limits.name)),
    Field(
      "function", Text("主要功能", "Function"), .area(maxLength: SystemFacts.limits.function),
      hint: Text("系统支撑哪些业务，产生哪些数据。", "Which business it supports and which data it produces.")),
    Field("scope", Text("使用范围", "Scope of use"), .choice(lists.scopes.options(t, on: today, none: none))),
    Field(
      "frequency", Text("使用频度", "Frequency of use"), .choice(lists.frequencies.options(t, on: today, none: none)),
      hint: Text("范围小、频度低的系统会列入清理核查。", "Systems of small scope and low frequency are looked at in clean-ups.")),
    Field("approvedBy", Text("审批部门", "Approved by"), .text(maxLength: SystemFacts.limits.approvedBy)),
    Field("approvedOn", Text("审批时间", "Approved on"), .date),
    Field(
      "fundSource", Text("经费来源", "Source of funds"), .text(maxLength: SystemFacts.limits.fundSource),
      hint: Text("如财政资金、政企共建、购买服务。", "Such as budget, co-built with an enterprise, bought as a service.")),
    Field("network", Text("承载网络", "Network"), .choice(lists.networks.options(t, on: today, none: none))),
    Field("stage", Text("系统阶段", "Stage"), .choice(lists.stages.options(t, on: today, none: none))),
  ]
  let inputs = fields.map { field(t, $0, value: values, faults: refusal?.faults ?? []) }.joined()
  return Page(
    title, section: .systems, status: refusal?.status ?? 200,
    trail: [(Text("信息系统", "Information systems"), SystemLink.list)],
    body: """
      <h1>\(t(title))</h1>\(faultSummary(t, refusal))\
      \(form(request, action: action, "\(inputs)<input type=\"hidden\" name=\"revision\" value=\"\(values["revision"] ?? "")\">\(buttons(button(t("保存", "Save"))))"))
      """)
}

func sourceForm(
  _ request: Request, _ system: InformationSystem, kind: ConnectorKind, editing: DataSource?, values: Fields,
  refusal: Refusal?
) -> Page {
  let t = request.language
  let name = Field(
    "source", Text("数据源名称", "Name of the source"), .text(maxLength: SourceDraft.nameLimit),
    hint: Text("如“企业登记库”。", "Such as “register of companies”."))
  let inputs: HTML =
    "\(field(t, name, value: values, faults: refusal?.faults ?? []))\(settingInputs(t, kind, editing, values, refusal))"
  let limits: HTML = "<ul>\(kind.guarantee.limits, { "<li>\(t($0))</li>" })</ul>"
  let title =
    editing == nil ? Text("连接 \(kind.title.chinese)", "Connect \(kind.title.english)") : Text("修改数据源", "Edit source")
  return Page(
    title, section: .systems, status: refusal?.status ?? 200,
    trail: [
      (Text("信息系统", "Information systems"), SystemLink.list),
      (Text(same: system.facts.name), SystemLink.system(system.id)),
    ],
    body: """
      <h1>\(t(title))</h1><p>\(t(kind.guarantee.promise))</p>\(limits)\(faultSummary(t, refusal))\
      \(form(request, action: editing.map { SystemLink.source($0) } ?? SystemLink.sources(system.id), "<input type=\"hidden\" name=\"kind\" value=\"\(kind.name)\">\(inputs)\(buttons(button(t("保存", "Save"))))"))
      """)
}

/// The settings of a kind of source; those of a part that not everybody needs are folded away until one is filled in.
private func settingInputs(
  _ t: Language, _ kind: ConnectorKind, _ editing: DataSource?, _ values: Fields, _ refusal: Refusal?
) -> HTML {
  let faults = refusal?.faults ?? []
  var parts: [(title: Text?, settings: [ConnectorKind.Setting])] = []
  for setting in kind.settings {
    if let last = parts.indices.last, parts[last].title == setting.part {
      parts[last].settings.append(setting)
    } else {
      parts.append((setting.part, [setting]))
    }
  }
  return parts.map { part in
    let inputs = part.settings.map { setting in
      field(
        t, settingField(t, setting, isKept: setting.isSecret && editing?.secrets.contains(setting.name) == true),
        value: values, faults: faults)
    }.joined()
    guard let title = part.title else { return inputs }
    let isFilled = part.settings.contains { setting in
      let name = "setting.\(setting.name)"
      return !(values[name] ?? "").isEmpty || editing?.secrets.contains(setting.name) == true
        || faults.contains { $0.field == name }
    }
    return details(t(title), open: isFilled, inputs)
  }.joined()
}
