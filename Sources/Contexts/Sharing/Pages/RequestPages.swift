import Catalog
import Deadlines
import Inventory
import Kernel
import Web

enum RequestPages {
  static let section: (label: Text, href: String) = (Text("共享申请", "Requests"), "/requests")

  static func tone(_ state: RequestState) -> Tone {
    switch state {
    case .granted: .good
    case .refused, .withdrawn: .neutral
    default: .active
    }
  }

  /// A due date as people need it: the day, how it stands, and why it is that day.
  static func due(_ due: DueDate?, today: CalendarDate, _ t: Language) -> HTML {
    guard let due else { return "—" }
    let tone: Tone = due.date < today ? .late : due.date - today <= 1 ? .soon : .neutral
    let word = due.date < today ? t("已逾期", "late") : due.date == today ? t("今天到期", "due today") : ""
    return """
      <details class="due"><summary>\(badge("\(due.date)", tone)) \(word)\(when: due.provisional, " \(badge(t("暂定", "provisional"), .soon))")</summary>\
      <ul>\(due.explanation, { "<li>\(t($0))</li>" })</ul></details>
      """
  }

  static func list(_ request: Request, _ requests: [ShareRequest], state: RequestState?, next: ShareRequestID?) -> Page
  {
    let t = request.language
    let today = request.now.dateInChina
    return Page(
      section.label, section: .requests,
      body: """
        <h1>\(t(section.label))</h1>
        <nav class="filters" aria-label="\(t("按状态", "By state"))"><a href="/requests"\(when: state == nil, " aria-current=\"true\"")>\(t("全部", "All"))</a>\
        \(RequestState.allCases, { "<a href=\"/requests?state=\($0.rawValue)\"\(when: state == $0, " aria-current=\"true\"")>\(t($0.title))</a>" })</nav>
        \(table(
          caption: t("申请", "Requests"),
          head: [t("编号", "Number"), t("资源", "Resource"), t("申请部门", "Asker"), t("提供部门", "Provider"), t("状态", "State"), t("期限", "Due")],
          rows: requests.map { item in
            """
            <tr><td><a href="/requests/\(item.id)">\(item.number)</a></td><td>\(item.resourceName)</td><td>\(item.consumerName)</td>\
            <td>\(item.providerName)</td><td>\(badge(t(item.state.title), tone(item.state)))</td><td>\(due(item.due, today: today, t))</td></tr>
            """
          }.joined(),
          empty: nothing(state, t)))
        \(next.map { "<p class=\"pager\"><a rel=\"next\" href=\"\(address("/requests", [("state", state?.rawValue), ("before", $0.text)]))\">\(t("更早的", "Earlier"))</a></p>" as HTML })
        """)
  }

  private static func nothing(_ state: RequestState?, _ t: Language) -> HTML {
    if let state {
      return emptyState(
        t("没有“\(state.title.chinese)”的申请。", "No request is “\(state.title.english)”."),
        action: buttonLink(t("查看全部申请", "Show all requests"), href: "/requests"))
    }
    return emptyState(
      t(
        "还没有申请。先在目录里找到需要的资源，勾选信息项，再点“申请这些信息项”。",
        "No request yet. Find a resource in the catalogue, tick its items, then ask for them."),
      action: buttonLink(t("去目录", "To the catalogue"), href: "/catalog"))
  }

  static func new(
    _ request: Request, _ resource: Resource, targets: [(DataSource, String)], entered: Fields, refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let faults = refusal?.faults ?? []
    let shareable = resource.items.filter { resource.sharingType(of: $0) != "3" && $0.type != nil }
    let chosen = Set(entered.all("items"))
    return Page(
      Text("申请共享", "Ask for data"), section: .requests, status: refusal?.status ?? 200, trail: [section],
      body: """
        <h1>\(t("申请", "Ask for")) \(resource.metadata.name)</h1>
        <p class="hint">\(t("提供部门", "Provider"))\(t.colon)\(resource.providerName) · \(t("共享条件", "Condition"))\(t.colon)\(resource.metadata.sharingCondition)</p>
        \(faultSummary(t, refusal))
        \(when: targets.isEmpty, "<p class=\"faults\">\(t("本单位还没有登记接收库。请数据管理员先在“信息系统”中登记数据源。", "Your organisation has no data source to receive into. Ask your data officer to register one under Systems."))</p>")
        \(form(request, action: "/requests/new", """
          <input type="hidden" name="resource" value="\(resource.id)"><input type="hidden" name="form" value="\(entered["form"] ?? "")">
          <fieldset id="items"><legend>\(t("需要哪些信息项", "Which items"))</legend><p class="hint">\(t("只选履职必需的；提供部门逐项审批。主键必选。", "Only what the duty needs; the provider decides on each. The key is required."))</p>
          <div class="ticks columns">\(shareable, { item in
            "<label><input type=\"checkbox\" name=\"items\" value=\"\(item.id)\"\(when: item.isKey || chosen.contains(item.id.text), " checked")> \(item.name)\(when: item.isKey, " \(badge(t("主键", "key")))")</label>"
          })</div></fieldset>
          \(field(t, Field("purpose", Text("使用目的", "Purpose"), .area(maxLength: Sharing.limits.purpose), hint: Text("办什么事、为什么需要这些数据", "What is done with the data, and why it is needed")), value: entered, faults: faults))\
          \(field(t, Field("legalBasis", Text("法律依据", "Legal basis"), .area(maxLength: Sharing.limits.legalBasis), hint: Text("法规名称和条款", "Name and article")), value: entered, faults: faults))\
          \(field(t, Field("scene", Text("办事场景", "Scene"), .text(maxLength: Sharing.limits.scene)), value: entered, faults: faults))\
          \(field(t, Field("mode", Text("共享方式", "Mode"), .choice(SharingMode.allCases.map { ($0.rawValue, t($0.title)) })), value: entered, faults: faults))\
          \(field(t, Field("frequency", Text("频率", "Frequency"), .choice(Frequency.allCases.map { ($0.rawValue, t($0.title)) })), value: entered, faults: faults))\
          \(field(t, Field("firstDay", Text("使用期限自", "From"), .date), value: entered, faults: faults))\
          \(field(t, Field("lastDay", Text("至（含）", "To, included"), .date), value: entered, faults: faults))\
          \(field(t, Field("target", Text("接收库", "Receiving source"), .choice(targets.map { ($0.0.id.text, "\($0.1) · \($0.0.name)") })), value: entered, faults: faults))\
          \(field(t, Field("targetTable", Text("目标表名", "Target table"), .text(maxLength: Sharing.limits.table), hint: Text("平台在接收库里建立并维护这张表", "The platform makes and keeps this table in the receiving source")), value: entered, faults: faults))\
          \(field(t, Field("goneRows", Text("来源不再有的行", "Rows that go"), .choice(GoneRows.allCases.map { ($0.rawValue, t($0.title)) })), value: entered, faults: faults))\
          <button class="primary">\(t("提交给本部门负责人审批", "Submit for your leader's approval"))</button>
          """))
        """)
  }
}
