package import Kernel

/// A column by its place: 0 is A, 16,383 is XFD, the last one Excel has.
package struct ColumnLetters: Hashable, Sendable, CustomStringConvertible {
  package let index: Int

  package init(_ index: Int) { self.index = index }

  /// `A`, `Z`, `AA` …
  package var description: String {
    var letters: [UInt8] = []
    var rest = index + 1
    while rest > 0 {
      letters.append(UInt8(ascii: "A") + UInt8((rest - 1) % 26))
      rest = (rest - 1) / 26
    }
    return String(decoding: letters.reversed(), as: UTF8.self)
  }
}

/// Where something stands in a workbook, for refusals: the sheet, and the row and the column as far as known.
package struct CellPlace: Hashable, Sendable {
  package var sheet: String
  /// From 1, as on the screen.
  package var row: Int?
  /// From 0.
  package var column: Int?

  package init(_ sheet: String, row: Int? = nil, column: Int? = nil) {
    self.sheet = sheet
    self.row = row
    self.column = column
  }

  package var text: Text {
    var chinese = "工作表“\(sheet)”"
    var english = "sheet “\(sheet)”"
    if let row {
      chinese += "第 \(row) 行"
      english += ", row \(row)"
    }
    if let column {
      chinese += " \(ColumnLetters(column)) 列"
      english += ", column \(ColumnLetters(column))"
    }
    return Text(chinese, english)
  }
}

/// Excel's own bounds (ECMA-376 part 1, and “Excel specifications and limits”).
package enum SheetBounds {
  package static let rows = 1_048_576
  package static let columns = 16_384
  /// UTF-16 units in one cell.
  package static let textLength = 32_767
  /// UTF-16 units in a sheet's name.
  package static let nameLength = 31
}

/// Cells that are shown as one: only the first of them holds what is written there, the others nothing.
package struct MergedCells: Hashable, Sendable, CustomStringConvertible {
  /// From 1, as on the screen.
  package var rows: ClosedRange<Int>
  /// From 0.
  package var columns: ClosedRange<Int>

  /// `B2:B4`; nil for what is no range of cells.
  init?(_ bytes: UnsafeRawBufferPointer) {
    let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard let first = parts.first, let last = parts.last, parts.count <= 2,
      let from = CellReference(UnsafeRawBufferPointer(rebasing: first)),
      let to = CellReference(UnsafeRawBufferPointer(rebasing: last)), from.row <= to.row, from.column <= to.column
    else { return nil }
    rows = from.row...to.row
    columns = from.column...to.column
  }

  package var description: String {
    "\(ColumnLetters(columns.lowerBound))\(rows.lowerBound):\(ColumnLetters(columns.upperBound))\(rows.upperBound)"
  }
}

/// The `r` of a cell: `B12`.
struct CellReference {
  var column: Int
  var row: Int

  /// Nil for anything but one to three capital letters and a row without leading noughts, inside Excel's bounds.
  init?(_ bytes: UnsafeRawBufferPointer) {
    var at = 0
    var column = 0
    while at < bytes.count, at < 4, bytes[at] >= 0x41, bytes[at] <= 0x5A {
      column = column * 26 + Int(bytes[at] - 0x40)
      at += 1
    }
    guard (1...3).contains(at), column <= SheetBounds.columns,
      let row = positiveNumber(UnsafeRawBufferPointer(rebasing: bytes[at...])), row <= SheetBounds.rows
    else { return nil }
    self.column = column - 1
    self.row = row
  }
}

/// Digits only, no leading nought, at most nine of them.
func positiveNumber(_ bytes: UnsafeRawBufferPointer) -> Int? {
  guard (1...9).contains(bytes.count), bytes[0] != 0x30 else { return nil }
  return wholeNumber(bytes)
}

/// Digits only, one to nine of them.
func wholeNumber(_ bytes: UnsafeRawBufferPointer) -> Int? {
  guard (1...9).contains(bytes.count) else { return nil }
  var value = 0
  for byte in bytes {
    guard byte >= 0x30, byte <= 0x39 else { return nil }
    value = value * 10 + Int(byte - 0x30)
  }
  return value
}
