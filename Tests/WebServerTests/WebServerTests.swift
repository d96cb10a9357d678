import Kernel
import Testing
import Web

@testable import WebServer

@Suite struct `A running site` {
  @Test func `answers a page, a head, a parameter and a file`() async throws {
    try await withSite { site in
      let page = try await site.get("/")
      #expect(page.status == 200)
      #expect(page["content-type"] == "text/html; charset=utf-8")
      #expect(page.body.contains("<h1>首页</h1>"))
      let head = try await site.get("/", method: "HEAD")
      #expect(head.status == 200 && head.body.isEmpty)
      #expect(head["content-length"] == page["content-length"])
      #expect(try await site.get("/things/%E4%B8%89").body == "三")
      #expect(try await site.get("/things/new").body == "new one")
    }
  }
}
