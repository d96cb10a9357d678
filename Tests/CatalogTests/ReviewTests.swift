import Foundation
import Identity
import Inbox
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import Catalog

@Suite struct `How alike entries are` {
  private func entry(_ name: String, _ items: [String]) -> Resource {
    Resource(
      id: .make(at: Offices.start), provider: Offices.civilAffairs.id, providerName: "", providerCode: "", system: nil,
      metadata: Metadata(name: name), items: Offices.items(items), mount: nil, changedAt: Offices.start)
  }

  @Test func `items tell, whatever their order, and the explanation counts them`() {
    let mine = entry("低保对象信息", Offices.welfare)
    let theirs = entry("困难群众救助名单", Array(Offices.welfare.reversed().dropLast(2)) + ["街道", "社区"])
    let likeness = Likeness(mine, theirs)
    #expect(likeness.shared == 12 && likeness.own == 14 && likeness.other == 14)
    #expect(likeness.isAlike)
    #expect(likeness.explanation.chinese.hasPrefix("14 个信息项中 12 个相同"))
  }

  @Test(arguments: [
    ("企业法人登记信息", "企业法人登记信息", true), ("企业法人登记信息", "企业法人 登记信息", true),
    ("企业法人登记信息", "企业法人登记信息表", true), ("企业法人登记信息", "水质监测信息", false),
  ])
  func `names tell where there are no items`(one: String, other: String, alike: Bool) {
    #expect(Likeness(entry(one, []), entry(other, [])).isAlike == alike)
  }

  @Test func `two items that everybody has make nothing alike`() {
    #expect(!Likeness(entry("低保对象信息", ["姓名", "公民身份号码"]), entry("驾驶证信息", ["姓名", "公民身份号码"])).isAlike)
  }

  @Test func `entries that are alike share a band, and unlike ones none`() {
    let words = (0..<400).map { "信息项\($0)" }
    var (found, unlike) = (0, 0)
    for seed in 0..<100 {
      let base = (0..<14).map { words[(seed * 31 + $0 * 7) % 400] }
      let near = base.dropLast(2) + [words[(seed * 13 + 390) % 400], words[(seed * 17 + 391) % 400]]
      let far = (0..<14).map { words[(seed * 31 + 200 + $0 * 7) % 400] }
      let mine = Set(Likeness.bands(of: entry("救助台账", base)))
      if !mine.isDisjoint(with: Likeness.bands(of: entry("困难群众名册", Array(near)))) { found += 1 }
      if !mine.isDisjoint(with: Likeness.bands(of: entry("水质监测", far))) { unlike += 1 }
    }
    #expect(found >= 95, "\(found) of 100")
    #expect(unlike == 0, "\(unlike) of 100")
  }
}

@Suite struct `What the reviewer sees` {
  @Test(arguments: Engine.allCases)
  func `a full page of the queue asks no more of the database than a page of one line`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let count = QueueFilter.pageLimit + 5
      let given = (0..<count).map { number in
        var metadata = Offices.spreadsheet("第\(number)号登记信息")
        // One line has something to look at.
        if number == 3 { metadata.abstract = "过短" }
        return GivenEntry(metadata: metadata, items: Offices.items(["甲\(number)", "乙\(number)"]))
      }
      let taken = try await offices.cataloguing.take(
        Offices.officer, given, .add, from: TakingOrigin(name: "测试", digest: "0"))
      var asked: [Int] = []
      for (number, entry) in taken.enumerated() {
        offices.time.move(.seconds(1))
        _ = try await offices.cataloguing.submit(Offices.officer, try #require(entry.resource?.id))
        guard number == 0 || number == count - 1 else { continue }
        asked.append(
          try await offices.db.read { tx in
            let listener = ListeningTransaction(tx)
            let page = try offices.cataloguing.queue(QueueFilter(), in: listener)
            #expect(
              page.entries.map(\.line.name) == given.prefix(min(number + 1, QueueFilter.pageLimit)).map(\.metadata.name)
            )
            #expect(page.entries.map(\.errors) == page.entries.map { _ in 0 })
            #expect(page.entries.map(\.warnings).enumerated().allSatisfy { $1 == ($0 == 3 ? 1 : 0) })
            #expect((page.next != nil) == (number > 0) && page.offices.map(\.name) == [Offices.market.name])
            return listener.asked.count
          })
      }
      #expect(asked[0] == asked[1] && asked[1] <= 8, "\(asked)")
    }
  }

  @Test(arguments: Engine.allCases)
  func `another department's near duplicate is found with its reason, until it goes offline`(engine: Engine)
    async throws
  {
    try await Offices.with(engine) { offices in
      let first = try await offices.inForce()
      _ = try await offices.inForce(Offices.otherOfficer, "婚姻登记信息", items: ["男方姓名", "女方姓名", "登记日期", "登记机关"])
      let second = try await offices.submitted(
        Offices.officer, "城乡困难群众名册", items: Array(Offices.welfare.dropFirst(2)) + ["街道", "社区"])
      let view = try await offices.cataloguing.reviewView(Offices.operatorOfPlatform, second.id)
      #expect(view.nearest.first?.resource.id == first.id)
      #expect(view.nearest.first?.likeness.shared == 12)
      #expect(view.nearest.filter(\.likeness.isAlike).count == 1)
      let page = try await Visitor(offices: offices, principal: Offices.operatorOfPlatform)
        .page("/catalog/review/\(second.id)")
      #expect(page.contains("14 个信息项中 12 个相同"))
      let queue = try await offices.cataloguing.queue(Offices.operatorOfPlatform, QueueFilter(found: .alike))
      #expect(queue.entries.map(\.line.id) == [second.id])
      // A new version of the other that has nothing in common any more, and one offline, are no longer alike.
      _ = try await offices.changed(first.id) { $0.items = Offices.items(["年度", "地区", "人数", "金额"]) }
      let after = try await offices.cataloguing.reviewView(Offices.operatorOfPlatform, second.id)
      #expect(after.nearest.allSatisfy { !$0.likeness.isAlike })
      _ = try await offices.cataloguing.online(Offices.operatorOfPlatform, first.id, .takeDown, reason: "试")
      let gone = try await offices.cataloguing.reviewView(Offices.operatorOfPlatform, second.id)
      #expect(!gone.nearest.contains { $0.resource.id == first.id })
      let left = try await offices.db.read { try $0.int("SELECT COUNT(DISTINCT place) FROM catalog_alike") }
      #expect(left == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `of two alike that both wait for review each shows the other, as long as both wait`(engine: Engine) async throws
  {
    try await Offices.with(engine) { offices in
      let keeper = Offices.operatorOfPlatform
      let first = try await offices.submitted(Offices.otherOfficer, "低保对象信息", items: Offices.welfare)
      func waiting() async throws -> Set<ResourceID> {
        Set(try await offices.cataloguing.queue(keeper, QueueFilter(found: .alike)).entries.map(\.line.id))
      }
      func nearest(_ id: ResourceID) async throws -> [AlikeEntry] {
        try await offices.cataloguing.reviewView(keeper, id).nearest.filter(\.likeness.isAlike)
      }
      #expect(try await waiting() == [])
      let second = try await offices.submitted(
        Offices.officer, "城乡困难群众名册", items: Array(Offices.welfare.dropFirst(2)) + ["街道", "社区"])
      #expect(try await waiting() == [first.id, second.id], "the first learns of it too")
      for (one, other) in [(first.id, second.id), (second.id, first.id)] {
        let found = try await nearest(one)
        #expect(found.map(\.resource.id) == [other] && found[0].isUnderReview)
        let page = try await Visitor(offices: offices, principal: keeper).page("/catalog/review/\(one)")
        #expect(page.contains("href=\"/catalog/review/\(other)\"") && page.contains("14 个信息项中 12 个相同"))
      }
      try await offices.cataloguing.recall(Offices.officer, second.id)
      #expect(try await waiting() == [])
      #expect(try await nearest(first.id).isEmpty)
      _ = try await offices.cataloguing.submit(Offices.officer, second.id)
      _ = try await offices.cataloguing.decide(keeper, second.id, .approve(publish: false))
      #expect(try await nearest(first.id).map(\.isUnderReview) == [true], "approved, it waits to be published")
      _ = try await offices.cataloguing.decide(keeper, second.id, .publish)
      #expect(try await nearest(first.id).map(\.isUnderReview) == [false])
      _ = try await offices.cataloguing.decide(keeper, first.id, .sendBack(reasons: "重复"))
      let left = try await offices.db.read { try $0.int("SELECT COUNT(*) FROM catalog_alike_open") }
      #expect(left == 0)
      // A later version does not stand beside its own entry in force.
      let next = try await offices.cataloguing.beginChange(Offices.officer, second.id)
      _ = try await offices.cataloguing.submit(
        Offices.officer, next.id, because: VersionChange(.correction, words: "补充"))
      #expect(try await nearest(second.id).isEmpty)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what an older program had under review is compared too, once its bands are found`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let first = try await offices.submitted(Offices.otherOfficer, "低保对象信息", items: Offices.welfare)
      try await offices.db.write { tx in
        try tx.run("DELETE FROM catalog_alike_open")
        try tx.run("UPDATE catalog_alike_state SET open_method = 0")
      }
      try await offices.cataloguing.renewLikeness()
      let draft = try await offices.draft(Offices.officer, "别的名称")
      let found = try await offices.db.read { try offices.cataloguing.alike(to: draft, in: $0) }
      #expect(found.map(\.resource.id) == [first.id] && found[0].isUnderReview)
    }
  }

  @Test(arguments: Engine.allCases)
  func `entries that an older program put in force are compared too, once their bands are found`(engine: Engine)
    async throws
  {
    try await Offices.with(engine) { offices in
      let first = try await offices.inForce()
      try await offices.db.write { tx in
        try tx.run("DELETE FROM catalog_alike")
        try tx.run("UPDATE catalog_alike_state SET method = 0")
      }
      try await offices.cataloguing.renewLikeness()
      let draft = try await offices.draft(Offices.officer, "别的名称")
      let found = try await offices.db.read { try offices.cataloguing.alike(to: draft, in: $0) }
      #expect(found.map(\.resource.id) == [first.id])
    }
  }

  @Test func `every finding stands at exactly one check`() {
    let finding = { (code: String, field: String) in
      Finding(.error, code, field, Text(same: code), source: RuleSource.platform)
    }
    let findings = [
      finding("name.is-system", "name"), finding("name.missing", "name"), finding("provider.code", "provider"),
      finding("provider.ended", "provider"), finding("item.length-missing", "item.3.length"),
      finding("items.missing", "items"), finding("sharing.basis-missing", "sharingCondition"),
      finding("method.format", "methodType"), finding("text.long", "abstract"), finding("mount.no-key", "keys"),
      finding("secrecy.secret", "secrecy"), finding("of.tomorrow", "elsewhere"),
    ]
    let list = ReviewChecklist(findings)
    #expect(list.elements.count == 13 && list.elements.map(\.element) == (1...13).map { $0 })
    let placed = (list.elements + list.practice).flatMap(\.findings)
    #expect(placed.count == findings.count && Set(placed) == Set(findings))
    #expect(list.elements[4].findings.map(\.code) == ["provider.code"])
    #expect(list.practice[0].findings.map(\.code) == ["name.is-system"])
    #expect(list.failed + list.passed + list.doubtful == 13 + list.practice.count)
    #expect(ReviewChecklist([]).failed == 0)
  }

  @Test(arguments: Engine.allCases)
  func `the queue pages by key and narrows by office, day, due date and findings`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let reviewer = Offices.operatorOfPlatform
      var ids: [ResourceID] = []
      for number in 0..<53 {
        // The same moment for some: the place in the queue is then the id's.
        if number % 3 == 0 { offices.time.move(.seconds(3600)) }
        ids.append(
          try await offices.submitted(
            Offices.otherOfficer, "救助台账第\(number)号", items: ["台账\(number)甲", "台账\(number)乙"]
          ).id)
      }
      offices.time.move(.seconds(86_400))
      let foreign = try await offices.submitted(Offices.officer, "市场主体年报", items: ["年度", "企业名称"])
      let first = try await offices.cataloguing.queue(reviewer, QueueFilter())
      #expect(first.entries.count == 50)
      let second = try await offices.cataloguing.queue(reviewer, QueueFilter(after: first.next))
      #expect(second.next == nil)
      let all = (first.entries + second.entries).map(\.line.id)
      #expect(Set(all) == Set(ids + [foreign.id]) && all.count == 54)
      #expect(all.last == foreign.id)
      #expect(Set(first.offices.map(\.id)) == [Offices.civilAffairs.id, Offices.market.id])
      func count(_ filter: QueueFilter) async throws -> Int {
        try await offices.cataloguing.queue(reviewer, filter).entries.count
      }
      #expect(try await count(QueueFilter(provider: Offices.market.id)) == 1)
      #expect(try await count(QueueFilter(provider: Offices.market.id, waitingSince: CalendarDate("2026-08-20"))) == 0)
      #expect(try await count(QueueFilter(provider: Offices.market.id, due: .later)) == 1)
      #expect(try await count(QueueFilter(due: .late)) == 0)
      offices.time.move(.seconds(86_400 * 30))
      #expect(try await count(QueueFilter(provider: Offices.market.id, due: .late)) == 1)
      #expect(try await count(QueueFilter(provider: Offices.market.id, found: .alike)) == 0)
      let visitor = Visitor(offices: offices, principal: reviewer)
      #expect(try await visitor.page("/catalog/review?provider=\(Offices.market.id)&due=late").contains("市场主体年报"))
      await #expect(throws: Refusal.self) { try await visitor.get("/catalog/review?due=someday") }
      await #expect(throws: Refusal.self) { try await visitor.get("/catalog/review?after=x") }
    }
  }

  @Test(arguments: Engine.allCases)
  func `many are decided at once, each for itself, and the summary says which were not and why`(engine: Engine)
    async throws
  {
    try await Offices.with(engine) { offices in
      let reviewer = Visitor(offices: offices, principal: Offices.operatorOfPlatform)
      var picks: [(id: ResourceID, text: String)] = []
      for number in 0..<4 {
        let entry = try await offices.submitted(
          Offices.otherOfficer, "救助名单第\(number)号", items: ["名单\(number)甲", "名单\(number)乙"])
        picks.append((entry.id, "\(entry.id):\(entry.revision)"))
      }
      // One was taken back, one written in and handed in again since the reviewer looked.
      try await offices.cataloguing.recall(Offices.otherOfficer, picks[1].id)
      try await offices.cataloguing.recall(Offices.otherOfficer, picks[2].id)
      let seen = try await offices.cataloguing.resource(Offices.otherOfficer, picks[2].id)
      _ = try await offices.cataloguing.edit(
        Offices.otherOfficer, seen.id, from: seen.revision, .init(metadata: seen.metadata))
      _ = try await offices.cataloguing.submit(Offices.otherOfficer, picks[2].id)
      guard
        case .page(let page) = try await reviewer.post(
          "/catalog/review", ["decision": "approve-publish"], also: picks.map { ("pick", $0.text) })
      else { throw Refusal.notFound(Text("", "")) }
      #expect(page.body.text.contains("已登记并发布 2 条，未办理 2 条"))
      #expect(page.body.text.contains(CatalogStore.changedMeanwhile.message.chinese))
      #expect(page.body.text.contains("目录现在的状态是“编制中”"))
      let decided = picks
      let states = try await offices.db.read { tx in
        try decided.map { try CatalogStore.latest($0.id, in: tx)?.state }
      }
      #expect(states == [.published, .draft, .submitted, .published])

      // Returning many needs reasons, and what was ticked stays ticked.
      let again = try #require(try await offices.db.read { try CatalogStore.latest(decided[2].id, in: $0) })
      let pick = "\(again.id):\(again.revision)"
      guard case .page(let refused) = try await reviewer.post("/catalog/review", ["decision": "return", "pick": pick])
      else { throw Refusal.notFound(Text("", "")) }
      #expect(refused.status == 422 && refused.body.text.contains("href=\"#reasons\""))
      #expect(refused.body.text.contains("value=\"\(pick)\" aria-label=\"救助名单第2号\" checked"))
      guard
        case .page(let done) = try await reviewer.post(
          "/catalog/review", ["decision": "return", "pick": pick, "reasons": "摘要请写明范围。"])
      else { throw Refusal.notFound(Text("", "")) }
      #expect(done.body.text.contains("已退回 1 条"))
      let events = try await offices.db.read { try CatalogStore.events(of: again.id, in: $0) }
      #expect(events.first?.words == "摘要请写明范围。")
      guard case .page(let none) = try await reviewer.post("/catalog/review", ["decision": "approve"]) else {
        throw Refusal.notFound(Text("", ""))
      }
      #expect(none.status == 422)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a note at an element reaches the clerk at that field`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let entry = try await offices.submitted()
      let reviewer = Visitor(offices: offices, principal: Offices.operatorOfPlatform)
      let clerk = Visitor(offices: offices, principal: Offices.otherOfficer)
      let note = "note.\(ReviewNote.field(of: entry.items[3]))"
      let long = String(repeating: "长", count: 301)
      guard
        case .page(let refused) = try await reviewer.post(
          "/catalog/review/\(entry.id)", ["decision": "return", "note.name": long, "revision": "\(entry.revision)"])
      else { throw Refusal.notFound(Text("", "")) }
      #expect(refused.status == 422 && refused.body.text.contains("href=\"#note.name\""))
      _ = try await reviewer.follow(
        "/catalog/review/\(entry.id)",
        ["decision": "return", "note.abstract": "请写明是全省还是省本级。", note: "民族用国家标准代码。", "revision": "\(entry.revision)"])
      let form = try await clerk.page("/catalog/resources/\(entry.id)/edit")
      let field = try #require(form.range(of: "name=\"abstract\""))
      let next = try #require(form.range(of: "name=\"format\""))
      #expect(form[field.upperBound..<next.lowerBound].contains("请写明是全省还是省本级。"))
      let items = try await clerk.page("/catalog/resources/\(entry.id)/items")
      let third = try #require(items.range(of: "name=\"item.3.id\""))
      let name = try #require(items.range(of: "name=\"item.3.name\""))
      #expect(items[third.upperBound..<name.lowerBound].contains("民族用国家标准代码。"))
      // The whole of it stands in the history.
      #expect(try await clerk.page("/catalog/resources/\(entry.id)").contains("信息项“民族”：民族用国家标准代码。"))
      // A decision on another revision than the one that was seen is refused.
      _ = try await offices.cataloguing.submit(Offices.otherOfficer, entry.id)
      let stale = try await reviewer.answered("/catalog/review/\(entry.id)", ["decision": "approve", "revision": "9"])
      #expect(stale.status == 409)
    }
  }

  @Test(arguments: Engine.allCases)
  func `words beside an approval are refused at their fields, and all that was typed stays`(engine: Engine) async throws
  {
    try await Offices.with(engine) { offices in
      let entry = try await offices.submitted()
      let reviewer = Visitor(offices: offices, principal: Offices.operatorOfPlatform)
      let unsent = ReviewDecision.wordsUnsent.chinese
      let item = "note.\(ReviewNote.field(of: entry.items[3]))"
      for decision in ["approve", "approve-publish"] {
        for typed in ["reasons", "note.abstract", item] {
          let page = try await reviewer.answered(
            "/catalog/review/\(entry.id)", ["decision": decision, "revision": "\(entry.revision)", typed: "这里要补充。"])
          #expect(page.status == 422)
          let text = page.body.text
          #expect(text.contains("href=\"#\(typed)\">\(unsent)") && text.contains("class=\"fault\""), "\(typed)")
          #expect(text.contains("这里要补充。"))
        }
        let pick = "\(entry.id):\(entry.revision)"
        let many = try await reviewer.answered(
          "/catalog/review", ["decision": decision, "pick": pick, "reasons": "整体要补充。"])
        #expect(many.status == 422 && many.body.text.contains("href=\"#reasons\">\(unsent)"))
        #expect(many.body.text.contains("整体要补充。"))
        #expect(many.body.text.contains("value=\"\(pick)\" aria-label=\"低保对象信息\" checked"))
      }
      #expect(try await offices.db.read { try CatalogStore.latest(entry.id, in: $0) }?.state == .submitted)
      let blank = ["decision": "approve", "revision": "\(entry.revision)", "reasons": " ", item: ""]
      #expect(try await reviewer.follow("/catalog/review/\(entry.id)", blank) == "/catalog/review")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a decision that comes too late shows the entry as it is now and what was typed`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let entry = try await offices.submitted(items: ["甲项", "乙项"])
      let reviewer = Visitor(offices: offices, principal: Offices.operatorOfPlatform)
      let address = "/catalog/review/\(entry.id)"
      let typed = [
        "decision": "return", "revision": "\(entry.revision)", "reasons": "总的意见。", "note.abstract": "摘要的意见。",
        "note.\(ReviewNote.field(of: entry.items[0]))": "甲项的意见。",
        "note.\(ReviewNote.field(of: entry.items[1]))": "乙项的意见。",
      ]
      try await offices.cataloguing.recall(Offices.otherOfficer, entry.id)
      let recalled = try await reviewer.answered(address, typed)
      #expect(recalled.status == 409 && recalled.body.text.contains("状态是“编制中”"))
      for words in ["退回原因：总的意见。", "摘要：摘要的意见。", "信息项“甲项”：甲项的意见。", "信息项“乙项”：乙项的意见。"] {
        #expect(recalled.body.text.contains(words), "\(words)")
      }
      #expect(recalled.body.text.contains("<a href=\"/catalog/resources/\(entry.id)\">"))
      #expect(recalled.body.text.contains("<a href=\"/catalog/review\">"))

      // Handed in again without the first item: the form has what was typed and goes on from what is shown.
      let draft = try await offices.cataloguing.resource(Offices.otherOfficer, entry.id)
      _ = try await offices.cataloguing.edit(
        Offices.otherOfficer, entry.id, from: draft.revision, .init(items: [draft.items[1]]))
      _ = try await offices.cataloguing.submit(Offices.otherOfficer, entry.id)
      let now = try #require(try await offices.db.read { try CatalogStore.latest(entry.id, in: $0) })
      let changed = try await reviewer.answered(address, typed)
      let text = changed.body.text
      #expect(changed.status == 409 && text.contains("状态是“待审核”"))
      #expect(text.contains("已移除的信息项：甲项的意见。"))
      #expect(text.contains("value=\"乙项的意见。\"") && text.contains("value=\"摘要的意见。\""))
      #expect(text.contains("总的意见。</textarea>"))
      #expect(text.contains("name=\"revision\" value=\"\(now.revision)\""))
      #expect(now.state == .submitted)
      let shown = ["revision": "\(now.revision)", "note.\(ReviewNote.field(of: entry.items[0]))": ""]
      _ = try await reviewer.follow(address, typed.merging(shown) { $1 })
    }
  }

  @Test(arguments: Engine.allCases)
  func `of many, each reason is said once and in words`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let officer = Visitor(offices: offices, principal: Offices.otherOfficer)
      let entry = try await offices.inForce()
      let next = try await offices.cataloguing.beginChange(Offices.otherOfficer, entry.id)
      var bare = Offices.spreadsheet("缺少要素的名单")
      bare.sharingType = ""
      bare.cycle = ""
      let second = try await offices.cataloguing.draft(
        Offices.otherOfficer, system: nil, metadata: bare, items: Offices.items(["甲项"]))
      let page = try await officer.answered(
        "/catalog/work", [:],
        also: [("pick", "\(next.id):\(next.revision)"), ("pick", "\(second.id):\(second.revision)")])
      let text = page.body.text
      #expect(text.split(separator: "请选择变更原因。").count == 2)
      #expect(text.contains("<li>请选择共享类型。</li>") && text.contains("<li>请选择更新周期。</li>"))
      #expect(!text.contains("请更正标出的内容。"))
    }
  }
}

extension Visitor {
  /// The page that a form is answered with.
  func answered(_ address: String, _ form: [String: String], also: [(String, String)] = []) async throws -> Page {
    guard case .page(let page) = try await post(address, form, also: also) else {
      throw Refusal.notFound(Text("页", "page"))
    }
    return page
  }
}
