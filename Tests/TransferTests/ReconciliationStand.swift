import Connecting
import Foundation
import Kernel
import Synchronization
import Testing

@testable import Transfer

/// A grant whose two sides are compared.
struct Reconciled {
  var grant = Grant()
  var way = DeliveryPlan.OnTheWay()
  var limits = Reconciliation.Limits()
  /// Of the plan that is compared; it tells nothing.
  var mode = DeliveryPlan.Mode.full

  static let ways = [
    Way(from: .postgresql, to: .postgresql), Way(from: .sqlite, to: .sqlite), Way(from: .sqlite, to: .postgresql),
    Way(from: .postgresql, to: .mariadb),
  ]

  func plan(_ mode: DeliveryPlan.Mode = .full, run: String = "compared", fence: Int64 = 1) -> DeliveryPlan {
    var plan = grant.plan(mode, run: run, fence: fence)
    plan.onTheWay = way
    return plan
  }

  @discardableResult
  func deliver(
    _ mode: DeliveryPlan.Mode = .full, run: String = "r1", fence: Int64 = 1, from source: Stand, to target: Stand
  ) async throws -> DeliveryOutcome {
    let keeper = grant.keeper
    return try await Delivery(
      plan(mode, run: run, fence: fence), control: DeliveryControl(quarantine: { keeper.take($0) })
    ).run(from: source.connector, to: target.connector)
  }

  func compare(
    _ source: any Connector, _ target: any Connector, control: DeliveryControl = DeliveryControl(quarantine: { _ in })
  ) async throws -> ReconciliationReport {
    try await Reconciliation(plan(mode), limits: limits, control: control).run(from: source, to: target)
  }

  func compare(_ source: Stand, _ target: Stand) async throws -> ReconciliationReport {
    try await compare(source.connector, target.connector)
  }

  /// Repairs, and then nothing differs.
  func expectRepair(
    _ source: Stand, _ target: Stand, fence: Int64 = 2, _ place: SourceLocation = #_sourceLocation
  ) async throws {
    #expect(
      try await deliver(run: "repair\(fence)", fence: fence, from: source, to: target).disagreement == nil,
      sourceLocation: place)
    let report = try await compare(source, target)
    #expect(report.agrees && report.sourceSum == report.targetSum, "\(report)", sourceLocation: place)
  }
}

extension ReconciliationReport {
  /// `-2 +1 ≠3 [5…9]`: missing, extra, different, and where.
  var summary: String {
    let places = ranges.map { $0.first == $0.last ? $0.first[0] : "\($0.first[0])…\($0.last[0])" }
    return "-\(counts.missing) +\(counts.extra) ≠\(counts.different) [\(places.joined(separator: " "))]"
  }
}

/// Another's connector, with something that happens before each of its readers is opened.
struct DisturbedConnector: Connector {
  let base: any Connector
  /// With the reader's number, from 1.
  let disturb: @Sendable (Int) throws -> Void
  let replacing: @Sendable (any RowReader) -> any RowReader
  private let opened = Opened()

  final class Opened: Sendable {
    let count = Mutex(0)
  }

  init(
    _ stand: Stand, disturb: @escaping @Sendable (Int) throws -> Void = { _ in },
    replacing: @escaping @Sendable (any RowReader) -> any RowReader = { $0 }
  ) {
    base = stand.connector
    self.replacing = replacing
    self.disturb = disturb
  }

  var looks: Int { opened.count.withLock { $0 } }

  var guarantee: ConnectorGuarantee { base.guarantee }
  var declaresTypes: Bool { base.declaresTypes }
  func probe() throws(ConnectorError) -> ConnectorProbe { try base.probe() }
  func tables() throws(ConnectorError) -> [TableSummary] { try base.tables() }
  func describe(_ table: TableName) throws(ConnectorError) -> TableDescription { try base.describe(table) }
  func survey() throws(ConnectorError) -> [TableDescription] { try base.survey() }

  func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]] {
    try base.peek(table, columns, rows: rows, within: limit)
  }

  func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    try base.examine(table, columns: columns, cursor: cursor, within: limit)
  }

  func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    let number = opened.count.withLock { count in
      count += 1
      return count
    }
    do {
      try disturb(number)
    } catch {
      throw ConnectorError(.permanent, "test.disturbed", Text(same: "\(error)"))
    }
    return replacing(try base.openReader(plan))
  }
}

/// A reader that waits for somebody who never comes, until it is cut.
final class HangingReader: RowReader, @unchecked Sendable {
  private let isCut = Monitor(false)

  var horizon: CursorValue? { nil }
  var isKeyOrdered: Bool { true }
  var checksText: Bool { true }
  var position: [UInt8] { [] }
  var interrupter: @Sendable () -> Void { { [isCut] in isCut.change { $0 = true } } }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    isCut.wait { $0 ? () : nil }
    throw ConnectorError(.retryable, "test.cut", Text(same: "cut"))
  }

  func close() {}
}

/// A reader one of whose batches takes more than a second.
final class SlowReader: RowReader {
  private let base: any RowReader
  private let slow: Int
  private var number = 0

  init(_ base: any RowReader, at batch: Int) { (self.base, slow) = (base, batch) }

  var horizon: CursorValue? { base.horizon }
  var isKeyOrdered: Bool { base.isKeyOrdered }
  var checksText: Bool { base.checksText }
  var position: [UInt8] { base.position }
  var interrupter: @Sendable () -> Void { base.interrupter }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    number += 1
    if number == slow { Thread.sleep(forTimeInterval: 1.1) }
    return try base.read(into: batch)
  }

  func close() { base.close() }
}
