package import Storage

package enum JobsSchema {
  package static let migrations = Migrations("jobs").adding(
    "001 jobs",
    """
    CREATE TABLE jobs_job (
      id TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      payload TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
      run_at TEXT NOT NULL,
      attempts BIGINT NOT NULL,
      max_attempts BIGINT NOT NULL CHECK (max_attempts > 0),
      lease_owner TEXT,
      lease_until TEXT,
      fence BIGINT NOT NULL,
      dedupe_key TEXT,
      cancel_requested BOOLEAN NOT NULL,
      progress_done BIGINT NOT NULL,
      progress_total BIGINT,
      progress_note TEXT,
      error_code TEXT,
      error TEXT,
      created_at TEXT NOT NULL,
      started_at TEXT,
      finished_at TEXT,
      CHECK ((state = 'running') = (lease_until IS NOT NULL)),
      CHECK ((state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL))
    );
    CREATE INDEX jobs_job_due ON jobs_job (run_at, id) WHERE state = 'queued';
    CREATE INDEX jobs_job_lease ON jobs_job (lease_until) WHERE state = 'running';
    CREATE UNIQUE INDEX jobs_job_dedupe ON jobs_job (dedupe_key) WHERE state IN ('queued', 'running');
    CREATE TABLE jobs_schedule (
      name TEXT PRIMARY KEY,
      kind TEXT NOT NULL,
      payload TEXT NOT NULL,
      rhythm TEXT NOT NULL,
      next_at TEXT NOT NULL
    );
    CREATE INDEX jobs_job_finished ON jobs_job (finished_at) WHERE finished_at IS NOT NULL;
    CREATE TABLE jobs_fence (
      one BIGINT PRIMARY KEY CHECK (one = 1),
      last BIGINT NOT NULL
    );
    INSERT INTO jobs_fence (one, last) VALUES (1, 0);
    """
  )
  .adding(
    "002 priorities",
    """
    ALTER TABLE jobs_job ADD COLUMN priority BIGINT NOT NULL DEFAULT 0;
    """)
}
