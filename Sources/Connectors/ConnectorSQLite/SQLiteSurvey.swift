import Connecting

/// Every table of a file, described in one statement for the tables and one for each view.
enum SQLiteSurvey {
  static func read(_ connection: SQLiteConnection) throws(ConnectorError) -> [TableDescription] {
    let estimates = try SQLiteConnector.estimates(connection)
    var names: [(name: String, isView: Bool)] = []
    for row in try connection.rows(
      """
      SELECT name, type = 'view' FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
      ORDER BY name
      """)
    {
      names.append((row[0] ?? "", row[1] == "1"))
    }
    var byTable: [String: [[String?]]] = [:]
    for row in try connection.rows(
      """
      SELECT p.name, p.type, p."notnull", p.pk, m.name FROM sqlite_master m JOIN pragma_table_xinfo(m.name) p
      WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND p.hidden <> 1 ORDER BY m.name, p.cid
      """)
    {
      byTable[row[4] ?? "", default: []].append(row)
    }
    return names.map { name, isView in
      // A view whose table is gone cannot say its columns, and must not hide the others'.
      let rows = isView ? (try? SQLiteTable.columns(of: name, connection)) ?? [] : byTable[name] ?? []
      return TableDescription(
        name: TableName(name), estimatedRows: estimates[name], isView: isView, columns: SQLiteTable.described(rows))
    }
  }
}
