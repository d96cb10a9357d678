package import Connecting

/// A product as the conformance suite needs it: the connector under test, and the product's own SQL beside it.
///
/// A stand is made for one case: an empty database (or folder) that nobody else uses.
package protocol ConformanceStand: Sendable {
  var connector: any Connector { get }
  /// Which cases mean something here.
  static var abilities: Set<ConformanceAbility> { get }
  /// Makes the table with its rows. Provided where there is SQL.
  func make(_ table: SampleTable) throws
  func insert(_ rows: [[String?]], into table: SampleTable) throws
  /// Runs statements of the product's own; only asked of those that have `.statements`.
  func run(_ sql: String) throws
  func quoted(_ name: String) -> String
  /// The column's type as the product's own departments would declare it.
  func declared(_ column: WritePlan.Column) -> String
  func literal(_ text: String, as type: ValueType) -> String
  /// False for a value that the product itself has no room for: such a sample is left out.
  func holds(_ text: String, as type: ValueType) -> Bool
}

package enum ConformanceAbility: Sendable, CaseIterable {
  /// It has SQL of its own, so that a case can change what is there.
  case statements
  case comments
  /// A declared key may hold NULL.
  case nullKeys
  /// A reader sees one state of the table however long it reads.
  case snapshots
  case increments
  case writes
  /// It writes by key: see `ConnectorGuarantee.merges`.
  case merges
  /// Its tables' offsets lie in one place.
  case commonOffsets
  /// What is blocked in a call can be ended from another thread.
  case interruption
  /// The types of its columns are declared.
  case declaredTypes
  /// A table can be cut by its key, and read from one cut to the next.
  case cuts
  /// A delivery can be written in parts.
  case parts
}

/// A table of samples. Values are written as `CanonicalText` writes them, times in UTC.
package struct SampleTable: Sendable {
  package var name: String
  package var columns: [WritePlan.Column]
  /// Indices into `columns`.
  package var key: [Int]
  package var rows: [[String?]]
  package var comment: String?

  package init(
    _ name: String, _ columns: [WritePlan.Column], key: [Int] = [0], rows: [[String?]] = [], comment: String? = nil
  ) {
    self.name = name
    self.columns = columns
    self.key = key
    self.rows = rows
    self.comment = comment
  }

  package var tableName: TableName { TableName(name) }

  package func readPlan(cursor: Int? = nil, _ range: ReadPlan.Range = .full(after: nil)) -> ReadPlan {
    ReadPlan(
      table: tableName, columns: columns.map { ReadPlan.Column($0.name, $0.type) }, key: key, cursor: cursor,
      range: range)
  }

  package func writePlan(stream: String = "grant-1", run: String = "run-1", fence: Int64 = 1) -> WritePlan {
    WritePlan(table: tableName, columns: columns, key: key, stream: stream, run: run, fence: fence)
  }
}

extension ConformanceStand {
  package func make(_ table: SampleTable) throws {
    let columns = table.columns.enumerated().map { index, column in
      let isOptional = Self.abilities.contains(.nullKeys) || !table.key.contains(index)
      return "\(quoted(column.name)) \(declared(column))\(isOptional ? "" : " NOT NULL")"
    }
    let key = table.key.map { quoted(table.columns[$0].name) }.joined(separator: ", ")
    try run("CREATE TABLE \(quoted(table.name)) (\(columns.joined(separator: ", ")), PRIMARY KEY (\(key)))")
    try insert(table.rows, into: table)
  }

  package func insert(_ rows: [[String?]], into table: SampleTable) throws {
    let names = table.columns.map { quoted($0.name) }.joined(separator: ", ")
    for start in stride(from: 0, to: rows.count, by: 200) {
      let values = rows[start..<min(start + 200, rows.count)].map { row in
        let fields = zip(row, table.columns).map { text, column in text.map { literal($0, as: column.type) } ?? "NULL" }
        return "(\(fields.joined(separator: ", ")))"
      }
      try run("INSERT INTO \(quoted(table.name)) (\(names)) VALUES \(values.joined(separator: ", "))")
    }
  }

  package func holds(_ text: String, as type: ValueType) -> Bool { true }
}
