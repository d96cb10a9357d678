package import Catalog
package import Kernel
package import Storage

/// Grants as whoever stands above all departments counts and lists them.
package enum GrantCounts {
  /// A grant as a list of grants names it.
  package struct Line: Hashable, Sendable {
    package var id: GrantID
    package var number: String
    package var resource: ResourceID
    package var resourceName: String
    package var provider: OrganisationID
    package var providerName: String
    package var consumer: OrganisationID
    package var consumerName: String
    package var createdAt: Instant
    /// Whether data may move under it on the day that was asked about.
    package var isInForce: Bool
  }

  /// Every grant there ever was, by id; a page begins after an id. `day` is the one on which it is in force or not.
  package static func page(
    on day: CalendarDate, after: GrantID? = nil, limit: Int, in tx: any Transaction
  ) throws -> [Line] {
    try lines("id > \(after?.text ?? "") ORDER BY id LIMIT \(limit)", day, in: tx)
  }

  package static func find(_ id: GrantID, on day: CalendarDate, in tx: any Transaction) throws -> Line? {
    try lines("id = \(id)", day, in: tx).first
  }

  /// Those that a department gives (or else has obtained), whatever became of them.
  package static func list(
    of office: OrganisationID, asConsumer: Bool = false, on day: CalendarDate, after: GrantID? = nil, limit: Int,
    in tx: any Transaction
  ) throws -> [Line] {
    let side: SQL = asConsumer ? "consumer = \(office)" : "provider = \(office)"
    return try lines("\(side) AND id > \(after?.text ?? "") ORDER BY id LIMIT \(limit)", day, in: tx)
  }

  /// Those on these resources, whatever became of them, by resource; at most some hundreds are asked for. A page begins after
  /// a line.
  package static func list(
    on resources: [ResourceID], on day: CalendarDate, after: Line? = nil, limit: Int, in tx: any Transaction
  ) throws -> [Line] {
    let place: SQL = after.map { "(resource, id) > (\($0.resource), \($0.id))" } ?? "TRUE"
    return try lines(
      "resource IN (\(each: resources)) AND \(place) ORDER BY resource, id LIMIT \(limit)", day, in: tx)
  }

  private static func lines(_ condition: SQL, _ day: CalendarDate, in tx: any Transaction) throws -> [Line] {
    try tx.rows(
      """
      SELECT id, number, resource, resource_name, provider, provider_name, consumer, consumer_name, first_day, last_day,
        state, created_at
      FROM sharing_grant WHERE \(condition)
      """
    ).map { row in
      let (first, last) = (try row.date("first_day"), try row.date("last_day"))
      let state: Grant.State = try row.choice("state")
      return Line(
        id: try row.id("id"), number: try row.text("number"), resource: try row.id("resource"),
        resourceName: try row.text("resource_name"), provider: try row.id("provider"),
        providerName: try row.text("provider_name"), consumer: try row.id("consumer"),
        consumerName: try row.text("consumer_name"), createdAt: try row.instant("created_at"),
        isInForce: state == .active && first <= day && day <= last)
    }
  }
}
