package import Storage

package enum InventorySchema {
  package static let migrations = Migrations("inventory")
    .adding(
      "001 systems and sources",
      """
      CREATE TABLE inventory_sequence (division TEXT PRIMARY KEY, last BIGINT NOT NULL CHECK (last > 0));
      CREATE TABLE inventory_system (
        id TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, owner_name TEXT NOT NULL,
        name TEXT NOT NULL CHECK (LENGTH(name) BETWEEN 1 AND 64), purpose TEXT NOT NULL, scope TEXT NOT NULL,
        frequency TEXT NOT NULL, approved_by TEXT NOT NULL, approved_on TEXT NOT NULL, fund_source TEXT NOT NULL,
        network TEXT NOT NULL, stage TEXT NOT NULL, folded TEXT NOT NULL, revision BIGINT NOT NULL,
        registered_at TEXT NOT NULL, changed_at TEXT NOT NULL, UNIQUE (owner, name));
      CREATE INDEX inventory_system_by_name ON inventory_system (name, id);
      CREATE TABLE inventory_source (
        id TEXT PRIMARY KEY, system TEXT NOT NULL REFERENCES inventory_system (id), owner TEXT NOT NULL,
        name TEXT NOT NULL CHECK (LENGTH(name) BETWEEN 1 AND 64), kind TEXT NOT NULL, made_at TEXT NOT NULL,
        probed_at TEXT, product TEXT, failure TEXT, is_protected BOOLEAN NOT NULL, is_read_only BOOLEAN NOT NULL,
        UNIQUE (system, name));
      CREATE TABLE inventory_source_setting (
        source TEXT NOT NULL REFERENCES inventory_source (id), name TEXT NOT NULL, value TEXT, sealed BLOB,
        PRIMARY KEY (source, name), CHECK ((value IS NULL) <> (sealed IS NULL)));
      """
    )
    .adding("002 sources that were closed", "ALTER TABLE inventory_source ADD COLUMN closed_at TEXT")
}
