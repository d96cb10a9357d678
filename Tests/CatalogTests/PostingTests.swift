import Storage
import Testing

@testable import Catalog

@Suite struct `Blocks of the search index` {
  @Test(arguments: [0, 1, 2, 255, 256, 257, 4095, 4096], [SearchSpan.blockSize, SearchSpan.segmentSize])
  func `places are kept as bytes, few and many, and read back`(count: Int, size: Int) {
    var places = PlaceSet(size: size)
    // Every 7th first, so that few of them are spread.
    let members = (0..<size).sorted { ($0 % 7, $0) < ($1 % 7, $1) }.prefix(count * size / SearchSpan.blockSize)
    for offset in members { places.insert(offset) }
    #expect(PlaceSet(places.bytes, size: size) == places)
    #expect(places.bytes.count <= size / 8)
    #expect(places.count == members.count)
    var up: [Int] = []
    var down: [Int] = []
    places.forEach { up.append($0) }
    places.walkDown {
      down.append($0)
      return true
    }
    #expect(up == members.sorted())
    #expect(down == up.reversed())
    var bytes: [UInt8] = []
    for offset in members.sorted() { PlaceSet.insert(offset, into: &bytes, size: size) }
    #expect(bytes == places.bytes)
    let part = places.part(from: size / 2, size: 64)
    #expect(part.count == members.count { (size / 2..<size / 2 + 64).contains($0) })
    #expect(places.count(below: size / 2) == members.count { $0 < size / 2 })
    places.replace(from: size / 2, with: PlaceSet(size: 64))
    #expect(places.count == members.count - part.count)
  }

  @Test func `positions say where phrases begin, of the wanted entries only`() {
    var places = PlaceSet(size: SearchSpan.blockSize)
    var positions = Positions()
    let standing = [3: [0], 64: [5, 6, 15_999], 4095: [127, 128, 129]]
    for (offset, these) in standing.sorted(by: { $0.key < $1.key }) {
      places.insert(offset)
      for position in these { positions.append(position, of: offset) }
    }
    let bytes = positions.bytes
    let all = Positions.starts(bytes, of: places, wanted: places, index: 0)
    #expect(all.map(Positions.offset) == [3, 64, 64, 64, 4095, 4095, 4095])
    #expect(all == all.sorted())
    var one = PlaceSet(size: SearchSpan.blockSize)
    one.insert(64)
    let second = Positions.starts(bytes, of: places, wanted: one, index: 1)
    #expect(Positions.common(all, second).map(Positions.offset) == [64], "only 5 and 6 stand in a row")
    #expect(Positions.starts(bytes, of: places, wanted: places, index: 1).first.map(Positions.offset) == 64)
    #expect(Positions.end(of: 0, in: bytes) == 0)
    #expect(Positions.end(of: 1, in: bytes) == 1)
    #expect(
      Positions.end(of: 1, in: bytes, from: 1) == 1 + 1 + 1 + 3, "5, 6 and the way to 15,999 in one, one, three bytes")
    #expect(Positions.end(of: 3, in: bytes) == bytes.count)
    #expect(Positions.end(of: 9, in: bytes) == bytes.count)
  }

  /// What is found in many small blocks' worth of entries is what a reader finds by looking through them.
  @Test(arguments: Engine.allCases)
  func `pages from the first hit to the last cross blocks without a gap or a double`(engine: Engine) async throws {
    try await Offices.with(engine) { offices in
      let corpus = Corpus(count: SearchSpan.blockSize * 2 + 100)
      try await corpus.fill(offices.db)
      for (word, sharing) in [("西宁市公积金缴存台账", nil), ("公积金缴存台账", "2"), ("慈善组织", "3")] as [(String, String?)] {
        let expected = corpus.entries.reversed().filter {
          $0.text.contains(word) && (sharing == nil || $0.sharingType == sharing)
        }
        var seen: [String] = []
        var after: String?
        repeat {
          let page = try await offices.cataloguing.search(
            Offices.clerk, CatalogQuery(text: word, sharingType: sharing, after: after, limit: 7))
          seen += page.entries.map(\.name)
          after = page.next
          #expect(page.total == expected.count)
        } while after != nil
        let named = expected.filter { $0.name.contains(word) }.map(\.name)
        let others = expected.filter { !$0.name.contains(word) }.map(\.name)
        #expect(!named.isEmpty)
        #expect(seen == named + others, "\(word)")
      }
    }
  }
}
