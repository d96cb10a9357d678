package import Kernel
import NationalCrypto
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

/// The log itself. Everything that matters goes in; nothing ever comes out or changes.
package enum AuditLog {
  /// Adds one record, in the transaction of what it records. Its place in the tree follows within a second.
  @discardableResult
  package static func record(_ entry: AuditEntry, in tx: any Transaction) throws -> AuditRecordID {
    let made = MadeRecord(entry)
    try keep([made], in: tx)
    return made.id
  }

  /// Adds a record for each of many things that one transaction does, in their order and with a few statements for all.
  package static func record(_ entries: [AuditEntry], in tx: any Transaction) throws {
    try keep(entries.map(MadeRecord.init), in: tx)
  }

  private static func keep(_ made: [MadeRecord], in tx: any Transaction) throws {
    let records: SQL = """
      INSERT INTO audit_record (id, at, actor, organisation, action, subject_kind, subject, grant_id, payload_digest, digest)
      """
    // Together, so that PostgreSQL is waited for once.
    try tx.run(
      all: [
        SQL.inserting(records, made.map(\.row), columns: 10),
        SQL.inserting(
          "INSERT INTO audit_payload (record, salt, payload)", made.map { "(\($0.id), \($0.salt), \($0.payload))" },
          columns: 3),
        SQL.inserting("INSERT INTO audit_waiting (record)", made.map { "(\($0.id))" }, columns: 1),
      ].joined())
  }
}

/// An entry with all that is kept of it: its id, the payload with its salt, and the digest over both.
private struct MadeRecord {
  let id: AuditRecordID
  let salt: [UInt8]
  let payload: String
  let row: SQL

  init(_ entry: AuditEntry) {
    id = AuditRecordID.make(at: entry.at)
    payload = AuditPayload(entry).encoded
    salt = SecureRandom.bytes(16)
    let inner = payloadDigest(payload, salt: salt)
    let digest = recordDigest(
      id: id, at: entry.at, actor: entry.actor.person, organisation: entry.actor.organisation, action: entry.action,
      subjectKind: entry.subjectKind, subject: entry.subject, grant: entry.grant,
      payloadDigest: inner.bytes)
    row = """
      (\(id), \(entry.at), \(entry.actor.person), \(entry.actor.organisation), \(entry.action),
        \(entry.subjectKind), \(entry.subject), \(entry.grant), \(inner.bytes), \(digest))
      """
  }
}
