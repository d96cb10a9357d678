import Audit
import Kernel
import Web

enum GrantPages {
  static let section: (label: Text, href: String) = (Text("授权", "Grants"), "/grants")

  static func tone(_ state: Grant.State) -> Tone {
    switch state {
    case .active: .good
    case .suspended: .soon
    case .revoked: .late
    }
  }

  static func list(_ request: Request, _ grants: [Grant], next: GrantID?) -> Page {
    let t = request.language
    return Page(
      section.label, section: .grants,
      body: """
        <h1>\(t(section.label))</h1>
        \(table(
          caption: t("授权", "Grants"),
          head: [t("编号", "Number"), t("资源", "Resource"), t("提供部门", "Provider"), t("使用部门", "Consumer"), t("期限", "Period"), t("状态", "State")],
          rows: grants.map { grant in
            """
            <tr><td><a href="/grants/\(grant.id)">\(grant.number)</a></td><td>\(grant.resourceName)</td><td>\(grant.providerName)</td>\
            <td>\(grant.consumerName)</td><td>\(period(grant.firstDay, grant.lastDay))</td><td>\(badge(t(grant.state.title), tone(grant.state)))</td></tr>
            """
          }.joined(), empty: emptyState(
            t("还没有授权。申请经提供部门同意后成为授权。", "No grant yet. A request that the provider approves becomes one."),
            action: buttonLink(t("查看申请", "See the requests"), href: "/requests"))))
        \(next.map { "<p class=\"pager\"><a rel=\"next\" href=\"/grants?before=\($0)\">\(t("更早的", "Earlier"))</a></p>" as HTML })
        """)
  }

  static func grant(_ request: Request, _ grant: Grant, refusal: Refusal? = nil) -> Page {
    let t = request.language
    let principal = request.principal
    // A link to a closed door is no help.
    let readsAudit = principal.map { $0.may(.auditRead) || $0.may(.auditReadOwn) } ?? false
    let orders =
      principal.map { $0.may(.sharingRevoke) && ($0.may(.sharingReview) || $0.organisation == grant.provider) } ?? false
    return Page(
      Text(same: grant.number), section: .grants, status: refusal?.status ?? 200, trail: [section],
      body: """
        <div class="head"><h1>\(grant.number)</h1>\(badge(t(grant.state.title), tone(grant.state)))\
        <div class="actions">\(buttonLink(t("打印", "Print"), href: "/grants/\(grant.id)/print"))</div></div>\(faultSummary(t, refusal))
        \(ended(grant, t))
        \(facts([
          (t("资源", "Resource"), "<a href=\"/catalog/resources/\(grant.resource)\">\(grant.resourceName)</a>"),
          (t("提供部门", "Provider"), "\(grant.providerName)"), (t("使用部门", "Consumer"), "\(grant.consumerName)"),
          (t("使用目的", "Purpose"), "\(grant.purpose)"), (t("法律依据", "Legal basis"), "\(grant.legalBasis)"),
          (t("办事场景", "Scene"), "\(grant.scene)"), (t("共享方式", "Mode"), "\(t(grant.mode.title))"),
          (t("频率", "Frequency"), "\(t(grant.frequency.title))"), (t("来源不再有的行", "Rows that go"), "\(t(grant.goneRows.title))"),
          (t("期限", "Period"), period(grant.firstDay, grant.lastDay)), (t("目标表", "Target table"), "<code>\(grant.targetTable)</code>"),
          (t("行范围", "Rows"), RowFilter.said(grant.rowFilter, t)),
          (t("由申请", "From request"), "<a href=\"/requests/\(grant.request)\">\(t("查看", "See it"))</a>"),
        ]))
        <p class="actions"><a class="button" href="/tasks/\(grant.id)">\(t("交换任务", "The task"))</a> \
        <a class="button" href="/deliveries?grant=\(grant.id)">\(t("交换记录", "Deliveries"))</a> \
        \(when: readsAudit, "<a class=\"button\" href=\"/audit?grant=\(grant.id)\">\(t("审计记录", "Audit records"))</a>")</p>
        \(when: grant.state == .active && (principal?.permissions.contains(Permission("exchange.run")) ?? false), form(request, action: "/grants/\(grant.id)/deliver", "<button class=\"primary\">\(t("现在交换一次", "Deliver now"))</button>") + anew(request, grant))
        \(table(
          caption: t("授权的信息项", "Items granted"), head: [t("信息项", "Item"), t("列", "Column"), t("交付方式", "Delivered as")],
          rows: grant.items.map {
            "<tr><td>\($0.name)\(when: $0.isKey, " \(badge(t("主键", "key")))")</td><td><code>\($0.column)</code></td><td>\(t($0.mask.title))</td></tr>"
          }.joined(), empty: ""))
        \(when: orders && grant.state != .revoked, order(request, grant, refusal?.faults ?? []))
        """)
  }

  /// A cursor never shows what was deleted, nor what somebody did to the target: then everything is brought anew.
  private static func anew(_ request: Request, _ grant: Grant) -> HTML {
    let t = request.language
    return """
      <details class="act"><summary>\(t("重新全量交换", "Deliver everything anew"))</summary>\
      <p>\(t("重新送达全部行，并从“\(grant.targetTable)”中移除来源已删除的行。数据量大时耗时较长。", "Brings every row again and removes from “\(grant.targetTable)” what the source no longer has. Large tables take a while."))</p>\
      \(form(request, action: "/grants/\(grant.id)/deliver", "<input type=\"hidden\" name=\"full\" value=\"yes\"><button>\(t("重新全量交换", "Deliver everything anew"))</button>"))</details>
      """
  }

  /// Since when nothing moves, on whose word, and what may be done.
  private static func ended(_ grant: Grant, _ t: Language) -> HTML {
    if grant.state == .active { return .nothing }
    let who = actor(t, grant.endedBy ?? t("平台", "the platform"), inNameOf: grant.endedFor)
    let words: HTML =
      grant.state == .suspended
      ? "\(t("由\(who)暂停，已停止向 \(grant.consumerName) 的交换；\(grant.providerName)或平台运营可以恢复或撤销。", "Suspended by \(who): nothing is delivered to \(grant.consumerName). \(grant.providerName) or the platform's operator may resume or revoke it."))"
      : "\(t("由\(who)撤销，不再交换，不能恢复；仍有需要时，由 \(grant.consumerName) 重新申请。", "Revoked by \(who): nothing is delivered any more and it cannot be resumed. \(grant.consumerName) may ask anew."))"
    return note(
      grant.state == .suspended ? .soon : .late,
      """
      <p>\(grant.endedAt.map { time($0) }) \(words)</p><p>\(t("理由：", "Reason: "))\(grant.endedWhy ?? "—")</p>
      """)
  }

  /// One reason, then the order; the one that cannot be taken back is folded away and names what it touches.
  private static func order(_ request: Request, _ grant: Grant, _ faults: [Refusal.Fault]) -> HTML {
    let t = request.language
    let isActive = grant.state == .active
    let order: GrantOrder = isActive ? .suspend : .resume
    let title = isActive ? t("暂停或撤销", "Suspend or revoke") : t("恢复或撤销", "Resume or revoke")
    let effect =
      isActive
      ? t(
        "暂停：立即停止向 \(grant.consumerName) 的所有交换，正在进行的在下一批提交前停下；之后可以恢复。",
        "Suspending stops every delivery to \(grant.consumerName) at once; one under way stops before its next commit. It can be resumed."
      )
      : t(
        "恢复：在期限（至 \(grant.lastDay)）内重新向 \(grant.consumerName) 交换 \(grant.items.count) 个信息项。",
        "Resuming delivers the \(grant.items.count) items to \(grant.consumerName) again, until \(grant.lastDay).")
    let last = t(
      "撤销 \(grant.number) 后不能恢复：\(grant.consumerName) 不再收到“\(grant.resourceName)”的 \(grant.items.count) 个信息项，已在目标表 \(grant.targetTable) 中的数据由对方依规处理；再要须重新申请、重新审批。",
      "Revoking \(grant.number) cannot be taken back: \(grant.consumerName) gets the \(grant.items.count) items of “\(grant.resourceName)” no more; what stands in its table \(grant.targetTable) is for it to deal with; it would have to ask anew."
    )
    return """
      <section class="act"><h2>\(title)</h2><p>\(effect)</p>\
      \(form(request, action: "/grants/\(grant.id)/order", """
        <input type="hidden" name="version" value="\(grant.version)">\
        \(field(t, Field("words", Text("理由", "Reason"), .area(maxLength: Sharing.limits.words)), value: request.form, faults: faults))\
        <p class="buttons"><button name="order" value="\(order.rawValue)">\(t(order.title)) \(grant.number)</button></p>\
        \(details(t("撤销（不能恢复）", "Revoke (cannot be taken back)"), """
          <p>\(last)</p><p class="buttons"><button class="danger" name="order" value="revoke">\(t("确认撤销", "Yes, revoke")) \(grant.number)</button></p>
          """))
        """))</section>
      """
  }
}
