import CStripes
import Connecting

/// What is known of one side of a grant from look to look. Used by one thread at a time.
final class ReconciledSide: @unchecked Sendable {
  /// What one look counted.
  struct Totals {
    var good = 0
    var sum: UInt128 = 0
    var bad = 0
    /// Of bad rows those whose key can be read.
    var flagged = 0

    @inline(__always)
    mutating func add(_ hash: sj_hash128, _ mark: ComparedRows.Mark) {
      if mark == .good {
        good += 1
        sum &+= hash.sum
      } else {
        flagged += 1
      }
    }
  }

  let side: ComparedRows.Side
  /// After the first look of the rows seen; each later look takes its rows away, so that nothing is left where nothing
  /// changed meanwhile.
  let sums = BucketSums()
  private(set) var totals = Totals()
  /// Hashes of the keys of bad or flagged rows, at most `most`; the buckets of those beyond.
  private(set) var flagged: Set<UInt64> = []
  private(set) var unremembered = BucketSet()

  private let plan: CompiledPlan
  private let most: Int

  init(_ side: ComparedRows.Side, _ plan: CompiledPlan, most: Int) {
    self.side = side
    self.plan = plan
    self.most = most
  }

  /// The first look: every row goes into its bucket.
  func sumUp(_ connector: any Connector, _ look: ReconciliationLook) throws {
    try read(connector, look) { [self] rows, totals in
      rows.forEach { key, hash, mark in
        totals.add(hash, mark)
        let keyHash = hashed(key)
        let bucket = BucketSums.bucket(keyHash)
        if mark == .good {
          sums[bucket] &+= hash.sum
        } else if flagged.count < most {
          flagged.insert(keyHash)
        } else {
          unremembered.insert(bucket)
        }
      }
    }
  }

  /// A later look: rows of some buckets are shown to `suspects` one by one.
  func show(
    _ buckets: BucketSet, _ connector: any Connector, _ look: ReconciliationLook, _ suspects: Monitor<Suspects>
  ) throws {
    var sightings: [Suspects.Sighting] = []
    // Buckets that were given up meanwhile are not looked at any more.
    var limit = BucketSums.count
    func tell() {
      limit = suspects.change { suspects in
        suspects.add(sightings, of: side)
        return suspects.limit
      }
      sightings.removeAll(keepingCapacity: true)
    }
    try read(connector, look) { [self] rows, totals in
      if side == .source, !rows.isKeyOrdered { suspects.change { $0.keepsMatched = true } }
      rows.forEach { key, hash, mark in
        totals.add(hash, mark)
        let bucket = BucketSums.bucket(hashed(key))
        guard buckets.contains(bucket) else { return }
        if mark == .good { sums[bucket] &-= hash.sum }
        guard bucket < limit else { return }
        sightings.append(Suspects.Sighting(key: [UInt8](key), bucket: Int32(bucket), hash: hash, mark: mark))
        // A batch of small rows that all differ would be large as sightings.
        if sightings.count >= 4096 { tell() }
      }
      tell()
    }
  }

  private func hashed(_ key: UnsafeRawBufferPointer) -> UInt64 {
    sj_siphash128(key.baseAddress, key.count, plan.keys.buckets).low
  }

  private func read(
    _ connector: any Connector, _ look: ReconciliationLook, _ use: (ComparedRows, inout Totals) -> Void
  ) throws {
    var totals = Totals()
    let rows = try ComparedRows(side, plan, connector, look.control.pulse)
    defer { rows.close() }
    try look.opened(rows.interrupter)
    while let count = try rows.next(look.control.pulse) {
      look.control.pulse.measuring(\.own) { use(rows, &totals) }
      totals.bad += rows.badCount
      try look.read(count)
    }
    self.totals = totals
  }
}
