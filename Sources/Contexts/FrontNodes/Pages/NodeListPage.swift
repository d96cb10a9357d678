import Kernel
import Web

/// Nodes of the own office, or of all; what the section's page begins with.
enum NodeListPage {
  static let section: (label: Text, href: String) = (Text("前置机与前置库", "Front-end nodes"), FrontNodeLink.list)

  static func render(_ request: Request, _ found: FrontNodes.Listing, state: FrontNodeState?) -> Page {
    let t = request.language
    let mayAsk = request.principal?.may(.frontNodesAsk) ?? false
    let manages = request.principal?.may(.frontNodesManage) ?? false
    let new = buttonLink(t("申请前置机或前置库", "Ask for a node"), href: FrontNodeLink.new, .primary)
    let all = found.counts.values.reduce(0, +)
    let views =
      [Tab(t("全部", "All"), href: FrontNodeLink.list, count: all, current: state == nil)]
      + FrontNodeState.allCases.filter { found.counts[$0] != nil || $0 == state }.map { one in
        Tab(
          t(one.title), href: address(FrontNodeLink.list, [("state", one.rawValue)]), count: found.counts[one] ?? 0,
          current: state == one)
      }
    return Page(
      Text("前置机与前置库", "Front-end nodes"), section: .systems,
      trail: [(Text("信息系统", "Information systems"), "/systems")],
      body: """
        \(heading(
          t("前置机与前置库", "Front-end machines and databases"),
          actions: "\(when: mayAsk, new)\(when: manages, buttonLink(t("前置库服务器", "Servers"), href: FrontNodeLink.servers))"))\
        <p>\(t("部门把要共享的数据放进前置库、在前置库里接收别人共享的数据，业务库不对外。平台建库、建账号，口令只在签收时显示一次。", "A department lays what it shares into its front-end database and receives there what is shared with it; its business database stays its own. The platform makes database and account, and shows the password once, when it is signed for."))</p>\
        \(tabs(label: t("按状态", "By state"), views))\
        \(table(
          caption: t("前置节点", "Nodes"),
          columns: [
            Column(t("编号", "Number")), Column(t("单位", "Organisation")), Column(t("信息系统", "System")),
            Column(t("形式", "Form")), Column(t("状态", "State")), Column(t("地址", "Place")), Column(t("健康", "Health")),
            Column(t("申请时间", "Asked")),
          ],
          rows: found.nodes.map { row(t, $0) }.joined(),
          empty: emptyState(
            state == nil ? t("还没有前置节点。", "No node yet.") : t("没有这种状态的前置节点。", "None is in this state."),
            action: mayAsk ? new : .nothing)))\
        \(pager(t, previous: nil, next: found.next.map { address(FrontNodeLink.list, [("state", state?.rawValue), ("before", $0.text)]) }))
        """)
  }

  private static func row(_ t: Language, _ node: FrontNode) -> HTML {
    """
    <tr><td class="code"><a href="\(FrontNodeLink.node(node.id))">\(node.number)</a></td><td>\(node.ownerName)</td>\
    <td>\(node.systemName)</td><td>\(t(node.wish.form.title))</td><td>\(stateBadge(t, node.state))</td>\
    <td class="code">\(node.allotment?.place ?? "—")</td><td>\(healthBadge(t, node))</td><td>\(time(node.askedAt))</td></tr>
    """
  }

  static func stateBadge(_ t: Language, _ state: FrontNodeState) -> HTML {
    let tone: Tone =
      switch state {
      case .asked, .approved, .allotted, .returning: .active
      case .used: .good
      case .refused: .late
      case .withdrawn, .reclaimed, .erased: .neutral
      }
    return badge(t(state.title), tone)
  }

  static func healthBadge(_ t: Language, _ node: FrontNode) -> HTML {
    guard node.state.isOpen else { return "—" }
    guard let health = node.health else { return badge(t("尚未检查", "Not checked yet")) }
    return health.isGood ? badge(t("正常", "Answers"), .good) : badge(t("连不上", "Does not answer"), .late)
  }
}
