package import Storage
import StoragePostgres
import StorageSQLite

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
    let name = try server.makeDatabase()
    let database = try PostgresDatabase(server.address(of: name), connections: 4)
    do {
      let value = try await use(database, migrations, body)
      try? server.dropDatabase(name)
      return value
    } catch {
      try? server.dropDatabase(name)
      throw error
    }
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
