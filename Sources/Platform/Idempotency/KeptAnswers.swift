package import Kernel
package import Storage

/// The answers of requests that carried a key (draft-ietf-httpapi-idempotency-key-header): who sends one again, because the
/// line broke before he heard, gets the answer of the first time and does nothing twice.
package struct KeptAnswers: Sendable {
  /// A key means its request for so long.
  package static let keptFor = Duration.seconds(24 * 3600)
  /// What is not answered after this has lost its process.
  package static let longestAnswer = Duration.seconds(600)
  /// Of one owner at a time.
  package static let most = (keys: 5000, bytes: 256 << 20)

  package struct Answer: Hashable, Sendable {
    package var status: Int
    package var type: String
    package var etag: String?
    package var body: [UInt8]

    package init(status: Int, type: String, etag: String?, body: [UInt8]) {
      self.status = status
      self.type = type
      self.etag = etag
      self.body = body
    }
  }

  package enum Claim: Hashable, Sendable {
    /// Nobody had the key: the request is to be carried out, and `keep` or `release` ends it.
    case mine
    case kept(Answer)
    /// The first one is being carried out now.
    case underWay
    /// The first one was cut off; whether it took effect, only a look can tell.
    case unknown
    /// The key belongs to a request of other content.
    case otherRequest
  }

  private let database: any Database
  private let clock: Clock

  package init(database: any Database, clock: Clock) {
    self.database = database
    self.clock = clock
  }

  /// Takes a key for a request, or says what became of the one that has it. Throws `.tooMany` beyond `most`.
  package func claim(_ owner: String, _ key: String, _ digest: String) async throws -> Claim {
    let now = clock.now()
    return try await database.write { tx in
      try tx.run("DELETE FROM idempotency_answer WHERE at < \(now + .seconds(-Self.keptFor.components.seconds))")
      let known = try tx.row(
        """
        SELECT digest, at, status, type, etag, body FROM idempotency_answer
        WHERE owner = \(owner) AND request_key = \(key)
        """)
      if let known {
        guard try known.text("digest") == digest else { return .otherRequest }
        guard let status = try known.intOrNil("status") else {
          return try known.instant("at") < now + .seconds(-Self.longestAnswer.components.seconds) ? .unknown : .underWay
        }
        return .kept(
          Answer(
            status: status, type: try known.text("type"), etag: try known.textOrNil("etag"),
            body: try known.blob("body")))
      }
      let held = try tx.row(
        """
        SELECT COUNT(*) AS keys, CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM idempotency_answer
        WHERE owner = \(owner)
        """)
      let (keys, bytes) = (try held?.int("keys") ?? 0, try held?.int("bytes") ?? 0)
      if keys >= Self.most.keys || bytes >= Self.most.bytes {
        throw Refusal(
          .tooMany, "idempotency.many",
          Text(
            "24 小时内使用的 Idempotency-Key 过多。", "Too many Idempotency-Keys were used within 24 hours."))
      }
      try tx.run(
        """
        INSERT INTO idempotency_answer (owner, request_key, digest, at, bytes)
        VALUES (\(owner), \(key), \(digest), \(now), 0)
        """)
      return .mine
    }
  }

  /// Keeps what was answered.
  package func keep(_ answer: Answer, _ owner: String, _ key: String) async throws {
    try await database.write { tx in
      try tx.run(
        """
        UPDATE idempotency_answer SET status = \(answer.status), type = \(answer.type), etag = \(answer.etag),
          body = \(answer.body), bytes = \(answer.body.count)
        WHERE owner = \(owner) AND request_key = \(key)
        """)
    }
  }

  /// Gives a key up whose request failed after something of it was written, or may have been: only a look can tell.
  package func abandon(_ owner: String, _ key: String) async throws {
    let lost = clock.now() - Self.longestAnswer - .seconds(1)
    try await database.write { tx in
      try tx.run(
        """
        UPDATE idempotency_answer SET at = \(lost)
        WHERE owner = \(owner) AND request_key = \(key) AND status IS NULL
        """)
    }
  }

  /// Gives a key back: the request failed and changed nothing.
  package func release(_ owner: String, _ key: String) async throws {
    try await database.write { tx in
      try tx.run(
        "DELETE FROM idempotency_answer WHERE owner = \(owner) AND request_key = \(key) AND status IS NULL")
    }
  }
}
