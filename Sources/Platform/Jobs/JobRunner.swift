package import Kernel
package import Logging
import ServiceLifecycle
package import Storage
import Synchronization

/// What a handler may do while it works.
package struct JobContext: Sendable {
  package let job: Job
  let database: any Database
  let clock: Clock

  /// Renews the lease and shows progress. Throws `JobFailure.cancelled` when the work must stop: somebody asked, or
  /// another worker has taken over.
  package func report(done: Int? = nil, total: Int? = nil, note: String? = nil) async throws {
    let (job, now) = (job, clock.now())
    let held = try await database.write { tx in
      try JobQueue.report(job, done: done, total: total, note: note, at: now, in: tx)
    }
    guard held else { throw JobFailure.cancelled("the lease was lost to another worker") }
  }
}

/// Takes due jobs and runs their handlers, a few at a time, until it is told to stop.
package struct JobRunner: Service {
  package typealias Handler = @Sendable (JobContext) async throws -> String?

  let database: any Database
  let clock: Clock
  let handlers: [String: Handler]
  let concurrency: Int
  let owner: String
  let poll: Duration
  let logger: Logger

  package init(
    database: any Database, clock: Clock, handlers: [String: Handler], concurrency: Int = 2,
    poll: Duration = .milliseconds(500),
    owner: String = uuidVersion7(at: Clock.system.now()), logger: Logger
  ) {
    self.database = database
    self.clock = clock
    self.handlers = handlers
    self.concurrency = max(1, concurrency)
    self.poll = poll
    self.owner = owner
    self.logger = logger
  }

  package func run() async throws {
    await withGracefulShutdownHandler {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await turnSchedules() }
        for _ in 0..<concurrency { group.addTask { await work() } }
        await group.waitForAll()
      }
    } onGracefulShutdown: {
    }
  }

  /// Runs every job that is due now, one after the other; for tests and the command line. Answers how many.
  package func drain() async throws -> Int {
    var count = 0
    while let job = try await claim() {
      await perform(job)
      count += 1
    }
    return count
  }

  private func turnSchedules() async {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      let now = clock.now()
      do {
        _ = try await database.write { try JobSchedule.turn(at: now, in: $0) }
      } catch {
        logger.error("schedules: \(error)")
      }
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
    }
  }

  private func work() async {
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      do {
        if let job = try await claim() {
          await perform(job)
          continue
        }
      } catch {
        logger.error("claiming a job: \(error)")
      }
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: poll) }
    }
  }

  private func claim() async throws -> Job? {
    let (kinds, owner, now) = (handlers.keys.sorted(), owner, clock.now())
    // A cheap look first, so that an idle node does not write.
    let isDue = try await database.read { tx in
      try tx.row(
        """
        SELECT id FROM jobs_job WHERE kind IN (\(each: kinds)) AND ((state = 'queued' AND run_at <= \(now))
          OR (state = 'running' AND lease_until < \(now))) LIMIT 1
        """) != nil
    }
    guard isDue else { return nil }
    return try await database.write { try JobQueue.claim(kinds: kinds, owner: owner, at: now, in: $0) }
  }

  private func perform(_ job: Job) async {
    guard let handler = handlers[job.kind] else { return }
    let context = JobContext(job: job, database: database, clock: clock)
    do {
      let note = try await withLeaseKept(context) { try await handler(context) }
      let now = clock.now()
      _ = try await database.write { try JobQueue.complete(job, note: note, at: now, in: $0) }
    } catch {
      await end(job, error)
    }
  }

  /// Renews the lease while the handler is busy, so that a handler need not think of it.
  private func withLeaseKept(
    _ context: JobContext, _ body: @escaping @Sendable () async throws -> String?
  ) async throws -> String? {
    try await withThrowingTaskGroup(of: String??.self) { group in
      group.addTask { .some(try await body()) }
      group.addTask {
        while true {
          try await Task.sleep(for: JobQueue.lease / 3)
          try await context.report()
        }
      }
      defer { group.cancelAll() }
      return try await group.next()! ?? nil
    }
  }

  private func end(_ job: Job, _ error: any Error) async {
    let now = clock.now()
    let failure: JobFailure =
      switch error {
      case let failure as JobFailure: failure
      case let refusal as Refusal:
        refusal.kind == .unavailable ? .retryable(refusal.message.english) : .permanent(refusal.message.english)
      case is CancellationError: .retryable("the worker was stopped")
      default: .retryable("\(error)")
      }
    logger.warning("job \(job.id) (\(job.kind)), attempt \(job.attempts): \(failure)")
    do {
      _ = try await database.write { tx in
        try JobQueue.fail(job, failure, jitter: Double.random(in: 0...1), at: now, in: tx)
      }
    } catch {
      logger.error("job \(job.id): its failure could not be kept: \(error)")
    }
  }
}
