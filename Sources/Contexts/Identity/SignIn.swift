import Audit
package import Kernel
import NationalCrypto
package import Storage

/// Coming in and going out.
package struct SignIn: Sendable {
  let database: any Database
  let clock: Clock
  let authority: Authority
  let hasher: PasswordHasher
  let sealingKey: [UInt8]
  private let throttle = SignInThrottle()

  package init(database: any Database, clock: Clock, authority: Authority, hasher: PasswordHasher, sealingKey: [UInt8])
  {
    self.database = database
    self.clock = clock
    self.authority = authority
    self.hasher = hasher
    self.sealingKey = sealingKey
  }

  /// A new session's token and what it still lacks. The answer to a wrong name, a wrong password and a suspended person is
  /// the same, after the same work.
  package func begin(login: String, password: String, source: String) async throws -> (
    token: String, stage: Session.Stage
  ) {
    let now = clock.now()
    let network = SignInThrottle.network(of: source)
    let name = String(login.lowercased().prefix(64))
    guard password.count <= PasswordPolicy.lengths.upperBound else { throw Self.wrong }
    try throttle.admit(login: name, source: network, at: now)
    let (found, hash) = try await database.read { tx in
      let person = try PersonStore.find(login: name, in: tx)
      let hash = try person.map { try tx.text("SELECT password FROM identity_person WHERE id = \($0.id)") } ?? nil
      return (person, hash)
    }
    let isRight = try await hasher.verify(password, hash)
    guard let person = found, isRight, person.isActive else {
      throttle.failed(login: name, source: network, at: now)
      try await database.write { tx in
        try AuditLog.record(
          AuditEntry(
            at: now, actor: .system(), action: "identity.sign-in.refuse", subjectKind: "login", subject: name,
            subjectName: name, detail: [("source", source)]), in: tx)
      }
      throw Self.wrong
    }
    throttle.succeeded(login: name, source: network)
    let stage: Session.Stage =
      person.hasSecondFactor ? .secondFactor : person.mustChangePassword ? .changePassword : .full
    return try await database.write { tx in
      try SessionStore.sweep(at: now, in: tx)
      let token = try SessionStore.start(for: person.id, stage: stage, source: source, at: now, in: tx)
      try record(person, stage == .full ? "identity.sign-in" : "identity.sign-in.\(stage.rawValue)", source, now, tx)
      return (token, stage)
    }
  }

  /// The second step for those who have a second factor.
  package func secondFactor(token: String, code: String) async throws -> (token: String, stage: Session.Stage) {
    let now = clock.now()
    guard let session = try await database.read({ try SessionStore.find(token: token, at: now, in: $0) }),
      session.stage == .secondFactor
    else { throw Self.expired }
    let network = SignInThrottle.network(of: session.source)
    try throttle.admit(login: session.person.text, source: network, at: now)
    let key = sealingKey
    let next: (String, Session.Stage)? = try await database.write { tx in
      guard let person = try PersonStore.find(session.person, in: tx), person.isActive,
        let row = try tx.row("SELECT totp_secret, totp_last FROM identity_person WHERE id = \(person.id)"),
        let sealed = try row.blobOrNil("totp_secret")
      else { throw Self.expired }
      let secret = try Sealed.open(sealed, key: key, context: "totp \(person.id)")
      let last = try row.intOrNil("totp_last").map(Int64.init)
      guard let step = TOTP.accept(code, secret: secret, seconds: now.milliseconds / 1000, lastUsed: last) else {
        return nil
      }
      try tx.run("UPDATE identity_person SET totp_last = \(step) WHERE id = \(person.id)")
      try SessionStore.end(token: token, in: tx)
      let stage: Session.Stage = person.mustChangePassword ? .changePassword : .full
      let fresh = try SessionStore.start(for: person.id, stage: stage, source: session.source, at: now, in: tx)
      try record(person, "identity.sign-in", session.source, now, tx)
      return (fresh, stage)
    }
    guard let next else {
      throttle.failed(login: session.person.text, source: network, at: now)
      throw Refusal.invalid(
        "identity.second-factor", "code", Text("验证码不对或已用过。", "The code is wrong or was used already."))
    }
    return next
  }

  /// Who stands behind a cookie; nil when nobody does any more.
  package func resolve(token: String) async throws -> (session: Session, principal: Principal?)? {
    let now = clock.now()
    let (authority, database) = (authority, database)
    let found = try await database.read { tx -> (Session, Principal?)? in
      guard let session = try SessionStore.find(token: token, at: now, in: tx),
        let person = try PersonStore.find(session.person, in: tx), person.isActive
      else { return nil }
      guard session.stage == .full else { return (session, nil) }
      return (
        session, try Self.principal(of: person, actingFor: session.actingFor, authority: authority, on: now, in: tx)
      )
    }
    // The last sight is written at most once a minute: reading pages must not mean writing rows.
    if let (session, _) = found, now - session.seenAt > .seconds(60) {
      try await database.write { try SessionStore.seen(session, at: now, in: $0) }
    }
    return found.map { (session: $0.0, principal: $0.1) }
  }

  package func end(token: String) async throws {
    try await database.write { try SessionStore.end(token: token, in: $0) }
  }

  /// Switches to acting for another, or back to oneself; a new session replaces the old.
  func act(token: String, for other: PersonID?) async throws -> String {
    let now = clock.now()
    return try await database.write { tx in
      guard let session = try SessionStore.find(token: token, at: now, in: tx), session.stage == .full,
        let person = try PersonStore.find(session.person, in: tx)
      else { throw Self.expired }
      if let other, try !Deputies.isDeputy(person.id, of: other, on: now.dateInChina, in: tx) {
        throw Refusal(.forbidden, "identity.deputy.none", Text("您现在不是此人的代理人。", "You do not stand for this person now."))
      }
      try SessionStore.end(token: token, in: tx)
      try record(person, other == nil ? "identity.deputy.stop" : "identity.deputy.act", session.source, now, tx)
      return try SessionStore.start(
        for: person.id, actingFor: other, stage: .full, source: session.source, at: now, in: tx)
    }
  }

  static func principal(
    of person: Person, actingFor: PersonID?, authority: Authority, on now: Instant, in tx: any Transaction
  ) throws -> Principal {
    let acting = try actingFor.flatMap { other in
      try Deputies.isDeputy(person.id, of: other, on: now.dateInChina, in: tx) ? PersonStore.find(other, in: tx) : nil
    }
    let organisation = try OrganisationStore.get(acting?.organisation ?? person.organisation, in: tx)
    let roles = acting.map { $0.roles.filter { !$0.isAdministrative } } ?? person.roles
    return Principal(
      person: person.id, name: person.name, organisation: organisation.id, organisationName: organisation.name,
      permissions: authority.permissions(of: roles), onBehalfOf: acting?.id)
  }

  private func record(_ person: Person, _ action: String, _ source: String, _ now: Instant, _ tx: any Transaction)
    throws
  {
    let organisation = try OrganisationStore.get(person.organisation, in: tx)
    let actor = Principal(
      person: person.id, name: person.name, organisation: organisation.id, organisationName: organisation.name,
      permissions: [])
    try AuditLog.record(
      AuditEntry(
        at: now, actor: actor, action: action, subjectKind: "person", subject: person.id.text, subjectName: person.name,
        detail: [("source", source)]), in: tx)
  }

  static let wrong = Refusal(
    .unauthenticated, "identity.sign-in.wrong", Text("用户名或密码不正确。", "Wrong name or password."))
  static let expired = Refusal(
    .unauthenticated, "identity.sign-in.expired", Text("登录已过期，请重新登录。", "Signing in took too long; start again."))
}

/// Who may act for whom, and when.
enum Deputies {
  static func isDeputy(_ deputy: PersonID, of person: PersonID, on day: CalendarDate, in tx: any Transaction) throws
    -> Bool
  {
    try tx.row(
      """
      SELECT id FROM identity_deputy WHERE person = \(person) AND deputy = \(deputy) AND ended_at IS NULL
        AND first_day <= \(day) AND last_day >= \(day) LIMIT 1
      """) != nil
  }

  /// Those for whom this person may act on a day.
  static func principals(of deputy: PersonID, on day: CalendarDate, in tx: any Transaction) throws -> [Person] {
    try tx.rows(
      """
      SELECT person FROM identity_deputy WHERE deputy = \(deputy) AND ended_at IS NULL AND first_day <= \(day)
        AND last_day >= \(day) ORDER BY person LIMIT 50
      """
    ).compactMap { try PersonStore.find($0.id("person"), in: tx) }
  }
}
