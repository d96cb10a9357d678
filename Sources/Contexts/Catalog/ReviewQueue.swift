internal import Deadlines
internal import Kernel
internal import Storage

/// Where a page of the queue ended: what waited since then, and which.
struct QueuePlace: Hashable, Sendable {
  var at: Instant
  var id: ResourceID

  init(at: Instant, id: ResourceID) {
    self.at = at
    self.id = id
  }

  init?(_ text: String) {
    let parts = text.split(separator: "~")
    guard parts.count == 2, let at = Instant(parts[0]), let id = ResourceID(String(parts[1])) else { return nil }
    self.init(at: at, id: id)
  }

  var text: String { "\(at)~\(id)" }
}

/// What the reviewer looks through, and what of it.
struct QueueFilter: Hashable, Sendable {
  enum View: String, Sendable, CaseIterable {
    /// Waiting for a decision.
    case submitted
    /// Approved and not yet published.
    case approved
    /// Requests to take offline or bring back.
    case online
    /// Registered and not in the catalogue now.
    case offline
  }

  enum Due: String, Sendable, CaseIterable {
    case late, today, later
  }

  /// What was found when it was submitted.
  enum Found: String, Sendable, CaseIterable {
    /// Neither warning nor anything alike.
    case clean
    case warnings
    case alike
  }

  var view = View.submitted
  var provider: OrganisationID?
  /// Submitted on this day or before it.
  var waitingSince: CalendarDate?
  var due: Due?
  var found: Found?
  var after: QueuePlace?
  /// How many a page.
  var limit = pageLimit

  static let pageLimit = 50
}

/// A line of the queue with what the rules say of it now.
struct QueueEntry: Sendable {
  var line: CatalogStore.Line
  var findings: [Finding]

  var errors: Int { findings.count { $0.severity == .error } }
  var warnings: Int { findings.count { $0.severity == .warning } }
}

/// One page of the queue.
struct QueuePage: Sendable {
  var entries: [QueueEntry] = []
  var requests: [CatalogStore.OnlineRequest] = []
  var offline: [CatalogStore.OfflineLine] = []
  var next: QueuePlace?
  /// The offices that have something waiting.
  var offices: [(id: OrganisationID, name: String)] = []
}

extension CatalogStore {
  /// Versions in one state, longest waiting first. The state's part of the index is walked, never the whole catalogue.
  static func queue(_ filter: QueueFilter, today: CalendarDate, in tx: any Transaction) throws -> [Line] {
    var conditions: [SQL] = [filter.view == .approved ? "v.state = 'approved'" : "v.state = 'submitted'"]
    if let provider = filter.provider { conditions.append("v.provider = \(provider)") }
    if let day = filter.waitingSince {
      conditions.append("v.submitted_at < \(startInChina(of: CalendarDate(daysSince1970: day.daysSince1970 + 1)))")
    }
    switch filter.due {
    case .late: conditions.append("v.due_on < \(today)")
    case .today: conditions.append("v.due_on = \(today)")
    case .later: conditions.append("v.due_on > \(today)")
    case nil: break
    }
    switch filter.found {
    case .clean: conditions.append("v.warnings = 0 AND v.alike = 0")
    case .warnings: conditions.append("v.warnings > 0")
    case .alike: conditions.append("v.alike > 0")
    case nil: break
    }
    if let after = filter.after { conditions.append("(v.submitted_at, v.resource) > (\(after.at), \(after.id))") }
    return try lines(
      "\(SQL.all(conditions)) ORDER BY v.submitted_at, v.resource LIMIT \(filter.limit + 1)", in: tx)
  }

  /// The offices with something in that state, at most 300.
  static func waitingOffices(
    _ view: QueueFilter.View, in tx: any Transaction
  ) throws -> [(id: OrganisationID, name: String)] {
    // Written out, so that PostgreSQL sees that the index of these states serves; from one office to the next in it, since
    // thousands of entries may wait of a few offices.
    let state: SQL = view == .approved ? "'approved'" : "'submitted'"
    return try tx.rows(
      """
      WITH RECURSIVE waiting (provider) AS (
        SELECT MIN(provider) FROM catalog_version WHERE state = \(state)
        UNION ALL
        SELECT (SELECT MIN(v.provider) FROM catalog_version v WHERE v.state = \(state) AND v.provider > w.provider)
        FROM waiting w WHERE w.provider IS NOT NULL)
      SELECT w.provider, (SELECT MAX(v.provider_name) FROM catalog_version v
          WHERE v.state = \(state) AND v.provider = w.provider) AS name
      FROM waiting w WHERE w.provider IS NOT NULL ORDER BY name LIMIT 300
      """
    ).map { (id: try $0.id("provider"), name: try $0.text("name")) }
  }

  static func noteFindings(warnings: Int, alike: Int, of resource: Resource, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE catalog_version SET warnings = \(warnings), alike = \(alike)
      WHERE resource = \(resource.id) AND version = \(resource.version)
      """)
  }

  private static func startInChina(of day: CalendarDate) -> Instant {
    Instant(milliseconds: Int64(day.daysSince1970) * 86_400_000 - 28_800_000)
  }
}

extension Cataloguing {
  /// One page of what waits for the reviewer.
  func queue(_ principal: Principal, _ filter: QueueFilter) async throws -> QueuePage {
    try principal.require(.reviewCatalog)
    return try await db.read { tx in try queue(filter, in: tx) }
  }

  func queue(_ filter: QueueFilter, in tx: any Transaction) throws -> QueuePage {
    var page = QueuePage()
    if filter.view == .online {
      let requests = try CatalogStore.onlineRequests(after: filter.after, limit: filter.limit + 1, in: tx)
      page.requests = Array(requests.prefix(filter.limit))
      if requests.count > filter.limit {
        page.next = page.requests.last.map { QueuePlace(at: $0.at, id: $0.id) }
      }
      return page
    }
    if filter.view == .offline {
      let lines = try CatalogStore.offline(
        of: nil, after: filter.after, limit: filter.limit + 1, in: tx)
      page.offline = Array(lines.prefix(filter.limit))
      if lines.count > filter.limit { page.next = page.offline.last?.place }
      return page
    }
    let lines = try CatalogStore.queue(filter, today: clock.today, in: tx)
    let shown = lines.prefix(filter.limit)
    let versions = try CatalogStore.find(shown.map { VersionKey(resource: $0.id, version: $0.version) }, in: tx)
    let resources = Array(versions.values)
    let judged = Dictionary(
      uniqueKeysWithValues: zip(resources.map(VersionKey.init), try findings(of: resources, in: tx)))
    page.entries = shown.map { line in
      QueueEntry(line: line, findings: judged[VersionKey(resource: line.id, version: line.version)] ?? [])
    }
    if lines.count > filter.limit, let last = page.entries.last?.line, let at = last.submittedAt {
      page.next = QueuePlace(at: at, id: last.id)
    }
    page.offices = try CatalogStore.waitingOffices(filter.view, in: tx)
    return page
  }
}
