import Connecting

/// Where a table is cut: by the keys of rows chosen at random. The server has no other way to take a sample than to walk
/// through an index that holds the key, which is a part of what reading the table costs, and sends none of it.
struct MariaDBCuts {
  private let connection: MariaDBConnection
  private let statement: MariaDBReadStatement
  private let rows: Int?

  /// Rows looked at, about.
  private static let sample = 20_000.0

  init(_ plan: ReadPlan, _ address: MariaDBAddress) throws(ConnectorError) {
    connection = try MariaDBConnection(address)
    let table = try MariaDBTable.read(plan.table, connection)
    // Nobody knows what walking through a view costs.
    rows = table.isView ? nil : table.estimatedRows ?? 0
    let keys = ReadPlan(
      table: plan.table, columns: plan.key.map { plan.columns[$0] }, key: Array(plan.key.indices))
    statement = try MariaDBReadStatement(keys, table, database: address.database, zone: address.zone)
  }

  func into(_ count: Int) throws(ConnectorError) -> [[UInt8]] {
    defer { connection.close() }
    guard count > 1, let rows else { return [] }
    let found = try MariaDBRows(
      statement.sampled(share: min(1, Self.sample / Double(max(1, rows)))), connection)
    defer { found.close() }
    var keys = KeySample()
    while try found.next() { keys.add(found.place(statement.places)) }
    return keys.cuts(into: count)
  }
}

extension MariaDBRows {
  /// A row's place: its key as the server wrote it.
  @inline(__always)
  func appendPlace(_ columns: [Int], to place: inout [UInt8]) {
    for index in columns {
      guard let value = bytes(index) else { continue }
      withUnsafeBytes(of: Int32(truncatingIfNeeded: value.count).bigEndian) { place.append(contentsOf: $0) }
      place.append(contentsOf: value)
    }
  }

  func place(_ columns: [Int]) -> [UInt8] {
    var place: [UInt8] = []
    appendPlace(columns, to: &place)
    return place
  }
}
