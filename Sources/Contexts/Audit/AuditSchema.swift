package import Storage

package enum AuditSchema {
  /// Records, leaves, nodes and checkpoints are INSERT-only: a trigger refuses everything else. `audit_waiting` is the
  /// sequencer's in-tray, filled in the record's own transaction and emptied when the record has its leaf. The payload is
  /// kept beside, so that it can be erased where the law asks for it, while the digest stays in the tree.
  package static let migrations = Migrations("audit")
    .adding("001 log", sqlite: tables + sqliteGuards, postgres: tables + postgresGuards)
    .adding("002 no replacing", sqlite: sqliteReplaceGuards, postgres: "SELECT 1")
    // Checking a foreign key reads the other table's index, and under SERIALIZABLE a page of it that another transaction
    // writes to is a conflict: ids grow, so every record lies on the same page. Nothing is ever deleted from the log.
    .adding(
      "003 no look at other records",
      sqlite: "SELECT 1",
      postgres: """
        ALTER TABLE audit_payload DROP CONSTRAINT audit_payload_record_fkey;
        ALTER TABLE audit_waiting DROP CONSTRAINT audit_waiting_record_fkey;
        """)

  private static let tables = """
    CREATE TABLE audit_record (
      id TEXT PRIMARY KEY,
      at TEXT NOT NULL,
      actor TEXT,
      organisation TEXT,
      action TEXT NOT NULL,
      subject_kind TEXT NOT NULL,
      subject TEXT NOT NULL,
      grant_id TEXT,
      payload_digest BLOB NOT NULL,
      digest BLOB NOT NULL
    );
    CREATE INDEX audit_record_actor ON audit_record (actor, id);
    CREATE INDEX audit_record_organisation ON audit_record (organisation, id);
    CREATE INDEX audit_record_subject ON audit_record (subject_kind, subject, id);
    CREATE INDEX audit_record_grant ON audit_record (grant_id, id) WHERE grant_id IS NOT NULL;
    CREATE INDEX audit_record_action ON audit_record (action, id);
    CREATE TABLE audit_payload (
      record TEXT PRIMARY KEY REFERENCES audit_record (id),
      salt BLOB NOT NULL,
      payload TEXT NOT NULL
    );
    CREATE TABLE audit_waiting (
      record TEXT PRIMARY KEY REFERENCES audit_record (id)
    );
    CREATE TABLE audit_leaf (
      leaf_index BIGINT PRIMARY KEY CHECK (leaf_index >= 0),
      record TEXT NOT NULL UNIQUE REFERENCES audit_record (id),
      hash BLOB NOT NULL
    );
    CREATE TABLE audit_node (
      level BIGINT NOT NULL CHECK (level > 0),
      position BIGINT NOT NULL CHECK (position >= 0),
      hash BLOB NOT NULL,
      PRIMARY KEY (level, position)
    );
    CREATE TABLE audit_checkpoint (
      size BIGINT PRIMARY KEY CHECK (size > 0),
      root BLOB NOT NULL,
      note TEXT NOT NULL,
      at TEXT NOT NULL
    );
    CREATE TABLE audit_sequencer (
      one BIGINT PRIMARY KEY CHECK (one = 1),
      size BIGINT NOT NULL CHECK (size >= 0)
    );
    INSERT INTO audit_sequencer (one, size) VALUES (1, 0);

    """

  private static let guarded = ["audit_record", "audit_leaf", "audit_node", "audit_checkpoint"]

  private static let sqliteGuards = guarded.map { table in
    """
    CREATE TRIGGER \(table)_keep BEFORE UPDATE ON \(table) BEGIN SELECT RAISE(ABORT, 'the log is never changed'); END;
    CREATE TRIGGER \(table)_stay BEFORE DELETE ON \(table) BEGIN SELECT RAISE(ABORT, 'the log is never shortened'); END;

    """
  }.joined()

  /// `INSERT OR REPLACE` takes away the row it meets without firing a DELETE trigger, so an INSERT that meets one is refused:
  /// by key, by any other unique column, and by `rowid`, which a statement may name. PostgreSQL knows no REPLACE, and its
  /// `ON CONFLICT DO UPDATE` fires the guard of UPDATE.
  private static let sqliteReplaceGuards = [
    ("audit_record", "id = NEW.id"), ("audit_leaf", "leaf_index = NEW.leaf_index OR record = NEW.record"),
    ("audit_node", "level = NEW.level AND position = NEW.position"), ("audit_checkpoint", "size = NEW.size"),
  ].map { table, meets in
    """
    CREATE TRIGGER \(table)_once BEFORE INSERT ON \(table)
    WHEN EXISTS (SELECT 1 FROM \(table) WHERE \(meets) UNION ALL SELECT 1 FROM \(table) WHERE rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'the log is never replaced'); END;

    """
  }.joined()

  private static let postgresGuards =
    """
    CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''the log is never changed or shortened''; END';

    """
    + guarded.map { table in
      """
      CREATE TRIGGER \(table)_keep BEFORE UPDATE OR DELETE ON \(table) FOR EACH ROW EXECUTE FUNCTION audit_refuse();
      CREATE TRIGGER \(table)_stay BEFORE TRUNCATE ON \(table) FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

      """
    }.joined()
}
