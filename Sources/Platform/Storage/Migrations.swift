/// The steps that bring one context's tables into being, in order. A step is frozen once shipped: its checksum is
/// kept in the database and a changed one is refused.
///
/// House types: TEXT, BIGINT, BOOLEAN, DOUBLE PRECISION, BLOB. Ids and times are TEXT, money is BIGINT fen. Singular
/// table names that start with the context's name; NOT NULL, CHECK, UNIQUE and foreign keys on everything.
package struct Migrations: Sendable {
  package struct Step: Sendable {
    package var name: String
    package var sqlite: String
    package var postgres: String
  }

  package let context: String
  package private(set) var steps: [Step] = []

  package init(_ context: String) { self.context = context }

  /// One text for both engines.
  package func adding(_ name: String, _ script: String) -> Migrations {
    adding(name, sqlite: script, postgres: script)
  }

  /// A text for each, where they truly differ (triggers, full text).
  package func adding(_ name: String, sqlite: String, postgres: String) -> Migrations {
    precondition(!steps.contains { $0.name == name }, "step \(context)/\(name) stands twice")
    var copy = self
    copy.steps.append(Step(name: name, sqlite: sqlite, postgres: postgres))
    return copy
  }
}

extension Database {
  /// Applies what is missing, each step in its own transaction, and answers the names of what it applied. Processes
  /// that do so at once take turns, and each step is applied by one of them.
  ///
  /// Refused with `.migration` when a shipped step has changed or the database has steps this program does not know.
  @discardableResult
  package func migrate(_ contexts: [Migrations]) async throws -> [String] {
    try await write(.readCommitted) { try $0.prepareForMigrations() }
    let applied = try await read { tx in
      try tx.rows("SELECT context, name FROM storage_migration").map { (try $0.text("context"), try $0.text("name")) }
    }
    for (context, name) in applied.sorted(by: { $0 < $1 }) {
      guard let served = contexts.first(where: { $0.context == context }) else { continue }
      guard served.steps.contains(where: { $0.name == name }) else {
        throw StorageError(.migration, "the database has step \(context)/\(name), which this version does not know")
      }
    }
    var done: [String] = []
    for context in contexts {
      for step in context.steps where try await apply(step, of: context.context) {
        done.append("\(context.context)/\(step.name)")
      }
    }
    return done
  }

  /// False when it was applied before, by this process or another.
  private func apply(_ step: Migrations.Step, of context: String) async throws -> Bool {
    let script = engine == .sqlite ? step.sqlite : step.postgres
    let checksum = fnv1a(script)
    return try await write(.readCommitted) { tx in
      try tx.holdMigrationLock()
      let shipped = try tx.text(
        "SELECT checksum FROM storage_migration WHERE context = \(context) AND name = \(step.name)")
      if let shipped {
        guard shipped == checksum else {
          throw StorageError(.migration, "step \(context)/\(step.name) was changed after it was shipped")
        }
        return false
      }
      try tx.script(script)
      try tx.run(
        "INSERT INTO storage_migration (context, name, checksum) VALUES (\(context), \(step.name), \(checksum))")
      return true
    }
  }
}

extension Transaction {
  /// SQLite has one writer anyway. On PostgreSQL the lock is released with the transaction, which must be READ
  /// COMMITTED to see what was done while it waited.
  fileprivate func holdMigrationLock() throws {
    if engine == .postgres { _ = try rows("SELECT pg_advisory_xact_lock(3271360512)") }
  }

  fileprivate func prepareForMigrations() throws {
    try holdMigrationLock()
    if engine == .postgres {
      // SQLite's BLOB, so that one text serves both.
      try script(
        """
        DO $$ BEGIN
          IF NOT EXISTS (SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
                         WHERE t.typname = 'blob' AND n.nspname = current_schema()) THEN
            CREATE DOMAIN blob AS bytea;
          END IF;
        END $$
        """)
    }
    try script(
      """
      CREATE TABLE IF NOT EXISTS storage_migration (
        context TEXT NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL, PRIMARY KEY (context, name))
      """)
  }
}

/// FNV-1a, 64 bits: guards against an accident, not against an attacker.
private func fnv1a(_ text: String) -> String {
  var hash: UInt64 = 0xcbf2_9ce4_8422_2325
  for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
  return String(hash, radix: 16)
}
