import Connecting
import Glibc
import JSONBytes
import Kernel

/// The rows that the lines of a message put, as `MessageChanges` wrote them, one after the other.
final class PutRows {
  private let plan: WritePlan
  private let fields: JSONFields
  private let text = JSONText()
  private let scratch = RowBatch(capacity: RowBatch.smallest)
  private static let put = JSONPointer(name: "put")

  init(_ plan: WritePlan) {
    self.plan = plan
    fields = JSONFields(plan.columns.map { JSONPointer(name: $0.name) }, zone: 0)
  }

  /// Adds the rows from `at` on, until `rows` is full; a row is the plan's columns and then `batch`. Goes behind what it read.
  func append(
    _ lines: UnsafeRawBufferPointer, at: inout Int, batch: Int64, to rows: RowBatch
  ) throws(ConnectorError) {
    while at < lines.count, !rows.isFull, let base = lines.baseAddress {
      let end = memchr(base + at, 0x0A, lines.count - at).map { UnsafeRawPointer($0) - base } ?? lines.count
      try append(UnsafeRawBufferPointer(rebasing: lines[at..<end]), batch, to: rows)
      at = end + 1
    }
  }

  private func append(_ line: UnsafeRawBufferPointer, _ batch: Int64, to rows: RowBatch) throws(ConnectorError) {
    let found: JSONValue?
    var isWhole = true
    do throws(JSONFault) {
      let change = try JSONScan.whole(line)
      isWhole = change.kind == .object
      found = isWhole ? try Self.put.find(in: change, line, text) : nil
      if let found { isWhole = try fields.read(found, in: line) }
    } catch { throw Self.unreadable }
    guard isWhole else { throw Self.unreadable }
    guard found != nil else { return }
    rows.beginRow(fields: plan.columns.count + 1)
    for (index, column) in plan.columns.enumerated() { try append(index, column.type, to: rows) }
    rows.append(batch)
    rows.endRow()
  }

  private func append(_ index: Int, _ type: ValueType, to rows: RowBatch) throws(ConnectorError) {
    let start = rows.byteCount
    if type == .bytes, !fields.isNull(index, as: .text) {
      scratch.removeAll()
      scratch.beginRow(fields: 1)
      fields.append(index, as: .text, to: scratch)
      scratch.endRow()
      guard let bytes = Base64.decode(UnsafeRawBufferPointer(rebasing: scratch.row(0)[6...])) else {
        throw Self.unreadable
      }
      bytes.withUnsafeBytes { rows.append($0) }
    } else {
      fields.append(index, as: type, to: rows)
    }
    let header = Int32(bigEndian: rows.bytes.loadUnaligned(fromByteOffset: start, as: Int32.self))
    guard header >= -1 else { throw Self.unreadable }
  }

  private static let unreadable = ConnectorError(
    .data, "messages.lines",
    Text("消息中有无法识别的行。", "A message holds a line that cannot be read."))
}

/// What the last write put, read from the very lines that are to be sent.
final class WrittenLinesReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  let position: [UInt8] = []

  private let rows: PutRows
  private let lines: [UInt8]
  private let batch: Int64
  private var at = 0

  init(_ plan: WritePlan, _ lines: UnsafeRawBufferPointer, batch: Int64) {
    rows = PutRows(plan)
    self.lines = [UInt8](lines)
    self.batch = batch
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    var (failure, at) = (ConnectorError?.none, self.at)
    lines.withUnsafeBytes { bytes in
      do throws(ConnectorError) { try rows.append(bytes, at: &at, batch: self.batch, to: batch) } catch {
        failure = error
      }
    }
    self.at = at
    if let failure { throw failure }
    return batch.isEmpty ? .end : .rows
  }

  func close() { at = lines.count }
}
