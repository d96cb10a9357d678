package import Catalog
package import Connecting
package import Kernel

/// One way in which a table does not hold what an entry says.
package enum Misfit: Hashable, Sendable {
  case missing(column: String)
  case retyped(column: String, agreed: ValueType, found: String)
  /// The column is there and no connector can carry what it holds.
  case uncarried(column: String, found: String)
  /// Values may be longer than the item allows: said, and no reason to fail.
  case longer(column: String, agreed: Int, found: Int)

  package var isFatal: Bool { if case .longer = self { false } else { true } }

  var code: String {
    switch self {
    case .missing: "mounting.column-missing"
    case .retyped: "mounting.column-type"
    case .uncarried: "mounting.column-uncarried"
    case .longer: "mounting.column-length"
    }
  }

  package var words: Text {
    switch self {
    case .missing(let column): Text("缺少列“\(column)”", "column “\(column)” is missing")
    case .retyped(let column, let agreed, let found):
      Text(
        "列“\(column)”约定为\(agreed.title.chinese)，现为 \(found)",
        "column “\(column)” was agreed as \(agreed.title.english) and is now \(found)")
    case .uncarried(let column, let found):
      Text("列“\(column)”的类型 \(found) 不能传送", "column “\(column)” is of \(found), which cannot be carried")
    case .longer(let column, let agreed, let found):
      Text(
        "列“\(column)”可长达 \(found) 字，信息项为 \(agreed)",
        "column “\(column)” may have \(found) characters; the item says \(agreed)")
    }
  }
}

/// What of the entry's items the table does not hold. `declaresTypes` false: types only seem so and are not compared.
package func misfits(_ items: [Item], _ table: TableDescription, declaresTypes: Bool) -> [Misfit] {
  items.compactMap { item -> Misfit? in
    guard let agreed = item.type, !item.column.isEmpty else { return nil }
    guard let column = table.column(item.column) else { return .missing(column: item.column) }
    guard declaresTypes else { return nil }
    guard let found = column.type else { return .uncarried(column: item.column, found: column.nativeType) }
    guard carries(found, agreed) else { return .retyped(column: item.column, agreed: agreed, found: column.nativeType) }
    if agreed == .text, let length = item.length, let wide = column.length, wide > length {
      return .longer(column: item.column, agreed: length, found: wide)
    }
    return nil
  }
}

/// Whether a column of one type can deliver what was agreed as another without loss, as every connector reads it.
private func carries(_ found: ValueType, _ agreed: ValueType) -> Bool {
  switch (found, agreed) {
  case (.decimal, .decimal), (.integer, .decimal): true
  default: found == agreed
  }
}

/// The faults of a list of misfits in one sentence; nil where none is fatal. The first six are named.
package func fault(of misfits: [Misfit]) -> Tie.Fault? {
  let fatal = misfits.filter(\.isFatal)
  guard let first = fatal.first else { return nil }
  let more = fatal.count - 6
  let shown = fatal.prefix(6).map(\.words)
  return Tie.Fault(
    first.code,
    Text(
      shown.map(\.chinese).joined(separator: "；") + (more > 0 ? "；等 \(fatal.count) 处" : "") + "。",
      shown.map(\.english).joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "") + "."))
}

/// Which column of a table an item by hand most likely means: by its technical name, by its Chinese name as the column's
/// name, or by the column's comment. Each column is taken once, surer matches first.
package func matches(_ items: [Item], _ table: TableDescription) -> [ItemID: String] {
  var free = table.columns
  var found: [ItemID: String] = [:]
  func take(_ fits: (Item, ColumnDescription) -> Bool) {
    for item in items where found[item.id] == nil {
      guard let at = free.firstIndex(where: { fits(item, $0) }) else { continue }
      found[item.id] = free.remove(at: at).name
    }
  }
  take { item, column in item.column == column.name }
  take { item, column in !item.column.isEmpty && item.column.lowercased() == column.name.lowercased() }
  take { item, column in plain(item.name) == plain(column.name) }
  take { item, column in column.comment.map { plain(firstWords($0)) == plain(item.name) } ?? false }
  take { item, column in
    let name = plain(item.name)
    return name.count >= 2 && (column.comment.map { plain($0).contains(name) } ?? false)
  }
  return found
}

private func firstWords(_ comment: String) -> String {
  String(comment.prefix { !"，,。；;：:（(\n".contains($0) })
}

private func plain(_ text: String) -> String { text.lowercased().filter { !$0.isWhitespace && $0 != "_" } }
