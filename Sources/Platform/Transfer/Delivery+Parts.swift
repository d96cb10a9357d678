import CStripes
package import Connecting
package import Kernel

// A first full delivery of a large table, carried out in parts by several workers:
//
//   1. `split` cuts the table and gives the parts; the target remembers them.
//   2. Each part is a delivery of the same plan with `part` set and a fence of its own, carried out by `runPart`, by
//      whomever and in whatever order.
//   3. `gather` makes of what the parts gave one outcome, as if one run had done it.
//
// A run of the whole (`run`), under whatever run id, takes the place of parts that were not gathered and begins anew.

extension Delivery {
  package enum PartEnding: Sendable {
    case finished(DeliveredPart)
    /// As `DeliveryOutcome.Ending.stopped`; the part goes on when it is carried out again.
    case stopped(Refusal)
  }

  /// Cuts the delivery into at most `count` parts, of about equal length, all of which read in `view` where one is given. The
  /// same run split again in the same view gives the same parts; in another, new ones in their place.
  ///
  /// Throws `contract.cannot-split`, before anything is written, where the delivery is better run as a whole: the target
  /// has rows, source or target know no parts, the table is too short, or this run has begun as a whole already.
  package func split(
    into count: Int, from source: any Connector, to target: any Connector, in view: String? = nil
  ) async throws -> [DeliveryPart] {
    guard plan.mode == .full, plan.part == nil, DeliveryPart.counts.contains(count) else {
      throw Self.cannotSplit("只有全量交付可以分为 2 至 64 段。", "A full delivery may be split into 2 to 64 parts.")
    }
    return try await BlockingThread.run {
      let compiled = compiled(for: target)
      let writer = try open(compiled, target)
      defer { writer.close() }
      let stored = try writer.open()
      let before = stored.flatMap { SplitState($0.state) }
      if let before, before.run == plan.run, before.schema == compiled.schemaDigest, before.view == view {
        return before.parts
      }
      let start = try? stored.map { try DeliveryState($0.state, columns: plan.items.count) }
      if let start, start.run == plan.run {
        throw Self.cannotSplit("该次交付已整体开始。", "This delivery has begun as a whole.")
      }
      // Rows of parts that were given up go with them.
      guard try before != nil || writer.isEmpty() else {
        throw Self.cannotSplit("接收表已有数据。", "The target has rows.")
      }
      let cuts = try control.pulse.measuring(\.source) { () throws(ConnectorError) in
        try source.cut(compiled.readPlan(.full(after: nil)), into: count)
      }
      guard !cuts.isEmpty else { throw Self.cannotSplit("源表不能按主键分段。", "The source's table cannot be cut.") }
      let first = max((stored?.batch ?? 0) + 1, start?.first ?? 0, before.map { $0.last + 1 } ?? 0)
      let split = SplitState(run: plan.run, schema: compiled.schemaDigest, first: first, cuts: cuts, view: view)
      // Over no rows it costs nothing. Later it would stop all parts to be built, and without it each would look through all
      // the others' rows for its own.
      try writer.indexBatches()
      do throws(ConnectorError) {
        try writer.dropParts()
      } catch {
        writer.rollback()
        guard error.kind == .contract else { throw error }
        throw Self.cannotSplit(error.message.chinese, error.message.english)
      }
      if before != nil { _ = try writer.deleteAll(at: nil) }
      try writer.commit(nil, state: split.text, durable: true)
      return split.parts
    }
  }

  /// Carries out the part that the plan has; as `run`, safe to run again with a greater fence, also when it had finished.
  /// Throws `.fenced` once the whole was gathered or begun anew.
  package func runPart(from source: any Connector, to target: any Connector) async throws -> PartEnding {
    guard let part = plan.part else {
      throw ConnectorError.contract("no-part", "该计划不是一个分段。", "This plan is no part of a delivery.")
    }
    return try await BlockingThread.run {
      defer { sj_return_memory() }
      let compiled = compiled(for: target)
      let writer = try open(compiled, target)
      defer { writer.close() }
      let stored = try writer.openPart { (whole) throws(ConnectorError) in
        guard let split = whole.flatMap({ SplitState($0.state) }), split.run == plan.run,
          split.schema == compiled.schemaDigest, split.parts.contains(part)
        else { throw .otherPart }
      }
      let start = try DeliveryStart(part: part, compiled, control, stored)
      return try carryOut(start, compiled, writer, source, target) { session, ending in
        switch ending {
        case .finished: .finished(try session.delivered(part))
        case .stopped(let refusal): .stopped(refusal)
        }
      }
    }
  }

  /// Makes one delivery of all its parts: one outcome with both receipts, one line and one list of batches in the target.
  /// Nothing of a part is written after it. Safe to run again, and then the same: with a fence not below that of `split`.
  ///
  /// Throws `contract.parts-missing`, with nothing changed, when not every part is given; `data.too-many-bad` and the like
  /// when the whole has too many bad rows; what `check` throws; `.fenced` when the whole was begun anew.
  package func gather(_ parts: [DeliveredPart], to target: any Connector) async throws -> DeliveryOutcome {
    let parts = parts.sorted { $0.part.index < $1.part.index }
    guard plan.mode == .full, plan.part == nil, let count = parts.first?.part.count,
      parts.map(\.part.index) == Array(0..<count),
      parts.allSatisfy({ $0.run == plan.run && $0.schema == compiled.schemaDigest && $0.provider.phase == .idle })
    else {
      throw ConnectorError.contract(
        "parts-missing", "各分段尚未全部交付，不能汇总。", "Not every part of this delivery is there: they cannot be gathered.")
    }
    try await control.check()
    return try await BlockingThread.run {
      let compiled = compiled(for: target)
      let writer = try open(compiled, target)
      defer { writer.close() }
      let state = DeliveryState(gathering: parts.map(\.provider), of: plan.run)
      let stored = try writer.open()
      if stored?.state != state.text {
        guard let split = stored.flatMap({ SplitState($0.state) }), split.run == plan.run,
          split.parts == parts.map(\.part)
        else { throw ConnectorError.otherPart }
        try compiled.stopIfTooBad(state.counts, state.rules, isEnd: true)
        let states = parts.map { (WritePlan.partStream($0.part.index, of: plan.grant), $0.provider.text) }
        try writer.gatherParts(Dictionary(uniqueKeysWithValues: states))
        try writer.commit(nil, state: state.text, durable: true)
      }
      return try outcome(parts, state, compiled, try writer.batches(state.first...(.max)))
    }
  }

  private func outcome(
    _ parts: [DeliveredPart], _ state: DeliveryState, _ compiled: CompiledPlan, _ records: [BatchRecord]
  ) throws -> DeliveryOutcome {
    var found = ReadBack.Findings(sums: Sums(columns: plan.items.count))
    for part in parts { found += part.consumer }
    found.digests.sort { $0.batch < $1.batch }
    var counts = Receipt.Counts()
    counts.quarantined = records.reduce(0) { $0 + $1.quarantined }
    (counts.delivered, counts.bytes) = (found.sums.rowCount, found.bytes)
    let (last, now) = (records.last?.batch ?? state.first - 1, control.clock.now())
    let digests = records.map { Receipt.BatchDigest(batch: $0.batch, rows: $0.delivered, digest: $0.digest) }
    let provider = compiled.receipt(
      .provider, of: state, through: last, state.counts, state.sums, digests, at: now)
    let consumer = compiled.receipt(
      .consumer, of: state, through: last, counts, found.sums, found.digests, at: now)
    return DeliveryOutcome(
      ending: .finished, provider: provider, consumer: consumer, disagreement: Receipt.compare(provider, consumer))
  }

  static var isPart: ConnectorError {
    .contract("is-part", "分段须以分段方式执行。", "A part of a delivery is not run as a whole.")
  }

  private static func cannotSplit(_ chinese: String, _ english: String) -> ConnectorError {
    .contract("cannot-split", "不能分段交付：\(chinese)", "This delivery cannot be split: \(english)")
  }
}
