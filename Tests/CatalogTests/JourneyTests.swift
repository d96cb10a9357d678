import Catalog
import Connecting
import Identity
import Inbox
import Inventory
import Kernel
import Storage
import TestKit
import Testing

@Suite struct `From a table to a published resource` {
  @Test(arguments: Engine.allCases)
  func `a table becomes a draft, is submitted with a due date, registered, published and found`(engine: Engine)
    async throws
  {
    try await Offices.with(engine) { offices in
      let draft = try await offices.completeDraft()
      #expect(draft.state == .draft)
      #expect(draft.code == nil)
      #expect(draft.providerCode == Offices.market.creditCode)
      let submitted = try await offices.cataloguing.submit(Offices.officer, draft.id)
      #expect(submitted.state == .submitted)
      let waiting = try await offices.db.read { try Inbox.waiting(for: Offices.operatorOfPlatform, in: $0) }
      #expect(waiting.map(\.kind) == ["catalog.review"])
      // Thursday 2026-08-20 and five working days.
      #expect(waiting.first?.due == CalendarDate("2026-08-27"))
      #expect(waiting.first?.link == "/catalog/review/\(draft.id)")

      let published = try await offices.cataloguing.decide(
        Offices.operatorOfPlatform, draft.id, .approve(publish: true))
      #expect(published.state == .published)
      // The office came out of the reform of 2018 and has no node in the tree of 2017: its predecessor's is used.
      #expect(published.code?.description == "3070120302/000001")
      #expect(try await offices.db.read { try Inbox.count(for: Offices.operatorOfPlatform, in: $0) } == 0)

      let hits = try await offices.cataloguing.search(Offices.clerk, CatalogQuery(text: "企业"))
      #expect(hits.entries.map(\.id) == [draft.id])
      let read = try await offices.db.read { tx in try CatalogStore.published(draft.id, in: tx) }
      #expect(read?.items == draft.items)
      #expect(read?.mount == draft.mount)
      #expect(read?.metadata == draft.metadata)
      #expect(read?.publishedOn == CalendarDate("2026-08-20"))
      let byCode = try await offices.db.read { tx in
        try CatalogStore.published(code: ResourceCode("3070120302/000001")!, in: tx)
      }
      #expect(byCode == read)
      let actions = try await offices.db.read { tx in
        try tx.rows("SELECT action FROM audit_record WHERE subject = \(draft.id)").map { try $0.text("action") }
      }
      #expect(
        Set(actions) == [
          "catalog.draft.begin", "catalog.draft.edit", "catalog.version.submit", "catalog.version.approve",
          "catalog.version.publish",
        ])
    }
  }

  @Test(arguments: Engine.allCases)
  func `an incomplete draft can be kept but not submitted, and each error is at its field`(engine: Engine) async throws
  {
    try await Offices.with(engine) { offices in
      let source = try await offices.source()
      let draft = try await offices.cataloguing.draft(
        Offices.officer, from: source.id, table: TableName("legal_person"))
      let refusal = await #expect(throws: Refusal.self) {
        try await offices.cataloguing.submit(Offices.officer, draft.id)
      }
      #expect(refusal?.code == "catalog.findings")
      #expect(Set(refusal?.faults.map(\.field) ?? []) == ["sharingType", "openType", "cycle"])
      #expect(try await offices.cataloguing.resource(Offices.officer, draft.id).state == .draft)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what is sent back comes with reasons and can be submitted again`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let draft = try await offices.completeDraft()
      _ = try await offices.cataloguing.submit(Offices.officer, draft.id)
      await #expect(throws: Refusal.self) {
        try await offices.cataloguing.decide(Offices.operatorOfPlatform, draft.id, .sendBack(reasons: ""))
      }
      let returned = try await offices.cataloguing.decide(
        Offices.operatorOfPlatform, draft.id, .sendBack(reasons: "摘要请写明数据范围。"))
      #expect(returned.state == .returned)
      let waiting = try await offices.db.read { try Inbox.waiting(for: Offices.officer, in: $0) }
      #expect(waiting.map(\.kind) == ["catalog.correct"])
      let edited = try await offices.cataloguing.edit(
        Offices.officer, draft.id, from: returned.revision, .init(metadata: returned.metadata))
      #expect(edited.resource.state == .draft)
      #expect(try await offices.cataloguing.submit(Offices.officer, draft.id).state == .submitted)
      #expect(try await offices.db.read { try Inbox.count(for: Offices.officer, in: $0) } == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `codes run on within a node and are never given again`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let source = try await offices.source()
      var codes: [String] = []
      for number in 1...3 {
        let draft = try await offices.cataloguing.draft(
          Offices.officer, from: source.id, table: TableName("legal_person"))
        _ = try await offices.cataloguing.edit(
          Offices.officer, draft.id, from: 1, .init(metadata: complete(draft.metadata, "法人信息之\(number)")))
        _ = try await offices.cataloguing.submit(Offices.officer, draft.id)
        let done = try await offices.cataloguing.decide(Offices.operatorOfPlatform, draft.id, .approve(publish: true))
        codes.append(done.code?.description ?? "-")
        _ = try await offices.cataloguing.online(Offices.operatorOfPlatform, draft.id, .takeDown, reason: "测试")
      }
      #expect(codes == ["3070120302/000001", "3070120302/000002", "3070120302/000003"])
      #expect(try await offices.cataloguing.search(Offices.clerk, CatalogQuery()).total == 0)
    }
  }
}

@Suite struct `What only the store can know` {
  @Test(arguments: Engine.allCases)
  func `a system's name, a name already used and a code nobody has are found`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let first = try await offices.published()
      let draft = try await offices.cataloguing.draft(
        Offices.officer, from: first.mount!.source, table: TableName("legal_person"))
      var revision = 1
      for (name, related, code) in [
        ("企业登记系统", [], "name.is-system"), ("企业法人 登记信息", [], ""), ("企业法人登记信息", [], "name.taken"),
        ("企业法人登记信息Ａ", ["3070120302/000001"], ""), ("别的名称", ["3070120302/000009"], "related.unknown"),
      ] as [(String, [String], String)] {
        var metadata = complete(draft.metadata, name)
        metadata.related = related
        let answer = try await offices.cataloguing.edit(
          Offices.officer, draft.id, from: revision, .init(metadata: metadata))
        revision = answer.resource.revision
        let errors = answer.findings.filter { $0.severity == .error }.map(\.code)
        #expect(errors == (code.isEmpty ? [] : [code]), "\(name)")
      }
      // Another office may use the name.
      let other = try await offices.cataloguing.draft(
        Offices.otherOfficer, system: nil, metadata: Metadata(name: "企业法人登记信息"))
      let found = try await offices.cataloguing.findings(Offices.otherOfficer, other.id)
      #expect(!found.contains { $0.code == "name.taken" })
    }
  }

  @Test(arguments: Engine.allCases)
  func `entries that are approved at the same moment get codes of their own`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let source = try await offices.source()
      var drafts: [ResourceID] = []
      for number in 0..<8 {
        let draft = try await offices.cataloguing.draft(
          Offices.officer, from: source.id, table: TableName("legal_person"), sampling: 0)
        _ = try await offices.cataloguing.edit(
          Offices.officer, draft.id, from: 1, .init(metadata: complete(draft.metadata, "法人信息之\(number)")))
        _ = try await offices.cataloguing.submit(Offices.officer, draft.id)
        drafts.append(draft.id)
      }
      let cataloguing = offices.cataloguing
      let codes = try await withThrowingTaskGroup(of: String.self) { group in
        for id in drafts {
          group.addTask {
            try await cataloguing.decide(Offices.operatorOfPlatform, id, .approve(publish: true)).code?.description
              ?? "-"
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(codes.sorted() == (1...8).map { "3070120302/00000\($0)" })
      #expect(try await cataloguing.search(Offices.clerk, CatalogQuery()).total == 8)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what was submitted can be taken back, and a decision comes too late then`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let draft = try await offices.completeDraft()
      _ = try await offices.cataloguing.submit(Offices.officer, draft.id)
      await #expect(throws: Refusal.self) {
        try await offices.cataloguing.edit(Offices.officer, draft.id, from: draft.revision, .init())
      }
      try await offices.cataloguing.recall(Offices.officer, draft.id)
      #expect(try await offices.db.read { try Inbox.count(for: Offices.operatorOfPlatform, in: $0) } == 0)
      let late = await #expect(throws: Refusal.self) {
        try await offices.cataloguing.decide(Offices.operatorOfPlatform, draft.id, .approve(publish: true))
      }
      #expect(late?.code == "catalog.state")
      #expect(try await offices.cataloguing.resource(Offices.officer, draft.id).code == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `an office with no node anywhere in its line cannot submit until one is configured`(engine: Engine) async throws
  {
    try await Offices.with(engine) { offices in
      let nowhere = Offices.person(of: Offices.centre, "孙七", .compileCatalog, .readCatalog)
      let draft = try await offices.cataloguing.draft(
        nowhere, system: nil,
        metadata: {
          var metadata = complete(Metadata(), "平台运行统计")
          metadata.classes = ["202"]
          metadata.format = "0203"
          metadata.methodClass = "1"
          metadata.methodType = "2"
          return metadata
        }(),
        items: [Item(id: .make(at: Offices.start), name: "日期", column: "day", dataType: "D", type: .date)])
      let refusal = await #expect(throws: Refusal.self) {
        try await offices.cataloguing.submit(nowhere, draft.id)
      }
      #expect(refusal?.code == "catalog.provider.no-node")
    }
  }
}

@Suite struct `Versions` {
  @Test(arguments: Engine.allCases)
  func `a change is written beside what is in force, keeps code and items, and supersedes it`(engine: Engine)
    async throws
  {
    try await Offices.with(engine) { offices in
      let first = try await offices.published()
      let draft = try await offices.cataloguing.beginChange(Offices.officer, first.id)
      #expect(draft.version == 2)
      #expect(draft.items.map(\.id) == first.items.map(\.id))
      await #expect(throws: Refusal.self) { try await offices.cataloguing.beginChange(Offices.officer, first.id) }
      var metadata = draft.metadata
      metadata.name = "企业法人基本信息"
      let kept = Array(draft.items.dropLast(2))
      _ = try await offices.cataloguing.edit(
        Offices.officer, draft.id, from: draft.revision,
        .init(
          metadata: metadata, items: kept,
          mount: Mount(
            source: draft.mount!.source, table: draft.mount!.table, keyColumns: ["uscc"], cursorColumn: nil)))
      #expect(try await offices.db.read { try CatalogStore.published(first.id, in: $0) }?.metadata.name == "企业法人登记信息")
      _ = try await offices.cataloguing.submit(
        Offices.officer, draft.id, because: VersionChange(.duty, words: "职能调整，减少两项。"))
      // Approved is not yet in force.
      _ = try await offices.cataloguing.decide(Offices.operatorOfPlatform, draft.id, .approve(publish: false))
      #expect(try await offices.db.read { try CatalogStore.published(first.id, in: $0) }?.version == 1)
      let second = try await offices.cataloguing.publish(Offices.operatorOfPlatform, draft.id)
      #expect(second.code == first.code)
      let (now, before) = try await offices.db.read { tx in
        (try CatalogStore.find(first.id, in: tx), try CatalogStore.find(first.id, version: 1, in: tx))
      }
      #expect(now?.version == 2)
      #expect(now?.items == kept)
      #expect(before?.state == .superseded)
      #expect(before?.items == first.items)
      #expect(try await offices.cataloguing.search(Offices.clerk, CatalogQuery(text: "登记信息")).total == 0)
      #expect(try await offices.cataloguing.search(Offices.clerk, CatalogQuery(text: "基本信息")).total == 1)
      #expect(try await offices.cataloguing.search(Offices.clerk, CatalogQuery()).total == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a change that is given up leaves what is in force, and another can begin`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let first = try await offices.published()
      _ = try await offices.cataloguing.beginChange(Offices.officer, first.id)
      try await offices.cataloguing.discard(Offices.officer, first.id)
      #expect(try await offices.cataloguing.resource(Offices.clerk, first.id).version == 1)
      #expect(try await offices.cataloguing.beginChange(Offices.officer, first.id).version == 3)
    }
  }

  @Test(arguments: Engine.allCases)
  func `two who write at once do not overwrite each other`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let draft = try await offices.completeDraft()
      _ = try await offices.cataloguing.edit(
        Offices.officer, draft.id, from: draft.revision, .init(metadata: draft.metadata))
      let refusal = await #expect(throws: Refusal.self) {
        try await offices.cataloguing.edit(
          Offices.officer, draft.id, from: draft.revision, .init(metadata: draft.metadata))
      }
      #expect(refusal?.code == "catalog.changed")
    }
  }
}

@Suite struct `Who may do what with an entry` {
  @Test(arguments: Engine.allCases)
  func `a draft is its department's and the reviewer's alone`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let draft = try await offices.completeDraft()
      #expect(try await offices.cataloguing.resource(Offices.operatorOfPlatform, draft.id).id == draft.id)
      for stranger in [Offices.clerk, Offices.otherOfficer] {
        let refusal = await #expect(throws: Refusal.self) {
          try await offices.cataloguing.resource(stranger, draft.id)
        }
        #expect(refusal?.kind == .notFound)
      }
      for stranger in [Offices.otherOfficer, Offices.clerk, Offices.operatorOfPlatform] {
        await #expect(throws: Refusal.self) { try await offices.cataloguing.submit(stranger, draft.id) }
        await #expect(throws: Refusal.self) { try await offices.cataloguing.discard(stranger, draft.id) }
        await #expect(throws: Refusal.self) {
          try await offices.cataloguing.edit(stranger, draft.id, from: draft.revision, .init())
        }
      }
      _ = try await offices.cataloguing.submit(Offices.officer, draft.id)
      await #expect(throws: Refusal.self) {
        try await offices.cataloguing.decide(Offices.officer, draft.id, .approve(publish: true))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `another department's system or source cannot be named`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let source = try await offices.source()
      await #expect(throws: Refusal.self) {
        try await offices.cataloguing.draft(Offices.otherOfficer, from: source.id, table: TableName("legal_person"))
      }
      let refusal = await #expect(throws: Refusal.self) {
        try await offices.cataloguing.draft(
          Offices.otherOfficer, system: source.system, metadata: Metadata(name: "别人的"))
      }
      #expect(refusal?.faults.first?.field == "system")
      let own = try await offices.cataloguing.draft(
        Offices.otherOfficer, system: nil, metadata: Metadata(name: "低保对象"))
      #expect(own.metadata.classes == ["3070120337"])
      let mount = Mount(source: source.id, table: TableName("legal_person"), keyColumns: [], cursorColumn: nil)
      await #expect(throws: Refusal.self) {
        try await offices.cataloguing.edit(Offices.otherOfficer, own.id, from: 1, .init(mount: mount))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `secret entries are refused before anything is kept`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let refusal = await #expect(throws: Refusal.self) {
        try await offices.cataloguing.draft(
          Offices.officer, system: nil, metadata: Metadata(name: "某项信息", secrecy: "1"))
      }
      #expect(refusal?.faults.map(\.field) == ["secrecy"])
      let kept = try await offices.db.read { tx in try tx.int("SELECT COUNT(*) FROM catalog_resource") }
      #expect(kept == 0)
    }
  }
}
