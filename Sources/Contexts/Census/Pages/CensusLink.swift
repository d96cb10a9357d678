import Catalog
import Deadlines
import Kernel
import Web

/// Addresses of this context, in one place.
enum CensusLink {
  static let campaigns = "/census"
  static let new = "/census/new"
  static func campaign(_ id: CampaignID) -> String { "/census/campaigns/\(id)" }
  static func close(_ id: CampaignID) -> String { "/census/campaigns/\(id)/close" }
  static func totals(_ id: CampaignID, _ kind: String) -> String { "/census/campaigns/\(id)/totals.\(kind)" }
  static func lines(_ id: CampaignID, category: String? = nil, after: String? = nil) -> String {
    address("/census/campaigns/\(id)/lines", [("category", category), ("after", after)])
  }
  static func owner(
    _ id: CensusReturnID, category: String? = nil, origin: LineOrigin? = nil, after: String? = nil, from: String? = nil
  ) -> String {
    address(
      "/census/returns/\(id)",
      [("category", category), ("origin", origin?.rawValue), ("after", after), ("q", from)])
  }
  static func step(_ id: CensusReturnID, _ verb: String) -> String { "/census/returns/\(id)/\(verb)" }
  static func workbook(_ id: CensusReturnID) -> String { "/census/returns/\(id)/workbook" }
  static func file(_ id: CensusReturnID, _ kind: String) -> String { "/census/returns/\(id)/lines.\(kind)" }
  static func print(_ id: CensusReturnID) -> String { "/census/returns/\(id)/print" }
  static func imported(_ id: CensusReturnID, _ key: String) -> String {
    address("/census/returns/\(id)", [("imported", key)])
  }
  static func rejected(_ key: String) -> String { "/census/rejected/\(key)" }
}

let catalogTrail: (label: Text, href: String) = (Text("数据目录", "Catalogue"), "/catalog")
let censusTrail: (label: Text, href: String) = (Text("六项普查", "Census"), CensusLink.campaigns)

func campaignBadge(_ t: Language, _ state: CampaignState) -> HTML {
  badge(t(state.title), state == .open ? .active : state == .closed ? .good : .neutral)
}

func returnBadge(_ t: Language, _ state: ReturnState) -> HTML {
  let tone: Tone =
    switch state {
    case .preparing: .neutral
    case .filling, .submitted: .active
    case .returned: .late
    case .accepted: .good
    }
  return badge(t(state.title), tone)
}

func dueOf(_ t: Language, _ campaign: Campaign, today: CalendarDate) -> HTML {
  let due = campaign.due
  return dueBadge(
    t, Due(due.date, isProvisional: due.provisional, explanation: due.explanation), today: today, soon: 5)
}

/// Titles of the six columns.
func quantityColumns(_ t: Language) -> [Column] {
  Quantity.allCases.map { Column(t($0.short), numeric: true) }
}

/// Six cells of a table; each number leads to its rows.
func quantityCells(_ numbers: SixQuantities, href: String? = nil) -> HTML {
  Quantity.allCases.map { quantity in
    let shown = SixQuantities.shown(numbers[quantity], quantity)
    return "<td class=\"number\">\(href.map { link(shown, $0) } ?? "\(shown)")</td>" as HTML
  }.joined()
}

/// The six quantities under each other: now, in the campaign before, and the difference.
func comparison(_ t: Language, caption: String, _ now: SixQuantities, before: SixQuantities?, href: String) -> HTML {
  let rows = Quantity.allCases.map { quantity in
    let (is_, was) = (now[quantity], before?[quantity])
    return """
      <tr><td>\(t(quantity.heading))</td><td class="number">\(link(SixQuantities.shown(is_, quantity), href))</td>\
      \(when: before != nil, """
        <td class="number">\(SixQuantities.shown(was ?? 0, quantity))</td>\
        <td class="number">\(change(is_, was ?? 0, quantity))</td>
        """)</tr>
      """ as HTML
  }.joined()
  var columns = [Column(t("项目", "Quantity")), Column(t("本次", "This census"), numeric: true)]
  if before != nil {
    columns += [
      Column(t("上次", "Last census"), numeric: true), Column(t("增减", "Change"), numeric: true),
    ]
  }
  return table(caption: caption, columns: columns, rows: rows, empty: .nothing)
}

/// `+1,200（+12.0%）`
private func change(_ now: Int, _ before: Int, _ quantity: Quantity) -> HTML {
  let difference = now - before
  guard difference != 0 else { return "0" }
  let sign = difference > 0 ? "+" : ""
  guard before > 0 else { return "\(sign)\(SixQuantities.shown(difference, quantity))" }
  let tenths = Int((Double(difference) / Double(before) * 1000).rounded())
  return """
    \(sign)\(SixQuantities.shown(difference, quantity)) \
    <span class="muted">\(sign)\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)%</span>
    """
}

func categoryName(_ t: Language, _ category: String, _ classification: Classification) -> String {
  if category.isEmpty { return t("未分类", "without a class") }
  let name = classification.title(of: category)
  return name.isEmpty ? category : name
}
