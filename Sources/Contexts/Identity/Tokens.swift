import Audit
package import Kernel
import NationalCrypto
package import Storage

/// Application tokens: issued by a person for a program, good for less than the person may, and for a bounded time.
package struct Tokens: Sendable {
  /// What can stand in a token's scopes, in the order in which it is offered, and what it is called.
  package typealias Scope = (permission: Permission, title: Text)

  package static let longestDays = 365
  package static let usualDays = 90
  /// At a time and person: a program each, and none forgotten.
  package static let most = 20
  /// The last use is written no more often than this.
  static let usedEvery: Duration = .seconds(15 * 60)
  private static let keptDead: Duration = .seconds(400 * 86_400)

  let database: any Database
  let clock: Clock
  let authority: Authority
  let sealingKey: [UInt8]
  /// Everything that can be called by a name.
  let scopes: [Scope]
  /// What some address of the interface asks for, and so is worth giving away.
  package private(set) var offered: [Scope]
  /// Counts bad tokens only: nobody is slowed down by what others send.
  private let throttle = SignInThrottle()

  package init(
    database: any Database, clock: Clock, authority: Authority, sealingKey: [UInt8], scopes: [Scope]
  ) {
    self.database = database
    self.clock = clock
    self.authority = authority
    self.sealingKey = sealingKey
    self.scopes = scopes
    offered = scopes
  }

  /// The same, offering only what these permissions name.
  package func offering(_ asked: Set<Permission>) -> Tokens {
    var tokens = self
    tokens.offered = scopes.filter { asked.contains($0.permission) }
    return tokens
  }

  var titles: [Permission: Text] { Dictionary(scopes.map { ($0.permission, $0.title) }) { first, _ in first } }

  /// What is asked for a new token.
  package struct Draft: Sendable {
    package var name: String
    package var scopes: Set<Permission>
    /// How long it is good, 1 to `longestDays`.
    package var days: Int

    package init(name: String, scopes: Set<Permission>, days: Int = Tokens.usualDays) {
      self.name = name
      self.scopes = scopes
      self.days = days
    }
  }

  /// Makes a token of the person's own. The secret is answered this once and kept nowhere.
  package func issue(_ draft: Draft, by principal: Principal) async throws -> (token: ApplicationToken, secret: String)
  {
    let id = try Self.oneself(principal)
    var faults: [Refusal.Fault] = []
    if let wrong = PlainText.wrongName(draft.name, lengths: 1...50) {
      faults.append(.init("name", Text("名称：\(wrong.chinese)", "The name: \(wrong.english)")))
    }
    if draft.scopes.isEmpty { faults.append(.init("scopes", Text("至少选择一项范围。", "Choose at least one scope."))) }
    if !(1...Self.longestDays).contains(draft.days) {
      faults.append(
        .init("days", Text("有效期为 1 到 \(Self.longestDays) 天。", "It is good for 1 to \(Self.longestDays) days.")))
    }
    guard faults.isEmpty else { throw Refusal.invalid("identity.token", faults) }
    let (now, secret) = (clock.now(), TokenSecret.make())
    let (authority, most) = (authority, Self.most)
    return try await database.write { tx in
      // As the person stands now: a role may have gone while the form was open.
      guard let person = try PersonStore.find(id, in: tx), person.isActive else { throw SignIn.expired }
      let beyond = draft.scopes.subtracting(authority.permissions(of: person.roles)).sorted().map(\.name)
      guard beyond.isEmpty else {
        throw Refusal.invalid(
          "identity.token.scope", "scopes",
          Text(
            "您自己没有这些权限，不能授予令牌：\(beyond.joined(separator: "、"))。",
            "You lack these permissions yourself and cannot give them to a token: \(beyond.joined(separator: ", ")).")
        )
      }
      try TokenStore.sweep(of: id, deadSince: now - Self.keptDead, in: tx)
      let others = try TokenStore.active(of: id, at: now, in: tx)
      guard others.count < most else {
        throw Refusal(
          .conflict, "identity.token.many",
          Text("您已有 \(most) 个有效令牌，请先撤销不用的。", "You have \(most) tokens that are good; revoke one first."))
      }
      guard !others.contains(where: { $0.name == draft.name }) else {
        throw Refusal.invalid(
          "identity.token.name", "name",
          Text("您的另一个有效令牌已用这个名称。", "Another good token of yours has this name."))
      }
      let token = ApplicationToken(
        id: .make(at: now), hint: TokenSecret.hint(secret), person: id, name: draft.name, scopes: draft.scopes,
        createdAt: now, expiresAt: now + .seconds(draft.days * 86_400))
      try TokenStore.insert(token, secret: secret, in: tx)
      try Self.record(
        "identity.token.issue", token, [("scopes", Self.names(token)), ("to", token.expiresAt.description)],
        by: principal, now, tx)
      return (token, secret)
    }
  }

  /// Ends a token at once: one's own, or anybody's for the security administrator.
  package func revoke(_ id: TokenID, by principal: Principal) async throws -> ApplicationToken {
    let (now, person) = (clock.now(), principal.person)
    return try await database.write { tx in
      guard let token = try TokenStore.find(id, in: tx), token.person == person || principal.may(.peopleManage) else {
        throw Refusal.notFound(Text("应用令牌", "application token"))
      }
      if token.person == person {
        // A program may put its own token away, and no other.
        guard principal.token.map({ $0.id == id }) ?? (principal.onBehalfOf == nil) else { throw Self.notOneself }
      } else {
        try People.stillMay(.peopleManage, principal, in: tx)
      }
      guard token.endedAt == nil else { return token }
      let owner = token.person == person ? nil : try PersonStore.find(token.person, in: tx)?.name
      try Self.end(token, owner.map { [("owner", $0)] } ?? [], by: principal, now, tx)
      return try TokenStore.find(id, in: tx) ?? token
    }
  }

  /// Ends all tokens of a person whose account is no longer to be trusted; `reason` goes to the log.
  static func revokeAll(
    of person: Person, reason: String, by principal: Principal, at now: Instant, in tx: any Transaction
  ) throws {
    for token in try TokenStore.active(of: person.id, at: now, in: tx) {
      try end(token, [("owner", person.name), ("reason", reason)], by: principal, now, tx)
    }
  }

  /// Who a program acts for that brings this: its issuer, with what both the scopes and his roles allow at this moment.
  ///
  /// Throws `.unauthenticated` with the reason, each of them in the log; after some of them from one network `.tooMany`,
  /// which is not. A good token is never made to wait.
  package func resolve(_ secret: String, from source: String) async throws -> Principal {
    let (now, authority) = (clock.now(), authority)
    let found =
      TokenSecret.isWellFormed(secret)
      ? try await database.read { tx -> (ApplicationToken, Person, Principal)? in
        guard let token = try TokenStore.find(secret: secret, in: tx),
          let person = try PersonStore.find(token.person, in: tx)
        else { return nil }
        var principal = try SignIn.principal(of: person, actingFor: nil, authority: authority, on: now, in: tx)
        principal.permissions.formIntersection(token.scopes)
        principal.token = ActingToken(id: token.id, name: token.name)
        return (token, person, principal)
      } : nil
    guard let (token, person, principal) = found, token.state(at: now) == .active, person.isActive else {
      throw try await refused(secret, found.map { ($0.0, $0.1) }, source, now)
    }
    // Nor may a full disk keep any program from reading.
    if token.usedAt.map({ now - $0 > Self.usedEvery }) ?? true {
      do {
        try await database.write(.readCommitted) {
          try TokenStore.used(token.id, from: source, at: now, notSince: now - Self.usedEvery, in: $0)
        }
      } catch let error as StorageError where error.code == .diskFull {}
    }
    return principal
  }

  /// Writes down why a token was refused, unless so many came that they are no longer counted one by one.
  private func refused(
    _ secret: String, _ found: (token: ApplicationToken, person: Person)?, _ source: String, _ now: Instant
  ) async throws -> Refusal {
    let (reason, message): (String, Text) =
      switch found?.token.state(at: now) {
      case nil where !TokenSecret.isWellFormed(secret):
        (
          "malformed",
          Text(
            "Authorization 头应为 “Bearer sj_…”，后接签发时显示的令牌全文。",
            "The Authorization header is “Bearer sj_…” with the whole token as it was shown when issued.")
        )
      case nil: ("unknown", Text("没有这个应用令牌。", "There is no such application token."))
      case .revoked: ("revoked", Text("应用令牌已被撤销。", "The application token was revoked."))
      case .expired: ("expired", Text("应用令牌已过期，请重新签发。", "The application token has expired; issue another."))
      case .active: ("suspended", Text("令牌签发人的账户已停用。", "The account of the token's issuer is suspended."))
      }
    try throttle.admit(.init(login: found?.token.id.text ?? "token", source: source), at: now)
    let trace = HMAC.authenticate(Array(secret.utf8.prefix(256)), key: sealingKey).prefix(8).hex
    try await database.write { tx in
      var detail = [(name: "source", value: source), (name: "reason", value: reason)]
      if let person = found?.person { detail.append((name: "owner", value: person.name)) }
      try AuditLog.record(
        AuditEntry(
          at: now, actor: .system(), action: "identity.token.refuse", subjectKind: "token",
          subject: found?.token.id.text ?? trace, subjectName: found?.token.name ?? "—", detail: detail), in: tx)
    }
    return Refusal(.unauthenticated, "identity.token.\(reason)", message)
  }

  // MARK: - Pieces

  private static func end(
    _ token: ApplicationToken, _ detail: [(name: String, value: String)], by principal: Principal, _ now: Instant,
    _ tx: any Transaction
  ) throws {
    guard try TokenStore.end(token.id, by: principal.person, at: now, in: tx) else { return }
    try record("identity.token.revoke", token, detail, by: principal, now, tx)
  }

  private static func record(
    _ action: String, _ token: ApplicationToken, _ detail: [(name: String, value: String)], by principal: Principal,
    _ now: Instant, _ tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "token", subject: token.id.text,
        subjectName: token.name, detail: detail), in: tx)
  }

  static func names(_ token: ApplicationToken) -> String {
    token.scopes.sorted().map(\.name).joined(separator: " ")
  }

  /// A person who signed in as himself: neither a deputy in another's name nor a program.
  private static func oneself(_ principal: Principal) throws -> PersonID {
    guard let id = principal.person, principal.onBehalfOf == nil, principal.token == nil else { throw notOneself }
    return id
  }

  private static let notOneself = Refusal(
    .forbidden, "identity.token.oneself",
    Text(
      "令牌由本人登录后签发和撤销，代理他人时不能办理。",
      "Tokens are issued and revoked by people for themselves, not while acting for another."))
}
