import CLibPQ
import Connecting
import Kernel

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Follows one table through a logical replication slot (pgoutput), transaction by transaction in the order of commits.
///
/// A place in the log may lie within a transaction: the server sends a transaction again from its beginning, in the same
/// order, and what was given before is left out.
final class PostgreSQLChangeReader: ChangeReader {
  private(set) var committedAt: Instant?
  var position: [UInt8] { place.bytes }
  var interrupter: @Sendable () -> Void {
    { [log = connection.interrupter, questions = control.interrupter] in
      log()
      questions()
    }
  }

  private let connection: PostgreSQLConnection
  /// For questions beside the stream.
  private let control: PostgreSQLConnection
  private let plan: ChangePlan
  private let slot: PostgreSQLSlot
  /// What the publication publishes: the table that this stream began with, whatever bears its name by now.
  private let table: PostgreSQLFollowedTable
  private var decoder: PostgreSQLChangeDecoder
  private var place: PostgreSQLPlace
  private var types = PostgreSQLTypes()
  private var nextCheck: ContinuousClock.Instant
  /// At the last check nothing bore the table's name.
  private var wasMissing = false
  private var isInTransaction = false
  /// Of the transaction being read: how many changes came, and how many of them were given by an earlier reader.
  private var seen: UInt64 = 0
  private var given: UInt64 = 0

  /// How often it is asked whether the followed table is still the one of that name: a table that was dropped or renamed says
  /// nothing in the log.
  static let checkEvery = Duration.seconds(3)

  init(_ plan: ChangePlan, after position: [UInt8]?, _ address: PostgreSQLAddress) throws(ConnectorError) {
    self.plan = plan
    let name = TableName(schema: plan.table.schema ?? "public", plan.table.name)
    control = try PostgreSQLConnection(address)
    slot = PostgreSQLSlot(stream: plan.stream)
    if let position {
      guard let stored = PostgreSQLPlace(position), let backlog = try slot.backlog(control), !backlog.isLost else {
        throw .changesLost
      }
      guard backlog.retained <= plan.mostRetained else {
        try slot.drop(control)
        throw .changesLost
      }
      // A slot of this name that was made later, or told to go on from further: the server would begin there and say nothing.
      guard let confirmed = try slot.confirmed(control), confirmed.end <= stored.end else { throw .changesLost }
      guard case .followed(let found) = try slot.published(name, control) else {
        // What is wrong with the table now is said rather than that it has to be read again.
        _ = try PostgreSQLTable.read(name, control)
        throw .changesLost
      }
      guard stored.table == 0 || stored.table == found.number else { throw .changesLost }
      (place, table) = (stored, found)
    } else {
      try slot.create(plan, control)
      guard let start = try slot.confirmed(control), case .followed(let found) = try slot.published(name, control)
      else {
        throw PostgreSQLSlot.begunTwice
      }
      (place, table) = (start, found)
    }
    place.table = table.number
    given = place.changes
    nextCheck = .now + Self.checkEvery
    decoder = PostgreSQLChangeDecoder(plan, zone: address.zone)
    connection = try PostgreSQLConnection(address, replicates: true)
    let binary = connection.serverVersion >= 14_00_00 ? ", \"binary\" 'true'" : ""
    do {
      try connection.startCopy(
        """
        START_REPLICATION SLOT "\(slot.name)" LOGICAL \(place.written) ("proto_version" '1', \
        "publication_names" '\(slot.name)'\(binary))
        """)
    } catch  where error.code == "postgresql.42704" || error.code == "postgresql.55000" {
      // What was made a moment ago is not lost: another worker has made its own in its place.
      throw position == nil ? PostgreSQLSlot.begunTwice : .changesLost
    }
  }

  /// Throws where the table of this name is not the one that is followed: what happens to it is in no log that we read.
  private func checkTable() throws(ConnectorError) {
    nextCheck = .now + Self.checkEvery
    switch try slot.published(table.name, control) {
    case .followed(let found):
      guard found == table else { throw .changesLost }
      wasMissing = false
    case .other: throw .changesLost
    case .missing:
      // Between the two steps of an exchange nothing bears the name.
      if wasMissing { _ = try PostgreSQLTable.read(table.name, control) }
      wasMissing = true
    }
  }

  // MARK: Reading

  func read(into batch: ChangeBatch, within limit: Duration) throws(ConnectorError) -> ChangeOutcome {
    batch.removeAll()
    let now = ContinuousClock.now
    if now >= nextCheck { try checkTable() }
    let deadline = now + limit
    while !batch.isFull {
      guard let message = try connection.nextStreamed() else {
        // What comes as one transaction is given as one where it fits.
        if !batch.isEmpty, !isInTransaction { return .caughtUp }
        guard ContinuousClock.now < deadline else { return .caughtUp }
        try connection.waitForInput(until: deadline)
        continue
      }
      defer { PQfreemem(UnsafeMutableRawPointer(mutating: message.baseAddress)) }
      switch message.first {
      case UInt8(ascii: "w"):
        guard message.count > 25 else { throw PostgreSQLChangeDecoder.unreadable }
        try take(UnsafeRawBufferPointer(rebasing: message[25...]), batch)
      case UInt8(ascii: "k"): try keepAlive(message)
      default: throw PostgreSQLChangeDecoder.unreadable
      }
    }
    return .more
  }

  /// Nothing of ours up to there: the source may forget it as if it had been read.
  private func keepAlive(_ message: UnsafeRawBufferPointer) throws(ConnectorError) {
    guard message.count >= 18 else { throw PostgreSQLChangeDecoder.unreadable }
    let end = Self.word(message, 1)
    if !isInTransaction, end > place.end { place = PostgreSQLPlace(end: end, table: table.number) }
    if message[17] != 0 { try sendStatus(flushed: confirmed) }
  }

  private func take(_ message: UnsafeRawBufferPointer, _ batch: ChangeBatch) throws(ConnectorError) {
    switch message.first {
    case UInt8(ascii: "B"):
      isInTransaction = true
      seen = 0
    case UInt8(ascii: "C"):
      guard message.count >= 26 else { throw PostgreSQLChangeDecoder.unreadable }
      isInTransaction = false
      place = PostgreSQLPlace(end: Self.word(message, 10), table: table.number)
      given = 0
      committedAt = Instant(milliseconds: Int64(bitPattern: Self.word(message, 18)) / 1000 + 946_684_800_000)
    case UInt8(ascii: "R"): try describe(message)
    case UInt8(ascii: "I"):
      // I, relation, N, tuple.
      try emit(.insert, message, 6, batch)
    case UInt8(ascii: "U"): try update(message, batch)
    case UInt8(ascii: "D"): try emit(.delete, message, 6, batch)
    case UInt8(ascii: "T"): try truncate(batch)
    default: return
    }
  }

  private func update(_ message: UnsafeRawBufferPointer, _ batch: ChangeBatch) throws(ConnectorError) {
    guard message.count > 6 else { throw PostgreSQLChangeDecoder.unreadable }
    guard message[5] != UInt8(ascii: "N") else { return try emit(.upsert, message, 6, batch) }
    let old = try decoder.key(message, 6)
    let end = try PostgreSQLChangeReader.skip(message, 6)
    guard message[end] == UInt8(ascii: "N") else { throw PostgreSQLChangeDecoder.unreadable }
    if try decoder.key(message, end + 1) != old { try emit(.delete, message, 6, batch) }
    try emit(.upsert, message, end + 1, old: message[5] == UInt8(ascii: "O") ? 6 : nil, batch)
  }

  private func emit(
    _ kind: ChangeKind, _ message: UnsafeRawBufferPointer, _ at: Int, old: Int? = nil, _ batch: ChangeBatch
  ) throws(ConnectorError) {
    guard isNew() else { return }
    _ = try decoder.append(message, at, keyOnly: kind == .delete, old: old, to: batch.rows)
    batch.endRow(kind)
  }

  private func truncate(_ batch: ChangeBatch) throws(ConnectorError) {
    guard isNew() else { return }
    batch.rows.beginRow(fields: plan.columns.count)
    for _ in plan.columns { batch.rows.appendNull() }
    batch.endRow(.truncate)
  }

  /// False for a change that an earlier reader gave.
  private func isNew() -> Bool {
    seen += 1
    guard seen > given else { return false }
    place.changes = seen
    return true
  }

  /// The relation as the following tuples have it. Another shape than was agreed ends the stream here; so does another
  /// name, for what is read under ours is then another table.
  private func describe(_ message: UnsafeRawBufferPointer) throws(ConnectorError) {
    let relation = try PostgreSQLRelation(message)
    guard relation.number == table.number, relation.name == table.name else { throw .changesLost }
    var columns: [(name: String, type: PostgreSQLTypes.Known)] = []
    for column in relation.columns { columns.append((column.name, try types.of(column.type, control))) }
    try decoder.describe(columns)
  }

  // MARK: Positions

  private var confirmed: UInt64 = 0

  func confirm(_ position: [UInt8]) throws(ConnectorError) {
    guard let kept = PostgreSQLPlace(position), kept.end > confirmed else { return }
    confirmed = kept.end
    try sendStatus(flushed: kept.end)
  }

  func mark() throws(ConnectorError) -> [UInt8] {
    try checkTable()
    // The server sends its log as far as it lies on its disk. What stands behind the last commit (pruning, a message) may
    // stay in its memory for a quarter of a minute on a quiet server: a commit of our own brings everything before it there.
    var place = "pg_current_wal_flush_lsn()"
    do {
      try control.run("SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'sanjiang', '')")
    } catch  where error.code == "postgresql.25006" || error.code == "postgresql.42501" {
      place = "pg_current_wal_insert_lsn()"
    }
    let written = try control.run("SELECT \(place)::text")[0][0] ?? ""
    guard let now = PostgreSQLPlace(written: written) else { throw PostgreSQLChangeDecoder.unreadable }
    try sendStatus(flushed: confirmed, asksReply: true)
    return now.bytes
  }

  func hasPassed(_ mark: [UInt8]) -> Bool {
    guard let wanted = PostgreSQLPlace(mark) else { return false }
    if place.end >= wanted.end { return true }
    // Nothing may be written there for a while; the server says how far it is when it is asked.
    try? sendStatus(flushed: confirmed, asksReply: true)
    return false
  }

  private func sendStatus(flushed: UInt64, asksReply: Bool = false) throws(ConnectorError) {
    var status: [UInt8] = [UInt8(ascii: "r")]
    for word in [max(place.end, flushed), flushed, flushed, 0] {
      status += withUnsafeBytes(of: word.bigEndian) { [UInt8]($0) }
    }
    status.append(asksReply ? 1 : 0)
    // Not through `withUnsafeBytes`: it would lose the error's type.
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: status.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: status)
    try connection.put(UnsafeRawBufferPointer(copy))
    try connection.flushOutput()
  }

  func close() {
    connection.close()
    control.close()
  }

  private static func word(_ message: UnsafeRawBufferPointer, _ at: Int) -> UInt64 {
    UInt64(bigEndian: message.loadUnaligned(fromByteOffset: at, as: UInt64.self))
  }

  /// Where a tuple ends.
  private static func skip(_ message: UnsafeRawBufferPointer, _ start: Int) throws(ConnectorError) -> Int {
    guard start + 2 <= message.count else { throw PostgreSQLChangeDecoder.unreadable }
    let count = Int(Int16(bigEndian: message.loadUnaligned(fromByteOffset: start, as: Int16.self)))
    var at = start + 2
    for _ in 0..<count {
      guard at < message.count else { throw PostgreSQLChangeDecoder.unreadable }
      let kind = message[at]
      at += 1
      guard kind == UInt8(ascii: "t") || kind == UInt8(ascii: "b") else { continue }
      guard at + 4 <= message.count else { throw PostgreSQLChangeDecoder.unreadable }
      at += 4 + Int(Int32(bigEndian: message.loadUnaligned(fromByteOffset: at, as: Int32.self)))
    }
    guard at < message.count else { throw PostgreSQLChangeDecoder.unreadable }
    return at
  }
}
