import Connecting

// Changes as they come: rows by key, deletes, and what was written looked at before it is committed.

extension MariaDBWriter {
  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64) throws(ConnectorError) -> Int {
    guard !keys.isEmpty else { return 0 }
    try stageKeys(keys)
    return try connection.change(
      "DELETE t FROM \(target.table) t JOIN \(target.keyStage) s ON \(sameKey) WHERE t.\(WritePlan.batchColumn) < \(batch)"
    )
  }

  func deleteAll() throws(ConnectorError) -> Int {
    try begin()
    // TRUNCATE would be faster, and would commit.
    return try connection.change("DELETE FROM \(target.table)")
  }

  func written() throws(ConnectorError) -> any RowReader {
    try target.readBack(from: "\(target.stage) s STRAIGHT_JOIN \(target.table) t ON \(sameKey)")
  }

  func current(_ keys: RowBatch) throws(ConnectorError) -> any RowReader {
    try stageKeys(keys)
    return try target.readBack(from: "\(target.keyStage) s STRAIGHT_JOIN \(target.table) t ON \(sameKey)")
  }
}
