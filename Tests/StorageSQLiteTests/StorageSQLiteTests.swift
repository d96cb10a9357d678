import Foundation
import Storage
import StorageSQLite
import TestKit
import Testing

/// What only the SQLite engine promises.
@Suite struct StorageSQLiteTests {
  private static let tables = Migrations("file").adding(
    "001",
    """
    CREATE TABLE file_thing (id TEXT PRIMARY KEY, data BLOB);
    CREATE TABLE file_part (
      id TEXT PRIMARY KEY, thing TEXT NOT NULL REFERENCES file_thing (id) DEFERRABLE INITIALLY DEFERRED);
    """)

  private func withFile<T>(_ body: (SQLiteDatabase, String) async throws -> T) async throws -> T {
    try await withTemporaryFolder { folder in
      let path = folder + "/file.sqlite"
      let db = try SQLiteDatabase(path: path)
      try await db.migrate([Self.tables])
      let value = try await body(db, path)
      await db.close()
      return value
    }
  }

  private func add(_ id: String, bytes: Int = 0, _ tx: any Transaction) throws {
    try tx.run("INSERT INTO file_thing (id, data) VALUES (\(id), \([UInt8](repeating: 7, count: bytes)))")
  }

  private func ids(_ db: any Database) async throws -> [String] {
    try await db.read { try $0.rows("SELECT id FROM file_thing ORDER BY id").map { try $0.text("id") } }
  }

  @Test func `synchronous FULL is really in force on the writing connection`() async throws {
    try await withFile { db, _ in
      #expect(try db.synchronousLevel() == 2)
      try await db.write { try add("a", $0) }
      #expect(try db.synchronousLevel() == 2)
    }
  }

  @Test func `a full disk is told as such and leaves nothing half-written`() async throws {
    try await withFile { db, _ in
      try db.limitPages(to: 60)
      let error = await #expect(throws: StorageError.self) {
        try await db.write { tx in
          try add("small", tx)
          try add("big", bytes: 1_000_000, tx)
        }
      }
      #expect(error?.code == .diskFull)
      #expect(try await ids(db) == [])
      try await db.write { try add("fits", $0) }
      #expect(try await ids(db) == ["fits"])
    }
  }

  /// SQLite ends the whole transaction by itself when the disk is full: the others in the same commit must neither be
  /// lost nor be told that they hold when they do not.
  @Test func `one writer's full disk does not harm those who share its commit`() async throws {
    try await withFile { db, _ in
      try db.limitPages(to: 100)
      let outcomes = await withTaskGroup(of: (String, String).self) { group in
        for index in 0..<40 {
          group.addTask {
            do {
              try await db.write { try add("\(100 + index)", bytes: index % 10 == 5 ? 1_000_000 : 10, $0) }
              return ("\(100 + index)", "kept")
            } catch { return ("\(100 + index)", (error as? StorageError)?.code.rawValue ?? "\(error)") }
          }
        }
        return await group.reduce(into: [String: String]()) { $0[$1.0] = $1.1 }
      }
      #expect(outcomes.values.count { $0 == "diskFull" } == 4)
      let kept = outcomes.filter { $0.value == "kept" }.keys.sorted()
      #expect(kept.count == 36)
      let found = try await ids(db)
      #expect(found == kept)
    }
  }

  @Test func `a breach that shows only at the commit is told to the one who caused it`() async throws {
    try await withFile { db, _ in
      let failed = await withTaskGroup(of: String?.self) { group in
        for index in 0..<30 {
          group.addTask {
            do {
              try await db.write { tx in
                try add("\(100 + index)", tx)
                if index % 10 == 3 {
                  try tx.run("INSERT INTO file_part (id, thing) VALUES (\("\(index)"), 'nobody')")
                }
              }
              return nil
            } catch { return (error as? StorageError)?.code == .foreignKey ? "\(100 + index)" : "other" }
          }
        }
        return await group.reduce(into: Set<String>()) { if let failed = $1 { $0.insert(failed) } }
      }
      #expect(failed == ["103", "113", "123"])
      let kept = (0..<30).map { "\(100 + $0)" }.filter { !failed.contains($0) }
      let found = try await ids(db)
      #expect(found == kept)
    }
  }

  @Test func `a read that takes too long is ended, and the connection serves the next`() async throws {
    try await withTemporaryFolder { folder in
      let db = try SQLiteDatabase(path: folder + "/file.sqlite", readers: 1, readTimeout: .milliseconds(200))
      let endless: SQL = """
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n WHERE i < 0
        """
      let error = await #expect(throws: StorageError.self) { try await db.read { try $0.int(endless) } }
      #expect(error?.code == .timeout)
      let one = try await db.read { try $0.int("SELECT 1") }
      #expect(one == 1)
      await db.close()
    }
  }

  @Test func `a read whose caller has gone is ended`() async throws {
    try await withFile { db, _ in
      let reading = Task {
        try await db.read {
          try $0.int("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n")
        }
      }
      try await Task.sleep(for: .milliseconds(50))
      reading.cancel()
      await #expect(throws: CancellationError.self) { try await reading.value }
      #expect(try await ids(db) == [])
    }
  }

  @Test func `a copy made while others write is whole`() async throws {
    try await withFile { db, path in
      try await db.write { tx in for index in 0..<200 { try add("\(1000 + index)", bytes: 500, tx) } }
      async let writing: Void = {
        for index in 0..<100 { try await db.write { try add("\(5000 + index)", $0) } }
      }()
      try db.copy(to: path + ".copy")
      try await writing
      let copy = try SQLiteDatabase(path: path + ".copy", isReadOnly: true)
      let (count, check) = try await copy.read { tx in
        (try tx.int("SELECT COUNT(*) FROM file_thing") ?? 0, try tx.text("PRAGMA integrity_check"))
      }
      #expect((200...300).contains(count))
      #expect(check == "ok")
      await copy.close()
    }
  }

  @Test func `a database opened for reading refuses to write and to be made`() async throws {
    try await withFile { db, path in
      try await db.write { try add("a", $0) }
      let reader = try SQLiteDatabase(path: path, isReadOnly: true)
      #expect(try await ids(reader) == ["a"])
      let error = await #expect(throws: StorageError.self) { try await reader.write { try add("b", $0) } }
      #expect(error?.code == .unavailable)
      await reader.close()
      let absent = #expect(throws: StorageError.self) { try SQLiteDatabase(path: path + ".absent", isReadOnly: true) }
      #expect(absent?.code == .unavailable)
    }
  }

  @Test(arguments: ["/nowhere/at/all/file.sqlite", "/tmp"])
  func `a file that cannot be opened is unavailable`(path: String) {
    let error = #expect(throws: StorageError.self) { try SQLiteDatabase(path: path) }
    #expect(error?.code == .unavailable)
  }

  @Test func `a file that is no database is unavailable`() async throws {
    try await withTemporaryFolder { folder in
      let path = folder + "/text"
      try Data(repeating: 65, count: 8192).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: StorageError.self) { try SQLiteDatabase(path: path) }
      #expect(error?.code == .unavailable)
    }
  }

  @Test func `what was searched for does not stand in an error`() async throws {
    try await withFile { db, _ in
      try await db.write { try $0.script("CREATE VIRTUAL TABLE file_text USING fts5 (body)") }
      let error = await #expect(throws: StorageError.self) {
        try await db.read { try $0.rows("SELECT rowid FROM file_text WHERE body MATCH \("\"secret AND (")") }
      }
      #expect(!"\(error as Any)".contains("secret"))
    }
  }

  @Test func `two programs on one file take turns`() async throws {
    try await withFile { db, path in
      let other = try SQLiteDatabase(path: path)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<60 {
          group.addTask { try await (index % 2 == 0 ? db : other).write { try add("\(100 + index)", $0) } }
        }
        try await group.waitForAll()
      }
      #expect(try await ids(other).count == 60)
      await other.close()
    }
  }
}
