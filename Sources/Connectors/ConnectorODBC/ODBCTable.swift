import CODBC
import Connecting
import Kernel

/// A table with what the statements need to know of each column.
struct ODBCTable {
  struct Column {
    var description: ColumnDescription
    /// The type's name in small letters, without its arguments: `varchar`, `timestamp with time zone`.
    var base: String
    /// ODBC's own code of the type.
    var code: Int
  }

  var name: TableName
  var comment: String?
  var estimatedRows: Int?
  var isView: Bool
  var columns: [Column]

  var description: TableDescription {
    TableDescription(
      name: name, comment: comment, estimatedRows: estimatedRows, isView: isView, columns: columns.map(\.description))
  }

  func column(_ name: String) -> Column? { columns.first { $0.description.name == name } }

  static func read(_ table: TableName, _ connection: ODBCConnection) throws(ConnectorError) -> ODBCTable {
    guard let found = try find(table, connection) else {
      throw .contract(
        "table-missing", "没有表“\(table)”，或账号无权读取。", "There is no table “\(table)”, or the account may not read it.")
    }
    return found
  }

  /// Nil when there is no such table.
  static func find(_ table: TableName, _ connection: ODBCConnection) throws(ConnectorError) -> ODBCTable? {
    let schema = table.schema ?? connection.schema
    let named = try list(connection, schema: schema, table: table.name)
    guard var found = named.first(where: { $0.name.name == table.name && (schema == nil || $0.name.schema == schema) })
    else { return nil }
    try fill(&found, connection)
    return found.columns.isEmpty ? nil : found
  }

  /// Every table of other schemas than the database's own: the list in one question, columns and keys in one a schema.
  static func survey(_ connection: ODBCConnection) throws(ConnectorError) -> [ODBCTable] {
    var tables = try list(connection, schema: nil, table: nil)
    var places: [TableName: Int] = [:]
    for (index, table) in tables.enumerated() { places[table.name] = index }
    for schema in Set(tables.map(\.name.schema)).sorted(by: { $0 ?? "" < $1 ?? "" }) {
      for (name, column) in try columns(connection, schema: schema, table: nil) {
        if let place = places[name] { tables[place].columns.append(column) }
      }
    }
    for detail in try ODBCDetail.columns(connection, schema: nil, table: nil) {
      if let place = places[detail.table] { detail.apply(to: &tables[place], connection.dialect) }
    }
    for head in try ODBCDetail.tables(connection, schema: nil, table: nil) {
      if let place = places[head.table] { head.apply(to: &tables[place]) }
    }
    if connection.dialect.columnDetails == nil {
      for index in tables.indices { try fillKey(&tables[index], connection) }
    }
    // A table of which no column can be seen is one that may not be read.
    return tables.filter { !$0.columns.isEmpty }
  }

  private static func fill(_ table: inout ODBCTable, _ connection: ODBCConnection) throws(ConnectorError) {
    let name = table.name
    table.columns = try columns(connection, schema: name.schema, table: name.name).filter { $0.0 == name }.map(\.1)
    for detail in try ODBCDetail.columns(connection, schema: name.schema, table: name.name) {
      if detail.table == name { detail.apply(to: &table, connection.dialect) }
    }
    for head in try ODBCDetail.tables(connection, schema: name.schema, table: name.name) {
      if head.table == name { head.apply(to: &table) }
    }
    if connection.dialect.columnDetails == nil { try fillKey(&table, connection) }
  }

  // MARK: What ODBC itself tells

  static func list(
    _ connection: ODBCConnection, schema: String?, table: String?
  ) throws(ConnectorError) -> [ODBCTable] {
    let own = connection.dialect.ownSchemas
    return try catalogue(connection, .tables, schema: schema, table: table).compactMap { row in
      guard row.count >= 4, let name = row[2] else { return nil }
      let schema = row[1].flatMap { $0.isEmpty ? nil : $0 }
      let kind = (row[3] ?? "").uppercased()
      let isView = kind.contains("VIEW")
      guard kind.contains("TABLE") || isView, !kind.contains("SYSTEM"), !kind.contains("TEMPORARY"),
        schema.map({ !own.contains($0.lowercased()) }) ?? true,
        connection.dialect != .sqlite || !name.lowercased().hasPrefix("sqlite_")
      else { return nil }
      return ODBCTable(
        name: TableName(schema: schema, name), comment: row.count > 4 ? row[4].flatMap { $0.isEmpty ? nil : $0 } : nil,
        isView: isView, columns: [])
    }
    .sorted { ($0.name.schema ?? "", $0.name.name) < ($1.name.schema ?? "", $1.name.name) }
  }

  private static func columns(
    _ connection: ODBCConnection, schema: String?, table: String?
  ) throws(ConnectorError) -> [(TableName, Column)] {
    try catalogue(connection, .columns, schema: schema, table: table).compactMap { row in
      guard row.count >= 11, let table = row[2], let name = row[3] else { return nil }
      func number(_ index: Int) -> Int? { row[index].flatMap { Int($0) } }
      let column = column(
        name, row[5] ?? "", code: number(4) ?? 0, size: number(6), scale: number(8), isNullable: row[10] != "0",
        comment: row.count > 11 ? row[11].flatMap { $0.isEmpty ? nil : $0 } : nil, connection.dialect)
      return (TableName(schema: row[1].flatMap { $0.isEmpty ? nil : $0 }, table), column)
    }
  }

  private static func fillKey(_ table: inout ODBCTable, _ connection: ODBCConnection) throws(ConnectorError) {
    for row in try catalogue(connection, .key, schema: table.name.schema, table: table.name.name) {
      guard row.count >= 5, let name = row[3], let place = row[4].flatMap({ Int($0) }),
        let index = table.columns.firstIndex(where: { $0.description.name == name })
      else { continue }
      table.columns[index].description.keyPosition = place
    }
  }

  /// Whether the database itself holds these columns' values apart.
  static func isUnique(_ names: Set<String>, _ table: ODBCTable, _ connection: ODBCConnection) throws(ConnectorError)
    -> Bool
  {
    let key = Set(table.description.key.map(\.name))
    if !key.isEmpty, key.isSubset(of: names) { return true }
    guard !table.isView else { return false }
    var indexes: [String: Set<String>] = [:]
    for row in try catalogue(connection, .uniqueIndexes, schema: table.name.schema, table: table.name.name) {
      // An index over some rows only tells nothing of the others, and one on an expression names no column.
      guard row.count >= 9, let index = row[5], row[3] == "0" else { continue }
      let isPartial = row.count > 12 && !(row[12] ?? "").isEmpty
      indexes[index, default: []].insert(isPartial ? "\0" : row[8] ?? "\0")
    }
    return indexes.values.contains { $0.isSubset(of: names) }
  }

  /// Whether one of these columns has a collation of PostgreSQL's that takes texts of different bytes for equal. Read as text:
  /// servers before version 12, and what only speaks their protocol, have no such column.
  static func takesForEqual(
    _ names: Set<String>, _ table: TableName, _ connection: ODBCConnection
  ) throws(ConnectorError) -> Bool {
    let found = try connection.run(
      """
      SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_collation o ON o.oid = a.attcollation
      WHERE n.nspname = ? AND c.relname = ? AND row_to_json(o)::text LIKE '%"collisdeterministic":false%'
      """, [.text(table.schema ?? "public"), .text(table.name)])
    return found.contains { row in row.first?.map { names.contains($0) } ?? false }
  }

  /// The same of a target's primary key, where the database says.
  static func keyTakesForEqual(
    _ names: [String], _ table: TableName, _ connection: ODBCConnection
  ) throws(ConnectorError) -> Bool {
    switch connection.dialect {
    case .postgresql: return try takesForEqual(Set(names), table, connection)
    case .sqlite:
      return try !connection.run(
        """
        SELECT 1 FROM pragma_index_list(?) i JOIN pragma_index_xinfo(i.name) x
        WHERE i.origin = 'pk' AND x.key = 1 AND upper(x.coll) <> 'BINARY'
        """, [.text(table.name)]
      ).isEmpty
    case .sqlserver, .oracle, .dm, .generic: return false
    }
  }

  private enum Question { case tables, columns, key, uniqueIndexes }

  /// One of ODBC's questions about names; nil asks for all.
  private static func catalogue(
    _ connection: ODBCConnection, _ question: Question, schema: String?, table: String?
  ) throws(ConnectorError) -> [[String?]] {
    let statement = try ODBCStatement(connection)
    defer { statement.close() }
    let (schemaName, tableName) = (ODBCName(schema, connection), ODBCName(table, connection))
    let handle = statement.handle
    let (unique, quick) = (SQLUSMALLINT(SQL_INDEX_UNIQUE), SQLUSMALLINT(SQL_QUICK))
    try statement.check(
      connection.blocking(handle) {
        if connection.driver.isWide {
          return schemaName.withWide { schema, a in
            tableName.withWide { table, b in
              switch question {
              case .tables: SQLTablesW(handle, nil, 0, schema, a, table, b, nil, 0)
              case .columns: SQLColumnsW(handle, nil, 0, schema, a, table, b, nil, 0)
              case .key: SQLPrimaryKeysW(handle, nil, 0, schema, a, table, b)
              case .uniqueIndexes: SQLStatisticsW(handle, nil, 0, schema, a, table, b, unique, quick)
              }
            }
          }
        }
        return schemaName.withNarrow { schema, a in
          tableName.withNarrow { table, b in
            switch question {
            case .tables: SQLTables(handle, nil, 0, schema, a, table, b, nil, 0)
            case .columns: SQLColumns(handle, nil, 0, schema, a, table, b, nil, 0)
            case .key: SQLPrimaryKeys(handle, nil, 0, schema, a, table, b)
            case .uniqueIndexes: SQLStatistics(handle, nil, 0, schema, a, table, b, unique, quick)
            }
          }
        }
      })
    return try statement.texts()
  }
}

/// A name as an argument of ODBC's questions: nil asks for all.
private struct ODBCName {
  private var wide: [SQLWCHAR]?
  private var narrow: [SQLCHAR]?

  init(_ name: String?, _ connection: ODBCConnection) {
    guard let name else { return }
    if connection.driver.isWide { wide = Array(name.utf16) + [0] } else { narrow = Array(name.utf8) + [0] }
  }

  func withWide(_ body: (UnsafeMutablePointer<SQLWCHAR>?, SQLSMALLINT) -> SQLRETURN) -> SQLRETURN {
    guard var text = wide else { return body(nil, 0) }
    return text.withUnsafeMutableBufferPointer { body($0.baseAddress, SQLSMALLINT($0.count - 1)) }
  }

  func withNarrow(_ body: (UnsafeMutablePointer<SQLCHAR>?, SQLSMALLINT) -> SQLRETURN) -> SQLRETURN {
    guard var text = narrow else { return body(nil, 0) }
    return text.withUnsafeMutableBufferPointer { body($0.baseAddress, SQLSMALLINT($0.count - 1)) }
  }
}

extension ODBCTable {
  static func column(
    _ name: String, _ written: String, code: Int, size: Int?, scale: Int?, isNullable: Bool, comment: String? = nil,
    _ dialect: ODBCDialect
  ) -> Column {
    let (base, arguments) = parts(written)
    var (size, scale) = (size, scale)
    if dialect == .postgresql || dialect == .sqlite {
      (size, scale) = (arguments.first, arguments.isEmpty ? nil : arguments.count > 1 ? arguments[1] : 0)
    }
    let type = dialect.type(base, code: code, size: size, scale: scale)
    var native = written
    if arguments.isEmpty, let size, size > 0, size < 100_000 {
      if case .decimal = type { native += "(\(size),\(scale ?? 0))" }
      if base.contains("char"), dialect != .sqlite { native += "(\(size))" }
    }
    let hasLength = type == .text && (base.contains("char") || base == "character varying" || base == "sysname")
    let length = hasLength ? size.flatMap { $0 > 0 && $0 <= 32_767 ? $0 : nil } : nil
    return Column(
      description: ColumnDescription(
        name: name, nativeType: native, type: type, length: base == "uuid" || base == "uniqueidentifier" ? 36 : length,
        isNullable: isNullable, comment: comment),
      base: base, code: code)
  }

  /// `TIMESTAMP(6) WITH TIME ZONE` as `timestamp with time zone` and 6.
  static func parts(_ written: String) -> (base: String, arguments: [Int]) {
    var base = written.lowercased()
    var arguments: [Int] = []
    if let open = base.firstIndex(of: "("), let close = base[open...].firstIndex(of: ")") {
      arguments = base[base.index(after: open)..<close].split(separator: ",").compactMap {
        Int($0.filter { $0 != " " && !$0.isLetter })
      }
      base.removeSubrange(open...close)
    }
    for ending in [" identity", " unsigned"] where base.hasSuffix(ending) { base.removeLast(ending.count) }
    base = base.split(separator: " ").joined(separator: " ")
    return (base, arguments)
  }
}
