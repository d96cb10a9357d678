import Audit
import Connecting
import Inbox
package import Inventory
import Jobs
package import Kernel
import Reshaping
package import Sharing
import Storage

// How tasks are carried out, as people set it: authority, then one transaction of rule, store and log.

extension Exchange {
  /// A task with what a page shows of it.
  package struct TaskView: Sendable {
    package var task: ExchangeTask
    package var grant: Grant
    /// Newest first.
    package var deliveries: [DeliveryRecord]
    package var nextTurn: Instant?
    package var after: [Grant]
    package var ends: [(source: DataSource, limit: SourceLimit, running: Int)]
    /// Rows delivered in each of the last days, oldest first, today the last.
    package var days: [(day: CalendarDate, rows: Int)]
    package var comparison: Comparison?
    /// Its target can be read back.
    package var isComparable: Bool
  }

  /// May change how the grant is carried out: its provider's data officer and the platform's operator.
  package static func manages(_ grant: Grant, _ principal: Principal) -> Bool {
    principal.may(.exchangeManage) && (principal.may(.sharingReview) || principal.organisation == grant.provider)
  }

  /// May pause and resume it: the consumer's data officer too, whose database it is that is written to.
  package static func pauses(_ grant: Grant, _ principal: Principal) -> Bool {
    principal.may(.exchangeManage) && Sharing.sees(grant, principal)
  }

  /// The tasks of the grants that one sees, newest grants first.
  package func tasks(
    for principal: Principal, before: GrantID? = nil, limit: Int = 50
  ) async throws -> [(grant: Grant, task: ExchangeTask, last: DeliveryRecord?, next: Instant?)] {
    try principal.require(.exchangeRead)
    let grants = try await sharing.grants(for: principal, before: before, limit: limit)
    return try await database.read { tx in
      let tasks = try TaskStore.find(among: grants.map(\.id), in: tx)
      let last = try DeliveryStore.last(of: grants.map(\.id), in: tx)
      let next = try JobSchedule.next(among: grants.map { Self.schedule(of: $0.id) }, in: tx)
      return grants.map { grant in
        (
          grant, tasks[grant.id] ?? ExchangeTask(grant: grant.id), last[grant.id], next[Self.schedule(of: grant.id)]
        )
      }
    }
  }

  package func task(_ id: GrantID, for principal: Principal) async throws -> TaskView {
    try principal.require(.exchangeRead)
    let grant = try await sharing.grant(id, for: principal)
    let today = clock.now().dateInChina
    return try await database.read { tx in
      let task = try TaskStore.find(id, in: tx)
      return TaskView(
        task: task, grant: grant, deliveries: try DeliveryStore.list(grant: id, limit: 30, in: tx),
        nextTurn: try JobSchedule.next(Self.schedule(of: id), in: tx),
        after: try task.after.compactMap { try GrantStore.find($0, in: tx) },
        ends: try sources(of: grant, in: tx).map { end in
          (
            end, try SourceLimitStore.find(end.id, in: tx),
            try DeliveryStore.running(at: end.id, in: tx)
          )
        }, days: try DeliveryCounts.byDay(of: id, through: today, days: 30, in: tx),
        comparison: try ComparisonStore.last(of: id, in: tx), isComparable: try isComparable(grant, in: tx))
    }
  }

  static let stallRange = 1...1440
  static let partsRange = 1...16

  /// Sets what a person may of a task; its rules and its pause have their own steps. `after` are numbers of grants.
  package func set(_ wanted: ExchangeTask, after numbers: [String] = [], by principal: Principal) async throws {
    try await change(wanted.grant, wanted.version, principal) { task, grant, now, tx in
      guard Self.stallRange.contains(wanted.stallMinutes) else {
        throw Refusal.invalid(
          "exchange.task.stall", "stall", Text("无进展时限为 1 至 1440 分钟。", "From 1 to 1440 minutes without progress."))
      }
      guard Self.partsRange.contains(wanted.parts) else {
        throw Refusal.invalid("exchange.task.parts", "parts", Text("分段数为 1 至 16。", "From 1 to 16 parts."))
      }
      if let stop = wanted.stopWhen, !stop.isSensible {
        throw Refusal.invalid(
          "exchange.task.stop", "stopShare",
          Text("停止条件为行数，或 0 至 100 的百分比。", "A number of rows, or a percentage from 0 to 100."))
      }
      let after = try predecessors(numbers, of: grant, by: principal, in: tx)
      if wanted.start == .afterOthers, after.isEmpty {
        throw Refusal.invalid(
          "exchange.task.after", "after", Text("请填写要等待的授权编号。", "Enter the numbers of the grants to wait for."))
      }
      if grant.frequency == .continuous, wanted.start != .frequency {
        throw Refusal.invalid(
          "exchange.task.start", "start",
          Text("实时交换一直进行，没有别的启动方式。", "What is followed as it changes runs all the time."))
      }
      let before = task
      task = wanted
      task.after = after
      (task.rules, task.columns, task.dictionaries, task.pause) =
        (before.rules, before.columns, before.dictionaries, before.pause)
      return [
        ("start", task.start.encoded), ("window", task.window?.text ?? "-"), ("priority", "\(task.priority)"),
        ("drift", task.drift.rawValue), ("stop", task.stopWhen?.sentence.chinese ?? "-"),
        ("comparing", task.comparing.rawValue), ("parts", "\(task.parts)"),
      ]
    }
  }

  private func predecessors(
    _ numbers: [String], of grant: Grant, by principal: Principal, in tx: any Transaction
  ) throws -> [GrantID] {
    guard numbers.count <= 20 else {
      throw Refusal.invalid("exchange.task.after", "after", Text("最多等待 20 个授权。", "At most 20 grants."))
    }
    return try numbers.map { number in
      guard let other = try GrantStore.find(number: number, in: tx), Sharing.sees(other, principal) else {
        throw Refusal.invalid(
          "exchange.task.after", "after", Text("没有编号为“\(number)”的授权。", "There is no grant “\(number)”."))
      }
      guard try !waits(other.id, for: grant.id, in: tx) else {
        throw Refusal.invalid(
          "exchange.task.after", "after",
          Text("“\(number)”自己要等待本任务，会互相等待。", "“\(number)” waits for this task itself: they would wait for each other."))
      }
      return other.id
    }
  }

  /// Whether a task waits for another, or for one that does.
  private func waits(_ task: GrantID, for wanted: GrantID, in tx: any Transaction) throws -> Bool {
    var (open, seen) = ([task], Set<GrantID>())
    while let next = open.popLast() {
      if next == wanted { return true }
      guard seen.insert(next).inserted, seen.count < 1000 else { continue }
      open += try TaskStore.find(next, in: tx).after
    }
    return false
  }

  // MARK: - Rules

  package func add(_ rule: TaskRule, to id: GrantID, version: Int, by principal: Principal) async throws {
    try await change(id, version, principal) { task, grant, _, tx in
      guard task.rules.count < TaskRule.most else {
        throw Refusal.invalid(
          "exchange.rule", "kind", Text("最多 \(TaskRule.most) 条规则。", "At most \(TaskRule.most) rules."))
      }
      if let wrong = PlainText.wrongWords(rule.argument, most: TaskRule.longestArgument, missing: nil) {
        throw Refusal.invalid("exchange.rule", "argument", wrong)
      }
      guard !task.rules.contains(where: { $0.name == rule.name }) else {
        throw Refusal.invalid("exchange.rule", "kind", Text("已有这条规则。", "There is this rule already."))
      }
      try check(rule, grant, in: tx)
      task.rules.append(rule)
      return [("rule", rule.name), ("severity", rule.severity.rawValue)]
    }
  }

  private func check(_ rule: TaskRule, _ grant: Grant, in tx: any Transaction) throws {
    if let stop = rule.stopWhen, !stop.isSensible {
      throw Refusal.invalid(
        "exchange.rule", "stopShare",
        Text("停止条件为行数，或 0 至 100 的百分比。", "A number of rows, or a percentage from 0 to 100."))
    }
    let items = try ruleColumns(of: grant, in: tx)
    let place = try rule.column.map { column in
      guard let place = items.firstIndex(where: { $0.name == column }) else {
        throw Refusal.invalid("exchange.rule", "column", Text("授权中没有这个信息项。", "The grant has no such item."))
      }
      return place
    }
    if rule.kind == .uniqueInTarget, grant.items.filter(\.isKey).map(\.column) != [rule.column] {
      throw Refusal.invalid(
        "exchange.rule", "kind", Text("接收表内不重复只能由主键保证。", "Only the key can be kept from occurring twice in the target.")
      )
    }
    var references: [String: KeySet] = [:]
    if rule.kind == .reference {
      guard let place else {
        throw Refusal.invalid("exchange.rule", "column", Text("请选择信息项。", "Choose an item."))
      }
      references[rule.argument] = KeySet.Builder().finish()
      _ = try reference(to: rule.argument, as: items[place].type, grant, in: tx)
    }
    do {
      _ = try RuleMachine(
        [RuleMachine.Placed(try rule.qualityRule(), field: place)], items: items, references: references,
        on: CitizenID.Horizon(clock.now().dateInChina))
    } catch let error as ConnectorError {
      throw Refusal.invalid("exchange.rule", "argument", error.message)
    }
  }

  package func removeRule(_ name: String, from id: GrantID, version: Int, by principal: Principal) async throws {
    try await change(id, version, principal) { task, _, _, _ in
      guard let place = task.rules.firstIndex(where: { $0.name == name }) else {
        throw Refusal.notFound(Text("规则", "rule"))
      }
      task.rules.remove(at: place)
      return [("rule", name), ("removed", "true")]
    }
  }

  func change(
    _ id: GrantID, _ version: Int, _ principal: Principal,
    _ body:
      @escaping @Sendable (inout ExchangeTask, Grant, Instant, any Transaction) throws -> [(
        name: String, value: String
      )]
  ) async throws {
    try principal.require(.exchangeManage)
    let now = clock.now()
    try await database.write { tx in
      guard let grant = try GrantStore.find(id, in: tx), Sharing.sees(grant, principal) else {
        throw Refusal.notFound(Text("交换任务", "task"))
      }
      guard Self.manages(grant, principal) else { throw Self.notManager }
      var task = try TaskStore.find(id, in: tx)
      guard task.version == version else { throw Self.changedMeanwhile }
      let detail = try body(&task, grant, now, tx)
      guard try TaskStore.save(task, in: tx) else { throw Self.changedMeanwhile }
      try Self.schedule(grant, at: now, in: tx)
      try recordTask("exchange.task.change", grant, by: principal, detail, at: now, in: tx)
    }
  }

  static let notManager = Refusal(
    .forbidden, "exchange.task.provider",
    Text("只有提供部门的数据管理员或平台运营可以这样做。", "Only the provider's data officer or the operator may do this."))
  static let changedMeanwhile = Refusal(
    .conflict, "exchange.changed", Text("刚有人改过，请刷新后再改。", "Somebody has just changed this; reload and look again."))

  // MARK: - Pausing

  package func pause(_ id: GrantID, why: String, by principal: Principal) async throws {
    if let wrong = PlainText.wrongWords(why, most: 500, missing: Text("请写明理由。", "State the reason.")) {
      throw Refusal.invalid("exchange.task.pause", "why", wrong)
    }
    try await setPause(id, by: principal, "exchange.task.pause", [("reason", why)]) { now in
      ExchangeTask.Pause(
        at: now, by: "\(principal.organisationName) \(principal.name)", why: Text(same: why), isFrozen: false)
    }
  }

  /// A task that is paused or frozen goes on with its next turn, or at once when asked for.
  package func resume(_ id: GrantID, by principal: Principal) async throws {
    try await setPause(id, by: principal, "exchange.task.resume", []) { _ in nil }
  }

  private func setPause(
    _ id: GrantID, by principal: Principal, _ action: String, _ detail: [(name: String, value: String)],
    _ pause: @escaping @Sendable (Instant) -> ExchangeTask.Pause?
  ) async throws {
    try principal.require(.exchangeManage)
    let now = clock.now()
    try await database.write { tx in
      guard let grant = try GrantStore.find(id, in: tx), Self.pauses(grant, principal) else {
        throw Refusal.notFound(Text("交换任务", "task"))
      }
      let pause = pause(now)
      guard (try TaskStore.pause(of: id, in: tx) == nil) == (pause != nil) else { throw Self.changedMeanwhile }
      try TaskStore.set(pause, of: id, in: tx)
      try recordTask(action, grant, by: principal, detail, at: now, in: tx)
      if pause == nil {
        for subject in ["grant-drift", "grant-log"] {
          try Inbox.close(subject: subject, grant.id.text, by: principal, at: now, in: tx)
        }
        // What is followed need not wait until somebody sees to it again.
        if grant.frequency == .continuous, (try? sharing.check(grant, on: now.dateInChina, in: tx)) != nil {
          _ = try queue(id, trigger: "schedule", by: .system(), at: now, in: tx)
        }
      }
    }
  }

  // MARK: - What sources may be asked for

  /// The sources that one's tasks run at, with what they may be asked for and what they are.
  package func sources(
    for principal: Principal
  ) async throws -> [(source: DataSource, limit: SourceLimit, running: Int, grants: Int)] {
    try principal.require(.exchangeRead)
    let grants = try await sharing.grants(for: principal, limit: 500)
    return try await database.read { tx in
      var uses: [SourceID: (source: DataSource, grants: Int)] = [:]
      for grant in grants {
        for source in try sources(of: grant, in: tx) { uses[source.id, default: (source, 0)].grants += 1 }
      }
      let limits = try SourceLimitStore.find(among: Array(uses.keys), in: tx)
      return try uses.values.sorted { $0.source.id.text < $1.source.id.text }.map { source, grants in
        (
          source, limits[source.id] ?? SourceLimit(source: source.id),
          try DeliveryStore.running(at: source.id, in: tx), grants
        )
      }
    }
  }

  /// For its owner's data officer and the operator: applies to what runs from its next progress on.
  package func set(_ limit: SourceLimit, by principal: Principal) async throws {
    try principal.require(.exchangeManage)
    for (name, value, most) in [
      ("deliveries", limit.deliveries, 1_000), ("rows", limit.rowsPerSecond, 100_000_000),
      ("bytes", limit.bytesPerSecond, 1 << 40),
    ] {
      if let value, !(1...most).contains(value) {
        throw Refusal.invalid(
          "exchange.limit", name,
          Text("应为 1 至 \(most) 的整数，不限则留空。", "A whole number from 1 to \(most); empty for no limit."))
      }
    }
    let now = clock.now()
    try await database.write { tx in
      guard let source = try InventoryStore.source(limit.source, in: tx) else {
        throw Refusal.notFound(Text("数据源", "source"))
      }
      guard principal.may(.sharingReview) || principal.organisation == source.owner else {
        throw Refusal(
          .forbidden, "exchange.limit.owner",
          Text("只有数据源所属部门或平台运营可以限流。", "Only the source's own department or the operator may limit it."))
      }
      guard try SourceLimitStore.save(limit, in: tx) else { throw Self.changedMeanwhile }
      func said(_ number: Int?) -> String { number.map(String.init) ?? "-" }
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "exchange.source.limit", subjectKind: "source", subject: source.id.text,
          subjectName: source.name,
          detail: [
            ("deliveries", said(limit.deliveries)), ("rowsPerSecond", said(limit.rowsPerSecond)),
            ("bytesPerSecond", said(limit.bytesPerSecond)),
          ]), in: tx)
    }
  }
}
