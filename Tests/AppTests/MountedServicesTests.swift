import Catalog
import Foundation
import Jobs
import Kernel
import Probing
import Storage
import TestKit
import Testing

@testable import App
@testable import Mounting

/// Mounts of services, really asked over the network.
@Suite struct MountedServicesTests {
  private func withService(
    _ engine: Engine, isolation: isolated (any Actor)? = #isolation,
    _ body: (MountStage, TalkingServer) async throws -> Void
  ) async throws {
    let server = try TalkingServer()
    try await withMountStage(engine, hosts: "127.0.0.1:\(server.port)") { try await body($0, server) }
  }

  @Test(arguments: Engine.allCases)
  func `a service is mounted while it answers, failing with date and error while it does not, and heals`(
    engine: Engine
  ) async throws {
    try await withService(engine) { stage, server in
      let url = server.base + "/v1/list?page=1"
      server["/v1/list?page=1"] = .json("[{\"name\": \"甲\"}]")
      let tie = try await stage.node.mounting.tie(
        stage.cast.officer, stage.resource.id, to: .api(url: url, status: 200, isJSON: true))
      #expect(tie.state == .declared && server.requests == [])
      _ = try await stage.node.runner().drain()
      let works = try #require(try await stage.tie())
      #expect(works.state == .mounted && works.fault == nil && works.timeliness == .unknown)
      #expect(try await stage.found(mounted: true) == 1)

      let faults: [(reply: TalkingServer.Reply?, code: String)] = [
        (nil, "mounting.api-status"), (.answer(500, type: "text/plain", body: "no"), "mounting.api-status"),
        (
          .bytes("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
          "mounting.api-status"
        ),
        (.answer(200, type: "text/html", body: "<p>登录</p>"), "mounting.api-json"),
        (.answer(200, type: "application/json", body: "{\"a\": "), "mounting.api-json"),
        (.bytes("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[1"), "api.cut"),
        (
          .endless("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9999999999\r\n\r\n", then: "[[[["),
          "mounting.api-json"
        ),
      ]
      for fault in faults {
        server["/v1/list?page=1"] = fault.reply
        let broken = try #require(try await stage.test())
        #expect(broken.state == .failing && broken.fault?.code == fault.code && broken.measuredAt != nil)
        #expect(try await stage.tasks() == ["mounting.fail"])
        server["/v1/list?page=1"] = .json("[]")
        #expect(try await stage.test()?.state == .mounted)
        #expect(try await stage.tasks() == [])
      }
      // A long answer that is JSON as far as it is read.
      server["/v1/list?page=1"] = .json("[\"" + String(repeating: "x", count: 200_000) + "\"]")
      #expect(try await stage.test()?.state == .mounted)

      // Stopped: the sweep says so, and finds it back.
      server.stop()
      stage.clock.advance(by: .seconds(5 * 3600))
      #expect(try await stage.node.mounting.sweep() == 1)
      let down = try #require(try await stage.tie())
      #expect(down.state == .failing && down.fault?.code == "api.connect" && down.failures == 1)
      #expect(down.since == down.measuredAt && down.dueAt < down.since + .seconds(600))
      #expect(try await stage.tasks() == ["mounting.fail"])
      #expect(try await stage.found(mounted: true) == 0)
      try server.start()
      server["/v1/list?page=1"] = .json("{}")
      stage.clock.advance(by: .seconds(400))
      #expect(try await stage.node.mounting.sweep() == 1)
      #expect(try await stage.tie()?.state == .mounted)
      #expect(try await stage.tasks() == [])
      #expect(try await stage.found(mounted: true) == 1)
      let id = try #require(try await stage.tie()).id
      let runs = try await stage.node.database.read { try TieStore.runs(of: id, limit: 50, in: $0) }
      #expect(runs.first?.fault == nil && runs.dropFirst().first?.fault?.code == "api.connect")
    }
  }

  @Test func `an address that may not be asked is refused when it is entered, in words`() async throws {
    try await withService(.sqlite) { stage, server in
      let (mounting, officer, id) = (stage.node.mounting, stage.cast.officer, stage.resource.id)
      for url in [
        "http://127.0.0.1:1/", "http://localhost:\(server.port)/", "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd", "http://a:b@127.0.0.1:\(server.port)/", "http://接口/", "",
      ] {
        do {
          _ = try await mounting.tie(officer, id, to: .api(url: url, status: 200, isJSON: true))
          Issue.record("\(url) was taken")
        } catch let refusal as Refusal {
          #expect(refusal.code == "mounting.url" && !refusal.faults.isEmpty, "\(url)")
        }
      }
      #expect(try await stage.tie() == nil && server.requests == [])
    }
  }

  @Test func `a node that declares no host asks none, and a host no longer declared is asked no more`() async throws {
    let server = try TalkingServer()
    try await withMountStage(.sqlite) { stage in
      let target = Tie.Target.api(url: server.base + "/", status: 404, isJSON: false)
      let mounting = stage.node.mounting
      let refusal = await #expect(throws: Refusal.self) {
        try await mounting.tie(stage.cast.officer, stage.resource.id, to: target)
      }
      #expect(refusal?.faults.first?.message.english.contains("api-hosts") == true)
      // Tied when it was declared.
      let (resource, now) = (stage.resource, stage.node.clock.now())
      try await stage.node.database.write { tx in
        try TieStore.insert(Tie(resource, target, isInForce: true, at: now), in: tx)
      }
      let tie = try #require(try await stage.test())
      #expect(tie.state == .failing && tie.fault?.code == "api.host" && server.requests == [])
    }
  }

  @Test func `the setting is a list of hosts, and says what is wrong with one`() throws {
    let sources = Settings.Sources(flags: ["api-hosts": "api.qh.gov.cn, 10.1.2.3:8080,[fd00::1]:9000"])
    let hosts = try Settings(sources).apiHosts
    #expect(hosts.map(\.host) == ["api.qh.gov.cn", "10.1.2.3", "fd00::1"])
    #expect(hosts.map(\.port) == [nil, 8080, 9000])
    #expect(try Settings(.init(flags: ["api-hosts": ""])).apiHosts == [])
    for wrong in ["http://api.qh.gov.cn", "a b", "*.gov.cn", "a.cn:0"] {
      let refusal = #expect(throws: Refusal.self) { try Settings(.init(flags: ["api-hosts": wrong])) }
      #expect(refusal?.code == "settings.api-hosts" && refusal?.message.english.contains(wrong) == true)
    }
  }
}
