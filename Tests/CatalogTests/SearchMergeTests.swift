import Identity
import Kernel
import Storage
import TestKit
import Testing

@testable import Catalog

@Suite struct `Merging the search index` {
  /// Entries far apart, so that few of them fill segments: thirty at a time, a block and a half further each time.
  private func fill(_ db: any Database, _ corpus: Corpus) async throws {
    for start in stride(from: 0, to: corpus.entries.count, by: 30) {
      try await corpus.fill(db, start..<min(start + 30, corpus.entries.count))
      try await db.write { tx in
        try tx.run("UPDATE catalog_sequence SET last = last + \(SearchSpan.blockSize * 3 / 2) WHERE name = 'place'")
      }
    }
  }

  private func found(_ offices: Offices, _ query: CatalogQuery) async throws -> [String] {
    var query = query
    query.limit = 100
    var names: [String] = []
    repeat {
      let page = try await offices.cataloguing.search(Offices.clerk, query)
      names += page.entries.map(\.name)
      query.after = page.next
    } while query.after != nil
    return names
  }

  private static let queries: [CatalogQuery] = [
    .init(), .init(text: "信息"), .init(text: "公积金"), .init(text: "公积金缴存台账"), .init(text: "企业 2批"), .init(text: "州"),
    .init(text: "gjjjc"), .init(text: "3070120337"), .init(sharingType: "2"), .init(text: "登记", isMounted: true),
    .init(text: "慈善组织", cycle: "4"), .init(node: "2", freshness: .late),
  ]

  @Test(arguments: Engine.allCases)
  func `every search finds the same before, between all steps and after`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let corpus = Corpus(count: 300)
      try await fill(offices.db, corpus)
      var expected: [[String]] = []
      for query in Self.queries { expected.append(try await found(offices, query)) }
      #expect(expected[0].count == 300 && expected[1].count > 60 && expected[3].count > 0 && expected[11].count > 0)
      var steps = 0
      while try await offices.db.write({ try SearchMerge.step(in: $0) }) {
        steps += 1
        let asked = 1 + steps % (Self.queries.count - 1)
        #expect(try await found(offices, Self.queries[asked]) == expected[asked], "step \(steps)")
      }
      let spans = try await offices.db.read { try SearchSpans(in: $0) }
      #expect(spans.merged == 1)
      #expect(steps > 6, "a slice of words, the filters, a block less with each of the others")
      for (query, names) in zip(Self.queries, expected) {
        #expect(try await found(offices, query) == names, "\(query)")
      }
      let left = try await offices.db.read { tx in
        try tx.rows("SELECT DISTINCT block FROM catalog_posting ORDER BY block").map { try $0.int("block") }
      }
      #expect(left.filter { $0 < 0 } == [-1])
      #expect(left.filter { $0 >= 0 } == spans.all.filter { $0.key >= 0 }.map(\.key).reversed().filter(left.contains))
    }
  }

  @Test(arguments: Engine.allCases)
  func `what changes while a segment is made, and after, is found`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await fill(offices.db, Corpus(count: 300))
      let late = CatalogQuery(freshness: .late)
      var (names, all) = (try await found(offices, late), try await found(offices, .init()))
      // One of the last of the first segment's entries, and then one of the first.
      let ids = try await offices.db.read { tx in
        try tx.rows(
          "SELECT resource, name, place FROM catalog_entry WHERE freshness = 'late' ORDER BY place"
        ).map { (id: try $0.id("resource") as ResourceID, name: try $0.text("name"), place: try $0.int("place")) }
      }
      #expect(ids[1].place < SearchSpan.segmentSize)
      let change: @Sendable (Int) async throws -> Void = { index in
        try await offices.db.write { tx in
          _ = try CatalogSearch.setCondition(of: ids[index].id, isMounted: false, freshness: .unknown, in: tx)
        }
      }
      #expect(try await offices.db.write { try SearchMerge.step(in: $0) })
      try await change(0)
      names.removeAll { $0 == ids[0].name }
      #expect(try await found(offices, late) == names)
      try await offices.cataloguing.mergeSearch()
      #expect(try await offices.db.read { try SearchSpans(in: $0) }.merged == 1)
      #expect(try await found(offices, late) == names)
      try await change(1)
      names.removeAll { $0 == ids[1].name }
      #expect(try await found(offices, late) == names)
      // Out of force.
      try await offices.db.write { tx in try CatalogSearch.remove(ids[2].id, in: tx) }
      all.removeAll { $0 == ids[2].name }
      #expect(try await found(offices, .init()) == all)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a block that is made anew within a segment changes nothing else`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let corpus = Corpus(count: 300)
      try await fill(offices.db, corpus)
      try await offices.cataloguing.mergeSearch()
      var expected: [[String]] = []
      for query in Self.queries { expected.append(try await found(offices, query)) }
      func rows() async throws -> [[[UInt8]]] {
        try await offices.db.read { tx in
          try tx.rows("SELECT token, places, positions FROM catalog_posting WHERE block = -1 ORDER BY token").map {
            [Array(try $0.text("token").utf8), try $0.blob("places"), try $0.blob("positions")]
          }
        }
      }
      let before = try await rows()
      let blocks = try await offices.db.write { tx in
        var last: Int? = -1
        var blocks: [Int] = []
        while let after = last, after < SearchSpan.blocksOfSegment - 1 {
          last = try CatalogSearch.renew(blockAfter: after, classification: .embedded, in: tx)
          if let last { blocks.append(last) }
        }
        return blocks
      }
      #expect(blocks.count > 4)
      #expect(try await rows() == before)
      for (query, names) in zip(Self.queries, expected) { #expect(try await found(offices, query) == names) }
      // An entry that is called otherwise now: its old words go, its new ones come, those of its neighbours stay.
      let old = try await offices.db.write { tx in
        let row = try #require(
          try tx.row("SELECT place, resource, name FROM catalog_entry WHERE place > 9000 ORDER BY place LIMIT 1"))
        let place = try row.int("place")
        try tx.run("UPDATE catalog_version SET name = '冬虫夏草采集证' WHERE resource = \(try row.text("resource"))")
        try tx.run("UPDATE catalog_entry SET name = '冬虫夏草采集证' WHERE place = \(place)")
        _ = try CatalogSearch.renew(blockAfter: PostingBlock.number(of: place) - 1, classification: .embedded, in: tx)
        return try row.text("name")
      }
      #expect(try await found(offices, .init(text: "冬虫夏草采集")) == ["冬虫夏草采集证"])
      #expect(try await found(offices, .init(text: "夏草采")) == ["冬虫夏草采集证"])
      #expect(try await found(offices, .init(text: old)) == [])
      #expect(try await found(offices, .init()) == expected[0].map { $0 == old ? "冬虫夏草采集证" : $0 })
      // And all of it anew, as after an update of the program.
      try await offices.db.write { tx in try tx.run("UPDATE catalog_search_state SET tokens = 0") }
      try await offices.cataloguing.renewSearch()
      #expect(try await offices.db.read { try SearchSpans(in: $0) }.merged == 1)
      #expect(try await found(offices, .init(text: "夏草采")) == ["冬虫夏草采集证"])
      #expect(try await found(offices, .init()) == expected[0].map { $0 == old ? "冬虫夏草采集证" : $0 })
    }
  }
}
