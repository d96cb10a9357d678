import Connecting

/// The consumer's side: the target read back after commit, through the same sums and digests.
struct ReadBack {
  /// What was found so far.
  struct Findings: Hashable, Sendable {
    var sums: Sums
    var digests: [Receipt.BatchDigest] = []
    var bytes = 0

    static func += (a: inout Findings, b: Findings) {
      a.sums += b.sums
      a.digests += b.digests
      a.bytes += b.bytes
    }
  }

  private(set) var findings: Findings

  private let plan: CompiledPlan
  private let count: Int
  private let input = RowBatch()
  private var group = RowBatch()
  private var number: Int64?

  init(_ plan: CompiledPlan) {
    self.plan = plan
    count = plan.plan.items.count
    findings = Findings(sums: Sums(columns: count))
  }

  /// `reader` gives rows ordered by batch, each with its batch behind its fields.
  mutating func run(_ reader: any RowReader) throws {
    while try reader.read(into: input) != .end {
      for index in 0..<input.rowCount { add(input.row(index)) }
    }
    finishGroup()
  }

  /// A batch of which nothing is there still has its digest, over no rows: `records` says which were written.
  mutating func complete(_ records: [BatchRecord]) {
    let seen = Set(findings.digests.map(\.batch))
    for record in records where !seen.contains(record.batch) {
      append(record.batch, rows: 0, KeyOrder(group, key: plan.key).stripes())
    }
    findings.digests.sort { $0.batch < $1.batch }
  }

  mutating func add(_ others: Findings) { findings += others }

  private mutating func add(_ row: UnsafeRawBufferPointer) {
    let fieldsEnd = row.count - 12
    let batch = Int64(bigEndian: row.loadUnaligned(fromByteOffset: fieldsEnd + 4, as: Int64.self))
    if batch != number {
      finishGroup()
      number = batch
    }
    let target = group.reserve(fieldsEnd)
    target.copyMemory(from: row.baseAddress.unsafelyUnwrapped, byteCount: fieldsEnd)
    target.storeBytes(of: Int16(truncatingIfNeeded: count).bigEndian, as: Int16.self)
    group.advance(fieldsEnd)
    group.endRow()
  }

  private mutating func finishGroup() {
    guard let batch = number else { return }
    findings.sums += Sums(of: group, columns: count, keys: plan.keys)
    findings.bytes += group.byteCount
    append(batch, rows: group.rowCount, KeyOrder(group, key: plan.key).stripes())
    group.removeAll()
    number = nil
  }

  private mutating func append(_ batch: Int64, rows: Int, _ stripes: [UInt8]) {
    let header = BatchHeader(grant: plan.plan.grant, schema: plan.schemaDigest, batch: batch, rows: rows)
    findings.digests.append(
      Receipt.BatchDigest(batch: batch, rows: rows, digest: header.digest(stripes, salt: plan.keys.salt)))
  }
}
