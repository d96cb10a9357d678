import Connecting
import Kernel

/// What the target holds, read back by batch.
final class PostgreSQLBackReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  let position: [UInt8] = []
  private var stream: PostgreSQLCopyStream
  private var isOver = false

  init(_ stream: PostgreSQLCopyStream) { self.stream = stream }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    if !isOver { isOver = !(try stream.fill(batch)) }
    return batch.isEmpty ? .end : .rows
  }

  func close() {}
}

/// Rows that a statement gave back, once.
final class PostgreSQLKeptRows: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  let position: [UInt8] = []
  private let rows: RowBatch
  private var next = 0

  init(_ rows: RowBatch) { self.rows = rows }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while next < rows.rowCount, !batch.isFull {
      batch.appendRow(rows.row(next))
      next += 1
    }
    return batch.isEmpty ? .end : .rows
  }

  func close() {}
}

/// Finds an appended batch by the pages that were added for it, before there is an index to find it by. A part's is found
/// by its index, since others add pages meanwhile.
final class PostgreSQLBatchReader: BatchReader {
  private let connection: PostgreSQLConnection
  private let target: PostgreSQLTarget

  /// The server adds pages by up to so many at once (from 16 on), and fills first what an earlier batch left of them.
  private var pagesAhead: Int64 { connection.serverVersion >= 16_00_00 ? 64 : 1 }

  /// Nil from a server that cannot scan a range of pages.
  init?(_ plan: WritePlan, _ address: PostgreSQLAddress) throws(ConnectorError) {
    connection = try PostgreSQLConnection(address)
    target = PostgreSQLTarget(plan: plan, connection: connection)
    guard Self.isSupported(connection) else { return nil }
    try connection.run("SET max_parallel_workers_per_gather = 0")
    if plan.whole != nil { try connection.run("SET enable_seqscan = off; SET enable_bitmapscan = off") }
  }

  static func isSupported(_ connection: PostgreSQLConnection) -> Bool { connection.serverVersion >= 14_00_00 }

  func read(_ batch: Int64, in places: Range<Int64>) throws(ConnectorError) -> any RowReader {
    guard target.plan.whole == nil else { return try target.readBack("\(WritePlan.batchColumn) = \(batch)") }
    let first = max(0, places.lowerBound - pagesAhead)
    return try target.readBack(
      "ctid >= '(\(first),0)'::tid AND ctid < '(\(places.upperBound),0)'::tid AND \(WritePlan.batchColumn) = \(batch)"
    )
  }

  func close() { connection.close() }
}

extension PostgreSQLTarget {
  func readBack(_ condition: String) throws(ConnectorError) -> PostgreSQLBackReader {
    let names = (columnNames + [WritePlan.batchColumn]).joined(separator: ", ")
    try connection.startCopy("COPY (SELECT \(names) FROM \(table) WHERE \(condition)) TO STDOUT (FORMAT binary)")
    return PostgreSQLBackReader(PostgreSQLCopyStream(connection))
  }

  /// Of the target as `t`, joined to a stage.
  func readBack(from source: String) throws(ConnectorError) -> PostgreSQLBackReader {
    let names = (columnNames + [WritePlan.batchColumn]).map { "t.\($0)" }.joined(separator: ", ")
    try connection.startCopy("COPY (SELECT \(names) FROM \(source)) TO STDOUT (FORMAT binary)")
    return PostgreSQLBackReader(PostgreSQLCopyStream(connection))
  }

  /// How many pages the table has.
  func pages() throws(ConnectorError) -> Int64? {
    try connection.run(
      "SELECT pg_relation_size(\(PostgreSQLQuote.text(table))::regclass) / current_setting('block_size')::int8")[0][0]
      .flatMap { Int64($0) }
  }
}
