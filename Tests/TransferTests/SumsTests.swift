import CStripes
import Connecting
import Kernel
import NationalCrypto
import Testing

@testable import Transfer

@Suite struct SumsTests {
  private let keys = GrantKeys(secret: Grant.secret, grant: "g")

  /// Rows of texts; nil is NULL.
  private func batch(_ rows: [[String?]]) -> RowBatch {
    let batch = RowBatch(capacity: RowBatch.smallest)
    for row in rows {
      batch.beginRow(fields: row.count)
      for field in row {
        if let field { Array(field.utf8).withUnsafeBytes { batch.append($0) } } else { batch.appendNull() }
      }
      batch.endRow()
    }
    return batch
  }

  private func sums(_ rows: [[String?]]) -> Sums { Sums(of: batch(rows), columns: rows[0].count, keys: keys) }

  @Test(arguments: [
    (0, "a3817f04ba25a8e66df67214c7550293"), (1, "da87c1d86b99af44347659119b22fc45"),
    (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
  ])
  func `SipHash-2-4-128 is its authors'`(count: Int, expected: String) {
    // vectors_sip128 of the reference implementation: key 00 … 0f, message 00 01 … .
    let message = (0..<count).map { UInt8($0) }
    let hash = message.withUnsafeBytes {
      sj_siphash128($0.baseAddress, count, sj_hash_key(k0: 0x0706_0504_0302_0100, k1: 0x0F0E_0D0C_0B0A_0908))
    }
    let bytes =
      withUnsafeBytes(of: hash.low.littleEndian) { Array($0) }
      + withUnsafeBytes(of: hash.high.littleEndian) { Array($0) }
    #expect(bytes.hex == expected)
  }

  @Test func `the eight lanes give what one message after another gives`() {
    var generator = Seeded(state: 5)
    for count in [0, 1, 55, 63, 64, 65, 447, 448, 449, 511, 512, 513, 3583, 3584, 3585, 4096, 65_537, 200_001] {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      var stripes = [UInt8](repeating: 0, count: 256)
      sj_sm3_stripes(bytes, count, &stripes)
      let stride = (count + 511) / 512 * 64
      for lane in 0..<8 {
        let (from, to) = (min(lane * stride, count), min((lane + 1) * stride, count))
        #expect(
          Array(stripes[lane * 32..<lane * 32 + 32]) == SM3.hash(Array(bytes[from..<to])).bytes,
          "\(count) bytes, lane \(lane)")
      }
      var one = [UInt8](repeating: 0, count: 32)
      sj_sm3(bytes, count, &one)
      #expect(one == SM3.hash(bytes).bytes)
    }
  }

  @Test(arguments: [1, 7, 8, 9, 100])
  func `eight rows at once give what one row after another gives, whatever their lengths`(count: Int) {
    var generator = Seeded(state: UInt64(count))
    let rows: [[String?]] = (0..<count).map { _ in
      [0, 1, 3, 20, 90].map { length in
        Bool.random(using: &generator) && length > 0
          ? nil
          : String((0..<Int.random(in: 0...length, using: &generator)).map { _ in "值" })
            + String(repeating: "x", count: Int.random(in: 0...9, using: &generator))
      }
    }
    // One row is never enough for the lanes.
    var expected = Sums(columns: 5)
    for row in rows { expected += sums([row]) }
    #expect(sums(rows) == expected)
    let chosen = (0..<Int32(count)).filter { $0 % 3 != 1 }
    var part = Sums(columns: 5)
    for row in chosen { part += sums([rows[Int(row)]]) }
    #expect(Sums(of: batch(rows), chosen: chosen, columns: 5, keys: keys) == part)
  }

  @Test func `sums do not depend on the order or the batches of the rows`() {
    let rows: [[String?]] = (0..<500).map { ["\($0)", $0 % 3 == 0 ? nil : "值\($0)"] }
    var parts = Sums(columns: 2)
    parts += sums(Array(rows[300...]))
    parts += sums(Array(rows[..<300]))
    #expect(parts == sums(rows))
    #expect(sums(rows.reversed()) == sums(rows))
    #expect(sums(rows).nulls == [0, 167])
  }

  @Test func `two values that change places are seen by the row sum alone`() {
    let (a, b) = (sums([["1", "甲"], ["2", "乙"]]), sums([["1", "乙"], ["2", "甲"]]))
    #expect(a.columns == b.columns && a.rows != b.rows)
  }

  @Test func `a value that moves to another column, an empty text for NULL, a row twice: each changes the sums`() {
    let base = sums([["1", "甲", nil]])
    #expect(base != sums([["1", nil, "甲"]]))
    #expect(base != sums([["1", "甲", ""]]))
    #expect(base != sums([["1", "甲", nil], ["1", "甲", nil]]))
    #expect(sums([["12", "3"]]).rows != sums([["1", "23"]]).rows)
  }

  @Test func `another grant's sums of the same rows are others`() {
    let other = Sums(of: batch([["1", "甲"]]), columns: 2, keys: GrantKeys(secret: Grant.secret, grant: "h"))
    #expect(other.columns != sums([["1", "甲"]]).columns)
  }

  @Test func `a batch's digest follows the keys' bytes, whatever order the rows came in`() {
    let rows: [[String?]] = ["a", "b", "ab", "王", "张", ""].map { [$0, "x"] }
    let sorted = KeyOrder(batch(rows), key: [0])
    let shuffled = KeyOrder(batch(rows.reversed()), key: [0])
    #expect(sorted.stripes() == shuffled.stripes())
    let expected = rows.sorted { Array($0[0]!.utf8).lexicographicallyPrecedes(Array($1[0]!.utf8)) }
    #expect(KeyOrder(batch(expected), key: [0]).order == nil)
    #expect(KeyOrder(batch(expected), key: [0]).stripes() == sorted.stripes())
    // Part of the rows: as if only they had been in the batch.
    #expect(
      KeyOrder(batch(rows), key: [0]).stripes(chosen: [1, 3])
        == KeyOrder(batch([rows[1], rows[3]]), key: [0]).stripes())
  }

  @Test func `rows with the same key in one batch are found`() {
    let order = KeyOrder(batch([["b", "1"], ["a", "2"], ["b", "3"], ["b", "4"]]), key: [0])
    #expect(order.repeated == [2, 3])
  }
}

@Suite struct StateTests {
  @Test func `what the target remembers reads back as it was`() throws {
    var state = DeliveryState(
      phase: .filling, run: "run 1", mode: .full, schema: "ab", appends: true, first: 3, runFirst: 2, isFilled: false,
      started: Instant(milliseconds: 1), sums: Sums(columns: 2))
    state.position = [0, 255, 16]
    state.horizon = .timestamp(-5)
    state.reached = .integer(.max)
    state.counts.read = 7
    state.sums.columns = [.max, 0]
    state.sums.nulls = [1, 2]
    state.sums.rows = 9
    #expect(try DeliveryState(state.text, columns: 2) == state)
  }

  @Test(arguments: ["", "sanjiang-delivery 2", "sanjiang-delivery 1\nphase none", "sanjiang-delivery 1\ncolumn x y"])
  func `a state that is not one is refused`(text: String) {
    #expect(throws: ConnectorError.self) { try DeliveryState(text, columns: 0) }
  }
}

/// The same chances in every run.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}
