internal import Storage

/// Merges blocks that no longer grow to segments, a slice of their tokens a transaction, so that nobody who writes waits
/// long. Searches read the blocks until the last slice; that one takes the filters' values, which alone still change, and
/// says in the same transaction that the segment is read from now on. Broken off, it goes on where it was.
enum SearchMerge {
  /// Makes the next step; false when there is nothing to do.
  static func step(in tx: any Transaction) throws -> Bool {
    guard let state = try tx.row("SELECT merged, merging FROM catalog_search_state WHERE one = 1") else { return false }
    let merged = try state.int("merged")
    // What the last segment was made of.
    if let block = try tx.int(
      """
      SELECT block FROM catalog_posting WHERE block >= 0 AND block < \(merged * SearchSpan.blocksOfSegment)
      ORDER BY block LIMIT 1
      """)
    {
      try tx.run("DELETE FROM catalog_posting WHERE block = \(block)")
      return true
    }
    // Places are given in the order of their commits, so below the newest there is none still to come.
    let head = try tx.int("SELECT last FROM catalog_sequence WHERE name = 'place'") ?? 0
    guard head >= (merged + 1) * SearchSpan.segmentSize else { return false }
    try merge(merged, after: try state.textOrNil("merging"), in: tx)
    return true
  }

  /// So many tokens of the first block are a slice; those of the others between them come along.
  private static let slice = 2048

  private static func merge(_ segment: Int, after last: String?, in tx: any Transaction) throws {
    let blocks = segment * SearchSpan.blocksOfSegment..<(segment + 1) * SearchSpan.blocksOfSegment
    let range: SQL = last.map { "token > \($0)" } ?? "token >= ''"
    let end = try tx.text(
      """
      SELECT token FROM catalog_posting WHERE block = \(blocks.lowerBound) AND \(range) AND \(isWord)
      ORDER BY token LIMIT 1 OFFSET \(slice)
      """)
    let upTo: SQL = end.map { " AND token <= \($0)" } ?? ""
    try write(segment, blocks, range + upTo + " AND " + isWord, in: tx)
    if let end {
      try tx.run("UPDATE catalog_search_state SET merging = \(end)")
      return
    }
    try write(segment, blocks, "token >= \(facets) AND token < \(afterFacets)", in: tx)
    try tx.run("UPDATE catalog_search_state SET merged = \(segment + 1), merging = NULL")
  }

  private static let facets = SearchMark.facet.rawValue
  private static let afterFacets = "ㄉ"
  private static var isWord: SQL { "(token < \(facets) OR token >= \(afterFacets))" }

  private static func write(
    _ segment: Int, _ blocks: Range<Int>, _ tokens: SQL, in tx: any Transaction
  ) throws {
    let span = SearchSpan.segment(segment)
    var rows: [String: (places: PlaceSet, positions: [UInt8])] = [:]
    for block in blocks {
      let offset = SearchSpan.part(ofBlock: block) * SearchSpan.blockSize
      try tx.forEach("SELECT token, places, positions FROM catalog_posting WHERE block = \(block) AND \(tokens)") {
        row in
        let places = PlaceSet(try row.blob("places"), size: SearchSpan.blockSize)
        guard !places.isEmpty else { return true }
        let token = try row.text("token")
        rows[token, default: (PlaceSet(size: span.size), [])].places.replace(from: offset, with: places)
        rows[token]?.positions += try row.blob("positions")
        return true
      }
    }
    try SearchRows.put(
      rows.sorted { $0.key < $1.key }.map { ($0.key, $0.value.places.bytes, $0.value.positions) }, of: span.key,
      in: tx)
  }

  /// Puts a block that was made anew in the place of what the index holds of its places.
  static func replace(_ block: PostingBlock, in tx: any Transaction) throws {
    let segment = block.number / SearchSpan.blocksOfSegment
    let merged = try SearchSpans(in: tx).merged
    guard segment >= merged else { return try replace(partOf: segment, with: block, in: tx) }
    // What was merged of this segment so far begins anew.
    if segment == merged {
      try tx.run("DELETE FROM catalog_posting WHERE block = \(SearchSpan.segment(segment).key)")
      try tx.run("UPDATE catalog_search_state SET merging = NULL")
    }
    try tx.run("DELETE FROM catalog_posting WHERE block = \(block.number)")
    try block.write(in: tx)
  }

  /// Rows that would be the same stay unwritten.
  private static func replace(partOf segment: Int, with block: PostingBlock, in tx: any Transaction) throws {
    let span = SearchSpan.segment(segment)
    let offset = SearchSpan.part(ofBlock: block.number) * SearchSpan.blockSize
    var left = block.postings
    var changed: [SearchRows.Made] = []
    var gone: [String] = []
    try tx.forEach("SELECT token, places, positions FROM catalog_posting WHERE block = \(span.key)") { row in
      let token = try row.text("token")
      var places = PlaceSet(try row.blob("places"), size: span.size)
      let before = places.part(from: offset, size: SearchSpan.blockSize)
      let made = left.removeValue(forKey: token)
      guard !before.isEmpty || made != nil else { return true }
      var positions = try row.blob("positions")
      let start = Positions.end(of: places.count(below: offset), in: positions)
      let end = Positions.end(of: before.count, in: positions, from: start)
      let now = made?.places ?? PlaceSet(size: SearchSpan.blockSize)
      guard now != before || !positions[start..<end].elementsEqual(made?.positions.bytes ?? []) else { return true }
      positions.replaceSubrange(start..<end, with: made?.positions.bytes ?? [])
      places.replace(from: offset, with: now)
      if places.isEmpty { gone.append(token) } else { changed.append((token, places.bytes, positions)) }
      return true
    }
    for (token, posting) in left {
      var places = PlaceSet(size: span.size)
      places.replace(from: offset, with: posting.places)
      changed.append((token, places.bytes, posting.positions.bytes))
    }
    try SearchRows.put(changed, of: span.key, in: tx)
    for token in gone { try tx.run("DELETE FROM catalog_posting WHERE block = \(span.key) AND token = \(token)") }
  }
}
