package import Kernel
package import Storage

/// What happened, for the log: who did what to which thing, under which grant.
package struct AuditEntry: Sendable {
  package var at: Instant
  package var actor: Principal
  /// Stable and dotted: `sharing.request.approve`.
  package var action: String
  /// What kind of thing: `request`, `grant`, `resource` …, its id, and its name as people know it.
  package var subjectKind: String
  package var subject: String
  package var subjectName: String
  /// The grant it happened under, if one.
  package var grant: String?
  /// Names and values in a fixed order. Never a secret, never a row's data.
  package var detail: [(name: String, value: String)]

  package init(
    at: Instant, actor: Principal, action: String, subjectKind: String, subject: String, subjectName: String,
    grant: String? = nil, detail: [(name: String, value: String)] = []
  ) {
    self.at = at
    self.actor = actor
    self.action = action
    self.subjectKind = subjectKind
    self.subject = subject
    self.subjectName = subjectName
    self.grant = grant
    self.detail = detail
  }
}

package enum AuditLog {
  /// Adds one record, in the transaction of what it records. Its place in the tree follows within a second.
  package static func record(_ entry: AuditEntry, in tx: any Transaction) throws {
    fatalError("begun")
  }
}
