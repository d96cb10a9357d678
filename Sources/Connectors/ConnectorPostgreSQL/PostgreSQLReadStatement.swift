import Connecting
import Kernel

/// The SELECTs of a read plan: only listed columns, all names quoted, values as literals (COPY takes no parameters).
struct PostgreSQLReadStatement {
  private let plan: ReadPlan
  private let table: PostgreSQLTable
  private let zone: Int
  private let select: String
  /// The key's columns as they are put in order and compared, so that no two rows of different bytes are equal there.
  private let keyOrders: [String]
  private let nullableKeys: [String]

  init(_ plan: ReadPlan, _ table: PostgreSQLTable, zone: Int) throws(ConnectorError) {
    self.plan = plan
    self.table = table
    self.zone = zone
    var expressions: [String] = []
    for column in plan.columns { expressions.append(try table.expression(column, zone: zone)) }
    select = "SELECT \(expressions.joined(separator: ", ")) FROM \(PostgreSQLQuote.table(plan.table))"
    keyOrders = plan.key.map { Self.order(plan.columns[$0].name, table) }
    nullableKeys = plan.key.filter { table.column(plan.columns[$0].name)?.description.isNullable ?? true }
      .map { PostgreSQLQuote.name(plan.columns[$0].name) }
  }

  /// As the column's own type and collation do it, whose index then serves; by its bytes where those take different ones for
  /// equal: rows that are equal to the place where a reading goes on would be passed over.
  private static func order(_ name: String, _ table: PostgreSQLTable) -> String {
    let (column, name) = (table.column(name), PostgreSQLQuote.name(name))
    if column?.base == "json" || column?.base == "jsonb" { return "\(name)::text COLLATE \"C\"" }
    return column?.takesForEqual ?? false ? "\(name) COLLATE \"C\"" : name
  }

  /// Rows with a key, in its order, after the one encoded in `after`, to the one in `through`.
  func keyed(after: [UInt8]?, through: [UInt8]? = nil) throws(ConnectorError) -> String {
    var conditions: [String] = []
    if let after { conditions.append(try beside(">", after)) }
    if let through { conditions.append(try beside("<=", through)) }
    return ordered(select, conditions)
  }

  /// Keys of rows of this share of the table's pages, in the key's order. The plan's columns are the key's alone.
  func sampled(percent: Double) -> String {
    ordered("\(select) TABLESAMPLE SYSTEM (\(percent)) REPEATABLE (1)", [])
  }

  private func ordered(_ select: String, _ conditions: [String]) -> String {
    let all = nullableKeys.map { "\($0) IS NOT NULL" } + conditions
    let filter = all.isEmpty ? "" : " WHERE " + all.joined(separator: " AND ")
    return "\(select)\(filter) ORDER BY \(keyOrders.joined(separator: ", "))"
  }

  /// The key compared with a position, as one row of values: an index of the key makes a range of it.
  private func beside(_ comparison: String, _ position: [UInt8]) throws(ConnectorError) -> String {
    guard let values = KeyBytes.decode(position, count: plan.key.count) else {
      throw .contract("position", "存储的读取位点无效。", "The stored reading position is not valid.")
    }
    var literals: [String] = []
    for (column, value) in zip(plan.key, values) { literals.append(try literal(value, plan.columns[column])) }
    return "(\(keyOrders.joined(separator: ", "))) \(comparison) (\(literals.joined(separator: ", ")))"
  }

  /// Rows whose key is NULL somewhere; nil when the database rules that out.
  func unkeyed() -> String? {
    nullableKeys.isEmpty ? nil : "\(select) WHERE \(nullableKeys.map { "\($0) IS NULL" }.joined(separator: " OR "))"
  }

  /// What grew past `above`. No upper bound: a cursor ahead of the clock is read now and again later.
  func changed(above: CursorValue) throws(ConnectorError) -> String {
    let cursor = try self.cursor
    let name = PostgreSQLQuote.name(cursor.description.name)
    return "\(select) WHERE \(name) > \(try literal(above, cursor))"
      + (cursor.description.isNullable ? " OR \(name) IS NULL" : "")
  }

  /// The lower of the transaction's start, which is before its snapshot, and the highest cursor not ahead of it: where the source's
  /// writers live by a slower clock, the next run must not start ahead of them.
  func horizon(_ connection: PostgreSQLConnection) throws(ConnectorError) -> CursorValue {
    let cursor = try self.cursor
    let (name, table) = (PostgreSQLQuote.name(cursor.description.name), PostgreSQLQuote.table(plan.table))
    let highest = "(SELECT max(\(name)) FROM \(table))"
    switch cursor.base {
    case "timestamptz", "timestamp":
      let isZoned = cursor.base == "timestamptz"
      let now = isZoned ? "now()" : "(now() AT TIME ZONE 'UTC' + interval '\(zone) seconds')"
      let highest = "(SELECT max(\(name)) FROM \(table) WHERE \(name) <= \(now))"
      let shifted = isZoned ? highest : "(\(highest) - interval '\(zone) seconds') AT TIME ZONE 'UTC'"
      let value = try connection.run(
        "SELECT (extract(epoch FROM least(now(), \(shifted))) * 1000000)::int8 - 946684800000000")[0][0]
      return .timestamp(value.flatMap { Int64($0) } ?? WrittenTime.microseconds.lowerBound)
    default:
      return .integer(try connection.run("SELECT \(highest)")[0][0].flatMap { Int64($0) } ?? Int64.min / 2)
    }
  }

  private var cursor: PostgreSQLTable.Column {
    get throws(ConnectorError) {
      guard let index = plan.cursor, let cursor = table.column(plan.columns[index].name) else {
        throw .contract("no-cursor", "增量读取需要游标列。", "An incremental read needs a cursor column.")
      }
      let isTime = cursor.base == "timestamptz" || cursor.base == "timestamp"
      guard isTime || ["int2", "int4", "int8"].contains(cursor.base), isTime == (plan.columns[index].type == .timestamp)
      else {
        throw .contract("cursor-type", "游标列必须是时间或整数。", "A cursor column must be a timestamp or an integer.")
      }
      return cursor
    }
  }

  private func literal(_ value: CursorValue, _ column: PostgreSQLTable.Column) throws(ConnectorError) -> String {
    switch (value, column.base) {
    case (.timestamp(let time), "timestamptz"), (.timestamp(let time), "timestamp"):
      return timestamp(time, hasZone: column.base == "timestamptz")
    case (.integer(let number), "int2"), (.integer(let number), "int4"), (.integer(let number), "int8"):
      return "'\(number)'::int8"
    default:
      throw .contract("cursor-type", "游标列类型与记录的位点不符。", "The cursor column's type differs from the stored offset's.")
    }
  }

  private func timestamp(_ time: Int64, hasZone: Bool) -> String {
    let type = hasZone ? "timestamptz" : "timestamp"
    let (local, isOver) = hasZone ? (time, false) : time.addingReportingOverflow(Int64(zone) * 1_000_000)
    if isOver || time == .max || time == .min { return "'\(time < 0 ? "-" : "")infinity'::\(type)" }
    if let text = WrittenTime.text(microseconds: local) { return "'\(text)\(hasZone ? "+00" : "")'::\(type)" }
    // A year that is not written with four digits: counted from where the database counts.
    let (days, rest) = local.quotientAndRemainder(dividingBy: 86_400_000_000)
    let moment =
      "('2000-01-01'::timestamp + interval '\(days) days' + interval '\(rest / 1_000_000) seconds' + interval '\(rest % 1_000_000) microseconds')"
    return hasZone ? "(\(moment) AT TIME ZONE 'UTC')" : moment
  }

  /// A key's canonical bytes as a literal of the column's own type, so that its index serves the comparison.
  private func literal(_ bytes: [UInt8], _ column: ReadPlan.Column) throws(ConnectorError) -> String {
    let base = table.column(column.name)?.base ?? ""
    if let outside = outside(bytes, column.type, base) { return outside }
    let text = bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: column.type) }
    guard let text else { throw .contract("position", "存储的读取位点无效。", "The stored reading position is not valid.") }
    switch column.type {
    case .text where base == "json" || base == "jsonb": return "\(PostgreSQLQuote.text(text))::text"
    default: return "\(PostgreSQLQuote.text(text))::\(base)"
    }
  }

  /// Keys that no contract permits are read past all the same, and reading goes on behind them: years outside 1 to 9999,
  /// infinities, what is no number. Nil for all others.
  private func outside(_ bytes: [UInt8], _ type: ValueType, _ base: String) -> String? {
    func number<T: FixedWidthInteger>(_: T.Type) -> T {
      bytes.withUnsafeBytes { T(bigEndian: $0.loadUnaligned(as: T.self)) }
    }
    switch type {
    case .date where bytes.count == 4:
      let day = number(Int32.self)
      if day == .max || day == .min { return "'\(day < 0 ? "-" : "")infinity'::date" }
      return WrittenTime.days.contains(Int(day)) ? nil : "('2000-01-01'::date + (\(day)))"
    case .timestamp where bytes.count == 8: return timestamp(number(Int64.self), hasZone: base == "timestamptz")
    case .double where bytes.count == 8:
      let value = Double(bitPattern: UInt64(bitPattern: number(Int64.self)))
      if value.isFinite { return nil }
      return "'\(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")'::\(base)"
    case .decimal: return UnfitText.text(of: bytes, as: type).map { "'\($0)'::\(base)" }
    default: return nil
    }
  }
}
