internal import GRDB
package import Storage
import Synchronization

/// Our own data in one SQLite file: WAL, `synchronous=FULL`, foreign keys on.
///
/// Writers share a commit: while one transaction is being made durable, those that arrive wait together, and the next
/// transaction runs each of their closures in a savepoint of its own and ends them all with one fsync. A closure that
/// throws undoes only itself.
package final class SQLiteDatabase: Storage.Database {
  package let engine = Engine.sqlite
  private let pool: DatabasePool
  private let queue: WriteQueue

  /// Opens or makes the file. Throws `.unavailable` when the folder or file cannot be used.
  package init(path: String, readers: Int = 4) throws {
    var configuration = Configuration()
    configuration.maximumReaderCount = readers
    configuration.busyMode = .timeout(10)
    configuration.publicStatementArguments = false
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY")
    }
    do {
      pool = try DatabasePool(path: path, configuration: configuration)
      // GRDB sets synchronous back to NORMAL when it opens the writer, so FULL is set after that.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    } catch {
      throw StorageError(translating: error)
    }
    queue = WriteQueue(pool: pool)
  }

  package func read<T: Sendable>(_ body: @escaping @Sendable (any Storage.Transaction) throws -> T) async throws -> T {
    do {
      return try await pool.read { try body(SQLiteTransaction(database: $0)) }
    } catch let error as GRDB.DatabaseError {
      throw StorageError(translating: error)
    }
  }

  package func write<T: Sendable>(
    _ isolation: Isolation, _ body: @escaping @Sendable (any Storage.Transaction) throws -> T
  ) async throws -> T {
    let slot = Slot<T>()
    try await queue.perform { transaction in slot.value.withLock { $0 = nil }; let value = try body(transaction); slot.value.withLock { $0 = value } }
    return slot.value.withLock { $0 }!
  }

  package func close() async { try? pool.close() }

  /// What `PRAGMA synchronous` really says on the writing connection: 2 is FULL. For the test that guards it.
  package func synchronousLevel() throws -> Int {
    try pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 }
  }

  /// Copies the whole database, as of one moment, into a new file while others read and write.
  package func copy(to path: String) throws {
    do {
      let target = try DatabaseQueue(path: path)
      try pool.backup(to: target)
      try target.close()
    } catch {
      throw StorageError(translating: error)
    }
  }

  /// A place for one answer, filled inside the writer and read after the commit.
  private final class Slot<T: Sendable>: Sendable {
    let value = Mutex<T?>(nil)
  }
}
