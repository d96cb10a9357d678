package import Catalog
import Connecting
import Kernel
package import Reshaping
import Web

/// Which rows of a resource a grant gives, as an expression over its columns.
package enum RowFilter {
  /// Characters.
  static let limit = 1000

  /// The filter as the grant keeps it: nil for every row. Throws what is wrong with it, and where.
  static func checked(_ text: String, of resource: Resource) throws -> String? {
    let text = text.trimmingBlanks
    guard !text.isEmpty else { return nil }
    if let wrong = PlainText.wrongWords(text, most: limit, missing: nil) {
      throw Refusal.invalid("sharing.decide.rows", "rowFilter", wrong)
    }
    let columns = columns(of: resource)
    do {
      let expression = try Expression(parsing: text)
      _ = try ExpressionProgram(expression, columns: columns, dictionaries: [:], as: .boolean)
    } catch {
      throw Refusal.invalid("sharing.decide.rows", "rowFilter", error.message)
    }
    return text
  }

  /// What a filter may read: items that can be carried, by their columns.
  package static func columns(of resource: Resource) -> [ExpressionColumn] {
    resource.items.compactMap { item in
      item.type.map { ExpressionColumn(item.column, $0, isNullable: item.isNullable && !item.isKey) }
    }
  }

  /// In words, with what was written beside it.
  static func said(_ filter: String?, _ t: Language) -> HTML {
    guard let filter else { return "\(t("全部行", "Every row"))" }
    guard let expression = try? Expression(parsing: filter) else { return "<code>\(filter)</code>" }
    return "\(t(expression.sentence)) <code>\(filter)</code>"
  }
}
