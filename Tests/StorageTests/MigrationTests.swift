import Storage
import TestKit
import Testing

@Suite struct MigrationTests {
  @Test(arguments: Engine.allCases)
  func `steps are applied once, in order, and never change`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let again = try await db.migrate([Things.tables])
      #expect(again == [])
      let changed = Migrations("storage_test").adding("001", "CREATE TABLE storage_test_thing (id TEXT)")
      let refused = await #expect(throws: StorageError.self) { try await db.migrate([changed]) }
      #expect(refused?.code == .migration)
      let older = await #expect(throws: StorageError.self) { try await db.migrate([Migrations("storage_test")]) }
      #expect(older?.code == .migration)
      let more = Things.tables.adding("002", "ALTER TABLE storage_test_thing ADD COLUMN extra TEXT").adding(
        "003", sqlite: "CREATE TABLE storage_test_sqlite (id TEXT)",
        postgres: "CREATE TABLE storage_test_postgres (id TEXT)")
      let done = try await db.migrate([more])
      #expect(done == ["storage_test/002", "storage_test/003"])
      let own: SQL = engine == .sqlite ? "SELECT id FROM storage_test_sqlite" : "SELECT id FROM storage_test_postgres"
      try await db.read { _ = try $0.rows(own) }
    }
  }

  @Test(arguments: Engine.allCases)
  func `what a step added is read at once, also by who read before`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let earlier = Things.tables.adding("002", "CREATE TABLE storage_test_more (id TEXT, extra TEXT)")
      let more = earlier.adding(
        "003",
        """
        ALTER TABLE storage_test_more ADD COLUMN later TEXT NOT NULL DEFAULT 'new';
        INSERT INTO storage_test_more (id) VALUES ('a')
        """)
      try await db.migrate([earlier])
      try await db.read { _ = try $0.int("SELECT COUNT(*) FROM storage_test_more") }
      try await db.migrate([more])
      let later = try await db.read { tx in try tx.row("SELECT m.* FROM storage_test_more m")?.text("later") }
      #expect(later == "new")
    }
  }

  @Test(arguments: Engine.allCases)
  func `another context's steps are nobody else's business`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let other = Migrations("storage_other").adding("001", "CREATE TABLE storage_other_thing (id TEXT)")
      let done = try await db.migrate([other])
      #expect(done == ["storage_other/001"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a step that fails half-way leaves nothing and can be tried again`(engine: Engine) async throws {
    try await withDatabase(engine) { db in
      let broken = Migrations("storage_test").adding("001", "CREATE TABLE storage_test_thing (id TEXT); SELEKT 1")
      let error = await #expect(throws: StorageError.self) { try await db.migrate([broken]) }
      #expect(error?.code == .statement)
      let done = try await db.migrate([Things.tables])
      #expect(done == ["storage_test/001"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `programs that start at once apply each step once`(engine: Engine) async throws {
    try await withDatabase(engine) { db in
      var steps = Migrations("storage_test")
      for index in 0..<10 { steps = steps.adding("\(100 + index)", "CREATE TABLE storage_test_\(index) (id TEXT)") }
      let migrations = steps
      let done = try await withThrowingTaskGroup(of: [String].self) { group in
        for _ in 0..<4 { group.addTask { try await db.migrate([migrations]) } }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(done.sorted() == (0..<10).map { "storage_test/\(100 + $0)" })
    }
  }
}
