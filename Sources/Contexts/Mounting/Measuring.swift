internal import Audit
internal import Catalog
internal import Calendars
internal import Connecting
internal import Inbox
internal import Inventory
internal import Jobs
package import Kernel
internal import Storage

// One test of one tie: look without a transaction, then one small transaction for what was found.

extension Mounting {
  /// Tests a tie now, asked for by a person of its office or by the operator.
  package func testNow(_ id: TieID, by principal: Principal) async throws -> Tie {
    let tie = try await tie(id, for: principal).tie
    return try await test(tie) ?? tie
  }

  /// What a worker does for one tie.
  package func test(_ id: TieID) async throws {
    guard let tie = try await db.read({ try TieStore.find(id, in: $0) }) else { return }
    _ = try await test(tie)
  }

  /// Answers the tie as it is now; nil when it was changed or given up meanwhile.
  func test(_ tie: Tie) async throws -> Tie? {
    try await keep(look(at: tie), of: tie)
  }

  private func keep(_ found: Measurement, of tie: Tie) async throws -> Tie? {
    try await db.write { tx in
      guard let now = try TieStore.find(tie.id, in: tx), now.target == tie.target, now.version == tie.version else {
        return nil
      }
      return try take(found, of: now, in: tx)
    }
  }

  /// Looks at what a tie is tied to. Whatever goes wrong there is a finding; only trouble of our own is thrown.
  func look(at tie: Tie) async throws -> Measurement {
    let now = clock.now()
    do {
      switch tie.target {
      case .table(let source, let table, let cursor):
        return try await lookAtTable(tie, source, table, cursor, at: now)
      case .files(let source, let pattern):
        let address = try await register.unattended(source).address
        guard let set = try await BlockingThread.run(within: Self.turn, { try FileSet.read(address, pattern: pattern) })
        else {
          throw ConnectorError(
            .retryable, SourceProbe.silent,
            Text(
              "文件夹 \(Self.turn.components.seconds) 秒内没有读完。",
              "The folder was not read within \(Self.turn.components.seconds) s."))
        }
        return Measurement(at: now, mark: ChangeMark(.file, own: set.digest, at: set.newest))
      case .api(let url, let status, let isJSON):
        let answer = try await services.get(url)
        if answer.status != status {
          let isElsewhere = (300...399).contains(answer.status)
          return Measurement(
            at: now,
            fault: .init(
              "mounting.api-status",
              Text(
                "应答状态为 \(answer.status)，应为 \(status)\(isElsewhere ? "；不跟随跳转，请填写最终地址" : "")。",
                "It answered with status \(answer.status); \(status) is expected\(isElsewhere ? ": no redirect is followed, enter where it leads" : "")."
              )))
        }
        if isJSON, !answer.isJSON {
          return Measurement(
            at: now, fault: .init("mounting.api-json", Text("应答不是 JSON。", "The answer is no JSON.")))
        }
        return Measurement(at: now)
      }
    } catch let error as ConnectorError {
      return Measurement(at: now, fault: .init(error.code, error.message))
    } catch let refusal as Refusal {
      return Measurement(at: now, fault: .init(refusal.code, refusal.message))
    }
  }

  private func lookAtTable(
    _ tie: Tie, _ source: SourceID, _ table: TableName, _ cursor: String?, at now: Instant
  ) async throws -> Measurement {
    let items = try await db.read { try CatalogStore.find(tie.resource, version: tie.version, in: $0)?.items ?? [] }
    let address = try await register.unattended(source).address
    let columns = items.filter { $0.type != nil }.map(\.column)
    let found = try await register.probe.examine(address, table, columns, cursor)
    let wrong = misfits(items, found.examination.table, declaresTypes: found.declaresTypes)
    return Measurement(
      at: now, fault: fault(of: wrong), mark: found.examination.mark,
      estimatedRows: found.examination.table.estimatedRows)
  }

  /// Keeps what a test found: the tie, its history, and where its state changed, the log and the office's task.
  @discardableResult
  func take(_ found: Measurement, of before: Tie, in tx: any Transaction) throws -> Tie {
    let calendar = try calendars.inForce(tx)
    let tie = before.measured(found) { tie in
      .judge(cycle: lists.cycles[tie.cycle], watch: tie.watch, on: found.at.dateInChina, calendar: calendar)
    }
    try TieStore.update(tie, in: tx)
    try TieStore.keep(found, of: tie.id, in: tx)
    if tie.state != before.state { try stateChanged(tie, from: before.state, at: found.at, in: tx) }
    if tie.timeliness != before.timeliness { try timelinessChanged(tie, from: before.timeliness, at: found.at, in: tx) }
    try follow(tie, at: found.at, in: tx)
    return tie
  }

  private func stateChanged(_ tie: Tie, from before: Tie.State, at now: Instant, in tx: any Transaction) throws {
    var detail = [(name: "before", value: before.rawValue)]
    if let fault = tie.fault { detail.append(("fault", fault.code)) }
    try record(
      tie.state == .mounted ? "mounting.tie.work" : "mounting.tie.fail", tie, by: .system(), at: now, detail: detail,
      in: tx)
  }

  private func timelinessChanged(
    _ tie: Tie, from before: Timeliness.State, at now: Instant, in tx: any Transaction
  ) throws {
    guard tie.timeliness == .late || before == .late else { return }
    try record(
      tie.timeliness == .late ? "mounting.tie.late" : "mounting.tie.update", tie, by: .system(), at: now,
      detail: tie.timelyUntil.map { [("until", "\($0)")] } ?? [], in: tx)
  }

  /// The office has a task exactly while its entry in force fails or is late, and search knows.
  private func follow(_ tie: Tie, at now: Instant, in tx: any Transaction) throws {
    let open = Set(
      try Inbox.history(subject: "tie", tie.id.text, in: tx).filter { $0.closedAt == nil }.map(\.task.kind))
    for (kind, holds, words) in [
      (
        "mounting.fail", tie.isInForce && tie.state == .failing,
        Text("挂接失效：\(tie.name)", "Mount fails: \(tie.name)")
      ),
      (
        "mounting.late", tie.isInForce && tie.timeliness == .late,
        Text("逾期未更新：\(tie.name)", "Update overdue: \(tie.name)")
      ),
    ] {
      if holds, !open.contains(kind) {
        try Inbox.post(
          InboxTask(
            kind: kind, title: words, link: "/mounting/ties/\(tie.id)", for: .office(tie.provider, .manageMounting),
            subject: ("tie", tie.id.text), at: now), in: tx)
      } else if !holds, open.contains(kind) {
        try Inbox.close(subject: "tie", tie.id.text, kind: kind, by: .system(), at: now, in: tx)
      }
    }
    if tie.isInForce { try Self.tellSearch(of: tie.resource, in: tx) }
  }

  /// An entry with several ties is mounted when one of them works, and as fresh as its freshest.
  static func tellSearch(of resource: ResourceID, in tx: any Transaction) throws {
    let ties = try TieStore.ties(of: resource, in: tx)
    let states = Set(ties.map(\.timeliness))
    try CatalogSearch.setCondition(
      of: resource, isMounted: ties.contains { $0.state == .mounted },
      freshness: states.contains(.timely) ? .current : states.contains(.late) ? .late : .unknown, in: tx)
  }

  // MARK: The schedule

  /// Sources and hosts that are asked at the same time; of one, one tie after the other.
  static let partiesAtOnce = 8
  /// So long one of them has its turn, while others wait.
  static let turn: Duration = .seconds(60)

  /// Tests what is due, until nothing is or `limit` is over. Answers how many were tested. What one source or host does,
  /// or does not, is a finding of its own ties and costs the others a place for the length of one turn at most.
  @discardableResult
  package func sweep(within limit: Duration = .seconds(240)) async throws -> Int {
    let end = ContinuousClock.now + limit
    var count = 0
    while ContinuousClock.now < end {
      let now = clock.now()
      let parties = try await db.read { try TieStore.partiesDue(at: now, limit: 1000, in: $0) }
      if parties.isEmpty { break }
      count += try await Self.eachOf(parties, until: end) { try await testAll(of: $0, until: end) }
    }
    return count
  }

  /// Does something with each of these sources or hosts, `partiesAtOnce` at the same time; begins none after `end`. Answers
  /// the sum of what came of it.
  static func eachOf<Party: Sendable>(
    _ parties: [Party], until end: ContinuousClock.Instant? = nil,
    _ body: @escaping @Sendable (Party) async throws -> Int
  ) async throws -> Int {
    try await withThrowingTaskGroup(of: Int.self) { group in
      var (waiting, sum) = (parties.makeIterator(), 0)
      for party in (0..<partiesAtOnce).compactMap({ _ in waiting.next() }) {
        group.addTask { try await body(party) }
      }
      while let done = try await group.next() {
        sum += done
        if end.map({ ContinuousClock.now < $0 }) ?? true, let party = waiting.next() {
          group.addTask { try await body(party) }
        }
      }
      return sum
    }
  }

  /// Tests the due ties of one source or host in its turn.
  private func testAll(of party: String, until end: ContinuousClock.Instant) async throws -> Int {
    let end = min(end, ContinuousClock.now + Self.turn)
    var count = 0
    var silence: Tie.Fault?
    repeat {
      let now = clock.now()
      let due = try await db.read { try TieStore.due(of: party, at: now, limit: 50, in: $0) }
      if due.isEmpty { break }
      for tie in due {
        // Nobody answers: the others need not wait for the same.
        let found =
          if let silence { Measurement(at: now, fault: silence) } else { try await look(at: tie) }
        _ = try await keep(found, of: tie)
        count += 1
        if let fault = found.fault, fault.isOfWholeParty { silence = fault }
        if ContinuousClock.now >= end { return count }
      }
    } while ContinuousClock.now < end
    return count
  }

  /// The schedules of this context, kept where they stand already, and what an upgrade still has to do.
  package func keepSchedules() async throws {
    let now = clock.now()
    let (stands, isDone) = try await db.read { tx in
      (try JobSchedule.next(Self.sweepJob, in: tx) != nil, try OlderStore.place(in: tx) == nil)
    }
    if stands, isDone { return }
    try await db.write { tx in
      if !stands { try JobSchedule.set(Self.sweepJob, kind: Self.sweepJob, .every(.seconds(300)), at: now, in: tx) }
      if !isDone { _ = try JobQueue.enqueue(Self.olderJob, dedupe: Self.olderJob, at: now, in: tx) }
    }
  }
}
