import CSQLite
import Connecting
import Kernel

/// Reads one plan in one read transaction.
final class SQLiteReader: RowReader {
  private(set) var horizon: CursorValue?
  let isKeyOrdered: Bool
  let checksText = false
  private(set) var position: [UInt8] = []

  private let plan: ReadPlan
  private let connection: SQLiteConnection
  private let zone: Int
  private var sections: [(sql: String, hasKey: Bool)] = []
  private var after: [UInt8]?
  private var statement: SQLiteStatement?
  private var isOnRow = false
  /// Incremental: what the SQL lets through is looked at again, value by value.
  private var above: CursorValue?

  init(_ plan: ReadPlan, _ connection: SQLiteConnection, zone: Int) throws(ConnectorError) {
    self.plan = plan
    self.connection = connection
    self.zone = zone
    try connection.run("BEGIN")
    let table = try SQLiteTable.read(plan.table, connection)
    for column in plan.columns { try Self.check(column, table.description) }
    let names = plan.columns.map { SQLiteQuote.name($0.name) }
    let select = "SELECT \(names.joined(separator: ", ")) FROM \(SQLiteQuote.name(plan.table.name))"
    // Equal keys come one after the other only where equal means equal bytes of one storage class.
    let isPlain = plan.key.allSatisfy { plan.columns[$0].type == .integer || plan.columns[$0].type == .text }
    if let cursor = plan.cursor { horizon = try Self.horizon(plan, plan.columns[cursor], connection, zone) }
    switch plan.range {
    case .full(let after):
      isKeyOrdered = isPlain
      self.after = after
      if let after { position = after }
      let keys = plan.key.map { table.order(plan.columns[$0].name) }
      var conditions = plan.key.map { "\(names[$0]) IS NOT NULL" }
      for (place, comparison) in [(after, ">"), (plan.through, "<=")] where place != nil {
        conditions.append(
          "(\(keys.joined(separator: ", "))) \(comparison) (\(plan.key.map { _ in "?" }.joined(separator: ", ")))")
      }
      sections.append(
        ("\(select) WHERE \(conditions.joined(separator: " AND ")) ORDER BY \(keys.joined(separator: ", "))", true))
      if plan.through == nil {
        sections.append(("\(select) WHERE \(plan.key.map { "\(names[$0]) IS NULL" }.joined(separator: " OR "))", false))
      }
    case .incremental(let above):
      isKeyOrdered = false
      self.above = above
      guard let cursor = plan.cursor else {
        throw .contract("no-cursor", "增量读取需要游标列。", "An incremental read needs a cursor column.")
      }
      sections.append(("\(select) WHERE \(Self.filter(names[cursor], above))", true))
    }
  }

  private static func check(_ column: ReadPlan.Column, _ table: TableDescription) throws(ConnectorError) {
    guard let found = table.column(column.name) else {
      throw .contract("column-missing", "源表缺少列“\(column.name)”。", "The source table lacks the column “\(column.name)”.")
    }
    // Only bytes and the rest exclude each other: any other declared type may hold values of the agreed one.
    guard found.type != nil, (found.type == .bytes) == (column.type == .bytes) else {
      throw .contract(
        "column-type", "列“\(column.name)”现为 \(found.nativeType)，约定为 \(column.type)。",
        "The column “\(column.name)” is now \(found.nativeType); agreed was \(column.type).")
    }
  }

  /// Text times come in several spellings that do not sort alike; all begin with the year. So a day is cut generously
  /// (zones reach 14 hours, and `/` or no mark at all sort after `-`), and the reader compares exactly.
  private static func filter(_ name: String, _ above: CursorValue) -> String {
    switch above {
    case .timestamp(let time):
      let day = WrittenTime.text(microseconds: time - 172_800_000_000)?.prefix(10) ?? ""
      return "\(name) >= '\(day)' OR \(name) IS NULL OR typeof(\(name)) <> 'text'"
    case .integer(let number):
      return "\(name) > \(number) OR \(name) IS NULL OR typeof(\(name)) <> 'integer'"
    }
  }

  /// The lower of the machine's clock and the highest cursor that is not ahead of it: where the source's writer lives by a slower clock, the
  /// next run must not start ahead of it.
  private static func horizon(
    _ plan: ReadPlan, _ column: ReadPlan.Column, _ connection: SQLiteConnection, _ zone: Int
  ) throws(ConnectorError) -> CursorValue {
    let (name, table) = (SQLiteQuote.name(column.name), SQLiteQuote.name(plan.table.name))
    switch column.type {
    case .integer:
      let highest = try connection.rows("SELECT max(\(name)) FROM \(table) WHERE typeof(\(name)) = 'integer'")[0][0]
      return .integer(highest.flatMap { Int64($0) } ?? Int64.min / 2)
    case .timestamp:
      let row = try connection.rows(
        """
        SELECT strftime('%Y-%m-%d %H:%M:%f', 'now'),
          (SELECT max(\(name)) FROM \(table) WHERE typeof(\(name)) = 'text' AND \(name) GLOB '[0-9][0-9][0-9][0-9]*'
            AND \(name) <= strftime('%Y-%m-%d %H:%M:%f', 'now', '\(zone) seconds'))
        """)[0]
      let now = row[0].flatMap { time($0, 0) } ?? 0
      return .timestamp(min(now, row[1].flatMap { time($0, zone) } ?? now))
    default: throw .contract("cursor-type", "游标列必须是时间或整数。", "A cursor column must be a timestamp or an integer.")
    }
  }

  private static func time(_ text: String, _ zone: Int) -> Int64? {
    Array(text.utf8).withUnsafeBytes { WrittenTime.microseconds($0, zone: zone) }
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while let section = sections.first {
      if statement == nil {
        let prepared = try connection.prepare(section.sql)
        if section.hasKey {
          var bound = 0
          for place in [after, plan.through].compactMap(\.self) where above == nil {
            try SQLitePlace.bind(place, to: prepared, from: bound, count: plan.key.count)
            bound += plan.key.count
          }
        }
        statement = prepared
        isOnRow = try prepared.step()
      }
      guard let statement else { return .end }
      while isOnRow, !batch.isFull {
        append(statement, to: batch)
        isOnRow = try statement.step()
      }
      if !isOnRow {
        self.statement = nil
        sections.removeFirst()
      }
      if !batch.isEmpty {
        if section.hasKey, above == nil { position = lastPlace }
        return section.hasKey ? .rows : .rowsWithoutKey
      }
    }
    return .end
  }

  private var lastPlace: [UInt8] = []

  private func append(_ statement: SQLiteStatement, to batch: RowBatch) {
    batch.beginRow(fields: plan.columns.count)
    for index in plan.columns.indices {
      SQLiteField.append(statement, index, as: plan.columns[index].type, zone: zone, to: batch)
    }
    batch.endRow()
    batch.limitLastRow()
    if let above, let cursor = plan.cursor, !isAbove(above, statement, cursor) { batch.removeLastRow() }
    if above == nil { SQLitePlace.keep(plan.key, of: statement, in: &lastPlace) }
  }

  /// What cannot be compared is let through: the plan will say what is wrong with it.
  private func isAbove(_ above: CursorValue, _ statement: SQLiteStatement, _ cursor: Int) -> Bool {
    switch (above, statement.type(cursor)) {
    case (.integer(let low), SQLITE_INTEGER): statement.int64(cursor) > low
    case (.timestamp(let low), SQLITE_TEXT):
      WrittenTime.microseconds(statement.bytes(cursor), zone: zone).map { $0 > low } ?? true
    default: true
    }
  }

  var interrupter: @Sendable () -> Void { connection.interrupter }

  func close() {
    statement?.finalize()
    statement = nil
    connection.close()
  }
}
