import CSQLite
import Connecting
import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A short look at one table: a few rows, or whether it can be read and what shows that it changed. What takes longer than
/// it was allowed is interrupted.
struct SQLiteLook {
  private let connection: SQLiteConnection
  private let table: TableDescription
  private let path: String
  private let zone: Int

  init(_ name: TableName, path: String, zone: Int, within limit: Duration) throws(ConnectorError) {
    connection = try SQLiteConnection(path, writes: false)
    connection.interrupts(after: limit)
    self.path = path
    self.zone = zone
    table = try SQLiteTable.read(name, connection).description
  }

  func rows(_ columns: [ReadPlan.Column], atMost count: Int) throws(ConnectorError) -> [[String?]] {
    guard !columns.isEmpty, count > 0 else { return [] }
    let list = columns.map { "substr(CAST(\(SQLiteQuote.name($0.name)) AS TEXT), 1, \(ReadPlan.peekedText))" }
    return try connection.rows("SELECT \(list.joined(separator: ", ")) FROM \(quoted) LIMIT \(count)")
  }

  func examination(_ columns: [String], cursor: String?) throws(ConnectorError) -> TableExamination {
    let names = table.columns(columns).map { SQLiteQuote.name($0.name) }
    _ = try connection.rows("SELECT \(names.isEmpty ? "1" : names.joined(separator: ", ")) FROM \(quoted) LIMIT 1")
    return TableExamination(table: table, mark: try mark(cursor))
  }

  private var quoted: String { SQLiteQuote.name(table.name.name) }

  private func mark(_ cursor: String?) throws(ConnectorError) -> ChangeMark? {
    if let column = cursor.flatMap({ table.column($0) }), let found = try highest(column) { return found }
    // A view has no rows of its own, a table WITHOUT ROWID no numbers; the file is there in any case.
    let last = table.isView ? nil : (try? connection.rows("SELECT max(rowid) FROM \(quoted)"))?.first?[0]
    return ChangeMark(.lastRow, own: last, around: fileState)
  }

  private func highest(_ column: ColumnDescription) throws(ConnectorError) -> ChangeMark? {
    let name = SQLiteQuote.name(column.name)
    switch column.type {
    case .integer:
      let found = try connection.rows("SELECT max(\(name)) FROM \(quoted) WHERE typeof(\(name)) = 'integer'")
      return ChangeMark(.cursor, own: found[0][0] ?? "")
    case .timestamp:
      // Times ahead of the clock are somebody's mistake and say nothing of when the table changed.
      let found = try connection.rows(
        """
        SELECT max(\(name)) FROM \(quoted) WHERE typeof(\(name)) = 'text' AND \(name) GLOB '[0-9][0-9][0-9][0-9]*'
          AND \(name) <= strftime('%Y-%m-%d %H:%M:%f', 'now', '\(zone) seconds')
        """)[0][0]
      let time = found.flatMap { text in
        Array(text.utf8).withUnsafeBytes { WrittenTime.microseconds($0, zone: zone) }
      }
      return ChangeMark(
        .cursor, own: found ?? "",
        at: time.map { Instant(milliseconds: $0 / 1000 + Int64(WrittenTime.epoch) * 86_400_000) })
    default: return nil
    }
  }

  /// Size and time of the file and of its log of writes.
  private var fileState: String {
    ["", "-wal"].map { suffix in
      var status = stat()
      guard stat(path + suffix, &status) == 0 else { return "-" }
      return "\(status.st_size)@\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }.joined(separator: " ")
  }
}

extension SQLiteConnection {
  /// Gives up any statement that still runs after so long.
  func interrupts(after limit: Duration) {
    deadline.pointee = ContinuousClock.now + limit
    sqlite3_progress_handler(
      handle, 10_000,
      { pointer in
        guard let end = pointer?.assumingMemoryBound(to: ContinuousClock.Instant.self).pointee else { return 0 }
        return ContinuousClock.now > end ? 1 : 0
      }, deadline)
  }
}
