import Connecting
import Kernel

/// Reads one plan, in one transaction, block by block from the driver into the batch's bytes.
final class ODBCReader: RowReader {
  private(set) var horizon: CursorValue?
  let isKeyOrdered: Bool
  // Between UTF-16 and UTF-8 every character was looked at; SQLite's bytes were scanned.
  let checksText = true
  private(set) var position: [UInt8] = []

  private let connection: ODBCConnection
  private let statement: ODBCReadStatement
  private let fields: [ODBCField]
  private let places: [Int]
  private let pageRows: Int?
  private var sections: [ODBCReadStatement.Section] = []
  private var rows: ODBCRows?
  private var rowsOfPage = 0
  private var place: [UInt8] = []
  /// Times that the database itself cannot compare are compared here.
  private var above: Int64?
  private let cursor: Int

  init(_ plan: ReadPlan, _ address: ODBCAddress) throws(ConnectorError) {
    connection = try ODBCConnection(address)
    cursor = plan.cursor ?? 0
    // Before the snapshot, so that it is not ahead of what the snapshot shows.
    let clock = try Self.clock(connection)
    let table = try ODBCTable.read(plan.table, connection)
    statement = try ODBCReadStatement(plan, table, connection)
    (fields, places) = (statement.fields, statement.places)
    try Self.startSnapshot(connection)
    if plan.cursor != nil { horizon = try statement.horizon(clock: clock) }
    switch plan.range {
    case .full(let after):
      isKeyOrdered = true
      pageRows = address.pageRows ?? connection.dialect.pageRows
      if let after { position = after }
      sections.append(try statement.keyed(after: after))
      if let unkeyed = statement.unkeyed() { sections.append(unkeyed) }
    case .incremental(let above):
      (isKeyOrdered, pageRows) = (false, nil)
      sections.append(try statement.changed(above: above))
      if connection.dialect == .sqlite, case .timestamp(let time) = above { self.above = time }
    }
  }

  private static func clock(_ connection: ODBCConnection) throws(ConnectorError) -> Int64 {
    guard let asks = connection.dialect.clock else {
      return (Clock.system.now().milliseconds - 946_684_800_000) * 1000
    }
    let found = try connection.run(asks).first?.first ?? nil
    let time = found.flatMap { text in Array(text.utf8).withUnsafeBytes { WrittenTime.microseconds($0, zone: 0) } }
    guard let time else { throw ODBCError.broken }
    return time
  }

  private static func startSnapshot(_ connection: ODBCConnection) throws(ConnectorError) {
    var statements = connection.dialect.snapshot
    if connection.dialect == .sqlserver {
      // Where the database's owner allows it; else each statement sees its own state.
      let state = try? connection.run(
        "SELECT CAST(snapshot_isolation_state AS varchar(1)) FROM sys.databases WHERE database_id = DB_ID()")
      if state?.first?.first == "1" { statements = ["SET TRANSACTION ISOLATION LEVEL SNAPSHOT"] }
    }
    try connection.begin()
    for statement in statements { try connection.run(statement) }
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while let section = sections.first {
      let rows = try opened(section)
      var isOver = false
      while !batch.isFull {
        guard try rows.next() else {
          isOver = true
          break
        }
        try append(rows, section, to: batch)
      }
      if isOver {
        self.rows?.close()
        self.rows = nil
        if try turn(section) { continue }
      }
      if !batch.isEmpty {
        if section.hasKey, isKeyOrdered { position = place }
        return section.hasKey ? .rows : .rowsWithoutKey
      }
    }
    return .end
  }

  private func opened(_ section: ODBCReadStatement.Section) throws(ConnectorError) -> ODBCRows {
    if let rows { return rows }
    let limit = section.isOrdered ? pageRows : nil
    let opened = try ODBCRows(statement.spellings, connection, section.values) {
      statement.sql(section, list: $0, atMost: limit)
    }
    rows = opened
    rowsOfPage = 0
    return opened
  }

  /// To the next page of the same rows (true), or to the next sort of rows.
  private func turn(_ section: ODBCReadStatement.Section) throws(ConnectorError) -> Bool {
    guard section.isOrdered, let pageRows, rowsOfPage >= pageRows else {
      sections.removeFirst()
      return false
    }
    sections[0] = try statement.keyed(after: place)
    return true
  }

  @inline(__always)
  private func append(
    _ rows: ODBCRows, _ section: ODBCReadStatement.Section, to batch: RowBatch
  ) throws(ConnectorError) {
    rowsOfPage += 1
    batch.beginRow(fields: fields.count)
    for index in fields.indices {
      let start = batch.byteCount
      try rows.append(index, fields[index], to: batch)
      if let above, index == cursor, isNotAbove(above, batch, start) { isPassedOver = true }
    }
    batch.endRow()
    batch.limitLastRow()
    if isPassedOver {
      isPassedOver = false
      batch.removeLastRow()
    }
    guard section.hasKey, isKeyOrdered, batch.isFull || rows.isLastOfBlock else { return }
    place.removeAll(keepingCapacity: true)
    for index in places {
      guard let value = try rows.bytes(index) else { continue }
      withUnsafeBytes(of: Int32(truncatingIfNeeded: value.count).bigEndian) { place.append(contentsOf: $0) }
      place += value
    }
  }

  private var isPassedOver = false

  /// What cannot be compared is let through: the plan will say what is wrong with it.
  private func isNotAbove(_ above: Int64, _ batch: RowBatch, _ start: Int) -> Bool {
    let field = batch.base + start
    guard Int32(bigEndian: field.loadUnaligned(as: Int32.self)) == 8 else { return false }
    return Int64(bigEndian: field.loadUnaligned(fromByteOffset: 4, as: Int64.self)) <= above
  }

  var interrupter: @Sendable () -> Void { connection.interrupter }

  func close() {
    rows?.close()
    rows = nil
    connection.close()
  }
}

/// What the target holds: the plan's columns and then the batch.
final class ODBCBackReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  let position: [UInt8] = []
  private let rows: ODBCRows
  private let fields: [ODBCField]
  private var isOver = false

  init(_ rows: ODBCRows, _ fields: [ODBCField]) {
    self.rows = rows
    self.fields = fields
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while !isOver, !batch.isFull {
      guard try rows.next() else {
        isOver = true
        rows.close()
        break
      }
      batch.beginRow(fields: fields.count)
      for index in fields.indices { try rows.append(index, fields[index], to: batch) }
      batch.endRow()
    }
    return batch.isEmpty ? .end : .rows
  }

  func close() { rows.close() }
}
