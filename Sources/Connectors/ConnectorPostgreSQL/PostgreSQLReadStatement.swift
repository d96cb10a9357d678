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

  /// Before year 1 the database's own minus infinity is meant: everything is later.
  private func timestamp(_ time: Int64, hasZone: Bool) -> String {
    let local = hasZone ? time : time + Int64(zone) * 1_000_000
    let type = hasZone ? "timestamptz" : "timestamp"
    guard let text = WrittenTime.text(microseconds: local) else { return "'\(local < 0 ? "-" : "")infinity'::\(type)" }
    return "'\(text)\(hasZone ? "+00" : "")'::\(type)"
  }

  /// A key's canonical bytes as a literal of the column's own type, so that its index serves the comparison.
  private func literal(_ bytes: [UInt8], _ column: ReadPlan.Column) throws(ConnectorError) -> String {
    let base = table.column(column.name)?.base ?? ""
    let text = bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: column.type) }
    guard let text else { throw .contract("position", "存储的读取位点无效。", "The stored reading position is not valid.") }
    switch column.type {
    case .timestamp:
      let time = bytes.withUnsafeBytes { Int64(bigEndian: $0.loadUnaligned(as: Int64.self)) }
      return timestamp(time, hasZone: base == "timestamptz")
    case .text where base == "json" || base == "jsonb": return "\(PostgreSQLQuote.text(text))::text"
    default: return "\(PostgreSQLQuote.text(text))::\(base)"
    }
  }
}
