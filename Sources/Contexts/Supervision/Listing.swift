import Catalog
import Exchange
import Inventory
package import Kernel
import Sharing
import Storage

/// One of the rows behind a number.
package struct CountedRow: Hashable, Sendable {
  package var office: OrganisationID
  package var officeName: String
  /// Its code or number, as people write it.
  package var number: String
  package var name: String
  /// The other department, of a grant or a delivery.
  package var counterpart: String?
  /// When it came about: registered, published, granted, arrived.
  package var on: CalendarDate?
  /// Of a delivery.
  package var rows: Int?
  /// Its page.
  package var link: String
  /// Where the next page of the list begins.
  package var place: Place

  /// A department and a place among its rows.
  package struct Place: Hashable, Sendable {
    package var office: OrganisationID
    package var key: String

    package init(office: OrganisationID, key: String) {
      self.office = office
      self.key = key
    }

    package init?(_ text: String) {
      guard text.utf8.count > 37, text.utf8.count <= 500, let office = OrganisationID(text.prefix(36)) else {
        return nil
      }
      self.office = office
      key = String(text.dropFirst(37))
    }

    package var text: String { "\(office)~\(key)" }
  }
}

/// The rows behind one number.
package struct CountedList: Sendable {
  package var measure: Measure
  /// The department; nil for all of them.
  package var office: OfficeTally?
  package var isWhole: Bool
  /// The month whose number was opened, when it is over; nil for the numbers of now.
  package var month: CalendarMonth?
  package var asOf: Instant?
  /// What the matrix says, or the trend of that month.
  package var counted: Int
  package var rows: [CountedRow]
  package var next: CountedRow.Place?
}

extension Supervision {
  /// The rows behind a number as they are now, department by department in the order of their ids. Of a `month` that is
  /// over those deliveries are listed that arrived in it; of what stood then only the number was kept, and what stands now
  /// is listed beside it. Throws `.notFound` for a measure that is not counted, or another's department.
  package func rows(
    behind measure: Measure, of office: OrganisationID?, in month: CalendarMonth? = nil,
    after place: CountedRow.Place? = nil, limit: Int, for principal: Principal
  ) async throws -> CountedList {
    guard measures.contains(measure) else { throw Refusal.notFound(Text("指标", "measure")) }
    let now = clock.now()
    let running = CalendarMonth(now.dateInChina)
    let month = month.flatMap { $0 == running ? nil : $0 }
    return try await database.read { tx in
      let (office, isWhole) = try seen(office, by: principal, in: tx)
      let then = try month.map { try TallyStore.month($0, in: tx) }
      func number(_ one: OfficeTally) -> Int { then.map { $0[one.office.text]?[measure] ?? 0 } ?? one.tally[measure] }
      // Of all departments those are opened for which the matrix shows a number.
      let offices =
        if let office {
          try TallyStore.office(office, in: tx).map { [$0] } ?? []
        } else {
          try TallyStore.offices(in: tx).filter {
            (measure.group == .deliveries ? number($0) : $0.tally[measure]) > 0
          }.sorted { $0.office < $1.office }
        }
      if office != nil, offices.isEmpty { throw Refusal.notFound(Text("单位", "organisation")) }
      var rows: [CountedRow] = []
      for one in offices where place.map({ $0.office <= one.office }) ?? true {
        let after = place.flatMap { $0.office == one.office ? $0.key : nil }
        let lister = Lister(
          office: one, now: now, month: month ?? running, unusedDays: unusedDays, measured: measured, tx: tx)
        rows += try lister.rows(measure, after: after, limit: limit + 1 - rows.count)
        if rows.count > limit { break }
      }
      let page = Array(rows.prefix(limit))
      return CountedList(
        measure: measure, office: office == nil ? nil : offices.first, isWhole: isWhole, month: month,
        asOf: try TallyStore.asOf(in: tx),
        counted: office == nil && then != nil
          ? then?[TallyStore.everyone]?[measure] ?? 0 : offices.reduce(0) { $0 + number($1) }, rows: page,
        next: rows.count > limit ? page.last?.place : nil)
    }
  }
}

/// Lists one department's rows, each context through its own functions; what lies across two of them is put together here,
/// a few hundred rows at a time.
private struct Lister {
  let office: OfficeTally
  let now: Instant
  /// Whose deliveries are meant.
  let month: CalendarMonth
  let unusedDays: Int
  let measured: MeasuredMounts?
  let tx: any Transaction

  private static let batch = 200

  func rows(_ measure: Measure, after key: String?, limit: Int) throws -> [CountedRow] {
    switch measure {
    case .systems: try systems(key, limit).map(row)
    case .systemsWithoutEntries:
      try walk(key, limit, next: systems, key: \.name) { systems in
        let held = try EntryCounts.systemsWithEntries(among: systems.map(\.id), in: tx)
        return systems.filter { !held.contains($0.id) }
      }.map(row)
    case .entries: try entries(.all)(key, limit).map(row)
    case .entriesWithoutSystem: try entries(.withoutSystem)(key, limit).map(row)
    case .entriesWithoutItems: try entries(.withoutItems)(key, limit).map(row)
    case .entriesWithoutCondition: try entries(.withoutCondition)(key, limit).map(row)
    case .entriesWithoutMount:
      try walk(key, limit, next: entries(.unmounted), key: \.place) { entries in
        let untabled = try measured?.untabled.among(entries.map(\.id), tx) ?? []
        return entries.filter { !untabled.contains($0.id) }
      }.map(row)
    case .mounts: try mounts(key, limit).map(row)
    case .mountsFailing: try failing(key, limit).map(row)
    case .mountsUnused: try walk(key, limit, next: mounts, key: \.place, keep: unused).map(row)
    case .grants: try walk(key, limit, next: grants, key: \.id.text) { $0.filter(\.isInForce) }.map(row)
    case .grantsObtained:
      try walk(key, limit, next: obtained, key: \.id.text) { $0.filter(\.isInForce) }.map {
        row($0, counterpart: $0.providerName)
      }
    case .grantsUndelivered:
      try walk(key, limit, next: grants, key: \.id.text) { grants in
        let inForce = grants.filter(\.isInForce)
        let last = try DeliveryCounts.last(among: inForce.map(\.id), in: tx)
        return inForce.filter { last[$0.id] == nil }
      }.map(row)
    case .deliveries, .rowsDelivered: try deliveries(key, limit)
    }
  }

  /// Goes through a list until so many of its rows are kept.
  private func walk<Line>(
    _ key: String?, _ limit: Int, next: (String?, Int) throws -> [Line], key keyOf: (Line) -> String,
    keep: ([Line]) throws -> [Line]
  ) throws -> [Line] {
    var (kept, key): ([Line], String?) = ([], key)
    while kept.count < limit {
      let page = try next(key, Self.batch)
      kept += try keep(page)
      guard page.count == Self.batch, let last = page.last else { break }
      key = keyOf(last)
    }
    return Array(kept.prefix(limit))
  }

  private func systems(_ key: String?, _ limit: Int) throws -> [SystemCounts.Line] {
    try SystemCounts.list(of: office.office, after: key, limit: limit, in: tx)
  }

  private func entries(_ kind: EntryCounts.Kind) -> (String?, Int) throws -> [EntryCounts.Line] {
    { key, limit in try EntryCounts.list(kind, of: office.office, after: key, limit: limit, in: tx) }
  }

  private func grants(_ key: String?, _ limit: Int) throws -> [GrantCounts.Line] {
    try GrantCounts.list(
      of: office.office, on: now.dateInChina, after: key.map(GrantID.init(trusted:)), limit: limit, in: tx)
  }

  private func obtained(_ key: String?, _ limit: Int) throws -> [GrantCounts.Line] {
    try GrantCounts.list(
      of: office.office, asConsumer: true, on: now.dateInChina, after: key.map(GrantID.init(trusted:)), limit: limit,
      in: tx)
  }

  /// Entries that name a table, and those tied to files or an API, by id.
  private func mounts(_ key: String?, _ limit: Int) throws -> [EntryCounts.Line] {
    let tabled = try entries(.mounted)(key, limit)
    guard let measured else { return tabled }
    let untabled = try walk(
      key, limit,
      next: { try measured.untabled.list(office.office, $0.map(ResourceID.init(trusted:)), $1, tx) }, key: \.text
    ) { ids in
      // Those that name a table as well are there already.
      let own = try EntryCounts.unmounted(among: ids, in: tx)
      return ids.filter { own[$0] == office.office }
    }
    return Array((tabled + (try EntryCounts.lines(of: untabled, in: tx))).sorted { $0.id < $1.id }.prefix(limit))
  }

  private func failing(_ key: String?, _ limit: Int) throws -> [EntryCounts.Line] {
    let ids = try measured?.list(office.office, key.map(ResourceID.init(trusted:)), limit, tx) ?? []
    return try EntryCounts.lines(of: ids, in: tx)
  }

  /// Those on which no grant is in force, and nothing arrived under any for so long.
  private func unused(_ entries: [EntryCounts.Line]) throws -> [EntryCounts.Line] {
    let since = now - .seconds(unusedDays * 86_400)
    var used: Set<ResourceID> = []
    var after: GrantCounts.Line?
    repeat {
      let grants = try GrantCounts.list(
        on: entries.map(\.id), on: now.dateInChina, after: after, limit: Self.batch, in: tx)
      let over = grants.filter { !$0.isInForce }.map(\.id)
      let moving = try DeliveryCounts.moving(among: over, from: since, until: now + .seconds(1), in: tx)
      used.formUnion(grants.filter { $0.isInForce || moving.contains($0.id) }.map(\.resource))
      after = grants.count == Self.batch ? grants.last : nil
    } while after != nil
    return entries.filter { !used.contains($0.id) }
  }

  /// The month's, grant by grant. A place is a grant, a moment and a delivery.
  private func deliveries(_ key: String?, _ limit: Int) throws -> [CountedRow] {
    let month = month.bounds
    let parts = key?.split(separator: "~").map(String.init) ?? []
    var begun: (grant: GrantID, after: (at: Instant, id: DeliveryID))?
    if parts.count == 3, let at = Instant(parts[1]) {
      begun = (GrantID(trusted: parts[0]), (at, DeliveryID(trusted: parts[2])))
    }
    var found: [CountedRow] = []
    func add(_ grant: GrantCounts.Line, after: (at: Instant, id: DeliveryID)?) throws {
      for line in try DeliveryCounts.list(
        of: grant.id, from: month.start, until: month.end, after: after, limit: limit - found.count, in: tx)
      { found.append(row(line, under: grant)) }
    }
    if let begun, let grant = try GrantCounts.find(begun.grant, on: now.dateInChina, in: tx),
      grant.provider == office.office
    {
      try add(grant, after: begun.after)
    }
    var last = begun?.grant.text
    while found.count < limit {
      let page = try grants(last, Self.batch)
      let moving = try DeliveryCounts.moving(among: page.map(\.id), from: month.start, until: month.end, in: tx)
      for grant in page where moving.contains(grant.id) && found.count < limit { try add(grant, after: nil) }
      guard page.count == Self.batch else { break }
      last = page.last?.id.text
    }
    return found
  }

  // MARK: - Rows

  private func row(_ system: SystemCounts.Line) -> CountedRow {
    made(
      system.number, system.name, on: system.registeredAt.dateInChina, link: "/systems/\(system.id)", key: system.name)
  }

  private func row(_ entry: EntryCounts.Line) -> CountedRow {
    made(
      entry.code, entry.name, on: entry.publishedOn, link: "/catalog/resources/\(entry.id)", key: entry.place)
  }

  private func row(_ grant: GrantCounts.Line) -> CountedRow { row(grant, counterpart: grant.consumerName) }

  private func row(_ grant: GrantCounts.Line, counterpart: String) -> CountedRow {
    var row = made(
      grant.number, grant.resourceName, on: grant.createdAt.dateInChina, link: "/grants/\(grant.id)", key: grant.id.text
    )
    row.counterpart = counterpart
    return row
  }

  private func row(_ delivery: DeliveryCounts.Line, under grant: GrantCounts.Line) -> CountedRow {
    var row = made(
      grant.number, grant.resourceName, on: delivery.finishedAt.dateInChina, link: "/deliveries/\(delivery.id)",
      key: "\(grant.id)~\(delivery.finishedAt)~\(delivery.id)")
    row.counterpart = grant.consumerName
    row.rows = delivery.rows
    return row
  }

  private func made(_ number: String, _ name: String, on day: CalendarDate?, link: String, key: String) -> CountedRow {
    CountedRow(
      office: office.office, officeName: office.name, number: number, name: name, on: day, link: link,
      place: .init(office: office.office, key: key))
  }
}
