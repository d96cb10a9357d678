import Connecting
import Kernel
import Synchronization
import Testing

@testable import Transfer

/// Tables that change meanwhile, sides that are not there or hang, and who ends it.
@Suite struct ReconciliationTroubleTests {
  private func persons(_ product: Product) async throws -> (source: Stand, target: Stand, ours: Reconciled) {
    let (source, target, ours) = (try Stand(product), try Stand(product), Reconciled())
    try source.makePersons()
    try source.insert(Person.many(1...1000))
    #expect(try await ours.deliver(from: source, to: target).disagreement == nil)
    return (source, target, ours)
  }

  @Test(arguments: [Product.postgresql, .sqlite]) func `a row that was in flight is no difference`(product: Product)
    async throws
  {
    let (source, target, ours) = try await persons(product)
    try source.run("UPDATE person SET name = '改' WHERE id IN (7, 8)")
    try source.run("DELETE FROM person WHERE id = 9")
    // What the delivery of it would do, between the first look and the second.
    let to = DisturbedConnector(
      target,
      disturb: { look in
        guard look == 2 else { return }
        try target.run("UPDATE person SET name = '改' WHERE id IN (7, 8)")
        try target.run("DELETE FROM person WHERE id = 9")
      })
    let report = try await ours.compare(source.connector, to)
    #expect(report.agrees && report.sourceSum == report.targetSum && to.looks == 2)
  }

  @Test(arguments: [Product.postgresql, .sqlite])
  func `a row that changes while it is read is looked at once more, and one that stays apart is reported`(
    product: Product
  ) async throws {
    let (source, target, ours) = try await persons(product)
    try target.run("UPDATE person SET name = '动' WHERE id = 500")
    try source.run("UPDATE person SET name = '一' WHERE id IN (7, 8)")
    let from = DisturbedConnector(
      source,
      disturb: { look in
        if look == 2 { try source.run("UPDATE person SET name = '二' WHERE id IN (7, 8)") }
        // New in the last look: nobody knows for how long.
        if look == 3 { try source.run("UPDATE person SET name = '三' WHERE id IN (8, 9)") }
      })
    let to = DisturbedConnector(
      target,
      disturb: { look in
        if look == 3 { try target.run("UPDATE person SET name = '二' WHERE id IN (7, 8)") }
      })
    let report = try await ours.compare(from, to)
    // 7 arrived late, 8 is behind at every look, 500 was the same each time.
    #expect(report.summary == "-0 +0 ≠2 [8 500]" && from.looks == 3 && to.looks == 3)
    #expect(report.isComplete && !report.agrees)
  }

  @Test(arguments: DeliveryPlan.Mode.allCases)
  func `differences of tables at rest take two looks, however they are delivered`(mode: DeliveryPlan.Mode) async throws
  {
    let (source, target, full) = try await persons(.postgresql)
    var ours = full
    ours.mode = mode
    try target.run("DELETE FROM person WHERE id = 500")
    let from = DisturbedConnector(source)
    #expect(try await ours.compare(from, target.connector).counts.missing == 1 && from.looks == 2)
  }

  @Test(arguments: Product.allCases) func `a target without its table, or with another, is refused as what it is`(
    product: Product
  ) async throws {
    let (source, target) = (try Stand(product), try Stand(product))
    try source.makePersons()
    let ours = Reconciled()
    // A file of SQLite's that is not there at all is another thing.
    try target.run("CREATE TABLE other (id \(target.type(.integer)))")
    await #expect { try await ours.compare(source, target) } throws: { error in
      let error = error as? ConnectorError
      return error?.code == "contract.target-table-missing" && error?.kind == .contract
        && error?.message.chinese.contains("全量交付") == true
    }
    try target.run(
      "CREATE TABLE person (id \(target.type(.integer)) PRIMARY KEY, name \(target.type(.text)), capital \(target.type(.decimal(precision: 18, scale: 2))), born \(target.type(.date)))"
    )
    await #expect { try await ours.compare(source, target) } throws: { error in
      (error as? ConnectorError)?.code == "contract.target-column-missing"
        && (error as? ConnectorError)?.message.chinese.contains(WritePlan.staleBatchColumn) == true
    }
    // The source's own troubles are called the source's.
    try target.run("ALTER TABLE person ADD COLUMN sj_stale_batch \(target.type(.integer))")
    try source.run("DROP TABLE person")
    await #expect { try await ours.compare(source, target) } throws: { error in
      (error as? ConnectorError)?.code == "contract.table-missing"
    }
  }

  @Test func `a plan that contradicts itself is refused before anything is read`() {
    var ours = Reconciled()
    ours.grant.key = []
    let plan = ours.plan()
    #expect(throws: ConnectorError.self) {
      try Reconciliation(plan, control: DeliveryControl(quarantine: { _ in }))
    }
  }

  private struct Cancelled: Error {}

  @Test(arguments: 1...2) func `whoever checks may end it before each look`(at: Int) async throws {
    let (source, target, ours) = try await persons(.postgresql)
    try target.run("DELETE FROM person WHERE id = 500")
    let asked = Mutex(0)
    let from = DisturbedConnector(source)
    let control = DeliveryControl(
      check: {
        if asked.withLock({ count in
          count += 1
          return count
        }) == at {
          throw Cancelled()
        }
      }, quarantine: { _ in })
    await #expect(throws: Cancelled.self) { try await ours.compare(from, target.connector, control: control) }
    #expect(from.looks == at - 1)
  }

  @Test func `whoever checks may end it within a look that takes long`() async throws {
    let (source, target, ours) = try await persons(.sqlite)
    let asked = Mutex(0)
    let from = DisturbedConnector(source, replacing: { SlowReader($0, at: 1) })
    let control = DeliveryControl(
      check: {
        asked.withLock { $0 += 1 }
        if asked.withLock({ $0 }) == 2 { throw Cancelled() }
      }, quarantine: { _ in })
    await #expect(throws: Cancelled.self) { try await ours.compare(from, target.connector, control: control) }
    #expect(from.looks == 1)
  }

  @Test(arguments: [true, false]) func `a side that hangs is cut by the watchdog`(isSource: Bool) async throws {
    let (source, target, ours) = try await persons(.sqlite)
    let from = DisturbedConnector(source, replacing: { isSource ? HangingReader() : $0 })
    let to = DisturbedConnector(target, replacing: { isSource ? $0 : HangingReader() })
    let pulse = DeliveryPulse()
    let control = DeliveryControl(quarantine: { _ in }, pulse: pulse)
    async let ending: Void = {
      while from.looks + to.looks < 2 || pulse.silence < .milliseconds(200) {
        try await Task.sleep(for: .milliseconds(20))
      }
      pulse.interrupt(asStalled: true)
    }()
    await #expect { try await ours.compare(from, to, control: control) } throws: {
      ($0 as? ConnectorError)?.code == "test.cut"
    }
    try await ending
    #expect(pulse.isStalled)
  }

  @Test(arguments: [true, false]) func `what ends one side ends the other`(isSource: Bool) async throws {
    let (source, target, ours) = try await persons(.sqlite)
    let hanging: @Sendable (any RowReader) -> any RowReader = { _ in HangingReader() }
    let failing: @Sendable (Int) throws -> Void = { _ in throw Cancelled() }
    let from = isSource ? DisturbedConnector(source, disturb: failing) : DisturbedConnector(source, replacing: hanging)
    let to = isSource ? DisturbedConnector(target, replacing: hanging) : DisturbedConnector(target, disturb: failing)
    await #expect { try await ours.compare(from, to) } throws: { ($0 as? ConnectorError)?.code == "test.disturbed" }
  }
}
