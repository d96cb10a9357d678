import Connecting
import Inbox
import Inventory
package import Jobs
package import Kernel
import NationalCrypto
package import Sharing
package import Storage
import Transfer

// Both sides of a grant compared: asked for, carried out by a worker, told, and mended by bringing everything anew.

extension Exchange {
  /// The kind of job that compares; its payload is the comparison's id.
  package static let comparing = "exchange.compare"
  /// The kind of job that a schedule makes; its payload is the grant's id.
  package static let comparingTurn = "exchange.compare.turn"

  static func comparisonSchedule(of grant: GrantID) -> String { "compare:\(grant)" }
  private static func comparisonKey(_ grant: GrantID) -> String { "compare:\(grant)" }

  // MARK: - Asking

  /// Queues a comparison; one that is under way is answered instead of a second.
  package func compare(_ id: GrantID, by principal: Principal) async throws -> Comparison {
    try principal.require(.exchangeRun)
    let grant = try await sharing.grant(id, for: principal)
    let now = clock.now()
    return try await database.write { tx in
      try mayMove(grant.id, at: now, in: tx)
      guard try isComparable(grant, in: tx) else { throw Self.cannotCompare }
      return try queueComparison(of: grant, by: principal, at: now, in: tx)
    }
  }

  /// Whether the target's rows can be read at any time: a system that is told by messages keeps them for itself.
  func isComparable(_ grant: Grant, in tx: any Transaction) throws -> Bool {
    let target = try InventoryStore.source(grant.targetSource, in: tx)
    return target.flatMap { connectors.kind($0.kind) }?.guarantee.reads ?? true
  }

  static let cannotCompare = Refusal(
    .conflict, "exchange.compare.unreadable",
    Text(
      "接收系统由消息写入，不能读回比对；送达了什么，以每次交换的回执为准。",
      "The receiving system is told by messages and cannot be read back; what arrived is in each delivery's receipts."))

  /// What a schedule does: nothing where nothing may move.
  package func takeComparingTurn(_ id: GrantID) async throws {
    let now = clock.now()
    try await database.write { tx in
      guard let grant = try GrantStore.find(id, in: tx) else { return }
      do {
        try mayMove(id, at: now, in: tx)
        // Before anything was delivered everything is missing, as everybody knows.
        guard try DeliveryStore.hasDelivered(id, in: tx), try isComparable(grant, in: tx) else { return }
        _ = try queueComparison(of: grant, by: .system(), at: now, in: tx)
      } catch let refusal as Refusal {
        if ["sharing.grant.revoked", "sharing.grant.expired"].contains(refusal.code) {
          try JobSchedule.remove(Self.comparisonSchedule(of: id), in: tx)
        }
      }
    }
  }

  private func queueComparison(
    of grant: Grant, by principal: Principal, at now: Instant, in tx: any Transaction
  ) throws -> Comparison {
    if let last = try ComparisonStore.last(of: grant.id, in: tx),
      try JobQueue.open(dedupe: Self.comparisonKey(grant.id), in: tx) != nil
    {
      _ = try JobQueue.hasten(dedupe: Self.comparisonKey(grant.id), at: now, in: tx)
      return last
    }
    let one = Comparison(
      id: .make(at: now), grant: grant.id, state: .queued, askedBy: principal.name, createdAt: now)
    try ComparisonStore.insert(one, in: tx)
    try JobQueue.enqueue(
      Self.comparing, payload: one.id.text, dedupe: Self.comparisonKey(grant.id),
      priority: TaskStore.find(grant.id, in: tx).priority.rawValue, at: now, in: tx)
    try recordTask("exchange.compare.ask", grant, by: principal, [], at: now, in: tx)
    return one
  }

  /// Everything is brought anew, which corrects what differs and removes what is too much; then both sides are compared again.
  package func repair(_ id: ComparisonID, by principal: Principal) async throws -> DeliveryRecord {
    try principal.require(.exchangeRun)
    let now = clock.now()
    return try await database.write { tx in
      guard let one = try ComparisonStore.find(id, in: tx), let grant = try GrantStore.find(one.grant, in: tx),
        Sharing.sees(grant, principal)
      else { throw Self.noComparison }
      guard one.state == .differs, one.repair == nil else {
        throw Refusal(
          .conflict, "exchange.compare.state",
          Text("没有可修复的差异，或已在修复。", "There is nothing to mend, or it is being mended."))
      }
      try sharing.check(grant, on: now.dateInChina, in: tx)
      if grant.frequency != .continuous { try requireRest(of: grant.id, in: tx) }
      let delivery = try queue(grant.id, trigger: "person", isFull: true, by: principal, at: now, in: tx)
      try ComparisonStore.set(repair: delivery.id, of: id, in: tx)
      try recordTask("exchange.compare.repair", grant, by: principal, [], at: now, in: tx)
      return delivery
    }
  }

  static let noComparison = Refusal.notFound(Text("对账", "comparison"))

  /// A delivery that was to mend what differed has ended: what came of it is looked at.
  func compareAgain(after delivery: DeliveryRecord, _ grant: Grant, at now: Instant, in tx: any Transaction) throws {
    guard delivery.state == .delivered, try !ComparisonStore.repaired(by: delivery.id, in: tx).isEmpty,
      (try? mayMove(grant.id, at: now, in: tx)) != nil
    else { return }
    _ = try queueComparison(of: grant, by: .system(), at: now, in: tx)
  }

  // MARK: - Seeing

  /// Whether one may see the keys of what differs: the two offices whose data it is, nobody of the platform's.
  package static func opensDifferences(_ grant: Grant, _ principal: Principal) -> Bool {
    principal.may(.exchangeRun) && [grant.provider, grant.consumer].contains(principal.organisation)
  }

  /// Where the sides differ, by their keys as delivered; that it was looked at stands in the log.
  package func differences(
    _ id: ComparisonID, by principal: Principal
  ) async throws -> (comparison: Comparison, ranges: [Comparison.Range]) {
    let now = clock.now()
    return try await database.write { tx in
      guard let one = try ComparisonStore.find(id, in: tx), let grant = try GrantStore.find(one.grant, in: tx),
        Self.opensDifferences(grant, principal)
      else { throw Self.noComparison }
      try recordTask("exchange.compare.open", grant, by: principal, [], at: now, in: tx)
      guard let sealed = try ComparisonStore.ranges(of: id, in: tx) else { return (one, []) }
      let written = try Sealed.open(sealed, key: differencesKey, context: id.text)
      return (one, try CSV.parse(String(decoding: written, as: UTF8.self)).compactMap(Comparison.Range.init(fields:)))
    }
  }

  private var differencesKey: [UInt8] { deriveKey(from: nodeKey, use: "differences found by comparing") }

  // MARK: - Carrying out

  /// Compares; one that has ended stays as it is.
  package func carryOutComparison(
    _ job: Job, report: @escaping @Sendable (_ rows: Int) async throws -> Void = { _ in }
  ) async throws -> Comparison {
    guard let id = ComparisonID(job.payload) else { throw JobFailure.permanent("not a comparison's id") }
    do {
      guard let planned = try await startComparison(id, job) else { return try await comparison(id) }
      let found = try await compare(planned, job, report)
      return try await keep(found, id, job, planned.grant)
    } catch let wait as Wait {
      try await set(.queued, wait.why, of: id, job)
      throw JobFailure.postponed(wait.until, wait.why.english)
    } catch let error as ConnectorError {
      try await set(.failed, error.message, of: id, job)
      throw error.kind == .retryable ? error : JobFailure.permanent(error.message.english)
    } catch let refusal as Refusal where refusal.kind != .notFound {
      try await set(.failed, refusal.message, of: id, job)
      throw JobFailure.permanent(refusal.message.english)
    }
  }

  /// In the transaction that ends the job without its work.
  package func abandonComparison(_ job: Job, at now: Instant, in tx: any Transaction) throws {
    guard let id = ComparisonID(job.payload), let one = try ComparisonStore.find(id, in: tx), one.state.isOpen else {
      return
    }
    let lost = Text("工作进程多次中断，请再次发起比对。", "Worker after worker was lost; have it compared again.")
    try ComparisonStore.set(.failed, lost, of: id, at: now, in: tx)
  }

  private func comparison(_ id: ComparisonID) async throws -> Comparison {
    guard let one = try await database.read({ try ComparisonStore.find(id, in: $0) }) else { throw Self.noComparison }
    return one
  }

  /// Nil where there is nothing to do any more.
  private func startComparison(_ id: ComparisonID, _ job: Job) async throws -> PlannedDelivery? {
    let now = clock.now()
    return try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      guard let one = try ComparisonStore.find(id, in: tx), let grant = try GrantStore.find(one.grant, in: tx) else {
        throw Self.noComparison
      }
      if one.state == .agrees || one.state == .differs { return nil }
      try mayMove(grant.id, at: now, in: tx)
      // What is followed is never at rest; anything else is compared when it is.
      if grant.frequency != .continuous,
        try DeliveryStore.list(grant: grant.id, limit: 1, in: tx).first?.state == .running
      {
        throw Wait(
          until: now + .seconds(20),
          why: Text("有一次交换正在进行，结束后比对。", "A delivery is under way; compared when it has ended."))
      }
      let delivery = DeliveryRecord(
        id: DeliveryID(id.text) ?? .make(at: now), grant: grant.id, mode: .full, state: .queued, trigger: "compare",
        askedBy: one.askedBy, createdAt: now)
      let planned = try plan(grant, delivery, fence: Int64(job.fence), in: tx)
      try requireRoom(for: planned, delivery, at: now, in: tx)
      try ComparisonStore.set(.running, nil, of: id, at: now, in: tx)
      return planned
    }
  }

  private func compare(
    _ planned: PlannedDelivery, _ job: Job, _ report: @escaping @Sendable (Int) async throws -> Void
  ) async throws -> ReconciliationReport {
    let (database, grant, pulse) = (database, planned.grant, DeliveryPulse())
    let errand = try Errand(planned, connectors, pulse)
    let control = DeliveryControl(
      check: {
        let moment = self.clock.now()
        try await errand.check(at: moment) {
          try await database.read { tx in
            try self.mayMove(grant.id, at: moment, in: tx)
            try JobQueue.requireHeld(job, in: tx)
          }
        }
        if let progress = try await errand.rest() { try await report(progress.read) }
      },
      progress: { errand.note($0) }, quarantine: { _ in }, clock: clock, pulse: pulse)
    return try await errand.run {
      var plan = planned.plan
      plan.onTheWay.references = try await self.reading(planned.references, pulse)
      return try await Reconciliation(plan, control: control).run(from: errand.source, to: errand.target)
    }
  }

  private func keep(
    _ found: ReconciliationReport, _ id: ComparisonID, _ job: Job, _ grant: Grant
  ) async throws -> Comparison {
    let now = clock.now()
    let ranges = found.ranges.map { CSV.line(Comparison.Range($0).fields) }.joined(separator: "\n")
    let sealed = Sealed.seal(Array(ranges.utf8), key: differencesKey, context: id.text)
    return try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      let counts = Comparison.Counts(
        source: found.sourceRows, target: found.targetRows, bad: found.bad, stale: found.stale,
        missing: found.counts.missing, extra: found.counts.extra, different: found.counts.different)
      try ComparisonStore.keep(counts, isComplete: found.isComplete, ranges: sealed, of: id, in: tx)
      try ComparisonStore.set(found.agrees ? .agrees : .differs, nil, of: id, at: now, in: tx)
      try recordTask(
        "exchange.compare.end", grant, by: .system(),
        [
          ("agrees", "\(found.agrees)"), ("sourceRows", "\(counts.source)"), ("targetRows", "\(counts.target)"),
          ("missing", "\(counts.missing)"), ("extra", "\(counts.extra)"), ("different", "\(counts.different)"),
          ("sourceSum", found.sourceSum), ("targetSum", found.targetSum),
        ], at: now, in: tx)
      if found.agrees {
        try Inbox.close(subject: "grant-comparison", grant.id.text, by: .system(), at: now, in: tx)
      } else {
        try tellBoth(
          grant, "exchange.differs",
          Text(
            "对账不一致：\(grant.resourceName)（\(grant.number)）", "The sides differ: \(grant.resourceName) (\(grant.number))"),
          link: "/tasks/\(grant.id)#comparison", subject: "grant-comparison", at: now, in: tx)
      }
      guard let one = try ComparisonStore.find(id, in: tx) else { throw Self.noComparison }
      return one
    }
  }

  private func set(_ state: Comparison.State, _ reason: Text, of id: ComparisonID, _ job: Job) async throws {
    let now = clock.now()
    try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      try ComparisonStore.set(state, reason, of: id, at: now, in: tx)
    }
  }
}

extension Comparison.Range {
  init(_ range: ReconciliationReport.Range) {
    self.init(
      first: range.first, last: range.last, missing: range.counts.missing, extra: range.counts.extra,
      different: range.counts.different)
  }

  /// Three counts, then the first key's values and the last's.
  var fields: [String] { ["\(missing)", "\(extra)", "\(different)"] + first + last }

  init?(fields: [String]) {
    let (numbers, values) = (fields.prefix(3).compactMap { Int($0) }, fields.dropFirst(3))
    guard numbers.count == 3, values.count >= 2, values.count.isMultiple(of: 2) else { return nil }
    self.init(
      first: Array(values.prefix(values.count / 2)), last: Array(values.suffix(values.count / 2)), missing: numbers[0],
      extra: numbers[1], different: numbers[2])
  }
}
