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
      \(when: query.level == nil, figures(SupervisionHeadlines.figures(matrix.total, of: matrix.isWhole ? nil : matrix.rows.first?.office, t)))\(when: matrix.isWhole && !isForPrint, filter)\
      \(when: isForPrint, "<p class=\"muted small onscreen\">\(t("用浏览器的打印功能打印本页：纸张已设为 A4 横向，表头每页重复。", "Print this page with the browser: it is set for A4 landscape, and the head of the table comes on each sheet."))</p>")\
      \(sheet.table(
        caption: t("各部门的系统、目录、挂接、授权与交换", "Systems, entries, mounts, grants and deliveries by department"),
        bodies: "\(levels)\(when: matrix.isWhole, totals)"))\
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

  private var sheet: MeasureSheet {
    var sheet = MeasureSheet(
      language: t, measures: measures, first: t("单位", "Department"), last: t("最近送达", "Last delivery"))
    if matrix.isWhole, !isForPrint {
      sheet.sort = { measure in
        var sorted = printed
        sorted.sort = measure
        sorted.order = query.sort == measure && query.order == .descending ? .ascending : .descending
        return Column.Sort(
          href: SupervisionLink.matrix(sorted), descending: query.sort == measure ? query.order == .descending : nil)
      }
    }
    return sheet
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
    \(when: !row.isStanding, " \(badge(t("已撤并", "ended"), .soon))")</th>\
    \(sheet.cells(row.tally) { SupervisionLink.rows($0, of: row.office) })\
    <td data-label="\(t("最近送达", "Last delivery"))">\(row.lastDelivery.map { "<time>\($0.dateInChina)</time>" as HTML } ?? "—")</td></tr>
    """
  }

  /// A total of one level opens to nothing of its own: the rows of a list are those of a department or of all.
  private var totals: HTML {
    """
    <tbody><tr class="total"><th scope="row">\(t("合计", "Total"))</th>\
    \(sheet.cells(matrix.total) { query.level == nil ? SupervisionLink.rows($0, of: nil) : nil })<td></td></tr></tbody>
    """
  }
}
