internal import GRDB
import GRDBSQLite
import Synchronization

/// Ends reads that take too long. SQLite asks after every few thousand steps of its machine, on the reader's own thread,
/// so a limit costs no timer and can never strike the next reader of the same connection.
final class ReadLimits: Sendable {
  /// One connection's limit. Touched only by the thread that is using the connection.
  final class Limit: @unchecked Sendable {
    fileprivate let allowed: Duration
    fileprivate var until: ContinuousClock.Instant?
    /// The read was ended by us and not by anything else that interrupts.
    private(set) var isReached = false

    fileprivate init(_ allowed: Duration) { self.allowed = allowed }

    fileprivate func begin() {
      isReached = false
      until = .now + allowed
    }

    func end() { until = nil }

    /// True when the time is up.
    func check() -> Bool {
      guard let until, ContinuousClock.now >= until else { return false }
      isReached = true
      return true
    }
  }

  private let allowed: Duration
  /// By connection. SQLite holds an unretained pointer to the limit, which lives here as long as the database.
  private let limits = Mutex<[UInt: Limit]>([:])

  init(_ allowed: Duration) { self.allowed = allowed }

  /// Once for each connection, when it is opened.
  func watch(_ database: GRDB.Database) {
    guard let connection = database.sqliteConnection else { return }
    let limit = Limit(allowed)
    // The address of a closed connection may come again: the old limit goes only when the new one is in force.
    sqlite3_progress_handler(
      connection, 5_000,
      { pointer in
        pointer.map { Unmanaged<Limit>.fromOpaque($0).takeUnretainedValue().check() ? 1 : 0 } ?? 0
      }, Unmanaged.passUnretained(limit).toOpaque())
    let key = UInt(bitPattern: connection)
    limits.withLock { $0[key] = limit }
  }

  func begin(_ database: GRDB.Database) -> Limit? {
    guard let connection = database.sqliteConnection else { return nil }
    let key = UInt(bitPattern: connection)
    let limit = limits.withLock { $0[key] }
    limit?.begin()
    return limit
  }
}
