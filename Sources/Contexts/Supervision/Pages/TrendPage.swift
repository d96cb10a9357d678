import Kernel
import Web

/// How the numbers went, month by month: pictures first, the numbers below.
struct TrendPage {
  let request: Request
  let office: OfficeTally?
  let isWhole: Bool
  /// Every month from the first to the last that was counted; nil where nobody counted.
  let months: [(month: CalendarMonth, tally: Tally?)]
  let measures: [Measure]

  init(
    _ request: Request, office: OfficeTally?, isWhole: Bool, months: [(CalendarMonth, Tally)], measures: [Measure]
  ) {
    self.request = request
    self.office = office
    self.isWhole = isWhole
    self.measures = measures
    var (all, next): ([(month: CalendarMonth, tally: Tally?)], CalendarMonth?) = ([], nil)
    for (month, tally) in months {
      while let gap = next, gap < month {
        all.append((gap, nil))
        next = gap.next
      }
      all.append((month, tally))
      next = month.next
    }
    self.months = all
  }

  private var t: Language { request.language }

  var page: Page {
    let name = office?.name ?? t("全部单位", "All departments")
    return Page(
      Text("按月趋势", "Trend by month"), section: .supervision,
      trail: [(Text("共享监督", "Supervision"), SupervisionLink.matrix)],
      body: """
        <div class="landscape">\(heading(t("按月趋势", "Trend by month") + " · " + name, actions: actions))\
        <p class="printed">\(request.principal?.organisationName ?? "") · \(t("打印于", "Printed on")) \(request.now.minuteInChina)</p>\
        \(months.isEmpty ? beginning : body)</div>
        """)
  }

  private var actions: HTML {
    "\(when: office != nil && isWhole, buttonLink(t("全部单位", "All departments"), href: SupervisionLink.trend()))"
  }

  private var beginning: HTML {
    emptyState(
      t("还没有按月的数字。每月的数字从平台开始统计那天起积累。", "There are no months yet: they gather from the day that counting began."),
      action: buttonLink(t("回到总表", "Back to the matrix"), href: SupervisionLink.matrix))
  }

  private var body: HTML {
    """
    <p class="lead">\(t(
      "每月留下月末的数字，本月随时更新；最多列出 \(Supervision.monthsShown) 个月。", "Each month keeps its last numbers, the running one goes on; \(Supervision.monthsShown) months at most."))</p>\
    \(months.count < 2
      ? note(.neutral, "\(t("从第二个月起，这里会画出变化。", "From the second month on, the changes are drawn here."))") : charts)\
    \(numbers)
    """
  }

  private var charts: HTML {
    """
    <div class="charts">\(chart(
      "stock", t("从系统到授权", "From systems to grants"),
      [(.systems, .neutral), (.entries, .active), (.mounts, .good), (.grants, .soon)]))\
    \(chart(
      "lacks", t("待补的缺口", "What is lacking"),
      [(.systemsWithoutEntries, .late), (.entriesWithoutMount, .active), (.mountsUnused, .soon), (.grantsUndelivered, .neutral)]))\
    \(chart("deliveries", t("每月送达的交换", "Deliveries a month"), [(.deliveries, .active)]))</div>
    """
  }

  private func chart(_ id: String, _ title: String, _ lines: [(Measure, Tone)]) -> HTML {
    let summary = lines.map { measure, _ in
      let known = months.compactMap { $0.tally?[measure] }
      return "\(t(measure.title)): \(grouped(known.first ?? 0)) → \(grouped(known.last ?? 0))"
    }.joined(separator: t("；", "; "))
    return lineChart(
      title: title, summary: "\(months[0].month) – \(months[months.count - 1].month). " + summary, id: id,
      points: months.map { $0.month.description },
      lines.map { measure, tone in ChartLine(t(measure.title), months.map { $0.tally?[measure] }, tone: tone) })
  }

  private var numbers: HTML {
    let sheet = MeasureSheet(language: t, measures: measures, first: t("月份", "Month"))
    return sheet.table(
      caption: t("各月的数字", "The numbers of each month"),
      bodies: """
        <tbody>\(months.reversed(), { entry in
          """
          <tr><th scope="row" class="month">\(entry.month.description)</th>\(entry.tally.map {
            sheet.cells($0) { SupervisionLink.rows($0, of: office?.office, in: entry.month) }
          } ?? "<td colspan=\"\(measures.count)\">\(t("这个月没有统计", "Nobody counted in this month"))</td>")</tr>
          """
        })</tbody>
        """)
  }
}
