import Connecting

/// Turns changes in the order of their commits into what they come to: for each key its last row, or that it is gone.
///
/// Used by the reading thread alone.
final class ChangeNetting {
  private enum Last {
    /// Place in `rows`.
    case upsert(Int32)
    case delete
    case bad
  }

  private let plan: CompiledPlan
  private let transform: RowTransform
  private let rowKeys: RowKeys
  /// Good rows as delivered, in the order of the changes.
  private let rows: RowBatch
  private var origins: [Int32] = []
  private let scratch = RowBatch(capacity: RowBatch.smallest)

  init(_ plan: CompiledPlan, _ transform: RowTransform) {
    self.plan = plan
    self.transform = transform
    rowKeys = RowKeys(plan)
    rows = RowBatch(capacity: plan.batchBytes)
  }

  /// Rows of the table as it was read: each key once, in the key's order.
  func take(rows input: RowBatch, into item: ChangeItem) {
    item.read = input.rowCount
    let faults = transform.run(input, into: item.upserts, origins: &origins)
    // The table's own batch is read over; the bad rows are kept with the item.
    item.faults = faults.enumerated().map { place, fault in
      let row = input.row(fault.row)
      item.input.append(row, .upsert)
      if let key = rowKeys.delivered(row) { key.withUnsafeBytes { item.stale.appendRow($0) } }
      return RowTransform.Fault(row: place, field: fault.field, fault: fault.fault)
    }
    item.filtered = transform.filtered.count
    item.rules = transform.ruleCounts
    finish(item)
  }

  /// What `item.input` holds.
  func takeChanges(into item: ChangeItem) {
    let input = item.input
    item.read = input.rows.rowCount
    if !input.kinds.contains(where: { $0 != .upsert && $0 != .insert }) {
      item.faults = transform.run(input.rows, into: item.upserts, origins: &origins)
      item.hasUnchanged = hasUnchanged(item.upserts)
      item.rules = transform.ruleCounts
      let order = KeyOrder(item.upserts, key: plan.key)
      if order.repeated.isEmpty, item.faults.isEmpty, !item.hasUnchanged, transform.filtered.isEmpty {
        item.sums = Sums(of: item.upserts, columns: plan.plan.items.count, keys: plan.keys)
        item.stripes = order.stripes()
        item.areNew = !input.kinds.contains(.upsert)
        return
      }
    }
    net(item)
  }

  private func net(_ item: ChangeItem) {
    let input = item.input
    item.upserts.removeAll()
    scratch.removeAll()
    var places: [Int32] = []
    for index in 0..<input.rows.rowCount where input.kinds[index] == .upsert || input.kinds[index] == .insert {
      scratch.appendRow(input.rows.row(index))
      places.append(Int32(index))
    }
    let faults = transform.run(scratch, into: rows, origins: &origins)
    item.faults = faults.map { RowTransform.Fault(row: Int(places[$0.row]), field: $0.field, fault: $0.fault) }
    item.rules = transform.ruleCounts
    let filtered = Set(transform.filtered.map { places[Int($0)] })
    item.filtered = filtered.count
    var good = [Int32](repeating: -1, count: input.rows.rowCount)
    for (row, origin) in origins.enumerated() { good[Int(places[Int(origin)])] = Int32(row) }
    var last: [[UInt8]: Last] = [:]
    var order: [[UInt8]] = []
    var merged: [[UInt8]: [UInt8]] = [:]
    for index in 0..<input.rows.rowCount {
      if input.kinds[index] == .truncate {
        item.clearsAll = true
        last.removeAll()
        order.removeAll()
        merged.removeAll()
        continue
      }
      guard let key = rowKeys.delivered(input.rows.row(index)) else { continue }
      if last[key] == nil { order.append(key) }
      // What the filter leaves out is nothing that the target should have.
      if input.kinds[index] == .delete || filtered.contains(Int32(index)) {
        last[key] = .delete
        merged[key] = nil
      } else if good[index] < 0 {
        last[key] = .bad
        merged[key] = nil
      } else {
        let row = rows.row(Int(good[index]))
        if Self.hasUnchanged(row) {
          // What it leaves out stands in the change before it, if that is in this batch too.
          merged[key] = earlier(last[key], merged[key]).map { Self.fill(row, from: $0) } ?? [UInt8](row)
        } else {
          merged[key] = nil
        }
        last[key] = .upsert(good[index])
      }
    }
    for key in order {
      switch last[key] {
      case .upsert(let row):
        if let bytes = merged[key] {
          bytes.withUnsafeBytes { item.upserts.appendRow($0) }
        } else {
          item.upserts.appendRow(rows.row(Int(row)))
        }
      case .delete: key.withUnsafeBytes { item.deletes.appendRow($0) }
      case .bad: key.withUnsafeBytes { item.stale.appendRow($0) }
      case nil: break
      }
    }
    item.hasUnchanged = hasUnchanged(item.upserts)
    finish(item)
  }

  private func earlier(_ last: Last?, _ merged: [UInt8]?) -> [UInt8]? {
    if let merged { return merged }
    guard case .upsert(let row) = last else { return nil }
    return [UInt8](rows.row(Int(row)))
  }

  /// Sums and digest, where nothing is left to be filled in.
  private func finish(_ item: ChangeItem) {
    guard !item.hasUnchanged else { return }
    item.sums = Sums(of: item.upserts, columns: plan.plan.items.count, keys: plan.keys)
    item.stripes = KeyOrder(item.upserts, key: plan.key).stripes()
  }

  private func hasUnchanged(_ batch: RowBatch) -> Bool {
    (0..<batch.rowCount).contains { Self.hasUnchanged(batch.row($0)) }
  }

  static func hasUnchanged(_ row: UnsafeRawBufferPointer) -> Bool {
    var at = 2
    while at < row.count {
      let header = Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))
      if header == RowBatch.unchanged { return true }
      at += 4 + max(0, Int(header))
    }
    return false
  }

  /// `row` with the fields that it leaves out as `earlier` has them. Both as delivered; `earlier` may have fields behind.
  static func fill(_ row: UnsafeRawBufferPointer, from earlier: [UInt8]) -> [UInt8] {
    var bytes = [UInt8](row[..<2])
    earlier.withUnsafeBytes { old in
      var (at, oldAt) = (2, 2)
      while at < row.count {
        let header = Int32(bigEndian: row.loadUnaligned(fromByteOffset: at, as: Int32.self))
        let oldHeader = Int32(bigEndian: old.loadUnaligned(fromByteOffset: oldAt, as: Int32.self))
        let (length, oldLength) = (4 + max(0, Int(header)), 4 + max(0, Int(oldHeader)))
        bytes += header == RowBatch.unchanged ? old[oldAt..<oldAt + oldLength] : row[at..<at + length]
        at += length
        oldAt += oldLength
      }
    }
    return bytes
  }
}
