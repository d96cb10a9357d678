package import Storage

package enum ExchangeSchema {
  package static let migrations = Migrations("exchange").adding(
    "001 deliveries",
    """
    CREATE TABLE exchange_delivery (
      id TEXT PRIMARY KEY,
      grant_id TEXT NOT NULL REFERENCES sharing_grant (id),
      mode TEXT NOT NULL CHECK (mode IN ('full', 'incremental')),
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'delivered', 'stopped', 'failed')),
      trigger_kind TEXT NOT NULL,
      asked_by TEXT NOT NULL,
      rows_read BIGINT NOT NULL,
      rows_delivered BIGINT NOT NULL,
      rows_unchanged BIGINT NOT NULL,
      rows_quarantined BIGINT NOT NULL,
      rows_stale BIGINT NOT NULL,
      bytes BIGINT NOT NULL,
      first_batch BIGINT,
      last_batch BIGINT,
      agrees BOOLEAN,
      reason_zh TEXT,
      reason_en TEXT,
      created_at TEXT NOT NULL,
      started_at TEXT,
      finished_at TEXT
    );
    CREATE INDEX exchange_delivery_grant ON exchange_delivery (grant_id, id);
    CREATE INDEX exchange_delivery_open ON exchange_delivery (state) WHERE state IN ('queued', 'running');
    CREATE TABLE exchange_receipt (
      delivery TEXT NOT NULL REFERENCES exchange_delivery (id),
      side TEXT NOT NULL CHECK (side IN ('provider', 'consumer')),
      digest TEXT NOT NULL,
      body TEXT NOT NULL,
      PRIMARY KEY (delivery, side)
    );
    CREATE TABLE exchange_quarantine (
      grant_id TEXT NOT NULL REFERENCES sharing_grant (id),
      batch BIGINT NOT NULL,
      part BIGINT NOT NULL,
      position BIGINT NOT NULL,
      delivery TEXT NOT NULL REFERENCES exchange_delivery (id),
      key_digest TEXT,
      item TEXT NOT NULL,
      fault TEXT NOT NULL,
      sealed BLOB NOT NULL,
      PRIMARY KEY (grant_id, batch, part, position)
    );
    CREATE INDEX exchange_quarantine_delivery ON exchange_quarantine (delivery, item, fault);
    """
  )
  .adding(
    "020 deliveries by when they arrived",
    """
    CREATE INDEX exchange_delivery_arrived ON exchange_delivery (finished_at) WHERE state = 'delivered';
    CREATE INDEX exchange_delivery_arrived_under ON exchange_delivery (grant_id, finished_at, id)
      WHERE state = 'delivered';
    """
  )
  .adding(
    "021 tasks",
    """
    CREATE TABLE exchange_task (
      grant_id TEXT PRIMARY KEY REFERENCES sharing_grant (id),
      start TEXT NOT NULL,
      on_working_days BOOLEAN NOT NULL,
      window_from BIGINT CHECK (window_from BETWEEN 0 AND 1439),
      window_to BIGINT CHECK (window_to BETWEEN 0 AND 1439),
      priority BIGINT NOT NULL CHECK (priority BETWEEN -1 AND 1),
      stop_rows BIGINT,
      stop_share BIGINT,
      drift TEXT NOT NULL CHECK (drift IN ('freeze', 'retry')),
      stall_minutes BIGINT NOT NULL CHECK (stall_minutes > 0),
      paused_at TEXT,
      paused_by TEXT,
      paused_why_zh TEXT,
      paused_why_en TEXT,
      is_frozen BOOLEAN NOT NULL,
      version BIGINT NOT NULL,
      CHECK ((paused_at IS NULL) = (paused_why_zh IS NULL))
    );
    CREATE TABLE exchange_task_after (
      grant_id TEXT NOT NULL REFERENCES exchange_task (grant_id),
      after_grant TEXT NOT NULL REFERENCES sharing_grant (id),
      PRIMARY KEY (grant_id, after_grant),
      CHECK (grant_id <> after_grant)
    );
    CREATE INDEX exchange_task_after_other ON exchange_task_after (after_grant);
    CREATE TABLE exchange_task_rule (
      grant_id TEXT NOT NULL REFERENCES exchange_task (grant_id),
      position BIGINT NOT NULL,
      column_name TEXT,
      kind TEXT NOT NULL,
      argument TEXT NOT NULL,
      severity TEXT NOT NULL CHECK (severity IN ('reject', 'warn')),
      stop_rows BIGINT,
      stop_share BIGINT,
      PRIMARY KEY (grant_id, position)
    );
    CREATE TABLE exchange_source_limit (
      source TEXT PRIMARY KEY REFERENCES inventory_source (id),
      deliveries BIGINT CHECK (deliveries > 0),
      rows_per_second BIGINT CHECK (rows_per_second > 0),
      bytes_per_second BIGINT CHECK (bytes_per_second > 0),
      version BIGINT NOT NULL
    );
    ALTER TABLE exchange_delivery ADD COLUMN follows BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE exchange_delivery ADD COLUMN since_day TEXT;
    ALTER TABLE exchange_delivery ADD COLUMN source TEXT;
    ALTER TABLE exchange_delivery ADD COLUMN target TEXT;
    ALTER TABLE exchange_delivery ADD COLUMN rows_filtered BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE exchange_delivery ADD COLUMN rows_removed BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE exchange_delivery ADD COLUMN source_ms BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE exchange_delivery ADD COLUMN target_ms BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE exchange_delivery ADD COLUMN own_ms BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE exchange_delivery ADD COLUMN source_at TEXT;
    ALTER TABLE exchange_delivery ADD COLUMN written_at TEXT;
    """
  )
  .adding(
    "022 bad rows handed back",
    """
    CREATE TABLE exchange_hand_back (
      id TEXT PRIMARY KEY,
      delivery TEXT NOT NULL REFERENCES exchange_delivery (id),
      grant_id TEXT NOT NULL REFERENCES sharing_grant (id),
      item TEXT NOT NULL,
      fault TEXT NOT NULL,
      row_count BIGINT NOT NULL CHECK (row_count > 0),
      words TEXT NOT NULL,
      handed_by TEXT NOT NULL,
      handed_at TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('open', 'rereading', 'mended', 'still-bad')),
      answer TEXT,
      answered_by TEXT,
      answered_at TEXT,
      reread TEXT REFERENCES exchange_delivery (id),
      still_bad BIGINT NOT NULL,
      UNIQUE (delivery, item, fault)
    );
    CREATE INDEX exchange_hand_back_reread ON exchange_hand_back (reread) WHERE state = 'rereading';
    """
  )
  .adding(
    "023 comparisons",
    """
    ALTER TABLE exchange_task ADD COLUMN comparing TEXT NOT NULL DEFAULT 'monthly';
    CREATE TABLE exchange_comparison (
      id TEXT PRIMARY KEY,
      grant_id TEXT NOT NULL REFERENCES sharing_grant (id),
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'agrees', 'differs', 'failed')),
      asked_by TEXT NOT NULL,
      created_at TEXT NOT NULL,
      started_at TEXT,
      finished_at TEXT,
      reason_zh TEXT,
      reason_en TEXT,
      source_rows BIGINT NOT NULL,
      target_rows BIGINT NOT NULL,
      bad_rows BIGINT NOT NULL,
      stale_rows BIGINT NOT NULL,
      missing BIGINT NOT NULL,
      extra BIGINT NOT NULL,
      different BIGINT NOT NULL,
      is_complete BOOLEAN NOT NULL,
      ranges BLOB,
      repair TEXT REFERENCES exchange_delivery (id)
    );
    CREATE INDEX exchange_comparison_grant ON exchange_comparison (grant_id, id);
    CREATE INDEX exchange_comparison_repair ON exchange_comparison (repair) WHERE repair IS NOT NULL;
    """
  )
  .adding(
    "024 failures by cause",
    """
    CREATE TABLE exchange_failure (
      id TEXT PRIMARY KEY,
      delivery TEXT NOT NULL REFERENCES exchange_delivery (id),
      grant_id TEXT NOT NULL REFERENCES sharing_grant (id),
      at TEXT NOT NULL,
      cause TEXT NOT NULL,
      words_zh TEXT NOT NULL,
      words_en TEXT NOT NULL
    );
    CREATE INDEX exchange_failure_at ON exchange_failure (at);
    """
  )
  .adding(
    "025 receipts signed",
    """
    CREATE TABLE exchange_office_key (
      organisation TEXT PRIMARY KEY REFERENCES identity_organisation (id),
      public_key BLOB NOT NULL,
      sealed BLOB NOT NULL,
      made_at TEXT NOT NULL
    );
    ALTER TABLE exchange_receipt ADD COLUMN signature BLOB;
    ALTER TABLE exchange_receipt ADD COLUMN public_key BLOB;
    """
  )
  .adding(
    "026 computed columns",
    """
    CREATE TABLE exchange_task_column (
      grant_id TEXT NOT NULL REFERENCES exchange_task (grant_id),
      position BIGINT NOT NULL,
      name TEXT NOT NULL,
      type TEXT NOT NULL,
      expression TEXT NOT NULL,
      comment TEXT NOT NULL,
      PRIMARY KEY (grant_id, position),
      UNIQUE (grant_id, name)
    );
    CREATE TABLE exchange_task_dictionary (
      grant_id TEXT NOT NULL REFERENCES exchange_task (grant_id),
      name TEXT NOT NULL,
      lines TEXT NOT NULL,
      unknown_code TEXT NOT NULL CHECK (unknown_code IN ('fault', 'keep', 'null')),
      PRIMARY KEY (grant_id, name)
    );
    """
  )
  .adding(
    "027 deliveries in parts",
    """
    ALTER TABLE exchange_task ADD COLUMN parts BIGINT NOT NULL DEFAULT 1;
    CREATE TABLE exchange_part (
      delivery TEXT NOT NULL REFERENCES exchange_delivery (id),
      place BIGINT NOT NULL,
      part TEXT NOT NULL,
      state TEXT NOT NULL,
      result TEXT,
      code TEXT,
      reason_zh TEXT,
      reason_en TEXT,
      rows_read BIGINT NOT NULL,
      rows_delivered BIGINT NOT NULL,
      PRIMARY KEY (delivery, place)
    );
    """
  )
  .adding(
    "028 parts that read in one view",
    """
    ALTER TABLE exchange_part ADD COLUMN views_lost BIGINT NOT NULL DEFAULT 0;
    ALTER TABLE exchange_part DROP COLUMN rows_delivered;
    """)
}
