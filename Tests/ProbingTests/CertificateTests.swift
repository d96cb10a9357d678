import Foundation
import Kernel
import Logging
import NIOSSL
import TestKit
import Testing
import Web
import WebServer

@testable import Probing

private let openssl = "/usr/bin/openssl"

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: openssl)))
struct `A service behind TLS` {
  /// Our own server with a certificate of `names` that was signed by nobody else.
  private func withServer(
    _ names: String, isolation: isolated (any Actor)? = #isolation,
    _ body: (_ port: Int, _ roots: NIOSSLTrustRoots) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      let process = Process()
      process.executableURL = URL(filePath: openssl)
      process.arguments = [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "\(folder)/key.pem", "-out", "\(folder)/cert.pem",
        "-days", "2", "-subj", "/CN=service", "-addext", "subjectAltName=\(names)",
      ]
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      let (ports, port) = AsyncStream.makeStream(of: Int.self)
      let routes: [Route] = [.get("/", .anyone) { _ in .plain("here") }]
      let server = SiteServer(
        routes: routes,
        sessions: SessionProvider { _, _ in nil },
        configuration: .init(port: 0, tls: ("\(folder)/cert.pem", "\(folder)/key.pem")), clock: .system,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, ready: { port.yield($0) })
      let serving = Task { try await server.run() }
      defer { serving.cancel() }
      let starting = Task { await ports.first { _ in true } }
      try await body(try #require(await starting.value), .file("\(folder)/cert.pem"))
    }
  }

  private func code(
    _ url: String, _ host: String, _ roots: NIOSSLTrustRoots?, isolation: isolated (any Actor)? = #isolation
  ) async throws -> String {
    let client = ServiceClient(hosts: [try #require(DeclaredHost(host))], roots: roots)
    do { return "\(try await client.get(url).status)" } catch let refusal as Refusal { return refusal.code }
  }

  @Test func `is asked when its certificate is its own and believed, and not otherwise`() async throws {
    try await withServer("IP:127.0.0.1") { port, roots async throws in
      let (url, host) = ("https://127.0.0.1:\(port)/", "127.0.0.1:\(port)")
      #expect(try await code(url, host, roots) == "200")
      #expect(try await code(url, host, nil) == "api.tls", "signed by nobody the machine knows")
    }
    try await withServer("DNS:another.example") { port, roots async throws in
      #expect(try await code("https://127.0.0.1:\(port)/", "127.0.0.1:\(port)", roots) == "api.tls", "another's")
    }
  }

  @Test func `is told from one that speaks no TLS`() async throws {
    let server = try TalkingServer()
    #expect(try await code("https://127.0.0.1:\(server.port)/", "127.0.0.1:\(server.port)", nil) != "200")
  }
}
