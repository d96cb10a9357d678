package import Kernel
import NationalCrypto
import Storage

/// What a program of somebody's signs in with at `/api/v1`. Of the secret only a digest is kept, so that nobody who reads
/// the database can use it.
package struct ApplicationToken: Sendable, Hashable {
  package enum State: String, Sendable, CaseIterable {
    case active, expired
    /// Ended before its day, by its issuer or by a security administrator.
    case revoked
  }

  package var id: TokenID
  /// The secret's first characters, by which people tell tokens apart.
  package var hint: String
  package var person: PersonID
  package var name: String
  /// What it was issued for; what it may do is never more than its issuer may at that moment.
  package var scopes: Set<Permission>
  package var createdAt: Instant
  package var expiresAt: Instant
  package var endedAt: Instant?
  package var endedBy: PersonID?
  /// To a quarter of an hour: using a token must not mean writing a row.
  package var usedAt: Instant?
  package var usedFrom: String?

  package func state(at now: Instant) -> State {
    if endedAt != nil { return .revoked }
    return now < expiresAt ? .active : .expired
  }
}

/// The secret itself: `sj_` and 43 letters and digits, each drawn evenly, together 256 bits.
enum TokenSecret {
  static let prefix = "sj_"
  private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
  private static let length = 43

  static func make() -> String {
    var drawn: [UInt8] = []
    while drawn.count < length {
      // 248 is the largest multiple of 62 in a byte: what lies above would make some letters likelier.
      drawn += SecureRandom.bytes(64).filter { $0 < 248 }.map { alphabet[Int($0) % alphabet.count] }
    }
    return prefix + String(decoding: drawn.prefix(length), as: UTF8.self)
  }

  /// Whether a text is written like one; only such are looked for.
  static func isWellFormed(_ text: String) -> Bool {
    text.hasPrefix(prefix) && text.utf8.count == prefix.utf8.count + length
      && text.utf8.dropFirst(prefix.utf8.count).allSatisfy { alphabet.contains($0) }
  }

  static func digest(_ secret: String) -> String { SM3.hash(secret).hex }

  /// Five of 43 characters: enough to tell one's tokens apart, and 226 bits stay unknown.
  static func hint(_ secret: String) -> String { String(secret.prefix(prefix.count + 5)) }
}

enum TokenStore {
  static func insert(_ token: ApplicationToken, secret: String, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO identity_token (id, digest, hint, person, name, scopes, created_at, expires_at)
      VALUES (\(token.id), \(TokenSecret.digest(secret)), \(token.hint), \(token.person), \(token.name),
        \(token.scopes.sorted().map(\.name).joined(separator: " ")), \(token.createdAt), \(token.expiresAt))
      """)
  }

  static func find(secret: String, in tx: any Transaction) throws -> ApplicationToken? {
    try tx.row("SELECT \(columns) FROM identity_token WHERE digest = \(TokenSecret.digest(secret))").map(token)
  }

  static func find(_ id: TokenID, in tx: any Transaction) throws -> ApplicationToken? {
    try tx.row("SELECT \(columns) FROM identity_token WHERE id = \(id)").map(token)
  }

  /// Newest first, before the given one; of one person or of everybody.
  static func list(
    of person: PersonID? = nil, before: TokenID? = nil, limit: Int, in tx: any Transaction
  ) throws -> [ApplicationToken] {
    var conditions: [SQL] = []
    if let person { conditions.append("person = \(person)") }
    if let before { conditions.append("id < \(before)") }
    return try tx.rows(
      "SELECT \(columns) FROM identity_token WHERE \(SQL.all(conditions)) ORDER BY id DESC LIMIT \(limit)"
    ).map(token)
  }

  static func active(of person: PersonID, at now: Instant, in tx: any Transaction) throws -> [ApplicationToken] {
    try tx.rows(
      """
      SELECT \(columns) FROM identity_token
      WHERE person = \(person) AND ended_at IS NULL AND expires_at > \(now) ORDER BY id DESC
      """
    ).map(token)
  }

  /// False when it had ended already.
  static func end(_ id: TokenID, by: PersonID?, at now: Instant, in tx: any Transaction) throws -> Bool {
    try tx.run(
      "UPDATE identity_token SET ended_at = \(now), ended_by = \(by) WHERE id = \(id) AND ended_at IS NULL") == 1
  }

  static func used(_ id: TokenID, from source: String, at now: Instant, notSince: Instant, in tx: any Transaction)
    throws
  {
    try tx.run(
      """
      UPDATE identity_token SET used_at = \(now), used_from = \(source)
      WHERE id = \(id) AND (used_at IS NULL OR used_at <= \(notSince))
      """)
  }

  /// Takes out those of a person that have been dead for so long that nobody asks after them; the log keeps what they did.
  static func sweep(of person: PersonID, deadSince: Instant, in tx: any Transaction) throws {
    try tx.run(
      "DELETE FROM identity_token WHERE person = \(person) AND (expires_at < \(deadSince) OR ended_at < \(deadSince))")
  }

  private static let columns: SQL =
    "id, hint, person, name, scopes, created_at, expires_at, ended_at, ended_by, used_at, used_from"

  private static func token(_ row: Row) throws -> ApplicationToken {
    ApplicationToken(
      id: try row.id("id"), hint: try row.text("hint"), person: try row.id("person"), name: try row.text("name"),
      scopes: Set(try row.text("scopes").split(separator: " ").map { Permission(String($0)) }),
      createdAt: try row.instant("created_at"), expiresAt: try row.instant("expires_at"),
      endedAt: try row.instantOrNil("ended_at"), endedBy: try row.idOrNil("ended_by"),
      usedAt: try row.instantOrNil("used_at"), usedFrom: try row.textOrNil("used_from"))
  }
}
