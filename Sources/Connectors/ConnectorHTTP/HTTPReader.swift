import Connecting
import JSONBytes
import Kernel
import Remote

/// Reads a list's rows page by page, in the API's order. Rows without a key wait on the disk and come last.
final class HTTPReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  private(set) var position: [UInt8] = []

  private let plan: ReadPlan
  private let name: String
  private let walk: PageWalk
  private let fields: JSONFields
  private let cancellation = RemoteCancellation()
  private let unkeyed: RowSpool
  private var unkeyedRows: RowSpool.Reader?
  private var page: PageWalk.Page?
  private var index = 0
  /// Rows taken so far, and a digest of what they are: where a read goes on.
  private var taken = 0
  private var digest = ContentDigest()
  private var resumption: HTTPPosition?
  private var isAtEnd = false

  init(_ plan: ReadPlan, _ source: HTTPSource) throws(ConnectorError) {
    guard plan.cursor == nil, case .full(let after) = plan.range else {
      throw .contract("no-increment", "接口只能全量读取。", "An API can only be read in full.")
    }
    let table = try source.table(plan.table)
    self.plan = plan
    name = table.name
    walk = PageWalk(source, table, cancellation)
    fields = JSONFields(plan.columns.map { source.pointer($0.name) }, zone: source.zone)
    unkeyed = try RowSpool()
    guard let after else { return }
    guard let place = HTTPPosition(after) else {
      throw .contract("position", "断点无法识别。", "The place to go on from cannot be read.")
    }
    resumption = place
    position = after
  }

  var interrupter: @Sendable () -> Void {
    { [cancellation] in cancellation.cancel() }
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    while !isAtEnd, !batch.isFull {
      guard let page else {
        page = try walk.page()
        index = 0
        if page == nil { try end() }
        continue
      }
      try take(page, batch)
    }
    if !batch.isEmpty {
      position = HTTPPosition(rows: taken, digest: digest.bytes).bytes
      return .rows
    }
    guard let rows = unkeyedRows else { return .end }
    if try !rows.fill(batch) { unkeyedRows = nil }
    return batch.isEmpty ? .end : .rowsWithoutKey
  }

  func close() {
    isAtEnd = true
    page = nil
    unkeyedRows = nil
  }

  private func take(_ page: PageWalk.Page, _ batch: RowBatch) throws(ConnectorError) {
    var failure: ConnectorError?
    page.body.withUnsafeBytes { bytes in
      do throws(ConnectorError) {
        while index < page.rows.count, !batch.isFull {
          try take(page.rows[index], bytes, batch)
          index += 1
        }
      } catch { failure = error }
    }
    if let failure { throw failure }
    if index == page.rows.count { self.page = nil }
  }

  private func take(_ row: JSONValue, _ bytes: UnsafeRawBufferPointer, _ batch: RowBatch) throws(ConnectorError) {
    let raw = UnsafeRawBufferPointer(rebasing: bytes[row.range])
    digest.add(raw)
    taken += 1
    batch.beginRow(fields: plan.columns.count)
    if (try? fields.read(row, in: bytes)) == true {
      for (index, column) in plan.columns.enumerated() { fields.append(index, as: column.type, to: batch) }
    } else {
      BrokenRecord.append(.brokenRecord, raw, plan, to: batch)
    }
    batch.endRow()
    batch.limitLastRow()
    let written = batch.row(batch.rowCount - 1)
    if KeyBytes.hasNull(written, key: plan.key) {
      try unkeyed.append(written, key: plan.key)
      batch.removeLastRow()
    } else if resumption != nil {
      batch.removeLastRow()
    }
    guard let place = resumption, taken == place.rows else { return }
    guard digest.bytes == place.digest else { throw changed }
    resumption = nil
  }

  private func end() throws(ConnectorError) {
    isAtEnd = true
    guard resumption == nil else { throw changed }
    // A name that no row has is a name that changed, not a value that is missing.
    if taken > 0, let missing = zip(plan.columns, fields.seen).first(where: { !$1 })?.0 {
      throw .contract(
        "column-missing", "“\(name)”的任何一行都没有“\(missing.name)”字段。", "No row of “\(name)” has a field “\(missing.name)”.")
    }
    unkeyedRows = try unkeyed.reader(0..<unkeyed.end, withoutKeys: true)
  }

  private var changed: ConnectorError {
    ConnectorError(
      .contract, "http.changed",
      Text(
        "“\(name)”的内容已不是上次读到一半的那些，须从头开始新的一次全量。",
        "“\(name)” is no longer what was half read before: start a new full run."))
  }
}

/// Where a read goes on: after so many rows, whose contents were these.
struct HTTPPosition: Hashable {
  private static let version: UInt8 = 3

  var rows: Int
  var digest: [UInt8]

  init(rows: Int, digest: [UInt8]) {
    self.rows = rows
    self.digest = digest
  }

  var bytes: [UInt8] { [Self.version] + withUnsafeBytes(of: Int64(rows).bigEndian) { [UInt8]($0) } + digest }

  init?(_ bytes: [UInt8]) {
    guard bytes.count == 25, bytes[0] == Self.version, bytes[1] < 0x80 else { return nil }
    rows = bytes[1..<9].reduce(0) { $0 << 8 | Int($1) }
    digest = Array(bytes[9...])
  }
}
