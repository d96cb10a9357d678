import Connecting
import Kernel

// Changes as they come: rows by key, deletes, and what was written looked at before it is committed.

extension MariaDBWriter {
  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    guard !keys.isEmpty else { return 0 }
    try stageKeys(keys)
    return try remove(
      " JOIN \(target.keyStage) s ON \(sameKey)", where: "t.\(WritePlan.batchColumn) < \(batch)", at: now)
  }

  func deleteAll(at now: Instant?) throws(ConnectorError) -> Int {
    try begin()
    return try remove(where: "TRUE", at: now)
  }

  func written() throws(ConnectorError) -> any RowReader {
    try target.readBack(from: "\(target.stage) s STRAIGHT_JOIN \(target.table) t ON \(sameKey)")
  }

  func current(_ keys: RowBatch) throws(ConnectorError) -> any RowReader {
    try stageKeys(keys)
    return try target.readBack(
      from: "\(target.keyStage) s STRAIGHT_JOIN \(target.table) t ON \(sameKey) AND t.\(WritePlan.batchColumn) > 0")
  }
}
