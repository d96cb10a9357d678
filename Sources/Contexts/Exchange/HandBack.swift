package import Kernel
package import Sharing

package typealias HandBackID = ID<HandBack>

/// Bad rows of one item and one reason, given back to their provider to be corrected in its own source (退回更正), read
/// again from there, and looked at once more: the platform never corrects what is not its own.
package struct HandBack: Hashable, Sendable {
  package enum State: String, Sendable, CaseIterable {
    /// The provider has to correct its source.
    case open
    /// The provider says it has; the rows are being read again.
    case rereading
    /// None of them was bad when they were read again; or their source is followed, and its own change brings them.
    case mended
    /// Some still are, for whatever reason.
    case stillBad = "still-bad"

    package var title: Text {
      switch self {
      case .open: Text("待提供部门更正", "To be corrected by the provider")
      case .rereading: Text("已更正，重新读取中", "Corrected, being read again")
      case .mended: Text("更正后未再发现问题", "Not found bad any more")
      case .stillBad: Text("重新读取后仍有问题", "Still bad after reading again")
      }
    }

    /// Somebody has to do something.
    package var isOpen: Bool { self == .open || self == .stillBad }
  }

  package var id: HandBackID
  /// Whose rows they are.
  package var delivery: DeliveryID
  package var grant: GrantID
  package var item: String
  package var fault: String
  package var rows: Int
  package var words: String
  package var by: String
  package var at: Instant
  package var state: State
  /// What the provider answered, and which delivery read the rows again.
  package var answer: String?
  package var answeredBy: String?
  package var answeredAt: Instant?
  package var reread: DeliveryID?
  /// How many were found bad again.
  package var stillBad: Int
}
