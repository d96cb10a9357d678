import Audit
package import Deadlines
import Inbox
package import Kernel
package import Storage

// A year's arrangement became known: what was due by the plain week is counted anew.

extension Feedback {
  /// Counts every open due date anew by this calendar, with what waits in the inboxes for it; answers how many changed.
  /// An objection keeps its version: whoever is deciding it just now decides the same thing.
  package static func recount(
    by calendar: WorkCalendar, for principal: Principal, at now: Instant, in tx: any Transaction
  ) throws -> Int {
    try recountObjections(by: calendar, for: principal, at: now, in: tx)
      + recountQuestions(by: calendar, for: principal, at: now, in: tx)
  }

  private static func recountObjections(
    by calendar: WorkCalendar, for principal: Principal, at now: Instant, in tx: any Transaction
  ) throws -> Int {
    try calendar.recount(
      { try ObjectionStore.openDueDates(after: $0, limit: $1, in: tx) }, key: { $0.id }, due: { $0.due }
    ) { open, due, moved in
      try ObjectionStore.setDue(moved, of: open.id, in: tx)
      // Late by the old calendar is perhaps in time by the new one; the next turn of the clock says so again.
      try Inbox.close(subject: "objection", open.id.text, kind: Self.lateTask, by: principal, at: now, in: tx)
      try Inbox.move(subject: "objection", open.id.text, to: moved.date, isProvisional: moved.provisional, in: tx)
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "feedback.objection.recount", subjectKind: "objection",
          subject: open.id.text, subjectName: open.resourceName,
          detail: [
            ("number", open.number), ("before", "\(due.date)"), ("due", "\(moved.date)"),
            ("calendar", moved.calendarVersion),
          ]), in: tx)
    }
  }

  private static func recountQuestions(
    by calendar: WorkCalendar, for principal: Principal, at now: Instant, in tx: any Transaction
  ) throws -> Int {
    try calendar.recount(
      { try QuestionStore.openDueDates(after: $0, limit: $1, in: tx) }, key: { $0.id }, due: { $0.due }
    ) { open, due, moved in
      try QuestionStore.setDue(moved, of: open.id, in: tx)
      try Inbox.close(subject: "question", open.id.text, kind: Self.lateQuestion, by: principal, at: now, in: tx)
      try Inbox.move(subject: "question", open.id.text, to: moved.date, isProvisional: moved.provisional, in: tx)
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "feedback.question.recount", subjectKind: "question",
          subject: open.id.text, subjectName: open.resourceName,
          detail: [
            ("before", "\(due.date)"), ("due", "\(moved.date)"), ("calendar", moved.calendarVersion),
          ]), in: tx)
    }
  }
}
