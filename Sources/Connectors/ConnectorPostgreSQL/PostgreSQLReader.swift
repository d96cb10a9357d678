import CLibPQ
import Connecting
import Kernel

/// Reads one plan in one REPEATABLE READ snapshot, row by row from COPY's own messages into the batch's bytes.
final class PostgreSQLReader: RowReader {
  private(set) var horizon: CursorValue?
  let isKeyOrdered: Bool
  let checksText = true
  private(set) var position: [UInt8] = []

  private let connection: PostgreSQLConnection
  private let key: [Int]
  private var sections: [(sql: String, hasKey: Bool)]
  private var stream: PostgreSQLCopyStream?

  init(_ plan: ReadPlan, _ address: PostgreSQLAddress) throws(ConnectorError) {
    connection = try PostgreSQLConnection(address)
    key = plan.key
    sections = []
    try connection.widen()
    try connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    if let view = plan.view { try PostgreSQLView.enter(view, connection) }
    let table = try PostgreSQLTable.read(plan.table, connection)
    let statement = try PostgreSQLReadStatement(plan, table, zone: address.zone)
    if plan.cursor != nil { horizon = try statement.horizon(connection) }
    switch plan.range {
    case .full(let after):
      isKeyOrdered = true
      if let after { position = after }
      sections.append((try statement.keyed(after: after, through: plan.through), true))
      if plan.through == nil, let unkeyed = statement.unkeyed() { sections.append((unkeyed, false)) }
    case .incremental(let above):
      isKeyOrdered = false
      sections.append((try statement.changed(above: above), true))
    }
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while let section = sections.first {
      if stream == nil {
        try connection.startCopy("COPY (\(section.sql)) TO STDOUT (FORMAT binary)")
        stream = PostgreSQLCopyStream(connection)
      }
      let more = try stream?.fill(batch) ?? false
      if !more {
        stream = nil
        sections.removeFirst()
      }
      if !batch.isEmpty {
        if section.hasKey { position = KeyBytes.encode(batch.row(batch.rowCount - 1), key: key) }
        return section.hasKey ? .rows : .rowsWithoutKey
      }
    }
    return .end
  }

  var interrupter: @Sendable () -> Void { connection.interrupter }

  func close() { connection.close() }
}

/// COPY's binary stream: a header, one message a row, a trailer.
struct PostgreSQLCopyStream {
  private let connection: PostgreSQLConnection
  private var sawHeader = false

  init(_ connection: PostgreSQLConnection) { self.connection = connection }

  /// Appends rows until the batch is full (true) or the stream ends (false).
  mutating func fill(_ batch: RowBatch) throws(ConnectorError) -> Bool {
    while !batch.isFull { if try !append(to: batch) { return false } }
    return true
  }

  /// Appends the next row; false at the stream's end.
  @inline(__always)
  mutating func append(to batch: RowBatch) throws(ConnectorError) -> Bool {
    guard let message = try connection.nextCopied() else { return false }
    defer { PQfreemem(UnsafeMutableRawPointer(mutating: message.baseAddress)) }
    var row = message
    if !sawHeader {
      sawHeader = true
      // Signature (11), flags (4), length of the extension (4), extension.
      let skipped = 19 + Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: 15, as: Int32.self)))
      row = UnsafeRawBufferPointer(rebasing: row[skipped...])
    }
    if row.count > RowBatch.longestRow {
      batch.appendShortened(row)
    } else if row.count > 2 {
      batch.appendRow(row)
    }
    return true
  }
}
