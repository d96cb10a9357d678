import Audit
import Connecting
import Kernel
import NationalCrypto
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

  static func mode(_ delivery: DeliveryRecord, _ t: Language) -> String {
    switch delivery.mode {
    case .full: t("全量", "Full")
    case .incremental: delivery.since.map { t("补采自 \($0)", "Backfill from \($0)") } ?? t("增量", "Incremental")
    case .changes: t("变更捕获", "Change capture")
    }
  }

  static func list(_ request: Request, _ found: [(DeliveryRecord, Grant)], grant: GrantID?, next: DeliveryID?) -> Page {
    let t = request.language
    return Page(
      section.label, section: .deliveries,
      body: """
        <h1>\(t(section.label))</h1>\(TaskPages.views(t, at: "/deliveries"))
        \(table(
          caption: t("交换记录", "Deliveries"),
          columns: [
            Column(t("时间", "When")), Column(t("授权", "Grant")), Column(t("资源", "Resource")), Column(t("方式", "Mode")),
            Column(t("送达", "Delivered"), numeric: true), Column(t("隔离", "Quarantined"), numeric: true),
            Column(t("回执", "Receipts")), Column(t("状态", "State")),
          ],
          rows: found.map { delivery, grant in
            """
            <tr><td><a href="/deliveries/\(delivery.id)">\(time(delivery.createdAt))</a></td><td><a href="/grants/\(grant.id)">\(grant.number)</a></td>\
            <td>\(grant.resourceName)</td><td>\(mode(delivery, t))</td>\(numberCell(delivery.delivered, href: "/deliveries/\(delivery.id)#receipts"))\
            \(numberCell(delivery.quarantined, href: delivery.quarantined > 0 ? "/deliveries/\(delivery.id)/quarantine" : nil))\
            <td>\(receipts(delivery, t))</td><td>\(badge(t(delivery.state.title), tone(delivery.state)))</td></tr>
            """
          }.joined(), empty: emptyState(
            t("还没有交换。打开一个有效的授权，点“现在交换一次”。", "No delivery yet. Open an active grant and deliver."),
            action: buttonLink(t("查看授权", "See the grants"), href: "/grants"))))
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
        \(ending(request, view))
        \(when: delivery.state.isOpen, "<p role=\"status\" data-poll=\"/api/v1/deliveries/\(delivery.id)\"><progress aria-label=\"\(t("正在交换", "Delivering"))\"></progress> \(t("已送达 \(delivery.delivered) 行", "\(delivery.delivered) rows delivered"))</p>")
        \(when: delivery.state.isOpen && (request.principal?.may(.exchangeRun) ?? false), form(request, action: "/deliveries/\(delivery.id)/cancel", "<button>\(t("取消本次交换", "Cancel this delivery"))</button>"))
        \(counts(delivery, t))
        \(facts([
          (t("授权", "Grant"), "<a href=\"/grants/\(grant.id)\">\(grant.number)</a>"), (t("从", "From"), "\(grant.providerName)"),
          (t("到", "To"), "\(grant.consumerName) · <code>\(grant.targetTable)</code>"), (t("发起", "Asked by"), "\(delivery.askedBy)"),
          (t("交换任务", "Task"), "<a href=\"/tasks/\(grant.id)\">\(t("设置与历史", "Settings and history"))</a>"),
          (t("源数据截至", "The source as of"), delivery.sourceAt.map { time($0) } ?? "—"),
          (t("开始读取", "Reading began"), delivery.startedAt.map { time($0) } ?? "—"),
          (t("最后写入", "Last written"), delivery.writtenAt.map { time($0) } ?? "—"),
          (t("核对完成", "Receipts compared"), delivery.agrees == nil ? "—" : delivery.finishedAt.map { time($0) } ?? "—"),
          (t("时间花在哪里", "Where the time went"), TimeSplit.html(delivery.times, t)),
        ] as [(String, HTML)] + log))
        <h2 id="receipts">\(t("回执", "Receipts"))</h2>\(receiptTable(view, t))
        <h2>\(t("隔离的行", "Quarantined rows"))</h2>
        \(table(
          caption: t("按信息项和原因", "By item and reason"),
          columns: [Column(t("信息项", "Item")), Column(t("原因", "Reason")), Column(t("行数", "Rows"), numeric: true)],
          rows: view.quarantine.map {
            "<tr><td>\(item($0.item, grant))</td><td>\(fault($0.fault, t))</td>\(numberCell($0.rows, href: quarantine(delivery.id, $0.item, $0.fault)))</tr>"
          }.joined(), empty: "<p>\(t("没有隔离的行。", "No row was quarantined."))</p>"))
        """)
  }

  /// Each count leads to where it is accounted for: its line of the receipts, or the rows that were set apart.
  private static func counts(_ delivery: DeliveryRecord, _ t: Language) -> HTML {
    let page = "/deliveries/\(delivery.id)"
    return figures([
      Figure(t("读取", "Read"), delivery.read, href: page + "#receipt-read"),
      Figure(t("送达", "Delivered"), delivery.delivered, href: page + "#receipt-delivered", tone: .good),
      Figure(t("未变", "Unchanged"), delivery.unchanged, href: page + "#receipt-unchanged"),
      Figure(t("不在行范围", "Not for this grant"), delivery.filtered, href: page + "#receipt-filtered"),
      Figure(t("移除", "Removed"), delivery.removed, href: page + "#receipt-removed"),
      Figure(
        t("隔离", "Quarantined"), delivery.quarantined, href: page + "/quarantine",
        tone: delivery.quarantined > 0 ? .soon : .neutral),
      Figure(
        t("保留旧值", "Kept stale"), delivery.stale, href: page + "#receipt-stale",
        tone: delivery.stale > 0 ? .soon : .neutral),
    ])
  }

  /// Why it ended early, who acts next, and what may be done.
  private static func ending(_ request: Request, _ view: DeliveryView) -> HTML {
    let t = request.language
    let (delivery, grant) = (view.delivery, view.grant)
    let why: HTML = "\(delivery.reason.map { "<p>\(t($0))</p>" as HTML })"
    let next: Text
    switch delivery.state {
    case .queued, .running, .delivered: return delivery.reason == nil ? .nothing : note(.neutral, why)
    case .stopped:
      switch grant.state {
      case .suspended:
        next = Text(
          "下一步：\(grant.providerName)或平台运营恢复授权后，可再次交换。已提交的批次保留。",
          "Next: once \(grant.providerName) or the platform's operator resumes the grant, deliver again. What was committed stays."
        )
      case .revoked:
        next = Text(
          "没有下一步：授权已撤销。\(grant.consumerName)仍有需要时须重新申请。",
          "Nothing is to be done: the grant is revoked. \(grant.consumerName) may ask anew.")
      case .active:
        next = Text(
          "下一步：排除上述原因后，可再次交换。已提交的批次保留，从断点继续。",
          "Next: mend what is said above and deliver again. What was committed stays, and it goes on from there.")
      }
    case .failed where delivery.agrees == false:
      next = Text(
        "下一步：\(grant.providerName)和\(grant.consumerName)的数据管理员核对下面标为“≠”的项；查明之前不要使用这次送达的数据，更正后再次交换。",
        "Next: the data officers of \(grant.providerName) and \(grant.consumerName) look into the lines marked “≠” below; do not use what came until that is done, then deliver again."
      )
    case .failed:
      next = Text(
        "下一步：数据库暂时连不上时，平台会自动重试，间隔逐次加长，最长一小时。口令、表结构或目标表有问题时，由管理该数据源的部门（提供方\(grant.providerName)或使用方\(grant.consumerName)）的数据管理员更正，再次交换。已提交的批次保留，从断点继续。",
        "Next: a database that does not answer is tried again by itself, after pauses of up to an hour. A wrong password or a changed table is for the data officer of the source's department (\(grant.providerName) or \(grant.consumerName)) to mend; then deliver again. What was committed stays."
      )
    }
    let runs = grant.state == .active && (request.principal?.may(.exchangeRun) ?? false)
    let again: HTML =
      runs
      ? form(request, action: "/grants/\(grant.id)/deliver", button(t("再次交换", "Deliver again")))
      : buttonLink(t("查看授权", "See the grant"), href: "/grants/\(grant.id)")
    let systems: HTML =
      request.principal?.may(Permission("inventory.manage")) ?? false
      ? buttonLink(t("检查数据源", "Check the sources"), href: "/systems") : .nothing
    return note(
      delivery.state == .failed ? .late : .soon,
      "\(why)<p>\(t(next))</p><div class=\"buttons\">\(again)\(systems)</div>")
  }

  // MARK: - Receipts

  /// Both sides' words side by side, and whether they are the same.
  private static func receiptTable(_ view: DeliveryView, _ t: Language) -> HTML {
    guard let provider = view.receipts.first(where: { $0.side == "provider" }) else {
      return
        "<div class=\"empty\">\(t("还没有回执。交换结束后，双方各出具一份。", "No receipt yet. Each side gives one when the delivery ends."))</div>"
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
    let shown = mine.prefix(80)
    return """
      \(verdict)\(view.receipts, { signed($0, view.grant, t) })<p class="muted">\(t("读取、未变、无增量标记的行数只有提供方知道，使用方只看得到写入的行，所以是“—”；出具方、开始和结束时间由双方各自写明，不作比较。", "What was read, unchanged or without a cursor only the provider knows: the consumer sees what was written, hence “—”. Issuer, start and end are each side's own and are not compared."))</p>\
      \(table(
        caption: t("逐项比较", "Line by line"),
        head: [t("项", "Line"), t("提供方", "Provider"), t("使用方", "Consumer"), t("比较", "Compared")],
        rows: shown.map { line($0, $1, theirs[$0], view.grant, t) }.joined(), empty: ""))\
      \(when: mine.count > shown.count, "<p>\(t("还有 \(mine.count - shown.count) 行，见原文。", "\(mine.count - shown.count) more lines stand in the originals."))</p>")\
      <p><a href="/api/v1/deliveries/\(view.delivery.id)">\(t("回执原文（JSON）", "The receipts as they were given (JSON)"))</a></p>
      """
  }

  private static func signed(_ receipt: SignedReceipt, _ grant: Grant, _ t: Language) -> HTML {
    let office = receipt.side == "provider" ? grant.providerName : grant.consumerName
    let side = receipt.side == "provider" ? t("提供方回执", "The provider's receipt") : t("使用方回执", "The consumer's receipt")
    guard let isValid = receipt.isValid else { return .nothing }
    return """
      <p>\(side)\(t.colon)\(isValid ? badge(t("签名有效", "Signed"), .good) : badge(t("签名无效", "Signature does not hold"), .late)) \
      \(t("\(office)的密钥（SM2）", "by the key of \(office) (SM2)")) <code>\(String((receipt.key?.hex ?? "").dropFirst(2).prefix(16)))…</code></p>
      """
  }

  private static func line(_ name: String, _ mine: String, _ theirs: String?, _ grant: Grant, _ t: Language) -> HTML {
    let isOwn = own.contains(name)
    let isProviders = providers.contains(name) || name.hasPrefix("rule ")
    let other: HTML = isProviders ? "—" : theirs.map { value(name, $0, t) } ?? "—"
    let compared: HTML =
      theirs == nil || isOwn || isProviders
      ? "<span class=\"muted\">\(isProviders ? t("只有提供方", "provider only") : t("不比较", "not compared"))</span>"
      : theirs == mine ? badge(t("= 一致", "= same"), .good) : badge(t("≠ 不一致", "≠ differ"), .late)
    let title: HTML =
      name.hasPrefix("column ")
      ? "\(item(String(name.dropFirst(7)), grant)) <span class=\"muted\">\(t("空值数与校验和", "NULLs and sum"))</span>"
      : name.hasPrefix("rule ")
        ? "\(t("规则", "Rule")) <code>\(name.dropFirst(5))</code> <span class=\"muted\">\(t("检查数与不合格数", "checked and broken"))</span>"
        : "\(Exchange.receiptLines[name].map { t($0) } ?? name)"
    return """
      <tr\(when: !name.hasPrefix("column "), " id=\"receipt-\(name)\"")><td>\(title)</td><td>\(value(name, mine, t))</td><td>\(other)</td><td>\(compared)</td></tr>
      """
  }

  private static func value(_ name: String, _ value: String, _ t: Language) -> HTML {
    if value == "-" { return "—" }
    if let word = Exchange.receiptValues["\(name) \(value)"] { return "\(t(word))" }
    let parts = value.split(separator: " ")
    if name == "batches", parts.count == 3 {
      return "\(t("第 \(parts[0]) 至 \(parts[1]) 批，共 \(parts[2]) 批", "\(parts[0]) to \(parts[1]), \(parts[2]) in all"))"
    }
    if name.hasPrefix("rule "), parts.count == 2, let checked = Int(parts[0]), let broken = Int(parts[1]) {
      return "\(grouped(checked)) · \(grouped(broken))"
    }
    if name.hasPrefix("column "), parts.count == 2 {
      return "\(t("空值 \(parts[0])", "\(parts[0]) NULL")) \(shortened(String(parts[1])))"
    }
    if let at = Instant(value) { return time(at) }
    switch CursorValue(value) {
    case .timestamp(let since2000)?: return time(Instant(milliseconds: since2000 / 1000 + 946_684_800_000))
    case .integer(let number)?: return "\(grouped(Int(number)))"
    case nil: break
    }
    return Int(value).map { "\(grouped($0))" } ?? shortened(value)
  }

  /// `name value` lines; of `column NULLS SUM NAME` the name goes to the front.
  private static func lines(_ body: String) -> [(String, String)] {
    body.split(separator: "\n").map { line in
      let parts = line.split(separator: " ", maxSplits: 1)
      let (name, value) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
      let column = value.split(separator: " ", maxSplits: 2)
      guard ["column", "rule"].contains(name), column.count == 3 else { return (name, value) }
      return ("\(name) \(column[2])", "\(column[0]) \(column[1])")
    }
  }

  /// What each side says of itself, and what the provider alone can say: not there to agree.
  private static let own: Set<String> = ["side", "started", "finished"]
  private static let providers: Set<String> = ["read", "unchanged", "without-cursor", "filtered"]

  // MARK: - Quarantine

  /// An item by its name, with its column beside it.
  private static func item(_ column: String, _ grant: Grant) -> HTML {
    guard let found = grant.items.first(where: { $0.column == column }), found.name != column else {
      return "<code>\(column)</code>"
    }
    return "\(found.name) <code>\(column)</code>"
  }

  private static func fault(_ code: String, _ t: Language) -> String {
    t(RowFault(code: code)?.title ?? Text(same: code))
  }

  static func quarantine(_ id: DeliveryID, _ item: String?, _ fault: String?, after: String? = nil) -> String {
    address("/deliveries/\(id)/quarantine", [("item", item), ("fault", fault), ("after", after)])
  }

  static func quarantine(
    _ request: Request, _ view: DeliveryView, _ lines: [QuarantineLine], _ given: [HandBack],
    opened: [(name: String, value: String)]? = nil,
    next: String?, refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let opens = request.principal.map { $0.may(.quarantineOpen) && $0.organisation == view.grant.provider } ?? false
    let id = view.delivery.id
    let wanted = (
      item: request.query["item"] ?? request.form["item"], fault: request.query["fault"] ?? request.form["fault"]
    )
    return Page(
      Text("隔离的行", "Quarantined rows"), section: .deliveries, status: refusal?.status ?? 200,
      trail: [section, (Text(same: view.grant.number), "/deliveries/\(view.delivery.id)")],
      body: """
        <h1>\(t("隔离的行", "Quarantined rows"))</h1>
        \(faultSummary(t, refusal))
        <p>\(t("原始内容密封在提供部门一侧；这里只有主键摘要、列和原因。", "The raw rows are sealed on the provider's side; here are the key's digest, the column and the reason."))</p>
        \(opened.map { fields in "<section class=\"act\"><h2>\(t("原始行（已记入审计）", "The raw row (on record)"))</h2>\(facts(fields.map { field in (view.grant.items.first { $0.column == field.name }?.name ?? field.name, "\(field.value)" as HTML) }))</section>" as HTML })
        \(narrowing(view, wanted.item, wanted.fault, t))
        \(HandBackPart.html(request, view, given, item: wanted.item, fault: wanted.fault))
        \(table(
          caption: t("隔离的行", "Quarantined rows"), head: [t("位置", "Place"), t("主键摘要", "Key digest"), t("信息项", "Item"), t("原因", "Reason"), t("操作", "Action")],
          rows: lines.map { line in
            """
            <tr><td>\(t("第 \(line.batch) 批，行序 \(line.position)", "Batch \(line.batch), row \(line.position)"))</td><td>\(line.keyDigest.map { shortened($0) } ?? "—")</td><td>\(item(line.item, view.grant))</td>\
            <td>\(fault(line.fault, t))</td>\
            <td>\(when: opens, form(request, action: quarantine(id, nil, nil), "<input type=\"hidden\" name=\"batch\" value=\"\(line.batch)\"><input type=\"hidden\" name=\"part\" value=\"\(line.part)\"><input type=\"hidden\" name=\"position\" value=\"\(line.position)\"><button>\(t("打开", "Open"))</button>"))</td></tr>
            """
          }.joined(), empty: emptyState(t("没有隔离的行。", "No row was quarantined."))))
        \(pager(t, previous: nil, next: next.map { quarantine(id, wanted.item, wanted.fault, after: $0) }))
        """)
  }

  /// By item and reason, each with its count; the chosen one leads back to all.
  private static func narrowing(_ view: DeliveryView, _ item: String?, _ reason: String?, _ t: Language) -> HTML {
    guard view.quarantine.count > 1 || item != nil || reason != nil else { return .nothing }
    let id = view.delivery.id
    let all = view.quarantine.reduce(0) { $0 + $1.rows }
    return """
      <nav class="filters" aria-label="\(t("按信息项和原因", "By item and reason"))">\
      <a href="\(quarantine(id, nil, nil))"\(when: item == nil && reason == nil, " aria-current=\"true\"")>\(t("全部", "All")) \(grouped(all))</a>\
      \(view.quarantine, { one in
        let name = view.grant.items.first { $0.column == one.item }?.name ?? one.item
        return "<a href=\"\(quarantine(id, one.item, one.fault))\"\(when: item == one.item && reason == one.fault, " aria-current=\"true\"")>\(name) · \(fault(one.fault, t)) \(grouped(one.rows))</a>"
      })</nav>
      """
  }
}
