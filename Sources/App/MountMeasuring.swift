import Mounting
import Supervision

extension MeasuredMounts {
  /// What entries are tied to, and what the last tests of mounts found.
  static let byTests = MeasuredMounts(
    failing: { try TieStore.failingByOffice(in: $0) },
    list: { try TieStore.failing(of: $0, after: $1, limit: $2, in: $3) },
    untabled: MeasuredMounts.Untabled(
      each: { try TieStore.untabled(by: $0, in: $1, $2) },
      list: { try TieStore.untabled(of: $0, after: $1, limit: $2, in: $3) },
      among: { try TieStore.untabled(among: $0, in: $1) }))
}
