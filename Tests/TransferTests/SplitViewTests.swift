import Connecting
import Kernel
import TestKit
import Testing

@testable import Transfer

/// Parts that read one view of their source.
@Suite struct SplitViewTests {
  @Test func `parts see the source as it was when the view was opened, also when they begin after others have ended`()
    async throws
  {
    let (source, target, grant) = (try Stand(.postgresql), try Stand(.sqlite), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...9000))
    let view = try #require(try source.connector.openView())
    defer { view.close() }
    let parts = try await grant.split(into: 3, run: "r1", fence: 1, from: source, to: target, in: view.name)
    #expect(parts.count == 3 && parts.allSatisfy { $0.view == view.name })
    #expect(parts.compactMap { DeliveryPart($0.text) } == parts)
    var delivered: [DeliveredPart] = []
    for part in parts {
      try source.run("UPDATE person SET name = '改名'; DELETE FROM person WHERE id % 7 = \(part.index)")
      try view.check()
      delivered.append(
        try await grant.deliver(part, run: "r1", fence: 2 + Int64(part.index), from: source, to: target))
    }
    let outcome = try await grant.gather(delivered, run: "r1", fence: 9, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 9000)
    #expect(try target.persons() == Person.many(1...9000).map(\.delivered))
  }

  @Test func `a part whose view is gone says so, and the delivery is cut anew in another`() async throws {
    let (source, target, grant) = (try Stand(.postgresql), try Stand(.postgresql), Grant())
    try source.makePersons()
    try source.insert(Person.many(1...6000))
    let lost = try #require(try source.connector.openView())
    let old = try await grant.split(into: 2, run: "r1", fence: 1, from: source, to: target, in: lost.name)
    try await grant.deliver(old[0], run: "r1", fence: 2, from: source, to: target)
    lost.close()
    lost.close()
    #expect(throws: ConnectorError.viewLost) { try lost.check() }
    await #expect(throws: ConnectorError.viewLost) {
      try await grant.deliver(old[1], run: "r1", fence: 3, from: source, to: target)
    }
    try source.run("DELETE FROM person WHERE id <= 1000")
    let view = try #require(try source.connector.openView())
    defer { view.close() }
    let new = try await grant.split(into: 2, run: "r1", fence: 4, from: source, to: target, in: view.name)
    #expect(new != old && new.allSatisfy { $0.view == view.name })
    // The same again is the same again.
    #expect(try await grant.split(into: 2, run: "r1", fence: 5, from: source, to: target, in: view.name) == new)
    // Who still has a part of the lost view writes nothing.
    await #expect { try await grant.deliver(old[0], run: "r1", fence: 6, from: source, to: target) } throws: {
      ($0 as? ConnectorError)?.kind == .fenced
    }
    var delivered: [DeliveredPart] = []
    for part in new {
      delivered.append(
        try await grant.deliver(part, run: "r1", fence: 7 + Int64(part.index), from: source, to: target))
    }
    let outcome = try await grant.gather(delivered, run: "r1", fence: 9, to: target)
    #expect(outcome.disagreement == nil && outcome.provider.counts.delivered == 5000)
    #expect(try target.persons() == source.persons())
  }

  @Test func `a name that no server gave is no view, and products without views refuse one`() throws {
    let source = try Stand(.postgresql)
    try source.makePersons()
    for name in ["", "1' OR true", "00000003-0000001B-1", "ä"] {
      #expect(throws: ConnectorError.viewLost) { try source.connector.openReader(plan(name)) }
    }
    for product in [Product.sqlite, .mariadb] {
      let other = try Stand(product)
      try other.makePersons()
      #expect(try other.connector.openView() == nil)
      #expect { try other.connector.openReader(plan("00000003-0000001B-1")) } throws: {
        ($0 as? ConnectorError)?.code == "contract.no-views"
      }
    }
  }

  private func plan(_ view: String) -> ReadPlan {
    ReadPlan(table: TableName("person"), columns: [.init("id", .integer)], key: [0], view: view)
  }
}
