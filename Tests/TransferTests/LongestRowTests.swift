import Connecting
import Foundation
import Kernel
import TestKit
import Testing

@testable import Transfer

/// Rows longer than a row may be.
@Suite struct LongestRowTests {
  @Test func `a row longer than a row may be keeps its short fields, and gives back what it took`() {
    let batch = RowBatch(capacity: RowBatch.smallest)
    func add(_ lengths: [Int]) {
      batch.beginRow(fields: lengths.count + 2)
      batch.append(Int64(7))
      batch.appendNull()
      for length in lengths {
        [UInt8](repeating: 0x61, count: length).withUnsafeBytes { batch.append($0) }
      }
      batch.endRow()
      batch.limitLastRow()
    }
    func faults(_ row: Int) -> [RowFault?] {
      batch.fields(row).map { field in
        if case .malformed(let fault, let raw) = field { raw.count == 256 ? fault : .wrongType } else { nil }
      }
    }
    add([3, RowBatch.longestRow])
    add([3, 4])
    add([Int](repeating: RowBatch.longestRow / 900, count: 1000))
    add([RowBatch.longestRow - 22])
    #expect(faults(0) == [nil, nil, nil, .rowTooLarge])
    #expect(batch.fields(0).prefix(3) == [.value([0, 0, 0, 0, 0, 0, 0, 7]), .null, .value([0x61, 0x61, 0x61])])
    #expect(faults(1) == [nil, nil, nil, nil] && batch.fields(1).last == .value([0x61, 0x61, 0x61, 0x61]))
    #expect(faults(2).dropFirst(2).allSatisfy { $0 == .rowTooLarge })
    // Just as long as a row may be.
    #expect(faults(3) == [nil, nil, nil] && batch.row(3).count == RowBatch.longestRow)
    #expect(batch.byteCount < RowBatch.longestRow + 1 << 20)
  }

  private static func long(_ product: Product) -> String {
    product == .sqlite ? "hex(zeroblob(17000000))" : "repeat('x', 34000000)"
  }

  @Test(arguments: [Product.postgresql, .sqlite])
  func `are set apart under their key, and the others are delivered`(product: Product) async throws {
    let (source, target, grant) = (try Stand(product), try Stand(.postgresql), Grant(cursor: nil))
    try source.makePersons()
    try source.insert(Person.many(0..<100))
    try source.run("UPDATE person SET name = \(Self.long(product)) WHERE id IN (7, 50, 99)")
    let keeper = grant.keeper
    let outcome = try await Delivery(
      grant.plan(.full, run: "r1"), control: DeliveryControl(quarantine: { keeper.take($0) })
    ).run(from: source.connector, to: target.connector)
    #expect(outcome.disagreement == nil)
    #expect(outcome.provider.counts.delivered == 97 && outcome.provider.counts.quarantined == 3)
    let bad = keeper.rows(outcome.provider)
    #expect(bad.map(\.fault) == [.rowTooLarge, .rowTooLarge, .rowTooLarge])
    // Of what is kept for the provider, only the beginning of the long value.
    #expect(bad.allSatisfy { $0.sealed.count < 10_000 && $0.keyDigest != nil })
    #expect(try target.value("SELECT count(*) FROM person WHERE id IN (7, 50, 99)") == "0")
  }

  @Test func `as changes flag what was delivered of them, until they are good again`() async throws {
    let source = try Stand(.postgresql, followed: true)
    let target = try Stand(.postgresql)
    let grant = Grant(cursor: nil, name: "grant-" + UUID().uuidString.prefix(8).lowercased())
    defer { try? source.connector.endChanges(grant.name) }
    try source.makePersons()
    try source.insert(Person.many(0..<20))
    func follow(_ run: String, _ fence: Int64) async throws -> DeliveryOutcome {
      var plan = grant.plan(.changes, run: run, fence: fence)
      plan.changes.ending = .caughtUp
      let keeper = grant.keeper
      return try await Delivery(plan, control: DeliveryControl(quarantine: { keeper.take($0) }))
        .run(from: source.connector, to: target.connector)
    }
    _ = try await follow("r1", 1)
    try source.run(
      "UPDATE person SET name = \(Self.long(.postgresql)) WHERE id = 7; UPDATE person SET name = 'n' WHERE id = 8")
    let second = try await follow("r2", 2)
    #expect(second.provider.counts.quarantined == 1 && second.provider.counts.delivered == 1)
    #expect(grant.keeper.rows(second.provider).map(\.fault) == [.rowTooLarge])
    #expect(try target.value("SELECT id FROM person WHERE sj_stale_batch IS NOT NULL") == "7")
    try source.run("UPDATE person SET name = '好' WHERE id = 7")
    _ = try await follow("r3", 3)
    #expect(try target.persons() == (try source.persons()))
  }
}
