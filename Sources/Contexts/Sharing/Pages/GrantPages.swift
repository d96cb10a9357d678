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
            <td>\(grant.consumerName)</td><td>\(grant.firstDay) – \(grant.lastDay)</td><td>\(badge(t(grant.state.title), tone(grant.state)))</td></tr>
            """
          }.joined(), empty: "<p>\(t("还没有授权。申请经提供部门同意后成为授权。", "No grant yet. A request that the provider approves becomes one."))</p>"))
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
        <div class="head"><h1>\(grant.number)</h1>\(badge(t(grant.state.title), tone(grant.state)))</div>\(faultSummary(t, refusal))
        \(when: grant.state != .active, "<p class=\"notice\">\(grant.endedAt?.minuteInChina ?? "") \(grant.endedBy ?? "")：\(grant.endedWhy ?? "")</p>")
        \(facts([
          (t("资源", "Resource"), "<a href=\"/catalog/resources/\(grant.resource)\">\(grant.resourceName)</a>"),
          (t("提供部门", "Provider"), "\(grant.providerName)"), (t("使用部门", "Consumer"), "\(grant.consumerName)"),
          (t("使用目的", "Purpose"), "\(grant.purpose)"), (t("法律依据", "Legal basis"), "\(grant.legalBasis)"),
          (t("办事场景", "Scene"), "\(grant.scene)"), (t("共享方式", "Mode"), "\(t(grant.mode.title))"),
          (t("频率", "Frequency"), "\(t(grant.frequency.title))"),
          (t("期限", "Period"), "\(grant.firstDay) – \(grant.lastDay)"), (t("目标表", "Target table"), "<code>\(grant.targetTable)</code>"),
          (t("由申请", "From request"), "<a href=\"/requests/\(grant.request)\">\(t("查看", "See it"))</a>"),
        ]))
        <p class="actions"><a class="button" href="/deliveries?grant=\(grant.id)">\(t("交换记录", "Deliveries"))</a> \
        \(when: readsAudit, "<a class=\"button\" href=\"/audit?grant=\(grant.id)\">\(t("审计记录", "Audit records"))</a>")</p>
        \(when: grant.state == .active && (principal?.permissions.contains(Permission("exchange.run")) ?? false), form(request, action: "/grants/\(grant.id)/deliver", "<button class=\"primary\">\(t("现在交换一次", "Deliver now"))</button>"))
        \(table(
          caption: t("授权的信息项", "Items granted"), head: [t("信息项", "Item"), t("列", "Column"), t("交付方式", "Delivered as")],
          rows: grant.items.map {
            "<tr><td>\($0.name)\(when: $0.isKey, " \(badge(t("主键", "key")))")</td><td><code>\($0.column)</code></td><td>\(t($0.mask.title))</td></tr>"
          }.joined(), empty: ""))
        \(when: orders && grant.state != .revoked, order(request, grant))
        """)
  }

  private static func order(_ request: Request, _ grant: Grant) -> HTML {
    let t = request.language
    let orders: [GrantOrder] = grant.state == .active ? [.suspend, .revoke] : [.resume, .revoke]
    return """
      <section class="act"><h2>\(t("暂停或撤销", "Suspend or revoke"))</h2>\
      <p>\(t("将立即停止向 \(grant.consumerName) 的所有交换，正在进行的在下一批提交前停下。撤销后不能恢复。", "Stops every delivery to \(grant.consumerName) at once; one under way stops before its next commit. A revoked grant cannot be resumed."))</p>\
      \(form(request, action: "/grants/\(grant.id)/order", """
        <input type="hidden" name="version" value="\(grant.version)">\
        \(field(t, Field("words", Text("理由", "Reason"), .area(maxLength: Sharing.limits.words)), value: Fields()))\
        \(orders, { "<button name=\"order\" value=\"\($0.rawValue)\"\(when: $0 == .revoke, " class=\"danger\"")>\(t($0.title)) \(grant.number)</button> " })
        """))</section>
      """
  }
}
