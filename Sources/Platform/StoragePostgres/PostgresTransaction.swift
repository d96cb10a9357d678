import Storage

/// A connection inside a transaction, seen through `Storage`.
final class PostgresTransaction: Storage.Transaction {
  let engine = Engine.postgres
  private let connection: PostgresConnection
  /// The first statement that failed. The server refuses all that follow; their errors say less.
  private(set) var failure: StorageError?

  init(_ connection: PostgresConnection) { self.connection = connection }

  func throwIfDoomed() throws { if let failure { throw failure } }

  func rows(_ sql: SQL) throws -> [Row] { try noting { try connection.rows(sql) } }
  func run(_ sql: SQL) throws -> Int { try noting { try connection.run(sql) } }
  func run(all statements: some Sequence<SQL>) throws -> Int { try noting { try connection.run(all: statements) } }
  func script(_ text: String) throws { try noting { try connection.script(text) } }

  func forEach(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
    // What the caller's closure throws is its own affair and dooms nothing, so it goes round `noting`.
    var thrown: (any Error)?
    try noting {
      try connection.forEach(sql) { row in
        do { return try body(row) } catch {
          thrown = error
          return false
        }
      }
    }
    if let thrown { throw thrown }
  }

  private func noting<T>(_ statement: () throws -> T) throws -> T {
    try throwIfDoomed()
    do { return try statement() } catch {
      if failure == nil { failure = error as? StorageError }
      throw failure ?? error
    }
  }
}
