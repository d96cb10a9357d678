import Connecting
import Identity
import Inbox
import Kernel
import Storage
import TestKit
import Testing

@testable import Catalog

@Suite struct `Offline and back` {
  @Test(arguments: Engine.allCases)
  func `a department asks, the operator agrees, and it comes back later under the same code`(engine: Engine)
    async throws
  {
    try await Offices.with(engine) { offices in
      let (cataloguing, officer, operators) = (
        offices.cataloguing, Offices.otherOfficer, Offices.operatorOfPlatform
      )
      let entry = try await offices.inForce()
      let query = CatalogQuery(text: "低保")
      let noReason = await #expect(throws: Refusal.self) {
        try await cataloguing.online(officer, entry.id, .requestDown)
      }
      #expect(noReason?.faults.map(\.field) == ["reason"])
      #expect(try await cataloguing.online(officer, entry.id, .requestDown, reason: "职能划出") == .downAuditing)
      // Asking alone changes nothing for those who use it.
      #expect(try await cataloguing.search(Offices.clerk, query).total == 1)
      let waiting = try await offices.db.read { try Inbox.waiting(for: operators, in: $0) }
      #expect(waiting.map(\.kind) == ["catalog.online"])
      #expect(waiting.first?.due == CalendarDate("2026-08-27"))
      let queue = try await cataloguing.queue(operators, QueueFilter(view: .online))
      #expect(queue.requests.map(\.id) == [entry.id])

      #expect(try await cataloguing.online(operators, entry.id, .approveDown) == .offline)
      #expect(try await cataloguing.search(Offices.clerk, query).total == 0)
      try await offices.db.read { tx throws in
        #expect(try !CatalogStore.isInForce(entry.id, in: tx))
        #expect(try CatalogStore.published(entry.id, in: tx) == nil)
        #expect(try CatalogStore.published(code: entry.code!, in: tx) == nil)
        #expect(try CatalogStore.issued(entry.id, in: tx)?.online == .offline)
        #expect(try Inbox.count(for: operators, in: tx) == 0)
      }
      // Its page stays, and its name stays taken.
      #expect(try await cataloguing.resource(Offices.clerk, entry.id).code == entry.code)
      let other = try await offices.draft()
      #expect(try await cataloguing.findings(officer, other.id).contains { $0.code == "name.taken" })

      offices.time.move(.seconds(86_400 * 3))
      _ = try await cataloguing.online(officer, entry.id, .requestUp, reason: "职能划回")
      let refused = try await cataloguing.online(operators, entry.id, .rejectUp, reason: "请先更新摘要")
      #expect(refused == .upRejected)
      let notices = try await offices.db.read { try Inbox.notices(for: officer, in: $0) }
      #expect(notices.contains { $0.title.chinese.contains("请先更新摘要") })
      _ = try await cataloguing.online(officer, entry.id, .requestUp, reason: "已更新")
      #expect(try await cataloguing.online(operators, entry.id, .approveUp) == .online)
      #expect(try await cataloguing.search(Offices.clerk, query).entries.map(\.code) == [entry.code?.description])
      let periods = try await offices.db.read { try CatalogStore.periods(of: entry.id, in: $0) }
      #expect(periods.map(\.version) == [1, 1])
      #expect(periods.map { $0.until == nil } == [false, true])
      let actions = try await offices.db.read { tx in
        try tx.rows("SELECT action FROM audit_record WHERE subject = \(entry.id)").map { try $0.text("action") }
      }
      #expect(actions.filter { $0.hasPrefix("catalog.online.") }.count == 6)
    }
  }

  @Test(arguments: Engine.allCases)
  func `only its own department asks, only the operator decides, and nothing twice`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let entry = try await offices.inForce()
      for (person, event) in [
        (Offices.officer, OnlineEvent.requestDown), (Offices.clerk, .requestDown), (Offices.otherOfficer, .takeDown),
        (Offices.operatorOfPlatform, .requestDown),
      ] {
        let refusal = await #expect(throws: Refusal.self) {
          try await offices.cataloguing.online(person, entry.id, event, reason: "试")
        }
        #expect(refusal?.kind == .forbidden, "\(person.name) \(event)")
      }
      _ = try await offices.cataloguing.online(Offices.otherOfficer, entry.id, .requestDown, reason: "试")
      let since = try #require(try await offices.db.read { try CatalogStore.onlineSince(entry.id, in: $0) })
      offices.time.move(.seconds(60))
      _ = try await offices.cataloguing.online(Offices.otherOfficer, entry.id, .recall)
      _ = try await offices.cataloguing.online(Offices.otherOfficer, entry.id, .requestDown, reason: "另一个理由")
      // The operator looked at the first request; it is another now.
      let late = await #expect(throws: Refusal.self) {
        try await offices.cataloguing.online(Offices.operatorOfPlatform, entry.id, .approveDown, since: since)
      }
      #expect(late?.code == "catalog.changed")
      _ = try await offices.cataloguing.online(Offices.operatorOfPlatform, entry.id, .approveDown)
      let again = await #expect(throws: Refusal.self) {
        try await offices.cataloguing.online(Offices.operatorOfPlatform, entry.id, .takeDown, reason: "再下架")
      }
      #expect(again?.code == "catalog.online.state")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a version published while it is offline is in force when it comes back`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let (cataloguing, operators) = (offices.cataloguing, Offices.operatorOfPlatform)
      let entry = try await offices.inForce()
      _ = try await cataloguing.online(operators, entry.id, .takeDown, reason: "数据有误")
      offices.time.move(.seconds(86_400))
      let second = try await offices.changed(entry.id) { $0.metadata.name = "最低生活保障对象信息" }
      #expect(second.online == .offline)
      #expect(try await cataloguing.search(Offices.clerk, CatalogQuery()).total == 0)
      #expect(try await offices.db.read { try !CatalogStore.isInForce(entry.id, in: $0) })
      _ = try await cataloguing.online(operators, entry.id, .bringUp, reason: "已更正")
      #expect(try await offices.db.read { try CatalogStore.published(entry.id, in: $0) }?.version == 2)
      #expect(try await cataloguing.search(Offices.clerk, CatalogQuery(text: "最低生活")).total == 1)
      let versions = try await offices.db.read { try CatalogStore.periods(of: entry.id, in: $0) }.map(\.version)
      #expect(versions == [1, 2])
    }
  }

  @Test(arguments: Engine.allCases)
  func `what was withdrawn before the two machines were told apart is offline and can come back`(engine: Engine)
    async throws
  {
    try await withDatabase(engine, Offices.migrations(before: "006")) { db in
      try await db.write { tx in
        for (id, published, states) in [
          ("a", 2, ["superseded", "published"]), ("b", nil, ["superseded", "withdrawn", "discarded"]),
          ("c", nil, ["submitted"]),
        ] as [(String, Int?, [String])] {
          try tx.run(
            """
            INSERT INTO catalog_resource (id, provider, code, latest, published, made_at)
            VALUES (\(id), \(Offices.civilAffairs.id), \("3070120337/00000\(id == "a" ? 1 : id == "b" ? 2 : 3)"), \(states.count), \(published),
              '2026-01-01T00:00:00.000Z')
            """)
          for (index, state) in states.enumerated() {
            try tx.run(
              """
              INSERT INTO catalog_version (resource, version, state, provider, provider_name, provider_code, name,
                folded_name, classes, abstract, format, sharing_type, sharing_condition, method_class, method_type,
                open_type, open_condition, cycle, related, secrecy, level, revision, lists, changed_at, review_due)
              VALUES (\(id), \(index + 1), \(state), \(Offices.civilAffairs.id), '青海省民政厅', 'x', \("目录\(id)"),
                \("目录\(id)"), '203', '', '0203', '1', '', '1', '2', '3', '', '7', '', '0', '2', 1, '2017',
                '2026-01-01T00:00:00.000Z', \(state == "submitted" ? "{\"date\":\"2026-01-08\"}" : nil))
              """)
          }
        }
        for (id, position, version, at, event) in [
          ("a", 1, 1, "2026-01-01", "publish"), ("a", 2, 1, "2026-02-01", "supersede"),
          ("a", 3, 2, "2026-02-01", "publish"), ("b", 1, 1, "2026-01-01", "publish"),
          ("b", 2, 1, "2026-01-15", "supersede"), ("b", 3, 2, "2026-01-15", "publish"),
          ("b", 4, 2, "2026-03-01", "withdraw"),
        ] {
          try tx.run(
            """
            INSERT INTO catalog_event (resource, position, version, at, person, organisation, event, words)
            VALUES (\(id), \(position), \(version), \(at + "T02:00:00.000Z"), '王五', '中心', \(event), '')
            """)
        }
      }
      try await db.migrate(Offices.migrations)
      let offices = Offices(db: db)
      let (a, b) = (ResourceID(trusted: "a"), ResourceID(trusted: "b"))
      try await db.read { tx throws in
        #expect(try CatalogStore.published(a, in: tx)?.version == 2)
        #expect(try CatalogStore.issued(a, in: tx)?.online == .online)
        let withdrawn = try #require(try CatalogStore.issued(b, in: tx))
        #expect(withdrawn.version == 2 && withdrawn.state == .published && withdrawn.online == .offline)
        #expect(try !CatalogStore.isInForce(b, in: tx))
        #expect(
          try CatalogStore.periods(of: a, in: tx) == [
            ForcePeriod(version: 1, from: Instant("2026-01-01T02:00:00Z")!, until: Instant("2026-02-01T02:00:00Z")!),
            ForcePeriod(version: 2, from: Instant("2026-02-01T02:00:00Z")!, until: nil),
          ])
        #expect(try CatalogStore.find(b, on: CalendarDate("2026-02-10")!, in: tx)?.version == 2)
        #expect(try CatalogStore.find(b, on: CalendarDate("2026-03-02")!, in: tx) == nil)
        #expect(try tx.text("SELECT due_on FROM catalog_version WHERE resource = 'c'") == "2026-01-08")
        #expect(try CatalogStore.events(of: b, in: tx).first?.event == OnlineEvent.takeDown.rawValue)
      }
      let back = try await offices.cataloguing.online(Offices.operatorOfPlatform, b, .bringUp, reason: "恢复")
      #expect(back == .online)
      #expect(try await db.read { try CatalogStore.isInForce(b, in: $0) })
    }
  }
}
