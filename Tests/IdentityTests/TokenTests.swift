@testable import Identity
import Kernel
import NationalCrypto
import Storage
import TestKit
import Testing
import Web

private let asking = Permission("test.ask")

extension Desk {
  /// A clerk and a token of his with the one scope that clerks have.
  fileprivate func issued(_ login: String = "li", days: Int = 90) async throws -> (
    clerk: Principal, token: ApplicationToken, secret: String
  ) {
    try await hire(login)
    let clerk = try await principal(of: login)
    let made = try await tokens.issue(.init(name: "目录同步", scopes: [asking], days: days), by: clerk)
    return (clerk, made.token, made.secret)
  }

  fileprivate func refusalCode(_ secret: String, from source: String = "10.2.2.2") async throws -> String? {
    try await refusal { try await tokens.resolve(secret, from: source) }?.code
  }
}

@Suite struct `An application token` {
  @Test func `is sj_ and 256 bits of letters and digits, each of them in use`() {
    let many = (0..<400).map { _ in TokenSecret.make() }
    #expect(Set(many).count == 400 && many.allSatisfy { TokenSecret.isWellFormed($0) && $0.utf8.count == 46 })
    var counts: [Character: Int] = [:]
    for character in many.joined().filter({ $0 != "_" }) { counts[character, default: 0] += 1 }
    #expect(counts.count == 62)
    // 17,200 drawn: each about 277 times. A letter favoured by a plain remainder would come a quarter more often.
    #expect(counts.filter { !"sj".contains($0.key) }.values.allSatisfy { (180...380).contains($0) })
    for wrong in [
      "", "sj_", String(many[0].dropLast()), many[0] + "a", "sk_" + many[0].dropFirst(3), " " + many[0],
      many[0].replacingOccurrences(at: 10, with: "-"),
    ] {
      #expect(!TokenSecret.isWellFormed(wrong), "\(wrong)")
    }
  }

  @Test(arguments: Engine.allCases)
  func `acts for its issuer within its scopes, and only its digest is kept`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let (clerk, token, secret) = try await desk.issued()
      let acting = try await desk.tokens.resolve(secret, from: "10.2.2.2")
      #expect(acting.person == clerk.person && acting.organisation == clerk.organisation)
      #expect(acting.permissions == [asking] && acting.token == ActingToken(id: token.id, name: "目录同步"))
      let digest = try await desk.db.read { try $0.text("SELECT digest FROM identity_token") }
      #expect(digest == SM3.hash(secret).hex && token.hint == String(secret.prefix(8)))
      let log = try await desk.log()
      #expect(log.contains { $0.action == "identity.token.issue" && $0.detail.contains("scopes=test.ask") })
      #expect(!log.contains { $0.detail.contains(secret) || $0.subject.contains(secret) })
    }
  }

  @Test(arguments: Engine.allCases)
  func `is refused when it is unknown, expired, revoked or its issuer suspended, each with its reason in the log`(
    engine: Engine
  ) async throws {
    try await Desk.open(engine) { desk in
      let (clerk, _, secret) = try await desk.issued(days: 2)
      #expect(try await desk.refusalCode(TokenSecret.make()) == "identity.token.unknown")
      #expect(try await desk.refusalCode("sj_short") == "identity.token.malformed")
      desk.time.advance(by: .seconds(2 * 86_400 - 1))
      #expect(try await desk.refusalCode(secret) == nil)
      desk.time.advance(by: .seconds(1))
      #expect(try await desk.refusalCode(secret) == "identity.token.expired")
      let again = try await desk.tokens.issue(.init(name: "目录同步", scopes: [asking]), by: clerk)
      _ = try await desk.tokens.revoke(again.token.id, by: clerk)
      #expect(try await desk.refusalCode(again.secret) == "identity.token.revoked")
      let third = try await desk.tokens.issue(.init(name: "第三", scopes: [asking]), by: clerk)
      try await desk.db.write {
        try $0.run("UPDATE identity_person SET is_active = \(false) WHERE id = \(clerk.person)")
      }
      #expect(try await desk.refusalCode(third.secret) == "identity.token.suspended")
      let refused = try await desk.log().filter { $0.action == "identity.token.refuse" }.map(\.detail)
      // Records of one moment stand in no order.
      #expect(
        refused.map { String($0.split(separator: " ")[1]) }.sorted()
          == ["expired", "malformed", "revoked", "suspended", "unknown"].map { "reason=\($0)" })
      #expect(refused.allSatisfy { $0.contains("source=10.2.2.2") })
    }
  }

  @Test(arguments: Engine.allCases)
  func `never does more than its issuer may at that moment, and ends when the account is not to be trusted`(
    engine: Engine
  ) async throws {
    try await Desk.open(engine) { desk in
      let (clerk, _, secret) = try await desk.issued()
      let id = try existing(clerk.person)
      try await desk.people.assign([.dataOfficer], to: id, version: desk.person(id).version, by: desk.security)
      #expect(try await desk.tokens.resolve(secret, from: "10.2.2.2").permissions == [])
      try await desk.people.assign([.leader], to: id, version: desk.person(id).version, by: desk.security)
      #expect(try await desk.tokens.resolve(secret, from: "10.2.2.2").permissions == [asking])

      try await desk.people.setActive(false, id, version: desk.person(id).version, by: desk.security)
      try await desk.people.setActive(true, id, version: desk.person(id).version, by: desk.security)
      #expect(try await desk.refusalCode(secret) == "identity.token.revoked", "suspension ends it for good")
      let second = try await desk.tokens.issue(.init(name: "二", scopes: [asking]), by: desk.principal(of: "li"))
      _ = try await desk.people.reset(id, withSecondFactor: false, by: desk.security)
      #expect(try await desk.refusalCode(second.secret) == "identity.token.revoked")
      let ended = try await desk.log().filter { $0.action == "identity.token.revoke" }.map(\.detail)
      #expect(ended.sorted() == ["owner=人员li reason=reset", "owner=人员li reason=suspended"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `is issued within bounds only: one's own rights, a year, a name, twenty at a time`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let (clerk, _, _) = try await desk.issued()
      func fault(_ draft: Tokens.Draft, by principal: Principal) async throws -> String? {
        let refused = try await refusal { try await desk.tokens.issue(draft, by: principal) }
        return refused.map { $0.faults.first?.field ?? $0.code }
      }
      #expect(try await fault(.init(name: "甲", scopes: [asking, .peopleManage]), by: clerk) == "scopes")
      #expect(try await fault(.init(name: "甲", scopes: []), by: clerk) == "scopes")
      #expect(try await fault(.init(name: "甲", scopes: [asking], days: 366), by: clerk) == "days")
      #expect(try await fault(.init(name: "甲", scopes: [asking], days: 0), by: clerk) == "days")
      #expect(try await fault(.init(name: " ", scopes: [asking]), by: clerk) == "name")
      #expect(try await fault(.init(name: "目录同步", scopes: [asking]), by: clerk) == "name", "the name is taken")
      var other = clerk
      other.onBehalfOf = desk.security.person
      #expect(try await fault(.init(name: "甲", scopes: [asking]), by: other) == "identity.token.oneself")
      other = clerk
      other.token = ActingToken(id: .make(), name: "程序")
      #expect(try await fault(.init(name: "甲", scopes: [asking]), by: other) == "identity.token.oneself")
      for index in 1..<Tokens.most {
        _ = try await desk.tokens.issue(.init(name: "令牌\(index)", scopes: [asking], days: 365), by: clerk)
      }
      #expect(try await fault(.init(name: "又一个", scopes: [asking]), by: clerk) == "identity.token.many")
    }
  }

  @Test(arguments: Engine.allCases)
  func `is revoked by its issuer, by the security administrator or by itself, and by nobody else`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let (clerk, token, secret) = try await desk.issued()
      try await desk.hire("han")
      let other = try await desk.principal(of: "han")
      let foreign = try await refusal { try await desk.tokens.revoke(token.id, by: other) }
      #expect(foreign?.kind == .notFound)
      let second = try await desk.tokens.issue(.init(name: "二", scopes: [asking]), by: clerk)
      let acting = try await desk.tokens.resolve(secret, from: "10.2.2.2")
      let sideways = try await refusal { try await desk.tokens.revoke(second.token.id, by: acting) }
      #expect(sideways?.kind == .forbidden, "a program ends no other program's token")
      #expect(try await desk.tokens.revoke(token.id, by: acting).endedAt != nil)
      #expect(try await desk.tokens.revoke(second.token.id, by: desk.security).endedBy == desk.security.person)
      #expect(try await desk.refusalCode(second.secret) == "identity.token.revoked")
      // Twice is no second record.
      _ = try await desk.tokens.revoke(second.token.id, by: clerk)
      let ended = try await desk.log().filter { $0.action == "identity.token.revoke" }.map(\.detail)
      #expect(ended.sorted() == ["owner=人员li", "withToken=目录同步"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `writes its last use once in a quarter of an hour`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let (_, token, secret) = try await desk.issued()
      func used() async throws -> String? {
        let found = try await desk.db.read { try TokenStore.find(token.id, in: $0) }
        return found?.usedAt.map { "\($0) \(found?.usedFrom ?? "")" }
      }
      #expect(try await used() == nil)
      let first = desk.time.now
      _ = try await desk.tokens.resolve(secret, from: "10.2.2.2")
      desk.time.advance(by: .seconds(14 * 60))
      _ = try await desk.tokens.resolve(secret, from: "10.3.3.3")
      #expect(try await used() == "\(first) 10.2.2.2")
      desk.time.advance(by: .seconds(2 * 60))
      _ = try await desk.tokens.resolve(secret, from: "10.3.3.3")
      #expect(try await used() == "\(desk.time.now) 10.3.3.3")
    }
  }

  @Test(arguments: Engine.allCases)
  func `that is bad is slowed down where it comes from and fills no log, and a good one never waits`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let (_, _, secret) = try await desk.issued()
      var codes: [String?] = []
      for _ in 0..<30 { codes.append(try await desk.refusalCode(TokenSecret.make())) }
      #expect(codes.prefix(5).allSatisfy { $0 == "identity.token.unknown" })
      #expect(codes.suffix(24).allSatisfy { $0 == "identity.sign-in.wait" })
      #expect(try await desk.refusalCode(secret) == nil)
      #expect(try await desk.refusalCode(TokenSecret.make(), from: "10.9.9.9") == "identity.token.unknown")
      let refused = try await desk.log().filter { $0.action == "identity.token.refuse" }.count
      #expect(refused < 8)
    }
  }
}

@Suite struct `The pages of application tokens` {
  @Test(arguments: Engine.allCases)
  func `show the secret once, list what was issued, and revoke`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      let session = try await desk.enter("li")
      let made = try await desk.page(
        .post, "/account/tokens", as: session, [("name", "目录同步"), ("scopes", "test.ask"), ("days", "30")])
      let secret = try existing(made.body.text.split(separator: "<code>").dropFirst().first?.prefix(46))
      #expect(TokenSecret.isWellFormed(String(secret)))
      let list = try await desk.page(.get, "/account/tokens", as: session).body.text
      #expect(list.contains("目录同步") && list.contains("提问") && list.contains("从未") && !list.contains(secret))
      #expect(!list.contains("管理人员"), "a scope that one lacks is not offered")
      let wrong = try await desk.page(
        .post, "/account/tokens", as: session, [("name", "又"), ("scopes", "identity.people.manage"), ("days", "30")])
      #expect(wrong.status == 422 && wrong.body.text.contains("scopes-fault"))

      let officer = try await desk.enter("secadmin")
      let all = try await desk.page(.get, "/people/tokens", as: officer).body.text
      #expect(all.contains("人员li") && all.contains("提问") && !all.contains("test.ask"))
      let id = try existing(try await desk.db.read { try $0.text("SELECT id FROM identity_token") })
      let done = try await desk.ask(.post, "/people/tokens/{id}/revoke", as: officer, id: id)
      guard case .redirect(let address, let flash) = done else { throw Missing() }
      #expect(address == "/people/tokens" && flash?.english.contains("revoked") == true)
      let after = try await desk.page(.get, "/people/tokens", as: officer).body.text
      #expect(after.contains("已撤销") && after.contains("安全管理员"))
      let english = try await desk.page(.get, "/account/tokens", as: session, language: .english).body.text
      #expect(english.contains("Revoked") && english.contains("Good for (days)"))
    }
  }
}

extension String {
  fileprivate func replacingOccurrences(at offset: Int, with character: Character) -> String {
    String(enumerated().map { $0.offset == offset ? character : $0.element })
  }
}
