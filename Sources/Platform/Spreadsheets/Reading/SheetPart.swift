import Kernel

/// The rows of one worksheet as they come out of the parser. Whoever feeds it takes `ready` after each piece.
final class SheetPart: PartContent {
  private(set) var ready: [SheetRow] = []
  /// In the file they stand behind the rows.
  private var merged: [MergedCells] = []

  private let part: String
  private let sheet: String
  private let limits: ReadingLimits
  private let values: CellValues
  private var isInData = false
  private var isInMerged = false
  /// The last row and the last column of it that the file named.
  private var row = 0
  private var column = -1
  private var cells: [SheetCell] = []
  private var cellCount = 0
  private var rowCount = 0
  /// The cell one is in.
  private var written = WrittenCell()
  private var runs = TextRuns()
  private var isInValue = false

  init(_ part: String, sheet: String, _ limits: ReadingLimits, _ values: CellValues) {
    self.part = part
    self.sheet = sheet
    self.limits = limits
    self.values = values
  }

  func takeReady() -> [SheetRow] {
    defer { ready.removeAll(keepingCapacity: true) }
    return ready
  }

  func takeMerged() -> [MergedCells] {
    defer { merged.removeAll(keepingCapacity: true) }
    return merged
  }

  // worksheet / sheetData / row / c / v, f, is / t, r / t, and worksheet / mergeCells / mergeCell: each has its depth, so that alternative and extension
  // content (mc:AlternateContent, extLst) is never taken for cells.
  func begin(_ name: ElementName, _ attributes: AttributeList, depth: Int) throws(Refusal) {
    switch depth {
    case 1:
      guard name.is("worksheet") else { throw .part("root", part, "不是工作表。", "this is no worksheet.") }
    case 2: (isInData, isInMerged) = (name.is("sheetData"), name.is("mergeCells"))
    case 3 where isInData && name.is("row"): try beginRow(attributes)
    case 3 where isInMerged && name.is("mergeCell"):
      guard let reference = attributes["ref"] else { break }
      guard let cells = MergedCells(reference) else {
        throw .workbook(
          "merge-reference", at: CellPlace(sheet),
          "合并单元格的范围“\(shown(String(decoding: reference, as: UTF8.self)))”无效。请用 Excel 或 WPS 重新另存为。",
          "the merged range “\(shown(String(decoding: reference, as: UTF8.self)))” is none. Save it again with Excel or WPS."
        )
      }
      merged.append(cells)
    case 4 where isInData && name.is("c"): try beginCell(attributes)
    case 5 where isInData:
      if name.is("v") {
        isInValue = true
        written.bytes.removeAll(keepingCapacity: true)
      } else if name.is("f") {
        written.isFormula = true
      } else if name.is("is") {
        runs.removeAll()
        written.isInline = true
      }
    case 6... where isInData && written.isInline: runs.begin(name, attributes, depth: depth)
    default: break
    }
  }

  func text(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
    // A text within the bound in UTF-16 units has no more than three bytes for each; escapes have seven.
    let most = min(limits.textLength, 1 << 28) * 7 + 64
    if isInValue {
      guard written.bytes.count + bytes.count <= most else { throw values.tooLong(place) }
      written.bytes += bytes
    } else if written.isInline {
      guard runs.text(bytes, most: most) else { throw values.tooLong(place) }
    }
  }

  func end(_ name: ElementName, depth: Int) throws(Refusal) {
    guard isInData else { return }
    switch depth {
    case 2: isInData = false
    case 3 where name.is("row"):
      guard !cells.isEmpty else { return }
      rowCount += 1
      guard rowCount <= limits.rows else {
        throw .tooLarge(
          "rows", at: CellPlace(sheet), "超过 \(limits.rows) 行。请拆分后分次上传。",
          "more than \(limits.rows) rows. Split it and send the pieces.")
      }
      ready.append(SheetRow(number: row, cells: cells))
      cells.removeAll(keepingCapacity: true)
    case 4 where name.is("c"):
      let value = try values.value(written, inline: runs.bytes, place)
      if value != .empty || written.isFormula {
        cells.append(SheetCell(column: column, value: value, isFormula: written.isFormula))
      }
    case 5: isInValue = false
    case 6...:
      if written.isInline { runs.end(name, depth: depth) }
    default: break
    }
  }

  private var place: CellPlace { CellPlace(sheet, row: row, column: column) }

  private func beginRow(_ attributes: AttributeList) throws(Refusal) {
    let previous = row
    if let written = attributes["r"] {
      guard let number = positiveNumber(written), number <= SheetBounds.rows else {
        throw .workbook(
          "row-number", at: CellPlace(sheet),
          "行号“\(shown(String(decoding: written, as: UTF8.self)))”无效，应为 1 至 \(SheetBounds.rows)。",
          "the row number “\(shown(String(decoding: written, as: UTF8.self)))” is none from 1 to \(SheetBounds.rows).")
      }
      row = number
    } else {
      row += 1
    }
    guard row > previous, row <= SheetBounds.rows else {
      throw .workbook(
        "row-order", at: CellPlace(sheet, row: row), "行的次序颠倒或重复（前一行是第 \(previous) 行）。请用 Excel 或 WPS 重新另存为。",
        "rows are out of order or repeated (row \(previous) came before). Save it again with Excel or WPS.")
    }
    column = -1
    // A row that is cut short by another belongs to no well-formed file, so that nothing is left here.
    cells.removeAll(keepingCapacity: true)
  }

  private func beginCell(_ attributes: AttributeList) throws(Refusal) {
    let previous = column
    if let reference = attributes["r"] {
      guard let found = CellReference(reference), found.row == row else {
        throw .workbook(
          "cell-reference", at: CellPlace(sheet, row: row),
          "单元格地址“\(shown(String(decoding: reference, as: UTF8.self)))”无效或不在这一行。",
          "the cell's address “\(shown(String(decoding: reference, as: UTF8.self)))” is invalid or of another row.")
      }
      column = found.column
    } else {
      column += 1
    }
    guard column > previous else {
      throw .workbook(
        "cell-order", at: place, "单元格的次序颠倒或重复。请用 Excel 或 WPS 重新另存为。",
        "cells are out of order or repeated. Save it again with Excel or WPS.")
    }
    guard column < min(limits.columns, SheetBounds.columns) else {
      throw .tooLarge(
        "columns", at: place, "超过 \(limits.columns) 列。请删除多余的列（包括只有格式的空列）。",
        "more than \(limits.columns) columns. Delete those not needed (also empty ones with a format).")
    }
    cellCount += 1
    guard cellCount <= limits.cells else {
      throw .tooLarge(
        "cells", at: CellPlace(sheet), "超过 \(limits.cells) 个单元格。请删除只有格式的空行，或拆分后上传。",
        "more than \(limits.cells) cells. Delete empty rows that only have a format, or split it.")
    }
    try written.begin(attributes, place)
  }
}
