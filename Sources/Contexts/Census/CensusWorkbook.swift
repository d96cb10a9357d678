import Connecting
import Foundation
import Kernel
import Spreadsheets

/// A return as a workbook: downloaded prefilled, filled in, sent back; and what was rejected, in the same columns.
struct CensusWorkbook {
  static let mostBytes = 20 << 20
  static let mostLines = 100_000

  let language: Language

  private var sheetName: String { language("六项普查", "Census") }

  /// What heads each column, in either language; the first two say which resource it is.
  private static let code = Text("信息资源代码", "Resource code")
  private static let name = Text("信息资源名称", "Resource name")
  private static let hint = Text("平台掌握的情况", "What the platform knows")

  func plan(withReasons: Bool) -> SheetPlan {
    let t = language
    var columns = [
      SheetColumn(t(Self.code), .text, width: 22, note: t("请勿修改", "do not change"), isRequired: true),
      SheetColumn(t(Self.name), .text, width: 36),
    ]
    for quantity in Quantity.allCases {
      let rule = quantity.whole.map {
        t("不大于\($0.mark)。不清楚填 0。", "Not more than \($0.mark). 0 if unknown.")
      }
      columns.append(
        SheetColumn(
          t(quantity.heading), quantity.isStorage ? .decimal : .wholeNumber, width: 16,
          note: rule ?? t("不清楚填 0。", "0 if unknown.")))
    }
    columns.append(SheetColumn(t(Self.hint), .text, width: 30))
    return SheetPlan(
      sheetName, columns, fillableRows: 0, reasonTitle: withReasons ? t("未导入原因", "Why it was not imported") : nil)
  }

  func write(_ lines: [CensusLine], to path: String) throws {
    let writer = try WorkbookWriter(path: path, language: language)
    let sheet = try writer.addSheet(plan(withReasons: false))
    for line in lines { try sheet.append(cells(line)) }
    try writer.finish()
  }

  private func cells(_ line: CensusLine) -> [CellValue] {
    [.text(line.code), .text(line.name)]
      + Quantity.allCases.map { quantity in
        let value = line.numbers[quantity]
        return quantity.isStorage
          ? .number(Double(value) / 1_000_000, digits: SixQuantities.plain(value, quantity)) : .number(value)
      } + [.text(hint(line))]
  }

  /// Where a line's numbers come from, and the platform's estimates marked as such.
  func hint(_ line: CensusLine) -> String {
    let t = language
    var words = [t(line.origin.title)]
    if let records = line.measured.records {
      words.append(t("挂接表估计 \(records) 行", "about \(records) rows in the mounted table"))
    }
    if let shared = line.measured.sharedRecords {
      words.append(t("交换曾交付 \(shared) 行", "\(shared) rows were delivered"))
    }
    return words.joined(separator: t("；", "; "))
  }

  // MARK: Reading

  /// A row as it was given, with what was made of it.
  struct GivenRow: Sendable {
    var number: Int
    var values: [CellValue]
    var entry: LineEntry?
    var reasons: [Text]
  }

  /// Reads a workbook of these columns, whatever their order. Blocks while it reads.
  func read(_ path: String) throws -> [GivenRow] {
    var limits = ReadingLimits()
    (limits.fileBytes, limits.partBytes, limits.totalBytes) = (Self.mostBytes, 256 << 20, 512 << 20)
    (limits.columns, limits.cells, limits.rows) = (64, 2_000_000, Self.mostLines + 1)
    let reader = try WorkbookReader(path: path, limits: limits)
    guard let sheet = reader.sheets.first(where: { $0.visibility == .visible }) else {
      throw Refusal.invalid("census.workbook", "workbook", Text("工作簿里没有可见的工作表。", "The workbook shows no sheet."))
    }
    var rows = GivenRows(width: width)
    try reader.readRows(of: sheet.name) { row in
      try rows.take(row)
      return .next
    }
    return try rows.end()
  }

  /// The same of a CSV file with these titles, such as a return is downloaded as.
  func readCSV(_ path: String) throws -> [GivenRow] {
    let file = try TextFile(path: path, mostBytes: Self.mostBytes)
    var rows = GivenRows(width: width)
    var head = 0
    do {
      try CSV.forEach(file.text) { line, fields in
        if head == 0 { head = fields.count }
        guard fields.count == head || fields.allSatisfy(\.isEmpty) else {
          throw CSV.Fault(line: line, problem: .columns(expected: head, found: fields.count))
        }
        let cells = fields.enumerated().filter { !$0.element.isEmpty }.map { column, field in
          SheetCell(
            column: column, value: .text(CSV.unguarded(field)), isFormula: field.utf8.first == UInt8(ascii: "="))
        }
        try rows.take(SheetRow(number: line, cells: cells))
      }
    } catch let fault as CSV.Fault {
      throw Refusal.invalid("census.csv", "workbook", fault.message)
    }
    return try rows.end()
  }

  private var width: Int { plan(withReasons: true).columns.count }

  /// The rows of a file as they are read, the first of which has the titles.
  private struct GivenRows {
    let width: Int
    private var places: [Int?] = []
    private var rows: [GivenRow] = []
    private var seen: [String: Int] = [:]

    init(width: Int) { self.width = width }

    mutating func take(_ row: SheetRow) throws {
      if places.isEmpty {
        places = try CensusWorkbook.header(row)
        return
      }
      var values = [CellValue](repeating: .empty, count: width)
      var formulas: Set<Int> = []
      for cell in row.cells {
        guard let place = places.firstIndex(of: cell.column) else { continue }
        values[place] = cell.value
        if cell.isFormula { formulas.insert(place) }
      }
      guard values.contains(where: { $0 != .empty }) else { return }
      guard rows.count < CensusWorkbook.mostLines else {
        throw Refusal(
          .tooLarge, "census.workbook.lines",
          Text("超过 \(CensusWorkbook.mostLines) 行。", "There are more than \(CensusWorkbook.mostLines) rows."))
      }
      var given = CensusWorkbook.entry(row.number, values, formulas)
      if let code = given.entry?.code {
        if let first = seen[code] {
          given.entry = nil
          given.reasons.append(Text("代码与第 \(first) 行重复。", "The code stands in row \(first) as well."))
        } else {
          seen[code] = row.number
        }
      }
      rows.append(given)
    }

    func end() throws -> [GivenRow] {
      guard !rows.isEmpty else {
        throw Refusal.invalid("census.workbook", "workbook", Text("文件里没有填报的行。", "There is no row in the file."))
      }
      return rows
    }
  }

  /// Which of the sheet's columns each of ours is; nil for one that is not there.
  private static func header(_ row: SheetRow) throws -> [Int?] {
    var byTitle: [String: Int] = [:]
    for cell in row.cells {
      byTitle[SheetColumn.title(fromHeader: cell.value.shown)] =
        byTitle[
          SheetColumn.title(fromHeader: cell.value.shown)] ?? cell.column
    }
    let titles = [code, name] + Quantity.allCases.map(\.heading) + [hint]
    let places = titles.map { byTitle[$0.chinese] ?? byTitle[$0.english] }
    let missing = titles.indices.filter { places[$0] == nil && $0 != 1 && $0 != titles.count - 1 }
    guard missing.isEmpty else {
      let (zh, en) = (missing.map { titles[$0].chinese }, missing.map { titles[$0].english })
      throw Refusal.invalid(
        "census.workbook.columns", "workbook",
        Text(
          "缺少列：\(zh.joined(separator: "、"))。请用本页下载的工作簿或 CSV 填写。",
          "Columns are missing: \(en.joined(separator: ", ")). Fill in the workbook or CSV downloaded from this page."))
    }
    return places
  }

  private static func entry(_ number: Int, _ values: [CellValue], _ formulas: Set<Int>) -> GivenRow {
    var given = GivenRow(number: number, values: values, entry: nil, reasons: [])
    let code = values[0].shown.filter { !$0.isWhitespace }
    if code.isEmpty { given.reasons.append(Text("没有信息资源代码。", "There is no resource code.")) }
    var numbers = SixQuantities.zero
    for (index, quantity) in Quantity.allCases.enumerated() {
      let value = values[index + 2]
      if formulas.contains(index + 2) {
        given.reasons.append(
          Text("\(quantity.mark)是公式；请改为数值。", "\(quantity.mark) is a formula; enter its value."))
        continue
      }
      switch value {
      case .empty, .number, .text:
        guard let read = SixQuantities.read(value.shown, quantity) else { fallthrough }
        numbers[quantity] = read
      default:
        let range = SixQuantities.range(quantity)
        given.reasons.append(
          Text(
            "\(quantity.mark)“\(value.shown.prefix(40))”：\(range.chinese)",
            "\(quantity.mark) “\(value.shown.prefix(40))”: \(range.english)"))
      }
    }
    if given.reasons.isEmpty { given.reasons = numbers.faults().map(\.message) }
    if given.reasons.isEmpty { given.entry = LineEntry(code: code, numbers: numbers) }
    return given
  }

  /// What was not taken, each row with its reasons; corrected, this very file is sent again.
  func writeRejected(_ rows: [GivenRow], to path: String) throws {
    let writer = try WorkbookWriter(path: path, language: language)
    let sheet = try writer.addSheet(plan(withReasons: true))
    let width = plan(withReasons: true).columns.count
    for row in rows {
      let values = row.values.prefix(width).map { value -> CellValue in
        if case .text(let text) = value, text.utf8.contains(0) { return .text(text.replacing("\0", with: "")) }
        return value
      }
      try sheet.append(values, rejectedFor: row.reasons.prefix(6).map { language($0) }.joined(separator: "\n"))
    }
    try writer.finish()
  }
}
