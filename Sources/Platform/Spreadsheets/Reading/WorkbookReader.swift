package import Kernel

/// Reads an .xlsx or .xlsm workbook (ECMA-376, transitional and strict) that a stranger may have made: everything has a
/// bound, macros and what lies outside the file are never touched, and a torn or false file is refused with what it is.
///
/// Not thread-safe. Blocks while it reads; call it off the cooperative pool. Memory: the shared strings and one piece of
/// the sheet, whatever the sheet's length.
package final class WorkbookReader {
  /// The worksheets in the order of their tabs; sheets of charts are not among them. Never empty.
  package let sheets: [SheetInfo]

  private let container: Container
  private let limits: ReadingLimits
  private let parts: [String]
  private let dates: DateSystem
  private let styles: StylesPart
  private let stringsPart: String?
  private var strings: SharedStrings?

  /// Opens the file and reads its list of sheets and its styles. `name` is what it is called where its path does not
  /// tell.
  package init(path: String, name: String? = nil, limits: ReadingLimits = ReadingLimits()) throws(Refusal) {
    self.limits = limits
    container = try Container(path: path, name: name, limits: limits)
    let package = try Relationships(of: "", container, limits)
    guard let main = package.first("officeDocument"), container.otherKind() == nil else {
      throw Self.noWorkbook(container)
    }
    let workbook = try WorkbookPart(main, container, limits)
    let relationships = try Relationships(of: main, container, limits)
    dates = workbook.dates
    stringsPart = relationships.first("sharedStrings")
    if let part = relationships.first("styles") {
      styles = try StylesPart(part, container, limits)
    } else {
      styles = StylesPart()
    }
    var sheets: [SheetInfo] = []
    var parts: [String] = []
    for sheet in workbook.sheets {
      guard let found = relationships.byID[sheet.relationship] else {
        throw .part(
          "sheet", main, "工作表“\(shown(sheet.info.name))”的内容没有着落。",
          "the sheet “\(shown(sheet.info.name))” leads to no part.")
      }
      guard found.type == "worksheet" else { continue }
      sheets.append(sheet.info)
      parts.append(found.target)
    }
    guard !sheets.isEmpty else {
      throw .workbook("no-sheet", "工作簿里没有工作表。", "The workbook has no worksheet.")
    }
    self.sheets = sheets
    self.parts = parts
  }

  private static func noWorkbook(_ container: Container) -> Refusal {
    let kind = container.otherKind() ?? Text("压缩包（ZIP），里面没有工作簿", "a ZIP archive without a workbook in it")
    let name = shown(container.fileName)
    return .workbook(
      "kind", "文件“\(name)”实际上是\(spaced(kind.chinese))，不是 .xlsx。请用 Excel 或 WPS 另存为“Excel 工作簿（.xlsx）”。",
      "The file “\(name)” really is \(kind.english), not .xlsx. Save it as “Excel Workbook (.xlsx)” with Excel or WPS.")
  }

  /// Hands the sheet's rows to `body` in order until it answers `.stop` or throws. Only rows that hold anything come.
  ///
  /// A fault in the file is thrown when it is reached, so that rows before it have been given: whoever keeps rows must
  /// keep none of them until this returns. `merged` is told of merged cells, mostly behind the rows that they are of.
  package func readRows(
    of sheet: String, merged: (MergedCells) throws -> Void = { _ in }, _ body: (SheetRow) throws -> RowStep
  ) throws {
    guard let index = sheets.firstIndex(where: { $0.name == sheet }) else {
      let names = sheets.prefix(10).map { "“\(shown($0.name, most: 31))”" }
      throw Refusal.workbook(
        "no-such-sheet", "工作簿里没有名为“\(shown(sheet))”的工作表；有：\(names.joined(separator: "、"))。",
        "The workbook has no sheet “\(shown(sheet))”; it has \(names.joined(separator: ", ")).")
    }
    let part = parts[index]
    let content = SheetPart(part, sheet: sheet, limits, try values())
    let xml = try XMLPart(part, limits, content)
    // The caller's own error passes through code that throws refusals only.
    var failure: (any Error)?
    func deliver() -> Bool {
      for row in content.takeReady() {
        do {
          if try body(row) == .stop { return false }
        } catch {
          failure = error
          return false
        }
      }
      do {
        for cells in content.takeMerged() { try merged(cells) }
      } catch {
        failure = error
        return false
      }
      return true
    }
    /// Rows that were whole before a fault come before it.
    func feed(_ bytes: UnsafeRawBufferPointer, isLast: Bool) throws(Refusal) -> Bool {
      do throws(Refusal) { try xml.feed(bytes, isLast: isLast) } catch {
        guard deliver() else { return false }
        throw error
      }
      return deliver()
    }
    var goesOn = true
    try container.read(part) { bytes throws(Refusal) in
      goesOn = try feed(bytes, isLast: false)
      return goesOn
    }
    if goesOn { _ = try feed(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) }
    if let failure { throw failure }
  }

  private func values() throws(Refusal) -> CellValues {
    let strings: SharedStrings
    if let read = self.strings {
      strings = read
    } else if let stringsPart {
      strings = try SharedStrings(stringsPart, container, limits)
      self.strings = strings
    } else {
      strings = SharedStrings()
    }
    return CellValues(strings: strings, styles: styles, dates: dates, textLength: limits.textLength)
  }
}
