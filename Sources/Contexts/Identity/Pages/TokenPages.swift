import Kernel
import Web

enum TokenPages {
  struct Own {
    var tokens: [ApplicationToken]
    /// What may be given away.
    var scopes: [Tokens.Scope]
    var titles: [Permission: Text]
    /// While acting for another nobody issues tokens.
    var isActing: Bool
  }

  private static let account: [(label: Text, href: String)] = [(Text("我的账户", "My account"), "/account")]

  static func own(_ request: Request, _ model: Own, refusal: Refusal? = nil) -> Page {
    let t = request.language
    return Page(
      Text("应用令牌", "Application tokens"), status: refusal?.status ?? 200, trail: account,
      body: """
        <h1>\(t("应用令牌", "Application tokens"))</h1>\(faultSummary(t, refusal))
        <p>\(t("程序凭令牌以您的名义调用 /api/v1。它能做的不超过所选范围，也不超过您当时的权限；您的账户停用时一并失效。令牌打不开网页。", "With a token a program calls /api/v1 in your name. It may do no more than the scopes you choose and no more than you may yourself at that moment, and dies with your account. It opens no page."))</p>
        <p><a href="/api/v1/openapi.json">\(t("接口说明（OpenAPI 3.1）", "The interface's description (OpenAPI 3.1)"))</a>\(t("：各地址、各地址所需的范围代码、收什么答什么。", ": every address, the scope's code it asks for, what it takes and answers."))</p>
        <h2>\(t("已签发", "Issued"))</h2>
        \(table(
          caption: t("我的令牌", "My tokens"),
          head: [t("名称", "Name"), t("开头", "Begins with"), t("范围", "Scopes"), t("状态", "State"), t("最近使用", "Last used"), ""],
          rows: model.tokens.map { token in
            """
            <tr><td>\(token.name)</td><td><code>\(token.hint)…</code></td>\
            <td>\(scopes(token, model.titles, t))</td><td>\(state(token, request))</td><td>\(used(token, t))</td>\
            <td>\(revoke(request, token, at: "/account/tokens"))</td></tr>
            """
          }.joined(), empty: "<p>\(t("还没有令牌。需要让程序调用接口时，在下面签发一个。", "No token yet. Issue one below when a program is to call the interface."))</p>"))
        \(issuing(request, model, refusal?.faults ?? []))
        """)
  }

  private static func issuing(_ request: Request, _ model: Own, _ faults: [Refusal.Fault]) -> HTML {
    let t = request.language
    if model.isActing {
      return "<p>\(t("代理他人期间不能签发令牌，请先停止代理。", "No token is issued while acting for another; stop acting first."))</p>"
    }
    var entered = request.form
    if entered["days"] == nil { entered.pairs.append(("days", "\(Tokens.usualDays)")) }
    let days: HTML = field(
      t,
      Field(
        "days", Text("有效期（天）", "Good for (days)"), .number(1...Tokens.longestDays),
        hint: Text("到期后须重新签发，最长一年。", "Then another has to be issued; a year at most.")),
      value: entered, faults: faults)
    return """
      <h2>\(t("签发新令牌", "Issue a token"))</h2>
      \(form(request, action: "/account/tokens", """
        \(field(t, Field("name", Text("名称", "Name"), .text(maxLength: 50), hint: Text("写明哪个系统、哪个程序使用，如“市监核心库目录同步”。", "Say which system and which program uses it.")), value: entered, faults: faults))\
        \(field(t, Field("scopes", Text("范围", "Scopes"), .ticks(model.scopes.map { ($0.permission.name, "\(t($0.title)) \($0.permission.name)") }), hint: Text("只选程序用得到的。", "Tick only what the program needs.")), value: entered, faults: faults))\
        \(days)\(buttons(button(t("签发", "Issue"))))
        """))
      """
  }

  /// The secret, this once.
  static func issued(_ request: Request, _ token: ApplicationToken, secret: String) -> Page {
    let t = request.language
    return Page(
      Text("新令牌", "New token"), trail: account + [(Text("应用令牌", "Application tokens"), "/account/tokens")],
      body: """
        <div class="narrow"><h1>\(t("令牌“\(token.name)”", "Token “\(token.name)”"))</h1><p class="secret"><code>\(secret)</code></p>\
        <p>\(t("只显示这一次，请现在存入程序的密钥库；系统不保存原文，遗失只能重新签发。", "Shown this once: put it where the program keeps its secrets. It is kept nowhere here; if it is lost, issue another."))</p>\
        <p>\(t("调用方式：", "To be sent as"))</p><pre><code>Authorization: Bearer \(TokenSecret.prefix)…</code></pre>\
        <p>\(t("有效至 ", "Good until "))\(time(token.expiresAt))</p>\
        <p><a href="/account/tokens">\(t("返回令牌列表", "Back to the tokens"))</a></p></div>
        """)
  }

  static func all(
    _ request: Request, _ tokens: [ApplicationToken], titles: [Permission: Text], names: [PersonID: String],
    of person: PersonID?, next: String?
  ) -> Page {
    let t = request.language
    let manages = request.principal?.may(.peopleManage) ?? false
    return Page(
      Text("全部应用令牌", "All application tokens"), section: .people,
      trail: [(Text("人员与角色", "People and roles"), "/people")],
      body: """
        <h1>\(t("全部应用令牌", "All application tokens"))</h1>
        \(when: person != nil, "<p>\(t("仅", "Only those of "))\(person.flatMap { names[$0] } ?? "—")\(t(" 签发的。", "."))<a href=\"/people/tokens\">\(t("显示全部", "Show all"))</a></p>")
        \(table(
          caption: t("应用令牌", "Application tokens"),
          head: [t("名称", "Name"), t("签发人", "Issuer"), t("开头", "Begins with"), t("范围", "Scopes"), t("签发时间", "Issued"), t("状态", "State"), t("最近使用", "Last used"), ""],
          rows: tokens.map { token in
            """
            <tr><td>\(token.name)</td><td><a href="/people/\(token.person)">\(names[token.person] ?? "—")</a></td>\
            <td><code>\(token.hint)…</code></td><td>\(scopes(token, titles, t))</td>\
            <td>\(time(token.createdAt))</td><td>\(state(token, request, names))</td><td>\(used(token, t))</td>\
            <td>\(when: manages, revoke(request, token, at: "/people/tokens"))</td></tr>
            """
          }.joined(), empty: "<p>\(t("没有令牌。", "There are no tokens."))</p>"))
        \(pager(t, previous: nil, next: next))
        """)
  }

  private static func scopes(_ token: ApplicationToken, _ titles: [Permission: Text], _ t: Language) -> HTML {
    token.scopes.sorted().map { badge(titles[$0].map { t($0) } ?? $0.name) }.joined(" ")
  }

  private static func state(
    _ token: ApplicationToken, _ request: Request, _ names: [PersonID: String] = [:]
  ) -> HTML {
    let t = request.language
    switch token.state(at: request.now) {
    case .active: return "\(badge(t("有效", "Good"), .good)) \(t("至 ", "until "))\(time(token.expiresAt))"
    case .expired: return "\(badge(t("已过期", "Expired"))) \(time(token.expiresAt))"
    case .revoked:
      let by = token.endedBy.flatMap { names[$0] }.map { " \($0)" } ?? ""
      return "\(badge(t("已撤销", "Revoked"), .late)) \(token.endedAt.map { time($0) })\(by)"
    }
  }

  private static func used(_ token: ApplicationToken, _ t: Language) -> HTML {
    guard let at = token.usedAt, let source = token.usedFrom else { return "\(t("从未", "never"))" }
    return "\(time(at)) \(t("来自", "from")) \(source)"
  }

  private static func revoke(_ request: Request, _ token: ApplicationToken, at place: String) -> HTML {
    guard token.state(at: request.now) == .active else { return .nothing }
    let t = request.language
    return form(
      request, action: "\(place)/\(token.id)/revoke",
      confirm: Text(
        "撤销后，使用令牌“\(token.name)”的程序立即被拒绝，不能恢复。",
        "Programs that use the token “\(token.name)” are refused at once, and this cannot be taken back."),
      button(t("撤销“\(token.name)”", "Revoke “\(token.name)”"), .danger))
  }
}
