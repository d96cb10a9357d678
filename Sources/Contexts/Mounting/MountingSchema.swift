package import Storage

package enum MountingSchema {
  /// `mounting_tie` is where an entry really is and what the last test found, `mounting_run` its history as stretches of
  /// one outcome, `mounting_survey` and `mounting_table` the schema of each source as last read, `mounting_change` what a
  /// later reading found different, `mounting_batch` many drafts asked for at once, `mounting_older` how far the entries
  /// that were published before there were ties have got theirs.
  package static let migrations = Migrations("mounting").adding(
    "001 ties and surveys",
    """
    CREATE TABLE mounting_tie (
      id TEXT PRIMARY KEY, resource TEXT NOT NULL REFERENCES catalog_resource (id),
      kind TEXT NOT NULL CHECK (kind IN ('table', 'files', 'api')),
      provider TEXT NOT NULL, provider_name TEXT NOT NULL, name TEXT NOT NULL, version BIGINT NOT NULL,
      in_force BOOLEAN NOT NULL, cycle TEXT NOT NULL, source TEXT REFERENCES inventory_source (id), schema_name TEXT,
      table_name TEXT, cursor_column TEXT, pattern TEXT, url TEXT, expects_status BIGINT, expects_json BOOLEAN,
      state TEXT NOT NULL CHECK (state IN ('declared', 'mounted', 'failing')), since TEXT NOT NULL, measured_at TEXT,
      fault TEXT, fault_zh TEXT, fault_en TEXT, failures BIGINT NOT NULL, due_at TEXT NOT NULL,
      mark_kind TEXT, mark_own TEXT, mark_around TEXT, watched_since TEXT, changed_at TEXT, may_have_changed_at TEXT,
      timeliness TEXT NOT NULL CHECK (timeliness IN ('timely', 'late', 'unknown', 'unjudged')), timely_until TEXT,
      UNIQUE (resource, kind));
    CREATE INDEX mounting_tie_due ON mounting_tie (due_at);
    CREATE INDEX mounting_tie_provider ON mounting_tie (provider, state, id);
    CREATE INDEX mounting_tie_provider_all ON mounting_tie (provider, id);
    CREATE INDEX mounting_tie_provider_timeliness ON mounting_tie (provider, timeliness, id);
    CREATE INDEX mounting_tie_state ON mounting_tie (state, id);
    CREATE INDEX mounting_tie_timeliness ON mounting_tie (timeliness, id);
    CREATE INDEX mounting_tie_source ON mounting_tie (source);
    CREATE TABLE mounting_run (
      tie TEXT NOT NULL REFERENCES mounting_tie (id) ON DELETE CASCADE, position BIGINT NOT NULL, fault TEXT,
      words_zh TEXT NOT NULL, words_en TEXT NOT NULL, first_at TEXT NOT NULL, last_at TEXT NOT NULL,
      tests BIGINT NOT NULL, PRIMARY KEY (tie, position));
    CREATE TABLE mounting_survey (
      source TEXT PRIMARY KEY REFERENCES inventory_source (id), provider TEXT NOT NULL, first_at TEXT NOT NULL,
      read_at TEXT NOT NULL, tables BIGINT NOT NULL, tried_at TEXT NOT NULL, fault_zh TEXT, fault_en TEXT,
      failures BIGINT NOT NULL, due_at TEXT NOT NULL);
    CREATE INDEX mounting_survey_due ON mounting_survey (due_at);
    CREATE TABLE mounting_table (
      source TEXT NOT NULL REFERENCES mounting_survey (source), schema_name TEXT NOT NULL, table_name TEXT NOT NULL,
      digest TEXT NOT NULL, content TEXT NOT NULL, comment TEXT NOT NULL, estimated_rows BIGINT,
      is_view BOOLEAN NOT NULL, is_received BOOLEAN NOT NULL, column_count BIGINT NOT NULL, first_seen_at TEXT NOT NULL,
      gone_at TEXT, PRIMARY KEY (source, schema_name, table_name));
    CREATE TABLE mounting_change (
      id TEXT PRIMARY KEY, source TEXT NOT NULL REFERENCES mounting_survey (source), provider TEXT NOT NULL,
      schema_name TEXT NOT NULL, table_name TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
      found_at TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('open', 'noted', 'taken', 'dismissed', 'reverted')), resource TEXT,
      decided_at TEXT, decided_by TEXT, reason TEXT);
    CREATE INDEX mounting_change_source ON mounting_change (source, id);
    CREATE INDEX mounting_change_open ON mounting_change (source, schema_name, table_name) WHERE state = 'open';
    CREATE TABLE mounting_batch (
      id TEXT PRIMARY KEY, source TEXT NOT NULL REFERENCES inventory_source (id), provider TEXT NOT NULL,
      person TEXT, person_name TEXT NOT NULL, provider_name TEXT NOT NULL, asked_at TEXT NOT NULL, ended_at TEXT);
    CREATE INDEX mounting_batch_source ON mounting_batch (source, id);
    CREATE TABLE mounting_batch_table (
      batch TEXT NOT NULL REFERENCES mounting_batch (id), position BIGINT NOT NULL, schema_name TEXT NOT NULL,
      table_name TEXT NOT NULL, resource TEXT, refusal_zh TEXT, refusal_en TEXT, PRIMARY KEY (batch, position));
    """
  ).adding(
    "002 older entries, and whom a test asks",
    """
    ALTER TABLE mounting_tie ADD COLUMN party TEXT NOT NULL DEFAULT '';
    UPDATE mounting_tie SET party = COALESCE(source, id);
    CREATE INDEX mounting_tie_party ON mounting_tie (party, due_at);
    DROP INDEX mounting_tie_due;
    CREATE TABLE mounting_older (one BIGINT PRIMARY KEY CHECK (one = 1), place TEXT NOT NULL, ended_at TEXT);
    INSERT INTO mounting_older (one, place) VALUES (1, '');
    CREATE INDEX mounting_tie_failing ON mounting_tie (provider, resource) WHERE state = 'failing' AND in_force = TRUE;
    """
  ).adding("003 estimated rows", "ALTER TABLE mounting_tie ADD COLUMN estimated_rows BIGINT")
    // What is tied to files or an API says so nowhere in its entry: Supervision counts it from here.
    .adding(
      "004 entries tied to something else than a table",
      """
      CREATE INDEX mounting_tie_untabled ON mounting_tie (provider, resource) WHERE kind <> 'table' AND in_force = TRUE
      """)
}
