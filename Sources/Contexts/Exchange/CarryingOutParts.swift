import Connecting
import Inventory
package import Jobs
package import Kernel
import Sharing
package import Storage
import Synchronization
package import Transfer

// A first full delivery that several workers carry out at the same time. The delivery's own job cuts the table, waits, and gathers;
// each part is a job of its own, taken by whichever worker is free.

extension Exchange {
  /// The kind of job that carries out a part; its payload is the delivery's id and the part's place.
  package static let part = "exchange.part"

  /// After so long the delivery's job looks again, should nobody have woken it.
  private static let look: Duration = .seconds(15)

  private static func partKey(_ id: DeliveryID, _ place: Int) -> String { "part:\(id):\(place)" }

  // MARK: - The whole

  /// Nil where the delivery is carried out as a whole. Throws `Wait` while parts are under way.
  func carryOutInParts(
    _ whole: Delivery, _ errand: Errand, _ id: DeliveryID, _ job: Job
  ) async throws -> DeliveryOutcome? {
    let wanted = errand.planned.task.parts
    guard wanted > 1, whole.plan.mode == .full else { return nil }
    var parts = try await database.read { try PartStore.list(of: id, in: $0) }
    if parts.isEmpty {
      let cut: [DeliveryPart]
      do {
        cut = try await whole.split(into: wanted, from: errand.source, to: errand.target)
      } catch let error as ConnectorError where error.code == "contract.cannot-split" { return nil }
      let (now, priority) = (clock.now(), errand.planned.task.priority.rawValue)
      parts = try await database.write { tx in
        try JobQueue.requireHeld(job, in: tx)
        try PartStore.set(cut, of: id, in: tx)
        for one in cut {
          try JobQueue.enqueue(
            Self.part, payload: "\(id) \(one.index)", dedupe: Self.partKey(id, one.index), priority: priority, at: now,
            in: tx)
        }
        return try PartStore.list(of: id, in: tx)
      }
    }
    if let failed = parts.first(where: { $0.state == .failed }) {
      let cause = failed.cause ?? .lost
      throw ConnectorError(cause.code.hasPrefix("contract.") ? .contract : .permanent, cause.code, cause.words)
    }
    let done = parts.compactMap { $0.result.flatMap { DeliveredPart($0) } }
    guard done.count == parts.count else {
      let read = parts.reduce(0) { $0 + $1.read }
      throw Wait(
        until: clock.now() + Self.look,
        why: Text(
          "分 \(parts.count) 段同时交付，已完成 \(done.count) 段，已读 \(read) 行。",
          "Delivered in \(parts.count) parts at once; \(done.count) are done, \(read) rows read."))
    }
    return try await whole.gather(done, to: errand.target)
  }

  // MARK: - A part

  /// Carries out the part that the job is for. What it comes to is written down, and the delivery's own job is woken.
  package func carryOutPart(
    _ job: Job, report: @escaping @Sendable (DeliveryProgress) async throws -> Void = { _ in }
  ) async throws -> String {
    let words = job.payload.split(separator: " ")
    guard words.count == 2, let id = DeliveryID(words[0]), let place = Int(words[1]) else {
      throw JobFailure.permanent("not a part of a delivery")
    }
    do {
      guard let planned = try await startPart(id, place, job) else { return "over" }
      switch try await runPart(planned, id, place, job, report) {
      case .finished(let delivered):
        try await endPart(.done, result: delivered.text, nil, of: id, place, job)
        return "done"
      case .stopped(let refusal): return try await stopPart(Cause(refusal), id, place, job)
      }
    } catch let wait as Wait {
      try await endPart(.waiting, result: nil, nil, of: id, place, job)
      throw JobFailure.postponed(wait.until, wait.why.english)
    } catch let refusal as Refusal where refusal.kind != .notFound {
      return try await stopPart(Cause(refusal), id, place, job)
    } catch let error as ConnectorError where error.kind != .retryable && error.kind != .fenced {
      return try await stopPart(Cause(error), id, place, job)
    }
  }

  /// In the transaction that ends a part's job without its work.
  package func abandonPart(_ job: Job, at now: Instant, in tx: any Transaction) throws {
    let words = job.payload.split(separator: " ")
    guard words.count == 2, let id = DeliveryID(words[0]), let place = Int(words[1]),
      let one = try PartStore.find(id, place, in: tx), one.state != .done
    else { return }
    try PartStore.set(.failed, .lost, of: id, place, in: tx)
    _ = try JobQueue.hasten(dedupe: Self.key(id), at: now, in: tx)
  }

  /// Nil where the delivery has ended by now, or the part has.
  private func startPart(_ id: DeliveryID, _ place: Int, _ job: Job) async throws -> PlannedDelivery? {
    let now = clock.now()
    return try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      guard let delivery = try DeliveryStore.find(id, in: tx), let grant = try GrantStore.find(delivery.grant, in: tx),
        let one = try PartStore.find(id, place, in: tx)
      else { throw Refusal.notFound(Text("交换分段", "part of a delivery")) }
      guard try isUnderWay(id, in: tx), one.state != .done else { return nil }
      try mayMove(grant.id, at: now, in: tx)
      var planned = try plan(grant, delivery, fence: Int64(job.fence), in: tx)
      planned.plan.part = one.part
      try PartStore.set(.running, of: id, place, in: tx)
      return planned
    }
  }

  /// The delivery has a job that will gather it, though an attempt of that may have failed.
  private func isUnderWay(_ id: DeliveryID, in tx: any Transaction) throws -> Bool {
    try JobQueue.open(dedupe: Self.key(id), in: tx) != nil
  }

  private static let isOver = Refusal(
    .conflict, "exchange.over", Text("该次交换已结束或取消。", "This delivery has ended or was cancelled."))

  private func runPart(
    _ planned: PlannedDelivery, _ id: DeliveryID, _ place: Int, _ job: Job,
    _ report: @escaping @Sendable (DeliveryProgress) async throws -> Void
  ) async throws -> Delivery.PartEnding {
    let (database, grant, pulse) = (database, planned.grant, DeliveryPulse())
    let errand = try Errand(planned, connectors, pulse)
    let shown = Mutex(Instant(milliseconds: 0))
    let control = DeliveryControl(
      check: {
        let moment = self.clock.now()
        try await errand.check(at: moment) {
          try await database.read { tx in
            try self.mayMove(grant.id, at: moment, in: tx)
            guard try self.isUnderWay(id, in: tx) else { throw Self.isOver }
          }
        }
        let now = Clock.system.now()
        guard let progress = try await errand.rest() else { return }
        let isDue = shown.withLock { shown in
          guard now - shown > .milliseconds(400) else { return false }
          shown = now
          return true
        }
        guard isDue else { return }
        let sharers = try await database.write { tx in
          try JobQueue.requireHeld(job, in: tx)
          try PartStore.show(progress, of: id, place, in: tx)
          // The delivery waits while its parts run, so it is not counted among those that do.
          return try self.sharers(of: planned, id, in: tx) - 1 + PartStore.running(of: id, in: tx)
        }
        errand.pace.share(among: sharers)
        try await report(progress)
      },
      progress: { errand.note($0) },
      quarantine: { rows in
        try await database.write { tx in
          try JobQueue.requireHeld(job, in: tx)
          try DeliveryStore.keep(rows, of: id, grant: grant.id, in: tx)
        }
      }, clock: clock, pulse: pulse)
    return try await errand.run {
      var plan = planned.plan
      plan.onTheWay.references = try await self.reading(planned.references, pulse)
      return try await Delivery(plan, control: control).runPart(from: errand.source, to: errand.target)
    }
  }

  /// What ends the delivery, it hears from its own job.
  private func stopPart(_ cause: Cause, _ id: DeliveryID, _ place: Int, _ job: Job) async throws -> String {
    try await endPart(.failed, result: nil, cause, of: id, place, job)
    return "failed: \(cause.words.english)"
  }

  private func endPart(
    _ state: PartRecord.State, result: String?, _ cause: Cause?, of id: DeliveryID, _ place: Int, _ job: Job
  ) async throws {
    let now = clock.now()
    try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      try PartStore.set(state, result: result, cause, of: id, place, in: tx)
      if state != .waiting { _ = try JobQueue.hasten(dedupe: Self.key(id), at: now, in: tx) }
    }
  }
}
