import Connecting
import Foundation
import Kernel

/// A database far away: it answers each batch that is read, committed or read back so much later.
struct DelayedConnector: Connector {
  /// Thrown in place of reading back, where a bench is to end with the last commit.
  static let committed = ConnectorError(.permanent, "bench.committed", Text(same: "all is committed"))

  let near: any Connector
  var delay = Duration.zero
  var readsBack = true

  private func far() { if delay > .zero { usleep(UInt32(delay.inMilliseconds * 1000)) } }

  var guarantee: ConnectorGuarantee { near.guarantee }
  var declaresTypes: Bool { near.declaresTypes }
  func probe() throws(ConnectorError) -> ConnectorProbe { try near.probe() }
  func tables() throws(ConnectorError) -> [TableSummary] { try near.tables() }
  func describe(_ table: TableName) throws(ConnectorError) -> TableDescription { try near.describe(table) }
  func survey() throws(ConnectorError) -> [TableDescription] { try near.survey() }
  func peek(
    _ table: TableName, _ columns: [ReadPlan.Column], rows: Int, within limit: Duration
  ) throws(ConnectorError) -> [[String?]] { try near.peek(table, columns, rows: rows, within: limit) }
  func examine(
    _ table: TableName, columns: [String], cursor: String?, within limit: Duration
  ) throws(ConnectorError) -> TableExamination {
    try near.examine(table, columns: columns, cursor: cursor, within: limit)
  }
  func cut(_ plan: ReadPlan, into count: Int) throws(ConnectorError) -> [[UInt8]] {
    far()
    return try near.cut(plan, into: count)
  }
  func openReader(_ plan: ReadPlan) throws(ConnectorError) -> any RowReader {
    DelayedReader(try near.openReader(plan), far)
  }
  func openWriter(_ plan: WritePlan) throws(ConnectorError) -> any RowWriter {
    DelayedWriter(try near.openWriter(plan), far, readsBack)
  }
  func openBatchReader(_ plan: WritePlan) throws(ConnectorError) -> (any BatchReader)? {
    readsBack ? try near.openBatchReader(plan).map { DelayedBatchReader($0, far) } : nil
  }
}

private final class DelayedReader: RowReader {
  private let near: any RowReader
  private let far: () -> Void

  init(_ near: any RowReader, _ far: @escaping () -> Void) { (self.near, self.far) = (near, far) }

  var horizon: CursorValue? { near.horizon }
  var isKeyOrdered: Bool { near.isKeyOrdered }
  var checksText: Bool { near.checksText }
  var position: [UInt8] { near.position }
  var interrupter: @Sendable () -> Void { near.interrupter }
  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    far()
    return try near.read(into: batch)
  }
  func close() { near.close() }
}

private final class DelayedBatchReader: BatchReader {
  private let near: any BatchReader
  private let far: () -> Void

  init(_ near: any BatchReader, _ far: @escaping () -> Void) { (self.near, self.far) = (near, far) }

  func read(_ batch: Int64, in places: Range<Int64>) throws(ConnectorError) -> any RowReader {
    far()
    return try near.read(batch, in: places)
  }
  func close() { near.close() }
}

private final class DelayedWriter: RowWriter {
  private let near: any RowWriter
  private let far: () -> Void
  private let readsBack: Bool

  init(_ near: any RowWriter, _ far: @escaping () -> Void, _ readsBack: Bool) {
    (self.near, self.far, self.readsBack) = (near, far, readsBack)
  }

  var interrupter: @Sendable () -> Void { near.interrupter }
  func open() throws(ConnectorError) -> StoredOffset? { try near.open() }
  func openPart(_ admit: (StoredOffset?) throws(ConnectorError) -> Void) throws(ConnectorError) -> StoredOffset? {
    try near.openPart(admit)
  }
  func dropParts() throws(ConnectorError) { try near.dropParts() }
  func gatherParts(_ states: [String: String]) throws(ConnectorError) { try near.gatherParts(states) }
  func isEmpty() throws(ConnectorError) -> Bool { try near.isEmpty() }
  func write(_ rows: RowBatch, batch: Int64, mode: WriteMode) throws(ConnectorError) -> WriteOutcome {
    try near.write(rows, batch: batch, mode: mode)
  }
  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try near.markStale(keys, batch: batch, at: now)
  }
  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try near.deleteKeys(keys, writtenBefore: batch, at: now)
  }
  func deleteOlder(than batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try near.deleteOlder(than: batch, at: now)
  }
  // Only what is read back needs it.
  func indexBatches() throws(ConnectorError) {
    guard readsBack else { throw DelayedConnector.committed }
    try near.indexBatches()
  }

  func commit(_ record: BatchRecord?, state: String, durable: Bool) throws(ConnectorError) {
    far()
    try near.commit(record, state: state, durable: durable)
  }
  func rollback() { near.rollback() }
  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord] { try near.batches(range) }
  func countStale(_ range: ClosedRange<Int64>) throws(ConnectorError) -> Int { try near.countStale(range) }
  func end() throws(ConnectorError) -> Int64? { try near.end() }
  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> any RowReader {
    guard readsBack else { throw DelayedConnector.committed }
    return DelayedReader(try near.readBack(range), far)
  }
  func close() { near.close() }
}
