internal import Storage

/// One search. It walks the index's spans from the newest place down and stops as soon as the page is full and the hits
/// are counted: a frequent word is answered from a few spans, a rare one from a short row of each. So its cost has a bound
/// that does not grow with the hits, and no planner has to guess.
struct SearchWalk {
  /// Places of hits that hold every term in their name, newest first; at most as many as were wanted.
  private(set) var named: [Int] = []
  /// Places of other hits, newest first.
  private(set) var others: [Int] = []
  /// Places of all hits, newest first, up to one more than are counted.
  private(set) var counted: [Int] = []

  private let terms: [SearchTerm]
  private let filters: [String]
  private let start: CatalogSearch.Place?
  private let wanted: Int
  private let countLimit: Int
  private let above: Int
  /// So many places were looked at.
  private var walked = 0

  /// `wanted` hits of the page that begins at `start`; nothing at or below the place `above` is looked at.
  init(
    _ terms: [SearchTerm], _ facets: [SearchFacet], from start: CatalogSearch.Place?, wanted: Int, countLimit: Int,
    above: Int = -1
  ) {
    self.above = above
    self.terms = terms
    self.start = start
    self.wanted = wanted
    self.countLimit = countLimit
    filters = [SearchDocument.inForce] + facets.compactMap(\.token).map { SearchMark.facet.rawValue + $0 }
  }

  /// Hits of the page, those with the terms in their name first, each with its tier.
  var page: [(tier: Int, place: Int)] {
    let first = start?.tier == 1 ? [] : named.map { (tier: 0, place: $0) }
    return Array((first + others.map { (tier: 1, place: $0) }).prefix(wanted))
  }

  mutating func run(in tx: any Transaction) throws {
    let spans = try SearchSpans(in: tx).all.filter { $0.first + $0.size > above + 1 }
    var left = spans[...]
    while !left.isEmpty, needsAll || needsNames {
      let some = left.prefix(spansNeeded(after: spans.count - left.count, of: left))
      try walk(Array(some), in: tx)
      walked += some.reduce(0) { $0 + $1.size }
      left = left.dropFirst(some.count)
    }
  }

  /// As many spans as will probably hold what is missing, by what those before held, and some more.
  private func spansNeeded(after count: Int, of left: ArraySlice<SearchSpan>) -> Int {
    guard count > 0 else { return 1 }
    let held = needsAll ? counted.count : named.count
    guard held > 0 else { return Self.mostSpans }
    var needed = missing * walked / held * 5 / 4
    let spans = left.prefix { span in
      defer { needed -= span.size }
      return needed > 0
    }
    return min(max(spans.count, 1), Self.mostSpans)
  }

  private static let mostSpans = 64

  private var isPageFull: Bool { (start?.tier == 1 ? others.count : named.count) >= wanted }
  private var needsNames: Bool { !isPageFull }
  private var needsAll: Bool { counted.count <= countLimit || !isPageFull && others.count < wanted }

  private mutating func walk(_ spans: [SearchSpan], in tx: any Transaction) throws {
    let marks: [SearchMark] = (needsAll ? [.anywhere] : []) + (needsNames && !terms.isEmpty ? [.name] : [])
    var rows = try SpanRows(spans, filters, terms, marks, in: tx)
    let spans = rows.spans
    for (index, span) in spans.enumerated() {
      guard needsAll || needsNames else { return }
      let base = rows.all(filters, of: span)
      guard !base.isEmpty else { continue }
      try rows.readPositions(spans[index...], enoughFor: missing, in: tx)
      let hits = marks.contains(.anywhere) ? rows.hits(terms, .anywhere, within: base, of: span) : nil
      let names = marks.contains(.name) ? rows.hits(terms, .name, within: hits ?? base, of: span) : hits
      keep(hits, names, span)
    }
  }

  /// So many more hits, of one kind or the other, end the search.
  private var missing: Int { max(needsAll ? countLimit + 1 - counted.count : 0, wanted) }

  private mutating func keep(_ hits: PlaceSet?, _ names: PlaceSet?, _ span: SearchSpan) {
    let first = span.first
    if let hits, counted.count <= countLimit {
      hits.walkDown { offset in
        guard first + offset > above else { return false }
        counted.append(first + offset)
        return counted.count <= countLimit
      }
    }
    if let names, start?.tier != 1, named.count < wanted {
      names.walkDown { offset in
        if first + offset < start?.place ?? .max { named.append(first + offset) }
        return named.count < wanted
      }
    }
    if var rest = hits, let names, others.count < wanted {
      rest.subtract(names)
      rest.walkDown { offset in
        if start?.tier != 1 || first + offset < start?.place ?? .max { others.append(first + offset) }
        return others.count < wanted
      }
    }
  }
}
