package import Kernel
internal import Storage

/// One thing that followers of the catalogue are told.
package struct CatalogChange: Hashable, Sendable {
  package enum Event: String, Sendable, CaseIterable {
    /// A version was approved; its code is known from the first time on. Told to its department and the reviewers only.
    case registered
    /// A version came in force, the first or a later one: `version` says which, and those before it are superseded.
    case published
    /// The resource is no longer offered, until `published` is told of it again. Its code stays its own.
    case withdrawn
  }

  /// From 1, growing in the order in which changes came to hold, without holes.
  package var seq: Int
  package var event: Event
  package var resource: ResourceID
  package var version: Int
  package var code: String
  package var provider: OrganisationID
  package var at: Instant
}

extension Cataloguing {
  /// A page of the feed, and the number to go on from.
  package struct Changes: Sendable {
    package var changes: [CatalogChange]
    /// The number of the last one; what was asked for when there is none.
    package var last: Int
    /// Whether there is more behind it now.
    package var hasMore: Bool
  }

  package static let mostChanges = 1000

  /// What happened after the change numbered `after`, at most `limit` of it (up to 1,000), oldest first. Nought is the
  /// beginning. A follower that keeps `last` misses nothing, however many write at once: a number can only be seen when
  /// all below it can. Numbers of what the principal may not see are passed over.
  ///
  /// Refused with `catalog.changes.ahead` when this node never told `after`: it was put back to an older state, and the
  /// follower has to begin anew.
  package func changes(_ principal: Principal, after: Int, limit: Int = 100) async throws -> Changes {
    try principal.require(.readCatalog)
    let most = min(max(limit, 1), Self.mostChanges)
    return try await db.read { tx in
      let told = try ChangeFeed.last(in: tx)
      guard after <= told else {
        throw Refusal(
          .conflict, "catalog.changes.ahead",
          Text(
            "变更序号 \(after) 大于本节点的最后序号 \(told)：节点可能已从备份恢复，请从 0 重新同步。",
            "Change \(after) is past this node's last, \(told): it may have been restored from a backup; begin anew at 0."
          ))
      }
      let all = principal.may(.reviewCatalog)
      let own = principal.may(.compileCatalog) ? principal.organisation : nil
      var found = try ChangeFeed.page(after: after, limit: most + 1, all: all, own: own, in: tx)
      let hasMore = found.count > most
      if hasMore { found.removeLast() }
      return Changes(changes: found, last: found.last?.seq ?? after, hasMore: hasMore)
    }
  }
}

/// The only SQL of the feed.
enum ChangeFeed {
  private static let series = "change"

  /// Tells followers of what they must know; other events are the department's own business. Last in its transaction:
  /// from here to its end the counter's row is locked, which keeps numbers in the order in which they become visible.
  static func tell(_ event: VersionEvent, of resource: Resource, at now: Instant, in tx: any Transaction) throws {
    let told: CatalogChange.Event? =
      switch event {
      case .approve: .registered
      case .publish where resource.online.isOnline: .published
      default: nil
      }
    if let told { try tell(told, of: resource, at: now, in: tx) }
  }

  /// Tells that a resource went offline or came back.
  static func tellOnline(of resource: Resource, at now: Instant, in tx: any Transaction) throws {
    try tell(resource.online.isOnline ? .published : .withdrawn, of: resource, at: now, in: tx)
  }

  private static func tell(
    _ told: CatalogChange.Event, of resource: Resource, at now: Instant, in tx: any Transaction
  ) throws {
    guard let code = resource.code else { return }
    try tx.run(
      """
      INSERT INTO catalog_change (seq, resource, version, code, provider, event, at)
      VALUES (\(try CatalogStore.next(series, in: tx)), \(resource.id), \(resource.version), \(code.description),
        \(resource.provider), \(told), \(now))
      """)
  }

  /// The greatest number told so far; nought before the first.
  static func last(in tx: any Transaction) throws -> Int {
    try tx.int("SELECT last FROM catalog_sequence WHERE name = \(series)") ?? 0
  }

  /// `own` is the office whose registrations are seen as well; `all` sees everybody's.
  static func page(
    after: Int, limit: Int, all: Bool, own: OrganisationID?, in tx: any Transaction
  ) throws -> [CatalogChange] {
    let visible: SQL =
      all ? "TRUE" : "(event <> \(CatalogChange.Event.registered) OR provider = \(own?.text ?? ""))"
    return try tx.rows(
      "SELECT * FROM catalog_change WHERE seq > \(after) AND \(visible) ORDER BY seq LIMIT \(limit)"
    ).map { row in
      CatalogChange(
        seq: try row.int("seq"), event: try row.choice("event"), resource: try row.id("resource"),
        version: try row.int("version"), code: try row.text("code"), provider: try row.id("provider"),
        at: try row.instant("at"))
    }
  }
}
