import Connecting
import Kernel

// Rows flagged, removed and looked at again, by their keys; and batches read back.

extension ODBCWriter {
  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    guard !keys.isEmpty else { return 0 }
    try stageKeys(keys)
    let since = own(WritePlan.staleSinceColumn)
    return try connection.change(
      """
      UPDATE \(target.table) SET \(own(WritePlan.staleBatchColumn)) = \(batch),
        \(since) = COALESCE(\(since), \(connection.dialect.marker(.timestamp)))
      WHERE \(own(WritePlan.batchColumn)) > 0 AND EXISTS (SELECT 1 FROM \(target.keyStage) s WHERE \(sameKeyOfTarget))
      """, [.text(try written(now))])
  }

  /// A moment as a column of the platform's own keeps it.
  private func written(_ now: Instant) throws(ConnectorError) -> [UInt8] {
    // As its own connector writes it.
    if connection.dialect == .sqlite { return Array("\(now)".utf8) }
    var written = ODBCWrittenValue(zone: connection.dialect.keepsInstants ? nil : connection.address.zone)
    let moment = (now.milliseconds - 946_684_800_000) * 1000
    let bytes = withUnsafeBytes(of: moment.bigEndian) { [UInt8]($0) }
    let room = RowBatch(capacity: 1)
    room.beginRow(fields: 1)
    bytes.withUnsafeBytes { room.append($0) }
    room.endRow()
    return [UInt8](try written.text(UnsafeRawBufferPointer(rebasing: room.row(0)[6...]), as: .timestamp))
  }

  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    guard !keys.isEmpty else { return 0 }
    try stageKeys(keys)
    return try remove(
      where: """
        \(own(WritePlan.batchColumn)) < \(batch)
          AND EXISTS (SELECT 1 FROM \(target.keyStage) s WHERE \(sameKeyOfTarget))
        """, at: now)
  }

  func deleteOlder(than batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    return try remove(
      where: """
        \(own(WritePlan.batchColumn)) < \(batch) AND COALESCE(\(own(WritePlan.staleBatchColumn)), 0) < \(batch)
        """, at: now)
  }

  func deleteAll(at now: Instant?) throws(ConnectorError) -> Int {
    try begin()
    return try remove(where: "1 = 1", at: now)
  }

  /// Removes rows, or marks those that are not yet.
  private func remove(where condition: String, at now: Instant?) throws(ConnectorError) -> Int {
    guard plan.marksDeletes, let now else {
      return try connection.change("DELETE FROM \(target.table) WHERE \(condition)")
    }
    let (batch, stale) = (own(WritePlan.batchColumn), own(WritePlan.staleBatchColumn))
    return try connection.change(
      """
      UPDATE \(target.table) SET \(batch) = 0, \(stale) = NULL, \(own(WritePlan.staleSinceColumn)) = NULL,
        \(own(WritePlan.deletedSinceColumn)) = \(connection.dialect.marker(.timestamp))
      WHERE \(batch) > 0 AND (\(condition))
      """, [.text(try written(now))])
  }

  func written() throws(ConnectorError) -> any RowReader {
    try target.readBack(from: "\(target.stage) s JOIN \(target.table) t ON \(sameKey)")
  }

  func current(_ keys: RowBatch) throws(ConnectorError) -> any RowReader {
    try stageKeys(keys)
    return try target.readBack(
      from: "\(target.keyStage) s JOIN \(target.table) t ON \(sameKey) AND t.\(own(WritePlan.batchColumn)) > 0")
  }

  // MARK: Reading back

  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord] {
    let names = ["batch", "run", "delivered", "quarantined", "bytes", "digest"].map(own)
    return try connection.run(
      """
      SELECT \(names.joined(separator: ", ")) FROM \(target.batches) WHERE \(own("stream")) = ?
        AND \(own("batch")) BETWEEN \(range.lowerBound) AND \(range.upperBound) ORDER BY \(own("batch"))
      """, [.text(plan.stream)]
    ).map { BatchRecord(line: $0) }
  }

  func countStale(_ range: ClosedRange<Int64>) throws(ConnectorError) -> Int {
    let row = try connection.run(
      """
      SELECT COUNT(*) FROM \(target.table)
      WHERE \(own(WritePlan.staleBatchColumn)) BETWEEN \(range.lowerBound) AND \(range.upperBound)
      """)
    return row.first?.first?.flatMap { Int($0) } ?? 0
  }

  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> any RowReader {
    // The index on the batch follows the order of writing: walking it spares the server a sort of the whole table.
    if connection.dialect == .postgresql { try connection.run("SET enable_sort = off") }
    let batch = "t.\(own(WritePlan.batchColumn))"
    return try target.readBack(
      from: "\(target.table) t WHERE \(batch) BETWEEN \(range.lowerBound) AND \(range.upperBound) ORDER BY \(batch)")
  }

  func end() throws(ConnectorError) -> Int64? { nil }

  func indexBatches() throws(ConnectorError) { try target.indexBatches() }
}
