import Connecting
import Inventory
import Kernel
import Web

/// The servers that front-end databases stand on.
enum ServerPages {
  private static let section: (label: Text, href: String) = (Text("前置库服务器", "Servers"), FrontNodeLink.servers)

  static func list(_ request: Request, _ servers: [FrontServer], _ kinds: [ConnectorKind]) -> Page {
    let t = request.language
    let add = kinds.map { kind in
      buttonLink(t("登记 \(kind.title.chinese)", "Add \(kind.title.english)"), href: FrontNodeLink.newServer(kind.name))
    }.joined(" ")
    return Page(
      section.label, section: .systems, trail: [NodeListPage.section],
      body: """
        \(heading(t("前置库服务器", "Servers of front-end databases"), actions: add))\
        <p>\(t("平台用这里登记的账号为部门建库、停用和清除；该账号需要建库和建账号的权限。服务器请专用于前置库。", "The platform makes, closes and erases departments' databases with the account entered here, which must be allowed to make databases and accounts. Keep the server for this alone."))</p>\
        \(table(
          caption: t("服务器", "Servers"),
          columns: [
            Column(t("名称", "Name")), Column(t("类型", "Kind")), Column(t("部署区域", "Area")), Column(t("部门访问地址", "Place for offices")),
            Column(t("库数", "Databases"), numeric: true), Column(t("最近测试", "Last test")), Column(t("操作", "Actions")),
          ],
          rows: servers.map { row(request, $0, kinds) }.joined(),
          empty: emptyState(t("还没有服务器。登记一台，前置库就能自动建立。", "No server yet. Add one, and databases are made by themselves."))))
        """)
  }

  private static func row(_ request: Request, _ server: FrontServer, _ kinds: [ConnectorKind]) -> HTML {
    let t = request.language
    let kind = kinds.first { $0.name == server.kind }
    let place = server.shownPlace ?? kind?.hosting?.place(server.settings) ?? "—"
    return """
      <tr><td>\(server.name)\(when: server.isClosed, " \(badge(t("停止分配", "Not for new ones")))")</td><td>\(t(kind?.title ?? Text(same: server.kind)))</td>\
      <td>\(t(server.area.title))</td><td class="code">\(place)</td>\(numberCell(server.nodes, href: FrontNodeLink.list))<td>\(test(t, server))</td>\
      <td class="actions">\(form(request, action: FrontNodeLink.server(server.id) + "/probe", button(t("测试连接", "Test connection"), .plain)))\
      <a href="\(FrontNodeLink.server(server.id))/edit">\(t("修改", "Edit"))</a></td></tr>
      """
  }

  private static func test(_ t: Language, _ server: FrontServer) -> HTML {
    guard let probe = server.lastProbe else { return badge(t("未测试", "Not tested")) }
    if let product = probe.product {
      return """
        \(badge(t("可建库", "Can host"), .good)) \(product) \(time(probe.at))\
        \(when: !probe.isProtected, "<br><span class=\"muted\">\(t("链路未加密", "connection not encrypted"))</span>")
        """
    }
    return "\(badge(t("失败", "Failed"), .late)) \(time(probe.at))<br>\(probe.failure.map { t($0) } ?? "")"
  }

  static func edit(
    _ request: Request, kind: ConnectorKind, editing: FrontServer?, values: Fields, refusal: Refusal?
  ) -> Page {
    let t = request.language
    let faults = refusal?.faults ?? []
    let title =
      editing.map { Text(same: $0.name) }
      ?? Text("登记 \(kind.title.chinese) 服务器", "Add a server of \(kind.title.english)")
    let about = [
      Field("name", Text("名称", "Name"), .text(maxLength: 64)),
      Field("area", Text("部署区域", "Area"), .choice(FrontNode.Area.allCases.map { ($0.rawValue, t($0.title)) })),
      Field(
        "shownPlace", Text("部门访问地址", "Place for offices"), .text(maxLength: 260), required: false,
        hint: Text(
          "与下面的地址不同时填写，如经端口映射：10.9.0.3:5432。",
          "Where it differs from the address below, by a port mapping for instance: 10.9.0.3:5432.")),
    ].map { field(t, $0, value: values, faults: faults) }.joined()
    let settings = (kind.hosting?.serverSettings ?? []).map { setting in
      field(t, settingField(t, setting, isKept: setting.isSecret && editing != nil), value: values, faults: faults)
    }.joined()
    let closing: HTML =
      editing.map { _ in
        field(
          t,
          Field(
            "closed", Text("使用", "Use"), .ticks([("yes", t("不再分配新库", "No new databases"))]), required: false,
            saysOptional: false),
          value: values)
      } ?? .nothing
    return Page(
      title, section: .systems, status: refusal?.status ?? 200, trail: [NodeListPage.section, section],
      body: """
        <h1>\(t(title))</h1>\(faultSummary(t, refusal))\
        \(form(request, action: editing.map { FrontNodeLink.server($0.id) } ?? FrontNodeLink.servers, """
          <input type="hidden" name="kind" value="\(kind.name)">\
          \(editing.map { "<input type=\"hidden\" name=\"version\" value=\"\($0.version)\">" as HTML })\
          \(about)\(settings)\(closing)\(buttons(button(t("保存", "Save")), buttonLink(t("返回", "Back"), href: FrontNodeLink.servers)))
          """))
        """)
  }

  static func values(of server: FrontServer) -> Fields {
    var values = Fields([
      ("name", server.name), ("area", server.area.rawValue), ("shownPlace", server.shownPlace ?? ""),
    ])
    if server.isClosed { values.pairs.append(("closed", "yes")) }
    for (name, value) in server.settings { values.pairs.append(("setting.\(name)", value)) }
    return values
  }

  static func draft(_ form: Fields, _ kind: ConnectorKind) -> FrontServerDraft {
    FrontServerDraft(
      name: form["name"] ?? "", kind: kind.name, area: FrontNode.Area(rawValue: form["area"] ?? "") ?? .inner,
      settings: enteredSettings(form, kind.hosting?.serverSettings ?? []), shownPlace: form["shownPlace"] ?? "",
      isClosed: form["closed"] == "yes")
  }
}
