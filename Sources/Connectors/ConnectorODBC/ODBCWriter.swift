import Connecting
import Kernel

/// Rows by parameters, straight in or through a stage and a merge by key, committed with their offset.
final class ODBCWriter: RowWriter {
  let plan: WritePlan
  let connection: ODBCConnection
  private(set) var target: ODBCTarget
  private var isInTransaction = false
  private var appending: ODBCSender?
  private var staging: ODBCSender?
  private var stagingKeys: ODBCSender?

  init(_ plan: WritePlan, _ address: ODBCAddress) throws(ConnectorError) {
    self.plan = plan
    connection = try ODBCConnection(address, .writing)
    target = ODBCTarget(plan, connection)
  }

  func own(_ name: String) -> String { connection.quoted(name) }

  func open() throws(ConnectorError) -> StoredOffset? {
    try target.prepare()
    do {
      return try take()
    } catch {
      rollback()
      throw error
    }
  }

  private func take() throws(ConnectorError) -> StoredOffset? {
    try begin()
    let (stream, name) = (ODBCValue.text(plan.stream), ODBCValue.text(plan.table.description))
    let others = try connection.run(
      "SELECT 1 FROM \(target.offsets) WHERE \(own("target")) = ? AND \(own("stream")) <> ?", [name, stream])
    guard others.isEmpty else { throw plan.taken }
    let lock = connection.dialect.lockClause
    let asks = """
      SELECT \(["fence", "run", "batch", "state", "target"].map(own).joined(separator: ", ")) \
      FROM \(target.offsets)\(lock.behindTable) WHERE \(own("stream")) = ?\(lock.atEnd)
      """
    var rows = try connection.run(asks, [stream])
    if rows.isEmpty {
      let state: ODBCValue = connection.dialect == .oracle ? .null : .text("")
      try connection.change(
        """
        INSERT INTO \(target.offsets) (\(["stream", "target", "fence", "run", "batch", "state", "updated"].map(own).joined(separator: ", ")))
        VALUES (?, ?, ?, ?, 0, ?, \(connection.dialect.now))
        """, [stream, name, .integer(plan.fence), .text(plan.run), state])
      rows = try connection.run(asks, [stream])
    }
    guard let row = rows.first else { throw plan.taken }
    guard row[4] == plan.table.description else {
      throw plan.moved(from: row[4])
    }
    let stored = StoredOffset(line: row)
    guard stored.fence <= plan.fence else { throw .takenOver }
    try connection.change(
      "UPDATE \(target.offsets) SET \(own("fence")) = ? WHERE \(own("stream")) = ?", [.integer(plan.fence), stream])
    try finish()
    return stored.state.isEmpty ? nil : stored
  }

  func isEmpty() throws(ConnectorError) -> Bool {
    try connection.run(connection.dialect.select("1", "FROM \(target.table)", atMost: 1)).isEmpty
  }

  func write(_ rows: RowBatch, batch: Int64, mode: WriteMode) throws(ConnectorError) -> WriteOutcome {
    try begin()
    var outcome = WriteOutcome()
    guard !rows.isEmpty else { return outcome }
    try refuse(rows)
    switch mode {
    case .append:
      try sender(&appending, plan.columns, target.table, own(WritePlan.batchColumn)).send(rows, tail: batch)
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

  func stage(_ rows: RowBatch) throws(ConnectorError) {
    try connection.change("DELETE FROM \(target.stage)")
    try sender(&staging, plan.columns, target.stage, own("sj_row")).send(rows, tail: nil)
  }

  /// Rows of the key's fields only.
  func stageKeys(_ keys: RowBatch) throws(ConnectorError) {
    try begin()
    try connection.change("DELETE FROM \(target.keyStage)")
    try sender(&stagingKeys, plan.key.map { plan.columns[$0] }, target.keyStage, own("sj_row")).send(keys, tail: nil)
  }

  private func sender(
    _ slot: inout ODBCSender?, _ columns: [WritePlan.Column], _ table: String, _ tail: String
  ) throws(ConnectorError) -> ODBCSender {
    if let sender = slot { return sender }
    let made = ODBCSender(columns, table, tail, connection)
    slot = made
    return made
  }

  /// What the database would not keep as it is.
  private func refuse(_ rows: RowBatch) throws(ConnectorError) {
    let dialect = connection.dialect
    guard dialect == .oracle || dialect == .sqlserver else { return }
    for index in 0..<rows.rowCount {
      let fields = rows.fields(index)
      for (place, field) in fields.enumerated() where plan.columns[place].type == .text {
        guard case .value(let bytes) = field else { continue }
        if dialect == .oracle, bytes.isEmpty {
          throw ConnectorError(
            .data, "odbc.empty-text",
            Text(
              "列“\(plan.columns[place].name)”有空文本，Oracle 会把它存成空值，不能如实写入。",
              "The column “\(plan.columns[place].name)” has an empty text, which Oracle would keep as NULL; it cannot be written as it is."
            ))
        }
        if dialect == .sqlserver, bytes.last == 0x20, plan.key.contains(place) {
          throw ConnectorError(
            .data, "odbc.key-padding",
            Text(
              "主键列“\(plan.columns[place].name)”有以空格结尾的值，SQL Server 无法区分末尾空格。",
              "The key column “\(plan.columns[place].name)” has a value that ends in a space, which SQL Server does not tell apart."
            ))
        }
      }
    }
  }

  // MARK: Transactions

  func commit(_ record: BatchRecord?, state: String, durable: Bool) throws(ConnectorError) {
    try begin()
    let stream = ODBCValue.text(plan.stream)
    if let record {
      try connection.change(
        "DELETE FROM \(target.batches) WHERE \(own("stream")) = ? AND \(own("batch")) = ?",
        [stream, .integer(record.batch)])
      let names = ["stream", "batch", "run", "delivered", "quarantined", "bytes", "digest"].map(own)
      try connection.change(
        "INSERT INTO \(target.batches) (\(names.joined(separator: ", "))) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
          stream, .integer(record.batch), .text(record.run), .integer(Int64(record.delivered)),
          .integer(Int64(record.quarantined)), .integer(Int64(record.bytes)), .text(record.digest),
        ])
    }
    let number = record?.batch ?? 0
    let kept = try connection.change(
      """
      UPDATE \(target.offsets) SET \(own("run")) = ?,
        \(own("batch")) = CASE WHEN \(own("batch")) < \(number) THEN \(number) ELSE \(own("batch")) END,
        \(own("state")) = ?, \(own("updated")) = \(connection.dialect.now)
      WHERE \(own("stream")) = ? AND \(own("fence")) = \(plan.fence)
      """, [.text(plan.run), .text(state), stream])
    guard kept == 1 else {
      rollback()
      throw .takenOver
    }
    if !durable, connection.dialect == .postgresql { try connection.run("SET LOCAL synchronous_commit = off") }
    try finish()
  }

  private func finish() throws(ConnectorError) {
    try connection.end(commits: true)
    isInTransaction = false
  }

  func rollback() {
    guard isInTransaction else { return }
    isInTransaction = false
    _ = try? connection.end(commits: false)
  }

  func begin() throws(ConnectorError) {
    guard !isInTransaction else { return }
    try connection.begin()
    isInTransaction = true
    // A transaction that starts by reading and cannot get SQLite's one lock for writing later would fail half-way.
    if connection.dialect == .sqlite {
      try connection.change("UPDATE \(target.offsets) SET \(own("fence")) = \(own("fence")) WHERE 1 = 0")
    }
  }

  var interrupter: @Sendable () -> Void { connection.interrupter }

  func close() {
    for sender in [appending, staging, stagingKeys] { sender?.close() }
    connection.close()
  }
}
