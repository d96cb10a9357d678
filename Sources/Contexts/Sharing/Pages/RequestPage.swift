import Kernel
import Web

/// One request: where it stands, what was asked, what happened, and what the reader may do now.
enum RequestPage {
  static func render(
    _ request: Request, _ item: ShareRequest, _ events: [RequestStore.Event], _ grant: Grant?,
    entered: Fields = Fields(),
    refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let today = request.now.dateInChina
    return Page(
      Text(same: item.number), section: .requests, status: refusal?.status ?? 200, trail: [RequestPages.section],
      body: """
        <div class="head"><h1>\(item.number)</h1>\(badge(t(item.state.title), RequestPages.tone(item.state)))</div>
        \(faultSummary(t, refusal))
        \(grant.map { "<p class=\"notice\">\(t("授权", "Grant")) <a href=\"/grants/\($0.id)\">\($0.number)</a></p>" as HTML })
        \(facts([
          (t("资源", "Resource"), "<a href=\"/catalog/resources/\(item.resource)\">\(item.resourceName)</a>"),
          (t("申请部门", "Asker"), "\(item.consumerName) · \(item.askedByName)"), (t("提供部门", "Provider"), "\(item.providerName)"),
          (t("使用目的", "Purpose"), "\(item.purpose)"), (t("法律依据", "Legal basis"), "\(item.legalBasis)"),
          (t("办事场景", "Scene"), "\(item.scene)"), (t("共享方式", "Mode"), "\(t(item.mode.title))"),
          (t("频率", "Frequency"), "\(t(item.frequency.title))"),
          (t("期限", "Period"), "\(item.firstDay) – \(item.lastDay)"), (t("目标表", "Target table"), "<code>\(item.targetTable)</code>"),
          (t("这一步的期限", "This step is due"), RequestPages.due(item.due, today: today, t)),
        ]))
        \(actions(request, item, entered, refusal?.faults ?? []))
        \(itemsTable(item, t))
        <h2>\(t("经过", "What happened"))</h2><ol class="timeline">\(events, { event in
          "<li><time>\(event.at.minuteInChina)</time> <b>\(t(event.event.title))</b> \(event.organisation) \(event.actor)\(event.words.map { "<p>\($0)</p>" as HTML })</li>"
        })</ol>
        """)
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

  private static func actions(_ request: Request, _ item: ShareRequest, _ entered: Fields, _ faults: [Refusal.Fault])
    -> HTML
  {
    guard let principal = request.principal else { return .nothing }
    let isConsumer = principal.organisation == item.consumer
    let isProvider = principal.organisation == item.provider
    var parts: [HTML] = []
    switch item.state {
    case .ownPending where isConsumer && principal.may(.sharingApproveOwn) && !item.isAsked(by: principal):
      parts.append(
        yesNo(
          request, item, "own", Text("本部门审批", "Own approval"), Text("同意", "Approve"), Text("不同意", "Do not approve"),
          entered, faults))
    case .reviewPending where principal.may(.sharingReview):
      parts.append(
        yesNo(
          request, item, "review", Text("平台审查", "Platform's review"), Text("通过", "Pass"), Text("不通过", "Do not pass"),
          entered, faults))
    case .providerPending where isProvider && principal.may(.sharingDecide):
      parts.append(decide(request, item, entered, faults))
      parts.append(refuse(request, item, entered, faults))
      if !item.supplementAsked { parts.append(askSupplement(request, item, entered, faults)) }
    case .supplementPending where isConsumer && principal.may(.sharingRequest):
      parts.append(supplement(request, item, entered, faults))
    default: break
    }
    if item.state.isOpen, isConsumer, principal.may(.sharingRequest) {
      let t = request.language
      parts.append(
        "<details class=\"act\"><summary>\(t("撤回申请", "Withdraw"))</summary>\(form(request, action: "/requests/\(item.id)/withdraw", "\(version(item))<button class=\"danger\">\(t("撤回 \(item.number)", "Withdraw \(item.number)"))</button>"))</details>"
      )
    }
    return parts.joined()
  }

  private static func version(_ item: ShareRequest) -> HTML {
    "<input type=\"hidden\" name=\"version\" value=\"\(item.version)\">"
  }

  private static func words(_ t: Language, _ label: Text, required: Bool, _ entered: Fields, _ faults: [Refusal.Fault])
    -> HTML
  {
    field(
      t, Field("words", label, .area(maxLength: Sharing.limits.words), required: required), value: entered,
      faults: faults)
  }

  private static func yesNo(
    _ request: Request, _ item: ShareRequest, _ path: String, _ title: Text, _ yes: Text, _ no: Text, _ entered: Fields,
    _ faults: [Refusal.Fault]
  ) -> HTML {
    let t = request.language
    return """
      <section class="act"><h2>\(t(title))</h2>\(form(request, action: "/requests/\(item.id)/\(path)", """
        \(version(item))\(words(t, Text("意见（不同意时必填）", "Words (required when not approving)"), required: false, entered, faults))\
        <button class="primary" name="answer" value="yes">\(t(yes))</button> <button name="answer" value="no">\(t(no))</button>
        """))</section>
      """
  }

  private static func decide(_ request: Request, _ item: ShareRequest, _ entered: Fields, _ faults: [Refusal.Fault])
    -> HTML
  {
    let t = request.language
    let rows: [HTML] = item.items.map { line in
      let id = line.item.text
      let isOff = entered["approve-\(id)"] == nil && !entered.pairs.isEmpty
      let mask = entered["mask-\(id)"] ?? Mask.none.encoded
      return """
        <tr><td>\(line.name)\(when: line.isKey, " \(badge(t("主键", "key")))")</td>\
        <td><label class="tick"><input type="checkbox" name="approve-\(id)" value="yes"\(when: !isOff, " checked")> \(t("同意", "Approve"))</label></td>\
        <td><select id="mask-\(id)" name="mask-\(id)" aria-label="\(t("交付方式", "Delivered")): \(line.name)">\(Mask.offered, { "<option value=\"\($0.encoded)\"\(when: $0.encoded == mask, " selected")>\(t($0.title))</option>" })</select></td>\
        <td><input id="reason-\(id)" name="reason-\(id)" maxlength="200" value="\(entered["reason-\(id)"] ?? "")" aria-label="\(t("理由", "Reason")): \(line.name)"></td></tr>
        """
    }
    return """
      <section class="act" id="items"><h2>\(t("逐项审批", "Decide on each item"))</h2>\(form(request, action: "/requests/\(item.id)/decide", """
        \(version(item))\(table(caption: t("申请的信息项", "Items asked for"), head: [t("信息项", "Item"), t("决定", "Decision"), t("交付方式", "Delivered as"), t("不同意的理由", "Reason if not")], rows: rows.joined(), empty: ""))\
        \(words(t, Text("附言", "Words"), required: false, entered, faults))<button class="primary">\(t("按以上决定授权", "Grant as decided"))</button>
        """))</section>
      """
  }

  private static func refuse(_ request: Request, _ item: ShareRequest, _ entered: Fields, _ faults: [Refusal.Fault])
    -> HTML
  {
    let t = request.language
    return """
      <details class="act"><summary>\(t("不同意全部", "Refuse the request"))</summary>\(form(request, action: "/requests/\(item.id)/refuse", """
        \(version(item))\(field(t, Field("ground", Text("理由类别", "Ground"), .choice(RefusalGround.allCases.map { ($0.rawValue, t($0.title)) })), value: entered, faults: faults))\
        \(field(t, Field("basis", Text("法律依据（选第一类时必填）", "Legal basis (required for the first)"), .text(maxLength: 500), required: false), value: entered, faults: faults))\
        \(words(t, Text("理由", "Reasons"), required: true, entered, faults))<button class="danger">\(t("不同意", "Refuse"))</button>
        """))</details>
      """
  }

  private static func askSupplement(
    _ request: Request, _ item: ShareRequest, _ entered: Fields, _ faults: [Refusal.Fault]
  ) -> HTML {
    let t = request.language
    return """
      <details class="act"><summary>\(t("要求补正", "Ask for a supplement"))</summary>\(form(request, action: "/requests/\(item.id)/ask", """
        \(version(item))\(words(t, Text("一次性写明需要补正的全部内容", "Everything that is missing, once"), required: true, entered, faults))<button>\(t("要求补正", "Ask"))</button>
        """))</details>
      """
  }

  private static func supplement(_ request: Request, _ item: ShareRequest, _ entered: Fields, _ faults: [Refusal.Fault])
    -> HTML
  {
    let t = request.language
    let values = entered.pairs.isEmpty ? Fields([("purpose", item.purpose), ("legalBasis", item.legalBasis)]) : entered
    return """
      <section class="act"><h2>\(t("补正", "Supplement"))</h2>\(form(request, action: "/requests/\(item.id)/supplement", """
        \(version(item))\(field(t, Field("purpose", Text("使用目的", "Purpose"), .area(maxLength: Sharing.limits.purpose)), value: values, faults: faults))\
        \(field(t, Field("legalBasis", Text("法律依据", "Legal basis"), .area(maxLength: Sharing.limits.legalBasis)), value: values, faults: faults))\
        \(words(t, Text("补正说明", "What was added"), required: true, entered, faults))<button class="primary">\(t("提交补正", "Submit"))</button>
        """))</section>
      """
  }
}
