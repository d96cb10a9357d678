import Connecting

/// Groups keys in their order into a few ranges, so that a person sees where differences lie.
///
/// Where the key is one number, date or time, ranges part at the widest gaps: a thousand rows of one lost batch are one
/// range, whatever lies around them. Keys of other kinds have no distance, and are parted into even runs.
struct KeyRanges {
  typealias Difference = (key: [UInt8], counts: ReconciliationReport.Counts)

  /// Of the key's fields, in its order.
  let types: [ValueType]
  let most: Int

  func ranges(of differences: [Difference]) -> [ReconciliationReport.Range] {
    guard !differences.isEmpty, most > 0 else { return [] }
    let order = KeyValueOrder(types: types)
    let sorted = differences.sorted { order.precedes($0.key, $1.key) }
    return runs(sorted).map { run in
      ReconciliationReport.Range(
        first: texts(sorted[run.lowerBound].key), last: texts(sorted[run.upperBound - 1].key),
        counts: sorted[run].reduce(into: .init()) { $0 += $1.counts })
    }
  }

  private func runs(_ sorted: [Difference]) -> [Range<Int>] {
    let starts = [0] + (cuts(sorted.map { distance($0.key) }) ?? evenCuts(sorted.count))
    return zip(starts, starts.dropFirst() + [sorted.count]).map { $0..<$1 }
  }

  // MARK: Where to part

  private func evenCuts(_ count: Int) -> [Int] {
    let parts = min(most, count)
    return (1..<max(1, parts)).map { $0 * count / parts }
  }

  /// The first places of all ranges but the first; nil where some key has no distance.
  private func cuts(_ places: [Int64?]) -> [Int]? {
    let known = places.compactMap(\.self)
    guard known.count == places.count else { return nil }
    // Numbers that follow one another belong together however many they are.
    var gaps = zip(known, known.dropFirst()).enumerated().map { index, pair in
      (at: index + 1, width: UInt64(bitPattern: pair.1 &- pair.0))
    }.filter { $0.width > 1 }
    guard gaps.count >= most else { return gaps.map(\.at) }
    gaps.sort { $0.width > $1.width }
    let narrowest = gaps[most - 1].width
    let wide = gaps.filter { $0.width > narrowest }
    // Of gaps that are equally wide those are taken that make even runs.
    let others = gaps.filter { $0.width == narrowest }.map(\.at).sorted()
    let wanted = most - 1 - wide.count
    return (wide.map(\.at) + (0..<wanted).map { others[(2 * $0 + 1) * others.count / (2 * wanted)] }).sorted()
  }

  /// Where the key stands on a line; nil for what has no such line.
  private func distance(_ key: [UInt8]) -> Int64? {
    guard types.count == 1, let field = fields(key).first ?? nil else { return nil }
    return switch types[0] {
    case .integer, .timestamp: field.count == 8 ? Int64(truncatingIfNeeded: Self.number(field)) : nil
    case .date: field.count == 4 ? Int64(Int32(truncatingIfNeeded: Self.number(field))) : nil
    case .text, .decimal, .double, .boolean, .bytes: nil
    }
  }

  // MARK: Keys as bytes

  /// The key's fields; nil for one that holds no value of its type.
  private func fields(_ key: [UInt8]) -> [ArraySlice<UInt8>?] {
    var fields: [ArraySlice<UInt8>?] = []
    var at = 0
    while at + 4 <= key.count {
      let header = Int32(truncatingIfNeeded: Self.number(key[at..<at + 4]))
      at += 4
      if header < 0 {
        fields.append(nil)
        if header < -1 { at += Int(UInt32(bitPattern: header) & 0xFF_FFFF) }
      } else {
        let end = min(at + Int(header), key.count)
        fields.append(key[at..<end])
        at = end
      }
    }
    return fields
  }

  private func texts(_ key: [UInt8]) -> [String] {
    zip(fields(key), types).map { field, type in
      field.flatMap { field in field.withUnsafeBytes { CanonicalText.text(of: $0, as: type) } } ?? "NULL"
    }
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
