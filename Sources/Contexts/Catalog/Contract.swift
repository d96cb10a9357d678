internal import Connecting
internal import Kernel

extension [Item] {
  /// The items as one text that changes exactly when what a delivery relies on changes: column, how it is carried, its
  /// bounds, whether it may be null and whether it is key. What receipts digest, and what a drift check compares.
  package var contractText: String {
    sorted { $0.column < $1.column }.map { item in
      [
        item.column, item.type?.description ?? "-", item.length.map(String.init) ?? "-",
        item.isNullable ? "null" : "not null", item.isKey ? "key" : "-", item.semantic ?? "-",
      ].joined(separator: "\t") + "\n"
    }.joined()
  }
}
