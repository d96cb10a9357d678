package import Kernel

/// Whether a resource's source is as recent as its declared update cycle promises: a measured fact, like its mount.
package enum Freshness: String, CaseIterable, Sendable {
  /// The source changed within its cycle.
  case current
  /// A cycle passed without a change.
  case late
  /// Nothing was measured, or the cycle promises nothing.
  case unknown

  package var title: Text {
    switch self {
    case .current: Text("按期更新", "Updated on time")
    case .late: Text("逾期未更新", "Update overdue")
    case .unknown: Text("未知", "Unknown")
    }
  }
}
