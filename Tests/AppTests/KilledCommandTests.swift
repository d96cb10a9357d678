import Demo
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
  /// The program built beside the tests.
  private static let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appendingPathComponent("sanjiang").path

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
    process.executableURL = URL(fileURLWithPath: Self.program)
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
