import Catalog
import Foundation
import Identity
import Kernel
import Storage
import TestKit
import Testing
import Web

@testable import App

/// A program that keeps its catalogue here with a token of its officer's, over the running site.
@Suite struct ApplicationTokenTests {
  private static let entry = """
    {"name":"市场主体年报信息","classes":["3070120302"],"abstract":"全省市场主体年报，由各级主管部门形成，每月更新。","format":"0203",\
    "sharingType":"2","sharingCondition":"用于依法履行职责时核对。","methodClass":"1","methodType":"2","openType":"3",\
    "cycle":"4","secrecy":"0","level":"2","reference":"A-1",\
    "items":[{"name":"名称","column":"name","dataType":"C","length":100,"grade":"2"}]}
    """

  /// Sends without any cookie.
  private func send(
    _ base: String, _ method: String, _ path: String, _ token: String, _ body: String? = nil,
    _ headers: [String: String] = [:]
  ) async throws -> (status: Int, json: JSON, headers: [String: String]) {
    let answer = try await Visitor(base: base).send(
      method, path, body: body.map { Data($0.utf8) }, type: body == nil ? nil : "application/json",
      headers: ["Authorization": "Bearer \(token)"].merging(headers) { $1 })
    return (answer.status, try JSONParser.parse(Array(answer.body)), answer.headers)
  }

  private func enter(_ base: String, as login: String) async throws -> (visitor: Visitor, csrf: String) {
    let visitor = Visitor(base: base)
    let answer = try await visitor.post(
      "/sign-in", [("login", login), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
    #expect(answer.status == 303)
    let me = try JSONParser.parse(Array(try await visitor.get("/api/v1/me").body))
    return (visitor, try #require(me["csrfToken"]?.string))
  }

  private func code(_ answer: (status: Int, json: JSON, headers: [String: String])) -> String? {
    answer.json["type"]?.string?.replacingOccurrences(of: "urn:sanjiang:problem:", with: "")
  }

  @Test(arguments: Engine.allCases)
  func `is issued by interface, reads and writes without cookie and form token, and stands in the log`(engine: Engine)
    async throws
  {
    try await withNode(engine) { node, cast, _, _ in
      try await withSite(node) { base in
        let (officer, csrf) = try await enter(base, as: "ma.officer")
        func issue(_ body: String, _ headers: [String: String] = [:]) async throws -> (status: Int, json: JSON) {
          let answer = try await officer.send(
            "POST", "/api/v1/tokens", body: Data(body.utf8), type: "application/json",
            headers: ["X-CSRF-Token": csrf].merging(headers) { $1 })
          return (answer.status, try JSONParser.parse(Array(answer.body)))
        }
        let wanted = #"{"name":"目录同步","scopes":["catalog.read","catalog.compile"]}"#
        let made = try await issue(wanted)
        let secret = try #require(made.json["secret"]?.string)
        #expect(made.status == 201 && secret.hasPrefix("sj_") && secret.count == 46)
        #expect(try await issue(wanted, ["X-CSRF-Token": "guess"]).status == 403)
        #expect(try await issue(wanted, ["Idempotency-Key": "k"]).status == 400)
        #expect(try await issue(#"{"name":"审","scopes":["catalog.review"]}"#).status == 422)
        #expect(try await issue(#"{"name":"年","scopes":["catalog.read"],"days":366}"#).status == 422)
        #expect(try await issue(#"{"name":"名","scopes":["catalog.read"],"until":"2030"}"#).status == 422)

        let me = try await send(base, "GET", "/api/v1/me", secret)
        #expect(me.json["permissions"]?.array?.compactMap(\.string) == ["catalog.compile", "catalog.read"])
        #expect(me.json["token"] == made.json["token"]?["id"] && me.json["csrfToken"] == .null)
        #expect(me.headers["set-cookie"] == nil)
        let key = ["Idempotency-Key": "7d4f-1"]
        let first = try await send(base, "POST", "/api/v1/catalog/resources", secret, Self.entry, key)
        #expect(first.json["entries"]?.array?.first?["outcome"]?.string == "created", "\(first.json.text)")
        let again = try await send(base, "POST", "/api/v1/catalog/resources", secret, Self.entry, key)
        #expect(again.json == first.json && again.headers["idempotency-replayed"] == "true")
        // Another token of the same person has keys of its own.
        let second = try await issue(#"{"name":"另一程序","scopes":["catalog.compile"]}"#).json["secret"]?.string ?? ""
        let other = try await send(base, "POST", "/api/v1/catalog/resources", second, Self.entry, key)
        #expect(other.json["entries"]?.array?.first?["outcome"]?.string == "unchanged")

        // It issues none, and the one that was refused nothing has changed for.
        #expect(try await send(base, "POST", "/api/v1/tokens", secret, wanted).status == 403)
        let lacking = try await send(base, "GET", "/api/v1/systems", secret)
        #expect(lacking.status == 403 && lacking.headers["www-authenticate"]?.contains("insufficient_scope") == true)
        #expect(lacking.json["detail"]?.string?.contains("目录同步") == true)

        let log = try await node.database.read { tx in
          try tx.rows(
            """
            SELECT payload FROM audit_payload JOIN audit_record ON id = record WHERE action = 'catalog.import' ORDER BY id
            """
          ).map { try $0.text("payload") }
        }
        #expect(log.count == 2 && log[0].contains("withToken\t目录同步") && log[1].contains("withToken\t另一程序"))
        let issued = try await node.database.read {
          try $0.int("SELECT COUNT(*) FROM audit_record WHERE action = 'identity.token.issue'")
        }
        #expect(issued == 2)
        let answers = try await node.database.read {
          try $0.rows("SELECT body FROM idempotency_answer").map { try $0.blob("body") }
        }
        #expect(!answers.isEmpty && !answers.contains { String(decoding: $0, as: UTF8.self).contains("sj_") })
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `is refused once expired, revoked, its issuer suspended, or not whole`(engine: Engine) async throws {
    try await withNode(engine) { node, cast, clock, _ in
      try await withSite(node) { base in
        func issue(_ name: String, days: Int = 90) async throws -> (token: ApplicationToken, secret: String) {
          try await node.tokens.issue(.init(name: name, scopes: [.readCatalog], days: days), by: cast.officer)
        }
        let path = "/api/v1/catalog/resources"
        let (short, kept, ended) = (try await issue("短", days: 1), try await issue("长"), try await issue("止"))
        for one in [short, kept, ended] { #expect(try await send(base, "GET", path, one.secret).status == 200) }

        let (officer, csrf) = try await enter(base, as: "ma.officer")
        let gone = try await officer.send(
          "DELETE", "/api/v1/tokens/\(ended.token.id)", body: nil, type: nil, headers: ["X-CSRF-Token": csrf])
        #expect(gone.status == 200 && gone.text.contains(#""state":"revoked""#))
        let revoked = try await send(base, "GET", path, ended.secret)
        #expect(revoked.status == 401 && code(revoked) == "identity.token.revoked")
        #expect(revoked.headers["www-authenticate"] == "Bearer realm=\"sanjiang\", error=\"invalid_token\"")

        clock.advance(by: .seconds(86_400))
        let expired = try await send(base, "GET", path, short.secret)
        #expect(expired.status == 401 && code(expired) == "identity.token.expired")
        let cut = try await send(base, "GET", path, String(kept.secret.dropLast()))
        #expect(cut.status == 401 && code(cut) == "identity.token.malformed")
        let nobody = Visitor(base: base)
        for query in ["access_token", "token", "Authorization"] {
          #expect(try await nobody.get("\(path)?\(query)=\(kept.secret)").status == 401)
        }
        // A page is for people, whatever the token may.
        let page = try await nobody.get("/catalog", headers: ["Authorization": "Bearer \(kept.secret)"])
        #expect(page.status == 303 && page.location?.hasPrefix("/sign-in") == true)
        #expect(try await send(base, "GET", path, kept.secret).status == 200)

        let person = try #require(cast.officer.person)
        let version = try await node.database.read {
          try $0.int("SELECT version FROM identity_person WHERE id = \(person)")
        }
        try await node.people.setActive(
          false, person, version: version ?? 0, by: cast.principal("security.demo"))
        let suspended = try await send(base, "GET", path, kept.secret)
        #expect(suspended.status == 401 && code(suspended) == "identity.token.revoked")
        let refused = try await node.database.read {
          try $0.int("SELECT COUNT(*) FROM audit_record WHERE action = 'identity.token.refuse'")
        }
        #expect(refused == 4)
      }
    }
  }

  @Test func `is offered the scopes that some address asks for, and no others`() async throws {
    try await withStage(.sqlite) { stage in
      try await withSite(stage.node) { base in
        let visitor = Visitor(base: base)
        _ = try await visitor.post(
          "/sign-in", [("login", "ma.officer"), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
        let document = try JSONParser.parse(Array(try await visitor.get("/api/v1/openapi.json").body))
        let scopes =
          document["paths"]?["/api/v1/tokens"]?["post"]?["requestBody"]?["content"]?["application/json"]?[
            "schema"]?["properties"]?["scopes"]?["items"]?["enum"]?.array?.compactMap(\.string) ?? []
        let left = Set(Node.scopes.map(\.permission.name)).subtracting(scopes)
        #expect(
          left == [
            "inventory.manage", "frontnodes.ask", "sharing.request", "sharing.approve-own", "sharing.decide",
            "sharing.revoke", "exchange.run", "exchange.manage", "exchange.quarantine.open", "identity.people.read",
            "identity.organisations.manage",
          ])
        let page = try await visitor.get("/account/tokens")
        #expect(page.text.contains("value=\"catalog.compile\"") && !page.text.contains("inventory.manage"))
        #expect(page.text.contains("href=\"/api/v1/openapi.json\""))
      }
    }
  }

  @Test func `can be limited to every permission that a role has, each with a name of its own`() {
    let named = Node.scopes.map(\.permission)
    #expect(Set(named) == Set(Node.authority.table.keys) && Set(named).count == named.count)
    for language in [Language.chinese, .english] {
      #expect(Set(Node.scopes.map { language($0.title) }).count == named.count)
    }
  }
}
