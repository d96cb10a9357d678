import Jobs
import Kernel
import Logging
import ServiceLifecycle
import Storage
import Synchronization
import TestKit
import Testing

@Suite struct RunnerTests {
  private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func runner(
    _ db: any Database, _ clock: ManualClock, _ handlers: [String: JobRunner.Handler], concurrency: Int = 2,
    lease: Duration = JobQueue.lease, grace: Duration = .milliseconds(50), owner: String = "w"
  ) -> JobRunner {
    JobRunner(
      database: db, clock: clock.clock, handlers: handlers, concurrency: concurrency, poll: .milliseconds(10),
      lease: lease, grace: grace, owner: owner, logger: Self.quiet)
  }

  private func enqueue(_ db: any Database, _ clock: ManualClock, _ payload: String = "", most: Int = 8) async throws
    -> JobID
  {
    let now = clock.now
    return try await db.write { try JobQueue.enqueue("k", payload: payload, maxAttempts: most, at: now, in: $0) }
  }

  private func find(_ db: any Database, _ id: JobID) async throws -> Job {
    try #require(try await db.read { try JobQueue.find(id, in: $0) })
  }

  private func wait(_ what: () async throws -> Bool) async throws {
    for _ in 0..<2000 {
      if try await what() { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("waited for nothing")
  }

  @Test(arguments: Engine.allCases)
  func `what a handler answers and throws decides how its job ends`(engine: Engine) async throws {
    struct Odd: Error {}
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let runner = runner(
        db, clock,
        [
          "k": { context in
            switch context.job.payload {
            case "good":
              try await context.report(done: 1, total: 2, note: "half")
              return "well"
            case "refused": throw Refusal(.forbidden, "sharing.grant.revoked", Text("已撤销", "Revoked"))
            case "away": throw Refusal(.unavailable, "source.away", Text("不应答", "No answer"))
            case "wrong": throw JobFailure.permanent("wrong")
            default: throw Odd()
            }
          }
        ])
      let expected: [(String, Job.State, String?)] = [
        ("good", .done, nil), ("refused", .failed, "sharing.grant.revoked"), ("away", .queued, "source.away"),
        ("wrong", .failed, nil), ("odd", .queued, nil),
      ]
      var ids: [JobID] = []
      for (payload, _, _) in expected { ids.append(try await enqueue(db, clock, payload)) }
      #expect(try await runner.drain() == 5)
      for (id, (payload, state, code)) in zip(ids, expected) {
        let job = try await find(db, id)
        #expect(job.state == state && job.errorCode == code, "\(payload)")
      }
      let good = try await find(db, ids[0])
      #expect(good.note == "well" && good.done == 1 && good.total == 2)
    }
  }

  @Test(arguments: Engine.allCases)
  func `two runners racing for 300 jobs do each of them once`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let now = clock.now
      try await db.write { tx in
        for index in 0..<300 { try JobQueue.enqueue("k", payload: "\(index)", at: now, in: tx) }
      }
      let seen = Seen()
      let handler: JobRunner.Handler = { context in
        seen.add(context.job.payload)
        return nil
      }
      await withTaskGroup(of: Void.self) { group in
        for index in 0..<2 {
          let runner = runner(db, clock, ["k": handler], concurrency: 3, owner: "w\(index)")
          group.addTask { try? await runner.run() }
        }
        try? await wait {
          try await db.read { try JobQueue.list(state: .done, limit: 500, in: $0) }.count == 300
        }
        group.cancelAll()
      }
      #expect(seen.all.count == 300)
      #expect(Set(seen.all).count == 300)
      let fences = try await db.read { try JobQueue.list(limit: 500, in: $0).map(\.fence) }
      #expect(Set(fences).count == 300)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a busy handler keeps its lease without doing anything for it`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let id = try await enqueue(db, clock)
      let runner = runner(
        db, clock,
        [
          "k": { context in
            let taken = context.job.leaseUntil
            clock.advance(by: .milliseconds(100))
            while try await find(db, context.job.id).leaseUntil == taken {
              try await Task.sleep(for: .milliseconds(10))
            }
            return nil
          }
        ], lease: .milliseconds(150))
      #expect(try await runner.drain() == 1)
      #expect(try await find(db, id).state == .done)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a running handler is ended when somebody cancels its job`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let id = try await enqueue(db, clock)
      let runner = runner(
        db, clock,
        [
          "k": { context in
            let now = clock.now
            try await db.write { try JobQueue.cancel(context.job.id, at: now, in: $0) }
            try await Task.sleep(for: .seconds(60))
            return "not cancelled"
          }
        ], lease: .milliseconds(150))
      #expect(try await runner.drain() == 1)
      #expect(try await find(db, id).state == .cancelled)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a worker that lost its lease cannot end the job that another has taken`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let id = try await enqueue(db, clock)
      let taken = Mutex<Job?>(nil)
      let runner = runner(
        db, clock,
        [
          "k": { _ in
            clock.advance(by: JobQueue.lease + .seconds(1))
            let now = clock.now
            let other = try await db.write(.readCommitted) {
              try JobQueue.claim(kinds: ["k"], owner: "other", at: now, in: $0)
            }
            taken.withLock { $0 = other }
            return "too late"
          }
        ])
      #expect(try await runner.drain() == 1)
      let job = try await find(db, id)
      #expect(job.leaseOwner == "other" && job.state == .running && job.note == nil)
      #expect(job == taken.withLock { $0 })
    }
  }

  @Test(arguments: Engine.allCases)
  func `told to stop, a runner hands back what it was doing`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let id = try await enqueue(db, clock, most: 1)
      let runner = runner(
        db, clock,
        [
          "k": { _ in
            try await Task.sleep(for: .seconds(600))
            return nil
          }
        ])
      let group = ServiceGroup(services: [runner], logger: Self.quiet)
      async let running: Void = group.run()
      try await wait { try await find(db, id).state == .running }
      await group.triggerGracefulShutdown()
      try await running
      let job = try await find(db, id)
      #expect(job.state == .queued && job.attempts == 0 && job.leaseOwner == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a schedule's turn is run by the runner`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let now = clock.now
      try await db.write { try JobSchedule.set("s", kind: "k", payload: "x", .every(.seconds(60)), at: now, in: $0) }
      let seen = Seen()
      let runner = runner(
        db, clock,
        [
          "k": { context in
            seen.add(context.job.payload)
            return nil
          }
        ])
      #expect(try await runner.turn() == 0)
      clock.advance(by: .seconds(60))
      #expect(try await runner.turn() == 1)
      #expect(try await runner.drain() == 1)
      #expect(seen.all == ["x"])
    }
  }
}

private final class Seen: Sendable {
  private let payloads = Mutex<[String]>([])
  func add(_ payload: String) { payloads.withLock { $0.append(payload) } }
  var all: [String] { payloads.withLock { $0 } }
}
