package import Kernel
package import Sharing
package import Storage

/// Deliveries that arrived, as whoever stands above all departments counts and lists them; from the indexes of "020
/// deliveries by when they arrived".
package enum DeliveryCounts {
  /// A delivery as a list of deliveries names it.
  package struct Line: Hashable, Sendable {
    package var id: DeliveryID
    package var grant: GrantID
    package var rows: Int
    package var finishedAt: Instant
  }

  /// How many arrived under each grant within a time, and how many rows they brought. Reads all of that time: for a job.
  package static func sums(
    from start: Instant, until end: Instant, in tx: any Transaction
  ) throws -> [GrantID: (deliveries: Int, rows: Int)] {
    Dictionary(
      uniqueKeysWithValues: try tx.rows(
        """
        SELECT grant_id, COUNT(*) AS n, CAST(SUM(rows_delivered) AS BIGINT) AS total FROM exchange_delivery
        WHERE state = 'delivered' AND finished_at >= \(start) AND finished_at < \(end) GROUP BY grant_id
        """
      ).map { (try $0.id("grant_id"), (try $0.int("n"), try $0.int("total"))) })
  }

  /// Rows that arrived under a grant in each of the last days, oldest first; days without any are 0.
  package static func byDay(
    of grant: GrantID, through last: CalendarDate, days: Int, in tx: any Transaction
  ) throws -> [(day: CalendarDate, rows: Int)] {
    let first = last + (1 - days)
    var sums: [CalendarDate: Int] = [:]
    for row in try tx.rows(
      """
      SELECT finished_at, rows_delivered FROM exchange_delivery
      WHERE state = 'delivered' AND grant_id = \(grant) AND finished_at >= \(first.startInChina)
      """)
    {
      sums[try row.instant("finished_at").dateInChina, default: 0] += try row.int("rows_delivered")
    }
    return (0..<days).map { (first + $0, sums[first + $0] ?? 0) }
  }

  /// When one last arrived under each of these grants; at most some hundreds are asked for. One step into the index for
  /// each, however many arrived under it.
  package static func last(among grants: [GrantID], in tx: any Transaction) throws -> [GrantID: Instant] {
    guard !grants.isEmpty else { return [:] }
    var found: [GrantID: Instant] = [:]
    for row in try tx.rows(
      """
      SELECT g.column1 AS grant_id, (
        SELECT MAX(d.finished_at) FROM exchange_delivery d WHERE d.state = 'delivered' AND d.grant_id = g.column1) AS at
      FROM (VALUES \(listed(grants))) AS g
      """)
    {
      if let at = try row.instantOrNil("at") { found[try row.id("grant_id")] = at }
    }
    return found
  }

  /// Those of these grants under which something arrived within a time; at most some hundreds are asked for.
  package static func moving(
    among grants: [GrantID], from start: Instant, until end: Instant, in tx: any Transaction
  ) throws -> Set<GrantID> {
    guard !grants.isEmpty else { return [] }
    return Set(
      try tx.rows(
        """
        SELECT g.column1 AS grant_id FROM (VALUES \(listed(grants))) AS g WHERE EXISTS (
          SELECT 1 FROM exchange_delivery d WHERE d.state = 'delivered' AND d.grant_id = g.column1
            AND d.finished_at >= \(start) AND d.finished_at < \(end))
        """
      ).map { try $0.id("grant_id") })
  }

  /// What arrived under one grant within a time, oldest first; a page begins after a moment and an id.
  package static func list(
    of grant: GrantID, from start: Instant, until end: Instant, after: (at: Instant, id: DeliveryID)? = nil,
    limit: Int, in tx: any Transaction
  ) throws -> [Line] {
    let place: SQL = after.map { "(finished_at, id) > (\($0.at), \($0.id))" } ?? "TRUE"
    return try tx.rows(
      """
      SELECT id, rows_delivered, finished_at FROM exchange_delivery
      WHERE state = 'delivered' AND grant_id = \(grant) AND finished_at >= \(start) AND finished_at < \(end) AND \(place)
      ORDER BY finished_at, id LIMIT \(limit)
      """
    ).map {
      Line(
        id: try $0.id("id"), grant: grant, rows: try $0.int("rows_delivered"),
        finishedAt: try $0.instant("finished_at"))
    }
  }

  /// `(a), (b), …`: as many as there are up to the next power of two, so that few statements are kept prepared.
  private static func listed(_ grants: [GrantID]) -> SQL {
    var places = grants
    while places.count & (places.count - 1) != 0, let last = grants.last { places.append(last) }
    return places.dropFirst().reduce("(\(places[0]))") { $0 + ", (\($1))" }
  }
}
