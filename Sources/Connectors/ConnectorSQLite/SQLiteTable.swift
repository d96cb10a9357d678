import Connecting

/// A table as SQLite's own pragmas describe it.
struct SQLiteTable {
  var description: TableDescription
  /// Columns whose own comparison takes texts of different bytes for equal, or may: NOCASE, RTRIM, somebody's own, and
  /// those of views, which do not say.
  var takingForEqual: Set<String>

  static func read(_ table: TableName, _ connection: SQLiteConnection) throws(ConnectorError) -> SQLiteTable {
    guard let found = try find(table, connection) else {
      throw .contract("table-missing", "没有表“\(table)”。", "There is no table “\(table)”.")
    }
    return found
  }

  static func find(_ table: TableName, _ connection: SQLiteConnection) throws(ConnectorError) -> SQLiteTable? {
    guard
      let kind = try connection.rows(
        "SELECT type FROM sqlite_master WHERE name = ? AND type IN ('table', 'view')", [table.name]
      ).first?[0]
    else { return nil }
    let columns = try columns(of: table.name, connection)
    let names = columns.compactMap { $0[0] }
    return SQLiteTable(
      description: TableDescription(
        name: table, estimatedRows: try SQLiteConnector.estimates(connection)[table.name], isView: kind == "view",
        columns: described(columns)),
      takingForEqual: Set(names.filter { connection.collation(of: $0, in: table.name) != "BINARY" }))
  }

  /// A key's column as rows are put in order and compared by it, so that no two rows of different bytes are equal there: those
  /// that equal the place where a reading goes on would be passed over. Where the column itself does that, it stands alone,
  /// and its index serves.
  func order(_ name: String) -> String {
    SQLiteQuote.name(name) + (takingForEqual.contains(name) ? " COLLATE BINARY" : "")
  }

  /// The index by which the table's primary key is kept has these collations; none where the key is the row's number.
  static func keyCollations(of table: String, _ connection: SQLiteConnection) throws(ConnectorError) -> [String] {
    try connection.rows(
      """
      SELECT upper(x.coll) FROM pragma_index_list(?) i JOIN pragma_index_xinfo(i.name) x WHERE i.origin = 'pk' AND x.key = 1
      """, [table]
    ).compactMap { $0[0] }
  }

  /// Name, declared type, whether NULL is barred, and place in the key.
  static func columns(of table: String, _ connection: SQLiteConnection) throws(ConnectorError) -> [[String?]] {
    try connection.rows(
      "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid", [table])
  }

  static func described(_ columns: [[String?]]) -> [ColumnDescription] {
    let isRowID = isRowID(columns)
    return columns.map { row in
      let declared = row[1] ?? ""
      let position = row[3].flatMap { Int($0) } ?? 0
      return ColumnDescription(
        name: row[0] ?? "", nativeType: declared, type: type(of: declared), length: length(of: declared),
        // A primary key may hold NULL in SQLite, unless it is the row id.
        isNullable: row[2] != "1" && !(position > 0 && isRowID), keyPosition: position > 0 ? position : nil)
    }
  }

  private static func isRowID(_ columns: [[String?]]) -> Bool {
    let keyed = columns.filter { $0[3] != "0" }
    return keyed.count == 1 && (keyed[0][1] ?? "").uppercased() == "INTEGER"
  }

  /// By the declared type's name. Ours for decimals contains TEXT, which keeps SQLite from turning digits into binary.
  static func type(of declared: String) -> ValueType? {
    let name = declared.uppercased()
    if name.contains("DECIMAL") || name.contains("NUMERIC") {
      let numbers = arguments(of: name)
      if numbers.isEmpty { return .decimal(precision: 38, scale: 10) }
      let (precision, scale) = (numbers[0], numbers.count > 1 ? numbers[1] : 0)
      return ValueType.precisions.contains(precision) && (0...precision).contains(scale)
        ? .decimal(precision: precision, scale: scale) : nil
    }
    if name.contains("BOOL") { return .boolean }
    if name.contains("DATETIME") || name.contains("TIMESTAMP") { return .timestamp }
    if name.contains("DATE") { return .date }
    if name.contains("INT") { return .integer }
    if name.contains("CHAR") || name.contains("CLOB") || name.contains("TEXT") { return .text }
    if name.contains("BLOB") { return .bytes }
    if name.contains("REAL") || name.contains("FLOA") || name.contains("DOUB") { return .double }
    return nil
  }

  private static func length(of declared: String) -> Int? {
    let name = declared.uppercased()
    return name.contains("CHAR") ? arguments(of: name).first : nil
  }

  private static func arguments(of declared: String) -> [Int] {
    guard let open = declared.firstIndex(of: "("), let close = declared.lastIndex(of: ")"), open < close else {
      return []
    }
    return declared[declared.index(after: open)..<close].split(separator: ",").compactMap {
      Int($0.replacing(" ", with: ""))
    }
  }
}
