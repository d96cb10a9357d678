import Connecting
import Foundation
import Remote
import TestKit
import Testing

@Suite struct `An address` {
  @Test(arguments: [
    ("https://api.example.cn/v1?x=1", "api.example.cn", 443, "/v1"), ("http://127.0.0.1:8080", "127.0.0.1", 8080, "/"),
    ("sftp://[::1]:2222/a%20b/", "::1", 2222, "/a%20b/"), ("HTTPS://EXAMPLE.cn:444/", "example.cn", 444, "/"),
  ])
  func `is taken apart`(text: String, host: String, port: Int, path: String) throws {
    let address = try RemoteAddress(text)
    #expect(address.host == host && address.port == port && address.path == path)
    #expect(try RemoteAddress(address.text) == address)
  }

  @Test(arguments: [
    "", "example.cn", "ftp://example.cn/", "file:///etc/passwd", "https://u:p@example.cn/", "https://u@example.cn/",
    "https://",
    "http://example.cn/", "http://127.0.0.1.example.cn/", "http://127.0.0.1@example.cn/", "https://exa mple.cn/",
    "https://example.cn/a/../b", "https://example.cn/#x", "https://example.cn:99999/", "https://example.cn/\r\nHost: x",
    "gopher://127.0.0.1/", "scp://h/x",
  ])
  func `that leads astray is refused`(text: String) {
    #expect(throws: RemoteAddress.Fault.self) { try RemoteAddress(text) }
  }

  @Test func `may lead on to its own origin or elsewhere, and one sees which`() throws {
    let base = try RemoteAddress("https://api.example.cn/v1/list?page=1")
    #expect(try base.resolve("?page=2").text == "https://api.example.cn:443/v1/list?page=2")
    #expect(try base.resolve("/v2/x").hasOrigin(of: base))
    for other in [
      "//evil.example/x", "https://evil.example/", "https://api.example.cn:8443/", "sftp://api.example.cn:443/",
    ] {
      #expect(try !base.resolve(other).hasOrigin(of: base))
    }
    #expect(throws: RemoteAddress.Fault.self) { try base.resolve("http://api.example.cn/") }
  }

  @Test func `of a spool that nobody sees has no name`() throws {
    let spool = try SpoolFile()
    try [UInt8](repeating: 1, count: 10).withUnsafeBytes { try spool.append($0) }
    let target = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(spool.descriptor)")
    #expect(target.hasSuffix("(deleted)"))
    var status = stat()
    #expect(fstat(spool.descriptor, &status) == 0 && status.st_mode & 0o777 == 0o600)
  }
}
