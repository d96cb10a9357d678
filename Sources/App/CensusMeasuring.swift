import Census
import Exchange
import Mounting
import Sharing

extension Census.Measuring {
  /// What the platform knows without asking a department's database now: the rows that the last test of a mounted table
  /// found estimated, and the most rows that one delivery carried under a grant on the resource.
  static let platform = Census.Measuring { resources, tx in
    var known = try TieStore.estimatedRows(of: resources, in: tx).mapValues { Measured(records: $0) }
    let grants = try GrantStore.all(on: resources, in: tx)
    let most = try DeliveryStore.mostDelivered(under: grants.map(\.grant), in: tx)
    for one in grants {
      guard let rows = most[one.grant] else { continue }
      known[one.resource, default: Measured()].sharedRecords = max(rows, known[one.resource]?.sharedRecords ?? 0)
    }
    return known
  }
}
