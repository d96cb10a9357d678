import Attachments
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
        let (plain, conditional) = (#""column":"phone","#, #""column":"phone","sharing":"2","#)
        try tx.run("UPDATE catalog_version SET items = REPLACE(items, \(plain), \(conditional)) WHERE resource = \(id)")
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
      let hanging = try await stage.node.database.read {
        try RequestStore.open.list(on: stage.resource.id, after: nil, limit: 10, in: $0)
      }
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

  @Test(arguments: Engine.allCases)
  func `a running request keeps the version it was made for after a newer one is published`(engine: Engine) async throws
  {
    try await withStage(engine) { stage in
      let (sharing, cast, catalogue) = (stage.node.sharing, stage.cast, stage.node.cataloguing)
      var request = try await sharing.submit(stage.draft, by: cast.clerk)
      request = try await sharing.decideOwn(
        request.id, approve: true, words: "", version: request.version, by: cast.leader)
      var next = try await catalogue.beginChange(cast.officer, stage.resource.id)
      // The item asked for as `status` is gone, and another is called otherwise.
      next.items.removeAll { $0.column == "status" }
      next.items[next.items.firstIndex { $0.column == "name" }!].name = "市场主体名称"
      _ = try await catalogue.edit(cast.officer, next.id, from: next.revision, .init(items: next.items))
      _ = try await catalogue.submit(cast.officer, next.id, because: VersionChange(.duty, words: "职能调整"))
      _ = try await catalogue.decide(cast.operatorInChief, next.id, .approve(publish: true))
      let (kept, _, _) = try await sharing.request(request.id, for: cast.clerk)
      #expect(kept.resourceVersion == 1 && kept.items.map(\.name) == request.items.map(\.name))
      request = try await sharing.review(
        request.id, pass: true, words: "", version: request.version, by: cast.operatorInChief)
      let (_, grant) = try await sharing.decide(
        request.id, request.items.map { ItemDecision(item: $0.item, approve: true) }, words: "",
        version: request.version, by: cast.officer)
      #expect(grant.resourceVersion == 1)
      #expect(Set(grant.items.map(\.column)) == ["uscc", "name", "status"])
      #expect(grant.items.first { $0.column == "name" }?.name == "企业名称")
      let delivery = try await stage.node.deliverNow(grant.id)
      #expect(delivery.state == .delivered && delivery.delivered > 0, "\(delivery)")
      // A new request is for the new version.
      var draft = stage.draft(into: "later")
      draft.items = stage.items(["uscc", "name"])
      let later = try await sharing.submit(draft, by: cast.clerk)
      #expect(later.resourceVersion == 2 && later.items.map(\.name).contains("市场主体名称"))
    }
  }

  @Test(arguments: Engine.allCases)
  func `the history says in whose name a deputy acted, also when nobody knows of the appointment any more`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let (sharing, cast) = (stage.node.sharing, stage.cast)
      var request = try await sharing.submit(stage.draft, by: cast.clerk)
      var deputy = cast.consumerOfficer
      (deputy.onBehalfOf, deputy.onBehalfOfName) = (cast.leader.person, cast.leader.name)
      deputy.permissions.formUnion(cast.leader.permissions)
      request = try await sharing.decideOwn(
        request.id, approve: true, words: "同意", version: request.version, by: deputy)
      let id = request.id
      let (_, events, _) = try await sharing.request(request.id, for: cast.clerk)
      #expect(events.map(\.inNameOf) == [nil, "王处长"] && events[1].actor == "韩数据")
      try await withSite(stage.node) { base in
        let visitor = Visitor(base: base)
        let entered = try await visitor.post(
          "/sign-in", [("login", "li.clerk"), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
        #expect(entered.status == 303)
        for page in ["/requests/\(id)", "/requests/\(id)/print"] {
          #expect(try await visitor.get(page).text.contains("韩数据（代王处长）"), "\(page)")
        }
      }
      // A grant that is ended in somebody's name, too.
      request = try await sharing.review(
        request.id, pass: true, words: "", version: request.version, by: cast.operatorInChief)
      let (_, grant) = try await sharing.decide(
        request.id, request.items.map { ItemDecision(item: $0.item, approve: true) }, words: "",
        version: request.version, by: cast.officer)
      var other = cast.officer
      (other.onBehalfOf, other.onBehalfOfName) = (cast.operatorInChief.person, "周处长")
      let ended = try await sharing.order(.revoke, grant.id, why: "不再需要", version: grant.version, by: other)
      #expect(ended.endedFor == "周处长")
    }
  }

  @Test(arguments: Engine.allCases)
  func `material goes with a request while it is open, and both departments read it`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      let (sharing, cast) = (stage.node.sharing, stage.cast)
      let attaching = RequestAttaching(sharing: sharing, attachments: stage.node.attachments)
      let text = Array("委托协议：甲方委托乙方核对。".utf8)
      var request = try await sharing.submit(stage.draft, by: cast.clerk)
      let id = request.id
      let addition = Array("补充：核对范围为全省企业。".utf8)
      func add(
        _ name: String, _ bytes: [UInt8]? = nil, by principal: Principal
      ) async throws -> (id: AttachmentID, digest: String) {
        let kept = try await attaching.add(principal, id, .bytes(bytes ?? text), named: name, note: "协议")
        return (kept.id, kept.digest)
      }
      let first = try await add("协议.txt", by: cast.clerk)
      await #expect(throws: Refusal.self) { _ = try await add("别的.txt", by: cast.officer) }
      let stranger = try await stage.stranger()
      await #expect(throws: Refusal.self) { _ = try await add("别的.txt", by: stranger) }
      await #expect(throws: Refusal.self) { _ = try await attaching.bytes(stranger, id, first.id) }
      #expect(try await attaching.bytes(cast.officer, request.id, first.id).bytes == text)
      try await attaching.remove(cast.clerk, request.id, first.id)
      let second = try await add("协议.txt", by: cast.clerk)
      request = try await sharing.decideOwn(
        request.id, approve: true, words: "", version: request.version, by: cast.leader)
      let seen = await #expect(throws: Refusal.self) { try await attaching.remove(cast.clerk, id, second.id) }
      #expect(seen?.code == "sharing.attachment.seen")
      let more = try await add("补充.txt", addition, by: cast.clerk)
      try await withSite(stage.node) { base in
        func enter(_ login: String) async throws -> Visitor {
          let visitor = Visitor(base: base)
          let entered = try await visitor.post(
            "/sign-in", [("login", login), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
          #expect(entered.status == 303)
          return visitor
        }
        let (clerk, officer) = (try await enter("li.clerk"), try await enter("ma.officer"))
        let page = "/requests/\(id)"
        let shown = try await officer.get(page).text
        #expect(shown.contains("协议.txt") && shown.contains(more.digest.prefix(8)) && !shown.contains("name=\"file\""))
        #expect(try await clerk.get(page).text.contains("name=\"file\""))
        let printed = try await officer.get(page + "/print").text
        #expect(printed.contains("补充.txt") && printed.contains(more.digest))
        let file = try await officer.get(page + "/attachments/\(more.id)")
        #expect(Array(file.body) == addition && file.headers["x-content-type-options"] == "nosniff")
        let empty = try await clerk.post(page + "/attachments", [("note", "没有文件")], from: page)
        #expect(empty.status == 422 && empty.text.contains("请选择文件"))
      }
      _ = try await sharing.withdraw(request.id, words: "", version: request.version, by: cast.clerk)
      let closed = await #expect(throws: Refusal.self) { _ = try await add("迟到.txt", by: cast.clerk) }
      #expect(closed?.code == "sharing.attachment.closed")
      #expect(try await attaching.bytes(cast.officer, request.id, second.id).bytes == text, "it stays to be read")
      let actions = try await stage.node.database.read {
        try $0.rows("SELECT action FROM audit_record WHERE action LIKE 'sharing.attachment%' ORDER BY id").map {
          try $0.text("action")
        }
      }
      #expect(actions.count { $0 == "sharing.attachment.add" } == 3)
      #expect(actions.count { $0 == "sharing.attachment.remove" } == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what hangs on a resource is named page by page before it goes offline, and a grant prints`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let grant = try await stage.grant(stage.draft)
      let most = Cataloguing.Dependents.page
      // As many more as it takes for three pages; only what is listed of them matters.
      try await stage.node.database.write { tx in
        for number in 0..<2 * most {
          let (request, id) = (ShareRequestID.make(at: DemoClock.start), GrantID.make(at: DemoClock.start))
          try tx.run(
            """
            INSERT INTO sharing_request SELECT \(request), \("多\(number)"), resource, resource_version, resource_name,
              sharing_type, provider, provider_name, consumer, consumer_name, asked_by, asked_by_name, purpose,
              legal_basis, scene, mode, frequency, first_day, last_day, target_source, target_table, 'own-pending',
              supplement_asked, rules, due, due_date, ground, ground_basis, version, created_at, changed_at, asked_for,
              form_key, asked_for_name, gone_rows
            FROM sharing_request WHERE id = \(grant.request)
            """)
          guard number < most else { continue }
          try tx.run(
            """
            INSERT INTO sharing_grant SELECT \(id), \("多\(number)"), \(request), resource, resource_version,
              resource_name, provider, provider_name, consumer, consumer_name, purpose, legal_basis, scene, mode,
              frequency, first_day, last_day, target_source, target_table, secret, state, ended_at, ended_by, ended_why,
              version, created_at, ended_for, row_filter, gone_rows
            FROM sharing_grant WHERE id = \(grant.id)
            """)
        }
      }
      try await withSite(stage.node) { base in
        let officer = Visitor(base: base)
        let entered = try await officer.post(
          "/sign-in", [("login", "ma.officer"), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
        #expect(entered.status == 303)
        var address: String? = "/catalog/resources/\(stage.resource.id)/offline"
        var (pages, named) = (0, [String]())
        while let here = address, pages < 10 {
          let page = try await officer.get(here).text
          #expect(
            page.contains("授权 <strong>\(most + 1)</strong>") && page.contains("办理中的申请 <strong>\(2 * most)</strong>"))
          let lines = page.matches(of: /<li>(授权|申请) ([^（]+)（/).map { "\($0.1)\($0.2)" }
          #expect(lines.count <= most)
          named += lines
          pages += 1
          address = page.firstMatch(of: /rel="next" href="([^"]+)"/).map {
            String($0.1.split(separator: "#")[0]).replacing("&amp;", with: "&")
          }
        }
        #expect(
          pages == 4 && named.count == 3 * most + 1 && Set(named).count == named.count, "\(pages), \(named.count)")
        let printed = try await officer.get("/grants/\(grant.id)/print").text
        for words in ["政务数据共享授权书", grant.number, grant.legalBasis, "统一社会信用代码", "（盖章）"] {
          #expect(printed.contains(words), "\(words)")
        }
        #expect(printed.contains("（第 \(grant.resourceVersion) 版）"))
        officer.language = "en"
        for page in ["/grants/\(grant.id)/print", "/requests/\(grant.request)/print"] {
          let english = try await officer.get(page).text
          #expect(english.contains(" (version \(grant.resourceVersion))") && !english.contains("（version"), "\(page)")
        }
      }
    }
  }
}
