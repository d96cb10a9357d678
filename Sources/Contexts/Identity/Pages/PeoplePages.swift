import Kernel
import Web

enum PeoplePages {
  static func list(
    _ request: Request, people: [Person], names: [OrganisationID: String], search: String?, role: Role?, next: String?
  ) -> Page {
    let t = request.language
    return Page(
      Text("人员与角色", "People and roles"), section: .people,
      body: """
        <div class="head"><h1>\(t("人员与角色", "People and roles"))</h1>\
        \(when: request.principal?.may(.peopleManage) ?? false, "<a class=\"button primary\" href=\"/people/new\">\(t("新增人员", "Add a person"))</a>")</div>
        <p><a href="/people/tokens">\(t("全部应用令牌", "All application tokens"))</a></p>
        <form class="search fields" method="get" action="/people"><div><label for="q">\(t("姓名或用户名", "Name or user name"))</label>\
        <input id="q" name="q" value="\(search ?? "")" maxlength="50"></div><div><label for="role">\(t("角色", "Role"))</label><select id="role" name="role"><option value="">\(t("全部", "All"))</option>\
        \(Role.allCases, { "<option value=\"\($0.rawValue)\"\(when: $0 == role, " selected")>\(t($0.title))</option>" })</select></div>\
        <button>\(t("查找", "Find"))</button></form>
        \(table(
          caption: t("人员", "People"), head: [t("用户名", "User name"), t("姓名", "Name"), t("单位", "Organisation"), t("角色", "Roles"), t("状态", "State")],
          rows: people.map { person in
            """
            <tr><td><a href="/people/\(person.id)">\(person.login)</a></td><td>\(person.name)</td>\
            <td>\(names[person.organisation] ?? "")</td><td>\(roles(person.roles, t))</td>\
            <td>\(person.isActive ? badge(t("在用", "Active"), .good) : badge(t("停用", "Suspended"), .late))</td></tr>
            """
          }.joined(), empty: "<p>\(t("没有找到人员。", "Nobody found."))</p>"))
        \(next.map { "<p class=\"pager\"><a rel=\"next\" href=\"\($0)\">\(t("下一页", "Next page"))</a></p>" as HTML })
        """)
  }

  static func new(
    _ request: Request, organisations: [Organisation], entered: Fields = Fields(), refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let faults = refusal?.faults ?? []
    return Page(
      Text("新增人员", "Add a person"), section: .people, status: refusal?.status ?? 200,
      trail: [(Text("人员与角色", "People and roles"), "/people")],
      body: """
        <h1>\(t("新增人员", "Add a person"))</h1>\(faultSummary(t, refusal))
        \(form(request, action: "/people/new", """
          \(field(t, Field("login", Text("用户名", "User name"), .text(maxLength: 64), hint: Text("小写字母、数字、点、连字符", "Lower-case letters, digits, dots, hyphens")), value: entered, faults: faults))\
          \(field(t, Field("name", Text("姓名", "Name"), .text(maxLength: 50)), value: entered, faults: faults))\
          \(field(t, Field("organisation", Text("单位", "Organisation"), .choice(organisations.map { ($0.id.text, $0.name) })), value: entered, faults: faults))\
          \(rolesField(t, entered, faults))\
          <button class="primary">\(t("建立账户", "Make the account"))</button>
          """))
        """)
  }

  static func person(_ request: Request, _ person: Person, _ organisation: Organisation, refusal: Refusal? = nil)
    -> Page
  {
    let t = request.language
    let isOneself = request.principal?.person == person.id
    let manages = !isOneself && request.principal?.may(.peopleManage) ?? false
    let entered = Fields(person.roles.map { ("roles", $0.rawValue) })
    let path = "/people/\(person.id)"
    let version: HTML = "<input type=\"hidden\" name=\"version\" value=\"\(person.version)\">"
    return Page(
      Text(same: person.name), section: .people, status: refusal?.status ?? 200,
      trail: [(Text("人员与角色", "People and roles"), "/people")],
      body: """
        <h1>\(person.name)</h1>\(faultSummary(t, refusal))
        \(facts([
          (t("用户名", "User name"), "\(person.login)"),
          (t("单位", "Organisation"), "<a href=\"/organisations/\(organisation.id)\">\(organisation.name)</a>"),
          (t("角色", "Roles"), roles(person.roles, t)),
          (t("状态", "State"), person.isActive ? badge(t("在用", "Active"), .good) : badge(t("停用", "Suspended"), .late)),
          (t("第二因素", "Second factor"), "\(person.hasSecondFactor ? t("已启用", "In use") : t("未启用", "Not set up"))"),
        ]))
        <p><a href="\(address("/people/tokens", [("person", person.id.text)]))">\(t("此人的应用令牌", "This person's application tokens"))</a></p>
        \(when: isOneself && request.principal?.may(.peopleManage) ?? false, "<p class=\"muted\">\(t("这是您自己的账户：角色、密码重置和停用由另一名安全管理员办理；自己的密码在", "This is your own account: another security administrator changes its roles, resets or suspends it; your own password you change under")) <a href=\"/account\">\(t("我的账户", "My account"))</a>\(t("里修改。", "."))</p>")
        \(when: manages, """
          <h2>\(t("角色", "Roles"))</h2>\(form(request, action: path + "/roles", "\(version)\(rolesField(t, entered, refusal?.faults ?? []))<button>\(t("保存角色", "Save roles"))</button>"))
          <h2>\(t("密码", "Password"))</h2><p>\(t("产生新的一次性密码，结束此人的所有会话，撤销其应用令牌。", "Makes a new one-time password, ends all sessions of this person and revokes the application tokens."))</p>\
          \(form(request, action: path + "/reset", "<label class=\"tick\"><input type=\"checkbox\" name=\"secondFactor\" value=\"yes\"> \(t("同时取消第二因素", "Also take off the second factor"))</label><button class=\"danger\">\(t("重置 \(person.name) 的密码", "Reset \(person.name)'s password"))</button>"))
          <h2>\(person.isActive ? t("停用", "Suspend") : t("恢复", "Restore"))</h2>\
          \(when: person.isActive, "<p>\(t("结束此人的所有会话，撤销其应用令牌。", "Ends all sessions of this person and revokes the application tokens."))</p>")\
          \(form(request, action: path + "/active", "\(version)<input type=\"hidden\" name=\"active\" value=\"\(person.isActive ? "no" : "yes")\"><button class=\"danger\">\(person.isActive ? t("停用 \(person.name) 的账户", "Suspend \(person.name)'s account") : t("恢复 \(person.name) 的账户", "Restore \(person.name)'s account"))</button>"))
          """)
        """)
  }

  /// The one-time password, this once.
  static func oneTime(_ request: Request, name: String, password: String) -> Page {
    let t = request.language
    return Page(
      Text("一次性密码", "One-time password"), section: .people, trail: [(Text("人员与角色", "People and roles"), "/people")],
      body: """
        <div class="narrow"><h1>\(t("\(name) 的一次性密码", "One-time password of \(name)"))</h1><p class="secret"><code>\(password)</code></p>\
        <p>\(t("只显示这一次，请当面或通过可靠渠道转交；首次登录时须修改。", "Shown this once. Hand it over in person; it must be changed at the first sign-in."))</p>\
        <p><a href="/people">\(t("返回人员列表", "Back to the list"))</a></p></div>
        """)
  }

  private static func roles(_ roles: Set<Role>, _ t: Language) -> HTML {
    roles.sorted { $0.rawValue < $1.rawValue }.map { badge(t($0.title)) }.joined(" ")
  }

  private static func rolesField(_ t: Language, _ entered: Fields, _ faults: [Refusal.Fault]) -> HTML {
    field(
      t,
      Field(
        "roles", Text("角色", "Roles"), .ticks(Role.allCases.map { ($0.rawValue, t($0.title)) }), required: false,
        hint: Text(
          "系统、安全、审计管理员三者分立，且不兼业务角色。",
          "System, security and audit administrators are kept apart and hold no business role.")),
      value: entered, faults: faults)
  }
}
