package import Storage

/// `census_line` is what is filled in; `census_sum` the sums of an office's lines by category, moved with each line in its
/// own transaction, so that no page ever adds up lines. All counters belong to one office: offices never wait for each other.
package enum CensusSchema {
  private static let six = """
    storage_kb BIGINT NOT NULL, records BIGINT NOT NULL, shared_kb BIGINT NOT NULL, shared_records BIGINT NOT NULL,
      open_kb BIGINT NOT NULL, open_records BIGINT NOT NULL
    """

  package static let migrations = Migrations("census").adding(
    "001 campaigns",
    """
    CREATE TABLE census_campaign (
      id TEXT PRIMARY KEY, name TEXT NOT NULL, reference_day TEXT NOT NULL, state TEXT NOT NULL, due TEXT NOT NULL,
      previous TEXT REFERENCES census_campaign (id), opened_at TEXT NOT NULL, opened_by TEXT NOT NULL, closed_at TEXT,
      closed_by TEXT);
    CREATE TABLE census_return (
      id TEXT PRIMARY KEY, campaign TEXT NOT NULL REFERENCES census_campaign (id), office TEXT NOT NULL,
      office_name TEXT NOT NULL, state TEXT NOT NULL, prepared_to TEXT, lines BIGINT NOT NULL, entered BIGINT NOT NULL,
      submitted_at TEXT, submitted_by TEXT, decided_at TEXT, decided_by TEXT, words TEXT NOT NULL,
      UNIQUE (campaign, office));
    CREATE INDEX census_return_by_name ON census_return (campaign, office_name, id);
    CREATE INDEX census_return_by_office ON census_return (office, campaign);
    CREATE TABLE census_line (
      campaign TEXT NOT NULL, return_id TEXT NOT NULL REFERENCES census_return (id), office_name TEXT NOT NULL,
      resource TEXT NOT NULL REFERENCES catalog_resource (id), code TEXT NOT NULL, name TEXT NOT NULL,
      category TEXT NOT NULL, \(six), origin TEXT NOT NULL, measured_records BIGINT, measured_shared BIGINT,
      revision BIGINT NOT NULL, changed_at TEXT, changed_by TEXT, PRIMARY KEY (return_id, code),
      CHECK (storage_kb >= 0 AND records >= 0 AND shared_kb >= 0 AND shared_records >= 0 AND open_kb >= 0
        AND open_records >= 0),
      CHECK (shared_kb <= storage_kb AND shared_records <= records AND open_kb <= storage_kb AND open_records <= records));
    CREATE UNIQUE INDEX census_line_by_resource ON census_line (campaign, resource);
    CREATE INDEX census_line_by_code ON census_line (campaign, code);
    CREATE INDEX census_line_by_category ON census_line (campaign, category, code);
    CREATE INDEX census_line_by_return_category ON census_line (return_id, category, code);
    CREATE INDEX census_line_by_origin ON census_line (return_id, origin, code);
    CREATE TABLE census_sum (
      campaign TEXT NOT NULL, return_id TEXT NOT NULL REFERENCES census_return (id), category TEXT NOT NULL,
      lines BIGINT NOT NULL, entered BIGINT NOT NULL, \(six), PRIMARY KEY (return_id, category));
    CREATE INDEX census_sum_by_campaign ON census_sum (campaign, category);
    """)
}
