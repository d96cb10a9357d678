import Audit
package import Connecting
package import Identity
package import Inventory
import Jobs
package import Kernel
package import Sharing
package import Storage
import Synchronization
package import Transfer

extension Permission {
  package static let exchangeRead = Permission("exchange.read")
  package static let exchangeRun = Permission("exchange.run")
  /// Opens a sealed bad row: only the provider's data officer, and each time on record.
  package static let quarantineOpen = Permission("exchange.quarantine.open")
}

/// Carries grants out.
package struct Exchange: Sendable {
  package let database: any Database
  package let clock: Clock
  package let sharing: Sharing
  let connectors: ConnectorCatalog
  let seal: SourceSeal
  let admission: SourceAdmission
  let nodeKey: [UInt8]

  package init(
    database: any Database, clock: Clock, sharing: Sharing, connectors: ConnectorCatalog, seal: SourceSeal,
    admission: SourceAdmission, nodeKey: [UInt8]
  ) {
    self.database = database
    self.clock = clock
    self.sharing = sharing
    self.connectors = connectors
    self.seal = seal
    self.admission = admission
    self.nodeKey = nodeKey
  }

  package static let authority: [Permission: Set<Role>] = [
    .exchangeRead: [.clerk, .leader, .dataOfficer, .platformOperator],
    .exchangeRun: [.dataOfficer, .clerk, .platformOperator],
    .quarantineOpen: [.dataOfficer],
  ]

  /// The kind of job that carries out one delivery; its payload is the delivery's id.
  package static let job = "exchange.deliver"
  /// The kind of job that a schedule makes; its payload is the grant's id.
  package static let turn = "exchange.turn"

  // MARK: - Asking for a delivery

  /// Queues a delivery of a grant; one that is already open, or waits for its next attempt, is
  /// answered instead of a second.
  package func ask(_ id: GrantID, trigger: String = "person", by principal: Principal) async throws -> DeliveryRecord {
    try principal.require(.exchangeRun)
    let grant = try await sharing.grant(id, for: principal)
    try grant.check(on: clock.now().dateInChina)
    return try await queue(grant.id, trigger: trigger, by: principal)
  }

  /// What a schedule does: no person behind it, the guard decides as ever.
  package func takeTurn(_ id: GrantID) async throws {
    do {
      try await sharing.guardGrant(id)
      _ = try await queue(id, trigger: "schedule", by: .system())
    } catch let refusal as Refusal where refusal.kind == .forbidden {
      // A suspended grant, or one whose period has not begun, keeps its turns. One that is over has none.
      guard ["sharing.grant.revoked", "sharing.grant.expired"].contains(refusal.code) else { return }
      try await database.write { try JobSchedule.remove("grant:\(id)", in: $0) }
    }
  }

  package func queue(_ id: GrantID, trigger: String, by principal: Principal) async throws -> DeliveryRecord {
    let now = clock.now()
    return try await database.write { tx in
      if let last = try DeliveryStore.list(grant: id, limit: 1, in: tx).first {
        if last.state.isOpen { return last }
        // One that failed and is to be tried again is still the same delivery: it is tried now.
        if last.state == .failed, try JobQueue.hasten(dedupe: Self.key(last.id), at: now, in: tx) { return last }
      }
      let mode: DeliveryPlan.Mode = try DeliveryStore.hasDelivered(id, in: tx) ? .incremental : .full
      let delivery = DeliveryRecord(
        id: .make(at: now), grant: id, mode: mode, state: .queued, trigger: trigger, askedBy: principal.name,
        createdAt: now)
      try DeliveryStore.insert(delivery, in: tx)
      try JobQueue.enqueue(Self.job, payload: delivery.id.text, dedupe: Self.key(delivery.id), at: now, in: tx)
      try record(
        "exchange.delivery.ask", delivery, by: principal, [("mode", mode.rawValue), ("trigger", trigger)], at: now,
        in: tx)
      return delivery
    }
  }

  private static func key(_ id: DeliveryID) -> String { "delivery:\(id)" }

  /// Sets the schedule that the grant's frequency asks for: the first turn when its period begins.
  package static func schedule(_ grant: Grant, at now: Instant, in tx: any Transaction) throws {
    guard let every = grant.frequency.every else { return }
    try JobSchedule.set(
      "grant:\(grant.id)", kind: turn, payload: grant.id.text, every: every,
      first: max(now, grant.firstDay.startInChina), in: tx)
  }

  // MARK: - Carrying it out

  /// What the worker does with a job, and the command line without one. `fence` grows with each attempt.
  package func carryOut(
    _ id: DeliveryID, fence: Int64, report: @escaping @Sendable (DeliveryProgress) async throws -> Void = { _ in }
  ) async throws -> (DeliveryRecord, DeliveryOutcome?) {
    let planned: PlannedDelivery
    do {
      let now = clock.now()
      planned = try await database.write { tx in
        guard let delivery = try DeliveryStore.find(id, in: tx), let grant = try GrantStore.find(delivery.grant, in: tx)
        else {
          throw Refusal.notFound(Text("交换任务", "delivery"))
        }
        try grant.check(on: now.dateInChina)
        let planned = try plan(grant, run: id, mode: delivery.mode, fence: fence, in: tx)
        try DeliveryStore.apply(.start, to: id, at: now, in: tx)
        return planned
      }
    } catch let refusal as Refusal where refusal.kind != .notFound {
      return (try await end(id, .stop, refusal.message), nil)
    }
    do {
      let outcome = try await run(planned, id, report)
      return (try await finish(outcome, id, planned.grant), outcome)
    } catch let error as ConnectorError {
      _ = try await end(id, .fail, error.message)
      throw error
    } catch let error as Refusal {
      _ = try await end(id, .fail, error.message)
      throw error
    }
  }

  /// In the transaction that gives the job up: the delivery must not stand there as if somebody still worked at it.
  package func abandon(_ id: DeliveryID, at now: Instant, in tx: any Transaction) throws {
    guard let delivery = try DeliveryStore.find(id, in: tx), delivery.state.isOpen else { return }
    let reason = Text(
      "工作进程多次中断，已停止自动重试；已提交的部分保留，可再次发起交换。",
      "Worker after worker was lost, so it is no longer tried by itself; what was committed stays, and it can be asked for again."
    )
    try DeliveryStore.apply(.fail, to: id, reason: reason, at: now, in: tx)
    try record("exchange.delivery.fail", delivery, by: .system(), [("reason", reason.chinese)], at: now, in: tx)
  }

  private func run(
    _ planned: PlannedDelivery, _ id: DeliveryID, _ report: @escaping @Sendable (DeliveryProgress) async throws -> Void
  ) async throws -> DeliveryOutcome {
    let source = try connectors.open(planned.source.kind, planned.source.settings)
    let target = try connectors.open(planned.target.kind, planned.target.settings)
    var plan = planned.plan
    plan.overlap = max(plan.overlap, source.guarantee.overlap)
    let (database, sharing, grant) = (database, sharing, planned.grant)
    let latest = Mutex<(shown: Instant, progress: DeliveryProgress?)>((Instant(milliseconds: 0), nil))
    let clock = Clock.system
    let control = DeliveryControl(
      check: {
        try await sharing.guardGrant(grant.id)
        let now = clock.now()
        let due = latest.withLock { state -> DeliveryProgress? in
          guard let progress = state.progress, now - state.shown > .milliseconds(400) else { return nil }
          state.shown = now
          return progress
        }
        guard let due else { return }
        try await database.write { try DeliveryStore.show(due, of: id, in: $0) }
        try await report(due)
      },
      progress: { progress in latest.withLock { $0.progress = progress } },
      quarantine: { rows in
        try await database.write { try DeliveryStore.keep(rows, of: id, grant: grant.id, in: $0) }
      }, clock: self.clock)
    return try await Delivery(plan, control: control).run(from: source, to: target)
  }

  private func finish(_ outcome: DeliveryOutcome, _ id: DeliveryID, _ grant: Grant) async throws -> DeliveryRecord {
    let now = clock.now()
    return try await database.write { tx in
      try DeliveryStore.keep(outcome, of: id, in: tx)
      let counts = outcome.provider.counts
      var detail: [(name: String, value: String)] = [
        ("read", "\(counts.read)"), ("delivered", "\(counts.delivered)"), ("unchanged", "\(counts.unchanged)"),
        ("quarantined", "\(counts.quarantined)"), ("stale", "\(counts.stale)"), ("provider", outcome.provider.digest),
      ]
      if let consumer = outcome.consumer { detail.append(("consumer", consumer.digest)) }
      let event: DeliveryRecord.Event
      var reason: Text?
      switch outcome.ending {
      case .stopped(let error):
        event = .stop
        reason = (error as? Refusal)?.message ?? Text("任务被中止。", "The task was ended.")
      case .finished:
        if let disagreement = outcome.disagreement {
          event = .fail
          reason = disagreement.message
          detail.append(("disagreement", disagreement.subject))
        } else {
          event = .deliver
          detail.append(("agrees", "true"))
        }
      }
      try DeliveryStore.apply(event, to: id, reason: reason, at: now, in: tx)
      guard let delivery = try DeliveryStore.find(id, in: tx) else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      if let reason { detail.append(("reason", reason.chinese)) }
      try record("exchange.delivery.\(event.rawValue)", delivery, by: .system(), detail, at: now, in: tx)
      return delivery
    }
  }

  private func end(_ id: DeliveryID, _ event: DeliveryRecord.Event, _ reason: Text) async throws -> DeliveryRecord {
    let now = clock.now()
    return try await database.write { tx in
      try DeliveryStore.apply(event, to: id, reason: reason, at: now, in: tx)
      guard let delivery = try DeliveryStore.find(id, in: tx) else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      try record(
        "exchange.delivery.\(event.rawValue)", delivery, by: .system(), [("reason", reason.chinese)], at: now, in: tx)
      return delivery
    }
  }

  func record(
    _ action: String, _ delivery: DeliveryRecord, by principal: Principal, _ detail: [(name: String, value: String)],
    at now: Instant, in tx: any Transaction
  ) throws {
    let number = try GrantStore.find(delivery.grant, in: tx)?.number ?? ""
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "delivery", subject: delivery.id.text,
        subjectName: number,
        grant: delivery.grant.text, detail: detail), in: tx)
  }
}
