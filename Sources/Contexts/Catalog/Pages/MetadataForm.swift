internal import Inventory
internal import Kernel
internal import Web

/// The form of the core metadata. Every element is explained, what the rules find stands at its field.
func metadataForm(
  _ request: Request, _ resource: Resource, _ findings: [Finding], _ systems: [InformationSystem], values: Fields,
  refusal: Refusal?, lists: CodeLists, classification: Classification
) -> Page {
  let t = request.language
  let today = request.now.dateInChina
  let faults = refusal?.faults ?? []
  let fields = metadataFields(t, today, lists, systems)
  let named = fields.map(\.name)
  let inputs = fields.map { one in
    let found = findings.filter { $0.field == one.name && !faults.contains($0.fault) }
    var below = found.map { finding in
      "<p class=\"finding\">\(severityBadge(t, finding.severity)) \(t(finding.message)) <span class=\"muted\">\(t(finding.source))</span></p>"
        as HTML
    }.joined()
    if one.name == "classes" {
      below +=
        "<ul>\(words(values["classes"]), { "<li class=\"muted\">\($0)：\(classification.title(of: $0))</li>" })</ul>"
      below += "<p><a href=\"\(CatalogLink.classes)\">\(t("查阅国家分类", "Browse the classification"))</a></p>"
    }
    return field(t, one, value: values, faults: faults) + below
  }.joined()
  // What the rules found stands below, each with a link to where it is mended; on top only what else was wrong.
  var summary = refusal
  summary?.faults.removeAll { fault in findings.contains { $0.fault == fault } }
  let title = Text("编辑目录", "Edit entry")
  return Page(
    title, section: .catalog, status: refusal?.status ?? 200,
    trail: [
      catalogTrail, (Text(same: resource.metadata.name), CatalogLink.resource(resource.id, version: resource.version)),
    ],
    body: """
      <h1>\(t(title))：\(resource.metadata.name)</h1><p class="badges">\(stateBadge(t, resource.state)) \
      \(t("提供方", "Provider"))：\(resource.providerName)（<span class="code">\(resource.providerCode)</span>）</p>\
      \(faultSummary(t, summary))\
      \(panel(
        t("核验结果", "What the rules say"), id: "findings",
        findingsList(t, findings) { finding in
          named.contains(finding.field) ? "#\(finding.field)" : itemLink(resource, finding)
        }))\
      \(form(request, action: CatalogLink.edit(resource.id), """
        \(inputs)<input type="hidden" name="revision" value="\(values["revision"] ?? "")">\
        \(buttons(button(t("保存", "Save")), buttonLink(t("编辑信息项", "Edit items"), href: CatalogLink.items(resource.id))))
        """))
      """)
}

/// Where an item's finding is mended: the page of the items form that has it.
func itemLink(_ resource: Resource, _ finding: Finding) -> String {
  let parts = finding.field.split(separator: ".")
  guard parts.count == 3, parts[0] == "item", let index = Int(parts[1]) else {
    return CatalogLink.items(resource.id) + "#\(finding.field)"
  }
  return CatalogLink.items(resource.id, from: index / itemsOnPage * itemsOnPage) + "#\(finding.field)"
}

private func metadataFields(
  _ t: Language, _ today: CalendarDate, _ lists: CodeLists, _ systems: [InformationSystem]
) -> [Field] {
  let none = t("请选择", "Choose")
  return [
    Field(
      "name", Text("信息资源名称", "Name"), .text(maxLength: Metadata.limits.name),
      hint: Text(
        "描述数据内容，不用系统名或表名；本单位内不重名。", "Says what the data is, not a system's or table's name; unique in the organisation."
      )),
    Field(
      "classes", Text("信息资源分类", "Classes"), .text(maxLength: 150),
      hint: Text(
        "国家分类代码，主分类在前，以空格分隔，最多 \(Metadata.limits.classes) 个，如 3070120337 203。",
        "Codes of the national classification, the primary one first, separated by blanks, at most \(Metadata.limits.classes), such as 3070120337 203."
      )),
    Field(
      "abstract", Text("信息资源摘要", "Abstract"), .area(maxLength: Metadata.limits.abstract),
      hint: Text("有哪些数据、范围多大、从何而来，让别的部门看得懂。", "Which data, of which range, from where: so that others understand.")),
    Field(
      "system", Text("所属信息系统", "Information system"),
      .choice([("", none)] + systems.map { ($0.id.text, "\($0.facts.name)（\($0.number)）") }), required: false),
    Field(
      "format", Text("信息资源格式", "Format"),
      .choice(
        [("", none)]
          + lists.formats.offered(on: today).map {
            ($0.code, "\(t(lists.formatClasses.text(String($0.code.prefix(2))))) · \(t($0.name))")
          })),
    Field(
      "sharingType", Text("共享类型", "Sharing"), .choice(lists.sharingTypes.options(t, on: today, none: none)),
      hint: Text(
        "以共享为原则、不共享为例外。无条件：所有政务部门可用；有条件：相关部门或部分内容；不予共享须有依据。",
        "Sharing is the rule. Unconditional: for every department; conditional: for some, or in part; not sharing needs a basis."
      )),
    Field(
      "sharingCondition", Text("共享条件或不予共享依据", "Condition, or basis of refusal"),
      .area(maxLength: Metadata.limits.sharingCondition), required: false,
      hint: Text(
        "有条件共享写明条件和使用范围；不予共享写明法律法规名称和条款。",
        "The condition and range of use; or the law and article that forbids sharing.")),
    Field(
      "methodClass", Text("共享方式分类", "Method"), .choice(lists.methodClasses.options(t, on: today, none: none)),
      required: false),
    Field(
      "methodType", Text("共享方式类型", "Kind of method"), .choice(lists.methodTypes.options(t, on: today, none: none)),
      required: false, hint: Text("文件类资源以文件共享，数据库以数据库或接口共享。", "Files as files; databases as tables or interfaces.")),
    Field("openType", Text("开放属性", "Openness"), .choice(lists.openTypes.options(t, on: today, none: none))),
    Field(
      "openCondition", Text("开放条件", "Condition of opening"), .area(maxLength: Metadata.limits.openCondition),
      required: false),
    Field(
      "cycle", Text("更新周期", "Update cycle"), .choice(lists.cycles.options(t, on: today, none: none)),
      hint: Text("按真实更新填写；超过周期未更新会被提示。", "As it really is; what is not updated in time is shown as stale.")),
    Field(
      "related", Text("关联资源代码", "Related codes"), .text(maxLength: Metadata.limits.related), required: false,
      hint: Text(
        "已发布目录的代码，以空格分隔，如 3070120337/000001。",
        "Codes of published entries, separated by blanks, such as 3070120337/000001.")),
    Field(
      "secrecy", Text("涉密属性", "Secrecy"), .choice(lists.secrecies.options(t, on: today)),
      hint: Text("涉密资源不得在本网登记。", "Secret resources must not be registered on this network.")),
    Field("level", Text("层级", "Level"), .choice(lists.levels.options(t, on: today, none: none))),
  ]
}

func metadataValues(_ resource: Resource) -> Fields {
  let m = resource.metadata
  return Fields([
    ("name", m.name), ("classes", m.classes.joined(separator: " ")), ("abstract", m.abstract),
    ("system", resource.system?.text ?? ""), ("format", m.format), ("sharingType", m.sharingType),
    ("sharingCondition", m.sharingCondition), ("methodClass", m.methodClass), ("methodType", m.methodType),
    ("openType", m.openType), ("openCondition", m.openCondition), ("cycle", m.cycle),
    ("related", m.related.joined(separator: " ")), ("secrecy", m.secrecy), ("level", m.level),
    ("revision", String(resource.revision)),
  ])
}

func metadata(from form: Fields) -> Metadata {
  Metadata(
    name: form["name"] ?? "", classes: words(form["classes"]), abstract: form["abstract"] ?? "",
    format: form["format"] ?? "", sharingType: form["sharingType"] ?? "",
    sharingCondition: form["sharingCondition"] ?? "", methodClass: form["methodClass"] ?? "",
    methodType: form["methodType"] ?? "", openType: form["openType"] ?? "",
    openCondition: form["openCondition"] ?? "", cycle: form["cycle"] ?? "", related: words(form["related"]),
    secrecy: form["secrecy"] ?? "", level: form["level"] ?? "")
}

private func words(_ text: String?) -> [String] {
  (text ?? "").split { $0 == " " || $0 == "," || $0 == "，" || $0 == "、" || $0 == "\u{3000}" || $0 == ";" || $0 == "；" }
    .map(String.init)
}
