import Connecting
package import Kernel
import Sharing
import Storage

/// Why a delivery ended without delivering: by a code that stays the same, and in words.
struct Cause: Hashable, Sendable {
  var code: String
  var words: Text

  init(_ code: String, _ words: Text) {
    self.code = code
    self.words = words
  }

  init(_ error: ConnectorError) { self.init(error.code, error.message) }
  init(_ refusal: Refusal) { self.init(refusal.code, refusal.message) }

  static let lost = Cause(
    "exchange.worker-lost",
    Text(
      "工作进程多次中断，已停止自动重试；已提交的部分保留，可再次发起交换。",
      "Worker after worker was lost, so it is no longer tried by itself; what was committed stays, and it can be asked for again."
    ))
  static let cancelled = Cause(
    "exchange.cancelled",
    Text("已被取消；已提交的部分保留，可再次发起交换。", "It was cancelled; what was committed stays, and it can be asked for again."))
  static let ownTrouble = Cause(
    "exchange.own-trouble",
    Text(
      "平台自己的数据库暂时不可用（如磁盘已满），稍后自动重试。",
      "The platform's own database is in trouble (a full disk, say); it is tried again by itself."))
}

/// The attempts that ended for one cause within a time.
package struct FailureCause: Hashable, Sendable {
  package var code: String
  /// The words of the last one.
  package var words: Text
  package var attempts: Int
  package var deliveries: Int
  package var grants: Int
  package var last: DeliveryID
  package var lastAt: Instant
}

extension Exchange {
  static let failureDays = 30

  /// Why attempts ended without delivering, of the grants that one sees, the most frequent first.
  package func failures(for principal: Principal) async throws -> [FailureCause] {
    try principal.require(.exchangeRead)
    let now = clock.now()
    return try await database.read { tx in
      let seesAll = principal.may(.sharingReview)
      let seen = seesAll ? nil : try lines(for: principal, on: now.dateInChina, in: tx).map(\.id)
      return try FailureStore.causes(among: seen, since: now - .seconds(Self.failureDays * 86_400), in: tx)
    }
  }
}

enum FailureStore {
  static func insert(_ cause: Cause, of id: DeliveryID, grant: GrantID, at now: Instant, in tx: any Transaction) throws
  {
    try tx.run(
      """
      INSERT INTO exchange_failure (id, delivery, grant_id, at, cause, words_zh, words_en)
      VALUES (\(DeliveryID.make(at: now)), \(id), \(grant), \(now), \(cause.code), \(cause.words.chinese),
        \(cause.words.english))
      """)
    // Of what ended so long ago the deliveries and the log still tell.
    try tx.run("DELETE FROM exchange_failure WHERE at < \(now - kept)")
  }

  private static let kept: Duration = .seconds(90 * 86_400)

  static func causes(among grants: [GrantID]?, since moment: Instant, in tx: any Transaction) throws -> [FailureCause] {
    if let grants, grants.isEmpty { return [] }
    let whose: SQL = grants.map { "AND grant_id IN (\(each: $0))" } ?? ""
    return try tx.rows(
      """
      SELECT c.cause, c.attempts, c.deliveries, c.grants, f.delivery, f.at, f.words_zh, f.words_en
      FROM (
        SELECT cause, COUNT(*) AS attempts, COUNT(DISTINCT delivery) AS deliveries, COUNT(DISTINCT grant_id) AS grants,
          MAX(id) AS last
        FROM exchange_failure WHERE at >= \(moment) \(whose) GROUP BY cause
      ) c JOIN exchange_failure f ON f.id = c.last
      ORDER BY c.attempts DESC, c.cause LIMIT 200
      """
    ).map { row in
      FailureCause(
        code: try row.text("cause"), words: Text(try row.text("words_zh"), try row.text("words_en")),
        attempts: try row.int("attempts"), deliveries: try row.int("deliveries"), grants: try row.int("grants"),
        last: try row.id("delivery"), lastAt: try row.instant("at"))
    }
  }
}
