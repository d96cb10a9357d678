package import Kernel
package import NationalCrypto
package import Storage

/// What convinces a third party that a record stands in the log: what the record says, its digest, the path from there to
/// the root, and the signed note.
package struct AuditProof: Sendable, Hashable {
  package var record: AuditRecordID
  /// What the digest is made of. Without it a proof would fit any record's name.
  package var fields: Fields
  package var digest: [UInt8]
  package var index: Int
  package var size: Int
  package var path: [Digest32]
  package var root: Digest32
  package var note: String

  /// A record but for its id: the fixed fields, and of names and details only their digest.
  package struct Fields: Sendable, Hashable {
    package var at: Instant
    package var actor: PersonID?
    package var organisation: OrganisationID?
    package var action: String
    package var subjectKind: String
    package var subject: String
    package var grant: String?
    package var payloadDigest: [UInt8]

    init(_ row: Row) throws {
      at = try row.instant("at")
      actor = try row.idOrNil("actor")
      organisation = try row.idOrNil("organisation")
      action = try row.text("action")
      subjectKind = try row.text("subject_kind")
      subject = try row.text("subject")
      grant = try row.textOrNil("grant_id")
      payloadDigest = try row.blob("payload_digest")
    }

    func digest(of id: AuditRecordID) -> [UInt8] {
      recordDigest(
        id: id, at: at, actor: actor, organisation: organisation, action: action, subjectKind: subjectKind,
        subject: subject, grant: grant, payloadDigest: payloadDigest)
    }
  }

  /// Of one record against the latest checkpoint; nil while the record has no leaf under a checkpoint yet.
  package static func of(_ id: AuditRecordID, in tx: any Transaction) throws -> AuditProof? {
    guard
      let leaf = try tx.row(
        """
        SELECT l.leaf_index, r.at, r.actor, r.organisation, r.action, r.subject_kind, r.subject, r.grant_id,
          r.payload_digest, r.digest
        FROM audit_leaf l JOIN audit_record r ON r.id = l.record WHERE l.record = \(id)
        """),
      let last = try AuditCheckpoints.latest(in: tx)
    else { return nil }
    let index = try leaf.int("leaf_index")
    guard index < last.size else { return nil }
    return AuditProof(
      record: id, fields: try Fields(leaf), digest: try leaf.blob("digest"), index: index, size: last.size,
      path: try MerkleTree.inclusionProof(of: index, size: last.size, node: TreeStore.node(in: tx)), root: last.root,
      note: last.note)
  }

  package var holds: Bool {
    fields.digest(of: record) == digest
      && MerkleTree.verifyInclusion(of: MerkleTree.leafHash(digest), at: index, size: size, proof: path, root: root)
  }
}

/// A checkpoint as it was kept.
package struct KeptCheckpoint: Sendable, Hashable {
  package var size: Int
  package var root: Digest32
  package var note: String
  package var at: Instant
}

package enum AuditCheckpoints {
  package static func latest(in tx: any Transaction) throws -> KeptCheckpoint? {
    try list(limit: 1, in: tx).first
  }

  /// Largest first, below `before`.
  package static func list(before: Int? = nil, limit: Int = 50, in tx: any Transaction) throws -> [KeptCheckpoint] {
    let place: SQL = before.map { "size < \($0)" } ?? "TRUE"
    return try tx.rows(
      "SELECT size, root AS hash, note, at FROM audit_checkpoint WHERE \(place) ORDER BY size DESC LIMIT \(limit)"
    )
    .map { row in
      KeptCheckpoint(
        size: try row.int("size"), root: try TreeStore.digest(row), note: try row.text("note"),
        at: try row.instant("at"))
    }
  }
}

/// How the log does right now.
package struct AuditHealth: Sendable, Hashable {
  package var leaves: Int
  package var waiting: Int
  /// The oldest record without a leaf; older than a minute is an alarm.
  package var oldestWaiting: Instant?

  package static func now(in tx: any Transaction) throws -> AuditHealth {
    let oldest = try tx.row(
      "SELECT r.at FROM audit_waiting w JOIN audit_record r ON r.id = w.record ORDER BY w.record LIMIT 1")
    return AuditHealth(
      leaves: try tx.int("SELECT size FROM audit_sequencer WHERE one = 1") ?? 0,
      waiting: try tx.int("SELECT COUNT(*) FROM audit_waiting") ?? 0, oldestWaiting: try oldest?.instant("at"))
  }

  package func isAlarming(at now: Instant) -> Bool { oldestWaiting.map { now - $0 > .seconds(60) } ?? false }
}
