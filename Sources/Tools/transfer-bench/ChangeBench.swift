import Connecting
import ConnectorPostgreSQL
import Foundation
import Kernel
import Synchronization
import TestKit
import Transfer

/// Following changes: how many a second are kept up with, how old the newest visible change is meanwhile, and how a
/// backlog is drained.
struct ChangeBench {
  var seconds: Int

  /// Seconds.
  private static let beginning = 4.0
  private static let backlogUpdates = 200_000
  private static let backlogInserts = 800_000

  private func plan(_ run: Int64, _ ending: DeliveryPlan.Changes.Ending) -> DeliveryPlan {
    var plan = DeliveryPlan(
      grant: "bench", run: "run-\(run)", fence: run, mode: .changes, source: TableName("person"),
      target: TableName("person"),
      items: [
        ItemContract("id", .integer), ItemContract("uscc", .text, length: 18), ItemContract("name", .text, length: 60),
        ItemContract("address", .text, length: 120, mask: .keepHeadTail(6, 0)),
        ItemContract("capital", .decimal(precision: 18, scale: 2)), ItemContract("established", .date),
        ItemContract("staff", .integer), ItemContract("changed", .timestamp),
      ], key: ["id"], secret: Array("0123456789abcdef".utf8), providerKey: Array("0123456789abcdef".utf8))
    plan.changes = .init(ending: ending, mostRetained: 64 << 30)
    return plan
  }

  func run() async throws {
    let server = try PostgresServer()
    defer { server.remove() }
    try await follow(try PostgreSQLSource(server), server)
    let mariadb = try MariaDBSource()
    defer { mariadb.remove() }
    try await follow(mariadb, server)
  }

  private func follow(_ changed: any ChangedSource, _ server: PostgresServer) async throws {
    print("\n== \(changed.title) → PostgreSQL")
    let to = try server.makeDatabase()
    try changed.run(changed.insert(1, 200_000))
    let source = try changed.connector()
    let target = PostgreSQLConnector(PostgreSQLAddress(address: server.address(of: to)))
    let servers = changed.servers + server.pids
    let quiet = DeliveryControl(quarantine: { _ in })
    _ = try await Delivery(plan(1, .caughtUp), control: quiet).run(from: source, to: target)
    let steps: [(title: String, rate: Int, statement: @Sendable (Int, Int) -> String, newest: String)] = [
      ("inserts", 50_000, { changed.insert(1_000_000 + $0, $1) }, "ORDER BY id DESC LIMIT 1"),
      // The last row of all is changed in each transaction: its age is that of the newest change.
      (
        "updates", 20_000,
        { "\(changed.update(1 + $0 % 190_000, $1)) \(changed.update(200_000, 1))" }, "WHERE id = 200000"
      ),
    ]
    for (index, step) in steps.enumerated() {
      let follow = plan(Int64(index + 2), .after(.seconds(seconds)))
      let (start, before) = (Usage.now(), Measured.serverSeconds(servers))
      async let outcome = Delivery(follow, control: quiet).run(from: source, to: target)
      let made = try await load(changed, server.address(of: to), step.statement, step.rate, step.newest)
      let counts = try await outcome.provider.counts
      let used = Usage.now() - start
      report(
        step.title, made, counts, used, Measured.serverSeconds(servers) - before, try await outcome.disagreement == nil)
    }
    // What waited while nobody followed.
    try changed.run(changed.update(1, Self.backlogUpdates))
    try changed.run(changed.insert(50_000_000, Self.backlogInserts))
    let start = Usage.now()
    let outcome = try await Delivery(plan(9, .caughtUp), control: quiet).run(from: source, to: target)
    let used = Usage.now() - start
    print(
      String(
        format: "backlog of %d changes: %.1f s, %.0fk/s, own CPU %.2f s/million, peak memory %d MiB, receipts agree %@",
        outcome.provider.counts.read, used.wall, Double(outcome.provider.counts.read) / used.wall / 1000,
        used.cpu / Double(outcome.provider.counts.read) * 1e6, Usage.now().peakMiB,
        outcome.disagreement == nil ? "yes" : "no"))
    let same = "SELECT concat_ws(' ', count(*), sum(id), sum(staff), sum(capital)) FROM person"
    print("same content: \(try changed.query(same) == server.query(same, on: to))")
  }

  private struct Made: Sendable {
    var rows: Int
    var seconds: Double
    /// Ages of the newest change that the target shows, in milliseconds.
    var ages: [Double]
  }

  /// Changes rows in a hundred transactions a second, at this rate, and looks how old what the target shows is: an age is
  /// the time since its statement began at the source, so up to a hundredth of a second more than since its commit.
  private func load(
    _ source: any ChangedSource, _ to: String, _ statement: @escaping @Sendable (Int, Int) -> String, _ rate: Int,
    _ newest: String
  ) async throws -> Made {
    let time = Double(seconds) - 1
    async let ages = BlockingThread.run { () throws -> [Double] in
      let psql = try Lines("psql -X -q -A -t -d '\(to)'")
      var ages: [Double] = []
      let start = Usage.now().wall
      while Usage.now().wall - start < time {
        usleep(20_000)
        let age = try psql.ask(
          "SELECT extract(epoch FROM clock_timestamp() - changed) * 1000 FROM person \(newest);")
        // Not the first moments: a server begins with what it has decoded before, and nothing was written yet.
        if Usage.now().wall - start > Self.beginning, let age = Double(age) { ages.append(age) }
      }
      return ages
    }
    let (rows, seconds) = try await BlockingThread.run { () throws -> (Int, Double) in
      let client = try Lines(source.client)
      let size = rate / 100
      let start = Usage.now().wall
      var done = 0
      while Usage.now().wall - start < time {
        let behind = (Usage.now().wall - start) * Double(rate) - Double(done)
        if behind < Double(size) { usleep(UInt32(max(100, (Double(size) - behind) / Double(rate) * 1e6))) }
        _ = try client.ask("BEGIN; \(statement(done, size)) COMMIT; SELECT 1;")
        done += size
      }
      return (done, Usage.now().wall - start)
    }
    return Made(rows: rows, seconds: seconds, ages: try await ages.sorted())
  }

  private func report(
    _ title: String, _ made: Made, _ counts: Receipt.Counts, _ used: Usage, _ servers: Double, _ agrees: Bool
  ) {
    let p99 = made.ages.isEmpty ? .nan : made.ages[min(made.ages.count - 1, made.ages.count * 99 / 100)]
    let p50 = made.ages.isEmpty ? .nan : made.ages[made.ages.count / 2]
    let million = Double(max(1, counts.read)) / 1e6
    print(
      String(
        format:
          "%@: %.0f a second made, %d made and %d delivered in all, newest visible p50 %.0f ms p99 %.0f ms (limit 1000: %@), own CPU %.2f s/million, servers' and load's CPU %.2f s/million, peak memory %d MiB, receipts agree %@",
        title, Double(made.rows) / made.seconds, made.rows, counts.read, p50, p99,
        p99 < 1000 ? "met" : "MISSED", used.cpu / million, servers / million, Usage.now().peakMiB,
        agrees ? "yes" : "no"))
  }
}

/// A program that answers each line with a line.
final class Lines {
  private let process = Process()
  private let (input, output) = (Pipe(), Pipe())
  private var rest = Data()

  init(_ command: String) throws {
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "exec \(command)"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  deinit { try? input.fileHandleForWriting.close() }

  func ask(_ line: String) throws -> String {
    try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    while true {
      if let end = rest.firstIndex(of: 10) {
        defer { rest = Data(rest[(end + 1)...]) }
        return String(decoding: rest[..<end], as: UTF8.self)
      }
      let more = output.fileHandleForReading.availableData
      guard !more.isEmpty else { throw ConnectorError(.permanent, "bench.psql", Text(same: "psql ended")) }
      rest += more
    }
  }
}
