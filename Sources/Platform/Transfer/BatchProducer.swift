import Connecting
import Reshaping

/// One batch on its way: as read, as delivered, and what is known of it so far.
///
/// Handed from the reading to the writing thread and back; never with both at once.
final class WorkItem: @unchecked Sendable {
  enum Kind {
    case rows
    /// Rows with a NULL in their key: all bad, and no position can stand behind them.
    case rowsWithoutKey
    case end
  }

  let input: RowBatch
  let output: RowBatch
  var kind = Kind.end
  var origins: [Int32] = []
  var faults: [RowTransform.Fault] = []
  /// Rows of the input that the filter leaves out.
  var filtered: [Int32] = []
  /// What the rules counted, in their order.
  var rules: [RuleMachine.Count] = []
  var position: [UInt8] = []
  var horizon: CursorValue?
  /// The same key can only come twice in a row: what lets a first full run append without looking.
  var isKeyOrdered = false
  var withoutCursor = 0
  /// Computed by the reader's side where every good row is expected to be written; otherwise once the target has compared.
  var sums: Sums?
  var order: KeyOrder?
  var stripes: [UInt8]?

  init(batchBytes: Int) {
    input = RowBatch(capacity: batchBytes)
    output = RowBatch(capacity: batchBytes)
  }
}

/// The reading thread: source → contract → delivered bytes, sums and digest.
struct BatchProducer: Sendable {
  private let plan: CompiledPlan
  private let range: ReadPlan.Range
  private let appends: Bool
  private let queue: BatchQueue<WorkItem>
  private let pulse: DeliveryPulse

  init(
    _ plan: CompiledPlan, _ range: ReadPlan.Range, _ appends: Bool, _ queue: BatchQueue<WorkItem>,
    _ pulse: DeliveryPulse
  ) {
    self.pulse = pulse
    self.plan = plan
    self.range = range
    self.appends = appends
    self.queue = queue
  }

  func run(_ source: any Connector) {
    queue.produce { try read(source) }
  }

  private func read(_ source: any Connector) throws {
    let reader = try WatchedReader(pulse) { () throws(ConnectorError) in try source.openReader(plan.readPlan(range)) }
    defer { reader.close() }
    let transform = try RowTransform(plan, for: reader)
    while let item = queue.nextFree() {
      item.horizon = reader.horizon
      item.isKeyOrdered = reader.isKeyOrdered
      switch try reader.read(into: item.input) {
      case .rows: item.kind = .rows
      case .rowsWithoutKey: item.kind = .rowsWithoutKey
      case .end: item.kind = .end
      }
      guard item.kind != .end else { return queue.push(item) }
      item.position = reader.position
      pulse.measuring(\.own) { reshape(item, transform) }
      queue.push(item)
    }
  }

  private func reshape(_ item: WorkItem, _ transform: RowTransform) {
    item.reshape(transform, key: plan.key)
    item.withoutCursor = plan.cursor.map { Self.nulls(item.input, field: $0) } ?? 0
    item.sums = nil
    item.stripes = nil
    if appends {
      item.sums = Sums(of: item.output, columns: plan.plan.items.count, keys: plan.keys)
      item.stripes = item.order?.stripes()
    }
  }

  private static func nulls(_ batch: RowBatch, field: Int) -> Int {
    (0..<batch.rowCount).count { row in
      var at = batch.base + batch.starts[row] + 2
      for _ in 0..<field {
        let header = Int32(bigEndian: at.loadUnaligned(as: Int32.self))
        at += 4 + (header >= 0 ? Int(header) : header == -1 ? 0 : Int(UInt32(bitPattern: header) & 0xFF_FFFF))
      }
      return Int32(bigEndian: at.loadUnaligned(as: Int32.self)) == -1
    }
  }
}

extension WorkItem {
  /// From rows as read to rows as they would be delivered, no key among them twice; the others are bad or left out.
  func reshape(_ transform: RowTransform, key: [Int]) {
    faults = transform.run(input, into: output, origins: &origins)
    filtered = transform.filtered
    rules = transform.ruleCounts
    let order = KeyOrder(output, key: key)
    if !order.repeated.isEmpty { takeOut(order.repeated, as: .duplicateKey, field: key[0]) }
    self.order = order.repeated.isEmpty ? order : KeyOrder(output, key: key)
  }

  /// Makes bad rows of rows of the output.
  func takeOut(_ rows: [Int32], as fault: RowFault, field: Int) {
    let gone = Set(rows)
    for row in rows { faults.append(RowTransform.Fault(row: Int(origins[Int(row)]), field: field, fault: fault)) }
    faults.sort { $0.row < $1.row }
    let kept = (0..<Int32(output.rowCount)).filter { !gone.contains($0) }
    let copies = kept.map { [UInt8](output.row(Int($0))) }
    origins = kept.map { origins[Int($0)] }
    output.removeAll()
    for copy in copies { copy.withUnsafeBytes { output.appendRow($0) } }
  }
}
