import Connecting
import Kernel

/// The reading thread of a stream of changes: the log, and beside it, piece by piece, the rows that were there before.
///
/// **The snapshot needs no lock and no long transaction.** The log is followed from before the first row is read. A row of
/// the table is passed on unless a change of its key was passed on since the table's reader was opened: then the log has
/// the newer word, or will have it. So every key ends as the log last said, or, where the log says nothing, as it was
/// read; and once the log has come to where the reading ended, the target is what the source was at that moment. The
/// reader is opened anew after a while, so that neither the source keeps old rows for it nor we a long list of keys.
struct ChangeProducer: Sendable {
  let plan: CompiledPlan
  let log: [UInt8]?
  let snapshot: ChangeState.Snapshot
  let queue: BatchQueue<ChangeItem>
  /// In the source's log: what the target has kept for good since this was last looked at.
  let confirmed: Monitor<[UInt8]?>
  let pulse: DeliveryPulse

  /// Keys remembered, and seconds passed, before the table's reader is opened anew.
  static let mostTouched = 500_000
  static let longestSnapshot = Duration.seconds(60)
  /// How long the log is waited for when it is quiet.
  static let quiet = Duration.milliseconds(200)

  func run(_ source: any Connector) {
    queue.produce { try read(source) }
  }

  private func read(_ source: any Connector) throws {
    let changePlan =
      ChangePlan(
        table: plan.plan.source, columns: plan.readColumns, key: plan.readKey, stream: plan.plan.grant,
        mostRetained: plan.plan.changes.mostRetained, needsWholeRows: plan.needsWholeRows)
    let changes = try pulse.measuring(\.source) { () throws(ConnectorError) in
      try source.openChanges(changePlan, after: log)
    }
    pulse.watch(changes.interrupter)
    defer { changes.close() }
    let netting = ChangeNetting(plan, try RowTransform(plan, checksText: false, watchesKeys: false))
    var table = TableBeside(plan, source, snapshot, pulse)
    defer { table.close() }
    var mark: [UInt8]?
    if snapshot == .settling { mark = try changes.mark() }
    // What is there already when a run begins that shall end once it has it.
    let goal = plan.plan.changes.ending == .caughtUp ? try changes.mark() : nil
    // A log that never rests would otherwise keep the table from being read at all.
    var isTablesTurn = false
    while let item = queue.nextFree() {
      item.removeAll()
      try confirm(to: changes)
      if table.isOpen, isTablesTurn {
        item.input.removeAll()
      } else {
        try read(changes, into: item.input, within: table.isOpen ? .zero : Self.quiet)
      }
      isTablesTurn = !item.input.isEmpty
      if !item.input.isEmpty {
        if table.isOpen { table.touch(item.input, plan) }
        pulse.measuring(\.own) { netting.takeChanges(into: item) }
      } else if let rows = try table.next() {
        pulse.measuring(\.own) { netting.take(rows: rows, into: item) }
        if !table.isOpen { mark = try changes.mark() }
      }
      if let wanted = mark, !table.isOpen, changes.hasPassed(wanted) {
        mark = nil
        table.snapshot = .done
      }
      item.snapshot = table.snapshot
      item.log = changes.position
      item.committedAt = changes.committedAt
      // However much is committed meanwhile: a source that never rests would otherwise be followed for ever.
      item.hasGoal = table.snapshot == .done && (goal.map { changes.hasPassed($0) } ?? false)
      queue.push(item)
    }
    try confirm(to: changes)
  }

  /// Waiting for changes that nobody makes is no time spent with the source.
  private func read(
    _ changes: any ChangeReader, into batch: ChangeBatch, within limit: Duration
  ) throws(ConnectorError) {
    let start = ContinuousClock.now
    _ = try changes.read(into: batch, within: limit)
    pulse.beat()
    if !batch.isEmpty { pulse.add(ContinuousClock.now - start, \.source) }
  }

  private func confirm(to changes: any ChangeReader) throws {
    let log = confirmed.change { confirmed in
      defer { confirmed = nil }
      return confirmed
    }
    if let log { try changes.confirm(log) }
  }
}

/// The rows that were there before the log was followed, read by their key in pieces.
private struct TableBeside {
  var snapshot: ChangeState.Snapshot
  private let plan: CompiledPlan
  private let source: any Connector
  private let pulse: DeliveryPulse
  private var reader: (any RowReader)?
  private var opened = ContinuousClock.now
  /// Keys, as read, of which a change was passed on since the reader was opened.
  private var touched: Set<[UInt8]> = []
  private let batch: RowBatch
  private let kept = RowBatch(capacity: RowBatch.smallest)

  init(_ plan: CompiledPlan, _ source: any Connector, _ snapshot: ChangeState.Snapshot, _ pulse: DeliveryPulse) {
    self.pulse = pulse
    self.plan = plan
    self.source = source
    self.snapshot = snapshot
    batch = RowBatch(capacity: plan.batchBytes)
  }

  var isOpen: Bool {
    if case .reading = snapshot { return true }
    return false
  }

  mutating func touch(_ changes: ChangeBatch, _ plan: CompiledPlan) {
    for index in 0..<changes.rows.rowCount {
      // After a truncate everything that was read before it is old: what is read next must come after it.
      if changes.kinds[index] == .truncate {
        close()
        continue
      }
      touched.insert(KeyBytes.encode(changes.rows.row(index), key: plan.readKey))
    }
  }

  /// The next rows, those left out whose keys the log has passed; nil when the table is not being read.
  mutating func next() throws -> RowBatch? {
    guard case .reading(let after) = snapshot else { return nil }
    if touched.count > ChangeProducer.mostTouched || ContinuousClock.now - opened > ChangeProducer.longestSnapshot {
      close()
    }
    if reader == nil {
      let (source, range) = (source, ReadPlan.Range.full(after: after.isEmpty ? nil : after))
      let readPlan = plan.readPlan(range)
      reader = try WatchedReader(pulse) { () throws(ConnectorError) in try source.openReader(readPlan) }
      opened = .now
      touched.removeAll()
    }
    guard let reader else { return nil }
    guard try reader.read(into: batch) != .end else {
      close()
      snapshot = .settling
      batch.removeAll()
      return batch
    }
    snapshot = .reading(after: reader.position)
    guard !touched.isEmpty else { return batch }
    kept.removeAll()
    for index in 0..<batch.rowCount
    where !touched.contains(KeyBytes.encode(batch.row(index), key: plan.readKey)) { kept.appendRow(batch.row(index)) }
    return kept
  }

  mutating func close() {
    reader?.close()
    reader = nil
  }
}
