@testable import Identity
import Kernel
import NationalCrypto
import Storage
import TestKit
import Testing
import Web

extension Desk {
  var routes: [Route] {
    IdentityRoutes.routes(
      signIn: signIn, people: people, tokens: tokens, offices: offices, database: db, clock: time.clock)
  }

  /// What a route answers to a form or a query, for who is signed in with the token.
  func ask(
    _ method: Method, _ path: String, as token: String? = nil, _ fields: [(String, String)] = [], id: String? = nil,
    language: Language = .chinese
  ) async throws -> Response {
    let template = id.map { path.replacing("{id}", with: $0) } ?? path
    let route = try existing(routes.first { $0.method == method && $0.path == path })
    var request = Request(method: method, path: template, now: time.now)
    request.parameters = id.map { ["id": $0] } ?? [:]
    if method == .get { request.query = Fields(fields) } else { request.form = Fields(fields) }
    request.language = language
    request.remoteAddress = "10.1.1.1"
    request.sessionToken = token
    if let token { request.principal = try await principal(token) }
    return try await route.answer(request)
  }

  func page(
    _ method: Method, _ path: String, as token: String? = nil, _ fields: [(String, String)] = [], id: String? = nil,
    language: Language = .chinese
  ) async throws -> Page {
    guard case .page(let page) = try await ask(method, path, as: token, fields, id: id, language: language) else {
      throw Missing()
    }
    return page
  }

  /// The token and the address a session response leads to.
  func session(_ response: Response) throws -> (token: String?, redirect: String) {
    guard case .session(let token, let redirect, _) = response else { throw Missing() }
    return (token, redirect)
  }
}

@Suite struct `The addresses of identity` {
  @Test func `each has the door it needs`() async throws {
    let doors = try await Desk.open(.sqlite) { desk in
      desk.routes.map { ("\($0.method.rawValue) \($0.path)", $0.access) }
    }
    let expected: [String: Access] = [
      "GET /sign-in": .anyone, "POST /sign-in": .anyone, "GET /sign-in/second-factor": .anyone,
      "POST /sign-in/second-factor": .anyone, "GET /sign-in/password": .anyone, "POST /sign-in/password": .anyone,
      "GET /sign-in/enrol": .anyone, "POST /sign-in/enrol": .anyone, "POST /sign-out": .anyone,
      "GET /account": .signedIn, "GET /account/password": .signedIn, "POST /account/password": .signedIn,
      "POST /account/second-factor": .signedIn, "POST /account/sessions/end": .signedIn,
      "POST /account/deputies": .signedIn, "POST /account/deputies/end": .signedIn, "POST /account/act": .signedIn,
      "GET /account/kept/{id}": .signedIn, "POST /account/kept/{id}/discard": .signedIn,
      "GET /people": .permission(.peopleRead), "GET /people/new": .permission(.peopleManage),
      "POST /people/new": .permission(.peopleManage), "GET /people/{id}": .permission(.peopleRead),
      "POST /people/{id}/roles": .permission(.peopleManage), "POST /people/{id}/active": .permission(.peopleManage),
      "POST /people/{id}/reset": .permission(.peopleManage), "GET /organisations": .signedIn,
      "POST /organisations/{id}/node": .permission(.organisationsManage),
      "GET /account/tokens": .signedIn, "POST /account/tokens": .signedIn,
      "POST /account/tokens/{id}/revoke": .signedIn, "GET /people/tokens": .permission(.peopleRead),
      "POST /people/tokens/{id}/revoke": .permission(.peopleManage), "GET /api/v1/tokens": .signedIn,
      "POST /api/v1/tokens": .signedIn, "DELETE /api/v1/tokens/{id}": .signedIn,
      "GET /organisations/{id}": .signedIn, "GET /api/v1/me": .signedIn, "GET /api/v1/organisations": .signedIn,
    ]
    #expect(doors.count == expected.count)
    for (name, access) in doors { #expect(expected[name] == access, "\(name)") }
  }

  @Test(arguments: Engine.allCases)
  func `a forged or unknown id is not found, whatever is asked with it`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let token = try await desk.enter("secadmin")
      for path in [
        "/people/{id}", "/organisations/{id}", "/account/tokens/{id}/revoke", "/people/{id}/roles",
        "/people/{id}/active", "/people/{id}/reset",
      ] {
        let method: Method = path.hasSuffix("}") ? .get : .post
        for id in ["", "x", "' OR 1=1", PersonID.make().text] {
          let refused = try await refusal { try await desk.ask(method, path, as: token, [("roles", "clerk")], id: id) }
          #expect(refused?.kind == .notFound, "\(path) \(id)")
        }
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `use cases ask again: a clerk who reaches a form of the administrators is refused`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let li = try await desk.hire("li")
      let token = try await desk.enter("li")
      let office = desk.market.id.text
      for (path, fields) in [
        ("/people/new", [("login", "zhao"), ("name", "赵六"), ("organisation", office), ("roles", "clerk")]),
        ("/people/{id}/roles", [("roles", "leader"), ("version", "1")]), ("/people/{id}/active", [("version", "1")]),
        ("/people/{id}/reset", []),
      ] {
        let refused = try await refusal { try await desk.ask(.post, path, as: token, fields, id: li.text) }
        #expect(refused?.kind == .forbidden, "\(path)")
      }
      let count = try await desk.db.read { try PersonStore.list(in: $0).count }
      #expect(count == 2)
    }
  }
}

@Suite struct `The pages of identity` {
  @Test(arguments: Engine.allCases)
  func `a wrong password brings the form back with what was entered, and never the password`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let page = try await desk.page(
        .post, "/sign-in", [("login", "li\"><b>"), ("password", "my secret word"), ("next", "/catalog?q=a&b")])
      #expect(page.status == 422)
      #expect(page.body.text.contains("li&quot;&gt;&lt;b&gt;"))
      #expect(!page.body.text.contains("my secret word"))
      #expect(page.body.text.contains("/catalog?q=a&amp;b"))
      #expect(page.body.text.contains("用户名或密码不正确。"))
    }
  }

  @Test(arguments: [
    ("/catalog?q=1", "/catalog?q=1"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/"),
    ("", "/"), ("/a\u{9}/b", "/"), ("/目录", "/%E7%9B%AE%E5%BD%95"), ("/a b", "/a%20b"),
    ("/catalog?q=法人", "/catalog?q=%E6%B3%95%E4%BA%BA"),
  ])
  func `after signing in one is led to an address of ours only`(next: String, led: String) async throws {
    try await Desk.open(.sqlite) { desk in
      try await desk.hire("li")
      let answer = try await desk.ask(
        .post, "/sign-in", [("login", " li "), ("password", Desk.password), ("next", next)])
      let session = try desk.session(answer)
      #expect(session.redirect == led)
      let principal = try await desk.principal(existing(session.token))
      #expect(principal?.name == "人员li")
    }
  }

  @Test(arguments: Engine.allCases)
  func `the whole way in: one-time password, second factor asked for by the role, signed in, and out`(engine: Engine)
    async throws
  {
    try await Desk.open(engine, policy: AccountPolicy(secondFactorFor: [.leader])) { desk in
      let made = try await desk.people.create(
        .init(login: "zhao", name: "赵六", organisation: desk.market.id, roles: [.leader]), by: desk.security)
      var step = try desk.session(
        try await desk.ask(.post, "/sign-in", [("login", "zhao"), ("password", made.oneTimePassword)]))
      #expect(step.redirect == "/sign-in/password")
      let differ = try await desk.page(
        .post, "/sign-in/password", as: step.token,
        [("old", made.oneTimePassword), ("new", Desk.password), ("again", "another one")])
      #expect(differ.status == 422 && differ.body.text.contains("again-fault"))
      step = try desk.session(
        try await desk.ask(
          .post, "/sign-in/password", as: step.token,
          [("old", made.oneTimePassword), ("new", Desk.password), ("again", Desk.password)]))
      #expect(step.redirect == "/sign-in/enrol")
      let offered = try await desk.page(.get, "/sign-in/enrol", as: step.token).body.text
      let hex = try existing(offered.firstMatch(of: /name="secret" value="([0-9a-f]{40})"/)).output.1
      let secret = try existing([UInt8](hex: hex))
      #expect(offered.contains(TOTP.base32(secret)))
      let wrong = try await desk.page(
        .post, "/sign-in/enrol", as: step.token, [("secret", String(hex)), ("code", "000000")])
      #expect(wrong.status == 422 && wrong.body.text.contains(hex), "the same key again, not a new one")
      step = try desk.session(
        try await desk.ask(
          .post, "/sign-in/enrol", as: step.token, [("secret", String(hex)), ("code", desk.code(secret))]))
      #expect(step.redirect == "/")
      let principal = try await desk.principal(existing(step.token))
      #expect(principal?.name == "赵六")
      step = try desk.session(try await desk.ask(.post, "/sign-out", as: step.token))
      #expect(step.token == nil && step.redirect == "/sign-in")
      desk.time.advance(by: .seconds(60))
      step = try desk.session(try await desk.ask(.post, "/sign-in", [("login", "zhao"), ("password", Desk.password)]))
      #expect(step.redirect == "/sign-in/second-factor")
      let code = try await desk.page(.post, "/sign-in/second-factor", as: step.token, [("code", "1")])
      #expect(code.status == 422 && code.body.text.contains("code-fault"))
      step = try desk.session(
        try await desk.ask(.post, "/sign-in/second-factor", as: step.token, [("code", desk.code(secret))]))
      #expect(step.redirect == "/")
    }
  }

  @Test(arguments: Engine.allCases)
  func `the page that was asked for is kept over every step of coming in`(engine: Engine) async throws {
    try await Desk.open(engine, policy: AccountPolicy(secondFactorFor: [.leader])) { desk in
      let made = try await desk.people.create(
        .init(login: "zhao", name: "赵六", organisation: desk.market.id, roles: [.leader]), by: desk.security)
      let (next, kept) = (("next", "/catalog?q=法人"), "?next=%2Fcatalog%3Fq%3D%25E6%25B3%2595%25E4%25BA%25BA")
      let led = "/catalog?q=%E6%B3%95%E4%BA%BA"
      var step = try desk.session(
        try await desk.ask(.post, "/sign-in", [("login", "zhao"), ("password", made.oneTimePassword), next]))
      #expect(step.redirect == "/sign-in/password" + kept)
      for path in ["/sign-in/password", "/sign-in/enrol", "/sign-in/second-factor"] {
        let page = try await desk.page(.get, path, as: step.token, [("next", led)])
        #expect(page.body.text.contains("name=\"next\" value=\"\(led)\""), "\(path)")
      }
      step = try desk.session(
        try await desk.ask(
          .post, "/sign-in/password", as: step.token,
          [("old", made.oneTimePassword), ("new", Desk.password), ("again", Desk.password), ("next", led)]))
      #expect(step.redirect == "/sign-in/enrol" + kept)
      let secret = desk.people.newSecondFactor().secret
      step = try desk.session(
        try await desk.ask(
          .post, "/sign-in/enrol", as: step.token, [("secret", secret.hex), ("code", desk.code(secret)), ("next", led)])
      )
      #expect(step.redirect == led)
      desk.time.advance(by: .seconds(60))
      step = try desk.session(
        try await desk.ask(.post, "/sign-in", [("login", "zhao"), ("password", Desk.password), next]))
      #expect(step.redirect == "/sign-in/second-factor" + kept)
      let wrong = try await desk.page(.post, "/sign-in/second-factor", as: step.token, [("code", "1"), ("next", led)])
      #expect(wrong.body.text.contains("name=\"next\" value=\"\(led)\""))
      let answer = try await desk.ask(
        .post, "/sign-in/second-factor", as: step.token, [("code", desk.code(secret)), ("next", "//evil.example")])
      guard case .session(_, let redirect, let device) = answer else { throw Missing() }
      #expect(redirect == "/" && device != nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a pause is told as one, with the seconds to wait`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      for _ in 0..<5 { _ = try await desk.ask(.post, "/sign-in", [("login", "li"), ("password", "guess")]) }
      let page = try await desk.page(.post, "/sign-in", [("login", "li"), ("password", Desk.password)])
      #expect(page.status == 429 && page.retryAfter == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `one's own page offers nothing that would be refused, and says why`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let li = try await desk.hire("li")
      let token = try await desk.enter("secadmin")
      let id = try existing(desk.security.person)
      let own = try await desk.page(.get, "/people/{id}", as: token, id: id.text).body.text
      #expect(!own.contains("/people/\(id)/") && own.contains("由另一名安全管理员办理") && own.contains("href=\"/account\""))
      let other = try await desk.page(.get, "/people/{id}", as: token, id: li.text).body.text
      for form in ["roles", "reset", "active"] { #expect(other.contains("/people/\(li)/\(form)")) }
      #expect(!other.contains("由另一名安全管理员办理"))
    }
  }

  @Test(arguments: Engine.allCases)
  func `an office gets its classification node by a security administrator, with faults at the field`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let (token, office) = (try await desk.enter("secadmin"), desk.civil.id)
      let path = "/organisations/{id}/node"
      for wrong in ["", "x7", "4070120337", "0", "３０", String(repeating: "3", count: 25), "3070120338"] {
        let page = try await desk.page(.post, path, as: token, [("node", wrong), ("seen", "")], id: office.text)
        #expect(page.status == 422 && page.body.text.contains("id=\"node-fault\""), "\(wrong)")
      }
      desk.tick()
      let done = try await desk.ask(.post, path, as: token, [("node", " 3070120337 "), ("seen", "")], id: office.text)
      guard case .redirect("/organisations/\(office)", _) = done else { throw Missing() }
      let late = try await desk.page(.post, path, as: token, [("node", "3070120337"), ("seen", "")], id: office.text)
      #expect(late.status == 409)
      let shown = try await desk.page(.get, "/organisations/{id}", as: token, id: office.text).body.text
      #expect(
        shown.contains("<code>3070120337</code> 主题 › 市场监管") && shown.contains("name=\"seen\" value=\"3070120337\""))
      let log = try await desk.log().filter { $0.action == "identity.organisation.node" }
      #expect(log.map { "\($0.subject) \($0.detail)" } == ["青海省民政厅 before=— after=3070120337"])
      let node = try await desk.db.read {
        try OrganisationStore.classificationNode(of: OrganisationStore.get(office, in: $0), in: $0)
      }
      #expect(node == "3070120337")
      try await desk.hire("li")
      let clerk = try await desk.enter("li")
      let seen = try await desk.page(.get, "/organisations/{id}", as: clerk, id: office.text).body.text
      #expect(seen.contains("3070120337") && !seen.contains("/node\""))
      let refused = try await refusal {
        try await desk.ask(.post, path, as: clerk, [("node", "3070120337")], id: office.text)
      }
      #expect(refused?.kind == .forbidden)
    }
  }

  @Test(arguments: ["/sign-in/second-factor", "/sign-in/enrol", "/sign-in/password"])
  func `no step of coming in is open without the one before`(path: String) async throws {
    try await Desk.open(.sqlite) { desk in
      for token in [nil, "x", try await desk.enter("secadmin")]
      where !(path.hasSuffix("password") && token?.count == 48) {
        let refused = try await refusal {
          try await desk.ask(.post, path, as: token, [("code", "123456"), ("old", "a"), ("new", "b"), ("again", "b")])
        }
        #expect(refused == SignIn.expired, "\(path)")
      }
    }
  }

  @Test func `the page for setting up a second factor is only for who came that far; others see the way in`()
    async throws
  {
    try await Desk.open(.sqlite) { desk in
      for token in [nil, "x", try await desk.enter("secadmin")] {
        let page = try await desk.page(.get, "/sign-in/enrol", as: token)
        #expect(page.body.text.contains("action=\"/sign-in\"") && !page.body.text.contains("name=\"secret\""))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a security administrator makes a person: faults at their fields, the password shown once`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let token = try await desk.enter("secadmin")
      for (fields, fault) in [
        ([("login", "zhao"), ("name", "赵六"), ("roles", "clerk")], "organisation"),
        ([("login", "ZH AO"), ("name", "赵六"), ("organisation", desk.market.id.text), ("roles", "clerk")], "login"),
        (
          [
            ("login", "zhao"), ("name", "赵六"), ("organisation", desk.market.id.text), ("roles", "clerk"),
            ("roles", "audit-admin"),
          ], "roles"
        ),
        ([("login", "zhao"), ("name", "赵六"), ("organisation", desk.market.id.text), ("roles", "emperor")], "roles"),
      ] {
        let page = try await desk.page(.post, "/people/new", as: token, fields)
        #expect(page.status == 422 && page.body.text.contains("id=\"\(fault)-fault\""), "\(fault)")
        #expect(page.body.text.contains("value=\"赵六\""))
      }
      let made = try await desk.page(
        .post, "/people/new", as: token,
        [("login", "zhao"), ("name", "赵六"), ("organisation", desk.market.id.text), ("roles", "clerk")])
      let password = try existing(made.body.text.firstMatch(of: /<code>([a-z2-9-]{24})<\/code>/)).output.1
      let begun = try await desk.signIn.begin(login: "zhao", password: String(password), source: "10.1.1.1")
      #expect(begun.stage == .changePassword)
      let list = try await desk.page(.get, "/people", as: token, [("q", "赵六")], language: .english)
      #expect(
        list.body.text.contains("zhao") && list.body.text.contains("Clerk") && !list.body.text.contains("secadmin"))
      let none = try await desk.page(.get, "/people", as: token, [("q", "没有"), ("role", "leader")])
      #expect(none.body.text.contains("没有找到人员。"))
    }
  }

  @Test(arguments: Engine.allCases)
  func `a long list of people goes on behind the last one, with the search kept`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      for number in 100..<155 { try await desk.hire("p\(number)") }
      let token = try await desk.enter("secadmin")
      let first = try await desk.page(.get, "/people", as: token, [("q", "人员 & p"), ("role", "")])
      #expect(first.body.text.contains("没有找到人员。"))
      let page = try await desk.page(.get, "/people", as: token, [("q", "人员"), ("role", "clerk")])
      let href = try existing(page.body.text.firstMatch(of: /rel="next" href="([^"]+)"/)).output.1
      #expect(href == "/people?q=%E4%BA%BA%E5%91%98&amp;role=clerk&amp;after=p149")
      let rest = try await desk.page(.get, "/people", as: token, [("q", "人员"), ("role", "clerk"), ("after", "p149")])
      #expect(
        rest.body.text.contains("p150") && !rest.body.text.contains("p149<") && !rest.body.text.contains("rel=\"next\"")
      )
    }
  }

  @Test(arguments: Engine.allCases)
  func `one's account: deputies are named, shown, taken back; a fault stands at its field`(engine: Engine) async throws
  {
    try await Desk.open(engine) { desk in
      let deputy = try await desk.hire("wang")
      try await desk.hire("li", [.leader])
      let token = try await desk.enter("li")
      let wrong = try await desk.page(
        .post, "/account/deputies", as: token, [("deputy", deputy.text), ("from", "2026-03-05"), ("to", "2026-03-01")])
      #expect(wrong.status == 422 && wrong.body.text.contains("id=\"to-fault\""))
      #expect(wrong.body.text.contains("value=\"2026-03-05\""), "what was entered stands there again")
      let done = try await desk.ask(
        .post, "/account/deputies", as: token, [("deputy", deputy.text), ("from", "2026-03-02"), ("to", "2026-03-05")])
      guard case .redirect("/account", _) = done else { throw Missing() }
      let page = try await desk.page(.get, "/account", as: token).body.text
      #expect(page.contains("人员wang：2026-03-02 – 2026-03-05"))
      #expect(!page.contains("安全管理员"), "an administrator is no choice for a deputy")
      let other = try await desk.enter("wang")
      let offers = try await desk.page(.get, "/account", as: other).body.text
      #expect(offers.contains("代理 人员li 办事"))
      let acting = try desk.session(
        try await desk.ask(
          .post, "/account/act", as: other,
          [("for", try existing(offers.firstMatch(of: /name="for" value="([0-9a-f-]{36})"/)).output.1.description)]))
      let shown = try await desk.page(.get, "/account", as: acting.token, language: .english).body.text
      #expect(shown.contains("You act for 人员li"))
      let id = try existing(page.firstMatch(of: /name="deputy" value="([0-9a-f-]{36})"/)).output.1
      _ = try await desk.ask(.post, "/account/deputies/end", as: token, [("deputy", String(id))])
      let after = try await desk.page(.get, "/account", as: token).body.text
      #expect(!after.contains("2026-03-05"))
      for forged in ["x", PersonID.make().text] {
        let refused = try await refusal { try await desk.ask(.post, "/account/act", as: token, [("for", forged)]) }
        #expect(refused?.kind == (forged == "x" ? .notFound : .forbidden))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `offices as of a day, with what came before and after; what is no day is refused`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let (gone, market) = (desk.gone.id, desk.market.id)
      try await desk.db.write { try OrganisationStore.link(gone, market, in: $0) }
      let token = try await desk.enter("secadmin")
      let today = try await desk.page(.get, "/organisations", as: token).body.text
      #expect(today.contains("青海省市场监督管理局") && !today.contains("青海省工商行政管理局"))
      let then = try await desk.page(.get, "/organisations", as: token, [("on", "2018-01-01")]).body.text
      #expect(!then.contains("青海省市场监督管理局") && then.contains("青海省工商行政管理局"))
      let refused = try await refusal { try await desk.ask(.get, "/organisations", as: token, [("on", "2018-02-30")]) }
      #expect(refused?.faults.map(\.field) == ["on"])
      let page = try await desk.page(.get, "/organisations/{id}", as: token, id: market.text, language: .english)
      #expect(page.body.text.contains("Came from") && page.body.text.contains("青海省工商行政管理局"))
    }
  }

  @Test(arguments: Engine.allCases)
  func `the interface says who I am and which offices stand`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      let token = try await desk.enter("li")
      guard case .json(let me, _, _) = try await desk.ask(.get, "/api/v1/me", as: token),
        case .json(let offices, _, _) = try await desk.ask(
          .get, "/api/v1/organisations", as: token, [("q", "民政"), ("on", "2026-01-01")])
      else { throw Missing() }
      let text = String(decoding: me, as: UTF8.self)
      #expect(text.contains("\"name\":\"人员li\"") && text.contains("\"permissions\":[\"test.ask\"]"))
      #expect(text.contains("\"onBehalfOf\":null"))
      let found = String(decoding: offices, as: UTF8.self)
      #expect(found.hasPrefix("{\"on\":\"2026-01-01\",\"organisations\":[{\"id\":\"\(desk.civil.id)\""))
      #expect(found.hasSuffix("\"validTo\":null}],\"next\":null}"))
    }
  }
}
