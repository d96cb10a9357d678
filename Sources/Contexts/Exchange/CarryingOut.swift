import Audit
import Connecting
import Inbox
import Inventory
package import Jobs
import Kernel
import Sharing
import Storage
package import Transfer

// What a worker does with a delivery. Everything it writes about it is in a transaction that first asks whether the job
// is still this worker's: one that was thought dead and wakes up undoes nothing of its successor's.

extension Exchange {
  /// What must be brought in full before changes can be followed again: the table was lost, the granted items changed, or
  /// nothing is known of where the last run ended.
  private static let needsFull: Set<String> = [
    "contract.no-full-yet", "contract.target-lost", "contract.schema-changed", "contract.no-cursor", "contract.state",
  ]

  /// Carries out the delivery that the job is for; one that has ended stays as it is.
  package func carryOut(
    _ job: Job, report: @escaping @Sendable (DeliveryProgress) async throws -> Void = { _ in }
  ) async throws -> (DeliveryRecord, DeliveryOutcome?) {
    guard let id = DeliveryID(job.payload) else { throw JobFailure.permanent("not a delivery's id") }
    let planned: PlannedDelivery
    do {
      switch try await start(id, job) {
      case .ended(let delivery): return (delivery, nil)
      case .started(let started): planned = started
      }
    } catch let refusal as Refusal where refusal.kind != .notFound {
      return (try await end(id, job, .stop, Cause(refusal)), nil)
    } catch let wait as Wait {
      try await putOff(id, job, wait)
      throw JobFailure.postponed(wait.until, wait.why.english)
    }
    let pulse = DeliveryPulse()
    do {
      let outcome = try await run(planned, id, job, pulse, report)
      return (try await finish(outcome, pulse.times, id, job, planned.grant), outcome)
    } catch let wait as Wait {
      try await putOff(id, job, wait)
      throw JobFailure.postponed(wait.until, wait.why.english)
    } catch let error as ConnectorError where planned.plan.mode == .incremental && Self.needsFull.contains(error.code) {
      try await refill(id, job, why: error.message)
      return try await carryOut(job, report: report)
    } catch let error as ConnectorError where error.kind == .contract {
      _ = try await drifted(id, job, planned, Cause(error))
      throw error
    } catch let error as ConnectorError where error.kind != .fenced {
      _ = try await end(id, job, .fail, Cause(error))
      throw error
    } catch let error as Refusal {
      _ = try await end(id, job, .fail, Cause(error))
      throw error
    } catch let error as StorageError {
      // Our own database: what it is about to be told may not reach it either. It is tried again in any case.
      _ = try? await end(id, job, .fail, Cause.ownTrouble)
      throw error
    }
  }

  private enum Start {
    case started(PlannedDelivery)
    case ended(DeliveryRecord)
  }

  private func start(_ id: DeliveryID, _ job: Job) async throws -> Start {
    let now = clock.now()
    return try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      guard let delivery = try DeliveryStore.find(id, in: tx), let grant = try GrantStore.find(delivery.grant, in: tx)
      else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      if delivery.state == .delivered || delivery.state == .stopped { return .ended(delivery) }
      try sharing.check(grant, on: now.dateInChina, in: tx)
      try checkPause(of: grant.id, in: tx)
      let planned = try plan(grant, delivery, fence: Int64(job.fence), in: tx)
      try requireRoom(for: planned, delivery, at: now, in: tx)
      if planned.plan.mode != delivery.mode, !planned.beginsAnew {
        try DeliveryStore.set(planned.plan.mode, of: id, in: tx)
      }
      try DeliveryStore.apply(.start, to: id, at: now, in: tx)
      return .started(planned)
    }
  }

  /// The delivery becomes a full one, and the log says why.
  private func refill(_ id: DeliveryID, _ job: Job, why: Text) async throws {
    let now = clock.now()
    try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      guard let delivery = try DeliveryStore.find(id, in: tx) else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      try DeliveryStore.set(.full, of: id, in: tx)
      try record("exchange.delivery.refill", delivery, by: .system(), [("reason", why.chinese)], at: now, in: tx)
    }
  }

  private func run(
    _ planned: PlannedDelivery, _ id: DeliveryID, _ job: Job, _ pulse: DeliveryPulse,
    _ report: @escaping @Sendable (DeliveryProgress) async throws -> Void
  ) async throws -> DeliveryOutcome {
    let errand = try Errand(planned, connectors, pulse)
    var plan = planned.plan
    plan.overlap = max(plan.overlap, errand.source.guarantee.overlap)
    plan.changes.beginsAnew = planned.beginsAnew
    if planned.beginsAnew { try await BlockingThread.run { try errand.source.endChanges(planned.grant.id.text) } }
    let done = try await doneParts(of: id)
    let control = control(of: errand, id, job, report) { tx in
      try self.mayMove(planned.grant.id, at: self.clock.now(), in: tx)
    } show: { progress, tx in
      try DeliveryStore.show(progress, pulse.times, of: id, at: self.clock.now(), in: tx)
      return try self.sharers(of: planned, id, in: tx)
    }
    let asked = plan
    return try await errand.run {
      var plan = asked
      plan.onTheWay.references = try await self.reading(planned.references, pulse)
      let delivery = try Delivery(plan, control: control)
      if let done { return try await delivery.gather(done, to: errand.target) }
      try await self.beginParts(delivery, errand, id, job)
      return try await delivery.run(from: errand.source, to: errand.target)
    }
  }

  /// The engine's wires for what moves rows under a grant. `mayMove` is asked before each commit; `show` writes down how far it has
  /// come, a few times a second, and answers how many share the sources.
  func control(
    of errand: Errand, _ id: DeliveryID, _ job: Job,
    _ report: @escaping @Sendable (DeliveryProgress) async throws -> Void,
    mayMove: @escaping @Sendable (any Transaction) throws -> Void,
    show: @escaping @Sendable (DeliveryProgress, any Transaction) throws -> Int
  ) -> DeliveryControl {
    let (database, grant) = (database, errand.planned.grant.id)
    return DeliveryControl(
      check: {
        try await errand.check(at: self.clock.now()) { try await database.read { try mayMove($0) } }
        guard let progress = try await errand.rest(), errand.isToShow() else { return }
        let sharers = try await database.write { tx in
          try JobQueue.requireHeld(job, in: tx)
          return try show(progress, tx)
        }
        errand.pace.share(among: sharers)
        try await report(progress)
      },
      progress: { errand.note($0) },
      quarantine: { rows in
        try await database.write { tx in
          try JobQueue.requireHeld(job, in: tx)
          try DeliveryStore.keep(rows, of: id, grant: grant, in: tx)
        }
      }, clock: clock, pulse: errand.pulse)
  }

  private func finish(
    _ outcome: DeliveryOutcome, _ times: DeliveryPulse.Times, _ id: DeliveryID, _ job: Job, _ grant: Grant
  ) async throws -> DeliveryRecord {
    let now = clock.now()
    return try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      var receipts = [try sign(outcome.provider, for: grant.provider, at: now, in: tx)]
      if let consumer = outcome.consumer { receipts.append(try sign(consumer, for: grant.consumer, at: now, in: tx)) }
      try DeliveryStore.keep(outcome, receipts, times, of: id, in: tx)
      let counts = outcome.provider.counts
      var detail: [(name: String, value: String)] = [
        ("read", "\(counts.read)"), ("delivered", "\(counts.delivered)"), ("unchanged", "\(counts.unchanged)"),
        ("quarantined", "\(counts.quarantined)"), ("stale", "\(counts.stale)"),
        ("filtered", "\(counts.filtered)"), ("removed", "\(counts.removed)"), ("provider", outcome.provider.digest),
      ]
      if let consumer = outcome.consumer { detail.append(("consumer", consumer.digest)) }
      let event: DeliveryRecord.Event
      var cause: Cause?
      switch outcome.ending {
      case .stopped(let refusal):
        event = .stop
        cause = Cause(refusal)
      case .finished:
        if let disagreement = outcome.disagreement {
          event = .fail
          cause = Cause("exchange.disagreement", disagreement.message)
          detail.append(("disagreement", disagreement.subject))
        } else if let refused = Self.allRefused(outcome.provider) {
          event = .fail
          cause = Cause("exchange.all-refused", refused)
        } else {
          event = .deliver
          detail.append(("agrees", "true"))
        }
      }
      try DeliveryStore.apply(event, to: id, cause, at: now, in: tx)
      guard let delivery = try DeliveryStore.find(id, in: tx) else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      if let cause { detail.append(("reason", cause.words.chinese)) }
      try record("exchange.delivery.\(event.rawValue)", delivery, by: .system(), detail, at: now, in: tx)
      if event == .fail {
        try tell(id, at: now, in: tx)
      } else {
        try Inbox.close(subject: "grant-delivery", grant.id.text, by: .system(), at: now, in: tx)
      }
      try conclude(delivery, grant, at: now, in: tx)
      if event == .deliver { try goOn(after: delivery, grant, at: now, in: tx) }
      try compareAgain(after: delivery, grant, at: now, in: tx)
      return delivery
    }
  }

  /// A table read whole of which not one row could be delivered is no delivery, whatever the receipts agree on.
  private static func allRefused(_ receipt: Receipt) -> Text? {
    let counts = receipt.counts
    guard receipt.mode == .full, counts.quarantined > 0, counts.delivered == 0, counts.unchanged == 0 else {
      return nil
    }
    return Text(
      "读到 \(counts.read) 行，\(counts.quarantined) 行不符合约定被隔离，一行也没有送达。请提供部门查看隔离数据，更正数据或规则后再执行。",
      "Of \(counts.read) rows read \(counts.quarantined) were set apart as bad and not one was delivered. The provider looks at them and corrects the data or the rules; then run it again."
    )
  }

  private func end(
    _ id: DeliveryID, _ job: Job, _ event: DeliveryRecord.Event, _ cause: Cause
  ) async throws -> DeliveryRecord {
    let now = clock.now()
    return try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      try DeliveryStore.apply(event, to: id, cause, at: now, in: tx)
      guard let delivery = try DeliveryStore.find(id, in: tx) else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      try record(
        "exchange.delivery.\(event.rawValue)", delivery, by: .system(), [("reason", cause.words.chinese)], at: now,
        in: tx)
      return delivery
    }
  }
}
