internal import Deadlines
internal import Kernel
internal import Web

/// Before a resource is taken offline, or brought back: what hangs on it and what becomes of that, and why it is done.
func onlinePage(
  _ request: Request, _ resource: Resource, event: OnlineEvent, touches: Cataloguing.Dependents.Page, values: Fields,
  refusal: Refusal?
) -> Page {
  let t = request.language
  let isDown = event == .takeDown || event == .requestDown
  let title: Text =
    switch event {
    case .requestDown: Text("申请下架", "Ask to take offline")
    case .requestUp: Text("申请重新上线", "Ask to bring back")
    case .takeDown: Text("下架", "Take offline")
    default: Text("重新上线", "Bring back")
    }
  let question =
    isDown
    ? Text(
      "下架后查不到、不能申请，按已有授权的交换暂停；代码、版本和授权都保留，重新上线后继续。\(event.isDepartments ? "平台审核通过后生效。" : "")",
      "It is then neither found nor asked for, and deliveries under its grants stand still; its code, versions and grants stay and go on when it is back.\(event.isDepartments ? " It takes effect when the operator agrees." : "")"
    )
    : Text(
      "以原代码重新提供：可以查到和申请，按仍有效的授权继续交换。\(event.isDepartments ? "平台审核通过后生效。" : "")",
      "It is offered again under its code: found, asked for, and delivered under the grants that still hold.\(event.isDepartments ? " It takes effect when the operator agrees." : "")"
    )
  let back = CatalogLink.resource(resource.id)
  let reason = field(
    t, Field("reason", Text("理由", "Reason"), .area(maxLength: Cataloguing.reasonLimit)), value: values,
    faults: refusal?.faults ?? [])
  return Page(
    title, section: .catalog, status: refusal?.status ?? 200,
    trail: [catalogTrail, (Text(same: resource.metadata.name), back)],
    body: """
      <h1>\(t(title))\(t.colon)\(resource.metadata.name)</h1>\(faultSummary(t, refusal))\
      \(when: isDown && touches.isEmpty, note(.neutral, "<p>\(t("没有申请或授权与它有关。", "No request and no grant hangs on it."))</p>"))\
      \(confirmForm(
        request, action: CatalogLink.step(resource.id, isDown ? "offline" : "online"), question: question,
        touches: counts(t, touches), fields: reason, button: title, cancel: back))\
      \(when: !touches.isEmpty, panel(
        t("逐件列出", "One by one"), id: "touches",
        lines(t, touches, here: CatalogLink.step(resource.id, "offline"), request)))
      """)
}

/// The operator's decision on a department's request.
func onlineRequestPage(
  _ request: Request, _ view: ResourceView, touches: Cataloguing.Dependents.Page, values: Fields, refusal: Refusal?
) -> Page {
  let t = request.language
  let resource = view.resource
  let isDown = resource.online == .downAuditing
  let title = isDown ? Text("审核下架申请", "Decide on taking offline") : Text("审核重新上线申请", "Decide on bringing back")
  let asked = view.events.first { $0.event == (isDown ? OnlineEvent.requestDown : .requestUp).rawValue }
  let decision: HTML =
    resource.online.isAuditing
    ? panel(
      t("审核决定", "Decision"),
      form(
        request, action: CatalogLink.onlineRequest(resource.id),
        """
        <input type="hidden" name="since" value="\(view.onlineSince?.description ?? "")">\
        \(field(t, Field("reason", Text("意见", "Words"), .area(maxLength: Cataloguing.reasonLimit), required: false, hint: Text("不通过时必填，提供部门会看到。", "Needed when refusing; the provider will read them.")), value: values, faults: refusal?.faults ?? []))\
        \(buttons(
          button(isDown ? t("同意下架", "Take it offline") : t("同意重新上线", "Bring it back"), name: "decision", value: "approve"),
          button(t("不通过", "Refuse"), .danger, name: "decision", value: "reject")))
        """))
    : note(
      .neutral,
      """
      <p>\(t("没有待审核的上下架申请。", "No request waits."))</p>\
      \(values["reason"].map { "<p>\(t("您填写的意见没有送达：", "Your words were not sent: "))\($0)</p>" as HTML })
      """)
  return Page(
    title, section: .catalog, status: refusal?.status ?? 200,
    trail: [catalogTrail, (Text("目录审核", "Review"), CatalogLink.queue)],
    body: """
      <h1>\(t(title))\(t.colon)\(resource.metadata.name)</h1>\(faultSummary(t, refusal))\
      \(facts([
        (t("目录", "Entry"), link(resource.metadata.name, CatalogLink.resource(resource.id))),
        (t("提供方", "Provider"), "\(resource.providerName)"), (t("状态", "State"), onlineBadge(t, resource.online)),
        (t("申请理由", "Reason given"), asked.map { "\($0.words)\(t.opening)\($0.person)\(t.comma)\(time($0.at))\(t.closing)" } ?? "—"),
        (t("办理期限", "Due"), view.onlineDue.map { dueBadge(t, Due($0.date, isProvisional: $0.provisional, explanation: $0.explanation), today: request.now.dateInChina, soon: 1) } ?? "—"),
      ]))\
      \(when: isDown, panel(
        t("下架会影响", "What taking it offline touches"), id: "touches",
        touches.isEmpty
          ? "<p>\(t("没有申请或授权与它有关。", "No request and no grant hangs on it."))</p>"
          : "<ul>\(counts(t, touches), { "<li>\($0)</li>" })</ul>\(lines(t, touches, here: CatalogLink.onlineRequest(resource.id), request))"))\
      \(decision)
      """)
}

/// How many there are of each kind; beyond the limit nobody counts.
private func counts(_ t: Language, _ touches: Cataloguing.Dependents.Page) -> [HTML] {
  touches.counts.filter { $0.number > 0 }.map { what, number in
    let isMore = number > Cataloguing.Dependents.countLimit
    let shown = grouped(min(number, Cataloguing.Dependents.countLimit))
    return "\(t(what)) <strong>\(isMore ? t("超过 \(shown)", "more than \(shown)") : shown)</strong>"
  }
}

/// One page of them, each with what becomes of it.
private func lines(
  _ t: Language, _ touches: Cataloguing.Dependents.Page, here: String, _ request: Request
) -> HTML {
  """
  <ul>\(touches.lines, { "<li>\(t($0))</li>" })</ul>\
  \(pager(
    t, previous: CatalogRoutes.dependentsPlace(request) == nil ? nil : here + "#touches",
    next: touches.next.map { address(here, [("after", $0)]) + "#touches" }))
  """
}
