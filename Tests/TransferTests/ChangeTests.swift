import Connecting
import Foundation
import Kernel
import Synchronization
import TestKit
import Testing

@testable import ConnectorPostgreSQL
@testable import ConnectorSQLite
@testable import Transfer

@Suite struct ChangeTests {
  /// A slot's name is the whole server's.
  private static func grant() -> Grant {
    Grant(cursor: nil, name: "grant-" + UUID().uuidString.prefix(8).lowercased())
  }

  /// Follows until everything committed so far is in the target.
  @discardableResult
  private func follow(
    _ grant: Grant, run: String, fence: Int64 = 1, from source: Stand, to target: Stand,
    check: @escaping @Sendable () async throws -> Void = {}
  ) async throws -> DeliveryOutcome {
    var plan = grant.plan(.changes, run: run, fence: fence)
    plan.changes.ending = .caughtUp
    let keeper = grant.keeper
    return try await Delivery(plan, control: DeliveryControl(check: check, quarantine: { keeper.take($0) }))
      .run(from: source.connector, to: target.connector)
  }

  /// From and to: every source that can be followed.
  private static let ways = [Product.postgresql, .mariadb].flatMap { from in
    Product.allCases.map { Way(from: from, to: $0) }
  }
  private static let sources = [Product.postgresql, .mariadb]

  private func source(_ product: Product = .postgresql, rows: Int) throws -> Stand {
    let source = try Stand(product, followed: true)
    try source.makePersons()
    try source.insert(Person.many(0..<rows))
    return source
  }

  private func expectEqual(_ source: Stand, _ target: Stand, _ place: SourceLocation = #_sourceLocation) throws {
    #expect(try target.persons() == (try source.persons()), sourceLocation: place)
  }

  @Test(arguments: ways)
  func `inserts, updates, deletes and a changed key arrive, each once`(way: Way) async throws {
    let (source, target, grant) = (try source(way.from, rows: 3000), try Stand(way.to), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    let first = try await follow(grant, run: "r1", from: source, to: target)
    #expect(first.disagreement == nil && first.provider.counts.delivered == 3000)
    try expectEqual(source, target)
    try source.run(
      """
      UPDATE person SET name = concat('改', id) WHERE id < 50; DELETE FROM person WHERE id BETWEEN 100 AND 199;
      UPDATE person SET id = id + 100000 WHERE id BETWEEN 200 AND 209; INSERT INTO person (id, name) VALUES (7777, '新');
      INSERT INTO person (id, name) VALUES (7778, '去'); DELETE FROM person WHERE id = 7778;
      UPDATE person SET name = '再改' WHERE id = 1; DELETE FROM person WHERE id = 2; INSERT INTO person (id, name) VALUES (2, '又来')
      """)
    let second = try await follow(grant, run: "r2", fence: 2, from: source, to: target)
    try expectEqual(source, target)
    #expect(second.disagreement == nil)
    #expect(second.provider.counts.removed == 110 && second.provider.counts.delivered == 61)
    #expect(second.consumer?.rowSum == second.provider.rowSum && second.provider.through != nil)
    // Nothing happened: nothing comes.
    let third = try await follow(grant, run: "r3", fence: 3, from: source, to: target)
    #expect(third.disagreement == nil && third.provider.counts.delivered == 0 && third.provider.counts.removed == 0)
  }

  @Test(arguments: sources)
  func `a truncated table is emptied, and what came after it is there`(product: Product) async throws {
    let (source, target, grant) = (try source(product, rows: 500), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    try await follow(grant, run: "r1", from: source, to: target)
    try source.run("TRUNCATE person; INSERT INTO person (id, name) VALUES (1, '重来')")
    try await follow(grant, run: "r2", fence: 2, from: source, to: target)
    try expectEqual(source, target)
  }

  @Test func `a source that forgets twice within one run is read anew twice, and what it deleted meanwhile goes`()
    async throws
  {
    let (source, target, grant) = (try source(.mariadb, rows: 300), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    let isOver = Mutex(false)
    var plan = grant.plan(.changes, run: "r1", fence: 1)
    plan.changes.ending = .after(.seconds(120))
    let delivery = try Delivery(
      plan,
      control: DeliveryControl(
        check: {
          if isOver.withLock(\.self) { throw Refusal(.conflict, "test.over", Text(same: "over")) }
        }, quarantine: { _ in }))
    async let outcome = delivery.run(from: source.connector, to: target.connector)
    func arrives(_ what: Comment) async throws {
      for _ in 0..<600 {
        if try target.value("SELECT to_regclass('person')") != nil, try target.persons() == (try source.persons()) {
          return
        }
        try await Task.sleep(for: .milliseconds(100))
      }
      Issue.record(what)
    }
    try await arrives("the table's first reading")
    for round in 1...2 {
      // Several commits, so that batches lie behind the stream.
      for id in 0..<5 {
        try source.run("INSERT INTO person (id, name) VALUES (\(round * 1000 + id), '新')")
        try await Task.sleep(for: .milliseconds(300))
      }
      try await arrives("changes of round \(round)")
      try source.run(
        """
        CREATE TABLE next LIKE person; INSERT INTO next SELECT * FROM person; DELETE FROM next WHERE id = \(round);
        RENAME TABLE person TO old\(round), next TO person
        """)
      try source.run("INSERT INTO person (id, name) VALUES (\(round + 7000), '换过')")
      try await arrives("the swapped table of round \(round)")
    }
    isOver.withLock { $0 = true }
    try source.run("INSERT INTO person (id, name) VALUES (9999, '末')")
    guard case .stopped = try await outcome.ending else {
      Issue.record("it ended by itself")
      return
    }
  }

  @Test func `a long value that an update does not log again stays as it is`() async throws {
    let (source, target) = (try source(rows: 0), try Stand(.postgresql))
    var grant = Self.grant()
    grant.items[1] = ItemContract("name", .text)
    defer { try? source.connector.endChanges(grant.name) }
    try source.run(
      """
      ALTER TABLE person ALTER COLUMN name SET STORAGE EXTERNAL;
      INSERT INTO person (id, name, capital) SELECT i, repeat(md5(i::text), 500), 1 FROM generate_series(1, 20) i
      """)
    try await follow(grant, run: "r1", from: source, to: target)
    try source.run("UPDATE person SET capital = 2 WHERE id <= 10")
    try source.run(
      "INSERT INTO person (id, name, capital) VALUES (99, repeat('x', 20000), 1); UPDATE person SET capital = 3 WHERE id = 99"
    )
    let outcome = try await follow(grant, run: "r2", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.quarantined == 0)
    try expectEqual(source, target)
  }

  @Test(arguments: sources)
  func `a bad row is set apart, its older version flagged until it is good again`(product: Product) async throws {
    let (source, target, grant) = (try source(product, rows: 100), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    try source.run("UPDATE person SET name = repeat('长', 13) WHERE id = 50")
    let first = try await follow(grant, run: "r1", from: source, to: target)
    #expect(first.provider.counts.quarantined == 1 && first.provider.counts.delivered == 99)
    #expect(grant.keeper.rows(first.provider).map(\.fault) == [.tooLong])
    try source.run("UPDATE person SET name = repeat('长', 13) WHERE id = 60")
    let second = try await follow(grant, run: "r2", fence: 2, from: source, to: target)
    #expect(second.provider.counts.quarantined == 1)
    #expect(try target.value("SELECT count(*) FROM person WHERE sj_stale_batch IS NOT NULL") == "1")
    try source.run("UPDATE person SET name = '好了' WHERE id IN (50, 60)")
    try await follow(grant, run: "r3", fence: 3, from: source, to: target)
    try expectEqual(source, target)
    #expect(try target.value("SELECT count(*) FROM person WHERE sj_stale_batch IS NOT NULL") == "0")
  }

  @Test(arguments: sources)
  func `what changes while the table is first read arrives as it last was`(product: Product) async throws {
    let (source, target, grant) = (try source(product, rows: 20_000), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    let isOver = Mutex(false)
    // On a thread of its own: the engine's control needs those of the tasks.
    async let disturbance = BlockingThread.run {
      var round = 0
      while !isOver.withLock({ $0 }) {
        round += 1
        let (a, b) = (Int.random(in: 0..<20_000), Int.random(in: 0..<20_000))
        try source.run(
          """
          UPDATE person SET name = '扰\(round)' WHERE id BETWEEN \(a) AND \(a + 20); DELETE FROM person WHERE id = \(b);
          INSERT INTO person (id, name) VALUES (\(100_000 + round), '新'); UPDATE person SET id = \(200_000 + round) WHERE id = \(b + 1)
          """)
        // Never at rest for as long as the engine would wait for it.
        usleep(10_000)
      }
      return round
    }
    try await follow(grant, run: "r1", from: source, to: target)
    isOver.withLock { $0 = true }
    #expect(try await disturbance > 5)
    try await follow(grant, run: "r2", fence: 2, from: source, to: target)
    try expectEqual(source, target)
  }

  @Test func `a slot that was dropped is made anew and the table read again, gone rows removed`() async throws {
    let (source, target, grant) = (try source(rows: 1000), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    try await follow(grant, run: "r1", from: source, to: target)
    try source.connector.endChanges(grant.name)
    #expect(try source.connector.changeBacklog(grant.name) == nil)
    try source.run("DELETE FROM person WHERE id < 10; UPDATE person SET name = '改' WHERE id = 20")
    let outcome = try await follow(grant, run: "r2", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.removed == 10)
    try expectEqual(source, target)
    #expect(try source.connector.changeBacklog(grant.name)?.isLost == false)
  }

  @Test func `a slot of the same name that was made later is no way to go on: the table is read again`() async throws {
    let (source, target, grant) = (try source(rows: 300), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    try await follow(grant, run: "r1", from: source, to: target)
    try source.insert(Person.many(1000..<1010))
    // Another worker, which the target then refuses, has begun to follow meanwhile.
    let slot = PostgreSQLSlot(stream: grant.name).name
    try source.run("SELECT pg_drop_replication_slot('\(slot)')")
    try source.run("SELECT pg_create_logical_replication_slot('\(slot)', 'pgoutput')")
    try await follow(grant, run: "r2", fence: 2, from: source, to: target)
    try expectEqual(source, target)
  }

  @Test(arguments: sources)
  func `a followed table that is dropped and made anew is read again, gone rows removed`(product: Product) async throws
  {
    let (source, target, grant) = (try source(product, rows: 500), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    try await follow(grant, run: "r1", from: source, to: target)
    try source.run("DROP TABLE person")
    try source.makePersons()
    try source.insert(Person.many(400..<600))
    let outcome = try await follow(grant, run: "r2", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.removed == 400)
    try expectEqual(source, target)
    try source.insert(Person.many(700..<710))
    try await follow(grant, run: "r3", fence: 3, from: source, to: target)
    try expectEqual(source, target)
  }

  @Test(arguments: sources)
  func `a followed table that another takes the name of while it is followed is read again in the same run`(
    product: Product
  ) async throws {
    let (source, target, grant) = (try source(product, rows: 300), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    try await follow(grant, run: "r1", from: source, to: target)
    let plan = grant.plan(.changes, run: "r2", fence: 2)
    let keeper = grant.keeper
    let isOver = Mutex(false)
    let control = DeliveryControl(
      check: { if isOver.withLock({ $0 }) { throw Over() } }, quarantine: { keeper.take($0) })
    let running = Task {
      try await Delivery(plan, control: control).run(from: source.connector, to: target.connector)
    }
    func arrives(_ what: String) async throws {
      for _ in 0..<300 {
        if (try? target.persons()) == (try source.persons()) { return }
        try await Task.sleep(for: .milliseconds(100))
      }
      Issue.record("\(what) has not arrived")
    }
    try source.insert(Person.many(300..<310))
    try await arrives("a change")
    let rename =
      product == .mariadb
      ? "RENAME TABLE person TO person_old, person_new TO person"
      : "ALTER TABLE person RENAME TO person_old; ALTER TABLE person_new RENAME TO person"
    try source.run(
      """
      CREATE TABLE person_new \(product == .mariadb ? "LIKE person" : "(LIKE person INCLUDING ALL)");
      INSERT INTO person_new SELECT * FROM person WHERE id <> 31; \(rename); UPDATE person_old SET name = 'x' WHERE id = 1
      """)
    try await arrives("the other table")
    try source.insert(Person.many(400..<410))
    try await arrives("a change of the other table")
    isOver.withLock { $0 = true }
    _ = await running.result
  }

  private struct Over: Error {}

  @Test func `a source that keeps more of its log than was allowed is given up and read anew`() async throws {
    let (source, target, grant) = (try source(rows: 100), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    try await follow(grant, run: "r1", from: source, to: target)
    try source.run("INSERT INTO person (id, name) SELECT i, 'n' FROM generate_series(1000, 30000) i")
    var plan = grant.plan(.changes, run: "r2", fence: 2)
    plan.changes = .init(ending: .caughtUp, mostRetained: 1 << 20)
    let outcome = try await Delivery(plan, control: DeliveryControl(quarantine: { _ in }))
      .run(from: source.connector, to: target.connector)
    #expect(outcome.disagreement == nil)
    try expectEqual(source, target)
  }

  @Test(arguments: sources)
  func `a stream that is asked to begin anew reads the table again, and says so once`(product: Product) async throws {
    let (source, target, grant) = (try source(product, rows: 300), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    try await follow(grant, run: "r1", from: source, to: target)
    // Somebody was at the target's rows.
    try target.run("DELETE FROM person WHERE id < 10; UPDATE person SET name = 'x' WHERE id = 20")
    var plan = grant.plan(.changes, run: "r2", fence: 2)
    plan.changes = .init(ending: .caughtUp, beginsAnew: true)
    for _ in 0..<2 {
      let outcome = try await Delivery(plan, control: DeliveryControl(quarantine: { _ in }))
        .run(from: source.connector, to: target.connector)
      #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 300)
      try expectEqual(source, target)
    }
  }

  @Test func `MariaDB's log that cannot say what happened is given up, and the table read again`() async throws {
    let (source, target, grant) = (try source(.mariadb, rows: 300), try Stand(.postgresql), Self.grant())
    try await follow(grant, run: "r1", from: source, to: target)
    try source.run(
      "DELETE FROM person WHERE id < 10; SET SESSION binlog_format = STATEMENT; UPDATE person SET name = 'x' WHERE id = 20; SET SESSION binlog_format = ROW; UPDATE person SET name = 'y' WHERE id = 21"
    )
    let outcome = try await follow(grant, run: "r2", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil)
    try expectEqual(source, target)
    let third = try await follow(grant, run: "r3", fence: 3, from: source, to: target)
    #expect(third.provider.counts.delivered == 0)
  }

  @Test(arguments: [
    (Product.postgresql, "ALTER TABLE person DROP COLUMN capital"),
    (.postgresql, "ALTER TABLE person ALTER COLUMN name TYPE bytea USING NULL"),
    (.mariadb, "ALTER TABLE person DROP COLUMN capital"), (.mariadb, "ALTER TABLE person MODIFY name longblob"),
  ])
  func `a source that changes its shape stops the stream as a breach of contract`(
    product: Product, change: String
  ) async throws {
    let (source, target, grant) = (try source(product, rows: 100), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    try await follow(grant, run: "r1", from: source, to: target)
    try source.run("INSERT INTO person (id, name) VALUES (1000, '前')")
    try source.run("\(change); INSERT INTO person (id) VALUES (1001)")
    await #expect { try await follow(grant, run: "r2", fence: 2, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.kind == .contract
    }
  }

  @Test func `a run waits for no part of the source's log that only its memory has`() throws {
    let (source, grant) = (try source(rows: 10), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    let changes = try source.connector.openChanges(
      ChangePlan(
        table: TableName("person"), columns: [.init("id", .integer)], key: [0], stream: grant.name), after: nil)
    defer { changes.close() }
    // As pruning does: written, and brought to the disk by nobody until somebody commits.
    try source.run("SELECT pg_logical_emit_message(false, 'test', repeat('x', 100))")
    let mark = try #require(PostgreSQLPlace(try changes.mark()))
    #expect(try source.value("SELECT '\(mark.written)'::pg_lsn <= pg_current_wal_flush_lsn()") == "t")
  }

  @Test func `the source forgets its log once the target has it`() async throws {
    let (source, target, grant) = (try source(rows: 10), try Stand(.postgresql), Self.grant())
    defer { try? source.connector.endChanges(grant.name) }
    try await follow(grant, run: "r1", from: source, to: target)
    try source.run("INSERT INTO person (id, name) SELECT i, 'n' FROM generate_series(1000, 60000) i")
    let written = try source.value("SELECT pg_current_wal_flush_lsn()::text") ?? ""
    try await follow(grant, run: "r2", fence: 2, from: source, to: target)
    // What a run has made last is told to the source by the next.
    try await follow(grant, run: "r3", fence: 3, from: source, to: target)
    let name = "sj_" + grant.name.replacing("-", with: "_")
    #expect(
      try source.value(
        "SELECT confirmed_flush_lsn >= '\(written)'::pg_lsn FROM pg_replication_slots WHERE slot_name = '\(name)'")
        == "t")
    #expect(try source.connector.changeBacklog(grant.name)?.isLost == false)
  }
}
