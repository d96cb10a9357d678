import Catalog
import Identity
import Deadlines
import Kernel
import Web

enum CampaignPages {
  /// Every campaign, newest first; for an office its own return beside each.
  static func list(_ request: Request, _ found: [Census.Overview], next: CampaignID?, mayRun: Bool) -> Page {
    let t = request.language
    let today = request.now.dateInChina
    let rows = found.map { one in
      let campaign = one.campaign
      // What other offices returned is theirs.
      let opens = mayRun || one.own != nil
      return """
        <tr><td>\(opens ? "<a href=\"\(CensusLink.campaign(campaign.id))\">\(campaign.name)</a>" : "\(campaign.name)" as HTML)</td><td>\(campaignBadge(t, campaign.state))</td>\
        <td>\(time(campaign.referenceDay))</td><td>\(campaign.state == .closed ? time(campaign.due.date) : dueOf(t, campaign, today: today))</td>\
        <td>\(one.own.map { own in "<a href=\"\(CensusLink.owner(own.id))\">\(t("填报", "Our return"))</a> \(returnBadge(t, own.state))" as HTML } ?? "—")</td></tr>
        """ as HTML
    }.joined()
    let new = buttonLink(t("发起普查", "Open a campaign"), href: CensusLink.new, .primary)
    return Page(
      Text("六项普查", "Census of the six quantities"), section: .catalog,
      trail: [(Text("数据目录", "Catalogue"), "/catalog")],
      body: """
        \(heading(t("六项普查", "Census of the six quantities"), actions: mayRun ? new : .nothing))\
        <p>\(t("逐项资源填报数据存储总量、结构化记录总数以及其中已共享、已开放的数量；只填数字，不清楚的填 0。", "For every resource: its storage and structured records, and how much of them is shared and open. Numbers only; 0 if unknown."))</p>\
        \(table(
          caption: t("普查批次", "Campaigns"),
          head: [t("批次", "Campaign"), t("状态", "State"), t("基准日", "Reference day"), t("填报期限", "Due"), t("本单位", "Own return")],
          rows: rows,
          empty: emptyState(
            mayRun
              ? t("还没有普查。发起一批，各单位会在待办中收到填报任务。", "No campaign yet. Open one: every organisation gets a task to fill it in.")
              : t("还没有普查。平台运营发起后，填报任务会出现在待办中。", "No campaign yet. When the platform's operator opens one, a task waits in your inbox."),
            action: mayRun ? new : .nothing)))\
        \(pager(t, previous: nil, next: next.map { address(CensusLink.campaigns, [("before", $0.text)]) }))
        """)
  }

  static func new(
    _ request: Request, _ offices: [Organisation], usual: Rule?, values: Fields, refusal: Refusal?
  ) -> Page {
    let t = request.language
    let faults = refusal?.faults ?? []
    let fields: HTML = [
      Field(
        "name", Text("批次名称", "Name"), .text(maxLength: Campaign.limits.name),
        hint: Text("例如：2026 年政务信息资源普查", "such as: Census of government information resources 2026")),
      Field(
        "referenceDay", Text("基准日", "Reference day"), .date,
        hint: Text("填报这一天的数据量，不晚于今天", "the day whose numbers are asked for, today at the latest")),
      Field(
        "workingDays", Text("填报期限（工作日）", "Working days to fill it in"), .number(1...Campaign.limits.workingDays),
        hint: usual.map {
          Text(
            "\($0.amount.chinese)，从今天起算（\($0.reference.citation.chinese)）",
            "\($0.amount.english) from today (\($0.reference.citation.english))")
        }),
    ].map { field(t, $0, value: values, faults: faults) }.joined()
    let ticks = Field(
      "office", Text("填报单位", "Organisations"), .ticks(offices.map { ($0.id.text, $0.name) }),
      hint: Text("列出有已发布资源的单位", "those that have published resources"))
    return Page(
      Text("发起普查", "Open a campaign"), section: .catalog, status: refusal?.status ?? 200,
      trail: [catalogTrail, censusTrail],
      body: """
        \(faultSummary(t, refusal))\
        \(offices.isEmpty
          ? emptyState(t("还没有单位发布资源，没有可普查的内容。", "No organisation has published a resource yet; there is nothing to count."))
          : form(request, action: CensusLink.campaigns, """
            \(fields)\(field(t, ticks, value: values, faults: faults))\
            \(buttons(button(t("发起", "Open")), buttonLink(t("返回", "Back"), href: CensusLink.campaigns)))
            """))
        """)
  }

  /// Instead of the form while another campaign runs: which one, since when, and what ends it.
  static func running(_ request: Request, _ campaign: Campaign, status: Int) -> Page {
    let t = request.language
    return Page(
      Text("已有普查在进行", "A census is running"), section: .catalog, status: status, trail: [catalogTrail, censusTrail],
      body: """
        <h1>\(t("已有普查在进行", "A census is running"))</h1>\
        <p>\(t("同一时间只进行一批普查，这次没有发起新的。要发起下一批，请先结束这一批。", "One census runs at a time, and no other was opened. Close this one before you open the next."))</p>\
        \(facts([
          (t("批次", "Campaign"), link(campaign.name, CensusLink.campaign(campaign.id))),
          (t("状态", "State"), campaignBadge(t, campaign.state)),
          (t("发起", "Opened"), "\(time(campaign.openedAt)) \(campaign.openedBy)"),
          (t("基准日", "Reference day"), time(campaign.referenceDay)),
          (t("填报期限", "Due"), dueOf(t, campaign, today: request.now.dateInChina)),
        ]))\
        \(buttons(
          buttonLink(t("打开这一批", "Open it"), href: CensusLink.campaign(campaign.id), .primary),
          buttonLink(t("结束这一批", "Close it"), href: CensusLink.close(campaign.id)),
          buttonLink(t("返回", "Back"), href: CensusLink.campaigns)))
        """)
  }

  static func close(_ request: Request, _ totals: Census.Totals) -> Page {
    let t = request.language
    let campaign = totals.campaign
    let open = totals.returns.filter { $0.state != .accepted }
    let touches: [HTML] = [
      "\(t("各单位不能再填写、提交或更正，数据冻结。", "No organisation can enter, submit or correct anything more; the numbers are frozen."))",
      "\(t("\(totals.returns.count) 个单位中 \(open.count) 个尚未验收，按现状保留。", "\(open.count) of \(totals.returns.count) returns are not accepted and stay as they are."))",
    ]
    return Page(
      Text("结束普查", "Close the campaign"), section: .catalog,
      trail: [catalogTrail, censusTrail, (Text(same: campaign.name), CensusLink.campaign(campaign.id))],
      body: confirmForm(
        request, action: CensusLink.close(campaign.id),
        question: Text("结束“\(campaign.name)”？", "Close “\(campaign.name)”?"), touches: touches,
        button: Text("结束普查", "Close it"), cancel: CensusLink.campaign(campaign.id)))
  }
}
