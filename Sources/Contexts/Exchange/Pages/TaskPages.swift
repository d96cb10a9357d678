import Audit
import Catalog
import Inventory
import Jobs
import Kernel
import Reshaping
import Sharing
import Transfer
import Web

/// Tasks: which there are and how each stands, and one of them with its history and its settings.
enum TaskPages {
  static let section: (label: Text, href: String) = (Text("交换任务", "Tasks"), "/tasks")

  /// The views of what moves, side by side.
  static func views(_ t: Language, at here: String) -> HTML {
    let all: [(Text, String)] = [
      (Text("交换记录", "Deliveries"), "/deliveries"), (Text("任务", "Tasks"), "/tasks"),
      (Text("流向图", "Flows"), "/tasks/flows"), (Text("失败原因", "Failures"), "/tasks/failures"),
      (Text("数据源限流", "Limits of sources"), "/tasks/sources"),
    ]
    return """
      <nav class="filters" aria-label="\(t("数据交换", "Deliveries"))">\
      \(all, { "<a href=\"\($0.1)\"\(when: $0.1 == here, " aria-current=\"page\"")>\(t($0.0))</a>" })</nav>
      """
  }

  static func list(
    _ request: Request, _ found: [(grant: Grant, task: ExchangeTask, last: DeliveryRecord?, next: Instant?)],
    next: GrantID?
  ) -> Page {
    let t = request.language
    return Page(
      section.label, section: .deliveries, trail: [DeliveryPages.section],
      body: """
        <h1>\(t(section.label))</h1>\(views(t, at: "/tasks"))
        \(table(
          caption: t("交换任务", "Tasks"),
          columns: [
            Column(t("授权", "Grant")), Column(t("资源", "Resource")), Column(t("从", "From")), Column(t("到", "To")),
            Column(t("启动", "Started by")), Column(t("上次", "Last")), Column(t("行数", "Rows"), numeric: true),
            Column(t("下次", "Next")), Column(t("状态", "State")),
          ],
          rows: found.map { row($0, t, now: request.now) }.joined(),
          empty: emptyState(
            t("还没有交换任务。申请经提供部门同意成为授权后，这里会有它的任务。", "No task yet. A request that is approved becomes a grant with its task."),
            action: buttonLink(t("查看申请", "See the requests"), href: "/requests"))))
        \(pager(t, previous: nil, next: next.map { "/tasks?before=\($0)" }))
        """)
  }

  private static func row(
    _ one: (grant: Grant, task: ExchangeTask, last: DeliveryRecord?, next: Instant?), _ t: Language, now: Instant
  ) -> HTML {
    let (grant, task, last) = (one.grant, one.task, one.last)
    return """
      <tr><td><a href="/tasks/\(grant.id)">\(grant.number)</a></td><td>\(grant.resourceName)</td><td>\(grant.providerName)</td>\
      <td>\(grant.consumerName)</td><td>\(t(start(task, grant)))</td>\
      <td>\(last.map { "<a href=\"/deliveries/\($0.id)\">\(time($0.finishedAt ?? $0.startedAt ?? $0.createdAt))</a>" as HTML } ?? "—")</td>\
      \(last.map { numberCell($0.delivered, href: "/deliveries/\($0.id)#receipts") } ?? "<td class=\"number\">—</td>")\
      <td>\(next(one.next, grant, task, now: now))</td><td>\(standing(grant, task, last, t))</td></tr>
      """
  }

  private static func next(_ at: Instant?, _ grant: Grant, _ task: ExchangeTask, now: Instant) -> HTML {
    guard let at, task.pause == nil, grant.state == .active, grant.frequency != .continuous else { return "—" }
    return time(task.window.map { $0.next(from: max(at, now)) } ?? at)
  }

  /// Paused or frozen, ended with its grant, or as its last delivery is.
  static func standing(_ grant: Grant, _ task: ExchangeTask, _ last: DeliveryRecord?, _ t: Language) -> HTML {
    if let pause = task.pause {
      return badge(pause.isFrozen ? t("已冻结", "Frozen") : t("已暂停", "Paused"), pause.isFrozen ? .late : .soon)
    }
    if grant.state != .active { return badge(t(grant.state.title), .neutral) }
    guard let last else { return badge(t("未开始", "Not begun"), .neutral) }
    if last.state == .running, last.mode == .changes { return badge(t("实时跟踪中", "Following"), .active) }
    return badge(t(last.state.title), DeliveryPages.tone(last.state))
  }

  static func start(_ task: ExchangeTask, _ grant: Grant) -> Text {
    let days = task.onWorkingDays ? Text("，仅工作日", ", working days only") : Text(same: "")
    let base: Text =
      switch task.start {
      case .frequency: grant.frequency.title
      case .cron(let expression): Text("定时 \(expression.text)", "Cron \(expression.text)")
      case .afterOthers: Text("前置任务完成后", "After others")
      case .manual: Text("只由人员发起", "By a person only")
      }
    return Text(base.chinese + days.chinese, base.english + days.english)
  }

  // MARK: - One task

  static func task(
    _ request: Request, _ view: Exchange.TaskView, entered: Fields = Fields(), refusal: Refusal? = nil,
    differences: [Comparison.Range]? = nil
  ) -> Page {
    let (t, grant, task) = (request.language, view.grant, view.task)
    let manages = request.principal.map { Exchange.manages(grant, $0) } ?? false
    return Page(
      Text("交换任务 \(grant.number)", "Task of \(grant.number)"), section: .deliveries,
      status: refusal?.status ?? 200, trail: [DeliveryPages.section, section],
      body: """
        <div class="head"><h1>\(grant.resourceName)</h1>\(standing(grant, task, view.deliveries.first, t))\
        <div class="actions">\(buttonLink(t("授权", "The grant"), href: "/grants/\(grant.id)"))</div></div>
        \(faultSummary(t, refusal))\(paused(request, view))
        \(facts([
          (t("授权", "Grant"), "<a href=\"/grants/\(grant.id)\">\(grant.number)</a>"),
          (t("从", "From"), "\(grant.providerName)"), (t("到", "To"), "\(grant.consumerName) · <code>\(grant.targetTable)</code>"),
          (t("启动", "Started by"), "\(t(start(task, grant)))"),
          (t("时段", "Window"), "\(task.window?.text ?? t("全天", "All day"))"),
          (t("下次", "Next turn"), next(view.nextTurn, grant, task, now: request.now)),
          (t("数据时效", "Freshness"), freshness(view, t, now: request.now)),
        ]))
        \(runs(request, view, refusal?.faults ?? []))
        <h2>\(t("最近 30 天", "The last 30 days"))</h2>\(volume(view, t))\(history(view, t))
        \(ComparisonPart.html(request, view, opened: differences))
        \(rules(request, view, manages, entered, refusal))
        \(ColumnPart.html(request, view, manages, entered, refusal))
        \(when: manages, TaskForm.html(request, view, entered, refusal))
        \(sources(view, t))
        """)
  }

  /// Why nothing moves and what may be done; or, where it may, how to make it stand still.
  private static func paused(_ request: Request, _ view: Exchange.TaskView) -> HTML {
    let (t, grant) = (request.language, view.grant)
    let may = request.principal.map { Exchange.pauses(grant, $0) } ?? false
    guard let pause = view.task.pause else {
      guard may, grant.state == .active else { return .nothing }
      return details(
        t("暂停任务", "Pause the task"),
        """
        <p>\(t("进行中的交换在下一批提交前停下，已提交的保留；恢复后从断点继续。", "What runs stops before its next commit; what was committed stays, and it goes on from there once resumed."))</p>
        \(form(request, action: "/tasks/\(grant.id)/pause", """
          \(field(t, Field("why", Text("理由", "Reason"), .text(maxLength: 500)), value: request.form))<button>\(t("暂停", "Pause"))</button>
          """))
        """)
    }
    let words =
      pause.isFrozen
      ? t(
        "遇到再试也不会好转的问题，任务已冻结，不会自动重试。请核对下面的原因：源表与目录约定不符的，由\(grant.providerName)恢复原结构，或在目录中发布新版本并重新申请；接收表或接收库的问题，由\(grant.consumerName)处理。处理后恢复任务。",
        "Something is wrong that trying again does not mend; nothing is tried by itself any more. See the reason below: where the source's table is not what was agreed, \(grant.providerName) brings its shape back, or publishes a new version and has it asked for; where it is the receiving table or database, \(grant.consumerName) sees to it. Then resume."
      )
      : t("任务已暂停，不会自动交换。", "The task is paused; nothing is delivered by itself.")
    return note(
      pause.isFrozen ? .late : .soon,
      """
      <p>\(words)</p><p>\(time(pause.at)) · \(pause.by)\(t.colon)\(t(pause.why))</p>\
      \(when: may && grant.state == .active, form(request, action: "/tasks/\(grant.id)/resume", button(t("恢复任务", "Resume the task"))))
      """)
  }

  /// How old what the consumer has is, by the source's own time.
  private static func freshness(_ view: Exchange.TaskView, _ t: Language, now: Instant) -> HTML {
    guard let last = view.deliveries.first(where: { $0.sourceAt != nil && $0.writtenAt != nil }), let at = last.sourceAt
    else { return "—" }
    return "\(t("源数据截至", "The source as of")) \(time(at))"
  }

  private static func runs(_ request: Request, _ view: Exchange.TaskView, _ faults: [Refusal.Fault]) -> HTML {
    let (t, grant) = (request.language, view.grant)
    guard request.principal?.may(.exchangeRun) ?? false, grant.state == .active, view.task.pause == nil else {
      return .nothing
    }
    let since: HTML =
      grant.frequency == .continuous
      ? .nothing
      : details(
        t("补采：从某一天起重新读取", "Backfill: read again from a day on"), open: faults.contains { $0.field == "since" },
        form(
          request, action: "/grants/\(grant.id)/deliver",
          """
          \(field(t, Field("since", Text("从哪一天起（含）", "From this day on"), .date, hint: Text("读取该日以后变更过的行，已有且未变的不重复计入。", "Rows that changed since are read again; what is there and equal is not counted twice.")), value: request.form, faults: faults))<button>\(t("补采", "Backfill"))</button>
          """))
    return """
      <div class="buttons">\(form(request, action: "/grants/\(grant.id)/deliver", "<button class=\"primary\">\(t("现在交换一次", "Deliver now"))</button>"))</div>\(since)
      """
  }

  private static func volume(_ view: Exchange.TaskView, _ t: Language) -> HTML {
    guard view.days.contains(where: { $0.rows > 0 }) else { return .nothing }
    let total = view.days.reduce(0) { $0 + $1.rows }
    return lineChart(
      title: t("每天送达行数", "Rows delivered each day"),
      summary: t("30 天共 \(grouped(total)) 行。", "\(grouped(total)) rows in 30 days."), id: "volume",
      points: view.days.map { String("\($0.day)".dropFirst(5)) }, [ChartLine(t("行", "Rows"), view.days.map(\.rows))])
  }

  private static func history(_ view: Exchange.TaskView, _ t: Language) -> HTML {
    table(
      caption: t("最近的交换", "Recent deliveries"),
      columns: [
        Column(t("时间", "When")), Column(t("方式", "Mode")), Column(t("送达", "Delivered"), numeric: true),
        Column(t("移除", "Removed"), numeric: true), Column(t("隔离", "Quarantined"), numeric: true),
        Column(t("用时", "Took")), Column(t("时间花在哪里", "Where the time went")), Column(t("状态", "State")),
      ],
      rows: view.deliveries.map { delivery in
        """
        <tr><td><a href="/deliveries/\(delivery.id)">\(time(delivery.startedAt ?? delivery.createdAt))</a></td>\
        <td>\(DeliveryPages.mode(delivery, t))</td>\(numberCell(delivery.delivered))\(numberCell(delivery.removed))\
        \(numberCell(delivery.quarantined, href: delivery.quarantined > 0 ? "/deliveries/\(delivery.id)/quarantine" : nil))\
        <td>\(took(delivery, t))</td><td>\(TimeSplit.html(delivery.times, t))</td>\
        <td>\(badge(t(delivery.state.title), DeliveryPages.tone(delivery.state)))\(delivery.reason.map { "<p class=\"hint\">\(t($0))</p>" as HTML })</td></tr>
        """
      }.joined(), empty: "<p>\(t("还没有交换过。", "Nothing was delivered yet."))</p>")
  }

  static func took(_ delivery: DeliveryRecord, _ t: Language) -> String {
    guard let start = delivery.startedAt, let end = delivery.finishedAt else { return "—" }
    let seconds = max(0, (end - start).inMilliseconds) / 1000
    if seconds < 60 { return t("\(seconds) 秒", "\(seconds) s") }
    if seconds < 3600 { return t("\(seconds / 60) 分 \(seconds % 60) 秒", "\(seconds / 60) min \(seconds % 60) s") }
    return t("\(seconds / 3600) 时 \(seconds % 3600 / 60) 分", "\(seconds / 3600) h \(seconds % 3600 / 60) min")
  }

  private static func sources(_ view: Exchange.TaskView, _ t: Language) -> HTML {
    """
    <h2>\(t("两端的数据源", "Both sources"))</h2>
    \(table(
      caption: t("两端的数据源", "Both sources"),
      head: [t("数据源", "Source"), t("限流", "Limits"), t("正在进行", "Running now")],
      rows: view.ends.map {
        "<tr><td>\($0.source.name)</td><td>\(SourcePages.said($0.limit, t))</td><td>\($0.running)</td></tr>"
      }.joined(), empty: ""))
    <p><a href="/tasks/sources">\(t("设置数据源限流", "Set limits of sources"))</a></p>
    """
  }

  // MARK: - Rules

  private static func rules(
    _ request: Request, _ view: Exchange.TaskView, _ manages: Bool, _ entered: Fields, _ refusal: Refusal?
  ) -> HTML {
    let (t, grant, task) = (request.language, view.grant, view.task)
    func item(_ column: String?) -> String {
      guard let column else { return t("整行", "The row") }
      return grant.items.first { $0.column == column }.map { "\($0.name) \(column)" } ?? column
    }
    return """
      <h2 id="rules">\(t("质量规则", "Quality rules"))</h2>
      <p class="hint">\(t("目录约定的类型、长度、必填和校验码始终检查；这里可再加规则。规则看到的是脱敏前的值。", "The catalogue's types, lengths, required items and check digits are always checked; more can be asked for here. Rules see values before masking."))</p>
      \(table(
        caption: t("质量规则", "Quality rules"),
        head: [t("信息项", "Item"), t("要求", "Asks"), t("不合格时", "When broken"), t("停止交换", "Stops the delivery")] + (manages ? [t("操作", "Action")] : []),
        rows: task.rules.map { rule in
          """
          <tr><td>\(item(rule.column))</td><td>\((try? rule.qualityRule()).map { t($0.sentence) } ?? t(rule.kind.title)) \(when: !rule.argument.isEmpty, "<code>\(rule.argument)</code>")</td>\
          <td>\(rule.severity == .reject ? t("隔离该行", "The row is quarantined") : t("照常送达，计数", "Delivered and counted"))</td><td>\(rule.stopWhen.map { t($0.sentence) } ?? "—")</td>\
          \(when: manages, "<td>\(form(request, action: "/tasks/\(grant.id)/rules/remove", "<input type=\"hidden\" name=\"version\" value=\"\(task.version)\"><input type=\"hidden\" name=\"name\" value=\"\(rule.name)\"><button>\(t("移除", "Remove"))</button>"))</td>")</tr>
          """
        }.joined(), empty: "<p>\(t("没有另加的规则。", "No further rule."))</p>"))
      \(when: manages, TaskForm.newRule(request, view, entered, refusal))
      """
  }
}

/// A stacked bar of whom the time was spent with, with its words.
enum TimeSplit {
  static func html(_ times: DeliveryPulse.Times, _ t: Language) -> HTML {
    let parts = [times.source, times.target, times.own].map { max(0, $0.inMilliseconds) }
    let whole = parts.reduce(0, +)
    guard whole > 0, let slowest = times.slowest else { return "—" }
    let shares = parts.map { $0 * 100 / whole }
    let words =
      switch slowest {
      case .source: t("主要等来源 \(shares[0])%", "Mostly the source, \(shares[0])%")
      case .target: t("主要等目标 \(shares[1])%", "Mostly the target, \(shares[1])%")
      case .own: t("主要是平台处理 \(shares[2])%", "Mostly ourselves, \(shares[2])%")
      }
    return """
      <span class="split"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">\
      <rect class="source" width="\(shares[0])" height="10"/><rect class="target" x="\(shares[0])" width="\(shares[1])" height="10"/>\
      <rect class="own" x="\(shares[0] + shares[1])" width="\(100 - shares[0] - shares[1])" height="10"/></svg> \(words)</span>
      """
  }
}
