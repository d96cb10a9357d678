import CStripes
import Connecting
import Kernel

/// One side of a grant read once, as rows that can be compared: the source's as they would be delivered, the target's as
/// they are. Used by one thread.
///
/// Both go through the loop that delivering uses, the target's under a plan that changes nothing, so that a value has one
/// spelling on both sides and what has none (an infinite date put there by hand) equals nothing.
final class ComparedRows {
  enum Side: Sendable { case source, target }

  enum Mark: UInt8, Sendable {
    /// Would be delivered; or was, and is not flagged.
    case good
    /// Is refused, under a key that can be read; or is flagged stale.
    case flagged
  }

  private let side: Side
  private let plan: CompiledPlan
  private let reader: any RowReader
  private let transform: RowTransform
  private let rowKeys: RowKeys
  private let item: WorkItem
  private var hashes = RowHashes()
  private var keyBytes: [UInt8] = []
  /// Bytes of what is read behind the items, where all of it is NULL.
  private let nullsBehind: Int

  /// The same key can only come twice in a row, and then only once as a good row.
  var isKeyOrdered: Bool { reader.isKeyOrdered }

  /// `plan` is the side's own: see `CompiledPlan.asHeld`.
  init(_ side: Side, _ plan: CompiledPlan, _ connector: any Connector, _ pulse: DeliveryPulse) throws(ConnectorError) {
    self.side = side
    self.plan = plan
    // The cursor is read, since a row whose cursor cannot be read is bad, but it bounds nothing.
    let read = ReadPlan(table: plan.plan.source, columns: plan.readColumns, key: plan.readKey)
    reader = try WatchedReader(pulse, side == .source ? \.source : \.target) { () throws(ConnectorError) in
      do throws(ConnectorError) {
        return try connector.openReader(read)
      } catch {
        throw side == .source ? error : Self.ofTarget(error, plan.plan.source)
      }
    }
    transform =
      side == .source
      ? try RowTransform(plan, for: reader) : try RowTransform(plan, checksText: false, watchesKeys: false)
    rowKeys = RowKeys(plan)
    nullsBehind = 4 * (plan.readColumns.count - plan.plan.items.count)
    item = WorkItem(batchBytes: plan.plan.batchBytes)
  }

  /// A connector knows what it reads as a source.
  private static func ofTarget(_ error: ConnectorError, _ table: TableName) -> ConnectorError {
    // Who only receives says so of himself.
    guard error.kind == .contract, error.code != "contract.write-only" else { return error }
    if error.code == "contract.table-missing" {
      return .contract(
        "target-table-missing", "没有接收表“\(table)”，须先完成一次全量交付。",
        "There is no target table “\(table)”: a full delivery must be completed first.")
    }
    return ConnectorError(
      .contract, error.code.replacing("contract.", with: "contract.target-"),
      Text(
        "接收表“\(table)”与授权不符：\(error.message.chinese)",
        "The target table “\(table)” is not what was granted: \(error.message.english)"))
  }

  var interrupter: @Sendable () -> Void { reader.interrupter }

  func close() { reader.close() }

  /// How many rows came; nil at the end.
  func next(_ pulse: DeliveryPulse) throws -> Int? {
    guard try reader.read(into: item.input) != .end else { return nil }
    pulse.measuring(\.own) {
      if side == .source {
        item.reshape(transform, key: plan.key)
      } else {
        item.faults = transform.run(item.input, into: item.output, origins: &item.origins)
      }
      hashes.read(item.output, columns: plan.plan.items.count, keys: plan.keys)
    }
    return item.input.rowCount
  }

  /// Rows of the last batch that are bad, for whatever reason.
  var badCount: Int { side == .source ? item.faults.count : 0 }

  /// Every row of the last batch that has a key: its bytes as delivered, its hash, and what it is.
  @inline(__always)
  func forEach(_ body: (_ key: UnsafeRawBufferPointer, _ hash: sj_hash128, _ mark: Mark) -> Void) {
    for index in 0..<item.output.rowCount {
      let row = item.output.row(index)
      // A flagged row was read with eight bytes more than NULLs: the batch that flagged it, which is not handed on.
      let isStale = side == .target && item.input.row(Int(item.origins[index])).count - row.count > nullsBehind
      withKey(of: row) { body($0, hashes.each[index], isStale ? .flagged : .good) }
    }
    for fault in item.faults { read(fault, body) }
  }

  private func read(
    _ fault: RowTransform.Fault,
    _ body: (_ key: UnsafeRawBufferPointer, _ hash: sj_hash128, _ mark: Mark) -> Void
  ) {
    let row = item.input.row(fault.row)
    switch side {
    case .source:
      // The row that came first under this key is good.
      guard fault.fault != .duplicateKey, let key = rowKeys.delivered(row) else { return }
      key.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0.dropFirst(2)), sj_hash128(), .flagged) }
    case .target:
      // A hash of something else than of values: it equals no row's.
      let hash = sj_siphash128(row.baseAddress, row.count, plan.keys.rows)
      let isStale = RowField.fields(of: row).last != .null
      KeyBytes.encode(row, key: plan.readKey).withUnsafeBytes { body($0, hash, isStale ? .flagged : .good) }
    }
  }

  /// The key's fields with their lengths, in its order.
  @inline(__always)
  private func withKey(of row: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    func length(_ at: Int) -> Int {
      4 + max(0, Int(Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))))
    }
    if plan.key.count == 1, plan.key[0] == 0 {
      return body(UnsafeRawBufferPointer(rebasing: row[2..<2 + length(2)]))
    }
    keyBytes.removeAll(keepingCapacity: true)
    for field in plan.key {
      var at = 2
      for _ in 0..<field { at += length(at) }
      keyBytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: row[at..<at + length(at)]))
    }
    keyBytes.withUnsafeBytes(body)
  }
}

extension CompiledPlan {
  /// What the target holds, as a source of its own: the delivered columns as they are, and behind them whether a row is
  /// flagged stale, in the place of a cursor, which is read and never handed on.
  func asHeld(on today: CalendarDate) throws(ConnectorError) -> CompiledPlan {
    var held = plan
    held.mode = .full
    held.source = plan.target
    held.items = plan.items.map { ItemContract($0.name, $0.deliveredType) }
    held.cursor = .init(WritePlan.staleBatchColumn, .integer)
    held.onTheWay = .init()
    if plan.marksDeletes {
      // What is marked is as good as gone.
      held.onTheWay.filter = "\(WritePlan.deletedSinceColumn) is null"
      held.onTheWay.consulted = [ReadPlan.Column(WritePlan.deletedSinceColumn, .timestamp)]
    }
    return try CompiledPlan(held, on: today)
  }
}
