import Mounting
import Supervision

extension MeasuredMounts {
  /// What the last tests of mounts found.
  static let byTests = MeasuredMounts(
    failing: { try TieStore.failingByOffice(in: $0) },
    list: { try TieStore.failing(of: $0, after: $1, limit: $2, in: $3) })
}
