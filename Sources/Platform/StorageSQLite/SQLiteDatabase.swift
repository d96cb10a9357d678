import Dispatch
import Foundation
internal import GRDB
package import Storage

/// Our own data in one SQLite file: WAL, `synchronous=FULL`, foreign keys on, `LIKE` minds the case.
///
/// Writers share a commit: while one transaction is being made durable, those that arrive wait together, and the next
/// transaction runs each of their closures in a savepoint of its own and ends them all with one fsync. A closure that
/// throws undoes only itself.
package final class SQLiteDatabase: Storage.Database {
  package let engine = Engine.sqlite
  private let pool: DatabasePool
  private let queue: WriteQueue
  private let limits: ReadLimits

  /// Opens or makes the file. Throws `.unavailable` when the folder or file cannot be used.
  ///
  /// `readTimeout` bounds one read; `isReadOnly` opens a file that must exist and refuses every write.
  package init(
    path: String, readers: Int = 4, readTimeout: Duration = .seconds(30), isReadOnly: Bool = false
  ) throws {
    let limits = ReadLimits(readTimeout)
    var configuration = Configuration()
    configuration.maximumReaderCount = readers
    configuration.busyMode = .timeout(10)
    configuration.publicStatementArguments = false
    configuration.readonly = isReadOnly
    configuration.prepareDatabase { database in
      try database.execute(
        sql: """
          PRAGMA cache_size = -8000; PRAGMA temp_store = MEMORY; PRAGMA case_sensitive_like = ON;
          PRAGMA journal_size_limit = 67108864
          """)
      limits.watch(database)
    }
    // It holds password hashes and sealed secrets: the owner's alone, as the keys are. SQLite gives the files beside it
    // the same rights, so the file has them before it is opened.
    if !isReadOnly {
      let file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
      if file >= 0 {
        fchmod(file, 0o600)
        Foundation.close(file)
      }
    }
    do {
      pool = try DatabasePool(path: path, configuration: configuration)
      // GRDB sets synchronous back to NORMAL when it opens the writer, so FULL is set after that.
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
    } catch {
      throw StorageError(translating: error)
    }
    self.limits = limits
    queue = WriteQueue(pool: pool)
  }

  package func read<T: Sendable>(_ body: @escaping @Sendable (any Storage.Transaction) throws -> T) async throws -> T {
    let limits = limits
    do {
      return try await pool.read { database in
        let limit = limits.begin(database)
        defer { limit?.end() }
        let transaction = SQLiteTransaction(database, limit: limit)
        let value = try body(transaction)
        try transaction.throwIfDoomed()
        return value
      }
    } catch let error as GRDB.DatabaseError {
      throw StorageError(translating: error)
    }
  }

  package func write<T: Sendable>(
    _ isolation: Isolation, _ body: @escaping @Sendable (any Storage.Transaction) throws -> T
  ) async throws -> T {
    try await WriteWitness.watching { try await queue.perform(body) }
  }

  package func close() async {
    queue.close()
    await withCheckedContinuation { done in
      DispatchQueue.global().async { [pool] in
        try? pool.close()
        done.resume()
      }
    }
  }

  /// What `PRAGMA synchronous` really says on the writing connection: 2 is FULL. For the test that guards it.
  package func synchronousLevel() throws -> Int {
    try pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 }
  }

  /// Lets the file grow to so many pages from now on: how a test fills the disk.
  package func limitPages(to count: Int) throws {
    try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(count)") }
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
}
