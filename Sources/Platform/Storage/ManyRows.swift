extension Transaction {
  /// Inserts rows, each `(value, …)` of so many columns, many with one statement, and says how many rows it changed: on
  /// PostgreSQL a statement of its own for each would cost ten times as much. `rows` may be lazy: each is made once, when
  /// its statement is.
  @discardableResult
  package func insert(_ into: SQL, _ rows: some Collection<SQL>, columns: Int, then rest: SQL = "") throws -> Int {
    try run(all: SQL.inserting(into, rows, columns: columns, then: rest))
  }
}

extension SQL {
  /// The statements that `Transaction.insert` runs. They come in a few lengths, so that they stay prepared.
  package static func inserting(
    _ into: SQL, _ rows: some Collection<SQL>, columns: Int, then rest: SQL = ""
  ) -> AnyIterator<SQL> {
    var left = rows[...]
    return AnyIterator {
      guard !left.isEmpty else { return nil }
      let count = [512, 128, 32, 8, 4, 2].first { $0 <= left.count && $0 * columns <= mostValues } ?? 1
      var parts = into.parts
      parts.reserveCapacity(into.parts.count + count * (2 * columns + 2) + rest.parts.count + 2)
      parts.append(.text(" VALUES "))
      for (index, row) in left.prefix(count).enumerated() {
        if index > 0 { parts.append(.text(", ")) }
        parts += row.parts
      }
      parts.append(.text(" "))
      parts += rest.parts
      left = left.dropFirst(count)
      return SQL(parts: parts)
    }
  }
}

/// SQLite binds 32,766 at most.
private let mostValues = 16_384
