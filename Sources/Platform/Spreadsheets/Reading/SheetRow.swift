/// One worksheet of a workbook, in the order of its tabs.
package struct SheetInfo: Hashable, Sendable {
  package enum Visibility: String, Sendable {
    case visible
    /// The user can show it again.
    case hidden
    /// Only a program can.
    case veryHidden
  }

  package var name: String
  package var visibility: Visibility
}

/// A row that holds anything. Rows and cells without content are left out, however the file writes them.
package struct SheetRow: Sendable {
  /// From 1, as on the screen.
  package var number: Int
  /// By ascending column.
  package var cells: [SheetCell]

  package init(number: Int, cells: [SheetCell]) {
    self.number = number
    self.cells = cells
  }

  /// What stands in that column, counted from 0; `.empty` where there is nothing.
  package subscript(column column: Int) -> CellValue {
    var (low, high) = (0, cells.count)
    while low < high {
      let middle = (low + high) / 2
      if cells[middle].column < column { low = middle + 1 } else { high = middle }
    }
    return low < cells.count && cells[low].column == column ? cells[low].value : .empty
  }

  /// The values of the first `width` columns.
  package func values(_ width: Int) -> [CellValue] {
    var values = [CellValue](repeating: .empty, count: width)
    for cell in cells where cell.column < width { values[cell.column] = cell.value }
    return values
  }
}

package struct SheetCell: Hashable, Sendable {
  /// From 0.
  package var column: Int
  /// `.empty` only where a formula was never calculated.
  package var value: CellValue
  /// The value is what a formula came to when the file was last saved.
  package var isFormula: Bool

  package init(column: Int, value: CellValue, isFormula: Bool = false) {
    self.column = column
    self.value = value
    self.isFormula = isFormula
  }
}

/// What a reader of rows wants next.
package enum RowStep: Sendable { case next, stop }
