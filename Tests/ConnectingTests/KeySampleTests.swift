import Connecting
import Testing

@Suite struct KeySampleTests {
  private func cuts(_ rows: Int, into count: Int) -> [Int] {
    var sample = KeySample()
    for row in 0..<rows { sample.add(withUnsafeBytes(of: UInt32(row).bigEndian) { [UInt8]($0) }) }
    #expect(sample.seen == rows)
    return sample.cuts(into: count).map { $0.reduce(0) { $0 << 8 | Int($1) } }
  }

  @Test func `a cut is the last row of its part`() {
    #expect(cuts(8, into: 4) == [1, 3, 5])
    #expect(cuts(9, into: 2) == [3])
  }

  @Test func `fewer rows than parts give fewer cuts, and none where there is nothing to cut`() {
    #expect(cuts(0, into: 4) == [] && cuts(1, into: 4) == [] && cuts(5, into: 1) == [] && cuts(5, into: 0) == [])
    #expect(cuts(3, into: 8) == [0, 1])
  }

  @Test(arguments: [39_999, 40_000, 40_001, 1_234_567])
  func `of many rows some are kept, and the parts are even all the same`(rows: Int) {
    for (part, cut) in cuts(rows, into: 5).enumerated() {
      #expect(abs(cut - rows * (part + 1) / 5) <= rows / 5000)
    }
  }

  @Test func `a place that nothing can begin behind is no cut`() {
    var sample = KeySample()
    for row in 0..<10 { sample.add([UInt8(row)]) }
    #expect(sample.cuts(into: 5, where: { $0 != [3] }) == [[1], [5], [7]])
  }
}
