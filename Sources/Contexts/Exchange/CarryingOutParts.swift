import Connecting
import Inventory
package import Jobs
package import Kernel
import Sharing
package import Storage
package import Transfer

// A first full delivery that several workers carry out at the same time. The delivery's own job cuts the table, waits, and gathers;
// each part is a job of its own, taken by whichever worker is free.

extension Exchange {
  /// The kind of job that carries out a part; its payload is the delivery's id and the part's place.
  package static let part = "exchange.part"

  /// After so long the delivery's job looks again, should nobody have woken it.
  private static let look: Duration = .seconds(15)

  // MARK: - The whole

  /// The source as it is when its table is cut is what all parts read, where it can be kept (`Connector.openView`); a delivery whose
  /// views were lost so often reads each part as it is when its worker begins.
  private static let mostViewsLost = 2

  /// What the delivery's parts came to, when all of them are done; nil where it has none, or they can no longer read the source as of
  /// one moment and are to be cut anew. Throws `Wait` while some are under way, and what one failed of.
  func doneParts(of id: DeliveryID) async throws -> [DeliveredPart]? {
    let parts = try await database.read { try PartStore.list(of: id, in: $0) }
    guard !parts.isEmpty, !parts.contains(where: \.hasLostView) else { return nil }
    if let failed = parts.first(where: { $0.state == .failed }) {
      let cause = failed.cause ?? .lost
      throw ConnectorError(cause.code.hasPrefix("contract.") ? .contract : .permanent, cause.code, cause.words)
    }
    let done = parts.compactMap { $0.result.flatMap { DeliveredPart($0) } }
    if done.count < parts.count { throw waiting(for: parts) }
    return done
  }

  private func waiting(for parts: [PartRecord]) -> Wait {
    let (done, read) = (parts.count { $0.state == .done }, parts.reduce(0) { $0 + $1.read })
    let isOneView = parts.first?.part.view != nil
    return Wait(
      until: clock.now() + Self.look,
      why: Text(
        "分 \(parts.count) 段同时交付\(isOneView ? "（各段读取同一时刻的数据）" : "")，已完成 \(done) 段，已读 \(read) 行。",
        "Delivered in \(parts.count) parts at once\(isOneView ? ", all as of one moment" : ""); \(done) are done, \(read) rows read."
      ))
  }

  /// Cuts the delivery into parts and throws `Wait` for them; returns where it is to be carried out as a whole.
  func beginParts(_ whole: Delivery, _ errand: Errand, _ id: DeliveryID, _ job: Job) async throws {
    let task = errand.planned.task
    guard task.parts > 1, whole.plan.mode == .full else { return }
    let before = try await database.read { try PartStore.list(of: id, in: $0) }
    let lost = (before.first?.viewsLost ?? 0) + (before.contains(where: \.hasLostView) ? 1 : 0)
    let source = errand.source
    let view = lost < Self.mostViewsLost ? try await BlockingThread.run { try source.openView() } : nil
    let cut: [DeliveryPart]
    do {
      cut = try await whole.split(into: task.parts, from: source, to: errand.target, in: view?.name)
    } catch {
      view?.close()
      if let error = error as? ConnectorError, error.code == "contract.cannot-split" { return }
      throw error
    }
    if let view { hold(view, for: id) }
    let now = clock.now()
    let parts = try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      try PartStore.set(cut, viewsLost: lost, of: id, in: tx)
      for one in cut {
        try JobQueue.enqueue(
          Self.part, payload: "\(id) \(one.index)", dedupe: "part:\(id):\(one.index)", priority: task.priority.rawValue,
          at: now, in: tx)
      }
      return try PartStore.list(of: id, in: tx)
    }
    throw waiting(for: parts)
  }

  /// In this process, until the parts are read or others have taken their place.
  private func hold(_ view: any SourceView, for id: DeliveryID) {
    let name = view.name
    views.hold(view, for: id) { [database] in
      try await database.read { tx in
        let parts = try PartStore.list(of: id, in: tx)
        // Before they are written down, nobody can have read them.
        guard let first = parts.first, first.part.view == name else { return false }
        guard try JobQueue.open(dedupe: Self.key(id), in: tx) != nil else { return false }
        return parts.contains { $0.state == .waiting || $0.state == .running }
      }
    }
  }

  // MARK: - A part

  /// Carries out the part that the job is for. What it comes to is written down, and the delivery's own job is woken.
  package func carryOutPart(
    _ job: Job, report: @escaping @Sendable (DeliveryProgress) async throws -> Void = { _ in }
  ) async throws -> String {
    guard let (id, place) = Self.place(of: job) else { throw JobFailure.permanent("not a part of a delivery") }
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
    guard let (id, place) = Self.place(of: job), let one = try PartStore.find(id, place, in: tx), one.state != .done
    else { return }
    try PartStore.set(.failed, .lost, of: id, place, in: tx)
    _ = try JobQueue.hasten(dedupe: Self.key(id), at: now, in: tx)
  }

  private static func place(of job: Job) -> (DeliveryID, Int)? {
    let words = job.payload.split(separator: " ")
    guard words.count == 2, let id = DeliveryID(words[0]), let place = Int(words[1]) else { return nil }
    return (id, place)
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
    let errand = try Errand(planned, connectors, DeliveryPulse())
    let control = control(of: errand, id, job, report) { tx in
      try self.mayMove(planned.grant.id, at: self.clock.now(), in: tx)
      guard try self.isUnderWay(id, in: tx) else { throw Self.isOver }
    } show: { progress, tx in
      try PartStore.show(progress, of: id, place, in: tx)
      // The delivery waits while its parts run, so it is not counted among those that do.
      return try self.sharers(of: planned, id, in: tx) - 1 + PartStore.running(of: id, in: tx)
    }
    return try await errand.run {
      var plan = planned.plan
      plan.onTheWay.references = try await self.reading(planned.references, errand.pulse)
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
