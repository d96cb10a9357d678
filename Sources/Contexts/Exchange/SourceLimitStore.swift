package import Inventory
import Kernel
package import Storage

package enum SourceLimitStore {
  package static func find(_ source: SourceID, in tx: any Transaction) throws -> SourceLimit {
    try tx.row("\(select) WHERE source = \(source)").map(limit) ?? SourceLimit(source: source)
  }

  package static func find(among sources: [SourceID], in tx: any Transaction) throws -> [SourceID: SourceLimit] {
    guard !sources.isEmpty else { return [:] }
    return Dictionary(
      uniqueKeysWithValues: try tx.rows("\(select) WHERE source IN (\(each: sources))").map { row in
        let limit = try limit(row)
        return (limit.source, limit)
      })
  }

  /// False when somebody was faster.
  static func save(_ limit: SourceLimit, in tx: any Transaction) throws -> Bool {
    try tx.run(
      "INSERT INTO exchange_source_limit (source, version) VALUES (\(limit.source), 0) ON CONFLICT (source) DO NOTHING")
    return try tx.run(
      """
      UPDATE exchange_source_limit SET deliveries = \(limit.deliveries), rows_per_second = \(limit.rowsPerSecond),
        bytes_per_second = \(limit.bytesPerSecond), version = version + 1
      WHERE source = \(limit.source) AND version = \(limit.version)
      """) == 1
  }

  private static let select: SQL =
    "SELECT source, deliveries, rows_per_second, bytes_per_second, version FROM exchange_source_limit"

  private static func limit(_ row: Row) throws -> SourceLimit {
    var limit = SourceLimit(source: try row.id("source"))
    limit.deliveries = try row.intOrNil("deliveries")
    limit.rowsPerSecond = try row.intOrNil("rows_per_second")
    limit.bytesPerSecond = try row.intOrNil("bytes_per_second")
    limit.version = try row.int("version")
    return limit
  }
}
