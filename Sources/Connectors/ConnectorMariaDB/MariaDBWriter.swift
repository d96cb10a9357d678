import CMariaDB
import Connecting
import Kernel

/// Rows by arrays of parameters or by INSERTs of many rows (straight in, or through a temporary table and a merge by
/// key), committed with their offset.
final class MariaDBWriter: RowWriter {
  let plan: WritePlan
  let connection: MariaDBConnection
  let target: MariaDBTarget
  private var isInTransaction = false
  private var hasStages = false
  private var appending: (any MariaDBRowSender)?
  private var staging: (any MariaDBRowSender)?
  private var stagingKeys: (any MariaDBRowSender)?
  private var refusesPadding = false

  init(_ plan: WritePlan, _ address: MariaDBAddress) throws(ConnectorError) {
    self.plan = plan
    connection = try MariaDBConnection(address, .writing)
    target = MariaDBTarget(plan: plan, connection: connection)
  }

  func open() throws(ConnectorError) -> StoredOffset? {
    try open(takes: { (writer) throws(ConnectorError) in try writer.take() })
  }

  /// In a transaction of its own, which `take` ends.
  func open(
    takes take: (MariaDBWriter) throws(ConnectorError) -> StoredOffset?
  ) throws(ConnectorError) -> StoredOffset? {
    try target.prepare()
    refusesPadding = try target.collation() == MariaDBTarget.paddedCollation
    do {
      try begin()
      return try take(self)
    } catch {
      rollback()
      throw error
    }
  }

  private func take() throws(ConnectorError) -> StoredOffset? {
    let (stream, name) = (MariaDBQuote.text(plan.stream), MariaDBQuote.text(plan.table.description))
    let others = try connection.run("SELECT 1 FROM \(target.offsets) WHERE target = \(name) AND stream <> \(stream)")
    guard others.isEmpty else { throw plan.taken }
    return try takeLine()
  }

  /// This stream's own line, under this fence.
  func takeLine() throws(ConnectorError) -> StoredOffset? {
    let claim = plan.claim(plan.table.description)
    let (stream, name) = (MariaDBQuote.text(plan.stream), MariaDBQuote.text(claim))
    try connection.run(
      """
      INSERT INTO \(target.offsets) (stream, target, fence, run, batch, state, updated)
      VALUES (\(stream), \(name), \(plan.fence), \(MariaDBQuote.text(plan.run)), 0, '', UTC_TIMESTAMP(6))
      ON DUPLICATE KEY UPDATE stream = stream
      """)
    let rows = try connection.run(
      "SELECT fence, run, batch, state, target FROM \(target.offsets) WHERE stream = \(stream) FOR UPDATE")
    guard let row = rows.first else { throw plan.taken }
    guard row[4] == claim else {
      throw plan.moved(from: row[4])
    }
    let stored = StoredOffset(line: row)
    guard stored.fence <= plan.fence else { throw .takenOver }
    try connection.run("UPDATE \(target.offsets) SET fence = \(plan.fence) WHERE stream = \(stream)")
    try connection.run("COMMIT")
    isInTransaction = false
    return stored.state.isEmpty ? nil : stored
  }

  func isEmpty() throws(ConnectorError) -> Bool {
    try connection.run("SELECT EXISTS (SELECT 1 FROM \(target.table))")[0][0] == "0"
  }

  func write(_ rows: RowBatch, batch: Int64, mode: WriteMode) throws(ConnectorError) -> WriteOutcome {
    if mode != .append { try createStages() }
    try begin()
    var outcome = WriteOutcome()
    guard !rows.isEmpty else { return outcome }
    if refusesPadding { try refusePadding(rows) }
    switch mode {
    case .append:
      try sender(&appending, plan.columns, target.table, WritePlan.batchColumn).send(rows, tail: batch)
      outcome.inserted = rows.rowCount
    case .merge(let rewriteFrom, let ownFrom, _):
      try stage(rows)
      let left = try takeOutOfStage(rewriteFrom: rewriteFrom, ownFrom: ownFrom)
      outcome.duplicates = left.filter(\.isDuplicate).map(\.row)
      let skipped = Set(left.map(\.row))
      if !skipped.isEmpty { outcome.written = (0..<Int32(rows.rowCount)).filter { !skipped.contains($0) } }
      if skipped.count < rows.rowCount {
        (outcome.inserted, outcome.updated) = try merge(batch, rows: rows.rowCount - skipped.count)
      }
    case .upsert, .insert:
      try stage(rows)
      (outcome.inserted, outcome.updated) = try merge(batch, rows: rows.rowCount)
    }
    return outcome
  }

  private func createStages() throws(ConnectorError) {
    if hasStages { return }
    try target.createStages()
    hasStages = true
  }

  private func stage(_ rows: RowBatch) throws(ConnectorError) {
    try connection.run("DELETE FROM \(target.stage)")
    try sender(&staging, plan.columns, target.stage, "sj_row").send(rows, tail: nil)
  }

  /// Rows of the key's fields only.
  func stageKeys(_ keys: RowBatch) throws(ConnectorError) {
    try createStages()
    try begin()
    try connection.run("DELETE FROM \(target.keyStage)")
    try sender(&stagingKeys, plan.key.map { plan.columns[$0] }, target.keyStage, "sj_row").send(keys, tail: nil)
  }

  private func sender(
    _ slot: inout (any MariaDBRowSender)?, _ columns: [WritePlan.Column], _ table: String, _ tail: String
  ) throws(ConnectorError) -> any MariaDBRowSender {
    if let sender = slot { return sender }
    let made: any MariaDBRowSender =
      connection.takesArrays && connection.address.usesArrays
      ? try MariaDBArraySender(columns, table, tail, connection) : MariaDBTextSender(columns, table, tail, connection)
    slot = made
    return made
  }

  /// Where the server has no collation that tells `a` from `a `, a key that ends in a space would meet another's row.
  private func refusePadding(_ rows: RowBatch) throws(ConnectorError) {
    for index in 0..<rows.rowCount {
      let values = KeyBytes.decode(KeyBytes.encode(rows.row(index), key: plan.key), count: plan.key.count) ?? []
      for (field, value) in zip(plan.key, values) where plan.columns[field].type == .text && value.last == 0x20 {
        throw ConnectorError(
          .data, "mariadb.key-padding",
          Text(
            "列“\(plan.columns[field].name)”有以空格结尾的主键值，这一版本的接收数据库无法区分末尾空格。",
            "The key column “\(plan.columns[field].name)” has a value that ends in a space, which this version of the target does not tell apart."
          ))
      }
    }
  }

  // MARK: Merge

  var sameKey: String {
    target.keyNames.map { "s.\($0) = t.\($0)" }.joined(separator: " AND ")
  }

  /// Removes from the stage what need not or may not be written; clears the stale flag of rows that are good again as
  /// they stand. Text is compared by its bytes, so that a change of case is one.
  private func takeOutOfStage(rewriteFrom: Int64, ownFrom: Int64) throws(ConnectorError) -> [(
    row: Int32, isDuplicate: Bool
  )] {
    let own = WritePlan.batchColumn
    let equal =
      plan.columns.indices.filter { !plan.key.contains($0) }.map { index -> String in
        let name = target.columnNames[index]
        return plan.columns[index].type == .text
          ? "CAST(s.\(name) AS BINARY) <=> CAST(t.\(name) AS BINARY)" : "s.\(name) <=> t.\(name)"
      } + ["t.\(own) < \(rewriteFrom)", "t.\(own) > 0"]
    let isSame = rewriteFrom > 0 ? " OR (\(equal.joined(separator: " AND ")))" : ""
    let rows = try connection.run(
      """
      SELECT s.sj_row, t.\(own) >= \(ownFrom), t.\(WritePlan.staleBatchColumn) IS NOT NULL
      FROM \(target.stage) s STRAIGHT_JOIN \(target.table) t ON \(sameKey)
      WHERE t.\(own) >= \(ownFrom)\(isSame) ORDER BY s.sj_row
      """)
    if rows.isEmpty { return [] }
    let cleared = rows.filter { $0[1] != "1" && $0[2] == "1" }.compactMap { $0[0] }
    if !cleared.isEmpty {
      try connection.run(
        """
        UPDATE \(target.table) t JOIN \(target.stage) s ON \(sameKey)
        SET t.\(WritePlan.staleBatchColumn) = NULL, t.\(WritePlan.staleSinceColumn) = NULL
        WHERE s.sj_row IN (\(cleared.joined(separator: ", ")))
        """)
    }
    try connection.run(
      "DELETE FROM \(target.stage) WHERE sj_row IN (\(rows.compactMap { $0[0] }.joined(separator: ", ")))")
    return rows.map { ($0[0].flatMap { Int32($0) } ?? 0, $0[1] == "1") }
  }

  /// An updated row counts twice for the server, one that is as it was already in this batch once.
  private func merge(_ batch: Int64, rows: Int) throws(ConnectorError) -> (inserted: Int, updated: Int) {
    let names = target.columnNames.joined(separator: ", ")
    let own = WritePlan.batchColumn
    let sets =
      plan.columns.indices.filter { !plan.key.contains($0) }.map { target.columnNames[$0] }
      .map { "\($0) = VALUES(\($0))" } + [
        "\(own) = VALUES(\(own))", "\(WritePlan.staleBatchColumn) = NULL", "\(WritePlan.staleSinceColumn) = NULL",
      ] + (plan.marksDeletes ? ["\(WritePlan.deletedSinceColumn) = NULL"] : [])
    let counted = try connection.change(
      """
      INSERT INTO \(target.table) (\(names), \(own)) SELECT \(names), \(batch) FROM \(target.stage)
      ON DUPLICATE KEY UPDATE \(sets.joined(separator: ", "))
      """)
    return (2 * rows - counted, counted - rows)
  }

  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    let since = written(now)
    var flagged = 0
    for index in 0..<keys.rowCount {
      guard let values = KeyBytes.decode(Array(keys.row(index).dropFirst(2)), count: plan.key.count) else { continue }
      var conditions: [String] = []
      for (place, value) in values.enumerated() {
        let column = plan.columns[plan.key[place]]
        let literal = MariaDBWrittenValue.literal(value, column.type, zone: connection.address.zone)
        conditions.append("\(target.keyNames[place]) = \(literal)")
      }
      flagged += try connection.change(
        """
        UPDATE \(target.table) SET \(WritePlan.staleBatchColumn) = \(batch), \(WritePlan.staleSinceColumn) = \
        COALESCE(\(WritePlan.staleSinceColumn), \(since)) WHERE \(conditions.joined(separator: " AND "))
          AND \(WritePlan.batchColumn) > 0
        """)
    }
    return flagged
  }

  /// A moment as a column of the platform's own keeps it.
  private func written(_ now: Instant) -> String {
    let micros = (now.milliseconds - 946_684_800_000) * 1000
    return "'\(MariaDBWrittenValue.time(micros, zone: connection.address.zone) ?? "")'"
  }

  func deleteOlder(than batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    return try remove(
      where: "t.\(WritePlan.batchColumn) < \(batch) AND COALESCE(t.\(WritePlan.staleBatchColumn), 0) < \(batch)",
      at: now)
  }

  /// Removes the rows `t`, or marks those that are not yet. TRUNCATE would be faster, and would commit.
  func remove(_ joined: String = "", where condition: String, at now: Instant?) throws(ConnectorError) -> Int {
    guard plan.marksDeletes, let now else {
      return try connection.change("DELETE t FROM \(target.table) t\(joined) WHERE \(condition)")
    }
    return try connection.change(
      """
      UPDATE \(target.table) t\(joined) SET t.\(WritePlan.batchColumn) = 0, t.\(WritePlan.staleBatchColumn) = NULL,
        t.\(WritePlan.staleSinceColumn) = NULL, t.\(WritePlan.deletedSinceColumn) = \(written(now))
      WHERE t.\(WritePlan.batchColumn) > 0 AND (\(condition))
      """)
  }

  func indexBatches() throws(ConnectorError) { try target.indexBatches() }

  // MARK: Transactions

  /// How durable a commit is, the server says for all its sessions alike (`innodb_flush_log_at_trx_commit`).
  func commit(_ record: BatchRecord?, state: String, durable: Bool) throws(ConnectorError) {
    try begin()
    let stream = MariaDBQuote.text(plan.stream)
    if let record {
      try connection.run(
        """
        INSERT INTO \(target.batches) (stream, batch, run, delivered, quarantined, bytes, digest)
        VALUES (\(stream), \(record.batch), \(MariaDBQuote.text(record.run)), \(record.delivered), \(record.quarantined), \
        \(record.bytes), \(MariaDBQuote.text(record.digest)))
        ON DUPLICATE KEY UPDATE run = VALUES(run), delivered = VALUES(delivered), quarantined = VALUES(quarantined),
          bytes = VALUES(bytes), digest = VALUES(digest)
        """)
    }
    let kept = try connection.change(
      """
      UPDATE \(target.offsets) SET run = \(MariaDBQuote.text(plan.run)), batch = GREATEST(batch, \(record?.batch ?? 0)),
        state = \(MariaDBQuote.text(state)), updated = UTC_TIMESTAMP(6)
      WHERE stream = \(stream) AND fence = \(plan.fence)
      """)
    guard kept == 1 else {
      rollback()
      throw .takenOver
    }
    try connection.run("COMMIT")
    isInTransaction = false
  }

  func rollback() {
    guard isInTransaction else { return }
    isInTransaction = false
    _ = try? connection.run("ROLLBACK")
  }

  func begin() throws(ConnectorError) {
    guard !isInTransaction else { return }
    try connection.run("START TRANSACTION")
    isInTransaction = true
  }

  var interrupter: @Sendable () -> Void { connection.interrupter }

  func close() {
    appending = nil
    staging = nil
    stagingKeys = nil
    connection.close()
  }
}
