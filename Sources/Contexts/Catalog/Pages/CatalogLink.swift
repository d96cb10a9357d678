internal import Inventory
internal import Kernel
internal import Web

/// Addresses of this context, in one place.
enum CatalogLink {
  static let search = "/catalog"
  static let work = "/catalog/work"
  static func work(_ filter: WorkFilter) -> String {
    address(
      work,
      [
        ("view", filter.view == .all ? nil : filter.view.rawValue), ("q", filter.name.isEmpty ? nil : filter.name),
        ("after", filter.after?.text),
      ])
  }
  static let new = "/catalog/new"
  static let drafts = "/catalog/drafts"
  static let classes = "/catalog/classes"
  static func classes(under code: String?) -> String { address(classes, [("under", code)]) }
  static func newClass(under code: String?) -> String { address("/catalog/classes/new", [("parent", code)]) }
  static func editClass(_ code: String) -> String { "/catalog/classes/\(code)/edit" }
  static func search(class code: String) -> String { address(search, [("class", code)]) }
  static let imports = "/catalog/import"
  static let template = "/catalog/template.xlsx"
  static func result(_ key: String) -> String { "/catalog/import/results/\(key)" }
  static func rejected(_ key: String) -> String { "/catalog/import/rejected/\(key)" }
  static let queue = "/catalog/review"
  static func resource(_ id: ResourceID, version: Int? = nil) -> String {
    "/catalog/resources/\(id)" + (version.map { "?version=\($0)" } ?? "")
  }
  static func resource(_ id: ResourceID, on day: CalendarDate) -> String { "/catalog/resources/\(id)?on=\(day)" }
  static func compare(_ id: ResourceID, from: Int? = nil, to: Int? = nil) -> String {
    address("/catalog/resources/\(id)/compare", [("from", from.map(String.init)), ("to", to.map(String.init))])
  }
  static func onlineRequest(_ id: ResourceID) -> String { "/catalog/review/\(id)/online" }
  static func queue(_ filter: QueueFilter) -> String {
    address(
      queue,
      [
        ("view", filter.view == .submitted ? nil : filter.view.rawValue), ("provider", filter.provider?.text),
        ("since", filter.waitingSince?.description), ("due", filter.due?.rawValue), ("found", filter.found?.rawValue),
        ("after", filter.after?.text),
      ])
  }
  static func edit(_ id: ResourceID) -> String { "/catalog/resources/\(id)/edit" }
  static func items(_ id: ResourceID, from: Int = 0) -> String {
    "/catalog/resources/\(id)/items" + (from > 0 ? "?from=\(from)" : "")
  }
  static func step(_ id: ResourceID, _ verb: String) -> String { "/catalog/resources/\(id)/\(verb)" }
  static func review(_ id: ResourceID) -> String { "/catalog/review/\(id)" }

  /// Inventory's page with the tables of a source.
  static func tables(_ source: DataSource) -> String { "/systems/\(source.system)/sources/\(source.id)/tables" }

  static func search(_ query: CatalogQuery) -> String {
    address(
      search,
      [
        ("q", query.text.isEmpty ? nil : query.text), ("class", query.node), ("provider", query.provider?.text),
        ("sharing", query.sharingType), ("format", query.format), ("cycle", query.cycle),
        ("mounted", query.isMounted.map { $0 ? "1" : "0" }), ("fresh", query.freshness?.rawValue),
        ("after", query.after),
      ])
  }
}

let catalogTrail: (label: Text, href: String) = (Text("数据目录", "Catalogue"), CatalogLink.search)

func stateBadge(_ t: Language, _ state: VersionState) -> HTML {
  let tone: Tone =
    switch state {
    case .draft, .superseded, .discarded: .neutral
    case .submitted, .approved: .active
    case .returned: .late
    case .published: .good
    }
  return badge(t(state.title), tone)
}

func onlineBadge(_ t: Language, _ state: OnlineState) -> HTML {
  let tone: Tone =
    switch state {
    case .notOnline: .neutral
    case .online: .good
    case .downAuditing, .upAuditing: .active
    case .downRejected: .good
    case .offline: .neutral
    case .upRejected: .late
    }
  return badge(t(state.title), tone)
}

func sharingBadge(_ t: Language, _ type: String, _ lists: CodeLists) -> HTML {
  guard !type.isEmpty else { return badge(t("未定", "not set")) }
  return badge(t(lists.sharingTypes.text(type)), type == "1" ? .good : type == "2" ? .active : .neutral)
}

/// Nothing is said of what was not measured.
func freshnessBadge(_ t: Language, _ freshness: Freshness) -> HTML {
  switch freshness {
  case .current: badge(t(freshness.title), .good)
  case .late: badge(t(freshness.title), .late)
  case .unknown: ""
  }
}

func severityBadge(_ t: Language, _ severity: Finding.Severity) -> HTML {
  badge(t(severity.title), severity == .error ? .late : severity == .warning ? .soon : .neutral)
}

/// What the rules say, each finding a link to its field on this page.
func findingsList(_ t: Language, _ findings: [Finding], link: (Finding) -> String) -> HTML {
  if findings.isEmpty {
    return
      "<p class=\"empty\">\(badge(t("通过", "Passed"), .good)) \(t("核验规则没有发现问题。", "The rules found nothing wrong."))</p>"
  }
  return """
    <ul class="findings">\(findings.sorted { $0.severity < $1.severity }, { finding in
      """
      <li>\(severityBadge(t, finding.severity)) <a href="\(link(finding))">\(t(finding.message))</a> \
      <span class="muted">\(t(finding.source))</span></li>
      """
    })</ul>
    """
}
