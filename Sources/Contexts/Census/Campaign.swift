package import Catalog
package import Deadlines
package import Kernel

package typealias CampaignID = ID<Campaign>
package typealias CensusReturnID = ID<CensusReturn>

/// One census: what every office's resources held on a day.
package struct Campaign: Hashable, Sendable {
  package var id: CampaignID
  package var name: String
  /// The day whose state is asked for.
  package var referenceDay: CalendarDate
  package var state: CampaignState
  package var due: DueDate
  /// The one before, from which lines are prefilled and with which totals are compared.
  package var previous: CampaignID?
  package var openedAt: Instant
  package var openedBy: String
  package var closedAt: Instant?
  package var closedBy: String?

  package static let limits = (name: 100, offices: 1000, workingDays: 250)
}

/// What one office returns in a campaign.
package struct CensusReturn: Hashable, Sendable {
  package var id: CensusReturnID
  package var campaign: CampaignID
  package var office: OrganisationID
  package var officeName: String
  package var state: ReturnState
  /// Lines in all, and those that a person has entered or confirmed.
  package var lines: Int
  package var entered: Int
  package var submittedAt: Instant?
  package var submittedBy: String?
  package var decidedAt: Instant?
  package var decidedBy: String?
  /// Why it was sent back, or what was said when it was accepted.
  package var words: String
  /// Kept as lines are saved.
  package var sums = SixQuantities.zero

  /// Whether what it owed came, or will come, after the day.
  package func isLate(due: CalendarDate, today: CalendarDate) -> Bool {
    if let submittedAt, !state.isOwing { return submittedAt.dateInChina > due }
    return state.isOwing && today > due
  }
}

/// Where a line's numbers come from.
package enum LineOrigin: String, Sendable, CaseIterable {
  /// 0 by rule: nobody has said anything.
  case blank
  /// From the last campaign.
  case carried
  /// From what the platform measured; an estimate.
  case measured
  /// A person entered or confirmed them.
  case entered

  package var title: Text {
    switch self {
    case .blank: Text("未填（按规则计 0）", "not filled in (0 by rule)")
    case .carried: Text("沿用上次", "from the last census")
    case .measured: Text("平台估计", "the platform's estimate")
    case .entered: Text("已填", "filled in")
    }
  }
}

/// The six quantities of one resource in one campaign.
package struct CensusLine: Hashable, Sendable {
  package var campaign: CampaignID
  package var owner: CensusReturnID
  package var officeName: String
  package var resource: ResourceID
  package var code: String
  package var name: String
  /// 类 and 项 of its primary class: `307`.
  package var category: String
  package var numbers: SixQuantities
  package var origin: LineOrigin
  /// What the platform knows of itself, marked as such and never taken for the office's word.
  package var measured: Measured
  /// Grows with each change; a form made from an older one is refused.
  package var revision: Int
  package var changedBy: String?
  package var changedAt: Instant?

  /// The first three digits: the level at which the classification has a few dozen nodes.
  static func category(of classes: [String]) -> String { String((classes.first ?? "").prefix(3)) }
}

/// What the platform can tell of a resource without asking anybody.
package struct Measured: Hashable, Sendable {
  /// Rows of the mounted table, by its database's own estimate.
  package var records: Int?
  /// The most rows that one delivery under a grant carried.
  package var sharedRecords: Int?

  package init(records: Int? = nil, sharedRecords: Int? = nil) {
    self.records = records
    self.sharedRecords = sharedRecords
  }

  var isNothing: Bool { records == nil && sharedRecords == nil }

  /// As a first guess for a line: a part is never larger than the whole.
  var numbers: SixQuantities {
    var numbers = SixQuantities.zero
    let total = max(records ?? 0, sharedRecords ?? 0)
    numbers[.records] = min(max(0, total), SixQuantities.most)
    numbers[.sharedRecords] = min(max(0, sharedRecords ?? 0), numbers[.records])
    return numbers
  }
}

/// Sums with the number of lines behind them.
package struct CensusSum: Hashable, Sendable {
  package var lines: Int
  package var entered: Int
  package var numbers: SixQuantities

  package static let nothing = CensusSum(lines: 0, entered: 0, numbers: .zero)
}
