package import Storage

package enum AttachmentSchema {
  package static let migrations = Migrations("attachment").adding(
    "001 files",
    """
    CREATE TABLE attachment_file (
      id TEXT PRIMARY KEY, owner_kind TEXT NOT NULL, owner TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
      size BIGINT NOT NULL CHECK (size > 0), digest TEXT NOT NULL, note TEXT NOT NULL, scanned_by TEXT NOT NULL,
      added_at TEXT NOT NULL, added_by TEXT NOT NULL, UNIQUE (owner_kind, owner, digest));
    CREATE INDEX attachment_file_by_owner ON attachment_file (owner_kind, owner, id);
    CREATE INDEX attachment_file_by_digest ON attachment_file (digest);
    """)
}
