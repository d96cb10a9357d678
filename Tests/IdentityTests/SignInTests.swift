@testable import Identity
import Kernel
import NationalCrypto
import Storage
import TestKit
import Testing

private let staff = AccountPolicy(secondFactorFor: Set(Role.allCases))
private let newSecret = [UInt8](repeating: 9, count: SecondFactor.secretLength)

extension Desk {
  /// The code an authenticator would show now.
  func code(_ secret: [UInt8], drift: Int64 = 0) -> String {
    TOTP.code(secret, step: time.now.milliseconds / 30_000 + drift)
  }

  /// Sets up a second factor for who is signed in.
  func enrol(_ token: String) async throws -> [UInt8] {
    let secret = people.newSecondFactor().secret
    try await people.enrol(secret: secret, code: code(secret), for: existing(try await principal(token)))
    time.advance(by: .seconds(60))
    return secret
  }
}

@Suite struct `Coming in` {
  @Test(arguments: Engine.allCases)
  func `with the right password one is who one is, with the permissions of one's roles`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let id = try await desk.hire("li", [.clerk, .leader])
      let begun = try await desk.signIn.begin(login: "LI", password: Desk.password, source: "10.1.1.1")
      #expect(begun.stage == .full)
      let principal = try await desk.principal(begun.token)
      #expect(principal?.person == id)
      #expect(principal?.organisationName == "青海省市场监督管理局")
      #expect(principal?.permissions == [Permission("test.ask")])
      let stored = try await desk.db.read { tx in
        try tx.rows("SELECT token_hash, csrf FROM identity_session").map { try $0.text("token_hash") + $0.text("csrf") }
      }
      #expect(begun.token.count == 48)
      #expect(stored.count == 1 && !stored[0].contains(begun.token))
      #expect(stored[0].hasPrefix(SM3.hash(begun.token).hex))
    }
  }

  @Test(arguments: Engine.allCases)
  func `a wrong name, a wrong password, a suspended person and a name with NUL hear the same`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      let id = try await desk.hire("li")
      try await desk.hire("wang")
      try await desk.people.setActive(false, id, version: desk.person(id).version, by: desk.security)
      var heard: [Refusal?] = []
      for (login, password) in [
        ("nobody", Desk.password), ("wang", "wrong password"), ("li", Desk.password), ("wang\0", Desk.password),
        ("", ""),
        ("王", Desk.password), ("wang", ""), ("wang", Desk.password + " "),
      ] {
        heard.append(try await refusal { try await desk.enter(login, password) })
      }
      #expect(heard.allSatisfy { $0 == SignIn.wrong })
      #expect(heard.count == 8)
      let sessions = try await desk.db.read { try $0.int("SELECT count(*) FROM identity_session") }
      #expect(sessions == 0)
    }
  }

  @Test(arguments: Engine.allCases)
  func `every try is in the log, without the password, and a name nobody bears is not written down`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      for (login, password) in [
        ("li", "wrong password"), ("my-secret-word", "x"), ("my-secret-word", "y"), ("li", Desk.password),
      ] {
        desk.tick()
        _ = try await refusal { try await desk.enter(login, password) }
      }
      let log = try await desk.log().filter { $0.action.hasPrefix("identity.sign-in") }
      #expect(
        log.map(\.action) == [
          "identity.sign-in.refuse", "identity.sign-in.refuse", "identity.sign-in.refuse", "identity.sign-in",
        ])
      #expect(log.map(\.subject) == ["li", "—", "—", "人员li"])
      #expect(log[0].detail == "source=10.1.1.1 reason=password")
      #expect(log[1].detail == "source=10.1.1.1 reason=unknown")
      let traces = try await desk.db.read { tx in
        try tx.rows("SELECT subject FROM audit_record WHERE subject_kind = 'login'").map { try $0.text("subject") }
      }
      #expect(Set(traces).count == 1 && traces.count == 2)
      let payloads = try await desk.db.read { tx in
        try tx.rows("SELECT payload FROM audit_payload").map { try $0.text("payload") }.joined()
      }
      for secret in [Desk.password, "wrong password", "my-secret-word"] { #expect(!payloads.contains(secret)) }
    }
  }

  @Test(arguments: Engine.allCases)
  func `whoever guesses is slowed down, the person guessed at comes in from elsewhere and from the usual desk`(
    engine: Engine
  ) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      _ = try await desk.enter("li", from: "10.1.1.7")
      for _ in 0..<30 { _ = try await refusal { try await desk.enter("li", "guess", from: "10.1.1.66") } }
      let guesser = try await refusal { try await desk.enter("li", from: "10.1.1.66") }
      #expect(guesser?.kind == .tooMany, "even with the right password")
      let elsewhere = try await refusal { try await desk.enter("li", from: "10.2.1.1") }
      #expect(elsewhere == nil)
      let usual = try await refusal { try await desk.enter("li", from: "10.1.1.7") }
      #expect(usual == nil)
      desk.time.advance(by: .seconds(60))
      let later = try await refusal { try await desk.enter("li", from: "10.1.1.66") }
      #expect(later == nil)
    }
  }

  /// Signs in wholly and answers what the browser then keeps.
  private func mark(_ desk: Desk, _ login: String, held: String? = nil, from source: String = "10.1.1.7") async throws
    -> String
  {
    let token = try await desk.enter(login, from: source)
    return try existing(try await desk.signIn.device(token: token, held: held))
  }

  @Test(arguments: Engine.allCases)
  func `in the own browser one comes in at the first try while somebody at the same address guesses`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      let mark = try await mark(desk, "li")
      for number in 0..<60 {
        _ = try await refusal { try await desk.enter("li", "guess", from: "10.1.1.7") }
        _ = try await refusal { try await desk.enter("nobody\(number)", "guess", from: "10.1.1.7") }
      }
      let without = try await refusal { try await desk.enter("li", from: "10.1.1.7") }
      #expect(without?.kind == .tooMany && without?.retryAfter ?? 0 > 0)
      let begun = try await desk.signIn.begin(login: "li", password: Desk.password, source: "10.1.1.7", device: mark)
      #expect(begun.stage == .full)
      // And from where he has never been, under the same flood.
      for number in 0..<60 {
        _ = try await refusal { try await desk.enter("li", "guess", from: "10.9.9.9") }
        _ = try await refusal { try await desk.enter("nobody\(number)", "guess", from: "10.9.9.9") }
      }
      let away = try await desk.signIn.begin(login: "li", password: Desk.password, source: "10.9.9.9", device: mark)
      #expect(away.stage == .full)
    }
  }

  @Test(arguments: Engine.allCases)
  func `another's, a forged, an old or a revoked mark of a browser is worth nothing`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let id = try await desk.hire("li")
      try await desk.hire("wang")
      let (mine, others) = (try await mark(desk, "li"), try await mark(desk, "wang"))
      for _ in 0..<30 { _ = try await refusal { try await desk.enter("li", "guess", from: "10.1.1.7") } }
      let parts = mine.split(separator: ".").map(String.init)
      let later = "\(parts[0]).\(Int(parts[1])! + 1).\(parts[2])"
      func heard(_ mark: String, _ password: String = Desk.password) async throws -> Refusal.Kind? {
        try await refusal {
          try await desk.signIn.begin(login: "li", password: password, source: "10.1.1.7", device: mark)
        }?.kind
      }
      for forged in [
        others, later, mine.dropLast() + "0", "", "a.b.c", "..", String(repeating: "~", count: 500),
        "\(parts[0]).\(parts[1])",
        String(repeating: "a.1.b~", count: 300),
      ] where forged != mine {
        let kind = try await heard(String(forged))
        #expect(kind == .tooMany, "\(forged.prefix(80))")
      }
      let guess = try await heard(mine, "guess")
      #expect(guess == .unauthenticated, "its own tally lets it try")
      let hash = try await desk.db.read { try $0.text("SELECT password FROM identity_person WHERE id = \(id)") }
      let old = Devices.adding(
        id, password: try existing(hash), to: nil, key: Desk.key, at: desk.time.now - Devices.memory)
      let kind = try await heard(old)
      #expect(kind == .tooMany)
      _ = try await desk.people.reset(id, withSecondFactor: false, by: desk.security)
      let revoked = try await heard(mine)
      #expect(revoked == .tooMany)
    }
  }

  @Test(arguments: Engine.allCases)
  func `guessing through a copied mark is slowed down, and elsewhere does not touch its owner`(engine: Engine)
    async throws
  {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      let mark = try await mark(desk, "li")
      var kinds: [Refusal.Kind?] = []
      for _ in 0..<20 {
        kinds.append(
          try await refusal {
            try await desk.signIn.begin(login: "li", password: "guess", source: "10.66.6.6", device: mark)
          }?.kind)
      }
      #expect(kinds.filter { $0 == .unauthenticated }.count == SignInThrottle.freeAtOneAccount)
      let owner = try await desk.signIn.begin(login: "li", password: Desk.password, source: "10.1.1.7", device: mark)
      #expect(owner.stage == .full)
    }
  }

  @Test(arguments: Engine.allCases)
  func `a browser is marked for several people, by a whole sign-in only, anew each time`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let li = try await desk.hire("li")
      for number in 0..<6 { try await desk.hire("p\(number)") }
      let made = try await desk.people.create(
        .init(login: "zhao", name: "赵六", organisation: desk.market.id, roles: [.clerk]), by: desk.security)
      let half = try await desk.enter("zhao", made.oneTimePassword)
      let early = try await desk.signIn.device(token: half, held: nil)
      #expect(early == nil)
      var held = try await mark(desk, "li")
      let first = held
      held = try await mark(desk, "li", held: held)
      #expect(held != first && !held.contains("~"))
      for number in 0..<4 { held = try await mark(desk, "p\(number)", held: held) }
      func isKnown(_ held: String) async throws -> Bool {
        let (now, key) = (desk.time.now, Desk.key)
        return try await desk.db.read { tx in
          let hash = try tx.text("SELECT password FROM identity_person WHERE id = \(li)") ?? ""
          return Devices.number(in: held, of: li, password: hash, key: key, at: now) != nil
        }
      }
      let still = try await isKnown(held)
      #expect(still && held.split(separator: "~").count == Devices.most)
      held = try await mark(desk, "p5", held: held + "~<script>.1.x")
      let gone = try await isKnown(held)
      #expect(!gone && held.utf8.count < 500 && !held.contains("script"))
    }
  }

  @Test(arguments: Engine.allCases)
  func `a try in a pause waits for its turn rather than being refused`(engine: Engine) async throws {
    try await Desk.open(engine, patience: SignInThrottle.patience) { desk in
      try await desk.hire("li")
      for _ in 0..<12 { _ = try await refusal { try await desk.enter("li", "guess", from: "10.1.1.66") } }
      let start = desk.time.now
      let begun = try await desk.signIn.begin(login: "li", password: Desk.password, source: "10.1.1.66")
      #expect(begun.stage == .full && desk.time.now - start >= .seconds(15))
    }
  }

  @Test(arguments: Engine.allCases)
  func `an address is known for ninety days after it was last used`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let id = try await desk.hire("li")
      _ = try await desk.enter("li", from: "10.1.1.7")
      let (start, db) = (desk.time.now, desk.db)
      func known(_ days: Int) async throws -> Bool {
        let moment = start + .seconds(days * 86_400)
        return try await db.read { try KnownSources.contains("10.1.1.7", of: id, at: moment, in: $0) }
      }
      let (soon, late) = (try await known(89), try await known(90))
      #expect(soon && !late)
      desk.time.advance(by: .seconds(100 * 86_400))
      _ = try await desk.enter("li", from: "10.9.9.9")
      let kept = try await db.read { tx in
        try tx.rows("SELECT source FROM identity_known_source WHERE person = \(id)").map { try $0.text("source") }
      }
      #expect(kept == ["10.9.9.9"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a password kept at another cost is hashed anew when it comes by`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let id = try await desk.hire("li")
      let old = try await PasswordHasher(cost: .init(memoryKiB: 16, passes: 1), threads: 1).hash(Desk.password)
      try await desk.db.write { try PersonStore.setPassword(old, mustChange: false, of: id, in: $0) }
      _ = try await refusal { try await desk.enter("li", "guess") }
      let db = desk.db
      func kept() async throws -> String? {
        try await db.read { try $0.text("SELECT password FROM identity_person WHERE id = \(id)") }
      }
      let untouched = try await kept()
      #expect(untouched == old)
      _ = try await desk.enter("li")
      let renewed = try await kept()
      #expect(renewed?.hasPrefix("$argon2id$v=19$m=8,t=1,p=1$") == true)
      _ = try await desk.enter("li")
    }
  }
}

@Suite struct `A one-time password` {
  @Test(arguments: Engine.allCases)
  func `opens nothing but the page where it is replaced`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let made = try await desk.people.create(
        .init(login: "zhao", name: "赵六", organisation: desk.market.id, roles: [.clerk]), by: desk.security)
      let begun = try await desk.signIn.begin(login: "zhao", password: made.oneTimePassword, source: "10.1.1.1")
      #expect(begun.stage == .changePassword)
      let before = try await desk.principal(begun.token)
      #expect(before == nil)
      for (old, new, field) in [
        ("wrong", "three rivers meet", "old"), (made.oneTimePassword, "short", "new"),
        (made.oneTimePassword, made.oneTimePassword, "new"),
      ] {
        let refused = try await refusal { try await desk.people.changePassword(token: begun.token, old: old, new: new) }
        #expect(refused?.faults.map(\.field) == [field])
      }
      let token = try await desk.people.changePassword(
        token: begun.token, old: made.oneTimePassword, new: Desk.password)
      let (old, now) = (try await desk.principal(begun.token), try await desk.principal(token))
      #expect(old == nil)
      #expect(now?.name == "赵六")
      let again = try await refusal { try await desk.enter("zhao", made.oneTimePassword) }
      #expect(again == SignIn.wrong)
    }
  }

  @Test(arguments: Engine.allCases)
  func `guessing the present password from an open browser is slowed down`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      let token = try await desk.enter("li")
      var kinds: [Refusal.Kind?] = []
      for _ in 0..<6 {
        kinds.append(
          try await refusal { try await desk.people.changePassword(token: token, old: "guess", new: "a new long one") }?
            .kind)
      }
      #expect(kinds == [.invalid, .invalid, .invalid, .invalid, .invalid, .tooMany])
    }
  }
}

@Suite struct `A second factor` {
  @Test(arguments: Engine.allCases)
  func `is asked for once set up; each code serves once`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let id = try await desk.hire("li")
      let secret = try await desk.enrol(try await desk.enter("li"))
      let begun = try await desk.signIn.begin(login: "li", password: Desk.password, source: "10.1.1.1")
      #expect(begun.stage == .secondFactor)
      let half = try await desk.principal(begun.token)
      #expect(half == nil)
      let wrong = try await refusal { try await desk.signIn.secondFactor(token: begun.token, code: "000000") }
      #expect(wrong?.faults.map(\.field) == ["code"])
      let code = desk.code(secret)
      let done = try await desk.signIn.secondFactor(token: begun.token, code: code.prefix(3) + " " + code.suffix(3))
      #expect(done.stage == .full && done.token != begun.token)
      let (old, new) = (try await desk.principal(begun.token), try await desk.principal(done.token))
      #expect(old == nil && new?.person == id)
      let second = try await desk.enter("li")
      let again = try await refusal { try await desk.signIn.secondFactor(token: second, code: code) }
      #expect(again?.code == "identity.second-factor")
      let log = try await desk.log()
      #expect(log.filter { $0.detail.contains("reason=second-factor") }.count == 2)
      let sealed = try await desk.db.read { tx in
        try tx.row("SELECT totp_secret FROM identity_person WHERE id = \(id)")?.blobOrNil("totp_secret")
      }
      #expect(sealed != nil && sealed != secret)
    }
  }

  @Test(arguments: Engine.allCases)
  func `guessing codes is slowed down, and does not touch the person elsewhere`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      let secret = try await desk.enrol(try await desk.enter("li"))
      let half = try await desk.enter("li", from: "10.3.3.3")
      for _ in 0..<5 { _ = try await refusal { try await desk.signIn.secondFactor(token: half, code: "000000") } }
      let slowed = try await refusal { try await desk.signIn.secondFactor(token: half, code: desk.code(secret)) }
      #expect(slowed?.kind == .tooMany)
      let elsewhere = try await desk.enter("li", from: "10.4.4.4")
      let done = try await desk.signIn.secondFactor(token: elsewhere, code: desk.code(secret))
      #expect(done.stage == .full)
    }
  }

  @Test(arguments: Engine.allCases)
  func `cannot be replaced from an open browser, only after an administrator took it off`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let id = try await desk.hire("li")
      let token = try await desk.enter("li")
      _ = try await desk.enrol(token)
      let mine = newSecret
      let principal = try existing(try await desk.principal(token))
      let refused = try await refusal {
        try await desk.people.enrol(secret: mine, code: desk.code(mine), for: principal)
      }
      #expect(refused?.code == "identity.second-factor.set")
      let once = try await desk.people.reset(id, withSecondFactor: true, by: desk.security)
      let begun = try await desk.signIn.begin(login: "li", password: once, source: "10.1.1.1")
      #expect(begun.stage == .changePassword)
    }
  }

  @Test(arguments: Engine.allCases)
  func `where the roles ask for one, nobody is in before it is set up`(engine: Engine) async throws {
    try await Desk.open(engine, policy: AccountPolicy(secondFactorFor: [.leader])) { desk in
      try await desk.hire("clerk", [.clerk])
      try await desk.hire("leader", [.clerk, .leader])
      let (free, bound) = (
        try await desk.signIn.begin(login: "clerk", password: Desk.password, source: "10.1.1.1"),
        try await desk.signIn.begin(login: "leader", password: Desk.password, source: "10.1.1.1")
      )
      #expect(free.stage == .full && bound.stage == .enrol)
      let secret = newSecret
      let early = try await desk.principal(bound.token)
      #expect(early == nil)
      let wrong = try await refusal { try await desk.signIn.enrol(token: bound.token, secret: secret, code: "000000") }
      #expect(wrong?.faults.map(\.field) == ["code"])
      let notAsked = try await refusal {
        try await desk.signIn.enrol(token: free.token, secret: secret, code: desk.code(secret))
      }
      #expect(notAsked == SignIn.expired)
      let token = try await desk.signIn.enrol(token: bound.token, secret: secret, code: desk.code(secret))
      let (old, new) = (try await desk.principal(bound.token), try await desk.principal(token))
      #expect(old == nil && new?.name == "人员leader")
    }
  }

  @Test func `what is lacking comes in order: password, second factor, nothing`() {
    func person(_ mustChange: Bool, _ hasFactor: Bool) -> Person {
      Person(
        id: .make(), login: "li", name: "李", organisation: .make(), roles: [.clerk], isActive: true,
        mustChangePassword: mustChange, hasSecondFactor: hasFactor, version: 1)
    }
    let table: [(Bool, Bool, AccountPolicy, Session.Stage)] = [
      (false, false, AccountPolicy(), .full), (true, false, AccountPolicy(), .changePassword),
      (false, true, AccountPolicy(), .full), (false, false, staff, .enrol), (true, false, staff, .changePassword),
      (false, true, staff, .full), (true, true, staff, .changePassword),
      (false, false, AccountPolicy(secondFactorFor: [.leader]), .full),
    ]
    for (mustChange, hasFactor, policy, stage) in table {
      #expect(policy.lacking(person(mustChange, hasFactor)) == stage, "\(mustChange) \(hasFactor) \(policy)")
    }
  }

  @Test func `an authenticator's link is what the format asks for`() {
    #expect(
      SecondFactor.address(secret: "MZXW6", login: "li")
        == "otpauth://totp/Sanjiang:li?secret=MZXW6&issuer=Sanjiang&algorithm=SHA1&digits=6&period=30")
  }
}

@Suite struct `A session` {
  @Test(arguments: Engine.allCases)
  func `ends after a quarter of an hour unused, and lives on while used`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      let (used, unused) = (try await desk.enter("li"), try await desk.enter("li"))
      for _ in 0..<3 {
        desk.time.advance(by: .seconds(14 * 60))
        let principal = try await desk.principal(used)
        #expect(principal != nil)
      }
      let gone = try await desk.principal(unused)
      #expect(gone == nil)
      desk.time.advance(by: SessionStore.idle)
      let later = try await desk.principal(used)
      #expect(later == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `is not kept alive by a page that looks for news by itself`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      let token = try await desk.enter("li")
      for minutes in [7, 14] {
        desk.time.advance(by: .seconds(7 * 60))
        let polled = try await desk.signIn.resolve(token: token, isPolling: true)
        #expect(polled != nil, "\(minutes) minutes")
      }
      desk.time.advance(by: .seconds(7 * 60))
      let gone = try await desk.principal(token)
      #expect(gone == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `ends after ten hours however busy, and switching makes it no longer`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      var token = try await desk.enter("li")
      for _ in 0..<59 {
        desk.time.advance(by: .seconds(600))
        let principal = try await desk.principal(token)
        #expect(principal != nil)
        token = try await desk.signIn.act(token: token, for: nil)
      }
      desk.time.advance(by: .seconds(600))
      let over = try await desk.principal(token)
      #expect(over == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `half a sign-in is over after a quarter of an hour, used or not`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let made = try await desk.people.create(
        .init(login: "zhao", name: "赵六", organisation: desk.market.id, roles: [.clerk]), by: desk.security)
      let token = try await desk.enter("zhao", made.oneTimePassword)
      desk.time.advance(by: .seconds(10 * 60))
      let there = try await desk.signIn.resolve(token: token)
      #expect(there?.session.stage == .changePassword)
      desk.time.advance(by: .seconds(5 * 60))
      let gone = try await desk.signIn.resolve(token: token)
      #expect(gone == nil)
    }
  }

  @Test(arguments: Engine.allCases)
  func `writes down that it was seen at most once a minute`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      try await desk.hire("li")
      let (token, db) = (try await desk.enter("li"), desk.db)
      func seen() async throws -> String? { try await db.read { try $0.text("SELECT seen_at FROM identity_session") } }
      let first = try await seen()
      desk.time.advance(by: .seconds(60))
      _ = try await desk.principal(token)
      let same = try await seen()
      #expect(same == first)
      desk.time.advance(by: .seconds(1))
      _ = try await desk.principal(token)
      let moved = try await seen()
      #expect(moved == desk.time.now.description)
    }
  }

  @Test(arguments: Engine.allCases)
  func `is ended by going out, by its owner from the list, and not by a stranger`(engine: Engine) async throws {
    try await Desk.open(engine) { desk in
      let li = try await desk.hire("li")
      let wang = try await desk.hire("wang")
      let (a, b) = (try await desk.enter("li"), try await desk.enter("li"))
      try await desk.signIn.end(token: a)
      let (outA, inB) = (try await desk.principal(a), try await desk.principal(b))
      #expect(outA == nil && inB != nil)
      let now = desk.time.now
      let listed = try await desk.db.read { try SessionStore.list(of: li, at: now, in: $0) }
      #expect(listed.count == 1)
      try await desk.db.write { try SessionStore.end(id: listed[0].id, of: wang, in: $0) }
      let still = try await desk.principal(b)
      #expect(still != nil)
      try await desk.db.write { try SessionStore.end(id: listed[0].id, of: li, in: $0) }
      let ended = try await desk.principal(b)
      #expect(ended == nil)
      let log = try await desk.log().map(\.action)
      #expect(log.filter { $0 == "identity.sign-out" }.count == 1)
    }
  }

  @Test(arguments: ["", "x", String(repeating: "0", count: 48), String(repeating: "'", count: 48), "\0"])
  func `a forged token opens nothing`(token: String) async throws {
    try await Desk.open(.sqlite) { desk in
      let resolved = try await desk.signIn.resolve(token: token)
      #expect(resolved == nil)
      try await desk.signIn.end(token: token)
    }
  }
}
