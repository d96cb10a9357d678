import Census
import Exchange
import Sharing

extension Census.Measuring {
  /// What deliveries say of how much is shared: the most rows that one of them carried under a grant on the resource.
  static let deliveries = Census.Measuring { resources, tx in
    let grants = try GrantStore.all(on: resources, in: tx)
    let most = try DeliveryStore.mostDelivered(under: grants.map(\.grant), in: tx)
    return grants.reduce(into: [:]) { known, one in
      guard let rows = most[one.grant] else { return }
      known[one.resource] = Measured(sharedRecords: max(rows, known[one.resource]?.sharedRecords ?? 0))
    }
  }
}
