import Connecting
import ConnectorPostgreSQL
import Foundation
import Kernel
import Synchronization
import TestKit
import Transfer

/// One large table by one, two and four workers, each a process of its own: PostgreSQL to PostgreSQL, first as if both were
/// far away and answered each batch 20 ms later, then without that, where this machine's cores are soon the limit.
///
/// The distance is made inside each worker (`DelayedConnector`), not on the wire: a stream that has begun to come would
/// hide it there. One worker delivers the table as a whole; several deliver parts, which are cut and gathered within the
/// time that is measured. Batches are of 256 KiB, so that one worker mostly waits: with larger ones, which a real distance
/// would ask for, two cores have no room for two workers and both databases. Each figure is the best of three runs, so
/// that what else runs here is measured as little as can be.
struct SplitBench {
  var rows: Int
  var batchKiB = 256
  private static let workers = [1, 2, 4]
  private static let distance = 20
  private static let floor = 1.8

  func run() async throws {
    let server = try PostgresServer()
    defer { server.remove() }
    let target = try server.makeDatabase()
    let source = try Sample.database(rows, on: server)
    try server.query("VACUUM ANALYZE legal_person", on: source)
    let cores = ProcessInfo.processInfo.activeProcessorCount
    print("\(rows) rows × 12 columns, batches of \(batchKiB) KiB, best of 3, \(cores) cores for all together")
    for delay in [Self.distance, 0] {
      print("\n== " + (delay > 0 ? "each batch answered \(delay) ms later" : "without distance"))
      print(line(["workers", "rows/s", "wall s", "own CPU s/M", "servers' CPU s/M", "cores in use", "to one"]))
      var one: Double?
      for workers in Self.workers {
        var best: Measured?
        for _ in 0..<3 {
          try server.query("DROP TABLE IF EXISTS copy, sj_offset, sj_batch", on: target)
          try server.query("CHECKPOINT", on: target)
          let measured = try Measured.run(
            "'\(CommandLine.arguments[0])' split-run '\(server.address(of: source))' '\(server.address(of: target))' \(workers) \(delay) '\(server.folder)' \(batchKiB)",
            servers: server.pids, scratch: server.folder)
          let isWhole = measured.said.contains("agrees true") && measured.said.contains("rows \(rows)\n")
          guard measured.status == 0, isWhole else {
            throw ConnectorError(.permanent, "bench.split", Text(same: "it failed: \(measured.said.suffix(800))"))
          }
          if measured.wall < best?.wall ?? .infinity { best = measured }
        }
        guard let best else { continue }
        let (million, speed) = (Double(rows) / 1e6, Double(rows) / best.wall)
        one = one ?? speed
        let ratio = speed / (one ?? speed)
        var verdict = String(format: "%.2f×", ratio)
        if delay > 0, workers == 2 {
          verdict += " (floor \(Self.floor): \(ratio >= Self.floor ? "met" : "MISSED"))"
        }
        print(
          line([
            "\(workers)", "\(Int(speed / 1000))k", String(format: "%.2f", best.wall),
            String(format: "%.2f", best.cpu / million), String(format: "%.2f", best.serverCPU / million),
            String(format: "%.2f of \(cores)", (best.cpu + best.serverCPU) / best.wall), verdict,
          ]))
      }
    }
  }

  private func line(_ fields: [String]) -> String {
    zip(fields, [10, 10, 10, 14, 18, 15, 0]).map {
      $0.padding(toLength: max($1, $0.count), withPad: " ", startingAt: 0)
    }
    .joined()
  }
}

/// `split-run SOURCE TARGET WORKERS DELAY FOLDER KIB`: the delivery, by so many processes.
/// `split-part SOURCE TARGET DELAY PART RESULT FENCE KIB`: one of them.
enum SplitRun {
  static func run(_ arguments: [String]) async throws {
    guard arguments.count == 6, let workers = Int(arguments[2]), let delay = Int(arguments[3]),
      let size = Int(arguments[5])
    else { return }
    let (from, to, folder) = (arguments[0], arguments[1], arguments[4])
    let delivery = try delivery(part: nil, fence: 1, size)
    let (source, target) = (far(from, delay), far(to, delay))
    guard workers > 1 else { return tell(try await delivery.run(from: source, to: target)) }
    let parts = try await delivery.split(into: workers, from: source, to: target)
    let results = try await withThrowingTaskGroup(of: DeliveredPart.self) { group in
      for part in parts {
        let file = "\(folder)/part-\(part.index)"
        try part.text.write(toFile: file, atomically: true, encoding: .utf8)
        group.addTask {
          let done = try await BlockingThread.run {
            try Measured.run(
              "'\(CommandLine.arguments[0])' split-part '\(from)' '\(to)' \(delay) '\(file)' '\(file).done' \(2 + part.index) \(size)",
              servers: [], scratch: folder)
          }
          let text = try? String(contentsOfFile: file + ".done", encoding: .utf8)
          guard done.status == 0, let result = text.flatMap({ DeliveredPart($0) }) else {
            throw ConnectorError(.permanent, "bench.part", Text(same: done.said))
          }
          return result
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    tell(try await Self.delivery(part: nil, fence: 100, size).gather(results, to: target))
  }

  static func part(_ arguments: [String]) async throws {
    guard arguments.count == 7, let delay = Int(arguments[2]), let fence = Int64(arguments[5]),
      let size = Int(arguments[6]),
      let part = DeliveryPart(try String(contentsOfFile: arguments[3], encoding: .utf8)),
      case .finished(let done) = try await delivery(part: part, fence: fence, size)
        .runPart(from: far(arguments[0], delay), to: far(arguments[1], delay))
    else { return }
    try done.text.write(toFile: arguments[4], atomically: true, encoding: .utf8)
  }

  private static func delivery(part: DeliveryPart?, fence: Int64, _ batchKiB: Int) throws -> Delivery {
    var plan = EngineRun.plan(table: "legal_person", into: "copy")
    (plan.part, plan.fence, plan.batchBytes) = (part, fence, batchKiB << 10)
    return try Delivery(plan, control: DeliveryControl(quarantine: { _ in }))
  }

  private static func far(_ address: String, _ delay: Int) -> any Connector {
    let near = PostgreSQLConnector(PostgreSQLAddress(address: address))
    return delay > 0 ? DelayedConnector(near: near, delay: .milliseconds(delay)) : near
  }

  private static func tell(_ outcome: DeliveryOutcome) {
    let counts = outcome.provider.counts
    print("agrees \(outcome.consumer != nil && outcome.disagreement == nil)")
    print("rows \(counts.delivered + counts.quarantined)")
  }
}
