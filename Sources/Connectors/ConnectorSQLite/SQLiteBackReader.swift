import Connecting

/// What the target holds, by batch.
final class SQLiteBackReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = false
  let position: [UInt8] = []
  private let statement: SQLiteStatement
  private let types: [ValueType]
  private var isOver = false

  init(_ statement: SQLiteStatement, _ types: [ValueType]) {
    self.statement = statement
    self.types = types
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    // Stepping on after the end would start the query anew.
    while !isOver, !batch.isFull {
      guard try statement.step() else {
        isOver = true
        break
      }
      batch.beginRow(fields: types.count)
      for index in types.indices { SQLiteField.append(statement, index, as: types[index], zone: 0, to: batch) }
      batch.endRow()
    }
    return batch.isEmpty ? .end : .rows
  }

  func close() { statement.finalize() }
}
