import Connecting
import Foundation
import Kernel
import Reshaping
import TestKit
import Testing

@testable import Transfer

/// What is in the parts of a delivery: bad rows, thresholds, keys that come twice, rows that change meanwhile.
@Suite struct SplitContentTests {
  private func deliver(
    _ grant: Grant, _ parts: [DeliveryPart], run: String = "r1", from source: Stand, to target: Stand
  ) async throws -> [DeliveredPart] {
    var delivered: [DeliveredPart] = []
    for part in parts {
      delivered.append(try await grant.deliver(part, run: run, fence: 5, from: source, to: target))
    }
    return delivered
  }

  @Test(arguments: SplitTests.ways) func `bad rows of all parts are kept and counted as one run's`(way: Way)
    async throws
  {
    let (source, whole, target) = (try Stand(way.from), try Stand(way.to), try Stand(way.to))
    // No key is declared: the same one may come twice, and none at all.
    try source.makePersons(key: "")
    try source.insert(Person.many(1...6000))
    try source.insert(
      stride(from: 100, through: 6000, by: 700).flatMap { id in
        Person.many([id]) + [Person(id: 10_000 + id, name: "一二三四五六七八九十一二三")]
      } + [Person(id: nil, name: "无主键"), Person(id: nil, name: "无主键二")])
    try source.run("UPDATE person SET name = '这个名字实在是太长了一点点' WHERE id IN (7, 3000, 5990)")
    let (one, grant) = (Grant(), Grant())
    let unsplit = try await one.deliver(.full, run: "r1", from: source, to: whole)
    let parts = try await grant.split(into: 4, run: "r1", fence: 1, from: source, to: target)
    #expect(parts.count == 4)
    // One attempt that kept its bad rows and committed nothing more: the next replaces them, and no other part's.
    await #expect(throws: SplitTests.Trouble.self) {
      let counter = Counter()
      try await grant.deliver(parts[1], run: "r1", fence: 2, from: source, to: target) {
        if counter.next() > 1 { throw SplitTests.Trouble() }
      }
    }
    let delivered = try await deliver(grant, [parts[3], parts[1], parts[0], parts[2]], from: source, to: target)
    #expect(delivered.count { $0.counts.quarantined > 0 } >= 3)
    let outcome = try await grant.gather(delivered, run: "r1", fence: 6, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts == unsplit.provider.counts)
    #expect(outcome.provider.rowSum == unsplit.provider.rowSum)
    func essence(_ rows: [BadRow]) -> [String] { rows.map { "\($0.keyDigest ?? "-") \($0.item) \($0.fault)" }.sorted() }
    let kept = grant.keeper.rows(outcome.provider)
    #expect(kept.count == outcome.provider.counts.quarantined)
    #expect(kept.count == grant.keeper.count, "more is kept than counts")
    #expect(essence(kept) == essence(one.keeper.rows(unsplit.provider)))
  }

  @Test(arguments: SplitTests.ways) func `too many bad rows in all parts together stop the whole`(way: Way) async throws
  {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.makePersons()
    try source.insert(Person.many(1...4000))
    try source.run("UPDATE person SET name = '这个名字实在是太长了一点点' WHERE id IN (1, 2, 3, 3998, 3999, 4000)")
    var grant = Grant()
    grant.onTheWay.stopWhen = StopRule(count: 5)
    let parts = try await grant.split(into: 2, run: "r1", fence: 1, from: source, to: target)
    let delivered = try await deliver(grant, parts, from: source, to: target)
    #expect(delivered.map(\.counts.quarantined) == [3, 3])
    let before = try target.rows("SELECT stream, state FROM sj_offset ORDER BY stream")
    let asked = grant
    await #expect { try await asked.gather(delivered, run: "r1", fence: 6, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "data.too-many-bad"
    }
    #expect(try target.rows("SELECT stream, state FROM sj_offset ORDER BY stream") == before)
    // One part's own are too many for any whole.
    grant.onTheWay.stopWhen = StopRule(count: 2)
    let stricter = grant
    let again = try await stricter.split(into: 2, run: "r2", fence: 7, from: source, to: target)
    await #expect { try await stricter.deliver(again[1], run: "r2", fence: 8, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "data.too-many-bad"
    }
  }

  @Test(arguments: SplitTests.ways) func `rules are counted over all parts`(way: Way) async throws {
    let (source, target) = (try Stand(way.from), try Stand(way.to))
    try source.makePersons()
    try source.insert(Person.many(1...3000))
    var grant = Grant()
    grant.onTheWay.filter = "id <> 1500"
    grant.onTheWay.rules = [QualityRule("capital", .holds("capital < 5"), .warn)]
    let parts = try await grant.split(into: 3, run: "r1", fence: 1, from: source, to: target)
    let outcome = try await grant.gather(
      try await deliver(grant, parts, from: source, to: target), run: "r1", fence: 6, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.filtered == 1)
    let broken = Person.many(1...3000).count { $0.id != 1500 && ($0.id ?? 0) % 7 >= 5 }
    #expect(outcome.provider.rules == [Receipt.RuleCount(name: "capital", checked: 2999, broken: broken)])
  }

  @Test(arguments: SplitTests.ways) func `what changed in a part that was read already comes with the next run`(
    way: Way
  )
    async throws
  {
    let (source, target, grant) = (try Stand(way.from), try Stand(way.to), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...3000))
    let parts = try await grant.split(into: 2, run: "r1", fence: 1, from: source, to: target)
    let first = try await grant.deliver(parts[0], run: "r1", fence: 2, from: source, to: target)
    // Hours later by the source's own time: the second part's snapshot has come further than the first one's.
    try source.run("UPDATE person SET name = '改名', changed = '2026-08-22 10:00:00+00' WHERE id = 1")
    try source.run("UPDATE person SET name = '改名', changed = '2026-08-22 15:00:00+00' WHERE id = 3000")
    let second = try await grant.deliver(parts[1], run: "r1", fence: 3, from: source, to: target)
    let outcome = try await grant.gather([first, second], run: "r1", fence: 4, to: target)
    #expect(outcome.disagreement == nil)
    let next = try await grant.deliver(.incremental, run: "r2", fence: 5, from: source, to: target)
    #expect(next.disagreement == nil && next.provider.counts.delivered == 1)
    #expect(try target.persons() == source.persons())
  }

  @Test func `changes that are followed over parts that were not gathered begin anew`() async throws {
    let (source, target) = (try Stand(.postgresql), try Stand(.postgresql))
    let grant = Grant(cursor: nil, name: "grant-" + UUID().uuidString.prefix(8).lowercased())
    defer { try? source.connector.endChanges(grant.name) }
    try source.makePersons()
    try source.insert(Person.many(1...3000))
    let parts = try await grant.split(into: 2, run: "r1", fence: 1, from: source, to: target)
    try await grant.deliver(parts[0], run: "r1", fence: 2, from: source, to: target)
    try source.run("DELETE FROM person WHERE id <= 10")
    var plan = grant.plan(.changes, run: "r2", fence: 3)
    plan.changes.ending = .caughtUp
    let outcome = try await Delivery(plan, control: DeliveryControl(quarantine: { _ in }))
      .run(from: source.connector, to: target.connector)
    #expect(outcome.disagreement == nil && outcome.provider.firstBatch > parts[1].batches.upperBound)
    #expect(try target.persons() == source.persons())
    await #expect { try await grant.deliver(parts[1], run: "r1", fence: 4, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.kind == .fenced
    }
  }
}
