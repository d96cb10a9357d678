import Connecting

/// Where a table is cut: by the keys of the rows that stand at two thousand places of the table's own row numbers. Where
/// those find too few rows (numbers with great gaps, a table without them), rows are counted off in the key's order.
struct SQLiteCuts {
  private let connection: SQLiteConnection
  private let table: String
  private let names: [String]
  /// As the reader puts rows in order.
  private let order: String
  private let filter: String
  private let rowNumber: String?
  private let canCut: Bool

  private static let probes = 2000

  init(_ plan: ReadPlan, _ connection: SQLiteConnection) throws(ConnectorError) {
    self.connection = connection
    let found = try SQLiteTable.read(plan.table, connection)
    let members = plan.key.map { plan.columns[$0] }
    table = SQLiteQuote.name(plan.table.name)
    names = members.map { SQLiteQuote.name($0.name) }
    order = members.map { found.order($0.name) }.joined(separator: ", ")
    filter = names.map { "\($0) IS NOT NULL" }.joined(separator: " AND ")
    let columns = Set(found.description.columns.map { $0.name.lowercased() })
    rowNumber = ["rowid", "_rowid_", "oid"].first { !columns.contains($0) }
    // What the reader does not give in the key's order cannot be appended part by part either.
    canCut = !found.description.isView && members.allSatisfy { $0.type == .integer || $0.type == .text }
  }

  func into(_ count: Int) throws(ConnectorError) -> [[UInt8]] {
    defer { connection.close() }
    guard canCut, count > 1 else { return [] }
    // A table may have no row numbers at all: then there is no such column.
    if let rowNumber, let found = try? probed(rowNumber), found.count >= 16 * count {
      var keys = KeySample()
      for key in found { keys.add(key) }
      return keys.cuts(into: count)
    }
    return try counted(count)
  }

  private func probed(_ number: String) throws(ConnectorError) -> [[UInt8]] {
    let bounds = try connection.rows("SELECT min(\(number)), max(\(number)) FROM \(table)")[0]
    guard let low = bounds[0].flatMap({ Int64($0) }), let high = bounds[1].flatMap({ Int64($0) }) else { return [] }
    let step = max(1, Double(high) - Double(low)) / Double(Self.probes)
    return try keys(
      """
      WITH RECURSIVE probe (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM probe WHERE n < \(Self.probes - 1)),
        hit (place) AS (SELECT DISTINCT (SELECT \(number) FROM \(table) WHERE \(number) >= \(low) + CAST(n * \(step) AS INTEGER)
          ORDER BY \(number) LIMIT 1) FROM probe)
      SELECT \(names.joined(separator: ", ")) FROM hit JOIN \(table) ON \(table).\(number) = hit.place
      WHERE \(filter) ORDER BY \(order)
      """)
  }

  private func counted(_ count: Int) throws(ConnectorError) -> [[UInt8]] {
    let rows = try connection.rows("SELECT count(*) FROM \(table) WHERE \(filter)")[0][0].flatMap { Int($0) } ?? 0
    var cuts: [[UInt8]] = []
    for part in 1..<count where rows * part / count > 0 {
      let found = try keys(
        """
        SELECT \(names.joined(separator: ", ")) FROM \(table) WHERE \(filter) ORDER BY \(order)
        LIMIT 1 OFFSET \(rows * part / count - 1)
        """)
      if let key = found.first, key != cuts.last { cuts.append(key) }
    }
    return cuts
  }

  private func keys(_ sql: String) throws(ConnectorError) -> [[UInt8]] {
    let statement = try connection.prepare(sql)
    defer { statement.finalize() }
    var found: [[UInt8]] = []
    var place: [UInt8] = []
    while try statement.step() {
      SQLitePlace.keep(Array(names.indices), of: statement, in: &place)
      found.append(place)
    }
    return found
  }
}
