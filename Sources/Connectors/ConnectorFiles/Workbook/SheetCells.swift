import Connecting
import Kernel
import Spreadsheets

/// Cells as canonical bytes.
struct SheetCells {
  private let convert: CanonicalText
  private let nullText: String

  /// `zone`: Excel's times have none; this is theirs, in seconds east of UTC.
  init(zone: Int, nullText: String) {
    convert = CanonicalText(zone: zone, trustsText: true)
    self.nullText = nullText
  }

  func append(_ row: SheetRow, _ column: Int, as type: ValueType, to batch: RowBatch) {
    guard let cell = row.cells.first(where: { $0.column == column }) else { return batch.appendNull() }
    let value = cell.value
    switch value {
    case .empty:
      // A formula that was never calculated has a value that nobody knows.
      if cell.isFormula { malformed(.wrongType, value, batch) } else { batch.appendNull() }
    case .text(let text):
      if !nullText.isEmpty, text == nullText { batch.appendNull() } else { put(text, type, batch) }
    case .number(_, let digits): number(value, digits, type, batch)
    case .date, .dateTime: date(value, type, batch)
    case .time: if type == .text { put(value.shown, type, batch) } else { malformed(.wrongType, value, batch) }
    case .boolean:
      if type == .text || type == .boolean {
        put(value.shown, type, batch)
      } else {
        malformed(.wrongType, value, batch)
      }
    case .error: malformed(.wrongType, value, batch)
    }
  }

  /// Excel keeps 15 digits: a longer code typed as a number ends in noughts that nobody typed, and whatever is exact must
  /// not carry them. What binary fractions add behind the fifteenth digit was never typed either.
  private func number(_ value: CellValue, _ digits: String, _ type: ValueType, _ batch: RowBatch) {
    switch type {
    case .double: put(digits, type, batch)
    case .bytes, .timestamp: malformed(.wrongType, value, batch)
    default:
      if value.hasLostDigits { malformed(.lostDigits, value, batch) } else { put(value.shown, type, batch) }
    }
  }

  private func date(_ value: CellValue, _ type: ValueType, _ batch: RowBatch) {
    switch (type, value) {
    case (.text, _), (.timestamp, _), (.date, .date): put(value.shown, type, batch)
    // A whole day is a date, however its cell shows it.
    case (.date, .dateTime(let date, let time)) where time.milliseconds == 0: put("\(date)", type, batch)
    case (.date, _): malformed(.impossibleDate, value, batch)
    default: malformed(.wrongType, value, batch)
    }
  }

  private func put(_ text: String, _ type: ValueType, _ batch: RowBatch) {
    var text = text
    text.withUTF8 { convert.append(UnsafeRawBufferPointer($0), as: type, to: batch) }
  }

  private func malformed(_ fault: RowFault, _ value: CellValue, _ batch: RowBatch) {
    var text = value.shown
    text.withUTF8 { batch.appendMalformed(fault, UnsafeRawBufferPointer($0)) }
  }
}
