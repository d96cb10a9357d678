import Connecting
import Foundation
import Kernel
import Synchronization
import TestKit
import Testing

@testable import ConnectorMariaDB
@testable import ConnectorPostgreSQL
@testable import Transfer

/// Deliveries, servers and connections that end at any moment. `make torture` tries a thousand more.
@Suite(.serialized) struct CrashTests {
  @Test func `killed, stopped, cut off or out of room at any moment, a target holds exactly what is good, each once`()
    async throws
  {
    // The same choices each time, the moments by chance; a machine that is busy gets through fewer of them.
    let ended = try await TortureProgram.run(["run", "--seed", "2025", "--runs", "32", "--minutes", "0.8", "--short"])
    #expect(ended.status == 0, "\(ended.said)")
    func number(_ title: String) -> Int {
      let line = ended.said.split(separator: "\n").first { $0.contains(title) }
      return line?.split(separator: " ").last.flatMap { Int($0) } ?? 0
    }
    #expect(number("workers killed while they were alive") >= 3, "\(ended.said)")
    #expect(number("database servers killed") >= 1, "\(ended.said)")
    #expect(number("messages taken") >= 10, "\(ended.said)")
    #expect(number("found whole in the end") >= 3, "\(ended.said)")
    #expect(number("receipts compared") >= 60, "\(ended.said)")
  }

  @Test func `the target's server stops midway and comes back: nothing is lost, nothing twice`() async throws {
    let server = try PostgresServer()
    defer { server.remove() }
    let address = PostgreSQLAddress(address: server.address(of: try server.makeDatabase()))
    let source = try Stand(.postgresql)
    try source.makePersons()
    try source.insert(Person.many(1...15_000))
    let (grant, target) = (Grant(), PostgreSQLConnector(address))
    let stopped = Mutex(false)
    let keeper = grant.keeper
    let control = DeliveryControl(
      progress: { progress in
        guard progress.batch == 4,
          stopped.withLock({
            let was = $0; $0 = true; return !was
          })
        else { return }
        server.stop(.immediate)
      }, quarantine: { keeper.take($0) })
    await #expect {
      _ = try await Delivery(grant.plan(.full, run: "r1", fence: 1), control: control).run(
        from: source.connector, to: target)
    } throws: {
      ($0 as? ConnectorError)?.kind == .retryable
    }
    await #expect {
      _ = try await Delivery(grant.plan(.full, run: "r1", fence: 2), control: control).run(
        from: source.connector, to: target)
    } throws: {
      ($0 as? ConnectorError)?.kind == .retryable
    }
    try server.start()
    let outcome = try await Delivery(grant.plan(.full, run: "r1", fence: 3), control: control)
      .run(from: source.connector, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 15_000)
    let rows = try PostgreSQLConnection(address).run(
      "SELECT count(*), count(DISTINCT id), min(sj_batch) FROM public.person")
    #expect(rows == [["15000", "15000", "1"]])
  }

  @Test func `a full disk stops the delivery with a clear answer, and room lets it finish`() async throws {
    let (source, target) = (try Stand(.sqlite), try Stand(.sqlite))
    try source.makePersons()
    try source.insert(Person.many(1...15_000))
    try await withTemporaryFolder { keeper in
      let places = ["sqlite", source.place, "sqlite", target.place, "full", "r1"]
      let full = try await TortureProgram.run(["deliver"] + places + ["1", keeper, "--file-limit", "300000"])
      #expect(full.status == 1)
      #expect(full.said.contains("error retryable sqlite."), "\(full.said)")
      let there = Int(try target.value("SELECT count(*) FROM person") ?? "") ?? 0
      #expect(there > 0 && there < 15_000)
      let outcome = try await TortureProgram.run(["deliver"] + places + ["2", keeper])
      #expect(outcome.said.contains("agrees true") && outcome.said.contains("delivered 15000\n"))
      #expect(try target.persons() == Person.many(1...15_000).map(\.delivered))
    }
  }
}
