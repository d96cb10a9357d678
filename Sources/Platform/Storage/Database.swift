/// Which engine answers. Only `…Schema.swift` and `…+Engine.swift` may ask.
package enum Engine: String, Sendable, CaseIterable {
  case sqlite
  case postgres
}

/// How strictly a write is kept apart from others.
package enum Isolation: Sendable {
  /// As if no other write ran beside it. The body may be run again after a conflict.
  case serializable
  /// PostgreSQL's READ COMMITTED, for a writer that is alone by other means (the audit sequencer) and must never make
  /// a business transaction fail. The same as `serializable` on SQLite.
  case readCommitted
}

/// Our own data. A transaction is a synchronous closure off the cooperative pool: nothing can be awaited inside, and
/// the handle cannot leave it.
package protocol Database: Sendable {
  var engine: Engine { get }

  /// Runs `body` on one stable, read-only view. Throws `.timeout` when it takes longer than the engine was told to
  /// allow.
  func read<T: Sendable>(_ body: @escaping @Sendable (any Transaction) throws -> T) async throws -> T

  /// Runs `body` as one transaction, which holds when this returns and is durable. `body` has no effect outside the
  /// transaction, because it may be run more than once. What it throws undoes it.
  ///
  /// Throws `.unavailable` when the engine was lost. If that happened while PostgreSQL was committing, `mayHold` and the
  /// message say that nobody knows whether the transaction holds: what must not be done twice carries its own id or offset.
  @discardableResult
  func write<T: Sendable>(
    _ isolation: Isolation, _ body: @escaping @Sendable (any Transaction) throws -> T
  ) async throws -> T

  /// Waits for what runs and closes every connection.
  func close() async
}

extension Database {
  @discardableResult
  package func write<T: Sendable>(_ body: @escaping @Sendable (any Transaction) throws -> T) async throws -> T {
    try await write(.serializable, body)
  }
}

/// An open transaction; valid only inside its closure.
///
/// A statement that failed dooms it, as PostgreSQL has it: every later statement throws the same error, and so does the
/// end, even when the closure swallowed it. Decide before you write, or say `ON CONFLICT`.
package protocol Transaction {
  var engine: Engine { get }

  /// Every row, in memory: bound the statement with LIMIT or use `forEach`.
  func rows(_ sql: SQL) throws -> [Row]

  /// The rows of a SELECT, one after the other without holding them all; return false to stop. Other statements may
  /// run inside, but none that changes the rows being walked.
  func forEach(_ sql: SQL, _ body: (Row) throws -> Bool) throws

  /// Runs a statement and says how many rows it changed.
  @discardableResult func run(_ sql: SQL) throws -> Int

  /// Runs statements one after the other and says how many rows all of them changed. The next may be made and sent while
  /// the one before it is worked on, so that where one failed is known only behind the last.
  @discardableResult func run(all statements: some Sequence<SQL>) throws -> Int

  /// Several statements separated by semicolons, without values. Migrations only.
  func script(_ text: String) throws
}

extension Transaction {
  @discardableResult package func run(all statements: some Sequence<SQL>) throws -> Int {
    try statements.reduce(0) { $0 + (try run($1)) }
  }

  package func row(_ sql: SQL) throws -> Row? { try rows(sql).first }

  /// The first column of the first row as a whole number; nil without a row or for NULL.
  package func int(_ sql: SQL) throws -> Int? { try row(sql)?.intOrNil(at: 0) }

  /// The first column of the first row as text; nil without a row or for NULL.
  package func text(_ sql: SQL) throws -> String? { try row(sql)?.textOrNil(at: 0) }
}
