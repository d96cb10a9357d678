import Catalog
import Foundation
import Identity
import Kernel
import Storage
import TestKit
import Testing
import Web
import WebServer

@testable import App

/// Every address, as every role and as nobody, through the real server.
@Suite struct DoorTests {
  @Test(arguments: Engine.allCases)
  func `every route opens to those who are named for it and to nobody else`(engine: Engine) async throws {
    try await withNode(engine) { node, _, _, _ in
      let served = node.routes.map { "\($0.method.rawValue) \($0.path)" }
      let named = Doors.table.map(\.route)
      #expect(Set(named).count == named.count, "a route stands twice in the table")
      #expect(Set(served).subtracting(named) == [], "routes of which the table does not say who may enter")
      #expect(Set(named).subtracting(served) == [], "lines without a route")

      try await withSite(node) { base in
        var visitors: [(role: Role?, visitor: Visitor)] = [(nil, Visitor(base: base))]
        for role in Role.allCases {
          let visitor = Visitor(base: base)
          try await signIn(visitor, as: role, on: node)
          visitors.append((role, visitor))
        }
        var (letIn, turnedAway) = (0, 0)
        for (role, visitor) in visitors {
          // Leaving comes last: it ends the session that the others need.
          for line in Doors.table.sorted(by: { $1.route == "POST /sign-out" && $0.route != $1.route }) {
            let answer = try await ask(line.route, as: visitor, signedIn: role != nil)
            #expect(answer.status < 500, "\(role?.rawValue ?? "nobody") at \(line.route): \(answer.status)")
            #expect(answer.status != 400, "\(role?.rawValue ?? "nobody") at \(line.route) was not understood")
            if Doors.answersLikeADoor.contains(line.route) {
              #expect(answer.status != 403, "\(role?.rawValue ?? "nobody") at \(line.route)")
              continue
            }
            let entered = !Self.isTurnedAway(answer)
            #expect(
              entered == line.opensTo.contains(role),
              "\(role?.rawValue ?? "nobody") at \(line.route): \(answer.status) \(answer.location ?? "")")
            if entered { letIn += 1 } else { turnedAway += 1 }
          }
        }
        #expect(letIn > 300 && turnedAway > 300, "\(letIn) let in, \(turnedAway) turned away")
      }
    }
  }

  @Test func `nothing that changes is taken from nobody, from a stranger's page or without the form's token`()
    async throws
  {
    try await withNode(.sqlite) { node, _, _, _ in
      try await withSite(node) { base in
        let nobody = Visitor(base: base)
        let clerk = Visitor(base: base)
        try await signIn(clerk, as: .clerk, on: node)
        let before = try await records(node)
        for route in node.routes
        where route.method != .get && route.path != "/sign-in" && !route.path.hasPrefix("/sign-in/") {
          let path = Self.concrete(route.path)
          let unknown = try await Self.change(route, path, "csrf=guess", as: nobody)
          #expect([303, 400, 401, 403, 415].contains(unknown.status), "nobody at \(path): \(unknown.status)")
          let tokenless = try await Self.change(route, path, "words=x", as: clerk)
          #expect([400, 401, 403, 415].contains(tokenless.status), "without token at \(path): \(tokenless.status)")
        }
        let token = Visitor.token(in: try await clerk.get("/account").text) ?? ""
        let foreign = try await clerk.post(
          "/sign-out", [("csrf", token)], headers: ["Origin": "https://elsewhere.example"])
        #expect(foreign.status == 403)
        let after = try await records(node)
        #expect(after == before, "nothing was recorded, because nothing happened")
      }
    }
  }

  @Test func `who has begun to sign in goes on with the missing step, then to the page that was asked for`()
    async throws
  {
    try await withNode(.sqlite) { node, _, _, _ in
      try await withSite(node) { base in
        let visitor = Visitor(base: base)
        let once = try await node.people.rescue(login: "third").oneTimePassword
        let begun = try await visitor.post(
          "/sign-in", [("login", "third"), ("password", once), ("next", "/people?q=法人")], from: "/sign-in")
        let step = try #require(begun.location)
        #expect(step == "/sign-in/password?next=%2Fpeople%3Fq%3D%25E6%25B3%2595%25E4%25BA%25BA")
        let elsewhere = try await visitor.get("/organisations")
        #expect(elsewhere.location == "/sign-in/password?next=%2Forganisations")
        let next = "/people?q=%E6%B3%95%E4%BA%BA"
        let password = "three rivers meet here"
        let done = try await visitor.post(
          "/sign-in/password", [("old", once), ("new", password), ("again", password), ("next", next)], from: step)
        #expect(done.status == 303 && done.location == next)
        #expect(done.headers["set-cookie"]?.contains("device=") == true)
      }
    }
  }

  @Test func `an office without a node gets one of the catalogue's tree, and no other`() async throws {
    try await withNode(.sqlite) { node, _, _, _ in
      try await withSite(node) { base in
        let visitor = Visitor(base: base)
        try await signIn(visitor, as: .securityAdministrator, on: node)
        let office = try #require(
          try await node.database.read { try OrganisationStore.list(on: node.clock.today, in: $0) }
            .first { $0.classificationNode == nil })
        let (page, code) = (
          "/organisations/\(office.id)", try #require(Classification.embedded.search("青海省").first).code
        )
        let wrong = try await visitor.post(page + "/node", [("node", "3999"), ("seen", "")], from: page)
        #expect(wrong.status == 422 && wrong.text.contains("node-fault"))
        let done = try await visitor.post(page + "/node", [("node", code), ("seen", "")], from: page)
        #expect(done.status == 303 && done.location == page)
        let after = try await node.database.read { try OrganisationStore.get(office.id, in: $0).classificationNode }
        #expect(after == code)
      }
    }
  }

  private func records(_ node: Node) async throws -> Int? {
    try await node.database.read { try $0.int("SELECT COUNT(*) FROM audit_record") }
  }

  private func signIn(_ visitor: Visitor, as role: Role, on node: Node) async throws {
    let office = try await node.database.read {
      try OrganisationStore.named(DemoCast.consumer, on: node.clock.today, in: $0)
    }
    let login = "walker.\(role.rawValue)"
    _ = try? await node.people.createForNode(
      .init(login: login, name: "走访", organisation: try #require(office).id, roles: [role]), password: DemoCast.password
    )
    let answer = try await visitor.post(
      "/sign-in", [("login", login), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
    #expect(answer.status == 303 && answer.location == "/", "\(role.rawValue): \(answer.status)")
  }

  /// Goes to the route with forged ids; what changes carries the token of a page that this visitor was shown.
  private func ask(_ route: String, as visitor: Visitor, signedIn: Bool) async throws -> Visitor.Answer {
    let parts = route.split(separator: " ")
    let path = Self.concrete(String(parts[1]))
    if parts[0] == "GET" { return try await visitor.get(path) }
    let page = try await visitor.get(signedIn ? "/account" : "/sign-in")
    let token = try #require(Visitor.token(in: page.text), "no form to send from for \(route)")
    if parts[0] != "POST" {
      return try await visitor.send(
        String(parts[0]), path, body: Data("{}".utf8), type: "application/json",
        headers: ["X-CSRF-Token": token, "Origin": visitor.base])
    }
    return try await visitor.post(path, [("csrf", token)])
  }

  private static func change(
    _ route: Route, _ path: String, _ form: String, as visitor: Visitor
  ) async throws -> Visitor.Answer {
    try await visitor.send(
      route.method.rawValue, path, body: Data(form.utf8), type: "application/x-www-form-urlencoded",
      headers: ["Origin": visitor.base])
  }

  /// By status: what was found to be wrong with made-up ids and empty forms was found behind the door.
  private static func isTurnedAway(_ answer: Visitor.Answer) -> Bool {
    answer.status == 401 || answer.status == 403
      || (300...399).contains(answer.status) && (answer.location ?? "").hasPrefix("/sign-in")
  }

  /// A forged id in every place: what comes behind the door is then "no such thing", never a fault.
  private static func concrete(_ path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).map {
      $0.hasPrefix("{") ? "019cc1bb-4a4c-7001-afeb-e075049b064e" : String($0)
    }.joined(separator: "/")
  }
}

/// The site on a free port while the body runs.
func withSite(
  _ node: Node, isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Void
) async throws {
  let (ports, found) = AsyncStream.makeStream(of: Int.self)
  let site = node.site { found.yield($0) }
  let serving = Task { try await site.run() }
  defer { serving.cancel() }
  let starting = Task { await ports.first { _ in true } }
  let port = try #require(await starting.value, "the site did not start")
  try await body("http://127.0.0.1:\(port)")
}
