import Storage

/// The tables the promises are tried on.
enum Things {
  static let tables = Migrations("storage_test").adding(
    "001",
    """
    CREATE TABLE storage_test_thing (
      id TEXT PRIMARY KEY, name TEXT, count BIGINT NOT NULL CHECK (count >= 0), ratio DOUBLE PRECISION, flag BOOLEAN NOT NULL,
      data BLOB, at TEXT);
    CREATE TABLE storage_test_part (
      id TEXT PRIMARY KEY, thing TEXT NOT NULL REFERENCES storage_test_thing (id), UNIQUE (thing));
    """)

  static func add(_ id: String, count: Int = 0, _ tx: any Transaction) throws {
    try tx.run("INSERT INTO storage_test_thing (id, count, flag) VALUES (\(id), \(count), \(false))")
  }

  static func count(_ db: any Database) async throws -> Int? {
    try await db.read { try $0.int("SELECT COUNT(*) FROM storage_test_thing") }
  }
}

struct Stop: Error {}
