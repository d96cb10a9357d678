package import Kernel
import Sharing
import Storage
import Synchronization

/// What moved between two departments within a time, and how it stands.
package struct Flow: Hashable, Sendable {
  package var provider: OrganisationRef
  package var consumer: OrganisationRef
  package var grants: Int
  package var deliveries: Int
  package var rows: Int
  package var running: Int
  /// Grants whose last delivery failed, or whose task is frozen.
  package var failing: Int

  /// An organisation as the picture names it.
  package struct OrganisationRef: Hashable, Sendable {
    package var id: OrganisationID
    package var name: String
  }
}

extension Exchange {
  static let flowDays = 30

  /// The flows among the grants that one sees, the largest first.
  package func flows(for principal: Principal) async throws -> [Flow] {
    try principal.require(.exchangeRead)
    let now = clock.now()
    return try await database.read { tx in
      let grants = try lines(for: principal, on: now.dateInChina, in: tx)
      let sums = try flowSums.within(.seconds(Self.flowDays * 86_400), at: now, in: tx)
      var flows: [[OrganisationID]: Flow] = [:]
      for part in stride(from: 0, to: grants.count, by: 200) {
        let some = Array(grants[part..<min(part + 200, grants.count)])
        let last = try DeliveryStore.last(of: some.map(\.id), in: tx)
        let tasks = try TaskStore.find(among: some.map(\.id), in: tx)
        for grant in some {
          var flow =
            flows[[grant.provider, grant.consumer]]
            ?? Flow(
              provider: .init(id: grant.provider, name: grant.providerName),
              consumer: .init(id: grant.consumer, name: grant.consumerName), grants: 0, deliveries: 0, rows: 0,
              running: 0, failing: 0)
          flow.grants += 1
          flow.deliveries += sums[grant.id]?.deliveries ?? 0
          flow.rows += sums[grant.id]?.rows ?? 0
          if last[grant.id]?.state == .running { flow.running += 1 }
          let isFrozen = tasks[grant.id]?.pause?.isFrozen ?? false
          if grant.isInForce, isFrozen || last[grant.id]?.state == .failed { flow.failing += 1 }
          flows[[grant.provider, grant.consumer]] = flow
        }
      }
      return flows.values.sorted {
        ($0.rows, $0.deliveries, $0.provider.name) > ($1.rows, $1.deliveries, $1.provider.name)
      }
    }
  }

  /// Some thousand of the grants that one sees, without what is in them.
  func lines(
    for principal: Principal, on day: CalendarDate, in tx: any Transaction
  ) throws -> [GrantCounts.Line] {
    if principal.may(.sharingReview) { return try GrantCounts.page(on: day, limit: 2_000, in: tx) }
    guard let office = principal.organisation else { return [] }
    return try [false, true].flatMap { try GrantCounts.list(of: office, asConsumer: $0, on: day, limit: 1_000, in: tx) }
  }
}

/// What arrived under every grant within a time, added up at most once a minute for all who look: it reads all of that time.
final class FlowSums: Sendable {
  typealias Sums = [GrantID: (deliveries: Int, rows: Int)]

  private let last = Mutex<(at: Instant, sums: Sums)?>(nil)

  func within(_ time: Duration, at now: Instant, in tx: any Transaction) throws -> Sums {
    let kept = last.withLock { $0 }
    if let kept, kept.at <= now, now - kept.at < .seconds(60) { return kept.sums }
    let sums = try DeliveryCounts.sums(from: now - time, until: now + .seconds(1), in: tx)
    last.withLock { $0 = (now, sums) }
    return sums
  }
}
