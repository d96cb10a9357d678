import Catalog
import Deadlines
import Inventory
import Kernel
import Web

/// Lists of objections, and the form to raise one.
enum ObjectionPages {
  static func list(
    _ request: Request, _ found: [Objection], side: Feedback.Side, state: ObjectionState?, lists: CodeLists,
    next: ObjectionID?
  ) -> Page {
    let t = request.language
    func href(_ side: Feedback.Side, _ state: ObjectionState?, before: ObjectionID? = nil) -> String {
      address(
        FeedbackLink.objections, [("side", side.rawValue), ("state", state?.rawValue), ("before", before?.text)])
    }
    return Page(
      objectionsTrail.label, section: .catalog, trail: [catalogTrail],
      body: """
        <h1>\(t("目录异议与纠错", "Objections to catalogue entries"))</h1>\
        \(sideTabs(request, side))\
        <nav class="filters" aria-label="\(t("按状态", "By state"))"><a href="\(href(side, nil))"\(when: state == nil, " aria-current=\"true\"")>\(t("全部", "All"))</a>\
        \(ObjectionState.allCases, { "<a href=\"\(href(side, $0))\"\(when: state == $0, " aria-current=\"true\"")>\(t($0.title))</a>" })</nav>\
        \(rows(request, found, lists, empty: empty(t, side, isFiltered: state != nil)))\
        \(pager(t, previous: nil, next: next.map { href(side, state, before: $0) }))
        """)
  }

  static func late(_ request: Request, _ found: [Objection], lists: CodeLists, next: String?) -> Page {
    let t = request.language
    return Page(
      Text("逾期的目录异议", "Late objections"), section: .catalog, trail: [catalogTrail, objectionsTrail],
      body: """
        <h1>\(t("逾期的目录异议", "Late objections"))</h1>\(sideTabs(request, nil))\
        <p>\(t("逾期最久的在前。主管部门可直接接手协调。", "The longest late come first. The competent authority may take them up."))</p>\
        \(rows(request, found, lists, empty: emptyState(t("没有逾期的异议。", "Nothing is late."))))\
        \(pager(t, previous: nil, next: next.map { address(FeedbackLink.late, [("after", $0)]) }))
        """)
  }

  private static func sideTabs(_ request: Request, _ side: Feedback.Side?) -> HTML {
    let t = request.language
    let isAuthority = request.principal?.may(.feedbackCoordinate) ?? false
    var entries: [Tab] = []
    func add(_ label: Text, _ one: Feedback.Side) {
      entries.append(
        Tab(t(label), href: address(FeedbackLink.objections, [("side", one.rawValue)]), current: one == side))
    }
    if isAuthority {
      add(Text("全部", "All"), .all)
      entries.append(Tab(t("逾期", "Late"), href: FeedbackLink.late, current: side == nil))
    }
    add(Text("对本单位目录提出的", "Against our entries"), .received)
    add(Text("本单位提出的", "Raised by us"), .raised)
    return tabs(label: t("哪一方", "Side"), entries)
  }

  private static func rows(_ request: Request, _ found: [Objection], _ lists: CodeLists, empty: HTML) -> HTML {
    let t = request.language
    let today = request.now.dateInChina
    return table(
      caption: t("异议", "Objections"),
      head: [
        t("编号", "Number"), t("目录", "Entry"), t("类型", "Kind"), t("异议方", "Raised by"), t("提供部门", "Provider"),
        t("状态", "State"), t("期限", "Due"),
      ],
      rows: found.map { item in
        """
        <tr><td><a href="\(FeedbackLink.objection(item.id))">\(item.number)</a></td>\
        <td><a href="\(FeedbackLink.resource(item.resource))">\(item.resourceName)</a></td>\
        <td>\(t(lists["objection-kind"].text(item.kind)))</td><td>\(item.raiserName)</td><td>\(item.providerName)</td>\
        <td>\(stateBadge(t, item.state))</td><td>\(due(t, item.due, today: today, explained: false))</td></tr>
        """
      }.joined(), empty: empty)
  }

  private static func empty(_ t: Language, _ side: Feedback.Side, isFiltered: Bool) -> HTML {
    if isFiltered { return emptyState(t("没有这种状态的异议。", "No objection is in this state.")) }
    switch side {
    case .received:
      return emptyState(t("还没有部门对本单位的目录提出异议。", "No department has objected to your entries."))
    case .raised, .all:
      return emptyState(
        t(
          "还没有异议。发现目录有误时，打开该目录，点“提出异议”。",
          "No objection yet. Where an entry is wrong, open it and choose “Raise an objection”."),
        action: buttonLink(t("去目录", "To the catalogue"), href: "/catalog"))
    }
  }

  // MARK: - Raising one

  static func new(
    _ request: Request, _ resource: Resource, lists: CodeLists, reply: Rule?, entered: Fields, refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let within = reply.map {
      Text(
        "\($0.amount.chinese)（\($0.reference.citation.chinese)）",
        "\($0.amount.english) (\($0.reference.citation.english))")
    }
    let today = request.now.dateInChina
    let faults = refusal?.faults ?? []
    let kinds = lists["objection-kind"].options(t, on: today, none: t("请选择", "Choose"))
    let parts =
      [("entry", t("整条目录", "The whole entry"))]
      + lists["entry-element"].offered(on: today).map { ("element:\($0.code)", t($0.name)) }
      + resource.items.map { ("item:\($0.id)", t("信息项：\($0.name)", "Item: \($0.name)")) }
    return Page(
      Text("提出异议", "Raise an objection"), section: .catalog, status: refusal?.status ?? 200,
      trail: [catalogTrail, (Text(same: resource.metadata.name), FeedbackLink.resource(resource.id))],
      body: """
        <h1>\(t("对目录提出异议", "Object to"))\(t("：", ": "))\(resource.metadata.name)</h1>\
        <p class="hint">\(resource.providerName) · \(t("第 \(resource.version) 版", "version \(resource.version)"))\(t.stop)\
        \(within.map { t("提供部门须在 \($0.chinese) 内答复。", "The provider answers within \($0.english). ") } ?? "")\
        \(t("内容只有双方和主管部门可见，其他部门只看到“校核中”。", "Only both sides and the authority read the words; others see “in correction”."))</p>\
        \(faultSummary(t, refusal))\
        \(form(request, action: FeedbackLink.objections, """
          \(formKey(request, entered))<input type="hidden" name="resource" value="\(resource.id)">\
          \(field(t, Field("kind", Text("异议类型", "Kind"), .choice(kinds)), value: entered, faults: faults))\
          \(field(t, Field("about", Text("针对哪项内容", "What is meant"), .choice(parts)), value: entered, faults: faults))\
          \(field(t, Field("words", Text("哪里不对、应当是什么", "What is wrong, and what would be right"), .area(maxLength: Feedback.limits.words)), value: entered, faults: faults))\
          \(field(t, Field("evidence", Text("依据", "Evidence"), .area(maxLength: Feedback.limits.evidence), required: false, hint: Text("法规条款、比对结果、文号等", "Law and article, comparison, document number")), value: entered, faults: faults))\
          \(buttons(button(t("提交给提供部门", "Send to the provider")), buttonLink(t("返回", "Back"), href: FeedbackLink.resource(resource.id))))
          """))
        """)
  }
}
