import Audit
import Catalog
import Connecting
import Demo
import Foundation
import Inbox
import Inventory
import Jobs
import Kernel
import Mounting
import Storage
import TestKit
import Testing

@testable import App

/// Mounts of real tables, tested while their sources do what sources do.
@Suite struct MountedTableTests {
  /// A published entry on a table of a PostgreSQL database, whose reader has the rights it was given and no more.
  struct PostgresStage {
    let node: Node
    let cast: DemoCast
    let clock: DemoClock
    let server: PostgresServer
    let name: String
    let source: DataSource
    let resource: Resource

    func run(_ sql: String) throws { try server.query(sql, on: name) }

    func tie() async throws -> Tie {
      let id = resource.id
      return try #require(try await node.database.read { try TieStore.ties(of: id, in: $0) }.first)
    }

    func test() async throws -> Tie {
      let id = try await tie().id
      return try await node.mounting.testNow(id, by: cast.officer)
    }

    func tasks() async throws -> [String] {
      let officer = cast.officer
      return try await node.database.read {
        try Inbox.waiting(for: officer, in: $0).map(\.kind).filter { $0.hasPrefix("mounting.") }
      }
    }
  }

  private func withPostgresStage(
    _ engine: Engine, isolation: isolated (any Actor)? = #isolation, _ body: (PostgresStage) async throws -> Void
  ) async throws {
    try await withPostgresServer(durable: false) { server in
      let name = try server.makeDatabase()
      try server.query(
        """
        CREATE TABLE company (uscc varchar(18) PRIMARY KEY, title varchar(60) NOT NULL, updated_at timestamptz NOT NULL);
        COMMENT ON TABLE company IS '企业名单'; COMMENT ON COLUMN company.uscc IS '企业代码';
        COMMENT ON COLUMN company.title IS '企业名称'; COMMENT ON COLUMN company.updated_at IS '更新时间';
        INSERT INTO company VALUES ('a', '甲', now()), ('b', '乙', now());
        CREATE ROLE reader LOGIN; GRANT SELECT ON company TO reader
        """, on: name)
      try await withNode(engine, from: Clock.system.now()) { node, cast, clock, _ in
        let system = try await node.register.register(
          cast.officer,
          SystemFacts(
            name: "企业名单系统", function: "名单", scope: "2", frequency: "1", approvedBy: "青海省发展和改革委员会",
            approvedOn: CalendarDate("2016-03-11"), fundSource: "省级财政", network: "2", stage: "4"))
        let address = "host=\(server.folder) user=reader dbname=\(name)"
        let source = try await node.register.addSource(
          cast.officer, system.id, SourceDraft(name: "名单库", kind: "postgresql", settings: ["address": address]))
        let table = TableName(schema: "public", "company")
        let draft = try await node.cataloguing.draft(cast.officer, from: source.id, table: table)
        var metadata = draft.metadata
        metadata.name = "企业名单信息"
        metadata.abstract = "全省企业名单，来自企业名单系统，每日更新。"
        metadata.sharingType = "2"
        metadata.sharingCondition = "用于依法履行职责时核对企业身份。"
        metadata.openType = "3"
        metadata.cycle = "7"
        _ = try await node.cataloguing.edit(cast.officer, draft.id, from: draft.revision, .init(metadata: metadata))
        _ = try await node.cataloguing.submit(cast.officer, draft.id)
        let resource = try await node.cataloguing.decide(cast.operatorInChief, draft.id, .approve(publish: true))
        try await body(
          PostgresStage(
            node: node, cast: cast, clock: clock, server: server, name: name, source: source, resource: resource))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `an entry is mounted once its table was read, and search says so`(engine: Engine) async throws {
    try await withPostgresStage(engine) { stage in
      #expect(try await stage.tie().state == .declared)
      let before = try await stage.node.cataloguing.search(stage.cast.officer, CatalogQuery(isMounted: true))
      #expect(before.total == 0)
      _ = try await stage.node.runner().drain()
      let tie = try await stage.tie()
      #expect(tie.state == .mounted && tie.fault == nil && tie.isInForce)
      #expect(tie.watch.mark?.kind == .cursor && tie.watch.changedAt != nil)
      #expect(tie.timeliness == .timely)
      let after = try await stage.node.cataloguing.search(
        stage.cast.officer, CatalogQuery(isMounted: true, freshness: .current))
      #expect(after.entries.map(\.id) == [stage.resource.id])
      #expect(try await stage.tasks() == [])
    }
  }

  @Test(arguments: Engine.allCases)
  func `what a source does to a table is said in words, becomes a task, and the task ends when it works again`(
    engine: Engine
  ) async throws {
    try await withPostgresStage(engine) { stage in
      #expect(try await stage.test().state == .mounted)
      let faults: [(breaks: String, code: String, mends: String)] = [
        ("REVOKE SELECT ON company FROM reader", "postgresql.42501", "GRANT SELECT ON company TO reader"),
        (
          "ALTER TABLE company RENAME TO other", "contract.table-missing", "ALTER TABLE other RENAME TO company"
        ),
        (
          "ALTER TABLE company RENAME COLUMN title TO label", "mounting.column-missing",
          "ALTER TABLE company RENAME COLUMN label TO title"
        ),
        (
          "ALTER TABLE company ALTER COLUMN title TYPE int USING 0", "mounting.column-type",
          "ALTER TABLE company ALTER COLUMN title TYPE varchar(60)"
        ),
      ]
      for fault in faults {
        try stage.run(fault.breaks)
        let broken = try await stage.test()
        #expect(broken.state == .failing && broken.fault?.code == fault.code, "\(fault.breaks)")
        #expect(try await stage.tasks() == ["mounting.fail"])
        // Again: the same task, and a longer pause.
        let again = try await stage.test()
        #expect(again.failures == 2 && again.dueAt > broken.dueAt && again.since == broken.since)
        #expect(try await stage.tasks() == ["mounting.fail"])
        try stage.run(fault.mends)
        #expect(try await stage.test().state == .mounted, "\(fault.mends)")
        #expect(try await stage.tasks() == [])
      }
      let tie = try await stage.tie().id
      let (runs, records) = try await stage.node.database.read { tx in
        (
          try TieStore.runs(of: tie, limit: 50, in: tx),
          try tx.int("SELECT COUNT(*) FROM audit_record WHERE action IN ('mounting.tie.work', 'mounting.tie.fail')")
        )
      }
      #expect(runs.count == 9 && runs.map(\.tests).reduce(0, +) == 13)
      #expect(records == 9, "only changes of state are recorded")
    }
  }

  @Test func `a server that stops fails the mount, and the sweep finds it back`() async throws {
    try await withPostgresStage(.sqlite) { stage in
      #expect(try await stage.test().state == .mounted)
      stage.server.stop(.immediate)
      stage.clock.advance(by: .seconds(5 * 3600))
      #expect(try await stage.node.mounting.sweep() == 1)
      let down = try await stage.tie()
      #expect(down.state == .failing && down.fault?.code == "postgresql.connect")
      #expect(try await stage.node.mounting.sweep() == 0, "not due yet")
      try stage.server.start()
      stage.clock.advance(by: .seconds(400))
      #expect(try await stage.node.mounting.sweep() == 1)
      #expect(try await stage.tie().state == .mounted)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a schema read again opens its changes as a task, which a new version or a reason closes`(
    engine: Engine
  ) async throws {
    try await withPostgresStage(engine) { stage in
      let (mounting, officer, source) = (stage.node.mounting, stage.cast.officer, stage.source.id)
      #expect(try await mounting.survey(officer, source) == 0)
      #expect(try await mounting.survey(officer, source) == 0, "nothing changed")
      try stage.run(
        """
        ALTER TABLE company ADD COLUMN phone varchar(20); COMMENT ON COLUMN company.phone IS '联系电话';
        ALTER TABLE company RENAME COLUMN title TO full_title;
        CREATE TABLE fresh (id int PRIMARY KEY); GRANT SELECT ON fresh TO reader
        """)
      #expect(try await mounting.survey(officer, source) == 2)
      #expect(try await stage.tasks() == ["mounting.schema"])
      let found = try await mounting.changes(officer, of: source).changes
      let change = try #require(found.first { $0.state == .open })
      #expect(found.count == 2 && found.contains { $0.state == .noted && $0.table.name == "fresh" })
      #expect(
        change.differences.map(\.words.chinese)
          == ["疑似改名：title → full_title", "新增列 phone（character varying(20)）"])
      await #expect(throws: Refusal.self) { try await mounting.dismiss(officer, change.id, reason: "") }
      let draft = try await mounting.takeOver(officer, change.id)
      #expect(draft.version == 2 && draft.items.map(\.column) == ["uscc", "full_title", "updated_at", "phone"])
      let before = Dictionary(uniqueKeysWithValues: stage.resource.items.map { ($0.column, $0.id) })
      #expect(draft.items[1].id == before["title"], "the same item under its new column")
      #expect(try await stage.tasks() == [])
      // Dropped, then there again: nothing is left to do.
      try stage.run("ALTER TABLE company RENAME TO gone")
      _ = try await mounting.survey(officer, source)
      #expect(try await stage.tasks() == ["mounting.schema"])
      try stage.run("ALTER TABLE gone RENAME TO company")
      _ = try await mounting.survey(officer, source)
      #expect(try await stage.tasks() == [])
      let list = try await mounting.tables(officer, source)
      let free = list.tables.filter { $0.goneAt == nil && list.entries[$0.name] == nil }
      #expect(free.map(\.name.name) == ["fresh"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `drafts of all tables not yet catalogued are made by a worker, and once only`(engine: Engine) async throws {
    try await withPostgresStage(engine) { stage in
      let (mounting, officer, source) = (stage.node.mounting, stage.cast.officer, stage.source.id)
      try stage.run(
        """
        CREATE TABLE person (id bigint PRIMARY KEY, mobile bigint);
        INSERT INTO person SELECT g, 13900000000 + g FROM generate_series(1, 20) g;
        CREATE TABLE empty_one (sfzh varchar(18)); CREATE TABLE secret (id int);
        GRANT SELECT ON person, empty_one TO reader
        """)
      let batch = try await mounting.draft(officer, from: source, tables: nil)
      #expect(batch.tables.map(\.name.name) == ["empty_one", "person"], "not the catalogued, not the unreadable")
      _ = try await stage.node.runner().drain()
      let done = try await mounting.batch(officer, batch.id)
      #expect(done.endedAt != nil && done.tables.allSatisfy { $0.resource != nil })
      let drafts = try await stage.node.database.read { tx in
        try done.tables.compactMap { try $0.resource.flatMap { try CatalogStore.latest($0, in: tx) } }
      }
      #expect(drafts[0].items[0].semantic == "citizen-id" && drafts[0].items[0].evidence?.looked == 0)
      #expect(drafts[1].items[1].semantic == "mobile" && drafts[1].items[1].evidence?.valid == 20)
      #expect(drafts[1].items[1].grade == "3")
      await #expect(throws: Refusal.self) { try await mounting.draft(officer, from: source, tables: nil) }
    }
  }

  @Test(arguments: Engine.allCases)
  func `other offices see nothing of a mount`(engine: Engine) async throws {
    try await withPostgresStage(engine) { stage in
      let (mounting, stranger) = (stage.node.mounting, stage.cast.consumerOfficer)
      let tie = try await stage.tie().id
      await #expect(throws: Refusal.self) { try await mounting.testNow(tie, by: stranger) }
      await #expect(throws: Refusal.self) { try await mounting.tables(stranger, stage.source.id) }
      #expect(try await mounting.list(stranger).ties == [])
      #expect(try await mounting.list(stage.cast.officer).ties.map(\.id) == [tie])
      #expect(try await mounting.list(stage.cast.operatorInChief).counts[.declared] == 1)
    }
  }
}
