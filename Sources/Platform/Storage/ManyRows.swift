extension Transaction {
  /// Inserts rows, each `(value, …)` of so many columns, many with one statement, and says how many rows it changed: on
  /// PostgreSQL a statement of its own for each would cost ten times as much. Statements come in a few lengths, so that they
  /// stay prepared.
  @discardableResult
  package func insert(_ into: SQL, _ rows: [SQL], columns: Int, then rest: SQL = "") throws -> Int {
    var left = rows[...]
    var changed = 0
    while let first = left.first {
      let count = [512, 128, 32, 8, 4, 2].first { $0 <= left.count && $0 * columns <= mostValues } ?? 1
      var parts = into.parts
      parts.reserveCapacity(into.parts.count + count * (first.parts.count + 1) + rest.parts.count + 2)
      parts.append(.text(" VALUES "))
      for (index, row) in left.prefix(count).enumerated() {
        if index > 0 { parts.append(.text(", ")) }
        parts += row.parts
      }
      parts.append(.text(" "))
      parts += rest.parts
      changed += try run(SQL(parts: parts))
      left = left.dropFirst(count)
    }
    return changed
  }
}

/// SQLite binds 32,766 at most.
private let mostValues = 16_384
