import Foundation
import Storage
import StoragePostgres
import Synchronization
import TestKit
import Testing

/// What only the PostgreSQL engine promises.
@Suite struct StoragePostgresTests {
  private static let tables = Migrations("server").adding(
    "001", "CREATE TABLE server_thing (id TEXT PRIMARY KEY, count BIGINT NOT NULL)")

  private func withServerDatabase<T>(
    connections: Int = 4, longestWait: Duration = .seconds(30), readTimeout: Duration = .seconds(30),
    _ body: (PostgresDatabase) async throws -> T
  ) async throws -> T {
    let server = try PostgresServer.shared.get()
    let name = try server.makeDatabase()
    defer { try? server.dropDatabase(name) }
    let db = try PostgresDatabase(
      server.address(of: name), connections: connections, longestWait: longestWait, readTimeout: readTimeout)
    do {
      try await db.migrate([Self.tables])
      let value = try await body(db)
      await db.close()
      return value
    } catch {
      await db.close()
      throw error
    }
  }

  private func add(_ id: String, _ tx: any Transaction) throws {
    try tx.run("INSERT INTO server_thing (id, count) VALUES (\(id), 0)")
  }

  @Test func `the session is what the promises need`() async throws {
    try await withServerDatabase { db in
      let settings = [
        "TimeZone": "UTC", "client_encoding": "UTF8", "application_name": "sanjiang", "synchronous_commit": "on",
        "standard_conforming_strings": "on",
      ]
      for (name, value) in settings {
        let set = try await db.read { try $0.text("SELECT current_setting(\(name)) AS v") }
        #expect(set == value, "\(name)")
      }
      let isolation: SQL = "SELECT current_setting('transaction_isolation') AS v"
      let found1 = try await db.write { try $0.text(isolation) }
      #expect(found1 == "serializable")
      #expect(try await db.write(.readCommitted) { try $0.text(isolation) } == "read committed")
      let found2 = try await db.read { try $0.text(isolation) }
      #expect(found2 == "repeatable read")
    }
  }

  @Test func `a database that sorts otherwise is refused with the way to make a right one`() throws {
    let server = try PostgresServer.shared.get()
    let name = try server.makeDatabase()
    defer { try? server.dropDatabase("\(name)_latin") }
    defer { try? server.dropDatabase(name) }
    try server.query(
      "CREATE DATABASE \(name)_latin TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'",
      on: "postgres")
    let error = #expect(throws: StorageError.self) { try PostgresDatabase(server.address(of: "\(name)_latin")) }
    #expect(error?.code == .migration)
    #expect(error?.message.contains("ENCODING 'UTF8'") == true)
  }

  @Test(arguments: [
    "postgres://u:topsecret@127.0.0.1:1/x", "host=127.0.0.1 port=1 password=topsecret dbname=x",
    "postgres://u:top@secret@127.0.0.1:1/x", "postgres://u:topsecret@127.0.0.1:port/x", "topsecret", "host='topsecret",
    "postgres://u:topsecret@127.0.0.1:1/x?sslmode=topsecret",
  ])
  func `an address that does not lead anywhere is unavailable, and its password stays unsaid`(address: String) {
    let error = #expect(throws: StorageError.self) { try PostgresDatabase(address) }
    #expect(error?.code == .unavailable)
    #expect(!"\(error as Any)".contains("secret"))
  }

  @Test func `of several hosts the one that answers is used`() async throws {
    let server = try PostgresServer.shared.get()
    let name = try server.makeDatabase()
    defer { try? server.dropDatabase(name) }
    let db = try PostgresDatabase("host=/nowhere,\(server.folder) user=postgres dbname=\(name)")
    let found3 = try await db.read { try $0.int("SELECT 1 AS v") }
    #expect(found3 == 1)
    await db.close()
  }

  @Test func `a read that takes too long is ended`() async throws {
    try await withServerDatabase(readTimeout: .milliseconds(200)) { db in
      let error = await #expect(throws: StorageError.self) {
        try await db.read { try $0.rows("SELECT CAST(pg_sleep(20) AS TEXT) AS v") }
      }
      #expect(error?.code == .timeout)
      try await db.write { try add("a", $0) }
    }
  }

  @Test func `who waits too long for a connection is told so, and who is cancelled leaves the queue`() async throws {
    try await withServerDatabase(connections: 2, longestWait: .milliseconds(300)) { db in
      let held = (0..<2).map { _ in Task { try await db.read { _ = try $0.rows("SELECT pg_sleep(3)") } } }
      try await Task.sleep(for: .milliseconds(200))
      let cancelled = Task { try await db.write { try add("cancelled", $0) } }
      let error = await #expect(throws: StorageError.self) { try await db.write { try add("late", $0) } }
      #expect(error?.code == .timeout)
      cancelled.cancel()
      await #expect(throws: (any Error).self) { try await cancelled.value }
      for task in held { try await task.value }
      let found4 = try await db.read { try $0.int("SELECT COUNT(*) FROM server_thing") }
      #expect(found4 == 0)
    }
  }

  @Test func `a conflict is tried again even when the closure made something else of it`() async throws {
    struct Own: Error {}
    try await withServerDatabase { db in
      try await db.write { try add("one", $0) }
      let runs = Mutex(0)
      try await db.write { tx in
        runs.withLock { $0 += 1 }
        do {
          try tx.rows("SELECT count FROM server_thing WHERE id = 'one'").forEach { _ in }
          if runs.withLock({ $0 }) == 1 {
            try tx.script("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'conflict'; END $$")
          }
          try tx.run("UPDATE server_thing SET count = count + 1 WHERE id = 'one'")
        } catch { throw Own() }
      }
      #expect(runs.withLock { $0 } == 2)
      let found5 = try await db.read { try $0.int("SELECT count FROM server_thing") }
      #expect(found5 == 1)
    }
  }

  private final class Progress: Sendable {
    let isOver = Mutex(false)
    let tries = Mutex(0)
  }

  @Test func `a long transaction comes through a stream of short ones that write what it reads`() async throws {
    try await withServerDatabase(connections: 6) { db in
      try await db.write { try $0.run("INSERT INTO server_thing (id, count) VALUES ('counter', 0)") }
      let long = Progress()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            while !long.isOver.withLock({ $0 }) {
              try await db.write { try $0.run("UPDATE server_thing SET count = count + 1 WHERE id = 'counter'") }
            }
          }
        }
        group.addTask {
          defer { long.isOver.withLock { $0 = true } }
          // Not before the short ones are really under way.
          while try await db.read({ try $0.int("SELECT count FROM server_thing WHERE id = 'counter'") }) ?? 0 < 50 {}
          try await db.write { tx in
            long.tries.withLock { $0 += 1 }
            let seen = try tx.int("SELECT count FROM server_thing WHERE id = 'counter'") ?? 0
            // Long beside the others: each try of it meets dozens of them.
            usleep(60_000)
            try tx.run("UPDATE server_thing SET count = \(seen + 1) WHERE id = 'counter'")
          }
        }
        try await group.waitForAll()
      }
      #expect(long.tries.withLock { $0 } > 1, "the short ones were really in the way")
    }
  }

  @Test func `a conflict that never ends is told after a bounded number of tries`() async throws {
    try await withServerDatabase { db in
      let runs = Mutex(0)
      let error = await #expect(throws: StorageError.self) {
        try await db.write { tx in
          runs.withLock { $0 += 1 }
          try tx.script("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01', MESSAGE = 'deadlock'; END $$")
        }
      }
      #expect(error?.code == .conflict)
      #expect((2...100).contains(runs.withLock { $0 }))
    }
  }

  @Test(arguments: [
    ("53100", StorageError.Code.diskFull), ("57P01", .unavailable), ("08006", .unavailable), ("P0001", .check),
    ("23514", .check), ("22P02", .statement), ("42P01", .statement), ("55P03", .timeout), ("23503", .foreignKey),
  ])
  func `what the server says is sorted into our kinds`(state: String, code: StorageError.Code) async throws {
    try await withServerDatabase { db in
      let error = await #expect(throws: StorageError.self) {
        try await db.write {
          try $0.script("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '\(state)', MESSAGE = 'made up'; END $$")
        }
      }
      #expect(error?.code == code)
      try await db.write { try add("next", $0) }
    }
  }

  @Test func `a value that does not fit its column is not repeated`() async throws {
    try await withServerDatabase { db in
      let error = await #expect(throws: StorageError.self) {
        try await db.write { try $0.run("INSERT INTO server_thing (id, count) VALUES ('a', \("topsecret"))") }
      }
      #expect(error?.code == .statement)
      #expect(!"\(error as Any)".contains("topsecret"))
    }
  }

  @Test func `memory stays bounded while a million rows are walked`() async throws {
    try await withServerDatabase { db in
      let sum = try await db.read { tx in
        var sum = 0
        try tx.forEach("SELECT i FROM generate_series(1, \(300_000)) AS s (i)") { row in
          sum += try row.int("i")
          return true
        }
        return sum
      }
      #expect(sum == 300_000 * 300_001 / 2)
    }
  }

  @Test func `more statements than are kept prepared still work`() async throws {
    try await withServerDatabase(connections: 2) { db in
      for index in 0..<1200 {
        let text = "SELECT \(index) AS v"
        let value = try await db.read { try $0.int(SQL(parts: [.text(text)])) }
        #expect(value == index)
      }
    }
  }

  @Test func `a server that was killed is unavailable, and found again when it is back, with what was committed`()
    async throws
  {
    try await withPostgresServer { server in
      let name = try server.makeDatabase()
      let db = try PostgresDatabase(server.address(of: name), connections: 2)
      try await db.migrate([Self.tables])
      try await db.write { try add("before", $0) }
      server.stop(.kill)
      for _ in 0..<3 {
        let error = await #expect(throws: StorageError.self) { try await db.write { try add("during", $0) } }
        #expect(error?.code == .unavailable)
      }
      try server.start()
      try await db.write { try add("after", $0) }
      // Restarted between two uses: the stale connection costs the caller nothing.
      server.stop(.fast)
      try server.start()
      let ids = try await db.read { try $0.rows("SELECT id FROM server_thing ORDER BY id").map { try $0.text("id") } }
      #expect(ids == ["after", "before"])
      await db.close()
    }
  }

  @Test func `a connection lost in the middle of a transaction undoes it`() async throws {
    try await withServerDatabase { db in
      let runs = Mutex(0)
      let error = await #expect(throws: StorageError.self) {
        try await db.write { tx in
          runs.withLock { $0 += 1 }
          try add("lost", tx)
          try tx.rows("SELECT pg_terminate_backend(pg_backend_pid())").forEach { _ in }
        }
      }
      #expect(error?.code == .unavailable)
      #expect(runs.withLock { $0 } == 1)
      let found6 = try await db.read { try $0.int("SELECT COUNT(*) FROM server_thing") }
      #expect(found6 == 0)
    }
  }

  @Test func `a connection lost among statements that were sent together undoes them`() async throws {
    try await withServerDatabase { db in
      let error = await #expect(throws: StorageError.self) {
        try await db.write { tx in
          try tx.run(
            all: (0..<150).map { number -> SQL in
              number == 70
                ? "SELECT pg_terminate_backend(pg_backend_pid())"
                : "INSERT INTO server_thing (id, count) VALUES (\("lost\(number)"), 1)"
            })
        }
      }
      #expect(error?.code == .unavailable)
      let found = try await db.read { try $0.int("SELECT COUNT(*) FROM server_thing") }
      #expect(found == 0)
    }
  }

  @Test func `an address is shown without its secrets, and PostgreSQL's tools get the password apart from it`() throws {
    for (address, display) in [
      ("postgresql://bob:geheim@/records?host=/run/pg", "PostgreSQL /run/pg / records"),
      ("host=db1,db2 dbname=records user=bob password='ge heim'", "PostgreSQL db1,db2 / records"),
      ("postgres://db1/records?user=bob&password=geheim", "PostgreSQL db1 / records"),
      ("postgres://bob@/", "PostgreSQL localhost / bob"),
    ] {
      let read = try PostgresAddress(address)
      #expect(read.display == display)
      let (shown, environment) = try read.forTools()
      #expect(!shown.contains("heim"))
      #expect(environment["PGPASSWORD"]?.replacing(" ", with: "") == (address.contains("heim") ? "geheim" : nil))
      // It leads to the same place.
      #expect(try PostgresAddress(shown).display == display)
    }
    let quoted = try PostgresAddress("dbname='it''s' host='a b'".replacing("''", with: "\\'")).forTools().address
    #expect(try PostgresAddress(quoted).display == "PostgreSQL a b / it's")
    let other = #expect(throws: StorageError.self) {
      try PostgresAddress("host=db1 sslpassword=geheim").forTools()
    }
    #expect(other?.message.contains("sslpassword") == true && other?.message.contains("geheim") == false)
  }

  @Test(arguments: [PostgresServer.StopMode.fast, .immediate, .kill])
  func `a server that stops is unavailable, and every error has words`(mode: PostgresServer.StopMode) async throws {
    try await withPostgresServer(durable: false) { server in
      let db = try PostgresDatabase(server.address(of: try server.makeDatabase()), connections: 3)
      // In the middle of a transaction, and before one begins.
      let error = await #expect(throws: StorageError.self) {
        try await db.read { tx in
          _ = try tx.int("SELECT 1")
          server.stop(mode)
          // Whether the server's end is noticed by writing or by reading.
          usleep(100_000)
          _ = try tx.int("SELECT 1")
        }
      }
      #expect(error?.code == .unavailable && error?.message.contains("()") == false, "\(error?.message ?? "")")
      for _ in 0..<6 {
        let error = await #expect(throws: StorageError.self) { try await db.read { try $0.int("SELECT 1") } }
        #expect(error?.code == .unavailable && error?.message.contains("()") == false, "\(error?.message ?? "")")
      }
      await db.close()
    }
  }
}
