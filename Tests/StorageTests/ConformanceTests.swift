import Kernel
import Storage
import TestKit
import Testing

/// What both engines promise about values, rows and errors. Each test runs on each.
@Suite struct ConformanceTests {
  @Test(arguments: Engine.allCases)
  func `a witness has seen what was committed, and nothing of what was read or undone`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      struct Undone: Error {}
      let witness = WriteWitness()
      try await WriteWitness.$current.withValue(witness) {
        _ = try await db.read { try $0.int("SELECT COUNT(*) FROM storage_test_thing") }
        await #expect(throws: Undone.self) { try await db.write { _ in throw Undone() } }
        await #expect(throws: StorageError.self) {
          try await db.write { try $0.run("INSERT INTO storage_test_none VALUES (1)") }
        }
        #expect(!witness.mayHold)
        try await db.write(.readCommitted) { try $0.run("DELETE FROM storage_test_thing") }
        #expect(witness.mayHold)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `statements run together count what all of them changed, and one that fails undoes all`(engine: Engine)
    async throws
  {
    try await withDatabase(engine, [Things.tables]) { db in
      @Sendable func inserts(_ numbers: Range<Int>) -> [SQL] {
        numbers.map { number in
          "INSERT INTO storage_test_thing (id, count, flag) VALUES (\("\(number)"), \(number % 7), \(false))"
        }
      }
      // More than are sent at a time, of several texts, among them some with nothing to change.
      let changed = try await db.write { tx in
        try tx.run(
          all: inserts(0..<100) + ["DELETE FROM storage_test_thing WHERE count = 3"]
            + inserts(200..<300) + ["UPDATE storage_test_thing SET count = 9 WHERE id = 'none'"])
      }
      #expect(changed == 214)
      #expect(try await Things.count(db) == 186)
      #expect(try await db.write { try $0.run(all: [] as [SQL]) } == 0)
      #expect(try await db.write { try $0.run(all: ["DELETE FROM storage_test_thing WHERE id = '0'"]) } == 1)

      for (wrong, code) in [
        (inserts(1..<2), .unique), (["INSERT INTO storage_test_none VALUES (1)"], .statement),
        (["UPDATE storage_test_thing SET name = \("a\0") WHERE id = '1'"], .statement),
      ] as [([SQL], StorageError.Code)] {
        let error = await #expect(throws: StorageError.self) {
          try await db.write { tx in
            // What is caught inside dooms the transaction all the same.
            _ = try? tx.run(all: inserts(400..<480) + wrong + inserts(500..<580))
            try tx.run("DELETE FROM storage_test_thing")
          }
        }
        #expect(error?.code == code)
        #expect(try await Things.count(db) == 185)
      }
      #expect(
        try await db.write {
          try $0.insert(
            "INSERT INTO storage_test_thing (id, count, flag)",
            (600..<1313).lazy.map { "(\("\($0)"), 0, FALSE)" as SQL }, columns: 1)
        } == 713)
    }
  }

  @Test(arguments: Engine.allCases)
  func `values come back as they went in`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let texts = ["", "青海省", "𠮷野家🏔", "it's \"quoted\" ? $1 % \\ \u{1} \r\n", String(repeating: "长", count: 5000)]
      let numbers = [Int64.max, Int64.max - 1, 0, 1, 4_294_967_296]
      let ratios = [0.1, -0.0, 1e300, Double.leastNonzeroMagnitude, Double.infinity]
      let now = Instant("2026-08-22T09:30:00.123Z")!
      for (index, text) in texts.enumerated() {
        let blob = [UInt8]((0..<index * 100).map { UInt8($0 & 255) })
        try await db.write { tx in
          try tx.run(
            """
            INSERT INTO storage_test_thing (id, name, count, ratio, flag, data, at)
            VALUES (\("\(index)"), \(text), \(numbers[index]), \(ratios[index]), \(index % 2 == 0), \(blob), \(now))
            """)
        }
        let row = try #require(
          try await db.read { try $0.row("SELECT * FROM storage_test_thing WHERE id = \("\(index)")") })
        #expect(try row.text("name") == text)
        #expect(try Int64(row.int("count")) == numbers[index])
        #expect(try row.double("ratio") == ratios[index])
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
  func `the smallest number, NULLs, ids and dates come back too`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let (id, date) = (ID<Things>.make(at: Instant("2026-08-22T09:30:00.123Z")!), CalendarDate("2024-02-29")!)
      let row = try await db.write { tx in
        try tx.run("CREATE TABLE storage_test_other (id TEXT, number BIGINT, day TEXT, empty BLOB, truth BOOLEAN)")
        try tx.run(
          "INSERT INTO storage_test_other (id, number, day) VALUES (\(id), \(Int64.min), \(date))")
        return try tx.row("SELECT * FROM storage_test_other WHERE id IN (\(each: [id, id, id]))")
      }
      let found = try #require(row)
      let foundID: ID<Things> = try found.id("id")
      #expect(foundID == id)
      #expect(try found.int("number") == Int.min)
      #expect(try found.date("day") == date)
      #expect(try found.blobOrNil("empty") == nil)
      #expect(try found.boolOrNil("truth") == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a value that one engine could not keep is refused by both`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let refused: [SQL] = [
        "INSERT INTO storage_test_thing (id, count, flag) VALUES (\("a\0secret"), 0, \(false))",
        "INSERT INTO storage_test_thing (id, count, ratio, flag) VALUES ('a', 0, \(Double.nan), \(false))",
      ]
      for sql in refused {
        let error = await #expect(throws: StorageError.self) { try await db.write { try $0.run(sql) } }
        #expect(error?.code == .statement)
        #expect(!"\(error as Any)".contains("secret"))
      }
      let count = try await Things.count(db)
      #expect(count == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a row that is not as expected names the column and not the value`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      try await db.write { try Things.add("secret", $0) }
      let row = try #require(try await db.read { try $0.row("SELECT id, count, name FROM storage_test_thing") })
      let wrong: [(String, () throws -> Void)] = [
        ("missing", { _ = try row.text("missing") }), ("id", { _ = try row.int("id") }),
        ("count", { _ = try row.text("count") }), ("name", { _ = try row.text("name") }),
        ("id", { _ = try row.instant("id") }), ("id", { _ = try row.choice("id", Engine.self) }),
      ]
      for (column, read) in wrong {
        let error = #expect(throws: StorageError.self) { try read() }
        #expect(error?.code == .decoding)
        #expect(error?.message.contains("column \(column)") == true)
        #expect(!"\(error as Any)".contains("secret"))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `what changed is counted`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let counts = try await db.write { tx in
        for index in 0..<5 { try Things.add("\(index)", count: index, tx) }
        return [
          try tx.run("UPDATE storage_test_thing SET count = 9 WHERE count > 2"),
          try tx.run("UPDATE storage_test_thing SET count = 9 WHERE id = 'none'"),
          try tx.run("SELECT id FROM storage_test_thing"),
          try tx.run("INSERT INTO storage_test_thing (id, count, flag) VALUES ('0', 0, FALSE) ON CONFLICT DO NOTHING"),
          try tx.run("CREATE TABLE storage_test_more (id TEXT)"),
          try tx.run("DELETE FROM storage_test_thing WHERE count = 9"),
        ]
      }
      #expect(counts == [2, 0, 0, 0, 0, 2])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a breach of the schema says which kind and never a value`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      try await db.write { try Things.add("secret-value", $0) }
      let breaches: [(SQL, StorageError.Code)] = [
        ("INSERT INTO storage_test_thing (id, count, flag) VALUES (\("secret-value"), 0, \(false))", .unique),
        ("INSERT INTO storage_test_part (id, thing) VALUES ('p', \("secret-other"))", .foreignKey),
        ("INSERT INTO storage_test_thing (id, count, flag) VALUES ('b', \(-1), \(false))", .check),
        ("INSERT INTO storage_test_thing (id, flag) VALUES ('b', \(false))", .check),
        ("SELECT nonsense FROM storage_test_thing", .statement),
        ("SELEKT \("secret")", .statement),
      ]
      for (sql, code) in breaches {
        let error = await #expect(throws: StorageError.self) { try await db.write { _ = try $0.rows(sql) } }
        #expect(error?.code == code)
        #expect(!"\(error as Any)".contains("secret"))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a statement that failed dooms its transaction even when the error was swallowed`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      try await db.write { try Things.add("one", $0) }
      let swallowed = await #expect(throws: StorageError.self) {
        try await db.write { tx in
          try Things.add("two", tx)
          try? Things.add("one", tx)
        }
      }
      #expect(swallowed?.code == .unique)
      let later = await #expect(throws: StorageError.self) {
        try await db.write { tx in
          try? Things.add("one", tx)
          try Things.add("three", tx)
        }
      }
      #expect(later?.code == .unique)
      let count = try await Things.count(db)
      #expect(count == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a read cannot write`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let error = await #expect(throws: StorageError.self) { try await db.read { try Things.add("a", $0) } }
      #expect(error?.code == .statement)
      let count = try await Things.count(db)
      #expect(count == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `rows can be read one by one and left early, by answer or by error`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      try await db.write { tx in for index in 0..<1200 { try Things.add("\(10_000 + index)", count: index, tx) } }
      let seen = try await db.read { tx in
        var seen: [Int] = []
        try tx.forEach("SELECT count FROM storage_test_thing ORDER BY id") { row in
          seen.append(try row.int("count"))
          return seen.count < 10
        }
        do {
          try tx.forEach("SELECT count FROM storage_test_thing ORDER BY id") { _ in throw Stop() }
        } catch is Stop { seen.append(-1) }
        var all = 0
        try tx.forEach("SELECT count FROM storage_test_thing WHERE count >= \(0)") { row in
          all += try row.int("count")
          return true
        }
        return seen + [all]
      }
      #expect(seen == Array(0..<10) + [-1, 1199 * 600])
    }
  }

  @Test(arguments: Engine.allCases)
  func `statements may run while rows are walked, the same one too`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let pairs = try await db.write { tx in
        for index in 0..<3 { try Things.add("\(index)", count: index, tx) }
        let walk: SQL = "SELECT id, count FROM storage_test_thing WHERE count >= \(0) ORDER BY id"
        var pairs: [String] = []
        try tx.forEach(walk) { outer in
          try tx.forEach(walk) { inner in
            pairs.append(try outer.text("id") + inner.text("id"))
            return true
          }
          try tx.run("INSERT INTO storage_test_part (id, thing) VALUES (\(pairs.count), \(outer.text("id")))")
          return true
        }
        return pairs + [try tx.text("SELECT CAST(COUNT(*) AS TEXT) FROM storage_test_part") ?? ""]
      }
      #expect(pairs == ["00", "01", "02", "10", "11", "12", "20", "21", "22", "3"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a closed database says so, and what had begun is finished`(engine: Engine) async throws {
    try await withDatabase(engine, [Things.tables]) { db in
      let writes = (0..<50).map { index in Task { try await db.write { try Things.add("\(index)", $0) } } }
      try await db.write { try Things.add("last", $0) }
      await db.close()
      var kept = 1
      for write in writes {
        switch await write.result {
        case .success: kept += 1
        case .failure(let error): #expect((error as? StorageError)?.code == .unavailable)
        }
      }
      #expect(kept >= 1)
      let write = await #expect(throws: StorageError.self) { try await db.write { try $0.run("SELECT 1") } }
      #expect(write?.code == .unavailable)
      let read = await #expect(throws: StorageError.self) { try await db.read { try $0.int("SELECT 1") } }
      #expect(read?.code == .unavailable)
      await db.close()
    }
  }
}
