internal import GRDB
internal import Storage
import Synchronization

/// Gathers the writes that arrive while a commit is under way and runs them in the next one.
final class WriteQueue: Sendable {
  typealias Body = @Sendable (any Storage.Transaction) throws -> Void

  private struct Waiting {
    var body: Body
    var done: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var waiting: [Waiting] = []
    var running = false
  }

  /// So many closures share one commit at the most: bounds the time the first of them waits.
  private static let most = 256

  private let pool: DatabasePool
  private let state = Mutex(State())

  init(pool: DatabasePool) { self.pool = pool }

  /// Returns when the closure's effect is durable, or throws what it threw.
  func perform(_ body: @escaping Body) async throws {
    try await withCheckedThrowingContinuation { done in
      let start = state.withLock { state in
        state.waiting.append(Waiting(body: body, done: done))
        defer { state.running = true }
        return !state.running
      }
      if start { next() }
    }
  }

  /// Runs on GRDB's writing queue until nobody waits.
  private func next() {
    pool.asyncWriteWithoutTransaction { database in
      while true {
        let batch: [Waiting] = self.state.withLock { state in
          let batch = Array(state.waiting.prefix(Self.most))
          state.waiting.removeFirst(batch.count)
          if batch.isEmpty { state.running = false }
          return batch
        }
        if batch.isEmpty { return }
        Self.commit(batch, database)
      }
    }
  }

  private static func commit(_ batch: [Waiting], _ database: GRDB.Database) {
    var results: [Result<Void, any Error>] = []
    do {
      try database.execute(sql: "BEGIN IMMEDIATE")
      for waiting in batch { results.append(runOne(waiting.body, database, alone: batch.count == 1)) }
      try database.execute(sql: "COMMIT")
    } catch {
      try? database.execute(sql: "ROLLBACK")
      let failure = StorageError(translating: error)
      results = batch.map { _ in .failure(failure) }
    }
    for (waiting, result) in zip(batch, results) { waiting.done.resume(with: result) }
  }

  private static func runOne(_ body: Body, _ database: GRDB.Database, alone: Bool) -> Result<Void, any Error> {
    let transaction = SQLiteTransaction(database: database)
    do {
      try database.execute(sql: "SAVEPOINT one")
      do {
        try body(transaction)
        try database.execute(sql: "RELEASE one")
        return .success(())
      } catch {
        try database.execute(sql: "ROLLBACK TO one; RELEASE one")
        throw error
      }
    } catch let error as GRDB.DatabaseError {
      return .failure(StorageError(translating: error))
    } catch {
      return .failure(error)
    }
  }
}
