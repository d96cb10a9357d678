internal import Audit
package import Deadlines
internal import Inbox
package import Kernel
package import Storage

// A year's arrangement became known: what was due by the plain week is counted anew.

extension Cataloguing {
  /// Counts the due date of every review that is asked for, and of every duty to update whose version is not published yet,
  /// anew by this calendar; answers how many changed.
  package static func recount(
    by calendar: WorkCalendar, for principal: Principal, at now: Instant, in tx: any Transaction
  ) throws -> Int {
    func note(_ open: CatalogStore.OpenReview, from due: DueDate, to moved: DueDate) throws {
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "catalog.version.recount", subjectKind: "resource",
          subject: open.id.text, subjectName: open.name,
          detail: [
            ("version", "\(open.version)"), ("before", "\(due.date)"), ("due", "\(moved.date)"),
            ("calendar", moved.calendarVersion),
          ]), in: tx)
    }
    let reviews = try calendar.recount(
      { try CatalogStore.openReviews(after: $0, limit: $1, in: tx) }, key: { $0.id }, due: { $0.due }
    ) { open, due, moved in
      try CatalogStore.setReviewDue(moved, of: open.id, version: open.version, in: tx)
      try Inbox.move(
        subject: "resource", open.id.text, kind: "catalog.review", to: moved.date, isProvisional: moved.provisional,
        in: tx)
      try note(open, from: due, to: moved)
    }
    let requests = try calendar.recount(
      { try CatalogStore.openOnlineRequests(after: $0, limit: $1, in: tx) }, key: { $0.id }, due: { $0.due }
    ) { open, due, moved in
      try CatalogStore.setOnlineDue(moved, of: open.id, in: tx)
      try Inbox.move(
        subject: onlineSubject, open.id.text, to: moved.date, isProvisional: moved.provisional, in: tx)
      try note(open, from: due, to: moved)
    }
    let duties = try calendar.recount(
      { try CatalogStore.openDuties(after: $0, limit: $1, in: tx) }, key: { $0.id }, due: { $0.due }
    ) { open, due, moved in
      try CatalogStore.setChangeDue(moved, of: open.id, version: open.version, in: tx)
      try note(open, from: due, to: moved)
    }
    return reviews + requests + duties
  }
}

extension CatalogStore {
  /// What waits for the reviewer until a day.
  fileprivate struct OpenReview {
    var id: ResourceID
    var version: Int
    var name: String
    var due: DueDate?
  }

  /// Versions that wait, by resource.
  fileprivate static func openReviews(
    after: ResourceID?, limit: Int, in tx: any Transaction
  ) throws -> [OpenReview] {
    try tx.rows(
      """
      SELECT resource, version, name, review_due AS due FROM catalog_version
      WHERE state = 'submitted' AND review_due IS NOT NULL AND resource > \(after?.text ?? "")
      ORDER BY resource LIMIT \(limit)
      """
    ).map(openReview)
  }

  /// Requests to take offline or bring back that wait, by resource.
  fileprivate static func openOnlineRequests(
    after: ResourceID?, limit: Int, in tx: any Transaction
  ) throws -> [OpenReview] {
    try tx.rows(
      """
      SELECT r.id AS resource, v.version, v.name, r.online_due AS due
      FROM catalog_resource r JOIN catalog_version v ON v.resource = r.id AND v.version = r.issued
      WHERE (r.online = 'up-auditing' OR r.online = 'down-auditing') AND r.online_due IS NOT NULL
        AND r.id > \(after?.text ?? "")
      ORDER BY r.id LIMIT \(limit)
      """
    ).map(openReview)
  }

  /// Later versions that a law or a change of duties made necessary by a day, and that are not published, by resource:
  /// never more than one of each.
  fileprivate static func openDuties(
    after: ResourceID?, limit: Int, in tx: any Transaction
  ) throws -> [OpenReview] {
    try tx.rows(
      """
      SELECT resource, version, name, change_due AS due FROM catalog_version
      WHERE change_due IS NOT NULL AND state IN ('submitted', 'returned', 'approved')
        AND resource > \(after?.text ?? "")
      ORDER BY resource LIMIT \(limit)
      """
    ).map(openReview)
  }

  private static func openReview(_ row: Row) throws -> OpenReview {
    OpenReview(
      id: try row.id("resource"), version: try row.int("version"), name: try row.text("name"),
      due: DueDate(encoded: try row.text("due")))
  }

  fileprivate static func setChangeDue(
    _ due: DueDate, of id: ResourceID, version: Int, in tx: any Transaction
  ) throws {
    try tx.run(
      "UPDATE catalog_version SET change_due = \(due.encoded) WHERE resource = \(id) AND version = \(version)")
  }

  fileprivate static func setOnlineDue(_ due: DueDate, of id: ResourceID, in tx: any Transaction) throws {
    try tx.run("UPDATE catalog_resource SET online_due = \(due.encoded) WHERE id = \(id)")
  }

  fileprivate static func setReviewDue(
    _ due: DueDate, of id: ResourceID, version: Int, in tx: any Transaction
  ) throws {
    try tx.run(
      """
      UPDATE catalog_version SET review_due = \(due.encoded), due_on = \(due.date)
      WHERE resource = \(id) AND version = \(version)
      """)
  }
}
