import Audit
import Kernel
import Storage

extension People {
  package struct Rescue: Sendable {
    package var login: String
    package var oneTimePassword: String
    /// Whether the account was made now; it was there already otherwise.
    package var isNew: Bool
  }

  /// For whoever has the machine when no security administrator can come in any more: brings one back, or makes one, with
  /// a one-time password. Password, second factor and sessions of before are gone. Nobody else's account is touched, and
  /// an account with other roles is refused: who administers security is kept apart from all else.
  ///
  /// `organisation` names the office of a new one; without it that of the security administrators there are.
  package func rescue(login: String, name: String? = nil, organisation: String? = nil) async throws -> Rescue {
    let login = login.lowercased()
    guard Person.isLogin(login) else { throw Refusal.invalid("identity.person", "login", Self.loginForm) }
    let name = name ?? Role.securityAdministrator.title.chinese
    if let wrong = PlainText.wrongName(name, lengths: 1...50) {
      throw Refusal.invalid("identity.person", "name", wrong)
    }
    let plain = PasswordPolicy.oneTime()
    let hash = try await hasher.hash(plain)
    let now = clock.now()
    let isNew = try await database.write { tx -> Bool in
      let found = try PersonStore.find(login: login, in: tx)
      if let found, found.roles != [.securityAdministrator] {
        throw Refusal(
          .conflict, "identity.rescue.roles",
          Text(
            "\(login) 不是安全管理员；请换一个用户名，将新建一名安全管理员。",
            "\(login) is no security administrator; take another user name, and one will be made."))
      }
      let person: Person
      if let found {
        person = found
        try PersonStore.setPassword(hash, mustChange: true, of: found.id, in: tx)
        try tx.run(
          """
          UPDATE identity_person SET is_active = \(true), totp_secret = NULL, totp_last = NULL, version = version + 1
          WHERE id = \(found.id)
          """)
        try SessionStore.endAll(of: found.id, in: tx)
      } else {
        person = Person(
          id: .make(at: now), login: login, name: name, organisation: try office(organisation, on: now, tx),
          roles: [.securityAdministrator], isActive: true, mustChangePassword: true, hasSecondFactor: false, version: 1)
        try PersonStore.insert(person, password: hash, at: now, in: tx)
      }
      try AuditLog.record(
        AuditEntry(
          at: now, actor: .system("服务器命令行"), action: "identity.person.rescue", subjectKind: "person",
          subject: person.id.text, subjectName: person.name,
          detail: [("account", found == nil ? "made" : found?.isActive == true ? "active" : "suspended")]), in: tx)
      return found == nil
    }
    return Rescue(login: login, oneTimePassword: plain, isNew: isNew)
  }

  private func office(_ name: String?, on now: Instant, _ tx: any Transaction) throws -> OrganisationID {
    if let name {
      if let named = try OrganisationStore.named(name, on: now.dateInChina, in: tx) { return named.id }
      throw Refusal.invalid(
        "identity.rescue.organisation", "organisation",
        Text("今天没有名为“\(name)”的单位。", "No organisation called “\(name)” stands today."))
    }
    let colleagues = try PersonStore.list(role: .securityAdministrator, limit: 1000, in: tx)
    if let colleague = colleagues.first(where: \.isActive) ?? colleagues.first { return colleague.organisation }
    throw Refusal.invalid(
      "identity.rescue.organisation", "organisation",
      Text(
        "还没有安全管理员，请用 --organisation 指明单位。",
        "There is no security administrator yet; name the office with --organisation."))
  }
}
