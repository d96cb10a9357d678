import Inventory
import Kernel
import Web

/// One node: what was asked for, where it stands, what may be done, how it has been.
enum NodePage {
  static func render(
    _ request: Request, _ view: FrontNodes.View, kindTitle: Text?, entered: Fields = Fields(), refusal: Refusal? = nil
  ) -> Page {
    let (t, node) = (request.language, view.node)
    let actions = NodeActions.html(request, view, entered: entered, faults: refusal?.faults ?? [])
    return Page(
      Text(same: node.number), section: .systems, status: refusal?.status ?? 200, trail: [NodeListPage.section],
      body: """
        \(heading("\(t(node.wish.form.title)) \(node.number)", state: NodeListPage.stateBadge(t, node.state)))\
        \(faultSummary(t, refusal))\(steps(t, label: t("办理过程", "Process"), course(t, view), today: request.now.dateInChina))\
        \(actions.isNext ? actions.html : .nothing)\(facts(said(t, view, kindTitle)))\
        \(when: node.state.isOpen, panel(t("健康", "Health"), id: "health", actions: NodeActions.check(request, node), health(t, view)))\
        \(panel(t("经过", "What happened"), id: "history", timeline(t, events(t, view))))\
        \(actions.isNext ? .nothing : actions.html)
        """)
  }

  /// The password, shown by the answer to signing and never again.
  static func password(_ request: Request, _ node: FrontNode, _ password: String) -> Page {
    let t = request.language
    let allotment = node.allotment
    return Page(
      Text("前置节点口令", "The node's password"), section: .systems,
      trail: [NodeListPage.section, (Text(same: node.number), FrontNodeLink.node(node.id))],
      body: """
        <h1>\(t("口令只显示这一次", "The password is shown this once"))</h1>\
        \(note(.soon, "<p>\(t("请现在抄入本单位的口令保管处。离开本页后，平台不再显示它，也没有人能查到。", "Put it where your organisation keeps its passwords now. After this page the platform never shows it again, and nobody can look it up."))</p>"))\
        \(facts([
          (t("地址", "Place"), "<span class=\"code\">\(allotment?.place ?? "")</span>"),
          (t("库名", "Database"), "<span class=\"code\">\(allotment?.database ?? "—")</span>"),
          (t("账号", "Account"), "<span class=\"code\">\(allotment?.account ?? "")</span>"),
          (t("口令", "Password"), "<span class=\"code\" id=\"password\">\(password)</span>"),
        ]))\
        \(when: node.source != nil, "<p>\(t("平台已用它在“\(node.systemName)”下登记了数据源，可直接用于挂接和接收共享数据。", "The platform has registered it as a data source of “\(node.systemName)”, ready to be catalogued and to receive shared data."))</p>")\
        \(buttons(buttonLink(t("我已保存", "I have kept it"), href: FrontNodeLink.node(node.id), .primary)))
        """)
  }

  // MARK: What was asked for

  private static func said(_ t: Language, _ view: FrontNodes.View, _ kind: Text?) -> [(String, HTML)] {
    let (node, wish) = (view.node, view.node.wish)
    var pairs: [(String, HTML)] = [
      (t("单位", "Organisation"), "\(node.ownerName)"),
      (t("信息系统", "System"), link(node.systemName, "/systems/\(wish.system)")),
    ]
    if let kind { pairs.append((t("数据库类型", "Kind of database"), "\(t(kind))")) }
    if let machine = wish.machine { pairs.append((t("机器配置", "Machine"), "\(machine)")) }
    pairs += [
      (t("空间", "Room"), "\(grouped(wish.room)) GB"), (t("部署区域", "Area"), "\(t(wish.area.title))"),
      (t("保护级别", "Protection grade"), "\(t("第\(["一", "二", "三", "四", "五"][wish.grade - 1])级", "Grade \(wish.grade)"))"),
      (t("申请理由", "Reason"), "\(wish.reason)"), (t("联系人", "Contact"), "\(wish.contact) \(wish.contactPhone)"),
      (t("技术负责人", "Technically responsible"), "\(wish.technician) \(wish.technicianPhone)"),
      (t("使用到", "Needed until"), wish.until.map { time($0) } ?? "\(t("长期", "It stays"))"),
    ]
    if let allotment = node.allotment {
      pairs.append((t("地址", "Place"), "<span class=\"code\">\(allotment.place)</span>"))
      if let database = allotment.database {
        pairs.append((t("库名", "Database"), "<span class=\"code\">\(database)</span>"))
      }
      pairs.append((t("账号", "Account"), "<span class=\"code\">\(allotment.account)</span>"))
      pairs.append((t("口令", "Password"), "\(password(t, view))"))
    }
    if let server = view.server {
      pairs.append((t("服务器", "Server"), link(server.name, FrontNodeLink.server(server.id) + "/edit")))
    }
    if let kept = node.keptUntil, node.state == .reclaimed {
      pairs.append((t("数据保留到", "Data kept until"), time(kept)))
      let open = t("服务器没有应答，账号尚未停用，每 5 分钟再试", "The server did not answer; the account is closed as soon as it does")
      pairs.append((t("账号", "Account"), "\(node.isLocked ? t("已停用", "Closed") : open)"))
    }
    if !view.uses.isEmpty {
      pairs.append((t("正用于", "Used by"), "<ul>\(view.uses, { "<li>\(t($0))</li>" })</ul>"))
    }
    return pairs
  }

  private static func password(_ t: Language, _ view: FrontNodes.View) -> String {
    if view.hasPassword { return t("已加密保存，签收时显示一次", "Sealed; shown once when it is signed for") }
    return view.node.source != nil
      ? t("已签收；平台只为本单位的数据源加密保存", "Signed for; kept sealed for the office's data source only")
      : t("已签收；平台不再保存", "Signed for; the platform keeps it no more")
  }

  // MARK: Its course

  private static func course(_ t: Language, _ view: FrontNodes.View) -> [Step] {
    let node = view.node
    let order: [FrontNodeState] = [.asked, .approved, .allotted, .used, .reclaimed]
    let labels = [
      t("审核", "Review"), t("分配", "Allotment"), t("签收", "Signing"), t("使用", "Use"), t("回收", "Return"),
    ]
    let (at, isOver): (Int, Bool) =
      switch node.state {
      case .asked: (0, false)
      case .refused: (0, true)
      case .approved: (1, false)
      case .withdrawn: (view.steps.contains { $0.event == "approve" } ? 1 : 0, true)
      case .allotted: (2, false)
      case .used: (3, false)
      case .returning: (4, false)
      case .reclaimed, .erased: (5, false)
      }
    let operators = t("平台运营", "Platform operator")
    let who = [operators, operators, node.ownerName, node.ownerName, operators]
    return order.indices.map { index in
      let state: Step.State = index < at ? .done : index > at ? .waiting : isOver ? .stopped : .current
      return Step(
        labels[index], state, at: index == at ? view.steps.first?.at : nil,
        who: index == at && !isOver && node.state != .used ? who[index] : nil)
    }
  }

  private static func events(_ t: Language, _ view: FrontNodes.View) -> [TimelineEvent] {
    view.steps.map { step in
      let title: Text =
        switch step.event {
        case "ask": Text("提出申请", "Asked for")
        case "renew-password": Text("更换口令", "Password renewed")
        default: FrontNodeEvent(rawValue: step.event)?.title ?? Text(same: step.event)
        }
      return TimelineEvent(
        t(title), at: step.at, by: step.actor, tone: step.event == "refuse" ? .late : .neutral, detail: "\(step.words)")
    }
  }

  // MARK: Health

  private static func health(_ t: Language, _ view: FrontNodes.View) -> HTML {
    guard let health = view.node.health else {
      return
        "<p>\(t("每 5 分钟检查一次，首次检查尚未进行。", "It is checked every five minutes; the first check is still to come."))</p>"
    }
    var pairs: [(String, HTML)] = [
      (
        t("现在", "Now"),
        "\(NodeListPage.healthBadge(t, view.node)) \(t("自", "since")) \(time(health.since))"
      ),
      (t("最近检查", "Last check"), time(health.at)),
    ]
    if let failure = health.failure { pairs.append((t("原因", "Why"), "\(t(failure))")) }
    if let use = health.use {
      pairs.append((t("已用空间", "Room in use"), "\(byteCount(use.bytes)) / \(grouped(view.node.wish.room)) GB"))
      pairs.append((t("连接数", "Connections"), "\(grouped(use.connections))"))
    }
    let checks = view.days.reduce(0) { $0 + $1.checks }
    let failures = view.days.reduce(0) { $0 + $1.failures }
    if checks > 0 {
      let share = Double(checks - failures) / Double(checks) * 100
      let percent = failures == 0 ? "100%" : "\((share * 10).rounded(.down) / 10)%"
      pairs.append(
        (
          t("近 \(view.days.count) 天可用率", "Answered, last \(plural(view.days.count, "day"))"),
          "\(percent)\(t("（\(grouped(checks)) 次检查，\(grouped(failures)) 次不通）", " (\(plural(checks, "check")), \(grouped(failures)) without an answer)"))"
        ))
    }
    return facts(pairs)
  }
}
