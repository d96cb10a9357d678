import Connecting
import Foundation
import Inventory
import Jobs
import Kernel
import Mounting
import Storage
import TestKit
import Testing

@testable import App

/// Two departments' servers, of which one gets into trouble while the ties of both are tested.
@Suite struct MountedSourcesTests {
  struct Servers {
    let node: Node
    let cast: DemoCast
    let clock: DemoClock
    let (good, bad): (SourceID, SourceID)

    func ties(of source: SourceID) async throws -> [Tie] {
      try await node.mounting.list(cast.operatorInChief, limit: 500).ties.filter { $0.target.source == source }
    }

    func count(_ source: SourceID, _ state: Tie.State) async throws -> Int {
      try await ties(of: source).count { $0.state == state }
    }
  }

  private static let tables = 30

  /// A draft of every table of both servers, tied and tested once; then hours pass and all are due again.
  private func withServers(
    isolation: isolated (any Actor)? = #isolation, _ body: (Servers, PostgresServer) async throws -> Void
  ) async throws {
    try await withPostgresServer(durable: false) { good in
      try await withPostgresServer(durable: false) { bad in
        try await withNode(.sqlite, from: Clock.system.now()) { node, cast, clock, _ in
          let system = try await node.register.register(
            cast.officer,
            SystemFacts(
              name: "企业名单系统", function: "名单", scope: "2", frequency: "1", approvedBy: "青海省发展和改革委员会",
              approvedOn: CalendarDate("2016-03-11"), fundSource: "省级财政", network: "2", stage: "4"))
          var sources: [SourceID] = []
          for server in [good, bad] {
            let name = try server.makeDatabase()
            let tables = (1...Self.tables).map { "CREATE TABLE t\($0) (id int PRIMARY KEY, title varchar(60));" }
            try server.query(
              tables.joined() + "CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
              on: name)
            let address = "host=\(server.folder) user=reader dbname=\(name) connect_timeout=2"
            let source = try await node.register.addSource(
              cast.officer, system.id,
              SourceDraft(name: "库\(sources.count)", kind: "postgresql", settings: ["address": address]))
            _ = try await node.mounting.draft(cast.officer, from: source.id, tables: nil)
            sources.append(source.id)
          }
          _ = try await node.runner().drain()
          clock.advance(by: .seconds(5 * 3600))
          let servers = Servers(node: node, cast: cast, clock: clock, good: sources[0], bad: sources[1])
          for source in sources { #expect(try await servers.count(source, .mounted) == Self.tables) }
          try await body(servers, bad)
        }
      }
    }
  }

  @Test func `a server that is stopped in the middle fails its own ties and no other`() async throws {
    try await withServers { servers, bad in
      let start = servers.node.clock.now()
      let sweep = Task { try await servers.node.mounting.sweep() }
      // Until some of its ties were tested in this sweep, and others wait.
      for _ in 0..<2000 {
        if try await servers.ties(of: servers.bad).count(where: { $0.measuredAt! >= start }) >= 3 { break }
        try await Task.sleep(for: .milliseconds(1))
      }
      bad.stop(.immediate)
      #expect(try await sweep.value == 2 * Self.tables)
      #expect(try await servers.count(servers.good, .mounted) == Self.tables)
      let (failed, all) = (try await servers.count(servers.bad, .failing), try await servers.ties(of: servers.bad))
      #expect(failed > 0 && failed < Self.tables, "some were tested before, some after")
      #expect(all.allSatisfy { $0.measuredAt! >= start })
      for tie in all where tie.state == .failing {
        #expect(tie.fault?.code.hasPrefix("postgresql.") == true && tie.fault?.words.chinese.isEmpty == false)
      }
      try bad.start()
      servers.clock.advance(by: .seconds(400))
      #expect(try await servers.node.mounting.sweep() == failed)
      #expect(try await servers.count(servers.bad, .mounted) == Self.tables)
    }
  }

  @Test func `a server that takes connections and says nothing holds up no other and is asked once`() async throws {
    try await withServers { servers, bad in
      bad.freeze()
      let start = ContinuousClock.now
      let sweep = Task { try await servers.node.mounting.sweep() }
      let before = servers.node.clock.now()
      for _ in 0..<4000 {
        if try await servers.ties(of: servers.good).allSatisfy({ $0.measuredAt! >= before }) { break }
        try await Task.sleep(for: .milliseconds(5))
      }
      #expect(try await servers.ties(of: servers.good).allSatisfy { $0.measuredAt! >= before && $0.state == .mounted })
      #expect(try await sweep.value == 2 * Self.tables)
      #expect(ContinuousClock.now - start < .seconds(40), "thirty ties, and one wait of two seconds")
      let silent = try await servers.ties(of: servers.bad)
      #expect(silent.allSatisfy { $0.state == .failing && $0.fault?.code == "postgresql.connect" })
      bad.thaw()
      servers.clock.advance(by: .seconds(400))
      #expect(try await servers.node.mounting.sweep() == Self.tables)
      #expect(try await servers.count(servers.bad, .mounted) == Self.tables)
    }
  }
}
