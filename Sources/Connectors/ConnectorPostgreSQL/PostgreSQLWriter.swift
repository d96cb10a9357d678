import Connecting
import Kernel

/// Rows by binary COPY (straight in, or through a temporary table and a merge by key), committed with their offset.
final class PostgreSQLWriter: RowWriter {
  let plan: WritePlan
  let connection: PostgreSQLConnection
  let target: PostgreSQLTarget
  private var isInTransaction = false
  /// Batches that are not tried the faster way.
  private var untried = 0
  private static let restOfTrying = 8
  private var hasStage = false
  private var hasKeyStage = false
  private var isStageFilled = false
  private var isKeyStageFilled = false
  private var hasStaleStatement = false
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
  @exclusivity(unchecked) private var filled = 0
  private let appending: String
  /// What the last upsert left, as its statement gave it back.
  private let upserted = RowBatch(capacity: RowBatch.smallest)

  init(_ plan: WritePlan, _ address: PostgreSQLAddress) throws(ConnectorError) {
    self.plan = plan
    connection = try PostgreSQLConnection(address)
    target = PostgreSQLTarget(plan: plan, connection: connection)
    let columns = (target.columnNames + [WritePlan.batchColumn]).joined(separator: ", ")
    appending = "COPY \(target.table) (\(columns)) FROM STDIN (FORMAT binary)"
    try connection.run("SET synchronous_commit = on; SET default_transaction_isolation = 'read committed'")
  }

  deinit { buffer.deallocate() }

  func open() throws(ConnectorError) -> StoredOffset? {
    try target.prepare()
    try connection.run("BEGIN")
    isInTransaction = true
    let others = try connection.run(
      "SELECT 1 FROM \(target.offsets) WHERE target = $1 AND stream <> $2", [plan.table.description, plan.stream])
    guard others.isEmpty else {
      rollback()
      throw plan.taken
    }
    return try take()
  }

  /// In the open transaction, which it ends: this stream's own line, under this fence.
  func take() throws(ConnectorError) -> StoredOffset? {
    let claim = plan.claim(plan.table.description)
    try connection.run(
      """
      INSERT INTO \(target.offsets) (stream, target, fence, run, batch, state, updated)
      VALUES ($1, $2, $3::int8, $4, 0, '', now()) ON CONFLICT (stream) DO NOTHING
      """, [plan.stream, claim, "\(plan.fence)", plan.run])
    let row = try connection.run(
      "SELECT fence, run, batch, state, target FROM \(target.offsets) WHERE stream = $1 FOR UPDATE", [plan.stream])[0]
    guard row[4] == claim else {
      rollback()
      throw plan.moved(from: row[4])
    }
    let stored = StoredOffset(line: row)
    guard stored.fence <= plan.fence else {
      rollback()
      throw .takenOver
    }
    try connection.run(
      "UPDATE \(target.offsets) SET fence = $2::int8 WHERE stream = $1", [plan.stream, "\(plan.fence)"])
    try connection.run("COMMIT")
    isInTransaction = false
    return stored.state.isEmpty ? nil : stored
  }

  func isEmpty() throws(ConnectorError) -> Bool {
    try connection.run("SELECT EXISTS (SELECT 1 FROM \(target.table))")[0][0] == "f"
  }

  func write(_ rows: RowBatch, batch: Int64, mode: WriteMode) throws(ConnectorError) -> WriteOutcome {
    var outcome = WriteOutcome()
    guard !rows.isEmpty else {
      try begin()
      return outcome
    }
    switch mode {
    case .append:
      try append(rows, batch)
      outcome.inserted = rows.rowCount
    case .merge(let rewriteFrom, let ownFrom, let mostlyNew):
      try begin()
      if mostlyNew, try tryToAppend(rows, batch) {
        outcome.inserted = rows.rowCount
        return outcome
      }
      try stage(rows)
      let left = try takeOutOfStage(rewriteFrom: rewriteFrom, ownFrom: ownFrom)
      outcome.duplicates = left.filter(\.isDuplicate).map(\.row)
      let skipped = Set(left.map(\.row))
      if !skipped.isEmpty { outcome.written = (0..<Int32(rows.rowCount)).filter { !skipped.contains($0) } }
      (outcome.inserted, outcome.updated) = try merge(batch)
    case .upsert:
      try begin()
      try stage(rows)
      try upsert(batch)
    case .insert:
      try begin()
      try insert(rows, batch)
    }
    return outcome
  }

  /// Straight into the table; false, with nothing written, where one of the keys is there. Then the next batches are not tried: rows
  /// of an earlier attempt lie together.
  private func tryToAppend(_ rows: RowBatch, _ batch: Int64) throws(ConnectorError) -> Bool {
    guard untried == 0 else {
      untried -= 1
      return false
    }
    try connection.run("SAVEPOINT sj_append")
    do throws(ConnectorError) {
      try append(rows, batch)
      return true
    } catch {
      guard error.code == "postgresql.23505" else { throw error }
      try connection.run("ROLLBACK TO SAVEPOINT sj_append")
      untried = Self.restOfTrying
      return false
    }
  }

  // MARK: COPY

  /// Begins the transaction with the same message where none is open.
  private func append(_ rows: RowBatch, _ batch: Int64) throws(ConnectorError) {
    let begins = !isInTransaction
    isInTransaction = true
    try connection.startCopy(begins ? "BEGIN; \(appending)" : appending)
    try copy(rows, columns: plan.columns.count, trailer: batch)
  }

  /// Sends the rows with one more field: at the end the batch (`trailer`), or at the start the row's number.
  private func copy(_ rows: RowBatch, columns: Int, trailer: Int64?) throws(ConnectorError) {
    filled = 0
    try put(Self.header.withUnsafeBytes { [UInt8]($0) })
    let fields = Int16(columns + 1).bigEndian
    for index in 0..<rows.rowCount {
      let row = rows.row(index)
      if filled + row.count + 16 > buffer.count { try flush() }
      guard row.count + 16 <= buffer.count else {
        try put(withUnsafeBytes(of: fields) { [UInt8]($0) })
        if trailer == nil { try put(Self.field(Int32(index))) }
        try flush()
        try connection.put(UnsafeRawBufferPointer(rebasing: row[2...]))
        if let trailer { try put(Self.field(trailer)) }
        continue
      }
      guard let start = buffer.baseAddress, let source = row.baseAddress else { continue }
      start.storeBytes(of: fields, toByteOffset: filled, as: Int16.self)
      filled += 2
      if trailer == nil {
        start.storeBytes(of: Int32(4).bigEndian, toByteOffset: filled, as: Int32.self)
        start.storeBytes(of: Int32(index).bigEndian, toByteOffset: filled + 4, as: Int32.self)
        filled += 8
      }
      (start + filled).copyMemory(from: source + 2, byteCount: row.count - 2)
      filled += row.count - 2
      if let trailer {
        start.storeBytes(of: Int32(8).bigEndian, toByteOffset: filled, as: Int32.self)
        start.storeBytes(of: trailer.bigEndian, toByteOffset: filled + 4, as: Int64.self)
        filled += 12
      }
    }
    try put([0xFF, 0xFF])
    try flush()
    try connection.endPut()
  }

  private static let header: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + [UInt8](repeating: 0, count: 8)

  private static func field<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: Int32(MemoryLayout<T>.size).bigEndian) { [UInt8]($0) }
      + withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) }
  }

  private func put(_ bytes: [UInt8]) throws(ConnectorError) {
    if filled + bytes.count > buffer.count { try flush() }
    for (offset, byte) in bytes.enumerated() { buffer[filled + offset] = byte }
    filled += bytes.count
  }

  private func flush() throws(ConnectorError) {
    guard filled > 0 else { return }
    try connection.put(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
    filled = 0
  }

  // MARK: Merge

  private func stage(_ rows: RowBatch) throws(ConnectorError) {
    if !hasStage {
      // Lives as long as the session; a rollback before its first commit takes it away, so it is asked for each time.
      let columns = plan.columns.map { "\(PostgreSQLQuote.name($0.name)) \(PostgreSQLTarget.type($0))" }
      try connection.run("SET LOCAL client_min_messages = warning")
      try connection.run(
        "CREATE TEMP TABLE IF NOT EXISTS sj_stage (sj_row int4 NOT NULL, \(columns.joined(separator: ", "))) ON COMMIT DELETE ROWS"
      )
      hasStage = true
    }
    // A commit empties it; to truncate it each time would make a new file each time.
    if isStageFilled { try connection.run("DELETE FROM pg_temp.sj_stage") }
    isStageFilled = true
    let columns = (["sj_row"] + target.columnNames).joined(separator: ", ")
    try connection.startCopy("COPY pg_temp.sj_stage (\(columns)) FROM STDIN (FORMAT binary)")
    try copy(rows, columns: plan.columns.count, trailer: nil)
  }

  /// Removes from the stage what need not or may not be written; clears the stale flag of rows that are good again as
  /// they stand.
  private func takeOutOfStage(rewriteFrom: Int64, ownFrom: Int64) throws(ConnectorError) -> [(
    row: Int32, isDuplicate: Bool
  )] {
    let same = zip(keyNames("s"), keyNames("t")).map { "\($0) = \($1)" }.joined(separator: " AND ")
    let rest = plan.columns.indices.filter { !plan.key.contains($0) }.map {
      PostgreSQLQuote.name(plan.columns[$0].name)
    }
    let own = "t.\(WritePlan.batchColumn)"
    let equal = rest.map { "s.\($0) IS NOT DISTINCT FROM t.\($0)" } + ["\(own) < $2::int8", "\(own) > 0"]
    let stale = WritePlan.staleBatchColumn
    let rows = try connection.run(
      """
      WITH same AS (SELECT s.sj_row, t.ctid AS place, t.\(WritePlan.batchColumn) >= $1::int8 AS twice
          FROM pg_temp.sj_stage s JOIN \(target.table) t ON \(same)
          WHERE t.\(WritePlan.batchColumn) >= $1::int8 OR (\(equal.joined(separator: " AND ")))),
        cleared AS (UPDATE \(target.table) t SET \(stale) = NULL, \(WritePlan.staleSinceColumn) = NULL FROM same
          WHERE t.ctid = same.place AND t.\(stale) IS NOT NULL AND NOT same.twice),
        gone AS (DELETE FROM pg_temp.sj_stage s USING same WHERE s.sj_row = same.sj_row)
      SELECT sj_row, twice FROM same ORDER BY sj_row
      """, ["\(ownFrom)", "\(rewriteFrom)"])
    return rows.map { (Int32($0[0] ?? "") ?? 0, $0[1] == "t") }
  }

  private func merge(_ batch: Int64) throws(ConnectorError) -> (inserted: Int, updated: Int) {
    let names = target.columnNames.joined(separator: ", ")
    let own = WritePlan.batchColumn
    let row = try connection.run(
      """
      WITH w AS (INSERT INTO \(target.table) (\(names), \(own)) SELECT \(names), $1::int8 FROM pg_temp.sj_stage
        ON CONFLICT (\(target.keyNames.joined(separator: ", "))) DO UPDATE SET \(replacing)
        RETURNING (xmax = 0) AS fresh)
      SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh) FROM w
      """, ["\(batch)"])[0]
    return (row[0].flatMap { Int($0) } ?? 0, row[1].flatMap { Int($0) } ?? 0)
  }

  private var replacing: String {
    let own = WritePlan.batchColumn
    let sets =
      plan.columns.indices.filter { !plan.key.contains($0) }.map { PostgreSQLQuote.name(plan.columns[$0].name) }
      .map { "\($0) = EXCLUDED.\($0)" } + [
        "\(own) = EXCLUDED.\(own)", "\(WritePlan.staleBatchColumn) = NULL", "\(WritePlan.staleSinceColumn) = NULL",
      ] + (plan.marksDeletes ? ["\(WritePlan.deletedSinceColumn) = NULL"] : [])
    return sets.joined(separator: ", ")
  }

  private func keyNames(_ alias: String) -> [String] { target.keyNames.map { "\(alias).\($0)" } }

  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    guard !keys.isEmpty else { return 0 }
    if !hasStaleStatement {
      let same = target.keyNames.enumerated().map { "\($1) = $\($0 + 1)" }.joined(separator: " AND ")
      let count = plan.key.count
      try connection.prepare(
        "sj_stale",
        """
        UPDATE \(target.table) SET \(WritePlan.staleBatchColumn) = $\(count + 1)::int8, \(WritePlan.staleSinceColumn) = \
        coalesce(\(WritePlan.staleSinceColumn), $\(count + 2)::timestamptz) WHERE \(same) AND \(WritePlan.batchColumn) > 0
        """)
      hasStaleStatement = true
    }
    let moment = (now.milliseconds - 946_684_800_000) * 1000
    var flagged = 0
    for index in 0..<keys.rowCount {
      guard let values = KeyBytes.decode(Array(keys.row(index).dropFirst(2)), count: plan.key.count) else { continue }
      flagged += try connection.change(
        prepared: "sj_stale",
        binary: values + [
          withUnsafeBytes(of: batch.bigEndian) { [UInt8]($0) }, withUnsafeBytes(of: moment.bigEndian) { [UInt8]($0) },
        ])
    }
    return flagged
  }

  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    guard !keys.isEmpty else { return 0 }
    // One statement for all of them: a filter may leave out most of what changed.
    try stageKeys(keys)
    try meetByIndex()
    return try remove(
      " USING pg_temp.sj_key s", " FROM pg_temp.sj_key s",
      where: "\(sameKey) AND t.\(WritePlan.batchColumn) < $1::int8", ["\(batch)"], at: now)
  }

  func deleteOlder(than batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    return try remove(
      where: "t.\(WritePlan.batchColumn) < $1::int8 AND coalesce(t.\(WritePlan.staleBatchColumn), 0) < $1::int8",
      ["\(batch)"], at: now)
  }

  /// Removes the rows `t`, or marks those that are not yet. `parameters` are numbered from 1.
  private func remove(
    _ using: String = "", _ from: String = "", where condition: String, _ parameters: [String?], at now: Instant?
  ) throws(ConnectorError) -> Int {
    guard plan.marksDeletes, let now else {
      return try connection.change("DELETE FROM \(target.table) t\(using) WHERE \(condition)", parameters)
    }
    return try connection.change(
      """
      UPDATE \(target.table) t SET \(WritePlan.batchColumn) = 0, \(WritePlan.staleBatchColumn) = NULL,
        \(WritePlan.staleSinceColumn) = NULL, \(WritePlan.deletedSinceColumn) = $\(parameters.count + 1)::timestamptz\(from)
      WHERE t.\(WritePlan.batchColumn) > 0 AND (\(condition))
      """, parameters + ["\(now)"])
  }

  // MARK: Changes

  func deleteAll(at now: Instant?) throws(ConnectorError) -> Int {
    try begin()
    return try remove(where: "true", [], at: now)
  }

  /// The stage goes in, and each row comes back from the statement that put it there, as it is stored: to look for it
  /// again by its key would cost as much as to write it.
  private func upsert(_ batch: Int64) throws(ConnectorError) {
    let names = target.columnNames.joined(separator: ", ")
    let own = WritePlan.batchColumn
    try connection.startCopy(
      """
      COPY (INSERT INTO \(target.table) (\(names), \(own)) SELECT \(names), \(batch)::int8 FROM pg_temp.sj_stage
        ON CONFLICT (\(target.keyNames.joined(separator: ", "))) DO UPDATE SET \(replacing)
        RETURNING \(names), \(own)) TO STDOUT (FORMAT binary)
      """)
    upserted.removeAll()
    var stream = PostgreSQLCopyStream(connection)
    while try stream.append(to: upserted) {}
  }

  /// Straight into the table; where one of the keys is there after all, by key.
  private func insert(_ rows: RowBatch, _ batch: Int64) throws(ConnectorError) {
    guard try tryToAppend(rows, batch) else {
      try stage(rows)
      return try upsert(batch)
    }
    let keys = RowBatch(capacity: RowBatch.smallest)
    for index in 0..<rows.rowCount { keys.appendKey(of: rows.row(index), key: plan.key) }
    let reader = try current(keys)
    upserted.removeAll()
    let batch = RowBatch(capacity: RowBatch.smallest)
    while try reader.read(into: batch) != .end {
      for index in 0..<batch.rowCount { upserted.appendRow(batch.row(index)) }
    }
  }

  func written() throws(ConnectorError) -> any RowReader { PostgreSQLKeptRows(upserted) }

  func current(_ keys: RowBatch) throws(ConnectorError) -> any RowReader {
    try begin()
    try stageKeys(keys)
    try meetByIndex()
    return try target.readBack(
      from: "\(target.table) t JOIN pg_temp.sj_key s ON \(sameKey) AND t.\(WritePlan.batchColumn) > 0")
  }

  /// A stage has no statistics: for a few thousand keys the planner would read the whole table.
  private func meetByIndex() throws(ConnectorError) {
    try connection.run("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
  }

  private var sameKey: String {
    zip(keyNames("s"), keyNames("t")).map { "\($0) = \($1)" }.joined(separator: " AND ")
  }

  private func stageKeys(_ keys: RowBatch) throws(ConnectorError) {
    if !hasKeyStage {
      let columns = plan.key.map {
        "\(PostgreSQLQuote.name(plan.columns[$0].name)) \(PostgreSQLTarget.type(plan.columns[$0]))"
      }
      try connection.run("SET LOCAL client_min_messages = warning")
      try connection.run(
        "CREATE TEMP TABLE IF NOT EXISTS sj_key (sj_row int4 NOT NULL, \(columns.joined(separator: ", "))) ON COMMIT DELETE ROWS"
      )
      hasKeyStage = true
    }
    if isKeyStageFilled { try connection.run("DELETE FROM pg_temp.sj_key") }
    isKeyStageFilled = true
    let columns = (["sj_row"] + target.keyNames).joined(separator: ", ")
    try connection.startCopy("COPY pg_temp.sj_key (\(columns)) FROM STDIN (FORMAT binary)")
    try copy(keys, columns: plan.key.count, trailer: nil)
  }

  func indexBatches() throws(ConnectorError) { try target.indexBatches() }

  // MARK: Transactions

  func commit(_ record: BatchRecord?, state: String, durable: Bool) throws(ConnectorError) {
    try begin()
    // Batch and offset by one statement: every answer that is waited for costs the target's time as well as ours.
    var statement = """
      UPDATE \(target.offsets) SET run = $3, batch = greatest(batch, $4::int8), state = $5, updated = now()
      WHERE stream = $1 AND fence = $2::int8
      """
    var parameters: [String?] = [plan.stream, "\(plan.fence)", plan.run, "\(record?.batch ?? 0)", state]
    if let record {
      statement = """
        WITH kept AS (INSERT INTO \(target.batches) (stream, batch, run, delivered, quarantined, bytes, digest)
          VALUES ($1, $4::int8, $6, $7::int8, $8::int8, $9::int8, $10)
          ON CONFLICT (stream, batch) DO UPDATE SET run = EXCLUDED.run, delivered = EXCLUDED.delivered,
            quarantined = EXCLUDED.quarantined, bytes = EXCLUDED.bytes, digest = EXCLUDED.digest)
        \(statement)
        """
      parameters += [
        record.run, "\(record.delivered)", "\(record.quarantined)", "\(record.bytes)", record.digest,
      ]
    }
    let kept = try connection.change(statement, parameters)
    guard kept == 1 else {
      rollback()
      throw .takenOver
    }
    try connection.run(durable ? "COMMIT" : "SET LOCAL synchronous_commit = off; COMMIT")
    isInTransaction = false
    (isStageFilled, isKeyStageFilled) = (false, false)
  }

  func rollback() {
    guard isInTransaction else { return }
    isInTransaction = false
    _ = try? connection.run("ROLLBACK")
    (hasStage, hasKeyStage, isStageFilled, isKeyStageFilled) = (false, false, false, false)
  }

  func begin() throws(ConnectorError) {
    guard !isInTransaction else { return }
    try connection.run("BEGIN")
    isInTransaction = true
  }

  // MARK: Reading back

  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord] {
    try connection.run(
      """
      SELECT batch, run, delivered, quarantined, bytes, digest FROM \(target.batches)
      WHERE stream = $1 AND batch BETWEEN $2::int8 AND $3::int8 ORDER BY batch
      """, [plan.stream, "\(range.lowerBound)", "\(range.upperBound)"]
    ).map { BatchRecord(line: $0) }
  }

  func countStale(_ range: ClosedRange<Int64>) throws(ConnectorError) -> Int {
    let row = try connection.run(
      "SELECT count(*) FROM \(target.table) WHERE \(WritePlan.staleBatchColumn) BETWEEN $1::int8 AND $2::int8",
      ["\(range.lowerBound)", "\(range.upperBound)"])
    return row[0][0].flatMap { Int($0) } ?? 0
  }

  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> any RowReader {
    // The index on the batch follows the order of writing: walking it spares the server a sort of the whole table.
    try connection.run("SET enable_sort = off")
    let own = WritePlan.batchColumn
    return try target.readBack("\(own) BETWEEN \(range.lowerBound) AND \(range.upperBound) ORDER BY \(own)")
  }

  func end() throws(ConnectorError) -> Int64? {
    guard PostgreSQLBatchReader.isSupported(connection) else { return nil }
    return try target.pages()
  }

  var interrupter: @Sendable () -> Void { connection.interrupter }

  func close() { connection.close() }
}
