import Connecting
import Kernel

// Rows flagged, removed and looked at again, by their keys; and batches read back.

extension ODBCWriter {
  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    guard !keys.isEmpty else { return 0 }
    try stageKeys(keys)
    let since = own(WritePlan.staleSinceColumn)
    var written = ODBCWrittenValue(zone: connection.dialect.keepsInstants ? nil : connection.address.zone)
    let moment = (now.milliseconds - 946_684_800_000) * 1000
    var text: [UInt8] = []
    if connection.dialect == .sqlite {
      // As its own connector writes it.
      text = Array("\(now)".utf8)
    } else {
      let bytes = withUnsafeBytes(of: moment.bigEndian) { [UInt8]($0) }
      let room = RowBatch(capacity: 1)
      room.beginRow(fields: 1)
      bytes.withUnsafeBytes { room.append($0) }
      room.endRow()
      text = [UInt8](try written.text(UnsafeRawBufferPointer(rebasing: room.row(0)[6...]), as: .timestamp))
    }
    return try connection.change(
      """
      UPDATE \(target.table) SET \(own(WritePlan.staleBatchColumn)) = \(batch),
        \(since) = COALESCE(\(since), \(connection.dialect.marker(.timestamp)))
      WHERE EXISTS (SELECT 1 FROM \(target.keyStage) s WHERE \(sameKeyOfTarget))
      """, [.text(text)])
  }

  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64) throws(ConnectorError) -> Int {
    try begin()
    guard !keys.isEmpty else { return 0 }
    try stageKeys(keys)
    return try connection.change(
      """
      DELETE FROM \(target.table) WHERE \(own(WritePlan.batchColumn)) < \(batch)
        AND EXISTS (SELECT 1 FROM \(target.keyStage) s WHERE \(sameKeyOfTarget))
      """)
  }

  func deleteOlder(than batch: Int64) throws(ConnectorError) -> Int {
    try begin()
    return try connection.change(
      """
      DELETE FROM \(target.table) WHERE \(own(WritePlan.batchColumn)) < \(batch)
        AND COALESCE(\(own(WritePlan.staleBatchColumn)), 0) < \(batch)
      """)
  }

  func deleteAll() throws(ConnectorError) -> Int {
    try begin()
    return try connection.change("DELETE FROM \(target.table)")
  }

  func written() throws(ConnectorError) -> any RowReader {
    try target.readBack(from: "\(target.stage) s JOIN \(target.table) t ON \(sameKey)")
  }

  func current(_ keys: RowBatch) throws(ConnectorError) -> any RowReader {
    try stageKeys(keys)
    return try target.readBack(from: "\(target.keyStage) s JOIN \(target.table) t ON \(sameKey)")
  }

  // MARK: Reading back

  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord] {
    let names = ["batch", "run", "delivered", "quarantined", "bytes", "digest"].map(own)
    return try connection.run(
      """
      SELECT \(names.joined(separator: ", ")) FROM \(target.batches) WHERE \(own("stream")) = ?
        AND \(own("batch")) BETWEEN \(range.lowerBound) AND \(range.upperBound) ORDER BY \(own("batch"))
      """, [.text(plan.stream)]
    ).map { row in
      BatchRecord(
        batch: row[0].flatMap { Int64($0) } ?? 0, run: row[1] ?? "", delivered: row[2].flatMap { Int($0) } ?? 0,
        quarantined: row[3].flatMap { Int($0) } ?? 0, bytes: row[4].flatMap { Int($0) } ?? 0, digest: row[5] ?? "")
    }
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
