import Inventory
import Kernel
import Sharing
import Web

/// Whether both sides hold the same, how many rows differ and where, and what may be done about it.
enum ComparisonPart {
  static func html(_ request: Request, _ view: Exchange.TaskView, opened: [Comparison.Range]? = nil) -> HTML {
    let (t, grant, one) = (request.language, view.grant, view.comparison)
    guard view.isComparable else {
      return """
        <h2 id="comparison">\(t("对账", "Both sides compared"))</h2><p class="hint">\(t(Exchange.cannotCompare.message))</p>
        """
    }
    return """
      <h2 id="comparison">\(t("对账", "Both sides compared"))</h2>
      \(one.map { result($0, t) } ?? "<p class=\"hint\">\(t("还没有比对过。", "Not compared yet."))</p>")\
      \(opened.map { ranges($0, grant, t) })\(steps(request, view))
      """
  }

  private static func tone(_ state: Comparison.State) -> Tone {
    switch state {
    case .queued, .running: .active
    case .agrees: .good
    case .differs, .failed: .late
    }
  }

  private static func result(_ one: Comparison, _ t: Language) -> HTML {
    let counts = one.counts
    let when: HTML = "\(time(one.finishedAt ?? one.startedAt ?? one.createdAt)) · \(one.askedBy)"
    var lines: [(String, HTML)] = [(t("结果", "Result"), "\(badge(t(one.state.title), tone(one.state))) \(when)")]
    if one.state == .agrees || one.state == .differs {
      lines += [
        (t("来源", "Source"), rows(counts.source, t, also: (counts.bad, t("行不合格", "bad rows")))),
        (t("接收表", "Target"), rows(counts.target, t, also: (counts.stale, t("行旧值", "older versions")))),
      ]
    }
    if one.state == .differs {
      lines += [
        (t("接收表缺少", "Missing in the target"), "\(grouped(counts.missing))"),
        (t("接收表多余", "Too many in the target"), "\(grouped(counts.extra))"),
        (t("内容不同", "With other values"), "\(grouped(counts.different))"),
      ]
    }
    return """
      \(facts(lines))\(one.reason.map { "<p>\(t($0))</p>" as HTML })\
      \(when: !one.isComplete, "<p class=\"hint\">\(t("差异太多，只逐行比对了其中一部分，实际更多。", "There are too many differences: only some were told one by one."))</p>")\
      \(one.repair.map { "<p><a href=\"/deliveries/\($0)\">\(t("修复的那次交换", "The delivery that mends it"))</a></p>" as HTML })
      """
  }

  private static func rows(_ count: Int, _ t: Language, also: (count: Int, words: String)) -> HTML {
    let more: HTML = also.count > 0 ? "\(t("，另有", ", and")) \(grouped(also.count)) \(also.words)" : .nothing
    return "\(grouped(count)) \(t("行", "rows"))\(more)"
  }

  /// What may be done now, the likeliest first.
  private static func steps(_ request: Request, _ view: Exchange.TaskView) -> HTML {
    let (t, grant, one) = (request.language, view.grant, view.comparison)
    let principal = request.principal
    let may = (principal?.may(.exchangeRun) ?? false) && grant.state == .active && view.task.pause == nil
    var (hints, steps): ([String], [HTML]) = ([], [])
    if let one, one.state == .differs {
      if principal.map({ Exchange.opensDifferences(grant, $0) }) ?? false {
        steps.append(
          form(request, action: "/comparisons/\(one.id)", "<button>\(t("查看差异在哪里", "See where they differ"))</button>"))
      }
      if may, one.repair == nil {
        steps.append(
          form(
            request, action: "/comparisons/\(one.id)/repair",
            "<button class=\"primary\">\(t("修复差异", "Mend the differences"))</button>"))
        hints.append(
          t(
            "修复：重新全量交换，补上缺少的、改正不同的、移除多余的；完成后自动再比对一次。",
            "Mending delivers everything anew: what is missing is written, what differs is corrected, what is too much is removed; then both sides are compared again."
          ))
      }
    }
    if may, !(one?.state.isOpen ?? false) {
      steps.append(
        form(request, action: "/tasks/\(grant.id)/compare", "<button>\(t("比对两端", "Compare both sides"))</button>"))
      hints.append(
        t(
          "比对：按授权的脱敏和筛选读取来源，与接收表逐行比较；不写任何一端。",
          "Comparing reads the source with the grant's masks and filter, and the target's table row by row; neither is written to."
        ))
    }
    guard !steps.isEmpty else { return .nothing }
    return "<div class=\"buttons\">\(steps.joined())</div>\(hints, { "<p class=\"hint\">\($0)</p>" })"
  }

  private static func ranges(_ found: [Comparison.Range], _ grant: Grant, _ t: Language) -> HTML {
    let keys = grant.items.filter(\.isKey).map(\.name).joined(separator: t("、", ", "))
    return table(
      caption: t("差异所在（\(keys)，按交换后的值）", "Where they differ, by \(keys) as delivered"),
      columns: [
        Column(t("从", "From")), Column(t("到", "To")), Column(t("缺少", "Missing"), numeric: true),
        Column(t("多余", "Too many"), numeric: true), Column(t("不同", "Different"), numeric: true),
      ],
      rows: found.map { range in
        """
        <tr><td><code>\(range.first.joined(separator: " "))</code></td><td><code>\(range.last.joined(separator: " "))</code></td>\
        \(numberCell(range.missing))\(numberCell(range.extra))\(numberCell(range.different))</tr>
        """
      }.joined(), empty: "")
  }
}
