import Kernel
import Web

enum AccountPage {
  struct Model {
    var person: Person
    var organisation: String
    var sessions: [Session]
    /// Who stands for this person, now or later, by name.
    var arranged: [(Deputy, String)]
    var standsFor: [Person]
    var actingFor: Person?
    var colleagues: [Person]
    /// A secret not yet confirmed, and how an authenticator takes it.
    var newSecret: (hex: String, text: String)?
    /// What was sent when the session was over, and waits.
    var kept: [KeptForm] = []
  }

  static func render(_ request: Request, _ model: Model, refusal: Refusal? = nil) -> Page {
    let t = request.language
    let faults = refusal?.faults ?? []
    return Page(
      Text("我的账户", "My account"), status: refusal == nil ? 200 : 422,
      body: """
        <h1>\(t("我的账户", "My account"))</h1>\(faultSummary(t, refusal))
        \(facts([(t("用户名", "User name"), "\(model.person.login)"), (t("姓名", "Name"), "\(model.person.name)"), (t("单位", "Organisation"), "\(model.organisation)")]))
        \(kept(t, model.kept))\
        <h2>\(t("密码", "Password"))</h2><p><a href="/account/password">\(t("修改密码", "Change the password"))</a></p>
        <h2>\(t("第二因素", "Second factor"))</h2>\(secondFactor(request, model, faults))
        <h2>\(t("代理", "Deputies"))</h2>\(deputies(request, model, faults))
        <h2>\(t("应用令牌", "Application tokens"))</h2><p><a href="/account/tokens">\(t("程序调用 /api/v1 所用的令牌", "What programs of yours sign in with at /api/v1"))</a></p>
        <h2>\(t("我的会话", "My sessions"))</h2>
        \(table(
          caption: t("登录着的浏览器", "Browsers signed in"), head: [t("始于", "Since"), t("最近使用", "Last seen"), t("来自", "From"), ""],
          rows: model.sessions.map { session in
            "<tr><td>\(session.createdAt.minuteInChina)</td><td>\(session.seenAt.minuteInChina)</td><td>\(session.source)</td><td>\(form(request, action: "/account/sessions/end", "<input type=\"hidden\" name=\"session\" value=\"\(session.id)\"><button>\(t("结束", "End"))</button>"))</td></tr>"
          }.joined(), empty: ""))
        """)
  }

  private static func kept(_ t: Language, _ forms: [KeptForm]) -> HTML {
    guard !forms.isEmpty else { return .nothing }
    let lines = forms.map { kept -> HTML in
      "<li><a href=\"\(IdentityRoutes.keptForm(kept.id))\">\(kept.keptAt.minuteInChina)</a>\(t("，保留到 ", ", kept until "))\(kept.until.minuteInChina)</li>"
    }.joined()
    return """
      <h2>\(t("登录过期时提交的内容", "Sent when you were signed out"))</h2>\
      <p>\(t("没有办理，可以再次提交。", "Nothing was done with it; you may send it again."))</p><ul>\(lines)</ul>
      """
  }

  private static func secondFactor(_ request: Request, _ model: Model, _ faults: [Refusal.Fault]) -> HTML {
    let t = request.language
    if model.person.hasSecondFactor { return "<p>\(badge(t("已启用", "In use"), .good))</p>" }
    guard let secret = model.newSecret else { return .nothing }
    return """
      \(SignInPages.key(secret.text, login: model.person.login, t))\
      \(form(request, action: "/account/second-factor", "<input type=\"hidden\" name=\"secret\" value=\"\(secret.hex)\">\(field(t, Field("code", Text("六位数字", "Six digits"), .oneTimeCode), value: Fields(), faults: faults))<button>\(t("启用", "Set up"))</button>"))
      """
  }

  private static func arranged(_ request: Request, _ model: Model) -> HTML {
    let t = request.language
    return model.arranged.map { deputy, name in
      let days: HTML = "<p>\(name)\(t.colon)\(deputy.firstDay) – \(deputy.lastDay)</p>"
      let end: HTML =
        "<input type=\"hidden\" name=\"deputy\" value=\"\(deputy.id)\"><button>\(t("收回对 \(name) 的委托", "End \(name)'s deputyship"))</button>"
      return days + form(request, action: "/account/deputies/end", end)
    }.joined()
  }

  private static func deputies(_ request: Request, _ model: Model, _ faults: [Refusal.Fault]) -> HTML {
    let t = request.language
    let switching: HTML =
      if let acting = model.actingFor {
        "<p>\(t("您正在代理", "You act for")) \(acting.name)</p>\(form(request, action: "/account/act", "<input type=\"hidden\" name=\"for\" value=\"\"><button>\(t("停止代理", "Stop acting"))</button>"))"
      } else {
        model.standsFor.map { person in
          form(
            request, action: "/account/act",
            "<input type=\"hidden\" name=\"for\" value=\"\(person.id)\"><button>\(t("代理 \(person.name) 办事", "Act for \(person.name)"))</button>"
          )
        }.joined()
      }
    guard !model.colleagues.isEmpty else { return switching + arranged(request, model) }
    return """
      \(switching)\(arranged(request, model))\(form(request, action: "/account/deputies", """
        \(field(t, Field("deputy", Text("请谁代理", "Who stands for me"), .choice(model.colleagues.map { ($0.id.text, $0.name) })), value: request.form, faults: faults))\
        \(field(t, Field("from", Text("起始日", "First day"), .date), value: request.form, faults: faults))\
        \(field(t, Field("to", Text("结束日（含）", "Last day, included"), .date), value: request.form, faults: faults))\
        <button>\(t("委托", "Name as deputy"))</button>
        """))
      """
  }
}
