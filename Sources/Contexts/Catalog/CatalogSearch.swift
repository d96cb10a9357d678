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

  package var entries: [CatalogEntry] = []
  package var next: String?
  /// Exact up to `CatalogSearch.countLimit`.
  package var total = 0
  package var isTotalExact = true
  package var classes: [Count] = []
  package var providers: [Count] = []
  package var sharingTypes: [Count] = []
  package var formats: [Count] = []
  package var cycles: [Count] = []
}

/// Search over what is in force. Results that hold every term in their name come first; within that, what was published
/// last. That order is the entries' `place`, kept when they are published, so nothing is ranked at the time of asking.
package enum CatalogSearch {
  /// Hits are counted up to here; beyond, the answer says “more than”.
  package static let countLimit = 10_000
  /// So many values of a facet are shown, the most frequent ones.
  private static let shownCounts = 30

  static func find(
    _ query: CatalogQuery, board: FacetBoard, classification: Classification, lists: CodeLists, in tx: any Transaction
  ) throws -> CatalogHits {
    let limit = min(max(query.limit, 1), 100)
    let start = try query.after.map(Place.init(text:))
    // A filter's value that no entry can have finds nothing.
    guard let facets = query.facets else { return CatalogHits() }
    let terms = searchTerms(query.text)
    var found: [(tier: Int, entry: CatalogEntry)] = []
    let tiers: [SearchTier] = terms.isEmpty ? [.all] : [.name, .rest]
    for (tier, kind) in tiers.enumerated() {
      if found.count > limit { break }
      if let start, start.tier > tier { continue }
      let below = start?.tier == tier ? start?.place : nil
      found += try page(terms, facets, kind, below: below, limit: limit + 1 - found.count, in: tx).map { (tier, $0) }
    }
    let shown = found.prefix(limit)
    var hits = try counts(
      terms, facets, under: query.node, board: board, classification: classification, lists: lists, in: tx)
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
    _ terms: [SearchTerm], _ facets: [SearchFacet], _ tier: SearchTier, below: Int?, limit: Int, in tx: any Transaction
  ) throws -> [CatalogEntry] {
    // CROSS JOIN holds SQLite to the index first: the other way round it would try every entry.
    try tx.rows(
      """
      SELECT e.place, e.resource, e.version, e.code, e.name, e.abstract, e.provider, e.provider_name, e.classes,
        e.sharing_type, e.format, e.cycle, e.is_mounted, e.items, e.published_on
      FROM (SELECT place FROM (\(hits(terms, facets, tier, below: below, in: tx))) p ORDER BY place DESC LIMIT \(limit)) h
        CROSS JOIN catalog_entry e
      WHERE e.place = h.place ORDER BY h.place DESC
      """
    ).map { row in
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

  private static func hits(
    _ terms: [SearchTerm], _ facets: [SearchFacet], _ tier: SearchTier, below: Int?, in tx: any Transaction
  ) -> SQL {
    guard terms.isEmpty, facets.isEmpty else { return matches(terms, facets, tier, below: below, in: tx) }
    return "SELECT place FROM catalog_entry WHERE place < \(below ?? Int(Int64.max)) ORDER BY place DESC"
  }

  /// The total and the counts of the filters' values over the first `countLimit` hits.
  private static func counts(
    _ terms: [SearchTerm], _ facets: [SearchFacet], under node: String?, board: FacetBoard,
    classification: Classification, lists: CodeLists, in tx: any Transaction
  ) throws -> CatalogHits {
    let places = try places(
      "SELECT place FROM (\(hits(terms, facets, .all, below: nil, in: tx))) p LIMIT \(countLimit + 1)", in: tx)
    // Children of the chosen node, or the three classes.
    let depth = node.map { classification.path(to: $0).count + 1 } ?? 1
    let found = try board.count(
      Array(places.prefix(countLimit)), depth: depth, classification: classification, in: tx)
    func facet(_ counts: [String: Int], _ title: (String) -> Text) -> [CatalogHits.Count] {
      counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(shownCounts)
        .map { CatalogHits.Count(value: $0.key, name: title($0.key), count: $0.value) }
    }
    var hits = CatalogHits()
    hits.total = min(places.count, countLimit)
    hits.isTotalExact = places.count <= countLimit
    // An entry may have classes elsewhere too.
    hits.classes = facet(found.classes.filter { $0.key.hasPrefix(node ?? "") }) {
      Text(same: classification.name(of: $0))
    }
    hits.providers = facet(found.providers.mapValues(\.count)) { Text(same: found.providers[$0]?.name ?? $0) }
    hits.sharingTypes = facet(found.sharingTypes) { lists.sharingTypes.text($0) }
    hits.formats = facet(found.formats) { lists.formatClasses.text($0) }
    hits.cycles = facet(found.cycles) { lists.cycles.text($0) }
    return hits
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
    try index(place, document(resource, code: code, classification: classification), in: tx)
  }

  static func document(
    _ resource: Resource, code: ResourceCode, classification: Classification
  ) -> SearchDocument {
    let m = resource.metadata
    var body = [code.description, resource.providerName, m.abstract]
    body += m.classes.flatMap { [$0, classification.name(of: $0)] }
    for item in resource.items { body += [item.name, item.column, item.description] }
    let nodes = Set(m.classes.flatMap { classification.branches(of: $0).joined().map(\.code) })
    return SearchDocument(
      name: m.name, body: body,
      facets: nodes.sorted().map { .node($0) } + [
        .provider(resource.provider), .sharingType(m.sharingType), .format(m.formatClass), .cycle(m.cycle),
        .isMounted(resource.mount != nil),
      ])
  }

  static func remove(_ id: ResourceID, in tx: any Transaction) throws {
    guard let place = try tx.int("SELECT place FROM catalog_entry WHERE resource = \(id)") else { return }
    try unindex(place, in: tx)
    try tx.run("DELETE FROM catalog_entry WHERE place = \(place)")
  }
}
