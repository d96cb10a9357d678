package import Kernel
package import Storage

/// The durable queue. Each function is one step inside the caller's transaction; `now` is the caller's clock.
package enum JobQueue {
  /// How long a worker may be silent before another takes over.
  package static let lease: Duration = .seconds(20)

  /// Asks for work, in the transaction of what makes it necessary. With a `dedupe` key the open job of that key is
  /// answered instead of a second one. Of due jobs those of the greatest `priority` are taken first.
  @discardableResult
  package static func enqueue(
    _ kind: String, payload: String = "", runAt: Instant? = nil, maxAttempts: Int = 8, dedupe: String? = nil,
    priority: Int = 0, at now: Instant, in tx: any Transaction
  ) throws -> JobID {
    precondition(payload.utf8.count <= 65_536, "a job's payload is at most 64 KiB")
    let id = JobID.make(at: now)
    let added = try tx.run(
      """
      INSERT INTO jobs_job (id, kind, payload, state, run_at, attempts, max_attempts, fence, dedupe_key,
        cancel_requested, progress_done, priority, created_at)
      VALUES (\(id), \(kind), \(payload), 'queued', \(runAt ?? now), 0, \(maxAttempts), 0, \(dedupe), \(false), 0,
        \(priority), \(now))
      ON CONFLICT DO NOTHING
      """)
    if added == 1 { return id }
    let open = try tx.row("SELECT id FROM jobs_job WHERE dedupe_key = \(dedupe) AND state IN ('queued', 'running')")
    guard let open else { throw StorageError(.conflict, "the job of this dedupe key ended while it was looked for") }
    return try open.id("id")
  }

  /// Makes the open job of this key due now, if it only waits for its next attempt; false when no job of the key is open.
  package static func hasten(dedupe: String, at now: Instant, in tx: any Transaction) throws -> Bool {
    let open = try tx.row(
      "SELECT state FROM jobs_job WHERE dedupe_key = \(dedupe) AND state IN ('queued', 'running')")
    guard open != nil else { return false }
    try tx.run(
      "UPDATE jobs_job SET run_at = \(now) WHERE dedupe_key = \(dedupe) AND state = 'queued' AND run_at > \(now)")
    return true
  }

  /// Gives the next due job of these kinds to a worker, or one whose worker fell silent; nil when there is none. A job
  /// whose worker fell silent at its last attempt has failed: what kills every worker must not be given to the next.
  ///
  /// `abandoned` hears of such a job in the same transaction: nobody else will ever tell what it was for.
  ///
  /// Run it in a READ COMMITTED transaction, for the sake of PostgreSQL: claimants take turns by the fence's row.
  package static func claim(
    kinds: [String], owner: String, lease: Duration = lease, at now: Instant, in tx: any Transaction,
    abandoned: (Job, any Transaction) throws -> Void = { _, _ in }
  ) throws -> Job? {
    try tx.run("UPDATE jobs_fence SET last = last + 1 WHERE one = 1")
    // Somebody else's transaction may take or end what was found; then it is looked for again.
    for _ in 0..<1000 {
      guard let found = try silent(kinds, now, tx) ?? due(kinds, now, tx) else { return nil }
      if found.state == .running && (found.attempts >= found.maxAttempts || found.cancelRequested) {
        let isEnded: Bool
        if found.cancelRequested {
          isEnded = try finish(found, as: .cancelled, note: nil, code: "cancelled", error: "cancelled", at: now, in: tx)
        } else {
          let reason = "the worker fell silent at the last attempt"
          isEnded = try finish(found, as: .failed, note: nil, code: "lease.lost", error: reason, at: now, in: tx)
        }
        if isEnded, let ended = try find(found.id, in: tx) { try abandoned(ended, tx) }
        continue
      }
      let taken = try tx.run(
        """
        UPDATE jobs_job SET state = 'running', attempts = attempts + 1, lease_owner = \(owner),
          lease_until = \(now + lease), fence = (SELECT last FROM jobs_fence WHERE one = 1),
          started_at = COALESCE(started_at, \(now)), error_code = NULL, error = NULL
        WHERE id = \(found.id) AND state = \(found.state) AND fence = \(found.fence)
          AND (state = 'queued' OR lease_until < \(now))
        """)
      if taken == 1 { return try find(found.id, in: tx) }
    }
    return nil
  }

  /// The open job of a key, if one is.
  package static func open(dedupe: String, in tx: any Transaction) throws -> Job? {
    try tx.row(
      "SELECT \(columns) FROM jobs_job WHERE dedupe_key = \(dedupe) AND state IN ('queued', 'running')"
    ).map(Job.init(row:))
  }

  /// Whether `claim` would find something: a look that does not write.
  package static func isDue(kinds: [String], at now: Instant, in tx: any Transaction) throws -> Bool {
    try silent(kinds, now, tx) != nil || due(kinds, now, tx) != nil
  }

  private static func due(_ kinds: [String], _ now: Instant, _ tx: any Transaction) throws -> Job? {
    try tx.row(
      """
      SELECT \(columns) FROM jobs_job WHERE state = 'queued' AND run_at <= \(now) AND kind IN (\(each: kinds))
      ORDER BY priority DESC, run_at, id LIMIT 1
      """
    ).map(Job.init(row:))
  }

  private static func silent(_ kinds: [String], _ now: Instant, _ tx: any Transaction) throws -> Job? {
    try tx.row(
      """
      SELECT \(columns) FROM jobs_job WHERE state = 'running' AND lease_until < \(now) AND kind IN (\(each: kinds))
      ORDER BY lease_until, id LIMIT 1
      """
    ).map(Job.init(row:))
  }

  /// For what a worker writes as its work's result, in the same transaction: throws `JobFailure.cancelled` when another
  /// has taken over, so that a worker thought dead undoes nothing.
  package static func requireHeld(_ job: Job, in tx: any Transaction) throws {
    let held = try tx.row("SELECT id FROM jobs_job WHERE id = \(job.id) AND fence = \(job.fence) AND state = 'running'")
    guard held != nil else { throw JobFailure.cancelled("the lease was lost to another worker") }
  }

  /// Renews the lease and tells how far the work has come: attempts count only while nothing comes of them, so that a job that
  /// runs for months is not given up for its eighth lost worker. False when the lease is lost: stop at once.
  /// Throws `JobFailure.cancelled` when somebody asked to stop.
  package static func report(
    _ job: Job, done: Int? = nil, total: Int? = nil, note: String? = nil, lease: Duration = lease, at now: Instant,
    in tx: any Transaction
  ) throws -> Bool {
    let changed = try tx.run(
      """
      UPDATE jobs_job SET lease_until = \(now + lease), progress_done = COALESCE(\(done), progress_done),
        attempts = CASE WHEN \(done ?? 0) > progress_done THEN 1 ELSE attempts END,
        progress_total = COALESCE(\(total), progress_total), progress_note = COALESCE(\(note), progress_note)
      WHERE id = \(job.id) AND fence = \(job.fence) AND state = 'running'
      """)
    guard changed == 1 else { return false }
    if try isCancelRequested(job, in: tx) {
      throw JobFailure.cancelled("cancelled")
    }
    return true
  }

  /// False when the lease was lost meanwhile: the work of this worker does not count.
  @discardableResult
  package static func complete(_ job: Job, note: String? = nil, at now: Instant, in tx: any Transaction) throws -> Bool
  {
    try finish(job, as: .done, note: note, code: nil, error: nil, at: now, in: tx)
  }

  /// Ends an attempt that failed: queued again after a pause that doubles, up to an hour, or failed for good.
  @discardableResult
  package static func fail(
    _ job: Job, _ failure: JobFailure, code: String? = nil, jitter: Double, at now: Instant, in tx: any Transaction
  ) throws -> Bool {
    switch failure {
    case .cancelled(let reason):
      return try finish(job, as: .cancelled, note: nil, code: code ?? "cancelled", error: reason, at: now, in: tx)
    case .permanent(let reason):
      return try finish(job, as: .failed, note: nil, code: code, error: reason, at: now, in: tx)
    case .postponed(let moment, let reason):
      return try postpone(job, until: moment, why: reason, at: now, in: tx)
    case .retryable(let reason):
      if try isCancelRequested(job, in: tx) {
        return try finish(job, as: .cancelled, note: nil, code: "cancelled", error: reason, at: now, in: tx)
      }
      if job.attempts >= job.maxAttempts {
        return try finish(job, as: .failed, note: nil, code: code, error: reason, at: now, in: tx)
      }
      let again = now + pause(after: job.attempts, jitter: jitter)
      return try tx.run(
        """
        UPDATE jobs_job SET state = 'queued', run_at = \(again), lease_owner = NULL, lease_until = NULL,
          error_code = \(code), error = \(clipped(reason))
        WHERE id = \(job.id) AND fence = \(job.fence) AND state = 'running'
        """) == 1
    }
  }

  /// A worker that is shutting down hands its job back, without counting the attempt.
  @discardableResult
  package static func handBack(_ job: Job, at now: Instant, in tx: any Transaction) throws -> Bool {
    if try isCancelRequested(job, in: tx) {
      return try finish(job, as: .cancelled, note: nil, code: "cancelled", error: "cancelled", at: now, in: tx)
    }
    return try tx.run(
      """
      UPDATE jobs_job SET state = 'queued', run_at = \(now), attempts = attempts - 1, lease_owner = NULL, lease_until = NULL
      WHERE id = \(job.id) AND fence = \(job.fence) AND state = 'running'
      """) == 1
  }

  /// A job whose time has not come (a window, a busy source) waits until then, without counting the attempt.
  @discardableResult
  package static func postpone(
    _ job: Job, until moment: Instant, why: String, at now: Instant, in tx: any Transaction
  ) throws -> Bool {
    if try isCancelRequested(job, in: tx) {
      return try finish(job, as: .cancelled, note: nil, code: "cancelled", error: "cancelled", at: now, in: tx)
    }
    return try tx.run(
      """
      UPDATE jobs_job SET state = 'queued', run_at = \(moment), attempts = attempts - 1, lease_owner = NULL,
        lease_until = NULL, progress_note = \(clipped(why))
      WHERE id = \(job.id) AND fence = \(job.fence) AND state = 'running'
      """) == 1
  }

  /// A queued job is cancelled at once; a running one at its next report.
  package static func cancel(_ id: JobID, at now: Instant, in tx: any Transaction) throws {
    try tx.run(
      "UPDATE jobs_job SET state = 'cancelled', finished_at = \(now) WHERE id = \(id) AND state = 'queued'")
    try tx.run("UPDATE jobs_job SET cancel_requested = \(true) WHERE id = \(id) AND state = 'running'")
  }

  package static func find(_ id: JobID, in tx: any Transaction) throws -> Job? {
    try tx.row("SELECT \(columns) FROM jobs_job WHERE id = \(id)").map(Job.init(row:))
  }

  /// Newest first, before the given id; at most `limit`.
  package static func list(
    before: JobID? = nil, state: Job.State? = nil, kind: String? = nil, limit: Int = 50, in tx: any Transaction
  ) throws -> [Job] {
    var conditions: [SQL] = []
    if let before { conditions.append("id < \(before)") }
    if let state { conditions.append("state = \(state)") }
    if let kind { conditions.append("kind = \(kind)") }
    return try tx.rows(
      "SELECT \(columns) FROM jobs_job WHERE \(SQL.all(conditions)) ORDER BY id DESC LIMIT \(limit)"
    ).map(Job.init(row:))
  }

  /// Forgets jobs that ended before a moment, some at a time; answers how many.
  @discardableResult
  package static func prune(endedBefore moment: Instant, limit: Int = 1000, in tx: any Transaction) throws -> Int {
    try tx.run(
      """
      DELETE FROM jobs_job WHERE id IN (
        SELECT id FROM jobs_job WHERE finished_at < \(moment) ORDER BY finished_at LIMIT \(limit))
      """)
  }

  /// 2, 4, 8 … seconds up to an hour, times 0.5 to 1.5 as `jitter` goes from 0 to 1.
  package static func pause(after attempts: Int, jitter: Double) -> Duration {
    let seconds = min(3600.0, Double(1 << min(attempts, 12)))
    return .milliseconds(Int(seconds * 1000 * (0.5 + jitter)))
  }

  private static func finish(
    _ job: Job, as state: Job.State, note: String?, code: String?, error: String?, at now: Instant,
    in tx: any Transaction
  ) throws -> Bool {
    try tx.run(
      """
      UPDATE jobs_job SET state = \(state), finished_at = \(now), lease_owner = NULL, lease_until = NULL,
        progress_note = COALESCE(\(note), progress_note), error_code = \(code), error = \(error.map(clipped))
      WHERE id = \(job.id) AND fence = \(job.fence) AND state = 'running'
      """) == 1
  }

  private static func isCancelRequested(_ job: Job, in tx: any Transaction) throws -> Bool {
    try tx.row("SELECT id FROM jobs_job WHERE id = \(job.id) AND fence = \(job.fence) AND cancel_requested = TRUE")
      != nil
  }

  private static func clipped(_ reason: String) -> String { String(reason.prefix(2000)) }

  private static let columns: SQL = """
    id, kind, payload, state, run_at, attempts, max_attempts, lease_owner, lease_until, fence, cancel_requested,
    progress_done, progress_total, progress_note, error_code, error, created_at, started_at, finished_at
    """
}
