import CXLSXWriter
import Glibc
import Kernel

/// What a column says to whoever fills it in: the comment on its header, and the check, the drop-down and the hint of its
/// cells.
struct ColumnRules {
  let column: SheetColumn
  let language: Language

  /// The choices, the two of a yes-or-no column included.
  var choices: [String] {
    if !column.choices.isEmpty { return column.choices }
    if case .yesNo = column.kind { return [language("是", "Yes"), language("否", "No")] }
    return []
  }

  /// The list as a formula when it can be one; nil when it must stand in cells: Excel takes 255 characters in all,
  /// divides at commas, and trims.
  static func inlineList(_ choices: [String]) -> String? {
    let isPlain = choices.allSatisfy {
      !$0.contains(",") && !$0.contains("\"") && TextEscapes.isPlain($0) && !$0.contains(where: \.isNewline)
        && $0.first?.isWhitespace == false && $0.last?.isWhitespace == false && !$0.hasPrefix("=")
    }
    let joined = choices.joined(separator: ",")
    return isPlain && joined.utf16.count <= 255 ? "\"\(joined)\"" : nil
  }

  /// For the header's comment; nil when there is nothing to say.
  var comment: String? {
    let pieces = [column.isRequired ? language("必填。", "Required.") : nil, column.note, format].compactMap { $0 }
    return column.isRequired || column.note != nil ? pieces.joined(separator: "\n") : nil
  }

  private var format: String? {
    switch column.kind {
    case .text, .yesNo: nil
    case .wholeNumber: language("填写整数。", "A whole number.")
    case .decimal: language("填写数字。", "A number.")
    case .date: language("填写日期，如 2026-08-22。", "A date such as 2026-08-22.")
    case .dateTime: language("填写日期和时间，如 2026-08-22 09:30:00。", "A date and time such as 2026-08-22 09:30:00.")
    }
  }

  /// Sets the rules for the cells below the header. `list` is the drop-down as a formula.
  func apply(
    to sheet: UnsafeMutablePointer<lxw_worksheet>, column index: UInt16, rows: UInt32, list: String?
  ) -> lxw_error {
    var rule = lxw_data_validation()
    var texts: [UnsafeMutablePointer<CChar>?] = []
    defer { for text in texts { free(text) } }
    func owned(_ text: String) -> UnsafeMutablePointer<CChar>? {
      let copy = strdup(text)
      texts.append(copy)
      return copy
    }
    // The library's own default is to allow blanks and to show both messages.
    let on = UInt8(LXW_VALIDATION_ON.rawValue)
    (rule.ignore_blank, rule.show_input, rule.show_error, rule.dropdown) = (on, on, on, on)
    rule.criteria = UInt8(LXW_VALIDATION_CRITERIA_BETWEEN.rawValue)
    var expected = format
    if let list {
      rule.validate = UInt8(LXW_VALIDATION_TYPE_LIST_FORMULA.rawValue)
      rule.value_formula = owned("=" + list)
      expected = language("请从下拉列表中选择。", "Choose from the list.")
    } else {
      switch column.kind {
      case .text, .yesNo: rule.validate = UInt8(LXW_VALIDATION_TYPE_ANY.rawValue)
      case .wholeNumber:
        rule.validate = UInt8(LXW_VALIDATION_TYPE_INTEGER.rawValue)
        (rule.minimum_number, rule.maximum_number) = (-999_999_999_999_999, 999_999_999_999_999)
      case .decimal:
        rule.validate = UInt8(LXW_VALIDATION_TYPE_DECIMAL.rawValue)
        (rule.minimum_number, rule.maximum_number) = (-1e15, 1e15)
      case .date, .dateTime:
        rule.validate = UInt8(LXW_VALIDATION_TYPE_DATE_NUMBER.rawValue)
        (rule.minimum_number, rule.maximum_number) = (1, 2_958_466)
      }
    }
    let hint = [column.isRequired ? language("必填。", "Required.") : nil, column.note ?? expected].compactMap { $0 }
    if !hint.isEmpty {
      rule.input_title = owned(Self.cut(column.title, 32))
      rule.input_message = owned(Self.cut(hint.joined(), 255))
    }
    if let expected {
      rule.error_title = owned(Self.cut(column.title, 32))
      rule.error_message = owned(Self.cut(expected, 255))
    } else if hint.isEmpty {
      return LXW_NO_ERROR
    }
    return worksheet_data_validation_range(sheet, 1, index, rows, index, &rule)
  }

  /// At most so many UTF-16 units, cut between characters.
  static func cut(_ text: String, _ most: Int) -> String {
    // What XML cannot hold has no place in a hint.
    var result = String(String.UnicodeScalarView(text.unicodeScalars.filter { TextEscapes.isPlain($0) }))
    guard result.utf16.count > most else { return result }
    while result.utf16.count > most - 1 { result.removeLast() }
    return result + "…"
  }
}
