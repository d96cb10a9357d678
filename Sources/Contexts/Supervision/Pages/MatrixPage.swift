import Kernel
import Web

/// Systems, entries, mounts, grants and deliveries by department, each number a link to its rows.
struct MatrixPage {
  let request: Request
  let matrix: Matrix
  let query: MatrixQuery
  let measures: [Measure]
  /// All departments on one sheet, to be printed.
  let isForPrint: Bool

  private var t: Language { request.language }
  private var groups: [(group: Measure.Group, measures: [Measure])] {
    Measure.Group.allCases.map { group in (group, measures.filter { $0.group == group }) }
  }

  var page: Page {
    Page(
      Text("共享监督", "Supervision"), section: .supervision,
      body: """
        <div class="landscape">\(heading(t("系统、目录、挂接、授权与交换", "From systems to deliveries"), state: asOf, actions: actions))\
        <p class="lead">\(lead)</p>\(printedHead)\
        \(matrix.asOf == nil ? beginning : body)</div>
        """)
  }

  private var lead: String {
    matrix.isWhole
      ? t(
        "逐个部门看：哪些系统没有编目，哪些目录没有挂接，哪些挂接没有使用。每个数字都可以点开，看到它所数的那些行。",
        "By department: who has systems without entries, entries without mounts, mounts without use. Every number opens to the rows that it counts."
      )
      : t(
        "本部门的系统、目录、挂接、授权与交换。每个数字都可以点开，看到它所数的那些行。",
        "Your department's systems, entries, mounts, grants and deliveries. Every number opens to the rows that it counts."
      )
  }

  private var asOf: HTML {
    guard let asOf = matrix.asOf else { return .nothing }
    return "<span class=\"muted small\">\(t("统计于", "Counted at")) \(time(asOf))</span>"
  }

  private var actions: HTML {
    """
    \(buttonLink(t("按月趋势", "Trend by month"), href: SupervisionLink.trend()))\
    \(when: matrix.isWhole && !isForPrint, buttonLink(t("打印版", "To print"), href: SupervisionLink.matrix(printed, isForPrint: true)))
    """
  }

  private var printed: MatrixQuery {
    var query = query
    query.after = nil
    return query
  }

  /// On paper: who printed what, and when.
  private var printedHead: HTML {
    "<p class=\"printed\">\(request.principal?.organisationName ?? "") · \(t("打印于", "Printed on")) \(request.now.minuteInChina)</p>"
  }

  private var beginning: HTML {
    emptyState(
      t(
        "还没有统计。数字由后台每五分钟数一次；网站刚启动时请稍候，再刷新本页。",
        "Nothing is counted yet. The numbers are counted every five minutes in the background; the site has just started: wait a little and reload."
      ))
  }

  private var body: HTML {
    if matrix.rows.isEmpty, query.after == nil {
      return """
        \(filter)\(emptyState(
          t("没有哪个部门登记了系统或发布了目录。先请部门登记信息系统，再编制目录。", "No department has registered a system or published an entry. Systems come first, entries after them."),
          action: buttonLink(t("信息系统", "Systems"), href: "/systems", .primary)))
        """
    }
    return """
      \(when: query.level == nil, figures(SupervisionHeadlines.figures(matrix, t)))\(when: matrix.isWhole, filter)\(sheet)\
      \(pager(t, previous: nil, next: next, summary: t("共 \(grouped(matrix.count)) 个单位", plural(matrix.count, "department"))))
      """
  }

  private var filter: HTML {
    func choice(_ label: String, _ change: (inout MatrixQuery) -> Void, _ chosen: Bool) -> HTML {
      var other = printed
      change(&other)
      return "<a href=\"\(SupervisionLink.matrix(other))\"\(when: chosen, " aria-current=\"true\"")>\(label)</a>"
    }
    let levels: [Division.Level] = [.province, .prefecture, .county]
    return """
      <nav class="filters" aria-label="\(t("筛选单位", "Which departments"))">\
      \(choice(t("各级", "All levels"), { $0.level = nil }, query.level == nil))\
      \(levels, { level in choice(t(level.name), { $0.level = level }, query.level == level) })\
      \(choice(t("含没有数据的单位", "With empty ones"), { $0.withEmpty.toggle() }, query.withEmpty))</nav>
      """
  }

  private var next: String? {
    matrix.next.map { last in
      var query = query
      query.after = last
      return SupervisionLink.matrix(query)
    }
  }

  // MARK: - The sheet

  private var sheet: HTML {
    let caption = t("各部门的系统、目录、挂接、授权与交换", "Systems, entries, mounts, grants and deliveries by department")
    return """
      <div class="scroll matrix" tabindex="0" role="region" aria-label="\(caption)"><table><caption>\(caption)</caption>\
      <thead>\(head)</thead>\(levels)\(when: matrix.isWhole, totals)</table></div>
      """
  }

  private var head: HTML {
    """
    <tr><th scope="col" rowspan="2">\(t("单位", "Department"))</th>\(groups, { entry in
      "<th scope=\"colgroup\" class=\"group\" colspan=\"\(entry.measures.count)\">\(t(entry.group.title))</th>"
    })<th scope="col" rowspan="2">\(t("最近送达", "Last delivery"))</th></tr>\
    <tr>\(groups, { entry in entry.measures.enumerated().map { column($0.element, isFirst: $0.offset == 0) }.joined() })</tr>
    """
  }

  private func column(_ measure: Measure, isFirst: Bool) -> HTML {
    let state: HTML =
      query.sort == measure
      ? " aria-sort=\"\(query.order == .descending ? "descending" : "ascending")\"" : .nothing
    let title: HTML = """
      <span class="unseen">\(t(measure.group.title)) </span>\(t(measure.shortTitle))
      """
    let place: HTML = "\(when: isFirst, " first")\(when: measure.isLack, " lack")"
    guard matrix.isWhole, !isForPrint else {
      return "<th scope=\"col\" class=\"number\(place)\" title=\"\(t(measure.title))\">\(title)</th>"
    }
    var sorted = printed
    sorted.sort = measure
    sorted.order = query.sort == measure && query.order == .descending ? .ascending : .descending
    let arrow = query.sort == measure ? (query.order == .descending ? "↓" : "↑") : ""
    return """
      <th scope="col" class="number\(place)"\(state) title="\(t(measure.title))">\
      <a class="sort" href="\(SupervisionLink.matrix(sorted))">\(title)<span aria-hidden="true">\(arrow)</span></a></th>
      """
  }

  /// One body of the table for each level of government.
  private var levels: HTML {
    Division.Level.allCases.map { level in
      let rows = matrix.rows.filter { $0.level == level }
      if rows.isEmpty { return .nothing }
      return """
        <tbody>\(when: matrix.isWhole, """
          <tr class="level"><th scope="rowgroup" colspan="\(measures.count + 2)">\(t(level.name))</th></tr>
          """)\(rows, row)</tbody>
        """
    }.joined()
  }

  private func row(_ row: OfficeTally) -> HTML {
    """
    <tr><th scope="row"><a href="\(SupervisionLink.trend(of: row.office))">\(row.name)</a>\
    \(when: !row.isStanding, " \(badge(t("已撤并", "ended"), .soon))")</th>\(cells(row.tally, of: row.office))\
    <td data-label="\(t("最近送达", "Last delivery"))">\(row.lastDelivery.map { "\($0.dateInChina)" as HTML } ?? "—")</td></tr>
    """
  }

  private var totals: HTML {
    """
    <tbody><tr class="total"><th scope="row">\(t("合计", "Total"))</th>\
    \(cells(matrix.total, of: nil, isLinked: query.level == nil))<td></td></tr></tbody>
    """
  }

  /// A total of one level opens to nothing of its own: the rows of a list are those of a department or of all.
  private func cells(_ tally: Tally, of office: OrganisationID?, isLinked: Bool = true) -> HTML {
    groups.map { entry in
      entry.measures.enumerated().map { place, measure in
        let number = tally[measure]
        let tone: HTML = "\(when: place == 0, " first")\(when: measure.isLack && number > 0, " lacking")"
        let shown: HTML =
          number > 0 && isLinked
          ? link(grouped(number), SupervisionLink.rows(measure, of: office)) : "\(grouped(number))"
        return """
          <td class="number\(tone)" data-label="\(t(entry.group.title)) · \(t(measure.shortTitle))">\(shown)</td>
          """
      }.joined()
    }.joined()
  }
}
