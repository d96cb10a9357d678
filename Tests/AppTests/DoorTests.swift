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

/// Who may enter where, as the house means it: written down here once more by hand, and compared with nothing but what
/// the running site does. Whoever changes a door changes this page too, and reads what he has changed.
private enum Doors {
  typealias Line = (route: String, opensTo: Set<Role?>)

  static let anybody = Set(Role.allCases.map(Optional.init) + [nil])
  static let signedIn = anybody.subtracting([nil])
  /// Whoever works with data: those who ask, who decide, who hold it, and the platform's operator.
  static let offices: Set<Role?> = [.clerk, .leader, .dataOfficer, .platformOperator]
  static let officers: Set<Role?> = [.dataOfficer]
  static let operators: Set<Role?> = [.platformOperator]
  static let leaders: Set<Role?> = [.leader]
  static let askers: Set<Role?> = [.clerk, .dataOfficer]
  /// The log: all of it, or what the own department did.
  static let readersOfTheLog: Set<Role?> = [.auditAdministrator, .dataOfficer, .leader, .platformOperator]
  static let administrators: Set<Role?> = [.systemAdministrator, .securityAdministrator, .auditAdministrator]
  static let security: Set<Role?> = [.securityAdministrator]

  static let table: [Line] =
    coming + account + people + systems + catalogue + mounting + feedback + attachments + census + sharing
    + deliveries + supervision + log

  private static let coming: [Line] = [
    ("GET /", anybody),
    ("GET /sign-in", anybody),
    ("POST /sign-in", anybody),
    ("GET /sign-in/second-factor", anybody),
    ("POST /sign-in/second-factor", anybody),
    ("GET /sign-in/password", anybody),
    ("POST /sign-in/password", anybody),
    ("GET /sign-in/enrol", anybody),
    ("POST /sign-in/enrol", anybody),
    ("POST /sign-out", anybody),
  ]

  private static let account: [Line] = [
    ("GET /inbox", signedIn),
    ("POST /inbox/notices/{id}", signedIn),
    ("GET /account", signedIn),
    ("GET /account/password", signedIn),
    ("POST /account/password", signedIn),
    ("POST /account/second-factor", signedIn),
    ("POST /account/sessions/end", signedIn),
    ("POST /account/deputies", signedIn),
    ("POST /account/deputies/end", signedIn),
    ("POST /account/act", signedIn),
    ("GET /account/kept/{id}", signedIn),
    ("POST /account/kept/{id}/discard", signedIn),
    ("GET /api/v1/me", signedIn),
    ("GET /api/v1/inbox", signedIn),
    ("GET /api/v1/inbox/notices", signedIn),
    ("POST /api/v1/inbox/notices/{id}", signedIn),
    ("GET /account/tokens", signedIn),
    ("POST /account/tokens", signedIn),
    ("POST /account/tokens/{id}/revoke", signedIn),
    ("GET /api/v1/tokens", signedIn),
    ("POST /api/v1/tokens", signedIn),
    ("DELETE /api/v1/tokens/{id}", signedIn),
  ]

  private static let people: [Line] = [
    ("GET /people", administrators),
    ("GET /people/tokens", administrators),
    ("POST /people/tokens/{id}/revoke", security),
    ("GET /people/new", security),
    ("POST /people/new", security),
    ("GET /people/{id}", administrators),
    ("POST /people/{id}/roles", security),
    ("POST /people/{id}/active", security),
    ("POST /people/{id}/reset", security),
    ("GET /organisations", signedIn),
    ("GET /organisations/{id}", signedIn),
    ("POST /organisations/{id}/node", security),
    ("GET /api/v1/organisations", signedIn),
  ]

  private static let systems: [Line] = [
    ("GET /systems", offices),
    ("GET /systems/new", officers),
    ("POST /systems", officers),
    ("GET /systems/{id}", offices),
    ("GET /systems/{id}/edit", officers),
    ("POST /systems/{id}", officers),
    ("GET /systems/{id}/sources/new", officers),
    ("POST /systems/{id}/sources", officers),
    ("GET /systems/{id}/sources/{source}/edit", officers),
    ("POST /systems/{id}/sources/{source}", officers),
    ("POST /systems/{id}/sources/{source}/probe", officers),
    ("GET /api/v1/systems", offices),
  ]

  private static let catalogue: [Line] = [
    ("GET /catalog", offices),
    ("GET /catalog/classes", offices),
    ("GET /catalog/classes/new", operators),
    ("POST /catalog/classes/new", operators),
    ("GET /catalog/classes/{code}/edit", operators),
    ("POST /catalog/classes/{code}/change", operators),
    ("POST /catalog/classes/{code}/retire", operators),
    ("GET /catalog/retired-classes", officers.union(operators)),
    ("POST /catalog/resources/{id}/move-class", officers),
    ("GET /catalog/moving-in", operators),
    ("GET /catalog/moving-in/{id}", operators),
    ("GET /catalog/moving-in/new", operators),
    ("POST /catalog/moving-in/new", operators),
    ("GET /catalog/moving-in/sent/{key}", operators),
    ("GET /catalog/moving-in/sent/{key}/report.xlsx", operators),
    ("GET /catalog/moving-in/mappings/{name}", operators),
    ("GET /catalog/moved", officers),
    ("POST /catalog/moved/done", officers),
    ("GET /api/v1/catalog/moving-in", operators),
    ("POST /api/v1/catalog/moving-in", operators),
    ("GET /api/v1/catalog/moving-in/{id}", operators),
    ("GET /api/v1/catalog/moved", officers),
    ("GET /api/v1/catalog/classes", offices),
    ("GET /api/v1/catalog/classes/{code}", offices),
    ("GET /catalog/resources/{id}", offices),
    ("GET /catalog/work", officers), ("POST /catalog/work", officers),
    ("GET /catalog/import", officers),
    ("POST /catalog/import", officers),
    ("GET /catalog/import/results/{key}", officers),
    ("GET /catalog/import/rejected/{key}", officers),
    ("GET /catalog/template.xlsx", officers),
    ("GET /catalog/new", officers),
    ("POST /catalog/drafts", officers),
    ("GET /catalog/resources/{id}/edit", officers),
    ("POST /catalog/resources/{id}/edit", officers),
    ("GET /catalog/resources/{id}/items", officers),
    ("POST /catalog/resources/{id}/items", officers),
    ("GET /catalog/resources/{id}/submit", officers),
    ("POST /catalog/resources/{id}/submit", officers),
    ("POST /catalog/resources/{id}/recall", officers),
    ("POST /catalog/resources/{id}/change", officers),
    ("GET /catalog/resources/{id}/discard", officers),
    ("POST /catalog/resources/{id}/discard", officers),
    ("GET /catalog/resources/{id}/compare", offices),
    ("GET /catalog/resources/{id}/offline", officers.union(operators)),
    ("POST /catalog/resources/{id}/offline", officers.union(operators)),
    ("GET /catalog/resources/{id}/online", officers.union(operators)),
    ("POST /catalog/resources/{id}/online", officers.union(operators)),
    ("POST /catalog/resources/{id}/online/recall", officers),
    ("GET /catalog/review", operators),
    ("POST /catalog/review", operators),
    ("GET /catalog/review/{id}", operators),
    ("POST /catalog/review/{id}", operators),
    ("GET /catalog/review/{id}/online", operators),
    ("POST /catalog/review/{id}/online", operators),
    ("GET /api/v1/catalog/classification", offices),
    ("POST /api/v1/catalog/classes", operators),
    ("PUT /api/v1/catalog/classes/{code}", operators),
    ("POST /api/v1/catalog/classes/{code}/retire", operators),
    ("GET /api/v1/catalog/retired-classes", officers.union(operators)),
    ("POST /api/v1/catalog/resources/{id}/move-class", officers),
    ("GET /api/v1/catalog/lists", offices),
    ("GET /api/v1/catalog/review", operators),
    ("POST /api/v1/catalog/review", operators),
    ("GET /api/v1/catalog/review/online", operators),
    ("GET /api/v1/catalog/work", officers),
    ("GET /api/v1/catalog/offline", officers.union(operators)),
    ("POST /api/v1/catalog/drafts/submit", officers),
    ("GET /api/v1/catalog/resources/{id}/alike", operators),
    ("GET /api/v1/catalog/resources/{id}/compare", offices),
    ("GET /api/v1/catalog/resources/{id}/dependents", officers.union(operators)),
    ("POST /api/v1/catalog/resources/{id}/online/review", operators),
    ("POST /api/v1/catalog/resources/{id}/online/recall", officers),
    ("GET /api/v1/catalog/resources", offices),
    ("GET /api/v1/catalog/resources/{id}", offices),
    ("GET /api/v1/catalog/changes", offices),
    ("GET /api/v1/catalog/template", officers),
    ("GET /api/v1/catalog/resources/{id}/versions", offices),
    ("POST /api/v1/catalog/resources", officers),
    ("POST /api/v1/catalog/drafts", officers),
    ("GET /api/v1/catalog/resources/{id}/draft", officers.union(operators)),
    ("GET /api/v1/catalog/drafts", officers),
    ("PUT /api/v1/catalog/resources/{id}/draft", officers),
    ("POST /api/v1/catalog/resources/{id}/change", officers),
    ("POST /api/v1/catalog/resources/{id}/submit", officers),
    ("POST /api/v1/catalog/resources/{id}/recall", officers),
    ("POST /api/v1/catalog/resources/{id}/discard", officers),
    ("POST /api/v1/catalog/resources/{id}/review", operators),
    ("POST /api/v1/catalog/resources/{id}/publish", operators),
    ("POST /api/v1/catalog/resources/{id}/offline", officers.union(operators)),
    ("POST /api/v1/catalog/resources/{id}/online", officers.union(operators)),
  ]

  /// Who speaks of entries: everybody of an office that reads them, but raising and answering are not for leaders.
  static let speakers: Set<Role?> = [.clerk, .dataOfficer, .leader]

  private static let feedback: [Line] = [
    ("GET /feedback/objections", offices),
    ("GET /feedback/objections/late", operators),
    ("GET /feedback/objections/new", askers),
    ("POST /feedback/objections", askers),
    ("GET /feedback/objections/{id}", offices),
    ("POST /feedback/objections/{id}", askers.union(operators)),
    ("GET /feedback/resources/{id}", offices),
    ("POST /feedback/resources/{id}/rating", speakers),
    ("POST /feedback/resources/{id}/questions", speakers),
    ("POST /feedback/questions/{id}/answer", officers),
    ("GET /catalog/saved", offices),
    ("GET /catalog/saved/new", offices),
    ("POST /catalog/saved", offices),
    ("GET /catalog/saved/{id}", offices),
    ("POST /catalog/saved/{id}", offices),
    ("GET /api/v1/feedback/objections", offices),
    ("GET /api/v1/feedback/objections/late", operators),
    ("POST /api/v1/feedback/objections", askers),
    ("GET /api/v1/feedback/objections/{id}", offices),
    ("POST /api/v1/feedback/objections/{id}", askers.union(operators)),
    ("GET /api/v1/feedback/questions", offices),
    ("POST /api/v1/feedback/questions", speakers),
    ("GET /api/v1/feedback/questions/{id}", offices),
    ("POST /api/v1/feedback/questions/{id}", officers),
    ("GET /api/v1/feedback/ratings", offices),
    ("POST /api/v1/feedback/ratings", speakers),
    ("GET /api/v1/feedback/searches", offices),
    ("POST /api/v1/feedback/searches", offices),
    ("GET /api/v1/feedback/searches/{id}", offices),
    ("POST /api/v1/feedback/searches/{id}", offices),
  ]

  private static let attachments: [Line] = [
    ("GET /catalog/resources/{id}/attachments", officers),
    ("POST /catalog/resources/{id}/attachments", officers),
    ("POST /catalog/resources/{id}/attachments/remove", officers),
    ("GET /catalog/resources/{id}/attachments/{file}", offices),
    ("GET /catalog/resources/{id}/print", offices),
    ("GET /api/v1/catalog/resources/{id}/attachments", offices),
    ("GET /api/v1/catalog/resources/{id}/attachments/{file}", offices),
    ("POST /api/v1/catalog/resources/{id}/attachments", officers),
    ("DELETE /api/v1/catalog/resources/{id}/attachments/{file}", officers),
    ("GET /catalog/resources/{id}/bundle.zip", offices),
  ]

  /// Those who see what a census comes to: not the clerks.
  static let readersOfTheCensus: Set<Role?> = [.dataOfficer, .leader, .platformOperator]

  private static let census: [Line] = [
    ("GET /census", readersOfTheCensus),
    ("GET /census/new", operators),
    ("POST /census", operators),
    ("GET /census/campaigns/{id}", readersOfTheCensus),
    ("GET /census/campaigns/{id}/lines", readersOfTheCensus),
    ("GET /census/campaigns/{id}/totals.xlsx", readersOfTheCensus),
    ("GET /census/campaigns/{id}/totals.csv", readersOfTheCensus),
    ("GET /census/campaigns/{id}/close", operators),
    ("POST /census/campaigns/{id}/close", operators),
    ("GET /census/returns/{id}", readersOfTheCensus),
    ("POST /census/returns/{id}", officers),
    ("POST /census/returns/{id}/submit", officers),
    ("POST /census/returns/{id}/recall", officers),
    ("POST /census/returns/{id}/decide", operators),
    ("GET /census/returns/{id}/lines.xlsx", readersOfTheCensus),
    ("GET /census/returns/{id}/lines.csv", readersOfTheCensus),
    ("POST /census/returns/{id}/workbook", officers),
    ("GET /census/rejected/{key}", officers),
    ("GET /census/returns/{id}/print", readersOfTheCensus),
    ("GET /api/v1/census/campaigns", readersOfTheCensus),
    ("GET /api/v1/census/campaigns/{id}", readersOfTheCensus),
    ("GET /api/v1/census/returns/{id}", readersOfTheCensus),
    ("PUT /api/v1/census/returns/{id}", officers),
    ("POST /api/v1/census/campaigns", operators),
    ("POST /api/v1/census/campaigns/{id}/close", operators),
    ("POST /api/v1/census/returns/{id}/submit", officers),
    ("POST /api/v1/census/returns/{id}/recall", officers),
    ("POST /api/v1/census/returns/{id}/decide", operators),
  ]

  private static let mounting: [Line] = [
    ("GET /mounting", officers.union(operators).union(leaders)),
    ("GET /mounting/ties/{id}", officers.union(operators).union(leaders)),
    ("POST /mounting/ties/{id}/test", officers.union(operators).union(leaders)),
    ("POST /mounting/ties/{id}/remove", officers),
    ("GET /mounting/resources/{id}", officers),
    ("GET /mounting/resources/{id}/table", officers),
    ("POST /mounting/resources/{id}/table", officers),
    ("POST /mounting/resources/{id}/files", officers),
    ("POST /mounting/resources/{id}/api", officers),
    ("GET /systems/{id}/sources/{source}/tables", officers),
    ("POST /mounting/sources/{id}/read", officers),
    ("POST /mounting/sources/{id}/drafts", officers),
    ("GET /mounting/batches/{id}", officers),
    ("GET /mounting/sources/{id}/changes", officers),
    ("POST /mounting/changes/{id}/take", officers),
    ("POST /mounting/changes/{id}/dismiss", officers),
    ("GET /api/v1/mounting/ties", officers.union(operators).union(leaders)),
    ("POST /api/v1/mounting/ties/{id}/test", officers.union(operators).union(leaders)),
    ("GET /api/v1/mounting/ties/{id}", officers.union(operators).union(leaders)),
    ("DELETE /api/v1/mounting/ties/{id}", officers),
    ("GET /api/v1/mounting/resources/{id}", officers.union(operators).union(leaders)),
    ("GET /api/v1/mounting/resources/{id}/table", officers),
    ("POST /api/v1/mounting/resources/{id}/table", officers),
    ("POST /api/v1/mounting/resources/{id}/files", officers),
    ("POST /api/v1/mounting/resources/{id}/api", officers),
    ("GET /api/v1/mounting/sources", officers),
    ("GET /api/v1/mounting/sources/{id}/tables", officers),
    ("POST /api/v1/mounting/sources/{id}/read", officers),
    ("POST /api/v1/mounting/sources/{id}/drafts", officers),
    ("GET /api/v1/mounting/batches/{id}", officers),
    ("GET /api/v1/mounting/sources/{id}/changes", officers),
    ("POST /api/v1/mounting/changes/{id}/take", officers),
    ("POST /api/v1/mounting/changes/{id}/dismiss", officers),
  ]

  private static let sharing: [Line] = [
    ("GET /requests", offices),
    ("GET /requests/new", askers),
    ("POST /requests/new", askers),
    ("GET /requests/{id}", offices),
    ("GET /requests/{id}/print", offices),
    ("POST /requests/{id}/attachments", askers),
    ("POST /requests/{id}/attachments/remove", askers),
    ("GET /requests/{id}/attachments/{file}", offices),
    ("POST /requests/{id}/own", leaders),
    ("POST /requests/{id}/review", operators),
    ("POST /requests/{id}/decide", officers),
    ("POST /requests/{id}/refuse", officers),
    ("POST /requests/{id}/ask", officers),
    ("POST /requests/{id}/supplement", askers),
    ("POST /requests/{id}/withdraw", askers),
    ("GET /grants", offices),
    ("GET /grants/{id}", offices),
    ("GET /grants/{id}/print", offices),
    ("POST /grants/{id}/order", officers.union(operators)),
    ("GET /api/v1/requests", offices),
    ("GET /api/v1/requests/{id}", offices),
    ("GET /api/v1/grants", offices),
    ("GET /api/v1/grants/{id}", offices),
  ]

  private static let deliveries: [Line] = [
    ("GET /deliveries", offices),
    ("POST /grants/{id}/deliver", askers.union(operators)),
    ("GET /deliveries/{id}", offices),
    ("POST /deliveries/{id}/cancel", askers.union(operators)),
    ("GET /deliveries/{id}/quarantine", offices),
    ("POST /deliveries/{id}/quarantine", officers),
    ("POST /deliveries/{id}/hand-back", askers.union(operators)),
    ("POST /hand-backs/{id}", officers),
    ("GET /tasks", offices),
    ("GET /tasks/flows", offices),
    ("GET /tasks/failures", offices),
    ("GET /tasks/sources", offices),
    ("POST /tasks/sources", officers.union(operators)),
    ("GET /tasks/{id}", offices),
    ("POST /tasks/{id}/compare", askers.union(operators)),
    ("POST /comparisons/{id}", askers.union(operators)),
    ("POST /comparisons/{id}/repair", askers.union(operators)),
    ("POST /tasks/{id}/settings", officers.union(operators)),
    ("POST /tasks/{id}/rules", officers.union(operators)),
    ("POST /tasks/{id}/rules/remove", officers.union(operators)),
    ("POST /tasks/{id}/columns", officers.union(operators)),
    ("POST /tasks/{id}/columns/remove", officers.union(operators)),
    ("POST /tasks/{id}/dictionaries", officers.union(operators)),
    ("POST /tasks/{id}/dictionaries/remove", officers.union(operators)),
    ("POST /tasks/{id}/pause", officers.union(operators)),
    ("POST /tasks/{id}/resume", officers.union(operators)),
    ("GET /api/v1/tasks", offices),
    ("GET /api/v1/tasks/{id}", offices),
    ("GET /api/v1/metrics", offices),
    ("GET /api/v1/deliveries", offices),
    ("GET /api/v1/deliveries/{id}", offices),
  ]

  /// Everybody's row or the own department's alone, as the visitor is.
  private static let supervisors: Set<Role?> = [.leader, .dataOfficer, .platformOperator]

  private static let supervision: [Line] = [
    ("GET /supervision", supervisors),
    ("GET /supervision/rows", supervisors),
    ("GET /supervision/rows.csv", supervisors),
    ("GET /supervision/trend", supervisors),
    ("GET /api/v1/supervision/matrix", supervisors),
    ("GET /api/v1/supervision/rows", supervisors),
    ("GET /api/v1/supervision/trend", supervisors),
  ]

  private static let log: [Line] = [
    ("GET /audit", readersOfTheLog),
    ("GET /audit/records/{id}", readersOfTheLog),
    ("GET /audit/records/{id}/proof.json", readersOfTheLog),
    ("GET /audit/checkpoints", readersOfTheLog),
    ("GET /api/v1/audit/records", readersOfTheLog),
    ("GET /api/v1/audit/records/{id}/proof", readersOfTheLog),
    ("GET /api/v1/audit/checkpoints/latest", readersOfTheLog),
  ]

  /// What ends a session, or stands before one, sends whoever it let in to the sign-in page, or says that nobody is
  /// signed in so far: there the answer does not tell whether the door was open.
  static let answersLikeADoor: Set<String> = [
    "POST /sign-out", "POST /sign-in/second-factor", "POST /sign-in/password", "POST /sign-in/enrol",
  ]
}

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
