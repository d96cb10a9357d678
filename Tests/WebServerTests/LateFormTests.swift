import Kernel
import Testing
import Web

@testable import WebServer

/// What was written in a session that is over by the time it is sent. The sample's `keep` answers an address that repeats
/// what it was given.
@Suite struct `A form that outlived its session` {
  static let form = "csrf=\(SampleSite.oldCSRF)&words=%E6%B1%9F+%26&words=b"
  static let kept = "/kept?to=%2Fsave%3Fa%3D1&fields=words%3D%25E6%25B1%259F%2520%2526%26words%3Db"

  @Test(arguments: ["sid=stranger", ""])
  func `is kept, and signing in leads to it`(cookie: String) async throws {
    try await withSite { site async throws in
      let answer = try await site.post("/save?a=1", form: Self.form, [("Cookie", cookie)])
      #expect(answer.status == 303)
      #expect(answer["location"] == address("/sign-in", [("next", Self.kept)]))
      let note = try #require(answer.cookie("flash"))
      let page = try await site.get("/sign-in", [("Cookie", note)])
      #expect(page.body.contains("登录后可以再次提交"))
    }
  }

  @Test func `is led to past the steps that a sign-in still lacks`() async throws {
    try await withSite { site async throws in
      let answer = try await site.post("/save?a=1", form: Self.form, [("Cookie", "sid=onestep")])
      #expect(answer["location"] == address("/sign-in/second-factor", [("next", Self.kept)]))
    }
  }

  @Test func `leads its writer to it who has signed in anew elsewhere`() async throws {
    try await withSite { site async throws in
      let answer = try await site.post("/save?a=1", form: Self.form, [("Cookie", "sid=reader")])
      #expect(answer.status == 303)
      #expect(answer["location"] == Self.kept + "&person=some")
    }
  }

  @Test(
    arguments: [
      // address, body, further header
      ("/save", "csrf=0123456789abcdef0123456789abcdee&words=b", nil), ("/save", "words=b", nil),
      ("/save", "csrf=\(SampleSite.oldCSRF)&words=b", ("Origin", "http://evil.example")),
      ("/save", "csrf=\(SampleSite.oldCSRF)&words=b", ("Sec-Fetch-Site", "cross-site")),
      ("/password", "csrf=\(SampleSite.oldCSRF)&old=b", nil), ("/save", "csrf=\(SampleSite.oldCSRF)&words=%E6", nil),
      ("/save", "csrf=\(SampleSite.oldCSRF)&words=" + String(repeating: "b", count: 256 << 10), nil),
    ] as [(String, String, (String, String)?)])
  func `is not kept when it may be forged, holds a password or is too large`(
    path: String, form: String, header: (String, String)?
  ) async throws {
    try await withSite { site async throws in
      let headers = header.map { [$0] } ?? []
      let nobody = try await site.post(path, form: form, headers + [("Cookie", "sid=stranger")])
      #expect(nobody.status == 303)
      #expect(nobody["location"] == "/sign-in")
      let note = try #require(nobody.cookie("flash"))
      #expect(try await site.get("/sign-in", [("Cookie", note)]).body.contains("没有保存"))
      let signedIn = try await site.post(path, form: form, headers + [("Cookie", "sid=reader")])
      #expect([400, 403, 413].contains(signedIn.status), "\(signedIn.status)")
    }
  }

  @Test func `is not kept when it brings files or goes to a page that anyone may open`() async throws {
    try await withSite { site async throws in
      let parts = [
        "--x", "Content-Disposition: form-data; name=\"csrf\"", "", SampleSite.oldCSRF, "--x--", "",
      ].joined(separator: "\r\n")
      let type = ("Content-Type", "multipart/form-data; boundary=x")
      let upload = try await site.send("POST", "/save", [type, ("Cookie", "sid=stranger")], Array(parts.utf8))
      #expect(upload["location"] == "/sign-in")
      let open = try await site.post("/echo", form: Self.form, [("Cookie", "sid=reader")])
      #expect(open.status == 403)
    }
  }

  @Test func `is not there when keeping it fails, and that is said`() async throws {
    try await withSite { site async throws in
      let answer = try await site.post(
        "/save?fail=1", form: "csrf=\(SampleSite.oldCSRF)&words=b", [("Cookie", "sid=stranger")])
      #expect(answer["location"] == "/sign-in")
      let note = try #require(answer.cookie("flash"))
      #expect(try await site.get("/sign-in", [("Cookie", note)]).body.contains("没有保存"))
      #expect(site.log.all.contains { $0.contains("a form was not kept") })
      #expect(!site.log.all.contains { $0.contains("words=b") })
    }
  }
}
