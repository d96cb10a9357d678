internal import Inventory
internal import Kernel
internal import Web

/// The form of the core metadata: all 13 elements in the guide's order, those that the platform writes among them. Each is
/// explained with an example and its rule, and what the rules or the reviewer said stands at it. It may be saved incomplete.
func metadataForm(
  _ request: Request, _ draft: DraftView, values: Fields, refusal: Refusal?, conflict: EditConflict? = nil,
  lists: CodeLists, classification: Classification
) -> Page {
  let t = request.language
  let (resource, findings) = (draft.resource, draft.findings)
  let faults = refusal?.faults ?? []
  let fields = metadataFields(t, request.now.dateInChina, lists, draft.systems)
  let named = Set(fields.map(\.name) + ["code", "provider", "items", "publishedOn"])
  let inputs = metadataOrder.map { name -> HTML in
    let said = remarks(t, name, draft, faults: faults)
    guard let one = fields.first(where: { $0.name == name }) else {
      return given(t, name, resource, said)
    }
    var below = said
    if name == "classes" {
      below +=
        "<ul>\(words(values["classes"]), { "<li class=\"muted\">\($0)\(t.colon)\(classification.title(of: $0))</li>" })</ul>"
      below += suggestedClasses(t, resource, classification)
      below += "<p><a href=\"\(CatalogLink.classes)\">\(t("查阅分类", "Browse the classification"))</a></p>"
    }
    return field(t, one, value: values, faults: faults) + guideNote(t, name) + below
  }.joined()
  // What the rules found stands below, each with a link to where it is mended; on top only what else was wrong.
  var summary = refusal
  summary?.faults.removeAll { fault in findings.contains { $0.fault == fault } }
  let title = Text("编辑目录", "Edit entry")
  return Page(
    title, section: .catalog, status: refusal?.status ?? 200,
    trail: [
      catalogTrail, (Text(same: resource.metadata.name), CatalogLink.resource(resource.id, version: resource.version)),
    ], within: CatalogLink.work,
    body: """
      <h1>\(t(title))\(t.colon)\(resource.metadata.name)</h1><p class="badges">\(stateBadge(t, resource.state)) \
      \(t("第 \(resource.version) 版", "Version \(resource.version)")) · \(time(resource.changedAt)) \(resource.changedBy ?? "")</p>\
      \(returnedNote(t, draft))\
      \(conflict.map { conflictNote(t, $0) { metadataWords(t, $0, $1, lists, draft.systems) } } ?? faultSummary(t, summary))\
      \(panel(
        t("核验结果", "What the rules say"), id: "findings",
        findingsList(t, findings) { finding in
          named.contains(finding.field) ? "#\(finding.field)" : itemLink(resource, finding)
        }))\
      \(form(request, action: CatalogLink.edit(resource.id), """
        \(inputs)<input type="hidden" name="revision" value="\(values["revision"] ?? "")">\
        <input type="hidden" name="base" value="\(values["base"] ?? "")">\
        \(buttons(saveButton(t("保存", "Save")), button(t("保存并编辑信息项", "Save, then the items"), .plain, name: "next", value: "items"), button(t("保存并管理附件", "Save, then attachments"), .plain, name: "next", value: "attachments")))\
        <p class="hint">\(t("可以先保存未填完的草稿；提交审核前须更正全部“须更正”的内容。", "A draft may be saved incomplete; what “must be corrected” is mended before it is submitted."))</p>
        """))
      """)
}

/// Why the reviewer sent this version back, until it is submitted again.
func returnedNote(_ t: Language, _ draft: DraftView) -> HTML {
  guard let back = draft.sentBack else { return .nothing }
  return note(
    .late,
    """
    <p><strong>\(t("退回原因", "Why it was returned"))</strong>\(t.colon)\(back.words)<br>\
    <span class="muted">\(back.person)\(t.opening)\(back.organisation)\(t.closing) \(time(back.at))</span></p>
    """)
}

/// The order of the guide, what this platform adds beside the element it belongs to.
private let metadataOrder = [
  "classes", "level", "name", "code", "provider", "providerCode", "abstract", "format", "system", "items",
  "sharingType",
  "sharingCondition", "methodClass", "methodType", "openType", "openCondition", "cycle", "publishedOn", "related",
  "secrecy",
]

/// Saves also what is incomplete: the browser must not hold it back.
func saveButton(_ label: String) -> HTML { "<button class=\"primary\" formnovalidate>\(label)</button>" }

/// What the rules and the reviewer say of one field.
private func remarks(_ t: Language, _ name: String, _ draft: DraftView, faults: [Refusal.Fault]) -> HTML {
  let noted = draft.notes.filter { $0.field == name }.map { noteLine(t, $0) }.joined()
  let found = draft.findings.filter { $0.field == name && !faults.contains($0.fault) }
  return noted
    + found.map { finding in
      "<p class=\"finding\">\(severityBadge(t, finding.severity)) \(t(finding.message)) <span class=\"muted\">\(t(finding.source))</span></p>"
        as HTML
    }.joined()
}

/// What the reviewer said of an element when sending the entry back.
func noteLine(_ t: Language, _ note: ReviewNote) -> HTML {
  "<p class=\"finding\">\(badge(t("审核意见", "Reviewer"), .late)) \(note.words)</p>"
}

/// An element's example and rule, folded away.
private func guideNote(_ t: Language, _ name: String) -> HTML {
  guard let guide = ElementGuide.of(name) else { return .nothing }
  return """
    <details class="guide"><summary>\(t("示例和规则", "Example and rule"))</summary>\
    <p>\(t("例：", "Example: "))\(t(guide.example))</p><p>\(t("规则：", "Rule: "))\(t(guide.rule))</p></details>
    """
}

/// An element that is not written here: by the platform, or, the items, on a page of their own.
private func given(_ t: Language, _ name: String, _ resource: Resource, _ said: HTML) -> HTML {
  let value: HTML =
    switch name {
    case "code":
      resource.code.map { "<span class=\"code\">\($0.description)</span>" }
        ?? "\(t("审核通过后由平台赋码", "given when approved"))"
    case "provider": "\(resource.providerName)"
    case "providerCode": "<span class=\"code\">\(resource.providerCode)</span>"
    // No link: it would leave what was typed behind.
    case "items": "\(t("\(resource.items.count) 项", plural(resource.items.count, "item")))"
    default: resource.publishedOn.map { time($0) } ?? "\(t("发布时由平台填写", "written when it is published"))"
    }
  return """
    <div class="field given" id="\(name)" tabindex="-1"><strong>\(elementLabel(name).map { t($0) } ?? "")</strong>\
    <p>\(value)</p></div>\(guideNote(t, name))\(said)
    """
}

/// The element's number and title: `2 信息资源名称`.
private func elementLabel(_ name: String) -> Text? {
  ElementGuide.of(name).map { guide in
    guide.number.map { Text("\($0) \(guide.words.title.chinese)", "\($0) \(guide.words.title.english)") }
      ?? guide.words.title
  }
}

/// A field's value as people read it.
private func metadataWords(
  _ t: Language, _ name: String, _ value: String, _ lists: CodeLists, _ systems: [InformationSystem]
) -> String {
  let list: CodeList? =
    switch name {
    case "format": lists.formats
    case "sharingType": lists.sharingTypes
    case "methodClass": lists.methodClasses
    case "methodType": lists.methodTypes
    case "openType": lists.openTypes
    case "cycle": lists.cycles
    case "secrecy": lists.secrecies
    case "level": lists.levels
    default: nil
    }
  if value.isEmpty { return t("（空）", "(empty)") }
  if name == "system" { return systems.first { $0.id.text == value }?.facts.name ?? value }
  return list.map { t($0.text(value)) } ?? value
}

/// Classes that the entry's own words speak for, and why; a person takes one by writing its code.
private func suggestedClasses(_ t: Language, _ resource: Resource, _ classification: Classification) -> HTML {
  let found = classification.suggestions(
    for: [resource.metadata.name, resource.metadata.abstract] + resource.items.map(\.name)
  ).filter { !resource.metadata.classes.contains($0.code) }
  guard !found.isEmpty else { return .nothing }
  return """
    <p class="muted">\(t("建议（供参考）", "Suggested"))</p><ul>\(found, { one in
      """
      <li><span class="code">\(one.code)</span> \(one.title) <span class="muted">\(t(one.why))</span></li>
      """
    })</ul>
    """
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
  func field(_ name: String, _ words: ElementWords, _ kind: Field.Kind, required: Bool = true, needed: Text? = nil)
    -> Field
  {
    Field(
      name, elementLabel(name) ?? words.title, kind, required: required && needed == nil,
      hint: words.hint.chinese.isEmpty ? nil : words.hint, needed: needed)
  }
  return [
    field("name", .name, .text(maxLength: Metadata.limits.name)),
    field("classes", .classes, .text(maxLength: 150)),
    field("abstract", .abstract, .area(maxLength: Metadata.limits.abstract)),
    field(
      "system", .system,
      .choice([("", none)] + systems.map { ($0.id.text, "\($0.facts.name)\(t.opening)\($0.number)\(t.closing)") }),
      needed: Text("数据库类资源必填", "needed for databases")),
    field(
      "format", .format,
      .choice(
        [("", none)]
          + lists.formats.offered(on: today).map {
            ($0.code, "\(t(lists.formatClasses.text(String($0.code.prefix(2))))) · \(t($0.name))")
          })),
    field("sharingType", .sharingType, .choice(lists.sharingTypes.options(t, on: today, none: none))),
    field(
      "sharingCondition", .sharingCondition, .area(maxLength: Metadata.limits.sharingCondition),
      needed: Text("无条件共享以外必填", "needed unless shared unconditionally")),
    field(
      "methodClass", .methodClass, .choice(lists.methodClasses.options(t, on: today, none: none)),
      needed: Text("不予共享以外必填", "needed unless it is not shared")),
    field(
      "methodType", .methodType, .choice(lists.methodTypes.options(t, on: today, none: none)),
      needed: Text("通过共享平台时必填", "needed through the platform")),
    field("openType", .openType, .choice(lists.openTypes.options(t, on: today, none: none))),
    field(
      "openCondition", .openCondition, .area(maxLength: Metadata.limits.openCondition),
      needed: Text("依申请开放时必填", "needed when opened on application")),
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
  ]).based(on: metadataFieldNames)
}

/// What the form of the metadata writes.
let metadataFieldNames = [
  "name", "classes", "abstract", "system", "format", "sharingType", "sharingCondition", "methodClass", "methodType",
  "openType", "openCondition", "cycle", "related", "secrecy", "level",
]

/// What a form that is older than the draft shows next: the newest draft with one's own changes kept.
func mergedMetadata(_ resource: Resource, form: Fields) -> (values: Fields, conflict: EditConflict) {
  let theirs = metadataValues(resource)
  let merge = DraftMerge(fields: metadataFieldNames, base: form["base"] ?? "", theirs: theirs.values, mine: form.values)
  let values = Fields(merge.values + theirs.pairs.filter { $0.name == "revision" || $0.name == "base" })
  let changes = merge.changes.map { change in (title: ElementGuide.title(of: change.field), change: change) }
  return (values, EditConflict(by: resource.changedBy, at: resource.changedAt, changes: changes))
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
