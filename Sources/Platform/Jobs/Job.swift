package import Kernel
import Storage

package typealias JobID = ID<Job>

/// A piece of work that outlives the process that asked for it.
package struct Job: Sendable, Hashable {
  package enum State: String, Sendable, CaseIterable {
    case queued, running, done, failed, cancelled
  }

  package var id: JobID
  package var kind: String
  /// What the handler needs; JSON or any text it can read, at most 64 KiB.
  package var payload: String
  package var state: State
  package var runAt: Instant
  /// How often it was begun.
  package var attempts: Int
  package var maxAttempts: Int
  package var leaseOwner: String?
  package var leaseUntil: Instant?
  /// Grows with every lease ever given, over all jobs: a write under a lower fence comes from a worker that was
  /// thought dead, and is refused.
  package var fence: Int
  package var cancelRequested: Bool
  package var done: Int
  package var total: Int?
  package var note: String?
  /// Stable, for programs: a refusal's code, `lease.lost`, `cancelled`.
  package var errorCode: String?
  package var error: String?
  package var createdAt: Instant
  package var startedAt: Instant?
  package var finishedAt: Instant?
}

/// Why a handler stopped short.
package enum JobFailure: Error, Sendable {
  /// Worth another try after a pause.
  case retryable(String)
  /// Trying again would end the same way.
  case permanent(String)
  /// Its time has not come: it waits until then, and the attempt does not count.
  case postponed(Instant, String)
  /// The lease is lost or somebody asked to stop.
  case cancelled(String)
}

extension Job {
  init(row: Row) throws {
    id = try row.id("id")
    kind = try row.text("kind")
    payload = try row.text("payload")
    state = try row.choice("state")
    runAt = try row.instant("run_at")
    attempts = try row.int("attempts")
    maxAttempts = try row.int("max_attempts")
    leaseOwner = try row.textOrNil("lease_owner")
    leaseUntil = try row.instantOrNil("lease_until")
    fence = try row.int("fence")
    cancelRequested = try row.bool("cancel_requested")
    done = try row.int("progress_done")
    total = try row.intOrNil("progress_total")
    note = try row.textOrNil("progress_note")
    errorCode = try row.textOrNil("error_code")
    error = try row.textOrNil("error")
    createdAt = try row.instant("created_at")
    startedAt = try row.instantOrNil("started_at")
    finishedAt = try row.instantOrNil("finished_at")
  }
}
