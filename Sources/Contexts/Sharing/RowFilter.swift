package import Catalog
import Connecting
import Kernel
package import Reshaping

/// Which rows of a resource a grant gives, as an expression over its columns.
package enum RowFilter {
  /// Characters.
  static let limit = 1000

  /// The filter as the grant keeps it: nil for every row. Throws what is wrong with it, and where.
  static func checked(_ text: String, of resource: Resource) throws -> String? {
    guard !text.allSatisfy(\.isWhitespace) else { return nil }
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
}
