import Kernel
import Logging
import Testing
import Web

@testable import WebServer

@Suite struct `A running site` {
  @Test func `answers a page, a head, a parameter and a file`() async throws {
    try await withSite { site async throws in
      let page = try await site.get("/")
      #expect(page.status == 200)
      #expect(page["content-type"] == "text/html; charset=utf-8")
      #expect(page.body.contains("<h1>首页</h1>"))
      let head = try await site.get("/", method: "HEAD")
      #expect(head.status == 200 && head.body.isEmpty)
      #expect(head["content-length"] == page["content-length"])
      #expect(try await site.get("/things/%E4%B8%89").body == "三")
      #expect(try await site.get("/things/new").body == "new one")
      #expect(try await site.get("/healthz").body == "ok\n")
      let file = try await site.get("/file")
      #expect(
        file["content-disposition"] == "attachment; filename=\"___x.csv\"; filename*=UTF-8''%E7%9B%AE%E5%BD%95%22x.csv")
    }
  }

  @Test(arguments: [
    ("GET", "/nowhere", 404, nil), ("GET", "/things", 404, nil), ("GET", "/things/a/b", 404, nil),
    ("POST", "/catalog", 405, "GET, HEAD"), ("GET", "/save", 405, "POST"), ("OPTIONS", "/", 405, "GET, HEAD"),
    ("PATCH", "/sign-in", 405, "GET, HEAD, POST"), ("PATCH", "/nowhere", 404, nil),
    ("POST", "/healthz", 405, "GET, HEAD"),
    ("GET", "/things/%zz", 400, nil), ("GET", "/things/%2Fetc", 400, nil), ("GET", "/things/%00", 400, nil),
    ("GET", "/../etc/passwd", 400, nil), ("GET", "/?a=%e4", 400, nil), ("GET", "/?a=%4", 400, nil),
  ])
  func `answers what is not there, not for this method or not readable`(
    method: String, path: String, status: Int, allow: String?
  ) async throws {
    try await withSite { site async throws in
      let answer = try await site.get(path, method: method)
      #expect(answer.status == status)
      #expect(answer["allow"] == allow)
      #expect(answer["content-type"] == "text/html; charset=utf-8")
    }
  }

  @Test func `what was refused says each thing once and leads to the nearest page above`() async throws {
    try await withSite { site async throws in
      let above = "<a class=\"button\" href=\"/catalog\">"
      #expect(try await site.get("/catalog/refuses/now", [("Cookie", "sid=reader")]).body.contains(above))
      // Nobody is led to what he may not open, nor above what may not be there.
      #expect(try await !site.get("/catalog/refuses/now", [("Cookie", "sid=nobody")]).body.contains(above))
      #expect(try await !site.get("/catalog/refuses/never", [("Cookie", "sid=reader")]).body.contains(above))
      let told = try await site.get("/catalog/refuses/where", [("Cookie", "sid=reader")])
      #expect(told.status == 422 && told.body.split(separator: "请选择&lt;b&gt;。").count == 2)
      #expect(told.body.contains("href=\"/things/%E4%B8%89\">打开</a>") && !told.body.contains(above))
      let asked = try await site.get("/catalog/refuses/plain?q=1", [("Cookie", "sid=reader")])
      #expect(asked.status == 422 && asked.body.contains("href=\"/catalog/refuses/plain\""))
    }
  }

  @Test(arguments: ["/", "/nowhere", "/fails", "/healthz", "/mine", "/api/v1/things", "/assets/nothing.css", "/file"])
  func `says on every answer what a browser may do with it`(path: String) async throws {
    try await withSite { site async throws in
      let answer = try await site.get(path)
      #expect(
        answer["content-security-policy"]
          == (path == "/file"
            // What a stranger sent in runs nothing and reaches nobody, should a browser show it after all.
            ? "default-src 'none'; sandbox"
            : "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'")
      )
      #expect(answer["x-content-type-options"] == "nosniff")
      #expect(answer["referrer-policy"] == "same-origin")
      #expect(answer["cross-origin-opener-policy"] == "same-origin")
      #expect(answer["cache-control"] == "no-store")
      #expect(answer["strict-transport-security"] == nil)
      #expect(answer["server"] == nil)
    }
  }

  @Test func `serves its stylesheet and script under names that change with them, to be kept`() async throws {
    try await withSite { site async throws in
      let page = try await site.get("/")
      for name in ["site.css", "site.js"] {
        let address = Assets.site.address(name)
        #expect(page.body.contains(address))
        let asset = try await site.get(address)
        #expect(asset.status == 200)
        #expect(asset["cache-control"] == "public, max-age=31536000, immutable")
      }
      #expect(!page.body.contains("style=\"") && !page.body.contains("<script>") && !page.body.contains("onclick"))
    }
  }

  @Test func `escapes what people typed and what they are called`() async throws {
    try await withSite { site async throws in
      let found = try await site.get("/catalog?q=%3Cscript%3Ealert(1)%3C/script%3E%22", [("Cookie", "sid=reader")])
      #expect(found.status == 200)
      #expect(!found.body.contains("<script>alert"))
      #expect(found.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;"))
      #expect(found.body.contains("王小明&lt;b&gt;") && !found.body.contains("小明<b>"))
    }
  }

  @Test(arguments: [
    ("/", nil, nil, "zh-CN"), ("/", nil, "en-GB,en;q=0.8", "en"), ("/", nil, "fr, zh;q=0.4, en;q=0.3", "zh-CN"),
    ("/", nil, "en;q=0, fr", "zh-CN"), ("/", "lang=en", "zh-CN", "en"), ("/", "lang=xx", nil, "zh-CN"),
    ("/?lang=en", "lang=zh-CN", nil, "en"), ("/?lang=klingon", nil, nil, "zh-CN"),
  ])
  func `speaks the language asked for, chosen before or preferred`(
    path: String, cookie: String?, accept: String?, expected: String
  ) async throws {
    try await withSite { site async throws in
      let headers = [cookie.map { ("Cookie", $0) }, accept.map { ("Accept-Language", $0) }].compactMap { $0 }
      let page = try await site.get(path, headers)
      #expect(page.body.contains("<html lang=\"\(expected)\""))
      #expect(page.cookie("lang") == (path == "/?lang=en" ? "lang=en" : nil))
    }
  }

  @Test func `tells people a reference and the log the error`() async throws {
    try await withSite { site async throws in
      for path in ["/fails", "/api/v1/fails"] {
        let answer = try await site.get(path)
        #expect(answer.status == 500)
        #expect(!answer.body.contains("hunter2") && !answer.body.contains("Trouble"))
        let line = try #require(site.log.all.last { $0.contains("request failed") })
        #expect(line.contains("hunter2"))
        let reference = try #require(line.firstMatch(of: /[0-9a-f]{12}/)).output
        #expect(answer.body.contains(reference))
      }
      let broken = try await site.get("/", [("Cookie", "sid=broken")])
      #expect(broken.status == 500 && !broken.body.contains("hunter2"))
    }
  }

  @Test func `tells people what an error means for them where somebody knows`() async throws {
    var configuration = SiteServer.Configuration(port: 0)
    configuration.explain = {
      $0 is SampleSite.Trouble ? Refusal(.unavailable, "sample.full", Text("磁盘已满。", "The disk is full.")) : nil
    }
    try await withSite(SampleSite.routes, configuration) { site async throws in
      let page = try await site.get("/fails", [("Accept-Language", "zh-CN")])
      #expect(page.status == 503 && page.body.contains("磁盘已满。") && !page.body.contains("hunter2"))
      #expect(page["retry-after"] == "5")
    }
  }

  @Test func `takes a form that another process of the same node gave out`() async throws {
    var configuration = SiteServer.Configuration(port: 0)
    configuration.secret = Array("0123456789abcdef0123456789abcdef".utf8)
    let (cookie, token) = try await withSite(SampleSite.routes, configuration) { site async throws in
      let page = try await site.get("/sign-in")
      let token = try #require(page.body.firstMatch(of: /name="csrf" value="([0-9a-f]+)"/)).output.1
      return (page.cookie("pre"), String(token))
    }
    let pair = try #require(cookie).prefix { $0 != ";" }
    func answer(_ configuration: SiteServer.Configuration) async throws -> Int {
      try await withSite(SampleSite.routes, configuration) { site async throws in
        try await site.post("/sign-in", form: "csrf=\(token)", [("Cookie", String(pair))]).status
      }
    }
    let same = try await answer(configuration)
    #expect(same == 303)
    configuration.secret = nil
    let other = try await answer(configuration)
    #expect(other == 403)
  }

  @Test func `tells a refusal as a page, or as a problem`() async throws {
    try await withSite { site async throws in
      let page = try await site.get("/refuses", [("Accept-Language", "en")])
      #expect(page.status == 409 && page.body.contains("No."))
      let problem = try await site.get("/api/v1/refuses", [("Accept-Language", "en")])
      #expect(problem.status == 422)
      #expect(problem["content-type"] == "application/problem+json")
      let json = try JSONParser.parse(Array(problem.body.utf8))
      #expect(json["type"]?.string == "urn:sanjiang:problem:sample.name")
      #expect(json["status"]?.integer == 422)
      #expect(json["errors"]?.array?.first?["pointer"]?.string == "/name")
      let missing = try JSONParser.parse(Array(try await site.get("/api/v1/nowhere").body.utf8))
      #expect(missing["status"]?.integer == 404)
    }
  }

  @Test func `describes its programming interface, and answers an unchanged document with 304`() async throws {
    try await withSite { site async throws in
      let answer = try await site.get("/api/v1/openapi.json")
      let document = try JSONParser.parse(Array(answer.body.utf8))
      #expect(document["openapi"]?.string == "3.1.0")
      #expect(document["paths"]?["/api/v1/things"]?["post"] != nil)
      #expect(document["paths"]?["/catalog"] == nil)
      let tag = try #require(answer["etag"])
      let again = try await site.get("/api/v1/openapi.json", [("If-None-Match", tag)])
      #expect(again.status == 304 && again.body.isEmpty)
    }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n", 400), ("GET /healthz HTTP/1.1\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\n", 200),
  ])
  func `wants exactly one name of the host`(head: String, status: Int) async throws {
    try await withSite { site async throws in
      #expect(try await site.raw(Array((head + "Connection: close\r\n\r\n").utf8)).status == status)
    }
  }

  @Test(arguments: ["/things/%zz", "/?a=%4", "/?a=%e4", "/../x"])
  func `answers what cannot be read in the reader's language, and as to who is signed in`(path: String) async throws {
    try await withSite { site async throws in
      let answer = try await site.get(path, [("Cookie", "sid=reader; lang=en")])
      #expect(answer.status == 400 && answer.body.contains("<html lang=\"en\""))
      #expect(answer.body.contains("王小明") && !answer.body.contains("/sign-in"))
      let problem = try await site.get("/api/v1/things?a=%4", [("Accept-Language", "en")])
      #expect(problem.status == 400 && problem["content-type"] == "application/problem+json")
    }
  }

  @Test(arguments: [
    ("\"abc\"", 304), ("W/\"abc\"", 304), ("\"x\", \"abc\"", 304), ("\"x\" , W/\"abc\"", 304), ("*", 304), (" * ", 304),
    ("\"a,b\",\"abc\"", 304), ("\"ab\"", 200), ("abc", 200), ("", 200), ("\"x,\"abc\"", 200), ("W/\"x\"", 200),
    ("\"abc", 200),
  ])
  func `answers an unchanged state with 304, by whichever way it is named`(known: String, status: Int) async throws {
    try await withSite { site async throws in
      for path in ["/api/v1/things", "/api/v1/quoted"] {
        let answer = try await site.get(path, [("Cookie", "sid=reader"), ("If-None-Match", known)])
        #expect(answer.status == status, "\(path) \(known)")
        #expect(answer["etag"] == "\"abc\"" && answer["cache-control"] == "private, no-cache")
        #expect(answer.body.isEmpty == (status == 304))
      }
    }
  }

  @Test func `gives every answer of its interface a tag of what is in it`() async throws {
    try await withSite { site async throws in
      let first = try await site.get("/api/v1/plain?q=1")
      let tag = try #require(first["etag"])
      #expect(tag.count == 34 && tag.hasPrefix("\"") && tag.hasSuffix("\""))
      #expect(try await site.get("/api/v1/plain?q=1")["etag"] == tag)
      #expect(try await site.get("/api/v1/plain?q=2")["etag"] != tag)
      #expect(try await site.get("/api/v1/plain?q=1", [("If-None-Match", tag)]).status == 304)
      #expect(try await site.get("/api/v1/refuses")["etag"] == nil)
      let made = try await site.send(
        "POST", "/api/v1/things",
        [("Content-Type", "application/json"), ("X-CSRF-Token", SampleSite.csrf), ("Cookie", "sid=reader")],
        Array("{}".utf8))
      #expect(made.status == 201 && made["etag"] == nil)
    }
  }

  @Test func `names in its description the cookie that it uses`() async throws {
    for (configuration, name) in [
      (SiteServer.Configuration(port: 0), "sid"), (.init(port: 0, trustedProxies: ["192.0.2.1"]), "__Host-sid"),
    ] {
      try await withSite(SampleSite.routes, configuration) { site async throws in
        let document = try JSONParser.parse(Array(try await site.get("/api/v1/openapi.json").body.utf8))
        #expect(document["components"]?["securitySchemes"]?["session"]?["name"]?.string == name)
      }
    }
  }

  @Test func `says before it starts what is wrong with it`() {
    func server(_ configuration: SiteServer.Configuration) -> SiteServer {
      SiteServer(
        routes: SampleSite.routes, sessions: SampleSite.sessions, configuration: configuration, clock: SampleSite.clock,
        logger: .init(label: "test"))
    }
    for (configuration, code) in [
      (SiteServer.Configuration(host: "0.0.0.0"), "web.plain-http"),
      (.init(trustedProxies: ["x"]), "web.trusted-proxy"),
      (.init(tls: ("/nowhere/cert.pem", "/nowhere/key.pem")), "web.tls"),
    ] {
      let refused = #expect(throws: Refusal.self) { try server(configuration).validate() }
      #expect(refused?.code == code)
    }
    #expect(throws: Never.self) { try server(.init()).validate() }
  }

  @Test func `tells when to come back`() async throws {
    var tooMany = Refusal(.tooMany, "sample.wait", Text("请稍候。", "Wait."))
    tooMany.retryAfter = 7
    let refusal = tooMany
    let routes: [Route] = [
      .get("/thrown", .anyone) { _ in throw refusal },
      .get("/shown", .anyone) { _ in
        var page = Page(Text("等", "Wait"), status: 429, body: "<p>x</p>")
        page.retryAfter = 7
        return .page(page)
      },
    ]
    try await withSite(routes) { site async throws in
      for path in ["/thrown", "/shown"] {
        let answer = try await site.get(path)
        #expect(answer.status == 429 && answer["retry-after"] == "7")
      }
    }
  }

  @Test func `logs the names in a query and never its values`() async throws {
    try await withSite { site async throws in
      _ = try await site.get("/catalog?q=%E7%8E%8B%E5%B0%8F%E6%98%8E&page=2", [("Cookie", "sid=reader")])
      let line = try #require(site.log.all.first { $0.contains("/catalog") })
      #expect(line.contains("GET /catalog?q&page 200"))
      #expect(line.contains("person"))
      #expect(!line.contains("%E7") && !line.contains("王小明"))
      #expect(!line.contains("reader"))
    }
  }

  @Test func `stops when it is asked to`() async throws {
    let site = try await withSite { site async throws in
      #expect(try await site.get("/healthz").status == 200)
      return site
    }
    #expect(try await site.get("/healthz").status == 0)
  }
}
