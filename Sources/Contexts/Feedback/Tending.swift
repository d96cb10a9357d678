import Audit
import Calendars
import Deadlines
import Inbox
import Jobs
import Kernel
import Storage

// What time does by itself: reminders before a day is over, the authority's late list, consent by silence.

/// What was said so far of a day that nears or passes.
enum Told: String { case nothing, soon, late }

extension Feedback {
  /// The kind of the job that comes round every hour.
  package static let tending = "feedback.tend"
  static let lateTask = "objection.late"
  static let lateQuestion = "question.late"

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

  /// Goes through every objection and every unanswered question whose day is near or past, most urgent first; each once. At
  /// most 2,000 of either a turn, in transactions of 50: what is left comes at the next.
  package func tend() async throws -> Tended {
    var total = Tended()
    for told in [Told.nothing, .soon] {
      for tend in [tendObjections, tendQuestions] {
        for _ in 0..<40 {
          let now = clock.now()
          let batch = try await database.write { tx in try tend(told, now, tx) }
          total.reminded += batch.reminded
          total.late += batch.late
          total.lapsed += batch.lapsed
          if batch == Tended() { break }
        }
      }
    }
    return total
  }

  /// What is due before this day is told of. Of what was reminded of before, only what became late is news.
  private func horizon(_ told: Told, _ today: CalendarDate, in tx: any Transaction) throws -> CalendarDate {
    let days = RuleSet.inForce(on: today, of: rules)["supervise.soon.workingDays"]?.value ?? 1
    return told == .nothing ? try calendars.inForce(tx).due(from: today, workingDays: days).date + 1 : today
  }

  @Sendable private func tendQuestions(_ told: Told, at now: Instant, in tx: any Transaction) throws -> Tended {
    let today = now.dateInChina
    var done = Tended()
    for question in try QuestionStore.due(before: horizon(told, today, in: tx), told: told, limit: 50, in: tx) {
      guard let due = question.due else { continue }
      let isLate = due.date < today
      try QuestionStore.setTold(isLate ? .late : .soon, of: question.id, in: tx)
      try Inbox.notify(
        Notice(
          kind: isLate ? Self.lateQuestion : "question.soon",
          title: isLate
            ? Text(
              "咨询逾期未答复（\(due.date)）：\(question.askerName) · \(question.resourceName)",
              "A question was due on \(due.date): \(question.askerName) · \(question.resourceName)")
            : Text(
              "咨询将于 \(due.date) 到期：\(question.askerName) · \(question.resourceName)",
              "A question is due on \(due.date): \(question.askerName) · \(question.resourceName)"),
          link: question.link, for: .office(question.provider, .feedbackAnswer),
          subject: ("question", question.id.text),
          at: now), in: tx)
      if isLate { try reportLate(question, due, at: now, in: tx) }
      if isLate { done.late += 1 } else { done.reminded += 1 }
    }
    return done
  }

  /// The authority follows it until it is answered.
  private func reportLate(_ question: Question, _ due: DueDate, at now: Instant, in tx: any Transaction) throws {
    try Inbox.post(
      InboxTask(
        kind: Self.lateQuestion,
        title: Text(
          "咨询逾期未答复：\(question.providerName) · \(question.resourceName)",
          "Question unanswered: \(question.providerName) · \(question.resourceName)"),
        link: question.link, for: .holders(.feedbackCoordinate), subject: ("question", question.id.text),
        due: due.date, isProvisional: due.provisional, at: now), in: tx)
    try AuditLog.record(
      AuditEntry(
        at: now, actor: .system(), action: "feedback.question.late", subjectKind: "question",
        subject: question.id.text, subjectName: question.resourceName,
        detail: [("resource", question.resource.text), ("due", "\(due.date)")]), in: tx)
  }

  @Sendable private func tendObjections(_ told: Told, at now: Instant, in tx: any Transaction) throws -> Tended {
    let today = now.dateInChina
    let horizon = try horizon(told, today, in: tx)
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
