package import Kernel
package import Storage

/// Work that comes round again. Kept once, made due once, however many workers look.
package enum JobSchedule {
  /// Sets or replaces a schedule; the first turn comes at `first`.
  package static func set(
    _ name: String, kind: String, payload: String = "", every: Duration, first: Instant, in tx: any Transaction
  ) throws {
    let seconds = max(1, every.inMilliseconds / 1000)
    try tx.run(
      """
      INSERT INTO jobs_schedule (name, kind, payload, every_seconds, next_at)
      VALUES (\(name), \(kind), \(payload), \(seconds), \(first))
      ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, payload = excluded.payload,
        every_seconds = excluded.every_seconds, next_at = excluded.next_at
      """)
  }

  package static func remove(_ name: String, in tx: any Transaction) throws {
    try tx.run("DELETE FROM jobs_schedule WHERE name = \(name)")
  }

  /// Enqueues a job for each schedule whose turn has come and moves it on. Turns that were missed while nothing ran are
  /// not made up for: one job stands for them all.
  @discardableResult
  package static func turn(at now: Instant, in tx: any Transaction) throws -> Int {
    let due = try tx.rows(
      "SELECT name, kind, payload, every_seconds, next_at FROM jobs_schedule WHERE next_at <= \(now) ORDER BY next_at LIMIT 100"
    )
    for row in due {
      let name = try row.text("name")
      let step = Int64(try row.int("every_seconds")) * 1000
      let missed = (now - (try row.instant("next_at"))).inMilliseconds / step
      let next = try row.instant("next_at") + .milliseconds((missed + 1) * step)
      try tx.run("UPDATE jobs_schedule SET next_at = \(next) WHERE name = \(name)")
      try JobQueue.enqueue(
        try row.text("kind"), payload: try row.text("payload"), dedupe: "schedule:\(name)", at: now, in: tx)
    }
    return due.count
  }
}
