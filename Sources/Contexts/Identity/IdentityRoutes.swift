package import Kernel
import NationalCrypto
package import Storage
package import Web

/// Signing in, one's account, people, organisations.
package struct IdentityRoutes: Sendable {
  let signIn: SignIn
  let people: People
  let tokens: Tokens
  let offices: Organisations
  let database: any Database
  let clock: Clock

  package static func routes(
    signIn: SignIn, people: People, tokens: Tokens, offices: Organisations, database: any Database, clock: Clock
  ) -> [Route] {
    let site = IdentityRoutes(
      signIn: signIn, people: people, tokens: tokens, offices: offices, database: database, clock: clock)
    return site.entering + site.account + site.keptForms + site.tokenPages + site.peopleRoutes + site.organisations
      + site.interface
      + site.tokenInterface
  }

  /// Where a kept form waits for its writer.
  package static func keptForm(_ id: KeptFormID) -> String { "/account/kept/\(id)" }

  // MARK: - Coming in

  private var entering: [Route] {
    [
      .get("/sign-in", .anyone) { request in
        .page(SignInPages.signIn(request, next: localAddress(request.query["next"])))
      },
      .post("/sign-in", .anyone, bodyLimit: 16 * 1024) { request in
        let next = localAddress(request.form["next"])
        do {
          let begun = try await signIn.begin(
            login: request.form["login"] ?? "", password: request.form.all("password").first ?? "",
            source: request.remoteAddress, device: request.device)
          return try await session(begun.token, begun.stage, next, request)
        } catch let refusal as Refusal {
          return .page(SignInPages.signIn(request, next: next, entered: request.form, refusal: refusal))
        }
      },
      .get("/sign-in/second-factor", .anyone) { request in
        .page(SignInPages.secondFactor(request, next: localAddress(request.query["next"])))
      },
      .post("/sign-in/second-factor", .anyone, bodyLimit: 16 * 1024) { request in
        let next = localAddress(request.form["next"])
        do {
          let step = try await signIn.secondFactor(
            token: request.sessionToken ?? "", code: request.form["code"] ?? "", device: request.device)
          return try await session(step.token, step.stage, next, request)
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .tooMany {
          return .page(SignInPages.secondFactor(request, next: next, refusal: refusal))
        }
      },
      .get("/sign-in/password", .anyone) { request in
        .page(
          SignInPages.changePassword(
            request, action: "/sign-in/password", forced: true, policy: people.policy.passwords,
            next: localAddress(request.query["next"])))
      },
      .post("/sign-in/password", .anyone, bodyLimit: 16 * 1024) {
        try await changePassword($0, "/sign-in/password", forced: true)
      },
      .get("/sign-in/enrol", .anyone) { request in
        let next = localAddress(request.query["next"])
        guard let login = try await enrolling(request) else { return .page(SignInPages.signIn(request, next: next)) }
        return .page(SignInPages.enrol(request, secret: people.newSecondFactor().secret, login: login, next: next))
      },
      .post("/sign-in/enrol", .anyone, bodyLimit: 16 * 1024) { request in
        let secret = [UInt8](hex: request.form["secret"] ?? "") ?? []
        let next = localAddress(request.form["next"])
        do {
          let token = try await signIn.enrol(
            token: request.sessionToken ?? "", secret: secret, code: request.form["code"] ?? "")
          return try await session(token, .full, next, request)
        } catch let refusal as Refusal where refusal.kind == .invalid {
          let login = try await enrolling(request) ?? ""
          return .page(SignInPages.enrol(request, secret: secret, login: login, next: next, refusal: refusal))
        }
      },
      .post("/sign-out", .anyone) { request in
        if let token = request.sessionToken { try await signIn.end(token: token) }
        return .session(token: nil, redirect: "/sign-in")
      },
    ]
  }

  /// The user name of who has come so far that only the second factor is to be set up; nil for anybody else.
  private func enrolling(_ request: Request) async throws -> String? {
    let session = try await signIn.resolve(token: request.sessionToken ?? "")?.session
    guard let session, session.stage == .enrol else { return nil }
    return try await database.read { try PersonStore.find(session.person, in: $0)?.login }
  }

  private func changePassword(_ request: Request, _ action: String, forced: Bool) async throws -> Response {
    let next = localAddress(request.form["next"])
    do {
      let new = request.form.all("new").first ?? ""
      guard new == request.form.all("again").first else {
        throw Refusal.invalid("identity.password.again", "again", Text("两次输入的新密码不同。", "The two new passwords differ."))
      }
      let token = try await people.changePassword(
        token: request.sessionToken ?? "", old: request.form.all("old").first ?? "", new: new)
      let stage = try await signIn.resolve(token: token)?.session.stage ?? .full
      return try await session(token, stage, next, request)
    } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .tooMany {
      return .page(
        SignInPages.changePassword(
          request, action: action, forced: forced, policy: people.policy.passwords, next: next, refusal: refusal))
    }
  }

  /// On to the next step of coming in, with the page that was asked for kept in mind; at the end there, and the browser
  /// is marked as one this person uses.
  private func session(
    _ token: String, _ stage: Session.Stage, _ next: String, _ request: Request
  ) async throws -> Response {
    guard let step = stage.address else {
      return .session(
        token: token, redirect: next, device: try await signIn.device(token: token, held: request.device))
    }
    return .session(token: token, redirect: address(step, [("next", next == "/" ? nil : next)]))
  }

  // MARK: - One's account

  private var account: [Route] {
    [
      .get("/account", .signedIn) { .page(AccountPage.render($0, try await model($0))) },
      .get("/account/password", .signedIn) {
        .page(
          SignInPages.changePassword(
            $0, action: "/account/password", forced: false, policy: people.policy.passwords))
      },
      .post("/account/password", .signedIn) { try await changePassword($0, "/account/password", forced: false) }
        .takingSecrets(),
      .post("/account/second-factor", .signedIn) { request in
        try await withAccount(request, done: Text("第二因素已启用。", "The second factor is in use.")) {
          try await people.enrol(
            secret: [UInt8](hex: request.form["secret"] ?? "") ?? [], code: request.form["code"] ?? "",
            for: request.visitor())
        }
      }.takingSecrets(),
      .post("/account/sessions/end", .signedIn) { request in
        let (session, person) = (request.form["session"] ?? "", try request.visitor().person)
        if let person { try await database.write { try SessionStore.end(id: session, of: person, in: $0) } }
        return .redirect("/account")
      },
      .post("/account/deputies", .signedIn) { request in
        try await withAccount(request, done: Text("已委托。", "Done.")) {
          guard let deputy = PersonID(request.form["deputy"] ?? ""),
            let from = CalendarDate(request.form["from"] ?? ""),
            let to = CalendarDate(request.form["to"] ?? "")
          else {
            throw Refusal.invalid("identity.deputy", "from", Text("请选择代理人和起止日。", "Choose a deputy and both days."))
          }
          try await people.nameDeputy(deputy, from: from, to: to, by: request.visitor())
        }
      },
      .post("/account/deputies/end", .signedIn) { request in
        try await people.endDeputy(request.form["deputy"] ?? "", by: request.visitor())
        return .redirect("/account", flash: Text("已收回委托。", "Taken back."))
      },
      .post("/account/act", .signedIn) { request in
        guard let token = request.sessionToken else { throw SignIn.expired }
        let other = try request.form["for"].map { text -> PersonID in
          guard let id = PersonID(text) else { throw Refusal.notFound(Text("人员", "person")) }
          return id
        }
        let fresh = try await signIn.act(token: token, for: other)
        return .session(token: fresh, redirect: localAddress(request.form["next"]))
      },
    ]
  }

  private func withAccount(_ request: Request, done: Text, _ body: () async throws -> Void) async throws -> Response {
    do {
      try await body()
      return .redirect("/account", flash: done)
    } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
      return .page(AccountPage.render(request, try await model(request), refusal: refusal))
    }
  }

  private func model(_ request: Request) async throws -> AccountPage.Model {
    guard let id = try request.visitor().person else { throw Refusal.notFound(Text("账户", "account")) }
    let (now, acting) = (clock.now(), request.principal?.onBehalfOf)
    // A wrong code does not make the key that is in the phone by now a wrong one.
    let typed = [UInt8](hex: request.form["secret"] ?? "").flatMap { $0.count == SecondFactor.secretLength ? $0 : nil }
    let secret = typed.map { (secret: $0, text: TOTP.base32($0)) } ?? people.newSecondFactor()
    return try await database.read { tx in
      guard let person = try PersonStore.find(id, in: tx) else { throw Refusal.notFound(Text("账户", "account")) }
      return AccountPage.Model(
        person: person, organisation: try OrganisationStore.get(person.organisation, in: tx).name,
        sessions: try SessionStore.list(of: id, at: now, in: tx),
        arranged: try Deputies.list(of: id, from: now.dateInChina, in: tx).map {
          ($0, try PersonStore.find($0.deputy, in: tx)?.name ?? "")
        },
        standsFor: try Deputies.principals(of: id, on: now.dateInChina, in: tx),
        actingFor: try acting.flatMap { try PersonStore.find($0, in: tx) },
        colleagues: try PersonStore.list(organisation: person.organisation, limit: 200, in: tx).filter {
          $0.id != id && $0.isActive && !$0.roles.contains(where: \.isAdministrative)
        },
        newSecret: person.hasSecondFactor ? nil : (secret.secret.hex, secret.text),
        kept: try KeptFormStore.list(of: id, at: now, in: tx))
    }
  }

  // MARK: - People

  private var peopleRoutes: [Route] {
    let manages = Access.permission(.peopleManage)
    return [
      .get("/people", .permission(.peopleRead)) { request in
        let search = request.query["q"]
        let after = try request.queryPlace("after") { Person.isLogin($0) ? $0 : nil }
        let office: OrganisationID? = try request.queryID("organisation")
        let role: Role? = try request.queryChoice("role")
        let (found, names) = try await database.read { tx in
          let found = try PersonStore.list(
            search: search, organisation: office, role: role, after: after,
            limit: 51, in: tx)
          let names = try Set(found.map(\.organisation)).reduce(into: [OrganisationID: String]()) { names, id in
            names[id] = try OrganisationStore.find(id, in: tx)?.name
          }
          return (found, names)
        }
        let next = (found.count > 50 ? found[49].login : nil).map {
          address(
            "/people", [("q", search), ("organisation", office?.text), ("role", role?.rawValue), ("after", $0)])
        }
        return .page(
          PeoplePages.list(
            request, people: Array(found.prefix(50)), names: names, search: search, role: role, next: next))
      },
      .get("/people/new", manages) { .page(PeoplePages.new($0, organisations: try await current())) },
      .post("/people/new", manages) { request in
        do {
          guard let organisation = OrganisationID(request.form["organisation"] ?? "") else {
            throw Refusal.invalid("identity.person", "organisation", Text("请选择单位。", "Choose an organisation."))
          }
          let made = try await people.create(
            .init(
              login: request.form["login"] ?? "", name: request.form["name"] ?? "", organisation: organisation,
              roles: roles(request)),
            by: request.visitor())
          return .page(PeoplePages.oneTime(request, name: request.form["name"] ?? "", password: made.oneTimePassword))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(
            PeoplePages.new(request, organisations: try await current(), entered: request.form, refusal: refusal))
        }
      },
      .get("/people/{id}", .permission(.peopleRead)) { request in
        let (person, organisation) = try await find(request)
        return .page(PeoplePages.person(request, person, organisation))
      },
      .post("/people/{id}/roles", manages) { request in
        try await changing(request) { id, version in
          try await people.assign(roles(request), to: id, version: version, by: request.visitor())
        }
      },
      .post("/people/{id}/active", manages) { request in
        try await changing(request) { id, version in
          try await people.setActive(request.form["active"] == "yes", id, version: version, by: request.visitor())
        }
      },
      .post("/people/{id}/reset", manages) { request in
        let (person, _) = try await find(request)
        let password = try await people.reset(
          person.id, withSecondFactor: request.form["secondFactor"] == "yes", by: request.visitor())
        return .page(PeoplePages.oneTime(request, name: person.name, password: password))
      },
    ]
  }

  private func changing(_ request: Request, _ body: (PersonID, Int) async throws -> Void) async throws -> Response {
    let id: PersonID = try request.id()
    do {
      try await body(id, Int(request.form["version"] ?? "") ?? 0)
      return .redirect("/people/\(id)", flash: Text("已保存。", "Saved."))
    } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
      let (person, organisation) = try await find(request)
      return .page(PeoplePages.person(request, person, organisation, refusal: refusal))
    }
  }

  private func find(_ request: Request) async throws -> (Person, Organisation) {
    let id: PersonID = try request.id()
    return try await database.read { tx in
      guard let person = try PersonStore.find(id, in: tx) else { throw Refusal.notFound(Text("人员", "person")) }
      return (person, try OrganisationStore.get(person.organisation, in: tx))
    }
  }

  private func current() async throws -> [Organisation] {
    let today = clock.today
    return try await database.read { try OrganisationStore.list(on: today, in: $0) }
  }

  private func roles(_ request: Request) -> Set<Role> {
    Set(request.form.all("roles").compactMap(Role.init(rawValue:)))
  }

  // MARK: - Organisations

  private var organisations: [Route] {
    [
      .get("/organisations", .signedIn) { request in
        let day = try self.day(request)
        let search = request.query["q"]
        let found = try await database.read { try OrganisationStore.list(on: day, search: search, in: $0) }
        return .page(OrganisationPages.list(request, found, day: day, search: search))
      },
      .get("/organisations/{id}", .signedIn) { request in
        let (found, before, after) = try await office(try request.id())
        return .page(OrganisationPages.organisation(request, found, before: before, after: after, nodes: offices.nodes))
      },
      .post("/organisations/{id}/node", .permission(.organisationsManage)) { request in
        let id: OrganisationID = try request.id()
        do {
          try await offices.setNode(
            request.form["node"] ?? "", of: id, seen: request.form["seen"], by: request.visitor())
          return .redirect("/organisations/\(id)", flash: Text("已保存。", "Saved."))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
          let (found, before, after) = try await office(id)
          return .page(
            OrganisationPages.organisation(
              request, found, before: before, after: after, nodes: offices.nodes, entered: request.form["node"],
              refusal: refusal))
        }
      },
    ]
  }

  private func office(_ id: OrganisationID) async throws -> (Organisation, [Organisation], [Organisation]) {
    try await database.read { tx in
      (
        try OrganisationStore.get(id, in: tx), try OrganisationStore.predecessors(of: id, in: tx),
        try OrganisationStore.successors(of: id, in: tx)
      )
    }
  }
}
