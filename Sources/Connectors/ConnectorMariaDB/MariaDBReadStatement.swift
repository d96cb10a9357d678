import Connecting
import Kernel

/// The SELECTs of a read plan: only listed columns, all names quoted, values as literals.
struct MariaDBReadStatement {
  /// How one of the key's columns is put in order and compared.
  private struct KeyPart {
    enum Spelling {
      case number, float, quoted
      /// Bytes behind an introducer: `_utf8mb4`, `_gbk`, or none.
      case bytes(String)
    }

    var order: String
    var spelling: Spelling
    /// Which of the result's columns holds the place in that spelling.
    var result: Int
    /// What has to be selected for it besides the value.
    var besides: String?
  }

  private let plan: ReadPlan
  private let table: MariaDBTable
  private let zone: Int
  private let select: String
  private let key: [KeyPart]
  private let nullableKeys: [String]
  let fields: [MariaDBField]
  /// The result's column that is 1 where the field's characters all have a place in Unicode; by field.
  let proofs: [Int?]
  var places: [Int] { key.map(\.result) }

  init(_ plan: ReadPlan, _ table: MariaDBTable, database: String, zone: Int) throws(ConnectorError) {
    self.plan = plan
    self.table = table
    self.zone = zone
    var expressions: [String] = []
    var fields: [MariaDBField] = []
    var columns: [MariaDBTable.Column] = []
    for wanted in plan.columns {
      let column = try table.column(wanted)
      columns.append(column)
      expressions.append(column.expression(wanted))
      fields.append(MariaDBField(wanted.type, zone: column.base == "timestamp" ? 0 : zone))
    }
    var proofs: [Int?] = columns.map { _ in nil }
    for (index, column) in columns.enumerated() where !column.isFaithful {
      proofs[index] = expressions.count
      expressions.append(column.proof)
    }
    let names = Set(plan.key.map { plan.columns[$0].name })
    let isUnique = table.uniqueKeys.contains { $0.columns.isSubset(of: names) }
    var key: [KeyPart] = []
    for index in plan.key {
      var part = Self.keyPart(columns[index], plan.columns[index], index, isUnique)
      if let besides = part.besides {
        part.result = expressions.count
        expressions.append(besides)
      }
      key.append(part)
    }
    self.fields = fields
    self.proofs = proofs
    self.key = key
    let quoted = "\(MariaDBQuote.name(plan.table.schema ?? database)).\(MariaDBQuote.name(plan.table.name))"
    select = "SELECT \(expressions.joined(separator: ", ")) FROM \(quoted)"
    nullableKeys = plan.key.filter { columns[$0].description.isNullable }.map {
      MariaDBQuote.name(plan.columns[$0].name)
    }
  }

  /// Where the database itself holds the key apart, its own collation puts it in order and its index serves; no two rows
  /// are equal there. Where it does not, `a`, `A` and `a` would be one key to it and come in any order: then bytes decide.
  private static func keyPart(
    _ column: MariaDBTable.Column, _ wanted: ReadPlan.Column, _ index: Int, _ isUnique: Bool
  ) -> KeyPart {
    let name = MariaDBQuote.name(wanted.name)
    switch column.base {
    case "enum", "set":
      // In order of their numbers, and compared with text they would not be.
      return KeyPart(order: "(\(name) + 0)", spelling: .number, result: index, besides: "\(name) + 0")
    case "float", "double", "real": return KeyPart(order: name, spelling: .float, result: index)
    case "bit", "decimal", "numeric": return KeyPart(order: name, spelling: .number, result: index)
    case _ where column.isInteger: return KeyPart(order: name, spelling: .number, result: index)
    case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
      return KeyPart(order: name, spelling: .bytes(""), result: index)
    case _ where column.isText || column.base == "json":
      let bytes = "CAST(\(name) AS BINARY)"
      if !isUnique || column.base == "json" {
        return KeyPart(order: bytes, spelling: .bytes(""), result: index, besides: bytes)
      }
      if column.isFaithful { return KeyPart(order: name, spelling: .bytes("_utf8mb4 "), result: index) }
      // The value as sent may have lost what its own characters say.
      return KeyPart(
        order: name, spelling: .bytes("_\(column.characterSet ?? "binary") "), result: index, besides: bytes)
    default: return KeyPart(order: name, spelling: .quoted, result: index)
    }
  }

  /// Rows with a key, in its order, after the place encoded in `after`, to the one in `through`.
  func keyed(after: [UInt8]?, through: [UInt8]? = nil) throws(ConnectorError) -> String {
    var conditions: [String] = []
    if let after { conditions.append(try beside(">", ">", after)) }
    if let through { conditions.append(try beside("<", "<=", through)) }
    return ordered(conditions)
  }

  /// This share of the rows with a key, in its order.
  func sampled(share: Double) -> String { ordered(["RAND() < \(share)"]) }

  private func ordered(_ conditions: [String]) -> String {
    let all = nullableKeys.map { "\($0) IS NOT NULL" } + conditions
    let filter = all.isEmpty ? "" : " WHERE " + all.joined(separator: " AND ")
    return "\(select)\(filter) ORDER BY \(key.map(\.order).joined(separator: ", "))"
  }

  /// `(a, b) > (x, y)`, written so that the optimiser makes a range of the index of it, which it does not of rows. `strict`
  /// is the comparison of all columns but the last, `last` of that one.
  private func beside(_ strict: String, _ last: String, _ position: [UInt8]) throws(ConnectorError) -> String {
    guard let values = KeyBytes.decode(position, count: key.count) else { throw Self.invalidPosition }
    var literals: [String] = []
    for (part, value) in zip(key, values) { literals.append(try Self.literal(value, part.spelling)) }
    var condition = ""
    for (part, literal) in zip(key, literals).reversed() {
      condition =
        condition.isEmpty
        ? "\(part.order) \(last) \(literal)"
        : "(\(part.order) \(strict) \(literal) OR (\(part.order) = \(literal) AND \(condition)))"
    }
    return key.count == 1 ? condition : "\(key[0].order) \(strict)= \(literals[0]) AND \(condition)"
  }

  /// Rows whose key is NULL somewhere; nil when the database rules that out.
  func unkeyed() -> String? {
    nullableKeys.isEmpty ? nil : "\(select) WHERE \(nullableKeys.map { "\($0) IS NULL" }.joined(separator: " OR "))"
  }

  // MARK: Cursor

  /// What grew past `above`. No upper bound: a cursor ahead of the clock is read now and again later. A zero date tells
  /// no more than NULL of when the row changed.
  func changed(above: CursorValue) throws(ConnectorError) -> String {
    let cursor = try self.cursor
    let name = MariaDBQuote.name(cursor.description.name)
    var conditions = cursor.description.isNullable ? ["\(name) IS NULL"] : []
    switch above {
    case .timestamp(let time):
      guard cursor.description.type == .timestamp else { throw Self.otherCursor }
      let local = cursor.base == "timestamp" ? time : time + Int64(zone) * 1_000_000
      // Before what the type can hold everything is later.
      let first = cursor.base == "timestamp" ? -946_684_799_000_000 : WrittenTime.microseconds.lowerBound
      guard local > first else { return select }
      // After the last year nothing is later.
      if let text = WrittenTime.text(microseconds: local) { conditions.append("\(name) > '\(text)'") }
      conditions.append("\(name) = '0000-00-00 00:00:00'")
    case .integer(let number):
      guard cursor.isInteger else { throw Self.otherCursor }
      conditions.append("\(name) > \(number)")
    }
    return "\(select) WHERE \(conditions.joined(separator: " OR "))"
  }

  /// The lower of the source's clock, asked before the snapshot, and the highest cursor not ahead of it: where the
  /// source's writers live by a slower clock, the next run must not start ahead of them.
  func horizon(_ connection: MariaDBConnection, clock: String, database: String) throws(ConnectorError) -> CursorValue {
    let cursor = try self.cursor
    let name = MariaDBQuote.name(cursor.description.name)
    let quoted = "\(MariaDBQuote.name(plan.table.schema ?? database)).\(MariaDBQuote.name(plan.table.name))"
    guard cursor.description.type == .timestamp else {
      let highest = try connection.run("SELECT MAX(\(name)) FROM \(quoted)")[0][0]
      return .integer(highest.flatMap { Int64($0) ?? .max } ?? Int64.min / 2)
    }
    let isZoned = cursor.base == "timestamp"
    let utc = MariaDBField(.timestamp, zone: 0)
    guard let now = Self.time(clock, utc),
      let local = WrittenTime.text(microseconds: now + (isZoned ? 0 : Int64(zone) * 1_000_000))
    else { throw MariaDBConnection.broken }
    let highest = try connection.run("SELECT MAX(\(name)) FROM \(quoted) WHERE \(name) <= '\(local)'")[0][0]
    let field = isZoned ? utc : MariaDBField(.timestamp, zone: zone)
    return .timestamp(min(now, highest.flatMap { Self.time($0, field) } ?? now))
  }

  private static func time(_ text: String, _ field: MariaDBField) -> Int64? {
    Array(text.utf8).withUnsafeBytes { field.time($0) }
  }

  private var cursor: MariaDBTable.Column {
    get throws(ConnectorError) {
      guard let index = plan.cursor, let cursor = table.column(plan.columns[index].name) else {
        throw .contract("no-cursor", "增量读取需要游标列。", "An incremental read needs a cursor column.")
      }
      let isTime = cursor.base == "datetime" || cursor.base == "timestamp"
      guard isTime || cursor.isInteger, plan.columns[index].type == (isTime ? .timestamp : .integer) else {
        throw .contract("cursor-type", "游标列必须是时间或整数。", "A cursor column must be a timestamp or an integer.")
      }
      return cursor
    }
  }

  private static let otherCursor = ConnectorError.contract(
    "cursor-type", "游标列类型与记录的位点不符。", "The cursor column's type differs from the stored offset's.")

  private static let invalidPosition = ConnectorError.contract(
    "position", "存储的读取位点无效。", "The stored reading position is not valid.")

  /// Only digits stand unquoted; whatever else a stored position may hold is no number.
  private static func literal(_ value: [UInt8], _ spelling: KeyPart.Spelling) throws(ConnectorError) -> String {
    switch spelling {
    case .bytes(let introducer): return introducer + MariaDBQuote.hexadecimal(value)
    case .quoted: return MariaDBQuote.text(String(decoding: value, as: UTF8.self))
    case .number, .float:
      guard value.withUnsafeBytes({ Decimal38.isNumber($0) }) else { throw invalidPosition }
      let text = String(decoding: value, as: UTF8.self)
      if case .float = spelling, !text.contains("e"), !text.contains("E") { return text + "e0" }
      return text
    }
  }
}

extension MariaDBTable {
  /// The column that a plan wants; throws when it is gone or cannot give values of the agreed type.
  func column(_ wanted: ReadPlan.Column) throws(ConnectorError) -> Column {
    guard let found = column(wanted.name) else {
      throw .contract("column-missing", "源表缺少列“\(wanted.name)”。", "The source table lacks the column “\(wanted.name)”.")
    }
    let isFit =
      switch (wanted.type, found.description.type) {
      case (.text, .text), (.bytes, .bytes), (.integer, .integer), (.double, .double), (.boolean, .boolean),
        (.date, .date), (.timestamp, .timestamp), (.decimal, .decimal), (.decimal, .integer), (.boolean, .integer):
        true
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

extension MariaDBTable.Column {
  /// What is selected so that the text that comes says all of the value.
  func expression(_ wanted: ReadPlan.Column) -> String {
    let name = MariaDBQuote.name(description.name)
    switch base {
    // Bits come as raw bytes, floats as six digits, doubles of fixed digits rounded.
    case "bit": return "\(name) + 0"
    case "float": return "\(name) + 0e0"
    case "double", "real": return description.nativeType.contains("(") ? "\(name) + 0e0" : name
    default: return name
    }
  }

  /// 1 where converting to UTF-8 and back gives the same bytes: what has no place in Unicode would come as `?`.
  var proof: String {
    let name = MariaDBQuote.name(description.name)
    let there = "CONVERT(\(name) USING utf8mb4)"
    return "CAST(CONVERT(\(there) USING \(characterSet ?? "utf8mb4")) AS BINARY) <=> CAST(\(name) AS BINARY)"
  }
}
