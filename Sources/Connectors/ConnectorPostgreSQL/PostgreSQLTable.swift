import Connecting

/// A table with what the statements need to know of each column.
struct PostgreSQLTable {
  struct Column {
    var description: ColumnDescription
    /// The base type's name in pg_catalog: `int4`, `bpchar`.
    var base: String
    /// Its collation takes texts of different bytes for equal: not for what tells rows apart.
    var takesForEqual: Bool
  }

  var name: TableName
  var comment: String?
  var estimatedRows: Int?
  var isView: Bool
  var columns: [Column]
  var key: [String] {
    columns.filter { $0.description.keyPosition != nil }
      .sorted { ($0.description.keyPosition ?? 0) < ($1.description.keyPosition ?? 0) }.map(\.description.name)
  }

  var description: TableDescription {
    TableDescription(
      name: name, comment: comment, estimatedRows: estimatedRows, isView: isView, columns: columns.map(\.description))
  }

  func column(_ name: String) -> Column? { columns.first { $0.description.name == name } }

  static func read(_ table: TableName, _ connection: PostgreSQLConnection) throws(ConnectorError) -> PostgreSQLTable {
    guard let found = try find(table, connection) else {
      throw .contract(
        "table-missing", "没有表“\(table)”，或账号无权读取。", "There is no table “\(table)”, or the account may not read it.")
    }
    return found
  }

  /// Nil when there is no such table.
  static func find(_ table: TableName, _ connection: PostgreSQLConnection) throws(ConnectorError) -> PostgreSQLTable? {
    let schema = table.schema ?? "public"
    let head = try connection.run(
      """
      SELECT c.oid, obj_description(c.oid, 'pg_class'), c.reltuples::int8, c.relkind IN ('v', 'm')
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      """, [schema, table.name])
    guard let row = head.first else { return nil }
    let columns = try connection.run(
      """
      SELECT a.attname, format_type(a.atttypid, a.atttypmod), b.typname,
        CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
        a.attnotnull OR (t.typtype = 'd' AND t.typnotnull), col_description(a.attrelid, a.attnum),
        (SELECT array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum) FROM pg_index i
         WHERE i.indrelid = a.attrelid AND i.indisprimary),
        bn.nspname, \(takesForEqual(connection))
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
        JOIN pg_namespace bn ON bn.oid = b.typnamespace LEFT JOIN pg_collation co ON co.oid = a.attcollation
      WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
      """, [row[0]])
    return PostgreSQLTable(
      name: TableName(schema: schema, table.name), comment: row[1],
      estimatedRows: row[2].flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 }, isView: row[3] == "t",
      columns: columns.map { column(from: $0) })
  }

  /// Of `pg_collation co`. What only speaks the protocol of an older server has no such collations.
  static func takesForEqual(_ connection: PostgreSQLConnection) -> String {
    connection.serverVersion >= 12_00_00 ? "coalesce(NOT co.collisdeterministic, false)" : "false"
  }

  static func column(from row: [String?]) -> Column {
    let base = row[7] == "pg_catalog" ? row[2] ?? "" : ""
    let modifier = row[3].flatMap { Int($0) } ?? -1
    let length = (base == "varchar" || base == "bpchar") && modifier >= 4 ? modifier - 4 : nil
    return Column(
      description: ColumnDescription(
        name: row[0] ?? "", nativeType: row[1] ?? "", type: type(of: base, modifier: modifier),
        length: base == "uuid" ? 36 : length, isNullable: row[4] != "t",
        keyPosition: row[6].flatMap { Int($0) }, comment: row[5]),
      base: base, takesForEqual: row[8] == "t")
  }

  private static func type(of base: String, modifier: Int) -> ValueType? {
    switch base {
    case "int2", "int4", "int8": return .integer
    case "float4", "float8": return .double
    case "bool": return .boolean
    case "date": return .date
    case "timestamp", "timestamptz": return .timestamp
    case "bytea": return .bytes
    case "text", "varchar", "bpchar", "uuid", "json", "jsonb", "name": return .text
    case "numeric":
      // Without a declared precision: what fits 38 digits with 10 decimals passes, other rows are reported one by one.
      guard modifier >= 4 else { return .decimal(precision: 38, scale: 10) }
      let (precision, scale) = ((modifier - 4) >> 16, (modifier - 4) & 0x7FF)
      return ValueType.precisions.contains(precision) && (0...precision).contains(scale)
        ? .decimal(precision: precision, scale: scale) : nil
    default: return nil
    }
  }

  /// The expression that yields canonical bytes of `wanted`; throws when the column cannot give them.
  func expression(_ wanted: ReadPlan.Column, zone: Int) throws(ConnectorError) -> String {
    guard let column = column(wanted.name) else {
      throw .contract("column-missing", "源表缺少列“\(wanted.name)”。", "The source table lacks the column “\(wanted.name)”.")
    }
    let name = PostgreSQLQuote.name(wanted.name)
    switch (wanted.type, column.base) {
    case (.integer, "int8"), (.double, "float8"), (.boolean, "bool"), (.date, "date"), (.timestamp, "timestamptz"),
      (.bytes, "bytea"), (.decimal, "numeric"), (.text, "text"), (.text, "varchar"):
      return name
    case (.integer, "int2"), (.integer, "int4"): return "\(name)::int8"
    case (.decimal, "int2"), (.decimal, "int4"), (.decimal, "int8"): return "\(name)::numeric"
    case (.double, "float4"): return "\(name)::float8"
    case (.timestamp, "timestamp"): return zone == 0 ? name : "(\(name) - interval '\(zone) seconds')"
    case (.text, "bpchar"), (.text, "uuid"), (.text, "json"), (.text, "jsonb"), (.text, "name"): return "\(name)::text"
    default:
      throw .contract(
        "column-type", "列“\(wanted.name)”现为 \(column.description.nativeType)，约定为 \(wanted.type)。",
        "The column “\(wanted.name)” is now \(column.description.nativeType); agreed was \(wanted.type).")
    }
  }
}
