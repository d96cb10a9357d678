internal import Storage

/// The index's rows that a search needs of some spans.
struct SpanRows {
  private var exact: [Int: [String: PlaceSet]] = [:]
  private var prefixes: [Int: [String: PlaceSet]] = [:]
  private var positions: [Int: [String: [UInt8]]] = [:]
  private let filters: [String]
  private let terms: [SearchTerm]
  private let marks: [SearchMark]
  /// Phrases of more than one token: where their tokens stand has to be read as well.
  private let phrases: [[String]]
  /// The spans from here down have no positions read yet.
  private var unread = Int.max

  /// Those of the spans in which an entry may be found.
  private(set) var spans: [SearchSpan]

  init(
    _ spans: [SearchSpan], _ filters: [String], _ terms: [SearchTerm], _ marks: [SearchMark], in tx: any Transaction
  ) throws {
    self.spans = spans
    self.filters = filters
    self.terms = terms
    self.marks = marks
    phrases = Set(marks.flatMap { mark in terms.map { $0.phrase(mark) } }).filter { $0.count > 1 }
    // A rare word is in few spans: only of these is anything else read.
    if let first = marks.first, !terms.isEmpty {
      try read([first], [], in: tx)
      self.spans = spans.filter { span in
        terms.allSatisfy { !candidates($0, first, of: span).isEmpty }
      }
    }
    try read(Array(marks.dropFirst()), filters, in: tx)
  }

  private mutating func read(_ marks: [SearchMark], _ filters: [String], in tx: any Transaction) throws {
    let tokens = Set(filters + marks.flatMap { mark in terms.flatMap { $0.phrase(mark) } })
    guard !spans.isEmpty else { return }
    let sizes = Dictionary(uniqueKeysWithValues: spans.map { ($0.key, $0.size) })
    let keys = spans.map(\.key)
    func places(_ row: Row, _ key: Int) throws -> PlaceSet {
      PlaceSet(try row.blob("places"), size: sizes[key] ?? SearchSpan.blockSize)
    }
    if !tokens.isEmpty {
      try tx.forEach(
        """
        SELECT block, token, places FROM catalog_posting
        WHERE block IN (\(each: keys)) AND token IN (\(each: tokens.sorted()))
        """
      ) { row in
        let key = try row.int("block")
        exact[key, default: [:]][try row.text("token")] = try places(row, key)
        return true
      }
    }
    for prefix in Set(marks.flatMap { mark in terms.compactMap { $0.prefix(mark) } }) {
      try tx.forEach(
        """
        SELECT block, places FROM catalog_posting
        WHERE block IN (\(each: keys)) AND token >= \(prefix) AND token < \(prefix + "\u{10FFFF}")
        """
      ) { row in
        let key = try row.int("block")
        let found = try places(row, key)
        if prefixes[key]?[prefix]?.formUnion(found) == nil { prefixes[key, default: [:]][prefix] = found }
        return true
      }
    }
  }

  /// Reads where the phrases' tokens stand in the first of these spans, and in as many more as may hold the hits that
  /// are missing: positions are many bytes, and a frequent phrase is answered from few spans.
  mutating func readPositions(_ spans: ArraySlice<SearchSpan>, enoughFor missing: Int, in tx: any Transaction) throws {
    guard !phrases.isEmpty, let first = spans.first, first.first < unread else { return }
    var some: [Int] = []
    var found = 0
    for span in spans where found < missing {
      unread = span.first
      let count = marks.map { candidates($0, of: span) }.max() ?? 0
      if count > 0 { some.append(span.key) }
      found += count
    }
    guard !some.isEmpty else { return }
    for row in try tx.rows(
      """
      SELECT block, token, positions FROM catalog_posting
      WHERE block IN (\(each: some)) AND token IN (\(each: Set(phrases.joined()).sorted()))
      """)
    {
      positions[try row.int("block"), default: [:]][try row.text("token")] = try row.blob("positions")
    }
  }

  /// How many entries have all the tokens of every term, wherever they stand: no fewer than the hits.
  private func candidates(_ mark: SearchMark, of span: SearchSpan) -> Int {
    var places = all(filters, of: span)
    for term in terms where !places.isEmpty { places.formIntersection(candidates(term, mark, of: span)) }
    return places.count
  }

  /// Entries that have all the tokens of a term, wherever they stand.
  private func candidates(_ term: SearchTerm, _ mark: SearchMark, of span: SearchSpan) -> PlaceSet {
    var found = all(term.phrase(mark), of: span)
    if let prefix = term.prefix(mark), let begun = prefixes[span.key]?[prefix] { found.formUnion(begun) }
    return found
  }

  /// Entries that have every one of the tokens.
  func all(_ tokens: [String], of span: SearchSpan) -> PlaceSet {
    guard let rows = exact[span.key], let first = tokens.first, var places = rows[first] else {
      return PlaceSet(size: span.size)
    }
    for token in tokens.dropFirst() {
      guard let others = rows[token] else { return PlaceSet(size: span.size) }
      places.formIntersection(others)
    }
    return places
  }

  /// Entries within `base` for which every term holds.
  func hits(_ terms: [SearchTerm], _ mark: SearchMark, within base: PlaceSet, of span: SearchSpan) -> PlaceSet {
    var hits = base
    for term in terms where !hits.isEmpty {
      var found = phrase(term.phrase(mark), within: hits, of: span)
      if let prefix = term.prefix(mark), let begun = prefixes[span.key]?[prefix] { found.formUnion(begun) }
      hits.formIntersection(found)
    }
    return hits
  }

  /// Entries in which the tokens stand one right after the other.
  private func phrase(_ tokens: [String], within base: PlaceSet, of span: SearchSpan) -> PlaceSet {
    var candidates = all(tokens, of: span)
    candidates.formIntersection(base)
    guard tokens.count > 1, !candidates.isEmpty else { return candidates }
    var starts: [Int]?
    for (index, token) in tokens.enumerated() {
      let those = Positions.starts(
        positions[span.key]?[token] ?? [], of: exact[span.key]?[token] ?? PlaceSet(size: span.size), wanted: candidates,
        index: index)
      starts = starts.map { Positions.common($0, those) } ?? those
    }
    var found = PlaceSet(size: span.size)
    for start in starts ?? [] { found.insert(Positions.offset(of: start)) }
    return found
  }
}

extension SearchTerm {
  /// The tokens that must stand in a row; none for a word.
  fileprivate func phrase(_ mark: SearchMark) -> [String] {
    switch self {
    case .phrase(let grams): mark.tokens(of: grams)
    case .prefix: []
    case .letters(_, let initials): SearchMark.initials.tokens(of: initials)
    }
  }

  /// What a token must begin with; nil for a phrase.
  fileprivate func prefix(_ mark: SearchMark) -> String? {
    switch self {
    case .phrase: nil
    case .prefix(let word), .letters(let word, _): mark.rawValue + word
    }
  }
}
