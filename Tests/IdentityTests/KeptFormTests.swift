@testable import Identity
import Kernel
import Storage
import TestKit
import Testing
import Web

@Suite struct `A kept form` {
  /// A session's token and that of its forms.
  private func session(_ desk: Desk, _ login: String) async throws -> (token: String, csrf: String, person: PersonID) {
    let token = try await desk.enter(login)
    let session = try existing(try await desk.signIn.resolve(token: token)?.session)
    return (token, session.csrf, session.person)
  }

  private func keep(_ desk: Desk, _ csrf: String, of person: PersonID? = nil, _ fields: String = "words=%E6%B1%9F")
    async throws -> KeptFormID?
  {
    try await desk.signIn.keep(csrf: csrf, of: person, address: "/requests/new?a=1", fields: fields)
  }

  @Test(arguments: Engine.allCases)
  func `waits for its writer alone, whether the session is over or not`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      for login in ["li", "wang"] { try await desk.hire(login) }
      let (li, wang) = (try await session(desk, "li"), try await session(desk, "wang"))
      let early = try existing(try await keep(desk, li.csrf, of: li.person))
      desk.time.advance(by: .seconds(16 * 60))
      #expect(try await desk.signIn.resolve(token: li.token) == nil)
      let late = try existing(try await keep(desk, li.csrf))
      #expect(try await keep(desk, li.csrf, of: wang.person) == nil)
      for id in [early, late] {
        let found = try existing(try await desk.signIn.keptForm(id, of: li.person))
        #expect(found.form.address == "/requests/new?a=1" && found.form.fields == "words=%E6%B1%9F")
        #expect(try await desk.signIn.keptForm(id, of: wang.person) == nil)
        try await desk.signIn.forget(id, of: wang.person)
        #expect(try await desk.signIn.keptForm(id, of: li.person) != nil)
      }
      try await desk.signIn.forget(late, of: li.person)
      #expect(try await desk.signIn.keptForm(late, of: li.person) == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `needs the token of a complete session of the last days, of somebody who may come in`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let person = try await desk.hire("li")
      let once = try await desk.people.create(
        .init(login: "neu", name: "新人", organisation: desk.market.id, roles: [.clerk]), by: desk.security
      ).oneTimePassword
      for csrf in ["", "guess", String(repeating: "0", count: 32), "' OR 1=1"] {
        #expect(try await keep(desk, csrf) == nil, "\(csrf)")
      }
      let half = try await desk.enter("neu", once)
      let unfinished = try existing(try await desk.signIn.resolve(token: half)?.session)
      #expect(unfinished.stage == .changePassword)
      #expect(try await keep(desk, unfinished.csrf) == nil)
      let out = try await session(desk, "li")
      try await desk.signIn.end(token: out.token)
      #expect(try await keep(desk, out.csrf) == nil, "who signed out himself left nothing open")
      let old = try await session(desk, "li")
      desk.time.advance(by: .seconds(10 * 86_400))
      let kept = try existing(try await keep(desk, old.csrf))
      // Somebody's signing in sweeps what is over, and what was written then is still known.
      let fresh = try await session(desk, "li")
      #expect(try await keep(desk, old.csrf) != nil)
      desk.time.advance(by: .seconds(11 * 3600))
      _ = try await desk.enter("li")
      #expect(try await keep(desk, old.csrf) == nil)
      try await desk.people.setActive(false, person, version: try await desk.person(person).version, by: desk.security)
      #expect(try await keep(desk, fresh.csrf) == nil, "suspended")
      #expect(try await desk.signIn.keptForm(kept, of: person) != nil)
      desk.time.advance(by: .seconds(10 * 86_400))
      #expect(try await desk.signIn.keptForm(kept, of: person) == nil, "its time is over")
      _ = try await desk.enter("secadmin")
      let left = try await desk.db.read { tx in
        (
          try tx.int("SELECT COUNT(*) FROM identity_kept_form"),
          try tx.int("SELECT COUNT(*) FROM identity_session WHERE person = \(person)")
        )
      }
      #expect(left == (0, 0))
    }
  }

  @Test(arguments: Engine.allCases)
  func `is one of twenty: the oldest makes room, and nobody else's`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      for login in ["li", "wang"] { try await desk.hire(login) }
      let (li, wang) = (try await session(desk, "li"), try await session(desk, "wang"))
      let other = try existing(try await keep(desk, wang.csrf))
      var ids: [KeptFormID] = []
      for number in 0..<22 {
        desk.tick()
        ids.append(try existing(try await keep(desk, li.csrf, "n=\(number)")))
      }
      for (number, id) in ids.enumerated() {
        #expect((try await desk.signIn.keptForm(id, of: li.person) != nil) == (number >= 2), "\(number)")
      }
      #expect(try await desk.signIn.keptForm(other, of: wang.person) != nil)
    }
  }

  @Test func `is shown with what was written, escaped, and one button that sends it as it was`() async throws {
    try await Desk.open(.sqlite) { desk in
      try await desk.hire("li")
      let li = try await session(desk, "li")
      let fields = "words=%22%3E%3Cscript%3E+%E6%B1%9F%0D%0A%26&words=b&%3Cb%3E=1&empty="
      let id = try existing(try await keep(desk, li.csrf, fields))
      for language in Language.allCases {
        let page = try await desk.page(.get, "/account/kept/{id}", as: li.token, id: id.text, language: language)
        let text = page.body.text
        #expect(text.contains("action=\"/requests/new?a=1\""))
        #expect(
          text.contains("name=\"words\" value=\"&quot;&gt;&lt;script&gt; 江\r\n&amp;\"")
            && text.contains("name=\"words\" value=\"b\"") && text.contains("name=\"&lt;b&gt;\" value=\"1\"")
            && text.contains("name=\"empty\" value=\"\""))
        #expect(!text.contains("<script>") && !text.contains("<b>"))
        #expect(text.contains("<li>&quot;&gt;&lt;script&gt; 江"))
      }
      try await desk.hire("wang")
      let wang = try await session(desk, "wang")
      guard case .redirect("/", let note) = try await desk.ask(.get, "/account/kept/{id}", as: wang.token, id: id.text)
      else { throw Missing() }
      #expect(note != nil)
      _ = try await desk.ask(.post, "/account/kept/{id}/discard", as: wang.token, id: id.text)
      #expect(try await desk.signIn.keptForm(id, of: li.person) != nil)
      _ = try await desk.ask(.post, "/account/kept/{id}/discard", as: li.token, id: id.text)
      #expect(try await desk.signIn.keptForm(id, of: li.person) == nil)
    }
  }

  @Test func `lists what a person wrote, each thing once, and nothing that its page put in`() async throws {
    try await Desk.open(.sqlite) { desk in
      try await desk.hire("li")
      let li = try await session(desk, "li")
      let fields = [
        "kept-page=%2Fcatalog%2Fresources%2F1%2Fedit%3Fa%3Db", "base=name%3D410fb551%20classes%3D12ab34cd",
        "revision=7",
        "form=019c0000-0000-7000-8000-000000000001", "pick=019c0000-0000-7000-8000-000000000001.1.3", "new.id=9911",
        "name=%E6%B1%9F", "title=%E6%B1%9F", "length=60", "column=csmc", "empty=", "blank=%20",
      ].joined(separator: "&")
      let id = try existing(try await keep(desk, li.csrf, fields))
      for language in Language.allCases {
        let text = try await desk.page(.get, "/account/kept/{id}", as: li.token, id: id.text, language: language).body
          .text
        let listed = text.matches(of: /<li>([^<]*)<\/li>/).map { String($0.output.1) }
        #expect(listed == ["江", "60", "csmc"])
        #expect(text.contains("<a href=\"/catalog/resources/1/edit?a=b\">"))
        #expect(text.contains("name=\"base\" value=\"name=410fb551 classes=12ab34cd\""), "it is sent as it was")
      }
    }
  }

  @Test func `that was written for another is sent only while its writer acts for him again`() async throws {
    try await Desk.open(.sqlite) { desk in
      let (deputy, leader) = (try await desk.hire("deputy"), try await desk.hire("leader", [.leader]))
      let day = desk.time.now.dateInChina
      try await desk.people.nameDeputy(deputy, from: day, to: day, by: desk.principal(of: "leader"))
      let own = try await session(desk, "deputy")
      let acting = try await desk.signIn.act(token: own.token, for: leader)
      let csrf = try existing(try await desk.signIn.resolve(token: acting)?.session).csrf
      let id = try existing(try await keep(desk, csrf))
      func text(_ token: String) async throws -> String {
        try await desk.page(.get, "/account/kept/{id}", as: token, id: id.text).body.text
      }
      let back = try await desk.enter("deputy")
      let other = try await text(back)
      #expect(!other.contains("/requests/new") && other.contains("action=\"/account/act\""))
      let moved = try await desk.ask(
        .post, "/account/act", as: back, [("for", leader.text), ("next", "/account/kept/\(id)")])
      let again = try desk.session(moved)
      #expect(again.redirect == "/account/kept/\(id)")
      #expect(try await text(try existing(again.token)).contains("action=\"/requests/new?a=1\""))
      // And what was written in one's own name is not sent in another's.
      let mine = try await session(desk, "deputy")
      let ownForm = try existing(try await keep(desk, mine.csrf))
      let page = try await desk.page(.get, "/account/kept/{id}", as: try existing(again.token), id: ownForm.text)
      #expect(!page.body.text.contains("/requests/new"))
    }
  }
}
