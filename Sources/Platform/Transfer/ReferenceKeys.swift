package import Connecting
package import Reshaping

/// The keys of another resource's table, read in advance for the rules that refer to it.
package struct ReferenceKeys: Hashable, Sendable {
  package var table: TableName
  /// The table's key, which is one column.
  package var column: String
  /// As the item that refers to it: values are compared by their canonical bytes.
  package var type: ValueType

  package init(table: TableName, column: String, type: ValueType) {
    self.table = table
    self.column = column
    self.type = type
  }

  /// Reads the column whole, at most `KeySet.most` values. Keys that are NULL or no values of the type are nobody's.
  package func read(from connector: any Connector, _ pulse: DeliveryPulse) async throws -> KeySet {
    let plan = ReadPlan(table: table, columns: [ReadPlan.Column(column, type)], key: [0])
    return try await BlockingThread.run {
      let reader = try WatchedReader(pulse) { () throws(ConnectorError) in try connector.openReader(plan) }
      defer { reader.close() }
      var keys = KeySet.Builder()
      let batch = RowBatch(capacity: 256 << 10)
      while try reader.read(into: batch) != .end {
        for row in 0..<batch.rowCount {
          guard case .value(let bytes) = batch.fields(row)[0] else { continue }
          try bytes.withUnsafeBytes { value in try keys.add(value) }
        }
      }
      return keys.finish()
    }
  }
}
