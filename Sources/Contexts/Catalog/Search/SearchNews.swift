package import Kernel
package import Storage

// What saved searches need of the search: what stands above a place, and whether an entry that left would have been found.

extension CatalogSearch {
  /// The place of the entry that was published or changed last; 0 while there is none.
  package static func head(in tx: any Transaction) throws -> Int {
    try tx.int("SELECT MAX(place) FROM catalog_entry") ?? 0
  }

  /// The places above one at which a query finds something, highest first; at most `limit`, which is all that is read.
  package static func places(
    matching query: CatalogQuery, above place: Int, limit: Int, in tx: any Transaction
  ) throws -> [Int] {
    guard let facets = query.facets else { return [] }
    let terms = searchTerms(query.text)
    // Words of which nothing can be asked find nothing; only a query without any asks for everything.
    if terms.isEmpty, facets.isEmpty {
      guard query.text.isEmpty else { return [] }
      return try tx.rows("SELECT place FROM catalog_entry WHERE place > \(place) ORDER BY place DESC LIMIT \(limit)")
        .map {
          try $0.int("place")
        }
    }
    var walk = SearchWalk(terms, facets, from: nil, wanted: 0, countLimit: limit - 1, above: place)
    try walk.run(in: tx)
    return walk.counted
  }

  /// The entries at those places, highest first.
  package static func news(
    matching query: CatalogQuery, above place: Int, limit: Int, in tx: any Transaction
  ) throws -> [CatalogNews] {
    let places = try places(matching: query, above: place, limit: limit, in: tx)
    guard !places.isEmpty else { return [] }
    return try tx.rows(
      """
      SELECT resource, version, name, provider_name, published_on FROM catalog_entry WHERE place IN (\(each: places))
      ORDER BY place DESC
      """
    ).map { row in
      CatalogNews(
        id: try row.id("resource"), version: try row.int("version"), name: try row.text("name"),
        providerName: try row.text("provider_name"), publishedOn: try row.date("published_on"))
    }
  }
}

/// An entry that was published or changed.
package struct CatalogNews: Hashable, Sendable {
  package var id: ResourceID
  /// Above 1 it was changed.
  package var version: Int
  package var name: String
  package var providerName: String
  package var publishedOn: CalendarDate
}

extension CatalogQuery {
  /// Words and filters as one text, to be kept; empty for a query that asks for everything. No page of it.
  package var encoded: String {
    let pairs: [(String, String?)] = [
      ("q", text.isEmpty ? nil : text), ("class", node), ("provider", provider?.text), ("sharing", sharingType),
      ("format", format), ("cycle", cycle), ("mounted", isMounted.map { $0 ? "1" : "0" }),
      ("fresh", freshness?.rawValue),
    ]
    return pairs.compactMap { name, value in
      value.map { "\(name)=\($0.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(100))" }
    }.joined(separator: "\n")
  }

  /// What `encoded` wrote; a filter that is not known any more is left out.
  package init(encoded: String) {
    self.init()
    for line in encoded.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { continue }
      switch parts[0] {
      case "q": text = parts[1]
      case "class": node = parts[1]
      case "provider": provider = OrganisationID(parts[1])
      case "sharing": sharingType = parts[1]
      case "format": format = parts[1]
      case "cycle": cycle = parts[1]
      case "mounted": isMounted = parts[1] == "1"
      case "fresh": freshness = Freshness(rawValue: parts[1])
      default: break
      }
    }
  }
}

/// What an entry is found by, when no index holds it any more.
package struct EntryWords: Sendable {
  private let known: Set<String>
  private let standing: [String: Set<Int>]

  init(_ document: SearchDocument) {
    standing = Dictionary(grouping: document.triples, by: \.gram.token).mapValues { Set($0.map(\.position)) }
    known = Set(document.words + document.pairs.map(\.token) + document.facets)
  }

  /// Whether the query would have found the entry: as the index answers, over the same tokens.
  package func match(_ query: CatalogQuery) -> Bool {
    guard let facets = query.facets else { return false }
    let filters = facets.compactMap(\.token).map { SearchMark.facet.rawValue + $0 }
    return filters.allSatisfy(known.contains) && searchTerms(query.text).allSatisfy(holds)
  }

  private func holds(_ term: SearchTerm) -> Bool {
    switch term {
    case .phrase(let grams): hasPhrase(SearchMark.anywhere.tokens(of: grams))
    case .prefix(let word): hasPrefix(word)
    case .letters(let word, let initials): hasPrefix(word) || hasPhrase(SearchMark.initials.tokens(of: initials))
    }
  }

  private func hasPrefix(_ word: String) -> Bool { known.contains { $0.hasPrefix(word) } }

  private func hasPhrase(_ tokens: [String]) -> Bool {
    guard let first = tokens.first, let starts = standing[first] else { return tokens.allSatisfy(known.contains) }
    return starts.contains { start in
      tokens.indices.allSatisfy { standing[tokens[$0]]?.contains(start + $0) == true }
    }
  }
}

extension Cataloguing {
  /// What one version of an entry is found by, as it is before anything was measured of it.
  package func words(of resource: Resource) -> EntryWords {
    guard let code = resource.code else { return EntryWords(SearchDocument(name: "", body: [], facets: [])) }
    return EntryWords(
      CatalogSearch.document(resource, CatalogSearch.Condition(), code: code, classification: classification))
  }
}
