import Catalog
import Connecting
import Demo
import Exchange
import Inventory
import Jobs
import Kernel
import Sharing
import Storage
import TestKit
import Testing
import Transfer

@testable import App

/// A grant that is followed as its source changes: from the request to the end of the source's log.
@Suite struct FollowingTests {
  /// A published table in a PostgreSQL database of the provider's, and a receiving SQLite file.
  private func withFollowed(
    _ engine: Engine, _ body: (Stage, PostgresServer, String, Resource) async throws -> Void
  ) async throws {
    try await withStage(engine) { stage in
      // One of its own: dropping a database waits for whoever copies from the same server.
      let server = try PostgresServer(durable: false)
      defer { server.stop(.immediate) }
      let name = try server.makeDatabase()
      try server.query(
        """
        CREATE TABLE vehicle (id integer PRIMARY KEY, plate varchar(20) NOT NULL, state varchar(10) NOT NULL);
        INSERT INTO vehicle SELECT g, '青A' || g, CASE WHEN g % 10 = 0 THEN '注销' ELSE '正常' END FROM generate_series(1, 500) g;
        """, on: name)
      let resource = try await publish(stage, host: server.folder, database: name)
      try await body(stage, server, name, resource)
    }
  }

  private func publish(_ stage: Stage, host: String, database: String) async throws -> Resource {
    let (node, cast) = (stage.node, stage.cast)
    let system = try await node.register.register(
      cast.officer,
      SystemFacts(
        name: "车辆登记系统", function: "登记营运车辆。", scope: "2", frequency: "2", approvedBy: "青海省发展和改革委员会",
        approvedOn: CalendarDate("2015-05-04"), fundSource: "省级财政", network: "2", stage: "4"))
    let source = try await node.register.addSource(
      cast.officer, system.id,
      SourceDraft(
        name: "车辆库", kind: "postgresql", settings: ["address": "host=\(host) user=postgres dbname=\(database)"]))
    let draft = try await node.cataloguing.draft(
      cast.officer, from: source.id, table: TableName(schema: "public", "vehicle"))
    var metadata = draft.metadata
    metadata.name = "营运车辆登记信息"
    metadata.abstract = "营运车辆的号牌和状态。"
    metadata.format = "0204"
    metadata.sharingType = "2"
    metadata.sharingCondition = "因履职需要核对车辆的部门可以申请。"
    metadata.methodClass = "1"
    metadata.methodType = "2"
    metadata.openType = "3"
    metadata.cycle = "1"
    var items = draft.items
    for index in items.indices { items[index].grade = "2" }
    let mount = try #require(draft.mount)
    let edited = try await node.cataloguing.edit(
      cast.officer, draft.id, from: draft.revision, .init(metadata: metadata, items: items, mount: mount))
    _ = try await node.cataloguing.submit(cast.officer, edited.resource.id)
    return try await node.cataloguing.decide(cast.operatorInChief, draft.id, .approve(publish: true))
  }

  private func draft(_ stage: Stage, _ resource: Resource) -> RequestDraft {
    let today = stage.node.clock.now().dateInChina
    return RequestDraft(
      resource: resource.id, items: resource.items.map(\.id), purpose: "核对车辆", legalBasis: "《社会救助暂行办法》第五十八条",
      scene: "低保审核", mode: .table, frequency: .continuous, firstDay: today, lastDay: today + 30,
      targetSource: stage.target, targetTable: "vehicle_check")
  }

  private func here(_ stage: Stage) throws -> [Substring] {
    try Tool.run(
      "/usr/bin/sqlite3", [stage.databases.consumerPath, "SELECT id || '|' || plate FROM vehicle_check ORDER BY id"]
    ).split(separator: "\n")
  }

  private func there(_ server: PostgresServer, _ name: String, where condition: String = "true") throws -> [Substring] {
    try server.query("SELECT id || '|' || plate FROM vehicle WHERE \(condition) ORDER BY id", on: name)
      .split(separator: "\n")
  }

  private func slots(_ server: PostgresServer, _ grant: Grant) throws -> Int {
    let id = grant.id.text.replacing("-", with: "")
    return try server.query("SELECT slot_name FROM pg_replication_slots", on: "postgres").split(separator: "\n").count {
      $0.replacing("_", with: "").contains(id)
    }
  }

  @Test(arguments: Engine.allCases)
  func
    `inserts, updates and deletes come by the command, within the grant's rows, and the end of the grant ends the log`(
      engine: Engine
    ) async throws
  {
    try await withFollowed(engine) { stage, server, name, resource in
      try server.query("ALTER TABLE vehicle REPLICA IDENTITY FULL", on: name)
      let grant = try await stage.grant(draft(stage, resource), rowFilter: "state <> '注销'")
      let first = try await stage.node.deliverNow(grant.id)
      #expect(
        first.state == .delivered && first.agrees == true && first.mode == .changes, "\(first.reason?.english ?? "")")
      #expect(try here(stage) == there(server, name, where: "state <> '注销'"))
      try server.query(
        """
        DELETE FROM vehicle WHERE id <= 5;
        UPDATE vehicle SET plate = plate || '改' WHERE id BETWEEN 20 AND 40;
        UPDATE vehicle SET state = '注销' WHERE id BETWEEN 41 AND 45;
        INSERT INTO vehicle VALUES (900, '青B900', '正常'), (901, '青B901', '注销');
        """, on: name)
      let second = try await stage.node.deliverNow(grant.id)
      #expect(second.state == .delivered && second.agrees == true && second.mode == .changes)
      #expect(try here(stage) == there(server, name, where: "state <> '注销'"))
      #expect(second.removed >= 9 && second.sourceAt != nil)
      #expect(try slots(server, grant) == 1)
      // What is in doubt is brought anew.
      _ = try Tool.run(
        "/usr/bin/sqlite3", [stage.databases.consumerPath, "UPDATE vehicle_check SET plate = 'x' WHERE id = 100"])
      let anew = try await stage.node.deliverNow(grant.id, isFull: true)
      #expect(anew.state == .delivered && anew.agrees == true && anew.mode == .full)
      #expect(try here(stage) == there(server, name, where: "state <> '注销'"))
      _ = try await stage.node.sharing.order(
        .revoke, grant.id, why: "任务结束", version: grant.version, by: stage.cast.officer)
      _ = try await stage.node.runner().drain()
      #expect(try slots(server, grant) == 0, "the source keeps nothing for a grant that is over")
    }
  }

  @Test func `a worker follows it by itself, within a second or two, and stops where it is paused`() async throws {
    try await withFollowed(.postgres) { stage, server, name, resource in
      let grant = try await stage.grant(draft(stage, resource))
      _ = try await stage.node.runner().turn()
      _ = try await stage.node.runner().drain()
      let runner = stage.node.runner(.following, concurrency: 1)
      try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await runner.run() }
        func comes(_ what: String, _ isThere: () throws -> Bool) async throws {
          for _ in 0..<300 {
            if (try? isThere()) == true { return }
            try await Task.sleep(for: .milliseconds(100))
          }
          Issue.record("\(what) did not come")
        }
        try await comes("the table") { try here(stage) == there(server, name) }
        try server.query("DELETE FROM vehicle WHERE id % 3 = 0; UPDATE vehicle SET plate = '新' WHERE id = 1", on: name)
        try await comes("the changes") { try here(stage) == there(server, name) }
        // What its owner does to his table never stops his own work.
        try server.query(
          "ALTER TABLE vehicle REPLICA IDENTITY FULL; DELETE FROM vehicle WHERE id = 7; UPDATE vehicle SET plate = '又' WHERE id = 8",
          on: name)
        try await comes("the changes under another identity") { try here(stage) == there(server, name) }
        let running = try await stage.node.exchange.deliveries(for: stage.cast.clerk, grant: grant.id)
        #expect(running.first?.0.state == .running && running.first?.0.mode == .changes)
        try await stage.node.exchange.pause(grant.id, why: "割接", by: stage.cast.officer)
        try server.query("INSERT INTO vehicle VALUES (1000, '青C1', '正常')", on: name)
        for _ in 0..<300 {
          let now = try await stage.node.exchange.deliveries(for: stage.cast.clerk, grant: grant.id)
          if now.first?.0.state == .stopped { break }
          try await Task.sleep(for: .milliseconds(100))
        }
        let stopped = try await stage.node.exchange.deliveries(for: stage.cast.clerk, grant: grant.id)
        #expect(stopped.first?.0.state == .stopped)
        #expect(try here(stage) != there(server, name))
        try await stage.node.exchange.resume(grant.id, by: stage.cast.officer)
        try await comes("what was changed meanwhile") { try here(stage) == there(server, name) }

        // Compared while it is followed, and mended by a stream that begins anew.
        func compared() async throws -> Comparison? {
          _ = try await stage.node.exchange.compare(grant.id, by: stage.cast.clerk)
          _ = try await stage.node.runner().drain()
          return try await stage.node.exchange.task(grant.id, for: stage.cast.clerk).comparison
        }
        _ = try Tool.run(
          "/usr/bin/sqlite3",
          [
            "-cmd", ".timeout 10000", stage.databases.consumerPath,
            "UPDATE vehicle_check SET plate = '假' WHERE id = 20; DELETE FROM vehicle_check WHERE id = 22",
          ])
        let found = try #require(try await compared())
        #expect(found.state == .differs && found.counts.different == 1 && found.counts.missing == 1)
        let before = try await stage.node.exchange.deliveries(for: stage.cast.clerk, grant: grant.id).first?.0.id
        let mending = try await stage.node.exchange.repair(found.id, by: stage.cast.clerk)
        #expect(mending.id != before)
        try await comes("what was mended") { try here(stage) == there(server, name) }
        #expect(try await compared()?.state == .agrees)
        tasks.cancelAll()
      }
      // Whatever still follows is handed back: the database can be dropped once the slot is gone.
      let current = try await stage.node.sharing.grant(grant.id, for: stage.cast.officer)
      _ = try await stage.node.sharing.order(
        .revoke, grant.id, why: "任务结束", version: current.version, by: stage.cast.officer)
      _ = try await stage.node.runner().drain()
      #expect(try slots(server, grant) == 0)
    }
  }

  @Test func `a source that cannot be followed is told when it is asked for`() async throws {
    try await withStage(.sqlite) { stage in
      var draft = stage.draft
      draft.frequency = .continuous
      let refusal = await #expect(throws: Refusal.self) {
        _ = try await stage.node.sharing.submit(draft, by: stage.cast.clerk)
      }
      #expect(refusal?.faults.first?.field == "frequency")
    }
  }
}
