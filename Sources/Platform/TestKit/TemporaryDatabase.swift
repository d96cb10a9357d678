package import Storage
import StoragePostgres
import StorageSQLite
import Synchronization

/// Runs a test on a database of its own, with these contexts' tables, on the engine asked for.
///
/// SQLite is a file in a temporary folder; PostgreSQL a database in this process's private cluster.
package func withDatabase<T>(
  _ engine: Engine, _ migrations: [Migrations] = [], isolation: isolated (any Actor)? = #isolation,
  _ body: (any Database) async throws -> T
) async throws -> T {
  switch engine {
  case .sqlite:
    return try await withTemporaryFolder { folder in
      try await use(try SQLiteDatabase(path: folder + "/test.sqlite"), migrations, body)
    }
  case .postgres:
    let server = try PostgresServer.shared.get()
    await turns.take()
    defer { turns.giveBack() }
    let name = try server.makeDatabase()
    defer { try? server.dropDatabase(name) }
    return try await use(try PostgresDatabase(server.address(of: name), connections: 4), migrations, body)
  }
}

/// Tests run side by side, and the server has room for so many connections.
private let turns = Turns(8)

private final class Turns: Sendable {
  private let state: Mutex<(free: Int, waiting: [CheckedContinuation<Void, Never>])>

  init(_ count: Int) { state = Mutex((count, [])) }

  func take() async {
    await withCheckedContinuation { turn in
      let isMine = state.withLock { state in
        if state.free == 0 {
          state.waiting.append(turn)
          return false
        }
        state.free -= 1
        return true
      }
      if isMine { turn.resume() }
    }
  }

  func giveBack() {
    let next: CheckedContinuation<Void, Never>? = state.withLock { state in
      if state.waiting.isEmpty {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}

private func use<T>(
  _ database: any Database, _ migrations: [Migrations], isolation: isolated (any Actor)? = #isolation,
  _ body: (any Database) async throws -> T
) async throws -> T {
  do {
    try await database.migrate(migrations)
    let value = try await body(database)
    await database.close()
    return value
  } catch {
    await database.close()
    throw error
  }
}
