import Connecting
import JSONBytes
import Kernel

/// A file of JSON lines: one object a line, fields by name. A line that is none is one bad row.
struct LinesPart: TablePart {
  let columns: [String]
  let rows: Int
  let digest: [UInt8]
  private let options: FilesOptions

  init(_ file: SourceFile, _ plan: ReadPlan, _ options: FilesOptions) throws(ConnectorError) {
    self.options = options
    let lines = LineRows(file)
    let fields = JSONFields(plan.columns.map { JSONPointer(name: $0.name) }, zone: options.zone)
    var rows = 0
    while try lines.next() {
      rows += 1
      do {
        let value = try JSONScan.whole(lines.line)
        _ = try fields.read(value, in: lines.line)
      } catch {
        continue
      }
    }
    try file.verify()
    self.rows = rows
    digest = lines.digest.bytes
    columns = zip(plan.columns, fields.seen).filter(\.1).map(\.0.name)
  }

  func reader(
    _ plan: ReadPlan, _ file: SourceFile, after: [UInt8]?, withoutKeys: Bool
  ) throws(ConnectorError) -> any RowReader {
    try LinesReader(plan, file, self, options, after: after, withoutKeys: withoutKeys)
  }

  /// `lacking` gathers columns that not every line has.
  static func look(
    _ file: SourceFile, into table: inout TableLook, lacking: inout Set<String>
  ) throws(ConnectorError) -> [UInt8] {
    let lines = LineRows(file)
    var look = JSONLook()
    while try lines.next() { look.add(record: lines.line, to: &table) }
    lacking.formUnion(look.lacking(in: table))
    try file.verify()
    return lines.digest.bytes
  }
}

/// Reads a plan's columns line by line, in the file's order.
final class LinesReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  private(set) var position: [UInt8] = []

  private let plan: ReadPlan
  private let file: SourceFile
  private let part: LinesPart
  private let options: FilesOptions
  private let withoutKeys: Bool
  private var fields: JSONFields
  private var lines: LineRows?
  private var lacksKeys = false
  private var isSecondPass: Bool

  init(
    _ plan: ReadPlan, _ file: SourceFile, _ part: LinesPart, _ options: FilesOptions, after: [UInt8]?, withoutKeys: Bool
  ) throws(ConnectorError) {
    self.plan = plan
    self.file = file
    self.part = part
    self.options = options
    self.withoutKeys = withoutKeys
    isSecondPass = withoutKeys
    fields = JSONFields(plan.columns.map { JSONPointer(name: $0.name) }, zone: options.zone)
    let lines = LineRows(file)
    self.lines = lines
    guard let after else { return }
    guard after.count == 8, after[0] < 0x80 else {
      throw .contract("position", "断点无法识别。", "The place to go on from cannot be read.")
    }
    let offset = after.reduce(0) { $0 << 8 | Int($1) }
    // Read again from the front: the digest at the end is of all of it.
    while lines.nextOffset < offset { guard try lines.next() else { break } }
    position = after
    lacksKeys = true
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    try file.verify()
    while let lines {
      var isAtEnd = false
      while !batch.isFull {
        guard try lines.next() else {
          isAtEnd = true
          break
        }
        append(lines, to: batch)
        let lacksKey = KeyBytes.hasNull(batch.row(batch.rowCount - 1), key: plan.key)
        if lacksKey { lacksKeys = true }
        if lacksKey != isSecondPass { batch.removeLastRow() }
      }
      if !isSecondPass, !batch.isEmpty {
        position = withUnsafeBytes(of: Int64(lines.nextOffset).bigEndian) { [UInt8]($0) }
      }
      if isAtEnd {
        guard lines.digest.bytes == part.digest else { throw .changedWhileRead(file) }
        self.lines = !isSecondPass && lacksKeys ? LineRows(file) : nil
      }
      if !batch.isEmpty {
        defer { if isAtEnd { isSecondPass = true } }
        try file.verify()
        return isSecondPass ? .rowsWithoutKey : .rows
      }
      if isAtEnd { isSecondPass = true }
    }
    return .end
  }

  func close() { lines = nil }

  private func append(_ lines: LineRows, to batch: RowBatch) {
    batch.beginRow(fields: plan.columns.count)
    defer { batch.endRow() }
    let bytes = lines.line
    guard !lines.isTooLong, let value = try? JSONScan.whole(bytes), (try? fields.read(value, in: bytes)) == true else {
      BrokenRecord.append(lines.isTooLong ? .rowTooLarge : .brokenRecord, bytes, plan, to: batch)
      return
    }
    for (index, column) in plan.columns.enumerated() { fields.append(index, as: column.type, to: batch) }
  }
}
