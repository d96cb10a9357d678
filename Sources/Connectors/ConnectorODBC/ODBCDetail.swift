import Connecting

/// What a database's own catalogue adds to what ODBC asks of every driver: keys of all tables in one statement, comments,
/// and types as they were declared.
struct ODBCDetail {
  var table: TableName
  var column: String
  var native: String?
  var keyPosition: Int?
  var isNullable: Bool?
  var comment: String?

  func apply(to found: inout ODBCTable, _ dialect: ODBCDialect) {
    guard let index = found.columns.firstIndex(where: { $0.description.name == column }) else { return }
    if let native {
      let old = found.columns[index]
      let (_, arguments) = ODBCTable.parts(native)
      let declared = arguments.isEmpty ? old.base : "\(old.base)(\(arguments.map { "\($0)" }.joined(separator: ",")))"
      found.columns[index] = ODBCTable.column(
        column, declared, code: old.code, size: nil, scale: nil, isNullable: old.description.isNullable,
        comment: old.description.comment, dialect)
      found.columns[index].description.nativeType = native
    }
    if let keyPosition { found.columns[index].description.keyPosition = keyPosition }
    if let isNullable { found.columns[index].description.isNullable = isNullable }
    if let comment, !comment.isEmpty { found.columns[index].description.comment = comment }
  }

  struct Head {
    var table: TableName
    var comment: String?
    var estimatedRows: Int?

    func apply(to found: inout ODBCTable) {
      if let comment, !comment.isEmpty { found.comment = comment }
      if !found.isView { found.estimatedRows = estimatedRows }
    }
  }

  static func columns(
    _ connection: ODBCConnection, schema: String?, table: String?
  ) throws(ConnectorError) -> [ODBCDetail] {
    guard let asks = connection.dialect.columnDetails else { return [] }
    return try ask(connection, asks, schema, table).map { row in
      ODBCDetail(
        table: TableName(schema: row[0], row[1] ?? ""), column: row[2] ?? "", native: row[3],
        keyPosition: row[4].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }, isNullable: row[5].map { $0 != "1" },
        comment: row[6])
    }
  }

  static func tables(
    _ connection: ODBCConnection, schema: String?, table: String?
  ) throws(ConnectorError) -> [Head] {
    guard let asks = connection.dialect.tableDetails else { return [] }
    return try ask(connection, asks, schema, table).map { row in
      Head(
        table: TableName(schema: row[0], row[1] ?? ""), comment: row[2],
        estimatedRows: row[3].flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 })
    }
  }

  private static func ask(
    _ connection: ODBCConnection, _ asks: (sql: String, schema: String, table: String, end: String), _ schema: String?,
    _ table: String?
  ) throws(ConnectorError) -> [[String?]] {
    var (sql, values): (String, [ODBCValue]) = (asks.sql, [])
    for (name, value) in [(asks.schema, schema), (asks.table, table)] {
      guard let value, !name.isEmpty else { continue }
      sql += " AND \(name) = ?"
      values.append(.text(value))
    }
    return try connection.run(sql + asks.end, values)
  }
}

extension ODBCDialect {
  typealias Asks = (sql: String, schema: String, table: String, end: String)

  /// Schema, table, column, declared type, place in the key, `1` for NOT NULL, comment. Nil: ODBC's own questions serve.
  var columnDetails: Asks? {
    switch self {
    case .postgresql:
      (
        """
        SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
          array_position((i.indkey::int2[])[0:i.indnkeyatts - 1], a.attnum)::text,
          CASE WHEN a.attnotnull THEN '1' ELSE '0' END, col_description(a.attrelid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        """, "n.nspname", "c.relname", ""
      )
    case .sqlite:
      (
        """
        SELECT NULL, m.name, p.name, p.type, CAST(p.pk AS TEXT), CAST(p."notnull" OR (p.pk = 1 AND upper(p.type) = 'INTEGER' AND
          (SELECT max(q.pk) FROM pragma_table_info(m.name) q) = 1) AS TEXT), NULL
        FROM sqlite_master m JOIN pragma_table_info(m.name) p WHERE m.type IN ('table', 'view')
        """, "", "m.name", ""
      )
    case .sqlserver:
      (
        """
        SELECT s.name, o.name, c.name, CAST(NULL AS nvarchar(9)),
          CAST((SELECT x.key_ordinal FROM sys.indexes i JOIN sys.index_columns x ON x.object_id = i.object_id
            AND x.index_id = i.index_id WHERE i.object_id = o.object_id AND i.is_primary_key = 1
            AND x.column_id = c.column_id) AS varchar(9)),
          CASE c.is_nullable WHEN 1 THEN '0' ELSE '1' END,
          (SELECT CAST(e.value AS nvarchar(1000)) FROM sys.extended_properties e WHERE e.class = 1
            AND e.major_id = o.object_id AND e.minor_id = c.column_id AND e.name = 'MS_Description')
        FROM sys.columns c JOIN sys.objects o ON o.object_id = c.object_id JOIN sys.schemas s ON s.schema_id = o.schema_id
        WHERE o.type IN ('U', 'V')
        """, "s.name", "o.name", ""
      )
    case .oracle, .dm:
      (
        """
        SELECT c.OWNER, c.TABLE_NAME, c.COLUMN_NAME, NULL, TO_CHAR((SELECT MAX(k.POSITION) FROM ALL_CONSTRAINTS p
            JOIN ALL_CONS_COLUMNS k ON k.OWNER = p.OWNER AND k.CONSTRAINT_NAME = p.CONSTRAINT_NAME
            WHERE p.CONSTRAINT_TYPE = 'P' AND p.OWNER = c.OWNER AND p.TABLE_NAME = c.TABLE_NAME
            AND k.COLUMN_NAME = c.COLUMN_NAME)),
          CASE c.NULLABLE WHEN 'N' THEN '1' ELSE '0' END,
          (SELECT MAX(m.COMMENTS) FROM ALL_COL_COMMENTS m WHERE m.OWNER = c.OWNER AND m.TABLE_NAME = c.TABLE_NAME
            AND m.COLUMN_NAME = c.COLUMN_NAME)
        FROM ALL_TAB_COLUMNS c WHERE c.OWNER NOT IN ('SYS', 'SYSTEM', 'XDB', 'MDSYS', 'CTXSYS', 'SYSAUDITOR', 'SYSSSO')
        """, "c.OWNER", "c.TABLE_NAME", ""
      )
    case .generic: nil
    }
  }

  /// Schema, table, comment, rows by the database's own statistics.
  var tableDetails: Asks? {
    switch self {
    case .postgresql:
      (
        """
        SELECT n.nspname, c.relname, obj_description(c.oid, 'pg_class'), c.reltuples::int8::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
        """, "n.nspname", "c.relname", ""
      )
    case .sqlserver:
      (
        """
        SELECT s.name, o.name, (SELECT CAST(e.value AS nvarchar(1000)) FROM sys.extended_properties e WHERE e.class = 1
            AND e.major_id = o.object_id AND e.minor_id = 0 AND e.name = 'MS_Description'),
          (SELECT CAST(SUM(p.rows) AS varchar(20)) FROM sys.partitions p WHERE p.object_id = o.object_id AND p.index_id < 2)
        FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id WHERE o.type IN ('U', 'V')
        """, "s.name", "o.name", ""
      )
    case .oracle, .dm:
      (
        """
        SELECT t.OWNER, t.TABLE_NAME, (SELECT MAX(m.COMMENTS) FROM ALL_TAB_COMMENTS m WHERE m.OWNER = t.OWNER
            AND m.TABLE_NAME = t.TABLE_NAME), TO_CHAR(t.NUM_ROWS)
        FROM ALL_TABLES t WHERE t.OWNER NOT IN ('SYS', 'SYSTEM', 'XDB', 'MDSYS', 'CTXSYS', 'SYSAUDITOR', 'SYSSSO')
        """, "t.OWNER", "t.TABLE_NAME", ""
      )
    case .sqlite, .generic: nil
    }
  }
}
