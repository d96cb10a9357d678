import Connecting
import Kernel
import NationalCrypto

/// The writing thread of a stream of changes: each item is one transaction of the target with its place in the source's
/// log, read back before it is committed.
final class ChangeSession {
  private(set) var state: ChangeState
  /// Nothing is left to do: `outcome` can be asked for at once.
  let isComplete: Bool
  /// Where the source's log goes on; nil when it is to be followed from now.
  let log: [UInt8]?

  private let plan: CompiledPlan
  private let control: DeliveryControl
  private let writer: any RowWriter
  private let rowKeys: RowKeys
  /// What the target has kept for good, the source may forget.
  private var tellSource: ([UInt8]) -> Void = { _ in }
  private let opened = ContinuousClock.now
  private var lastDurable = ContinuousClock.now
  private var groupOpened = ContinuousClock.now
  private var hasUndurable = false
  private var hasCleared = false
  /// The commit of an earlier run that may have been under way when that run broke off, where this one begins another batch.
  private let brokenOff: (batch: Int64, part: Int)?

  /// Commits are made to last so often; in between, the target's machine may lose them with their place in the log.
  static let durability = Duration.milliseconds(500)
  /// How often the place in the log is kept while nothing of ours is written there.
  static let rest = Duration.seconds(10)
  /// A batch of the receipt gathers commits for so long, or so many rows.
  static let groupTime = Duration.seconds(10)
  static let groupRows = 250_000

  init(
    _ plan: CompiledPlan, _ control: DeliveryControl, _ writer: any RowWriter, _ stored: StoredOffset?,
    beginsAnew: Bool
  ) throws(ConnectorError) {
    self.plan = plan
    self.control = control
    self.writer = writer
    rowKeys = RowKeys(plan)
    let columns = plan.plan.items.count
    let next = (stored?.batch ?? 0) + 1
    let now = control.clock.now()
    let earlier = stored.flatMap { ChangeState($0.state) }
    if var previous = earlier, previous.schema == plan.schemaDigest,
      previous.sent.columns.count == columns,
      !beginsAnew || (previous.run == plan.plan.run && previous.isEnded)
    {
      isComplete = previous.run == plan.plan.run && previous.isEnded
      if previous.run != plan.plan.run {
        // The stream goes on. A new receipt begins, unless nobody has heard of the one before: then it goes on too.
        let isHeard = plan.plan.heard.map { $0 == previous.run } ?? true
        previous.run = plan.plan.run
        previous.close(next: next)
        previous.isEnded = false
        if isHeard {
          previous.first = previous.open
          previous.counts = Receipt.Counts()
          previous.rules = [:]
          previous.sent = Sums(columns: columns)
          previous.found = Sums(columns: columns)
          previous.started = now
        }
      }
      // Somebody emptied the table since: what was said of it is true no more.
      if previous.snapshot == .done, previous.holds, !isComplete, try writer.isEmpty() {
        previous = Self.fresh(plan, next: next, now)
        log = nil
      } else {
        log = previous.log
      }
      state = previous
    } else {
      let split = stored.flatMap { SplitState($0.state) }
      state = Self.fresh(plan, next: max(next, split.map { $0.last + 1 } ?? 0), now)
      isComplete = false
      log = nil
      if split != nil {
        // Parts of a full delivery that were never gathered.
        try writer.dropParts()
        _ = try writer.deleteAll(at: nil)
        try writer.commit(nil, state: state.text, durable: true)
      }
    }
    if let earlier, !earlier.isEnded, earlier.parts > 0, earlier.open < state.open {
      brokenOff = (earlier.open, earlier.parts)
    } else {
      brokenOff = nil
    }
  }

  /// The source has forgotten the stream, or it never began: everything is read anew.
  private static func fresh(_ plan: CompiledPlan, next: Int64, _ now: Instant) -> ChangeState {
    let none = Sums(columns: plan.plan.items.count)
    return ChangeState(
      run: plan.plan.run, schema: plan.schemaDigest, log: [], snapshot: .reading(after: []), snapshotFirst: next,
      first: next, open: next, started: now, sent: none, found: none)
  }

  // MARK: Running

  func run(_ queue: BatchQueue<ChangeItem>, confirm: @escaping ([UInt8]) -> Void) throws -> DeliveryOutcome {
    tellSource = confirm
    do {
      while true {
        let item = try queue.next()
        try take(item)
        let isOver = isOver(item)
        queue.recycle(item)
        guard isOver else { continue }
        state.isEnded = true
        try secure()
        queue.cancel()
        queue.waitForProducer()
        return try outcome(.finished)
      }
    } catch let stop as DeliveryStop {
      writer.rollback()
      if hasUndurable { try? writer.commit(nil, state: state.text, durable: true) }
      queue.cancel()
      queue.waitForProducer()
      guard let refusal = stop.reason as? Refusal else { throw stop.reason }
      return try outcome(.stopped(refusal))
    } catch {
      writer.rollback()
      throw error
    }
  }

  private func isOver(_ item: ChangeItem) -> Bool {
    switch plan.plan.changes.ending {
    case .after(let time): ContinuousClock.now - opened >= time
    case .caughtUp: item.hasGoal
    }
  }

  private func take(_ item: ChangeItem) throws {
    try control.mayGoOn()
    let isSnapshotDone = state.snapshot != .done && item.snapshot == .done
    if item.isEmpty, !isSnapshotDone {
      // The place in the log moves on even when nothing of ours stands there: the source need not keep that.
      state.log = item.log
      if item.read > 0 || item.snapshot != state.snapshot {
        state.snapshot = item.snapshot
        state.counts.read += item.read
        state.counts.filtered += item.filtered
        plan.count(item.rules, in: &state.rules)
      }
      let pause = hasUndurable ? Self.durability : Self.rest
      if ContinuousClock.now - lastDurable >= pause { try secure() }
      return
    }
    var after = state
    let sums = try write(item, &after)
    after.log = item.log
    after.snapshot = item.snapshot
    after.committed = item.committedAt ?? after.committed
    after.counts.read += item.read
    after.counts.delivered += item.upserts.rowCount
    after.counts.quarantined += item.faults.count
    after.counts.bytes += item.upserts.byteCount
    after.counts.filtered += item.filtered
    plan.count(item.rules, in: &after.rules)
    after.sent += sums
    after.found += sums
    if isSnapshotDone {
      after.counts.removed += try writer.deleteOlder(than: state.snapshotFirst, at: control.clock.now())
    }
    try keepBad(item)
    try plan.stopIfTooBad(after.counts, after.rules)
    after.holds = !item.upserts.isEmpty || (after.holds && !item.clearsAll)
    after.parts += 1
    after.rows += item.upserts.rowCount
    after.bad += item.faults.count
    after.bytes += item.upserts.byteCount
    let record = BatchRecord(
      batch: after.open, run: plan.plan.run, delivered: after.rows, quarantined: after.bad, bytes: after.bytes,
      digest: after.digest)
    let isFull = after.rows >= Self.groupRows || ContinuousClock.now - groupOpened >= Self.groupTime
    if isFull {
      after.close(next: after.open + 1)
      groupOpened = .now
    }
    let isDurable = isFull || ContinuousClock.now - lastDurable >= Self.durability
    try writer.commit(record, state: after.text, durable: isDurable)
    state = after
    hasUndurable = !isDurable
    if isDurable { confirm() }
    report(record.batch)
  }

  /// Makes what was committed last.
  private func secure() throws {
    try writer.commit(nil, state: state.text, durable: true)
    hasUndurable = false
    confirm()
  }

  private func confirm() {
    lastDurable = .now
    tellSource(state.log)
  }

  /// Writes an item's rows and reads them back; answers what both sides say of them.
  private func write(_ item: ChangeItem, _ after: inout ChangeState) throws -> Sums {
    if item.clearsAll { after.counts.removed += try writer.deleteAll(at: control.clock.now()) }
    after.counts.removed += try writer.deleteKeys(item.deletes, writtenBefore: .max, at: control.clock.now())
    _ = try writer.markStale(item.stale, batch: after.open, at: control.clock.now())
    if item.hasUnchanged { try fillUnchanged(item) }
    guard !item.upserts.isEmpty else {
      if after.digest.isEmpty { after.digest = digest(KeyOrder(item.upserts, key: plan.key).stripes(), after.open, 0) }
      return Sums(columns: plan.plan.items.count)
    }
    let sums = item.sums ?? Sums(of: item.upserts, columns: plan.plan.items.count, keys: plan.keys)
    let stripes = item.stripes ?? KeyOrder(item.upserts, key: plan.key).stripes()
    // While the table is read beside its log, a new row may have come with it.
    let mode: WriteMode = item.areNew && state.snapshot == .done ? .insert : .upsert
    _ = try writer.write(item.upserts, batch: after.open, mode: mode)
    var back = ReadBack(plan)
    let reader = try writer.written()
    defer { reader.close() }
    try back.run(reader)
    let own = digest(stripes, after.open, item.upserts.rowCount)
    guard back.findings.sums == sums, back.findings.digests.map(\.digest) == [own] else {
      throw ConnectorError(
        .data, "readback",
        Text(
          "接收方读回的数据与写入的不一致，本批未提交。",
          "What the target holds is not what was written to it; this batch was not committed."))
    }
    after.digest = after.digest.isEmpty ? own : SM3.hash("\(after.digest) \(own)").hex
    return sums
  }

  private func digest(_ stripes: [UInt8], _ batch: Int64, _ rows: Int) -> String {
    BatchHeader(grant: plan.plan.grant, schema: plan.schemaDigest, batch: batch, rows: rows)
      .digest(stripes, salt: plan.keys.salt)
  }

  /// Fields that the source did not send again are as the target has them. A row that the target does not have (its older
  /// version was bad) cannot be completed: it is set apart.
  private func fillUnchanged(_ item: ChangeItem) throws {
    let rows = (0..<item.upserts.rowCount).map { [UInt8](item.upserts.row($0)) }
    let keys = RowBatch(capacity: RowBatch.smallest)
    func key(_ row: UnsafeRawBufferPointer) -> [UInt8] { KeyBytes.encode(row, key: plan.key) }
    for row in rows where row.withUnsafeBytes({ ChangeNetting.hasUnchanged($0) }) {
      row.withUnsafeBytes { keys.appendKey(of: $0, key: plan.key) }
    }
    var found: [[UInt8]: [UInt8]] = [:]
    let reader = try writer.current(keys)
    defer { reader.close() }
    let batch = RowBatch(capacity: RowBatch.smallest)
    while try reader.read(into: batch) != .end {
      for index in 0..<batch.rowCount { found[key(batch.row(index))] = [UInt8](batch.row(index)) }
    }
    item.upserts.removeAll()
    for row in rows {
      row.withUnsafeBytes { bytes in
        guard ChangeNetting.hasUnchanged(bytes) else { return item.upserts.appendRow(bytes) }
        guard let old = found[key(bytes)] else {
          item.faults.append(
            RowTransform.Fault(row: source(of: key(bytes), in: item), field: plan.key[0], fault: .missingValue))
          return
        }
        ChangeNetting.fill(bytes, from: old).withUnsafeBytes { item.upserts.appendRow($0) }
      }
    }
  }

  /// The last change of a row, by its key as delivered.
  private func source(of key: [UInt8], in item: ChangeItem) -> Int {
    (0..<item.input.rows.rowCount).last {
      rowKeys.delivered(item.input.rows.row($0)).map { Array($0.dropFirst(2)) } == key
    } ?? 0
  }

  private func report(_ batch: Int64) {
    var progress = DeliveryProgress(
      batch: batch, read: state.counts.read, delivered: state.counts.delivered, unchanged: 0,
      quarantined: state.counts.quarantined, bytes: state.counts.bytes, filtered: state.counts.filtered)
    progress.removed = state.counts.removed
    progress.committedAt = state.committed
    control.progress(progress)
  }

  /// Kept before the commit under the open batch and the number of the commit in it.
  private func keepBad(_ item: ChangeItem) throws {
    guard !item.faults.isEmpty || !hasCleared else { return }
    if !hasCleared, let (batch, part) = brokenOff {
      // It was rolled back: its changes come again in this batch.
      try control.keep(
        QuarantinedRows(grant: plan.plan.grant, run: plan.plan.run, batch: batch, part: part, rows: []))
    }
    hasCleared = true
    let rows = item.faults.map { rowKeys.bad(item.input.rows.row($0.row), $0) }
    try control.keep(
      QuarantinedRows(
        grant: plan.plan.grant, run: plan.plan.run, batch: state.open, part: state.parts, rows: rows))
  }

  // MARK: Receipts

  func outcome(_ ending: DeliveryOutcome.Ending) throws -> DeliveryOutcome {
    let last = state.parts > 0 ? state.open : state.open - 1
    let records = state.first <= last ? try writer.batches(state.first...last) : []
    let digests = records.map { Receipt.BatchDigest(batch: $0.batch, rows: $0.delivered, digest: $0.digest) }
    let provider = receipt(.provider, last, state.sent, digests)
    guard case .finished = ending else { return DeliveryOutcome(ending: ending, provider: provider) }
    let consumer = receipt(.consumer, last, state.found, digests)
    return DeliveryOutcome(
      ending: ending, provider: provider, consumer: consumer, disagreement: Receipt.compare(provider, consumer))
  }

  private func receipt(
    _ side: Receipt.Side, _ last: Int64, _ sums: Sums, _ batches: [Receipt.BatchDigest]
  ) -> Receipt {
    var root = SM3()
    for batch in batches { root.update("\(batch.batch) \(batch.digest)\n") }
    let through = state.committed.map { CursorValue.timestamp(($0.milliseconds - 946_684_800_000) * 1000) }
    return Receipt(
      side: side, grant: plan.plan.grant, run: plan.plan.run, mode: .changes, schemaDigest: plan.schemaDigest,
      from: nil, through: through, firstBatch: state.first, lastBatch: last, counts: state.counts,
      columns: plan.plan.items.indices.map {
        Receipt.ColumnSum(name: plan.plan.items[$0].name, nulls: sums.nulls[$0], sum: sums.columns[$0].hex)
      }, rowSum: sums.rows.hex, batchRoot: root.finish().hex, batches: batches, startedAt: state.started,
      finishedAt: control.clock.now(), rules: side == .provider ? plan.ruleCounts(state.rules) : [])
  }
}

extension ChangeState {
  /// The next batch is open, and empty.
  fileprivate mutating func close(next: Int64) {
    open = next
    (parts, digest, rows, bad, bytes) = (0, "", 0, 0, 0)
  }
}
