internal import Connecting
internal import Inventory
internal import Kernel
internal import Web

/// So many items are edited at once, so that the page stays light for wide tables.
let itemsOnPage = 20

/// The places of one page of items.
func itemPlaces(_ resource: Resource, from start: Int) -> [Int] {
  Array(start..<max(start, min(start + itemsOnPage, resource.items.count)))
}

/// The form of the items and of what tells rows apart. `places` are the items it shows: a page of them, or, after somebody
/// else moved them, those that one's own form had.
func itemsForm(
  _ request: Request, _ draft: DraftView, from start: Int, places: [Int], values: Fields, refusal: Refusal?,
  conflict: EditConflict? = nil, lists: CodeLists
) -> Page {
  let t = request.language
  let resource = draft.resource
  let faults = refusal?.faults ?? []
  let groups = places.map { index in
    itemFieldset(t, index, draft, values, faults, lists, on: request.now.dateInChina)
  }.joined()
  let pages = stride(from: 0, to: resource.items.count, by: itemsOnPage).map { first in
    let label = "\(first + 1)–\(min(first + itemsOnPage, resource.items.count))"
    return first == start
      ? "<strong>\(label)</strong>" as HTML : "<a href=\"\(CatalogLink.items(resource.id, from: first))\">\(label)</a>"
  }.joined(" ")
  let title = Text("编辑信息项", "Edit items")
  return Page(
    title, section: .catalog, status: refusal?.status ?? 200,
    trail: [
      catalogTrail, (Text(same: resource.metadata.name), CatalogLink.resource(resource.id, version: resource.version)),
    ], within: CatalogLink.work,
    body: """
      <h1>\(t(title))\(t.colon)\(resource.metadata.name)</h1>\(returnedNote(t, draft))\
      \(conflict.map { conflictNote(t, $0) { itemWords(t, $0, $1, lists) } } ?? faultSummary(t, refusal))\
      \(draft.notes.filter { $0.field == "items" }, { noteLine(t, $0) })\
      \(when: resource.items.count > itemsOnPage, "<p class=\"pager\">\(pages)</p>")\
      \(form(request, action: CatalogLink.items(resource.id, from: start), """
        \(mountFields(t, resource, values, faults))\(groups)\
        <input type="hidden" name="revision" value="\(values["revision"] ?? "")">\
        <input type="hidden" name="base" value="\(values["base"] ?? "")">\
        \(when: resource.mount == nil, newItemFields(request, values, faults, lists))\
        \(buttons(saveButton(t("保存", "Save")), button(t("保存并编辑元数据", "Save, then the metadata"), .plain, name: "next", value: "metadata")))
        """))
      """)
}

private func mountFields(_ t: Language, _ resource: Resource, _ values: Fields, _ faults: [Refusal.Fault]) -> HTML {
  guard let mount = resource.mount else { return .nothing }
  let columns = resource.items.map { ($0.column, "\($0.name)\(t.opening)\($0.column)\(t.closing)") }
  let cursors = resource.items.filter { $0.type == .timestamp || $0.type == .integer }
    .map { ($0.column, "\($0.name)\(t.opening)\($0.column)\(t.closing)") }
  return """
    <fieldset class="item"><legend>\(t("挂接", "Mount"))\(t.colon)<span class="code">\(mount.table.description)</span></legend>\
    \(field(t, Field("keys", Text("主键项", "Key items"), .ticks(columns), hint: Text("共同区分每一行；增量更新和核对都靠它。", "Together they tell rows apart; updates and checks rest on them.")), value: values, faults: faults))\
    \(field(t, Field("cursor", Text("增量标记列", "Change cursor"), .choice([("", t("无（只做全量）", "none (full deliveries only)"))] + cursors), required: false, hint: Text("每次修改都会变大的列，如更新时间。", "A column that grows with each change, such as the time of update.")), value: values, faults: faults))\
    </fieldset>
    """
}

/// What an item is stays in sight; what it means and who may have it folds away, its present values beside the fold.
private func itemFieldset(
  _ t: Language, _ index: Int, _ draft: DraftView, _ values: Fields, _ faults: [Refusal.Fault], _ lists: CodeLists,
  on today: CalendarDate
) -> HTML {
  let (resource, findings) = (draft.resource, draft.findings)
  let item = resource.items[index]
  let prefix = "item.\(index)"
  // The column of a mounted table is what the table says; one written by hand can be corrected.
  let column = Field("\(prefix).column", Text("技术名称", "Column"), .text(maxLength: Item.limits.column))
  let fields =
    [Field("\(prefix).name", Text("信息项名称", "Name"), .text(maxLength: Item.limits.name))]
    + (resource.mount == nil ? [column] : []) + [
      Field("\(prefix).dataType", Text("数据类型", "Type"), .choice(lists.itemTypes.options(t, on: today))),
      lengthField("\(prefix).length", lists, on: today),
      Field("\(prefix).scale", Text("小数位", "Decimals"), .number(0...38), required: false),
    ]
  let more: [Field] = [
    Field(
      "\(prefix).semantic", Text("语义", "Kind of value"),
      .choice(lists.semantics.options(t, on: today, none: t("无", "none"))), required: false),
    Field(
      "\(prefix).sharingType", Text("共享类型", "Sharing"),
      .choice(lists.sharingTypes.options(t, on: today, none: t("同资源", "as the resource"))), required: false),
    Field(
      "\(prefix).sharingCondition", Text("条件或依据", "Condition or basis"), .text(maxLength: Item.limits.sharingCondition),
      required: false, needed: Text("与资源不同且非无条件时必填", "needed unless unconditional or as the resource")),
    Field("\(prefix).grade", Text("分级", "Grade"), .choice(lists.grades.options(t, on: today))),
    Field(
      "\(prefix).description", Text("说明", "Description"), .text(maxLength: Item.limits.description), required: false),
  ]
  let found = findings.filter { $0.field.hasPrefix(prefix + ".") && !faults.contains($0.fault) }
  let wrong = Set(found.map(\.field) + faults.map(\.field))
  let summary = [
    item.semantic.map { t(lists.semantics.text($0)) }, t(lists.sharingTypes.text(resource.sharingType(of: item))),
    t(lists.grades.text(item.grade)),
  ].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " · ")
  return """
    <fieldset class="item"><legend>\(index + 1). <span class="code"\(when: resource.mount != nil, " id=\"\(column.name)\"")>\(item.column)</span> \
    \(when: item.isKey, badge(t("主键", "key"))) \(item.isNullable ? t("可空", "nullable") : t("非空", "not null"))</legend>\
    <input type="hidden" name="\(prefix).id" value="\(item.id)">\
    \(when: item.evidence != nil, "<p>\(evidence(t, item))</p>")\
    \(draft.notes.filter { $0.field == ReviewNote.field(of: item) }, { noteLine(t, $0) })\
    \(found, { "<p class=\"finding\">\(severityBadge(t, $0.severity)) \(t($0.message))</p>" })\
    <div class="grid">\(fields, { field(t, $0, value: values, faults: faults) })</div>\
    <details\(when: more.contains { wrong.contains($0.name) }, " open")><summary>\(t("语义、共享、分级、说明", "Kind, sharing, grade, description")) \
    <span class="muted">\(summary)</span></summary>\
    <div class="grid">\(more, { field(t, $0, value: values, faults: faults) })</div></details>\
    <label class="tick"><input type="checkbox" name="\(prefix).remove" value="yes"\(when: values["\(prefix).remove"] != nil, " checked")> \
    \(t("保存时移除“\(item.name)”", "Take “\(item.name)” out when saving"))</label></fieldset>
    """
}

/// An item's length, with the types that cannot do without.
func lengthField(_ name: String, _ lists: CodeLists, on today: CalendarDate) -> Field {
  let types = lists.itemTypes.offered(on: today).filter { $0.value == "length" }.map(\.name)
  let needed = Text(
    "\(types.map(\.chinese).joined(separator: "、"))必填",
    "needed for \(types.map { $0.english.lowercased() }.joined(separator: ", "))")
  return Field(
    name, Text("长度", "Length"), .number(1...Item.limits.length), required: false,
    needed: types.isEmpty ? nil : needed)
}

/// What the form writes of each item.
private let itemFieldNames = [
  "name", "column", "dataType", "length", "scale", "semantic", "sharingType", "sharingCondition", "grade",
  "description",
]

/// Every field of a form with these items, in its order.
private func fieldNames(_ places: [Int]) -> [String] {
  ["keys", "cursor"] + places.flatMap { place in itemFieldNames.map { "item.\(place).\($0)" } }
}

func itemValues(_ resource: Resource, at places: [Int]) -> Fields {
  var pairs: [(name: String, value: String)] = [("revision", String(resource.revision))]
  for column in resource.mount?.keyColumns ?? [] { pairs.append(("keys", column)) }
  pairs.append(("cursor", resource.mount?.cursorColumn ?? ""))
  for index in places {
    let item = resource.items[index]
    let prefix = "item.\(index)"
    pairs += [
      ("\(prefix).name", item.name), ("\(prefix).column", item.column), ("\(prefix).dataType", item.dataType),
      ("\(prefix).length", item.length.map(String.init) ?? ""), ("\(prefix).scale", item.scale.map(String.init) ?? ""),
      ("\(prefix).semantic", item.semantic ?? ""), ("\(prefix).sharingType", item.sharingType ?? ""),
      ("\(prefix).sharingCondition", item.sharingCondition), ("\(prefix).grade", item.grade),
      ("\(prefix).description", item.description),
    ]
  }
  let joined = Fields(pairs).joiningKeys().values
  return Fields(pairs + [("base", DraftMerge.digests(of: joined, in: fieldNames(places)))])
}

extension Fields {
  /// The ticked key items as one value, so that they are compared as one.
  fileprivate func joiningKeys() -> Fields {
    Fields(pairs.filter { $0.name != "keys" } + [("keys", all("keys").joined(separator: "\n"))])
  }

  fileprivate func splittingKeys() -> Fields {
    Fields(
      pairs.flatMap { pair -> [(name: String, value: String)] in
        pair.name == "keys" ? pair.value.split(separator: "\n").map { ("keys", String($0)) } : [pair]
      })
  }
}

/// What a form that is older than the draft shows next: the items it had, where they are now, with one's own changes kept.
/// `isAdded`: the item that was added by the form is in the draft already; `saysMore`: the form says something else than the
/// draft, or takes something out.
func mergedItems(
  _ resource: Resource, form: Fields, isAdded: Bool
) -> (places: [Int], values: Fields, conflict: EditConflict, saysMore: Bool) {
  // Where each item of the form is now.
  var moved: [String: Int] = [:]
  var lost: [EditConflict.Lost] = []
  var places: [Int] = []
  for pair in form.pairs where pair.name.hasPrefix("item.") && pair.name.hasSuffix(".id") {
    let before = String(pair.name.split(separator: ".")[1])
    if let now = resource.items.firstIndex(where: { $0.id.text == pair.value }) {
      moved[before] = now
      places.append(now)
    } else {
      let mine = itemFieldNames.dropFirst().compactMap { field in
        form["item.\(before).\(field)"].map {
          (title: itemPropertyTitles[field] ?? Text(same: field), field: field, value: $0)
        }
      }
      lost.append(EditConflict.Lost(name: form["item.\(before).name"] ?? "", mine: mine))
    }
  }
  func renamed(_ name: String) -> String? {
    guard name.hasPrefix("item.") else { return name }
    let parts = name.split(separator: ".", maxSplits: 2).map(String.init)
    return parts.count == 3 ? moved[parts[1]].map { "item.\($0).\(parts[2])" } : nil
  }
  let mine = Fields(form.pairs.compactMap { pair in renamed(pair.name).map { ($0, pair.value) } }).joiningKeys()
  let base = (form["base"] ?? "").split(separator: " ").compactMap { pair -> String? in
    let sides = pair.split(separator: "=").map(String.init)
    return sides.count == 2 ? renamed(sides[0]).map { "\($0)=\(sides[1])" } : nil
  }.joined(separator: " ")
  let theirs = itemValues(resource, at: places)
  let merge = DraftMerge(fields: fieldNames(places), base: base, theirs: theirs.joiningKeys().values, mine: mine.values)
  let ticks = mine.pairs.filter { $0.name.hasSuffix(".remove") }
  let values = Fields(
    Fields(merge.values).splittingKeys().pairs + ticks + form.pairs.filter { !isAdded && $0.name.hasPrefix("new.") }
      + theirs.pairs.filter { $0.name == "revision" || $0.name == "base" })
  let changes = merge.changes.map { change in (title: itemFieldTitle(change.field, resource), change: change) }
  let before = theirs.joiningKeys().values
  let saysMore = !ticks.isEmpty || !lost.isEmpty || merge.values.contains { before[$0.name] ?? "" != $0.value }
  return (
    places, values, EditConflict(by: resource.changedBy, at: resource.changedAt, changes: changes, lost: lost), saysMore
  )
}

private func itemFieldTitle(_ field: String, _ resource: Resource) -> Text {
  let parts = field.split(separator: ".").map(String.init)
  guard parts.count == 3, let place = Int(parts[1]), resource.items.indices.contains(place) else {
    return field == "keys" ? Text("主键项", "Key items") : Text("增量标记列", "Change cursor")
  }
  let item = resource.items[place].name
  let property = itemPropertyTitles[parts[2]] ?? Text(same: parts[2])
  return Text("\(item)：\(property.chinese)", "\(item): \(property.english)")
}

private let itemPropertyTitles: [String: Text] = [
  "name": Text("信息项名称", "Name"), "column": Text("技术名称", "Column"), "dataType": Text("数据类型", "Type"),
  "length": Text("长度", "Length"), "scale": Text("小数位", "Decimals"), "semantic": Text("语义", "Kind of value"),
  "sharingType": Text("共享类型", "Sharing"), "sharingCondition": Text("条件或依据", "Condition or basis"),
  "grade": Text("分级", "Grade"), "description": Text("说明", "Description"),
]

/// An item's value as people read it.
private func itemWords(_ t: Language, _ field: String, _ value: String, _ lists: CodeLists) -> String {
  if value.isEmpty { return t("（空）", "(empty)") }
  return switch field.split(separator: ".").last {
  case "dataType": t(lists.itemTypes.text(value))
  case "semantic": t(lists.semantics.text(value))
  case "sharingType": t(lists.sharingTypes.text(value))
  case "grade": t(lists.grades.text(value))
  default: value.replacing("\n", with: t.listing)
  }
}

/// The items with what the form says of those it showed, without those it takes out; a number that is none is a fault at
/// its field. `kept` are the places that stay, in the order of before.
func items(_ resource: Resource, form: Fields) throws -> (items: [Item], kept: [Int]) {
  var items = resource.items
  var faults: [Refusal.Fault] = []
  var taken: Set<Int> = []
  let sent = Set(form.pairs.map(\.name))
  func number(_ field: String) -> Int? {
    guard let text = form[field] else { return nil }
    guard let value = Int(text), (0...Item.limits.length).contains(value) else {
      let most = grouped(Item.limits.length)
      faults.append(
        Refusal.Fault(field, Text("请填写 0 到 \(most) 之间的整数。", "Enter a whole number from 0 to \(most).")))
      return nil
    }
    return value
  }
  for index in items.indices {
    let prefix = "item.\(index)"
    if form["\(prefix).remove"] == "yes" {
      taken.insert(index)
      continue
    }
    guard sent.contains("\(prefix).name") else { continue }
    let semantic = form["\(prefix).semantic"]
    if semantic != items[index].semantic { items[index].evidence = nil }
    items[index].name = form["\(prefix).name"] ?? ""
    if resource.mount == nil, sent.contains("\(prefix).column") {
      items[index].column = form["\(prefix).column"] ?? ""
    }
    items[index].dataType = form["\(prefix).dataType"] ?? ""
    items[index].length = number("\(prefix).length")
    items[index].scale = number("\(prefix).scale")
    items[index].semantic = semantic
    items[index].sharingType = form["\(prefix).sharingType"]
    items[index].sharingCondition = form["\(prefix).sharingCondition"] ?? ""
    items[index].grade = form["\(prefix).grade"] ?? ""
    items[index].description = form["\(prefix).description"] ?? ""
  }
  if !faults.isEmpty { throw Refusal.invalid("catalog.items", faults) }
  let kept = items.indices.filter { !taken.contains($0) }
  return (kept.map { items[$0] }, kept)
}

/// The same refusal for the form as it was sent: places are counted as before anything was taken out.
func refusal(_ refusal: Refusal, places kept: [Int]) -> Refusal {
  var refusal = refusal
  refusal.faults = refusal.faults.map { fault in
    var parts = fault.field.split(separator: ".").map(String.init)
    guard parts.count == 3, parts[0] == "item", let place = Int(parts[1]), place <= kept.count else { return fault }
    // The one behind the last is what was to be added.
    guard place < kept.count else { return Refusal.Fault("new.\(parts[2])", fault.message) }
    parts[1] = String(kept[place])
    return Refusal.Fault(parts.joined(separator: "."), fault.message)
  }
  return refusal
}
