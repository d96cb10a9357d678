import Audit
package import Kernel
import NationalCrypto
package import Storage

/// What a node asks of every account.
package struct AccountPolicy: Sendable, Hashable {
  package var passwords: PasswordPolicy
  /// Who must use a second factor; others may.
  package var secondFactorFor: Set<Role>

  package init(passwords: PasswordPolicy = .staff, secondFactorFor: Set<Role> = []) {
    self.passwords = passwords
    self.secondFactorFor = secondFactorFor
  }

  /// What a sign-in still lacks when the password, and the second factor if there is one, were right.
  func lacking(_ person: Person) -> Session.Stage {
    if person.mustChangePassword { return .changePassword }
    if !person.hasSecondFactor, !person.roles.isDisjoint(with: secondFactorFor) { return .enrol }
    return .full
  }
}

/// Coming in and going out.
package struct SignIn: Sendable {
  let database: any Database
  let clock: Clock
  let authority: Authority
  let hasher: PasswordHasher
  let sealingKey: [UInt8]
  let policy: AccountPolicy
  let throttle = SignInThrottle()
  /// How long a try waits for its turn, and how it waits; tests do not wait.
  let patience: Duration
  let sleep: @Sendable (Duration) async throws -> Void

  package init(
    database: any Database, clock: Clock, authority: Authority, hasher: PasswordHasher, sealingKey: [UInt8],
    policy: AccountPolicy = AccountPolicy()
  ) {
    self.init(
      database: database, clock: clock, authority: authority, hasher: hasher, sealingKey: sealingKey, policy: policy,
      patience: SignInThrottle.patience, sleep: { try await Task.sleep(for: $0) })
  }

  init(
    database: any Database, clock: Clock, authority: Authority, hasher: PasswordHasher, sealingKey: [UInt8],
    policy: AccountPolicy, patience: Duration, sleep: @escaping @Sendable (Duration) async throws -> Void
  ) {
    self.database = database
    self.clock = clock
    self.authority = authority
    self.hasher = hasher
    self.sealingKey = sealingKey
    self.policy = policy
    self.patience = patience
    self.sleep = sleep
  }

  /// A new session's token and what it still lacks. The answer to a wrong name, a wrong password and a suspended person is
  /// the same, after the same work. `device` is what the browser's cookie of earlier sign-ins holds.
  package func begin(login: String, password: String, source: String, device: String? = nil) async throws -> (
    token: String, stage: Session.Stage
  ) {
    let typed = login.lowercased()
    // What can be no user name is kept as a digest only, also in memory: it may be long.
    let name = Person.isLogin(typed) ? typed : "?" + trace(typed)
    guard password.utf8.count <= PasswordPolicy.mostBytes else { throw Self.wrong }
    let asked = clock.now()
    let (standing, known) = try await database.read { tx -> (SignInThrottle.Standing, Bool) in
      guard Person.isLogin(typed), let person = try PersonStore.find(login: typed, in: tx) else {
        return (.stranger, false)
      }
      return (try judged(person, source, device, at: asked, in: tx), true)
    }
    let attempt = SignInThrottle.Attempt(login: name, source: source, standing: standing)
    try await throttle.admit(attempt, patience: patience, clock: clock, sleep: sleep)
    // After the wait: the account may have changed meanwhile.
    let now = clock.now()
    let (found, hash) = try await database.read { tx -> (Person?, String?) in
      guard known, let person = try PersonStore.find(login: typed, in: tx) else { return (nil, nil) }
      return (person, try tx.text("SELECT password FROM identity_person WHERE id = \(person.id)"))
    }
    let isRight: Bool
    do {
      isRight = try await hasher.verify(password, hash)
    } catch {
      throttle.withdrawn(attempt)
      throw error
    }
    guard let person = found, isRight, person.isActive else {
      let reason = found == nil ? "unknown" : isRight ? "suspended" : "password"
      try await database.write { try refused(found, name, reason, source, now, $0) }
      throw Self.wrong
    }
    throttle.succeeded(attempt)
    // Alone and reading no snapshot: sweeping old sessions must not collide with others' new ones.
    try await database.write(.readCommitted) { tx in
      try SessionStore.sweep(at: now, in: tx)
      try KeptFormStore.sweep(at: now, in: tx)
    }
    let stage = person.hasSecondFactor ? .secondFactor : policy.lacking(person)
    let token = try await database.write { tx in try open(person, stage, source, now, tx) }
    if let hash, hasher.isOutdated(hash), let fresh = try? await hasher.hash(password) {
      try await database.write { tx in
        try tx.run("UPDATE identity_person SET password = \(fresh) WHERE id = \(person.id) AND password = \(hash)")
      }
    }
    return (token, stage)
  }

  /// The second step for those who have a second factor.
  package func secondFactor(token: String, code: String, device: String? = nil) async throws -> (
    token: String, stage: Session.Stage
  ) {
    let asked = clock.now()
    let found = try await database.read { tx -> (Session, SignInThrottle.Standing)? in
      guard let session = try SessionStore.find(token: token, at: asked, in: tx), session.stage == .secondFactor,
        let person = try PersonStore.find(session.person, in: tx)
      else { return nil }
      return (session, try judged(person, session.source, device, at: asked, in: tx))
    }
    guard let (session, standing) = found else { throw Self.expired }
    let attempt = SignInThrottle.Attempt(login: session.person.text, source: session.source, standing: standing)
    try await throttle.admit(attempt, patience: patience, clock: clock, sleep: sleep)
    let now = clock.now()
    let typed = code.filter { !$0.isWhitespace }
    let next = try await database.write { tx -> (String, Session.Stage)? in
      guard try SessionStore.find(token: token, at: now, in: tx)?.stage == .secondFactor,
        let person = try PersonStore.find(session.person, in: tx), person.isActive
      else { throw Self.expired }
      guard try SecondFactor.accept(typed, of: person.id, key: sealingKey, at: now, in: tx) else {
        try refused(person, person.login, "second-factor", session.source, now, tx)
        return nil
      }
      try SessionStore.end(token: token, in: tx)
      let stage = policy.lacking(person)
      return (try open(person, stage, session.source, now, tx), stage)
    }
    guard let next else {
      throw Refusal.invalid(
        "identity.second-factor", "code", Text("验证码不对或已用过。", "The code is wrong or was used already."))
    }
    throttle.succeeded(attempt)
    return next
  }

  /// Sets up the second factor that the roles ask for, as the last step of coming in.
  package func enrol(token: String, secret: [UInt8], code: String) async throws -> String {
    let now = clock.now()
    return try await database.write { tx in
      guard let session = try SessionStore.find(token: token, at: now, in: tx), session.stage == .enrol,
        let person = try PersonStore.find(session.person, in: tx), person.isActive
      else { throw Self.expired }
      try SecondFactor.enrol(secret, code, for: person, key: sealingKey, at: now, in: tx)
      try record(person, "identity.second-factor.enrol", [("source", session.source)], now, tx)
      try SessionStore.end(token: token, in: tx)
      return try open(person, .full, session.source, now, tx)
    }
  }

  /// What the browser keeps once somebody is fully signed in, so that his next tries from it are judged by themselves; nil
  /// while something is lacking. `held` is what it kept before.
  package func device(token: String, held: String?) async throws -> String? {
    let now = clock.now()
    return try await database.read { tx in
      guard let session = try SessionStore.find(token: token, at: now, in: tx), session.stage == .full,
        let hash = try tx.text("SELECT password FROM identity_person WHERE id = \(session.person)")
      else { return nil }
      return Devices.adding(session.person, password: hash, to: held, key: sealingKey, at: now)
    }
  }

  /// Who stands behind a cookie; nil when nobody does any more. The principal is nil while the sign-in is unfinished.
  ///
  /// `isPolling`: nobody did anything, a page only looked for news; that keeps no session alive.
  package func resolve(token: String, isPolling: Bool = false) async throws -> (
    session: Session, principal: Principal?
  )? {
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
    // Nor may a full disk keep anyone from reading.
    if !isPolling, let (session, _) = found, now - session.seenAt > .seconds(60) {
      do {
        try await database.write(.readCommitted) { try SessionStore.seen(session, at: now, in: $0) }
      } catch let error as StorageError where error.code == .diskFull {}
    }
    return found.map { (session: $0.0, principal: $0.1) }
  }

  package func end(token: String) async throws {
    let now = clock.now()
    try await database.write { tx in
      guard let session = try SessionStore.find(token: token, at: now, in: tx) else { return }
      try SessionStore.end(token: token, in: tx)
      if let person = try PersonStore.find(session.person, in: tx) {
        try record(person, "identity.sign-out", [("source", session.source)], now, tx)
      }
    }
  }

  /// Switches to acting for another, or back to oneself; a new session replaces the old, and ends when that would have.
  func act(token: String, for other: PersonID?) async throws -> String {
    let now = clock.now()
    return try await database.write { tx in
      guard let session = try SessionStore.find(token: token, at: now, in: tx), session.stage == .full,
        let person = try PersonStore.find(session.person, in: tx), person.isActive
      else { throw Self.expired }
      if let other, try Self.represented(by: person, other, on: now, in: tx) == nil {
        throw Refusal(.forbidden, "identity.deputy.none", Text("您现在不是此人的代理人。", "You do not stand for this person now."))
      }
      try SessionStore.end(token: token, in: tx)
      let named = try (other ?? session.actingFor).flatMap { try PersonStore.find($0, in: tx) }
      try record(
        person, other == nil ? "identity.deputy.stop" : "identity.deputy.act",
        [("source", session.source), ("for", named?.name ?? "")], now, tx)
      return try SessionStore.start(
        for: person.id, actingFor: other, stage: .full, source: session.source, endsAt: session.endsAt, at: now, in: tx)
    }
  }

  static func principal(
    of person: Person, actingFor: PersonID?, authority: Authority, on now: Instant, in tx: any Transaction
  ) throws -> Principal {
    let acting = try actingFor.flatMap { try represented(by: person, $0, on: now, in: tx) }
    let organisation = try OrganisationStore.get(acting?.organisation ?? person.organisation, in: tx)
    let roles = acting.map { $0.roles.filter { !$0.isAdministrative } } ?? person.roles
    return Principal(
      person: person.id, name: person.name, organisation: organisation.id, organisationName: organisation.name,
      permissions: authority.permissions(of: roles), onBehalfOf: acting?.id, onBehalfOfName: acting?.name)
  }

  /// The other while this person may act for him. An administrator never may: kept apart from business is kept apart also in
  /// another's name. Nor may anybody act for one who is suspended.
  private static func represented(by person: Person, _ other: PersonID, on now: Instant, in tx: any Transaction) throws
    -> Person?
  {
    guard !person.roles.contains(where: \.isAdministrative),
      try Deputies.isDeputy(person.id, of: other, on: now.dateInChina, in: tx),
      let found = try PersonStore.find(other, in: tx), found.isActive
    else { return nil }
    return found
  }

  // MARK: - Pieces

  /// By which tally this person's tries from there count.
  private func judged(
    _ person: Person, _ source: String, _ device: String?, at now: Instant, in tx: any Transaction
  ) throws -> SignInThrottle.Standing {
    if let device, let hash = try tx.text("SELECT password FROM identity_person WHERE id = \(person.id)"),
      let number = Devices.number(in: device, of: person.id, password: hash, key: sealingKey, at: now)
    {
      return .device(number)
    }
    return try KnownSources.contains(source, of: person.id, at: now, in: tx) ? .knownAddress : .stranger
  }

  /// Tells tries at the same name together without keeping the name.
  private func trace(_ login: String) -> String {
    HMAC.authenticate(Array(login.utf8), key: sealingKey).prefix(8).hex
  }

  private func open(
    _ person: Person, _ stage: Session.Stage, _ source: String, _ now: Instant, _ tx: any Transaction
  ) throws -> String {
    // Half a proof makes no address a known one.
    if stage != .secondFactor { try KnownSources.remember(source, of: person.id, at: now, in: tx) }
    let action = stage == .full ? "identity.sign-in" : "identity.sign-in.\(stage.rawValue)"
    try record(person, action, [("source", source)], now, tx)
    return try SessionStore.start(for: person.id, stage: stage, source: source, at: now, in: tx)
  }

  /// A refused try, for the log. A name nobody bears is not written down, because people type their password into the wrong
  /// field; a keyed digest lets tries at the same name be told together.
  private func refused(
    _ person: Person?, _ login: String, _ reason: String, _ source: String, _ now: Instant, _ tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: .system(), action: "identity.sign-in.refuse", subjectKind: person == nil ? "login" : "person",
        subject: person?.id.text ?? trace(login), subjectName: person?.login ?? "—",
        detail: [("source", source), ("reason", reason)]), in: tx)
  }

  private func record(
    _ person: Person, _ action: String, _ detail: [(name: String, value: String)], _ now: Instant, _ tx: any Transaction
  ) throws {
    let organisation = try OrganisationStore.get(person.organisation, in: tx)
    let actor = Principal(
      person: person.id, name: person.name, organisation: organisation.id, organisationName: organisation.name,
      permissions: [])
    try AuditLog.record(
      AuditEntry(
        at: now, actor: actor, action: action, subjectKind: "person", subject: person.id.text, subjectName: person.name,
        detail: detail), in: tx)
  }

  static let wrong = Refusal(
    .unauthenticated, "identity.sign-in.wrong", Text("用户名或密码不正确。", "Wrong name or password."))
  static let expired = Refusal(
    .unauthenticated, "identity.sign-in.expired", Text("登录已过期，请重新登录。", "Signing in took too long; start again."))
}

/// Addresses from which a person has come in before: his tries from there are counted apart from strangers'.
enum KnownSources {
  static let memory: Duration = .seconds(90 * 86_400)

  static func contains(_ source: String, of person: PersonID, at now: Instant, in tx: any Transaction) throws -> Bool {
    try tx.row(
      """
      SELECT person FROM identity_known_source
      WHERE person = \(person) AND source = \(source) AND seen_at > \(now - memory)
      """) != nil
  }

  static func remember(_ source: String, of person: PersonID, at now: Instant, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO identity_known_source (person, source, seen_at) VALUES (\(person), \(source), \(now))
      ON CONFLICT (person, source) DO UPDATE SET seen_at = excluded.seen_at
      """)
    try tx.run("DELETE FROM identity_known_source WHERE person = \(person) AND seen_at <= \(now - memory)")
  }
}
