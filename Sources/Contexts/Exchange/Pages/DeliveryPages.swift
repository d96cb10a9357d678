import Audit
import Connecting
import Kernel
import Sharing
import Transfer
import Web

enum DeliveryPages {
  static let section: (label: Text, href: String) = (Text("数据交换", "Deliveries"), "/deliveries")

  static func tone(_ state: DeliveryRecord.State) -> Tone {
    switch state {
    case .queued: .neutral
    case .running: .active
    case .delivered: .good
    case .stopped: .soon
    case .failed: .late
    }
  }

  private static func mode(_ delivery: DeliveryRecord, _ t: Language) -> String {
    delivery.mode == .full ? t("全量", "Full") : t("增量", "Incremental")
  }

  static func list(_ request: Request, _ found: [(DeliveryRecord, Grant)], grant: GrantID?, next: DeliveryID?) -> Page {
    let t = request.language
    return Page(
      section.label, section: .deliveries,
      body: """
        <h1>\(t(section.label))</h1>
        \(table(
          caption: t("交换记录", "Deliveries"),
          head: [t("时间", "When"), t("授权", "Grant"), t("资源", "Resource"), t("方式", "Mode"), t("送达", "Delivered"), t("隔离", "Quarantined"), t("回执", "Receipts"), t("状态", "State")],
          rows: found.map { delivery, grant in
            """
            <tr><td><a href="/deliveries/\(delivery.id)">\(delivery.createdAt.minuteInChina)</a></td><td><a href="/grants/\(grant.id)">\(grant.number)</a></td>\
            <td>\(grant.resourceName)</td><td>\(mode(delivery, t))</td><td class="number">\(delivery.delivered)</td><td class="number">\(delivery.quarantined)</td>\
            <td>\(receipts(delivery, t))</td><td>\(badge(t(delivery.state.title), tone(delivery.state)))</td></tr>
            """
          }.joined(), empty: "<p>\(t("还没有交换。打开一个有效的授权，点“现在交换一次”。", "No delivery yet. Open an active grant and deliver."))</p>"))
        \(next.map { "<p class=\"pager\"><a rel=\"next\" href=\"/deliveries?before=\($0)\(grant.map { "&amp;grant=\($0)" as HTML })\">\(t("更早的", "Earlier"))</a></p>" as HTML })
        """)
  }

  private static func receipts(_ delivery: DeliveryRecord, _ t: Language) -> HTML {
    switch delivery.agrees {
    case true?: badge(t("一致", "Agree"), .good)
    case false?: badge(t("不一致", "Differ"), .late)
    case nil: "—"
    }
  }

  static func delivery(_ request: Request, _ view: DeliveryView) -> Page {
    let t = request.language
    let (delivery, grant) = (view.delivery, view.grant)
    // A link to a closed door is no help.
    let audit = Set([Permission.auditRead, .auditReadOwn])
    let link: HTML =
      "<a href=\"/audit?grant=\(delivery.grant)&amp;subject=\(delivery.id)\">\(t("查看记录", "See the records"))</a>"
    let log = audit.isDisjoint(with: request.principal?.permissions ?? []) ? [] : [(t("审计", "In the log"), link)]
    return Page(
      Text("交换 \(delivery.createdAt.minuteInChina)", "Delivery of \(delivery.createdAt.minuteInChina)"),
      section: .deliveries,
      trail: [section], refresh: delivery.state.isOpen ? 2 : nil,
      body: """
        <div class="head"><h1>\(grant.resourceName) · \(mode(delivery, t))</h1>\(badge(t(delivery.state.title), tone(delivery.state)))</div>
        \(delivery.reason.map { "<p class=\"notice\">\(t($0))</p>" as HTML })
        \(when: delivery.state.isOpen, "<p role=\"status\" data-poll=\"/api/v1/deliveries/\(delivery.id)\"><progress aria-label=\"\(t("正在交换", "Delivering"))\"></progress> \(t("已送达 \(delivery.delivered) 行", "\(delivery.delivered) rows delivered"))</p>")
        <ul class="figures">\([
          (t("读取", "Read"), delivery.read), (t("送达", "Delivered"), delivery.delivered), (t("未变", "Unchanged"), delivery.unchanged),
          (t("隔离", "Quarantined"), delivery.quarantined), (t("保留旧值", "Kept stale"), delivery.stale),
        ], { "<li><b>\($0.1)</b> \($0.0)</li>" })</ul>
        \(facts([
          (t("授权", "Grant"), "<a href=\"/grants/\(grant.id)\">\(grant.number)</a>"), (t("从", "From"), "\(grant.providerName)"),
          (t("到", "To"), "\(grant.consumerName) · <code>\(grant.targetTable)</code>"), (t("发起", "Asked by"), "\(delivery.askedBy)"),
          (t("开始", "Started"), "\(delivery.startedAt?.minuteInChina ?? "—")"), (t("结束", "Finished"), "\(delivery.finishedAt?.minuteInChina ?? "—")"),
        ] as [(String, HTML)] + log))
        <h2>\(t("回执", "Receipts"))</h2>\(receiptTable(view, t))
        <h2>\(t("隔离的行", "Quarantined rows"))</h2>
        \(table(
          caption: t("按列和原因", "By column and reason"), head: [t("列", "Column"), t("原因", "Reason"), t("行数", "Rows")],
          rows: view.quarantine.map {
            "<tr><td>\($0.item)</td><td>\(t(RowFault(code: $0.fault)?.title ?? Text(same: $0.fault)))</td><td class=\"number\"><a href=\"/deliveries/\(delivery.id)/quarantine\">\($0.rows)</a></td></tr>"
          }.joined(), empty: "<p>\(t("没有隔离的行。", "No row was quarantined."))</p>"))
        """)
  }

  /// Both sides' words side by side, line by line of the canonical text, and whether they are the same.
  private static func receiptTable(_ view: DeliveryView, _ t: Language) -> HTML {
    guard let provider = view.receipts.first(where: { $0.side == "provider" }) else {
      return "<p class=\"empty\">\(t("还没有回执。", "No receipt yet."))</p>"
    }
    let consumer = view.receipts.first { $0.side == "consumer" }
    let mine = lines(provider.body)
    let theirs = consumer.map { Dictionary(lines($0.body), uniquingKeysWith: { first, _ in first }) } ?? [:]
    let verdict: HTML =
      switch view.delivery.agrees {
      case true?:
        "<p>\(badge(t("双方一致", "Both agree"), .good)) \(t("提供方在读取时计算，使用方在提交后读回目标表重新计算。", "The provider computed while reading; the consumer by reading the target back after the commit."))</p>"
      case false?: "<p>\(badge(t("双方不一致", "They differ"), .late))</p>"
      case nil: "<p>\(t("使用方还没有回执。", "The consumer has no receipt yet."))</p>"
      }
    return verdict
      + table(
        caption: t("逐项比较", "Line by line"), head: [t("项", "Line"), t("提供方", "Provider"), t("使用方", "Consumer"), ""],
        rows: mine.prefix(60).map { name, value in
          let other = theirs[name]
          return """
            <tr><td>\(name)</td><td><code>\(value)</code></td><td><code>\(other ?? "—")</code></td>\
            <td>\(other == nil || own.contains(name) ? "" : other == value ? badge("=", .good) : badge("≠", .late))</td></tr>
            """
        }.joined(), empty: "")
  }

  /// `name value` lines; of `column NULLS SUM NAME` the name goes to the front.
  private static func lines(_ body: String) -> [(String, String)] {
    body.split(separator: "\n").map { line in
      let parts = line.split(separator: " ", maxSplits: 1)
      let (name, value) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
      let column = value.split(separator: " ", maxSplits: 2)
      guard name == "column", column.count == 3 else { return (name, value) }
      return ("column \(column[2])", "\(column[0]) \(column[1])")
    }
  }

  /// What each side says of itself alone: not there to agree.
  private static let own: Set<String> = ["side", "read", "unchanged", "without-cursor", "started", "finished"]

  static func quarantine(
    _ request: Request, _ view: DeliveryView, _ lines: [QuarantineLine], opened: [(name: String, value: String)]? = nil,
    next: String?
  ) -> Page {
    let t = request.language
    let opens = request.principal.map { $0.may(.quarantineOpen) && $0.organisation == view.grant.provider } ?? false
    let path = "/deliveries/\(view.delivery.id)/quarantine"
    return Page(
      Text("隔离的行", "Quarantined rows"), section: .deliveries,
      trail: [section, (Text(same: view.grant.number), "/deliveries/\(view.delivery.id)")],
      body: """
        <h1>\(t("隔离的行", "Quarantined rows"))</h1>
        <p>\(t("原始内容密封在提供部门一侧；这里只有主键摘要、列和原因。", "The raw rows are sealed on the provider's side; here are the key's digest, the column and the reason."))</p>
        \(opened.map { fields in "<section class=\"act\"><h2>\(t("原始行（已记入审计）", "The raw row (on record)"))</h2>\(facts(fields.map { ($0.name, "\($0.value)" as HTML) }))</section>" as HTML })
        \(table(
          caption: t("隔离的行", "Quarantined rows"), head: [t("批", "Batch"), t("主键摘要", "Key digest"), t("列", "Column"), t("原因", "Reason"), ""],
          rows: lines.map { line in
            """
            <tr><td>\(line.batch) · \(line.position)</td><td><code>\(line.keyDigest?.prefix(16) ?? "—")</code></td><td>\(line.item)</td>\
            <td>\(t(RowFault(code: line.fault)?.title ?? Text(same: line.fault)))</td>\
            <td>\(when: opens, form(request, action: path, "<input type=\"hidden\" name=\"batch\" value=\"\(line.batch)\"><input type=\"hidden\" name=\"part\" value=\"\(line.part)\"><input type=\"hidden\" name=\"position\" value=\"\(line.position)\"><button>\(t("打开", "Open"))</button>"))</td></tr>
            """
          }.joined(), empty: "<p>\(t("没有隔离的行。", "No row was quarantined."))</p>"))
        \(next.map { "<p class=\"pager\"><a rel=\"next\" href=\"\(path)?after=\($0)\">\(t("下一页", "Next page"))</a></p>" as HTML })
        """)
  }
}
