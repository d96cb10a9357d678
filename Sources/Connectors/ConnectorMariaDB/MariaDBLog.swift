import CMariaDB
import Connecting
import Kernel

/// A server's log as it is written, event by event.
///
/// The library asks for it; a thread of its own waits for what comes and fills a bounded queue: no call of the
/// library's waits for a limited time, and its buffers (and those of encryption) hide from the socket what has come already. What nobody takes stays at
/// the server.
final class MariaDBLog: Sendable {
  enum Start {
    /// What follows these transactions.
    case after(MariaDBGTIDState)
    /// From this event on.
    case at(MariaDBSpot)
  }

  private struct Queue {
    var events: [MariaDBLogEvent] = []
    var taken = 0
    var bytes = 0
    var failure: ConnectorError?
    var isClosed = false
    var isGone = false
  }

  private static let mostQueued = 2 << 20
  private static let longestStart = Duration.seconds(120)

  let interrupter: @Sendable () -> Void
  private let queue = Monitor(Queue())

  init(_ address: MariaDBAddress, _ start: Start, server: UInt32) throws(ConnectorError) {
    let connection = try MariaDBConnection(address, .following)
    interrupter = connection.interrupter
    var settings = [
      // All events as they are, with their transactions' names and the checksums that stand in the file.
      "@mariadb_slave_capability = 4", "@master_binlog_checksum = @@global.binlog_checksum",
      "@master_heartbeat_period = \(MariaDBConnection.heartbeat)000000000",
    ]
    if case .after(let state) = start {
      settings += [
        "@slave_connect_state = \(MariaDBQuote.text(state.written))", "@slave_gtid_strict_mode = 1",
        "@slave_gtid_ignore_duplicates = 0",
      ]
    }
    try connection.run("SET " + settings.joined(separator: ", "))
    guard let handle = connection.handle, let log = sj_mysql_log(handle) else { throw MariaDBConnection.broken }
    var isReady = sj_mysql_log_option(log, MARIADB_RPL_SERVER_ID, server) == 0
    isReady = sj_mysql_log_option(log, MARIADB_RPL_FLAGS, 0) == 0 && isReady
    if case .at(let spot) = start {
      isReady = sj_mysql_log_file(log, spot.file, spot.file.utf8.count) == 0 && isReady
      isReady = sj_mysql_log_start(log, UInt(spot.offset)) == 0 && isReady
    } else {
      isReady = sj_mysql_log_start(log, 4) == 0 && isReady
    }
    let isOpen = isReady && mariadb_rpl_open(log) == 0
    let failure = isOpen ? nil : Self.failure(handle)
    mariadb_rpl_close(log)
    if let failure {
      connection.close()
      throw failure
    }
    // From here on it is the thread's alone.
    nonisolated(unsafe) let own = connection
    let queue = queue
    BlockingThread.start { Self.fetch(own, into: queue) }
    try waitForStart()
  }

  /// The server refuses a start before it sends anything of the log's.
  private func waitForStart() throws(ConnectorError) {
    let failure = queue.wait(within: Self.longestStart) { queue -> ConnectorError?? in
      if queue.events.count >= 2 { return .some(nil) }
      return queue.failure.map { .some($0) }
    }
    guard let failure else {
      close()
      throw MariaDBConnection.broken
    }
    if let failure {
      close()
      throw failure
    }
  }

  private static func fetch(_ connection: MariaDBConnection, into queue: Monitor<Queue>) {
    var format = MariaDBLogFormat()
    var failure: ConnectorError?
    do {
      var isClosed = false
      while !isClosed, let message = try next(connection.handle) {
        let event = try format.event(message)
        isClosed = queue.wait { queue -> Bool? in
          if queue.isClosed { return true }
          guard queue.bytes < Self.mostQueued else { return nil }
          queue.events.append(event)
          queue.bytes += event.byteCount
          return false
        }
      }
    } catch {
      failure = error
    }
    connection.close()
    queue.change { queue in
      // A log has no end: the server, or the reader, has left.
      queue.failure = failure ?? MariaDBConnection.broken
      queue.isGone = true
    }
  }

  /// One event as it was sent; nil when the server ends the log. Good until the next is read.
  private static func next(
    _ handle: UnsafeMutablePointer<MYSQL>?
  ) throws(ConnectorError) -> UnsafeRawBufferPointer? {
    guard let handle else { throw MariaDBConnection.broken }
    let count = mysql_net_read_packet(handle)
    // The library's word for an error, that of a broken connection or the server's.
    guard count != UInt.max, count != UInt(UInt32.max), let start = handle.pointee.net.read_pos, count > 0 else {
      throw failure(handle)
    }
    if start[0] == 0xFE, count < 9 { return nil }
    guard start[0] == 0 else { throw MariaDBLogEvent.unreadable }
    return UnsafeRawBufferPointer(start: start + 1, count: Int(count) - 1)
  }

  /// Nil when none came within the limit.
  func next(within limit: Duration) throws(ConnectorError) -> MariaDBLogEvent? {
    let found = queue.wait(within: limit) { queue -> Result<MariaDBLogEvent, ConnectorError>? in
      guard queue.taken < queue.events.count else { return queue.failure.map { .failure($0) } }
      let event = queue.events[queue.taken]
      queue.events[queue.taken].kind = .other
      queue.taken += 1
      queue.bytes -= event.byteCount
      // Taken ones go in one move.
      if queue.taken == queue.events.count || queue.taken >= 1024 {
        queue.events.removeFirst(queue.taken)
        queue.taken = 0
      }
      return .success(event)
    }
    switch found {
    case .success(let event): return event
    case .failure(let error): throw error
    case nil: return nil
    }
  }

  /// Returns when the thread is gone, and the connection with it.
  func close() {
    queue.change { $0.isClosed = true }
    interrupter()
    queue.wait { $0.isGone ? () : nil }
  }

  // MARK: Errors

  private static func failure(_ handle: UnsafeMutablePointer<MYSQL>?) -> ConnectorError {
    guard let handle else { return MariaDBConnection.broken }
    return failure(
      mysql_errno(handle), state: String(cString: mysql_sqlstate(handle)), said: String(cString: mysql_error(handle)))
  }

  /// What the server, or the library, says when nothing more comes.
  static func failure(_ number: UInt32, state: String, said: String) -> ConnectorError {
    switch number {
    case 1227: return MariaDBLogConditions.rightMissing
    case 1236: return refusal(said)
    // Another reader of the same number has come.
    case 4052: return MariaDBConnection.broken
    default: return MariaDBConnection.error(number, state: state, said: said)
    }
  }

  /// The server says by words alone why it cannot send its log. They name files and places, and no values.
  private static func refusal(_ said: String) -> ConnectorError {
    let lost = ["GTID", "purged", "Could not find first log", "impossible position", "not in the master's binlog"]
    if lost.contains(where: { said.contains($0) }) { return .changesLost }
    if said.contains("max_allowed_packet") { return MariaDBConnection.error(1153, state: "", said: "") }
    let isBroken = ["crc", "checksum", "bogus", "corrupt"].contains { said.lowercased().contains($0) }
    return ConnectorError(
      isBroken ? .permanent : .retryable, "mariadb.1236",
      Text("源数据库不能发送变更日志：\(said)", "The source cannot send its change log: \(said)"))
  }
}
