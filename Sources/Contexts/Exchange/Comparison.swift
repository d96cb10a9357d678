package import Kernel
package import Sharing
import Transfer

package typealias ComparisonID = ID<Comparison>

/// What both sides of a grant hold, read back and compared row by row (对账): finds what no receipt can, such as rows that
/// were deleted or changed behind the platform's back, or that the source committed too late for its cursor.
package struct Comparison: Hashable, Sendable {
  package enum State: String, Sendable, CaseIterable {
    case queued, running
    case agrees, differs
    /// Nothing is known: a side could not be read, or nobody may any more.
    case failed

    package var title: Text {
      switch self {
      case .queued: Text("排队中", "Queued")
      case .running: Text("比对中", "Comparing")
      case .agrees: Text("两端一致", "Both sides agree")
      case .differs: Text("两端不一致", "The sides differ")
      case .failed: Text("未能比对", "Could not be compared")
      }
    }

    package var isOpen: Bool { self == .queued || self == .running }
  }

  package struct Counts: Hashable, Sendable {
    /// Good rows that the source would deliver, and rows that the target holds up to date.
    package var source = 0
    package var target = 0
    /// Rows of the source that the rules refuse, and older versions that the target keeps of such.
    package var bad = 0
    package var stale = 0
    package var missing = 0
    package var extra = 0
    package var different = 0
  }

  /// Neighbours in the order of their keys, with the key's values as delivered.
  package struct Range: Hashable, Sendable {
    package var first: [String]
    package var last: [String]
    package var missing: Int
    package var extra: Int
    package var different: Int
  }

  package var id: ComparisonID
  package var grant: GrantID
  package var state: State
  /// A person's name, or the platform's.
  package var askedBy: String
  package var createdAt: Instant
  package var startedAt: Instant?
  package var finishedAt: Instant?
  /// Why it waits or failed.
  package var reason: Text?
  package var counts = Counts()
  /// False: there are more differences than are told one by one.
  package var isComplete = true
  /// The delivery that was asked for to mend what differs.
  package var repair: DeliveryID?
}

/// How often a grant's sides are compared by themselves.
package enum ComparisonRhythm: String, Sendable, CaseIterable {
  case weekly, monthly, never

  package var title: Text {
    switch self {
    case .weekly: Text("每周", "Weekly")
    case .monthly: Text("每月", "Monthly")
    case .never: Text("只由人员发起", "By a person only")
    }
  }

  var every: Duration? {
    switch self {
    case .weekly: .seconds(7 * 86_400)
    case .monthly: .seconds(30 * 86_400)
    case .never: nil
    }
  }
}
