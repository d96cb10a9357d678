import Foundation
import Kernel
import Logging
import ServiceLifecycle
import Testing
import Web

@testable import WebServer

private let openssl = "/usr/bin/openssl"

@Suite struct `A server in service` {
  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: openssl)))
  func `speaks TLS of today and marks its cookies for it`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "sanjiang-tls-\(ID<Never>.make())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = await run(
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "\(folder)/key.pem", "-out", "\(folder)/cert.pem",
        "-days", "2", "-subj", "/CN=localhost",
      ], input: "")
    let configuration = SiteServer.Configuration(
      host: "0.0.0.0", port: 0, tls: ("\(folder)/cert.pem", "\(folder)/key.pem"))
    try await withSite(SampleSite.routes, configuration) { site async throws in
      let head = "GET /sign-in HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
      let client = ["s_client", "-quiet", "-ign_eof", "-connect", "127.0.0.1:\(site.port)"]
      let page = await run(client, input: head)
      #expect(page.contains("200 OK"))
      #expect(page.contains("strict-transport-security: max-age=31536000"))
      #expect(page.contains("__Host-pre=") && page.contains("; Secure"))
      #expect(!(await run(client + ["-tls1_1"], input: head)).contains("200 OK"))
      #expect(try await site.get("/").status == 0)
    }
  }

  @Test func `lets a request that is under way end before it stops`() async throws {
    let (asked, ask) = AsyncStream.makeStream(of: Void.self)
    let routes: [Route] = [
      .get("/slow", .anyone) { _ in
        ask.yield()
        try await Task.sleep(for: .milliseconds(300))
        return .plain("done")
      }
    ]
    let (ports, port) = AsyncStream.makeStream(of: Int.self)
    let log = LogLines()
    let server = SiteServer(
      routes: routes, sessions: SampleSite.sessions, configuration: .init(port: 0), clock: SampleSite.clock,
      logger: Logger(label: "test") { _ in log.handler }, ready: { port.yield($0) })
    let group = ServiceGroup(services: [server], logger: Logger(label: "test") { _ in log.handler })
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      var first = ports.makeAsyncIterator()
      let site = RunningSite(port: try #require(await first.next()), log: log)
      async let answer = site.get("/slow")
      var begun = asked.makeAsyncIterator()
      await begun.next()
      await group.triggerGracefulShutdown()
      let received = try await answer
      #expect(received.status == 200 && received.body == "done")
      try await tasks.waitForAll()
    }
  }

  @Test func `answers many at once, each with its own`() async throws {
    try await withSite { site async throws in
      let answers = try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<100 {
          group.addTask { try await site.get("/things/n\(number)").body == "n\(number)" }
        }
        return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(answers == 100)
    }
  }

  /// What openssl printed on both channels; `input` stays open until it ends.
  private func run(_ arguments: [String], input: String) async -> String {
    await withCheckedContinuation { done in
      OwnThread.run {
        let process = Process()
        process.executableURL = URL(filePath: openssl)
        process.arguments = arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stdout
        guard (try? process.run()) != nil else { return done.resume(returning: "") }
        try? stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        let output = (try? stdout.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        done.resume(returning: String(decoding: output, as: UTF8.self))
      }
    }
  }
}
