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
  /// Applies what is missing, each step in its own transaction, and answers the names of what it applied.
  ///
  /// Refused with `.migration` when a shipped step has changed or the database has steps this program does not know.
  @discardableResult
  package func migrate(_ contexts: [Migrations]) async throws -> [String] {
    try await write { tx in
      try tx.prepareForMigrations()
    }
    let applied = try await read { tx in
      var checksums: [String: String] = [:]
      for row in try tx.rows("SELECT context, name, checksum FROM storage_migration") {
        checksums["\(try row.text("context"))/\(try row.text("name"))"] = try row.text("checksum")
      }
      return checksums
    }
    let known = Set(contexts.flatMap { context in context.steps.map { "\(context.context)/\($0.name)" } })
    let served = Set(contexts.map(\.context))
    if let stranger = applied.keys.sorted().first(where: { key in
      !known.contains(key) && served.contains(String(key.prefix { $0 != "/" }))
    }) {
      throw StorageError(.migration, "the database has step \(stranger), which this version does not know")
    }
    var done: [String] = []
    for context in contexts {
      for step in context.steps {
        let key = "\(context.context)/\(step.name)"
        let script = engine == .sqlite ? step.sqlite : step.postgres
        let checksum = fnv1a(script)
        if let shipped = applied[key] {
          guard shipped == checksum else {
            throw StorageError(.migration, "step \(key) was changed after it was shipped")
          }
          continue
        }
        try await write { tx in
          try tx.script(script)
          try tx.run(
            "INSERT INTO storage_migration (context, name, checksum) VALUES (\(context.context), \(step.name), \(checksum))"
          )
        }
        done.append(key)
      }
    }
    return done
  }
}

extension Transaction {
  fileprivate func prepareForMigrations() throws {
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
