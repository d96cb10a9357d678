internal import Storage

/// One search. It walks the index's blocks from the newest place down and stops as soon as the page is full and the hits
/// are counted: a frequent word is answered from a few blocks, a rare one from many short rows. So its cost has a bound
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
    guard let newest = try tx.int("SELECT MAX(block) FROM catalog_posting") else { return }
    var next = newest
    let last = (above + 1) / PlaceSet.size
    while next >= last, needsAll || needsNames {
      let count = blocksNeeded(after: newest - next)
      try walk(Array((max(last, next - count + 1)...next).reversed()), in: tx)
      next -= count
    }
  }

  /// As many blocks as will probably hold what is missing, by what those before held, and some more.
  private func blocksNeeded(after walked: Int) -> Int {
    guard walked > 0 else { return 2 }
    let held = needsAll ? counted.count : named.count
    guard held > 0 else { return Self.mostBlocks }
    return min(max(missing * walked / held * 5 / 4, 2), Self.mostBlocks)
  }

  private static let mostBlocks = 256

  private var isPageFull: Bool { (start?.tier == 1 ? others.count : named.count) >= wanted }
  private var needsNames: Bool { !isPageFull }
  private var needsAll: Bool { counted.count <= countLimit || !isPageFull && others.count < wanted }

  private mutating func walk(_ blocks: [Int], in tx: any Transaction) throws {
    let marks: [SearchMark] = (needsAll ? [.anywhere] : []) + (needsNames && !terms.isEmpty ? [.name] : [])
    var rows = try BlockRows(blocks, filters, terms, marks, in: tx)
    let blocks = rows.blocks
    for (index, block) in blocks.enumerated() {
      guard needsAll || needsNames else { return }
      let base = rows.all(filters, of: block)
      guard !base.isEmpty else { continue }
      try rows.readPositions(blocks[index...], enoughFor: missing, in: tx)
      let hits = marks.contains(.anywhere) ? rows.hits(terms, .anywhere, within: base, of: block) : nil
      let names = marks.contains(.name) ? rows.hits(terms, .name, within: hits ?? base, of: block) : hits
      keep(hits, names, block)
    }
  }

  /// So many more hits, of one kind or the other, end the search.
  private var missing: Int { max(needsAll ? countLimit + 1 - counted.count : 0, wanted) }

  private mutating func keep(_ hits: PlaceSet?, _ names: PlaceSet?, _ block: Int) {
    let first = block * PlaceSet.size
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

/// The index's rows that a search needs of some blocks.
private struct BlockRows {
  private var exact: [Int: [String: PlaceSet]] = [:]
  private var prefixes: [Int: [String: PlaceSet]] = [:]
  private var positions: [Int: [String: [UInt8]]] = [:]
  private let filters: [String]
  private let terms: [SearchTerm]
  private let marks: [SearchMark]
  /// Phrases of more than one token: where their tokens stand has to be read as well.
  private let phrases: [[String]]
  /// The blocks from here down have no positions read yet.
  private var unread = Int.max

  /// Those of the blocks in which an entry may be found.
  private(set) var blocks: [Int]

  init(
    _ blocks: [Int], _ filters: [String], _ terms: [SearchTerm], _ marks: [SearchMark], in tx: any Transaction
  ) throws {
    self.blocks = blocks
    self.filters = filters
    self.terms = terms
    self.marks = marks
    phrases = Set(marks.flatMap { mark in terms.map { $0.phrase(mark) } }).filter { $0.count > 1 }
    // A rare word is in few blocks: only of these is anything else read.
    if let first = marks.first, !terms.isEmpty {
      try read([first], [], in: tx)
      self.blocks = blocks.filter { block in
        terms.allSatisfy { !candidates($0, first, of: block).isEmpty }
      }
    }
    try read(Array(marks.dropFirst()), filters, in: tx)
  }

  private mutating func read(_ marks: [SearchMark], _ filters: [String], in tx: any Transaction) throws {
    let tokens = Set(filters + marks.flatMap { mark in terms.flatMap { $0.phrase(mark) } })
    guard !blocks.isEmpty else { return }
    if !tokens.isEmpty {
      for row in try tx.rows(
        """
        SELECT block, token, places FROM catalog_posting
        WHERE block IN (\(each: blocks)) AND token IN (\(each: tokens.sorted()))
        """)
      {
        exact[try row.int("block"), default: [:]][try row.text("token")] = PlaceSet(try row.blob("places"))
      }
    }
    for prefix in Set(marks.flatMap { mark in terms.compactMap { $0.prefix(mark) } }) {
      try tx.forEach(
        """
        SELECT block, places FROM catalog_posting
        WHERE block IN (\(each: blocks)) AND token >= \(prefix) AND token < \(prefix + "\u{10FFFF}")
        """
      ) { row in
        prefixes[try row.int("block"), default: [:]][prefix, default: PlaceSet()].formUnion(
          PlaceSet(try row.blob("places")))
        return true
      }
    }
  }

  /// Reads where the phrases' tokens stand in the first of these blocks, and in as many more as may hold the hits that
  /// are missing: positions are many bytes, and a frequent phrase is answered from few blocks.
  mutating func readPositions(_ blocks: ArraySlice<Int>, enoughFor missing: Int, in tx: any Transaction) throws {
    guard !phrases.isEmpty, let first = blocks.first, first < unread else { return }
    var some: [Int] = []
    var found = 0
    for block in blocks where found < missing {
      unread = block
      let count = marks.map { candidates($0, of: block) }.max() ?? 0
      if count > 0 { some.append(block) }
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
  private func candidates(_ mark: SearchMark, of block: Int) -> Int {
    var places = all(filters, of: block)
    for term in terms where !places.isEmpty { places.formIntersection(candidates(term, mark, of: block)) }
    return places.count
  }

  /// Entries that have all the tokens of a term, wherever they stand.
  private func candidates(_ term: SearchTerm, _ mark: SearchMark, of block: Int) -> PlaceSet {
    var found = all(term.phrase(mark), of: block)
    if let prefix = term.prefix(mark), let begun = prefixes[block]?[prefix] { found.formUnion(begun) }
    return found
  }

  /// Entries that have every one of the tokens.
  func all(_ tokens: [String], of block: Int) -> PlaceSet {
    guard let rows = exact[block], let first = tokens.first, var places = rows[first] else { return PlaceSet() }
    for token in tokens.dropFirst() {
      guard let others = rows[token] else { return PlaceSet() }
      places.formIntersection(others)
    }
    return places
  }

  /// Entries within `base` for which every term holds.
  func hits(_ terms: [SearchTerm], _ mark: SearchMark, within base: PlaceSet, of block: Int) -> PlaceSet {
    var hits = base
    for term in terms where !hits.isEmpty {
      var found = phrase(term.phrase(mark), within: hits, of: block)
      if let prefix = term.prefix(mark), let begun = prefixes[block]?[prefix] { found.formUnion(begun) }
      hits.formIntersection(found)
    }
    return hits
  }

  /// Entries in which the tokens stand one right after the other.
  private func phrase(_ tokens: [String], within base: PlaceSet, of block: Int) -> PlaceSet {
    var candidates = all(tokens, of: block)
    candidates.formIntersection(base)
    guard tokens.count > 1, !candidates.isEmpty else { return candidates }
    var starts: [Int]?
    for (index, token) in tokens.enumerated() {
      let those = Positions.starts(
        positions[block]?[token] ?? [], of: exact[block]?[token] ?? PlaceSet(), wanted: candidates, index: index)
      starts = starts.map { Positions.common($0, those) } ?? those
    }
    var found = PlaceSet()
    for start in starts ?? [] { found.insert(Positions.offset(of: start)) }
    return found
  }
}

extension SearchTerm {
  /// The tokens that must stand in a row; none for a word.
  fileprivate func phrase(_ mark: SearchMark) -> [String] {
    switch self {
    case .phrase(let tokens): tokens.map { mark.rawValue + $0 }
    case .prefix: []
    case .letters(_, let initials): initials.map { SearchMark.initials.rawValue + $0 }
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
