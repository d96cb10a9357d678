import Connecting
import Kernel

/// Turns the rows of the log into rows of a plan, in the canonical bytes that reading them from the table would give.
///
/// Values take the reader's own way from the server's text: what the log has as bytes is first written as the server
/// writes it. That costs some time, and leaves no value two ways to be spelled.
final class MariaDBChangeDecoder {
  /// A table as the following rows have it.
  struct Shape {
    fileprivate var columns: [MariaDBTableMap.Column]
    fileprivate var fields: [Field]
  }

  fileprivate struct Field {
    /// Place among the table's columns.
    var place: Int
    var column: MariaDBTableMap.Column
    var field: MariaDBField
    var characterSet: String?
    /// An ENUM's or a SET's, as UTF-8.
    var words: [MariaDBTextConversion.Answer] = []
  }

  private enum Span {
    case absent, null
    case value(Range<Int>)
  }

  private let plan: ChangePlan
  private let zone: Int
  private let conversion: MariaDBTextConversion
  /// By place among the table's columns: of the row that was scanned last.
  private var spans: [Span] = []
  /// The last table that was described, and its shape: the log repeats it ahead of every statement's rows.
  private var last: (description: ArraySlice<UInt8>, shape: Shape)?

  init(_ plan: ChangePlan, _ conversion: MariaDBTextConversion, zone: Int) {
    (self.plan, self.conversion, self.zone) = (plan, conversion, zone)
  }

  // MARK: The table's shape

  /// Another shape than was agreed ends the stream here.
  func shape(of description: [UInt8]) throws(ConnectorError) -> Shape {
    // The number in front is the server's for the open table.
    if let last, last.description == description[8...] { return last.shape }
    guard let map = try MariaDBTableMap(description) else {
      throw .contract(
        "changes-metadata", "表“\(plan.table)”的变更日志不含列名：写入时 binlog_row_metadata 不是 FULL。",
        "The log does not name the columns of “\(plan.table)”: binlog_row_metadata was not FULL when it was written.")
    }
    for column in map.columns {
      guard case .unknown = column.form else { continue }
      throw Self.unsupported(column.name)
    }
    var fields: [Field] = []
    for wanted in plan.columns {
      guard let place = map.columns.firstIndex(where: { $0.name == wanted.name }) else {
        throw .contract(
          "column-missing", "源表缺少列“\(wanted.name)”。", "The source table lacks the column “\(wanted.name)”.")
      }
      fields.append(try field(wanted, place, map.columns[place]))
    }
    let shape = Shape(columns: map.columns, fields: fields)
    last = (description[8...], shape)
    return shape
  }

  private func field(
    _ wanted: ReadPlan.Column, _ place: Int, _ column: MariaDBTableMap.Column
  ) throws(ConnectorError) -> Field {
    guard Self.carries(column, wanted.type) else {
      throw .contract(
        "column-type", "列“\(wanted.name)”的类型已不是约定的 \(wanted.type)。",
        "The column “\(wanted.name)” is no longer of the agreed type \(wanted.type).")
    }
    var isInstant = false
    if case .timestamp = column.form { isInstant = true }
    var field = Field(
      place: place, column: column, field: MariaDBField(wanted.type, zone: isInstant ? 0 : zone), characterSet: nil)
    if let collation = column.collation, collation != Self.bytes {
      guard let name = conversion.characterSet(of: collation) else { throw Self.unsupported(wanted.name) }
      field.characterSet = name
      for word in column.words {
        field.words.append(
          try Self.withBytes(word) { (bytes) throws(ConnectorError) in try conversion.utf8(bytes, from: name) })
      }
    } else {
      field.words = column.words.map { .init(text: $0, isFaithful: true) }
    }
    return field
  }

  private static func withBytes<T>(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(ConnectorError) -> T
  ) throws(ConnectorError) -> T {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: bytes)
    return try body(UnsafeRawBufferPointer(copy))
  }

  /// The collation of what is no text.
  private static let bytes = 63

  /// As `MariaDBTable.column(_:)` and `MariaDBTable.type`.
  private static func carries(_ column: MariaDBTableMap.Column, _ type: ValueType) -> Bool {
    switch (column.form, type) {
    case (.integer, .integer), (.integer, .decimal), (.integer, .boolean), (.year, .integer), (.year, .decimal),
      (.year, .boolean), (.float, .double), (.decimal, .decimal), (.date, .date), (.datetime, .timestamp),
      (.timestamp, .timestamp), (.time, .text), (.enumeration, .text), (.set, .text):
      true
    case (.bit(let bits), .boolean): bits <= 64
    case (.bit(let bits), .integer), (.bit(let bits), .decimal): bits > 1
    case (.fixed, .text), (.varying, .text), (.blob, .text): column.collation != bytes
    case (.fixed, .bytes), (.varying, .bytes), (.blob, .bytes): column.collation == bytes
    default: false
    }
  }

  static func unsupported(_ column: String) -> ConnectorError {
    .contract(
      "changes-type", "列“\(column)”的存储格式不能从变更日志读取。",
      "The column “\(column)” is kept in a form that cannot be read from the log.")
  }

  // MARK: Rows

  /// Finds a row's values from `at` on; answers where it ends.
  func scan(
    _ data: UnsafeRawBufferPointer, _ at: Int, _ shape: Shape, present: [UInt8]
  ) throws(ConnectorError) -> Int {
    spans.removeAll(keepingCapacity: true)
    let count = present.reduce(0) { $0 + $1.nonzeroBitCount }
    var end = at + (count + 7) / 8
    guard end <= data.count else { throw MariaDBLogEvent.unreadable }
    var bit = 0
    for (index, column) in shape.columns.enumerated() {
      guard present[index / 8] & (1 << UInt8(index % 8)) != 0 else {
        spans.append(.absent)
        continue
      }
      defer { bit += 1 }
      guard data[at + bit / 8] & (1 << UInt8(bit % 8)) == 0 else {
        spans.append(.null)
        continue
      }
      let range = try column.form.range(in: data, at: end)
      spans.append(.value(range))
      end = range.upperBound
    }
    return end
  }

  /// Appends the row that was scanned last, without ending it. `keyOnly`: only the key's fields say something.
  func append(
    _ data: UnsafeRawBufferPointer, _ shape: Shape, keyOnly: Bool, to rows: RowBatch
  ) throws(ConnectorError) {
    rows.beginRow(fields: shape.fields.count)
    for (index, field) in shape.fields.enumerated() {
      guard !keyOnly || plan.key.contains(index) else {
        rows.appendNull()
        continue
      }
      switch spans[field.place] {
      case .null: rows.appendNull()
      case .value(let range): try append(UnsafeRawBufferPointer(rebasing: data[range]), field, to: rows)
      case .absent:
        throw .contract(
          "changes-image", "表“\(plan.table)”的变更日志不含全部字段：写入时 binlog_row_image 不是 FULL。",
          "The log does not bear every field of “\(plan.table)”: binlog_row_image was not FULL when it was written.")
      }
    }
  }

  private func append(_ value: UnsafeRawBufferPointer, _ field: Field, to rows: RowBatch) throws(ConnectorError) {
    switch field.column.form {
    case .integer:
      append(MariaDBLoggedText.integer(value, isUnsigned: field.column.isUnsigned), field, to: rows)
    case .float: rows.append(MariaDBLoggedText.double(value))
    case .decimal(let precision, let scale):
      append(MariaDBLoggedText.decimal(value, precision: precision, scale: scale), field, to: rows)
    case .bit: append(MariaDBLoggedText.bits(value), field, to: rows)
    case .year: append(MariaDBLoggedText.year(value), field, to: rows)
    case .date: append(MariaDBLoggedText.date(value), field, to: rows)
    case .time(let decimals): append(MariaDBLoggedText.time(value, decimals: decimals), field, to: rows)
    case .datetime(let decimals): append(MariaDBLoggedText.datetime(value, decimals: decimals), field, to: rows)
    case .timestamp(let decimals): append(MariaDBLoggedText.timestamp(value, decimals: decimals), field, to: rows)
    case .enumeration:
      // 0 is what the server puts in a word's place when it was given none of them.
      let number = value.reversed().reduce(0) { $0 << 8 | Int($1) }
      guard number <= field.words.count else { throw MariaDBLogEvent.unreadable }
      append(number == 0 ? [] : [field.words[number - 1]], field, to: rows)
    case .set:
      let bits = value.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      append(field.words.indices.filter { bits & (1 << UInt64($0)) != 0 }.map { field.words[$0] }, field, to: rows)
    case .fixed(let length) where field.field.type == .bytes:
      // The log leaves out the zeros that fill a BINARY up.
      var whole = [UInt8](value)
      whole += [UInt8](repeating: 0, count: max(0, length - whole.count))
      whole.withUnsafeBytes { rows.append($0) }
    case .fixed, .varying, .blob:
      guard let characterSet = field.characterSet else { return rows.append(value) }
      append([try conversion.utf8(value, from: characterSet)], field, to: rows)
    case .geometry, .compressed, .unknown: throw Self.unsupported(field.column.name)
    }
  }

  private func append(_ text: String, _ field: Field, to rows: RowBatch) {
    var text = text
    text.withUTF8 { field.field.append(UnsafeRawBufferPointer($0), to: rows) }
  }

  /// Words parted by commas, as the server writes a SET.
  private func append(_ words: [MariaDBTextConversion.Answer], _ field: Field, to rows: RowBatch) {
    Array(words.map(\.text).joined(separator: [UInt8(ascii: ",")])).withUnsafeBytes { text in
      if words.allSatisfy(\.isFaithful) { rows.append(text) } else { rows.appendMalformed(.invalidText, text) }
    }
  }
}
