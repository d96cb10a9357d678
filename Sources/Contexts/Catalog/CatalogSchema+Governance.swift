// The tables of publishing, change and review.

extension CatalogSchema {
  /// Whether a resource is offered, apart from which version counts; and from when until when each version was in force, gaps
  /// while offline included. `published` is the version in force now and NULL while offline; `issued` is the one that counts
  /// in either case. What was withdrawn for ever is offline from now on and can come back.
  static let online = """
    ALTER TABLE catalog_resource ADD COLUMN issued BIGINT;
    ALTER TABLE catalog_resource ADD COLUMN online TEXT NOT NULL DEFAULT 'not-online';
    ALTER TABLE catalog_resource ADD COLUMN online_at TEXT;
    ALTER TABLE catalog_resource ADD COLUMN online_due TEXT;
    CREATE INDEX catalog_resource_by_audit ON catalog_resource (online_at, id)
      WHERE online = 'up-auditing' OR online = 'down-auditing';
    CREATE TABLE catalog_force (
      resource TEXT NOT NULL, position BIGINT NOT NULL, version BIGINT NOT NULL, from_at TEXT NOT NULL, until_at TEXT,
      PRIMARY KEY (resource, position),
      FOREIGN KEY (resource, version) REFERENCES catalog_version (resource, version));
    INSERT INTO catalog_force (resource, position, version, from_at, until_at)
      SELECT e.resource, ROW_NUMBER() OVER (PARTITION BY e.resource ORDER BY e.position), e.version, e.at,
        (SELECT MIN(x.at) FROM catalog_event x
          WHERE x.resource = e.resource AND x.version = e.version AND x.event IN ('supersede', 'withdraw'))
      FROM catalog_event e WHERE e.event = 'publish';
    UPDATE catalog_resource SET issued = published, online = 'online' WHERE published IS NOT NULL;
    UPDATE catalog_resource SET online = 'offline',
        issued = (SELECT MAX(v.version) FROM catalog_version v
          WHERE v.resource = catalog_resource.id AND v.state = 'withdrawn')
      WHERE published IS NULL
        AND id IN (SELECT v.resource FROM catalog_version v WHERE v.state = 'withdrawn');
    UPDATE catalog_resource SET online_at = (SELECT MAX(e.at) FROM catalog_event e
        WHERE e.resource = catalog_resource.id AND e.event IN ('publish', 'withdraw'))
      WHERE issued IS NOT NULL;
    UPDATE catalog_version SET state = 'published' WHERE state = 'withdrawn';
    UPDATE catalog_event SET event = 'online.take-down' WHERE event = 'withdraw';
    """

  /// What a reviewer's queue is filtered by, why a version was written, notes at single elements, and the bands by which
  /// entries that are alike are found. A band is a hash of what an entry holds; `place` is that of `catalog_entry`, and one
  /// that no entry has any more is passed over.
  static func review(due: String, compact: String) -> String {
    """
    ALTER TABLE catalog_version ADD COLUMN changed_by TEXT;
    ALTER TABLE catalog_version ADD COLUMN due_on TEXT;
    ALTER TABLE catalog_version ADD COLUMN warnings BIGINT;
    ALTER TABLE catalog_version ADD COLUMN alike BIGINT;
    ALTER TABLE catalog_version ADD COLUMN change_kind TEXT;
    ALTER TABLE catalog_version ADD COLUMN change_words TEXT;
    ALTER TABLE catalog_version ADD COLUMN change_trigger TEXT;
    ALTER TABLE catalog_version ADD COLUMN change_due TEXT;
    UPDATE catalog_version SET due_on = \(due) WHERE state = 'submitted' AND review_due IS NOT NULL;
    CREATE TABLE catalog_note (
      resource TEXT NOT NULL, version BIGINT NOT NULL, field TEXT NOT NULL, words TEXT NOT NULL, person TEXT NOT NULL,
      at TEXT NOT NULL, PRIMARY KEY (resource, version, field),
      FOREIGN KEY (resource, version) REFERENCES catalog_version (resource, version));
    CREATE TABLE catalog_alike (
      band BIGINT NOT NULL, place BIGINT NOT NULL, PRIMARY KEY (band, place))\(compact);
    CREATE TABLE catalog_alike_state (one BIGINT PRIMARY KEY CHECK (one = 1), method BIGINT NOT NULL);
    INSERT INTO catalog_alike_state (one, method) VALUES (1, 0);
    """
  }

  /// The rows of items into their version's, each list in its order; and by which office reviews wait.
  static func items(list: String) -> String {
    """
    ALTER TABLE catalog_version ADD COLUMN items TEXT NOT NULL DEFAULT '[]';
    UPDATE catalog_version SET items = (
        SELECT \(list) FROM (
          SELECT * FROM catalog_item WHERE resource = catalog_version.resource AND version = catalog_version.version
          ORDER BY position) i)
      WHERE EXISTS (
        SELECT 1 FROM catalog_item i WHERE i.resource = catalog_version.resource AND i.version = catalog_version.version);
    DROP TABLE catalog_item;
    CREATE INDEX catalog_version_waiting ON catalog_version (state, provider, provider_name)
      WHERE state = 'submitted' OR state = 'approved';
    """
  }

  /// The members of `ItemDocument`; `flag` makes JSON of a column of yes and no.
  static func itemMembers(flag: (String) -> String) -> String {
    """
    'id', i.id, 'name', i.name, 'column', i.column_name, 'dataType', i.data_type, 'length', i.length, 'scale', i.scale,
    'nullable', \(flag("i.is_nullable")), 'key', \(flag("i.is_key")), 'carriedAs', i.carried_as, 'semantic', i.semantic,
    'description', i.description, 'sharing', i.sharing_type, 'condition', i.sharing_condition, 'grade', i.grade,
    'valid', i.evidence_valid, 'looked', i.evidence_looked
    """
  }
}
