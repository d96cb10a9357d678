internal import Kernel

/// An export as it was read: what belongs to an entry brought together, their codes not yet looked at.
struct MoveExport {
  struct Entry {
    var row: ExportRow
    var items: [ExportRow] = []
    var formats: [ExportRow] = []
    var classes: [ExportRow] = []
    var history: [(row: ExportRow, event: String)] = []
  }

  struct Office: Hashable {
    var name: String
    var creditCode: String
  }

  /// In the order of the file.
  var entries: [Entry] = []
  var classes: [ExportRow] = []
  var offices: [String: Office] = [:]
  var systems: [String: String] = [:]
  var people: [String: String] = [:]
  var findings: [MoveFinding] = []
  var itemCount = 0
  /// A table that the mapping names is not there, and it was said that it may be so: what an entry lacks in this export says
  /// nothing of it.
  var isPartial = false

  /// Refused is an export that lacks a table which the mapping names, or a column that such a table must have: read without
  /// it, entries would come without what it says. Not refused for tables that are optional there or stand in `waived`.
  init(_ folder: ExportFolder, _ mapping: MoveMapping, waived: [String] = []) throws {
    let waived = try mapping.waivable(waived)
    var findings: [MoveFinding] = []
    var lacking: [Text] = []
    var isPartial = false
    func need(_ table: MoveMapping.Table?, _ needed: Set<String>, _ body: (ExportRow) throws -> Void) throws {
      guard let table else { return }
      let missing = try folder.read(
        table.table, table.columns, needed: needed, deletedWhen: table.deletedWhen ?? [:],
        found: { findings.append($0) }, body)
      if let missing {
        lacking += missing.map { column in
          let file = folder.file(of: table.table) ?? table.table
          return Text("\(file) 没有列 \(column)", "\(file) has no column \(column)")
        }
      } else if table.optional == true || waived.contains(table.table.lowercased()) {
        isPartial = true
        findings.append(
          MoveFinding(
            ExportPlace(file: table.table, line: 0), "", "", "table.missing",
            Text("导出中没有这张表。", "The export has no such table."), .leftOut))
      } else {
        lacking.append(
          Text("没有表 \(table.table)（.csv、.xlsx 或同名工作表）", "there is no table \(table.table) (.csv, .xlsx or a sheet)"))
      }
    }
    func need(_ name: String, _ table: MoveMapping.Table?, _ body: (ExportRow) throws -> Void) throws {
      try need(table, MoveMapping.needed[name] ?? [], body)
    }

    var byID: [String: Int] = [:]
    var entries: [Entry] = []
    try need("entries", mapping.entries) { row in
      let id = row["id"]
      guard !id.isEmpty, byID[id] == nil else {
        findings.append(
          MoveFinding(
            row.place, mapping.entries.columns["id"] ?? "", id, "id.repeated",
            id.isEmpty ? Text("没有标识。", "It has no id.") : Text("标识与前面的行重复。", "An earlier row has the id."), .leftOut))
        return
      }
      byID[id] = entries.count
      entries.append(Entry(row: row))
    }
    func orphan(_ row: ExportRow, _ table: MoveMapping.Table?, _ field: String) {
      findings.append(
        MoveFinding(
          row.place, table?.columns[field] ?? "", row[field], "row.orphan",
          Text("它所属的目录不在导出中。", "The entry it belongs to is not in the export."), .leftOut))
    }
    var itemCount = 0
    try need("items", mapping.items) { row in
      guard let entry = byID[row["entry"]] else { return orphan(row, mapping.items, "entry") }
      entries[entry].items.append(row)
      itemCount += 1
    }
    try need("formats", mapping.formats) { row in
      guard let entry = byID[row["entry"]] else { return orphan(row, mapping.formats, "entry") }
      entries[entry].formats.append(row)
    }
    var byClassRow: [String: Int] = [:]
    try need("entryClasses", mapping.entryClasses) { row in
      guard let entry = byID[row["entry"]] else { return orphan(row, mapping.entryClasses, "entry") }
      entries[entry].classes.append(row)
      if !row["id"].isEmpty { byClassRow[row["id"]] = entry }
    }
    for history in mapping.history ?? [] {
      let table = MoveMapping.Table(table: history.table, columns: history.columns, optional: history.optional)
      let field = history.columns["entry"] == nil ? "entryClass" : "entry"
      try need(table, [field, "at"]) { row in
        let entry = field == "entry" ? byID[row["entry"]] : byClassRow[row["entryClass"]]
        guard let entry else { return orphan(row, table, field) }
        guard let event = history.event ?? history.events?[row["kind"]] else {
          findings.append(
            MoveFinding(
              row.place, history.columns["kind"] ?? "", row["kind"], "history.kind",
              Text("不认识这种经过。", "Nobody knows this kind of event."), .leftOut))
          return
        }
        entries[entry].history.append((row, event))
      }
    }
    var classes: [ExportRow] = []
    try need("classes", mapping.classes) { classes.append($0) }
    var offices: [String: Office] = [:]
    try need("offices", mapping.offices) { offices[$0["id"]] = Office(name: $0["name"], creditCode: $0["creditCode"]) }
    var (systems, people): ([String: String], [String: String]) = ([:], [:])
    try need("systems", mapping.systems) { systems[$0["id"]] = $0["name"] }
    try need("people", mapping.people) { people[$0["id"]] = $0["name"] }
    guard lacking.isEmpty else {
      let (chinese, english) = (lacking.map(\.chinese), lacking.map(\.english))
      throw Refusal.invalid(
        "catalog.move.lacks", "export",
        Text(
          "导出与对应关系不符：\(chinese.joined(separator: "；"))。没有迁入任何内容。请补齐后重新导出或修改对应关系；原系统确实没有的表，在对应关系中写 \"optional\": true，或在命令行用 --without 表名。",
          "The export is not what the mapping says: \(english.joined(separator: "; ")). Nothing was moved in. Export it whole, or change the mapping; a table that the other system does not have is \"optional\": true there, or named with --without at the command line."
        ))
    }

    let taken =
      [
        mapping.entries, mapping.items, mapping.formats, mapping.entryClasses, mapping.classes, mapping.offices,
        mapping.systems, mapping.people,
      ].compactMap { $0?.table.lowercased() } + (mapping.history ?? []).map { $0.table.lowercased() }
    for table in folder.tables.subtracting(taken).sorted() {
      findings.append(
        MoveFinding(
          ExportPlace(file: folder.file(of: table) ?? table, line: 0), "", "", "table.unknown",
          Text("对应关系中没有这张表。", "The mapping says nothing of this table."), .leftOut))
    }
    self.entries = entries
    self.classes = classes
    self.offices = offices
    self.systems = systems
    self.people = people
    self.findings = findings
    self.itemCount = itemCount
    self.isPartial = isPartial
  }
}

extension MoveMapping {
  /// The tables that an export may lack, in small letters. Refused is a name that the mapping does not have, and the entries.
  fileprivate func waivable(_ names: [String]) throws -> Set<String> {
    let tables = [items, formats, classes, entryClasses, offices, systems, people].compactMap { $0?.table }
    let known = tables + (history ?? []).map(\.table)
    for name in names where !known.contains(where: { $0.lowercased() == name.lowercased() }) {
      throw Refusal.invalid(
        "catalog.move.without", "without",
        Text(
          "对应关系中没有可以不要的表 \(name)；可以不要的是：\(known.joined(separator: "、"))。",
          "The mapping has no table \(name) that can be done without, only \(known.joined(separator: ", "))."))
    }
    return Set(names.map { $0.lowercased() })
  }
}
