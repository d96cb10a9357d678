import Demo
import Exchange
import Foundation
import Kernel
import Sharing
import Storage
import TestKit
import Testing
import Web

@testable import App

/// `sanjiang exchange run` as an operator runs it, killed at any moment: in processes of its own, against the demo's tables.
@Suite(.serialized) struct KilledCommandTests {
  private struct Attempt {
    var status: Int32
    var wasKilled: Bool
    var said: String
  }

  private func run(_ node: Node, _ arguments: [String], killAfter patience: UInt32? = nil) throws -> Attempt {
    let output = NSTemporaryDirectory() + "sanjiang-kill-" + UUID().uuidString
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    defer { unlink(output) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = arguments + ["--data", node.settings.data, "--database", node.settings.database, "--json"]
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    if let patience {
      usleep(patience)
      kill(process.processIdentifier, SIGKILL)
    }
    process.waitUntilExit()
    return Attempt(
      status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
      said: try String(contentsOfFile: output, encoding: .utf8))
  }

  @Test(arguments: Engine.allCases)
  func
    `killed at any moment and run again, the command delivers every good row once, and both receipts and the log hold`(
      engine: Engine
    ) async throws
  {
    // The commands live by the machine's clock, so the grant must be made in its days.
    try await withNode(engine, from: Clock.system.now() - .seconds(5 * 86_400)) { node, cast, clock, folder in
      let generator = LegalPersonGenerator(count: 30_000)
      let databases = DemoDatabases(folder: folder + "/sources", generator: generator)
      try databases.make()
      var outcome = DemoJourney.Outcome()
      let journey = DemoJourney(node: node, cast: cast, databases: databases, clock: clock) { _ in }
      let (_, grant) = try await journey.reachGrant(&outcome)
      var random = SystemRandomNumberGenerator()
      var (kills, gaveUp, patience) = (0, 0, UInt32(150_000))
      var last: Attempt
      repeat {
        last = try run(
          node, ["exchange", "run", "--grant", grant.id.text],
          killAfter: .random(in: 30_000...patience, using: &random))
        if last.wasKilled {
          kills += 1
          // A killed worker's lease would hold the next one up for half a minute.
          try await node.database.write { tx in
            try tx.run("UPDATE jobs_job SET lease_until = '2000-01-01T00:00:00.000Z' WHERE state = 'running'")
          }
          patience += 60_000
        } else if last.status != 0 {
          // So many workers were lost that the delivery was given up; asked for again, it goes on.
          gaveUp += 1
          #expect(last.said.contains("\"failed\""), "\(last.said)")
        }
      } while last.status != 0 && kills < 100
      print("sanjiang exchange run on \(engine): \(kills) kills, given up \(gaveUp) times")
      #expect(kills >= 5)
      #expect(last.status == 0, "\(last.said)")
      let answer = try JSONParser.parse(Array(last.said.utf8))
      #expect(answer["receiptsAgree"]?.bool == true)
      try compare(databases, generator)
      let verified = try run(node, ["audit", "verify"])
      #expect(verified.status == 0, "\(verified.said)")
    }
  }

  @Test(arguments: [SIGTERM, SIGINT, SIGKILL])
  func `told to stop it hands the delivery back, and after a kill the next says whom it waits for`(signal: Int32)
    async throws
  {
    try await withNode(.sqlite, from: Clock.system.now() - .seconds(5 * 86_400)) { node, cast, clock, folder in
      let databases = DemoDatabases(folder: folder + "/sources", generator: LegalPersonGenerator(count: 60_000))
      try databases.make()
      var outcome = DemoJourney.Outcome()
      let journey = DemoJourney(node: node, cast: cast, databases: databases, clock: clock) { _ in }
      let (_, grant) = try await journey.reachGrant(&outcome)
      let command = [
        "exchange", "run", "--grant", grant.id.text, "--data", node.settings.data, "--database", node.settings.database,
      ]
      let first = try Program(command)
      func isRunning() async throws -> Bool {
        try await node.database.read {
          try $0.row("SELECT id FROM jobs_job WHERE state = 'running' AND kind = \(Exchange.job)") != nil
        }
      }
      while try await !isRunning() { try await Task.sleep(for: .milliseconds(5)) }
      first.signal(signal)
      let stopped = try first.wait()
      let left = try await isRunning()
      #expect(stopped.status != 0 && left == (signal == SIGKILL), "\(stopped.said)")
      let next = try Program(command)
      if signal == SIGKILL {
        while !next.complainedSoFar.contains("takes over at") { try await Task.sleep(for: .milliseconds(20)) }
        try await node.database.write { tx in
          try tx.run("UPDATE jobs_job SET lease_until = '2000-01-01T00:00:00.000Z' WHERE state = 'running'")
        }
      } else {
        #expect(stopped.complained.contains("was handed back"), "\(stopped.said)")
      }
      let done = try next.wait()
      #expect(done.status == 0 && done.complained.contains("takes over") == (signal == SIGKILL), "\(done.said)")
      // Also the journey's records, which no sequencer has come by.
      let waiting = try await node.database.read { try $0.int("SELECT COUNT(*) FROM audit_waiting") }
      #expect(waiting == 0)
    }
  }

  /// Source and target as sets of rows, and each row once.
  private func compare(_ databases: DemoDatabases, _ generator: LegalPersonGenerator) throws {
    let bad = (0..<generator.count).filter { generator.flaw(of: $0) != nil }.count
    // The capital is kept as text in the target and as a number in the source.
    let columns = "uscc, name, kind, representative, CAST(capital AS REAL), established, status, address"
    func sqlite(_ sql: String) throws -> String {
      try Tool.run("/usr/bin/sqlite3", [databases.consumerPath, "ATTACH '\(databases.providerPath)' AS s; \(sql)"])
        .trimmingCharacters(in: .whitespacesAndNewlines)
    }
    let counts = try sqlite("SELECT count(*), count(DISTINCT uscc) FROM legal_person_check")
    #expect(counts == "\(generator.count - bad)|\(generator.count - bad)")
    let strangers = try sqlite(
      "SELECT count(*) FROM (SELECT \(columns) FROM legal_person_check EXCEPT SELECT \(columns) FROM s.legal_person)")
    #expect(strangers == "0")
    let covered = try sqlite("SELECT count(*) FROM legal_person_check WHERE sj_stale_batch IS NOT NULL")
    #expect(covered == "0")
  }
}
