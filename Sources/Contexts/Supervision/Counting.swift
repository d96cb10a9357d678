import Catalog
import Exchange
import Identity
import Inventory
import Kernel
import Sharing
import Storage

/// Counts everything anew, each context through its own functions, on one stable view. Walks whole indexes: for a job.
struct Counting {
  let now: Instant
  let unusedSince: Instant
  let measured: MeasuredMounts?

  private(set) var tallies: [OrganisationID: Tally] = [:]
  private(set) var lastDelivery: [OrganisationID: Instant] = [:]
  /// Who gives each grant there ever was.
  private var providers: [GrantID: OrganisationID] = [:]

  private static let batch = 500

  init(at now: Instant, unusedDays: Int, measured: MeasuredMounts?) {
    self.now = now
    self.measured = measured
    unusedSince = now - .seconds(unusedDays * 86_400)
  }

  mutating func count(in tx: any Transaction) throws {
    try countSystems(in: tx)
    try countEntries(in: tx)
    try countGrants(in: tx)
    for (office, sum) in try deliveries(of: CalendarMonth(now.dateInChina), in: tx) {
      tallies[office, default: Tally()][.deliveries] = sum.deliveries
      tallies[office, default: Tally()][.rowsDelivered] = sum.rows
    }
  }

  /// What arrived in a month, by the department that gives. Asked for after `count`, which learns whose the grants are.
  func deliveries(
    of month: CalendarMonth, in tx: any Transaction
  ) throws -> [OrganisationID: (deliveries: Int, rows: Int)] {
    var sums: [OrganisationID: (deliveries: Int, rows: Int)] = [:]
    for (grant, sum) in try DeliveryCounts.sums(from: month.bounds.start, until: month.bounds.end, in: tx) {
      guard let office = providers[grant] else { continue }
      sums[office, default: (0, 0)].deliveries += sum.deliveries
      sums[office, default: (0, 0)].rows += sum.rows
    }
    return sums
  }

  private mutating func countSystems(in tx: any Transaction) throws {
    var page = try SystemCounts.page(limit: Self.batch, in: tx)
    while let last = page.last {
      let held = try EntryCounts.systemsWithEntries(among: page.map(\.id), in: tx)
      for (id, owner) in page {
        tallies[owner, default: Tally()][.systems] += 1
        if !held.contains(id) { tallies[owner, default: Tally()][.systemsWithoutEntries] += 1 }
      }
      page = try SystemCounts.page(after: last.id, limit: Self.batch, in: tx)
    }
  }

  private mutating func countEntries(in tx: any Transaction) throws {
    for (office, counts) in try EntryCounts.byProvider(in: tx) {
      var tally = tallies[office, default: Tally()]
      for (kind, count) in counts { tally[Self.measure(of: kind)] = count }
      tallies[office] = tally
    }
    var sums = tallies
    try measured?.untabled.each(Self.batch, tx) { ids in
      for (_, office) in try EntryCounts.unmounted(among: ids, in: tx) {
        sums[office]?[.entriesWithoutMount] -= 1
        sums[office]?[.mounts] += 1
      }
    }
    tallies = sums.mapValues { sum in
      var sum = sum
      sum[.mountsUnused] = sum[.mounts]
      return sum
    }
    for (office, count) in try measured?.failing(tx) ?? [:] {
      tallies[office, default: Tally()][.mountsFailing] = count
    }
  }

  private mutating func countGrants(in tx: any Transaction) throws {
    var used: Set<ResourceID> = []
    var page = try GrantCounts.page(on: now.dateInChina, limit: Self.batch, in: tx)
    while let end = page.last {
      let last = try DeliveryCounts.last(among: page.map(\.id), in: tx)
      for grant in page {
        providers[grant.id] = grant.provider
        if let at = last[grant.id], at > lastDelivery[grant.provider] ?? at - .seconds(1) {
          lastDelivery[grant.provider] = at
        }
        if grant.isInForce || last[grant.id].map({ $0 >= unusedSince }) == true { used.insert(grant.resource) }
        guard grant.isInForce else { continue }
        tallies[grant.provider, default: Tally()][.grants] += 1
        tallies[grant.consumer, default: Tally()][.grantsObtained] += 1
        if last[grant.id] == nil { tallies[grant.provider, default: Tally()][.grantsUndelivered] += 1 }
      }
      page = try GrantCounts.page(on: now.dateInChina, after: end.id, limit: Self.batch, in: tx)
    }
    let resources = Array(used)
    for start in stride(from: 0, to: resources.count, by: Self.batch) {
      let some = Array(resources[start..<min(start + Self.batch, resources.count)])
      for (_, office) in try EntryCounts.mounted(among: some, in: tx) { tallies[office]?[.mountsUnused] -= 1 }
      let untabled = Array(try measured?.untabled.among(some, tx) ?? [])
      for (_, office) in try EntryCounts.unmounted(among: untabled, in: tx) { tallies[office]?[.mountsUnused] -= 1 }
    }
  }

  private static func measure(of kind: EntryCounts.Kind) -> Measure {
    switch kind {
    case .all: .entries
    case .mounted: .mounts
    case .unmounted: .entriesWithoutMount
    case .withoutItems: .entriesWithoutItems
    case .withoutSystem: .entriesWithoutSystem
    case .withoutCondition: .entriesWithoutCondition
    }
  }
}
