import Connecting
import Kernel
import NationalCrypto
import Reshaping

/// The writing thread: takes batches from the queue, writes each with its offset in one transaction of the target, and
/// signs for what was written.
final class DeliverySession {
  private(set) var state: DeliveryState
  private let plan: CompiledPlan
  private let control: DeliveryControl
  private let writer: any RowWriter
  /// See `ConnectorGuarantee.merges`.
  private let merges: Bool
  /// The target had no rows, or none that this run is to meet.
  private let beganEmpty: Bool
  /// See `ConnectorGuarantee.countsAtOnce`.
  private let countsAtOnce: Bool
  private var nextBatch: Int64
  /// The consumer's receipt, read beside the writing from batch `first` on.
  private var beside: (reading: ReadBackBeside, first: Int64)?
  private var end: Int64?
  private var hasCleared = false
  private var hasCommitted = false
  private var unkeyed = UnkeyedRows()
  private let rowKeys: RowKeys

  init(
    _ plan: CompiledPlan, _ control: DeliveryControl, _ writer: any RowWriter, _ start: DeliveryStart,
    _ target: ConnectorGuarantee
  ) {
    (merges, countsAtOnce) = (target.merges, target.countsAtOnce)
    self.plan = plan
    self.control = control
    self.writer = writer
    rowKeys = RowKeys(plan)
    (state, nextBatch, beganEmpty) = (start.state, start.next, start.state.appends)
  }

  // MARK: Running

  /// Reads batches back while later ones are written, where the target can: what it saves is the second half of a first
  /// full delivery's time.
  func readBackBeside(_ target: any Connector) throws {
    guard state.appends, let end = try writer.end() else { return }
    self.end = end
    beside = (ReadBackBeside(plan, target), nextBatch)
  }

  func stopReadingBack() {
    beside?.reading.cancel()
    beside = nil
  }

  func run(_ queue: BatchQueue<WorkItem>) throws -> DeliveryOutcome.Ending {
    var part = 0
    do {
      while true {
        let item = try queue.next()
        if state.horizon == nil { state.horizon = item.horizon }
        if !item.isKeyOrdered {
          guard plan.plan.part == nil else { throw Self.unordered }
          state.appends = false
        }
        switch item.kind {
        case .rows: try write(item)
        case .rowsWithoutKey:
          try quarantine(item, part: part)
          part += 1
        case .end:
          try finish(hasParts: part > 0)
          queue.recycle(item)
          return .finished
        }
        queue.recycle(item)
      }
    } catch let stop as DeliveryStop {
      writer.rollback()
      // What is said to have been delivered must stay so. A newer run that has taken over secures it by its own commits.
      if hasCommitted { try? writer.commit(nil, state: state.text, durable: true) }
      queue.cancel()
      queue.waitForProducer()
      // The grant ended: the delivery ends with it, in good order. Anything else is the caller's to try again.
      guard let refusal = stop.reason as? Refusal else { throw stop.reason }
      takeAway()
      return .stopped(refusal)
    } catch {
      writer.rollback()
      throw error
    }
  }

  /// Where a run counts as a whole, half of it counts nowhere: nothing was delivered. Files that cannot be taken away now
  /// count as little.
  private func takeAway() {
    try? writer.giveUp()
    guard !countsAtOnce else { return }
    (state.counts, state.rules, state.sums) = (Receipt.Counts(), [:], Sums(columns: plan.plan.items.count))
    nextBatch = state.first
  }

  private static let unordered = ConnectorError.contract(
    "no-cuts", "数据源不按主键顺序给出行，不能分段交付。", "The source gives no rows in its key's order: there are no parts of it.")

  /// A part has so many numbers for its batches that it never comes to their end; if it did, it would go on in another's.
  private func requireNumber() throws(ConnectorError) {
    guard nextBatch <= plan.plan.part?.batches.upperBound ?? .max else {
      throw .contract("part-batches", "该分段的批次过多。", "This part has too many batches.")
    }
  }

  private func write(_ item: WorkItem) throws {
    try control.mayGoOn()
    try requireNumber()
    var after = state
    let batch = nextBatch
    var written: [Int32]?
    let result = try put(item.output, batch)
    if state.appends {
      if let sums = item.sums { after.sums += sums }
    } else {
      written = result.written
      if !result.duplicates.isEmpty {
        for row in result.duplicates {
          item.faults.append(
            RowTransform.Fault(row: Int(item.origins[Int(row)]), field: plan.key[0], fault: .duplicateKey))
        }
        item.faults.sort { $0.row < $1.row }
      }
      if item.sums == nil || written != nil || !result.duplicates.isEmpty {
        item.sums = Sums(of: item.output, chosen: written, columns: plan.plan.items.count, keys: plan.keys)
        item.stripes = item.order?.stripes(chosen: written)
      }
      if let sums = item.sums { after.sums += sums }
    }
    let delivered = written?.count ?? item.output.rowCount
    let bytes = written.map { $0.reduce(0) { $0 + item.output.row(Int($1)).count } } ?? item.output.byteCount
    if !state.appends || !merges {
      let bad = item.faults.lazy.filter { $0.fault != .duplicateKey }.map(\.row)
      _ = try writer.markStale(rowKeys.delivered(bad, of: item.input), batch: batch, at: control.clock.now())
    }
    // What this run wrote itself is signed for and stays; a full run removes at its end whatever it did not write.
    if state.mode == .incremental, !item.filtered.isEmpty {
      after.counts.removed += try writer.deleteKeys(
        rowKeys.delivered(item.filtered.lazy.map { Int($0) }, of: item.input), writtenBefore: state.first,
        at: control.clock.now())
    }
    let unchanged = item.output.rowCount - delivered - result.duplicates.count
    after.counts.read += item.input.rowCount
    after.counts.delivered += delivered
    after.counts.unchanged += unchanged
    after.counts.quarantined += item.faults.count
    after.counts.withoutCursor += item.withoutCursor
    after.counts.bytes += bytes
    after.counts.filtered += item.filtered.count
    plan.count(item.rules, in: &after.rules)
    after.position = item.position
    let isEmpty = delivered == 0 && item.faults.isEmpty
    let record = isEmpty ? nil : record(batch, delivered, item.faults.count, bytes, item.stripes ?? [])
    try send(item, batch, part: 0)
    try plan.stopIfTooBad(after.counts, after.rules, unkeyed)
    try writer.commit(record, state: after.text, durable: false)
    hasCommitted = true
    state = after
    if record != nil { nextBatch += 1 }
    if let beside, let before = end, let after = try writer.end(), before <= after {
      if delivered > 0 { beside.reading.add(batch, rows: delivered, places: before..<after) }
      end = after
    }
    report(batch)
  }

  /// Rows that can only be new are not when another worker has taken over and wrote them: then this one is at its end, and
  /// nothing is wrong with the data.
  private func put(_ rows: RowBatch, _ batch: Int64) throws -> WriteOutcome {
    do {
      return try writer.write(rows, batch: batch, mode: mode)
    } catch let error {
      if error.kind == .data {
        writer.rollback()
        try writer.commit(nil, state: state.text, durable: false)
      }
      throw error
    }
  }

  private var mode: WriteMode {
    if state.appends { return .append }
    // Nobody can say which rows differ: all are written.
    if !merges { return .merge(rewriteFrom: 0, ownFrom: state.mode == .full ? state.runFirst : state.first) }
    // A refresh writes every row anew, so that what it did not write is what the source no longer has.
    return .merge(
      rewriteFrom: state.mode == .full ? 0 : state.runFirst,
      ownFrom: state.mode == .full ? state.runFirst : state.first,
      mostlyNew: state.mode == .full && (beganEmpty || !state.isFilled))
  }

  private func record(_ batch: Int64, _ delivered: Int, _ bad: Int, _ bytes: Int, _ stripes: [UInt8]) -> BatchRecord {
    let header = BatchHeader(grant: plan.plan.grant, schema: plan.schemaDigest, batch: batch, rows: delivered)
    return BatchRecord(
      batch: batch, run: plan.plan.run, delivered: delivered, quarantined: bad, bytes: bytes,
      digest: header.digest(stripes, salt: plan.keys.salt))
  }

  /// Rows without a key are kept as they come and counted with the run's last commit.
  private func quarantine(_ item: WorkItem, part: Int) throws {
    try send(item, nextBatch, part: part)
    unkeyed.read += item.input.rowCount
    unkeyed.bad += item.faults.count
    unkeyed.filtered += item.filtered.count
    if unkeyed.rules.isEmpty {
      unkeyed.rules = item.rules
    } else {
      for index in item.rules.indices { unkeyed.rules[index] += item.rules[index] }
    }
    try plan.stopIfTooBad(state.counts, state.rules, unkeyed)
  }

  private func finish(hasParts: Bool) throws {
    try control.mayGoOn()
    try requireNumber()
    var after = state
    let batch = nextBatch
    if state.mode == .full, !state.appends, merges {
      after.counts.removed = try writer.deleteOlder(than: state.runFirst, at: control.clock.now())
    }
    after.counts.read += unkeyed.read
    // A short part says nothing of the whole, which is judged when all are there.
    try plan.stopIfTooBad(state.counts, state.rules, unkeyed, isEnd: plan.plan.part == nil)
    after.counts.quarantined += unkeyed.bad
    after.counts.filtered += unkeyed.filtered
    plan.count(unkeyed.rules, in: &after.rules)
    after.phase = .idle
    after.isFilled = true
    after.holdsRows = state.holdsRows || state.counts.delivered > 0
    after.reached = state.horizon ?? state.reached
    after.position = []
    if !hasParts { try clear(batch) }
    let stripes = KeyOrder(RowBatch(capacity: RowBatch.smallest), key: []).stripes()
    try writer.complete()
    try writer.commit(hasParts ? record(batch, 0, unkeyed.bad, 0, stripes) : nil, state: after.text, durable: true)
    state = after
    if hasParts { nextBatch += 1 }
    report(batch)
  }

  private func report(_ batch: Int64) {
    control.progress(
      DeliveryProgress(
        batch: batch, read: state.counts.read, delivered: state.counts.delivered, unchanged: state.counts.unchanged,
        quarantined: state.counts.quarantined, bytes: state.counts.bytes, filtered: state.counts.filtered))
  }

  // MARK: Bad rows

  private func send(_ item: WorkItem, _ batch: Int64, part: Int) throws {
    guard !item.faults.isEmpty || !hasCleared else { return }
    try keep(item.faults.map { rowKeys.bad(item.input.row($0.row), $0) }, batch, part)
  }

  /// A killed attempt may have left rows under the number of the first batch that this one writes.
  private func clear(_ batch: Int64) throws {
    if !hasCleared { try keep([], batch, 0) }
  }

  private func keep(_ rows: [BadRow], _ batch: Int64, _ part: Int) throws {
    hasCleared = true
    try control.keep(
      QuarantinedRows(
        grant: plan.plan.grant, run: plan.plan.run, batch: batch, part: part, rows: rows,
        lastOwn: plan.plan.part?.batches.upperBound ?? .max))
  }

  // MARK: Receipts

  func outcome(_ ending: DeliveryOutcome.Ending) throws -> DeliveryOutcome {
    let last = nextBatch - 1
    // Only the target can say which of its rows are flagged: both sides take its word.
    var counts = state.counts
    if state.first <= last, !state.appends || !merges {
      try writer.indexBatches()
      counts.stale = try writer.countStale(state.first...last)
    }
    let records = try records(last)
    let provider = receipt(
      .provider, last, counts, state.sums,
      records.map {
        Receipt.BatchDigest(batch: $0.batch, rows: $0.delivered, digest: $0.digest)
      })
    guard case .finished = ending else { return DeliveryOutcome(ending: ending, provider: provider) }
    let consumer = try consumer(last, records, stale: counts.stale)
    return DeliveryOutcome(
      ending: ending, provider: provider, consumer: consumer, disagreement: Receipt.compare(provider, consumer))
  }

  /// What both sides say of a part that is finished.
  func delivered(_ part: DeliveryPart) throws -> DeliveredPart {
    let last = nextBatch - 1
    return DeliveredPart(
      part: part, run: plan.plan.run, schema: plan.schemaDigest, provider: state,
      consumer: try readBack(last, records(last)))
  }

  private func records(_ last: Int64) throws(ConnectorError) -> [BatchRecord] {
    state.first <= last ? try writer.batches(state.first...last) : []
  }

  private func consumer(_ last: Int64, _ records: [BatchRecord], stale: Int) throws -> Receipt {
    var counts = Receipt.Counts()
    counts.stale = stale
    counts.quarantined = records.reduce(0) { $0 + $1.quarantined }
    let findings = try readBack(last, records)
    counts.delivered = findings.sums.rowCount
    counts.bytes = findings.bytes
    return receipt(.consumer, last, counts, findings.sums, findings.digests)
  }

  private func readBack(_ last: Int64, _ records: [BatchRecord]) throws -> ReadBack.Findings {
    var back = ReadBack(plan)
    var unread = last
    if let beside, let findings = beside.reading.finish() {
      back.add(findings)
      unread = beside.first - 1
    }
    if state.first <= unread {
      try writer.indexBatches()
      let reader = try writer.readBack(state.first...unread)
      defer { reader.close() }
      try back.run(reader)
    }
    back.complete(records)
    return back.findings
  }

  private func receipt(
    _ side: Receipt.Side, _ last: Int64, _ counts: Receipt.Counts, _ sums: Sums, _ batches: [Receipt.BatchDigest]
  ) -> Receipt {
    plan.receipt(side, of: state, through: last, counts, sums, batches, at: control.clock.now())
  }
}

extension CompiledPlan {
  /// What one side says of the run that this state is of.
  func receipt(
    _ side: Receipt.Side, of state: DeliveryState, through last: Int64, _ counts: Receipt.Counts, _ sums: Sums,
    _ batches: [Receipt.BatchDigest], at now: Instant
  ) -> Receipt {
    var root = SM3()
    for batch in batches { root.update("\(batch.batch) \(batch.digest)\n") }
    return Receipt(
      side: side, grant: plan.grant, run: plan.run, mode: state.mode, schemaDigest: schemaDigest, from: state.from,
      through: state.horizon, firstBatch: state.first, lastBatch: last, counts: counts,
      columns: plan.items.indices.map {
        Receipt.ColumnSum(name: plan.items[$0].name, nulls: sums.nulls[$0], sum: sums.columns[$0].hex)
      }, rowSum: sums.rows.hex, batchRoot: root.finish().hex, batches: batches, startedAt: state.started,
      finishedAt: now, rules: side == .provider ? ruleCounts(state.rules) : [])
  }
}
