internal import Kernel
internal import Storage

/// Another entry, in force or under review, that is like one being written, with how.
struct AlikeEntry: Sendable {
  var resource: Resource
  var likeness: Likeness
  /// Submitted or approved, and not in force so far.
  var isUnderReview = false
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

  /// Entries in force or under review that share a band with this one, the most alike first: at most `limit`, found
  /// through the index and never by looking at all of them.
  static func candidates(
    for resource: Resource, limit: Int, in tx: any Transaction
  ) throws -> [AlikeEntry] {
    let bands = bands(of: resource)
    let inForce = try inForce(bands, limit: limit, in: tx)
    let known = Set(inForce.map(\.resource)).union([resource.id])
    let open = try open(bands, limit: limit, in: tx).filter { !known.contains($0.resource) }
    let others = (inForce.map { ($0, false) } + open.map { ($0, true) }).filter { $0.0.resource != resource.id }
    let found = try CatalogStore.find(others.map(\.0), in: tx)
    return others.compactMap { other, isUnderReview in
      found[other].map {
        AlikeEntry(resource: $0, likeness: Likeness(resource, $0), isUnderReview: isUnderReview)
      }
    }.sorted { ($1.likeness.score, $0.resource.id.text) < ($0.likeness.score, $1.resource.id.text) }
      .prefix(limit).map { $0 }
  }

  /// Those that share most bands are read and compared in full.
  private static func likely<Key: Hashable & Comparable>(_ bandsOf: [Key: Int], _ limit: Int) -> [Key] {
    bandsOf.sorted { ($1.value, $1.key) < ($0.value, $0.key) }.prefix(3 * limit).map(\.key)
  }

  private static func inForce(_ bands: [Int64], limit: Int, in tx: any Transaction) throws -> [VersionKey] {
    var bandsOf: [Int: Int] = [:]
    for band in bands {
      for row in try tx.rows(
        "SELECT place FROM catalog_alike WHERE band = \(band) ORDER BY place DESC LIMIT \(bandLimit)")
      {
        bandsOf[try row.int("place"), default: 0] += 1
      }
    }
    let likely = likely(bandsOf, limit)
    guard !likely.isEmpty else { return [] }
    return try tx.rows("SELECT resource, version FROM catalog_entry WHERE place IN (\(each: likely))").map {
      VersionKey(resource: try $0.id("resource"), version: try $0.int("version"))
    }
  }

  private static func open(_ bands: [Int64], limit: Int, in tx: any Transaction) throws -> [VersionKey] {
    var (bandsOf, versions): ([ResourceID: Int], [ResourceID: Int]) = ([:], [:])
    for band in bands {
      for row in try tx.rows(
        """
        SELECT resource, version FROM catalog_alike_open WHERE band = \(band) ORDER BY resource DESC LIMIT \(bandLimit)
        """)
      {
        let id: ResourceID = try row.id("resource")
        bandsOf[id, default: 0] += 1
        versions[id] = try row.int("version")
      }
    }
    return likely(bandsOf, limit).map { VersionKey(resource: $0, version: versions[$0] ?? 1) }
  }

  // MARK: Under review

  /// Notes a version that now waits for its reviewer or to be published.
  static func putOpen(_ resource: Resource, in tx: any Transaction) throws {
    try removeOpen(resource.id, in: tx)
    try tx.insert(
      "INSERT INTO catalog_alike_open (band, resource, version)",
      bands(of: resource).map { "(\($0), \(resource.id), \(resource.version))" }, columns: 3)
  }

  static func removeOpen(_ id: ResourceID, in tx: any Transaction) throws {
    try tx.run("DELETE FROM catalog_alike_open WHERE resource = \(id)")
  }

  /// The entries under review among these know of one alike more, or of one less.
  static func tell(_ alike: [AlikeEntry], of change: Int, in tx: any Transaction) throws {
    let others = alike.filter(\.isUnderReview).map(\.resource.id)
    guard !others.isEmpty else { return }
    // An entry has one version under review.
    try tx.run(
      """
      UPDATE catalog_version SET alike = CASE WHEN alike + \(change) > 0 THEN alike + \(change) ELSE 0 END
      WHERE resource IN (\(each: others)) AND (state = 'submitted' OR state = 'approved') AND alike IS NOT NULL
      """)
  }
}

extension Cataloguing {
  /// Finds the bands of every entry anew when another version of the program, or one that knew none, noted them.
  package func renewLikeness() async throws {
    try await renewOpenLikeness()
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
  private func renewOpenLikeness() async throws {
    let held = try await db.read { tx in try tx.int("SELECT open_method FROM catalog_alike_state") }
    guard held != Likeness.method else { return }
    var last = ""
    while true {
      let from = last
      let reached = try await db.write { tx -> String? in
        let rows = try tx.rows(
          """
          SELECT resource, version FROM catalog_version
          WHERE (state = 'submitted' OR state = 'approved') AND resource > \(from) ORDER BY resource LIMIT 500
          """)
        for row in rows {
          if let resource = try CatalogStore.find(try row.id("resource"), version: try row.int("version"), in: tx) {
            try Likeness.putOpen(resource, in: tx)
          }
        }
        return try rows.last?.text("resource")
      }
      guard let reached else { break }
      last = reached
    }
    try await db.write { tx in try tx.run("UPDATE catalog_alike_state SET open_method = \(Likeness.method)") }
  }
}

extension Cataloguing {
  /// So many entries are shown beside one under review.
  static let shownAlike = 5

  /// Entries in force or under review that are so alike that the reviewer should know.
  func alike(to resource: Resource, in tx: any Transaction) throws -> [AlikeEntry] {
    try Likeness.candidates(for: resource, limit: 20, in: tx).filter(\.likeness.isAlike)
  }

  /// A version that was submitted is compared with, and those alike that wait already know of it; answers how many entries
  /// are like it.
  func compareOpen(_ resource: Resource, in tx: any Transaction) throws -> Int {
    let alike = try alike(to: resource, in: tx)
    try Likeness.tell(alike, of: 1, in: tx)
    try Likeness.putOpen(resource, in: tx)
    return alike.count
  }

  /// A version that went back to its department is compared with no more.
  func leaveOpen(_ resource: Resource, in tx: any Transaction) throws {
    try Likeness.tell(alike(to: resource, in: tx), of: -1, in: tx)
    try Likeness.removeOpen(resource.id, in: tx)
  }
}
