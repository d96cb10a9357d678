import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import Remote

/// What is told to a web service.
@Suite struct WebClientTests {
  /// Answers with the method, a header and the body that it got; at `/moved` with another address.
  private static func echo() throws -> ScriptServer {
    try ScriptServer(
      """
      import http.server
      class Echo(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *_): pass
        def do_POST(self):
          body = self.rfile.read(int(self.headers["Content-Length"]))
          said = (self.command + " " + (self.headers.get("X-Told") or "-") + " ").encode() + body
          self.send_response(302 if self.path == "/moved" else 418)
          self.send_header("Location", "/elsewhere")
          self.send_header("Content-Length", str(len(said)))
          self.end_headers()
          self.wfile.write(said)
        do_GET = lambda self: (self.headers.__setitem__("Content-Length", "0"), self.do_POST())
      http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Echo).serve_forever()
      """)
  }

  @Test(arguments: [0, 1, 100, 3 << 20])
  func `a body arrives byte by byte, and any status is an answer`(size: Int) throws {
    let server = try Self.echo()
    let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let client = WebClient()
    for _ in 0..<2 {
      let answer = try client.post(try RemoteAddress(server.base + "/x"), headers: ["X-Told: so"], body: body)
      #expect(answer.status == 418 && answer.body == Array("POST so ".utf8) + body)
    }
    // Nothing of it stays for the next request on the same connection.
    let asked = try client.get(try RemoteAddress(server.base + "/x"), headers: [])
    #expect(asked.body == Array("GET - ".utf8))
  }

  @Test func `a redirect is not followed, and an answer that is too long is an error`() throws {
    let server = try Self.echo()
    let moved = try WebClient().post(try RemoteAddress(server.base + "/moved"), headers: [], body: [1])
    #expect(moved.status == 302 && moved.header("location") == "/elsewhere")
    #expect {
      _ = try WebClient(RemoteLimits(answer: 50)).post(
        try RemoteAddress(server.base + "/x"), headers: [], body: Array(repeating: 7, count: 100))
    } throws: {
      ($0 as? ConnectorError)?.code == "remote.too-large"
    }
  }

  @Test func `an answer that breaks off at any byte is a broken connection, and never a shorter answer`() throws {
    let server = try TalkingServer()
    let whole = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"number\": 3}"
    let client = WebClient()
    for count in 0..<whole.utf8.count {
      server["/x"] = .bytes(String(decoding: whole.utf8.prefix(count), as: UTF8.self))
      for isPosted in [false, true] {
        #expect("\(count) bytes") {
          let address = try RemoteAddress(server.base + "/x")
          _ = try isPosted ? client.post(address, headers: [], body: [1]) : client.get(address, headers: [])
        } throws: {
          let error = $0 as? ConnectorError
          return error?.kind == .retryable && error?.code == "remote.cut"
        }
      }
    }
    server["/x"] = .bytes(whole)
    #expect(try client.get(try RemoteAddress(server.base + "/x"), headers: []).status == 200)
  }
}
