internal import Jobs
internal import Kernel
internal import Storage

extension Cataloguing {
  /// Makes the search index anew when it holds tokens that another version of the program made: at the first start after
  /// such an update, before anybody is served. About 2,000 entries a second; broken off, it begins anew.
  package func renewSearch() async throws {
    let held = try await db.read { tx in try tx.int("SELECT tokens FROM catalog_search_state") }
    guard held != CatalogSearch.tokenVersion else { return }
    while try await db.write({ try CatalogSearch.forget(in: $0) }) {}
    var last: Int? = -1
    while let after = last {
      last = try await db.write { tx in
        try CatalogSearch.renew(blockAfter: after, classification: classification(in: tx), in: tx)
      }
    }
    try await mergeSearch()
    try await db.write { tx in
      try tx.run("UPDATE catalog_search_state SET tokens = \(CatalogSearch.tokenVersion)")
    }
  }

  /// The job that keeps the index quick to read: what no longer grows is merged.
  package static let searchMerging = "catalog.search"

  /// Looks every quarter of an hour, which is one question unless 32,768 entries were published since.
  package func keepSearch() async throws {
    let now = clock.now()
    try await db.write { tx in
      try JobSchedule.set(Self.searchMerging, kind: Self.searchMerging, .every(.seconds(900)), at: now, in: tx)
    }
  }

  /// Merges all that can be, in steps of a fraction of a second, each a transaction; `progress` after each.
  package func mergeSearch(_ progress: () async throws -> Void = {}) async throws {
    while try await db.write({ try SearchMerge.step(in: $0) }) { try await progress() }
  }

  /// Reads what search results are counted by: some seconds at a million entries, beside whoever is served meanwhile. Until
  /// then a search reads the values of its hits.
  package func warmSearch() async throws {
    try await db.read { tx in try board.follow(classification(in: tx), in: tx) }
  }

  /// Whether a search had to read its hits' values, and nobody is reading what it would be counted by.
  package var isSearchCold: Bool { board.needsReading }
}

extension CatalogSearch {
  /// Grows when `SearchDocument` makes other tokens of the same entry.
  static let tokenVersion = 4

  /// Removes the rows of one span, and what is known of segments; false when there was nothing left.
  static func forget(in tx: any Transaction) throws -> Bool {
    try tx.run("UPDATE catalog_search_state SET merged = 0, merging = NULL")
    guard let span = try tx.int("SELECT MIN(block) FROM catalog_posting") else { return false }
    try tx.run("DELETE FROM catalog_posting WHERE block = \(span)")
    return true
  }

  /// Indexes the entries of the next block anew; answers its number, nil when there was none.
  static func renew(
    blockAfter last: Int, classification: Classification, in tx: any Transaction
  ) throws -> Int? {
    guard
      let first = try tx.int(
        """
        SELECT place FROM catalog_entry WHERE place >= \((last + 1) * SearchSpan.blockSize) ORDER BY place LIMIT 1
        """)
    else { return nil }
    let number = PostingBlock.number(of: first)
    var block = PostingBlock(number)
    for row in try tx.rows(
      """
      SELECT place, resource, version, is_mounted, freshness FROM catalog_entry
      WHERE place >= \(first) AND place < \((number + 1) * SearchSpan.blockSize) ORDER BY place
      """)
    {
      guard let resource = try CatalogStore.find(try row.id("resource"), version: try row.int("version"), in: tx),
        let code = resource.code
      else { continue }
      let condition = Condition(isMounted: try row.bool("is_mounted"), freshness: try row.choice("freshness"))
      block.add(
        document(resource, condition, code: code, classification: classification), at: try row.int("place"))
    }
    try SearchMerge.replace(block, in: tx)
    return number
  }
}
