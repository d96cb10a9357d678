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
    """)
}
