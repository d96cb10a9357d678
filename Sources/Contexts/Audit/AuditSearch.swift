package import Kernel
package import Storage

extension Permission {
  /// Sees the whole log.
  package static let auditRead = Permission("audit.read")
  /// Sees what the own organisation did, and what happened under the grants it is party to.
  package static let auditReadOwn = Permission("audit.read.own")
}

/// What the log asks of the context that keeps grants; `App` fills it in.
package struct AuditGrants: Sendable {
  /// Whether this grant (by id) is one that the principal may see.
  package var isSeen: @Sendable (_ grant: String, Principal, any Transaction) throws -> Bool
  package init(isSeen: @escaping @Sendable (_ grant: String, Principal, any Transaction) throws -> Bool) {
    self.isSeen = isSeen
  }
  package static let none = AuditGrants { _, _, _ in false }
}

/// Who, what, when, under which grant; every part may be left out.
package struct AuditSearch: Sendable, Hashable {
  /// Any of these; names are not unique.
  package var actors: [PersonID]?
  package var organisation: OrganisationID?
  /// The beginning of an action's name: `sharing.` or `sharing.request.approve`.
  package var action: String?
  package var subjectKind: String?
  package var subject: String?
  package var grant: String?
  package var from: CalendarDate?
  /// The last day, included.
  package var to: CalendarDate?
  /// Where the page before ended.
  package var before: AuditRecordID?
  package var limit: Int = 50

  package init() {}

  /// Newest first. A principal with `audit.read.own` only sees what its organisation did; where it asks for a grant that
  /// it may see, everything under it, also what the platform and the other side did.
  package func records(
    for principal: Principal, grants: AuditGrants = .none, in tx: any Transaction
  ) throws -> [AuditRecord] {
    var conditions: [SQL] = []
    if !principal.may(.auditRead) {
      try principal.require(.auditReadOwn)
      if try !(grant.map { try grants.isSeen($0, principal, tx) } ?? false) {
        conditions.append("r.organisation = \(principal.organisation)")
      }
    }
    if let actors { conditions.append(.any(actors.map { "r.actor = \($0)" })) }
    if let organisation { conditions.append("r.organisation = \(organisation)") }
    if let action { conditions.append("r.action >= \(action) AND r.action < \(action + "\u{10FFFF}")") }
    if let subjectKind { conditions.append("r.subject_kind = \(subjectKind)") }
    if let subject { conditions.append("r.subject = \(subject)") }
    if let grant { conditions.append("r.grant_id = \(grant)") }
    if let from { conditions.append("r.at >= \(from.startInChina)") }
    if let to { conditions.append("r.at < \((to + 1).startInChina)") }
    if let before { conditions.append("r.id < \(before)") }
    let bounded = min(max(limit, 1), 1000)
    return try tx.rows(
      "\(AuditStore.select) WHERE \(SQL.all(conditions)) ORDER BY r.id DESC LIMIT \(bounded)"
    ).map(AuditStore.record)
  }
}

enum AuditStore {
  static let select: SQL = """
    SELECT r.id, r.at, r.actor, r.organisation, r.action, r.subject_kind, r.subject, r.grant_id, r.digest, p.payload,
      l.leaf_index
    FROM audit_record r LEFT JOIN audit_payload p ON p.record = r.id LEFT JOIN audit_leaf l ON l.record = r.id
    """

  static func record(_ row: Row) throws -> AuditRecord {
    AuditRecord(
      id: try row.id("id"), at: try row.instant("at"), actor: try row.idOrNil("actor"),
      organisation: try row.idOrNil("organisation"), action: try row.text("action"),
      subjectKind: try row.text("subject_kind"), subject: try row.text("subject"), grant: try row.textOrNil("grant_id"),
      digest: try row.blob("digest"), payload: try row.textOrNil("payload").flatMap(AuditPayload.init(encoded:)),
      leaf: try row.intOrNil("leaf_index"))
  }

  static func find(
    _ id: AuditRecordID, for principal: Principal, grants: AuditGrants, in tx: any Transaction
  ) throws -> AuditRecord {
    guard let row = try tx.row("\(select) WHERE r.id = \(id)") else { throw Refusal.notFound(Text("记录", "record")) }
    let found = try record(row)
    if principal.may(.auditRead) { return found }
    guard principal.may(.auditReadOwn),
      try found.organisation == principal.organisation
        || (found.grant.map { try grants.isSeen($0, principal, tx) } ?? false)
    else { throw Refusal.notFound(Text("记录", "record")) }
    return found
  }
}
