import Connecting

/// A table with what the statements need to know of each column.
struct MariaDBTable {
  struct Column {
    var description: ColumnDescription
    /// In small letters: `varchar`, `bigint`.
    var base: String
    var characterSet: String?
    var collation: String?
  }

  var name: TableName
  var comment: String?
  var estimatedRows: Int?
  var isView: Bool
  /// The storage engine: `InnoDB`.
  var storage: String?
  var columns: [Column]
  /// Columns of each unique index, the primary key's among them.
  var uniqueKeys: [(name: String, columns: Set<String>)]

  var description: TableDescription {
    TableDescription(
      name: name, comment: comment, estimatedRows: estimatedRows, isView: isView, columns: columns.map(\.description))
  }

  func column(_ name: String) -> Column? { columns.first { $0.description.name == name } }

  static func read(_ table: TableName, _ connection: MariaDBConnection) throws(ConnectorError) -> MariaDBTable {
    guard let found = try find(table, connection) else {
      throw .contract(
        "table-missing", "没有表“\(table)”，或账号无权读取。", "There is no table “\(table)”, or the account may not read it.")
    }
    return found
  }

  /// Nil when there is no such table.
  static func find(_ table: TableName, _ connection: MariaDBConnection) throws(ConnectorError) -> MariaDBTable? {
    let database = table.schema ?? connection.address.database
    guard !MariaDBAddress.ownDatabases.contains(database.lowercased()) else { return nil }
    let filter =
      "TABLE_SCHEMA = \(MariaDBQuote.text(database)) AND TABLE_NAME = \(MariaDBQuote.text(table.name))"
    return try read(connection, filter, schema: table.schema).first { found in
      found.name.name == table.name
        || (connection.foldsNames && found.name.name.lowercased() == table.name.lowercased())
    }
  }

  /// Three statements, however many tables there are.
  static func read(
    _ connection: MariaDBConnection, _ filter: String, schema: String?
  ) throws(ConnectorError) -> [MariaDBTable] {
    let heads = try connection.run(
      """
      SELECT TABLE_NAME, TABLE_COMMENT, TABLE_ROWS, TABLE_TYPE, ENGINE FROM information_schema.TABLES
      WHERE \(filter) AND TABLE_TYPE <> 'SEQUENCE'
      """)
    if heads.isEmpty { return [] }
    let columns = try connection.run(
      """
      SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION,
        NUMERIC_SCALE, IS_NULLABLE, COLUMN_COMMENT, CHARACTER_SET_NAME, COLLATION_NAME
      FROM information_schema.COLUMNS WHERE \(filter) ORDER BY TABLE_NAME, ORDINAL_POSITION
      """)
    let keys = try connection.run(
      """
      SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, SEQ_IN_INDEX FROM information_schema.STATISTICS
      WHERE \(filter) AND NON_UNIQUE = 0 ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX
      """)
    var columnsOf: [String: [Column]] = [:]
    for row in columns { columnsOf[row[0] ?? "", default: []].append(column(from: row)) }
    var keysOf: [String: [(index: String, column: String, place: Int)]] = [:]
    for row in keys {
      // An index on an expression names no column, and tells nothing of any.
      keysOf[row[0] ?? "", default: []].append((row[1] ?? "", row[2] ?? "\0", row[3].flatMap { Int($0) } ?? 0))
    }
    return heads.map { row in
      let name = row[0] ?? ""
      let isView = row[3]?.hasSuffix("VIEW") ?? false
      var table = MariaDBTable(
        name: TableName(schema: schema, name), comment: isView ? nil : row[1].flatMap { $0.isEmpty ? nil : $0 },
        estimatedRows: isView ? nil : row[2].flatMap { Int($0) }, isView: isView, storage: row[4],
        columns: columnsOf[name] ?? [], uniqueKeys: [])
      let keys = Dictionary(grouping: keysOf[name] ?? []) { $0.index }
      table.uniqueKeys = keys.sorted { $0.key < $1.key }.map { ($0.key, Set($0.value.map(\.column))) }
      for part in keys["PRIMARY"] ?? [] {
        guard let index = table.columns.firstIndex(where: { $0.description.name == part.column }) else { continue }
        table.columns[index].description.keyPosition = part.place
      }
      return table
    }
  }

  private static func column(from row: [String?]) -> Column {
    let base = (row[3] ?? "").lowercased()
    let native = row[2] ?? ""
    let characters = row[4].flatMap { Int($0) }
    let hasLength = ["char", "varchar", "enum", "set"].contains(base)
    return Column(
      description: ColumnDescription(
        name: row[1] ?? "", nativeType: native,
        type: type(of: base, native, precision: row[5].flatMap { Int($0) }, scale: row[6].flatMap { Int($0) }),
        length: base == "uuid" ? 36 : hasLength ? characters : nil, isNullable: row[7] != "NO",
        comment: row[8].flatMap { $0.isEmpty ? nil : $0 }),
      base: base, characterSet: row[9], collation: row[10])
  }

  static func type(of base: String, _ native: String, precision: Int?, scale: Int?) -> ValueType? {
    switch base {
    case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year": return .integer
    case "bit": return native == "bit(1)" ? .boolean : .integer
    case "float", "double", "real": return .double
    case "date": return .date
    case "datetime", "timestamp": return .timestamp
    case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json", "time", "uuid",
      "inet4", "inet6":
      return .text
    case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob": return .bytes
    case "decimal", "numeric":
      // Up to 65 digits here: what fits 38 passes, other rows are reported one by one.
      guard let precision, let scale, scale <= 38 else { return nil }
      return .decimal(precision: min(38, max(1, precision)), scale: scale)
    default: return nil
    }
  }
}

extension MariaDBTable.Column {
  var isText: Bool { characterSet != nil && base != "enum" && base != "set" }
  var isInteger: Bool { ["tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year"].contains(base) }

  /// UTF-8 already, or a set whose every byte has its character.
  var isFaithful: Bool {
    guard let characterSet else { return true }
    return ["utf8mb4", "utf8mb3", "utf8", "ascii", "latin1", "binary", "ucs2", "utf16", "utf16le", "utf32"]
      .contains(characterSet)
  }
}
