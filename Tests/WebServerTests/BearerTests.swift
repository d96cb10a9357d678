import Kernel
import Testing
import Web

@testable import WebServer

@Suite struct `A program with a token` {
  private static let reads = ("Authorization", "Bearer sj_reads")

  @Test(
    arguments: [
      // the header, a cookie, the answer and what it says of tokens
      ("Bearer sj_reads", "", 200, nil), ("bearer   sj_reads", "", 200, nil),
      ("BEARER sj_reads", "sid=nobody", 200, nil),
      ("Bearer sj_idle", "", 403, "insufficient_scope"), ("Bearer sj_idle", "sid=reader", 403, "insufficient_scope"),
      ("Bearer sj_other", "", 401, "invalid_token"), ("Bearer sj_other", "sid=reader", 401, "invalid_token"),
      ("Bearer", "sid=reader", 401, "invalid_token"), ("Bearer sj_reads, Bearer sj_reads", "", 401, "invalid_token"),
      ("Bearer sj_reads x", "", 401, "invalid_token"), ("sj_reads", "", 401, nil),
      ("Basic c2o6eA==", "sid=reader", 200, nil),
    ] as [(String, String, Int, String?)])
  func `comes in at the interface by its header alone`(header: String, cookie: String, status: Int, fault: String?)
    async throws
  {
    try await withSite { site async throws in
      let answer = try await site.get("/api/v1/things", [("Authorization", header), ("Cookie", cookie)])
      #expect(answer.status == status)
      #expect((answer["www-authenticate"] != nil) == (status != 200))
      if let fault { #expect(answer["www-authenticate"] == "Bearer realm=\"sanjiang\", error=\"\(fault)\"") }
    }
  }

  @Test func `opens no page, and is not looked for in the address`() async throws {
    try await withSite { site async throws in
      let page = try await site.get("/catalog", [Self.reads])
      #expect(page.status == 303 && page["location"] == "/sign-in?next=%2Fcatalog")
      for query in ["access_token=sj_reads", "token=sj_reads", "authorization=Bearer%20sj_reads"] {
        #expect(try await site.get("/api/v1/things?\(query)").status == 401)
      }
      let form = try await site.post("/save", form: "csrf=\(SampleSite.csrf)", [Self.reads])
      #expect(form.status == 303 && form["location"] == "/sign-in")
      #expect(!site.log.all.joined().contains("sj_reads"))
    }
  }

  @Test func `needs no form token, while a cookie still does`() async throws {
    try await withSite { site async throws in
      func post(_ headers: [(String, String)]) async throws -> Int {
        try await site.send(
          "POST", "/api/v1/things", [("Content-Type", "application/json")] + headers, Array("{}".utf8)
        ).status
      }
      #expect(try await post([Self.reads]) == 201)
      #expect(try await post([Self.reads, ("Origin", "https://elsewhere.example")]) == 201)
      #expect(try await post([("Cookie", "sid=reader")]) == 403)
      #expect(try await post([("Cookie", "sid=reader"), ("X-CSRF-Token", SampleSite.csrf)]) == 201)
      #expect(try await post([("Cookie", "sid=reader"), ("Authorization", "Bearer sj_idle")]) == 403)
      #expect(site.log.all.contains { $0.contains(" token ") })
    }
  }

  @Test func `gets no secret, and nobody's secret is kept for a key`() async throws {
    try await withSite { site async throws in
      func post(_ headers: [(String, String)]) async throws -> RunningSite.Answer {
        try await site.send("POST", "/api/v1/secrets", headers, [])
      }
      let person = [("Cookie", "sid=nobody"), ("X-CSRF-Token", SampleSite.csrf)]
      #expect(try await post(person).status == 200)
      #expect(try await post(person + [("Idempotency-Key", "1")]).status == 400)
      let program = try await post([Self.reads])
      #expect(program.status == 403 && program.body.contains("request.token-door"))
    }
  }

  @Test func `finds in the document how to come in and what each address asks for`() async throws {
    try await withSite { site async throws in
      let document = try JSONParser.parse(Array(try await site.get("/api/v1/openapi.json").body.utf8))
      let token = document["components"]?["securitySchemes"]?["token"]
      #expect(token?["type"]?.string == "http" && token?["scheme"]?.string == "bearer")
      func security(_ method: String, _ path: String) -> String? {
        document["paths"]?[path]?[method]?["security"]?.text
      }
      #expect(security("get", "/api/v1/things") == #"[{"session":[]},{"token":["catalog.read"]}]"#)
      #expect(security("post", "/api/v1/secrets") == #"[{"session":[]}]"#)
      #expect(security("get", "/api/v1/fails") == "[]")
    }
  }
}
