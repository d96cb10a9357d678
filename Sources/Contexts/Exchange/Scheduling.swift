import Calendars
import Connecting
import Deadlines
import Inbox
import Inventory
import Jobs
package import Kernel
package import Sharing
package import Storage
import Transfer

/// A delivery's time has not come, or is over for now.
struct Wait: Error {
  var until: Instant
  var why: Text

  static func forWindow(_ window: DayWindow, at now: Instant) -> Wait {
    Wait(
      until: window.next(from: now),
      why: Text("不在允许的时段（\(window.text)）内，到时自动继续。", "Outside its window (\(window.text)); it goes on by itself then."))
  }
}

extension PlannedDelivery {
  /// Who calls the program from the command line has chosen the time.
  var obeysWindow: Bool { plan.changes.ending != .caughtUp }
}

// When a task has its turn, and when it has to wait.

extension Exchange {
  /// What the grant's schedule is called.
  static func schedule(of grant: GrantID) -> String { "grant:\(grant)" }

  /// Sets the schedule that the grant's frequency or its task asks for: no turn before its period begins.
  package static func schedule(_ grant: Grant, at now: Instant, in tx: any Transaction) throws {
    let (name, first) = (schedule(of: grant.id), max(now, grant.firstDay.startInChina))
    let task = try TaskStore.find(grant.id, in: tx)
    try scheduleComparing(grant.id, task.comparing.every, from: first, in: tx)
    switch task.start {
    case .frequency:
      guard let every = grant.frequency.every else { return try JobSchedule.remove(name, in: tx) }
      try JobSchedule.set(name, kind: turn, payload: grant.id.text, every: every, first: first, in: tx)
    case .cron(let expression):
      guard let next = expression.next(after: first - .seconds(60)) else { return try JobSchedule.remove(name, in: tx) }
      try JobSchedule.set(
        name, kind: turn, payload: grant.id.text, .cron(expression), first: max(next, first), at: now, in: tx)
    case .afterOthers, .manual:
      try JobSchedule.remove(name, in: tx)
    }
  }

  /// The first comparison is a whole period away.
  private static func scheduleComparing(
    _ id: GrantID, _ every: Duration?, from first: Instant, in tx: any Transaction
  ) throws {
    let name = comparisonSchedule(of: id)
    guard let every else { return try JobSchedule.remove(name, in: tx) }
    try JobSchedule.set(name, kind: comparingTurn, payload: id.text, every: every, first: first + every, in: tx)
  }

  /// What a schedule does: no person behind it, the guard decides as ever.
  package func takeTurn(_ id: GrantID) async throws {
    let now = clock.now()
    do {
      try await sharing.guardGrant(id)
      let mayRun = try await database.read { tx in
        let task = try TaskStore.find(id, in: tx)
        return try task.pause == nil
          && (!task.onWorkingDays || calendars.inForce(tx).isWorkingDay(now.dateInChina))
      }
      guard mayRun else { return try await tendLog(of: id) }
      _ = try await queue(id, trigger: "schedule", by: .system())
    } catch let refusal as Refusal where refusal.kind == .forbidden {
      // A suspended grant, one whose period has not begun and one whose resource is offline keep their turns. One that is
      // over has none.
      guard ["sharing.grant.revoked", "sharing.grant.expired"].contains(refusal.code) else {
        return try await tendLog(of: id)
      }
      try await database.write { tx in
        try JobSchedule.remove(Self.schedule(of: id), in: tx)
        if let grant = try GrantStore.find(id, in: tx) { try Self.letGo(grant, at: now, in: tx) }
      }
    }
  }

  /// After a delivery: what is followed is followed on, and tasks that waited for this one have their turn.
  func goOn(after delivery: DeliveryRecord, _ grant: Grant, at now: Instant, in tx: any Transaction) throws {
    // Paused just now: what was delivered stands, and nothing follows it.
    if grant.frequency == .continuous, delivery.trigger != "command", try TaskStore.pause(of: grant.id, in: tx) == nil {
      _ = try queue(grant.id, trigger: "schedule", by: .system(), at: now, in: tx)
    }
    for waiting in try TaskStore.waiting(for: grant.id, in: tx) {
      let task = try TaskStore.find(waiting, in: tx)
      guard task.pause == nil, task.start == .afterOthers, let other = try GrantStore.find(waiting, in: tx),
        try hasAll(task.after, since: DeliveryStore.list(grant: waiting, limit: 1, in: tx).first?.createdAt, in: tx)
      else { continue }
      do {
        try sharing.check(other, on: now.dateInChina, in: tx)
        _ = try queue(waiting, trigger: "after", by: .system(), at: now, in: tx)
      } catch is Refusal {
        // It may not run now; the delivery that it waited for is none the worse for it.
        continue
      }
    }
  }

  private func hasAll(_ others: [GrantID], since: Instant?, in tx: any Transaction) throws -> Bool {
    let last = try DeliveryCounts.last(among: others, in: tx)
    return others.allSatisfy { other in last[other].map { $0 > since ?? Instant(milliseconds: 0) } ?? false }
  }

  // MARK: - Having to wait

  /// Throws when nothing may move for this grant now.
  func mayMove(_ id: GrantID, at now: Instant, in tx: any Transaction) throws {
    guard let grant = try GrantStore.find(id, in: tx) else { throw Refusal.notFound(Text("授权", "grant")) }
    try sharing.check(grant, on: now.dateInChina, in: tx)
    try checkPause(of: id, in: tx)
  }

  func checkPause(of id: GrantID, in tx: any Transaction) throws {
    guard let pause = try TaskStore.pause(of: id, in: tx) else { return }
    throw Refusal(
      .conflict, "exchange.task.paused",
      Text(
        "交换任务自 \(pause.at.minuteInChina) 起由\(pause.by)\(pause.isFrozen ? "冻结" : "暂停")：\(pause.why.chinese)",
        "The task is \(pause.isFrozen ? "frozen" : "paused") since \(pause.at.minuteInChina) by \(pause.by): \(pause.why.english)"
      ))
  }

  /// Throws `Wait` outside the task's window, and while as many deliveries run at one of its sources as may.
  func requireRoom(
    for planned: PlannedDelivery, _ delivery: DeliveryRecord, at now: Instant, in tx: any Transaction
  ) throws {
    if planned.obeysWindow, let window = planned.task.window, !window.contains(now) {
      throw Wait.forWindow(window, at: now)
    }
    for source in [planned.sourceID, planned.targetID] {
      guard let most = try SourceLimitStore.find(source, in: tx).deliveries,
        try DeliveryStore.running(at: source, besides: delivery.id, in: tx) >= most
      else { continue }
      throw Wait(
        until: now + .seconds(5),
        why: Text(
          "数据源上已有 \(most) 个交换在进行，等其中一个结束。",
          "\(most) deliveries run at a source of its already; it waits for one of them to end."))
    }
    try DeliveryStore.set(source: planned.sourceID, target: planned.targetID, of: delivery.id, in: tx)
  }

  /// How many deliveries, this one too, share what a source of its may be asked for.
  func sharers(of planned: PlannedDelivery, _ id: DeliveryID, in tx: any Transaction) throws -> Int {
    guard !planned.pace.isNone else { return 1 }
    return try [planned.sourceID, planned.targetID].map { try DeliveryStore.running(at: $0, besides: id, in: tx) + 1 }
      .max() ?? 1
  }

  /// Back into the queue until its time comes; what was committed stays.
  func putOff(_ id: DeliveryID, _ job: Job, _ wait: Wait) async throws {
    let now = clock.now()
    try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      try DeliveryStore.apply(.wait, to: id, Cause("exchange.waiting", wait.why), at: now, in: tx)
    }
  }

  // MARK: - The source's log

  /// A grant that is over: its source need keep its log for it no more.
  package static func letGo(_ grant: Grant, at now: Instant, in tx: any Transaction) throws {
    guard grant.frequency == .continuous else { return }
    try JobQueue.enqueue(release, payload: grant.id.text, dedupe: "release:\(grant.id)", at: now, in: tx)
  }

  /// What a provider's or operator's order about a grant means for its task.
  package static func ordered(
    _ order: GrantOrder, _ grant: Grant, at now: Instant, in tx: any Transaction
  ) throws {
    switch order {
    case .revoke:
      try JobSchedule.remove(schedule(of: grant.id), in: tx)
      try JobSchedule.remove(comparisonSchedule(of: grant.id), in: tx)
      try letGo(grant, at: now, in: tx)
    case .resume: try schedule(grant, at: now, in: tx)
    case .suspend: break
    }
  }

  /// Ends what a source keeps for a grant. Tried again while the source cannot be reached.
  package func release(_ id: GrantID) async throws {
    let address = try await database.read { tx in
      try GrantStore.find(id, in: tx).map { try ends(of: $0, in: tx).source.address }
    }
    guard let address else { return }
    let source = try connectors.open(address.kind, address.settings)
    try await BlockingThread.run { try source.endChanges(id.text) }
  }

  /// A stream that nobody reads must not fill its source's disk: beyond the cap it is given up, and begins anew one day.
  private func tendLog(of id: GrantID) async throws {
    let address = try await database.read { tx -> SourceAddress? in
      guard let grant = try GrantStore.find(id, in: tx), grant.frequency == .continuous else { return nil }
      return try ends(of: grant, in: tx).source.address
    }
    guard let address else { return }
    let source = try connectors.open(address.kind, address.settings)
    let most = DeliveryPlan.Changes().mostRetained
    let now = clock.now()
    let isGivenUp = try await BlockingThread.run {
      guard let backlog = try source.changeBacklog(id.text), backlog.retained > most else { return false }
      try source.endChanges(id.text)
      return true
    }
    guard isGivenUp else { return }
    try await database.write { tx in
      guard let grant = try GrantStore.find(id, in: tx) else { return }
      try Inbox.post(
        InboxTask(
          kind: "exchange.log-given-up",
          title: Text(
            "源库日志积压过多，已放弃续传：\(grant.resourceName)（\(grant.number)），恢复后将重新全量读取",
            "Too much log was kept, the stream was given up: \(grant.resourceName) (\(grant.number)); it begins anew"),
          link: "/tasks/\(id)", for: .office(grant.provider, .exchangeRun), subject: ("grant-log", id.text), at: now),
        in: tx)
    }
  }

  // MARK: - Drift

  /// The source is not what was agreed: the delivery fails, the provider is told, and the task stands still where that
  /// was agreed.
  func drifted(
    _ id: DeliveryID, _ job: Job, _ planned: PlannedDelivery, _ cause: Cause
  ) async throws -> DeliveryRecord {
    let (now, grant) = (clock.now(), planned.grant)
    return try await database.write { tx in
      try JobQueue.requireHeld(job, in: tx)
      try DeliveryStore.apply(.fail, to: id, cause, at: now, in: tx)
      guard let delivery = try DeliveryStore.find(id, in: tx) else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      let freezes = planned.task.drift == .freeze
      try record(
        "exchange.delivery.fail", delivery, by: .system(),
        [("reason", cause.words.chinese), ("drift", planned.task.drift.rawValue)], at: now, in: tx)
      if freezes {
        try TaskStore.set(
          ExchangeTask.Pause(at: now, by: Principal.system().name, why: cause.words, isFrozen: true), of: grant.id,
          in: tx)
        try recordTask("exchange.task.freeze", grant, by: .system(), [("reason", cause.words.chinese)], at: now, in: tx)
      }
      try tellBoth(
        grant, "exchange.drift",
        Text(
          "表结构与约定不符，交换\(freezes ? "已冻结" : "失败")：\(grant.resourceName)（\(grant.number)）",
          "A table is not what was agreed, delivery \(freezes ? "frozen" : "failed"): \(grant.resourceName) (\(grant.number))"
        ), link: "/tasks/\(grant.id)", subject: "grant-drift", at: now, in: tx)
      return delivery
    }
  }
}
