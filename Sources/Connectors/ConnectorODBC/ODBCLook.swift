import Connecting
import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A short look at one table on one connection: a few rows, or whether it can be read and what shows that it changed.
/// Nothing here sorts a table or waits longer than it was allowed.
final class ODBCLook {
  private let connection: ODBCConnection
  private let table: ODBCTable
  private let isOver = Monitor(false)

  init(_ name: TableName, _ address: ODBCAddress, within limit: Duration) throws(ConnectorError) {
    connection = try ODBCConnection(address, .looking(within: limit))
    // Not every driver knows how to give a statement a time: who waits ends it.
    let end = ContinuousClock.now + limit
    BlockingThread.start { [isOver, interrupt = connection.interrupter] in
      while !isOver.change({ $0 }) {
        guard ContinuousClock.now < end else { return interrupt() }
        usleep(20_000)
      }
    }
    do {
      table = try ODBCTable.read(name, connection)
    } catch {
      isOver.change { $0 = true }
      throw error
    }
  }

  deinit { isOver.change { $0 = true } }

  func rows(_ columns: [ReadPlan.Column], atMost count: Int) throws(ConnectorError) -> [[String?]] {
    guard !columns.isEmpty, count > 0 else { return [] }
    var spellings: [ODBCSpelling] = []
    var fields: [ODBCField] = []
    for wanted in columns {
      let column = try table.column(wanted, connection.dialect)
      let spelling = connection.dialect.spelled(column, "t.\(connection.quoted(wanted.name))")
      spellings.append(spelling)
      fields.append(ODBCField(wanted.type, zone: spelling.isInstant ? 0 : connection.address.zone))
    }
    return try limited { () throws(ConnectorError) in
      let rows = try ODBCRows(spellings, connection, []) {
        connection.dialect.select($0, "FROM \(connection.quoted(table.name)) t", atMost: count)
      }
      defer { rows.close() }
      let batch = RowBatch(capacity: RowBatch.smallest)
      var found: [[String?]] = []
      while found.count < count, try rows.next() {
        batch.removeAll()
        batch.beginRow(fields: fields.count)
        for index in fields.indices { try rows.append(index, fields[index], to: batch) }
        batch.endRow()
        found.append(
          zip(columns, batch.fields(0)).map { column, field in
            switch field {
            case .null: return nil
            case .value(let bytes):
              // A long value is cut before it becomes characters.
              let text = bytes.prefix(ReadPlan.peekedText * 4).withUnsafeBytes {
                CanonicalText.text(of: $0, as: column.type)
              }
              return text.map { String($0.prefix(ReadPlan.peekedText)) }
            case .malformed(_, let raw):
              return String(
                String(decoding: raw.prefix(ReadPlan.peekedText * 2), as: UTF8.self).prefix(ReadPlan.peekedText))
            }
          })
      }
      return found
    }
  }

  /// Throws where one row of these columns may not be read.
  func examination(_ columns: [String], cursor: String?) throws(ConnectorError) -> TableExamination {
    let names = table.description.columns(columns).map { "t.\(connection.quoted($0.name))" }
    let list = names.isEmpty ? "1" : names.joined(separator: ", ")
    // The rights to every column are asked; the values stay where they are.
    try limited { () throws(ConnectorError) in
      try connection.run("SELECT \(list) FROM \(connection.quoted(table.name)) t WHERE 1 = 0")
    }
    return TableExamination(
      table: table.description, mark: try cursor.flatMap { name throws(ConnectorError) in try mark(name) })
  }

  /// Times ahead of the server's clock are somebody's mistake and say nothing of when the table changed.
  private func mark(_ name: String) throws(ConnectorError) -> ChangeMark? {
    guard let column = table.column(name), let type = column.description.type, type == .timestamp || type == .integer,
      connection.dialect != .sqlite || type == .integer
    else { return nil }
    let plan = ReadPlan(table: table.name, columns: [ReadPlan.Column(name, type)], key: [0], cursor: 0)
    let statement = try ODBCReadStatement(plan, table, connection)
    let clock = (Clock.system.now().milliseconds - 946_684_800_000) * 1000
    switch try limited({ () throws(ConnectorError) in try statement.horizon(clock: clock) }) {
    case .timestamp(let time):
      // The clock itself says that there is no highest value.
      return time == clock
        ? ChangeMark(.cursor, own: "")
        : ChangeMark(.cursor, own: "\(time)", at: Instant(milliseconds: time / 1000 + 946_684_800_000))
    case .integer(let number): return ChangeMark(.cursor, own: number == Int64.min / 2 ? "" : "\(number)")
    }
  }

  /// A client that stopped waiting and a server that gave up are the same to who asked.
  @discardableResult
  private func limited<T>(_ body: () throws(ConnectorError) -> T) throws(ConnectorError) -> T {
    do {
      return try body()
    } catch {
      guard connection.isEnded || ["odbc.57014", "odbc.HYT00", "odbc.HY008"].contains(error.code) else { throw error }
      throw ConnectorError(
        .retryable, "odbc.timeout", Text("查询超过了允许的时间。", "The query took longer than it was allowed."))
    }
  }
}
