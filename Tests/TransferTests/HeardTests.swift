import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import Transfer

/// Runs that committed their end and were not heard of: a connection broke just then, and another run came after them.
@Suite struct HeardTests {
  private static let ways = [
    Way(from: .postgresql, to: .postgresql), Way(from: .sqlite, to: .mariadb), Way(from: .mariadb, to: .sqlite),
  ]

  @Test(arguments: ways)
  func `what runs have delivered that nobody heard of is signed for by the next`(way: Way) async throws {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    var grant = Grant()
    try source.makePersons()
    try source.insert(Person.many(1...500))
    try await grant.deliver(.full, run: "r1", from: source, to: target)
    grant.heard = "r1"
    // Hours apart: what the first of them brought lies far before where the last one would begin.
    try source.run("UPDATE person SET name = '改一', changed = '2026-08-22 10:00:00+00' WHERE id <= 50")
    try await grant.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    try source.run("UPDATE person SET name = '改二', changed = '2026-08-22 12:00:00+00' WHERE id BETWEEN 41 AND 80")
    try await grant.deliver(.incremental, run: "r3", fence: 3, from: source, to: target)
    try source.run("UPDATE person SET name = '改三', changed = '2026-08-22 14:00:00+00' WHERE id = 100")
    let outcome = try await grant.deliver(.incremental, run: "r4", fence: 4, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 81)
    #expect(try target.persons() == source.persons())
    let again = try await grant.deliver(.incremental, run: "r4", fence: 5, from: source, to: target)
    #expect(again.provider.batchRoot == outcome.provider.batchRoot)
    grant.heard = "r4"
    let quiet = try await grant.deliver(.incremental, run: "r5", fence: 6, from: source, to: target)
    #expect(quiet.disagreement == nil && quiet.provider.counts.delivered == 0)
  }

  @Test(arguments: ways)
  func `a run that was interrupted after one that nobody heard of leaves both to the next`(way: Way) async throws {
    struct Trouble: Error {}
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    var grant = Grant()
    try source.makePersons()
    try source.insert(Person.many(1...6000))
    try await grant.deliver(.full, run: "r1", from: source, to: target)
    grant.heard = "r1"
    try source.run("UPDATE person SET name = '改一', changed = '2026-08-22 10:00:00+00' WHERE id <= 50")
    try await grant.deliver(.incremental, run: "r2", fence: 2, from: source, to: target)
    try source.run("UPDATE person SET name = '改二', changed = '2026-08-22 12:00:00+00' WHERE id > 50")
    await #expect(throws: Trouble.self) {
      let counter = Counter()
      try await grant.deliver(.incremental, run: "r3", fence: 3, from: source, to: target) {
        if counter.next() > 2 { throw Trouble() }
      }
    }
    let outcome = try await grant.deliver(.incremental, run: "r4", fence: 4, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 6000)
    #expect(try target.persons() == source.persons())
  }

  @Test func `a full run that nobody heard of is made again before an incremental one`() async throws {
    let (source, target) = (try Stand(.sqlite), try Stand(.sqlite))
    var grant = Grant()
    try source.makePersons()
    try source.insert(Person.many(1...100))
    try await grant.deliver(.full, run: "r1", from: source, to: target)
    grant.heard = ""
    let unheard = grant
    await #expect { try await unheard.deliver(.incremental, run: "r2", fence: 2, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "contract.no-full-yet"
    }
    let full = try await grant.deliver(.full, run: "r2", fence: 3, from: source, to: target)
    #expect(full.disagreement == nil && full.provider.counts.delivered == 100)
    grant.heard = "r2"
    let quiet = try await grant.deliver(.incremental, run: "r3", fence: 4, from: source, to: target)
    #expect(quiet.disagreement == nil && quiet.provider.counts.delivered == 0)
  }

  @Test func `bad rows of a commit that never came are no part of what the next run signs for`() async throws {
    struct Trouble: Error {}
    let (source, target) = (try Stand(.postgresql, followed: true), try Stand(.sqlite))
    var grant = Grant(cursor: nil, name: "grant-" + UUID().uuidString.prefix(8).lowercased())
    grant.heard = ""
    defer { try? source.connector.endChanges(grant.name) }
    try source.makePersons()
    try source.insert(Person.many(1...6000))
    try source.run("UPDATE person SET name = repeat('长', 13) WHERE id > 5990")
    let keeper = grant.keeper
    func follow(_ run: String, _ fence: Int64, breaks: Bool) async throws -> DeliveryOutcome {
      var plan = grant.plan(.changes, run: run, fence: fence)
      plan.changes.ending = .caughtUp
      let control = DeliveryControl(quarantine: { rows in
        keeper.take(rows)
        if breaks, !rows.rows.isEmpty { throw Trouble() }
      })
      return try await Delivery(plan, control: control).run(from: source.connector, to: target.connector)
    }
    await #expect(throws: Trouble.self) { try await follow("r1", 1, breaks: true) }
    #expect(try !target.persons().isEmpty, "nothing was committed before")
    #expect(keeper.count == 10)
    let outcome = try await follow("r2", 2, breaks: false)
    #expect(outcome.disagreement == nil && outcome.provider.counts.quarantined == 10)
    #expect(keeper.rows(outcome.provider).count == 10)
  }

  @Test func `changes of runs that nobody heard of are signed for by the next`() async throws {
    let (source, target) = (try Stand(.postgresql), try Stand(.sqlite))
    var grant = Grant(cursor: nil, name: "grant-" + UUID().uuidString.prefix(8).lowercased())
    defer { try? source.connector.endChanges(grant.name) }
    func follow(_ run: String, _ fence: Int64) async throws -> DeliveryOutcome {
      var plan = grant.plan(.changes, run: run, fence: fence)
      plan.changes.ending = .caughtUp
      let keeper = grant.keeper
      return try await Delivery(plan, control: DeliveryControl(quarantine: { keeper.take($0) }))
        .run(from: source.connector, to: target.connector)
    }
    try source.makePersons()
    try source.insert(Person.many(1...200))
    _ = try await follow("r1", 1)
    grant.heard = "r1"
    try source.run("UPDATE person SET name = '改一' WHERE id <= 30; DELETE FROM person WHERE id = 200")
    let unheard = try await follow("r2", 2)
    try source.run("UPDATE person SET name = '改二' WHERE id = 31")
    let outcome = try await follow("r3", 3)
    #expect(outcome.disagreement == nil)
    #expect(outcome.provider.counts.delivered == 31 && outcome.provider.counts.removed == 1)
    #expect(outcome.provider.batches.starts(with: unheard.provider.batches))
    grant.heard = "r3"
    let quiet = try await follow("r4", 4)
    #expect(quiet.disagreement == nil && quiet.provider.counts.delivered == 0)
    #expect(try target.persons() == source.persons())
  }
}

/// One, two, three.
final class Counter: Sendable {
  private let count = Monitor(0)

  func next() -> Int {
    count.change { count in
      count += 1
      return count
    }
  }
}
