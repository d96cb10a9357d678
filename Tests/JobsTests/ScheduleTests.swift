import Jobs
import Kernel
import Storage
import TestKit
import Testing

@Suite struct ScheduleTests {
  private func turn(_ db: any Database, _ clock: ManualClock, rules: [String: Rhythm.Rule] = [:]) async throws -> Int {
    let now = clock.now
    return try await db.write { try JobSchedule.turn(at: now, rules: rules, in: $0) }
  }

  private func next(_ db: any Database, _ name: String = "s") async throws -> String? {
    try await db.read { try JobSchedule.next(name, in: $0) }?.description
  }

  /// Ends what is queued, so that the next turn is not absorbed by an open job.
  private func work(_ db: any Database, _ clock: ManualClock) async throws -> Int {
    let now = clock.now
    return try await db.write(.readCommitted) { tx in
      var count = 0
      while let job = try JobQueue.claim(kinds: ["k"], owner: "w", at: now, in: tx) {
        try JobQueue.complete(job, at: now, in: tx)
        count += 1
      }
      return count
    }
  }

  @Test(arguments: Engine.allCases)
  func `an interval comes round, and turns that were missed are one`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock("2026-03-02T01:00:00.000Z")
      let first = clock.now + .seconds(60)
      try await db.write {
        try JobSchedule.set("s", kind: "k", payload: "p", every: .seconds(60), first: first, in: $0)
      }
      #expect(try await turn(db, clock) == 0)
      clock.advance(by: .seconds(60))
      #expect(try await turn(db, clock) == 1)
      #expect(try await turn(db, clock) == 0)
      #expect(try await work(db, clock) == 1)
      clock.advance(by: .seconds(60 * 5 + 30))
      #expect(try await turn(db, clock) == 1)
      #expect(try await next(db) == "2026-03-02T01:07:00.000Z")
      #expect(try await work(db, clock) == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a turn is absorbed while the job of the last one is still open`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let now = clock.now
      try await db.write { try JobSchedule.set("s", kind: "k", .every(.seconds(60)), at: now, in: $0) }
      for _ in 0..<3 {
        clock.advance(by: .seconds(60))
        #expect(try await turn(db, clock) == 1)
      }
      #expect(try await work(db, clock) == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a time of day is China's`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      // 09:00 in Xining.
      let clock = ManualClock("2026-03-02T01:00:00.000Z")
      let now = clock.now
      try await db.write { tx in
        try JobSchedule.set("later", kind: "k", .daily(hour: 17, minute: 30), at: now, in: tx)
        try JobSchedule.set("s", kind: "k", .daily(hour: 2, minute: 5), at: now, in: tx)
      }
      #expect(try await next(db, "later") == "2026-03-02T09:30:00.000Z")
      #expect(try await next(db) == "2026-03-02T18:05:00.000Z")
      clock.set("2026-03-02T18:05:00.000Z")
      #expect(try await turn(db, clock) == 2)
      #expect(try await next(db) == "2026-03-03T18:05:00.000Z")
    }
  }

  @Test(arguments: Engine.allCases)
  func `a calendar's rule is asked, and a worker without it leaves the turn`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock("2026-03-06T01:00:00.000Z")
      // Eight in the morning of the next weekday.
      let rules: [String: Rhythm.Rule] = [
        "weekday": { now in
          var day = now.dateInChina + 1
          while day.weekday > 5 { day = day + 1 }
          return day.startInChina + .seconds(8 * 3600)
        }
      ]
      let now = clock.now
      try await db.write { try JobSchedule.set("s", kind: "k", .calendar("weekday"), rules: rules, at: now, in: $0) }
      #expect(try await next(db) == "2026-03-09T00:00:00.000Z")
      clock.set("2026-03-09T00:00:00.000Z")
      #expect(try await turn(db, clock) == 0)
      #expect(try await turn(db, clock, rules: rules) == 1)
      #expect(try await next(db) == "2026-03-10T00:00:00.000Z")
      await #expect(throws: StorageError.self) {
        try await db.write { try JobSchedule.set("x", kind: "k", .calendar("unknown"), at: now, in: $0) }
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `setting a schedule at every start does not put it off, and changing it does`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock("2026-03-02T01:00:00.000Z")
      for _ in 0..<3 {
        let now = clock.now
        try await db.write { try JobSchedule.set("s", kind: "k", .every(.seconds(3600)), at: now, in: $0) }
        clock.advance(by: .seconds(600))
      }
      #expect(try await next(db) == "2026-03-02T02:00:00.000Z")
      let now = clock.now
      try await db.write { try JobSchedule.set("s", kind: "k", .every(.seconds(60)), at: now, in: $0) }
      #expect(try await next(db) == "2026-03-02T01:31:00.000Z")
      try await db.write { try JobSchedule.remove("s", in: $0) }
      #expect(try await next(db) == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `several workers that look at once make a turn due once`(engine: Engine) async throws {
    try await withDatabase(engine, [JobsSchema.migrations]) { db in
      let clock = ManualClock()
      let now = clock.now
      try await db.write { tx in
        for index in 0..<5 { try JobSchedule.set("s\(index)", kind: "k", .every(.seconds(60)), at: now, in: tx) }
      }
      clock.advance(by: .seconds(61))
      let turned = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<8 { group.addTask { try await turn(db, clock) } }
        return try await group.reduce(0, +)
      }
      #expect(turned == 5)
      #expect(try await work(db, clock) == 5)
    }
  }
}
