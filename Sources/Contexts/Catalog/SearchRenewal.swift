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
        try CatalogSearch.renew(after: after, most: 500, classification: classification(in: tx), in: tx)
      }
    }
    try await db.write { tx in
      try tx.run("UPDATE catalog_search_state SET tokens = \(CatalogSearch.tokenVersion)")
    }
  }
}

extension CatalogSearch {
  /// Grows when `SearchDocument` makes other tokens of the same entry.
  static let tokenVersion = 1

  /// Indexes the next entries anew; answers the place of the last, nil when there was none.
  static func renew(
    after place: Int, most: Int, classification: Classification, in tx: any Transaction
  ) throws -> Int? {
    var last: Int?
    for row in try tx.rows(
      "SELECT place, resource, version FROM catalog_entry WHERE place > \(place) ORDER BY place LIMIT \(most)")
    {
      let found = try row.int("place")
      try renew(place: found, row, classification: classification, in: tx)
      last = found
    }
    return last
  }

  /// Indexes the entry of one place anew.
  static func renew(place: Int, classification: Classification, in tx: any Transaction) throws {
    guard let row = try tx.row("SELECT resource, version FROM catalog_entry WHERE place = \(place)") else { return }
    try renew(place: place, row, classification: classification, in: tx)
  }

  private static func renew(
    place: Int, _ row: Row, classification: Classification, in tx: any Transaction
  ) throws {
    try unindex(place, in: tx)
    if let resource = try CatalogStore.find(try row.id("resource"), version: try row.int("version"), in: tx),
      let code = resource.code
    {
      try index(place, document(resource, code: code, classification: classification), in: tx)
    }
  }
}
