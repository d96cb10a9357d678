package import Storage

/// Hands statements on and keeps them, so that the plans asked for are those of what really ran.
package final class ListeningTransaction: Transaction {
  private let base: any Transaction
  /// In the order in which they ran; scripts are not kept.
  package private(set) var asked: [SQL] = []

  package init(_ base: any Transaction) { self.base = base }

  package var engine: Engine { base.engine }
  package func rows(_ sql: SQL) throws -> [Row] {
    asked.append(sql)
    return try base.rows(sql)
  }
  package func forEach(_ sql: SQL, _ body: (Row) throws -> Bool) throws {
    asked.append(sql)
    try base.forEach(sql, body)
  }
  package func run(_ sql: SQL) throws -> Int {
    asked.append(sql)
    return try base.run(sql)
  }
  package func script(_ text: String) throws { try base.script(text) }

  /// The lines of the engine's plans that `isScan` says walk a whole table or index, each with its statement. `isScan` is
  /// given a line and the statement's text.
  package func scans(_ isScan: (_ line: String, _ text: String) -> Bool) throws -> [String] {
    try asked.flatMap { sql in
      let plan: [String] =
        switch engine {
        case .sqlite: try base.rows("EXPLAIN QUERY PLAN " + sql).map { try $0.text("detail") }
        case .postgres: try base.rows("EXPLAIN " + sql).map { try $0.text("QUERY PLAN") }
        }
      let text = try sql.rendered { "?\($0)" }.text
      return plan.filter { isScan($0, text) }.map { "\($0) of \(text)" }
    }
  }
}
