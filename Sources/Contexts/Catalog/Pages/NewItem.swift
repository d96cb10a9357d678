import Inventory
import Kernel
import Web

/// Where an item is written that the draft has not yet, within the form of its items: what else was changed there is saved
/// with it. For resources without a table, whose items are the table's columns.
func newItemFields(_ request: Request, _ values: Fields, _ faults: [Refusal.Fault], _ lists: CodeLists) -> HTML {
  let (t, today) = (request.language, request.now.dateInChina)
  let fields: [Field] = [
    Field("new.name", Text("信息项名称", "Name"), .text(maxLength: Item.limits.name), required: false),
    Field("new.column", Text("技术名称", "Column"), .text(maxLength: Item.limits.column), required: false),
    Field("new.dataType", Text("数据类型", "Type"), .choice(lists.itemTypes.options(t, on: today)), required: false),
    lengthField("new.length", lists, on: today),
  ]
  return """
    <fieldset class="item"><legend>\(t("添加信息项", "Add an item"))</legend>\
    <p class="hint">\(t("不添加就留空。", "Leave it empty to add none."))</p>\
    <div class="grid">\(fields, { field(t, $0, value: values, faults: faults) })</div>\
    \(buttons(button(t("添加", "Add"), .plain)))</fieldset>
    """
}

/// The item that a form adds, nil when it adds none. Refused with faults at its fields.
func newItem(_ resource: Resource, form: Fields, at now: Instant) throws -> Item? {
  let (name, column, length) = (form["new.name"] ?? "", form["new.column"] ?? "", form["new.length"] ?? "")
  guard resource.mount == nil, !(name + column + length).isEmpty else { return nil }
  var item = Item(id: .make(at: now), name: name, column: column, dataType: form["new.dataType"] ?? "")
  var faults: [Refusal.Fault] = []
  if !length.isEmpty {
    item.length = Int(length).flatMap { (1...Item.limits.length).contains($0) ? $0 : nil }
    if item.length == nil {
      let most = grouped(Item.limits.length)
      faults.append(
        Refusal.Fault("new.length", Text("请填写 1 到 \(most) 之间的整数。", "Enter a whole number from 1 to \(most).")))
    }
  }
  // Sent again from a page that the browser kept.
  if resource.items.contains(where: { $0.name == name && $0.column == column }) {
    faults.append(
      Refusal.Fault("new.name", Text("“\(name)”已在信息项中。", "“\(name)” is among the items already.")))
  }
  guard faults.isEmpty else { throw Refusal.invalid("catalog.items", faults) }
  return item
}
