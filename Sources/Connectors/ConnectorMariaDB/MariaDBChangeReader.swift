import Connecting
import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Follows one table through the server's log (binlog), transaction by transaction in the order of commits.
///
/// A place in the log may lie within a transaction: the server sends it again from its beginning, in the same order, and
/// what was given before is left out.
final class MariaDBChangeReader: ChangeReader {
  private(set) var committedAt: Instant?
  var position: [UInt8] { place.bytes }
  var interrupter: @Sendable () -> Void { interruptions.interrupter }

  /// The transaction being read.
  private struct Transaction {
    var head: MariaDBTransactionHead
    /// Where it begins in the log's file.
    var start: UInt64
    /// How many changes came, and how many of them were given by an earlier reader.
    var seen: UInt64 = 0
    var given: UInt64
    /// How many of its changes are in the batch that is being filled.
    var inBatch = 0
    /// Of one that is prepared: it has rows of the table.
    var isConcerned = false
  }

  private let plan: ChangePlan
  private let address: MariaDBAddress
  private let table: (database: String, name: String)
  /// For questions beside the log.
  private let control: MariaDBConnection
  private let conditions: MariaDBLogConditions
  private let statements: MariaDBLoggedStatement
  private let decoder: MariaDBChangeDecoder
  private let log: MariaDBLog
  private let interruptions = MariaDBInterruptions()
  private var place: MariaDBPlace
  private var file = ""
  private var transaction: Transaction?
  /// Of the transaction's tables that are the one followed.
  private var shapes: [UInt64: MariaDBChangeDecoder.Shape] = [:]
  private var rows: MariaDBRowCursor?
  /// A prepared transaction, read again where it stands, and the event that commits it.
  private var prepared: (log: MariaDBLog, end: MariaDBLogEvent)?
  /// Behind the last transaction that had changes.
  private var told = MariaDBPlace.nowhere
  /// Up to where the tables were seen to be as far as the log.
  private var visible: MariaDBSpot
  private var failure: ConnectorError?
  private let scratch = RowBatch(capacity: RowBatch.smallest)
  private let before = RowBatch(capacity: RowBatch.smallest)

  private static let longestInvisible = Duration.seconds(60)

  init(_ plan: ChangePlan, after position: [UInt8]?, _ address: MariaDBAddress) throws(ConnectorError) {
    (self.plan, self.address) = (plan, address)
    table = (plan.table.schema ?? address.database, plan.table.name)
    control = try MariaDBConnection(address)
    conditions = MariaDBLogConditions(plan: plan, connection: control)
    try conditions.check()
    let server = try control.run("SELECT @@server_id")[0][0].flatMap { UInt32($0) } ?? 0
    if let position {
      guard let stored = MariaDBPlace(position) else { throw .changesLost }
      place = try Self.goOn(stored, server, control)
      visible = MariaDBPlace.nowhere
    } else {
      // What the tables show now, and not how far the log is: see `MariaDBLogConditions.visible`.
      visible = try MariaDBLogConditions.visible(control)
      guard let state = try MariaDBLogConditions.state(at: visible, control) else { throw MariaDBConnection.broken }
      place = MariaDBPlace(server: server, state: state, end: visible)
    }
    statements = MariaDBLoggedStatement(
      database: table.database, table: table.name, columns: plan.columns.map(\.name), foldsNames: control.foldsNames)
    decoder = MariaDBChangeDecoder(plan, try MariaDBTextConversion(control), zone: address.zone)
    log = try MariaDBLog(address, .after(place.state), server: Self.server(of: plan.stream))
    interruptions.add(log.interrupter)
    interruptions.add(control.interrupter)
  }

  /// The place of a stored position, if the server's log is still the one it was taken from.
  private static func goOn(
    _ stored: MariaDBPlace, _ server: UInt32, _ control: MariaDBConnection
  ) throws(ConnectorError) -> MariaDBPlace {
    guard stored.server == server else {
      // Another server has taken over: transactions have the same names there, and other places.
      guard stored.within == nil, stored.prepared.allSatisfy({ $0.found == nil }) else { throw .changesLost }
      var moved = stored
      (moved.server, moved.end) = (server, MariaDBPlace.nowhere)
      return moved
    }
    guard stored.end != MariaDBPlace.nowhere else { return stored }
    if let state = try MariaDBLogConditions.state(at: stored.end, control) {
      guard state == stored.state else { throw .changesLost }
      return stored
    }
    // The file was removed, which the server judges by what is missing; or there is a new log with lower numbers.
    let first = try control.run("SHOW BINARY LOGS").first?[0] ?? ""
    guard let number = MariaDBSpot.number(of: first), number > stored.end.number else { throw .changesLost }
    return stored
  }

  /// The number by which the server knows who reads its log. It ends an earlier reader of the same number: one of ours
  /// that was cut off. A real replica of that number would suffer the same, so it is taken from where none is: replicas
  /// have small numbers, or their address as one, and these would be addresses of class E, which no machine has.
  static func server(of stream: String) -> UInt32 {
    let hash = stream.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    return 0xF000_0000 | (hash ^ hash >> 28) & 0x0FFF_FFFF
  }

  // MARK: Reading

  func read(into batch: ChangeBatch, within limit: Duration) throws(ConnectorError) -> ChangeOutcome {
    batch.removeAll()
    transaction?.inBatch = 0
    if let failure { throw failure }
    let outcome = fill(batch, until: .now + limit)
    if batch.isEmpty {
      if let failure { throw failure }
    } else {
      try waitUntilVisible()
    }
    return outcome
  }

  /// What came before a failure is given first.
  private func fill(_ batch: ChangeBatch, until deadline: ContinuousClock.Instant) -> ChangeOutcome {
    do {
      while !batch.isFull {
        if rows != nil {
          try takeRow(batch)
          continue
        }
        // What comes as one transaction is given as one where it fits.
        let isWhole = !batch.isEmpty && transaction == nil
        let event = try (prepared?.log ?? log).next(within: isWhole ? .zero : deadline - .now)
        guard let event else { return .caughtUp }
        if prepared == nil { try take(event, batch) } else { try takePrepared(event) }
      }
    } catch {
      failure = error
    }
    return .more
  }

  private func take(_ event: MariaDBLogEvent, _ batch: ChangeBatch) throws(ConnectorError) {
    switch event.kind {
    case .file(let name): file = name
    case .begin(let head):
      shapes.removeAll()
      let isFirst = place.within != nil
      guard !isFirst || place.within == head.transaction else { throw .changesLost }
      transaction = Transaction(
        head: head, start: event.end - min(event.end, event.length), given: isFirst ? place.changes : 0)
    case .table(let description): try takeTable(description)
    case .rows(let rows): takeRows(rows)
    case .statement(let database, let text): try takeStatement(text, database, event, batch)
    case .commit: finish(event)
    case .prepared: try prepare(event)
    case .other: if transaction == nil { advance(event.end) }
    }
  }

  private func takeTable(_ description: [UInt8]) throws(ConnectorError) {
    let head = try MariaDBTableMap.head(description)
    shapes[head.id] = isOurs(head.database, head.table) ? try decoder.shape(of: description) : nil
  }

  private func isOurs(_ database: String, _ name: String) -> Bool {
    guard control.foldsNames else { return database == table.database && name == table.name }
    return database.lowercased() == table.database.lowercased() && name.lowercased() == table.name.lowercased()
  }

  private func takeRows(_ logged: MariaDBLoggedRows) {
    guard let shape = shapes[logged.table] else { return }
    if prepared == nil, transaction?.head.isPrepared ?? false {
      transaction?.isConcerned = true
    } else {
      rows = MariaDBRowCursor(logged, shape)
    }
  }

  private func finish(_ event: MariaDBLogEvent) {
    guard let done = transaction else { return }
    transaction = nil
    shapes.removeAll()
    place.state.last[done.head.transaction.domain] = done.head.transaction
    (place.within, place.changes) = (nil, 0)
    advance(event.end)
    guard done.seen > 0 else { return }
    committedAt = Instant(milliseconds: Int64(event.time) * 1000)
    told = MariaDBSpot(file: file, offset: event.end)
  }

  /// Never back: a log that is sent again begins ahead of what was read of it.
  private func advance(_ offset: UInt64) {
    let spot = MariaDBSpot(file: file, offset: offset)
    if offset > 0, spot > place.end { place.end = spot }
  }

  // MARK: Rows

  private func takeRow(_ batch: ChangeBatch) throws(ConnectorError) {
    guard let cursor = rows, transaction != nil else { throw MariaDBLogEvent.unreadable }
    guard !cursor.isAtEnd else {
      rows = nil
      return
    }
    var end = try decoder.scan(cursor.data, cursor.at, cursor.shape, present: cursor.present)
    scratch.removeAll()
    switch cursor.change {
    case .insert, .delete:
      try decoder.append(cursor.data, cursor.shape, keyOnly: cursor.change == .delete, to: scratch)
      scratch.endRow()
      give(scratch.row(0), cursor.change == .insert ? .insert : .delete, batch)
    case .update:
      before.removeAll()
      try decoder.append(cursor.data, cursor.shape, keyOnly: true, to: before)
      before.endRow()
      end = try decoder.scan(cursor.data, end, cursor.shape, present: cursor.presentAfter)
      try decoder.append(cursor.data, cursor.shape, keyOnly: false, to: scratch)
      scratch.endRow()
      let (old, new) = (before.row(0), scratch.row(0))
      if KeyBytes.encode(old, key: plan.key) != KeyBytes.encode(new, key: plan.key) { give(old, .delete, batch) }
      give(new, .upsert, batch)
    }
    cursor.at = end
  }

  /// Unless an earlier reader gave it.
  private func give(_ row: UnsafeRawBufferPointer, _ kind: ChangeKind, _ batch: ChangeBatch) {
    guard var current = transaction else { return }
    current.seen += 1
    transaction = current
    guard current.seen > current.given else { return }
    (place.within, place.changes) = (current.head.transaction, current.seen)
    batch.append(row, kind)
    transaction?.inBatch += 1
  }

  // MARK: Statements

  private func takeStatement(
    _ text: String, _ database: String, _ event: MariaDBLogEvent, _ batch: ChangeBatch
  ) throws(ConnectorError) {
    guard let current = transaction else { throw MariaDBLogEvent.unreadable }
    switch statements.meaning(text, in: database) {
    case .nothing: break
    case .commit: return finish(event)
    case .rollback:
      // The server writes down what was undone where a temporary table was made or dropped beside it.
      guard current.given == 0, current.seen <= UInt64(current.inBatch) else { throw .changesLost }
      batch.removeLast(current.inBatch)
      transaction?.seen = 0
      return finish(event)
    case .undo: guard current.seen == 0 else { throw .changesLost }
    case .truncate:
      scratch.removeAll()
      scratch.beginRow(fields: plan.columns.count)
      for _ in plan.columns { scratch.appendNull() }
      scratch.endRow()
      give(scratch.row(0), .truncate, batch)
    case .reshape: try conditions.check()
    case .rewrite:
      // What is wrong with the table now is said rather than that it has to be read again.
      try conditions.check()
      throw .changesLost
    case .commitPrepared: return try commitPrepared(current, event)
    case .rollbackPrepared:
      place.prepared.removeAll { $0.name == current.head.name }
      return finish(event)
    }
    if current.head.isStatement { finish(event) }
  }

  // MARK: Prepared transactions (XA)

  private func prepare(_ event: MariaDBLogEvent) throws(ConnectorError) {
    guard let current = transaction, current.head.isPrepared else { throw MariaDBLogEvent.unreadable }
    let found = MariaDBPlace.Prepared.Found(
      transaction: current.head.transaction, spot: MariaDBSpot(file: file, offset: current.start))
    place.prepared.removeAll { $0.name == current.head.name }
    place.prepared.append(.init(name: current.head.name, found: current.isConcerned ? found : nil))
    // What is not remembered is looked for.
    while place.prepared.count > MariaDBPlace.mostPrepared { place.prepared.removeFirst() }
    finish(event)
  }

  private func commitPrepared(_ current: Transaction, _ event: MariaDBLogEvent) throws(ConnectorError) {
    let remembered = place.prepared.first { $0.name == current.head.name }
    place.prepared.removeAll { $0.name == current.head.name }
    var found = remembered?.found?.spot
    if remembered == nil { found = try find(current) }
    guard let found else { return finish(event) }
    let again = try logBeside(.at(found))
    prepared = (again, event)
  }

  /// By a number of its own: one reader of the log ends the other of the same.
  private func logBeside(_ start: MariaDBLog.Start) throws(ConnectorError) -> MariaDBLog {
    let log = try MariaDBLog(address, start, server: Self.server(of: plan.stream + " prepared"))
    interruptions.add(log.interrupter)
    return log
  }

  /// Where a transaction was prepared that the stream did not see, because it began later: before its commit, in this file
  /// of the log or an earlier one. Nil where it has no rows of the table.
  private func find(_ wanted: Transaction) throws(ConnectorError) -> MariaDBSpot? {
    let files = try control.run("SHOW BINARY LOGS").compactMap { $0[0] }
    var end = MariaDBSpot(file: file, offset: wanted.start)
    for name in files.reversed() where MariaDBSpot(file: name, offset: 0) < end {
      let log = try logBeside(.at(MariaDBSpot(file: name, offset: 4)))
      defer { log.close() }
      var (current, found): (MariaDBSpot, MariaDBSpot?) = (MariaDBSpot(file: name, offset: 0), nil)
      var (isInside, isConcerned) = (false, false)
      while current < end {
        guard let event = try log.next(within: .seconds(60)) else { throw MariaDBConnection.broken }
        if event.end > 0 { current.offset = event.end }
        switch event.kind {
        case .file(let next): if next != name { current = end }
        case .begin(let head):
          isInside = head.isPrepared && head.name == wanted.head.name
          if isInside { (found, isConcerned) = (MariaDBSpot(file: name, offset: event.end - event.length), false) }
        case .table(let description) where isInside:
          let head = try MariaDBTableMap.head(description)
          if isOurs(head.database, head.table) { isConcerned = true }
        default: break
        }
      }
      if let found { return isConcerned ? found : nil }
      end = MariaDBSpot(file: name, offset: 0)
    }
    throw .changesLost
  }

  private func takePrepared(_ event: MariaDBLogEvent) throws(ConnectorError) {
    guard let (again, end) = prepared, let current = transaction else { throw MariaDBLogEvent.unreadable }
    switch event.kind {
    case .begin(let head):
      guard head.isPrepared, head.name == current.head.name else { throw .changesLost }
    case .table(let description): try takeTable(description)
    case .rows(let rows): takeRows(rows)
    case .prepared:
      again.close()
      prepared = nil
      place.prepared.removeAll { $0.name == current.head.name }
      finish(end)
    case .commit: throw MariaDBLogEvent.unreadable
    case .file, .statement, .other: break
    }
  }

  // MARK: Positions

  /// A change is passed on once a reading of its table can see it: whoever reads the table after it must not find what was
  /// there before.
  private func waitUntilVisible() throws(ConnectorError) {
    var wanted = told
    // Once the tables are beyond the beginning of a transaction, they have all of it.
    if let current = transaction, current.seen > 0 {
      wanted = max(wanted, MariaDBSpot(file: file, offset: current.start + 1))
    }
    let begun = ContinuousClock.now
    while visible < wanted {
      visible = try MariaDBLogConditions.visible(control)
      if visible >= wanted { break }
      guard ContinuousClock.now - begun < Self.longestInvisible else { throw MariaDBConnection.broken }
      usleep(2000)
    }
  }

  /// Nothing is kept for a stream.
  func confirm(_ position: [UInt8]) {}

  func mark() throws(ConnectorError) -> [UInt8] {
    MariaDBPlace(server: place.server, state: MariaDBGTIDState(), end: try MariaDBLogConditions.end(control)).bytes
  }

  func hasPassed(_ mark: [UInt8]) -> Bool { MariaDBPlace(mark).map { place.end >= $0.end } ?? false }

  func close() {
    prepared?.log.close()
    prepared = nil
    log.close()
    control.close()
  }
}

/// The rows of one event, and how far they were taken.
private final class MariaDBRowCursor {
  let change: MariaDBLoggedRows.Change
  let shape: MariaDBChangeDecoder.Shape
  let present: [UInt8]
  let presentAfter: [UInt8]
  let data: UnsafeRawBufferPointer
  var at = 0

  var isAtEnd: Bool { at >= data.count }

  init(_ rows: MariaDBLoggedRows, _ shape: MariaDBChangeDecoder.Shape) {
    (change, self.shape, present, presentAfter) = (rows.change, shape, rows.present, rows.presentAfter)
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: rows.data.count, alignment: 8)
    copy.copyBytes(from: rows.data)
    data = UnsafeRawBufferPointer(copy)
  }

  deinit { data.deallocate() }
}

/// Cuts every connection of a reader, also those that it opens later.
private final class MariaDBInterruptions: Sendable {
  private let state = Monitor<(isCut: Bool, ends: [@Sendable () -> Void])>((false, []))

  func add(_ end: @escaping @Sendable () -> Void) {
    let isCut = state.change { state in
      state.ends.append(end)
      return state.isCut
    }
    if isCut { end() }
  }

  var interrupter: @Sendable () -> Void {
    { [state] in
      let ends = state.change { state in
        state.isCut = true
        return state.ends
      }
      for end in ends { end() }
    }
  }
}
