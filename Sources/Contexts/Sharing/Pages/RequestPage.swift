import Catalog
import Deadlines
import Kernel
import Web

/// One request: where it stands, what was asked, what happened, and what the reader may do now.
enum RequestPage {
  static func render(
    _ request: Request, _ item: ShareRequest, _ resource: Resource?, _ events: [RequestStore.Event], _ grant: Grant?,
    _ material: MaterialPart, entered: Fields = Fields(), refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let today = request.now.dateInChina
    return Page(
      Text(same: item.number), section: .requests, status: refusal?.status ?? 200, trail: [RequestPages.section],
      body: """
        <div class="head"><h1>\(item.number)</h1>\(badge(t(item.state.title), RequestPages.tone(item.state)))\
        <div class="actions">\(buttonLink(t("打印", "Print"), href: "/requests/\(item.id)/print"))</div></div>
        \(faultSummary(t, refusal))
        \(standing(item, events, today: today, t))
        \(grant.map { "<p class=\"notice\">\(t("已成为授权", "It became grant")) <a href=\"/grants/\($0.id)\">\($0.number)</a></p>" as HTML })
        \(facts([
          (t("资源", "Resource"), "<a href=\"/catalog/resources/\(item.resource)\">\(item.resourceName)</a>"),
          (t("申请部门", "Asker"), "\(item.consumerName) · \(actor(t, item.askedByName, inNameOf: item.askedForName))"), (t("提供部门", "Provider"), "\(item.providerName)"),
          (t("使用目的", "Purpose"), "\(item.purpose)"), (t("法律依据", "Legal basis"), "\(item.legalBasis)"),
          (t("办事场景", "Scene"), "\(item.scene)"), (t("共享方式", "Mode"), "\(t(item.mode.title))"),
          (t("频率", "Frequency"), "\(t(item.frequency.title))"), (t("来源不再有的行", "Rows that go"), "\(t(item.goneRows.title))"),
          (t("使用期限", "Period of use"), period(item.firstDay, item.lastDay)), (t("目标表", "Target table"), "<code>\(item.targetTable)</code>"),
        ]))
        \(actions(request, item, resource, entered, refusal?.faults ?? []))
        \(itemsTable(item, t))
        \(material.html(request, item, refusal))
        <h2>\(t("经过", "What happened"))</h2>\(history(item, events, t))
        """)
  }

  // MARK: - Where it stands, and how it came there

  /// Who acts next, since when and until when; for what is over, how it ended.
  private static func standing(
    _ item: ShareRequest, _ events: [RequestStore.Event], today: CalendarDate, _ t: Language
  ) -> HTML {
    let since: HTML = "\(events.last.map { time($0.at) })"
    guard item.state.isOpen else {
      return note(
        item.state == .granted ? .good : .neutral,
        "<p>\(t("已办结，没有下一步：", "Finished, nothing is to be done: "))\(t(item.state.title))\(t.comma)\(since)</p>")
    }
    let due: HTML =
      item.due.map {
        dueBadge(
          t, Due($0.date, isProvisional: $0.provisional, explanation: $0.explanation), today: today, soon: 1)
      } ?? "\(t("这一步没有规定期限。", "No rule sets a date for this step."))"
    return note(
      item.due.map { $0.date < today } ?? false ? .late : .neutral,
      """
      <p><strong>\(t("下一步：", "Next: "))\(t(next(item)))</strong></p>\
      <p>\(t("自", "Since")) \(since) · \(t("期限", "Due")) \(due)</p>
      """)
  }

  private static func next(_ item: ShareRequest) -> Text {
    switch item.state {
    case .ownPending:
      Text(
        "\(item.consumerName)的部门负责人审批本部门的申请", "the leader of \(item.consumerName) approves the own department's request"
      )
    case .reviewPending: Text("平台运营审查申请", "the platform's operator reviews the request")
    case .providerPending:
      Text("\(item.providerName)的数据管理员逐项审批", "the data officer of \(item.providerName) decides on each item")
    case .supplementPending:
      Text(
        "\(item.consumerName)的经办人补正；补正后提供部门重新计时",
        "a clerk of \(item.consumerName) adds what is missing; then the provider's days are counted anew")
    case .granted, .refused, .withdrawn: item.state.title
    }
  }

  /// Oldest first. What a step set as its successor's date says of the next whether it came in time.
  private static func history(_ item: ShareRequest, _ events: [RequestStore.Event], _ t: Language) -> HTML {
    let steps = events.indices.map { index in
      let event = events[index]
      let due = index > 0 ? events[index - 1].due : nil
      let isLate = due.map { $0.date < event.at.dateInChina } ?? false
      return TimelineEvent(
        t(event.event.title), at: event.at,
        by: "\(event.organisation) \(actor(t, event.actor, inNameOf: event.inNameOf))",
        tone: isLate ? .late : tone(event.event),
        detail: "\(event.words.map { "<p>\($0)</p>" as HTML })\(due.map { kept($0, event.at.dateInChina, t) })")
    }
    return timeline(t, steps)
  }

  private static func tone(_ event: RequestEvent) -> Tone {
    switch event {
    case .grant: .good
    case .refuseOwn, .refuseReview, .refuse: .late
    case .submit, .approveOwn, .passReview, .askSupplement, .supplement, .withdraw: .neutral
    }
  }

  /// Until when a step was due, and whether it came by then, with the days that were counted.
  private static func kept(_ due: DueDate, _ day: CalendarDate, _ t: Language) -> HTML {
    let late = day - due.date
    let words =
      late > 0
      ? badge(t("逾期 \(late) 天", "\(plural(late, "day")) late"), .late) : badge(t("按时", "in time"), .good)
    return """
      <span class="due">\(t("应于", "Due")) <time datetime="\(due.date)">\(due.date)</time> \(t("前办理", "at the latest")) \(words)</span>\
      <details class="why"><summary>\(t("怎么算的", "How it was counted"))</summary><ul>\(due.explanation, { "<li>\(t($0))</li>" })</ul></details>
      """
  }

  private static func itemsTable(_ item: ShareRequest, _ t: Language) -> HTML {
    table(
      caption: t("信息项与逐项决定", "Items and decisions"),
      head: [t("信息项", "Item"), t("列", "Column"), t("决定", "Decision"), t("交付方式", "Delivered"), t("理由", "Reason")],
      rows: item.items.map { line in
        """
        <tr><td>\(line.name)\(when: line.isKey, " \(badge(t("主键", "key")))")</td><td><code>\(line.column)</code></td>\
        <td>\(line.approved.map { $0 ? badge(t("同意", "Approved"), .good) : badge(t("不同意", "Not approved"), .late) } ?? "—")</td>\
        <td>\(line.mask.map { t($0.title) } ?? "—")</td><td>\(line.reason ?? "")</td></tr>
        """
      }.joined(), empty: "")
  }

  // MARK: - What may be done now

  private static func actions(
    _ request: Request, _ item: ShareRequest, _ resource: Resource?, _ entered: Fields, _ faults: [Refusal.Fault]
  ) -> HTML {
    guard let principal = request.principal else { return .nothing }
    let sent = request.method == .post ? String(request.path.split(separator: "/").last ?? "") : ""
    func filled(_ step: String) -> Filled {
      Filled(step: step, entered: sent == step ? entered : Fields(), faults: sent == step ? faults : [])
    }
    let isConsumer = principal.organisation == item.consumer
    let isProvider = principal.organisation == item.provider
    var parts: [HTML] = []
    switch item.state {
    case .ownPending where isConsumer && principal.may(.sharingApproveOwn) && !item.isAsked(by: principal):
      parts.append(
        yesNo(
          request, item, Text("本部门审批", "Own approval"), Text("同意", "Approve"), Text("不同意", "Do not approve"),
          filled("own")))
    case .reviewPending where principal.may(.sharingReview):
      parts.append(
        yesNo(
          request, item, Text("平台审查", "Platform's review"), Text("通过", "Pass"), Text("不通过", "Do not pass"),
          filled("review")))
    case .providerPending where isProvider && principal.may(.sharingDecide):
      parts.append(decide(request, item, resource, filled("decide")))
      parts.append(refuse(request, item, filled("refuse")))
      if !item.supplementAsked { parts.append(askSupplement(request, item, filled("ask"))) }
    case .supplementPending where isConsumer && principal.may(.sharingRequest):
      parts.append(supplement(request, item, filled("supplement")))
    default: break
    }
    if item.state.isOpen, isConsumer, principal.may(.sharingRequest) {
      let t = request.language
      parts.append(
        "<details class=\"act\"><summary>\(t("撤回申请", "Withdraw"))</summary><p>\(t("撤回 \(item.number) 后不能恢复；\(item.providerName)不再审批，仍有需要时须重新申请。", "A withdrawn request cannot be taken up again: \(item.providerName) no longer decides on \(item.number), and you would have to ask anew."))</p>\(form(request, action: "/requests/\(item.id)/withdraw", "\(version(item))<button class=\"danger\">\(t("撤回 \(item.number)", "Withdraw \(item.number)"))</button>"))</details>"
      )
    }
    return parts.joined()
  }

  private static func version(_ item: ShareRequest) -> HTML {
    "<input type=\"hidden\" name=\"version\" value=\"\(item.version)\">"
  }

  /// What a form shows when it comes back: only the one that was sent has anything to show.
  private struct Filled {
    var step: String
    var entered: Fields
    var faults: [Refusal.Fault]

    /// A page has several of these forms: the one that was sent has the plain ids, to which its faults point.
    func id(_ name: String) -> String { faults.isEmpty ? "\(step)-\(name)" : name }
    func isWrong(_ name: String) -> Bool { faults.contains { $0.field == name } }
  }

  private static func words(_ t: Language, _ label: Text, required: Bool, _ filled: Filled) -> HTML {
    field(
      t,
      Field("words", label, .area(maxLength: Sharing.limits.words), required: required, id: filled.id("words")),
      value: filled.entered, faults: filled.faults)
  }

  private static func yesNo(
    _ request: Request, _ item: ShareRequest, _ title: Text, _ yes: Text, _ no: Text, _ filled: Filled
  ) -> HTML {
    let t = request.language
    return """
      <section class="act"><h2>\(t(title))</h2>\(form(request, action: "/requests/\(item.id)/\(filled.step)", """
        \(version(item))\(words(t, Text("意见（不同意时必填）", "Words (required when not approving)"), required: false, filled))\
        <button class="primary" name="answer" value="yes">\(t(yes))</button> <button name="answer" value="no">\(t(no))</button>
        """))</section>
      """
  }

  private static func decide(
    _ request: Request, _ item: ShareRequest, _ resource: Resource?, _ filled: Filled
  ) -> HTML {
    let (t, today) = (request.language, request.now.dateInChina)
    let rows: [HTML] = item.items.map { line in
      let id = line.item.text
      let isOff = filled.entered["approve-\(id)"] == nil && !filled.entered.pairs.isEmpty
      let mask = filled.entered["mask-\(id)"] ?? Mask.none.encoded
      let offered =
        resource?.item(line.item).map { Mask.offered(for: $0, isKey: line.isKey, on: today) } ?? [.none, .pseudonym]
      return """
        <tr><td>\(line.name)\(when: line.isKey, " \(badge(t("主键", "key")))")</td>\
        <td><label class="tick"><input type="checkbox" name="approve-\(id)" value="yes"\(when: !isOff, " checked")> \(t("同意", "Approve"))</label></td>\
        <td>\(rowSelect(name: "mask-\(id)", label: t("交付方式：\(line.name)", "Delivered: \(line.name)"), options: offered.map { ($0.encoded, t($0.title)) }, value: mask, wrong: filled.isWrong("mask-\(id)")))</td>\
        <td>\(rowText(name: "reason-\(id)", label: t("理由：\(line.name)", "Reason: \(line.name)"), value: filled.entered["reason-\(id)"], wrong: filled.isWrong("reason-\(id)")))\
        \(filled.faults.first { $0.field == "reason-\(id)" }.map { "<p class=\"fault\">\(t($0.message))</p>" as HTML })</td></tr>
        """
    }
    return """
      <section class="act" id="items"><h2>\(t("逐项审批", "Decide on each item"))</h2>\(form(request, action: "/requests/\(item.id)/decide", """
        \(version(item))\(table(caption: t("申请的信息项", "Items asked for"), head: [t("信息项", "Item"), t("决定", "Decision"), t("交付方式", "Delivered as"), t("不同意的理由", "Reason if not")], rows: rows.joined(), empty: ""))\
        \(rowFilter(resource, t, filled))\
        \(words(t, Text("附言", "Words"), required: false, filled))<button class="primary">\(t("按以上决定授权", "Grant as decided"))</button>
        """))</section>
      """
  }

  /// Which rows, in a sentence of the small language; folded away, for most grants give every row.
  private static func rowFilter(_ resource: Resource?, _ t: Language, _ filled: Filled) -> HTML {
    let columns = (resource?.items ?? []).filter { $0.type != nil }
    let example = columns.first.map { "\($0.column) = '…'" } ?? ""
    return """
      <details\(when: filled.isWrong("rowFilter") || !(filled.entered["rowFilter"] ?? "").isEmpty, " open")><summary>\(t("只给一部分行", "Give some rows only"))</summary>\
      \(field(t, Field("rowFilter", Text("行范围（不填则给全部行）", "Rows (empty for all)"), .area(maxLength: RowFilter.limit), required: false, hint: Text("对每行为真才交付，如 \(example)，可用 and、or、in、between、like；文字用单引号。不再满足的行会从接收表移除。", "A row is given when this is true of it, such as \(example); and, or, in, between, like; texts in single quotes. A row of which it is true no more leaves the target.")), value: filled.entered, faults: filled.faults))\
      <p class="hint">\(t("可用的列：", "Columns: "))\(columns, { "<code>\($0.column)</code> \($0.name) " })</p></details>
      """
  }

  private static func refuse(_ request: Request, _ item: ShareRequest, _ filled: Filled) -> HTML {
    let t = request.language
    return """
      <details class="act"\(when: !filled.faults.isEmpty, " open")><summary>\(t("不同意全部", "Refuse the request"))</summary>\(form(request, action: "/requests/\(item.id)/refuse", """
        \(version(item))\(field(t, Field("ground", Text("理由类别", "Ground"), .choice(RefusalGround.allCases.map { ($0.rawValue, t($0.title)) })), value: filled.entered, faults: filled.faults))\
        \(field(t, Field("basis", Text("法律依据（选第一类时必填）", "Legal basis (required for the first)"), .text(maxLength: 500), required: false), value: filled.entered, faults: filled.faults))\
        \(words(t, Text("理由", "Reasons"), required: true, filled))<button class="danger">\(t("不同意", "Refuse"))</button>
        """))</details>
      """
  }

  private static func askSupplement(_ request: Request, _ item: ShareRequest, _ filled: Filled) -> HTML {
    let t = request.language
    return """
      <details class="act"\(when: !filled.faults.isEmpty, " open")><summary>\(t("要求补正", "Ask for a supplement"))</summary>\(form(request, action: "/requests/\(item.id)/ask", """
        \(version(item))\(words(t, Text("一次性写明需要补正的全部内容", "Everything that is missing, once"), required: true, filled))<button>\(t("要求补正", "Ask"))</button>
        """))</details>
      """
  }

  private static func supplement(_ request: Request, _ item: ShareRequest, _ filled: Filled) -> HTML {
    let t = request.language
    let values =
      filled.entered.pairs.isEmpty
      ? Fields([("purpose", item.purpose), ("legalBasis", item.legalBasis)]) : filled.entered
    return """
      <section class="act"><h2>\(t("补正", "Supplement"))</h2>\(form(request, action: "/requests/\(item.id)/supplement", """
        \(version(item))\(field(t, Field("purpose", Text("使用目的", "Purpose"), .area(maxLength: Sharing.limits.purpose)), value: values, faults: filled.faults))\
        \(field(t, Field("legalBasis", Text("法律依据", "Legal basis"), .area(maxLength: Sharing.limits.legalBasis)), value: values, faults: filled.faults))\
        \(words(t, Text("补正说明", "What was added"), required: true, filled))<button class="primary">\(t("提交补正", "Submit"))</button>
        """))</section>
      """
  }
}
