import CStripes
import Connecting
import Testing

@testable import Transfer

/// The pure parts: hashes of rows, what is remembered of them, and how keys are grouped.
@Suite struct ReconciliationPartsTests {
  @Test(arguments: [0, 1, 7, 8, 9, 100]) func `each row's hash is the row sum of that row alone`(count: Int) {
    let keys = GrantKeys(secret: Grant.secret, grant: "g")
    func batch(_ rows: some Sequence<Int>) -> RowBatch {
      let batch = RowBatch(capacity: RowBatch.smallest)
      for row in rows {
        batch.beginRow(fields: 2)
        Array(String(repeating: "值", count: row % 5).utf8).withUnsafeBytes { batch.append($0) }
        if row % 3 == 0 { batch.appendNull() } else { batch.append(Int64(row)) }
        batch.endRow()
      }
      return batch
    }
    var hashes = RowHashes()
    // Room that another batch left behind.
    hashes.read(batch(0..<50), columns: 2, keys: keys)
    hashes.read(batch(0..<count), columns: 2, keys: keys)
    let whole = Sums(of: batch(0..<count), columns: 2, keys: keys).rows
    #expect(hashes.each.prefix(count).reduce(UInt128(0)) { $0 &+ $1.sum } == whole)
    for row in 0..<count {
      #expect(hashes.each[row].sum == Sums(of: batch([row]), columns: 2, keys: keys).rows)
    }
  }

  // MARK: Suspects

  private func sighting(_ key: Int, _ value: Int, _ mark: ComparedRows.Mark = .good, buckets: Int = BucketSums.count)
    -> Suspects.Sighting
  {
    Suspects.Sighting(
      key: withUnsafeBytes(of: Int64(key).bigEndian) { [UInt8]($0) }, bucket: Int32(key * 7919 % buckets),
      hash: sj_hash128(low: UInt64(value), high: 1), mark: mark)
  }

  private func total(_ suspects: Suspects) -> ReconciliationReport.Counts {
    var suspects = suspects
    return suspects.takeDifferences().reduce(into: .init()) { $0 += $1.counts }
  }

  @Test func `the sides may come in any order, and what is equal is forgotten`() {
    var generator = Seeded(state: 3)
    var suspects = Suspects(most: 60)
    // 1 to 30 differ in one way or the other, the others are equal; never more than a few are under way.
    var rows: [(Int, Suspects.Sighting, ComparedRows.Side)] = []
    for key in 1...5000 {
      let (a, b) = (
        key * 10 + Int.random(in: 0...100, using: &generator), key * 10 + Int.random(in: 0...100, using: &generator)
      )
      if key > 30 || key % 3 != 0 { rows.append((a, sighting(key, 1), .source)) }
      if key > 30 || key % 3 != 1 { rows.append((b, sighting(key, key <= 30 ? 2 : 1), .target)) }
    }
    for row in rows.sorted(by: { $0.0 < $1.0 }) { suspects.add([row.1], of: row.2) }
    suspects.settle()
    #expect(suspects.isComplete && total(suspects) == .init(missing: 10, extra: 10, different: 10))
  }

  @Test(arguments: [1, 10, 100, 1000]) func `what is given up leaves the rest exact`(most: Int) {
    var suspects = Suspects(most: most)
    let keys = Array(1...6000)
    suspects.add(keys.map { sighting($0, 1) }, of: .source)
    suspects.add(keys.reversed().filter { $0 % 10 != 0 }.map { sighting($0, $0 % 2 == 0 ? 2 : 1) }, of: .target)
    suspects.settle()
    let looked = keys.filter { sighting($0, 1).bucket < suspects.limit }
    let found = total(suspects)
    #expect(!suspects.isComplete && found.total <= most && !looked.isEmpty)
    #expect(found.missing == looked.count { $0 % 10 == 0 } && found.extra == 0)
    #expect(found.different == looked.count { $0 % 10 != 0 && $0 % 2 == 0 })
  }

  @Test func `each pair of states is the difference that it is`() {
    typealias Counts = ReconciliationReport.Counts
    typealias Seen = (ComparedRows.Side, ComparedRows.Mark, Int)
    let cases: [([Seen], Counts)] = [
      ([(.source, .good, 1), (.target, .good, 1)], .init()),
      ([(.source, .good, 1), (.target, .good, 2)], .init(different: 1)), ([(.source, .good, 1)], .init(missing: 1)),
      ([(.target, .good, 1)], .init(extra: 1)), ([(.source, .flagged, 0)], .init()),
      ([(.source, .flagged, 0), (.target, .good, 1)], .init(different: 1)),
      ([(.source, .flagged, 0), (.target, .flagged, 1)], .init()), ([(.target, .flagged, 1)], .init(extra: 1)),
      ([(.source, .good, 1), (.target, .flagged, 1)], .init(different: 1)),
      // A good and a bad row under one key: delivered, and flagged by the same delivery or not.
      ([(.source, .flagged, 0), (.source, .good, 1), (.target, .flagged, 1)], .init()),
      ([(.source, .flagged, 0), (.source, .good, 1), (.target, .good, 1)], .init()),
      ([(.source, .flagged, 0), (.source, .good, 1), (.target, .good, 2)], .init(different: 1)),
      ([(.source, .flagged, 0), (.source, .good, 1)], .init(missing: 1)),
      // A target that lost its key's constraint.
      ([(.source, .good, 1), (.target, .good, 1), (.target, .good, 1)], .init(extra: 1)),
      ([(.source, .good, 1), (.target, .good, 2), (.target, .good, 1)], .init(extra: 1, different: 1)),
    ]
    for (seen, expected) in cases {
      // The target may be the faster one; each side keeps its own order.
      for order in [seen, seen.filter { $0.0 == .target } + seen.filter { $0.0 == .source }] {
        var suspects = Suspects(most: 10)
        for (side, mark, value) in order { suspects.add([sighting(1, value, mark)], of: side) }
        suspects.settle()
        #expect(total(suspects) == expected, "\(order)")
      }
    }
  }

  @Test func `a second row of a key is known for one, though the first was found equal`() {
    for keeps in [true, false] {
      var suspects = Suspects(most: 10)
      suspects.keepsMatched = keeps
      suspects.add([sighting(1, 1)], of: .source)
      suspects.add([sighting(1, 1)], of: .target)
      suspects.add([sighting(1, 7)], of: .source)
      suspects.settle()
      #expect(total(suspects) == (keeps ? .init() : .init(missing: 1)))
      #expect(
        suspects.repeated.rows == (keeps ? 1 : 0)
          && suspects.repeated.sum == sj_hash128(low: keeps ? 7 : 0, high: keeps ? 1 : 0).sum)
    }
  }

  @Test func `another look asks about known keys alone, and only where something changed`() {
    var suspects = Suspects(most: 10)
    // All in one bucket but the last.
    let keys = [1, 2, 3].map { sighting($0, 1, buckets: 1) }
    suspects.add(keys + [sighting(4, 1)], of: .source)
    suspects.settle()
    let buckets = suspects.lookAgain { $0 == 0 }
    #expect(buckets.contains(0) && !buckets.contains(Int(sighting(4, 1).bucket)))
    // The first was delivered meanwhile, the second came with another value, the third is as it was; the others are new.
    suspects.add([keys[0], keys[1], keys[2], sighting(5, 1, buckets: 1)], of: .source)
    suspects.add([keys[0], sighting(2, 2, buckets: 1), sighting(6, 1, buckets: 1)], of: .target)
    suspects.settle()
    #expect(total(suspects) == .init(missing: 2, different: 1))
    #expect(suspects.isComplete)
  }

  // MARK: Ranges

  private func keys(_ put: [(RowBatch) -> Void]) -> [[UInt8]] {
    put.map { put in
      let batch = RowBatch(capacity: RowBatch.smallest)
      put(batch)
      return [UInt8](batch.bytes)
    }
  }

  private func ranges(_ types: [ValueType], most: Int, _ keys: [[UInt8]]) -> [String] {
    let found = KeyRanges(types: types, most: most).ranges(of: keys.shuffled().map { ($0, .init(missing: 1)) })
    #expect(found.reduce(0) { $0 + $1.counts.missing } == keys.count && found.count <= most)
    return found.map {
      $0.first == $0.last
        ? $0.first.joined(separator: "|") : "\($0.first.joined(separator: "|"))…\($0.last.joined(separator: "|"))"
    }
  }

  private func numbers(_ numbers: [Int]) -> [[UInt8]] { keys(numbers.map { number in { $0.append(Int64(number)) } }) }

  @Test func `numbers part at the widest gaps, and never between neighbours`() {
    #expect(ranges([.integer], most: 50, numbers(Array(-3...3))) == ["-3…3"])
    #expect(ranges([.integer], most: 3, numbers([1, 2, 5, 6, 100, 101, 999, -70])) == ["-70…6", "100…101", "999"])
    #expect(ranges([.integer], most: 50, numbers([1, 2, 5, 9])) == ["1…2", "5", "9"])
    #expect(ranges([.integer], most: 1, numbers([1, 500, .max])) == ["1…\(Int.max)"])
    #expect(ranges([.integer], most: 2, numbers([.min, -1, .max])) == ["\(Int.min)…-1", "\(Int.max)"])
    // Every tenth row: even runs and not forty-nine rows and the rest.
    let even = ranges([.integer], most: 5, numbers((1...100).map { $0 * 10 }))
    #expect(even.count == 5 && even[0] == "10…130" && even[4].hasSuffix("…1000"))
    #expect(
      ranges([.date], most: 2, keys([{ $0.append(Int32(0)) }, { $0.append(Int32(1)) }, { $0.append(Int32(9)) }])) == [
        "2000-01-01…2000-01-02", "2000-01-10",
      ])
    #expect(ranges([.integer], most: 5, []) == [])
  }

  private func text(_ text: String) -> (RowBatch) -> Void {
    { batch in Array(text.utf8).withUnsafeBytes { batch.append($0) } }
  }

  @Test func `other keys part into even runs, in the order of their values`() {
    let texts = keys(["乙", "甲", "b", "ab", "a", "B", ""].map { text($0) })
    #expect(ranges([.text], most: 50, texts) == ["", "B", "a", "ab", "b", "乙", "甲"])
    #expect(ranges([.text], most: 2, texts) == ["…a", "ab…甲"])
    let pairs = keys(
      [("a", 2), ("a", -1), ("ab", 0), ("", 7), ("b", -9)].map { first, second in
        { batch in
          text(first)(batch)
          batch.append(Int64(second))
        }
      })
    #expect(ranges([.text, .integer], most: 9, pairs) == ["|7", "a|-1", "a|2", "ab|0", "b|-9"])
    let doubles = keys([-1e300, -2.5, -0.5, 0, 1e-300, 3, 1e300].map { value in { $0.append(value) } })
    #expect(ranges([.double], most: 9, doubles) == ["-1e+300", "-2.5", "-0.5", "0.0", "1e-300", "3.0", "1e+300"])
    let type = ValueType.decimal(precision: 30, scale: 6)
    let written = [
      "-100000.000000", "-20000.500000", "-20000.000000", "-0.500000", "-0.000100", "0.000000", "0.000002", "0.010000",
      "9999.000000", "10000.000000", "10000.000001", "123456789.000000",
    ]
    let decimals = keys(
      written.map { number in
        { batch in
          Array(number.utf8).withUnsafeBytes { CanonicalText(zone: 0).append($0, as: type, to: batch) }
        }
      })
    #expect(ranges([type], most: 50, decimals) == written)
    #expect(ranges([.integer], most: 3, keys([{ $0.appendNull() }, { $0.append(Int64(4)) }])) == ["NULL", "4"])
  }
}
