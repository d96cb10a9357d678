import Connecting
import Kernel
import NationalCrypto
import Reshaping

/// What a worker found of its part: everything that the receipts of the whole need and the target does not keep.
package struct DeliveredPart: Hashable, Sendable {
  package let part: DeliveryPart
  package let run: String
  /// What the provider's side counted.
  package var counts: Receipt.Counts { provider.counts }

  let schema: String
  /// As the target has it in the part's line.
  let provider: DeliveryState
  /// What reading the part back found.
  let consumer: ReadBack.Findings
}

extension DeliveredPart {
  private static let head = "sanjiang-delivered-part 1"

  /// To be kept, some ninety bytes a batch; `init(_:)` reads it back.
  package var text: String {
    var lines = [
      Self.head, "run \(run)", "schema \(schema)", "part \(Array(part.text.utf8).hex)",
      "state \(Array(provider.text.utf8).hex)", "bytes \(consumer.bytes)",
      "rows \(consumer.sums.rowCount) \(consumer.sums.rows.hex)",
    ]
    for (sum, nulls) in zip(consumer.sums.columns, consumer.sums.nulls) { lines.append("column \(nulls) \(sum.hex)") }
    for digest in consumer.digests { lines.append("batch \(digest.batch) \(digest.rows) \(digest.digest)") }
    return lines.joined(separator: "\n")
  }

  /// Nil for what is no such text.
  package init?(_ text: String) {
    var values: [Substring: [Substring]] = [:]
    var columns: [(Int, UInt128)] = []
    var digests: [Receipt.BatchDigest] = []
    let lines = text.split(separator: "\n")
    guard lines.first == Self.head[...] else { return nil }
    for line in lines.dropFirst() {
      let words = line.split(separator: " ")
      switch (words.first, words.count) {
      case ("column", 3):
        guard let nulls = Int(words[1]), let sum = UInt128(words[2], radix: 16) else { return nil }
        columns.append((nulls, sum))
      case ("batch", 4):
        guard let batch = Int64(words[1]), let rows = Int(words[2]) else { return nil }
        digests.append(Receipt.BatchDigest(batch: batch, rows: rows, digest: String(words[3])))
      default: values[words[0]] = Array(words.dropFirst())
      }
    }
    func told(_ name: Substring) -> String? {
      values[name]?.first.flatMap { [UInt8](hex: $0) }.map { String(decoding: $0, as: UTF8.self) }
    }
    guard let run = values["run"]?.first, let schema = values["schema"]?.first,
      let part = told("part").flatMap({ DeliveryPart($0) }), let state = told("state"),
      let provider = try? DeliveryState(state, columns: columns.count),
      let bytes = values["bytes"]?.first.flatMap({ Int($0) }), let rows = values["rows"], rows.count == 2,
      let count = Int(rows[0]), let sum = UInt128(rows[1], radix: 16)
    else { return nil }
    var sums = Sums(columns: columns.count)
    (sums.columns, sums.nulls) = (columns.map(\.1), columns.map(\.0))
    (sums.rows, sums.rowCount) = (sum, count)
    self.init(
      part: part, run: String(run), schema: String(schema), provider: provider,
      consumer: ReadBack.Findings(sums: sums, digests: digests, bytes: bytes))
  }
}

extension DeliveryState {
  /// The state of a delivery that was carried out in parts: as if one run had done it.
  init(gathering parts: [DeliveryState], of run: String) {
    self = parts[0]
    self.run = run
    for part in parts.dropFirst() {
      first = min(first, part.first)
      runFirst = min(runFirst, part.runFirst)
      // What changed since the first of the parts' snapshots may be missing in it.
      horizon = horizon.flatMap { own in part.horizon.map { own.lower(of: $0) } }
      started = min(started, part.started)
      holdsRows = holdsRows || part.holdsRows
      counts += part.counts
      sums += part.sums
      for (name, count) in part.rules { rules[name, default: RuleMachine.Count()] += count }
    }
    reached = horizon
  }
}

extension Receipt.Counts {
  static func += (a: inout Receipt.Counts, b: Receipt.Counts) {
    a.read += b.read
    a.delivered += b.delivered
    a.unchanged += b.unchanged
    a.quarantined += b.quarantined
    a.stale += b.stale
    a.removed += b.removed
    a.withoutCursor += b.withoutCursor
    a.bytes += b.bytes
    a.filtered += b.filtered
  }
}

extension CursorValue {
  /// Of one grant's cursors, which are all of one type.
  fileprivate func lower(of other: CursorValue) -> CursorValue {
    switch (self, other) {
    case (.timestamp(let a), .timestamp(let b)): .timestamp(min(a, b))
    case (.integer(let a), .integer(let b)): .integer(min(a, b))
    default: self
    }
  }
}
