import Audit
package import Calendars
import Catalog
import Inbox
package import Connecting
package import Identity
package import Inventory
package import Jobs
package import Kernel
package import Sharing
package import Storage
import Transfer

extension Permission {
  package static let exchangeRead = Permission("exchange.read")
  package static let exchangeRun = Permission("exchange.run")
  /// Opens a sealed bad row: only the provider's data officer, and each time on record.
  package static let quarantineOpen = Permission("exchange.quarantine.open")
  /// Changes how tasks are carried out, pauses and resumes them, and sets what sources may be asked for.
  package static let exchangeManage = Permission("exchange.manage")
}

/// Carries grants out.
package struct Exchange: Sendable {
  package let database: any Database
  package let clock: Clock
  package let sharing: Sharing
  let connectors: ConnectorCatalog
  let seal: SourceSeal
  let admission: SourceAdmission
  let calendars: Calendars
  let nodeKey: [UInt8]
  let flowSums = FlowSums()
  let views = HeldViews()

  package init(
    database: any Database, clock: Clock, sharing: Sharing, connectors: ConnectorCatalog, seal: SourceSeal,
    admission: SourceAdmission, calendars: Calendars = .embedded, nodeKey: [UInt8]
  ) {
    self.calendars = calendars
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
    .exchangeManage: [.dataOfficer, .platformOperator],
  ]

  /// The kind of job that carries out one delivery; its payload is the delivery's id.
  package static let job = "exchange.deliver"
  /// The kind of job that a schedule makes; its payload is the grant's id.
  package static let turn = "exchange.turn"
  /// The kind of job that follows a source's changes; its payload is a delivery's id. It ends only to begin again, so it has
  /// workers of its own.
  package static let follow = "exchange.follow"
  /// The kind of job by which a source need keep its log for a grant no more; its payload is the grant's id.
  package static let release = "exchange.release"
  /// How long one delivery of followed changes lasts before it is summed up in receipts and the next goes on.
  static let followingRun: Duration = .seconds(3600)

  // MARK: - Asking for a delivery

  /// Queues a delivery of a grant; one that is already open, or waits for its next attempt, is
  /// answered instead of a second. `isFull` brings everything anew, also what a cursor never shows: rows that were deleted.
  package func ask(
    _ id: GrantID, trigger: String = "person", isFull: Bool = false, since: CalendarDate? = nil,
    by principal: Principal
  ) async throws -> DeliveryRecord {
    try principal.require(.exchangeRun)
    let grant = try await sharing.grant(id, for: principal)
    let today = clock.now().dateInChina
    try grant.check(on: today)
    if let since { try await checkSince(since, grant, today: today) }
    return try await queue(grant.id, trigger: trigger, isFull: isFull, since: since, by: principal)
  }

  func checkSince(_ since: CalendarDate, _ grant: Grant, today: CalendarDate) async throws {
    let cursor = try await database.read { tx in
      try CatalogStore.find(grant.resource, version: grant.resourceVersion, in: tx).flatMap { resource in
        resource.mount?.cursorColumn.map { name in resource.items.first { $0.column == name }?.type }
      }
    }
    guard grant.frequency != .continuous, let cursor, cursor != .integer else {
      throw Refusal.invalid(
        "exchange.since", "since",
        Text(
          "该授权不按时间增量交换，不能从某一天补起；可重新全量交换。",
          "This grant is not delivered by time, so no day can be gone back to; deliver everything anew instead."))
    }
    guard since <= today else {
      throw Refusal.invalid("exchange.since", "since", Text("起始日不能晚于今天。", "The day is not after today."))
    }
  }

  package func queue(
    _ id: GrantID, trigger: String, isFull: Bool = false, since: CalendarDate? = nil, by principal: Principal
  ) async throws -> DeliveryRecord {
    let now = clock.now()
    return try await database.write { tx in
      try queue(id, trigger: trigger, isFull: isFull, since: since, by: principal, at: now, in: tx)
    }
  }

  /// The same in a transaction that goes on.
  func queue(
    _ id: GrantID, trigger: String, isFull: Bool = false, since: CalendarDate? = nil, by principal: Principal,
    at now: Instant, in tx: any Transaction
  ) throws -> DeliveryRecord {
    guard let grant = try GrantStore.find(id, in: tx) else { throw Refusal.notFound(Text("授权", "grant")) }
    try checkPause(of: id, in: tx)
    let task = try TaskStore.find(id, in: tx)
    let last = try DeliveryStore.list(grant: id, limit: 1, in: tx).first
    if let last, last.state.isOpen || last.state == .failed,
      let job = try JobQueue.open(dedupe: Self.key(last.id), in: tx)
    {
      guard try givesWay(last, job, asksAnew: isFull, at: now, in: tx) else {
        // One that failed and is to be tried again is still the same delivery: it is tried now.
        if job.state == .queued { _ = try JobQueue.hasten(dedupe: Self.key(last.id), at: now, in: tx) }
        return last
      }
    } else if let last, last.state.isOpen {
      try give(up: last, .fail, Cause.lost, at: now, in: tx)
    }
    let asksAnew = isFull
    // What the two sides could not agree on is not mended by bringing what changed since.
    let isFull = try isFull || last?.agrees == false || !DeliveryStore.hasDelivered(id, in: tx)
    let follows = grant.frequency == .continuous
    // What is followed knows by itself whether it has everything; only a person who doubts it brings it anew.
    let mode: DeliveryPlan.Mode = follows ? asksAnew ? .full : .changes : isFull ? .full : .incremental
    var delivery = DeliveryRecord(
      id: .make(at: now), grant: id, mode: mode, state: .queued, trigger: trigger, askedBy: principal.name,
      createdAt: now)
    delivery.since = mode == .incremental ? since : nil
    try DeliveryStore.insert(delivery, in: tx)
    let opens = trigger == "command" ? nil : task.window?.next(from: now)
    try JobQueue.enqueue(
      follows ? Self.follow : Self.job, payload: delivery.id.text, runAt: opens, dedupe: Self.key(delivery.id),
      priority: task.priority.rawValue, at: now, in: tx)
    try record(
      "exchange.delivery.ask", delivery, by: principal, [("mode", delivery.mode.rawValue), ("trigger", trigger)],
      at: now, in: tx)
    return delivery
  }

  /// What follows changes has no end of its own: asked for everything anew, it makes room for that.
  private func givesWay(
    _ last: DeliveryRecord, _ job: Job, asksAnew: Bool, at now: Instant, in tx: any Transaction
  ) throws -> Bool {
    guard asksAnew, last.mode == .changes else { return false }
    try JobQueue.cancel(job.id, at: now, in: tx)
    if job.state == .queued { try give(up: last, .stop, Cause.cancelled, at: now, in: tx) }
    return true
  }

  /// Ends an open delivery: at once while it waits, before its next commit while it runs. What was committed stays.
  package func cancel(_ id: DeliveryID, by principal: Principal) async throws {
    try principal.require(.exchangeRun)
    let now = clock.now()
    try await database.write { tx in
      guard let delivery = try DeliveryStore.find(id, in: tx), let grant = try GrantStore.find(delivery.grant, in: tx),
        Sharing.sees(grant, principal)
      else { throw Refusal.notFound(Text("交换任务", "delivery")) }
      guard let job = try JobQueue.open(dedupe: Self.key(id), in: tx) else {
        throw Refusal(
          .conflict, "exchange.delivery.state",
          Text(
            "该次交换已是“\(delivery.state.title.chinese)”。", "This delivery is already “\(delivery.state.title.english)”."))
      }
      try record("exchange.delivery.cancel", delivery, by: principal, [], at: now, in: tx)
      try JobQueue.cancel(job.id, at: now, in: tx)
      if job.state == .queued { try give(up: delivery, .stop, Cause.cancelled, at: now, in: tx) }
    }
  }

  static func key(_ id: DeliveryID) -> String { "delivery:\(id)" }

  /// In the transaction that ends the job without its work: the delivery must not stand there as if somebody still
  /// worked at it, and both sides' offices hear of it.
  package func abandon(_ job: Job, at now: Instant, in tx: any Transaction) throws {
    guard let id = DeliveryID(job.payload), let delivery = try DeliveryStore.find(id, in: tx) else { return }
    if delivery.state.isOpen || job.state == .cancelled && delivery.state == .failed {
      try give(
        up: delivery, job.state == .cancelled ? .stop : .fail, job.state == .cancelled ? Cause.cancelled : Cause.lost,
        at: now, in: tx)
    }
    if job.state == .failed { try tell(id, at: now, in: tx) }
  }

  func give(
    up delivery: DeliveryRecord, _ event: DeliveryRecord.Event, _ cause: Cause, at now: Instant, in tx: any Transaction
  ) throws {
    try DeliveryStore.apply(event, to: delivery.id, cause, at: now, in: tx)
    try record(
      "exchange.delivery.\(event.rawValue)", delivery, by: .system(), [("reason", cause.words.chinese)], at: now, in: tx
    )
    if let ended = try DeliveryStore.find(delivery.id, in: tx), let grant = try GrantStore.find(delivery.grant, in: tx)
    {
      try conclude(ended, grant, at: now, in: tx)
    }
  }

  /// A delivery that failed for good needs a person on either side.
  func tell(_ id: DeliveryID, at now: Instant, in tx: any Transaction) throws {
    guard let delivery = try DeliveryStore.find(id, in: tx), let grant = try GrantStore.find(delivery.grant, in: tx)
    else { return }
    try tellBoth(
      grant, "delivery.failed",
      Text("交换失败：\(grant.resourceName)（\(grant.number)）", "Delivery failed: \(grant.resourceName) (\(grant.number))"),
      link: "/deliveries/\(id)", subject: "grant-delivery", at: now, in: tx)
  }

  /// A task for either side's office, in place of an earlier one on the same subject of this grant.
  func tellBoth(
    _ grant: Grant, _ kind: String, _ title: Text, link: String, subject: String, at now: Instant,
    in tx: any Transaction
  ) throws {
    try Inbox.close(subject: subject, grant.id.text, by: .system(), at: now, in: tx)
    for office in [grant.provider, grant.consumer] {
      try Inbox.post(
        InboxTask(
          kind: kind, title: title, link: link, for: .office(office, .exchangeRun), subject: (subject, grant.id.text),
          at: now), in: tx)
    }
  }

  func recordTask(
    _ action: String, _ grant: Grant, by principal: Principal, _ detail: [(name: String, value: String)],
    at now: Instant, in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "task", subject: grant.id.text,
        subjectName: grant.number, grant: grant.id.text, detail: detail), in: tx)
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
