import CSQLite
import Connecting
import Kernel

/// Rows by prepared statements, committed with their offset.
final class SQLiteWriter: RowWriter {
  let plan: WritePlan
  let connection: SQLiteConnection
  let table: String
  let names: [String]
  private let keyNames: [String]
  private var isInTransaction = false
  private var insert: SQLiteStatement?
  private var look: SQLiteStatement?
  private var update: SQLiteStatement?
  /// The keys of the last `upsert`.
  var upserted = RowBatch(capacity: RowBatch.smallest)
  private var scratch = WrittenBytes()

  init(_ plan: WritePlan, _ connection: SQLiteConnection) throws(ConnectorError) {
    self.plan = plan
    self.connection = connection
    table = SQLiteQuote.name(plan.table.name)
    names = plan.columns.map { SQLiteQuote.name($0.name) }
    keyNames = plan.key.map { SQLiteQuote.name(plan.columns[$0].name) }
  }

  func open() throws(ConnectorError) -> StoredOffset? {
    try open(takes: { (writer) throws(ConnectorError) in try writer.take() })
  }

  /// In a transaction of its own.
  func open(
    takes take: (SQLiteWriter) throws(ConnectorError) -> StoredOffset?
  ) throws(ConnectorError) -> StoredOffset? {
    try begin()
    do {
      try prepareTables()
      let stored = try take(self)
      try connection.run("COMMIT")
      isInTransaction = false
      return stored
    } catch {
      rollback()
      throw error
    }
  }

  private func prepareTables() throws(ConnectorError) {
    try connection.run(
      """
      CREATE TABLE IF NOT EXISTS sj_offset (stream TEXT PRIMARY KEY, target TEXT NOT NULL UNIQUE, fence INTEGER NOT NULL,
        run TEXT NOT NULL, batch INTEGER NOT NULL, state TEXT NOT NULL, updated TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS sj_batch (stream TEXT NOT NULL, batch INTEGER NOT NULL, run TEXT NOT NULL,
        delivered INTEGER NOT NULL, quarantined INTEGER NOT NULL, bytes INTEGER NOT NULL, digest TEXT NOT NULL,
        PRIMARY KEY (stream, batch)) WITHOUT ROWID
      """)
    if let found = try SQLiteTable.find(plan.table, connection) {
      try checkShape(found.description)
    } else {
      try create()
    }
  }

  private func take() throws(ConnectorError) -> StoredOffset? {
    let others = try connection.rows(
      "SELECT 1 FROM sj_offset WHERE target = ? AND stream <> ?", [plan.table.name, plan.stream])
    guard others.isEmpty else {
      throw plan.taken
    }
    return try takeLine()
  }

  /// This stream's own line, under this fence.
  func takeLine() throws(ConnectorError) -> StoredOffset? {
    let claim = plan.claim(plan.table.name)
    let statement = try connection.prepare(
      """
      INSERT INTO sj_offset (stream, target, fence, run, batch, state, updated)
      VALUES (?, ?, ?, ?, 0, '', datetime('now')) ON CONFLICT (stream) DO NOTHING
      """)
    try statement.bind(plan.stream, at: 0)
    try statement.bind(claim, at: 1)
    statement.bind(plan.fence, at: 2)
    try statement.bind(plan.run, at: 3)
    try statement.run()
    let row = try connection.rows(
      "SELECT fence, run, batch, state, target FROM sj_offset WHERE stream = ?", [plan.stream])[0]
    guard row[4] == claim else {
      throw plan.moved(from: row[4])
    }
    let stored = StoredOffset(line: row)
    guard stored.fence <= plan.fence else { throw .takenOver }
    let fence = try connection.prepare("UPDATE sj_offset SET fence = ? WHERE stream = ?")
    fence.bind(plan.fence, at: 0)
    try fence.bind(plan.stream, at: 1)
    try fence.run()
    return stored.state.isEmpty ? nil : stored
  }

  private func create() throws(ConnectorError) {
    var lines = plan.columns.map { "\(SQLiteQuote.name($0.name)) \(Self.type($0))" }
    lines += ["sj_batch INTEGER NOT NULL", "sj_stale_batch INTEGER", "sj_stale_since TIMESTAMP"]
    if plan.marksDeletes { lines.append("sj_deleted_since TIMESTAMP") }
    lines.append("PRIMARY KEY (\(keyNames.joined(separator: ", ")))")
    try connection.run("CREATE TABLE \(table) (\(lines.joined(separator: ", ")))")
  }

  private func checkShape(_ found: TableDescription) throws(ConnectorError) {
    let wanted =
      plan.columns.map { ($0.name, Self.type($0)) } + [
        (WritePlan.batchColumn, "INTEGER"), (WritePlan.staleBatchColumn, "INTEGER"),
        (WritePlan.staleSinceColumn, "TIMESTAMP"),
      ] + (plan.marksDeletes ? [(WritePlan.deletedSinceColumn, "TIMESTAMP")] : [])
    for (name, type) in wanted {
      guard let column = found.column(name) else {
        throw .contract(
          "target-column-missing", "接收表“\(plan.table)”缺少列“\(name)”。",
          "The target table “\(plan.table)” lacks the column “\(name)”.")
      }
      guard column.nativeType.uppercased() == type else {
        throw .contract(
          "target-column-type", "接收表的列“\(name)”是 \(column.nativeType)，应为 \(type)。",
          "The target's column “\(name)” is \(column.nativeType); it must be \(type).")
      }
    }
    let allowed = Set(wanted.map(\.0))
    if let extra = found.columns.first(where: { !allowed.contains($0.name) }) {
      throw .contract(
        "target-column-extra", "接收表有授权之外的列“\(extra.name)”。",
        "The target has a column that the grant does not list: “\(extra.name)”.")
    }
    guard found.key.map(\.name) == plan.key.map({ plan.columns[$0].name }) else {
      throw .contract(
        "target-key", "接收表的主键应为（\(keyNames.joined(separator: ", "))）。",
        "The target's primary key must be (\(keyNames.joined(separator: ", "))).")
    }
    // Else rows whose keys differ would be one there.
    for index in plan.key {
      let name = plan.columns[index].name
      let collation = connection.collation(of: name, in: plan.table.name) ?? ""
      guard collation == "BINARY" else { throw collated(name, collation) }
    }
    if let other = try SQLiteTable.keyCollations(of: plan.table.name, connection).first(where: { $0 != "BINARY" }) {
      throw collated(plan.key.map { plan.columns[$0].name }.joined(separator: ", "), other)
    }
  }

  private func collated(_ column: String, _ collation: String) -> ConnectorError {
    .contract(
      "target-column-collation", "接收表的主键列“\(column)”的排序规则是 \(collation)，会把不同的主键当作相同；应为 BINARY。",
      "The target's key column “\(column)” has the collation \(collation), which takes different keys for the same; it must have BINARY."
    )
  }

  static func type(_ column: WritePlan.Column) -> String {
    switch column.type {
    case .text: column.length.map { "VARCHAR(\($0))" } ?? "TEXT"
    case .integer: "INTEGER"
    case .decimal(let precision, let scale): "DECIMAL_TEXT(\(precision),\(scale))"
    case .double: "REAL"
    case .boolean: "BOOLEAN"
    case .date: "DATE"
    case .timestamp: "TIMESTAMP"
    case .bytes: "BLOB"
    }
  }

  func isEmpty() throws(ConnectorError) -> Bool {
    try connection.rows("SELECT EXISTS (SELECT 1 FROM \(table))")[0][0] == "0"
  }

  // MARK: Rows

  func write(_ rows: RowBatch, batch: Int64, mode: WriteMode) throws(ConnectorError) -> WriteOutcome {
    try begin()
    var outcome = WriteOutcome()
    var written: [Int32] = []
    for index in 0..<rows.rowCount {
      let row = rows.row(index)
      switch mode {
      case .append:
        try put(row, batch)
        outcome.inserted += 1
      case .merge(let rewriteFrom, let ownFrom, _):
        switch try meet(row, rewriteFrom, ownFrom) {
        case .absent:
          try put(row, batch)
          outcome.inserted += 1
          written.append(Int32(index))
        case .differs:
          try replace(row, batch)
          outcome.updated += 1
          written.append(Int32(index))
        case .twice: outcome.duplicates.append(Int32(index))
        case .same: break
        }
      case .upsert, .insert:
        if try meet(row, Int64.min, Int64.max) == .absent {
          try put(row, batch)
          outcome.inserted += 1
        } else {
          try replace(row, batch)
          outcome.updated += 1
        }
      }
    }
    if mode == .upsert || mode == .insert {
      upserted = keys(of: rows)
      return outcome
    }
    if written.count + (mode == .append ? rows.rowCount : 0) != rows.rowCount { outcome.written = written }
    return outcome
  }

  private enum Meeting { case absent, same, differs, twice }

  /// What the target has under this row's key.
  private func meet(_ row: UnsafeRawBufferPointer, _ rewriteFrom: Int64, _ ownFrom: Int64) throws(ConnectorError)
    -> Meeting
  {
    let statement = try ready(
      &look,
      """
      SELECT sj_batch, sj_stale_batch, \(plan.columns.indices.map(isSame).joined(separator: " AND ")) FROM \(table)
      WHERE \(plan.key.map { "\(names[$0]) = ?\($0 + 1)" }.joined(separator: " AND "))
      """)
    try bind(row, to: statement)
    defer { statement.reset() }
    guard try statement.step() else { return .absent }
    let (batch, isFlagged, isSame) = (statement.int64(0), !statement.isNull(1), statement.int64(2) == 1)
    if batch >= ownFrom { return .twice }
    // One that is marked as gone is there again.
    guard isSame, batch < rewriteFrom, batch > 0 else { return .differs }
    if isFlagged {
      statement.reset()
      let clear = try connection.prepare(
        "UPDATE \(table) SET sj_stale_batch = NULL, sj_stale_since = NULL WHERE \(keyCondition(from: 1))")
      try bindKey(row, to: clear)
      try clear.run()
    }
    return .same
  }

  /// A column and its parameter. Text by its bytes, whatever collation somebody gave the column: a change of case is one.
  private func isSame(_ index: Int) -> String {
    "\(names[index])\(plan.columns[index].type == .text ? " COLLATE BINARY" : "") IS ?\(index + 1)"
  }

  /// Prepared once a connection. `sql` is only looked at the first time.
  private func ready(
    _ slot: inout SQLiteStatement?, _ sql: @autoclosure () -> String
  ) throws(ConnectorError) -> SQLiteStatement {
    if let statement = slot { return statement }
    let statement = try connection.prepare(sql())
    slot = statement
    return statement
  }

  private var insertion: String {
    let marks = (0...names.count).map { _ in "?" }.joined(separator: ", ")
    return "INSERT INTO \(table) (\(names.joined(separator: ", ")), sj_batch) VALUES (\(marks))"
  }

  private func put(_ row: UnsafeRawBufferPointer, _ batch: Int64) throws(ConnectorError) {
    let statement = try ready(&insert, insertion)
    try bind(row, to: statement)
    statement.bind(batch, at: names.count)
    try statement.run()
  }

  private func replace(_ row: UnsafeRawBufferPointer, _ batch: Int64) throws(ConnectorError) {
    let statement = try ready(
      &update,
      """
      UPDATE \(table) SET \(names.enumerated().map { "\($1) = ?\($0 + 1)" }.joined(separator: ", ")),
        sj_batch = ?\(names.count + 1), sj_stale_batch = NULL, sj_stale_since = NULL\(plan.marksDeletes ? ", sj_deleted_since = NULL" : "")
      WHERE \(plan.key.map { "\(names[$0]) = ?\($0 + 1)" }.joined(separator: " AND "))
      """)
    try bind(row, to: statement)
    statement.bind(batch, at: names.count)
    try statement.run()
  }

  private func bind(_ row: UnsafeRawBufferPointer, to statement: SQLiteStatement) throws(ConnectorError) {
    scratch.removeAll()
    var at = 2
    for index in plan.columns.indices {
      let length = Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self)))
      at += 4
      guard length >= 0 else {
        statement.bindNull(at: index)
        continue
      }
      try SQLiteField.bind(
        UnsafeRawBufferPointer(rebasing: row[at..<at + length]), as: plan.columns[index].type, to: statement, at: index,
        &scratch)
      at += length
    }
  }

  func keyCondition(from first: Int) -> String {
    keyNames.enumerated().map { "\($1) = ?\($0 + first)" }.joined(separator: " AND ")
  }

  /// Binds a whole row's key fields at 0….
  private func bindKey(_ row: UnsafeRawBufferPointer, to statement: SQLiteStatement) throws(ConnectorError) {
    try bindKey(KeyBytes.decode(KeyBytes.encode(row, key: plan.key), count: plan.key.count) ?? [], to: statement)
  }

  func bindKey(_ values: [[UInt8]], to statement: SQLiteStatement) throws(ConnectorError) {
    var written = WrittenBytes()
    for (index, value) in values.enumerated() {
      let type = plan.columns[plan.key[index]].type
      try value.withUnsafeBufferPointer { (bytes) throws(ConnectorError) in
        let field = UnsafeRawBufferPointer(bytes)
        switch type {
        case .text: statement.bindText(field, at: index, copy: true)
        case .bytes: statement.bindBlob(field, at: index, copy: true)
        case .decimal, .date, .timestamp:
          statement.bindText(try written.append(field, as: type), at: index, copy: true)
        default: try SQLiteField.bind(field, as: type, to: statement, at: index, &written)
        }
      }
    }
  }

  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    guard !keys.isEmpty else { return 0 }
    let count = plan.key.count
    let statement = try connection.prepare(
      """
      UPDATE \(table) SET sj_stale_batch = ?\(count + 1), sj_stale_since = coalesce(sj_stale_since, ?\(count + 2))
      WHERE \(keyCondition(from: 1)) AND sj_batch > 0
      """)
    var flagged = 0
    for index in 0..<keys.rowCount {
      guard let values = KeyBytes.decode(Array(keys.row(index).dropFirst(2)), count: count) else { continue }
      try bindKey(values, to: statement)
      statement.bind(batch, at: count)
      try statement.bind("\(now)", at: count + 1)
      try statement.run()
      flagged += connection.changes
    }
    return flagged
  }

  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    guard !keys.isEmpty else { return 0 }
    let count = plan.key.count
    let statement = try connection.prepare(
      removal(where: "\(keyCondition(from: 1)) AND sj_batch < ?\(count + 1)", at: now))
    var removed = 0
    for index in 0..<keys.rowCount {
      guard let values = KeyBytes.decode(Array(keys.row(index).dropFirst(2)), count: count) else { continue }
      try bindKey(values, to: statement)
      statement.bind(batch, at: count)
      try statement.run()
      removed += connection.changes
    }
    return removed
  }

  func deleteOlder(than batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try begin()
    try connection.run(removal(where: "sj_batch < \(batch) AND coalesce(sj_stale_batch, 0) < \(batch)", at: now))
    return connection.changes
  }

  /// Removes rows, or marks those that are not yet.
  func removal(where condition: String, at now: Instant?) -> String {
    guard plan.marksDeletes, let now else { return "DELETE FROM \(table) WHERE \(condition)" }
    return """
      UPDATE \(table) SET sj_batch = 0, sj_stale_batch = NULL, sj_stale_since = NULL, sj_deleted_since = '\(now)'
      WHERE sj_batch > 0 AND (\(condition))
      """
  }

  func indexBatches() throws(ConnectorError) {
    try connection.run(
      "CREATE INDEX IF NOT EXISTS \(SQLiteQuote.name(plan.table.name + "_sj_batch")) ON \(table) (sj_batch)")
  }

  // MARK: Transactions

  func commit(_ record: BatchRecord?, state: String, durable: Bool) throws(ConnectorError) {
    try begin()
    if let record {
      let statement = try connection.prepare("INSERT OR REPLACE INTO sj_batch VALUES (?, ?, ?, ?, ?, ?, ?)")
      try statement.bind(plan.stream, at: 0)
      statement.bind(record.batch, at: 1)
      try statement.bind(record.run, at: 2)
      statement.bind(Int64(record.delivered), at: 3)
      statement.bind(Int64(record.quarantined), at: 4)
      statement.bind(Int64(record.bytes), at: 5)
      try statement.bind(record.digest, at: 6)
      try statement.run()
    }
    let statement = try connection.prepare(
      """
      UPDATE sj_offset SET run = ?, batch = max(batch, ?), state = ?, updated = datetime('now')
      WHERE stream = ? AND fence = ?
      """)
    try statement.bind(plan.run, at: 0)
    statement.bind(record?.batch ?? 0, at: 1)
    try statement.bind(state, at: 2)
    try statement.bind(plan.stream, at: 3)
    statement.bind(plan.fence, at: 4)
    try statement.run()
    guard connection.changes == 1 else {
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

  /// IMMEDIATE: a transaction that starts by reading and cannot get the write lock later would fail half-way.
  func begin() throws(ConnectorError) {
    guard !isInTransaction else { return }
    try connection.run("BEGIN IMMEDIATE")
    isInTransaction = true
  }

  // MARK: Reading back

  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord] {
    try connection.rows(
      """
      SELECT batch, run, delivered, quarantined, bytes, digest FROM sj_batch
      WHERE stream = ? AND batch BETWEEN \(range.lowerBound) AND \(range.upperBound) ORDER BY batch
      """, [plan.stream]
    ).map { BatchRecord(line: $0) }
  }

  func countStale(_ range: ClosedRange<Int64>) throws(ConnectorError) -> Int {
    let row = try connection.rows(
      "SELECT count(*) FROM \(table) WHERE sj_stale_batch BETWEEN \(range.lowerBound) AND \(range.upperBound)")
    return row[0][0].flatMap { Int($0) } ?? 0
  }

  func end() throws(ConnectorError) -> Int64? { nil }

  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> any RowReader {
    let statement = try connection.prepare(
      """
      SELECT \(names.joined(separator: ", ")), sj_batch FROM \(table)
      WHERE sj_batch BETWEEN \(range.lowerBound) AND \(range.upperBound) ORDER BY sj_batch
      """)
    return SQLiteBackReader(statement, plan.columns.map(\.type) + [.integer])
  }

  var interrupter: @Sendable () -> Void { connection.interrupter }

  func close() {
    for statement in [insert, look, update] { statement?.finalize() }
    connection.close()
  }
}
