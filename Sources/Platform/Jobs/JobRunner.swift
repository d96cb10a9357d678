package import Kernel
package import Logging
import ServiceLifecycle
package import Storage

/// What a handler may do while it works.
package struct JobContext: Sendable {
  package let job: Job
  let database: any Database
  let clock: Clock
  let lease: Duration

  /// Renews the lease and shows progress. Throws `JobFailure.cancelled` when the work must stop: somebody asked, or
  /// another worker has taken over.
  package func report(done: Int? = nil, total: Int? = nil, note: String? = nil) async throws {
    let (job, lease, now) = (job, lease, clock.now())
    let held = try await database.write { tx in
      try JobQueue.report(job, done: done, total: total, note: note, lease: lease, at: now, in: tx)
    }
    guard held else { throw JobFailure.cancelled("the lease was lost to another worker") }
  }
}

/// Takes due jobs and runs their handlers, a few at a time, until it is told to stop.
///
/// Told to stop, it takes no more, gives what runs a little time to end, then cancels it and hands it back, so that
/// another worker need not wait for the lease to run out.
package struct JobRunner: Service {
  package typealias Handler = @Sendable (JobContext) async throws -> String?
  /// Hears that a job ended without its work: it failed for good, was cancelled, or worker after worker fell silent over it.
  package typealias Mourner = @Sendable (Job, Instant, any Transaction) throws -> Void

  let database: any Database
  let clock: Clock
  let handlers: [String: Handler]
  let abandoned: [String: Mourner]
  let rules: [String: Rhythm.Rule]
  let concurrency: Int
  let turnsSchedules: Bool
  let owner: String
  let poll: Duration
  let lease: Duration
  let grace: Duration
  let logger: Logger

  /// `rules` are the calendar rules that schedules name; of several runners of a process one need turn them; `grace` is what a handler has to end in at a shutdown.
  package init(
    database: any Database, clock: Clock, handlers: [String: Handler], abandoned: [String: Mourner] = [:],
    rules: [String: Rhythm.Rule] = [:],
    concurrency: Int = 2, turnsSchedules: Bool = true, poll: Duration = .milliseconds(500),
    lease: Duration = JobQueue.lease,
    grace: Duration = .seconds(5), owner: String = uuidVersion7(at: Clock.system.now()), logger: Logger
  ) {
    self.database = database
    self.clock = clock
    self.handlers = handlers
    self.abandoned = abandoned
    self.rules = rules
    self.concurrency = max(1, concurrency)
    self.turnsSchedules = turnsSchedules
    self.poll = poll
    self.lease = lease
    self.grace = grace
    self.owner = owner
    self.logger = logger
  }

  package func run() async throws {
    await withTaskGroup(of: Void.self) { group in
      if turnsSchedules { group.addTask { await turnSchedules() } }
      group.addTask { await work() }
      await group.waitForAll()
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

  /// Makes due what the schedules have come round to; answers how many.
  @discardableResult
  package func turn() async throws -> Int {
    let (now, rules) = (clock.now(), rules)
    guard try await database.read({ try JobSchedule.isDue(at: now, in: $0) }) else { return 0 }
    return try await database.write { try JobSchedule.turn(at: now, rules: rules, in: $0) }
  }

  private var isStopping: Bool { Task.isShuttingDownGracefully || Task.isCancelled }

  /// Jobs that ended so long ago are forgotten; what they did stands in the log.
  private static let memory: Duration = .seconds(30 * 86_400)

  private func turnSchedules() async {
    var pruned: ContinuousClock.Instant?
    while !isStopping {
      do {
        try await turn()
        if pruned.map({ ContinuousClock.now - $0 > .seconds(3600) }) ?? true {
          pruned = .now
          let end = clock.now() - Self.memory
          try await database.write { try JobQueue.prune(endedBefore: end, in: $0) }
        }
      } catch { logger.error("schedules: \(error)") }
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(1)) }
    }
  }

  /// One looks for all: however many may run at once, an idle runner asks the store once a poll.
  private func work() async {
    await withTaskGroup(of: Void.self) { group in
      var begun = 0
      while !isStopping {
        if begun == concurrency {
          await group.next()
          begun -= 1
          continue
        }
        do {
          if let job = try await claim() {
            begun += 1
            group.addTask { await perform(job) }
            continue
          }
        } catch {
          logger.error("claiming a job: \(error)")
        }
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: poll) }
      }
      await group.waitForAll()
    }
  }

  private func claim() async throws -> Job? {
    let (kinds, owner, lease, now) = (handlers.keys.sorted(), owner, lease, clock.now())
    // A cheap look first, so that an idle node does not write.
    guard try await database.read({ try JobQueue.isDue(kinds: kinds, at: now, in: $0) }) else { return nil }
    let abandoned = abandoned
    return try await database.write(.readCommitted) {
      try JobQueue.claim(kinds: kinds, owner: owner, lease: lease, at: now, in: $0) { job, tx in
        try abandoned[job.kind]?(job, now, tx)
      }
    }
  }

  /// All attempts of all jobs about one thing are one trace, by its id: a delivery's, say.
  private func perform(_ job: Job) async {
    let trace = Trace(work: job.payload) ?? Trace(work: job.id.text)
    await Trace.$current.withValue(trace) { await carryOut(job) }
  }

  private func carryOut(_ job: Job) async {
    guard let handler = handlers[job.kind] else { return }
    let begun = ContinuousClock.now
    let context = JobContext(job: job, database: database, clock: clock, lease: lease)
    do {
      let note = try await withLeaseKept(context) { try await handler(context) }
      await settle(job) { try JobQueue.complete(job, note: note, at: $1, in: $0) }
      let took = (ContinuousClock.now - begun).inMilliseconds
      logger.info("job \(job.id) (\(job.kind)), attempt \(job.attempts): \(note ?? "done") in \(took) ms")
    } catch {
      if isStopping, !(error is JobFailure), !(error is Refusal) {
        await settle(job) { try JobQueue.handBack(job, at: $1, in: $0) }
      } else {
        await end(job, error)
      }
    }
  }

  private struct Stopped: Error {}

  /// Renews the lease while the handler is busy, so that a handler need not think of it, and ends the handler when the
  /// lease is lost or the runner stops.
  private func withLeaseKept(
    _ context: JobContext, _ body: @escaping @Sendable () async throws -> String?
  ) async throws -> String? {
    try await withThrowingTaskGroup(of: String?.self) { group in
      group.addTask { try await body() }
      group.addTask { try await keepLease(context) }
      group.addTask {
        try await gracefulShutdown()
        try await Task.sleep(for: grace)
        throw Stopped()
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }

  /// Never returns. A store that does not answer for a moment is no reason to stop; one that does not until the lease
  /// has run out is.
  private func keepLease(_ context: JobContext) async throws -> String? {
    var renewed = ContinuousClock.now
    while true {
      try await Task.sleep(for: lease / 3)
      do {
        let asked = ContinuousClock.now
        try await context.report()
        renewed = asked
      } catch let failure as JobFailure {
        throw failure
      } catch {
        logger.warning("job \(context.job.id): its lease could not be renewed: \(error)")
        guard ContinuousClock.now - renewed < lease else {
          throw JobFailure.retryable("the lease could not be renewed")
        }
      }
    }
  }

  private func end(_ job: Job, _ error: any Error) async {
    let (failure, code): (JobFailure, String?) =
      switch error {
      case let failure as JobFailure: (failure, nil)
      case let refusal as Refusal:
        refusal.kind == .unavailable
          ? (.retryable(refusal.message.english), refusal.code) : (.permanent(refusal.message.english), refusal.code)
      case let error as StorageError: (.retryable("\(error)"), "storage.\(error.code.rawValue)")
      default: (.retryable("\(error)"), nil)
      }
    if case .postponed = failure {
      logger.debug("job \(job.id) (\(job.kind)): \(failure)")
    } else {
      logger.warning("job \(job.id) (\(job.kind)), attempt \(job.attempts): \(failure)")
    }
    let (jitter, mourner) = (Double.random(in: 0...1), abandoned[job.kind])
    await settle(job) { tx, now in
      guard try JobQueue.fail(job, failure, code: code, jitter: jitter, at: now, in: tx) else { return false }
      if let ended = try JobQueue.find(job.id, in: tx), ended.state != .queued { try mourner?(ended, now, tx) }
      return true
    }
  }

  /// Writes down how an attempt ended, in a task of its own: the runner's may be cancelled by now. When that fails the
  /// lease runs out and the job is done again.
  private func settle(
    _ job: Job, _ step: @escaping @Sendable (any Transaction, Instant) throws -> Bool
  ) async {
    let (database, now) = (database, clock.now())
    do {
      let isHeld = try await Task { try await database.write { try step($0, now) } }.value
      if !isHeld { logger.warning("job \(job.id): another worker has taken it over") }
    } catch {
      logger.error("job \(job.id): how it ended could not be kept: \(error)")
    }
  }
}
