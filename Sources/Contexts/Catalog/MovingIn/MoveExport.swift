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

  init(_ folder: ExportFolder, _ mapping: MoveMapping) throws {
    var findings: [MoveFinding] = []
    func read(_ table: MoveMapping.Table?, _ body: (ExportRow) throws -> Void) throws -> Bool {
      guard let table else { return true }
      return try folder.read(
        table.table, table.columns, deletedWhen: table.deletedWhen ?? [:], found: { findings.append($0) }, body)
    }
    func absent(_ table: String) -> MoveFinding {
      MoveFinding(
        ExportPlace(file: table, line: 0), "", "", "table.missing",
        Text("导出中没有这张表。", "The export has no such table."), .leftOut)
    }
    func need(_ table: MoveMapping.Table?, _ body: (ExportRow) throws -> Void) throws {
      if try !read(table, body), let table { findings.append(absent(table.table)) }
    }

    var byID: [String: Int] = [:]
    var entries: [Entry] = []
    let isThere = try read(mapping.entries) { row in
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
    guard isThere else {
      throw Refusal.invalid(
        "catalog.move.file", "folder",
        Text(
          "导出中没有表 \(mapping.entries.table)（.csv、.xlsx 或同名工作表）。",
          "The export has no table \(mapping.entries.table) (.csv, .xlsx or a sheet of that name)."))
    }
    func orphan(_ row: ExportRow, _ table: MoveMapping.Table?, _ field: String) {
      findings.append(
        MoveFinding(
          row.place, table?.columns[field] ?? "", row[field], "row.orphan",
          Text("它所属的目录不在导出中。", "The entry it belongs to is not in the export."), .leftOut))
    }
    var itemCount = 0
    try need(mapping.items) { row in
      guard let entry = byID[row["entry"]] else { return orphan(row, mapping.items, "entry") }
      entries[entry].items.append(row)
      itemCount += 1
    }
    try need(mapping.formats) { row in
      guard let entry = byID[row["entry"]] else { return orphan(row, mapping.formats, "entry") }
      entries[entry].formats.append(row)
    }
    var byClassRow: [String: Int] = [:]
    try need(mapping.entryClasses) { row in
      guard let entry = byID[row["entry"]] else { return orphan(row, mapping.entryClasses, "entry") }
      entries[entry].classes.append(row)
      if !row["id"].isEmpty { byClassRow[row["id"]] = entry }
    }
    for history in mapping.history ?? [] {
      let table = MoveMapping.Table(table: history.table, columns: history.columns)
      try need(table) { row in
        let field = history.columns["entry"] == nil ? "entryClass" : "entry"
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
    try need(mapping.classes) { classes.append($0) }
    var offices: [String: Office] = [:]
    try need(mapping.offices) { offices[$0["id"]] = Office(name: $0["name"], creditCode: $0["creditCode"]) }
    var (systems, people): ([String: String], [String: String]) = ([:], [:])
    try need(mapping.systems) { systems[$0["id"]] = $0["name"] }
    try need(mapping.people) { people[$0["id"]] = $0["name"] }

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
  }
}
