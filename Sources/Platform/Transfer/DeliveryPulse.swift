import Connecting
import Kernel

/// A running delivery's signs of life, where its time goes, and the hand that ends what blocks.
///
/// Both of its threads tell it before and after each call that may wait for somebody else's database. Whoever watches
/// it ends a delivery that has been silent for too long, as an interruption of the connection.
package final class DeliveryPulse: Sendable {
  /// Whom the time was spent with. The two threads work side by side, so the sum is more than the run's time; the
  /// greatest of the three is what the run waits for.
  package struct Times: Hashable, Sendable {
    /// In the source's calls: connecting, reading.
    package var source: Duration = .zero
    /// In the target's calls: writing, committing, reading back.
    package var target: Duration = .zero
    /// In our own work on the rows.
    package var own: Duration = .zero

    package init() {}

    package enum Side: String, Sendable { case source, target, own }

    /// The side that the run waits for; nil before anything took time.
    package var slowest: Side? {
      let sides: [(Side, Duration)] = [(.source, source), (.target, target), (.own, own)]
      return sides.max { $0.1 < $1.1 }.flatMap { $0.1 > .zero ? $0.0 : nil }
    }
  }

  private struct State {
    var beat = ContinuousClock.now
    var times = Times()
    var interrupters: [@Sendable () -> Void] = []
    var isInterrupted = false
    var isStalled = false
  }

  private let state = Monitor(State())

  package init() {}

  /// How long neither thread gave a sign.
  package var silence: Duration { ContinuousClock.now - state.change { $0.beat } }
  package var times: Times { state.change { $0.times } }
  /// It was ended because it was silent for too long.
  package var isStalled: Bool { state.change { $0.isStalled } }

  /// Ends every call that blocks, and each that would begin later: the delivery throws as of a broken connection.
  package func interrupt(asStalled: Bool = false) {
    let all = state.change { state in
      state.isStalled = asStalled
      state.isInterrupted = true
      return state.interrupters
    }
    for interrupt in all { interrupt() }
  }

  func beat() { state.change { $0.beat = .now } }

  func add(_ time: Duration, _ side: WritableKeyPath<Times, Duration>) {
    state.change { $0.times[keyPath: side] += time }
  }

  /// What ends the calls of a reader or writer that was opened just now.
  func watch(_ interrupter: @escaping @Sendable () -> Void) {
    let isTooLate = state.change { state in
      state.interrupters.append(interrupter)
      return state.isInterrupted
    }
    if isTooLate { interrupter() }
  }

  func measuring<T, E: Error>(_ side: WritableKeyPath<Times, Duration>, _ body: () throws(E) -> T) throws(E) -> T {
    let start = ContinuousClock.now
    defer {
      let now = ContinuousClock.now
      state.change { state in
        state.beat = now
        state.times[keyPath: side] += now - start
      }
    }
    return try body()
  }
}

/// A reader whose calls are measured and can be ended.
final class WatchedReader: RowReader {
  private let reader: any RowReader
  private let pulse: DeliveryPulse
  private let side: WritableKeyPath<DeliveryPulse.Times, Duration>

  init(
    _ pulse: DeliveryPulse, _ side: WritableKeyPath<DeliveryPulse.Times, Duration> = \.source,
    _ open: () throws(ConnectorError) -> any RowReader
  ) throws(ConnectorError) {
    self.pulse = pulse
    self.side = side
    reader = try pulse.measuring(side, open)
    pulse.watch(reader.interrupter)
  }

  var horizon: CursorValue? { reader.horizon }
  var isKeyOrdered: Bool { reader.isKeyOrdered }
  var checksText: Bool { reader.checksText }
  var position: [UInt8] { reader.position }
  var interrupter: @Sendable () -> Void { reader.interrupter }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    try pulse.measuring(side) { () throws(ConnectorError) in try reader.read(into: batch) }
  }

  func close() { reader.close() }
}

/// A writer whose calls are measured and can be ended.
final class WatchedWriter: RowWriter {
  private let writer: any RowWriter
  private let pulse: DeliveryPulse

  init(_ pulse: DeliveryPulse, _ open: () throws(ConnectorError) -> any RowWriter) throws(ConnectorError) {
    self.pulse = pulse
    writer = try pulse.measuring(\.target, open)
    pulse.watch(writer.interrupter)
  }

  private func measured<T>(
    _ body: (any RowWriter) throws(ConnectorError) -> T
  ) throws(ConnectorError) -> T {
    try pulse.measuring(\.target) { () throws(ConnectorError) in try body(writer) }
  }

  var interrupter: @Sendable () -> Void { writer.interrupter }

  func open() throws(ConnectorError) -> StoredOffset? {
    try measured { (writer) throws(ConnectorError) in try writer.open() }
  }
  func begin(_ run: WrittenRun) throws(ConnectorError) {
    try measured { (writer) throws(ConnectorError) in try writer.begin(run) }
  }
  func complete() throws(ConnectorError) {
    try measured { (writer) throws(ConnectorError) in try writer.complete() }
  }
  func giveUp() throws(ConnectorError) {
    try measured { (writer) throws(ConnectorError) in try writer.giveUp() }
  }
  func openPart(_ admit: (StoredOffset?) throws(ConnectorError) -> Void) throws(ConnectorError) -> StoredOffset? {
    try measured { (writer) throws(ConnectorError) in try writer.openPart(admit) }
  }
  func dropParts() throws(ConnectorError) {
    try measured { (writer) throws(ConnectorError) in try writer.dropParts() }
  }
  func gatherParts(_ states: [String: String]) throws(ConnectorError) {
    try measured { (writer) throws(ConnectorError) in try writer.gatherParts(states) }
  }
  func isEmpty() throws(ConnectorError) -> Bool {
    try measured { (writer) throws(ConnectorError) in try writer.isEmpty() }
  }
  func write(_ rows: RowBatch, batch: Int64, mode: WriteMode) throws(ConnectorError) -> WriteOutcome {
    try measured { (writer) throws(ConnectorError) in try writer.write(rows, batch: batch, mode: mode) }
  }
  func markStale(_ keys: RowBatch, batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try measured { (writer) throws(ConnectorError) in try writer.markStale(keys, batch: batch, at: now) }
  }
  func deleteKeys(_ keys: RowBatch, writtenBefore batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try measured { (writer) throws(ConnectorError) in try writer.deleteKeys(keys, writtenBefore: batch, at: now) }
  }
  func deleteOlder(than batch: Int64, at now: Instant) throws(ConnectorError) -> Int {
    try measured { (writer) throws(ConnectorError) in try writer.deleteOlder(than: batch, at: now) }
  }
  func deleteAll(at now: Instant?) throws(ConnectorError) -> Int {
    try measured { (writer) throws(ConnectorError) in try writer.deleteAll(at: now) }
  }
  func written() throws(ConnectorError) -> any RowReader {
    try measured { (writer) throws(ConnectorError) in try writer.written() }
  }
  func current(_ keys: RowBatch) throws(ConnectorError) -> any RowReader {
    try measured { (writer) throws(ConnectorError) in try writer.current(keys) }
  }
  func indexBatches() throws(ConnectorError) {
    try measured { (writer) throws(ConnectorError) in try writer.indexBatches() }
  }
  func commit(_ record: BatchRecord?, state: String, durable: Bool) throws(ConnectorError) {
    try measured { (writer) throws(ConnectorError) in try writer.commit(record, state: state, durable: durable) }
  }
  func rollback() { writer.rollback() }
  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord] {
    try measured { (writer) throws(ConnectorError) in try writer.batches(range) }
  }
  func countStale(_ range: ClosedRange<Int64>) throws(ConnectorError) -> Int {
    try measured { (writer) throws(ConnectorError) in try writer.countStale(range) }
  }
  func end() throws(ConnectorError) -> Int64? {
    try measured { (writer) throws(ConnectorError) in try writer.end() }
  }
  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> any RowReader {
    try measured { (writer) throws(ConnectorError) in try writer.readBack(range) }
  }
  func close() { writer.close() }
}
