import Catalog
import Deadlines
import Kernel
import Web

/// Addresses of this context, in one place, and the small pieces that its pages share.
enum FeedbackLink {
  static let objections = "/feedback/objections"
  static let late = "/feedback/objections/late"
  static let saved = "/catalog/saved"
  static func objection(_ id: ObjectionID) -> String { "/feedback/objections/\(id)" }
  static func newObjection(_ resource: ResourceID) -> String { "/feedback/objections/new?resource=\(resource)" }
  static func entry(_ resource: ResourceID, _ anchor: String = "") -> String {
    "/feedback/resources/\(resource)" + (anchor.isEmpty ? "" : "#\(anchor)")
  }
  static func questions(_ resource: ResourceID) -> String { "/feedback/resources/\(resource)/questions" }
  static func rating(_ resource: ResourceID) -> String { "/feedback/resources/\(resource)/rating" }
  static func answer(_ question: QuestionID) -> String { "/feedback/questions/\(question)/answer" }
  static func saved(_ id: SavedSearchID) -> String { "/catalog/saved/\(id)" }
  static func resource(_ id: ResourceID, version: Int? = nil) -> String {
    "/catalog/resources/\(id)" + (version.map { "?version=\($0)" } ?? "")
  }
}

let catalogTrail: (label: Text, href: String) = (Text("数据目录", "Catalogue"), "/catalog")
let objectionsTrail: (label: Text, href: String) = (Text("目录异议", "Objections"), FeedbackLink.objections)
let savedTrail: (label: Text, href: String) = (Text("收藏的检索", "Saved searches"), FeedbackLink.saved)

func stateBadge(_ t: Language, _ state: ObjectionState) -> HTML {
  let tone: Tone =
    switch state {
    case .confirmed: .good
    case .conceded, .dismissed, .withdrawn: .neutral
    case .escalated: .soon
    case .raised, .supplementPending, .accepted, .refused, .corrected: .active
    }
  return badge(t(state.title), tone)
}

func due(_ t: Language, _ due: DueDate?, today: CalendarDate, explained: Bool = true) -> HTML {
  guard let due else { return "—" }
  return dueBadge(
    t, Due(due.date, isProvisional: due.provisional, explanation: explained ? due.explanation : []), today: today,
    soon: 1)
}
