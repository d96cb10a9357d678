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
    try await Vehicles.with(engine) { stage, server, name, resource in
      try server.query("ALTER TABLE vehicle REPLICA IDENTITY FULL", on: name)
      let grant = try await stage.grant(Vehicles.draft(stage, resource), rowFilter: "state <> '注销'")
      let first = try await stage.node.deliverNow(grant.id)
      #expect(
        first.state == .delivered && first.agrees == true && first.mode == .changes, "\(first.reason?.english ?? "")")
      #expect(try Vehicles.here(stage) == Vehicles.there(server, name, where: "state <> '注销'"))
      try server.query(
        """
        DELETE FROM vehicle WHERE id <= 5;
        UPDATE vehicle SET plate = plate || '改' WHERE id BETWEEN 20 AND 40;
        UPDATE vehicle SET state = '注销' WHERE id BETWEEN 41 AND 45;
        INSERT INTO vehicle VALUES (900, '青B900', '正常'), (901, '青B901', '注销');
        """, on: name)
      let second = try await stage.node.deliverNow(grant.id)
      #expect(second.state == .delivered && second.agrees == true && second.mode == .changes)
      #expect(try Vehicles.here(stage) == Vehicles.there(server, name, where: "state <> '注销'"))
      #expect(second.removed >= 9 && second.sourceAt != nil)
      #expect(try slots(server, grant) == 1)
      // What is in doubt is brought anew.
      _ = try Tool.run(
        "/usr/bin/sqlite3", [stage.databases.consumerPath, "UPDATE vehicle_check SET plate = 'x' WHERE id = 100"])
      let anew = try await stage.node.deliverNow(grant.id, isFull: true)
      #expect(anew.state == .delivered && anew.agrees == true && anew.mode == .full)
      #expect(try Vehicles.here(stage) == Vehicles.there(server, name, where: "state <> '注销'"))
      _ = try await stage.node.sharing.order(
        .revoke, grant.id, why: "任务结束", version: grant.version, by: stage.cast.officer)
      _ = try await stage.node.runner().drain()
      #expect(try slots(server, grant) == 0, "the source keeps nothing for a grant that is over")
    }
  }

  @Test func `a worker follows it by itself, within a second or two, and stops where it is paused`() async throws {
    try await Vehicles.with(.postgres) { stage, server, name, resource in
      let grant = try await stage.grant(Vehicles.draft(stage, resource))
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
        try await comes("the table") { try Vehicles.here(stage) == Vehicles.there(server, name) }
        try server.query("DELETE FROM vehicle WHERE id % 3 = 0; UPDATE vehicle SET plate = '新' WHERE id = 1", on: name)
        try await comes("the changes") { try Vehicles.here(stage) == Vehicles.there(server, name) }
        // What its owner does to his table never stops his own work.
        try server.query(
          "ALTER TABLE vehicle REPLICA IDENTITY FULL; DELETE FROM vehicle WHERE id = 7; UPDATE vehicle SET plate = '又' WHERE id = 8",
          on: name)
        try await comes("the changes under another identity") {
          try Vehicles.here(stage) == Vehicles.there(server, name)
        }
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
        #expect(try Vehicles.here(stage) != Vehicles.there(server, name))
        try await stage.node.exchange.resume(grant.id, by: stage.cast.officer)
        try await comes("what was changed meanwhile") { try Vehicles.here(stage) == Vehicles.there(server, name) }

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
        try await comes("what was mended") { try Vehicles.here(stage) == Vehicles.there(server, name) }
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
