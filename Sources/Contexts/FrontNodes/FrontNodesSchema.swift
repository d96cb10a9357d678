package import Storage

package enum FrontNodesSchema {
  package static let migrations = Migrations("frontnodes")
    .adding(
      "001 front-end nodes and the servers they stand on",
      """
      CREATE TABLE frontnodes_sequence (year BIGINT PRIMARY KEY, last BIGINT NOT NULL CHECK (last > 0));
      CREATE TABLE frontnodes_server (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, area TEXT NOT NULL, shown_place TEXT,
        is_closed BOOLEAN NOT NULL, version BIGINT NOT NULL, made_at TEXT NOT NULL, probed_at TEXT, product TEXT,
        failure_zh TEXT, failure_en TEXT, is_protected BOOLEAN NOT NULL);
      CREATE TABLE frontnodes_server_setting (
        server TEXT NOT NULL REFERENCES frontnodes_server (id), name TEXT NOT NULL, value TEXT, sealed BLOB,
        PRIMARY KEY (server, name), CHECK ((value IS NULL) <> (sealed IS NULL)));
      CREATE TABLE frontnodes_node (
        id TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, owner_name TEXT NOT NULL,
        system TEXT NOT NULL, system_name TEXT NOT NULL, form TEXT NOT NULL, area TEXT NOT NULL, reason TEXT NOT NULL,
        grade BIGINT NOT NULL, product TEXT, machine TEXT, room BIGINT NOT NULL, contact TEXT NOT NULL,
        contact_phone TEXT NOT NULL, technician TEXT NOT NULL, technician_phone TEXT NOT NULL, until TEXT,
        state TEXT NOT NULL, version BIGINT NOT NULL, asked_at TEXT NOT NULL, server TEXT, place TEXT, database_name TEXT,
        account TEXT, sealed BLOB, source TEXT, is_locked BOOLEAN NOT NULL,
        kept_until TEXT, checked_at TEXT, is_good BOOLEAN, since TEXT,
        bad_checks BIGINT NOT NULL, failure_zh TEXT, failure_en TEXT, bytes BIGINT, connections BIGINT);
      CREATE INDEX frontnodes_node_by_owner ON frontnodes_node (owner, id);
      CREATE INDEX frontnodes_node_by_state ON frontnodes_node (state, id);
      CREATE TABLE frontnodes_step (
        node TEXT NOT NULL REFERENCES frontnodes_node (id), place BIGINT NOT NULL, at TEXT NOT NULL, event TEXT NOT NULL,
        actor TEXT NOT NULL, words TEXT NOT NULL, PRIMARY KEY (node, place));
      CREATE TABLE frontnodes_day (
        node TEXT NOT NULL REFERENCES frontnodes_node (id), day TEXT NOT NULL, checks BIGINT NOT NULL,
        failures BIGINT NOT NULL, PRIMARY KEY (node, day));
      """
    )
    .adding(
      "002 a form that is sent twice is one request",
      """
      ALTER TABLE frontnodes_node ADD COLUMN form_key TEXT;
      CREATE UNIQUE INDEX frontnodes_node_form ON frontnodes_node (owner, form_key) WHERE form_key IS NOT NULL;
      """)
}
