package import Kernel
package import Storage

/// The only SQL of attachments.
package enum AttachmentStore {
  /// What belongs to something, in the order in which it was added.
  package static func list(_ owner: AttachmentOwner, in tx: any Transaction) throws -> [Attachment] {
    try tx.rows(
      """
      SELECT * FROM attachment_file WHERE owner_kind = \(owner.kind) AND owner = \(owner.id) ORDER BY id
      LIMIT \(Attachment.limits.ofOneOwner)
      """
    ).map(attachment)
  }

  static func find(_ id: AttachmentID, of owner: AttachmentOwner, in tx: any Transaction) throws -> Attachment? {
    try tx.row(
      "SELECT * FROM attachment_file WHERE id = \(id) AND owner_kind = \(owner.kind) AND owner = \(owner.id)"
    ).map(attachment)
  }

  /// Gives each owner of a kind the same files that another has: a new version goes on with what the one before it had.
  /// `owners` are by id, the new one by the old; asked with a statement for some hundreds of them.
  package static func copy(
    _ owners: [String: String], of kind: String, at now: Instant, in tx: any Transaction
  ) throws {
    let old = owners.keys.sorted()
    for start in stride(from: 0, to: old.count, by: 500) {
      let files = try tx.rows(
        """
        SELECT * FROM attachment_file
        WHERE owner_kind = \(kind) AND owner IN (\(each: old[start..<min(start + 500, old.count)])) ORDER BY owner, id
        """
      ).map(attachment)
      try insert(
        files.compactMap { file in
          guard let owner = owners[file.owner.id] else { return nil }
          var file = file
          (file.id, file.owner) = (.make(at: now), AttachmentOwner(kind, owner))
          return file
        }, in: tx)
    }
  }

  static func insert(_ files: [Attachment], in tx: any Transaction) throws {
    try tx.insert(
      """
      INSERT INTO attachment_file (id, owner_kind, owner, name, kind, size, digest, note, scanned_by, added_at, added_by)
      """,
      files.map { a in
        """
        (\(a.id), \(a.owner.kind), \(a.owner.id), \(a.name), \(a.kind), \(a.size), \(a.digest), \(a.note),
          \(a.scannedBy), \(a.addedAt), \(a.addedBy))
        """
      }, columns: 11)
  }

  static func delete(_ id: AttachmentID, in tx: any Transaction) throws {
    try tx.run("DELETE FROM attachment_file WHERE id = \(id)")
  }

  /// Those of the digests that something still has.
  static func used(_ digests: [String], in tx: any Transaction) throws -> Set<String> {
    Set(
      try tx.rows("SELECT DISTINCT digest FROM attachment_file WHERE digest IN (\(each: digests))").map {
        try $0.text("digest")
      })
  }

  private static func attachment(_ row: Row) throws -> Attachment {
    Attachment(
      id: try row.id("id"), owner: AttachmentOwner(try row.text("owner_kind"), try row.text("owner")),
      name: try row.text("name"), kind: try row.choice("kind"), size: try row.int("size"),
      digest: try row.text("digest"), note: try row.text("note"), scannedBy: try row.text("scanned_by"),
      addedAt: try row.instant("added_at"), addedBy: try row.text("added_by"))
  }
}
