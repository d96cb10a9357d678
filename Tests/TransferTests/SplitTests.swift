import Connecting
import Foundation
import Kernel
import Reshaping
import TestKit
import Testing

@testable import Transfer

/// A first full delivery carried out in parts.
@Suite struct SplitTests {
  struct Trouble: Error {}

  static let ways = [
    Way(from: .postgresql, to: .postgresql), Way(from: .sqlite, to: .postgresql), Way(from: .mariadb, to: .mariadb),
    Way(from: .postgresql, to: .sqlite),
  ]

  private func source(_ product: Product, rows: Int = 9000) throws -> Stand {
    let source = try Stand(product)
    try source.makePersons()
    try source.insert(Person.many(1...rows))
    return source
  }

  /// What the target remembers of the delivery's streams.
  private func lines(_ target: Stand) throws -> [[String?]] {
    try target.rows("SELECT stream, target, batch FROM sj_offset ORDER BY stream")
  }

  @Test(arguments: ways) func `its parts, gathered, are the delivery that one run would have made`(way: Way)
    async throws
  {
    let (source, whole, target) = (try source(way.from), try Stand(way.to), try Stand(way.to))
    let (one, grant) = (Grant(), Grant())
    let unsplit = try await one.deliver(.full, run: "r1", from: source, to: whole)
    let parts = try await grant.split(into: 3, run: "r1", fence: 1, from: source, to: target)
    #expect(parts.count == 3 && parts.compactMap { DeliveryPart($0.text) } == parts)
    // A delivery that is split again, because nobody heard of the parts, has the same.
    try source.run("DELETE FROM person WHERE id < 4000")
    #expect(try await grant.split(into: 5, run: "r1", fence: 2, from: source, to: target) == parts)
    try source.insert(Person.many(1..<4000))
    let delivered = try await withThrowingTaskGroup(of: DeliveredPart.self) { group in
      for (number, part) in parts.enumerated() {
        group.addTask { try await grant.deliver(part, run: "r1", fence: 10 - Int64(number), from: source, to: target) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(delivered.allSatisfy { $0.counts.delivered > 1500 && $0.provider.counts.delivered < 6000 })
    #expect(delivered.compactMap { DeliveredPart($0.text) } == delivered)
    let outcome = try await grant.gather(delivered, run: "r1", fence: 11, to: target)
    #expect(outcome.disagreement == nil && outcome.consumer?.counts.delivered == 9000)
    #expect(outcome.provider.columns == unsplit.provider.columns && outcome.provider.rowSum == unsplit.provider.rowSum)
    #expect(outcome.provider.counts == unsplit.provider.counts)
    #expect(outcome.provider.through == unsplit.provider.through && outcome.provider.from == nil)
    #expect(outcome.provider.schemaDigest == unsplit.provider.schemaDigest)
    #expect(outcome.provider.batches.reduce(0) { $0 + $1.rows } == 9000)
    #expect(try target.persons() == whole.persons())
    #expect(try lines(target).map { [$0[0], $0[2]] } == [["grant-1", "\(outcome.provider.lastBatch)"]])

    // What comes later goes on from it.
    try source.run("UPDATE person SET name = '改名', changed = '2026-08-22 10:00:00+00' WHERE id IN (5, 4500, 8999)")
    let next = try await grant.deliver(.incremental, run: "r2", fence: 12, from: source, to: target)
    #expect(next.disagreement == nil && next.provider.counts.delivered == 3)
    #expect(next.provider.firstBatch == outcome.provider.lastBatch + 1)
    let control = DeliveryControl(quarantine: { _ in })
    let report = try await Reconciliation(grant.plan(.full, run: "look", fence: 13), control: control)
      .run(from: source.connector, to: target.connector)
    #expect(report.counts.missing + report.counts.extra + report.counts.different == 0 && report.sourceRows == 9000)
    try source.run("DELETE FROM person WHERE id <= 20")
    let full = try await grant.deliver(.full, run: "r3", fence: 14, from: source, to: target)
    #expect(full.disagreement == nil && full.provider.counts.removed == 20)
    #expect(try target.persons() == source.persons())
  }

  @Test(arguments: ways) func `a part that broke off goes on where it was, and says the same when asked again`(way: Way)
    async throws
  {
    let (source, target, grant) = (try source(way.from, rows: 16_000), try Stand(way.to), Grant())
    let parts = try await grant.split(into: 2, run: "r1", fence: 1, from: source, to: target)
    for (fence, commits) in [(2, 2), (3, 2), (4, 1)] {
      await #expect(throws: Trouble.self) {
        let counter = Counter()
        try await grant.deliver(parts[1], run: "r1", fence: Int64(fence), from: source, to: target) {
          if counter.next() > commits { throw Trouble() }
        }
      }
    }
    let there = Int(try target.value("SELECT count(*) FROM person") ?? "") ?? 0
    #expect(there > 3000 && there < 8000)
    let second = try await grant.deliver(parts[1], run: "r1", fence: 5, from: source, to: target)
    let again = try await grant.deliver(parts[1], run: "r1", fence: 6, from: source, to: target)
    #expect(again == second)
    let first = try await grant.deliver(parts[0], run: "r1", fence: 7, from: source, to: target)
    let outcome = try await grant.gather([second, first], run: "r1", fence: 8, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 16_000)
    #expect(try target.persons() == Person.many(1...16_000).map(\.delivered))
  }

  @Test(arguments: ways) func `of two workers on one part the newer writes it, and neither spoils it`(way: Way)
    async throws
  {
    let (source, target, grant) = (try source(way.from), try Stand(way.to), Grant())
    let parts = try await grant.split(into: 2, run: "r1", fence: 1, from: source, to: target)
    let newer = Monitor<DeliveredPart?>(nil)
    await #expect {
      let counter = Counter()
      try await grant.deliver(parts[0], run: "r1", fence: 2, from: source, to: target) {
        guard counter.next() == 3 else { return }
        let part = try await grant.deliver(parts[0], run: "r1", fence: 3, from: source, to: target)
        newer.change { $0 = part }
      }
    } throws: {
      ($0 as? ConnectorError)?.kind == .fenced
    }
    let first = try #require(newer.change { $0 })
    let second = try await grant.deliver(parts[1], run: "r1", fence: 4, from: source, to: target)
    let outcome = try await grant.gather([first, second], run: "r1", fence: 5, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 9000)
    #expect(try target.persons() == Person.many(1...9000).map(\.delivered))
  }

  @Test(arguments: ways) func `gathered again it is the same, and a missing part is noticed before anything is changed`(
    way: Way
  ) async throws {
    let (source, target, grant) = (try source(way.from), try Stand(way.to), Grant())
    let parts = try await grant.split(into: 3, run: "r1", fence: 1, from: source, to: target)
    var delivered: [DeliveredPart] = []
    for part in parts {
      delivered.append(try await grant.deliver(part, run: "r1", fence: 2, from: source, to: target))
    }
    let before = try lines(target)
    #expect(before.count == 4)
    for some in [[], Array(delivered[..<2]), delivered + [delivered[1]], [delivered[0], delivered[0], delivered[2]]] {
      await #expect { try await grant.gather(some, run: "r1", fence: 3, to: target) } throws: {
        ($0 as? ConnectorError)?.code == "contract.parts-missing"
      }
    }
    await #expect { try await grant.gather(delivered, run: "r2", fence: 3, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "contract.parts-missing"
    }
    #expect(try lines(target) == before)
    let outcome = try await grant.gather(delivered, run: "r1", fence: 3, to: target)
    let again = try await grant.gather(delivered.reversed(), run: "r1", fence: 4, to: target)
    #expect(again.disagreement == nil && again.provider.batchRoot == outcome.provider.batchRoot)
    #expect(again.consumer?.batches == outcome.consumer?.batches && again.provider.counts == outcome.provider.counts)
    // Whoever has lost the parts' results asks for the whole, which looks at the target itself.
    let run = try await grant.deliver(.full, run: "r1", fence: 5, from: source, to: target)
    #expect(run.disagreement == nil && run.consumer?.batches == outcome.consumer?.batches)
    #expect(run.provider.rowSum == outcome.provider.rowSum && run.provider.counts == outcome.provider.counts)
    try target.run("UPDATE person SET capital = '1.11' WHERE id = 3")
    let changed = try await grant.deliver(.full, run: "r1", fence: 6, from: source, to: target)
    #expect(changed.disagreement?.subject == "column:capital")
  }

  @Test(arguments: ways) func `a worker that wakes up when its part was gathered, or begun anew, writes nothing`(
    way: Way
  )
    async throws
  {
    for isGathered in [true, false] {
      let (source, target, grant) = (try source(way.from), try Stand(way.to), Grant())
      let parts = try await grant.split(into: 2, run: "r1", fence: 1, from: source, to: target)
      await #expect {
        let counter = Counter()
        try await grant.deliver(parts[1], run: "r1", fence: 2, from: source, to: target) {
          guard counter.next() == 2 else { return }
          if isGathered {
            let second = try await grant.deliver(parts[1], run: "r1", fence: 3, from: source, to: target)
            let first = try await grant.deliver(parts[0], run: "r1", fence: 4, from: source, to: target)
            _ = try await grant.gather([first, second], run: "r1", fence: 5, to: target)
          } else {
            try await grant.deliver(.full, run: "r2", fence: 5, from: source, to: target)
          }
        }
      } throws: {
        ($0 as? ConnectorError)?.kind == .fenced
      }
      let before = try lines(target)
      #expect(before.count == 1)
      for fence in [Int64(3), 9] {
        await #expect { try await grant.deliver(parts[1], run: "r1", fence: fence, from: source, to: target) } throws: {
          ($0 as? ConnectorError)?.kind == .fenced
        }
      }
      #expect(try lines(target) == before)
      #expect(try target.persons() == Person.many(1...9000).map(\.delivered))
      #expect(try target.value("SELECT count(*) FROM sj_batch WHERE stream <> 'grant-1'") == "0")
      let next = try await grant.deliver(.incremental, run: "r3", fence: 10, from: source, to: target)
      #expect(next.disagreement == nil && next.provider.counts.delivered == 0)
    }
  }

  @Test(arguments: ways) func `a part of an empty table that comes after the gathering writes nothing either`(way: Way)
    async throws
  {
    let (source, target, grant) = (try source(way.from, rows: 600), try Stand(way.to), Grant())
    let parts = try await grant.split(into: 2, run: "r1", fence: 1, from: source, to: target)
    try source.run("DELETE FROM person")
    var delivered: [DeliveredPart] = []
    for part in parts {
      delivered.append(try await grant.deliver(part, run: "r1", fence: 2, from: source, to: target))
    }
    let outcome = try await grant.gather(delivered, run: "r1", fence: 3, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 0)
    #expect(outcome.provider.batches.isEmpty && outcome.provider.lastBatch == outcome.provider.firstBatch - 1)
    try source.insert(Person.many(1...600))
    await #expect { try await grant.deliver(parts[0], run: "r1", fence: 4, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.kind == .fenced
    }
    #expect(try target.value("SELECT count(*) FROM person") == "0")
  }

  @Test(arguments: ways) func `a whole run takes the place of parts that were not gathered`(way: Way) async throws {
    let (source, target, grant) = (try source(way.from), try Stand(way.to), Grant())
    let parts = try await grant.split(into: 2, run: "r1", fence: 1, from: source, to: target)
    let first = try await grant.deliver(parts[0], run: "r1", fence: 2, from: source, to: target)
    await #expect(throws: Trouble.self) {
      let counter = Counter()
      try await grant.deliver(parts[1], run: "r1", fence: 3, from: source, to: target) {
        if counter.next() > 2 { throw Trouble() }
      }
    }
    // Rows that a part had delivered are gone from the source: nothing would remove them but the whole run's beginning.
    try source.run("DELETE FROM person WHERE id <= 100")
    // A worker older than a part's is not the one to begin anew.
    await #expect { try await grant.deliver(.full, run: "r1", fence: 2, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.kind == .fenced
    }
    // The whole run breaks off as soon as it has begun, and goes on.
    await #expect(throws: Trouble.self) {
      try await grant.deliver(.full, run: "r1", fence: 4, from: source, to: target) { throw Trouble() }
    }
    let outcome = try await grant.deliver(.full, run: "r1", fence: 5, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 8900)
    #expect(outcome.provider.firstBatch > parts[1].batches.upperBound)
    #expect(try target.persons() == source.persons())
    await #expect { try await grant.gather([first, first], run: "r1", fence: 6, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "contract.parts-missing"
    }
    #expect(try lines(target).count == 1)
  }

  @Test(arguments: ways) func `another run that is split takes the place of parts that were given up`(way: Way)
    async throws
  {
    let (source, target, grant) = (try source(way.from), try Stand(way.to), Grant())
    let old = try await grant.split(into: 2, run: "r1", fence: 1, from: source, to: target)
    let given = try await grant.deliver(old[0], run: "r1", fence: 2, from: source, to: target)
    let new = try await grant.split(into: 2, run: "r2", fence: 3, from: source, to: target)
    #expect(new[0].batches.lowerBound > old[1].batches.upperBound)
    var delivered: [DeliveredPart] = []
    for part in new { delivered.append(try await grant.deliver(part, run: "r2", fence: 4, from: source, to: target)) }
    await #expect { try await grant.deliver(old[1], run: "r1", fence: 5, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.kind == .fenced
    }
    await #expect { try await grant.gather([given, delivered[1]], run: "r2", fence: 5, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "contract.parts-missing"
    }
    let outcome = try await grant.gather(delivered, run: "r2", fence: 5, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 9000)
    #expect(try target.persons() == source.persons())
  }

  @Test(arguments: ways) func `what cannot be split is said so before anything is written, and is then run as a whole`(
    way: Way
  ) async throws {
    let (source, target, grant) = (try source(way.from, rows: 1200), try Stand(way.to), Grant())
    func expectRefusal(_ run: String, _ fence: Int64, into count: Int = 2) async {
      await #expect { try await grant.split(into: count, run: run, fence: fence, from: source, to: target) } throws: {
        ($0 as? ConnectorError)?.code == "contract.cannot-split"
      }
    }
    await expectRefusal("r1", 1, into: 1)
    try await grant.deliver(.full, run: "r1", fence: 1, from: source, to: target)
    let before = try target.rows("SELECT stream, run, batch, state FROM sj_offset")
    await expectRefusal("r2", 2)
    await expectRefusal("r1", 3)
    #expect(try target.rows("SELECT stream, run, batch, state FROM sj_offset") == before)
    let outcome = try await grant.deliver(.full, run: "r2", fence: 4, from: source, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 1200)
    // Emptied by the consumer: the numbers of batches go on.
    try target.run("DELETE FROM person")
    let parts = try await grant.split(into: 2, run: "r3", fence: 5, from: source, to: target)
    #expect(parts[0].batches.lowerBound == outcome.provider.lastBatch + 1)
    await #expect { try await grant.deliver(.incremental, run: "r4", fence: 6, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.code == "contract.state"
    }
    try source.run("DELETE FROM person")
    try target.run("DELETE FROM sj_offset")
    await expectRefusal("r5", 7)
  }
}

extension Grant {
  func split(
    into count: Int, run: String, fence: Int64, from source: Stand, to target: Stand, in view: String? = nil
  ) async throws -> [DeliveryPart] {
    try await Delivery(plan(.full, run: run, fence: fence), control: DeliveryControl(quarantine: { _ in }))
      .split(into: count, from: source.connector, to: target.connector, in: view)
  }

  @discardableResult
  func deliver(
    _ part: DeliveryPart, run: String, fence: Int64, from source: Stand, to target: Stand,
    check: @escaping @Sendable () async throws -> Void = {}
  ) async throws -> DeliveredPart {
    let keeper = self.keeper
    var plan = plan(.full, run: run, fence: fence)
    plan.part = part
    let ending = try await Delivery(plan, control: DeliveryControl(check: check, quarantine: { keeper.take($0) }))
      .runPart(from: source.connector, to: target.connector)
    switch ending {
    case .finished(let part): return part
    case .stopped(let refusal): throw refusal
    }
  }

  func gather(_ parts: [DeliveredPart], run: String, fence: Int64, to target: Stand) async throws -> DeliveryOutcome {
    try await Delivery(plan(.full, run: run, fence: fence), control: DeliveryControl(quarantine: { _ in }))
      .gather(parts, to: target.connector)
  }
}
