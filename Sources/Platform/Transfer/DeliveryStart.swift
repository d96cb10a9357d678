import Connecting
import Kernel

/// Where a run begins, from what the target remembers of its stream.
struct DeliveryStart {
  var state: DeliveryState
  /// What to read.
  var range: ReadPlan.Range
  /// The number of the first batch to be written.
  var next: Int64
  /// Nothing is left to do: the run's last commit was made, only its outcome was not heard of.
  var isComplete = false

  /// Of a whole delivery.
  init(
    _ plan: CompiledPlan, _ control: DeliveryControl, _ writer: any RowWriter, _ stored: StoredOffset?,
    _ overlap: Duration, merges: Bool
  ) throws {
    let split = stored.flatMap { SplitState($0.state) }
    let columns = plan.plan.items.count
    let previous: DeliveryState?
    do {
      previous = try stored.map { try DeliveryState($0.state, columns: columns) }
    } catch {
      // A full run begins anew whatever stands there.
      guard plan.plan.mode == .full else { throw error }
      previous = nil
    }
    // Behind every number that was given, and behind those that only parts of a delivery used, which left no trace.
    next = max((stored?.batch ?? 0) + 1, previous?.first ?? 0, split.map { $0.last + 1 } ?? 0)
    if let previous, previous.phase == .idle, previous.run == plan.plan.run, previous.mode == plan.plan.mode,
      previous.schema == plan.schemaDigest
    {
      (state, range, isComplete) = (previous, .full(after: nil), true)
      return
    }
    switch plan.plan.mode {
    case .full:
      if let previous, previous.phase == .filling, previous.run == plan.plan.run, previous.schema == plan.schemaDigest {
        (state, range) = (previous, .full(after: previous.position.isEmpty ? nil : previous.position))
        try writer.begin(.whole(goesOn: true))
        return
      }
      state = Self.fresh(plan, control, first: next, previous)
      state.phase = .filling
      range = .full(after: nil)
      guard split != nil else {
        // Where a run takes the place of what was there, it meets none of its rows.
        state.appends = try !merges || writer.isEmpty()
        try writer.begin(.whole(goesOn: false))
        return
      }
      // Parts that were never gathered: no receipt covers their rows, and none of their workers may add to them.
      try writer.dropParts()
      _ = try writer.deleteAll(at: nil)
      state.appends = true
      try writer.commit(nil, state: state.text, durable: true)
    case .incremental:
      guard let previous, previous.isFilled, previous.phase != .filling else {
        throw ConnectorError.contract("no-full-yet", "增量交付之前须先完成一次全量交付。", "A full delivery must be completed first.")
      }
      // Somebody dropped or emptied the table since: what is remembered of it is true no more.
      guard try !previous.holdsRows || !writer.isEmpty() else {
        throw ConnectorError.contract(
          "target-lost", "接收表被清空或重建过，须重新全量交付。",
          "The target table was emptied or made anew: a new full delivery is needed.")
      }
      guard previous.schema == plan.schemaDigest else {
        throw ConnectorError.contract(
          "schema-changed", "授权的信息项或遮盖方式已变更，须重新全量交付。",
          "The granted items or masks have changed: a new full delivery is needed.")
      }
      guard let reached = previous.reached else {
        throw ConnectorError.contract(
          "no-cursor", "上次交付没有游标位点，须重新全量交付。", "The last delivery has no cursor: a new full one is needed.")
      }
      state = Self.fresh(plan, control, first: next, previous)
      state.phase = .changing
      state.holdsRows = previous.holdsRows
      // An interrupted run, this one or one that was given up, left rows that no receipt covers, and so did one that ended
      // without being heard of: they are read again and signed for here.
      let isUnsigned = previous.phase == .changing || previous.isUnheard(by: plan.plan)
      guard !isUnsigned || previous.mode == .incremental else {
        throw ConnectorError.contract(
          "no-full-yet", "上次全量交付的回执未收到，须重新全量交付。",
          "The last full delivery's receipts were not heard of: it must be made again.")
      }
      if isUnsigned { state.runFirst = previous.runFirst }
      var from = Self.earlier(Self.step(reached, back: overlap), plan.plan.since)
      if isUnsigned { from = Self.earlier(from, previous.from) }
      state.from = from
      range = .incremental(above: from)
      try writer.begin(.changes)
    case .changes: throw ConnectorError.contract("mode", "变更跟踪由另一过程执行。", "Changes are followed by another session.")
    }
  }

  /// Of a part, whose stream only ever knows the one run.
  init(
    part: DeliveryPart, _ plan: CompiledPlan, _ control: DeliveryControl, _ stored: StoredOffset?
  ) throws(ConnectorError) {
    next = max((stored?.batch ?? 0) + 1, part.batches.lowerBound)
    guard let stored else {
      state = Self.fresh(plan, control, first: next, nil)
      (state.phase, state.appends) = (.filling, true)
      range = .full(after: part.after)
      return
    }
    state = try DeliveryState(stored.state, columns: plan.plan.items.count)
    guard state.run == plan.plan.run, state.schema == plan.schemaDigest else { throw .otherPart }
    isComplete = state.phase == .idle
    range = .full(after: state.position.isEmpty ? part.after : state.position)
  }

  private static func fresh(
    _ plan: CompiledPlan, _ control: DeliveryControl, first: Int64, _ previous: DeliveryState?
  ) -> DeliveryState {
    DeliveryState(
      phase: .idle, run: plan.plan.run, mode: plan.plan.mode, schema: plan.schemaDigest, appends: false, first: first,
      runFirst: first, reached: previous?.reached, isFilled: previous?.isFilled ?? false, started: control.clock.now(),
      sums: Sums(columns: plan.plan.items.count))
  }

  /// How far before the last horizon an incremental run reads again.
  private static func step(_ reached: CursorValue, back overlap: Duration) -> CursorValue {
    switch reached {
    case .timestamp(let time): .timestamp(time - overlap.inMilliseconds * 1000)
    case .integer(let number): .integer(number.subtractingReportingOverflow(integerOverlap).partialValue)
    }
  }

  private static func earlier(_ from: CursorValue, _ since: CursorValue?) -> CursorValue {
    switch (from, since) {
    case (.timestamp(let from), .timestamp(let since)?): .timestamp(min(from, since))
    case (.integer(let from), .integer(let since)?): .integer(min(from, since))
    default: from
    }
  }

  /// Numbers taken from a sequence become visible out of order by at most this many.
  private static let integerOverlap: Int64 = 10_000
}
