import Deadlines
import Identity
import Inventory
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import Catalog

@Suite struct `What a version changed` {
  private func difference(_ old: Resource, _ new: Resource) -> VersionDifference {
    VersionDifference(from: old, to: new, lists: .embedded, classification: .embedded)
  }

  private var entry: Resource {
    Resource(
      id: .make(at: Offices.start), provider: Offices.civilAffairs.id, providerName: "青海省民政厅",
      providerCode: Offices.civilAffairs.creditCode, system: nil, metadata: Offices.spreadsheet("低保对象信息"),
      items: Offices.items(Offices.welfare), mount: nil, changedAt: Offices.start)
  }

  @Test func `items in another order are no difference`() {
    let old = entry
    var new = old
    new.items.reverse()
    #expect(difference(old, new).isEmpty)
  }

  @Test func `added, removed and changed items are told apart, and a changed field has its old and new value`() {
    let old = entry
    var new = old
    new.metadata.sharingType = "1"
    new.metadata.sharingCondition = ""
    new.items.removeFirst()
    new.items[0].length = 18
    new.items.swapAt(3, 4)
    new.items.append(
      contentsOf: Offices.items(["救助渠道"]).map { item in
        var item = item
        item.column = "channel"
        return item
      })
    let found = difference(old, new)
    #expect(found.metadata.map(\.title.chinese) == ["共享类型", "共享条件或不予共享依据"])
    #expect(found.metadata.map(\.old.chinese) == ["有条件共享", "用于依法履行职责时核对企业身份。"])
    #expect(found.count(.added) == 1 && found.count(.removed) == 1 && found.count(.changed) == 1)
    #expect(found.count(.same) == 12)
    let changed = found.items.first { $0.kind == .changed }
    #expect(changed?.item.name == "公民身份号码")
    #expect(changed?.changes.map(\.old.chinese) == ["50"] && changed?.changes.map(\.new.chinese) == ["18"])
    #expect(found.items.last?.item.name == "姓名")
  }

  @Test func `an item written anew under the same name is the same item`() {
    let old = entry
    var new = old
    new.items = Offices.items(Offices.welfare.reversed())
    for index in new.items.indices { new.items[index].column = old.items[13 - index].column }
    #expect(difference(old, new).isEmpty)
  }
}

@Suite struct `Versions through time` {
  @Test(arguments: Engine.allCases)
  func `what was in force on any day can be shown, and no day invents a version`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let (cataloguing, clerk) = (offices.cataloguing, Offices.clerk)
      let entry = try await offices.inForce()
      offices.time.move(.seconds(86_400 * 10))
      _ = try await offices.changed(entry.id) { $0.metadata.name = "低保对象名单" }
      offices.time.move(.seconds(86_400 * 10))
      _ = try await cataloguing.online(Offices.operatorOfPlatform, entry.id, .takeDown, reason: "整改")
      offices.time.move(.seconds(86_400 * 10))
      _ = try await cataloguing.online(Offices.operatorOfPlatform, entry.id, .bringUp, reason: "整改完成")
      for (day, name) in [
        ("2026-08-19", nil), ("2026-08-20", "低保对象信息"), ("2026-08-29", "低保对象信息"), ("2026-08-30", "低保对象名单"),
        ("2026-09-09", "低保对象名单"), ("2026-09-10", nil), ("2026-09-18", nil), ("2026-09-19", "低保对象名单"),
      ] as [(String, String?)] {
        // The 9th of September is the day it was taken offline: it was in force on that day.
        let date = CalendarDate(day)!
        if let name {
          let shown = try await cataloguing.resource(clerk, entry.id, on: date)
          #expect(shown.metadata.name == name, "\(day)")
        } else {
          let refusal = await #expect(throws: Refusal.self, "\(day)") {
            try await cataloguing.resource(clerk, entry.id, on: date)
          }
          #expect(refusal?.code == "catalog.not-in-force" || refusal?.kind == .notFound)
        }
      }
      let visitor = Visitor(offices: offices, principal: clerk)
      #expect(try await visitor.page("/catalog/resources/\(entry.id)?on=2026-08-25").contains("低保对象信息"))
      let compared = try await visitor.page("/catalog/resources/\(entry.id)/compare?from=1&to=2")
      #expect(compared.contains("低保对象信息") && compared.contains("低保对象名单"))
      await #expect(throws: Refusal.self) { try await visitor.get("/catalog/resources/\(entry.id)?on=yesterday") }
      guard case .json(let bytes, 200, _) = try await visitor.get("/api/v1/catalog/resources/\(entry.id)?on=2026-08-25")
      else { throw Refusal.notFound(Text("", "")) }
      #expect(String(decoding: bytes, as: UTF8.self).contains("低保对象信息"))
    }
  }

  @Test(arguments: Engine.allCases)
  func `a later version says why, and the duty to update counts from its day by the rule of that day`(engine: Engine)
    async throws
  {
    try await Offices.with(engine) { offices in
      let entry = try await offices.inForce()
      var draft = try await offices.cataloguing.beginChange(Offices.otherOfficer, entry.id)
      draft.metadata.abstract = "低保对象的基本信息和保障金额，每月更新。"
      _ = try await offices.cataloguing.edit(
        Offices.otherOfficer, entry.id, from: draft.revision, .init(metadata: draft.metadata))
      let visitor = Visitor(offices: offices, principal: Offices.otherOfficer)
      let form = "/catalog/resources/\(entry.id)/submit"
      #expect(try await visitor.page(form).contains("name=\"trigger\""))
      for (fields, field) in [
        ([:], "kind"), (["kind": "law"], "words"),
        (["kind": "law", "words": "新法", "trigger": "2027-01-01"], "trigger"),
        (["kind": "law", "words": "新法", "trigger": "soon"], "trigger"),
      ] as [([String: String], String)] {
        guard case .page(let page) = try await visitor.post(form, fields) else { throw Refusal.notFound(Text("", "")) }
        #expect(page.status == 422)
        #expect(page.body.text.contains("href=\"#\(field)\""), "\(fields)")
      }
      _ = try await visitor.follow(form, ["kind": "law", "words": "《社会救助法》施行", "trigger": "2026-08-03"])
      let change = try await offices.db.read { try CatalogStore.change(of: entry.id, version: 2, in: $0) }
      #expect(change?.kind == .law && change?.trigger == CalendarDate("2026-08-03"))
      // Monday 3 August 2026 and 10 working days, by the rules in force since August 2025.
      #expect(change?.due?.date == CalendarDate("2026-08-17"))
      #expect(change?.due?.rule?.key == "catalogue.update")
      // It was submitted on the 20th, and the page says that this was late.
      #expect(try await visitor.page("/catalog/resources/\(entry.id)?version=2").contains("逾期"))
    }
  }
}

@Suite struct `Codes for ever` {
  @Test(arguments: Engine.allCases)
  func `a code is never given again, not when its entry is offline, given up or erased`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let first = try await offices.inForce(Offices.otherOfficer, "甲类救助信息")
      _ = try await offices.cataloguing.online(Offices.operatorOfPlatform, first.id, .takeDown, reason: "停用")
      // Approved, so it has its code, and then erased by hand from the database.
      let second = try await offices.submitted(Offices.otherOfficer, "乙类救助信息")
      let registered = try await offices.cataloguing.decide(
        Offices.operatorOfPlatform, second.id, .approve(publish: false))
      #expect(registered.code?.number == 2)
      try await offices.db.write { tx in
        let tables: [SQL] = [
          "catalog_change", "catalog_event", "catalog_note", "catalog_force", "catalog_version",
        ]
        for table in tables {
          try tx.run("DELETE FROM \(table) WHERE resource = \(second.id)")
        }
        try tx.run("DELETE FROM catalog_resource WHERE id = \(second.id)")
      }
      // One that is given up before it was approved never had one.
      let third = try await offices.draft(Offices.otherOfficer, "丙类救助信息")
      try await offices.cataloguing.discard(Offices.otherOfficer, third.id)
      var ids: [ResourceID] = []
      for number in 0..<6 { ids.append(try await offices.submitted(Offices.otherOfficer, "丁类救助信息之\(number)").id) }
      let cataloguing = offices.cataloguing
      let codes = try await withThrowingTaskGroup(of: Int.self) { group in
        for id in ids {
          group.addTask {
            try await cataloguing.decide(Offices.operatorOfPlatform, id, .approve(publish: true)).code?.number ?? 0
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(codes.sorted() == Array(3...8))
      // A new version keeps the code it has.
      let changed = try await offices.changed(ids[0]) { $0.metadata.cycle = "4" }
      #expect(changed.code == (try await cataloguing.resource(Offices.clerk, ids[0], version: 1)).code)
    }
  }

  @Test func `an entry shows its provider as it was called, and who took over`() async throws {
    try await Offices.with(.sqlite) { offices in
      var providers = offices.cataloguing.providers
      let find = providers.organisation
      let successor = Offices.office(7, "青海省社会工作厅", node: nil)
      providers.organisation = { id, tx in
        if id == successor.id { return successor }
        var office = try find(id, tx)
        if id == Offices.civilAffairs.id { office?.validTo = CalendarDate("2026-06-01") }
        return office
      }
      providers.successors = { id, _ in id == Offices.civilAffairs.id ? [successor.id] : [] }
      let reformed = providers
      try await offices.db.read { tx throws in
        #expect(
          try reformed.later(
            of: Offices.civilAffairs.id, called: "青海省民政厅", on: CalendarDate("2026-08-20")!, in: tx)
            == ProviderToday(since: CalendarDate("2026-06-01"), names: ["青海省社会工作厅"]))
        #expect(
          try reformed.later(
            of: Offices.civilAffairs.id, called: "青海省民政厅", on: CalendarDate("2026-05-31")!, in: tx) == nil)
        #expect(
          try reformed.later(of: Offices.market.id, called: "青海省市场局", on: CalendarDate("2026-08-20")!, in: tx)
            == ProviderToday(since: nil, names: [Offices.market.name]))
      }
      let entry = try await offices.inForce()
      var cataloguing = offices.cataloguing
      cataloguing.providers = reformed
      let view = try await cataloguing.view(Offices.clerk, entry.id, version: nil)
      var request = Request(method: .get, path: "/", now: Offices.start)
      request.principal = Offices.clerk
      let page = resourcePage(request, view, lists: .embedded, classification: .embedded, mayReview: false)
      #expect(page.body.text.contains("2026-06-01 起由青海省社会工作厅承接"))
    }
  }
}

@Suite struct `A duty to update` {
  @Test(arguments: Engine.allCases)
  func `is counted anew when the calendar changes, until its version is published`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let entry = try await offices.inForce()
      _ = try await offices.cataloguing.beginChange(Offices.otherOfficer, entry.id)
      offices.time.move(.seconds(130 * 86_400))
      let day = offices.time.clock.now().dateInChina
      _ = try await offices.cataloguing.submit(
        Offices.otherOfficer, entry.id, because: VersionChange(.law, words: "法规修订", trigger: day))
      func due() async throws -> DueDate? {
        try await offices.db.read { try CatalogStore.change(of: entry.id, version: 2, in: $0)?.due }
      }
      let before = try #require(try await due())
      #expect("\(day)" == "2026-12-28" && before.provisional, "2027 is not arranged yet")
      // Made up: the first days of 2027 are free.
      let calendar = WorkCalendar.embedded.adding(
        (1...8).map { .init(date: CalendarDate("2027-01-0\($0)")!, day: .holiday("元旦")) })
      func recount() async throws -> Int {
        try await offices.db.write { tx in
          try Cataloguing.recount(by: calendar, for: .system(), at: offices.time.clock.now(), in: tx)
        }
      }
      // The review's own day moves as well.
      #expect(try await recount() == 2)
      let after = try #require(try await due())
      #expect(after.date > before.date && !after.provisional)
      #expect(try await recount() == 0)
      _ = try await offices.cataloguing.decide(Offices.operatorOfPlatform, entry.id, .approve(publish: true))
      #expect(
        try await offices.db.write { tx in
          try Cataloguing.recount(by: .embedded, for: .system(), at: offices.time.clock.now(), in: tx)
        } == 0, "what was published is history")
    }
  }
}
