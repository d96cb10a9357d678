internal import Audit
package import Deadlines
internal import Inbox
package import Kernel
package import Storage

// A year's arrangement became known: reviews that were due by the plain week are counted anew.

extension Cataloguing {
  /// Counts the due date of every review that is asked for anew by this calendar; answers how many changed.
  package static func recount(
    by calendar: WorkCalendar, for principal: Principal, at now: Instant, in tx: any Transaction
  ) throws -> Int {
    var changed = 0
    var last: ResourceID?
    while true {
      let batch = try CatalogStore.openReviews(after: last, limit: 500, in: tx)
      for open in batch {
        last = open.id
        guard let due = open.due, let moved = due.moved(by: calendar) else { continue }
        try CatalogStore.setReviewDue(moved, of: open.id, version: open.version, in: tx)
        try Inbox.move(
          subject: "resource", open.id.text, kind: "catalog.review", to: moved.date,
          isProvisional: moved.provisional, in: tx)
        try AuditLog.record(
          AuditEntry(
            at: now, actor: principal, action: "catalog.version.recount", subjectKind: "resource",
            subject: open.id.text, subjectName: open.name,
            detail: [
              ("version", "\(open.version)"), ("before", "\(due.date)"), ("due", "\(moved.date)"),
              ("calendar", moved.calendarVersion),
            ]), in: tx)
        changed += 1
      }
      if batch.count < 500 { return changed }
    }
  }
}

extension CatalogStore {
  /// Versions that wait for the reviewer until a day, by resource.
  fileprivate static func openReviews(
    after: ResourceID?, limit: Int, in tx: any Transaction
  ) throws -> [(id: ResourceID, version: Int, name: String, due: DueDate?)] {
    try tx.rows(
      """
      SELECT resource, version, name, review_due FROM catalog_version
      WHERE state = 'submitted' AND review_due IS NOT NULL AND resource > \(after?.text ?? "")
      ORDER BY resource LIMIT \(limit)
      """
    ).map { row in
      (
        try row.id("resource"), try row.int("version"), try row.text("name"),
        DueDate(encoded: try row.text("review_due"))
      )
    }
  }

  fileprivate static func setReviewDue(
    _ due: DueDate, of id: ResourceID, version: Int, in tx: any Transaction
  ) throws {
    try tx.run(
      "UPDATE catalog_version SET review_due = \(due.encoded) WHERE resource = \(id) AND version = \(version)")
  }
}
