import Connecting
import Kernel

/// Reads one plan in one snapshot, row by row from the connection into the batch's bytes.
final class MariaDBReader: RowReader {
  private(set) var horizon: CursorValue?
  let isKeyOrdered: Bool
  // The server looks at UTF-8 but lets NUL through.
  let checksText = false
  private(set) var position: [UInt8] = []

  private let connection: MariaDBConnection
  private let fields: [MariaDBField]
  private let proofs: [Int?]
  private let hasProofs: Bool
  private let places: [Int]
  private let remembersPlace: Bool
  private var sections: [(sql: String, hasKey: Bool)] = []
  private var rows: MariaDBRows?
  private var place: [UInt8] = []

  init(_ plan: ReadPlan, _ address: MariaDBAddress) throws(ConnectorError) {
    connection = try MariaDBConnection(address)
    // Before the snapshot, so that it is not ahead of what the snapshot shows.
    let clock = try connection.run("SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)")[0][0] ?? ""
    try Self.startSnapshot(connection)
    let table = try MariaDBTable.read(plan.table, connection)
    let statement = try MariaDBReadStatement(plan, table, database: address.database, zone: address.zone)
    (fields, proofs, places) = (statement.fields, statement.proofs, statement.places)
    hasProofs = statement.proofs.contains { $0 != nil }
    if plan.cursor != nil {
      horizon = try statement.horizon(connection, clock: clock, database: address.database)
    }
    switch plan.range {
    case .full(let after):
      (isKeyOrdered, remembersPlace) = (true, true)
      if let after { position = after }
      sections.append((try statement.keyed(after: after, through: plan.through), true))
      if plan.through == nil, let unkeyed = statement.unkeyed() { sections.append((unkeyed, false)) }
    case .incremental(let above):
      (isKeyOrdered, remembersPlace) = (false, false)
      sections.append((try statement.changed(above: above), true))
    }
  }

  private static func startSnapshot(_ connection: MariaDBConnection) throws(ConnectorError) {
    do {
      try connection.run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    } catch {
      // Not every product that speaks this language knows both at once.
      guard error.code == "mariadb.1064" || error.code == "mariadb.1235" || error.code == "mariadb.8108" else {
        throw error
      }
      try connection.run("START TRANSACTION WITH CONSISTENT SNAPSHOT")
    }
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while let section = sections.first {
      let rows = try opened(section.sql)
      var isOver = false
      while !batch.isFull {
        guard try rows.next() else {
          isOver = true
          break
        }
        append(rows, to: batch)
      }
      if isOver {
        self.rows = nil
        sections.removeFirst()
      }
      if !batch.isEmpty {
        if section.hasKey, remembersPlace { position = place }
        return section.hasKey ? .rows : .rowsWithoutKey
      }
    }
    return .end
  }

  private func opened(_ sql: String) throws(ConnectorError) -> MariaDBRows {
    if let rows { return rows }
    let opened = try MariaDBRows(sql, connection)
    rows = opened
    return opened
  }

  @inline(__always)
  private func append(_ rows: MariaDBRows, to batch: RowBatch) {
    batch.beginRow(fields: fields.count)
    for index in fields.indices {
      guard let value = rows.bytes(index) else {
        batch.appendNull()
        continue
      }
      if hasProofs, let proof = proofs[index], rows.bytes(proof)?.first != 0x31 {
        batch.appendMalformed(.invalidText, value)
      } else {
        fields[index].append(value, to: batch)
      }
    }
    batch.endRow()
    batch.limitLastRow()
    if remembersPlace { keepPlace(rows) }
  }

  /// Before the next row takes this one away; into the same memory for every row.
  @inline(__always)
  private func keepPlace(_ rows: MariaDBRows) {
    place.removeAll(keepingCapacity: true)
    rows.appendPlace(places, to: &place)
  }

  var interrupter: @Sendable () -> Void { connection.interrupter }

  func close() {
    rows?.close()
    rows = nil
    connection.close()
  }
}

/// What the target holds, by batch: the plan's columns and then the batch.
final class MariaDBBackReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = false
  let position: [UInt8] = []
  private let rows: MariaDBRows
  private let fields: [MariaDBField]
  private var isOver = false

  init(_ rows: MariaDBRows, _ fields: [MariaDBField]) {
    self.rows = rows
    self.fields = fields
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while !isOver, !batch.isFull {
      guard try rows.next() else {
        isOver = true
        break
      }
      batch.beginRow(fields: fields.count)
      for index in fields.indices {
        if let value = rows.bytes(index) { fields[index].append(value, to: batch) } else { batch.appendNull() }
      }
      batch.endRow()
    }
    return batch.isEmpty ? .end : .rows
  }

  func close() { rows.close() }
}

/// Single batches on a connection of its own. The index on the batch is there from the start: rows are appended at its
/// end, so it costs little, and building it later would be a statement that commits whatever is under way.
final class MariaDBBatchReader: BatchReader {
  private let connection: MariaDBConnection
  private let target: MariaDBTarget

  init(_ plan: WritePlan, _ address: MariaDBAddress) throws(ConnectorError) {
    connection = try MariaDBConnection(address)
    target = MariaDBTarget(plan: plan, connection: connection)
  }

  func read(_ batch: Int64, in places: Range<Int64>) throws(ConnectorError) -> any RowReader {
    try target.readBack(batch...batch)
  }

  func close() { connection.close() }
}
