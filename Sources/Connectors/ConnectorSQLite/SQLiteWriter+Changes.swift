import Connecting
import Kernel

// Changes as they come: rows by key, deletes, and what was written looked at before it is committed.

extension SQLiteWriter {
  func deleteAll(at now: Instant?) throws(ConnectorError) -> Int {
    try begin()
    try connection.run(removal(where: "true", at: now))
    return connection.changes
  }

  func written() throws(ConnectorError) -> any RowReader { try current(upserted) }

  func current(_ keys: RowBatch) throws(ConnectorError) -> any RowReader {
    try begin()
    let values = (0..<keys.rowCount).compactMap {
      KeyBytes.decode(Array(keys.row($0).dropFirst(2)), count: plan.key.count)
    }
    let statement = try connection.prepare(
      "SELECT \(names.joined(separator: ", ")), sj_batch FROM \(table) WHERE \(keyCondition(from: 1)) AND sj_batch > 0")
    return SQLiteKeyReader(statement, plan.columns.map(\.type) + [.integer], values) {
      [self] (key) throws(ConnectorError) in try bindKey(key, to: statement)
    }
  }

  /// A batch that holds the rows' keys alone.
  func keys(of rows: RowBatch) -> RowBatch {
    let keys = RowBatch(capacity: RowBatch.smallest)
    for index in 0..<rows.rowCount { keys.appendKey(of: rows.row(index), key: plan.key) }
    return keys
  }
}

/// Rows found one by one under their keys.
private final class SQLiteKeyReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = false
  let position: [UInt8] = []
  private let statement: SQLiteStatement
  private let types: [ValueType]
  private let bind: ([[UInt8]]) throws(ConnectorError) -> Void
  private var keys: ArraySlice<[[UInt8]]>

  init(
    _ statement: SQLiteStatement, _ types: [ValueType], _ keys: [[[UInt8]]],
    bind: @escaping ([[UInt8]]) throws(ConnectorError) -> Void
  ) {
    self.statement = statement
    self.types = types
    self.keys = keys[...]
    self.bind = bind
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while !batch.isFull, let key = keys.popFirst() {
      try bind(key)
      if try statement.step() {
        batch.beginRow(fields: types.count)
        for index in types.indices { SQLiteField.append(statement, index, as: types[index], zone: 0, to: batch) }
        batch.endRow()
      }
      statement.reset()
    }
    return batch.isEmpty ? .end : .rows
  }

  func close() { statement.finalize() }
}
