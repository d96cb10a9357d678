import Kernel
import Testing
import Web

@testable import WebServer

@Suite struct `What is sent` {
  static let signedIn = ("Cookie", "sid=reader")

  @Test func `arrives as it was typed`() async throws {
    try await withSite { site async throws in
      let answer = try await site.post(
        "/echo", form: "csrf=\(SampleSite.csrf)&name=%E4%B8%89%E6%B1%9F+x&a=1&a=2&empty=", [Self.signedIn])
      #expect(answer.body == "name=三江 x|a=1|a=2|empty=")
    }
  }

  @Test(arguments: [
    ("name=%", "name"), ("name=%zz", "name"), ("name=%e4%b8", "name"), ("name=a%00b", "name"), ("%ff=1", ""),
    (String(repeating: "n", count: 201) + "=1", ""),
    ((0...1000).map { "f\($0)=1" }.joined(separator: "&"), "1000"),
  ])
  func `is refused when it is no form, with the field that is wrong`(form: String, named: String) async throws {
    try await withSite { site async throws in
      let answer = try await site.post("/echo", form: "csrf=\(SampleSite.csrf)&" + form, [Self.signedIn])
      #expect(answer.status == 400)
      #expect(answer.body.contains(named))
    }
  }

  @Test func `is refused when it is too large, before it is read`() async throws {
    try await withSite { site async throws in
      let large = try await site.post("/echo", form: "a=" + String(repeating: "x", count: 100_000), [Self.signedIn])
      #expect(large.status == 413 && large.body.contains("97 KiB"))
      // Announced but never sent.
      let announced = try await site.raw(
        Array(
          "POST /echo HTTP/1.1\r\nHost: x\r\nCookie: sid=reader\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9999999999\r\n\r\n"
            .utf8))
      #expect(announced.status == 413 && announced["connection"] == "close")
      // In pieces, without saying how much.
      let piece = "1000\r\n" + String(repeating: "y", count: 4096) + "\r\n"
      let chunked = try await site.raw(
        Array(
          ("POST /echo HTTP/1.1\r\nHost: x\r\nCookie: sid=reader\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
            + String(repeating: piece, count: 30) + "0\r\n\r\n").utf8))
      #expect(chunked.status == 413)
    }
  }

  @Test func `keeps the connection in step when a body was not wanted`() async throws {
    try await withSite { site async throws in
      let form = "csrf=wrong"
      let both =
        "POST /save HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: \(form.utf8.count)\r\n\r\n\(form)"
        + "GET /where HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
      let answer = try await site.raw(Array(both.utf8))
      #expect(answer.status == 303)
      #expect(answer.body.hasSuffix("127.0.0.1"))
    }
  }

  @Test(arguments: ["text/plain", "application/json", ""])
  func `is refused in another type than forms have`(type: String) async throws {
    try await withSite { site async throws in
      let answer = try await site.send(
        "POST", "/echo", [("Content-Type", type), Self.signedIn], Array("csrf=\(SampleSite.csrf)".utf8))
      #expect(answer.status == 415)
    }
  }

  @Test func `may hold files, whose names are names and not places`() async throws {
    try await withSite { site async throws in
      func part(_ head: String, _ content: String) -> String {
        "--xyz\r\nContent-Disposition: form-data; \(head)\r\n\r\n\(content)\r\n"
      }
      let body =
        part("name=\"csrf\"", SampleSite.csrf) + part("name=\"note\"", "三江")
        + "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../../etc/目录.csv\"\r\nContent-Type: text/csv\r\n\r\na\r\n--xy\r\n--xyz--\r\n"
      let type = ("Content-Type", "multipart/form-data; boundary=xyz")
      let answer = try await site.send("POST", "/echo", [type, Self.signedIn], Array(body.utf8))
      #expect(answer.body == "note=三江|file:目录.csv:7")
      for broken in [String(body.dropLast(9)), "--xyz\r\n", "", part("name=\"a\"", "1") + "--xyz--"] {
        let refused = try await site.send("POST", "/echo", [type, Self.signedIn], Array(broken.utf8))
        #expect((400...403).contains(refused.status))
      }
    }
  }

  @Test(arguments: [
    // A head that never ends; a body that stays silent; a body that takes too long as a whole.
    ("", 300, 60_000), ("\r\na=1", 300, 60_000), ("\r\na=1", 60_000, 300),
  ])
  func `has to come in time`(rest: String, idle: Int, whole: Int) async throws {
    var configuration = SiteServer.Configuration(port: 0)
    configuration.idleTimeout = .milliseconds(idle)
    configuration.bodyTimeout = .milliseconds(whole)
    try await withSite(SampleSite.routes, configuration) { site async throws in
      let started = ContinuousClock.now
      let half =
        "POST /echo HTTP/1.1\r\nHost: x\r\nCookie: sid=reader\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 50\r\n"
      let answer = try await site.raw(Array((half + rest).utf8))
      #expect(answer.status == 0)
      #expect(ContinuousClock.now - started < .seconds(8))
    }
  }

  @Test func `waits for its turn when others hold much, and is told when to come again`() async throws {
    var configuration = SiteServer.Configuration(port: 0)
    configuration.idleTimeout = .seconds(3)
    configuration.largeBodies = .init(from: 5000, together: 60_000)
    try await withSite(SampleSite.routes, configuration) { site async throws in
      @Sendable func sent(_ count: Int) async throws -> RunningSite.Answer {
        try await site.post(
          "/echo", form: "csrf=\(SampleSite.csrf)&a=" + String(repeating: "x", count: count), [Self.signedIn])
      }
      // Alone it may be of any size that is taken at all, and it leaves what it held.
      for _ in 0..<2 { #expect(try await sent(90_000).status == 200) }
      // Two that say how much they bring, or may bring anything, and then stay silent until they are cut off.
      for kind in ["Content-Length: 50000", "Transfer-Encoding: chunked"] {
        let head =
          "POST /echo HTTP/1.1\r\nHost: x\r\nCookie: sid=reader\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        // Whoever finds no room or was cut off comes again until somebody else found none.
        let isSeen = Flag()
        async let silent = until({ $0 != 503 && isSeen.isSet }) {
          try await site.raw(Array((head + kind + "\r\n\r\n").utf8))
        }
        let busy = try await until({ $0 == 503 }) { try await sent(20_000) }
        isSeen.set()
        #expect(busy.status == 503 && busy["retry-after"] == "10", "\(kind)")
        #expect(busy.body.contains("请稍后重新提交"))
        #expect(try await sent(4000).status == 200, "a small one needs no turn")
        #expect(try await silent.status == 0)
        let after = try await until({ $0 == 200 }) { try await sent(20_000) }
        #expect(after.status == 200, "what was cut off holds nothing")
      }
    }
  }

  /// Asks again until the status is as wanted, at most for some seconds.
  private func until(
    _ wanted: @Sendable (Int) -> Bool, _ ask: @Sendable () async throws -> RunningSite.Answer
  ) async throws -> RunningSite.Answer {
    let started = ContinuousClock.now
    while true {
      let answer = try await ask()
      if wanted(answer.status) || ContinuousClock.now - started > .seconds(60) { return answer }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  @Test func `has a head of limited size`() async throws {
    try await withSite { site async throws in
      let many = (0..<150).map { ("X-Header-\($0)", "1") }
      for (path, headers) in [
        ("/", many), ("/", [("X-Long", String(repeating: "x", count: 40_000))]),
        ("/?q=" + String(repeating: "x", count: 9000), []),
      ] {
        let answer = try await site.get(path, headers)
        #expect(answer.status == 400)
      }
    }
  }
}

@Suite struct `A server that is set up wrongly` {
  @Test(arguments: [
    (SiteServer.Configuration(host: "0.0.0.0", port: 0), "web.plain-http"),
    (SiteServer.Configuration(host: "::", port: 0), "web.plain-http"),
    (SiteServer.Configuration(port: 0, trustedProxies: ["proxy.example"]), "web.trusted-proxy"),
    (SiteServer.Configuration(port: 0, tls: ("/nowhere/cert.pem", "/nowhere/key.pem")), "web.tls"),
    (SiteServer.Configuration(host: "127.0.0.1", port: 1 << 20), "web.port"),
  ])
  func `says why and does not start`(configuration: SiteServer.Configuration, code: String) async throws {
    let refusal = await #expect(throws: Refusal.self) { try await withSite(SampleSite.routes, configuration) { _ in } }
    #expect(refusal?.code == code)
  }

  @Test func `does not take a port that is taken`() async throws {
    try await withSite { site async throws in
      let refusal = await #expect(throws: Refusal.self) {
        try await withSite(SampleSite.routes, .init(port: site.port)) { _ in }
      }
      #expect(refusal?.code == "web.listen")
    }
  }
}
