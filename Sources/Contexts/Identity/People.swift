import Audit
package import Kernel
import NationalCrypto
package import Storage

/// Making and changing people: the security administrator's work, and everybody's own account.
package struct People: Sendable {
  let database: any Database
  let clock: Clock
  let hasher: PasswordHasher
  let sealingKey: [UInt8]
  let policy: AccountPolicy
  private let throttle = SignInThrottle()

  package init(
    database: any Database, clock: Clock, hasher: PasswordHasher, sealingKey: [UInt8],
    policy: AccountPolicy = AccountPolicy()
  ) {
    self.database = database
    self.clock = clock
    self.hasher = hasher
    self.sealingKey = sealingKey
    self.policy = policy
  }

  package static let authority: [Permission: Set<Role>] = [
    .peopleRead: [.securityAdministrator, .systemAdministrator, .auditAdministrator],
    .peopleManage: [.securityAdministrator],
    .organisationsManage: [.securityAdministrator],
  ]

  /// What is asked for a new person.
  package struct Draft: Sendable {
    package var login: String
    package var name: String
    package var organisation: OrganisationID
    package var roles: Set<Role>

    package init(login: String, name: String, organisation: OrganisationID, roles: Set<Role>) {
      self.login = login
      self.name = name
      self.organisation = organisation
      self.roles = roles
    }
  }

  /// Makes a person and answers the one-time password, which is shown once and kept nowhere.
  package func create(_ draft: Draft, by principal: Principal) async throws -> (id: PersonID, oneTimePassword: String) {
    try principal.require(.peopleManage)
    return try await insert(draft, by: principal, password: nil) {
      try Self.stillMay(.peopleManage, principal, in: $0)
    }
  }

  /// For the node itself: `init` and the demo. With a password given it need not be changed at the first sign-in.
  package func createForNode(_ draft: Draft, password: String? = nil) async throws -> (
    id: PersonID, oneTimePassword: String
  ) {
    try await insert(draft, by: .system(), password: password)
  }

  private func insert(
    _ draft: Draft, by principal: Principal, password: String?,
    asking: @escaping @Sendable (any Transaction) throws -> Void = { _ in }
  ) async throws -> (id: PersonID, oneTimePassword: String) {
    var faults: [Refusal.Fault] = []
    let login = draft.login.lowercased()
    if !Person.isLogin(login) {
      faults.append(.init("login", Self.loginForm))
    }
    if let wrong = PlainText.wrongName(draft.name, lengths: 1...50) {
      faults.append(.init("name", Text("姓名：\(wrong.chinese)", "The name: \(wrong.english)")))
    }
    if draft.roles.isEmpty { faults.append(.init("roles", Text("至少选择一个角色。", "Choose at least one role."))) }
    if let conflict = Role.conflict(in: draft.roles) { faults.append(.init("roles", conflict)) }
    guard faults.isEmpty else { throw Refusal.invalid("identity.person", faults) }
    let plain = password ?? PasswordPolicy.oneTime()
    let hash = try await hasher.hash(plain)
    let now = clock.now()
    let id = try await database.write { tx in
      try asking(tx)
      guard try OrganisationStore.find(draft.organisation, in: tx)?.stands(on: now.dateInChina) == true else {
        throw Refusal.invalid(
          "identity.person", "organisation", Text("请选择现存的单位。", "Choose an organisation that stands today."))
      }
      guard try PersonStore.find(login: login, in: tx) == nil else {
        throw Refusal.invalid("identity.person.login", "login", Text("这个用户名已有人使用。", "This name is taken."))
      }
      let person = Person(
        id: .make(at: now), login: login, name: draft.name, organisation: draft.organisation, roles: draft.roles,
        isActive: true,
        mustChangePassword: password == nil, hasSecondFactor: false, version: 1)
      try PersonStore.insert(person, password: hash, at: now, in: tx)
      try record("identity.person.create", person, [("roles", names(draft.roles))], by: principal, now, tx)
      return person.id
    }
    return (id, plain)
  }

  /// Replaces the roles. Nobody changes his own.
  package func assign(_ roles: Set<Role>, to id: PersonID, version: Int, by principal: Principal) async throws {
    try principal.require(.peopleManage)
    guard principal.person != id else { throw Self.notOneself }
    guard !roles.isEmpty else {
      throw Refusal.invalid("identity.person.roles", "roles", Text("至少选择一个角色。", "Choose at least one role."))
    }
    if let conflict = Role.conflict(in: roles) { throw Refusal.invalid("identity.person.roles", "roles", conflict) }
    let now = clock.now()
    try await database.write { tx in
      try Self.stillMay(.peopleManage, principal, in: tx)
      let person = try current(id, version, tx)
      try keepOne(of: person.roles.subtracting(roles), beside: person, tx)
      try PersonStore.setRoles(roles, of: id, in: tx)
      try SessionStore.endAll(of: id, in: tx)
      try record(
        "identity.person.roles", person, [("before", names(person.roles)), ("after", names(roles))], by: principal, now,
        tx)
    }
  }

  /// A new one-time password, shown once; the second factor is taken off when asked for, and every session ends.
  package func reset(_ id: PersonID, withSecondFactor: Bool, by principal: Principal) async throws -> String {
    try principal.require(.peopleManage)
    guard principal.person != id else { throw Self.notOneself }
    let plain = PasswordPolicy.oneTime()
    let hash = try await hasher.hash(plain)
    let now = clock.now()
    try await database.write { tx in
      try Self.stillMay(.peopleManage, principal, in: tx)
      guard let person = try PersonStore.find(id, in: tx) else { throw Self.noPerson }
      try PersonStore.setPassword(hash, mustChange: true, of: id, in: tx)
      if withSecondFactor {
        try tx.run("UPDATE identity_person SET totp_secret = NULL, totp_last = NULL WHERE id = \(id)")
      }
      try SessionStore.endAll(of: id, in: tx)
      // Whoever could use the account may have issued tokens.
      try Tokens.revokeAll(of: person, reason: "reset", by: principal, at: now, in: tx)
      try record(
        "identity.person.reset", person, [("secondFactor", withSecondFactor ? "removed" : "kept")], by: principal, now,
        tx)
    }
    return plain
  }

  package func setActive(_ isActive: Bool, _ id: PersonID, version: Int, by principal: Principal) async throws {
    try principal.require(.peopleManage)
    guard principal.person != id else { throw Self.notOneself }
    let now = clock.now()
    try await database.write { tx in
      try Self.stillMay(.peopleManage, principal, in: tx)
      let person = try current(id, version, tx)
      if !isActive { try keepOne(of: person.roles, beside: person, tx) }
      try tx.run("UPDATE identity_person SET is_active = \(isActive), version = version + 1 WHERE id = \(id)")
      try SessionStore.endAll(of: id, in: tx)
      if !isActive { try Tokens.revokeAll(of: person, reason: "suspended", by: principal, at: now, in: tx) }
      try record(isActive ? "identity.person.restore" : "identity.person.suspend", person, [], by: principal, now, tx)
    }
  }

  /// One's own password. Ends every session and answers a new one's token.
  package func changePassword(token: String, old: String, new: String) async throws -> String {
    let now = clock.now()
    let (session, person, hash) = try await database.read { tx in
      guard let session = try SessionStore.find(token: token, at: now, in: tx), session.stage != .secondFactor,
        let person = try PersonStore.find(session.person, in: tx)
      else { throw SignIn.expired }
      return (session, person, try tx.text("SELECT password FROM identity_person WHERE id = \(person.id)"))
    }
    // Only who is signed in as this person gets here: nobody else's tries have to count, and none of theirs may.
    let attempt = SignInThrottle.Attempt(login: person.login, source: session.source, standing: .knownAddress)
    try throttle.admit(attempt, at: now)
    guard old.utf8.count <= PasswordPolicy.mostBytes, try await hasher.verify(old, hash) else {
      throw Refusal.invalid("identity.password.old", "old", Text("现在的密码不对。", "The present password is wrong."))
    }
    throttle.succeeded(attempt)
    try policy.passwords.check(new, login: person.login, field: "new")
    guard old != new else {
      throw Refusal.invalid("identity.password.same", "new", Text("新密码应与现在的不同。", "The new password must differ."))
    }
    let fresh = try await hasher.hash(new)
    return try await database.write { tx in
      // While we hashed, an administrator may have reset the password or ended the session: then this is over.
      guard try SessionStore.find(token: token, at: now, in: tx) != nil,
        try tx.text("SELECT password FROM identity_person WHERE id = \(person.id)") == hash
      else { throw SignIn.expired }
      try PersonStore.setPassword(fresh, mustChange: false, of: person.id, in: tx)
      try SessionStore.endAll(of: person.id, in: tx)
      let organisation = try OrganisationStore.get(person.organisation, in: tx)
      let actor = Principal(
        person: person.id, name: person.name, organisation: organisation.id, organisationName: organisation.name,
        permissions: [])
      try record("identity.password.change", person, [], by: actor, now, tx)
      var changed = person
      changed.mustChangePassword = false
      return try SessionStore.start(
        for: person.id, stage: policy.lacking(changed), source: session.source, at: now, in: tx)
    }
  }

  /// A secret for an authenticator, to be confirmed by a code before it counts.
  package func newSecondFactor() -> (secret: [UInt8], text: String) {
    let secret = SecureRandom.bytes(SecondFactor.secretLength)
    return (secret, TOTP.base32(secret))
  }

  package func enrol(secret: [UInt8], code: String, for principal: Principal) async throws {
    guard let id = principal.person else { throw Self.noPerson }
    let now = clock.now()
    try await database.write { tx in
      guard let person = try PersonStore.find(id, in: tx) else { throw Self.noPerson }
      try SecondFactor.enrol(secret, code, for: person, key: sealingKey, at: now, in: tx)
      try record("identity.second-factor.enrol", person, [], by: principal, now, tx)
    }
  }

  /// Names a deputy for a period, both days included.
  package func nameDeputy(_ deputy: PersonID, from first: CalendarDate, to last: CalendarDate, by principal: Principal)
    async throws
  {
    guard let id = principal.person else { throw Self.noPerson }
    guard principal.onBehalfOf == nil else { throw Self.notWhileActing }
    let now = clock.now()
    guard last >= first, last >= now.dateInChina, last - first <= 366 else {
      throw Refusal.invalid(
        "identity.deputy.period", "to",
        Text("结束日不得早于起始日或今天，且不超过一年。", "The last day is not before the first or today, and within a year."))
    }
    try await database.write { tx in
      guard let person = try PersonStore.find(id, in: tx), let other = try PersonStore.find(deputy, in: tx),
        other.isActive,
        other.id != id, other.organisation == person.organisation
      else {
        throw Refusal.invalid(
          "identity.deputy", "deputy",
          Text("代理人应为本单位的另一名在岗人员。", "A deputy is another active person of the same organisation."))
      }
      for (who, field) in [(person, "from"), (other, "deputy")] where who.roles.contains(where: \.isAdministrative) {
        throw Refusal.invalid(
          "identity.deputy.administrator", field,
          Text("系统、安全、审计管理员既不委托代理，也不代理他人。", "Administrators neither name deputies nor stand for others."))
      }
      switch Deputies.clash(of: id, with: deputy, among: try Deputies.between(first, last, in: tx)) {
      case .overlap:
        throw Refusal.invalid(
          "identity.deputy.overlap", "from",
          Text("此人在这段时间已是您的代理人。", "This person is your deputy on some of these days already."))
      case .circle:
        throw Refusal.invalid(
          "identity.deputy.circle", "deputy",
          Text(
            "此人在这段时间由您（直接或经他人）代理，不能互相代理。", "You stand for this person on some of these days, directly or over others."))
      case nil: break
      }
      try tx.run(
        """
        INSERT INTO identity_deputy (id, person, deputy, first_day, last_day)
        VALUES (\(uuidVersion7(at: now)), \(id), \(deputy), \(first), \(last))
        """)
      try record(
        "identity.deputy.name", person, [("deputy", other.name), ("from", "\(first)"), ("to", "\(last)")],
        by: principal, now, tx)
    }
  }

  /// Takes the word back, from now on; who acts under it falls back to his own roles.
  package func endDeputy(_ deputy: String, by principal: Principal) async throws {
    guard let id = principal.person else { throw Self.noPerson }
    guard principal.onBehalfOf == nil else { throw Self.notWhileActing }
    let now = clock.now()
    try await database.write { tx in
      guard let person = try PersonStore.find(id, in: tx),
        try tx.run(
          "UPDATE identity_deputy SET ended_at = \(now) WHERE id = \(deputy) AND person = \(id) AND ended_at IS NULL")
          == 1
      else { throw Refusal.notFound(Text("委托", "deputy")) }
      try record("identity.deputy.end", person, [("deputy", deputy)], by: principal, now, tx)
    }
  }

  // MARK: - Pieces

  /// Asks again inside the transaction: two administrators who suspend each other at the same moment must not both go, and
  /// nobody decides under an authority that was taken from him while his page was open.
  static func stillMay(_ permission: Permission, _ principal: Principal, in tx: any Transaction) throws {
    guard let id = principal.person, let actor = try PersonStore.find(id, in: tx), actor.isActive,
      Authority([authority]).permissions(of: actor.roles).contains(permission)
    else {
      throw Refusal(
        .forbidden, "identity.actor",
        Text(
          "您的账户已停用，或者刚失去这项权限，这次操作没有完成。", "Your account was suspended or has just lost this authority; nothing was done."
        ))
    }
  }

  /// A node keeps an active administrator of each of the three kinds: without one nobody could make another.
  private func keepOne(of roles: Set<Role>, beside person: Person, _ tx: any Transaction) throws {
    guard person.isActive else { return }
    for role in roles.filter(\.isAdministrative) {
      let others = try tx.int(
        """
        SELECT count(*) FROM identity_person WHERE is_active = \(true) AND id <> \(person.id)
          AND id IN (SELECT person FROM identity_role WHERE role = \(role))
        """)
      guard others == 0 else { continue }
      throw Refusal(
        .conflict, "identity.person.last",
        Text(
          "\(person.name)是最后一名在用的\(role.title.chinese)，请先让另一人担任这个角色。",
          "\(person.name) is the last active \(role.title.english.lowercased()); give that role to another person first."
        ))
    }
  }

  private func current(_ id: PersonID, _ version: Int, _ tx: any Transaction) throws -> Person {
    guard let person = try PersonStore.find(id, in: tx) else { throw Self.noPerson }
    guard person.version == version else {
      throw Refusal(
        .conflict, "identity.person.changed",
        Text("有人刚修改过，请刷新后再试。", "Somebody has just changed this; reload and try again."))
    }
    return person
  }

  private func names(_ roles: Set<Role>) -> String { roles.map(\.rawValue).sorted().joined(separator: ",") }

  private func record(
    _ action: String, _ person: Person, _ detail: [(name: String, value: String)], by principal: Principal,
    _ now: Instant,
    _ tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "person", subject: person.id.text,
        subjectName: person.name,
        detail: detail), in: tx)
  }

  static let loginForm = Text(
    "用户名为 2 到 64 个小写字母、数字、点或连字符。", "2 to 64 lower-case letters, digits, dots or hyphens.")
  private static let noPerson = Refusal.notFound(Text("人员", "person"))
  private static let notWhileActing = Refusal(
    .forbidden, "identity.deputy.acting", Text("代理他人期间不能办理，请先停止代理。", "Not while acting for another; stop acting first.")
  )
  private static let notOneself = Refusal(
    .forbidden, "identity.oneself",
    Text("不能修改自己的角色或账户，请由另一名安全管理员办理。", "Nobody changes his own roles or account; another security administrator does."))
}
