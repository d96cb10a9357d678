import Kernel
import Reshaping
import Web

extension RowFilter {
  /// In words, with what was written beside it.
  static func said(_ filter: String?, _ t: Language) -> HTML {
    guard let filter else { return "\(t("全部行", "Every row"))" }
    guard let expression = try? Expression(parsing: filter) else { return "<code>\(filter)</code>" }
    return "\(t(expression.sentence)) <code>\(filter)</code>"
  }
}
