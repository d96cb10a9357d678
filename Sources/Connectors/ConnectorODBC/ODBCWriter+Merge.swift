import Connecting

// Rows met by key: the stage, and what of it goes into the target.

extension ODBCWriter {
  var sameKey: String { target.keyNames.map { "s.\($0) = t.\($0)" }.joined(separator: " AND ") }

  /// Of the target by its full name, for statements that take no other.
  var sameKeyOfTarget: String {
    target.keyNames.map { "s.\($0) = \(target.table).\($0)" }.joined(separator: " AND ")
  }

  /// Removes from the stage what need not or may not be written; clears the stale flag of rows that are good again as
  /// they stand.
  func takeOutOfStage(rewriteFrom: Int64, ownFrom: Int64) throws(ConnectorError) -> [(
    row: Int32, isDuplicate: Bool
  )] {
    let batch = "t.\(own(WritePlan.batchColumn))"
    let equal =
      plan.columns.indices.filter { !plan.key.contains($0) }.map { index -> String in
        let name = target.columnNames[index]
        return connection.dialect.same("s.\(name)", "t.\(name)", plan.columns[index].type)
      } + ["\(batch) < \(rewriteFrom)", "\(batch) > 0"]
    let isSame = rewriteFrom > 0 ? " OR (\(equal.joined(separator: " AND ")))" : ""
    let rows = try connection.run(
      """
      SELECT s.\(own("sj_row")), CASE WHEN \(batch) >= \(ownFrom) THEN 1 ELSE 0 END,
        CASE WHEN t.\(own(WritePlan.staleBatchColumn)) IS NULL THEN 0 ELSE 1 END
      FROM \(target.stage) s JOIN \(target.table) t ON \(sameKey)
      WHERE \(batch) >= \(ownFrom)\(isSame) ORDER BY s.\(own("sj_row"))
      """)
    let cleared = rows.filter { $0[1] != "1" && $0[2] == "1" }.compactMap { $0[0] }
    try inParts(of: cleared) { numbers throws(ConnectorError) in
      try connection.change(
        """
        UPDATE \(target.table) SET \(own(WritePlan.staleBatchColumn)) = NULL, \(own(WritePlan.staleSinceColumn)) = NULL
        WHERE EXISTS (SELECT 1 FROM \(target.stage) s WHERE s.\(own("sj_row")) IN (\(numbers)) AND \(sameKeyOfTarget))
        """)
    }
    try inParts(of: rows.compactMap { $0[0] }) { numbers throws(ConnectorError) in
      try connection.change("DELETE FROM \(target.stage) WHERE \(own("sj_row")) IN (\(numbers))")
    }
    return rows.map { ($0[0].flatMap { Int32($0) } ?? 0, $0[1] == "1") }
  }

  /// A list in a statement has its limit, which differs.
  private func inParts(
    of numbers: [String], _ body: (_ list: String) throws(ConnectorError) -> Void
  ) throws(ConnectorError) {
    for start in stride(from: 0, to: numbers.count, by: 500) {
      try body(numbers[start..<min(start + 500, numbers.count)].joined(separator: ", "))
    }
  }

  /// How many were there is asked before: databases count a merge in ways of their own.
  func merge(_ batch: Int64, rows: Int) throws(ConnectorError) -> (inserted: Int, updated: Int) {
    let found = try connection.run("SELECT COUNT(*) FROM \(target.stage) s JOIN \(target.table) t ON \(sameKey)")
    let updated = found.first?.first?.flatMap { Int($0) } ?? 0
    try connection.change(
      connection.dialect.merge(
        into: target.table, from: target.stage, names: target.columnNames, keys: target.keyNames,
        batchColumn: own(WritePlan.batchColumn), batch: batch,
        clearing: [own(WritePlan.staleBatchColumn), own(WritePlan.staleSinceColumn)]
          + (plan.marksDeletes ? [own(WritePlan.deletedSinceColumn)] : [])))
    return (rows - updated, updated)
  }
}
