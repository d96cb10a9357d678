import Connecting
import Foundation
import Kernel
import Synchronization
import TestKit
import Testing

@testable import ConnectorMariaDB
@testable import ConnectorPostgreSQL
@testable import Transfer

/// Deliveries that are killed, in processes of their own. Serialised: they measure their own time to aim at it.
@Suite(.serialized) struct CrashTests {
  private struct Attempt {
    var status: Int32
    var wasKilled: Bool
    var said: String
  }

  /// The program built beside the tests.
  private static let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("transfer-bench").path

  /// Runs a delivery and kills it after `patience` microseconds, unless it has ended by then.
  private func attempt(_ arguments: [String], killAfter patience: UInt32?) throws -> Attempt {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.program)
    process.arguments = ["deliver"] + arguments
    // A file, not a pipe: a pipe's end leaks into the servers that other tests start, and its reader would wait for them.
    let output = NSTemporaryDirectory() + "sanjiang-crash-" + UUID().uuidString
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    defer { try? FileManager.default.removeItem(atPath: output) }
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    if let patience {
      usleep(patience)
      kill(process.processIdentifier, SIGKILL)
    }
    process.waitUntilExit()
    let said = try String(contentsOfFile: output, encoding: .utf8)
    return Attempt(
      status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal, said: said)
  }

  private func counted(_ keeper: String, _ said: String) throws -> Int {
    let words = said.split(separator: "\n").first { $0.hasPrefix("batches ") }?.split(separator: " ") ?? []
    guard words.count == 4, let first = Int(words[1]), let last = Int(words[2]) else { return -1 }
    return try FileManager.default.contentsOfDirectory(atPath: keeper).reduce(0) { sum, name in
      guard let batch = name.split(separator: "-").first.flatMap({ Int($0) }), batch >= first, batch <= last else {
        return sum
      }
      return sum + (try String(contentsOfFile: "\(keeper)/\(name)", encoding: .utf8)).split(separator: "\n").count
    }
  }

  /// Kills a delivery again and again until one attempt gets through; returns how often it was killed.
  private func deliverThroughKills(
    _ mode: String, _ run: String, _ places: [String], _ keeper: String, fence: inout Int, generator: inout Seeded
  ) throws -> (kills: Int, said: String) {
    var (kills, patience) = (0, UInt32(150_000))
    while true {
      fence += 1
      let killAfter = UInt32.random(in: 5_000...patience, using: &generator)
      let result = try attempt(places + [mode, run, "\(fence)", keeper], killAfter: killAfter)
      if !result.wasKilled {
        #expect(result.status == 0, "\(result.said)")
        return (kills, result.said)
      }
      kills += 1
      // Slowly more time, so that every stage is met and the end is reached.
      patience += patience / 12
    }
  }

  @Test(arguments: [
    Way(from: .postgresql, to: .postgresql), Way(from: .sqlite, to: .sqlite), Way(from: .postgresql, to: .sqlite),
    Way(from: .mariadb, to: .mariadb), Way(from: .postgresql, to: .mariadb),
  ])
  func `killed at any moment and started again, the target holds exactly the good rows, each once`(way: Way)
    async throws
  {
    var generator = Seeded(state: 20_260_822)
    var kills = 0
    // A fast machine gets through with fewer kills a round; it gets more rounds.
    for round in 0..<12 where kills < 20 || round == 0 {
      let (source, target) = (try Stand(way.from), try Stand(way.to))
      try source.makePersons(key: way.from == .sqlite ? "PRIMARY KEY" : "")
      try source.insert(Person.many(1...15_000))
      try source.insert((20_001...20_015).map { Person(id: $0, name: "这个名字实在是太长了一点点") })
      if way.from != .sqlite { try source.insert([Person(id: nil), Person(id: nil)] + Person.many([77])) }
      let bad = way.from != .sqlite ? 18 : 15
      try await withTemporaryFolder { keeper in
        let places = [way.from.rawValue, source.place, way.to.rawValue, target.place]
        var fence = 0
        let full = try deliverThroughKills("full", "r1", places, keeper, fence: &fence, generator: &generator)
        #expect(full.said.contains("agrees true"))
        #expect(full.said.contains("delivered 15000\n") && full.said.contains("quarantined \(bad)\n"))
        #expect(try counted(keeper, full.said) == bad)
        let good = Person.many(1...15_000).map(\.delivered)
        #expect(try target.persons() == good)
        try source.run(
          "UPDATE person SET name = '改名', changed = '2026-08-22 12:00:00+00' WHERE id BETWEEN 100 AND 6000")
        try source.insert(Person.many(30_001...31_000, changed: "2026-08-22 12:00:00+00"))
        try source.run(
          "UPDATE person SET name = '这个名字实在是太长了一点点', changed = '2026-08-22 12:00:00+00' WHERE id BETWEEN 7000 AND 7004")
        let changed = try deliverThroughKills("incremental", "r2", places, keeper, fence: &fence, generator: &generator)
        #expect(changed.said.contains("agrees true"))
        #expect(changed.said.contains("delivered 6901\n") && changed.said.contains("stale 5\n"))
        let names = Dictionary(uniqueKeysWithValues: good.map { ($0.id ?? 0, $0) })
        let expected = (Array(1...15_000) + Array(30_001...31_000)).map { id -> Person in
          if (100...6000).contains(id) {
            var person = names[id] ?? Person()
            person.name = "改名"
            return person
          }
          return names[id] ?? Person.many([id])[0].delivered
        }
        #expect(try target.persons() == expected)
        kills += full.kills + changed.kills
      }
    }
    #expect(kills >= 20, "only \(kills) kills: the machine was too fast for the aim")
    print("\(way.testDescription): \(kills) kills")
  }

  @Test(arguments: [Product.postgresql, .sqlite])
  func `a stream of changes that is killed at any moment ends with exactly what the source has`(product: Product)
    async throws
  {
    var generator = Seeded(state: 20_261_129)
    var kills = 0
    for round in 0..<8 where kills < 20 || round == 0 {
      let (source, target) = (try Stand(.postgresql), try Stand(product))
      let grant = "crash-" + UUID().uuidString.prefix(8).lowercased()
      defer { try? source.connector.endChanges(grant) }
      try source.makePersons()
      try source.insert(Person.many(1...8000))
      try await withTemporaryFolder { keeper in
        let places = ["postgresql", source.place, product.rawValue, target.place]
        var fence = 0
        for run in 1...3 {
          let said = try deliverThroughKills(
            "changes:\(grant)", "r\(run)", places, keeper, fence: &fence, generator: &generator)
          kills += said.kills
          #expect(said.said.contains("agrees true"))
          #expect(try target.persons() == source.persons())
          let low = Int.random(in: 1...7000, using: &generator)
          try source.run(
            """
            UPDATE person SET name = '改\(run)' WHERE id BETWEEN \(low) AND \(low + 900);
            DELETE FROM person WHERE id BETWEEN \(low + 100) AND \(low + 300);
            INSERT INTO person (id, name) SELECT i, '新' FROM generate_series(\(run * 10_000), \(run * 10_000 + 4000)) i
            """)
          try source.run("UPDATE person SET id = -id WHERE id BETWEEN \(low + 400) AND \(low + 420)")
        }
      }
    }
    #expect(kills >= 20, "only \(kills) kills: the machine was too fast for the aim")
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

  @Test func `a MariaDB target killed again and again in both kinds of run holds exactly the good rows, each once`()
    async throws
  {
    // Durable: what it said it committed must be there when it comes back.
    let server = try MariaDBServer()
    defer { server.remove() }
    let address = MariaDBAddress(
      host: "", database: try server.makeDatabase(), user: "root", zone: 0, socket: server.socket)
    let (source, target, grant) = (try Stand(.postgresql), MariaDBConnector(address), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...12_000))
    var (fence, kills, generator) = (Int64(0), 0, Seeded(state: 20_260_822))
    func deliver(_ mode: DeliveryPlan.Mode, _ run: String, kills wanted: Int) async throws -> DeliveryOutcome {
      var left = wanted
      while true {
        fence += 1
        // Between two commits, or in the middle of the writing of the next.
        let (batch, patience) = (
          Int64.random(in: 1...3, using: &generator), UInt32.random(in: 0...9_000, using: &generator)
        )
        let seen = Mutex(Int64(0))
        let (armed, keeper) = (left > 0, grant.keeper)
        let control = DeliveryControl(
          progress: { _ in
            let count = seen.withLock { seen in
              seen += 1
              return seen
            }
            guard armed, count == batch else { return }
            BlockingThread.start {
              usleep(patience)
              server.stop(.kill)
            }
          }, quarantine: { keeper.take($0) })
        do {
          return try await Delivery(grant.plan(mode, run: run, fence: fence), control: control)
            .run(from: source.connector, to: target)
        } catch let error as ConnectorError {
          guard error.kind == .retryable, armed else { throw error }
          left -= 1
          kills += 1
          server.stop(.kill)
          try server.start()
        }
      }
    }
    func rows() throws -> [Person] {
      try MariaDBConnection(address).run("SELECT id, name, CAST(capital AS char), born FROM person ORDER BY id").map {
        row in
        Person(id: row[0].flatMap { Int($0) }, name: row[1], capital: row[2], born: row[3], changed: nil)
      }
    }
    let full = try await deliver(.full, "r1", kills: 4)
    #expect(full.disagreement == nil && full.provider.counts.delivered == 12_000)
    #expect(try rows() == source.persons())
    try source.run(
      "UPDATE person SET name = '改名', changed = '2026-08-22 12:00:00+00' WHERE id BETWEEN 100 AND 6000")
    try source.insert(Person.many(30_001...31_000, changed: "2026-08-22 12:00:00+00"))
    let changed = try await deliver(.incremental, "r2", kills: 4)
    #expect(changed.disagreement == nil && changed.provider.counts.delivered == 6901)
    #expect(try rows() == source.persons())
    #expect(kills == 8)
  }

  @Test func `a full disk stops the delivery with a clear answer, and room lets it finish`() async throws {
    let (source, target) = (try Stand(.sqlite), try Stand(.sqlite))
    try source.makePersons()
    try source.insert(Person.many(1...15_000))
    try await withTemporaryFolder { keeper in
      let places = ["sqlite", source.place, "sqlite", target.place, "full", "r1"]
      let full = try attempt(places + ["1", keeper, "300000"], killAfter: nil)
      #expect(full.status == 1)
      #expect(full.said.contains("error retryable sqlite."), "\(full.said)")
      let there = Int(try target.value("SELECT count(*) FROM person") ?? "") ?? 0
      #expect(there > 0 && there < 15_000)
      let outcome = try attempt(places + ["2", keeper], killAfter: nil)
      #expect(outcome.said.contains("agrees true") && outcome.said.contains("delivered 15000\n"))
      #expect(try target.persons() == Person.many(1...15_000).map(\.delivered))
    }
  }
}

/// The same chances in every run.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}
