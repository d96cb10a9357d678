package import Kernel
package import Storage

/// From when until when a version was in force.
package struct ForcePeriod: Hashable, Sendable {
  package var version: Int
  package var from: Instant
  /// Nil while it is in force.
  package var until: Instant?

  package init(version: Int, from: Instant, until: Instant?) {
    self.version = version
    self.from = from
    self.until = until
  }

  /// Of periods in order of time: the version in force at the end of a day in China, or, where none was then, the last one
  /// that was on that day. Nil on a day without one: before the first, or while the resource was offline.
  package static func version(on day: CalendarDate, of periods: [ForcePeriod]) -> Int? {
    periods.last { period in
      period.from.dateInChina <= day && period.until.map { day <= $0.dateInChina } ?? true
    }?.version
  }
}

extension CatalogStore {
  /// A resource's periods in order of time, at most the last 1,000.
  package static func periods(of id: ResourceID, in tx: any Transaction) throws -> [ForcePeriod] {
    try tx.rows(
      """
      SELECT version, from_at, until_at FROM catalog_force WHERE resource = \(id) ORDER BY position DESC LIMIT 1000
      """
    ).map { row in
      ForcePeriod(
        version: try row.int("version"), from: try row.instant("from_at"), until: try row.instantOrNil("until_at"))
    }.reversed()
  }

  /// The version that was in force on a day; nil where none was.
  package static func find(_ id: ResourceID, on day: CalendarDate, in tx: any Transaction) throws -> Resource? {
    try ForcePeriod.version(on: day, of: periods(of: id, in: tx)).flatMap { try find(id, version: $0, in: tx) }
  }

  /// Makes a version the one that counts, and moves whether it is offered when that changes too. It is in force from now on
  /// when the resource is online.
  static func issue(
    _ version: Int, of id: ResourceID, online: OnlineState, since: Instant?, at now: Instant, in tx: any Transaction
  ) throws {
    let inForce = online.isOnline ? version : nil
    try tx.run(
      """
      UPDATE catalog_resource SET issued = \(version), published = \(inForce), online = \(online),
        online_at = COALESCE(\(since), online_at)
      WHERE id = \(id)
      """)
    try turn(to: inForce, of: id, at: now, in: tx)
  }

  /// Moves whether a resource is offered; the version that counts is in force while it is.
  static func setOnline(
    _ online: OnlineState, of resource: Resource, at now: Instant, due: String?, in tx: any Transaction
  ) throws {
    let inForce = online.isOnline ? resource.version : nil
    let changed = try tx.run(
      """
      UPDATE catalog_resource SET online = \(online), online_at = \(now), online_due = \(due), published = \(inForce)
      WHERE id = \(resource.id) AND issued = \(resource.version) AND online = \(resource.online)
      """)
    guard changed == 1 else { throw changedMeanwhile }
    try turn(to: inForce, of: resource.id, at: now, in: tx)
  }

  /// Ends the period that is open and opens that of another version, or none.
  private static func turn(to version: Int?, of id: ResourceID, at now: Instant, in tx: any Transaction) throws {
    let open = try tx.int("SELECT version FROM catalog_force WHERE resource = \(id) AND until_at IS NULL")
    guard version != open else { return }
    try tx.run("UPDATE catalog_force SET until_at = \(now) WHERE resource = \(id) AND until_at IS NULL")
    guard let version else { return }
    try tx.run(
      """
      INSERT INTO catalog_force (resource, position, version, from_at, until_at)
      VALUES (\(id), (SELECT COUNT(*) + 1 FROM catalog_force WHERE resource = \(id)), \(version), \(now), NULL)
      """)
  }

  /// A request to take a resource offline or bring it back, which waits for the operator.
  struct OnlineRequest: Sendable {
    var id: ResourceID
    var version: Int
    var state: OnlineState
    var name: String
    var provider: OrganisationID
    var providerName: String
    var at: Instant
    var due: String?
  }

  /// Requests that wait, oldest first, behind a place.
  static func onlineRequests(
    after place: QueuePlace?, limit: Int, in tx: any Transaction
  ) throws -> [OnlineRequest] {
    let behind: SQL = place.map { "AND (r.online_at, r.id) > (\($0.at), \($0.id))" } ?? ""
    return try tx.rows(
      """
      SELECT r.id, r.online, r.online_at, r.online_due, v.version, v.name, v.provider, v.provider_name
      FROM catalog_resource r JOIN catalog_version v ON v.resource = r.id AND v.version = r.issued
      WHERE (r.online = 'up-auditing' OR r.online = 'down-auditing') \(behind)
      ORDER BY r.online_at, r.id LIMIT \(limit)
      """
    ).map { row in
      OnlineRequest(
        id: try row.id("id"), version: try row.int("version"), state: try row.choice("online"),
        name: try row.text("name"), provider: try row.id("provider"), providerName: try row.text("provider_name"),
        at: try row.instant("online_at"), due: try row.textOrNil("online_due"))
    }
  }

  /// First versions, each in force since it was last changed.
  static func openPeriods(of resources: [Resource], in tx: any Transaction) throws {
    try tx.insert(
      "INSERT INTO catalog_force (resource, position, version, from_at, until_at)",
      resources.map { "(\($0.id), 1, \($0.version), \($0.changedAt), NULL)" }, columns: 5)
  }

  /// What a new entry's versions were in force before it came here, in order of time; only the last may be open.
  static func insert(_ periods: [ForcePeriod], of id: ResourceID, in tx: any Transaction) throws {
    try tx.insert(
      "INSERT INTO catalog_force (resource, position, version, from_at, until_at)",
      periods.enumerated().map { "(\(id), \($0 + 1), \($1.version), \($1.from), \($1.until))" }, columns: 5)
  }
}
