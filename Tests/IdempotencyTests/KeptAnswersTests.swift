import Idempotency
import Kernel
import Storage
import Synchronization
import TestKit
import Testing

@Suite struct `The answer of a request with a key` {
  private static let start = Instant("2026-08-20T01:00:00Z")!
  private static let answer = KeptAnswers.Answer(
    status: 201, type: "application/json", etag: "\"a\"", body: Array("{}".utf8))

  private final class Hand: Sendable {
    private let now = Mutex(start)
    var clock: Clock { Clock { self.now.withLock { $0 } } }
    func move(_ duration: Duration) { now.withLock { $0 = $0 + duration } }
  }

  private static func with(_ engine: Engine, _ body: (KeptAnswers, Hand) async throws -> Void) async throws {
    let hand = Hand()
    try await withDatabase(engine, [IdempotencySchema.migrations]) { db in
      try await body(KeptAnswers(database: db, clock: hand.clock), hand)
    }
  }

  @Test(arguments: Engine.allCases)
  func `is the same the second time, for its owner and its content only, and for a day`(engine: Engine) async throws {
    try await Self.with(engine) { kept, hand in
      #expect(try await kept.claim("li", "k", "d") == .mine)
      #expect(try await kept.claim("li", "k", "d") == .underWay)
      try await kept.keep(Self.answer, "li", "k")
      #expect(try await kept.claim("li", "k", "d") == .kept(Self.answer))
      #expect(try await kept.claim("li", "k", "other") == .otherRequest)
      #expect(try await kept.claim("ma", "k", "other") == .mine)
      hand.move(.seconds(24 * 3600 + 1))
      #expect(try await kept.claim("li", "k", "other") == .mine)
    }
  }

  @Test(arguments: Engine.allCases)
  func `is unknown when its process was lost, and nothing when it was refused`(engine: Engine) async throws {
    try await Self.with(engine) { kept, hand in
      #expect(try await kept.claim("li", "lost", "d") == .mine)
      hand.move(.seconds(601))
      #expect(try await kept.claim("li", "lost", "d") == .unknown)
      #expect(try await kept.claim("li", "broken", "d") == .mine)
      try await kept.abandon("li", "broken")
      #expect(try await kept.claim("li", "broken", "d") == .unknown)
      #expect(try await kept.claim("li", "refused", "d") == .mine)
      try await kept.release("li", "refused")
      #expect(try await kept.claim("li", "refused", "other") == .mine)
      try await kept.keep(Self.answer, "li", "refused")
      try await kept.release("li", "refused")
      try await kept.abandon("li", "refused")
      #expect(try await kept.claim("li", "refused", "other") == .kept(Self.answer), "an answer is not given back")
    }
  }

  @Test(arguments: Engine.allCases)
  func `belongs to one of many who ask at once`(engine: Engine) async throws {
    try await Self.with(engine) { kept, _ in
      let claims = try await withThrowingTaskGroup(of: KeptAnswers.Claim.self) { group in
        for _ in 0..<8 { group.addTask { try await kept.claim("li", "k", "d") } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(claims.count { $0 == .mine } == 1 && claims.count { $0 == .underWay } == 7)
    }
  }
}
