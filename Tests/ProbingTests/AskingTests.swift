import Foundation
import Kernel
import Synchronization
import TestKit
import Testing

@testable import Probing

/// A client and a server on this machine's loopback that answers as the test says.
private func client(
  _ server: TalkingServer, connect: Duration = .seconds(2), whole: Duration = .seconds(30)
) throws -> ServiceClient {
  var limits = ServiceClient.Limits()
  limits.connect = connect
  limits.whole = whole
  return ServiceClient(hosts: [try #require(DeclaredHost("127.0.0.1:\(server.port)"))], limits: limits)
}

/// The code of the refusal that asking ends in.
private func refusal(
  of url: String, _ client: ServiceClient, isolation: isolated (any Actor)? = #isolation
) async -> Refusal? {
  do {
    _ = try await client.get(url)
    return nil
  } catch let refusal as Refusal {
    return refusal
  } catch {
    Issue.record("no refusal: \(error)")
    return nil
  }
}

@Suite struct `Asking a service` {
  @Test func `gives what it answered: status, type and body`() async throws {
    let server = try TalkingServer()
    let client = try client(server)
    server["/ok?x=1"] = .answer(200, type: "Application/JSON; charset=utf-8", body: "{\"a\": 1}")
    let found = try await client.get(server.base + "/ok?x=1")
    #expect(
      found == ServiceAnswer(status: 200, type: "application/json", body: Array("{\"a\": 1}".utf8), isWhole: true))
    #expect(try await client.get(server.base + "/nothing").status == 404)
    server["/broken"] = .answer(500, type: "text/plain", body: "no")
    #expect(try await client.get(server.base + "/broken").status == 500)
    let request = try #require(server.requests.first).lowercased()
    #expect(request.hasPrefix("get /ok?x=1 http/1.1\r\nhost: 127.0.0.1:\(server.port)\r\n"))
    for name in ["authorization", "cookie", "proxy"] {
      #expect(!request.contains("\n\(name)"), "\(name) in \(request)")
    }
  }

  @Test func `follows no redirect`() async throws {
    let (server, other) = (try TalkingServer(), try TalkingServer())
    server["/go"] = .bytes(
      "HTTP/1.1 302 Found\r\nLocation: \(other.base)/secret\r\nContent-Length: 0\r\n\r\n")
    var client = try client(server)
    client.hosts.append(try #require(DeclaredHost("127.0.0.1:\(other.port)")))
    #expect(try await client.get(server.base + "/go").status == 302)
    #expect(other.requests == [])
  }

  @Test func `reads so much of an endless body and leaves`() async throws {
    let server = try TalkingServer()
    server["/flood"] = .endless(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
      then: "4000\r\n" + String(repeating: "[", count: 0x4000) + "\r\n")
    let start = ContinuousClock.now
    let found = try await client(server).get(server.base + "/flood")
    #expect(found.status == 200 && found.body.count == 65_536 && !found.isWhole)
    #expect(ContinuousClock.now - start < .seconds(20))
    try await Task.sleep(for: .milliseconds(200))
    let sent = server.sentEndlessly
    try await Task.sleep(for: .milliseconds(200))
    #expect(server.sentEndlessly == sent, "the connection is gone")
    #expect(sent < 64 << 20)
  }

  @Test func `waits no longer than it may, for an answer or for the rest of one`() async throws {
    let server = try TalkingServer()
    let client = try client(server, whole: .milliseconds(500))
    server["/silent"] = .silence
    server["/drip"] = .drip("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for path in ["/silent", "/drip"] {
      let start = ContinuousClock.now
      let found = await refusal(of: server.base + path, client)
      #expect(found?.code == "api.timeout" && found?.kind == .unavailable, "\(path)")
      #expect(ContinuousClock.now - start < .seconds(20), "\(path)")
    }
  }

  @Test(arguments: [
    ("/cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "api.cut"),
    ("/chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nshort", "api.cut"),
    ("/none", "", "api.cut"), ("/garbage", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "api.protocol"),
    ("/headers", "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 200_000))\r\n\r\n", "api.protocol"),
  ])
  func `says so when the answer is none`(path: String, bytes: String, code: String) async throws {
    let server = try TalkingServer()
    server[path] = .bytes(bytes)
    let found = await refusal(of: server.base + path, try client(server))
    #expect(found?.code == code)
    #expect(found.map { !$0.message.chinese.isEmpty && !$0.message.english.isEmpty } == true)
  }

  @Test func `finds a service that stopped gone, and back when it is`() async throws {
    let server = try TalkingServer()
    let client = try client(server)
    server["/"] = .json("{}")
    #expect(try await client.get(server.base).status == 200)
    server.stop()
    #expect(await refusal(of: server.base, client)?.code == "api.connect")
    try server.start()
    #expect(try await client.get(server.base).status == 200)
  }

  @Test func `asks no host that was not declared, and no address that is none of a host`() async throws {
    let server = try TalkingServer()
    var client = try client(server)
    #expect(await refusal(of: "http://127.0.0.1:1/", client)?.code == "api.host")
    #expect(await refusal(of: "http://10.0.0.1/", client)?.code == "api.host")
    #expect(await refusal(of: "ftp://127.0.0.1:\(server.port)/", client)?.code == "api.address")
    // A name may be declared and lead, today, to what nobody meant.
    client.hosts.append(try #require(DeclaredHost("api.example:\(server.port)")))
    client.hosts.append(try #require(DeclaredHost("localhost:\(server.port)")))
    #expect(await refusal(of: "http://localhost:\(server.port)/", client)?.code == "api.address-refused")
    for (addresses, code) in [
      (["127.0.0.1"], "api.address-refused"), (["169.254.169.254"], "api.address-refused"),
      (["10.0.0.1", "::ffff:127.0.0.1"], "api.address-refused"), ([], "api.name"),
    ] {
      client.resolve = { _ in addresses.compactMap { NetworkAddress(literal: $0) } }
      #expect(await refusal(of: "http://api.example:\(server.port)/", client)?.code == code)
    }
    #expect(server.requests == [])
  }

  @Test func `connects to the very address that was looked at, by looking it up anew each time`() async throws {
    let server = try TalkingServer()
    server["/"] = .json("{}")
    let asked = Mutex(0)
    var client = try client(server, connect: .milliseconds(300))
    client.hosts = [try #require(DeclaredHost("api.example:\(server.port)"))]
    // An address of the documentation's own net, where nobody answers: what counts is that no other is asked.
    client.resolve = { _ in
      asked.withLock { $0 += 1 }
      return [NetworkAddress(literal: "192.0.2.1")!]
    }
    for _ in 0..<2 {
      #expect(await refusal(of: "http://api.example:\(server.port)/", client)?.code == "api.connect")
    }
    #expect(asked.withLock { $0 } == 2 && server.requests == [])
  }

  @Test func `does not wait for a resolver that hangs`() async throws {
    let server = try TalkingServer()
    var client = try client(server, whole: .milliseconds(300))
    client.hosts = [try #require(DeclaredHost("api.example"))]
    client.resolve = { _ in
      sleep(40)
      return []
    }
    let start = ContinuousClock.now
    #expect(await refusal(of: "http://api.example/", client)?.code == "api.name")
    #expect(ContinuousClock.now - start < .seconds(20))
  }

  @Test func `takes no proxy from the environment`() async throws {
    let (server, proxy) = (try TalkingServer(), try TalkingServer())
    server["/"] = .json("{}")
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy"] { setenv(name, proxy.base, 1) }
    defer { for name in ["http_proxy", "HTTP_PROXY", "all_proxy"] { unsetenv(name) } }
    #expect(try await client(server).get(server.base).status == 200)
    #expect(proxy.requests == [])
  }
}
