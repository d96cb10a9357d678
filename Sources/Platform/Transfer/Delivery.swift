import CStripes
package import Connecting
import Kernel

/// Executes one delivery plan.
package struct Delivery: Sendable {
  package let plan: DeliveryPlan
  package let control: DeliveryControl
  let compiled: CompiledPlan

  /// Throws a contract error when the plan contradicts itself.
  package init(_ plan: DeliveryPlan, control: DeliveryControl) throws(ConnectorError) {
    self.plan = plan
    self.control = control
    compiled = try CompiledPlan(plan, on: control.clock.today)
  }

  /// Runs to the end, a stop, or an error; safe to run again after any of them, with a greater fence.
  ///
  /// Reads on one thread of its own and writes on another; the caller only waits. An interrupted full run goes on where
  /// it was when it is run again under the same run id, an interrupted incremental run starts over.
  package func run(from source: any Connector, to target: any Connector) async throws -> DeliveryOutcome {
    guard plan.part == nil else { throw Self.isPart }
    if plan.mode == .changes { return try await follow(source, to: target) }
    return try await BlockingThread.run {
      defer { sj_return_memory() }
      let compiled = compiled(for: target)
      let writer = try open(compiled, target)
      defer { writer.close() }
      let start = try DeliveryStart(
        compiled, control, writer, try writer.open(), overlap(with: source), merges: target.guarantee.merges)
      return try carryOut(start, compiled, writer, source, target) { session, ending in try session.outcome(ending) }
    }
  }

  func compiled(for target: any Connector) -> CompiledPlan {
    var compiled = compiled
    let able = target.guarantee
    compiled.longestKey = able.longestKey ?? Int.max
    compiled.batchBytes = min(plan.batchBytes, able.largestBatch ?? .max)
    compiled.needsWholeRows = compiled.needsWholeRows || !able.merges
    return compiled
  }

  func open(_ compiled: CompiledPlan, _ target: any Connector) throws(ConnectorError) -> WatchedWriter {
    try WatchedWriter(control.pulse) { () throws(ConnectorError) in try target.openWriter(compiled.writePlan) }
  }

  /// From where a run begins to what `conclude` makes of its end.
  func carryOut<Conclusion>(
    _ start: DeliveryStart, _ compiled: CompiledPlan, _ writer: any RowWriter, _ source: any Connector,
    _ target: any Connector, conclude: (DeliverySession, DeliveryOutcome.Ending) throws -> Conclusion
  ) throws -> Conclusion {
    let session = DeliverySession(compiled, control, writer, start, target.guarantee)
    if start.isComplete { return try conclude(session, .finished) }
    try session.readBackBeside(target)
    defer { session.stopReadingBack() }
    let queue = BatchQueue { WorkItem(batchBytes: compiled.batchBytes) }
    let (range, appends, pulse) = (start.range, session.state.appends, control.pulse)
    BlockingThread.start { BatchProducer(compiled, range, appends, queue, pulse).run(source) }
    do {
      return try conclude(session, try session.run(queue))
    } catch {
      // The reading thread must be gone before the caller may start another attempt.
      queue.cancel()
      queue.waitForProducer()
      throw error
    }
  }

  /// As `run`, for changes: until the run's end, going on where the stream was. A source that has forgotten it is read
  /// anew beside its changes.
  private func follow(_ source: any Connector, to target: any Connector) async throws -> DeliveryOutcome {
    guard target.guarantee.receivesChanges else {
      throw ConnectorError.contract(
        "no-changes", "接收方是文件，不能按变更持续更新；请改用全量或增量。",
        "The target is files, which cannot be kept up to date by changes: deliver in full or incrementally.")
    }
    return try await BlockingThread.run {
      defer { sj_return_memory() }
      let compiled = compiled(for: target)
      let writer = try open(compiled, target)
      defer { writer.close() }
      var stored = try writer.open()
      var beginsAnew = plan.changes.beginsAnew
      var lostAt: Int64?
      while true {
        do {
          return try follow(source, compiled, writer, stored, beginsAnew: beginsAnew)
        } catch let error as ConnectorError where error == .changesLost {
          // What was committed since it was opened counts: the table read anew comes after it.
          stored = try writer.open()
          beginsAnew = true
          // A source that forgets before anything of it was delivered would be read for ever.
          let reached = stored?.batch ?? 0
          guard lostAt != reached else { throw error }
          lostAt = reached
        }
      }
    }
  }

  private func follow(
    _ source: any Connector, _ compiled: CompiledPlan, _ writer: any RowWriter, _ stored: StoredOffset?,
    beginsAnew: Bool
  ) throws -> DeliveryOutcome {
    let session = try ChangeSession(compiled, control, writer, stored, beginsAnew: beginsAnew)
    if session.isComplete { return try session.outcome(.finished) }
    let queue = BatchQueue { ChangeItem(batchBytes: compiled.batchBytes) }
    let confirmed = Monitor<[UInt8]?>(nil)
    let producer = ChangeProducer(
      plan: compiled, log: session.log, snapshot: session.state.snapshot, queue: queue, confirmed: confirmed,
      pulse: control.pulse)
    BlockingThread.start { producer.run(source) }
    do {
      return try session.run(queue) { log in confirmed.change { $0 = log } }
    } catch {
      queue.cancel()
      queue.waitForProducer()
      throw error
    }
  }

  /// Never less than what the source's connector needs.
  private func overlap(with source: any Connector) -> Duration { max(plan.overlap, source.guarantee.overlap) }
}
