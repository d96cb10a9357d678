import Jobs
import Kernel
import Storage
import TestKit
import Testing

/// The steps of the queue, one by one, on a clock moved by hand.
@Suite struct QueueTests {
  private func claim(_ db: any Database, _ clock: ManualClock, owner: String = "w1") async throws -> Job? {
    let now = clock.now
    return try await db.write(.readCommitted) { try JobQueue.claim(kinds: ["k"], owner: owner, at: now, in: $0) }
  }

  private func enqueue(_ db: any Database, _ clock: ManualClock, dedupe: String? = nil, most: Int = 8) async throws
    -> JobID
  {
    let now = clock.now
    return try await db.write {
      try JobQueue.enqueue("k", payload: "p", maxAttempts: most, dedupe: dedupe, at: now, in: $0)
    }
  }

  private func find(_ db: any Database, _ id: JobID) async throws -> Job {
    try #require(try await db.read { try JobQueue.find(id, in: $0) })
  }

  private func fail(_ db: any Database, _ clock: ManualClock, _ job: Job, _ failure: JobFailure) async throws -> Bool {
    let now = clock.now
    return try await db.write { try JobQueue.fail(job, failure, jitter: 0.5, at: now, in: $0) }
  }

  @Test(arguments: Engine.allCases)
  func `a job asked for in a transaction that fails was never asked for`(engine: Engine) async throws {
    struct Stop: Error {}
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let now = ManualClock().now
      await #expect(throws: Stop.self) {
        try await db.write { tx in
          try JobQueue.enqueue("k", at: now, in: tx)
          throw Stop()
        }
      }
      let jobs = try await db.read { try JobQueue.list(in: $0) }
      #expect(jobs.isEmpty)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what is due first is given first, and nothing before its time or of another kind`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let start = clock.now
      let ids = try await db.write { tx in
        try JobQueue.enqueue("other", at: start, in: tx)
        return [
          try JobQueue.enqueue("k", runAt: start + .seconds(20), at: start, in: tx),
          try JobQueue.enqueue("k", runAt: start + .seconds(10), at: start, in: tx),
        ]
      }
      #expect(try await claim(db, clock) == nil)
      clock.advance(by: .seconds(30))
      let (first, second) = (try await claim(db, clock), try await claim(db, clock))
      #expect([first?.id, second?.id] == [ids[1], ids[0]])
      #expect(try await claim(db, clock) == nil)
      #expect(first?.state == .running && first?.attempts == 1 && first?.leaseOwner == "w1")
      #expect(try #require(second).fence > (try #require(first)).fence)
    }
  }

  @Test(arguments: Engine.allCases)
  func `an open job of the same key is answered, and a new one once that has ended`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let ids = try await withThrowingTaskGroup(of: JobID.self) { group in
        for _ in 0..<10 { group.addTask { try await enqueue(db, clock, dedupe: "one") } }
        return try await group.reduce(into: Set()) { $0.insert($1) }
      }
      #expect(ids.count == 1)
      let job = try #require(try await claim(db, clock))
      #expect(try await enqueue(db, clock, dedupe: "one") == job.id)
      let now = clock.now
      try await db.write { try JobQueue.complete(job, note: "fine", at: now, in: $0) }
      #expect(try await enqueue(db, clock, dedupe: "one") != job.id)
      let done = try await find(db, job.id)
      #expect(done.state == .done && done.note == "fine" && done.finishedAt == now && done.leaseUntil == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a failure worth another try waits twice as long each time, and the last one is final`(engine: Engine)
    async throws
  {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let id = try await enqueue(db, clock, most: 3)
      for (attempt, pause) in [2, 4].enumerated() {
        let job = try #require(try await claim(db, clock))
        #expect(job.attempts == attempt + 1)
        #expect(try await fail(db, clock, job, .retryable("no answer")))
        let waiting = try await find(db, id)
        #expect(waiting.state == .queued && waiting.error == "no answer")
        #expect(waiting.runAt == clock.now + .seconds(pause))
        clock.advance(by: .seconds(pause) - .milliseconds(1))
        #expect(try await claim(db, clock) == nil)
        clock.advance(by: .milliseconds(1))
      }
      let last = try #require(try await claim(db, clock))
      #expect(try await fail(db, clock, last, .retryable("no answer")))
      #expect(try await find(db, id).state == .failed)
    }
  }

  @Test func `the pause grows to an hour and varies by chance around it`() {
    #expect((1...5).map { JobQueue.pause(after: $0, jitter: 0.5) } == [2, 4, 8, 16, 32].map { .seconds($0) })
    #expect(JobQueue.pause(after: 50, jitter: 0.5) == .seconds(3600))
    #expect(JobQueue.pause(after: 1, jitter: 0) == .seconds(1))
    #expect(JobQueue.pause(after: 1, jitter: 1) == .seconds(3))
  }

  @Test(arguments: Engine.allCases)
  func `a job that comes on between its lost workers is not given up for their number; one that does not is`(
    engine: Engine
  ) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let id = try await enqueue(db, clock, most: 3)
      for attempt in 0..<12 {
        let job = try #require(try await claim(db, clock), "lost worker \(attempt)")
        let now = clock.now
        _ = try await db.write { try JobQueue.report(job, done: 10 * attempt + 10, at: now, in: $0) }
        clock.advance(by: JobQueue.lease + .seconds(1))
      }
      // The same place again and again.
      for _ in 0..<2 {
        let job = try #require(try await claim(db, clock))
        let now = clock.now
        _ = try await db.write { try JobQueue.report(job, done: 120, at: now, in: $0) }
        clock.advance(by: JobQueue.lease + .seconds(1))
      }
      #expect(try await claim(db, clock) == nil)
      #expect(try await find(db, id).state == .failed)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a failure that would come again is final at once`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let id = try await enqueue(db, clock)
      let job = try #require(try await claim(db, clock))
      #expect(try await fail(db, clock, job, .permanent("cannot be")))
      let failed = try await find(db, id)
      #expect(failed.state == .failed && failed.error == "cannot be" && failed.finishedAt == clock.now)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a silent worker's job goes to another, and what the first says then does not count`(engine: Engine) async throws
  {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let id = try await enqueue(db, clock)
      let first = try #require(try await claim(db, clock, owner: "w1"))
      clock.advance(by: JobQueue.lease)
      #expect(try await claim(db, clock, owner: "w2") == nil)
      clock.advance(by: .milliseconds(1))
      let second = try #require(try await claim(db, clock, owner: "w2"))
      #expect(second.id == id && second.fence > first.fence && second.leaseOwner == "w2" && second.attempts == 2)
      let now = clock.now
      let late = try await db.write { tx in
        [
          try JobQueue.report(first, done: 99, at: now, in: tx), try JobQueue.complete(first, at: now, in: tx),
          try JobQueue.fail(first, .permanent("late"), jitter: 0, at: now, in: tx),
          try JobQueue.handBack(first, at: now, in: tx),
        ]
      }
      #expect(late == [false, false, false, false])
      await #expect(throws: JobFailure.self) { try await db.write { try JobQueue.requireHeld(first, in: $0) } }
      try await db.write { try JobQueue.requireHeld(second, in: $0) }
      #expect(try await find(db, id) == second)
      #expect(try await db.write { try JobQueue.complete(second, at: now, in: $0) })
    }
  }

  @Test(arguments: Engine.allCases)
  func `a report keeps the lease and shows how far the work has come`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let id = try await enqueue(db, clock)
      let job = try #require(try await claim(db, clock))
      clock.advance(by: JobQueue.lease - .seconds(1))
      let now = clock.now
      #expect(try await db.write { try JobQueue.report(job, done: 3, total: 9, note: "third", at: now, in: $0) })
      clock.advance(by: .seconds(5))
      #expect(try await claim(db, clock, owner: "w2") == nil)
      let later = clock.now
      #expect(try await db.write { try JobQueue.report(job, done: 4, at: later, in: $0) })
      let shown = try await find(db, id)
      #expect(shown.done == 4 && shown.total == 9 && shown.note == "third")
      #expect(shown.leaseUntil == later + JobQueue.lease)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a job that kills its workers fails instead of going round for ever`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let id = try await enqueue(db, clock, most: 2)
      for _ in 0..<2 {
        #expect(try await claim(db, clock)?.id == id)
        clock.advance(by: JobQueue.lease + .seconds(1))
      }
      #expect(try await claim(db, clock) == nil)
      let failed = try await find(db, id)
      #expect(failed.state == .failed && failed.errorCode == "lease.lost")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a queued job is cancelled at once and a running one when it next speaks`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let running = try await enqueue(db, clock)
      clock.advance(by: .milliseconds(1))
      let queued = try await enqueue(db, clock)
      let now = clock.now
      let job = try #require(try await claim(db, clock))
      try await db.write { tx in for id in [running, queued] { try JobQueue.cancel(id, at: now, in: tx) } }
      #expect(try await find(db, queued).state == .cancelled)
      #expect(try await find(db, running).state == .running)
      await #expect(throws: JobFailure.self) { try await db.write { try JobQueue.report(job, at: now, in: $0) } }
      #expect(try await fail(db, clock, job, .retryable("broken off")))
      #expect(try await find(db, running).state == .cancelled)
      #expect(try await claim(db, clock) == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a job handed back is due at once and its attempt does not count`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      _ = try await enqueue(db, clock, most: 1)
      let job = try #require(try await claim(db, clock))
      let now = clock.now
      #expect(try await db.write { try JobQueue.handBack(job, at: now, in: $0) })
      let again = try #require(try await claim(db, clock, owner: "w2"))
      #expect(again.id == job.id && again.attempts == 1 && again.fence > job.fence)
    }
  }

  @Test(arguments: Engine.allCases)
  func `the list pages by key and narrows, and what ended long ago is forgotten`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      var ids: [JobID] = []
      for _ in 0..<7 {
        clock.advance(by: .seconds(1))
        ids.append(try await enqueue(db, clock))
      }
      let first = try await db.read { try JobQueue.list(limit: 3, in: $0) }
      let second = try await db.read { try JobQueue.list(before: first.last?.id, limit: 10, in: $0) }
      #expect(first.map(\.id) + second.map(\.id) == ids.reversed())
      let job = try #require(try await claim(db, clock))
      let now = clock.now
      try await db.write { try JobQueue.complete(job, at: now, in: $0) }
      let done = try await db.read { try JobQueue.list(state: .done, kind: "k", in: $0) }
      #expect(done.map(\.id) == [ids[0]])
      #expect(try await db.write { try JobQueue.prune(endedBefore: now, in: $0) } == 0)
      #expect(try await db.write { try JobQueue.prune(endedBefore: now + .seconds(1), in: $0) } == 1)
      #expect(try await db.read { try JobQueue.list(in: $0) }.count == 6)
    }
  }
}
