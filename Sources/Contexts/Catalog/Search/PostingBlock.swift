internal import Storage

/// What is to be added to one block of the search index: for each token the places that have it, and for triples of
/// characters where in each entry they stand. Gathered first, so that many entries of a block cost each of its rows one
/// write.
///
/// Entries are added by rising place, after those that the block holds.
struct PostingBlock {
  let number: Int
  private var grams: [SearchGram: Posting] = [:]
  private var words: [String: Posting] = [:]

  /// By token.
  var postings: [String: Posting] {
    words.merging(grams.lazy.map { ($0.key.token, $0.value) }) { word, _ in word }
  }

  struct Posting {
    /// Rising.
    fileprivate(set) var offsets: [UInt16] = []
    fileprivate(set) var positions = Positions()

    fileprivate mutating func add(_ offset: Int, at position: Int? = nil) {
      if offsets.last != UInt16(offset) { offsets.append(UInt16(offset)) }
      if let position { positions.append(position, of: offset) }
    }

    var places: PlaceSet {
      var places = PlaceSet(size: SearchSpan.blockSize)
      for offset in offsets { places.insert(Int(offset)) }
      return places
    }
  }

  init(_ number: Int) { self.number = number }

  static func number(of place: Int) -> Int { place / SearchSpan.blockSize }

  mutating func add(_ document: SearchDocument, at place: Int) {
    let offset = place % SearchSpan.blockSize
    for token in document.facets { words[token, default: Posting()].add(offset) }
    for word in document.words { words[word, default: Posting()].add(offset) }
    for pair in document.pairs { grams[pair, default: Posting()].add(offset) }
    for (triple, position) in document.triples { grams[triple, default: Posting()].add(offset, at: position) }
  }

  func write(in tx: any Transaction) throws {
    let postings = postings
    var held: [String: (places: [UInt8], positions: [UInt8])] = [:]
    if try tx.text("SELECT MIN(token) FROM catalog_posting WHERE block = \(number)") != nil {
      let tokens = postings.keys.sorted()
      for start in stride(from: 0, to: tokens.count, by: Self.rowsAtOnce) {
        let some = tokens[start..<min(start + Self.rowsAtOnce, tokens.count)]
        for row in try tx.rows(
          """
          SELECT token, places, positions FROM catalog_posting WHERE block = \(number) AND token IN (\(each: some))
          """)
        {
          held[try row.text("token")] = (try row.blob("places"), try row.blob("positions"))
        }
      }
    }
    // In the order of the key, so that a new block is written from one end to the other.
    try SearchRows.put(
      postings.sorted { $0.key < $1.key }.map { token, posting in
        guard let before = held[token] else { return (token, posting.places.bytes, posting.positions.bytes) }
        var places = before.places
        for offset in posting.offsets { PlaceSet.insert(Int(offset), into: &places, size: SearchSpan.blockSize) }
        return (token, places, before.positions + posting.positions.bytes)
      }, of: number, in: tx)
  }

  private static let rowsAtOnce = 256

  /// Changes which filters' values one place has; nothing else of an entry changes under its place.
  static func change(_ place: Int, remove gone: [String], add come: [String] = [], in tx: any Transaction) throws {
    let span = try SearchSpans(in: tx).holding(place)
    for (token, isMember) in gone.map({ ($0, false) }) + come.map({ ($0, true) }) {
      var places = PlaceSet(
        try tx.row("SELECT places FROM catalog_posting WHERE block = \(span.key) AND token = \(token)")?.blob("places")
          ?? [], size: span.size)
      if isMember { places.insert(span.offset(of: place)) } else { places.remove(span.offset(of: place)) }
      try tx.run(
        """
        INSERT INTO catalog_posting (block, token, places, positions)
        VALUES (\(span.key), \(token), \(places.bytes), \([] as [UInt8]))
        ON CONFLICT (block, token) DO UPDATE SET places = excluded.places
        """)
    }
  }
}

/// Rows of the index as they are written.
enum SearchRows {
  typealias Made = (token: String, places: [UInt8], positions: [UInt8])

  /// Inserts rows of a span, or puts them in the place of those that stand there.
  static func put(_ rows: [Made], of key: Int, in tx: any Transaction) throws {
    try tx.insert(
      "INSERT INTO catalog_posting (block, token, places, positions)",
      rows.map { row in "(\(key), \(row.token), \(row.places), \(row.positions))" }, columns: 4,
      then: "ON CONFLICT (block, token) DO UPDATE SET places = excluded.places, positions = excluded.positions")
  }
}
