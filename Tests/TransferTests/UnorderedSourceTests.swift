import ConnectorFiles
import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import Transfer

/// First full deliveries of sources that give their rows in no order: a key may come again anywhere.
@Suite struct UnorderedSourceTests {
  struct Trouble: Error {}

  /// Rows in a CSV file, as a table of its own.
  private func source(_ rows: [Person], in folder: String) throws -> FilesConnector {
    let lines = rows.map { row in
      [row.id.map(String.init), row.name, row.capital, row.born].map { $0 ?? "" }.joined(separator: ",")
    }
    try ("id,name,capital,born\n" + lines.joined(separator: "\n") + "\n").write(
      toFile: folder + "/person.csv", atomically: true, encoding: .utf8)
    return FilesConnector(.local(folder), FilesOptions(format: .csv))
  }

  private func grant() -> Grant {
    var grant = Grant()
    (grant.source, grant.cursor) = ("person.csv", nil)
    return grant
  }

  private func deliver(
    _ grant: Grant, _ run: String, _ fence: Int64, from source: any Connector, to target: Stand,
    check: @escaping @Sendable () async throws -> Void = {}
  ) async throws -> DeliveryOutcome {
    let keeper = grant.keeper
    return try await Delivery(
      grant.plan(.full, run: run, fence: fence),
      control: DeliveryControl(check: check, quarantine: { keeper.take($0) })
    ).run(from: source, to: target.connector)
  }

  /// Without those that are NULL in a text file: it knows only empty ones.
  private static let people = Person.many(1...12_000).map { person in
    var person = person
    if person.name == nil { person.name = "无名" }
    return person
  }

  @Test(arguments: Product.allCases)
  func `every key arrives once, the first of its rows, however often it comes and wherever`(product: Product)
    async throws
  {
    var generator = Seeded(state: 7)
    try await withTemporaryFolder { folder in
      let (target, grant) = (try Stand(product), grant())
      var rows = Self.people.shuffled(using: &generator)
      for index in [400, 5000, 5001, 11_000] {
        var again = rows[index - 300]
        again.name = "再来"
        rows.insert(again, at: index)
      }
      let csv = try source(rows, in: folder)
      let outcome = try await deliver(grant, "r1", 1, from: csv, to: target)
      #expect(outcome.disagreement == nil, "\(String(describing: outcome.disagreement))")
      #expect(outcome.provider.counts.delivered == 12_000 && outcome.provider.counts.quarantined == 4)
      #expect(grant.keeper.rows(outcome.provider).allSatisfy { $0.fault == .duplicateKey })
      #expect(try target.persons() == Self.people.map(\.delivered))
      // The next one, over rows that are there, writes all of them anew and removes what is gone.
      let less = try source(Array(rows.dropFirst(2000)), in: folder)
      let next = try await deliver(grant, "r2", 2, from: less, to: target)
      #expect(next.disagreement == nil && next.provider.counts.removed > 1900)
      #expect(try target.persons().count == next.provider.counts.delivered)
    }
  }

  @Test(arguments: Product.allCases)
  func `one that broke off again and again arrives as one that did not`(product: Product) async throws {
    var generator = Seeded(state: 8)
    try await withTemporaryFolder { folder in
      let (target, grant) = (try Stand(product), grant())
      var rows = Self.people.shuffled(using: &generator)
      rows.append(rows[3])
      let csv = try source(rows, in: folder)
      for (fence, commits) in [(1, 3), (2, 2), (3, 1)] {
        let counter = Counter()
        await #expect(throws: Trouble.self) {
          _ = try await deliver(grant, "r1", Int64(fence), from: csv, to: target) {
            if counter.next() > commits { throw Trouble() }
          }
        }
      }
      let outcome = try await deliver(grant, "r1", 4, from: csv, to: target)
      #expect(outcome.disagreement == nil, "\(String(describing: outcome.disagreement))")
      #expect(outcome.provider.counts.delivered == 12_000 && outcome.provider.counts.quarantined == 1)
      #expect(try target.persons() == Self.people.map(\.delivered))
    }
  }
}
