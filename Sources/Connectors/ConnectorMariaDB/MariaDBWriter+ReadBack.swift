import Connecting

// What was committed, looked at again.

extension MariaDBWriter {
  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [BatchRecord] {
    try connection.run(
      """
      SELECT batch, run, delivered, quarantined, bytes, digest FROM \(target.batches)
      WHERE stream = \(MariaDBQuote.text(plan.stream)) AND batch BETWEEN \(range.lowerBound) AND \(range.upperBound)
      ORDER BY batch
      """
    ).map { BatchRecord(line: $0) }
  }

  func countStale(_ range: ClosedRange<Int64>) throws(ConnectorError) -> Int {
    let row = try connection.run(
      """
      SELECT COUNT(*) FROM \(target.table)
      WHERE \(WritePlan.staleBatchColumn) BETWEEN \(range.lowerBound) AND \(range.upperBound)
      """)
    return row[0][0].flatMap { Int($0) } ?? 0
  }

  func readBack(_ range: ClosedRange<Int64>) throws(ConnectorError) -> any RowReader {
    try target.readBack(range)
  }

  /// Batches are found by their index from the first one on; where the table ends plays no part.
  func end() throws(ConnectorError) -> Int64? { 0 }
}
