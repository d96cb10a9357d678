internal import Inventory
package import Kernel
package import Storage

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
  /// Whether the mount answered when it was last measured.
  package var isMounted: Bool?
  package var freshness: Freshness?
  /// `next` of the page before.
  package var after: String?
  package var limit: Int

  package init(
    text: String = "", node: String? = nil, provider: OrganisationID? = nil, sharingType: String? = nil,
    format: String? = nil, cycle: String? = nil, isMounted: Bool? = nil, freshness: Freshness? = nil,
    after: String? = nil, limit: Int = 20
  ) {
    self.text = text
    self.node = node
    self.provider = provider
    self.sharingType = sharingType
    self.format = format
    self.cycle = cycle
    self.isMounted = isMounted
    self.freshness = freshness
    self.after = after
    self.limit = limit
  }
}

extension CatalogQuery {
  /// Words were asked of which nothing is indexed, such as marks: they find nothing, and only a query without any asks for
  /// everything.
  package var isUnsearchable: Bool { !text.allSatisfy(\.isWhitespace) && searchTerms(text).isEmpty }
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
  /// Measured: its mount answered.
  package var isMounted: Bool
  /// Measured: its source keeps the declared cycle.
  package var freshness: Freshness
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
  /// Values `1` and `0`.
  package var mounted: [Count] = []
  package var freshness: [Count] = []

  /// What a value of `mounted` is called: whether the last test of a mount passed, not what an entry declares.
  static func mounted(_ value: String) -> Text {
    value == "1" ? Text("已挂接", "Mounted") : Text("无可用挂接", "No working mount")
  }
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
    guard !query.isUnsearchable else { return CatalogHits() }
    var walk = SearchWalk(
      searchTerms(query.text), facets, from: start, wanted: limit + 1, countLimit: countLimit)
    try walk.run(in: tx)
    let shown = walk.page.prefix(limit)
    var hits = try counts(
      walk.counted, under: query.node, board: board, classification: classification, lists: lists, in: tx)
    hits.entries = try entries(shown.map(\.place), in: tx)
    hits.next = walk.page.count > limit ? shown.last.map { Place(tier: $0.tier, place: $0.place).text } : nil
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

  /// The entries at these places, in their order.
  private static func entries(_ places: [Int], in tx: any Transaction) throws -> [CatalogEntry] {
    guard !places.isEmpty else { return [] }
    var entries: [Int: CatalogEntry] = [:]
    for row in try tx.rows(
      """
      SELECT place, resource, version, code, name, abstract, provider, provider_name, classes, sharing_type, format,
        cycle, is_mounted, freshness, items, published_on
      FROM catalog_entry WHERE place IN (\(each: places))
      """)
    {
      let entry = CatalogEntry(
        place: try row.int("place"), id: try row.id("resource"), version: try row.int("version"),
        code: try row.text("code"), name: try row.text("name"), abstract: try row.text("abstract"),
        provider: try row.id("provider"), providerName: try row.text("provider_name"),
        classes: try row.text("classes").split(separator: " ").map(String.init),
        sharingType: try row.text("sharing_type"), format: try row.text("format"), cycle: try row.text("cycle"),
        isMounted: try row.bool("is_mounted"), freshness: try row.choice("freshness"), itemCount: try row.int("items"),
        publishedOn: try row.date("published_on"))
      entries[entry.place] = entry
    }
    return places.compactMap { entries[$0] }
  }

  /// The total and the counts of the filters' values over the first `countLimit` hits.
  private static func counts(
    _ places: [Int], under node: String?, board: FacetBoard, classification: Classification, lists: CodeLists,
    in tx: any Transaction
  ) throws -> CatalogHits {
    // Children of the chosen node, or the three classes.
    let depth = node.map { classification.path(to: $0).count + 1 } ?? 1
    let found = try board.count(
      Array(places.prefix(countLimit)), depth: depth, classification: classification, in: tx)
    func facet(
      _ values: [FacetBoard.Counts.Value], _ title: (FacetBoard.Counts.Value) -> Text
    ) -> [CatalogHits.Count] {
      mostFrequent(values).map { CatalogHits.Count(value: $0.text, name: title($0), count: $0.count) }
    }
    var hits = CatalogHits()
    hits.total = min(places.count, countLimit)
    hits.isTotalExact = places.count <= countLimit
    // An entry may have classes elsewhere too.
    hits.classes = facet(node.map { node in found.classes.filter { $0.text.hasPrefix(node) } } ?? found.classes) {
      Text(same: classification.name(of: $0.text))
    }
    hits.providers = facet(found.providers) { Text(same: $0.name ?? $0.text) }
    hits.sharingTypes = facet(found.sharingTypes) { lists.sharingTypes.text($0.text) }
    hits.formats = facet(found.formats) { lists.formatClasses.text($0.text) }
    hits.cycles = facet(found.cycles) { lists.cycles.text($0.text) }
    hits.mounted = facet(found.mounted) { CatalogHits.mounted($0.text) }
    hits.freshness = facet(found.freshness) { Freshness(rawValue: $0.text)?.title ?? Text(same: $0.text) }
    return hits
  }

  /// The first `shownCounts` by count, then by value; what cannot be among them is not put in order.
  private static func mostFrequent(_ values: [FacetBoard.Counts.Value]) -> some Sequence<FacetBoard.Counts.Value> {
    var candidates = values
    if values.count > shownCounts {
      let least = values.map(\.count).sorted(by: >)[shownCounts - 1]
      candidates.removeAll { $0.count < least }
    }
    return candidates.sorted { ($1.count, $0.text) < ($0.count, $1.text) }.prefix(shownCounts)
  }

  // MARK: Keeping

  /// What was last measured of a resource in force.
  struct Condition: Hashable, Sendable {
    var isMounted = false
    var freshness = Freshness.unknown
  }

  /// Puts the version that was just published in front, in place of an earlier one. What was measured of the version
  /// `before` holds on while that is about the same mount and the same cycle; a new mount has to be measured first.
  static func put(
    _ resource: Resource, replacing before: Resource? = nil, publishedOn: CalendarDate, classification: Classification,
    in tx: any Transaction
  ) throws {
    var condition = Condition()
    if let before, before.mount == resource.mount, let measured = try self.condition(of: resource.id, in: tx) {
      condition = measured
      if before.metadata.cycle != resource.metadata.cycle { condition.freshness = .unknown }
    }
    try remove(resource.id, in: tx)
    try put([(resource, condition)], publishedOn: publishedOn, classification: classification, in: tx)
  }

  /// Puts resources that are not in force yet in front, the last one foremost.
  static func put(
    _ resources: [(resource: Resource, condition: Condition)], publishedOn: CalendarDate,
    classification: Classification, in tx: any Transaction
  ) throws {
    guard !resources.isEmpty else { return }
    let first = try CatalogStore.next("place", count: resources.count, in: tx)
    var rows: [SQL] = []
    var block = PostingBlock(PostingBlock.number(of: first))
    for (index, (resource, condition)) in resources.enumerated() {
      guard let code = resource.code else { throw Cataloguing.unknown }
      let place = first + index
      let m = resource.metadata
      rows.append(
        """
        (\(place), \(resource.id), \(resource.version), \(code.description), \(m.name),
          \(String(m.abstract.prefix(200))), \(resource.provider), \(resource.providerName),
          \(m.classes.joined(separator: " ")), \(m.sharingType), \(m.format), \(m.formatClass), \(m.cycle),
          \(condition.isMounted), \(condition.freshness), \(resource.items.count), \(publishedOn))
        """)
      if PostingBlock.number(of: place) != block.number {
        try block.write(in: tx)
        block = PostingBlock(PostingBlock.number(of: place))
      }
      block.add(document(resource, condition, code: code, classification: classification), at: place)
    }
    try tx.insert(
      """
      INSERT INTO catalog_entry (place, resource, version, code, name, abstract, provider, provider_name, classes,
        sharing_type, format, format_class, cycle, is_mounted, freshness, items, published_on)
      """, rows, columns: 17)
    try block.write(in: tx)
  }

  /// Nil when the resource, or this version of it, is not in force.
  static func condition(of id: ResourceID, version: Int? = nil, in tx: any Transaction) throws -> Condition? {
    let exactly: SQL = version.map { " AND version = \($0)" } ?? ""
    return try tx.row("SELECT is_mounted, freshness FROM catalog_entry WHERE resource = \(id)\(exactly)").map { row in
      Condition(isMounted: try row.bool("is_mounted"), freshness: try row.choice("freshness"))
    }
  }

  /// Says what was measured of a resource: whether its mount answers and whether its source keeps its cycle. Searches,
  /// filters and counts follow; its place among the results stays. Nothing is written when nothing changed, or when the
  /// resource is not in force (`false`).
  @discardableResult
  package static func setCondition(
    of id: ResourceID, isMounted: Bool, freshness: Freshness, in tx: any Transaction
  ) throws -> Bool {
    let condition = Condition(isMounted: isMounted, freshness: freshness)
    guard let before = try self.condition(of: id, in: tx), before != condition,
      let place = try tx.int("SELECT place FROM catalog_entry WHERE resource = \(id)")
    else { return false }
    // The sequence's row is held until the commit, so the numbers become visible in their order.
    let change = try CatalogStore.next("condition", in: tx)
    try tx.run(
      """
      UPDATE catalog_entry SET is_mounted = \(isMounted), freshness = \(freshness), condition_change = \(change)
      WHERE place = \(place)
      """)
    let gone = before.tokens.filter { !condition.tokens.contains($0) }
    let come = condition.tokens.filter { !before.tokens.contains($0) }
    try PostingBlock.change(place, remove: gone, add: come, in: tx)
    return true
  }

  static func document(
    _ resource: Resource, _ condition: Condition, code: ResourceCode, classification: Classification
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
      ] + condition.facets)
  }

  static func remove(_ id: ResourceID, in tx: any Transaction) throws {
    guard let place = try tx.int("SELECT place FROM catalog_entry WHERE resource = \(id)") else { return }
    // Its words stay in the index and are never answered.
    try PostingBlock.change(place, remove: [SearchDocument.inForce], in: tx)
    try tx.run("DELETE FROM catalog_entry WHERE place = \(place)")
  }
}
