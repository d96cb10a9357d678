import Audit
import Catalog
import Deadlines
import Exchange
import Inventory
import Kernel
import Sharing
import Storage
import TestKit
import Testing

@testable import App

/// What a request may say, who may answer it, and that a refused step leaves nothing behind.
@Suite struct RequestRulesTests {
  private struct Wrong: Sendable {
    var field: String
    var change: @Sendable (inout RequestDraft, Stage) -> Void
  }

  private static let wrong: [Wrong] = [
    Wrong(field: "purpose") { draft, _ in draft.purpose = "" },
    Wrong(field: "purpose") { draft, _ in draft.purpose = String(repeating: "核", count: 1001) },
    Wrong(field: "legalBasis") { draft, _ in draft.legalBasis = "" },
    Wrong(field: "scene") { draft, _ in draft.scene = String(repeating: "景", count: 501) },
    Wrong(field: "firstDay") { draft, _ in draft.firstDay = draft.firstDay + -1 },
    Wrong(field: "lastDay") { draft, _ in draft.lastDay = draft.firstDay + -1 },
    Wrong(field: "lastDay") { draft, _ in draft.lastDay = draft.firstDay + 366 * 3 + 1 },
    Wrong(field: "items") { draft, _ in draft.items = [] },
    Wrong(field: "items") { draft, _ in draft.items.append(ItemID.make()) },
    Wrong(field: "items") { draft, _ in draft.items.append(draft.items[0]) },
    Wrong(field: "items") { draft, stage in draft.items = stage.items(["name", "status"]) },
    Wrong(field: "target") { draft, _ in draft.targetSource = SourceID.make() },
    Wrong(field: "target") { draft, stage in
      if let other = stage.resource.mount?.source { draft.targetSource = other }
    },
    Wrong(field: "targetTable") { draft, _ in draft.targetTable = "x; DROP TABLE y" },
    Wrong(field: "targetTable") { draft, _ in draft.targetTable = "sj_offset" },
    Wrong(field: "form") { draft, _ in draft.formKey = String(repeating: "k", count: 65) },
  ]

  @Test(arguments: Engine.allCases)
  func `each thing that is wrong with a request is named, and nothing is kept of it`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let before = try await stage.counts()
      for (index, wrong) in Self.wrong.enumerated() {
        var draft = stage.draft
        wrong.change(&draft, stage)
        let sent = draft
        let refusal = await #expect(throws: Refusal.self, "case \(index), \(wrong.field)") {
          try await stage.node.sharing.submit(sent, by: stage.cast.clerk)
        }
        #expect(refusal?.faults.contains { $0.field == wrong.field } == true, "case \(index): \(refusal as Any)")
      }
      var unknown = stage.draft
      unknown.resource = ResourceID.make()
      let sent = unknown
      await #expect(throws: Refusal.self) { try await stage.node.sharing.submit(sent, by: stage.cast.clerk) }
      await #expect(throws: Refusal.self) { try await stage.node.sharing.submit(stage.draft, by: stage.cast.leader) }
      // The provider cannot ask itself.
      await #expect(throws: Refusal.self) { try await stage.node.sharing.submit(stage.draft, by: stage.cast.officer) }
      let after = try await stage.counts()
      #expect(after == before)
    }
  }

  @Test(arguments: Engine.allCases)
  func `the same form sent many times at once is one request`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      var draft = stage.draft
      draft.formKey = "one-form"
      let sent = draft
      let (sharing, clerk) = (stage.node.sharing, stage.cast.clerk)
      let ids = try await withThrowingTaskGroup(of: ShareRequestID.self) { group in
        for _ in 0..<8 { group.addTask { try await sharing.submit(sent, by: clerk).id } }
        return try await group.reduce(into: Set<ShareRequestID>()) { $0.insert($1) }
      }
      #expect(ids.count == 1)
      let once = try await stage.counts()
      #expect(once["sharing_request"] == 1 && once["sharing_request_event"] == 1)
      // Sent again with other content, it is told what became of it, and nothing is lost unsaid.
      var changed = sent
      changed.scene = "另一场景"
      let other = changed
      let refusal = await #expect(throws: Refusal.self) { try await sharing.submit(other, by: clerk) }
      #expect(refusal?.code == "sharing.request.sent")
      draft.formKey = "another-form"
      draft.targetTable = "another_table"
      let second = try await stage.node.sharing.submit(draft, by: stage.cast.clerk)
      #expect(!ids.contains(second.id))
    }
  }

  @Test(arguments: Engine.allCases)
  func `nobody approves what he asked for, or was asked in his name, or is asked by whom he stands in for`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let (clerk, leader) = (stage.cast.clerk, stage.cast.leader)
      func acting(_ person: Principal, for other: Principal?) -> Principal {
        var acting = person
        acting.permissions = clerk.permissions.union(leader.permissions)
        acting.onBehalfOf = other?.person
        return acting
      }
      let deputy = stage.cast.consumerOfficer
      var another = leader
      another.person = stage.cast.operatorInChief.person
      for (index, (asker, decider)) in [
        (acting(clerk, for: nil), acting(clerk, for: nil)), (acting(clerk, for: leader), acting(leader, for: nil)),
        (acting(clerk, for: nil), acting(deputy, for: clerk)),
        (acting(clerk, for: leader), acting(deputy, for: leader)),
        (acting(deputy, for: clerk), acting(deputy, for: leader)),
      ].enumerated() {
        let request = try await stage.node.sharing.submit(stage.draft(into: "checked_\(index)"), by: asker)
        let refusal = await #expect(throws: Refusal.self) {
          try await stage.node.sharing.decideOwn(
            request.id, approve: true, words: "", version: request.version, by: decider)
        }
        #expect(refusal?.code == "sharing.request.oneself")
        let decided = try await stage.node.sharing.decideOwn(
          request.id, approve: true, words: "", version: request.version, by: another)
        #expect(decided.state == .reviewPending)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `another office's request and grant are as if they were not there, whatever its people may do at home`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let (sharing, stranger) = (stage.node.sharing, try await stage.stranger())
      let request = try await sharing.submit(stage.draft, by: stage.cast.clerk)
      let grant = try await stage.grant(stage.draft(into: "granted"))
      let before = try await stage.counts()
      let version = request.version
      let decisions = request.items.map { ItemDecision(item: $0.item, approve: true) }
      let steps: [(String, @Sendable () async throws -> Void)] = [
        ("see", { _ = try await sharing.request(request.id, for: stranger) }),
        ("grant", { _ = try await sharing.grant(grant.id, for: stranger) }),
        (
          "own",
          { _ = try await sharing.decideOwn(request.id, approve: true, words: "", version: version, by: stranger) }
        ),
        ("decide", { _ = try await sharing.decide(request.id, decisions, words: "", version: version, by: stranger) }),
        ("ask", { _ = try await sharing.askSupplement(request.id, words: "缺", version: version, by: stranger) }),
        (
          "supplement",
          {
            _ = try await sharing.supplement(
              request.id, purpose: "a", legalBasis: "b", words: "c", version: version, by: stranger)
          }
        ),
        (
          "refuse",
          {
            _ = try await sharing.refuse(
              request.id, ground: .other, basis: "", words: "不", version: version, by: stranger)
          }
        ),
        ("withdraw", { _ = try await sharing.withdraw(request.id, words: "", version: version, by: stranger) }),
        ("revoke", { _ = try await sharing.order(.revoke, grant.id, why: "不", version: grant.version, by: stranger) }),
        ("deliver", { _ = try await stage.node.exchange.ask(grant.id, by: stranger) }),
      ]
      for (name, step) in steps {
        let refusal = await #expect(throws: Refusal.self, "\(name)") { try await step() }
        #expect(refusal?.kind == .notFound, "\(name): \(refusal as Any)")
      }
      let seen = try await sharing.requests(for: stranger)
      let granted = try await sharing.grants(for: stranger)
      #expect(seen.isEmpty && granted.isEmpty)
      let after = try await stage.counts()
      #expect(after == before)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a step from an old page is a conflict and changes nothing`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let request = try await stage.node.sharing.submit(stage.draft, by: stage.cast.clerk)
      _ = try await stage.node.sharing.withdraw(request.id, words: "", version: request.version, by: stage.cast.clerk)
      let before = try await stage.counts()
      let refusal = await #expect(throws: Refusal.self) {
        try await stage.node.sharing.decideOwn(
          request.id, approve: true, words: "", version: request.version, by: stage.cast.leader)
      }
      #expect(refusal?.kind == .conflict)
      let after = try await stage.counts()
      #expect(after == before)
    }
  }

  @Test(arguments: Engine.allCases)
  func `each step has its day, explained, and beyond the calendar it is provisional`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      // 2026-03-02 is a Monday without holidays near.
      let request = try await stage.node.sharing.submit(stage.draft, by: stage.cast.clerk)
      let own = try #require(request.due)
      #expect(!own.provisional && own.date > CalendarDate("2026-03-02")!)
      #expect(stage.node.clock.now().dateInChina == CalendarDate("2026-03-02")!)
      let waiting = try await stage.node.database.read {
        try $0.row("SELECT due FROM inbox_task WHERE subject = \(request.id) AND closed_at IS NULL")?.text("due")
      }
      #expect(waiting == "\(own.date)")
      stage.clock.advance(by: .seconds(86_400 * 365 * 5))
      let later = try await stage.node.sharing.submit(stage.draft(into: "later"), by: stage.cast.clerk)
      #expect(later.due?.provisional == true)
    }
  }

  @Test(arguments: Engine.allCases)
  func `one table belongs to one grant, and whoever asks for it again hears so at once`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let sharing = stage.node.sharing
      let waiting = try await sharing.submit(stage.draft, by: stage.cast.clerk)
      let asked = await #expect(throws: Refusal.self) { try await sharing.submit(stage.draft, by: stage.cast.clerk) }
      #expect(asked?.faults.first?.message.chinese.contains(waiting.number) == true)
      _ = try await sharing.withdraw(waiting.id, words: "", version: waiting.version, by: stage.cast.clerk)
      let grant = try await stage.grant(stage.draft)
      _ = try await sharing.order(.revoke, grant.id, why: "不再需要", version: grant.version, by: stage.cast.officer)
      let taken = await #expect(throws: Refusal.self) { try await sharing.submit(stage.draft, by: stage.cast.clerk) }
      #expect(taken?.faults.first?.field == "targetTable")
      #expect(taken?.faults.first?.message.chinese.contains(grant.number) == true)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a supplement that changes the purpose goes back to the leader, and the log keeps both`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let (sharing, cast) = (stage.node.sharing, stage.cast)
      for (index, changes) in [false, true].enumerated() {
        var request = try await sharing.submit(stage.draft(into: "checked_\(index)"), by: cast.clerk)
        request = try await sharing.decideOwn(
          request.id, approve: true, words: "", version: request.version, by: cast.leader)
        request = try await sharing.review(
          request.id, pass: true, words: "", version: request.version, by: cast.operatorInChief)
        request = try await sharing.askSupplement(
          request.id, words: "请写明条款", version: request.version, by: cast.officer)
        request = try await sharing.supplement(
          request.id, purpose: changes ? "完全不同的目的" : request.purpose, legalBasis: request.legalBasis, words: "已补充",
          version: request.version, by: cast.clerk)
        #expect(request.state == (changes ? .ownPending : .providerPending))
        let id = request.id
        let auditor = Principal(
          person: nil, name: "审计", organisation: nil, organisationName: "", permissions: [.auditRead])
        let details = try await stage.node.database.read { tx in
          var search = AuditSearch()
          search.subject = id.text
          return try search.records(for: auditor, in: tx).flatMap { $0.payload?.detail ?? [] }
        }
        let purposes = Set(details.filter { $0.name == "purpose" }.map(\.value))
        #expect(purposes.count == (changes ? 2 : 1))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a conditional item in an unconditional resource waits for its provider`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let (sharing, id) = (stage.node.sharing, stage.resource.id)
      try await stage.node.database.write { tx in
        try tx.run("UPDATE catalog_version SET sharing_type = '1' WHERE resource = \(id)")
        try tx.run("UPDATE catalog_item SET sharing_type = '2' WHERE resource = \(id) AND column_name = 'phone'")
      }
      var draft = stage.draft(into: "with_phone")
      draft.items = stage.items(["uscc", "phone"])
      for (draft, state, approved) in [
        (stage.draft, RequestState.granted, true as Bool?), (draft, .reviewPending, nil),
      ] {
        let request = try await sharing.submit(draft, by: stage.cast.clerk)
        _ = try await sharing.decideOwn(
          request.id, approve: true, words: "", version: request.version, by: stage.cast.leader)
        let (decided, _, grant) = try await sharing.request(request.id, for: stage.cast.clerk)
        #expect(decided.state == state)
        #expect((grant != nil) == (state == .granted))
        #expect(decided.items.allSatisfy { $0.approved == approved })
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `what is offline cannot be granted until it is back, and words have a limit`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let (sharing, cast) = (stage.node.sharing, stage.cast)
      var request = try await sharing.submit(stage.draft, by: cast.clerk)
      let long = await #expect(throws: Refusal.self) {
        try await sharing.decideOwn(
          request.id, approve: true, words: String(repeating: "长", count: 1001), version: request.version,
          by: cast.leader)
      }
      #expect(long?.faults.first?.field == "words")
      request = try await sharing.decideOwn(
        request.id, approve: true, words: "", version: request.version, by: cast.leader)
      request = try await sharing.review(
        request.id, pass: true, words: "", version: request.version, by: cast.operatorInChief)
      let hanging = try await stage.node.database.read { try RequestStore.open(on: stage.resource.id, in: $0) }
      #expect(hanging.map(\.id) == [request.id])
      _ = try await stage.node.cataloguing.online(cast.operatorInChief, stage.resource.id, .takeDown, reason: "职能调整")
      let decisions = request.items.map { ItemDecision(item: $0.item, approve: true) }
      let refusal = await #expect(throws: Refusal.self) {
        try await sharing.decide(request.id, decisions, words: "", version: request.version, by: cast.officer)
      }
      #expect(refusal?.code == "sharing.decide.offline")
      await #expect(throws: Refusal.self) { try await sharing.submit(stage.draft, by: cast.clerk) }
      _ = try await stage.node.cataloguing.online(cast.operatorInChief, stage.resource.id, .bringUp, reason: "职能仍在")
      let (_, grant) = try await sharing.decide(
        request.id, decisions, words: "", version: request.version, by: cast.officer)
      try await sharing.guardGrant(grant.id)
      _ = try await stage.node.cataloguing.online(cast.operatorInChief, stage.resource.id, .takeDown, reason: "再次下架")
      let stopped = await #expect(throws: Refusal.self) { try await sharing.guardGrant(grant.id) }
      #expect(stopped?.code == "sharing.grant.offline")
      _ = try await stage.node.cataloguing.online(cast.operatorInChief, stage.resource.id, .bringUp, reason: "恢复")
      // The grant was never lost: it holds again, under the version it was given on.
      try await sharing.guardGrant(grant.id)
    }
  }
}
