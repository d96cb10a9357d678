internal import Storage

extension Cataloguing {
  /// Makes the search index anew when it holds tokens that another version of the program made: at the first start after
  /// such an update, before anybody is served. About 3,000 entries a second; broken off, it begins anew.
  package func renewSearch() async throws {
    let held = try await db.read { tx in try tx.int("SELECT tokens FROM catalog_search_state") }
    guard held != CatalogSearch.tokenVersion else { return }
    var last: Int? = -1
    while let after = last {
      last = try await db.write { tx in
        try CatalogSearch.renew(blockAfter: after, classification: classification(in: tx), in: tx)
      }
    }
    try await db.write { tx in
      try tx.run("UPDATE catalog_search_state SET tokens = \(CatalogSearch.tokenVersion)")
    }
  }

  /// Reads what search results are counted by, which the first search would do otherwise: a second or two at a million
  /// entries, beside whoever is served meanwhile.
  package func warmSearch() async throws {
    try await db.read { tx in try board.follow(classification(in: tx), in: tx) }
  }
}

extension CatalogSearch {
  /// Grows when `SearchDocument` makes other tokens of the same entry.
  static let tokenVersion = 2

  /// Indexes the entries of the next block anew; answers its number, nil when there was none.
  static func renew(
    blockAfter last: Int, classification: Classification, in tx: any Transaction
  ) throws -> Int? {
    guard
      let first = try tx.int(
        """
        SELECT place FROM catalog_entry WHERE place >= \((last + 1) * PlaceSet.size) ORDER BY place LIMIT 1
        """)
    else { return nil }
    let number = PostingBlock.number(of: first)
    try tx.run("DELETE FROM catalog_posting WHERE block = \(number)")
    var block = PostingBlock(number)
    for row in try tx.rows(
      """
      SELECT place, resource, version, is_mounted, freshness FROM catalog_entry
      WHERE place >= \(first) AND place < \((number + 1) * PlaceSet.size) ORDER BY place
      """)
    {
      guard let resource = try CatalogStore.find(try row.id("resource"), version: try row.int("version"), in: tx),
        let code = resource.code
      else { continue }
      let condition = Condition(isMounted: try row.bool("is_mounted"), freshness: try row.choice("freshness"))
      block.add(
        document(resource, condition, code: code, classification: classification), at: try row.int("place"))
    }
    try block.write(in: tx)
    return number
  }
}
