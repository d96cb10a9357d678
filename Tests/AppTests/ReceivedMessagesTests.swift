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

/// Grants whose receiving side is an office's own system, told by messages.
@Suite struct ReceivedMessagesTests {
  private func receiving(_ stage: Stage, _ receiver: MessageReceiver) async throws -> SourceID {
    let target = try await stage.node.database.read { try InventoryStore.source(stage.target, in: $0) }
    return try await stage.node.register.addSource(
      stage.cast.consumerOfficer, try #require(target).system,
      SourceDraft(name: "业务系统消息入口", kind: "messages", settings: receiver.settings)
    ).id
  }

  private func held(_ receiver: MessageReceiver, _ statement: String) throws -> [Substring] {
    try Tool.run("/usr/bin/sqlite3", [receiver.database, statement]).split(separator: "\n")
  }

  @Test(arguments: Engine.allCases)
  func `a grant is carried out into a receiving system, in full, by what changed, and across its death`(engine: Engine)
    async throws
  {
    let receiver = try MessageReceiver()
    try await withStage(engine, flags: ["api-hosts": "127.0.0.1:\(receiver.port)"]) { stage in
      var draft = stage.draft(into: "checked")
      draft.targetSource = try await receiving(stage, receiver)
      let strange = try MessageReceiver()
      await #expect(throws: Refusal.self, "a host that the operator did not declare") {
        _ = try await receiving(stage, strange)
      }
      var wrong = draft
      wrong.goneRows = .marked
      let refused = wrong
      let refusal = await #expect(throws: Refusal.self) {
        try await stage.node.sharing.submit(refused, by: stage.cast.clerk)
      }
      #expect(refusal?.faults.first?.field == "goneRows")
      let grant = try await stage.grant(draft)
      let first = try await stage.node.deliverNow(grant.id)
      #expect(first.state == .delivered && first.agrees == true, "\(String(describing: first.reason))")
      #expect(try held(receiver, "SELECT count(*) FROM checked") == ["\(first.delivered)"] && first.delivered > 900)

      let statement = """
        UPDATE legal_person SET name = '改名', updated_at = '2026-03-05T09:00:00.000Z'
        WHERE rowid IN (SELECT rowid FROM legal_person LIMIT 5)
        """
      _ = try Tool.run("/usr/bin/sqlite3", [stage.databases.providerPath, statement])
      stage.clock.advance(by: .seconds(86_400))
      receiver.kill()
      let down = try await stage.node.deliverNow(grant.id)
      #expect(
        down.state == .failed && down.reason?.english.contains("127.0.0.1") == true,
        "\(String(describing: down.reason))")
      #expect(down.reason?.english.contains(MessageReceiver.secret) == false)
      try receiver.start()
      stage.clock.advance(by: .seconds(3_600))
      let second = try await stage.node.deliverNow(grant.id)
      #expect(second.state == .delivered && second.agrees == true && second.mode == .incremental)
      let renamed = Int(try held(receiver, "SELECT count(*) FROM checked WHERE name = '改名'").first ?? "") ?? 0
      #expect((1...5).contains(renamed))
      #expect(try held(receiver, "SELECT count(*) FROM checked") == ["\(first.delivered)"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `nobody is promised a comparison with a system that cannot be read`(engine: Engine) async throws {
    let receiver = try MessageReceiver()
    try await withStage(engine, flags: ["api-hosts": "127.0.0.1:\(receiver.port)"]) { stage in
      var draft = stage.draft(into: "checked")
      draft.targetSource = try await receiving(stage, receiver)
      let grant = try await stage.grant(draft)
      _ = try await stage.node.deliverNow(grant.id)
      await #expect { try await stage.node.exchange.compare(grant.id, by: stage.cast.clerk) } throws: {
        ($0 as? Refusal)?.code == "exchange.compare.unreadable"
      }
      #expect(try await stage.node.exchange.task(grant.id, for: stage.cast.officer).isComparable == false)
      try await stage.node.exchange.takeComparingTurn(grant.id)
      #expect(try await stage.node.exchange.task(grant.id, for: stage.cast.officer).comparison == nil)
      try await withSite(stage.node) { base in
        let officer = try await enter(base, as: "ma.officer")
        let page = try await officer.get("/tasks/\(grant.id)").text
        #expect(page.contains("不能读回比对") && !page.contains("/tasks/\(grant.id)/compare"))
        // What else is set of the task, is set as before.
        let saved = try await officer.get("/tasks/\(grant.id)")
        let version = try #require(saved.text.firstMatch(of: /name="version" value="(\d+)"/)?.output.1)
        let answer = try await officer.post(
          "/tasks/\(grant.id)/settings",
          [
            ("version", String(version)), ("start", "frequency"), ("priority", "1"), ("drift", "freeze"),
            ("stall", "20"),
            ("comparing", "monthly"), ("parts", "1"),
          ], from: "/tasks/\(grant.id)")
        #expect(answer.status == 303, "\(answer.text.suffix(2000))")
      }
    }
  }
}
