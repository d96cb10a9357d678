package import Connecting
package import Kernel
internal import NationalCrypto

/// A table's shape as text that compares: what entries and contracts rest on, and nothing that changes by itself, such as
/// the number of rows.
package struct TableSnapshot: Hashable, Sendable {
  package let content: String

  package init(content: String) { self.content = content }

  package init(_ table: TableDescription) {
    let columns = table.columns.map { column in
      [
        column.name, column.nativeType, column.type?.description ?? "", column.length.map(String.init) ?? "",
        column.isNullable ? "null" : "", column.keyPosition.map(String.init) ?? "", column.comment ?? "",
      ].map(Self.escaped).joined(separator: "\t")
    }
    content = ([Self.escaped(table.comment ?? "")] + columns).joined(separator: "\n")
  }

  package var digest: String { SM3.hash(content).hex }

  /// The table as it was described, without an estimate of its rows.
  package func table(_ name: TableName, estimatedRows: Int? = nil, isView: Bool = false) -> TableDescription {
    let lines = content.split(separator: "\n", omittingEmptySubsequences: false)
    let comment = lines.first.map { Self.unescaped($0) } ?? ""
    return TableDescription(
      name: name, comment: comment.isEmpty ? nil : comment, estimatedRows: estimatedRows, isView: isView,
      columns: lines.dropFirst().compactMap { line in
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map { Self.unescaped($0) }
        guard fields.count == 7 else { return nil }
        return ColumnDescription(
          name: fields[0], nativeType: fields[1], type: ValueType(fields[2]), length: Int(fields[3]),
          isNullable: fields[4] == "null", keyPosition: Int(fields[5]), comment: fields[6].isEmpty ? nil : fields[6])
      })
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\t", with: "\\t").replacing("\n", with: "\\n")
      .replacing("\0", with: "")
  }

  private static func unescaped(_ text: Substring) -> String {
    guard text.contains("\\") else { return String(text) }
    var (out, isEscape) = ("", false)
    for character in text {
      if isEscape {
        out.append(character == "t" ? "\t" : character == "n" ? "\n" : character)
        isEscape = false
      } else if character == "\\" {
        isEscape = true
      } else {
        out.append(character)
      }
    }
    return out
  }
}

/// What is different between two readings of one table.
package enum TableDifference: Hashable, Sendable {
  case added
  case dropped
  case columnAdded(ColumnDescription)
  case columnDropped(ColumnDescription)
  /// One column gone and one come that look alike: a guess, and said to be one.
  case columnRenamed(from: ColumnDescription, to: ColumnDescription)
  case columnRetyped(from: ColumnDescription, to: ColumnDescription)
  case nullability(column: String, isNullable: Bool)
  case comment(column: String, from: String, to: String)
  case tableComment(from: String, to: String)
  case key(from: [String], to: [String])

  package var words: Text {
    switch self {
    case .added: Text("新增的表", "New table")
    case .dropped: Text("表已删除或不可读", "Table dropped, or no longer readable")
    case .columnAdded(let column):
      Text("新增列 \(column.name)（\(column.nativeType)）", "Column added: \(column.name) (\(column.nativeType))")
    case .columnDropped(let column): Text("删除列 \(column.name)", "Column dropped: \(column.name)")
    case .columnRenamed(let old, let new):
      Text("疑似改名：\(old.name) → \(new.name)", "Probably renamed: \(old.name) → \(new.name)")
    case .columnRetyped(let old, let new):
      Text(
        "列 \(old.name) 的类型由 \(old.nativeType) 变为 \(new.nativeType)",
        "Column \(old.name) was \(old.nativeType) and is \(new.nativeType)")
    case .nullability(let column, let isNullable):
      isNullable
        ? Text("列 \(column) 改为可空", "Column \(column) may be NULL now")
        : Text("列 \(column) 改为非空", "Column \(column) may no longer be NULL")
    case .comment(let column, let old, let new):
      Text("列 \(column) 的注释由“\(old)”变为“\(new)”", "Comment of column \(column) was “\(old)” and is “\(new)”")
    case .tableComment(let old, let new):
      Text("表注释由“\(old)”变为“\(new)”", "Comment of the table was “\(old)” and is “\(new)”")
    case .key(let old, let new):
      Text(
        "主键由（\(old.joined(separator: "、"))）变为（\(new.joined(separator: "、"))）",
        "Key was (\(old.joined(separator: ", "))) and is (\(new.joined(separator: ", ")))")
    }
  }
}

extension TableDifference {
  /// Pure: what changed from one reading to the next; an empty snapshot stands for a table that is not there.
  package static func between(_ before: TableSnapshot, _ after: TableSnapshot) -> [TableDifference] {
    if before == after { return [] }
    if before.content.isEmpty { return [.added] }
    if after.content.isEmpty { return [.dropped] }
    let (old, new) = (before.table(TableName("")), after.table(TableName("")))
    var found: [TableDifference] = []
    if old.comment != new.comment { found.append(.tableComment(from: old.comment ?? "", to: new.comment ?? "")) }
    var gone = old.columns.filter { new.column($0.name) == nil }
    var come = new.columns.filter { old.column($0.name) == nil }
    for column in gone {
      guard let at = come.firstIndex(where: { looksLike(column, $0, old, new) }) else { continue }
      found.append(.columnRenamed(from: column, to: come.remove(at: at)))
      gone.removeAll { $0.name == column.name }
    }
    found += gone.map { .columnDropped($0) } + come.map { .columnAdded($0) }
    for column in old.columns {
      guard let now = new.column(column.name) else { continue }
      if now.nativeType != column.nativeType { found.append(.columnRetyped(from: column, to: now)) }
      if now.isNullable != column.isNullable {
        found.append(.nullability(column: column.name, isNullable: now.isNullable))
      }
      if now.comment != column.comment {
        found.append(.comment(column: column.name, from: column.comment ?? "", to: now.comment ?? ""))
      }
    }
    let keys = (old.key.map(\.name), new.key.map(\.name))
    if keys.0 != keys.1 { found.append(.key(from: keys.0, to: keys.1)) }
    return found
  }
}

/// Of one type, and either with the same comment or in the same place between the same neighbours.
private func looksLike(
  _ old: ColumnDescription, _ new: ColumnDescription, _ before: TableDescription, _ after: TableDescription
) -> Bool {
  guard old.nativeType == new.nativeType else { return false }
  if let comment = old.comment, comment == new.comment { return true }
  func neighbours(_ name: String, _ table: TableDescription) -> [String?] {
    let at = table.columns.firstIndex { $0.name == name } ?? 0
    return [at > 0 ? table.columns[at - 1].name : nil, at + 1 < table.columns.count ? table.columns[at + 1].name : nil]
  }
  return old.comment == new.comment && neighbours(old.name, before) == neighbours(new.name, after)
}
