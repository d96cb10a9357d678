import CStripes
package import Connecting
import Kernel

/// Compares what the source would deliver with what the target holds.
///
/// Both sides are read back whole and compared row by row, whatever order their databases give them in. Nothing is
/// written to either: a full delivery repairs what is found.
///
/// 1. The first look adds each row's keyed hash to one of 262,144 buckets, by a keyed hash of its key. Equal buckets are
///    equal rows; mostly all are, and this was all.
/// 2. The second look remembers the rows of the buckets that differ, and compares them by key. What is equal by now was
///    only in flight and is no difference.
/// 3. Where a bucket's rows had changed between the two on either side, what differs in it is looked at once more, and
///    counts if its key differs then too. There is no fourth look.
///
/// So a row that is changed while this reads is not reported for having changed. In a source that changes all the time
/// some rows differ in truth at every moment, because they are not delivered yet: one that is so at two looks one after the
/// other is reported, whatever values it had. A comparison soon after a delivery finds the fewest of those.
///
/// A row that the source refuses is absent in the target, or there as an older version flagged stale; neither is a
/// difference. The plan's cursor bounds nothing, and its thresholds (`StopRule`) stop nothing.
///
/// Memory is bounded whatever the tables' length: 8 MiB of buckets, two batches a side, and for each remembered row its
/// key and some eighty bytes, for 125,000 rows and 8 MiB of keys at most as `Limits` are. The process stays below 96 MiB.
package struct Reconciliation: Sendable {
  package struct Limits: Hashable, Sendable {
    /// Differing rows that are told apart by their keys.
    package var remembered = 100_000
    package var ranges = 50

    package init() {}
  }

  private let compiled: CompiledPlan
  private let held: CompiledPlan
  private let limits: Limits
  private let control: DeliveryControl

  /// Throws a contract error when the plan contradicts itself. Of `control` all is used but `quarantine`: `check` is asked
  /// before each look and once a second, and what it throws is thrown; `progress` tells by `read` how many rows of both
  /// sides were read so far, and by `batch` the look.
  package init(
    _ plan: DeliveryPlan, limits: Limits = Limits(), control: DeliveryControl
  ) throws(ConnectorError) {
    self.limits = limits
    self.control = control
    compiled = try CompiledPlan(plan, on: control.clock.today)
    held = try compiled.asHeld(on: control.clock.today)
  }

  /// Reads on two threads of its own; throws what the readers throw, and a contract error where the target has no table.
  package func run(from source: any Connector, to target: any Connector) async throws -> ReconciliationReport {
    try await BlockingThread.run {
      defer { sj_return_memory() }
      var compiled = compiled
      // What is too long for the target is bad, here as there.
      compiled.longestKey = target.guarantee.longestKey ?? Int.max
      let sides = Sides(
        source: ReconciledSide(.source, compiled, most: limits.remembered),
        target: ReconciledSide(.target, held, most: limits.remembered))
      return try compare(sides, source, target)
    }
  }

  private struct Sides: Sendable {
    let source: ReconciledSide
    let target: ReconciledSide

    func differ(in bucket: Int) -> Bool { source.sums[bucket] != target.sums[bucket] }

    /// After a second look: whether its rows were others in the first.
    func changed(in bucket: Int) -> Bool { source.sums[bucket] != 0 || target.sums[bucket] != 0 }

    /// Buckets that may hold a difference, after the first look.
    var suspected: BucketSet {
      var buckets = BucketSet { differ(in: $0) }
      // Flagged rows are in no sum; one that no bad row accounts for is a difference too.
      for key in target.flagged.subtracting(source.flagged) { buckets.insert(BucketSums.bucket(key)) }
      buckets.formUnion(target.unremembered)
      return buckets
    }
  }

  private func compare(_ sides: Sides, _ source: any Connector, _ target: any Connector) throws -> ReconciliationReport
  {
    let started = control.clock.now()
    let first = ReconciliationLook(1, control, after: 0)
    var rows = try first.run {
      try sides.source.sumUp(source, first)
    } _: {
      try sides.target.sumUp(target, first)
    }
    let suspected = sides.suspected
    guard !suspected.isEmpty else { return report(started, sides, Suspects.Repeated()) }
    sj_return_memory()
    let suspects = Monitor(Suspects(most: max(0, limits.remembered)))
    func look(_ number: Int, at buckets: BucketSet) throws {
      let look = ReconciliationLook(number, control, after: rows)
      rows = try look.run {
        try sides.source.show(buckets, source, look, suspects)
      } _: {
        try sides.target.show(buckets, target, look, suspects)
      }
      suspects.change { $0.settle() }
      sj_return_memory()
    }
    try look(2, at: suspected)
    var report = report(started, sides, suspects.change { $0.repeated })
    let unsteady = suspects.change { $0.lookAgain { sides.changed(in: $0) } }
    if !unsteady.isEmpty { try look(3, at: unsteady) }
    report.isComplete = suspects.change { $0.isComplete }
    let differences = suspects.change { $0.takeDifferences() }
    report.counts = differences.reduce(into: .init()) { $0 += $1.counts }
    let types = compiled.key.map { compiled.plan.items[$0].deliveredType }
    report.ranges = KeyRanges(types: types, most: max(1, limits.ranges)).ranges(of: differences)
    report.finishedAt = control.clock.now()
    return report
  }

  /// Without what differs. Which rows of the source come twice far apart only shows where their bucket was looked at.
  private func report(_ started: Instant, _ sides: Sides, _ repeated: Suspects.Repeated) -> ReconciliationReport {
    let (source, target) = (sides.source.totals, sides.target.totals)
    return ReconciliationReport(
      startedAt: started, finishedAt: control.clock.now(), sourceRows: source.good - repeated.rows,
      targetRows: target.good, bad: source.bad + repeated.rows, stale: target.flagged,
      sourceSum: (source.sum &- repeated.sum).hex, targetSum: target.sum.hex, counts: .init(), isComplete: true,
      ranges: [])
  }
}
