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
    var changed = 0
    var last: ShareRequestID?
    while true {
      let batch = try RequestStore.openDueDates(after: last, limit: 500, in: tx)
      for open in batch {
        last = open.id
        guard let due = open.due, let moved = due.moved(by: calendar) else { continue }
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
        changed += 1
      }
      if batch.count < 500 { return changed }
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
