import Connecting
import Foundation
import Kernel
import Testing

@testable import Transfer

/// Grants under which rows that go stay in the target, with a mark.
@Suite struct MarkedDeletesTests {
  private func deliver(
    _ grant: Grant, _ mode: DeliveryPlan.Mode, run: String, fence: Int64, filter: String? = nil, _ source: Stand,
    _ target: Stand
  ) async throws -> DeliveryOutcome {
    let keeper = grant.keeper
    return try await Delivery(
      plan(grant, mode, run, fence, filter), control: DeliveryControl(quarantine: { keeper.take($0) })
    ).run(from: source.connector, to: target.connector)
  }

  private func plan(
    _ grant: Grant, _ mode: DeliveryPlan.Mode, _ run: String, _ fence: Int64, _ filter: String? = nil
  ) -> DeliveryPlan {
    var plan = grant.plan(mode, run: run, fence: fence)
    plan.changes.ending = .caughtUp
    plan.marksDeletes = true
    plan.onTheWay.filter = filter
    return plan
  }

  /// What is there without a mark.
  private func unmarked(_ target: Stand) throws -> [Int] {
    try target.rows("SELECT id FROM person WHERE sj_deleted_since IS NULL ORDER BY id").compactMap {
      $0[0].flatMap { Int($0) }
    }
  }

  @Test(arguments: Way.all)
  func `a refresh marks what is gone, and what comes back loses its mark`(way: Way) async throws {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    try source.insert(Person.many(0..<500))
    _ = try await deliver(grant, .full, run: "r1", fence: 1, source, target)
    try source.run("DELETE FROM person WHERE id BETWEEN 100 AND 149")
    let second = try await deliver(grant, .full, run: "r2", fence: 2, source, target)
    #expect(second.disagreement == nil && second.provider.counts.removed == 50)
    #expect(try unmarked(target) == Array(0..<100) + Array(150..<500))
    #expect(try target.value("SELECT count(*) FROM person") == "500")
    let agrees = try await Reconciliation(plan(grant, .full, "c1", 3), control: .init(quarantine: { _ in })).run(
      from: source.connector, to: target.connector)
    #expect(agrees.agrees && agrees.targetRows == 450)
    // Gone for longer: the moment stays, nothing is counted twice.
    let since = try target.value("SELECT CAST(min(sj_deleted_since) AS CHAR(40)) FROM person")
    let third = try await deliver(grant, .full, run: "r3", fence: 3, source, target)
    #expect(third.disagreement == nil && third.provider.counts.removed == 0)
    #expect(try target.value("SELECT CAST(min(sj_deleted_since) AS CHAR(40)) FROM person") == since)
    // Back again, as it was, in an incremental run.
    try source.insert(Person.many(100..<120, changed: "2027-01-01 09:00:00+00"))
    let fourth = try await deliver(grant, .incremental, run: "r4", fence: 4, source, target)
    #expect(fourth.disagreement == nil && fourth.provider.counts.delivered == 20)
    #expect(try unmarked(target) == Array(0..<120) + Array(150..<500))
    // Somebody takes a mark away by hand: a row too many.
    try target.run("UPDATE person SET sj_deleted_since = NULL WHERE id = 130")
    let differs = try await Reconciliation(plan(grant, .full, "c2", 5), control: .init(quarantine: { _ in })).run(
      from: source.connector, to: target.connector)
    #expect(differs.counts.extra == 1 && differs.counts.total == 1)
  }

  @Test(arguments: Product.allCases)
  func `what leaves the filter is marked`(product: Product) async throws {
    let (source, target, grant) = (try Stand(.sqlite), try Stand(product), Grant())
    try source.makePersons()
    try source.insert(Person.many(0..<100))
    let filter = "name is null or name <> '不给'"
    _ = try await deliver(grant, .full, run: "r1", fence: 1, filter: filter, source, target)
    try source.run("UPDATE person SET name = '不给', changed = '2027-01-01 09:00:00.000' WHERE id < 10")
    let second = try await deliver(grant, .incremental, run: "r2", fence: 2, filter: filter, source, target)
    #expect(second.disagreement == nil && second.provider.counts.removed == 10, "\(second.provider.counts)")
    #expect(try unmarked(target) == Array(10..<100))
  }

  @Test(arguments: Product.allCases)
  func `followed changes mark what was deleted, and a truncated table is marked whole`(product: Product) async throws {
    let (source, target) = (try Stand(.postgresql, followed: true), try Stand(product))
    let grant = Grant(cursor: nil, name: "grant-" + UUID().uuidString.prefix(8).lowercased())
    defer { try? source.connector.endChanges(grant.name) }
    try source.makePersons()
    try source.insert(Person.many(0..<300))
    _ = try await deliver(grant, .changes, run: "r1", fence: 1, source, target)
    try source.run(
      """
      DELETE FROM person WHERE id < 20; UPDATE person SET id = 1000 WHERE id = 50;
      INSERT INTO person (id, name) VALUES (5, '又来')
      """)
    let second = try await deliver(grant, .changes, run: "r2", fence: 2, source, target)
    #expect(second.disagreement == nil && second.provider.counts.removed == 20)
    #expect(try unmarked(target) == [5] + Array(20..<50) + Array(51..<300) + [1000])
    #expect(try target.value("SELECT name FROM person WHERE id = 5") == "又来")
    try source.run("TRUNCATE person; INSERT INTO person (id, name) VALUES (7, '重来')")
    let third = try await deliver(grant, .changes, run: "r3", fence: 3, source, target)
    #expect(third.disagreement == nil)
    #expect(try unmarked(target) == [7])
    #expect(try target.value("SELECT count(*) FROM person") == "301")
  }
}
