import Connecting
import Kernel

@testable import Reshaping

/// A value as a test writes it.
enum Value: Hashable, Sendable {
  case null
  case text(String)
  case integer(Int64)
  /// As digits, put at the column's scale.
  case decimal(String)
  case double(Double)
  case boolean(Bool)
  case date(String)
  case timestamp(String)
}

/// One row of a test's own columns.
final class TestRow {
  let columns: [ExpressionColumn]
  let fields: RowFields
  private let batch = RowBatch(capacity: RowBatch.smallest)

  init(_ columns: [ExpressionColumn]) {
    self.columns = columns
    fields = RowFields(count: columns.count)
  }

  func load(_ values: [Value]) -> Bool {
    batch.removeAll()
    batch.beginRow(fields: values.count)
    for (column, value) in zip(columns, values) { Self.append(value, column.type, to: batch) }
    batch.endRow()
    return fields.load(batch.row(0).baseAddress!)
  }

  func loadMalformed(_ fault: RowFault) -> Bool {
    batch.removeAll()
    batch.beginRow(fields: columns.count)
    for _ in columns { Array("raw".utf8).withUnsafeBytes { batch.appendMalformed(fault, $0) } }
    batch.endRow()
    return fields.load(batch.row(0).baseAddress!)
  }

  static func append(_ value: Value, _ type: ValueType, to batch: RowBatch) {
    switch value {
    case .null: batch.appendNull()
    case .text(let text): Array(text.utf8).withUnsafeBytes { batch.append($0) }
    case .integer(let number): batch.append(number)
    case .decimal(let text):
      guard case .decimal(let precision, let scale) = type else { return batch.appendNull() }
      _ = Array(text.utf8).withUnsafeBytes { Decimal38($0)?.append(precision: precision, scale: scale, to: batch) }
    case .double(let number): batch.append(number)
    case .boolean(let truth): batch.append(truth)
    case .date(let text): batch.append(Int32(CalendarDate(text)!.daysSince1970 - WrittenTime.epoch))
    case .timestamp(let text):
      batch.append(Array(text.utf8).withUnsafeBytes { WrittenTime.microseconds($0, zone: 28_800) }!)
    }
  }
}

/// What one expression gives for one row: its written form, `NULL`, or the fault's code.
func result(
  _ text: String, _ columns: [(String, ValueType, Value)] = [], dictionaries: [String: DictionaryTable] = [:],
  as type: ValueType? = nil
) throws -> String {
  let row = TestRow(columns.map { ExpressionColumn($0.0, $0.1) })
  guard row.load(columns.map(\.2)) else { return "field-count" }
  let program = try ExpressionProgram(
    Expression(parsing: text), columns: row.columns, dictionaries: dictionaries, as: type)
  return written(ExpressionMachine(program), row)
}

func written(_ machine: ExpressionMachine, _ row: TestRow) -> String {
  if let fault = machine.run(row.fields) { return fault.code }
  let batch = RowBatch(capacity: RowBatch.smallest)
  batch.beginRow(fields: 1)
  if let fault = machine.append(to: batch) { return fault.code }
  batch.endRow()
  guard case .value(let bytes) = batch.fields(0)[0], let type = machine.program.type else { return "NULL" }
  return bytes.withUnsafeBytes { CanonicalText.text(of: $0, as: type) } ?? "unreadable"
}

/// What is wrong with an expression, in English, behind its place.
func fault(_ text: String, _ columns: [(String, ValueType)] = []) -> String {
  do {
    _ = try ExpressionProgram(
      Expression(parsing: text), columns: columns.map { ExpressionColumn($0.0, $0.1) },
      dictionaries: ["性别": DictionaryTable([("1", "男")])])
    return "none"
  } catch let fault as ExpressionFault {
    return "\(fault.place) \(fault.reason.english)"
  } catch {
    return "\(error)"
  }
}

/// The same numbers from the same seed on every machine.
struct Dice: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
