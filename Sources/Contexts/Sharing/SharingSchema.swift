package import Storage

package enum SharingSchema {
  package static let migrations = Migrations("sharing").adding(
    "001 requests and grants",
    """
    CREATE TABLE sharing_number (
      series TEXT PRIMARY KEY,
      last BIGINT NOT NULL
    );
    CREATE TABLE sharing_request (
      id TEXT PRIMARY KEY,
      number TEXT NOT NULL UNIQUE,
      resource TEXT NOT NULL REFERENCES catalog_resource (id),
      resource_version BIGINT NOT NULL,
      resource_name TEXT NOT NULL,
      sharing_type TEXT NOT NULL,
      provider TEXT NOT NULL REFERENCES identity_organisation (id),
      provider_name TEXT NOT NULL,
      consumer TEXT NOT NULL REFERENCES identity_organisation (id),
      consumer_name TEXT NOT NULL,
      asked_by TEXT NOT NULL REFERENCES identity_person (id),
      asked_by_name TEXT NOT NULL,
      purpose TEXT NOT NULL,
      legal_basis TEXT NOT NULL,
      scene TEXT NOT NULL,
      mode TEXT NOT NULL,
      frequency TEXT NOT NULL,
      first_day TEXT NOT NULL,
      last_day TEXT NOT NULL CHECK (last_day >= first_day),
      target_source TEXT NOT NULL REFERENCES inventory_source (id),
      target_table TEXT NOT NULL,
      state TEXT NOT NULL,
      supplement_asked BOOLEAN NOT NULL,
      rules TEXT NOT NULL,
      due TEXT,
      due_date TEXT,
      ground TEXT,
      ground_basis TEXT,
      version BIGINT NOT NULL,
      created_at TEXT NOT NULL,
      changed_at TEXT NOT NULL
    );
    CREATE INDEX sharing_request_consumer ON sharing_request (consumer, id);
    CREATE INDEX sharing_request_provider ON sharing_request (provider, id);
    CREATE TABLE sharing_request_item (
      request TEXT NOT NULL REFERENCES sharing_request (id),
      position BIGINT NOT NULL,
      item TEXT NOT NULL,
      name TEXT NOT NULL,
      column_name TEXT NOT NULL,
      is_key BOOLEAN NOT NULL,
      approved BOOLEAN,
      mask TEXT,
      reason TEXT,
      PRIMARY KEY (request, position),
      UNIQUE (request, item)
    );
    CREATE TABLE sharing_request_event (
      request TEXT NOT NULL REFERENCES sharing_request (id),
      position BIGINT NOT NULL,
      at TEXT NOT NULL,
      actor TEXT NOT NULL,
      organisation TEXT NOT NULL,
      event TEXT NOT NULL,
      words TEXT,
      due TEXT,
      PRIMARY KEY (request, position)
    );
    CREATE TABLE sharing_grant (
      id TEXT PRIMARY KEY,
      number TEXT NOT NULL UNIQUE,
      request TEXT NOT NULL UNIQUE REFERENCES sharing_request (id),
      resource TEXT NOT NULL REFERENCES catalog_resource (id),
      resource_version BIGINT NOT NULL,
      resource_name TEXT NOT NULL,
      provider TEXT NOT NULL REFERENCES identity_organisation (id),
      provider_name TEXT NOT NULL,
      consumer TEXT NOT NULL REFERENCES identity_organisation (id),
      consumer_name TEXT NOT NULL,
      purpose TEXT NOT NULL,
      legal_basis TEXT NOT NULL,
      scene TEXT NOT NULL,
      mode TEXT NOT NULL,
      frequency TEXT NOT NULL,
      first_day TEXT NOT NULL,
      last_day TEXT NOT NULL CHECK (last_day >= first_day),
      target_source TEXT NOT NULL REFERENCES inventory_source (id),
      target_table TEXT NOT NULL,
      secret BLOB NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked')),
      ended_at TEXT,
      ended_by TEXT,
      ended_why TEXT,
      version BIGINT NOT NULL,
      created_at TEXT NOT NULL
    );
    CREATE INDEX sharing_grant_consumer ON sharing_grant (consumer, id);
    CREATE INDEX sharing_grant_provider ON sharing_grant (provider, id);
    CREATE INDEX sharing_grant_resource ON sharing_grant (resource);
    CREATE TABLE sharing_grant_item (
      grant_id TEXT NOT NULL REFERENCES sharing_grant (id),
      position BIGINT NOT NULL,
      item TEXT NOT NULL,
      name TEXT NOT NULL,
      column_name TEXT NOT NULL,
      is_key BOOLEAN NOT NULL,
      mask TEXT NOT NULL,
      PRIMARY KEY (grant_id, position)
    );
    """
  )
  .adding(
    "002 whose request, and one per form",
    """
    ALTER TABLE sharing_request ADD COLUMN asked_for TEXT;
    ALTER TABLE sharing_request ADD COLUMN form_key TEXT;
    CREATE UNIQUE INDEX sharing_request_form ON sharing_request (asked_by, form_key) WHERE form_key IS NOT NULL;
    """
  )
  .adding(
    "003 who writes a table, what hangs on a resource",
    """
    CREATE INDEX sharing_request_target ON sharing_request (target_source, target_table);
    CREATE INDEX sharing_request_resource ON sharing_request (resource);
    CREATE INDEX sharing_grant_target ON sharing_grant (target_source, target_table);
    """
  )
  .adding(
    "004 what hangs on a resource page by page, in whose name",
    """
    CREATE INDEX sharing_grant_resource_id ON sharing_grant (resource, id);
    DROP INDEX sharing_grant_resource;
    CREATE INDEX sharing_request_resource_id ON sharing_request (resource, id);
    DROP INDEX sharing_request_resource;
    ALTER TABLE sharing_request ADD COLUMN asked_for_name TEXT;
    ALTER TABLE sharing_request_event ADD COLUMN in_name_of TEXT;
    ALTER TABLE sharing_grant ADD COLUMN ended_for TEXT;
    """
  )
  .adding(
    "005 which rows a grant gives",
    """
    ALTER TABLE sharing_grant ADD COLUMN row_filter TEXT;
    """
  )
  .adding(
    "006 what becomes of rows that go",
    """
    ALTER TABLE sharing_request ADD COLUMN gone_rows TEXT NOT NULL DEFAULT 'removed';
    ALTER TABLE sharing_grant ADD COLUMN gone_rows TEXT NOT NULL DEFAULT 'removed';
    """)
}
