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
      below += "<p><a href=\"\(CatalogLink.classes)\">\(t("查阅分类", "Browse the classification"))</a></p>"
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
  func field(_ name: String, _ words: ElementWords, _ kind: Field.Kind, required: Bool = true) -> Field {
    Field(name, words.title, kind, required: required, hint: words.hint.chinese.isEmpty ? nil : words.hint)
  }
  return [
    field("name", .name, .text(maxLength: Metadata.limits.name)),
    field("classes", .classes, .text(maxLength: 150)),
    field("abstract", .abstract, .area(maxLength: Metadata.limits.abstract)),
    field(
      "system", .system, .choice([("", none)] + systems.map { ($0.id.text, "\($0.facts.name)（\($0.number)）") }),
      required: false),
    field(
      "format", .format,
      .choice(
        [("", none)]
          + lists.formats.offered(on: today).map {
            ($0.code, "\(t(lists.formatClasses.text(String($0.code.prefix(2))))) · \(t($0.name))")
          })),
    field("sharingType", .sharingType, .choice(lists.sharingTypes.options(t, on: today, none: none))),
    field(
      "sharingCondition", .sharingCondition, .area(maxLength: Metadata.limits.sharingCondition), required: false),
    field(
      "methodClass", .methodClass, .choice(lists.methodClasses.options(t, on: today, none: none)), required: false),
    field("methodType", .methodType, .choice(lists.methodTypes.options(t, on: today, none: none)), required: false),
    field("openType", .openType, .choice(lists.openTypes.options(t, on: today, none: none))),
    field("openCondition", .openCondition, .area(maxLength: Metadata.limits.openCondition), required: false),
    field("cycle", .cycle, .choice(lists.cycles.options(t, on: today, none: none))),
    field("related", .related, .text(maxLength: Metadata.limits.related), required: false),
    field("secrecy", .secrecy, .choice(lists.secrecies.options(t, on: today))),
    field("level", .level, .choice(lists.levels.options(t, on: today, none: none))),
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
