import Kernel
import Testing
import Web

@Suite struct `A form` {
  @Test(
    arguments: [
      ("", []), ("a=1", [("a", "1")]), ("a=1&a=2&b=", [("a", "1"), ("a", "2"), ("b", "")]), ("a", [("a", "")]),
      ("q=%E4%B8%89%E6%B1%9F+x%2By", [("q", "三江 x+y")]), ("&&a=1&", [("a", "1")]), ("a=b=c", [("a", "b=c")]),
      ("=x", [("", "x")]),
      ("a=三", [("a", "三")]),
    ] as [(String, [(String, String)])])
  func `is read as browsers write it`(body: String, pairs: [(String, String)]) throws {
    let fields = try urlEncodedFields(Array(body.utf8))
    #expect(fields.pairs.map(\.name) == pairs.map(\.0) && fields.pairs.map(\.value) == pairs.map(\.1))
  }

  @Test(arguments: [
    ("a=%", "byte 2"), ("a=%2", "byte 2"), ("x=1&a=%zz", "byte 6"), ("%FF=1", "from byte 0"), ("a=%FF", "field a"),
    ("a=e" + String(repeating: "%CC%81", count: 30_000), "field a"),
    ("e" + String(repeating: "%CC%81", count: 20) + "=1", "byte 0"),
    ("a=%C0%80", "field a"), ("a=%00", "field a"), ("a=%ED%A0%80", "field a"),
  ])
  func `that is none is refused, naming the field or the byte`(body: String, place: String) {
    do throws(Refusal) {
      _ = try urlEncodedFields(Array(body.utf8))
      Issue.record("accepted \(body)")
    } catch {
      #expect(error.code == "web.form" && error.message.english.contains(place), "\(body): \(error.message.english)")
    }
  }

  @Test func `has at most a thousand fields with names of at most 200 bytes`() {
    let many = { (count: Int) in Array((0..<count).map { "f\($0)=1" }.joined(separator: "&").utf8) }
    #expect(throws: Never.self) { try urlEncodedFields(many(1000)) }
    #expect(throws: Refusal.self) { try urlEncodedFields(many(1001)) }
    #expect(throws: Never.self) { try urlEncodedFields(Array((String(repeating: "n", count: 200) + "=1").utf8)) }
    #expect(throws: Refusal.self) { try urlEncodedFields(Array((String(repeating: "n", count: 201) + "=1").utf8)) }
  }

  private func parts(_ parts: [String], boundary: String = "B", end: String = "--\r\n") -> [UInt8] {
    Array((parts.map { "--\(boundary)\r\n\($0)\r\n" }.joined() + "--\(boundary)\(end)").utf8)
  }

  @Test func `with files is read part by part, bytes untouched`() throws {
    var body = parts(
      [
        "Content-Disposition: form-data; name=\"title\"\r\n\r\n三江",
        "Content-Disposition: form-data; name=\"empty\"\r\n\r\n",
        "Content-Disposition: form-data; name=\"file\"; filename=\"C:\\a\\目录%22.csv\"\r\nContent-Type: text/csv\r\n\r\na,b\r\n-B\r\n--\r\n1",
        "Content-Disposition: form-data; name=\"none\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n",
      ])
    let (fields, files) = try read(body, boundary: "B")
    #expect(fields.pairs.map(\.name) == ["title", "empty"] && fields["title"] == "三江" && fields.pairs[1].value == "")
    #expect(files.count == 1, "a file that was not chosen is none")
    #expect(
      files[0].name == "目录\".csv" && files[0].type == "text/csv"
        && files[0].content == Array("a,b\r\n-B\r\n--\r\n1".utf8)
    )
    body.removeLast(2)
    #expect(throws: Never.self) { try read(body, boundary: "B") }
  }

  /// Reads a body in pieces of `size` bytes: at every size it is the same form.
  private func read(
    _ body: [UInt8], boundary: String, inPiecesOf size: Int = 7
  ) throws -> (fields: Fields, files: [(name: String, type: String, content: [UInt8])]) {
    var reader = try MultipartReader(boundary: boundary)
    var files: [(name: String, type: String, content: [UInt8])] = []
    var isOpen = false
    for start in stride(from: 0, to: body.count, by: size) {
      for event in try reader.take(body[start..<min(start + size, body.count)]) {
        switch event {
        case .file(_, let name, let type):
          #expect(!isOpen)
          isOpen = true
          files.append((name, type, []))
        case .content(let bytes):
          #expect(isOpen)
          files[files.count - 1].content += bytes
        case .fileEnd: isOpen = false
        }
      }
    }
    try reader.finish()
    #expect(!isOpen)
    return (reader.fields, files)
  }

  @Test(arguments: [1, 2, 3, 5, 17, 64, 1 << 20])
  func `with files is the same in pieces of any size`(size: Int) throws {
    let content = "\r\n--\r\n--A\r\r\n\r\n--\r\n" + String(repeating: "\r\n-", count: 50)
    let body = parts([
      "Content-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n\(content)",
      "Content-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken",
      "Content-Disposition: form-data; name=\"empty\"; filename=\"e\"\r\n\r\n",
    ])
    let (fields, files) = try read(body, boundary: "B", inPiecesOf: size)
    #expect(fields["csrf"] == "token" && files.map(\.name) == ["f", "e"])
    #expect(files[0].content == Array(content.utf8) && files[1].content.isEmpty)
  }

  @Test func `with files keeps no more in memory than values may have`() throws {
    let value =
      "Content-Disposition: form-data; name=\"a\"\r\n\r\n" + String(repeating: "x", count: FormLimit.values + 1)
    #expect { _ = try read(parts([value]), boundary: "B", inPiecesOf: 1 << 16) } throws: {
      ($0 as? Refusal)?.kind == .tooLarge
    }
    let files = (0...FormLimit.files).map { "Content-Disposition: form-data; name=\"f\"; filename=\"\($0)\"\r\n\r\nx" }
    #expect(throws: Refusal.self) { _ = try read(parts(files), boundary: "B") }
  }

  @Test(arguments: [
    "", "x", "--B", "--B\r\n", "--C\r\n\r\n\r\n--C--", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx",
    "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n--B--",
    "--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--",
    "--B\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--B--", "--B\r\nno colon\r\n\r\nx\r\n--B--",
    "--B\r\nX: y\r\n\r\nx\r\n--B--", "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--B--tail",
    "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--Bmore\r\n",
  ])
  func `whose parts are not parts is refused`(body: String) {
    #expect(throws: Refusal.self) { try read(Array(body.utf8), boundary: "B") }
  }

  @Test func `with files survives whatever is cut out of it`() {
    var chance = SystemRandomNumberGenerator()
    let whole = parts([
      "Content-Disposition: form-data; name=\"a\"\r\n\r\nx",
      "Content-Disposition: form-data; name=\"b\"; filename=\"f\"\r\n\r\ny",
    ])
    for _ in 0..<3000 {
      var body = whole
      let start = Int.random(in: 0..<body.count, using: &chance)
      body.removeSubrange(start..<min(body.count, start + Int.random(in: 1...20, using: &chance)))
      _ = try? read(body, boundary: "B")
    }
    #expect(throws: Refusal.self) { try read(whole, boundary: "") }
    #expect(throws: Refusal.self) { try read(whole, boundary: String(repeating: "B", count: 71)) }
  }

  @Test(
    arguments: [
      ("/", "/"), ("/a%20b", "/a b"), ("/%E4%B8%89", "/三"), ("a", nil), ("", nil), ("/%", nil), ("/%2", nil),
      ("/%zz", nil),
      ("/a%2Fb", nil), ("/a%5Cb", nil), ("/%00", nil), ("/%0A", nil), ("/%FF", nil), ("/..", nil), ("/a/../b", nil),
      ("/%2e%2E/x", nil),
      ("/./a", nil), ("/a..b", "/a..b"),
    ] as [(String, String?)])
  func `and the path it is sent to are decoded once, without tricks`(raw: String, path: String?) {
    #expect(decodedPath(raw) == path)
  }

  @Test(
    arguments: [
      ("/a?b=c", "/a?b=c"), (nil, "/"), ("", "/"), ("//evil.example", "/"), ("/\\evil.example", "/"),
      ("https://evil.example", "/"),
      ("/a\r\nX: y", "/"), ("/a\\b", "/"), ("javascript:alert(1)", "/"), ("/三", "/%E4%B8%89"),
    ] as [(String?, String)])
  func `leads back to this site only`(next: String?, address: String) { #expect(localAddress(next) == address) }
}

@Suite struct `The table of routes` {
  static let table = RouteTable([
    .get("/", .anyone) { _ in .plain("home") }, .get("/things/{id}", .anyone) { _ in .plain("thing") },
    .get("/things/new", .anyone) { _ in .plain("new") }, .post("/things/{id}", .anyone) { _ in .plain("change") },
    .get("/things/{id}/parts/{part}", .anyone) { _ in .plain("part") },
  ])

  @Test(
    arguments: [
      (.get, "/", "/", [:]), (.get, "/things/new", "/things/new", [:]),
      (.get, "/things/7", "/things/{id}", ["id": "7"]),
      (.post, "/things/7", "/things/{id}", ["id": "7"]),
      (.get, "/things/a/parts/b", "/things/{id}/parts/{part}", ["id": "a", "part": "b"]),
      (.get, "/things/new/parts/b", "/things/{id}/parts/{part}", ["id": "new", "part": "b"]),
    ] as [(Method, String, String, [String: String])])
  func `finds the route, literal segments first`(
    method: Method, path: String, route: String, parameters: [String: String]
  ) {
    guard case .found(let found, let given) = Self.table.match(method, path) else {
      Issue.record("\(path) not found"); return
    }
    #expect(found.path == route && given == parameters)
  }

  @Test(arguments: [
    "/x", "/things", "/things/", "/things//parts/b", "//", "/things/a/", "things/a", "", "/things/a/parts",
  ])
  func `knows what is not there`(path: String) {
    guard case .none = Self.table.match(.get, path) else { Issue.record("\(path) found"); return }
  }

  @Test func `says which methods an address has`() {
    guard case .otherMethods(let methods) = Self.table.match(.delete, "/things/7") else {
      Issue.record("no methods"); return
    }
    #expect(methods == [.get, .post])
  }

  @Test func `lets in by the door's rule and tells nobody from somebody without the authority`() throws {
    let permission = Permission("a.b")
    let other = Permission("c.d")
    func person(_ permissions: Set<Permission>) -> Principal {
      Principal(person: nil, name: "x", organisation: nil, organisationName: "", permissions: permissions)
    }
    #expect(Access.anyone.allows(nil) && !Access.signedIn.allows(nil) && Access.signedIn.allows(person([])))
    #expect(
      Access.permission(permission).allows(person([permission]))
        && !Access.permission(permission).allows(person([other])))
    #expect(
      Access.anyPermission([permission, other]).allows(person([other]))
        && !Access.anyPermission([]).allows(person([other])))
    #expect(
      Access.allPermissions([permission, other]).allows(person([permission, other]))
        && !Access.allPermissions([permission, other]).allows(person([other])))
    for access in [Access.signedIn, .permission(permission), .anyPermission([permission]), .anyPermission([])] {
      #expect { try access.check(nil) } throws: { ($0 as? Refusal)?.kind == .unauthenticated }
    }
    for access in [
      Access.permission(permission), .anyPermission([permission]), .anyPermission([]),
      .allPermissions([permission, other]),
    ] {
      #expect { try access.check(person([])) } throws: { ($0 as? Refusal)?.kind == .forbidden }
    }
  }
}
