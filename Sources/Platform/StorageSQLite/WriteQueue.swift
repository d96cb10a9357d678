internal import GRDB
internal import Storage
import Synchronization

/// Gathers the writes that arrive while a commit is under way and runs them in the next one.
final class WriteQueue: Sendable {
  private struct State {
    var waiting: [any PendingWrite] = []
    var isRunning = false
    var isClosed = false
  }

  /// So many closures share one commit at the most: bounds the time the first of them waits.
  private static let most = 256
  /// More than this many callers waiting is a sign that something is stuck: the next is told so at once.
  private static let mostWaiting = 10_000

  private let pool: DatabasePool
  private let state = Mutex(State())

  init(pool: DatabasePool) { self.pool = pool }

  /// Returns when the closure's effect is durable, or throws what it threw.
  func perform<T: Sendable>(_ body: @escaping @Sendable (any Storage.Transaction) throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      let write = Write(body, continuation)
      let (refusal, starts): (StorageError?, Bool) = state.withLock { state in
        if state.isClosed { return (StorageError(.unavailable, "the database is closed"), false) }
        if state.waiting.count >= Self.mostWaiting { return (StorageError(.timeout, "too many wait to write"), false) }
        state.waiting.append(write)
        defer { state.isRunning = true }
        return (nil, !state.isRunning)
      }
      if let refusal { continuation.resume(throwing: refusal) } else if starts { start() }
    }
  }

  /// Refuses what comes from now on; what waits is still written.
  func close() { state.withLock { $0.isClosed = true } }

  /// Runs on GRDB's writing queue until nobody waits.
  private func start() {
    pool.asyncWriteWithoutTransaction { database in
      while true {
        let batch: [any PendingWrite] = self.state.withLock { state in
          let batch = Array(state.waiting.prefix(Self.most))
          state.waiting.removeFirst(batch.count)
          if batch.isEmpty { state.isRunning = false }
          return batch
        }
        if batch.isEmpty { return }
        if batch.count == 1 { self.commit(batch[0], database) } else { self.commit(batch, database) }
      }
    }
  }

  /// One transaction for one closure.
  private func commit(_ write: any PendingWrite, _ database: GRDB.Database) {
    do {
      try database.command("BEGIN IMMEDIATE")
      try write.run(database)
      try database.command("COMMIT")
      forgetSchema(after: [write])
      write.finish()
    } catch {
      if database.isInsideTransaction { try? database.command("ROLLBACK") }
      write.fail(error is DatabaseError ? StorageError(translating: error) : error)
    }
  }

  /// One transaction for many closures, each in a savepoint. When the whole of it is lost — a full disk, a breach that
  /// shows at the commit — nothing was written and each is run again alone, so that each hears of its own case.
  private func commit(_ batch: [any PendingWrite], _ database: GRDB.Database) {
    do { try database.command("BEGIN IMMEDIATE") } catch {
      let failure = StorageError(translating: error)
      return batch.forEach { $0.fail(failure) }
    }
    var failures = [(any Error)?](repeating: nil, count: batch.count)
    do {
      for (index, write) in batch.enumerated() {
        try database.command("SAVEPOINT one")
        do {
          try write.run(database)
          try database.command("RELEASE one")
        } catch {
          // SQLite ends the transaction by itself on some errors; then this throws and the rest is done over.
          try database.command("ROLLBACK TO one")
          try database.command("RELEASE one")
          failures[index] = error
        }
      }
      try database.command("COMMIT")
    } catch {
      if database.isInsideTransaction { try? database.command("ROLLBACK") }
      return batch.forEach { commit($0, database) }
    }
    forgetSchema(after: batch)
    for (write, failure) in zip(batch, failures) {
      if let failure {
        write.fail(failure is DatabaseError ? StorageError(translating: failure) : failure)
      } else {
        write.finish()
      }
    }
  }

  /// A connection for reading knows the tables as they were when it first looked, and a statement that it makes of `*` has
  /// the columns of then: after a script, which may have changed them, new connections are made.
  private func forgetSchema(after writes: [any PendingWrite]) {
    if writes.contains(where: \.ranScript) { pool.invalidateReadOnlyConnections() }
  }
}

extension GRDB.Database {
  /// A statement of ours without values, kept prepared.
  fileprivate func command(_ sql: String) throws { try cachedStatement(sql: sql).execute() }
}

/// A closure that waits to be run in a transaction, and whoever waits for it.
private protocol PendingWrite: AnyObject, Sendable {
  func run(_ database: GRDB.Database) throws
  /// Whether its last run had a script.
  var ranScript: Bool { get }
  /// The transaction holds: hands over what the closure answered last.
  func finish()
  func fail(_ error: any Error)
}

/// `value` is touched only on the writing queue, which runs one thing at a time.
private final class Write<T: Sendable>: PendingWrite, @unchecked Sendable {
  private let body: @Sendable (any Storage.Transaction) throws -> T
  private let continuation: CheckedContinuation<T, any Error>
  private var value: T?
  private(set) var ranScript = false

  init(
    _ body: @escaping @Sendable (any Storage.Transaction) throws -> T, _ continuation: CheckedContinuation<T, any Error>
  ) {
    self.body = body
    self.continuation = continuation
  }

  func run(_ database: GRDB.Database) throws {
    let transaction = SQLiteTransaction(database)
    defer { ranScript = transaction.ranScript }
    value = try body(transaction)
    try transaction.throwIfDoomed()
  }

  func finish() {
    if let value { continuation.resume(returning: value) } else { fail(StorageError(.statement, "no answer")) }
  }

  func fail(_ error: any Error) { continuation.resume(throwing: error) }
}
