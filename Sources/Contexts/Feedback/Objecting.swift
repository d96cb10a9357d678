import Audit
import Calendars
import Catalog
import Deadlines
import Inbox
import Inventory
package import Kernel
import Storage

// What happens to an objection, step by step. Each is one transaction of rule, store, inbox and audit.

/// What a step says beyond its name.
package struct ObjectionStep: Hashable, Sendable {
  package var event: ObjectionEvent
  package var words: String
  /// With `correct`: the version in force that corrects it; nil where the entry was withdrawn.
  package var correctedBy: Int?

  package init(_ event: ObjectionEvent, words: String = "", correctedBy: Int? = nil) {
    self.event = event
    self.words = words
    self.correctedBy = correctedBy
  }

  /// Reasons are owed to the other side.
  package static let needWords: Set<ObjectionEvent> = [
    .askSupplement, .supplement, .refuse, .reopen, .escalate, .direct, .dismiss,
  ]
}

extension Feedback {
  /// Raises an objection for the own office against an entry in force of another. What the same person sent before word for
  /// word is answered with the objection that it made, while that is open.
  package func raise(_ draft: ObjectionDraft, by principal: Principal) async throws -> Objection {
    let (person, office) = try speaker(principal, .feedbackRaise)
    let now = clock.now()
    try check(draft, on: now.dateInChina)
    return try await database.write { tx in
      if let key = draft.formKey, let sent = try ObjectionStore.find(formKey: key, of: person, in: tx) {
        guard draft.isWhatWasSent(sent) else { throw Self.sent(sent) }
        return sent
      }
      let resource = try entry(draft.resource, for: office, in: tx)
      let about = try subject(draft.about, of: resource)
      // Written in a second window, or sent by a form that was opened anew: it is the same objection, and waits already.
      if let open = try ObjectionStore.open(on: resource.id, by: person, in: tx).first(where: draft.isWhatWasSent) {
        return open
      }
      let sent = try ObjectionStore.count(
        by: person, since: Self.dayBefore(now), most: Self.limits.objectionsADay, in: tx)
      try Self.checkRate(sent, most: Self.limits.objectionsADay)
      let year = now.dateInChina.year
      var objection = Objection(
        id: .make(at: now), number: "青目异〔\(year)〕\(sixDigits(try Self.next("objection/\(year)", in: tx)))",
        resource: resource.id, resourceVersion: resource.version, resourceName: resource.metadata.name,
        provider: resource.provider, providerName: resource.providerName, raiser: office,
        raiserName: principal.organisationName, raisedBy: person, raisedByName: principal.name, kind: draft.kind,
        about: about, words: draft.words, evidence: draft.evidence, state: .raised, supplementAsked: false,
        wasReopened: false, rules: RuleSet.inForce(on: now.dateInChina, of: rules).version, version: 1, createdAt: now,
        changedAt: now)
      objection.clock = try startedClock(for: objection, on: now.dateInChina)
      objection.due = objection.clock?.due(by: try calendars.inForce(tx))
      try ObjectionStore.insert(objection, formKey: draft.formKey, in: tx)
      try tell(.raise, objection, by: principal, words: draft.words, at: now, in: tx)
      return objection
    }
  }

  /// Takes one step; `version` is that of the objection on which it was decided.
  package func act(
    on id: ObjectionID, _ step: ObjectionStep, version: Int, by principal: Principal
  ) async throws -> Objection {
    let now = clock.now()
    try check(step)
    return try await database.write { tx in
      guard var objection = try ObjectionStore.find(id, in: tx), let party = objection.party(principal) else {
        throw Self.noObjection
      }
      let takesUp = step.event == .escalate && party == .authority && objection.terms(on: now.dateInChina).isLate
      guard let actor = takesUp ? .authority : step.event.party, objection.acts(principal, as: actor) else {
        throw Self.notYours
      }
      guard objection.version == version else { throw try Self.changed(objection, in: tx) }
      if step.event == .correct { try checkCorrection(step.correctedBy, of: objection, in: tx) }
      objection.correctedBy = step.event == .correct ? step.correctedBy : objection.correctedBy
      try apply(step.event, to: &objection, by: principal, words: step.words, at: now, in: tx)
      return objection
    }
  }

  // MARK: - Seeing

  /// One objection with what happened to it, for its parties and the authority.
  package func objection(
    _ id: ObjectionID, for principal: Principal
  ) async throws -> (objection: Objection, events: [ObjectionStore.Event]) {
    try await database.read { tx in
      guard let objection = try ObjectionStore.find(id, in: tx), objection.party(principal) != nil else {
        throw Self.noObjection
      }
      return (objection, try ObjectionStore.events(of: id, in: tx))
    }
  }

  /// Which side of the objections of the own office a list shows.
  package enum Side: String, Sendable, CaseIterable { case raised, received, all }

  /// Newest first: the own office's, on one side; of all offices for the authority alone.
  package func objections(
    for principal: Principal, side: Side, state: ObjectionState? = nil, before: ObjectionID? = nil, limit: Int
  ) async throws -> [Objection] {
    try principal.require(.readCatalog)
    let filter: ObjectionStore.Filter
    switch side {
    case .all:
      try principal.require(.feedbackCoordinate)
      filter = .all
    case .raised, .received:
      guard let office = principal.organisation else { return [] }
      filter = side == .raised ? .raised(office) : .received(office)
    }
    return try await database.read { tx in
      try ObjectionStore.list(filter, state: state, before: before, limit: limit, in: tx)
    }
  }

  /// Every objection whose days are over, longest late first: what the authority follows.
  package func lateObjections(
    for principal: Principal, after: (due: CalendarDate, id: ObjectionID)? = nil, limit: Int
  ) async throws -> [Objection] {
    try principal.require(.feedbackCoordinate)
    let today = clock.now().dateInChina
    return try await database.read { tx in try ObjectionStore.late(on: today, after: after, limit: limit, in: tx) }
  }

  /// What the provider may name as the correction now.
  package enum Correction: Hashable, Sendable {
    /// Nothing was published since.
    case none
    case version(Int)
    case withdrawal
  }

  package func correction(of objection: Objection) async throws -> Correction {
    try await database.read { tx in
      guard let resource = try CatalogStore.published(objection.resource, in: tx) else { return .withdrawal }
      return Self.corrects(resource.version, objection) ? .version(resource.version) : .none
    }
  }

  // MARK: - Carrying out

  /// Rule, store, inbox, audit, in the caller's transaction.
  func apply(
    _ event: ObjectionEvent, to objection: inout Objection, by principal: Principal, words: String, at now: Instant,
    in tx: any Transaction
  ) throws {
    let (before, today) = (objection.version, now.dateInChina)
    objection.state = try objection.state.applying(event, objection.terms(on: today))
    if event == .reopen { objection.wasReopened = true }
    let calendar = try calendars.inForce(tx)
    switch event {
    case .askSupplement:
      objection.supplementAsked = true
      do throws(ClockState.Fault) {
        objection.pausedClock = try objection.clock?.applying(
          .suspended(on: today, reason: Text("等待异议方补充材料", "waiting for the raiser's supplement")), calendar: calendar)
      } catch { throw error.refusal }
      objection.clock = try startedClock(for: objection, on: today)
    case .supplement:
      do throws(ClockState.Fault) {
        objection.clock = try objection.pausedClock?.applying(.resumed(on: today), calendar: calendar)
      } catch { throw error.refusal }
      objection.pausedClock = nil
    default:
      objection.clock = try startedClock(for: objection, on: today)
      objection.pausedClock = nil
    }
    objection.due = objection.clock?.due(by: calendar)
    objection.changedAt = now
    guard try ObjectionStore.update(objection, from: before, at: now, in: tx) else {
      throw try Self.changed(objection, in: tx)
    }
    objection.version += 1
    try tell(event, objection, by: principal, words: words, at: now, in: tx)
  }

  private func startedClock(for objection: Objection, on day: CalendarDate) throws -> ClockState? {
    guard let rule = objection.state.rule, let terms = ruleSet(objection.rules, on: day).terms(rule) else { return nil }
    do throws(ClockState.Fault) { return try ClockState(terms).applying(.started(on: day)) } catch {
      throw error.refusal
    }
  }

  /// The history, both sides' inboxes and the log.
  private func tell(
    _ event: ObjectionEvent, _ objection: Objection, by principal: Principal, words: String, at now: Instant,
    in tx: any Transaction
  ) throws {
    try ObjectionStore.record(
      event, of: objection, by: principal, words: words.isEmpty ? nil : words, at: now, in: tx)
    try Inbox.close(subject: "objection", objection.id.text, by: principal, at: now, in: tx)
    let waiting = objection.state.waitsFor
    if let waiting { try Inbox.post(objection.task(for: waiting, at: now), in: tx) }
    for party in [ObjectionState.Party.raiser, .provider] where party != waiting && party != event.party {
      try Inbox.notify(
        Notice(
          kind: "objection.\(event.rawValue)",
          title: Text(
            "\(event.title.chinese)：\(objection.resourceName)（\(objection.number)）",
            "\(event.title.english): \(objection.resourceName) (\(objection.number))"),
          link: objection.link, for: objection.inbox(of: party), subject: ("objection", objection.id.text), at: now),
        in: tx)
    }
    var detail: [(name: String, value: String)] = [
      ("number", objection.number), ("state", objection.state.rawValue), ("resource", objection.resourceName),
      ("kind", objection.kind),
    ]
    if let due = objection.due { detail.append(("due", "\(due.date)")) }
    if event == .correct { detail.append(("version", objection.correctedBy.map(String.init) ?? "withdrawn")) }
    if !words.isEmpty { detail.append(("words", words)) }
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: "feedback.objection.\(event.rawValue)", subjectKind: "objection",
        subject: objection.id.text, subjectName: objection.resourceName, detail: detail), in: tx)
  }

  // MARK: - Rules

  private func check(_ draft: ObjectionDraft, on day: CalendarDate) throws {
    try Self.checkFormKey(draft.formKey)
    var faults: [Refusal.Fault] = []
    if !lists["objection-kind"].permits(draft.kind, on: day) {
      faults.append(.init("kind", Text("请选择异议类型。", "Choose the kind of objection.")))
    }
    if case .element(let code) = draft.about, !lists["entry-element"].permits(code, on: day) {
      faults.append(.init("about", Text("请选择目录中的一项内容。", "Choose a part of the entry.")))
    }
    Self.checkText(draft.words, "words", Self.limits.words, &faults)
    Self.checkText(draft.evidence, "evidence", Self.limits.evidence, required: false, &faults)
    guard faults.isEmpty else { throw Refusal.invalid("feedback.objection", faults) }
  }

  private func check(_ step: ObjectionStep) throws {
    var faults: [Refusal.Fault] = []
    Self.checkText(
      step.words, "words", Self.limits.words, required: ObjectionStep.needWords.contains(step.event), &faults)
    guard faults.isEmpty else { throw Refusal.invalid("feedback.objection", faults) }
  }

  private func subject(_ about: ObjectionDraft.About, of resource: Resource) throws -> Objection.Subject {
    switch about {
    case .entry: return .entry
    case .element(let code): return .element(code)
    case .item(let id):
      guard let item = resource.item(id) else {
        throw Refusal.invalid(
          "feedback.objection.item", "about", Text("在用版本没有这个信息项。", "The version in force has no such item."))
      }
      return .item(id, name: item.name)
    }
  }

  /// A correction can be read: it is the version in force, later than the one objected to; what was unavailable may be
  /// repaired without one; and an entry that was withdrawn is corrected by that.
  private func checkCorrection(_ version: Int?, of objection: Objection, in tx: any Transaction) throws {
    let current = try CatalogStore.published(objection.resource, in: tx)
    if let current {
      guard let version else {
        throw Refusal.invalid(
          "feedback.correct.version", "version", Text("请选择更正它的版本。", "Name the version that corrects it."))
      }
      guard current.version == version, Self.corrects(version, objection) else {
        throw Refusal.invalid(
          "feedback.correct.version", "version",
          Text(
            "更正须是异议提出后发布的在用版本（第 \(objection.resourceVersion) 版之后）。",
            "The correction is the version in force, published after version \(objection.resourceVersion)."))
      }
    } else if version != nil {
      throw Refusal.invalid(
        "feedback.correct.version", "version",
        Text("目录已下架，没有在用版本；请不填版本。", "The entry was withdrawn and has no version in force; leave the version out."))
    }
  }

  private static func corrects(_ version: Int, _ objection: Objection) -> Bool {
    version > (objection.wasReopened ? objection.correctedBy ?? objection.resourceVersion : objection.resourceVersion)
      || objection.kind == "unavailable" && version == objection.resourceVersion
  }

  // MARK: - Refusals

  static let noObjection = Refusal.notFound(Text("异议", "objection"))
  private static let notYours = Refusal(
    .forbidden, "feedback.party", Text("这一步归异议的另一方办理。", "This step belongs to the other party."))

  private static func sent(_ objection: Objection) -> Refusal {
    Refusal(
      .conflict, "feedback.objection.sent",
      Text(
        "这张表单已提交为异议 \(objection.number)，后来的修改没有保存。",
        "This form was submitted as objection \(objection.number); what was changed since is not kept."))
  }

  /// Who was faster, and with what.
  private static func changed(_ objection: Objection, in tx: any Transaction) throws -> Refusal {
    guard let last = try ObjectionStore.lastEvent(of: objection.id, in: tx) else { return changed }
    return Refusal(
      .conflict, "feedback.changed",
      Text(
        "\(last.organisation) \(last.actor) 已于 \(last.at.minuteInChina) 办理：\(last.event.title.chinese)。请看过后再办。",
        "\(last.organisation) \(last.actor) was faster at \(last.at.minuteInChina): \(last.event.title.english). Look again first."
      ))
  }
}

extension Objection {
  var link: String { "/feedback/objections/\(id)" }

  /// Whom a party's messages reach.
  func inbox(of party: ObjectionState.Party) -> InboxTask.Waiting {
    switch party {
    case .raiser: .office(raiser, .feedbackRaise)
    case .provider: .office(provider, .feedbackAnswer)
    case .authority: .holders(.feedbackCoordinate)
    }
  }

  fileprivate func task(for party: ObjectionState.Party, at now: Instant) -> InboxTask {
    let verb: Text =
      switch state {
      case .raised: Text("答复目录异议", "Answer an objection")
      case .accepted: Text("更正目录", "Correct an entry")
      case .supplementPending: Text("补充异议材料", "Supplement an objection")
      case .refused: Text("异议未采纳，请回应", "Objection refused: agree or go on")
      case .corrected: Text("确认目录更正", "Confirm a correction")
      case .escalated: Text("协调目录异议", "Coordinate an objection")
      case .confirmed, .conceded, .dismissed, .withdrawn: state.title
      }
    return InboxTask(
      kind: "objection.\(state.rawValue)",
      title: Text("\(verb.chinese)：\(resourceName)", "\(verb.english): \(resourceName)"), link: link,
      for: inbox(of: party), subject: ("objection", id.text), due: due?.date, isProvisional: due?.provisional ?? false,
      at: now)
  }
}

private func sixDigits(_ number: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, 6 - text.count)) + text
}
