package import Kernel
import Sharing
import Storage

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
    let grants = try await sharing.grants(for: principal, limit: 2_000)
    let now = clock.now()
    let start = now - .seconds(Self.flowDays * 86_400)
    return try await database.read { tx in
      let sums = try DeliveryCounts.sums(from: start, until: now + .seconds(1), in: tx)
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
          if grant.state == .active, isFrozen || last[grant.id]?.state == .failed { flow.failing += 1 }
          flows[[grant.provider, grant.consumer]] = flow
        }
      }
      return flows.values.sorted {
        ($0.rows, $0.deliveries, $0.provider.name) > ($1.rows, $1.deliveries, $1.provider.name)
      }
    }
  }
}
