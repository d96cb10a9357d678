import Kernel
import Logging
import Testing
import Web

@testable import WebServer

@Suite struct `The door` {
  @Test(arguments: [
    ("/mine", "", 303, "/sign-in?next=%2Fmine"),
    ("/catalog?q=a%26b", "", 303, "/sign-in?next=%2Fcatalog%3Fq%3Da%2526b"),
    ("/mine", "sid=stranger", 303, "/sign-in?next=%2Fmine"), ("/mine", "sid=halfway", 303, "/sign-in?next=%2Fmine"),
    ("/mine", "sid=onestep", 303, "/sign-in/second-factor?next=%2Fmine"), ("/api/v1/things", "sid=onestep", 401, nil),
    ("/%E7%9B%AE", "", 404, nil),
    ("/mine", "sid=nobody", 200, nil), ("/catalog", "sid=nobody", 403, nil), ("/catalog", "sid=reader", 200, nil),
    ("/", "", 200, nil), ("/api/v1/things", "", 401, nil), ("/api/v1/things", "sid=halfway", 401, nil),
    ("/api/v1/things", "sid=nobody", 403, nil), ("/api/v1/things", "sid=reader", 200, nil),
    ("/mine", "sid=nobody; sid=reader", 303, "/sign-in?next=%2Fmine"),
  ])
  func `lets in who may come in, and shows others where to go`(
    path: String, cookie: String, status: Int, location: String?
  ) async throws {
    try await withSite { site async throws in
      let answer = try await site.get(path, [("Cookie", cookie)])
      #expect(answer.status == status)
      #expect(answer["location"] == location)
      if path.hasPrefix("/api/"), status >= 400 { #expect(answer["content-type"] == "application/problem+json") }
    }
  }

  @Test func `gives routes the token of a session that is not complete yet`() async throws {
    let routes: [Route] = [
      .get("/sign-in/second-factor", .anyone) { .plain("\($0.sessionToken ?? "-") \($0.principal?.name ?? "-")") }
    ]
    try await withSite(routes) { site async throws in
      #expect(try await site.get("/sign-in/second-factor", [("Cookie", "sid=halfway")]).body == "halfway -")
      #expect(try await site.get("/sign-in/second-factor", [("Cookie", "sid=stranger")]).body == "- -")
    }
  }

  static let signedIn = ("Cookie", "sid=reader")
  static let token = SampleSite.csrf

  @Test(
    arguments: [
      // what else is sent, the token in the form, the answer
      ([:], SampleSite.csrf, 303), (["Origin": "http://HOST"], SampleSite.csrf, 303),
      (["Sec-Fetch-Site": "same-origin"], SampleSite.csrf, 303), (["Sec-Fetch-Site": "none"], SampleSite.csrf, 303),
      ([:], "", 403), ([:], "0123456789abcdef0123456789abcdee", 403), ([:], "0123456789abcdef0123456789abcde", 403),
      (["Origin": "http://evil.example"], SampleSite.csrf, 403), (["Origin": "null"], SampleSite.csrf, 403),
      (["Origin": "http://HOST.evil.example"], SampleSite.csrf, 403),
      (["Sec-Fetch-Site": "cross-site"], SampleSite.csrf, 403), (["Sec-Fetch-Site": "same-site"], SampleSite.csrf, 403),
      (["Sec-Fetch-Site": "cross-site", "Origin": "http://HOST"], SampleSite.csrf, 403),
    ] as [([String: String], String, Int)])
  func `takes a change from our own pages only`(headers: [String: String], token: String, status: Int) async throws {
    try await withSite { site async throws in
      let sent = headers.map { ($0.key, $0.value.replacing("HOST", with: "127.0.0.1:\(site.port)")) }
      let answer = try await site.post("/save", form: "csrf=\(token)", sent + [Self.signedIn])
      #expect(answer.status == status)
    }
  }

  @Test func `ties the form of a visitor to the browser that asked for it`() async throws {
    try await withSite { site async throws in
      let page = try await site.get("/sign-in")
      let cookie = try #require(page.cookie("pre"))
      let token = String(try #require(page.body.firstMatch(of: /name="csrf" value="([0-9a-f]+)"/)).output.1)
      let other = try #require(try await site.get("/sign-in").cookie("pre"))
      #expect(other != cookie)
      func post(_ cookie: String, _ token: String) async throws -> Int {
        try await site.post("/sign-in", form: "csrf=\(token)", [("Cookie", cookie)]).status
      }
      #expect(try await post(cookie, token) == 303)
      #expect(try await post(other, token) == 403)
      #expect(try await post("", token) == 403)
      #expect(try await post(cookie, "") == 403)
      #expect(try await post(String(cookie.dropLast()), token) == 403)
      // A page without a form sets none, and one that has its cookie keeps it.
      #expect(try await site.get("/where").cookie("pre") == nil)
      #expect(try await site.get("/sign-in", [("Cookie", cookie)]).cookie("pre") == nil)
    }
  }

  @Test func `takes a change through the programming interface with its header and JSON only`() async throws {
    try await withSite { site async throws in
      func post(_ headers: [(String, String)]) async throws -> Int {
        try await site.send("POST", "/api/v1/things", headers + [Self.signedIn], Array("{}".utf8)).status
      }
      let (json, header) = (("Content-Type", "application/json"), ("X-CSRF-Token", SampleSite.csrf))
      #expect(try await post([json, header]) == 201)
      #expect(try await post([json]) == 403)
      #expect(try await post([("Content-Type", "text/plain"), header]) == 415)
      #expect(try await post([json, header, ("Origin", "http://evil.example")]) == 403)
    }
  }

  @Test func `starts and ends a session with a cookie that scripts cannot read`() async throws {
    try await withSite { site async throws in
      let page = try await site.get("/sign-in")
      let cookie = try #require(page.cookie("pre"))
      let token = try #require(page.body.firstMatch(of: /name="csrf" value="([0-9a-f]+)"/)).output.1
      let answer = try await site.post("/sign-in", form: "csrf=\(token)&next=//evil.example", [("Cookie", cookie)])
      #expect(answer["location"] == "/")
      #expect(answer.cookies.contains("sid=reader; Path=/; HttpOnly; SameSite=Lax"))
      #expect(answer.cookies.contains("pre=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
      let kept = "device=mark-after-none; Path=/; HttpOnly; SameSite=Lax; Max-Age=15552000"
      #expect(answer.cookies.contains(kept))
      let again = try await site.post("/sign-in", form: "csrf=\(token)&next=/", [("Cookie", "\(cookie); device=x")])
      #expect(again.cookie("device") == "device=mark-after-x")
      let end = try await site.post("/sign-out", form: "csrf=\(SampleSite.csrf)", [Self.signedIn])
      #expect(end.cookies.contains("sid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"))
      #expect(end["location"] == "/sign-in")
    }
  }

  @Test func `behind a proxy uses cookies of this host over TLS only, and believes the proxy alone`() async throws {
    try await withSite(SampleSite.routes, .init(port: 0, trustedProxies: ["127.0.0.0/8"])) { site async throws in
      let page = try await site.get("/sign-in")
      #expect(page.cookies.contains { $0.hasPrefix("__Host-pre=") && $0.hasSuffix("; Secure") })
      #expect(page["strict-transport-security"] == "max-age=31536000")
      #expect(try await site.get("/mine", [("Cookie", "sid=reader")]).status == 303)
      #expect(try await site.get("/mine", [("Cookie", "__Host-sid=reader")]).status == 200)
      let seen = try await site.get("/where", [("X-Forwarded-For", "9.9.9.9, 203.0.113.7, 127.0.0.5")])
      #expect(seen.body == "203.0.113.7")
    }
    try await withSite { site async throws in
      #expect(try await site.get("/where", [("X-Forwarded-For", "203.0.113.7")]).body == "127.0.0.1")
    }
  }

  @Test func `speaks plain HTTP with this machine and the declared proxies only, whatever it listens on`() async throws
  {
    func site(_ proxies: [String], tls: Bool = false) throws -> Site {
      try Site(
        routes: SampleSite.routes, sessions: SampleSite.sessions,
        configuration: .init(host: "0.0.0.0", tls: tls ? ("c", "k") : nil, trustedProxies: proxies),
        clock: SampleSite.clock, logger: .init(label: "test"))
    }
    let peers = [
      "127.0.0.1", "::1", "::ffff:127.0.0.1", "10.9.9.9", "::ffff:10.9.9.9", "10.9.9.8", "8.8.8.8", "fe80::1", "",
    ]
    let plain = try site(["10.9.9.9"])
    #expect(peers.map(plain.mayEnter) == [true, true, true, true, true, false, false, false, false])
    let secured = try site([], tls: true)
    #expect(peers.allSatisfy(secured.mayEnter))
    // From outside, where this machine has an outside.
    guard let own = RunningSite.ownAddress else { return }
    let request = Array("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)
    try await withSite(SampleSite.routes, .init(host: "0.0.0.0", port: 0, trustedProxies: ["192.0.2.1"])) {
      site async throws in
      let stranger = try await site.raw(request, at: own)
      #expect(stranger.status == 403 && stranger["content-type"] == "text/plain; charset=utf-8")
      #expect(stranger.body.contains(own) && stranger.body.contains("--trusted-proxy") && !stranger.body.contains("<"))
      #expect(try await site.raw(request).status == 200)
    }
    try await withSite(SampleSite.routes, .init(host: "0.0.0.0", port: 0, trustedProxies: [own])) { site async throws in
      #expect(try await site.raw(request, at: own).status == 200)
    }
  }

  @Test func `leads to an address that was typed as people write, and never away`() async throws {
    try await withSite { site async throws in
      let page = try await site.get("/sign-in")
      let cookie = try #require(page.cookie("pre"))
      let token = String(try #require(page.body.firstMatch(of: /name="csrf" value="([0-9a-f]+)"/)).output.1)
      for (next, led) in [
        ("/%E7%9B%AE%E5%BD%95", "/%E7%9B%AE%E5%BD%95"), ("/a b", "/a%20b"),
        ("/catalog?q=法人", "/catalog?q=%E6%B3%95%E4%BA%BA"),
        ("/catalog?q=%25E6", "/catalog?q=%E6"), ("/%0d%0aset-cookie:x", "/"), ("/a\"<b>", "/a%22%3Cb%3E"),
      ] {
        let answer = try await site.post("/sign-in", form: "csrf=\(token)&next=\(next)", [("Cookie", cookie)])
        #expect(answer.status == 303 && answer["location"] == led, "\(next): \(answer["location"] ?? "-")")
      }
      let typed = try await site.post("/typed", form: "csrf=\(token)", [("Cookie", cookie)])
      #expect(typed["location"] == "/%E7%9B%AE%E5%BD%95/a%20b?q=%E6%B3%95%E4%BA%BA&x=%E4#z")
      #expect(try await site.post("/away", form: "csrf=\(token)", [("Cookie", cookie)]).status == 500)
    }
  }

  @Test func `shows a message once, and none that it did not write`() async throws {
    try await withSite { site async throws in
      let done = try await site.post("/save", form: "csrf=\(SampleSite.csrf)", [Self.signedIn])
      #expect(done.status == 303 && done["location"] == "/")
      let flash = try #require(done.cookie("flash"))
      let page = try await site.get("/", [("Cookie", flash)])
      #expect(page.body.contains("已保存&lt;i&gt;。"))
      #expect(page.cookies.contains { $0.hasPrefix("flash=;") })
      #expect(try await site.get("/?lang=en", [("Cookie", flash)]).body.contains("Saved&lt;i&gt;."))
      let forged = try await site.get("/", [("Cookie", "flash=" + flash.dropFirst(6).dropLast() + "x")])
      #expect(!forged.body.contains("已保存"))
    }
  }

  @Test func `shows what a cookie can hold of a long message`() async throws {
    try await withSite { site async throws in
      let done = try await site.post("/long", form: "csrf=\(SampleSite.csrf)", [Self.signedIn])
      let flash = try #require(done.cookie("flash"))
      #expect(flash.utf8.count < 4096)
      let page = try await site.get("/", [("Cookie", flash)])
      #expect(page.body.contains(String(repeating: "江", count: 200)))
    }
  }

  @Test func `tells whoever was signed out why, once, and what became of the form`() async throws {
    try await withSite { site async throws in
      let posted = try await site.post("/save", form: "csrf=\(SampleSite.csrf)", [("Cookie", "sid=expired")])
      #expect(posted.status == 303 && posted["location"] == "/sign-in")
      #expect(posted.cookies.contains { $0.hasPrefix("sid=;") })
      let page = try await site.get("/sign-in", [("Cookie", try #require(posted.cookie("flash")))])
      #expect(page.body.contains("没有保存"))
      // Nobody was signed in: there is nothing to tell. Halfway in: the session stays.
      #expect(try await site.get("/mine").cookies.isEmpty)
      #expect(try await site.get("/mine", [("Cookie", "sid=halfway")]).cookies.isEmpty)
    }
  }

  @Test func `never sends anybody to another site`() async throws {
    try await withSite { site async throws in
      let page = try await site.get("/sign-in")
      let token = try #require(page.body.firstMatch(of: /name="csrf" value="([0-9a-f]+)"/)).output.1
      let answer = try await site.post("/away", form: "csrf=\(token)", [("Cookie", page.cookie("pre") ?? "")])
      #expect(answer.status == 500 && answer["location"] == nil)
    }
  }
}

@Suite struct `What a browser says` {
  @Test(arguments: [
    ("127.0.0.0/8", "127.1.2.3", true), ("127.0.0.0/8", "128.0.0.1", false), ("10.1.0.0/15", "10.0.255.1", true),
    ("10.1.0.0/15", "10.2.0.1", false), ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false),
    ("fd00::/8", "fd12::1", true), ("fd00::/8", "fe80::1", false), ("10.0.0.0/8", "::ffff:10.0.0.1", true),
    ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false), ("10.0.0.0/8", "not an address", false),
  ])
  func `is believed of an address in a block`(block: String, address: String, expected: Bool) throws {
    #expect(try #require(AddressBlock(block)).contains(address) == expected)
  }

  @Test(arguments: ["10.0.0.0/33", "10.0.0", "proxy.example", "", "10.0.0.0/", "10.0.0.0/-1", "1.2.3.4/8/8"])
  func `is no block unless it is an address`(text: String) { #expect(AddressBlock(text) == nil) }

  @Test(arguments: [
    ("sid=a", "a"), ("x=1; sid=a; y=2", "a"), ("sid=a;sid=b", nil), ("xsid=a", nil), ("sid", nil), ("sid=a=b", "a=b"),
    ("", nil),
  ])
  func `has one cookie of a name or none`(header: String, expected: String?) {
    #expect(Cookies(secure: false).read(.session, from: header) == expected)
  }

  @Test func `opens only with the seal and for the use it was made for`() {
    let (mine, other) = (Seal(), Seal())
    let sealed = mine.seal("a.b", as: "flash")
    #expect(mine.open(sealed, as: "flash") == "a.b")
    #expect(mine.open(sealed, as: "pre") == nil)
    #expect(other.open(sealed, as: "flash") == nil)
    #expect(mine.open("a.b", as: "flash") == nil && mine.open("", as: "flash") == nil)
  }
}
