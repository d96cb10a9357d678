import Foundation
package import Storage

/// Our own data in PostgreSQL 14 or newer, through libpq.
///
/// Each connection has a thread of its own, because libpq blocks. `write` is SERIALIZABLE and runs its body again after a
/// conflict; `read` is REPEATABLE READ, READ ONLY. The database must be UTF-8 with the C collation, so that both engines
/// sort alike; another is refused at the start.
package final class PostgresDatabase: Storage.Database {
  package let engine = Engine.postgres
  private let pool: ConnectionPool
  private let gate = WriteGate()
  private let beginRead: String

  /// `address` is a `postgres://` URI or libpq's `key=value` form; several hosts are tried in order. `longestWait`
  /// bounds the wait for a connection, `readTimeout` each statement of a read.
  ///
  /// Throws `.unavailable` when none answers and `.migration` when the database is of the wrong kind.
  package init(
    _ address: String, connections: Int = 8, longestWait: Duration = .seconds(30), readTimeout: Duration = .seconds(30)
  ) throws {
    let address = try PostgresAddress(address)
    let first = try PostgresConnection(address)
    let facts = try first.rows(
      """
      SELECT current_setting('server_encoding') AS encoding, current_setting('server_version_num') AS version,
        datcollate AS collation FROM pg_database WHERE datname = current_database()
      """)[0]
    let (encoding, collation) = (try facts.text("encoding"), try facts.text("collation"))
    guard encoding == "UTF8", ["C", "C.UTF-8", "C.utf8", "POSIX"].contains(collation) else {
      throw StorageError(
        .migration,
        """
        the database must be UTF8 with the C collation (it is \(encoding) with \(collation)); create it with \
        ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0
        """)
    }
    guard let version = Int(try facts.text("version")), version >= 140_000 else {
      throw StorageError(.migration, "PostgreSQL 14 or newer is needed")
    }
    let (seconds, attoseconds) = readTimeout.components
    let milliseconds = max(1, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    beginRead =
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = \(milliseconds)"
    pool = ConnectionPool(address: address, count: max(2, connections), longestWait: longestWait, first: first)
  }

  package func read<T: Sendable>(_ body: @escaping @Sendable (any Storage.Transaction) throws -> T) async throws -> T {
    try await pool.perform { [beginRead] connection in try connection.transaction(beginRead, isReading: true, body) }
  }

  package func write<T: Sendable>(
    _ isolation: Isolation, _ body: @escaping @Sendable (any Storage.Transaction) throws -> T
  ) async throws -> T {
    let begin =
      isolation == .serializable
      ? "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE" : "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
    return try await WriteWitness.watching {
      try await pool.perform { [gate] connection in
        var attempt = 0
        while true {
          do {
            return try gate.pass(alone: attempt >= Self.patience) { try connection.transaction(begin, body) }
          } catch let error as StorageError where error.code == .conflict && attempt < Self.retries {
            attempt += 1
            // Up to 2, 4, 8 … 256 ms, by chance, so that those who collided do not collide again.
            usleep(UInt32.random(in: 0...(1000 << UInt32(min(attempt, 8)))))
          }
        }
      }
    }
  }

  package func close() async { await pool.close() }

  /// A body is run again so many times after a conflict before the caller hears of it.
  private static let retries = 30
  /// After so many conflicts a writer is let through alone.
  private static let patience = 4
}
