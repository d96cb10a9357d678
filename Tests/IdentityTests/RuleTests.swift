@testable import Identity
import Kernel
import NationalCrypto
import Testing

@Suite struct `Roles kept apart` {
  @Test func `every pair of roles: administrators meet nobody, business roles meet freely`() {
    for a in Role.allCases {
      for b in Role.allCases where a != b {
        let mayMeet = !a.isAdministrative && !b.isAdministrative
        #expect((Role.conflict(in: [a, b]) == nil) == mayMeet, "\(a) with \(b)")
      }
      #expect(Role.conflict(in: [a]) == nil)
    }
    #expect(Role.conflict(in: Set(Role.allCases.filter { !$0.isAdministrative })) == nil)
  }

  @Test func `the reason says which rule it is`() {
    let two = Role.conflict(in: [.systemAdministrator, .auditAdministrator, .clerk])
    #expect(two?.english.contains("more than one") == true)
    #expect(Role.conflict(in: [.auditAdministrator, .clerk])?.chinese == "管理员不得兼任业务角色。")
  }

  @Test func `permissions of several roles are joined, and so are the parts of the table`() {
    let (a, b, c) = (Permission("x.a"), Permission("x.b"), Permission("x.c"))
    let authority = Authority([[a: [.clerk], b: [.leader]], [a: [.leader], c: [.auditAdministrator]]])
    #expect(authority.permissions(of: [.clerk]) == [a])
    #expect(authority.permissions(of: [.leader]) == [a, b])
    #expect(authority.permissions(of: [.clerk, .leader]) == [a, b])
    #expect(authority.permissions(of: []) == [])
  }

  @Test func `only the security administrator manages people, and business roles do not even read them`() {
    for role in Role.allCases {
      let permissions = Authority([People.authority]).permissions(of: [role])
      #expect(permissions.contains(.peopleManage) == (role == .securityAdministrator), "\(role)")
      #expect(permissions.contains(.peopleRead) == role.isAdministrative, "\(role)")
    }
  }
}

@Suite struct `Time-based codes` {
  /// RFC 6238 appendix B, SHA-1.
  @Test(arguments: [
    (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"), (1_234_567_890, "89005924"),
    (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
  ])
  func `the standard's examples`(seconds: Int, code: String) {
    let secret = Array("12345678901234567890".utf8)
    #expect(TOTP.code(secret, step: Int64(seconds) / 30, digits: 8) == code)
    #expect(TOTP.code(secret, step: Int64(seconds) / 30) == String(code.suffix(6)))
  }

  @Test func `one step of drift either way is taken, two are not`() {
    let secret = Array("12345678901234567890".utf8)
    let step: Int64 = 1000
    for drift in -3...3 {
      let code = TOTP.code(secret, step: step + Int64(drift))
      let taken = TOTP.accept(code, secret: secret, seconds: step * 30 + 7, lastUsed: nil)
      #expect(taken == (abs(drift) <= 1 ? step + Int64(drift) : nil), "\(drift)")
    }
  }

  @Test func `a code used before, or an earlier one, is refused`() {
    let secret = Array("12345678901234567890".utf8)
    let code = TOTP.code(secret, step: 1000)
    #expect(TOTP.accept(code, secret: secret, seconds: 30_000, lastUsed: 999) == 1000)
    #expect(TOTP.accept(code, secret: secret, seconds: 30_000, lastUsed: 1000) == nil)
    #expect(TOTP.accept(code, secret: secret, seconds: 30_030, lastUsed: 1001) == nil)
  }

  @Test(arguments: ["", "12345", "1234567", "abcdef", "１２３４５６"])
  func `what is no code of six digits is refused`(code: String) {
    #expect(TOTP.accept(code, secret: Array("12345678901234567890".utf8), seconds: 59, lastUsed: nil) == nil)
  }

  /// RFC 4648 section 10, without padding.
  @Test(arguments: [
    ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI"),
  ])
  func `base 32 as the standard has it`(plain: String, text: String) {
    #expect(TOTP.base32(Array(plain.utf8)) == text)
  }
}

@Suite struct `What a password must be` {
  @Test(arguments: [
    ("short", "identity.password.length"), ("ninechars", "identity.password.length"),
    (String(repeating: "长密码字", count: 33), "identity.password.length"),
    ("aaaaaaaaaa", "identity.password.common"), ("1234567890", "identity.password.common"),
    ("Password2026", "identity.password.common"), ("qwertyuiop", "identity.password.common"),
    ("poiuytrewq", "identity.password.common"), ("1qaz2wsx3edc", "identity.password.common"),
    ("abcdefghijkl", "identity.password.common"), ("zhangsan1234", "identity.password.common"),
    ("Qinghai2026!", "identity.password.common"),
  ])
  func `what everybody tries, or too short or long, is refused at its field`(password: String, code: String) {
    let refused = #expect(throws: Refusal.self) {
      try PasswordPolicy.staff.check(password, login: "zhangsan", field: "new")
    }
    #expect(refused?.code == code)
    #expect(refused?.faults.map(\.field) == ["new"])
  }

  @Test(arguments: [
    "three rivers meet here", "湟水黄河长江澜沧江都从这里流出", "kT9#mv!rQ2x", "password is not what I would ever take",
    String(repeating: "长密码字", count: 32),
  ])
  func `long ones of any characters are taken`(password: String) throws {
    try PasswordPolicy.staff.check(password, login: "zhangsan")
  }

  @Test func `kinds of characters are asked for only where the policy says so`() throws {
    let strict = PasswordPolicy(lengths: 8...64, kinds: 3)
    let refused = #expect(throws: Refusal.self) { try strict.check("three rivers", login: "li") }
    #expect(refused?.code == "identity.password.kinds")
    try strict.check("Three rivers", login: "li")
    try PasswordPolicy.staff.check("threerivers", login: "li")
  }

  @Test func `a character may not be a page of bytes`() {
    let heavy = "abcdefghij" + String(repeating: "\u{0301}", count: 600)
    #expect(heavy.count == 10)
    #expect(throws: Refusal.self) { try PasswordPolicy.staff.check(heavy, login: "li") }
  }

  @Test func `one-time passwords are long, all different, and easy to read out`() {
    let made = Set((0..<200).map { _ in PasswordPolicy.oneTime() })
    #expect(made.count == 200)
    for password in made {
      #expect(password.count == 24)
      #expect(password.split(separator: "-").map(\.count) == [4, 4, 4, 4, 4])
      #expect(!password.contains { "il1o0".contains($0) })
    }
  }
}

@Suite struct `Hashing passwords` {
  @Test func `the product pays what OWASP asks, in the form everybody reads`() async throws {
    let hasher = PasswordHasher()
    let hash = try await hasher.hash("three rivers")
    #expect(hash.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
    let parts = hash.split(separator: "$")
    #expect(parts[3].count == 22 && parts[4].count == 43, "16 bytes of salt, 32 of tag")
    let (right, wrong, nobody) = (
      try await hasher.verify("three rivers", hash), try await hasher.verify("three river", hash),
      try await hasher.verify("three rivers", nil)
    )
    #expect(right && !wrong && !nobody)
    #expect(!hasher.isOutdated(hash))
  }

  /// RFC 9106's reference implementation, phc-winner-argon2 test.c: argon2id, t=2, m=256, p=1, "password", "somesalt".
  @Test func `the reference implementation's own example is right`() async throws {
    let known = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
    let right = try await Desk.hasher.verify("password", known)
    #expect(right)
    #expect(Desk.hasher.isOutdated(known))
  }

  @Test func `the same password never has the same hash`() async throws {
    let (a, b) = (try await Desk.hasher.hash("x"), try await Desk.hasher.hash("x"))
    #expect(a != b)
  }

  @Test func `a hash that is none is wrong, not a crash`() async throws {
    for broken in ["", "plain", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abc"] {
      let right = try await Desk.hasher.verify("x", broken)
      #expect(!right, "\(broken)")
    }
  }

  @Test func `no more wait than the queue holds; the rest hear that we are busy`() async throws {
    let slow = PasswordHasher(cost: .init(memoryKiB: 1024, passes: 1), threads: 1)
    let results = await withTaskGroup(of: String.self) { group in
      for _ in 0..<PasswordHasher.mostWaiting * 2 {
        group.addTask {
          do { return try await slow.verify("x", nil) ? "right" : "wrong" } catch {
            return (error as? Refusal)?.code ?? "\(error)"
          }
        }
      }
      return await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
    }
    #expect(results["identity.busy", default: 0] > 0)
    #expect(results["wrong", default: 0] >= PasswordHasher.mostWaiting)
    #expect(results.values.reduce(0, +) == PasswordHasher.mostWaiting * 2)
  }
}
