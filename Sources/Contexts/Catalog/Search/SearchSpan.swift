internal import Storage

/// A stretch of places whose rows of the search index stand together: a block, or eight of them merged to a segment.
///
/// A small span is written fast: publishing an entry rewrites a row for each of its tokens in the newest block. A large
/// one is read fast: a rare word is one short row for each. So blocks are merged once they no longer grow
/// (`SearchMerge`), segment by segment from the first on.
struct SearchSpan: Hashable, Sendable {
  /// `block` of its rows: a block's number; below zero for a segment.
  let key: Int
  let first: Int
  let size: Int

  static let blockSize = 4096
  /// A segment's row of a frequent token is 4 KiB, half of what a page of PostgreSQL holds.
  static let blocksOfSegment = 8
  static let segmentSize = blockSize * blocksOfSegment

  static func block(_ number: Int) -> SearchSpan {
    SearchSpan(key: number, first: number * blockSize, size: blockSize)
  }

  static func segment(_ number: Int) -> SearchSpan {
    SearchSpan(key: -1 - number, first: number * segmentSize, size: segmentSize)
  }

  /// The block's place among those of its segment.
  static func part(ofBlock number: Int) -> Int { number % blocksOfSegment }

  func offset(of place: Int) -> Int { place - first }
}

/// How far the index is merged.
struct SearchSpans {
  /// Segments below this number are merged.
  let merged: Int
  /// The newest block that is not; nil when there is none.
  let newest: Int?

  init(in tx: any Transaction) throws {
    let row = try tx.row(
      """
      SELECT (SELECT merged FROM catalog_search_state WHERE one = 1) AS merged,
          (SELECT MAX(block) FROM catalog_posting) AS newest
      """)
    merged = try row?.intOrNil("merged") ?? 0
    newest = try row?.intOrNil("newest").flatMap { $0 < 0 ? nil : $0 }
  }

  /// All of them, the newest first.
  var all: [SearchSpan] {
    let first = merged * SearchSpan.blocksOfSegment
    let blocks = newest.map { $0 < first ? [] : (first...$0).reversed().map(SearchSpan.block) } ?? []
    return blocks + (0..<merged).reversed().map(SearchSpan.segment)
  }

  func holding(_ place: Int) -> SearchSpan {
    let segment = place / SearchSpan.segmentSize
    return segment < merged ? .segment(segment) : .block(place / SearchSpan.blockSize)
  }
}
