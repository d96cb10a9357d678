import Connecting
import Foundation
import Kernel
import Reshaping
import TestKit
import Testing

@testable import Transfer

/// Keys that the source may hold and the contract does not permit: a target that were given one would bend it to its column,
/// and then it might be another row's.
@Suite struct UnfitKeyTests {
  private static let unfit = ["1.00000000001", "'NaN'", "1e30", "0.004"]

  private func source() throws -> Stand {
    let source = try Stand(.postgresql, followed: true)
    try source.run(
      """
      CREATE TABLE person (id numeric PRIMARY KEY, v bigint NOT NULL, changed timestamptz NOT NULL DEFAULT '2026-08-22 09:00:00+00');
      INSERT INTO person (id, v) VALUES (1, 1), (2, 2), (0, 3)
      """)
    return source
  }

  private func grant(_ name: String = "grant-1") -> Grant {
    var grant = Grant(name: name)
    grant.items = [ItemContract("id", .decimal(precision: 18, scale: 2)), ItemContract("v", .integer)]
    return grant
  }

  private func there(_ target: Stand) throws -> [String?] {
    try target.rows("SELECT v FROM person ORDER BY v").map { $0[0] }
  }

  @Test(arguments: Product.allCases)
  func `bad rows with unfit keys flag and remove no good row, run after run`(product: Product) async throws {
    let (source, target, grant) = (try source(), try Stand(product), grant())
    try await grant.deliver(.full, run: "r1", from: source, to: target)
    for (place, key) in Self.unfit.enumerated() {
      try source.run("INSERT INTO person (id, v) VALUES (\(key), \(100 + place))")
    }
    for run in 2...3 {
      let outcome = try await grant.deliver(.full, run: "r\(run)", fence: Int64(run), from: source, to: target)
      #expect(outcome.disagreement == nil && outcome.provider.counts.quarantined == 4)
      #expect(outcome.provider.counts.stale == 0 && outcome.provider.counts.removed == 0)
      #expect(try there(target) == ["1", "2", "3"])
    }
    #expect(try target.value("SELECT count(*) FROM person WHERE sj_stale_batch IS NOT NULL") == "0")
  }

  @Test(arguments: Product.allCases)
  func `a filter that leaves out a row with an unfit key removes no good row`(product: Product) async throws {
    let (source, target) = (try source(), try Stand(product))
    var grant = grant()
    grant.onTheWay.filter = "v < 50"
    try await grant.deliver(.full, run: "r1", from: source, to: target)
    try source.run(
      "INSERT INTO person (id, v, changed) VALUES (1.00000000001, 100, now()), ('NaN', 101, now()), (1e30, 102, now())")
    let outcome = try await grant.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.removed == 0)
    #expect(try there(target) == ["1", "2", "3"])
  }

  @Test(arguments: Product.allCases)
  func `a bad row that the source deletes takes no good one with it`(product: Product) async throws {
    let name = "grant-" + UUID().uuidString.prefix(8).lowercased()
    let (source, target, grant) = (try source(), try Stand(product), grant(name))
    defer { try? source.connector.endChanges(name) }
    func follow(_ run: String, _ fence: Int64) async throws -> DeliveryOutcome {
      var plan = grant.plan(.changes, run: run, fence: fence)
      plan.changes.ending = .caughtUp
      return try await Delivery(plan, control: DeliveryControl(check: {}, quarantine: { _ in }))
        .run(from: source.connector, to: target.connector)
    }
    try await _ = follow("r1", 1)
    for (place, key) in Self.unfit.enumerated() {
      try source.run("INSERT INTO person (id, v) VALUES (\(key), \(100 + place))")
    }
    #expect(try await follow("r2", 2).provider.counts.quarantined == 4)
    try source.run("DELETE FROM person WHERE v >= 100")
    #expect(try await follow("r3", 3).provider.counts.removed == 0)
    #expect(try there(target) == ["1", "2", "3"])
  }

  @Test(arguments: [
    ("date", ValueType.date, "('0044-01-01 BC'::date + n)"),
    ("timestamptz", .timestamp, "('0044-01-01 BC'::timestamptz + n * interval '1 day')"),
    ("float8", .double, "CASE WHEN n = 1 THEN '-Infinity' ELSE (-1e300 + n * 1e290) END"),
  ])
  func `reading goes on behind a key that no contract permits`(type: String, item: ValueType, key: String) async throws
  {
    let (source, target) = (try Stand(.postgresql), try Stand(.postgresql))
    try source.run(
      """
      CREATE TABLE person (id \(type) PRIMARY KEY, v text NOT NULL);
      INSERT INTO person SELECT \(key), repeat('x', 200) FROM generate_series(1, 2000) n
      """)
    var grant = Grant(cursor: nil)
    grant.items = [ItemContract("id", item), ItemContract("v", .text, length: 100)]
    let stopped = Stop(after: 3)
    await #expect(throws: ConnectorError.self) {
      try await grant.deliver(.full, run: "r1", from: source, to: target) { try stopped.check() }
    }
    let outcome = try await grant.deliver(.full, run: "r1", fence: 2, from: source, to: target)
    #expect(outcome.provider.counts.read == 2000 && outcome.provider.counts.quarantined == 2000)
  }

  /// Breaks a delivery off before one of its commits.
  private final class Stop: @unchecked Sendable {
    private var left: Int
    init(after commits: Int) { left = commits }

    func check() throws {
      left -= 1
      if left == 0 { throw ConnectorError(.retryable, "test.stop", Text(same: "stopped")) }
    }
  }
}
