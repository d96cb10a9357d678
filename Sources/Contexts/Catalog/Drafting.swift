package import Connecting
package import Inventory
package import Kernel

/// A draft made from a table as its database describes it: everything the table can say is filled in, what only people
/// know is left open for the rules to ask for.
package struct TableDraft: Sendable {
  package var metadata: Metadata
  package var items: [Item]
  package var keyColumns: [String]
  package var cursorColumn: String?
}

/// Pure: the same table and sample give the same draft but for the items' ids.
package func draft(
  from table: TableDescription, sample: TableSample, connector: String, classNode: String?, at now: Instant
) -> TableDraft {
  let today = now.dateInChina
  var taken: Set<String> = []
  let items = table.columns.enumerated().map { place, column -> Item in
    let guess =
      column.type == .text || column.type == .integer
      ? ValueGuess.of(column: column, values: sample.values[column.name] ?? [], on: today) : nil
    let (name, description) = named(column, at: place, guess, among: &taken)
    let (dataType, length, scale) = nationalType(column, guess)
    return Item(
      id: .make(at: now), name: name, column: column.name, dataType: dataType, length: length, scale: scale,
      isNullable: column.isNullable && column.keyPosition == nil, isKey: column.keyPosition != nil, type: column.type,
      semantic: guess?.semantic, description: description, grade: grade(guess?.semantic), evidence: guess?.evidence)
  }
  let title = cleaned(table.comment ?? "", Metadata.limits.name)
  // Names of columns tell a reader nothing: an abstract is made of what has a name in Chinese, or left to be written.
  let told = items.map(\.name).filter(Han.isPart(of:))
  let listed = told.prefix(8).joined(separator: "、")
  let contents = told.isEmpty ? "" : "包括\(listed)\(items.count > min(told.count, 8) ? "等" : "")\(items.count)个信息项。"
  let files = ["csv", "files", "documents"].contains(connector)
  return TableDraft(
    metadata: Metadata(
      name: title.isEmpty ? table.name.name : title, classes: classNode.map { [$0] } ?? [],
      abstract: contents.isEmpty
        ? "" : cleaned((title.isEmpty ? "" : "\(title)。") + contents, Metadata.limits.abstract),
      format: connector == "documents" ? "0110" : files ? "0204" : "0311", methodClass: "1",
      methodType: files ? "2" : "1", secrecy: "0", level: "2"),
    items: items, keyColumns: table.key.map(\.name), cursorColumn: cursor(of: table)?.name)
}

/// The comment's first words are the name, the rest says more. Without a comment it is named after what its values were seen
/// to be, the first so called by that alone; else the column's own name stands in, and a finding asks for a Chinese one. A
/// column without a name is told by its place.
private func named(
  _ column: ColumnDescription, at place: Int, _ guess: ValueGuess?, among taken: inout Set<String>
) -> (name: String, description: String) {
  let comment = cleaned(column.comment ?? "", Item.limits.description)
  let end = comment.firstIndex { "，,。；;：:（(\n".contains($0) } ?? comment.endIndex
  var name = cleaned(String(comment[..<end]), Item.limits.name)
  if name.isEmpty, let guess, guess.evidence.valid > 0 {
    let seen = CodeLists.embedded.semantics.text(guess.semantic).chinese
    name = taken.contains(seen) ? cleaned("\(seen)（\(column.name)）", Item.limits.name) : seen
  }
  if name.isEmpty { name = cleaned(column.name, Item.limits.name) }
  if name.isEmpty { name = "第 \(place + 1) 列" }
  taken.insert(name)
  return (name, end == comment.endIndex ? "" : comment)
}

/// 数据类型 with length and scale. Codes with a standard have the standard's length, whatever the column allows.
private func nationalType(_ column: ColumnDescription, _ guess: ValueGuess?) -> (String, Int?, Int?) {
  switch column.type {
  case .text:
    let fixed: Int? =
      switch guess?.semantic {
      case "uscc", "citizen-id": 18
      case "organisation-code": 9
      case "mobile": 11
      default: nil
      }
    guard let length = fixed ?? column.length else { return ("M", nil, nil) }
    return ("C", length, nil)
  case .integer: return ("I", nil, nil)
  case .decimal(let precision, let scale): return ("N", precision, scale)
  case .double: return ("B", nil, nil)
  case .boolean: return ("L", nil, nil)
  case .date: return ("D", nil, nil)
  case .timestamp: return ("T", nil, nil)
  case .bytes, nil: return ("G", nil, nil)
  }
}

private func grade(_ semantic: String?) -> String {
  switch semantic {
  case "citizen-id", "bank-card": "4"
  case "mobile", "person-name", "address": "3"
  default: "2"
  }
}

/// The column that most likely grows with each change.
private func cursor(of table: TableDescription) -> ColumnDescription? {
  let words = ["update", "modif", "change", "gxsj", "xgsj", "更新时间", "修改时间", "变更时间"]
  return table.columns.first { column in
    guard column.type == .timestamp || column.type == .integer, column.keyPosition == nil else { return false }
    let text = (column.name + " " + (column.comment ?? "")).lowercased()
    return words.contains { text.contains($0) }
  }
}

/// What shows as nothing, or turns the direction of writing.
private func isHidden(_ scalar: Unicode.Scalar) -> Bool {
  scalar.value >= 0x7F
    && (scalar.properties.generalCategory == .format || scalar.properties.isDefaultIgnorableCodePoint)
}

/// One line without control and hidden characters, cut to a limit.
private func cleaned(_ text: String, _ limit: Int) -> String {
  var scalars = String.UnicodeScalarView()
  for scalar in text.unicodeScalars where !isHidden(scalar) {
    scalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? " " : scalar)
  }
  let words = String(scalars).split(separator: " ").joined(separator: " ")
  return String(words.prefix(limit))
}
