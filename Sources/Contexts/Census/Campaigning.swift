import Audit
import Calendars
import Catalog
package import Deadlines
package import Identity
import Inbox
import Jobs
package import Kernel
package import Storage

// What the platform's operator does: open a campaign, accept or return what comes, close it.

/// What opens a campaign.
package struct CampaignDraft: Hashable, Sendable {
  package var name: String
  package var referenceDay: CalendarDate?
  /// Nil for what the configured rule says.
  package var workingDays: Int?
  package var offices: [OrganisationID]

  package init(name: String, referenceDay: CalendarDate?, workingDays: Int? = nil, offices: [OrganisationID]) {
    self.name = name
    self.referenceDay = referenceDay
    self.workingDays = workingDays
    self.offices = offices
  }
}

extension Census {
  /// The job that lays out a campaign's lines; its payload is the campaign's id.
  package static let preparation = "census.prepare"
  /// The key of the rule that says how many working days offices have.
  package static let rule = "census.return"
  static let reasonLimit = 1000
  private static let batch = 500

  /// Offices that provide resources and stand today, by name: those a campaign may ask.
  package func askable(_ principal: Principal) async throws -> [Organisation] {
    try principal.require(.runCensus)
    let today = clock.today
    return try await database.read { tx in
      try CatalogStore.providers(in: tx).compactMap { try offices.find($0, tx) }.filter { $0.stands(on: today) }
        .sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    }
  }

  /// The configured rule that says today how many working days offices have.
  package var usualPeriod: Rule? { RuleSet.inForce(on: clock.today, of: rules)[Self.rule] }

  /// The campaign that is not closed yet, which stands in another's way.
  func running(_ principal: Principal) async throws -> Campaign? {
    try principal.require(.runCensus)
    return try await database.read { tx in
      try CensusStore.campaigns(limit: 1, in: tx).first.flatMap { $0.state == .closed ? nil : $0 }
    }
  }

  static let isRunning = Refusal(
    .conflict, "census.running", Text("上一批普查尚未结束，请先结束它。", "The last census is not closed yet; close it first."))

  /// Opens a campaign; its lines are laid out by a job. One campaign runs at a time.
  package func open(_ principal: Principal, _ draft: CampaignDraft) async throws -> Campaign {
    try principal.require(.runCensus)
    let now = clock.now()
    let today = now.dateInChina
    guard let rule = RuleSet.inForce(on: today, of: rules)[Self.rule] else {
      throw Refusal(.unavailable, "census.rule", Text("没有配置普查期限规则。", "No rule sets the census's period."))
    }
    let (referenceDay, workingDays, asked) = try check(draft, rule, today: today)
    return try await database.write { tx in
      let last = try CensusStore.campaigns(limit: 1, in: tx).first
      guard last.map({ $0.state == .closed }) ?? true else {
        throw Self.isRunning
      }
      let campaign = Campaign(
        id: .make(at: now), name: draft.name, referenceDay: referenceDay, state: .preparing,
        due: try calendars.inForce(tx).due(from: today, workingDays: workingDays, rule: rule.reference),
        previous: last?.id, openedAt: now, openedBy: principal.name)
      try CensusStore.insert(campaign, in: tx)
      for id in asked {
        guard let office = try offices.find(id, tx), office.stands(on: today) else {
          throw Refusal.invalid("census.office", "office", Text("请选择现有单位。", "Choose standing organisations."))
        }
        try CensusStore.insert(
          CensusReturn(
            id: .make(at: now), campaign: campaign.id, office: id, officeName: office.name, state: .preparing, lines: 0,
            entered: 0, words: ""), in: tx)
      }
      try JobQueue.enqueue(
        Self.preparation, payload: campaign.id.text, dedupe: "census:\(campaign.id)", at: now, in: tx)
      try record(
        "census.campaign.open", campaign, by: principal, at: now,
        [
          ("reference", "\(referenceDay)"), ("due", "\(campaign.due.date)"), ("offices", "\(asked.count)"),
        ], in: tx)
      return campaign
    }
  }

  private func check(
    _ draft: CampaignDraft, _ rule: Rule, today: CalendarDate
  ) throws -> (CalendarDate, Int, [OrganisationID]) {
    var faults: [Refusal.Fault] = []
    if let wrong = PlainText.wrongName(draft.name, lengths: 1...Campaign.limits.name) {
      faults.append(.init("name", Text("批次名称：\(wrong.chinese)", "Name: \(wrong.english)")))
    }
    if draft.referenceDay.map({ $0 > today }) ?? true {
      faults.append(.init("referenceDay", Text("请填写基准日，不晚于今天。", "Enter the reference day, today at the latest.")))
    }
    let workingDays = draft.workingDays ?? rule.value
    if !(1...Campaign.limits.workingDays).contains(workingDays) {
      faults.append(
        .init(
          "workingDays",
          Text(
            "应为 1 到 \(Campaign.limits.workingDays) 个工作日。", "From 1 to \(Campaign.limits.workingDays) working days.")))
    }
    let asked = Set(draft.offices).sorted()
    if !(1...Campaign.limits.offices).contains(asked.count) {
      faults.append(
        .init(
          "office",
          Text("请选择 1 到 \(Campaign.limits.offices) 个单位。", "Choose 1 to \(Campaign.limits.offices) organisations.")))
    }
    guard faults.isEmpty, let referenceDay = draft.referenceDay else {
      throw Refusal.invalid("census.campaign", faults)
    }
    return (referenceDay, workingDays, asked)
  }

  // MARK: Laying out

  /// Lays out a campaign's lines, office by office, in small transactions; killed, it goes on where it was. When an office's
  /// lines are there its people are told. `progress` hears how many lines there are so far.
  package func prepare(_ id: CampaignID, progress: (Int) async throws -> Void = { _ in }) async throws {
    var lines = 0
    while let step = try await database.write({ tx in try layOut(id, in: tx) }) {
      lines += step
      try await progress(lines)
    }
  }

  /// One step: some lines of one office. Nil when nothing is left to do.
  private func layOut(_ id: CampaignID, in tx: any Transaction) throws -> Int? {
    guard let campaign = try CensusStore.campaign(id, in: tx), campaign.state == .preparing else { return nil }
    guard var owner = try CensusStore.unprepared(of: id, in: tx) else {
      try CensusStore.move(campaign, to: campaign.state.applying(.ready), in: tx)
      return nil
    }
    let found = try CatalogStore.lines(
      of: owner.office, after: try CensusStore.preparedTo(owner.id, in: tx), limit: Self.batch, in: tx)
    guard let last = found.last else {
      owner.state = try owner.state.applying(.prepared)
      try CensusStore.move(owner, from: .preparing, in: tx)
      try post(owner, campaign, at: clock.now(), in: tx)
      return 0
    }
    let ids = found.map(\.id)
    let before = try campaign.previous.map { try LineStore.numbers(of: ids, in: $0, tx) } ?? [:]
    let measured = try measuring.known(ids, tx)
    var sums: [String: CensusSum] = [:]
    var made = 0
    for resource in found {
      let known = measured[resource.id] ?? Measured()
      let carried = before[resource.id]
      let line = CensusLine(
        campaign: campaign.id, owner: owner.id, officeName: owner.officeName, resource: resource.id,
        code: resource.code, name: resource.name, category: CensusLine.category(of: resource.classes),
        numbers: carried ?? known.numbers,
        origin: carried != nil ? .carried : known.isNothing ? .blank : .measured, measured: known, revision: 1)
      guard try LineStore.insert(line, in: tx) else { continue }
      made += 1
      var sum = sums[line.category] ?? .nothing
      sum.lines += 1
      sum.numbers = sum.numbers + line.numbers
      sums[line.category] = sum
    }
    for (category, sum) in sums.sorted(by: { $0.key < $1.key }) {
      try CensusStore.add(sum, to: category, of: (owner.id, campaign.id), in: tx)
    }
    try CensusStore.count(lines: made, entered: 0, of: owner.id, in: tx)
    try CensusStore.setPrepared(owner.id, to: last.id, in: tx)
    return made
  }

  private func post(
    _ owner: CensusReturn, _ campaign: Campaign, at now: Instant, in tx: any Transaction
  ) throws {
    try Inbox.post(
      InboxTask(
        kind: "census.fill",
        title: Text("填报六项普查：\(campaign.name)", "Fill in the census: \(campaign.name)"),
        link: "/census/returns/\(owner.id)", for: .office(owner.office, .fillCensus),
        subject: ("census.return", owner.id.text), due: campaign.due.date, isProvisional: campaign.due.provisional,
        at: now), in: tx)
  }

  // MARK: Deciding

  package enum Decision: Hashable, Sendable {
    case accept
    /// With the reasons the office will read.
    case sendBack(reasons: String)
  }

  /// `check` throws when the return is not as the decider saw it.
  package func decide(
    _ principal: Principal, _ id: CensusReturnID, _ decision: Decision,
    if check: @escaping @Sendable (CensusReturn) throws -> Void = { _ in }
  ) async throws {
    try principal.require(.runCensus)
    if case .sendBack(let reasons) = decision {
      let missing = Text(
        "请写明退回原因（最多 \(Self.reasonLimit) 字）。", "State the reasons (at most \(Self.reasonLimit) characters).")
      if let wrong = PlainText.wrongWords(reasons, most: Self.reasonLimit, missing: missing) {
        throw Refusal.invalid("census.reasons", "reasons", wrong)
      }
    }
    let now = clock.now()
    try await database.write { tx in
      guard var owner = try CensusStore.find(id, in: tx) else { throw Self.noReturn }
      try check(owner)
      let campaign = try openCampaign(owner.campaign, in: tx)
      let before = owner.state
      (owner.decidedAt, owner.decidedBy) = (now, principal.name)
      switch decision {
      case .accept:
        owner.state = try before.applying(.accept)
        owner.words = ""
      case .sendBack(let reasons):
        owner.state = try before.applying(.sendBack)
        owner.words = reasons
      }
      try CensusStore.move(owner, from: before, in: tx)
      try Inbox.close(subject: "census.return", id.text, by: principal, at: now, in: tx)
      switch decision {
      case .accept:
        try record("census.return.accept", owner, campaign, by: principal, at: now, in: tx)
      case .sendBack(let reasons):
        try post(owner, campaign, at: now, in: tx)
        try record(
          "census.return.return", owner, campaign, by: principal, at: now, detail: [("words", reasons)], in: tx)
      }
    }
  }

  /// Ends a campaign: its numbers are frozen, and what was not accepted stays as it stands.
  package func close(_ principal: Principal, _ id: CampaignID) async throws {
    try principal.require(.runCensus)
    let now = clock.now()
    try await database.write { tx in
      guard let campaign = try CensusStore.campaign(id, in: tx) else { throw Self.noCampaign }
      try CensusStore.move(campaign, to: campaign.state.applying(.close), by: principal.name, at: now, in: tx)
      let returns = try CensusStore.returns(of: id, in: tx)
      for owner in returns {
        try Inbox.close(subject: "census.return", owner.id.text, by: principal, at: now, in: tx)
      }
      try record(
        "census.campaign.close", campaign, by: principal, at: now,
        [("accepted", "\(returns.count { $0.state == .accepted })"), ("offices", "\(returns.count)")], in: tx)
    }
  }

  private func record(
    _ action: String, _ campaign: Campaign, by principal: Principal, at now: Instant,
    _ detail: [(name: String, value: String)], in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "census.campaign", subject: campaign.id.text,
        subjectName: campaign.name, detail: detail), in: tx)
  }

  // MARK: A new calendar

  /// Counts the due date of the running campaign anew; answers how many changed.
  package static func recount(
    by calendar: WorkCalendar, for principal: Principal, at now: Instant, in tx: any Transaction
  ) throws -> Int {
    guard let campaign = try CensusStore.campaigns(limit: 1, in: tx).first, campaign.state != .closed,
      let moved = campaign.due.moved(by: calendar)
    else { return 0 }
    try CensusStore.setDue(moved, of: campaign.id, in: tx)
    for owner in try CensusStore.returns(of: campaign.id, in: tx) {
      try Inbox.move(
        subject: "census.return", owner.id.text, kind: "census.fill", to: moved.date, isProvisional: moved.provisional,
        in: tx)
    }
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: "census.campaign.recount", subjectKind: "census.campaign",
        subject: campaign.id.text, subjectName: campaign.name,
        detail: [
          ("before", "\(campaign.due.date)"), ("due", "\(moved.date)"), ("calendar", moved.calendarVersion),
        ]), in: tx)
    return 1
  }
}
