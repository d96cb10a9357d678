internal import Storage

/// What is to be added to one block of the search index: for each token the places that have it, and where in each entry
/// it stands. Gathered first, so that many entries of a block cost each of its rows one write.
///
/// Entries are added by rising place, after those that the block holds.
struct PostingBlock {
  let number: Int
  private var postings: [String: Posting] = [:]

  private struct Posting {
    var offsets: [Int] = []
    /// Of each place in rising order its positions.
    var positions: [UInt8] = []
    /// What the block holds already.
    var places: [UInt8] = []

    var allPlaces: [UInt8] {
      var all = places
      for offset in offsets { PlaceSet.insert(offset, into: &all) }
      return all
    }
  }

  init(_ number: Int) { self.number = number }

  static func number(of place: Int) -> Int { place / PlaceSet.size }
  static func offset(of place: Int) -> Int { place % PlaceSet.size }

  mutating func add(_ document: SearchDocument, at place: Int) {
    let offset = Self.offset(of: place)
    for facet in document.facets { postings[facet, default: Posting()].offsets.append(offset) }
    var standing: [String: [Int]] = [:]
    for (position, token) in document.tokens.enumerated() {
      if let token { standing[token, default: []].append(position) }
    }
    for (token, positions) in standing {
      postings[token, default: Posting()].offsets.append(offset)
      Positions.append(positions, to: &postings[token, default: Posting()].positions)
    }
  }

  func write(in tx: any Transaction) throws {
    var rows = postings
    if try tx.text("SELECT MIN(token) FROM catalog_posting WHERE block = \(number)") != nil {
      let tokens = rows.keys.sorted()
      for start in stride(from: 0, to: tokens.count, by: Self.rowsAtOnce) {
        let some = tokens[start..<min(start + Self.rowsAtOnce, tokens.count)]
        for row in try tx.rows(
          """
          SELECT token, places, positions FROM catalog_posting WHERE block = \(number) AND token IN (\(each: some))
          """)
        {
          let token = try row.text("token")
          rows[token]?.places = try row.blob("places")
          rows[token]?.positions.insert(contentsOf: try row.blob("positions"), at: 0)
        }
      }
    }
    // In the order of the key, so that a new block is written from one end to the other.
    try tx.insert(
      "INSERT INTO catalog_posting (block, token, places, positions)",
      rows.sorted { $0.key < $1.key }.map { token, posting in
        "(\(number), \(token), \(posting.allPlaces), \(posting.positions))"
      }, columns: 4,
      then: "ON CONFLICT (block, token) DO UPDATE SET places = excluded.places, positions = excluded.positions")
  }

  private static let rowsAtOnce = 256

  /// Changes which filters' values one place has; nothing else of an entry changes under its place.
  static func change(_ place: Int, remove gone: [String], add come: [String] = [], in tx: any Transaction) throws {
    let block = number(of: place)
    for (token, isMember) in gone.map({ ($0, false) }) + come.map({ ($0, true) }) {
      var places = PlaceSet(
        try tx.row("SELECT places FROM catalog_posting WHERE block = \(block) AND token = \(token)")?.blob("places")
          ?? [])
      if isMember { places.insert(offset(of: place)) } else { places.remove(offset(of: place)) }
      try tx.run(
        """
        INSERT INTO catalog_posting (block, token, places, positions)
        VALUES (\(block), \(token), \(places.bytes), \([] as [UInt8]))
        ON CONFLICT (block, token) DO UPDATE SET places = excluded.places
        """)
    }
  }
}

/// Where tokens stand in the entries of a block, as bytes: of each entry its rising positions as differences, seven bits a
/// byte, the lowest bit saying that the entry has another.
enum Positions {
  static func append(_ positions: [Int], to bytes: inout [UInt8]) {
    var last = 0
    for (index, position) in positions.enumerated() {
      var value = (position - last) << 1 | (index + 1 < positions.count ? 1 : 0)
      last = position
      while value > 127 {
        bytes.append(UInt8(truncatingIfNeeded: value) | 128)
        value >>= 7
      }
      bytes.append(UInt8(truncatingIfNeeded: value))
    }
  }

  /// Where a phrase may begin whose token number `index` this is: for each wanted entry and position one rising number,
  /// so that a phrase is the intersection of its tokens' answers and `place(of:)` says which entries have it.
  static func starts(_ bytes: [UInt8], of places: PlaceSet, wanted: PlaceSet, index: Int) -> [Int] {
    var starts: [Int] = []
    var at = 0
    places.forEach { offset in
      let isWanted = wanted.contains(offset)
      var position = 0
      var more = true
      while more, at < bytes.count {
        var value = 0
        var shift = 0
        while at < bytes.count {
          let byte = bytes[at]
          at += 1
          value |= Int(byte & 127) << shift
          shift += 7
          if byte < 128 { break }
        }
        more = value & 1 == 1
        position += value >> 1
        if isWanted, position >= index { starts.append(offset << positionBits | position - index) }
      }
    }
    return starts
  }

  static func offset(of start: Int) -> Int { start >> positionBits }

  /// Enough for `SearchDocument.limit`.
  private static let positionBits = 14

  /// What two rising lists have in common.
  static func common(_ a: [Int], _ b: [Int]) -> [Int] {
    var common: [Int] = []
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      if a[i] == b[j] {
        common.append(a[i])
        i += 1
        j += 1
      } else if a[i] < b[j] {
        i += 1
      } else {
        j += 1
      }
    }
    return common
  }
}
