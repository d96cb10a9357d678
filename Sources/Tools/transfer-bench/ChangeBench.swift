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

  private static let columns =
    "id bigint PRIMARY KEY, uscc varchar(18), name varchar(60), address varchar(120), capital numeric(18,2), established date, staff bigint, changed timestamptz"
  private static let row =
    "'9163' || lpad(i::text, 14, '0'), '青海三江源生态环境有限公司' || i, '青海省西宁市城中区长江路' || i || '号', (i % 100000) / 100.0, date '2000-01-01' + (i % 9000)::int, i % 500"

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
    let (from, to) = (try server.makeDatabase(), try server.makeDatabase())
    try server.query("CREATE TABLE person (\(Self.columns))", on: from)
    try server.query(
      "INSERT INTO person SELECT i, \(Self.row), now() FROM generate_series(1, 200000) i; ANALYZE person", on: from)
    let source = PostgreSQLConnector(PostgreSQLAddress(address: server.address(of: from)))
    let target = PostgreSQLConnector(PostgreSQLAddress(address: server.address(of: to)))
    let quiet = DeliveryControl(quarantine: { _ in })
    _ = try await Delivery(plan(1, .caughtUp), control: quiet).run(from: source, to: target)
    let steps: [(title: String, rate: Int, statement: String)] = [
      (
        "inserts", 50_000,
        "INSERT INTO person SELECT i, \(Self.row), clock_timestamp() FROM generate_series($1::int8, $1::int8 + $2::int8 - 1) i"
      ),
      (
        "updates", 20_000,
        "UPDATE person SET staff = staff + 1, changed = clock_timestamp() WHERE id >= 1 + $1::int8 % 190000 AND id < 1 + $1::int8 % 190000 + $2::int8"
      ),
    ]
    for (index, step) in steps.enumerated() {
      let follow = plan(Int64(index + 2), .after(.seconds(seconds)))
      let start = Usage.now()
      async let outcome = Delivery(follow, control: quiet).run(from: source, to: target)
      let made = try await load(server.address(of: from), server.address(of: to), step.statement, step.rate)
      let counts = try await outcome.provider.counts
      let used = Usage.now() - start
      report(step.title, made, counts, used, try await outcome.disagreement == nil)
    }
    // What waited while nobody followed.
    try server.query(
      "UPDATE person SET staff = staff + 1 WHERE id <= 200000; INSERT INTO person SELECT i, \(Self.row), now() FROM generate_series(50000000, 50799999) i",
      on: from)
    let start = Usage.now()
    let outcome = try await Delivery(plan(9, .caughtUp), control: quiet).run(from: source, to: target)
    let used = Usage.now() - start
    print(
      String(
        format: "backlog of %d changes: %.1f s, %.0fk/s, own CPU %.2f s/million, peak memory %d MiB, receipts agree %@",
        outcome.provider.counts.read, used.wall, Double(outcome.provider.counts.read) / used.wall / 1000,
        used.cpu / Double(outcome.provider.counts.read) * 1e6, Usage.now().peakMiB,
        outcome.disagreement == nil ? "yes" : "no"))
    let same =
      "SELECT count(*), md5(string_agg(md5(concat_ws('|', id, staff, changed)), '' ORDER BY id)) FROM person"
    print("same content: \(try server.query(same, on: from) == server.query(same, on: to))")
  }

  private struct Made: Sendable {
    var rows: Int
    var seconds: Double
    /// Ages of the newest change that the target shows, in milliseconds.
    var ages: [Double]
  }

  /// Changes rows in a hundred transactions a second, at this rate, and looks how old what the target shows is.
  private func load(_ from: String, _ to: String, _ statement: String, _ rate: Int) async throws -> Made {
    let time = Double(seconds) - 1
    async let ages = BlockingThread.run { () throws -> [Double] in
      let psql = try Lines("psql -X -q -A -t -d '\(to)'")
      var ages: [Double] = []
      let start = Usage.now().wall
      while Usage.now().wall - start < time {
        usleep(20_000)
        let age = try psql.ask("SELECT extract(epoch FROM clock_timestamp() - max(changed)) * 1000 FROM person;")
        // The first moments: nothing was written yet.
        if Usage.now().wall - start > 1, let age = Double(age) { ages.append(age) }
      }
      return ages
    }
    let (rows, seconds) = try await BlockingThread.run { () throws -> (Int, Double) in
      let psql = try Lines("psql -X -q -A -t -d '\(from)'")
      let size = rate / 100
      _ = try psql.ask("PREPARE p AS \(statement); SELECT 1;")
      let start = Usage.now().wall
      var done = 0
      while Usage.now().wall - start < time {
        let behind = (Usage.now().wall - start) * Double(rate) - Double(done)
        if behind < Double(size) { usleep(UInt32(max(100, (Double(size) - behind) / Double(rate) * 1e6))) }
        _ = try psql.ask("EXECUTE p(\(1_000_000 + done), \(size)); SELECT 1;")
        done += size
      }
      return (done, Usage.now().wall - start)
    }
    return Made(rows: rows, seconds: seconds, ages: try await ages.sorted())
  }

  private func report(_ title: String, _ made: Made, _ counts: Receipt.Counts, _ used: Usage, _ agrees: Bool) {
    let p99 = made.ages.isEmpty ? 0 : made.ages[min(made.ages.count - 1, made.ages.count * 99 / 100)]
    let p50 = made.ages.isEmpty ? 0 : made.ages[made.ages.count / 2]
    print(
      String(
        format:
          "%@: %.0f a second made, %.0f a second delivered, newest visible p50 %.0f ms p99 %.0f ms, own CPU %.2f s/million, peak memory %d MiB, receipts agree %@",
        title, Double(made.rows) / made.seconds, Double(counts.read) / used.wall, p50, p99,
        used.cpu / Double(max(1, counts.read)) * 1e6, Usage.now().peakMiB, agrees ? "yes" : "no"))
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
