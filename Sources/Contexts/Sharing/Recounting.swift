import Audit
package import Deadlines
import Inbox
package import Kernel
package import Storage

// A year's arrangement became known: what was due by the plain week is counted anew.

extension Sharing {
  /// Counts every open due date anew by this calendar, with what waits in the inboxes for it; answers how many changed.
  /// The request keeps its version: whoever is deciding it just now decides the same thing.
  package static func recount(
    by calendar: WorkCalendar, for principal: Principal, at now: Instant, in tx: any Transaction
  ) throws -> Int {
    try calendar.recount(
      { try RequestStore.openDueDates(after: $0, limit: $1, in: tx) }, key: { $0.id }, due: { $0.due }
    ) { open, due, moved in
      try RequestStore.setDue(moved, of: open.id, in: tx)
      try Inbox.move(
        subject: "request", open.id.text, to: moved.date, isProvisional: moved.provisional, in: tx)
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "sharing.request.recount", subjectKind: "request",
          subject: open.id.text, subjectName: open.name,
          detail: [
            ("number", open.number), ("before", "\(due.date)"), ("due", "\(moved.date)"),
            ("calendar", moved.calendarVersion),
          ]), in: tx)
    }
  }
}

extension RequestStore {
  /// Requests that wait for somebody until a day, by id.
  fileprivate static func openDueDates(
    after: ShareRequestID?, limit: Int, in tx: any Transaction
  ) throws -> [(id: ShareRequestID, number: String, name: String, due: DueDate?)] {
    try tx.rows(
      """
      SELECT id, number, resource_name, due FROM sharing_request
      WHERE due IS NOT NULL AND \(isOpen) AND id > \(after?.text ?? "") ORDER BY id LIMIT \(limit)
      """
    ).map { row in
      (
        try row.id("id"), try row.text("number"), try row.text("resource_name"),
        DueDate(encoded: try row.text("due"))
      )
    }
  }

  fileprivate static func setDue(_ due: DueDate, of id: ShareRequestID, in tx: any Transaction) throws {
    try tx.run("UPDATE sharing_request SET due = \(due.encoded), due_date = \(due.date) WHERE id = \(id)")
  }
}
