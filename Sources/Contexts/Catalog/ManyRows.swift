internal import Storage

extension Transaction {
  /// Inserts rows, each `(value, …)` of so many columns, many with one statement: on PostgreSQL a statement of its own for
  /// each would cost ten times as much. Statements come in a few lengths, so that they stay prepared.
  func insert(_ into: SQL, _ rows: [SQL], columns: Int, then rest: SQL = "") throws {
    var left = rows[...]
    while let first = left.first {
      let count = [512, 128, 32, 8, 4, 2].first { $0 <= left.count && $0 * columns <= mostValues } ?? 1
      var values = first
      for row in left.prefix(count).dropFirst() { values += ", " + row }
      try run(into + " VALUES " + values + " " + rest)
      left = left.dropFirst(count)
    }
  }
}

/// SQLite binds 32,766 at most.
private let mostValues = 16_384
