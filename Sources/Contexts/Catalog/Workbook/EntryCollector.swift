internal import Inventory
internal import Kernel
internal import Spreadsheets

/// Puts rows together to entries, whichever kind of file they come from.
struct EntryCollector {
  let workbook: CatalogWorkbook
  let now: Instant
  var found = WorkbookEntries()
  private var byName: [String: Int] = [:]
  private var repeated: [(first: Int, second: Int)] = []

  init(_ workbook: CatalogWorkbook, at now: Instant) {
    self.workbook = workbook
    self.now = now
  }

  mutating func addResource(_ given: WorkbookRow) {
    var row = given
    let metadata = metadata(&row)
    let name = foldedForSearch(metadata.name)
    if let first = name.isEmpty ? nil : byName[name] {
      repeated.append((first, found.entries.count))
    } else if !name.isEmpty {
      byName[name] = found.entries.count
    }
    let system = row.text("system")
    found.entries.append(WorkbookEntry(row: found.resources.count, metadata: metadata, system: system))
    found.resources.append(row.given)
  }

  /// An item of the resource that its row names.
  mutating func addItem(_ given: WorkbookRow) {
    var row = given
    let resource = row.text("resource")
    let entry = byName[foldedForSearch(resource)]
    if entry == nil, resource.isEmpty {
      row.reject("no-resource", "resource", Text("请填写所属信息资源名称。", "Enter the resource it belongs to."))
    } else if entry == nil {
      row.reject(
        "no-such-resource", "resource",
        Text(
          "“\(resource.prefix(40))”不在“信息资源目录”表中。", "“\(resource.prefix(40))” is not in the sheet “Resources”."))
    }
    add(&row, to: entry)
  }

  /// An item of the resource that was added last.
  mutating func addItemOfLast(_ given: WorkbookRow) {
    var row = given
    add(&row, to: found.entries.indices.last)
    // As a row of the sheet, which names its resource first.
    found.items[found.items.count - 1].values.insert(found.resources.last?.values.first ?? .empty, at: 0)
  }

  private mutating func add(_ row: inout WorkbookRow, to entry: Int?) {
    let item = item(&row)
    if let entry {
      found.entries[entry].itemRows.append(found.items.count)
      found.entries[entry].items.append(item)
    }
    found.items.append(row.given)
  }

  /// Everything that was added, with what only shows when all of it is there.
  mutating func end() -> WorkbookEntries {
    for pair in repeated {
      // Which of them is meant, only their writer knows.
      let rows = (found.entries[pair.first].row, found.entries[pair.second].row)
      for (row, other) in [(rows.0, rows.1), (rows.1, rows.0)] {
        let number = found.resources[other].number
        found.reject(
          row, "repeated", workbook, "name",
          Text("名称与第 \(number) 行重复；同一资源只写一行。", "The name stands in row \(number) as well; one row a resource."))
        // Nor whose the items are.
        found.resources[row].unread.insert("items")
      }
    }
    return found
  }

  private func metadata(_ row: inout WorkbookRow) -> Metadata {
    var metadata = Metadata(
      name: row.text("name"), classes: row.codes("classes"), abstract: row.text("abstract"),
      format: row.code("format"), sharingType: row.code("sharingType"), sharingCondition: row.text("sharingCondition"),
      methodClass: row.code("methodClass"), methodType: row.code("methodType"), openType: row.code("openType"),
      openCondition: row.text("openCondition"), cycle: row.code("cycle"), related: row.codes("related"),
      secrecy: row.code("secrecy"), level: row.code("level"))
    // An empty cell must not read as “not secret”.
    if metadata.secrecy.isEmpty, !row.given.unread.contains("secrecy") {
      row.reject("secrecy", "secrecy", Text("请选择涉密属性。", "Say whether it is secret."))
    }
    if metadata.secrecy.isEmpty { metadata.secrecy = "0" }
    return metadata
  }

  private func item(_ row: inout WorkbookRow) -> Item {
    let (sharing, semantic) = (row.code("sharingType"), row.code("semantic"))
    return Item(
      id: .make(at: now), name: row.text("name"), column: row.text("column"), dataType: row.code("dataType"),
      length: row.number("length"), scale: row.number("scale"), isNullable: row.yesNo("isNullable", else: true),
      isKey: row.yesNo("isKey", else: false), semantic: semantic.isEmpty ? nil : semantic,
      description: row.text("description"), sharingType: sharing.isEmpty ? nil : sharing,
      sharingCondition: row.text("sharingCondition"), grade: row.code("grade"))
  }
}
