import Kernel
import Testing
import Web

@Suite struct `JSON text` {
  @Test(
    arguments: [
      ("null", .null), (" true ", true), ("-0", 0), ("12", 12), ("-9223372036854775808", .integer(.min)),
      ("9223372036854775808", .decimal("9223372036854775808")), ("1.50", .decimal("1.50")), ("1e-3", .decimal("1e-3")),
      ("\"a\\u4e09\\n\\\"\\/\\ud83d\\ude00\"", "a三\n\"/😀"), ("[]", []), ("{}", [:]),
      ("[1,[2,{\"a\":null}]]", [1, [2, ["a": nil]]]),
      ("{ \"b\" : 1 , \"a\" : [ ] }", ["b": 1, "a": []]), ("\u{FEFF}1", 1), ("\"\"", ""), ("\"\u{7F}\"", "\u{7F}"),
    ] as [(String, JSON)])
  func `reads what is JSON`(text: String, value: JSON) throws {
    #expect(try JSONParser.parse(Array(text.utf8)) == value)
  }

  @Test(arguments: [
    ("", 0), ("  ", 2), ("nul", 0), ("True", 0), ("01", 1), ("+1", 0), (".5", 0), ("1.", 2), ("1e", 2), ("--1", 1),
    ("1 2", 2),
    ("[1,]", 3), ("[1 2]", 3), ("[", 1), ("{\"a\"}", 4), ("{\"a\":1,}", 7), ("{a:1}", 1), ("{\"a\":1,\"a\":2}", 7),
    ("\"a", 0),
    ("\"\\x\"", 1), ("\"\\u12g4\"", 5), ("\"\\ud800\"", 1), ("\"\\ud800\\u0041\"", 1), ("\"\\udc00\"", 1),
    ("\"a\\u0000\"", 2), ("{\"\\u0000\":1}", 2),
    ("\"a\nb\"", 2), ("'a'", 0),
    ("NaN", 0), ("1\u{FEFF}", 1), ("{} x", 3),
  ])
  func `refuses what is not, naming the byte`(text: String, byte: Int) {
    #expect(throws: Refusal.self) { try JSONParser.parse(Array(text.utf8)) }
    do throws(Refusal) {
      _ = try JSONParser.parse(Array(text.utf8))
    } catch {
      #expect(error.message.english.hasPrefix("JSON, byte \(byte):"), "\(text): \(error.message.english)")
    }
  }

  @Test func `a fault in a later line is told by its line`() {
    let refusal = #expect(throws: Refusal.self) {
      try JSONParser.each(in: Array("{\"a\":1}\n{\"a\":2}\n{a:3}\n".utf8)) { _ in }
    }
    #expect(refusal?.message.chinese == "JSON 第 3 行（第 17 字节）：此处应为字段名。", "\(refusal?.message.chinese ?? "")")
  }

  @Test(arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] as [[UInt8]])
  func `refuses what is not UTF-8`(bytes: [UInt8]) {
    #expect(throws: Refusal.self) { try JSONParser.parse(bytes) }
  }

  @Test func `goes no deeper and takes no more than it was told`() throws {
    let nested = { (depth: Int) in
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    #expect(throws: Never.self) { try JSONParser.parse(nested(32)) }
    #expect(throws: Refusal.self) { try JSONParser.parse(nested(33)) }
    #expect(throws: Refusal.self) { try JSONParser.parse(nested(1_000_000)) }
    #expect(throws: Refusal.self) { try JSONParser.parse(Array("[1,2,3]".utf8), maxValues: 3) }
    #expect(throws: Refusal.self) { try JSONParser.parse(Array(repeating: UInt8(ascii: "1"), count: 65)) }
  }

  @Test func `comes back as it was written, names in their order`() throws {
    let value: JSON = [
      "z": "\u{1}\u{1F}</script>&\u{2028}😀\\\"", "a": [1, -5, true, nil, .decimal("1.5e300")],
      "三": ["": .integer(.max)],
    ]
    #expect(try JSONParser.parse(value.bytes) == value)
    #expect(value.text.hasPrefix("{\"z\":") && !value.text.contains("<") && !value.text.contains("&"))
  }

  @Test func `survives any bytes, and what it accepts it writes and reads again`() throws {
    var chance = SystemRandomNumberGenerator()
    let pieces =
      ["{", "}", "[", "]", ",", ":", "\"", "\\", "\\u00e9", "1", "-", ".", "e", "null", "true", " ", "a", "三"].map {
        Array($0.utf8)
      } + [[0xFF], [0xE4]]
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 1...10, using: &chance)).flatMap { _ in pieces.randomElement(using: &chance)! }
      if let value = try? JSONParser.parse(bytes) { #expect(try JSONParser.parse(value.bytes) == value) }
    }
  }

  @Test func `tells a refusal as a problem in the reader's language`() {
    let refusal = Refusal.invalid(
      "catalog.item", [.init("items.3/name", Text("太长", "too long")), .init("/a/b", Text("x", "x"))])
    let problem = Problem(refusal, language: .english, instance: "urn:x")
    #expect(problem.status == 422)
    #expect(problem.body["type"] == "urn:sanjiang:problem:catalog.item" && problem.body["status"] == 422)
    #expect(problem.body["errors"]?.array?.map { $0["pointer"]?.string } == ["/items.3~1name", "/a/b"])
    #expect(Problem(refusal, language: .chinese).body["title"] == "内容有误")
  }

  @Test func `describes every route of the interface that has a summary, and no page`() {
    let document = openAPI(
      [
        .get("/catalog", .anyone) { _ in .plain("") },
        Route.get("/api/v1/grants/{id}", .signedIn, summary: Text("授权", "A grant")) { _ in .plain("") }.described(
          gives: ["type": "object"], query: [QueryParameter("after", Text("之后", "after")), .limit(most: 10)]),
        .post("/api/v1/grants/{id}", .signedIn, summary: Text("改", "Change")) { _ in .plain("") },
        .get("/api/v1/hidden", .anyone) { _ in .plain("") },
      ], title: "Sanjiang", version: "1")
    #expect(document["openapi"] == "3.1.0")
    #expect(document["paths"]?.members?.map(\.name) == ["/api/v1/grants/{id}"])
    let path = document["paths"]?["/api/v1/grants/{id}"]
    #expect(path?.members?.map(\.name) == ["get", "post"])
    #expect(path?["get"]?["parameters"]?.array?.map { $0["name"]?.string } == ["id", "after", "limit"])
    #expect(
      path?["post"]?["parameters"]?.array?.map { $0["name"]?.string } == ["id", "Idempotency-Key", "X-CSRF-Token"])
  }
}
