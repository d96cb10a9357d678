internal import Connecting
internal import NationalCrypto

extension [Item] {
  /// The items as one text that changes exactly when what a delivery relies on changes: column, how it is carried, its
  /// bounds, whether it may be null, whether it is key and what check its values must pass. Names, descriptions and
  /// sharing terms may change without it.
  package var contractText: String {
    sorted { $0.column < $1.column }.map { item in
      [
        item.column, item.type?.description ?? "-", item.length.map(String.init) ?? "-",
        item.isNullable ? "null" : "not null", item.isKey ? "key" : "-", item.semantic ?? "-",
      ].joined(separator: "\t") + "\n"
    }.joined()
  }

  /// SM3 over `contractText`, in hexadecimal: what a delivery compares with the table it finds.
  package var schemaDigest: String { SM3.hash(contractText).hex }
}
