package import Storage

/// What was counted: each department's numbers as they stand, and as they stood at the end of each month.
///
/// Nothing here is a truth of its own. The numbers are counted ahead of time from the contexts below, since no page may
/// walk a million entries, and every page says as of when they are.
package enum SupervisionSchema {
  package static let migrations = Migrations("supervision").adding(
    "001 counted ahead of time",
    """
    CREATE TABLE supervision_state (one BIGINT PRIMARY KEY CHECK (one = 1), as_of TEXT NOT NULL);
    CREATE TABLE supervision_office (
      office TEXT PRIMARY KEY REFERENCES identity_organisation (id), name TEXT NOT NULL, division TEXT NOT NULL,
      is_standing BOOLEAN NOT NULL, last_delivery TEXT,
    \(columns));
    CREATE TABLE supervision_month (
      office TEXT NOT NULL, month TEXT NOT NULL,
    \(columns),
      PRIMARY KEY (office, month));
    """)

  private static let columns = """
      systems BIGINT NOT NULL, systems_without_entries BIGINT NOT NULL, entries BIGINT NOT NULL,
      entries_without_system BIGINT NOT NULL, entries_without_items BIGINT NOT NULL,
      entries_without_condition BIGINT NOT NULL, entries_without_mount BIGINT NOT NULL, mounts BIGINT NOT NULL,
      mounts_failing BIGINT NOT NULL, mounts_unused BIGINT NOT NULL, grants BIGINT NOT NULL,
      grants_undelivered BIGINT NOT NULL, grants_obtained BIGINT NOT NULL, deliveries BIGINT NOT NULL,
      rows_delivered BIGINT NOT NULL
    """
}
