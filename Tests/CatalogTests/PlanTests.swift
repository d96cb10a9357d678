import Inventory
import Kernel
import Storage
import Synchronization
import TestKit
import Testing

@testable import Catalog

extension ListeningTransaction {
  /// The lines of a plan that walk a whole table or a whole index of the catalogue.
  fileprivate func scans() throws -> [String] {
    try scans { line, _ in
      engine == .sqlite
        ? line.hasPrefix("SCAN") && !line.contains("CONSTANT ROW")
          && !line.contains("-ROW VALUES CLAUSE") && !line.hasPrefix("SCAN excluded") && line != "SCAN w"
        : ["version", "entry", "resource", "item", "event", "posting"].contains {
          line.contains("Seq Scan on catalog_\($0)")
        }
    }
  }
}

@Suite struct `Plans of the catalogue's statements` {
  @Test(arguments: Engine.allCases)
  func `no list, search or entry reads a whole table`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      try await Corpus(count: 6000).fill(offices.db)
      try await Corpus.lengthen(offices.db)
      let done = try await offices.published("企业法人登记信息")
      // What autovacuum does within a minute.
      try await offices.db.write { tx in try tx.script("ANALYZE") }
      let cataloguing = offices.cataloguing
      func scans(_ body: @escaping @Sendable (any Transaction) throws -> Void) async throws -> [String] {
        try await offices.db.write { tx in
          let listener = ListeningTransaction(tx)
          try body(listener)
          #expect(!listener.asked.isEmpty)
          return try listener.scans()
        }
      }
      // The first search reads every entry for the counts, once.
      _ = try await cataloguing.search(Offices.clerk, CatalogQuery())
      for query in [
        CatalogQuery(), CatalogQuery(text: "登记"), CatalogQuery(text: "青海省企业登记"), CatalogQuery(text: "户"),
        CatalogQuery(text: "qyfr 3070120337"), CatalogQuery(text: "信息", after: "1-2000"),
        CatalogQuery(text: "信息", node: "2", sharingType: "2", isMounted: true, freshness: .late),
      ] {
        let board = cataloguing.board
        let searching = try await scans { tx in
          _ = try CatalogSearch.find(query, board: board, classification: .embedded, lists: .embedded, in: tx)
        }
        #expect(searching == [], "\(query)")
      }
      let reading = try await scans { tx in
        let resource = try #require(try CatalogStore.find(done.id, in: tx))
        _ = try CatalogStore.latest(done.id, in: tx)
        _ = try CatalogStore.published(code: try #require(resource.code), in: tx)
        _ = try CatalogStore.published(of: resource.provider, in: tx)
        _ = try CatalogStore.versions(of: done.id, in: tx)
        _ = try CatalogStore.events(of: done.id, in: tx)
        for filter in [
          WorkFilter(), WorkFilter(name: "登记"), WorkFilter(after: QueuePlace(at: Offices.start, id: done.id)),
        ] {
          _ = try CatalogStore.work(of: resource.provider, filter, limit: 50, in: tx)
        }
        for (name, after) in [("", nil), ("登记", done.id)] as [(String, ResourceID?)] {
          _ = try CatalogStore.open(
            of: resource.provider, in: ["draft", "submitted", "returned", "approved"], name: name, after: after,
            limit: 50, in: tx)
        }
        _ = try CatalogStore.offline(of: resource.provider, after: nil, limit: 50, in: tx)
        for view in QueueFilter.View.allCases {
          _ = try CatalogStore.queue(QueueFilter(view: view), today: #require(done.publishedOn), in: tx)
          _ = try CatalogStore.waitingOffices(view, in: tx)
        }
        _ = try Likeness.candidates(for: resource, limit: 20, in: tx)
        _ = try CatalogStore.publishedCodes(among: ["3070120337/000017"], in: tx)
        let many = try CatalogStore.published(of: resource.provider, in: tx)
        for few in [[resource], many] { _ = try cataloguing.findings(of: few, classification: .embedded, in: tx) }
      }
      #expect(reading == [])
      let writing = try await scans { tx in
        try CatalogStore.record(VersionEvent.edit.rawValue, of: done, by: Offices.officer, at: Offices.start, in: tx)
        try CatalogSearch.setCondition(of: done.id, isMounted: true, freshness: .late, in: tx)
        try CatalogSearch.put(
          done, replacing: done, publishedOn: Offices.start.dateInChina, classification: .embedded, in: tx)
      }
      #expect(writing == [])
    }
  }
}
