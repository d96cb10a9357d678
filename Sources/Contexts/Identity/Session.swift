package import Kernel
import NationalCrypto
import Storage

/// A signed-in browser. Only the token's hash is kept; what the cookie holds opens it.
package struct Session: Sendable, Hashable {
  package enum Stage: String, Sendable {
    /// The password was right; the second factor is still asked for.
    case secondFactor = "second-factor"
    /// A one-time password must be replaced first.
    case changePassword = "change-password"
    /// The roles ask for a second factor, which this person has not set up yet.
    case enrol
    case full

    /// Where this step of coming in is taken; nil when nothing is lacking.
    package var address: String? {
      switch self {
      case .secondFactor: "/sign-in/second-factor"
      case .changePassword: "/sign-in/password"
      case .enrol: "/sign-in/enrol"
      case .full: nil
      }
    }
  }

  package var id: String
  package var person: PersonID
  package var actingFor: PersonID?
  package var csrf: String
  package var stage: Stage
  package var source: String
  package var createdAt: Instant
  package var seenAt: Instant
  /// When it ends however busy it is.
  package var endsAt: Instant
}

enum SessionStore {
  /// Nobody works a whole day without signing in again.
  static let longest: Duration = .seconds(10 * 3600)
  /// Half a sign-in is finished soon or begun again.
  static let longestUnfinished: Duration = .seconds(15 * 60)
  static let idle: Duration = .seconds(15 * 60)
  /// How long a session that is over can still be told by the token of its forms: longer than the longest holiday.
  static let remembered: Duration = .seconds(10 * 86_400)

  /// Answers the new token. `endsAt` is given where the session goes on under another name: switching makes no day longer.
  static func start(
    for person: PersonID, actingFor: PersonID? = nil, stage: Session.Stage, source: String, endsAt: Instant? = nil,
    at now: Instant, in tx: any Transaction
  ) throws -> String {
    let token = SecureRandom.bytes(24).hex
    let end = endsAt ?? now + (stage == .full ? longest : longestUnfinished)
    try tx.run(
      """
      INSERT INTO identity_session (token_hash, id, person, acting_for, csrf, stage, source, created_at, seen_at, ends_at)
      VALUES (\(SM3.hash(token).hex), \(uuidVersion7(at: now)), \(person), \(actingFor), \(SecureRandom.bytes(16).hex), \(stage),
        \(source), \(now), \(now), \(end))
      """)
    return token
  }

  static func find(token: String, at now: Instant, in tx: any Transaction) throws -> Session? {
    guard token.utf8.count == 48 else { return nil }
    return try tx.row(
      """
      SELECT \(columns) FROM identity_session
      WHERE token_hash = \(SM3.hash(token).hex) AND ends_at > \(now) AND seen_at > \(now - idle)
      """
    ).map(session)
  }

  static func seen(_ session: Session, at now: Instant, in tx: any Transaction) throws {
    try tx.run("UPDATE identity_session SET seen_at = \(now) WHERE id = \(session.id)")
  }

  static func end(token: String, in tx: any Transaction) throws {
    try tx.run("DELETE FROM identity_session WHERE token_hash = \(SM3.hash(token).hex)")
  }

  static func end(id: String, of person: PersonID, in tx: any Transaction) throws {
    try tx.run("DELETE FROM identity_session WHERE id = \(id) AND person = \(person)")
  }

  static func endAll(of person: PersonID, in tx: any Transaction) throws {
    try tx.run("DELETE FROM identity_session WHERE person = \(person) OR acting_for = \(person)")
  }

  static func list(of person: PersonID, at now: Instant, in tx: any Transaction) throws -> [Session] {
    try tx.rows(
      """
      SELECT \(columns) FROM identity_session
      WHERE person = \(person) AND ends_at > \(now) AND seen_at > \(now - idle) ORDER BY created_at DESC LIMIT 50
      """
    ).map(session)
  }

  /// The complete session that forms with this token were written in, also when it is over by now.
  static func find(csrf: String, at now: Instant, in tx: any Transaction) throws -> Session? {
    guard csrf.utf8.count == 32 else { return nil }
    return try tx.row(
      """
      SELECT \(columns) FROM identity_session
      WHERE csrf = \(csrf) AND stage = \(Session.Stage.full) AND ends_at > \(now - remembered)
      """
    ).map(session)
  }

  static func sweep(at now: Instant, in tx: any Transaction) throws {
    try tx.run("DELETE FROM identity_session WHERE ends_at <= \(now - remembered)")
  }

  private static let columns: SQL = "id, person, acting_for, csrf, stage, source, created_at, seen_at, ends_at"

  private static func session(_ row: Row) throws -> Session {
    Session(
      id: try row.text("id"), person: try row.id("person"), actingFor: try row.idOrNil("acting_for"),
      csrf: try row.text("csrf"), stage: try row.choice("stage"), source: try row.text("source"),
      createdAt: try row.instant("created_at"), seenAt: try row.instant("seen_at"),
      endsAt: try row.instant("ends_at"))
  }
}
