import Connecting

/// Every table an account may read, described in two statements however many there are.
enum PostgreSQLSurvey {
  static let head =
    "c.oid, n.nspname, c.relname, obj_description(c.oid, 'pg_class'), c.reltuples::int8, c.relkind IN ('v', 'm')"

  private static let tables = """
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    """
  private static let condition = """
    c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
    AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
    """
  static let readable = "\(tables) WHERE \(condition) ORDER BY 2, 3"

  static func summary(from row: [String?]) -> TableSummary {
    TableSummary(
      name: TableName(schema: row[1], row[2] ?? ""), comment: row[3],
      estimatedRows: row[4].flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 }, isView: row[5] == "t")
  }

  static func read(_ connection: PostgreSQLConnection) throws(ConnectorError) -> [TableDescription] {
    // Both statements see the same tables.
    try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    let heads = try connection.run("SELECT \(head) \(readable)")
    let columns = try connection.run(
      """
      SELECT a.attname, format_type(a.atttypid, a.atttypmod), b.typname,
        CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
        a.attnotnull OR (t.typtype = 'd' AND t.typnotnull), d.description,
        CASE WHEN i.indrelid IS NOT NULL THEN array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum) END,
        bn.nspname, \(PostgreSQLTable.takesForEqual(connection)), a.attrelid
      \(tables) JOIN pg_attribute a ON a.attrelid = c.oid
        JOIN pg_type t ON t.oid = a.atttypid
        JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
        JOIN pg_namespace bn ON bn.oid = b.typnamespace
        LEFT JOIN pg_collation co ON co.oid = a.attcollation
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        LEFT JOIN pg_description d
          ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum
      WHERE \(condition) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum
      """)
    var byTable: [String: [ColumnDescription]] = [:]
    byTable.reserveCapacity(heads.count)
    for row in columns { byTable[row[9] ?? "", default: []].append(PostgreSQLTable.column(from: row).description) }
    return heads.map { row in
      let summary = summary(from: row)
      return TableDescription(
        name: summary.name, comment: summary.comment, estimatedRows: summary.estimatedRows, isView: summary.isView,
        columns: byTable[row[0] ?? ""] ?? [])
    }
  }
}
