import Connecting
import Kernel

/// The SELECTs of a read plan: only listed columns, all names quoted, values as parameters.
struct ODBCReadStatement {
  private struct KeyPart {
    var column: ODBCTable.Column
    var order: String
    /// Which of the selected values holds the place.
    var selected: Int
  }

  /// One SELECT, to be run with the list that is selected.
  struct Section {
    var condition: String
    var values: [ODBCValue]
    var isOrdered: Bool
    var hasKey: Bool
  }

  private let plan: ReadPlan
  private let connection: ODBCConnection
  private let key: [KeyPart]
  private let isUnique: Bool
  private let nullableKeys: [String]
  private let cursorColumn: ODBCTable.Column?
  let spellings: [ODBCSpelling]
  let fields: [ODBCField]
  var places: [Int] { key.map(\.selected) }

  init(_ plan: ReadPlan, _ table: ODBCTable, _ connection: ODBCConnection) throws(ConnectorError) {
    self.plan = plan
    self.connection = connection
    let (dialect, zone) = (connection.dialect, connection.address.zone)
    var spellings: [ODBCSpelling] = []
    var fields: [ODBCField] = []
    var columns: [ODBCTable.Column] = []
    for wanted in plan.columns {
      let column = try table.column(wanted, dialect)
      let spelling = dialect.spelled(column, Self.named(wanted.name, connection))
      columns.append(column)
      spellings.append(spelling)
      fields.append(ODBCField(wanted.type, zone: spelling.isInstant ? 0 : zone))
    }
    let keyColumns = plan.key.map { columns[$0] }
    let keyNames = Set(plan.key.map { plan.columns[$0].name })
    switch dialect {
    case _ where !keyColumns.contains { dialect.isText($0) }: isUnique = true
    case .sqlserver, .dm, .generic: isUnique = try ODBCTable.isUnique(keyNames, table, connection)
    // An index may hold apart, by a collation of its own, what the column's takes for equal.
    case .postgresql: isUnique = try !ODBCTable.takesForEqual(keyNames, table.name, connection)
    // Elsewhere the order tells values apart that are not the same.
    case .sqlite, .oracle: isUnique = true
    }
    var key: [KeyPart] = []
    for (index, column) in zip(plan.key, keyColumns) {
      let name = Self.named(column.description.name, connection)
      let place = dialect.place(column, name)
      var selected = index
      if place != spellings[index] {
        selected = spellings.count
        spellings.append(place)
      }
      key.append(KeyPart(column: column, order: dialect.order(column, name, isUnique: isUnique), selected: selected))
    }
    self.key = key
    self.spellings = spellings
    self.fields = fields
    nullableKeys = keyColumns.filter(\.description.isNullable).map { Self.named($0.description.name, connection) }
    cursorColumn = plan.cursor.map { columns[$0] }
  }

  private static func named(_ name: String, _ connection: ODBCConnection) -> String { "t." + connection.quoted(name) }

  private var from: String { "FROM \(connection.quoted(plan.table)) t" }

  /// Rows with a key, in its order, after the place encoded in `after`.
  func keyed(after: [UInt8]?) throws(ConnectorError) -> Section {
    var conditions = nullableKeys.map { "\($0) IS NOT NULL" }
    var values: [ODBCValue] = []
    if let after {
      guard let places = KeyBytes.decode(after, count: key.count) else { throw ODBCDialect.invalidPosition }
      var parameters: [(sql: String, value: ODBCValue)] = []
      for (part, place) in zip(key, places) {
        parameters.append(try connection.dialect.parameter(part.column, place, isUnique: isUnique))
      }
      conditions.append(past(parameters, &values))
    }
    return Section(condition: conditions.joined(separator: " AND "), values: values, isOrdered: true, hasKey: true)
  }

  /// `(a, b) > (x, y)` in words that every database knows, and of which it makes a range of its index.
  private func past(_ parameters: [(sql: String, value: ODBCValue)], _ values: inout [ODBCValue]) -> String {
    func behind(_ index: Int) -> String {
      let (order, parameter) = (key[index].order, parameters[index])
      values.append(parameter.value)
      if index + 1 == key.count { return "\(order) > \(parameter.sql)" }
      values.append(parameter.value)
      let rest = behind(index + 1)
      return "(\(order) > \(parameter.sql) OR (\(order) = \(parameter.sql) AND \(rest)))"
    }
    guard key.count > 1 else { return behind(0) }
    values.append(parameters[0].value)
    return "\(key[0].order) >= \(parameters[0].sql) AND \(behind(0))"
  }

  /// Rows whose key is NULL somewhere; nil when the database rules that out.
  func unkeyed() -> Section? {
    guard !nullableKeys.isEmpty else { return nil }
    let condition = nullableKeys.map { "\($0) IS NULL" }.joined(separator: " OR ")
    return Section(condition: condition, values: [], isOrdered: false, hasKey: false)
  }

  func sql(_ section: Section, list: String, atMost rows: Int?) -> String {
    let filter = section.condition.isEmpty ? "" : " WHERE \(section.condition)"
    let order = section.isOrdered ? " ORDER BY \(key.map(\.order).joined(separator: ", "))" : ""
    return connection.dialect.select(list, from + filter + order, atMost: rows)
  }

  // MARK: Cursor

  /// What grew past `above`. No upper bound: a cursor ahead of the clock is read now and again later.
  func changed(above: CursorValue) throws(ConnectorError) -> Section {
    let cursor = try self.cursor
    let name = Self.named(cursor.description.name, connection)
    var conditions = cursor.description.isNullable ? ["\(name) IS NULL"] : []
    var values: [ODBCValue] = []
    switch above {
    case .timestamp(let time):
      guard cursor.description.type == .timestamp else { throw Self.otherCursor }
      if connection.dialect == .sqlite {
        // Written times come in several spellings that do not sort alike; all begin with the year. A day is cut generously,
        // and the reader compares exactly.
        let day = WrittenTime.text(microseconds: time - 172_800_000_000)?.prefix(10) ?? ""
        conditions.append("\(name) >= CAST(? AS TEXT) OR typeof(\(name)) <> 'text'")
        values.append(.bytes(Array(day.utf8)))
        break
      }
      guard let text = text(of: time, cursor) else {
        // Before the first year everything is later, after the last one nothing.
        if time < 0 { return Section(condition: "", values: [], isOrdered: false, hasKey: true) }
        break
      }
      let parameter = try connection.dialect.parameter(cursor, Array(text.utf8), isUnique: true)
      conditions.append("\(name) > \(parameter.sql)")
      values.append(parameter.value)
    case .integer(let number):
      guard cursor.description.type == .integer else { throw Self.otherCursor }
      conditions.append("\(name) > ?")
      values.append(.integer(number))
      if connection.dialect == .sqlite { conditions.append("typeof(\(name)) <> 'integer'") }
    }
    let condition = conditions.isEmpty ? "1 = 0" : conditions.joined(separator: " OR ")
    return Section(condition: condition, values: values, isOrdered: false, hasKey: true)
  }

  /// As the column itself would write this instant; nil outside of its years.
  private func text(of time: Int64, _ column: ODBCTable.Column) -> String? {
    let isInstant = connection.dialect.spelled(column, "x").isInstant
    let local = isInstant ? time : time + Int64(connection.address.zone) * 1_000_000
    let ending =
      isInstant ? connection.dialect == .postgresql ? "+00" : connection.dialect == .sqlserver ? " +00:00" : "" : ""
    // Before 1753 some products have no times.
    guard local > -7_794_489_600_000_000, let text = WrittenTime.text(microseconds: local) else { return nil }
    return text + ending
  }

  /// The lower of the source's clock, asked before the snapshot, and the highest cursor not ahead of it: where the
  /// source's writers live by a slower clock, the next run must not start ahead of them.
  func horizon(clock: Int64) throws(ConnectorError) -> CursorValue {
    let cursor = try self.cursor
    let name = Self.named(cursor.description.name, connection)
    guard cursor.description.type == .timestamp else {
      let only = connection.dialect == .sqlite ? " WHERE typeof(\(name)) = 'integer'" : ""
      let highest = try connection.run("SELECT MAX(\(name)) \(from)\(only)").first?.first ?? nil
      return .integer(highest.flatMap { Int64($0) } ?? Int64.min / 2)
    }
    var (condition, values): (String, [ODBCValue]) = ("", [])
    if connection.dialect == .sqlite {
      let now = WrittenTime.text(microseconds: clock + Int64(connection.address.zone) * 1_000_000) ?? ""
      condition = "typeof(\(name)) = 'text' AND \(name) GLOB '[0-9][0-9][0-9][0-9]*' AND \(name) <= CAST(? AS TEXT)"
      values = [.bytes(Array(now.utf8))]
    } else if let text = text(of: clock, cursor) {
      let parameter = try connection.dialect.parameter(cursor, Array(text.utf8), isUnique: true)
      condition = "\(name) <= \(parameter.sql)"
      values = [parameter.value]
    }
    let spelling = connection.dialect.spelled(cursor, "MAX(\(name))")
    let rows = try ODBCRows([spelling], connection, values) { "SELECT \($0) \(from) WHERE \(condition)" }
    defer { rows.close() }
    let batch = RowBatch(capacity: 1)
    let field = ODBCField(.timestamp, zone: spelling.isInstant ? 0 : connection.address.zone)
    guard try rows.next() else { return .timestamp(clock) }
    batch.beginRow(fields: 1)
    try rows.append(0, field, to: batch)
    batch.endRow()
    guard case .value(let bytes) = batch.fields(0)[0], bytes.count == 8 else { return .timestamp(clock) }
    return .timestamp(min(clock, bytes.reduce(0) { $0 << 8 | Int64($1) }))
  }

  private var cursor: ODBCTable.Column {
    get throws(ConnectorError) {
      guard let index = plan.cursor, let cursor = cursorColumn else {
        throw .contract("no-cursor", "增量读取需要游标列。", "An incremental read needs a cursor column.")
      }
      let type = cursor.description.type
      guard type == .timestamp || type == .integer, plan.columns[index].type == type else {
        throw .contract("cursor-type", "游标列必须是时间或整数。", "A cursor column must be a timestamp or an integer.")
      }
      return cursor
    }
  }

  private static let otherCursor = ConnectorError.contract(
    "cursor-type", "游标列类型与记录的位点不符。", "The cursor column's type differs from the stored offset's.")
}

extension ODBCTable {
  /// The column that a plan wants; throws when it is gone or cannot give values of the agreed type.
  func column(_ wanted: ReadPlan.Column, _ dialect: ODBCDialect) throws(ConnectorError) -> Column {
    guard let found = column(wanted.name) else {
      throw .contract("column-missing", "源表缺少列“\(wanted.name)”。", "The source table lacks the column “\(wanted.name)”.")
    }
    let isFit =
      switch (wanted.type, found.description.type) {
      case (_, nil): false
      // SQLite does not hold itself to its types: only bytes and the rest exclude each other.
      case (_, let type?) where dialect == .sqlite: (type == .bytes) == (wanted.type == .bytes)
      case (.text, .text), (.bytes, .bytes), (.integer, .integer), (.double, .double), (.boolean, .boolean),
        (.date, .date), (.timestamp, .timestamp), (.decimal, .decimal), (.decimal, .integer), (.boolean, .integer),
        (.integer, .decimal):
        true
      // Oracle's DATE has a time: a day of the calendar where it is midnight.
      case (.date, .timestamp): dialect == .oracle && found.base == "date"
      default: false
      }
    guard isFit else {
      throw .contract(
        "column-type", "列“\(wanted.name)”现为 \(found.description.nativeType)，约定为 \(wanted.type)。",
        "The column “\(wanted.name)” is now \(found.description.nativeType); agreed was \(wanted.type).")
    }
    return found
  }
}
