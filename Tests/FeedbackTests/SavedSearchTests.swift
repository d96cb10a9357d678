import Identity
import Inbox
import Kernel
import Storage
import TestKit
import Testing

@testable import Catalog
@testable import Feedback

@Suite struct SavedSearchTests {
  @Test(arguments: Engine.allCases)
  func `a search hears once of what was published, changed or withdrawn and matches, in one digest`(engine: Engine)
    async throws
  {
    try await Desk.with(engine) { desk in
      let feedback = desk.feedback
      let search = try await feedback.save(CatalogQuery(text: "法人", sharingType: "2"), as: "法人", by: Desk.clerk)
      _ = try await feedback.save(CatalogQuery(text: "气象"), as: "气象", by: Desk.stranger)
      #expect(try await feedback.bringNews() == 0, "what stood before is no news")

      let (second, third) = (ResourceID.make(at: Desk.start), ResourceID.make(at: Desk.start))
      try await desk.publish("社会团体法人登记信息", as: second, number: 2)
      try await desk.publish("企业法人登记信息", version: 2)
      try await desk.publish("公路里程", as: third, number: 3)
      #expect(try await feedback.bringNews() == 1)
      #expect(try await feedback.bringNews() == 0, "told once")
      #expect(try await desk.notices(of: Desk.clerk) == ["search.news"])
      #expect(try await desk.notices(of: Desk.stranger).isEmpty)
      var news = try await feedback.savedSearch(search.id, of: Desk.clerk)
      #expect(news.entries.map(\.id) == [desk.resource, second] && news.entries.map(\.version) == [2, 1])

      try await desk.withdraw(second)
      try await desk.withdraw(third)
      #expect(try await feedback.bringNews() == 1)
      #expect(try await desk.notices(of: Desk.clerk) == ["search.news"], "the digest stands in place of the first")
      news = try await feedback.savedSearch(search.id, of: Desk.clerk)
      #expect(news.entries.map(\.id) == [desk.resource] && news.losses.map(\.resource) == [second])

      try await feedback.change(search.id, .seen(to: news.head), by: Desk.clerk)
      news = try await feedback.savedSearch(search.id, of: Desk.clerk)
      #expect(news.count == 0)
      #expect(try await desk.notices(of: Desk.clerk).isEmpty)
      #expect(try await desk.db.read { try SavedSearchStore.oldestWithdrawal(in: $0) } == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `paused it is silent, resumed it tells of all that came meanwhile`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      let feedback = desk.feedback
      let search = try await feedback.save(CatalogQuery(text: "登记"), as: "登记", by: Desk.clerk)
      try await feedback.change(search.id, .pause, by: Desk.clerk)
      try await desk.publish("民办非企业登记", as: .make(at: Desk.start), number: 2)
      #expect(try await feedback.bringNews() == 0)
      try await feedback.change(search.id, .resume, by: Desk.clerk)
      #expect(try await feedback.bringNews() == 1)
      try await feedback.change(search.id, .delete, by: Desk.clerk)
      #expect(try await desk.notices(of: Desk.clerk).isEmpty)
      #expect(try await feedback.savedSearches(of: Desk.clerk).isEmpty)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what is put away while something new comes stays new`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      let feedback = desk.feedback
      let search = try await feedback.save(CatalogQuery(text: "登记"), as: "登记", by: Desk.clerk)
      try await desk.publish("民办非企业登记", as: .make(at: Desk.start), number: 2)
      let shown = try await feedback.savedSearch(search.id, of: Desk.clerk)
      let later = ResourceID.make(at: Desk.start)
      try await desk.publish("不动产登记", as: later, number: 3)
      try await feedback.change(search.id, .seen(to: shown.head), by: Desk.clerk)
      #expect(try await feedback.savedSearch(search.id, of: Desk.clerk).entries.map(\.id) == [later])
      #expect(try await feedback.bringNews() == 1)
      // A place that nobody was shown puts nothing away that is still to come.
      try await feedback.change(search.id, .seen(to: .max), by: Desk.clerk)
      let last = ResourceID.make(at: Desk.start)
      try await desk.publish("婚姻登记", as: last, number: 4)
      #expect(try await feedback.savedSearch(search.id, of: Desk.clerk).entries.map(\.id) == [last])
    }
  }

  @Test(arguments: Engine.allCases)
  func `many searches and many entries make one digest each, in bounded turns`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      let feedback = desk.feedback
      let people = (0..<25).map { Desk.person("人\($0)", of: Desk.raiser, .clerk) }
      for person in people { _ = try await feedback.save(CatalogQuery(text: "登记"), as: "登记", by: person) }
      for number in 2...6 { try await desk.publish("登记\(number)", as: .make(at: Desk.start), number: number) }
      #expect(try await feedback.bringNews() == 25)
      #expect(try await desk.notices(of: people[0]) == ["search.news"])
    }
  }

  @Test func `names are one's own, unique and bounded; a search of nothing is not kept`() async throws {
    try await Desk.with(.sqlite) { desk in
      let feedback = desk.feedback
      let search = try await feedback.save(CatalogQuery(text: "法人"), as: "法人", by: Desk.clerk)
      for (query, name, field) in [
        (CatalogQuery(text: "登记"), "法人", "name"), (CatalogQuery(text: "登记"), "", "name"),
        (CatalogQuery(text: "登记"), String(repeating: "长", count: 61), "name"), (CatalogQuery(), "一切", "q"),
      ] {
        let refusal = await #expect(throws: Refusal.self) { try await feedback.save(query, as: name, by: Desk.clerk) }
        #expect(refusal?.faults.map(\.field) == [field], "\(name)")
      }
      let foreign = await #expect(throws: Refusal.self) { try await feedback.savedSearch(search.id, of: Desk.leader) }
      #expect(foreign?.kind == .notFound)
      let stolen = await #expect(throws: Refusal.self) {
        try await feedback.change(search.id, .delete, by: Desk.leader)
      }
      #expect(stolen?.kind == .notFound)
      try await feedback.change(search.id, .rename("企业法人"), by: Desk.clerk)
      for number in 1..<Feedback.limits.searches {
        _ = try await feedback.save(CatalogQuery(text: "登记"), as: "第\(number)", by: Desk.clerk)
      }
      let many = await #expect(throws: Refusal.self) {
        try await feedback.save(CatalogQuery(text: "登记"), as: "再一个", by: Desk.clerk)
      }
      #expect(many?.code == "feedback.search.many")
    }
  }

  @Test(arguments: [
    ("法人", true), ("企业法人", true), ("qyfr", true), ("uscc", true), ("3070120302/000001", true), ("气象", false),
    ("法人 气象", false), ("记", true), ("人登", true), ("frqy", false),
  ])
  func `an entry that left is matched as the index would have`(text: String, matches: Bool) async throws {
    for engine in Engine.allCases {
      try await Desk.with(engine) { desk in
        let query = CatalogQuery(text: text, node: "3070120302", provider: Desk.provider)
        let found = try await desk.db.read { try CatalogSearch.places(matching: query, above: 0, limit: 5, in: $0) }
        let entry = try await desk.db.read { try CatalogStore.published(desk.resource, in: $0)! }
        #expect(desk.feedback.cataloguing.words(of: entry).match(query) == matches)
        #expect(found.isEmpty != matches)
      }
    }
  }

  @Test func `a query reads back as it was kept`() {
    let query = CatalogQuery(
      text: "法人 登记", node: "307", provider: Desk.provider, sharingType: "2", format: "03", cycle: "7", isMounted: false)
    #expect(CatalogQuery(encoded: query.encoded) == query)
    #expect(CatalogQuery().encoded.isEmpty && CatalogQuery(encoded: "") == CatalogQuery())
    #expect(CatalogQuery(encoded: CatalogQuery(text: "一\nclass=9").encoded) == CatalogQuery(text: "一 class=9"))
  }
}
