internal import Kernel
internal import Storage

/// Another entry in force that is like one being written, with how.
struct AlikeEntry: Sendable {
  var resource: Resource
  var likeness: Likeness
}

extension Likeness {
  /// Grows when `bands` makes other bands of the same entry.
  static let method = 1
  /// So many entries of one band are compared, newest first: a form that every county fills in fills a band.
  static let bandLimit = 20

  /// Notes an entry that was just put among what is found.
  static func put(_ resource: Resource, in tx: any Transaction) throws {
    guard let place = try place(of: resource, in: tx) else { return }
    for band in bands(of: resource) {
      try tx.run("INSERT INTO catalog_alike (band, place) VALUES (\(band), \(place)) ON CONFLICT DO NOTHING")
    }
  }

  /// Notes entries that were just put among what is found, many at a time.
  static func put(_ resources: [Resource], in tx: any Transaction) throws {
    for part in stride(from: 0, to: resources.count, by: 500) {
      let resources = resources[part..<min(part + 500, resources.count)]
      var places: [String: Int] = [:]
      for row in try tx.rows(
        "SELECT place, resource FROM catalog_entry WHERE resource IN (\(each: resources.map(\.id.text)))")
      {
        places[try row.text("resource")] = try row.int("place")
      }
      let rows: [SQL] = resources.flatMap { resource -> [SQL] in
        places[resource.id.text].map { place in bands(of: resource).map { "(\($0), \(place))" } } ?? []
      }
      try tx.insert("INSERT INTO catalog_alike (band, place)", rows, columns: 2)
    }
  }

  /// Forgets an entry that is still among what is found, as it stands there.
  static func remove(_ resource: Resource, in tx: any Transaction) throws {
    guard let place = try place(of: resource, in: tx) else { return }
    try tx.run("DELETE FROM catalog_alike WHERE place = \(place) AND band IN (\(each: bands(of: resource)))")
  }

  private static func place(of resource: Resource, in tx: any Transaction) throws -> Int? {
    try tx.int("SELECT place FROM catalog_entry WHERE resource = \(resource.id)")
  }

  /// Entries in force that share a band with this one, the most alike first: at most `limit`, found through the index and
  /// never by looking at all of them.
  static func candidates(
    for resource: Resource, limit: Int, in tx: any Transaction
  ) throws -> [AlikeEntry] {
    var bandsOf: [Int: Int] = [:]
    for band in bands(of: resource) {
      for row in try tx.rows(
        "SELECT place FROM catalog_alike WHERE band = \(band) ORDER BY place DESC LIMIT \(bandLimit)")
      {
        bandsOf[try row.int("place"), default: 0] += 1
      }
    }
    // Those that share most bands are read and compared in full.
    let likely = bandsOf.sorted { ($1.value, $1.key) < ($0.value, $0.key) }.prefix(3 * limit).map(\.key)
    guard !likely.isEmpty else { return [] }
    let found = try tx.rows(
      """
      SELECT resource, version FROM catalog_entry
      WHERE place IN (\(each: likely)) AND resource <> \(resource.id)
      """)
    return try found.compactMap { row -> AlikeEntry? in
      try CatalogStore.find(try row.id("resource"), version: try row.int("version"), in: tx).map {
        AlikeEntry(resource: $0, likeness: Likeness(resource, $0))
      }
    }.sorted { ($1.likeness.score, $0.resource.id.text) < ($0.likeness.score, $1.resource.id.text) }
      .prefix(limit).map { $0 }
  }
}

extension Cataloguing {
  /// Finds the bands of every entry anew when another version of the program, or one that knew none, noted them.
  package func renewLikeness() async throws {
    let held = try await db.read { tx in try tx.int("SELECT method FROM catalog_alike_state") }
    guard held != Likeness.method else { return }
    try await db.write { tx in try tx.run("DELETE FROM catalog_alike") }
    var last = 0
    while true {
      let from = last
      let reached = try await db.write { tx -> Int? in
        let rows = try tx.rows(
          "SELECT place, resource, version FROM catalog_entry WHERE place > \(from) ORDER BY place LIMIT 500")
        for row in rows {
          if let resource = try CatalogStore.find(try row.id("resource"), version: try row.int("version"), in: tx) {
            try Likeness.put(resource, in: tx)
          }
        }
        return try rows.last?.int("place")
      }
      guard let reached else { break }
      last = reached
    }
    try await db.write { tx in try tx.run("UPDATE catalog_alike_state SET method = \(Likeness.method)") }
  }
}

extension Cataloguing {
  /// So many entries are shown beside one under review.
  static let shownAlike = 5

  /// Entries in force that are so alike that the reviewer should know.
  func alike(to resource: Resource, in tx: any Transaction) throws -> [AlikeEntry] {
    try Likeness.candidates(for: resource, limit: 20, in: tx).filter(\.likeness.isAlike)
  }
}
