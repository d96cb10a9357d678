import Kernel
import Web

/// The rows behind one number of the matrix.
enum CountedRowsPage {
  static func page(_ request: Request, _ list: CountedList, definition: Text, after: CountedRow.Place?) -> Page {
    let t = request.language
    let measure = list.measure
    let isOne = list.office != nil
    let hasCounterpart = measure.group == .grants || measure.group == .deliveries
    let hasRows = measure.group == .deliveries
    var columns = [Column(t("名称", "Name")), Column(t("编号", "Number"))]
    if !isOne { columns.append(Column(t("单位", "Department"))) }
    if hasCounterpart {
      columns.append(
        Column(measure == .grantsObtained ? t("提供方", "Provider") : t("使用方", "Consumer")))
    }
    columns.append(Column(t(day(of: measure))))
    if hasRows { columns.append(Column(t("行数", "Rows"), numeric: true)) }
    let rows = list.rows.map { row -> HTML in
      """
      <tr><td>\(link(row.name, row.link))</td><td class="code">\(row.number)</td>\
      \(when: !isOne, "<td>\(row.officeName)</td>")\(when: hasCounterpart, "<td>\(row.counterpart ?? "")</td>")\
      <td>\(row.on.map { time($0) } ?? "—")</td>\(when: hasRows, numberCell(row.rows ?? 0))</tr>
      """
    }.joined()
    let title = list.month.map { measure.title(of: $0) } ?? measure.title
    let happened = list.month != nil && measure.group == .deliveries
    return Page(
      title, section: .supervision, trail: [(Text("共享监督", "Supervision"), SupervisionLink.matrix)],
      body: """
        \(heading(t(title), actions: actions(t, list)))\
        <p class="lead">\(list.office?.name ?? t("全部单位", "All departments"))\(when: !happened, " · \(t(definition))")</p>\
        <p class="muted small">\(counted(t, list))</p>\
        \(table(caption: t(title), columns: columns, rows: rows, empty: empty(t, list)))\
        \(pager(
          t, previous: after == nil ? nil : SupervisionLink.rows(measure, of: list.office?.office, in: list.month),
          next: list.next.map { SupervisionLink.rows(measure, of: list.office?.office, in: list.month, after: $0) }))
        """)
  }

  private static func counted(_ t: Language, _ list: CountedList) -> HTML {
    guard let asOf = list.asOf else { return .nothing }
    if let month = list.month {
      let what =
        list.measure.group == .deliveries
        ? t("；下面是当月送达的各次交换。", ". Below are the deliveries that arrived in it.")
        : t(
          "。往月只留数字，下面列出的是现在的行，可能与当月不同。",
          ". Of months that are over the number alone is kept: below are the rows as they are now, which may differ.")
      return "\(t("\(month) 月末的数为", "At the end of \(month)")) <strong>\(grouped(list.counted))</strong>\(what)"
    }
    return """
      \(t("统计于", "Counted at")) \(time(asOf))\(t("，数为", ": ")) <strong>\(grouped(list.counted))</strong>\
      \(t("；下面是现在的行，此后的变化已在其中。", ". Below are the rows as they are now, with what has changed since."))
      """
  }

  private static func actions(_ t: Language, _ list: CountedList) -> HTML {
    let office = list.office?.office
    return """
      \(when: !list.rows.isEmpty, buttonLink(
        t("下载 CSV", "Download CSV"), href: SupervisionLink.rows(list.measure, of: office, in: list.month, asCSV: true)))\
      \(buttonLink(t("按月趋势", "Trend by month"), href: SupervisionLink.trend(of: office)))
      """
  }

  private static func empty(_ t: Language, _ list: CountedList) -> HTML {
    emptyState(
      list.measure.isLack
        ? t("没有这样的情况。", "There is nothing of the kind.")
        : t(
          "还没有。部门登记系统、发布目录、给出授权之后，这里会列出。", "None yet: systems, entries and grants come here as departments make them."),
      action: buttonLink(t("回到总表", "Back to the matrix"), href: SupervisionLink.matrix))
  }

  private static func day(of measure: Measure) -> Text {
    switch measure.group {
    case .systems: Text("登记日期", "Registered")
    case .entries, .mounts: Text("发布日期", "Published")
    case .grants: Text("授权日期", "Granted")
    case .deliveries: Text("送达日期", "Arrived")
    }
  }

  /// The same rows for spreadsheets: UTF-8 with its mark, and nothing that would run as a formula.
  static func csv(_ language: Language, _ rows: [CountedRow]) -> [UInt8] {
    let t = language
    let head = [
      t("单位", "Department"), t("编号", "Number"), t("名称", "Name"), t("对方单位", "Other department"), t("日期", "Date"),
      t("行数", "Rows"),
    ]
    let lines =
      [head]
      + rows.map { row in
        [
          row.officeName, row.number, row.name, row.counterpart ?? "", row.on?.description ?? "",
          row.rows.map(String.init) ?? "",
        ].map(CSV.guarded)
      }
    return [0xEF, 0xBB, 0xBF] + lines.map { CSV.line($0) + "\r\n" }.joined().utf8
  }
}
