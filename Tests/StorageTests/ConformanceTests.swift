import Kernel
import Storage
import TestKit
import Testing

/// What both engines promise. Each test runs on each.
@Suite struct ConformanceTests {
  static let tables = Migrations("storage_test").adding(
    "001",
    """
    CREATE TABLE storage_test_thing (
      id TEXT PRIMARY KEY, name TEXT, count BIGINT NOT NULL CHECK (count >= 0), ratio DOUBLE PRECISION, flag BOOLEAN NOT NULL,
      data BLOB, at TEXT);
    CREATE TABLE storage_test_part (
      id TEXT PRIMARY KEY, thing TEXT NOT NULL REFERENCES storage_test_thing (id), UNIQUE (thing));
    """)

  private func count(_ db: any Database) async throws -> Int? {
    try await db.read { try $0.int("SELECT COUNT(*) FROM storage_test_thing") }
  }

  private func add(_ id: String, count: Int = 0, _ tx: any Transaction) throws {
    try tx.run("INSERT INTO storage_test_thing (id, count, flag) VALUES (\(id), \(count), \(false))")
  }

  @Test(arguments: Engine.allCases)
  func `values come back as they went in`(engine: Engine) async throws {
    try await withDatabase(engine, [Self.tables]) { db in
      let texts = ["", "青海省", "𠮷野家🏔", "it's \"quoted\" ? $1 %", String(repeating: "长", count: 5000)]
      let now = Instant("2026-08-22T09:30:00.123Z")!
      for (index, text) in texts.enumerated() {
        let blob = [UInt8]((0..<index * 100).map { UInt8($0 & 255) })
        try await db.write { tx in
          try tx.run(
            """
            INSERT INTO storage_test_thing (id, name, count, ratio, flag, data, at)
            VALUES (\("\(index)"), \(text), \(Int64.max - Int64(index)), \(0.1 + Double(index)), \(index % 2 == 0), \(blob), \(now))
            """)
        }
        let row = try #require(
          try await db.read { try $0.row("SELECT * FROM storage_test_thing WHERE id = \("\(index)")") })
        #expect(try row.text("name") == text)
        #expect(try Int64(row.int("count")) == Int64.max - Int64(index))
        #expect(try row.double("ratio") == 0.1 + Double(index))
        #expect(try row.bool("flag") == (index % 2 == 0))
        #expect(try row.blob("data") == blob)
        #expect(try row.instant("at") == now)
      }
      let flagged = try await db.read { try $0.int("SELECT COUNT(*) FROM storage_test_thing WHERE flag = \(true)") }
      #expect(flagged == 3)
      let none: String? = nil
      let absent = try await db.read { try $0.row("SELECT id, name FROM storage_test_thing WHERE name = \(none)") }
      #expect(absent == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what throws is undone and nothing else`(engine: Engine) async throws {
    struct Stop: Error {}
    try await withDatabase(engine, [Self.tables]) { db in
      await #expect(throws: Stop.self) {
        try await db.write { tx in
          try add("a", tx)
          throw Stop()
        }
      }
      let value1 = try await count(db)
      #expect(value1 == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `writers that share a commit fail each for themselves`(engine: Engine) async throws {
    struct Stop: Error {}
    try await withDatabase(engine, [Self.tables]) { db in
      let kept = await withTaskGroup(of: Bool.self) { group in
        for index in 0..<64 {
          group.addTask {
            do {
              try await db.write { tx -> Void in
                try add("\(index)", tx)
                if index % 3 == 0 { throw Stop() }
                if index % 3 == 1 { try add("\(index)", tx) }
              }
              return true
            } catch { return false }
          }
        }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(kept == 21)
      let value2 = try await count(db)
      #expect(value2 == 21)
    }
  }

  @Test(arguments: Engine.allCases)
  func `concurrent read-modify-writes all count`(engine: Engine) async throws {
    try await withDatabase(engine, [Self.tables]) { db in
      try await db.write { try add("one", $0) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<40 {
          group.addTask {
            try await db.write { tx in
              let count = try tx.int("SELECT count FROM storage_test_thing WHERE id = 'one'")!
              try tx.run("UPDATE storage_test_thing SET count = \(count + 1) WHERE id = 'one'")
            }
          }
        }
        try await group.waitForAll()
      }
      let reached = try await db.read { try $0.int("SELECT count FROM storage_test_thing") }
      #expect(reached == 40)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a breach of the schema says which kind and never a value`(engine: Engine) async throws {
    try await withDatabase(engine, [Self.tables]) { db in
      try await db.write { try add("secret-value", $0) }
      let breaches: [(SQL, StorageError.Code)] = [
        ("INSERT INTO storage_test_thing (id, count, flag) VALUES (\("secret-value"), 0, \(false))", .unique),
        ("INSERT INTO storage_test_part (id, thing) VALUES ('p', \("secret-other"))", .foreignKey),
        ("INSERT INTO storage_test_thing (id, count, flag) VALUES ('b', \(-1), \(false))", .check),
        ("INSERT INTO storage_test_thing (id, flag) VALUES ('b', \(false))", .check),
        ("SELECT nonsense FROM storage_test_thing", .statement),
      ]
      for (sql, code) in breaches {
        let error = await #expect(throws: StorageError.self) { try await db.write { _ = try $0.rows(sql) } }
        #expect(error?.code == code)
        #expect(!"\(error as Any)".contains("secret"))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `rows can be read one by one and left early`(engine: Engine) async throws {
    try await withDatabase(engine, [Self.tables]) { db in
      try await db.write { tx in for index in 0..<1000 { try add("\(10_000 + index)", count: index, tx) } }
      let seen = try await db.read { tx in
        var seen: [Int] = []
        try tx.forEach("SELECT count FROM storage_test_thing ORDER BY id") { row in
          seen.append(try row.int("count"))
          return seen.count < 10
        }
        return seen + [try tx.int("SELECT COUNT(*) FROM storage_test_thing")!]
      }
      #expect(seen == Array(0..<10) + [1000])
    }
  }

  @Test(arguments: Engine.allCases)
  func `migrations are applied once and never change`(engine: Engine) async throws {
    try await withDatabase(engine, [Self.tables]) { db in
      let value3 = try await db.migrate([Self.tables])
      #expect(value3 == [])
      let changed = Migrations("storage_test").adding("001", "CREATE TABLE storage_test_thing (id TEXT)")
      let refused = await #expect(throws: StorageError.self) { try await db.migrate([changed]) }
      #expect(refused?.code == .migration)
      let older = await #expect(throws: StorageError.self) { try await db.migrate([Migrations("storage_test")]) }
      #expect(older?.code == .migration)
      let more = Self.tables.adding("002", "ALTER TABLE storage_test_thing ADD COLUMN extra TEXT")
      let value4 = try await db.migrate([more])
      #expect(value4 == ["storage_test/002"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `the common subset means the same on both`(engine: Engine) async throws {
    try await withDatabase(engine, [Self.tables]) { db in
      let answers = try await db.write { tx -> [String] in
        for (index, name) in ["b", "a", nil, "c"].enumerated() {
          try tx.run(
            "INSERT INTO storage_test_thing (id, name, count, flag) VALUES (\("\(index)"), \(name), \(index), \(index > 1))"
          )
        }
        try tx.run(
          "INSERT INTO storage_test_thing (id, count, flag) VALUES ('0', 9, \(true)) ON CONFLICT (id) DO NOTHING")
        try tx.run(
          "INSERT INTO storage_test_thing (id, count, flag) VALUES ('1', 9, \(true)) ON CONFLICT (id) DO UPDATE SET count = excluded.count"
        )
        return try [
          "SELECT id AS v FROM storage_test_thing ORDER BY name NULLS LAST",
          "SELECT CAST(COUNT(*) FILTER (WHERE flag = TRUE) AS TEXT) AS v FROM storage_test_thing",
          "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT CAST(i AS TEXT) AS v FROM n ORDER BY i",
          "SELECT CAST(ROW_NUMBER() OVER (ORDER BY id) AS TEXT) AS v FROM storage_test_thing ORDER BY id",
          "SELECT id AS v FROM storage_test_thing WHERE name IS NOT DISTINCT FROM NULL",
          "SELECT id AS v FROM storage_test_thing WHERE (count, id) > (2, '2') ORDER BY count, id",
          "SELECT SUBSTR(COALESCE(name, 'none'), 1, 2) AS v FROM storage_test_thing ORDER BY id",
          "SELECT id AS v FROM storage_test_thing WHERE id IN (\(each: ["0", "3"])) ORDER BY id",
          "SELECT id AS v FROM storage_test_thing WHERE id IN (\(each: [String]()))",
        ].map { (sql: SQL) in try tx.rows(sql).map { try $0.text("v") }.joined(separator: ",") }
      }
      #expect(answers == ["1,0,3,2", "2", "1,2,3", "1,2,3,4", "2", "3,1", "b,a,no,c", "0,3", ""])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a closed database says so`(engine: Engine) async throws {
    try await withDatabase(engine) { db in
      await db.close()
      await #expect(throws: (any Error).self) { try await db.write { try $0.run("SELECT 1") } }
    }
  }
}
