import Connecting
import Kernel

/// Turns pgoutput's tuples into rows of a plan, in canonical bytes.
///
/// What the server sends as binary is the canonical form already, or a step from it; what it sends as text (servers
/// before version 14) is read like any written value.
struct PostgreSQLChangeDecoder {
  private struct Field {
    /// Place in the relation's tuples.
    var place: Int
    var base: String
    var type: ValueType
  }

  private let plan: ChangePlan
  private let zone: Int
  private let text: CanonicalText
  /// In the order of the plan's columns; nil until the relation was described.
  private var fields: [Field]?
  private var spans: [(kind: UInt8, range: Range<Int>)] = []

  init(_ plan: ChangePlan, zone: Int) {
    self.plan = plan
    self.zone = zone
    text = CanonicalText(zone: zone, trustsText: true)
  }

  /// The relation's columns with their types: at the start, and again whenever its shape has changed.
  mutating func describe(_ columns: [(name: String, type: PostgreSQLTypes.Known)]) throws(ConnectorError) {
    var found: [Field] = []
    for column in plan.columns {
      guard let place = columns.firstIndex(where: { $0.name == column.name }) else {
        throw .contract(
          "column-missing", "源表缺少列“\(column.name)”。", "The source table lacks the column “\(column.name)”.")
      }
      let type = columns[place].type
      guard Self.carries(type.base, column.type) else {
        throw .contract(
          "column-type", "列“\(column.name)”现为 \(type.written)，约定为 \(column.type)。",
          "The column “\(column.name)” is now \(type.written); agreed was \(column.type).")
      }
      found.append(Field(place: place, base: type.base, type: column.type))
    }
    fields = found
  }

  /// As `PostgreSQLTable.expression`, so that a change is what a later reading of its row would give.
  private static func carries(_ base: String, _ type: ValueType) -> Bool {
    switch (type, base) {
    case (.integer, "int2"), (.integer, "int4"), (.integer, "int8"), (.double, "float4"), (.double, "float8"),
      (.boolean, "bool"), (.date, "date"), (.timestamp, "timestamp"), (.timestamp, "timestamptz"), (.bytes, "bytea"),
      (.decimal, "numeric"), (.decimal, "int2"), (.decimal, "int4"), (.decimal, "int8"):
      true
    case (.text, _): ["text", "varchar", "bpchar", "uuid", "json", "jsonb", "name"].contains(base)
    default: false
    }
  }

  /// Appends a tuple that starts at `at`; answers where it ends. `keyOnly`: only the key's fields say something.
  ///
  /// `old`: where the row as it was before stands in the message, for the fields that are not said again.
  mutating func append(
    _ message: UnsafeRawBufferPointer, _ at: Int, keyOnly: Bool, old: Int? = nil, to rows: RowBatch
  ) throws(ConnectorError) -> Int {
    guard let fields else { throw Self.unreadable }
    var before: [(kind: UInt8, range: Range<Int>)] = []
    if let old {
      _ = try scan(message, old)
      before = spans
    }
    let end = try scan(message, at)
    rows.beginRow(fields: fields.count)
    for (index, field) in fields.enumerated() {
      guard field.place < spans.count, !keyOnly || plan.key.contains(index) else {
        rows.appendNull()
        continue
      }
      var span = spans[field.place]
      if span.kind == UInt8(ascii: "u"), field.place < before.count { span = before[field.place] }
      switch span.kind {
      case UInt8(ascii: "n"): rows.appendNull()
      case UInt8(ascii: "u"): rows.appendUnchanged()
      case UInt8(ascii: "b"): append(UnsafeRawBufferPointer(rebasing: message[span.range]), field, to: rows)
      default: appendText(UnsafeRawBufferPointer(rebasing: message[span.range]), field, to: rows)
      }
    }
    return end
  }

  /// The key of a tuple, to see whether an update changed it.
  mutating func key(_ message: UnsafeRawBufferPointer, _ at: Int) throws(ConnectorError) -> [[UInt8]] {
    guard let fields else { throw Self.unreadable }
    _ = try scan(message, at)
    return plan.key.map { index in
      let place = fields[index].place
      return place < spans.count ? Array(message[spans[place].range]) : []
    }
  }

  private mutating func scan(_ message: UnsafeRawBufferPointer, _ start: Int) throws(ConnectorError) -> Int {
    var at = start
    guard at + 2 <= message.count else { throw Self.unreadable }
    let count = Int(Int16(bigEndian: message.loadUnaligned(fromByteOffset: at, as: Int16.self)))
    at += 2
    spans.removeAll(keepingCapacity: true)
    for _ in 0..<count {
      guard at < message.count else { throw Self.unreadable }
      let kind = message[at]
      at += 1
      if kind == UInt8(ascii: "n") || kind == UInt8(ascii: "u") {
        spans.append((kind, at..<at))
        continue
      }
      guard at + 4 <= message.count else { throw Self.unreadable }
      let length = Int(Int32(bigEndian: message.loadUnaligned(fromByteOffset: at, as: Int32.self)))
      guard length >= 0, at + 4 + length <= message.count else { throw Self.unreadable }
      spans.append((kind, at + 4..<at + 4 + length))
      at += 4 + length
    }
    return at
  }

  private func append(_ value: UnsafeRawBufferPointer, _ field: Field, to rows: RowBatch) {
    func number<T: FixedWidthInteger>(_: T.Type) -> T { T(bigEndian: value.loadUnaligned(as: T.self)) }
    func whole() -> Int64 {
      field.base == "int2"
        ? Int64(number(Int16.self)) : field.base == "int4" ? Int64(number(Int32.self)) : number(Int64.self)
    }
    switch (field.type, field.base) {
    case (.integer, _): rows.append(whole())
    case (.decimal(let precision, let scale), let base) where base != "numeric":
      let digits = Array(String(whole()).utf8)
      digits.withUnsafeBytes { text.append($0, as: .decimal(precision: precision, scale: scale), to: rows) }
    case (.double, "float4"): rows.append(Double(Float(bitPattern: number(UInt32.self))))
    case (.timestamp, "timestamp"):
      let time = number(Int64.self)
      rows.append(time == .max || time == .min ? time : time &- Int64(zone) * 1_000_000)
    case (.text, "uuid"):
      let digits = value.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
      var written = ""
      for (index, digit) in digits.enumerated() {
        if [8, 12, 16, 20].contains(index) { written.append("-") }
        written.append(digit)
      }
      Array(written.utf8).withUnsafeBytes { rows.append($0) }
    case (.text, "bpchar"): rows.append(Self.unpadded(value))
    case (.text, "jsonb"): rows.append(UnsafeRawBufferPointer(rebasing: value.dropFirst()))
    default: rows.append(value)
    }
  }

  private func appendText(_ value: UnsafeRawBufferPointer, _ field: Field, to rows: RowBatch) {
    guard field.type == .bytes else {
      return text.append(field.base == "bpchar" ? Self.unpadded(value) : value, as: field.type, to: rows)
    }
    // `\x00ff`.
    let digits = value.dropFirst(2).map { $0 > 0x60 ? $0 - 87 : $0 - 48 }
    let bytes = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    bytes.withUnsafeBytes { rows.append($0) }
  }

  /// As a reading gives it (`::text`): the blanks that fill a `char(n)` up are none of its value.
  private static func unpadded(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var end = value.count
    while end > 0, value[end - 1] == 0x20 { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: value[..<end])
  }

  static var unreadable: ConnectorError {
    ConnectorError(
      .permanent, "postgresql.change-log", Text("源数据库的变更日志格式无法识别。", "The source's change log cannot be read."))
  }
}
