import Catalog
import Foundation
@testable import Identity
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import App

/// Fifteen minutes without a request end a session: what was being written then comes back to its writer, over HTTP.
@Suite struct KeptFormTests {
  static let typed = "摘要“第一行”<script>alert('1')</script> & \"引号\"\r\n第二行　全角"

  private func enter(_ visitor: Visitor, as login: String, next: String = "/") async throws -> Visitor.Answer {
    try await visitor.post(
      "/sign-in", [("login", login), ("password", DemoCast.password), ("next", next)],
      from: address("/sign-in", [("next", next)]))
  }

  private func entered(_ base: String, as login: String) async throws -> Visitor {
    let visitor = Visitor(base: base)
    #expect(try await enter(visitor, as: login).status == 303)
    return visitor
  }

  /// Sends a form whose session is over; answers where it waits.
  private func late(_ form: WebForm, by visitor: Visitor) async throws -> String {
    let answer = try await visitor.send(form)
    let location = try #require(answer.location)
    #expect(answer.status == 303 && location.hasPrefix("/sign-in?next=%2Faccount%2Fkept%2F"), "\(location)")
    let page = try await visitor.get(location)
    #expect(page.text.contains("登录后可以再次提交"))
    return "/account/kept/" + location.suffix(36)
  }

  @Test(arguments: Engine.allCases)
  func `an entry, its items and a request that were written too long are sent after signing in again`(engine: Engine)
    async throws
  {
    try await withStage(engine) { stage in
      let node = stage.node
      try await withSite(node) { base in
        let officer = try await entered(base, as: "ma.officer")
        var new = try await officer.form("/catalog/drafts", at: "/catalog/new")
        try new.enter("name", "宗教活动场所名录")
        stage.clock.advance(by: .seconds(16 * 60))
        let waiting = try await late(new, by: officer)

        // Who else signs in with that address gets nothing of it.
        let clerk = try await entered(base, as: "li.clerk")
        let others = try await clerk.get(waiting)
        #expect(others.status == 303 && others.location == "/" && !others.text.contains("宗教"))

        #expect(try await enter(officer, as: "ma.officer", next: waiting).location == waiting)
        let shown = try await officer.get(waiting)
        #expect(shown.text.contains("您刚才填写的内容还在") && shown.text.contains("<li>宗教活动场所名录</li>"))
        let again = try await officer.form("/catalog/drafts", at: waiting)
        #expect(try await drafts(node) == 1, "nothing is sent before the button is pressed")
        let edit = try await officer.submit(again)
        #expect(try await officer.submit(again) == edit, "and pressed twice it makes one draft")
        #expect(try await drafts(node) == 2)
        #expect(try await officer.get(waiting).location == "/", "what was done waits no longer")

        var metadata = try await officer.form("/edit", at: edit)
        try metadata.enter("abstract", Self.typed)
        stage.clock.advance(by: .seconds(16 * 60))
        let second = try await late(metadata, by: officer)
        #expect(try await enter(officer, as: "ma.officer", next: second).location == second)
        _ = try await officer.submit(try await officer.form("/edit", at: second))
        let id = try #require(ResourceID(String(edit.dropFirst("/catalog/resources/".count).prefix(36))))
        let kept = try await node.database.read { try CatalogStore.latest(id, in: $0) }
        #expect(kept?.metadata.abstract.replacing("\r\n", with: "\n") == Self.typed.replacing("\r\n", with: "\n"))

        let items = edit.replacing("/edit", with: "/items")
        var add = try await officer.form("/items", at: items)
        try add.enter("new.name", "场所名称")
        try add.enter("new.column", "csmc")
        stage.clock.advance(by: .seconds(16 * 60))
        let third = try await late(add, by: officer)
        #expect(try await enter(officer, as: "ma.officer", next: third).location == third)
        #expect(try await officer.get("/account").text.contains("href=\"\(third)\""))
        _ = try await officer.submit(try await officer.form("/items", at: third))
        #expect(try await node.database.read { try CatalogStore.latest(id, in: $0)?.items.map(\.name) } == ["场所名称"])
        #expect(try await !officer.get("/account").text.contains("/account/kept/"))
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `what was refused is carried by the page that shows it again, and waits no longer once it is done`(
    engine: Engine
  ) async throws {
    try await withStage(engine) { stage in
      let node = stage.node
      try await withSite(node) { base in
        let officer = try await entered(base, as: "ma.officer")
        let edit = try await officer.beginDraft("宗教活动场所名录")
        let items = edit.replacing("/edit", with: "/items")
        var add = try await officer.form("/items", at: items)
        try add.enter("new.name", "场所名称")
        try add.enter("new.length", "六十")
        stage.clock.advance(by: .seconds(16 * 60))
        let sent = try await officer.post(add.action, add.fields, headers: ["Referer": base + items])
        let waiting = "/account/kept/" + (sent.location ?? "").suffix(36)
        #expect(try await enter(officer, as: "ma.officer", next: waiting).location == waiting)
        let shown = try await officer.get(waiting).text
        #expect(shown.contains("<li>场所名称</li>") && shown.contains("<li>六十</li>"))
        #expect(shown.contains("<a href=\"\(items)\">\(items)</a>"))

        let again = try await officer.send(try await officer.form("/items", at: waiting))
        #expect(again.status == 422 && again.text.contains("场所名称"))
        var mended = try #require(WebForm.all(in: again.text).first { $0.action.hasSuffix("/items") })
        #expect(mended.fields.contains { $0.name == "kept-form" && waiting.hasSuffix($0.value) })
        let others = WebForm.all(in: again.text).filter { $0.action != mended.action }
        #expect(!others.isEmpty && !others.contains { $0.fields.contains { $0.name == "kept-form" } })
        #expect(try await officer.get(waiting).status == 200, "what was refused is still there")
        try mended.enter("new.length", "60")
        // Too late once more: it takes the place of what it was.
        stage.clock.advance(by: .seconds(16 * 60))
        let second = try await late(mended, by: officer)
        #expect(try await enter(officer, as: "ma.officer", next: second).location == second)
        #expect(try await officer.get(waiting).location == "/")
        _ = try await officer.submit(try await officer.form("/items", at: second))
        #expect(try await officer.get(second).location == "/")
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a batch that answers with what became of it waits no longer`(engine: Engine) async throws {
    try await withStage(engine) { stage in
      try await withSite(stage.node) { base in
        let officer = try await entered(base, as: "ma.officer")
        _ = try await officer.beginDraft("宗教活动场所名录")
        let batch = try await officer.form("/catalog/work", at: "/catalog/work").pressing("what", "first")
        stage.clock.advance(by: .seconds(16 * 60))
        let waiting = try await late(batch, by: officer)
        #expect(try await enter(officer, as: "ma.officer", next: waiting).location == waiting)
        let done = try await officer.send(try await officer.form("/catalog/work", at: waiting))
        #expect(done.status == 200 && done.text.contains("批量办理结果"))
        #expect(try await officer.get(waiting).location == "/")
      }
    }
  }

  @Test func `a request for data comes back too, past the second factor and in another tab`() async throws {
    try await withStage(.sqlite) { stage in
      let node = stage.node
      let secret = [UInt8](repeating: 9, count: SecondFactor.secretLength)
      func code() -> String { TOTP.code(secret, step: node.clock.now().milliseconds / 30_000) }
      try await node.people.enrol(secret: secret, code: code(), for: stage.cast.clerk)
      stage.clock.advance(by: .seconds(60))
      try await withSite(node) { base in
        let clerk = Visitor(base: base)
        func come(_ next: String) async throws -> String? {
          let step = try #require(try await enter(clerk, as: "li.clerk", next: next).location)
          #expect(step.hasPrefix("/sign-in/second-factor"))
          return try await clerk.post("/sign-in/second-factor", [("code", code()), ("next", next)], from: step).location
        }
        #expect(try await come("/") == "/")
        let ask = try await clerk.form("/requests/new", at: "/requests/new?resource=\(stage.resource.id)")
        var written = ask
        try written.enter("purpose", Self.typed)
        stage.clock.advance(by: .seconds(16 * 60))
        let waiting = try await late(written, by: clerk)
        #expect(try await come(waiting) == waiting)
        let again = try await clerk.form("/requests/new", at: waiting)
        #expect(again.fields.contains { $0.name == "purpose" && $0.value == Self.typed })
        // The form of before, sent in a tab that was left open, while another has signed in by now.
        let tab = try await clerk.send(written)
        #expect(tab.status == 303 && tab.location?.hasPrefix("/account/kept/") == true)
        // What is still wrong with it is said beside what was typed, as always.
        let refused = try await clerk.send(again)
        #expect(refused.status == 422 && refused.text.contains("第二行　全角"))
      }
    }
  }

  @Test func `a forged token, a stranger's page and a password are not kept`() async throws {
    try await withNode(.sqlite) { node, _, clock, _ in
      try await withSite(node) { base in
        let officer = try await entered(base, as: "ma.officer")
        let form = try await officer.form("/catalog/drafts", at: "/catalog/new")
        let password = try await officer.form("/account/password", at: "/account/password")
        clock.advance(by: .seconds(16 * 60))
        let foreign = try await officer.post(form.action, form.fields, headers: ["Origin": "https://elsewhere.example"])
        #expect(foreign.location == "/sign-in")
        #expect(try await officer.send(password).location == "/sign-in")
        let forged = form.fields.map { $0.name == "csrf" ? ($0.name, String($0.value.reversed())) : $0 }
        #expect(try await officer.post(form.action, forged).location == "/sign-in")
        #expect(try await node.database.read { try $0.int("SELECT COUNT(*) FROM identity_kept_form") } == 0)
      }
    }
  }

  @Test func `every form that asks for a password or a code is one of which nothing is kept`() async throws {
    try await withStage(.sqlite) { stage in
      let node = stage.node
      try await withSite(node) { base in
        let officer = try await entered(base, as: "ma.officer")
        let system = try await officer.link("/systems/[0-9a-f-]{36}", at: "/systems")
        let table = RouteTable(node.routes)
        var asking = 0
        for page in [
          "/account", "/account/password", system + "/sources/new", system + "/sources/new?kind=postgresql",
        ] {
          let html = try await officer.get(page).text
          for match in html.matches(of: /<form method="post" action="([^"]*)"[^>]*>(.*?)<\/form>/.dotMatchesNewlines())
          where match.output.2.contains("type=\"password\"") || match.output.2.contains("one-time-code") {
            asking += 1
            guard case .found(let route, _) = table.match(.post, String(match.output.1)) else {
              Issue.record("no route \(match.output.1)")
              continue
            }
            #expect(route.takesSecrets, "\(route.path)")
          }
        }
        #expect(asking >= 3, "\(asking)")
      }
    }
  }

  private func drafts(_ node: Node) async throws -> Int? {
    try await node.database.read { try $0.int("SELECT COUNT(*) FROM catalog_resource") }
  }
}
