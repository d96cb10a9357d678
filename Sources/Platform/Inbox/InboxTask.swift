package import Kernel
package import Storage

package typealias InboxTaskID = ID<InboxTask>

/// One thing that waits for somebody: for a person, or for whoever in an organisation holds a permission.
package struct InboxTask: Sendable, Hashable {
  package var id: InboxTaskID
  /// `request.decide`: what has to be done, stable.
  package var kind: String
  package var title: Text
  /// Where it is done.
  package var link: String
  /// Nil when the permission alone decides, whatever the organisation (the platform's operator).
  package var organisation: OrganisationID?
  package var permission: Permission?
  package var person: PersonID?
  package var subjectKind: String
  package var subject: String
  package var due: CalendarDate?
  /// The due date rests on a year whose holidays are not known yet.
  package var isProvisional: Bool
  package var createdAt: Instant

  package init(
    kind: String, title: Text, link: String, for waiting: Waiting, subject: (kind: String, id: String),
    due: CalendarDate? = nil, isProvisional: Bool = false, at now: Instant
  ) {
    id = .make(at: now)
    self.kind = kind
    self.title = title
    self.link = link
    (organisation, permission, person) = waiting.columns
    subjectKind = subject.kind
    self.subject = subject.id
    self.due = due
    self.isProvisional = isProvisional
    createdAt = now
  }

  /// Whom it waits for.
  package enum Waiting: Sendable, Hashable {
    case person(PersonID)
    /// Whoever holds the permission in that organisation.
    case office(OrganisationID, Permission)
    /// Whoever holds the permission, wherever.
    case holders(Permission)

    var columns: (organisation: OrganisationID?, permission: Permission?, person: PersonID?) {
      switch self {
      case .person(let person): (nil, nil, person)
      case .office(let organisation, let permission): (organisation, permission, nil)
      case .holders(let permission): (nil, permission, nil)
      }
    }
  }

  package enum Urgency: String, Sendable, CaseIterable {
    case late, soon, ok
  }

  /// How urgent it is on a day: late once the due date has passed, soon from `days` calendar days before it. Without a
  /// due date it never is.
  package func urgency(on today: CalendarDate, soonWithin days: Int = 2) -> Urgency {
    guard let due else { return .ok }
    return due < today ? .late : due - today <= days ? .soon : .ok
  }
}

/// What waits for whom until when.
package enum Inbox {
  package static func post(_ task: InboxTask, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO inbox_task (id, kind, title_zh, title_en, link, organisation, permission, person, subject_kind,
        subject, due, provisional, created_at)
      VALUES (\(task.id), \(task.kind), \(task.title.chinese), \(task.title.english), \(task.link),
        \(task.organisation), \(task.permission?.name), \(task.person), \(task.subjectKind), \(task.subject),
        \(task.due), \(task.isProvisional), \(task.createdAt))
      """)
  }

  /// Closes what still waits on a subject, all of it or one kind; answers how many.
  @discardableResult
  package static func close(
    subject kind: String, _ id: String, kind task: String? = nil, by principal: Principal, at now: Instant,
    in tx: any Transaction
  ) throws -> Int {
    var statement: SQL =
      """
      UPDATE inbox_task SET closed_at = \(now), closed_by = \(principal.name)
      WHERE subject_kind = \(kind) AND subject = \(id) AND closed_at IS NULL
      """
    if let task { statement += " AND kind = \(task)" }
    return try tx.run(statement)
  }

  /// Moves the due date of what waits on a subject, all of it or one kind: an extension, a suspension, a calendar that
  /// became known.
  package static func move(
    subject kind: String, _ id: String, kind task: String? = nil, to due: CalendarDate, isProvisional: Bool,
    in tx: any Transaction
  ) throws {
    var statement: SQL =
      """
      UPDATE inbox_task SET due = \(due), provisional = \(isProvisional)
      WHERE subject_kind = \(kind) AND subject = \(id) AND closed_at IS NULL
      """
    if let task { statement += " AND kind = \(task)" }
    try tx.run(statement)
  }

  /// What waits for this principal, most urgent first; at most `limit`, after the place of an earlier page.
  package static func waiting(
    for principal: Principal, after: Place? = nil, limit: Int = 50, in tx: any Transaction
  ) throws -> [InboxTask] {
    var conditions = [mine(principal), "closed_at IS NULL"]
    if let after { conditions.append("(COALESCE(due, '9999-12-31'), id) > (\(after.due), \(after.id))") }
    return try tx.rows(
      """
      SELECT id, kind, title_zh, title_en, link, organisation, permission, person, subject_kind, subject, due,
        provisional, created_at
      FROM inbox_task WHERE \(SQL.all(conditions)) ORDER BY COALESCE(due, '9999-12-31'), id LIMIT \(limit)
      """
    ).map(InboxTask.init(row:))
  }

  package static func count(for principal: Principal, in tx: any Transaction) throws -> Int {
    try tx.int("SELECT COUNT(*) FROM inbox_task WHERE \(SQL.all([mine(principal), "closed_at IS NULL"]))") ?? 0
  }

  /// Everything that ever waited on a subject, oldest first, with who closed it when: the history of a case.
  package static func history(
    subject kind: String, _ id: String, in tx: any Transaction
  ) throws -> [(task: InboxTask, closedAt: Instant?, closedBy: String?)] {
    try tx.rows(
      """
      SELECT id, kind, title_zh, title_en, link, organisation, permission, person, subject_kind, subject, due,
        provisional, created_at, closed_at, closed_by
      FROM inbox_task WHERE subject_kind = \(kind) AND subject = \(id) ORDER BY id LIMIT 1000
      """
    ).map { (try InboxTask(row: $0), try $0.instantOrNil("closed_at"), try $0.textOrNil("closed_by")) }
  }

  /// Where a page of the list ended.
  package struct Place: Sendable, Hashable {
    package var due: String
    package var id: String

    package init(_ task: InboxTask) {
      due = task.due?.description ?? "9999-12-31"
      id = task.id.text
    }

    package init?(_ text: String) {
      let parts = text.split(separator: "~")
      guard parts.count == 2, CalendarDate(parts[0]) != nil, ID<InboxTask>(parts[1]) != nil else { return nil }
      (due, id) = (String(parts[0]), String(parts[1]))
    }

    package var text: String { "\(due)~\(id)" }
  }

  static func mine(_ principal: Principal) -> SQL {
    let permissions = principal.permissions.map(\.name).sorted()
    var office: SQL =
      "permission IN (\(each: permissions)) AND (organisation IS NULL OR organisation = \(principal.organisation))"
    if let person = principal.person { office = "(" + office + ") OR person = \(person)" }
    return office
  }
}

extension InboxTask {
  fileprivate init(row: Row) throws {
    id = try row.id("id")
    kind = try row.text("kind")
    title = Text(try row.text("title_zh"), try row.text("title_en"))
    link = try row.text("link")
    organisation = try row.idOrNil("organisation")
    permission = try row.textOrNil("permission").map { Permission($0) }
    person = try row.idOrNil("person")
    subjectKind = try row.text("subject_kind")
    subject = try row.text("subject")
    due = try row.dateOrNil("due")
    isProvisional = try row.bool("provisional")
    createdAt = try row.instant("created_at")
  }
}
