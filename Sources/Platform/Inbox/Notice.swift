package import Kernel
package import Storage

package typealias NoticeID = ID<Notice>

/// Something to know and nothing to do: a decision on one's request, a delivery that failed. It stays until each reader
/// puts it away for himself.
package struct Notice: Sendable, Hashable {
  package var id: NoticeID
  /// `request.decided`: stable.
  package var kind: String
  package var title: Text
  package var link: String
  package var waiting: InboxTask.Waiting
  package var subjectKind: String
  package var subject: String
  package var createdAt: Instant

  package init(
    kind: String, title: Text, link: String, for waiting: InboxTask.Waiting, subject: (kind: String, id: String),
    at now: Instant
  ) {
    id = .make(at: now)
    self.kind = kind
    self.title = title
    self.link = link
    self.waiting = waiting
    subjectKind = subject.kind
    self.subject = subject.id
    createdAt = now
  }
}

extension Inbox {
  package static func notify(_ notice: Notice, in tx: any Transaction) throws {
    let (organisation, permission, person) = notice.waiting.columns
    try tx.run(
      """
      INSERT INTO inbox_notice (id, kind, title_zh, title_en, link, organisation, permission, person, subject_kind,
        subject, created_at)
      VALUES (\(notice.id), \(notice.kind), \(notice.title.chinese), \(notice.title.english), \(notice.link),
        \(organisation), \(permission?.name), \(person), \(notice.subjectKind), \(notice.subject), \(notice.createdAt))
      """)
  }

  /// What this person has not put away, newest first, before the given one; at most `limit`. Nothing for a principal
  /// who is no person.
  package static func notices(
    for principal: Principal, before: NoticeID? = nil, limit: Int = 50, in tx: any Transaction
  ) throws -> [Notice] {
    guard let person = principal.person else { return [] }
    var conditions = unread(principal, person)
    if let before { conditions.append("id < \(before)") }
    return try tx.rows(
      """
      SELECT id, kind, title_zh, title_en, link, organisation, permission, person, subject_kind, subject, created_at
      FROM inbox_notice WHERE \(SQL.all(conditions)) ORDER BY id DESC LIMIT \(limit)
      """
    ).map(Notice.init(row:))
  }

  package static func noticeCount(for principal: Principal, in tx: any Transaction) throws -> Int {
    guard let person = principal.person else { return 0 }
    return try tx.int("SELECT COUNT(*) FROM inbox_notice WHERE \(SQL.all(unread(principal, person)))") ?? 0
  }

  /// Puts a notice away for this person alone. False when there is none of this id for them.
  @discardableResult
  package static func dismiss(
    _ id: NoticeID, by principal: Principal, at now: Instant, in tx: any Transaction
  ) throws -> Bool {
    guard let person = principal.person,
      try tx.row("SELECT id FROM inbox_notice WHERE \(SQL.all([mine(principal), "id = \(id)"]))") != nil
    else { return false }
    try tx.run(
      """
      INSERT INTO inbox_dismissal (notice, person, dismissed_at) VALUES (\(id), \(person), \(now))
      ON CONFLICT (notice, person) DO NOTHING
      """)
    return true
  }

  /// Takes back what a person was told of a subject, read or not: something newer is to be said in its place, or nothing.
  package static func retract(
    _ kind: String, about subject: (kind: String, id: String), of person: PersonID, in tx: any Transaction
  ) throws {
    let those: SQL =
      "person = \(person) AND kind = \(kind) AND subject_kind = \(subject.kind) AND subject = \(subject.id)"
    try tx.run("DELETE FROM inbox_dismissal WHERE notice IN (SELECT id FROM inbox_notice WHERE \(those))")
    try tx.run("DELETE FROM inbox_notice WHERE \(those)")
  }

  /// Forgets notices older than a moment, read or not; answers how many.
  @discardableResult
  package static func prune(noticesBefore moment: Instant, in tx: any Transaction) throws -> Int {
    try tx.run(
      "DELETE FROM inbox_dismissal WHERE notice IN (SELECT id FROM inbox_notice WHERE created_at < \(moment))")
    return try tx.run("DELETE FROM inbox_notice WHERE created_at < \(moment)")
  }

  private static func unread(_ principal: Principal, _ person: PersonID) -> [SQL] {
    [
      mine(principal),
      "NOT EXISTS (SELECT 1 FROM inbox_dismissal d WHERE d.notice = inbox_notice.id AND d.person = \(person))",
    ]
  }
}

extension Notice {
  fileprivate init(row: Row) throws {
    id = try row.id("id")
    kind = try row.text("kind")
    title = Text(try row.text("title_zh"), try row.text("title_en"))
    link = try row.text("link")
    subjectKind = try row.text("subject_kind")
    subject = try row.text("subject")
    createdAt = try row.instant("created_at")
    let (organisation, permission): (OrganisationID?, Permission?) = (
      try row.idOrNil("organisation"), try row.textOrNil("permission").map { Permission($0) }
    )
    if let person: PersonID = try row.idOrNil("person") {
      waiting = .person(person)
    } else if let organisation, let permission {
      waiting = .office(organisation, permission)
    } else {
      waiting = .holders(permission ?? Permission(""))
    }
  }
}
