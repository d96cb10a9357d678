internal import Inventory
package import Kernel
internal import Storage

/// What somebody looks for among the resources in force.
package struct CatalogQuery: Hashable, Sendable {
  package var text: String
  /// A node of the classification: the entry has a class at it or below.
  package var node: String?
  package var provider: OrganisationID?
  package var sharingType: String?
  /// A format's class, two digits.
  package var format: String?
  package var cycle: String?
  package var isMounted: Bool?
  /// `next` of the page before.
  package var after: String?
  package var limit: Int

  package init(
    text: String = "", node: String? = nil, provider: OrganisationID? = nil, sharingType: String? = nil,
    format: String? = nil, cycle: String? = nil, isMounted: Bool? = nil, after: String? = nil, limit: Int = 20
  ) {
    self.text = text
    self.node = node
    self.provider = provider
    self.sharingType = sharingType
    self.format = format
    self.cycle = cycle
    self.isMounted = isMounted
    self.after = after
    self.limit = limit
  }
}

/// A resource in force, as lists show it.
package struct CatalogEntry: Hashable, Sendable {
  package var place: Int
  package var id: ResourceID
  package var version: Int
  package var code: String
  package var name: String
  package var abstract: String
  package var provider: OrganisationID
  package var providerName: String
  package var classes: [String]
  package var sharingType: String
  package var format: String
  package var cycle: String
  package var isMounted: Bool
  package var itemCount: Int
  package var publishedOn: CalendarDate
}

/// One page of results, with counts over all of them.
package struct CatalogHits: Sendable {
  package struct Count: Hashable, Sendable {
    package var value: String
    /// What people read: a node's, an office's or a code's name.
    package var name: Text
    package var count: Int
  }

  package var entries: [CatalogEntry]
  package var next: String?
  /// Exact up to `CatalogSearch.countLimit`.
  package var total: Int
  package var isTotalExact: Bool
  package var classes: [Count]
  package var providers: [Count]
  package var sharingTypes: [Count]
  package var formats: [Count]
  package var cycles: [Count]
}

/// Search over what is in force. Results that hold every term in their name come first; within that, what was published
/// last. That order is the entries' `place`, kept when they are published, so nothing is ranked at the time of asking.
package enum CatalogSearch {
  /// Hits are counted up to here; beyond, the answer says “more than”.
  package static let countLimit = 10_000
  /// So many values of a facet are shown, the most frequent ones.
  private static let shownCounts = 30

  /// So many tokens of an entry are searched; PostgreSQL knows 16,383 positions.
  private static let tokenLimit = 16_000

  static func find(
    _ query: CatalogQuery, classification: Classification, lists: CodeLists, in tx: any Transaction
  ) throws -> CatalogHits {
    let terms = searchTerms(query.text)
    let limit = min(max(query.limit, 1), 100)
    let start = try query.after.map(Place.init(text:))
    var found: [(tier: Int, entry: CatalogEntry)] = []
    let tiers: [SearchTier] = terms.isEmpty ? [.all] : [.name, .rest]
    for (tier, kind) in tiers.enumerated() {
      if found.count > limit { break }
      if let start, start.tier > tier { continue }
      let below = start?.tier == tier ? start?.place : nil
      found += try page(terms, kind, query, below: below, limit: limit + 1 - found.count, in: tx).map { (tier, $0) }
    }
    let shown = found.prefix(limit)
    var hits = try counts(terms, query, classification: classification, lists: lists, in: tx)
    hits.entries = shown.map(\.entry)
    hits.next = found.count > limit ? shown.last.map { Place(tier: $0.tier, place: $0.entry.place).text } : nil
    return hits
  }

  /// Where a page ended: in which tier, below which place.
  struct Place {
    var tier: Int
    var place: Int

    init(tier: Int, place: Int) {
      self.tier = tier
      self.place = place
    }

    init(text: String) throws {
      let parts = text.split(separator: "-")
      guard text.utf8.count < 30, parts.count == 2, let tier = Int(parts[0]), (0...1).contains(tier),
        let place = Int(parts[1]), place >= 0
      else { throw Refusal.invalid("catalog.page", "after", Text("分页位置不正确。", "This page position is wrong.")) }
      self.init(tier: tier, place: place)
    }

    var text: String { "\(tier)-\(place)" }
  }

  // MARK: Asking

  private static func page(
    _ terms: [SearchTerm], _ tier: SearchTier, _ query: CatalogQuery, below: Int?, limit: Int, in tx: any Transaction
  ) throws -> [CatalogEntry] {
    var conditions = conditions(query)
    if let below { conditions.append("e.place < \(below)") }
    let columns: SQL =
      """
      e.place, e.resource, e.version, e.code, e.name, e.abstract, e.provider, e.provider_name, e.classes,
      e.sharing_type, e.format, e.cycle, e.is_mounted, e.items, e.published_on
      """
    let statement: SQL =
      if terms.isEmpty {
        """
        SELECT \(columns) FROM catalog_entry e WHERE \(SQL.all(conditions)) ORDER BY e.place DESC LIMIT \(limit)
        """
      } else {
        // CROSS JOIN holds SQLite to the index first: the other way round it would try every entry.
        """
        SELECT \(columns) FROM (\(matches(terms, tier, below: below, in: tx))) h CROSS JOIN catalog_entry e
        WHERE e.place = h.place AND \(SQL.all(conditions)) ORDER BY h.place DESC LIMIT \(limit)
        """
      }
    return try tx.rows(statement).map { row in
      CatalogEntry(
        place: try row.int("place"), id: try row.id("resource"), version: try row.int("version"),
        code: try row.text("code"), name: try row.text("name"), abstract: try row.text("abstract"),
        provider: try row.id("provider"), providerName: try row.text("provider_name"),
        classes: try row.text("classes").split(separator: " ").map(String.init),
        sharingType: try row.text("sharing_type"), format: try row.text("format"), cycle: try row.text("cycle"),
        isMounted: try row.bool("is_mounted"), itemCount: try row.int("items"),
        publishedOn: try row.date("published_on"))
    }
  }

  private static func conditions(_ query: CatalogQuery) -> [SQL] {
    var conditions: [SQL] = []
    if let provider = query.provider { conditions.append("e.provider = \(provider)") }
    if let type = query.sharingType { conditions.append("e.sharing_type = \(type)") }
    if let format = query.format { conditions.append("e.format_class = \(format)") }
    if let cycle = query.cycle { conditions.append("e.cycle = \(cycle)") }
    if let mounted = query.isMounted { conditions.append("e.is_mounted = \(mounted)") }
    if let node = query.node {
      conditions.append("EXISTS (SELECT 1 FROM catalog_entry_class c WHERE c.node = \(node) AND c.place = e.place)")
    }
    return conditions
  }

  /// The total and the facets in one statement over the first `countLimit` hits.
  private static func counts(
    _ terms: [SearchTerm], _ query: CatalogQuery, classification: Classification, lists: CodeLists,
    in tx: any Transaction
  ) throws -> CatalogHits {
    let conditions = SQL.all(conditions(query))
    let columns: SQL = "e.place, e.provider, e.sharing_type, e.format_class, e.cycle"
    let hits: SQL =
      if terms.isEmpty {
        "SELECT \(columns) FROM catalog_entry e WHERE \(conditions) LIMIT \(countLimit + 1)"
      } else {
        """
        SELECT \(columns) FROM (\(matches(terms, .all, below: nil, in: tx))) h CROSS JOIN catalog_entry e
        WHERE e.place = h.place AND \(conditions) LIMIT \(countLimit + 1)
        """
      }
    // Children of the chosen node, or the three classes. An entry may have classes elsewhere too; they are dropped here and
    // not in the statement, where one more condition makes PostgreSQL expect a single row and try every pair.
    let depth = query.node.map { classification.path(to: $0).count + 1 } ?? 1
    let rows = try tx.rows(
      """
      WITH hits AS MATERIALIZED (\(hits))
      SELECT 'total' AS facet, '' AS value, COUNT(*) AS hits, '' AS name FROM hits
      UNION ALL SELECT 'provider', g.provider, g.hits,
        (SELECT n.provider_name FROM catalog_entry n WHERE n.provider = g.provider ORDER BY n.place DESC LIMIT 1)
        FROM (SELECT provider, COUNT(*) AS hits FROM hits GROUP BY provider ORDER BY 2 DESC LIMIT \(shownCounts)) g
      UNION ALL SELECT 'sharing', sharing_type, COUNT(*), '' FROM hits GROUP BY sharing_type
      UNION ALL SELECT 'format', format_class, COUNT(*), '' FROM hits GROUP BY format_class
      UNION ALL SELECT 'cycle', cycle, COUNT(*), '' FROM hits GROUP BY cycle
      UNION ALL SELECT 'class', c.node, COUNT(*), '' FROM hits h CROSS JOIN catalog_entry_class c
        WHERE c.place = h.place AND c.depth = \(depth) GROUP BY c.node
      """)
    var counted: [String: [CatalogHits.Count]] = [:]
    for row in rows {
      counted[try row.text("facet"), default: []].append(
        CatalogHits.Count(
          value: try row.text("value"), name: Text(same: try row.text("name")), count: try row.int("hits")))
    }
    func facet(_ name: String, _ title: ((String) -> Text)? = nil) -> [CatalogHits.Count] {
      (counted[name] ?? []).sorted { ($1.count, $0.value) < ($0.count, $1.value) }.prefix(shownCounts)
        .map { CatalogHits.Count(value: $0.value, name: title?($0.value) ?? $0.name, count: $0.count) }
    }
    let total = counted["total"]?.first?.count ?? 0
    return CatalogHits(
      entries: [], next: nil, total: min(total, countLimit), isTotalExact: total <= countLimit,
      classes: facet("class") { Text(same: classification.name(of: $0)) }.filter {
        $0.value.hasPrefix(query.node ?? "")
      },
      providers: facet("provider"),
      sharingTypes: facet("sharing") { lists.sharingTypes.text($0) },
      formats: facet("format") { lists.formatClasses.text($0) }, cycles: facet("cycle") { lists.cycles.text($0) })
  }

  // MARK: Keeping

  /// Puts the version that was just published in front, in place of an earlier one.
  static func put(
    _ resource: Resource, code: ResourceCode, publishedOn: CalendarDate, classification: Classification,
    in tx: any Transaction
  ) throws {
    try remove(resource.id, in: tx)
    let place = try CatalogStore.next("place", in: tx)
    let m = resource.metadata
    try tx.run(
      """
      INSERT INTO catalog_entry (place, resource, version, code, name, abstract, provider, provider_name, classes,
        sharing_type, format, format_class, cycle, is_mounted, items, published_on)
      VALUES (\(place), \(resource.id), \(resource.version), \(code.description), \(m.name),
        \(String(m.abstract.prefix(200))), \(resource.provider), \(resource.providerName),
        \(m.classes.joined(separator: " ")), \(m.sharingType), \(m.format), \(m.formatClass), \(m.cycle),
        \(resource.mount != nil), \(resource.items.count), \(publishedOn))
      """)
    var nodes: Set<String> = []
    for (depth, node) in m.classes.flatMap({ classification.path(to: $0).enumerated() })
    where nodes.insert(node.code).inserted {
      try tx.run(
        "INSERT INTO catalog_entry_class (place, depth, node) VALUES (\(place), \(depth + 1), \(node.code))")
    }
    var body = [code.description, resource.providerName, m.abstract]
    body += m.classes.flatMap { [$0, classification.name(of: $0)] }
    for item in resource.items { body += [item.name, item.column, item.description] }
    try index(
      place, name: searchTokens(m.name),
      body: Array(searchTokens(body.joined(separator: "\n")).prefix(tokenLimit)), in: tx)
  }

  static func remove(_ id: ResourceID, in tx: any Transaction) throws {
    guard let place = try tx.int("SELECT place FROM catalog_entry WHERE resource = \(id)") else { return }
    try unindex(place, in: tx)
    try tx.run("DELETE FROM catalog_entry_class WHERE place = \(place)")
    try tx.run("DELETE FROM catalog_entry WHERE place = \(place)")
  }
}
