import CSQLite
import Connecting

/// Between SQLite's storage classes and canonical bytes.
enum SQLiteField {
  /// Appends what the statement's column holds. Text goes as it is: the plan looks at its bytes.
  static func append(_ statement: SQLiteStatement, _ column: Int, as type: ValueType, zone: Int, to batch: RowBatch) {
    let stored = statement.type(column)
    switch (type, stored) {
    case (_, SQLITE_NULL): batch.appendNull()
    case (.text, SQLITE_TEXT), (.bytes, SQLITE_BLOB): batch.append(statement.bytes(column))
    case (.integer, SQLITE_INTEGER): batch.append(statement.int64(column))
    case (.double, SQLITE_FLOAT): batch.append(statement.double(column))
    case (.boolean, SQLITE_INTEGER) where statement.int64(column) == 0 || statement.int64(column) == 1:
      batch.append(statement.int64(column) == 1)
    case (.text, _), (.bytes, _), (_, SQLITE_BLOB), (.timestamp, SQLITE_INTEGER), (.timestamp, SQLITE_FLOAT),
      (.date, SQLITE_FLOAT):
      malformed(.wrongType, statement, column, stored, batch)
    case (_, SQLITE_TEXT): CanonicalText(zone: zone).append(statement.bytes(column), as: type, to: batch)
    case (.integer, SQLITE_FLOAT), (.decimal, SQLITE_FLOAT), (.boolean, SQLITE_FLOAT):
      // The shortest digits that name this number: what a person who wrote it would expect to see.
      written("\(statement.double(column))", as: type, to: batch)
    default: written("\(statement.int64(column))", as: type, to: batch)
    }
  }

  private static func written(_ text: String, as type: ValueType, to batch: RowBatch) {
    var text = text
    text.withUTF8 { CanonicalText(zone: 0).append(UnsafeRawBufferPointer($0), as: type, to: batch) }
  }

  private static func malformed(
    _ fault: RowFault, _ statement: SQLiteStatement, _ column: Int, _ stored: Int32, _ batch: RowBatch
  ) {
    switch stored {
    case SQLITE_INTEGER: Array("\(statement.int64(column))".utf8).withUnsafeBytes { batch.appendMalformed(fault, $0) }
    case SQLITE_FLOAT: Array("\(statement.double(column))".utf8).withUnsafeBytes { batch.appendMalformed(fault, $0) }
    default: batch.appendMalformed(fault, statement.bytes(column))
    }
  }

  /// Binds canonical bytes as the target keeps them; `scratch` must live until the statement is reset.
  static func bind(
    _ value: UnsafeRawBufferPointer, as type: ValueType, to statement: SQLiteStatement, at index: Int,
    _ scratch: inout WrittenBytes
  ) throws(ConnectorError) {
    switch type {
    case .text: statement.bindText(value, at: index)
    case .bytes: statement.bindBlob(value, at: index)
    case .integer: statement.bind(Int64(bigEndian: value.loadUnaligned(as: Int64.self)), at: index)
    case .boolean: statement.bind(Int64(value[0]), at: index)
    case .double:
      let number = Double(bitPattern: UInt64(bigEndian: value.loadUnaligned(as: UInt64.self)))
      // SQLite would keep NULL for what is no number.
      guard number.isFinite else { throw .outsideOfContract(type) }
      statement.bind(number, at: index)
    case .decimal, .date, .timestamp: statement.bindText(try scratch.append(value, as: type), at: index)
    }
  }
}
