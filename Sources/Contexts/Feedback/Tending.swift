import Audit
import Calendars
import Deadlines
import Inbox
import Jobs
import Kernel
import Storage

// What time does by itself: reminders before a day is over, the authority's late list, consent by silence.

extension Feedback {
  /// The kind of the job that comes round every hour.
  package static let tending = "feedback.tend"
  static let lateTask = "objection.late"

  /// Sets the clocks' hourly turn, and that of the saved searches; one that stands keeps its next turn.
  package func schedule() async throws {
    let now = clock.now()
    let stands = try await database.read { tx in
      try JobSchedule.next(Self.tending, in: tx) != nil && JobSchedule.next(Self.news, in: tx) != nil
    }
    guard !stands else { return }
    try await database.write { tx in
      try JobSchedule.set(Self.tending, kind: Self.tending, every: .seconds(3600), first: now + .seconds(3600), in: tx)
      try JobSchedule.set(Self.news, kind: Self.news, every: .seconds(900), first: now + .seconds(900), in: tx)
    }
  }

  /// What came of one turn.
  package struct Tended: Hashable, Sendable {
    package var reminded = 0
    package var late = 0
    package var lapsed = 0
  }

  /// Goes through every objection whose day is near or past, most urgent first; each once. At most 2,000 a turn, in
  /// transactions of 50: what is left comes at the next.
  package func tend() async throws -> Tended {
    var total = Tended()
    for told in [ObjectionStore.Told.nothing, .soon] {
      for _ in 0..<40 {
        let now = clock.now()
        let batch = try await database.write { tx in try tend(told: told, at: now, in: tx) }
        total.reminded += batch.reminded
        total.late += batch.late
        total.lapsed += batch.lapsed
        if batch == Tended() { break }
      }
    }
    return total
  }

  private func tend(told: ObjectionStore.Told, at now: Instant, in tx: any Transaction) throws -> Tended {
    let today = now.dateInChina
    let days = RuleSet.inForce(on: today, of: rules)["supervise.soon.workingDays"]?.value ?? 1
    // Of what was reminded of before, only what became late is news.
    let horizon = told == .nothing ? try calendars.inForce(tx).due(from: today, workingDays: days).date + 1 : today
    var done = Tended()
    for var objection in try ObjectionStore.due(before: horizon, told: told, limit: 50, in: tx) {
      guard objection.terms(on: today).isLate else {
        try remind(objection, at: now, in: tx)
        done.reminded += 1
        continue
      }
      if objection.state.waitsFor == .raiser {
        try apply(.lapse, to: &objection, by: .system(), words: "", at: now, in: tx)
        done.lapsed += 1
      } else {
        try reportLate(objection, at: now, in: tx)
        done.late += 1
      }
    }
    return done
  }

  private func remind(_ objection: Objection, at now: Instant, in tx: any Transaction) throws {
    try ObjectionStore.setTold(.soon, of: objection.id, in: tx)
    guard let due = objection.due, let party = objection.state.waitsFor else { return }
    try Inbox.notify(
      Notice(
        kind: "objection.soon",
        title: Text(
          "将于 \(due.date) 到期：\(objection.resourceName)（\(objection.number)）",
          "Due on \(due.date): \(objection.resourceName) (\(objection.number))"),
        link: objection.link, for: objection.inbox(of: party), subject: ("objection", objection.id.text), at: now),
      in: tx)
  }

  /// The authority follows what is late, and the raiser learns that he may go there.
  private func reportLate(_ objection: Objection, at now: Instant, in tx: any Transaction) throws {
    try ObjectionStore.setTold(.late, of: objection.id, in: tx)
    if objection.state != .escalated {
      try Inbox.post(
        InboxTask(
          kind: Self.lateTask,
          title: Text(
            "目录异议逾期：\(objection.providerName) · \(objection.resourceName)",
            "Objection late: \(objection.providerName) · \(objection.resourceName)"),
          link: objection.link, for: .holders(.feedbackCoordinate), subject: ("objection", objection.id.text),
          due: objection.due?.date, isProvisional: objection.due?.provisional ?? false, at: now), in: tx)
      try Inbox.notify(
        Notice(
          kind: Self.lateTask,
          title: Text(
            "提供部门逾期，可提请主管部门协调：\(objection.resourceName)（\(objection.number)）",
            "The provider is late; you may go to the authority: \(objection.resourceName) (\(objection.number))"),
          link: objection.link, for: objection.inbox(of: .raiser), subject: ("objection", objection.id.text), at: now),
        in: tx)
    }
    try AuditLog.record(
      AuditEntry(
        at: now, actor: .system(), action: "feedback.objection.late", subjectKind: "objection",
        subject: objection.id.text, subjectName: objection.resourceName,
        detail: [
          ("number", objection.number), ("state", objection.state.rawValue),
          ("due", objection.due.map { "\($0.date)" } ?? ""),
        ]), in: tx)
  }
}
