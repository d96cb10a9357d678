import Connecting
import Kernel

/// A short look at one table on one connection: a few rows, or whether it can be read and what shows that it changed.
/// Nothing here sorts a table or waits longer than it was allowed.
struct MariaDBLook {
  private let connection: MariaDBConnection
  private let table: MariaDBTable
  private let address: MariaDBAddress

  init(_ name: TableName, _ address: MariaDBAddress, within limit: Duration) throws(ConnectorError) {
    connection = try MariaDBConnection(address, .looking(within: limit))
    self.address = address
    table = try MariaDBTable.read(name, connection)
  }

  func rows(_ columns: [ReadPlan.Column], atMost count: Int) throws(ConnectorError) -> [[String?]] {
    guard !columns.isEmpty, count > 0 else { return [] }
    var list: [String] = []
    for wanted in columns {
      let column = try table.column(wanted)
      let name = MariaDBQuote.name(wanted.name)
      switch wanted.type {
      case .bytes: list.append("CONCAT('\\x', LOWER(HEX(LEFT(\(name), \(ReadPlan.peekedText / 2 - 1)))))")
      case .boolean: list.append("CASE \(name) WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE \(name) + 0 END")
      case .text: list.append("LEFT(\(name), \(ReadPlan.peekedText))")
      default: list.append(column.expression(wanted))
      }
    }
    return try limited { () throws(ConnectorError) in
      try connection.run("SELECT \(list.joined(separator: ", ")) FROM \(quoted) LIMIT \(count)")
    }
  }

  /// Throws where one row of these columns may not be read.
  func examination(_ columns: [String], cursor: String?) throws(ConnectorError) -> TableExamination {
    let names = table.description.columns(columns).map { MariaDBQuote.name($0.name) }
    let list = names.isEmpty ? "1" : names.joined(separator: ", ")
    // The rights to every column are asked; the values stay where they are.
    try limited { () throws(ConnectorError) in
      try connection.run("SELECT COUNT(*) FROM (SELECT \(list) FROM \(quoted) LIMIT 1) one")
    }
    return TableExamination(table: table.description, mark: try mark(cursor))
  }

  private var quoted: String {
    "\(MariaDBQuote.name(table.name.schema ?? address.database)).\(MariaDBQuote.name(table.name.name))"
  }

  /// A client that stopped waiting and a server that gave up are the same to who asked.
  @discardableResult
  private func limited<T>(_ body: () throws(ConnectorError) -> T) throws(ConnectorError) -> T {
    do {
      return try body()
    } catch {
      guard Self.isTimeout(error) else { throw error }
      throw ConnectorError(
        .retryable, "mariadb.timeout", Text("查询超过了允许的时间。", "The query took longer than it was allowed."))
    }
  }

  private static func isTimeout(_ error: ConnectorError) -> Bool {
    ["mariadb.1969", "mariadb.3024", "mariadb.4012"].contains(error.code)
  }

  private func mark(_ cursor: String?) throws(ConnectorError) -> ChangeMark? {
    if let name = cursor, let column = table.column(name) {
      do {
        if let found = try highest(column) { return found }
      } catch {
        // Without an index the highest value of a huge table takes too long; the statistics cost nothing.
        guard Self.isTimeout(error) else { throw error }
      }
    }
    return try statistics()
  }

  /// Times ahead of the server's clock are somebody's mistake and say nothing of when the table changed.
  private func highest(_ column: MariaDBTable.Column) throws(ConnectorError) -> ChangeMark? {
    let name = MariaDBQuote.name(column.description.name)
    switch column.base {
    case "datetime", "timestamp":
      let zone = column.base == "timestamp" ? 0 : address.zone
      let found = try connection.run(
        "SELECT CAST(MAX(\(name)) AS CHAR) FROM \(quoted) WHERE \(name) <= UTC_TIMESTAMP(6) + INTERVAL \(zone) SECOND")[
          0][0]
      let field = MariaDBField(.timestamp, zone: zone)
      let time = found.flatMap { text in Array(text.utf8).withUnsafeBytes { field.time($0) } }
      return ChangeMark(
        .cursor, own: time.map { "\($0)" } ?? "",
        at: time.map { Instant(milliseconds: $0 / 1000 + 946_684_800_000) })
    case _ where column.isInteger:
      return ChangeMark(.cursor, own: try connection.run("SELECT MAX(\(name)) FROM \(quoted)")[0][0] ?? "")
    default: return nil
    }
  }

  /// Counts of the performance schema, where it is on and the account may look; nil elsewhere, and for views.
  private func statistics() throws(ConnectorError) -> ChangeMark? {
    guard !table.isView else { return nil }
    let database = MariaDBQuote.text(table.name.schema ?? address.database)
    let found = try? connection.run(
      """
      SELECT CONCAT(COUNT_INSERT, ' ', COUNT_UPDATE, ' ', COUNT_DELETE)
      FROM performance_schema.table_io_waits_summary_by_table
      WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA = \(database) AND OBJECT_NAME = \(MariaDBQuote.text(table.name.name))
        AND @@performance_schema = 1
      """)
    return found?.first?[0].map { ChangeMark(.statistics, own: $0) }
  }
}
