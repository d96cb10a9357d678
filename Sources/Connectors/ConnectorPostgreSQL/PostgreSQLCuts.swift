import Connecting

/// Where a table is cut: by the keys on two thousand of its pages, chosen at random by the server, which costs the same
/// whatever the table's length and asks for no statistics. Keys that lie in the order of the pages are found to some per
/// cent, others better.
struct PostgreSQLCuts {
  private let connection: PostgreSQLConnection
  private let statement: PostgreSQLReadStatement
  private let table: String
  private let keyCount: Int

  /// Pages looked at, at least.
  private static let pages = 2000.0

  init(_ plan: ReadPlan, _ address: PostgreSQLAddress) throws(ConnectorError) {
    connection = try PostgreSQLConnection(address)
    let keys = ReadPlan(
      table: plan.table, columns: plan.key.map { plan.columns[$0] }, key: Array(plan.key.indices))
    table = PostgreSQLQuote.table(plan.table)
    keyCount = plan.key.count
    statement = try PostgreSQLReadStatement(
      keys, try PostgreSQLTable.read(plan.table, connection), zone: address.zone)
  }

  func into(_ count: Int) throws(ConnectorError) -> [[UInt8]] {
    defer { connection.close() }
    guard count > 1, let pages = try pages(), pages > 0 else { return [] }
    var percent = min(100, 100 * Self.pages / pages)
    var keys = try sample(percent)
    // Much of the table may be empty pages.
    while keys.seen < 200 * count, percent < 100 {
      percent = min(100, percent * 10)
      keys = try sample(percent)
    }
    // A key that cannot be written as a literal (an infinite date) is no place to begin behind.
    return keys.cuts(into: count) { (try? statement.keyed(after: $0)) != nil }
  }

  /// Nil for what has no pages of its own: views and foreign tables.
  private func pages() throws(ConnectorError) -> Double? {
    let found = try connection.run(
      """
      SELECT greatest(pg_relation_size(c.oid), (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(c.oid)))
        / current_setting('block_size')::int8
      FROM pg_class c WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p', 'm')
      """, [table])
    return found.first?[0].flatMap { Double($0) }
  }

  private func sample(_ percent: Double) throws(ConnectorError) -> KeySample {
    try connection.startCopy("COPY (\(statement.sampled(percent: percent))) TO STDOUT (FORMAT binary)")
    var stream = PostgreSQLCopyStream(connection)
    var keys = KeySample()
    let batch = RowBatch()
    var isMore = true
    while isMore {
      batch.removeAll()
      isMore = try stream.fill(batch)
      for row in 0..<batch.rowCount { keys.add(KeyBytes.encode(batch.row(row), key: Array(0..<keyCount))) }
    }
    return keys
  }
}
