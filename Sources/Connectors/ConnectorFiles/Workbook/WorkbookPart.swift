import Connecting
import Glibc
import Kernel
import Remote
import Spreadsheets

/// A sheet of a workbook, its first row the columns' names. The sheet is read once, into rows that wait on the disk: its
/// reader gives rows and takes them back no more when a fault shows further down, so that none may leave before its end.
struct WorkbookPart: TablePart {
  let columns: [String]
  let rows: Int
  let digest: [UInt8]
  private let spool: RowSpool
  private let range: Range<Int>

  init(
    _ file: SourceFile, _ plan: ReadPlan, _ options: FilesOptions, into spool: RowSpool
  ) throws(ConnectorError) {
    let start = spool.end
    let batch = RowBatch(capacity: RowBatch.smallest)
    let cells = SheetCells(zone: options.zone, nullText: options.nullText)
    var places: [Int] = []
    var rows = 0
    (columns, digest) = try Self.walk(file, options) { names throws(ConnectorError) in
      for column in plan.columns {
        guard let place = names.firstIndex(of: column.name) else {
          throw .contract(
            "column-missing", "文件“\(file.name)”没有“\(column.name)”列。",
            "The file “\(file.name)” has no column “\(column.name)”.")
        }
        places.append(place)
      }
    } row: { row throws(ConnectorError) in
      batch.removeAll()
      batch.beginRow(fields: places.count)
      for (index, place) in places.enumerated() {
        cells.append(row, place, as: plan.columns[index].type, to: batch)
      }
      batch.endRow()
      batch.limitLastRow()
      try spool.append(batch.row(0), key: plan.key)
      rows += 1
    }
    self.rows = rows
    self.spool = spool
    range = start..<spool.end
  }

  /// Hands the names and then each row below them; a row without a cell under any of the names is none.
  private static func walk(
    _ file: SourceFile, _ options: FilesOptions, names: ([String]) throws(ConnectorError) -> Void,
    row: (SheetRow) throws(ConnectorError) -> Void
  ) throws(ConnectorError) -> (columns: [String], digest: [UInt8]) {
    var columns: [String] = []
    // Of the titles, and of the last row below them.
    var (first, last) = (0, 0)
    var merged: [MergedCells] = []
    let digest = try file.contentDigest()
    do {
      let copy = try file.wholeCopy()
      let path = "/proc/self/fd/\(copy?.descriptor ?? file.descriptor)"
      try withExtendedLifetime(copy) {
        let workbook = try WorkbookReader(path: path, name: file.name)
        let remember = { (cells: MergedCells) throws in
          guard merged.count < mostMerged else { throw tooManyMerged }
          merged.append(cells)
        }
        try workbook.readRows(of: try sheet(of: workbook, options), merged: remember) { cells in
          if columns.isEmpty {
            columns = try titles(cells)
            first = cells.number
            try names(columns)
          } else if cells.cells.contains(where: { $0.column < columns.count }) {
            last = cells.number
            try row(cells)
          }
          return .next
        }
      }
    } catch let refusal as Refusal {
      // What was read while the file changed is nobody's fault.
      try file.verify()
      throw ConnectorError(
        refusal.kind == .unavailable ? .retryable : refusal.code == "spreadsheet.no-such-sheet" ? .contract : .data,
        refusal.code, refusal.message)
    } catch {
      throw error as? ConnectorError ?? ConnectorError(.retryable, "files.read", Text("读取失败。", "Reading failed."))
    }
    guard !columns.isEmpty else { throw CSVFault.noHeader.error }
    try file.verify()
    let hiding = merged.filter { cells in
      let titled = cells.columns.clamped(to: 0...columns.count - 1)
      return cells.rows.upperBound > first && cells.rows.lowerBound <= last && cells.columns.overlaps(titled)
        && cells.rows.count * titled.count > 1
    }
    if let cells = hiding.min(by: {
      ($0.rows.lowerBound, $0.columns.lowerBound) < ($1.rows.lowerBound, $1.columns.lowerBound)
    }) {
      throw Self.merged(cells, others: hiding.count - 1).within(file.name)
    }
    return (columns, digest)
  }

  private static let mostMerged = 100_000

  private static var tooManyMerged: ConnectorError {
    ConnectorError(
      .data, "files.too-many-merged",
      Text("合并单元格超过 \(mostMerged) 处。", "More than \(mostMerged) ranges of merged cells."))
  }

  /// Of merged cells only the first holds a value. Whether it counts for the others too, only who wrote it knows: a
  /// department's name beside its three people does, a remark across a row does not.
  private static func merged(_ cells: MergedCells, others: Int) -> ConnectorError {
    let (chinese, english) = others > 0 ? ("（另有 \(others) 处）", " (and \(others) more)") : ("", "")
    return .contract(
      "merged-cells",
      "数据区有合并单元格 \(cells)\(chinese)：其中只有第一格有值，其余各行会成为空值。请取消合并并逐行填写后重新保存。",
      "The data holds merged cells, \(cells)\(english): only the first has a value, the other rows would have none. Unmerge them, fill in each row and save again."
    )
  }

  private static func sheet(of workbook: WorkbookReader, _ options: FilesOptions) throws -> String {
    if !options.sheet.isEmpty { return options.sheet }
    return (workbook.sheets.first { $0.visibility == .visible } ?? workbook.sheets[0]).name
  }

  private static func titles(_ row: SheetRow) throws(ConnectorError) -> [String] {
    var names: [String] = []
    for cell in row.cells {
      let name = trimmed(cell.value.shown)
      guard !name.isEmpty, cell.column == names.count else {
        throw CSVFault.emptyColumnName(number: names.count + 1).error
      }
      guard names.count < CSVRows.columnLimit else {
        throw ConnectorError(.data, "files.too-many-columns", Text("超过 1000 列。", "More than 1000 columns."))
      }
      guard name.unicodeScalars.count <= 128 else {
        throw CSVFault.columnNameTooLong(number: names.count + 1).error
      }
      guard !names.contains(name) else { throw CSVFault.repeatedColumn(name).error }
      names.append(name)
    }
    return names
  }

  private static func trimmed(_ name: String) -> String {
    String(name.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }

  func reader(
    _ plan: ReadPlan, _ file: SourceFile, after: [UInt8]?, withoutKeys: Bool
  ) throws(ConnectorError) -> any RowReader {
    try SpooledReader(spool, range, file, after: after, withoutKeys: withoutKeys)
  }

  static func look(
    _ file: SourceFile, _ options: FilesOptions, into table: inout TableLook
  ) throws(ConnectorError) -> [UInt8] {
    var places: [Int?] = []
    var look = table
    let (_, digest) = try walk(file, options) { names throws(ConnectorError) in
      for name in names { places.append(look.place(of: name)) }
    } row: { row throws(ConnectorError) in
      look.rows += 1
      for (column, place) in places.enumerated() {
        guard let place else { continue }
        let value = row[column: column]
        switch value {
        case .empty, .error: look.addNull(at: place)
        case .number: Self.add(value.shown, .number, &look, place)
        case .text(let text) where text == options.nullText: look.addNull(at: place)
        case .text(let text): Self.add(text, .text, &look, place)
        default: Self.add(value.shown, .unknown, &look, place)
        }
      }
    }
    table = look
    return digest
  }

  private static func add(_ text: String, _ kind: ColumnLook.Kind, _ table: inout TableLook, _ place: Int) {
    var text = text
    text.withUTF8 { table.add(UnsafeRawBufferPointer($0), kind: kind, at: place) }
  }
}

/// Gives rows that wait on the disk.
final class SpooledReader: RowReader {
  let horizon: CursorValue? = nil
  let isKeyOrdered = false
  let checksText = true
  private(set) var position: [UInt8] = []

  private let spool: RowSpool
  private let range: Range<Int>
  private let file: SourceFile
  private var rows: RowSpool.Reader?
  private var isSecondPass: Bool

  init(
    _ spool: RowSpool, _ range: Range<Int>, _ file: SourceFile, after: [UInt8]?, withoutKeys: Bool
  ) throws(ConnectorError) {
    self.spool = spool
    self.range = range
    self.file = file
    isSecondPass = withoutKeys
    let rows = try spool.reader(range, withoutKeys: withoutKeys)
    self.rows = rows
    guard let after else { return }
    guard after.count == 8, after[0] < 0x80, try rows.skip(after.reduce(0) { $0 << 8 | Int($1) }) else {
      throw .contract("position", "断点无法识别。", "The place to go on from cannot be read.")
    }
    position = after
  }

  func read(into batch: RowBatch) throws(ConnectorError) -> ReadOutcome {
    batch.removeAll()
    try file.verify()
    while let rows {
      let more = try rows.fill(batch)
      let outcome: ReadOutcome = isSecondPass ? .rowsWithoutKey : .rows
      if !isSecondPass, !batch.isEmpty {
        position = withUnsafeBytes(of: Int64(rows.count).bigEndian) { [UInt8]($0) }
      }
      if !more {
        self.rows = isSecondPass ? nil : try spool.reader(range, withoutKeys: true)
        isSecondPass = true
      }
      if !batch.isEmpty { return outcome }
    }
    return .end
  }

  func close() { rows = nil }
}
