internal import Storage

extension Cataloguing {
  /// Makes the search index anew when it holds tokens that another version of the program made: at the first start after
  /// such an update, before anybody is served. About 3,000 entries a second; broken off, it begins anew.
  package func renewSearch() async throws {
    let held = try await db.read { tx in try tx.int("SELECT tokens FROM catalog_search_state") }
    guard held != CatalogSearch.tokenVersion else { return }
    var last: Int? = 0
    while let after = last {
      last = try await db.write { tx in
        try CatalogSearch.renew(after: after, most: 500, classification: classification, in: tx)
      }
    }
    try await db.write { tx in
      try tx.run("UPDATE catalog_search_state SET tokens = \(CatalogSearch.tokenVersion)")
    }
  }
}

extension CatalogSearch {
  /// Grows when `SearchDocument` makes other tokens of the same entry.
  static let tokenVersion = 2

  /// Indexes the next entries anew; answers the place of the last, nil when there was none.
  static func renew(
    after place: Int, most: Int, classification: Classification, in tx: any Transaction
  ) throws -> Int? {
    var last: Int?
    for row in try tx.rows(
      "SELECT place, resource, version FROM catalog_entry WHERE place > \(place) ORDER BY place LIMIT \(most)")
    {
      let found = try row.int("place")
      try unindex(found, in: tx)
      let id: ResourceID = try row.id("resource")
      if let resource = try CatalogStore.find(id, version: try row.int("version"), in: tx), let code = resource.code,
        let condition = try condition(of: id, in: tx)
      {
        try index(found, document(resource, condition, code: code, classification: classification), in: tx)
      }
      last = found
    }
    return last
  }
}
