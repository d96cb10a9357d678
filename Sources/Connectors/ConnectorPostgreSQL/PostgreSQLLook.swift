import Connecting
import Kernel

/// A short look at one table on one connection: a few rows, or whether it can be read and what shows that it changed.
/// Nothing here sorts a table or waits longer than it was allowed.
struct PostgreSQLLook {
  private let connection: PostgreSQLConnection
  private let table: PostgreSQLTable
  private let zone: Int
  private let limit: Duration

  init(_ name: TableName, _ address: PostgreSQLAddress, within limit: Duration) throws(ConnectorError) {
    connection = try PostgreSQLConnection(address)
    zone = address.zone
    self.limit = limit
    try connection.run("SET statement_timeout = \(max(1, limit.inMilliseconds))")
    try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    table = try PostgreSQLTable.read(name, connection)
  }

  /// Of a large table, rows from pages all over it; else its first ones.
  func rows(_ columns: [ReadPlan.Column], atMost count: Int) throws(ConnectorError) -> [[String?]] {
    guard !columns.isEmpty, count > 0 else { return [] }
    let list = columns.map { "left(\(PostgreSQLQuote.name($0.name))::text, \(ReadPlan.peekedText))" }
    let select = "SELECT \(list.joined(separator: ", ")) FROM \(quoted)"
    if let estimate = table.estimatedRows, !table.isView, estimate > count * 50 {
      let share = min(100, 400 * Double(count) / Double(estimate))
      let found = try? connection.run("\(select) TABLESAMPLE SYSTEM (\(share)) LIMIT \(count)")
      if let found, found.count * 2 >= count { return found }
      // A foreign table takes no sample, and one of few wide pages gives too little: then the first rows are what there is.
      try connection.run("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }
    return try connection.run("\(select) LIMIT \(count)")
  }

  /// Throws where one row of these columns may not be read.
  func examination(_ columns: [String], cursor: String?) throws(ConnectorError) -> TableExamination {
    let names = table.description.columns(columns).map { PostgreSQLQuote.name($0.name) }
    let list = names.isEmpty ? "1" : names.joined(separator: ", ")
    // The rights to every column are asked; the values stay where they are.
    try connection.run("SELECT count(*) FROM (SELECT \(list) FROM \(quoted) LIMIT 1) one")
    return TableExamination(table: table.description, mark: try mark(cursor))
  }

  private var quoted: String { PostgreSQLQuote.table(table.name) }

  private func mark(_ cursor: String?) throws(ConnectorError) -> ChangeMark? {
    if let name = cursor, let column = table.column(name) {
      do {
        if let found = try highest(column) { return found }
      } catch {
        // Without an index the highest value of a huge table takes too long; the statistics cost nothing.
        guard error.code == "postgresql.57014" else { throw error }
        try connection.run("ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
      }
    }
    return try statistics()
  }

  /// Times ahead of the server's clock are somebody's mistake and say nothing of when the table changed.
  private func highest(_ column: PostgreSQLTable.Column) throws(ConnectorError) -> ChangeMark? {
    let name = PostgreSQLQuote.name(column.description.name)
    switch column.base {
    case "timestamptz", "timestamp":
      let isZoned = column.base == "timestamptz"
      let now = isZoned ? "now()" : "(now() AT TIME ZONE 'UTC' + interval '\(zone) seconds')"
      let value = "(SELECT max(\(name)) FROM \(quoted) WHERE \(name) <= \(now) AND \(name) > '0001-01-01')"
      let shifted = isZoned ? value : "((\(value) - interval '\(zone) seconds') AT TIME ZONE 'UTC')"
      let found = try connection.run("SELECT (extract(epoch FROM \(shifted)) * 1000000)::int8")[0][0]
      return ChangeMark(
        .cursor, own: found ?? "", at: found.flatMap { Int64($0) }.map { Instant(milliseconds: $0 / 1000) })
    case "int2", "int4", "int8":
      return ChangeMark(.cursor, own: try connection.run("SELECT max(\(name)) FROM \(quoted)")[0][0] ?? "")
    default: return nil
    }
  }

  /// Nil on a standby, which counts nothing, where counting is off, and for views and foreign tables.
  private func statistics() throws(ConnectorError) -> ChangeMark? {
    let found = try connection.run(
      """
      SELECT sum(s.n_tup_ins)::int8 || ' ' || sum(s.n_tup_upd)::int8 || ' ' || sum(s.n_tup_del)::int8
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_stat_user_tables s
        ON s.relid = c.oid OR c.relkind = 'p' AND s.relid IN (SELECT relid FROM pg_partition_tree(c.oid))
      WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
        AND NOT pg_is_in_recovery() AND current_setting('track_counts') = 'on'
      """, [table.name.schema ?? "public", table.name.name])[0][0]
    return found.map { ChangeMark(.statistics, own: $0) }
  }
}
