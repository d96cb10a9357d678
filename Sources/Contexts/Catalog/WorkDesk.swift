internal import Identity
internal import Inventory
internal import Kernel
internal import Storage

/// What of its own work a department looks through.
struct WorkFilter: Hashable, Sendable {
  /// The states that somebody still has to act on, and what was taken offline.
  enum View: String, Sendable, CaseIterable {
    case all, draft, returned, submitted, approved, offline

    var states: [VersionState] {
      switch self {
      case .all: [.draft, .returned, .submitted, .approved]
      case .draft: [.draft]
      case .returned: [.returned]
      case .submitted: [.submitted]
      case .approved: [.approved]
      case .offline: []
      }
    }
  }

  var view = View.all
  /// Any part of a name.
  var name = ""
  var after: QueuePlace?
  /// How many a page.
  var limit = pageLimit

  static let pageLimit = 50
}

/// A page of a department's work.
struct WorkPage: Sendable {
  /// Last changed first.
  var lines: [CatalogStore.Line] = []
  var offline: [CatalogStore.OfflineLine] = []
  var next: QueuePlace?
  /// How many versions of the department are in each state, and how many entries offline.
  var counts: [WorkFilter.View: Int] = [:]
  /// How many `submittable` answers.
  var submittable = 0
}

extension CatalogStore {
  /// An entry that was registered and is not in the catalogue now.
  struct OfflineLine: Sendable {
    var id: ResourceID
    var version: Int
    var code: String
    var name: String
    var providerName: String
    /// Since when.
    var at: Instant?
  }

  /// Versions of a provider in these states, last changed first; of each state its part of the index is walked.
  static func work(
    of provider: OrganisationID, _ filter: WorkFilter, limit: Int, in tx: any Transaction
  ) throws -> [Line] {
    var conditions: [SQL] = []
    if !filter.name.isEmpty { conditions.append(.contains("v.folded_name", foldedForSearch(filter.name))) }
    if let after = filter.after { conditions.append("(v.changed_at, v.resource) < (\(after.at), \(after.id))") }
    let found = try filter.view.states.flatMap { state in
      try lines(
        """
        \(SQL.all(["v.provider = \(provider)", "v.state = \(state.rawValue)"] + conditions))
        ORDER BY v.changed_at DESC, v.resource DESC LIMIT \(limit)
        """, in: tx)
    }
    return Array(found.sorted { ($1.changedAt, $1.id.text) < ($0.changedAt, $0.id.text) }.prefix(limit))
  }

  /// What is offline, of one provider or of all, the last taken first.
  static func offline(
    of provider: OrganisationID?, name: String = "", after: QueuePlace?, limit: Int, in tx: any Transaction
  ) throws -> [OfflineLine] {
    var conditions: [SQL] = ["r.online = 'offline'"]
    if let provider { conditions.append("r.provider = \(provider)") }
    if !name.isEmpty { conditions.append(.contains("v.folded_name", foldedForSearch(name))) }
    if let after { conditions.append("(r.online_at, r.id) < (\(after.at), \(after.id))") }
    return try tx.rows(
      """
      SELECT r.id, r.code, r.online_at, v.version, v.name, v.provider_name
      FROM catalog_resource r JOIN catalog_version v ON v.resource = r.id AND v.version = r.issued
      WHERE \(SQL.all(conditions)) ORDER BY r.online_at DESC, r.id DESC LIMIT \(limit)
      """
    ).map { row in
      OfflineLine(
        id: try row.id("id"), version: try row.int("version"), code: try row.textOrNil("code") ?? "",
        name: try row.text("name"), providerName: try row.text("provider_name"), at: try row.instantOrNil("online_at"))
    }
  }

  fileprivate static func workCounts(
    of provider: OrganisationID, in tx: any Transaction
  ) throws -> [WorkFilter.View: Int] {
    var counts: [WorkFilter.View: Int] = [:]
    for row in try tx.rows(
      """
      SELECT state, COUNT(*) AS versions FROM catalog_version
      WHERE provider = \(provider) AND state IN (\(each: WorkFilter.View.all.states.map(\.rawValue))) GROUP BY state
      """)
    {
      counts[try row.choice("state")] = try row.int("versions")
    }
    counts[.all] = counts.values.reduce(0, +)
    counts[.offline] = try tx.int(
      "SELECT COUNT(*) FROM catalog_resource WHERE online = 'offline' AND provider = \(provider)")
    return counts
  }
}

extension Cataloguing {
  /// How many versions of the principal's department are in each state, and how many of its entries are offline.
  func workCounts(_ principal: Principal) async throws -> [WorkFilter.View: Int] {
    try principal.require(.compileCatalog)
    guard let office = principal.organisation else { return [:] }
    return try await db.read { tx in try CatalogStore.workCounts(of: office, in: tx) }
  }

  /// Entries that were registered and are not in the catalogue now, the last taken first: everybody's for the operator, a
  /// department's own.
  func offline(_ principal: Principal, after: QueuePlace?, limit: Int) async throws -> [CatalogStore.OfflineLine] {
    let office = principal.may(.reviewCatalog) ? nil : principal.organisation
    guard principal.may(.reviewCatalog) || principal.may(.compileCatalog) && office != nil else {
      throw Refusal.forbidden(.compileCatalog)
    }
    return try await db.read { tx in try CatalogStore.offline(of: office, after: after, limit: limit, in: tx) }
  }

  /// A page of what the principal's department is writing, or of what it has offline.
  func work(_ principal: Principal, _ filter: WorkFilter) async throws -> WorkPage {
    try principal.require(.compileCatalog)
    guard let office = principal.organisation else { return WorkPage() }
    return try await db.read { tx in
      var page = WorkPage(counts: try CatalogStore.workCounts(of: office, in: tx))
      if filter.view == .offline {
        let found = try CatalogStore.offline(
          of: office, name: filter.name, after: filter.after, limit: filter.limit + 1, in: tx)
        page.offline = Array(found.prefix(filter.limit))
        if found.count > filter.limit { page.next = page.offline.last?.place }
      } else {
        let found = try CatalogStore.work(of: office, filter, limit: filter.limit + 1, in: tx)
        page.lines = Array(found.prefix(filter.limit))
        if page.lines.contains(where: \.state.isEditable) {
          let counted = page.counts[filter.view == .returned ? .returned : .draft] ?? 0
          page.submittable =
            filter.name.isEmpty
            ? min(counted, ReviewPick.limit) : try CatalogStore.submittable(of: office, filter, in: tx).count
        }
        if found.count > filter.limit {
          page.next = page.lines.last.map { QueuePlace(at: $0.changedAt, id: $0.id) }
        }
      }
      return page
    }
  }

  /// Submits several drafts, each in a transaction of its own; says of each what became of it. `change` is why they were
  /// written, for those that are no first versions.
  func submit(
    _ principal: Principal, _ picks: [ReviewPick], because change: VersionChange? = nil
  ) async throws -> [ReviewOutcome] {
    try principal.require(.compileCatalog)
    guard let office = principal.organisation else { throw Refusal.forbidden(.compileCatalog) }
    try ReviewPick.check(picks)
    return try await each(picks, of: office) { pick in
      try await submit(principal, pick.id, because: change, if: pick.check)
    }
  }

  /// The first drafts that fit a filter, as many as are submitted at once.
  func submittable(_ principal: Principal, _ filter: WorkFilter) async throws -> [ReviewPick] {
    try principal.require(.compileCatalog)
    guard let office = principal.organisation else { return [] }
    return try await db.read { tx in
      try CatalogStore.submittable(of: office, filter, in: tx).map { ReviewPick(id: $0.id, revision: $0.revision) }
    }
  }
}

extension CatalogStore {
  fileprivate static func submittable(
    of provider: OrganisationID, _ filter: WorkFilter, in tx: any Transaction
  ) throws -> [Line] {
    var filter = filter
    filter.after = nil
    if filter.view != .returned { filter.view = .draft }
    return try work(of: provider, filter, limit: ReviewPick.limit, in: tx)
  }
}

extension CatalogStore.OfflineLine {
  var place: QueuePlace? { at.map { QueuePlace(at: $0, id: id) } }
}
