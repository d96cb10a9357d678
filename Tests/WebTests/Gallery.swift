import Kernel
import Web

/// Every piece that pages are made of, once: what the browser looks at, and what the tests read.
enum Gallery {
  static let now = Instant("2026-08-22T09:30:00Z")!
  static let today = now.dateInChina
  static let read = Permission("catalog.read")

  static let routes = RouteTable(
    ["/", "/inbox", "/systems", "/catalog", "/requests", "/grants", "/deliveries", "/audit", "/people", "/account"].map
    {
      Route.get($0, $0 == "/people" ? .permission(Permission("people.manage")) : .signedIn) { _ in .plain("") }
    } + [.get("/sign-in", .anyone) { _ in .plain("") }])

  static func request(_ language: Language, signedIn: Bool = true) -> Request {
    let t = language
    var request = Request(method: .get, path: "/catalog", now: now)
    request.language = language
    request.query = Fields([("q", t("法人", "legal"))])
    guard signedIn else { return request }
    request.principal = Principal(
      person: .make(at: now), name: t("马晓燕", "Ma Xiaoyan"), organisation: .make(at: now),
      organisationName: t("青海省民政厅", "Civil Affairs Department"), permissions: [read])
    request.session = SessionView(csrfToken: "0123456789abcdef", waiting: 3, startedAt: now)
    request.flash = Text("已提交申请。", "The request was sent.")
    return request
  }

  static func document(_ language: Language, signedIn: Bool = true) -> String {
    let t = language
    let page = Page(
      Text("企业法人登记信息", "Registered legal persons"), section: .catalog,
      trail: [(Text("数据目录", "Catalogue"), "/catalog")], refresh: 5,
      body: body(t, request(t, signedIn: signedIn)))
    return Layout(table: routes, imprint: Text("青海省节点 0.2", "Qinghai node 0.2")).render(
      page, request: request(t, signedIn: signedIn)
    ).text
  }

  private static func body(_ t: Language, _ request: Request) -> HTML {
    heading(
      t("企业法人登记信息", "Registered legal persons"),
      state: "\(badge(t("已发布", "published"), .good)) \(badge(t("有条件共享", "on conditions")))",
      actions:
        "\(buttonLink(t("导出", "Export"), href: "/x"))\(buttonLink(t("申请使用", "Ask for it"), href: "/y", .primary))")
      + figures([
        Figure(t("条记录", "rows"), 1_234_567, href: "/rows"),
        Figure(t("件将到期", "due soon"), 3, href: "/soon", tone: .soon),
        Figure(t("件已逾期", "late"), 1, href: "/late", tone: .late),
        Figure(t("次交付成功", "deliveries made"), text: "98.7%", href: "/good", tone: .good),
      ])
      + tabs(
        label: t("资源", "Resource"),
        [
          Tab(t("概况", "Overview"), href: "#a", current: true), Tab(t("信息项", "Items"), href: "#b", count: 12),
          Tab(t("版本", "Versions"), href: "#c"),
        ]) + "<div class=\"columns\"><div>\(left(t, request))</div><div>\(right(t))</div></div>" + forms(t, request)
  }

  private static func left(_ t: Language, _ request: Request) -> HTML {
    facts([
      (t("信息资源代码", "Code"), "<code>307012030000100001/000001</code>"),
      (t("提供方", "Provider"), link(t("青海省市场监督管理局", "Market Regulation Administration"), "/o")),
      (t("更新周期", "Updated"), "\(t("每日", "daily"))"), (t("大小", "Size"), "\(byteCount(48_300_000))"),
    ])
      + filters(
        t,
        [
          Facet(
            t("共享类型", "Sharing"),
            [
              .init(t("无条件", "open"), count: 1204, href: "/1"),
              .init(t("有条件", "on conditions"), count: 88, href: "/2", chosen: true),
            ]),
          Facet(
            t("格式", "Format"), [.init("CSV", count: 41, href: "/3"), .init(t("数据库表", "table"), count: 77, href: "/4")]),
        ])
      + panel(
        t("信息项", "Items"), actions: buttonLink(t("比较版本", "Compare versions"), href: "/v"),
        form(request, action: "/decide", decisions(t) + buttons(button(t("保存决定", "Save decisions")))))
      + pager(t, previous: "/p?before=a", next: "/p?after=b", summary: t("第 21 至 40 项", "21 to 40"))
      + table(
        caption: t("空表", "Empty table"), head: [t("名称", "Name")], rows: .nothing,
        empty: emptyState(
          t("还没有授权。先在目录里找到需要的数据，再提出申请。", "No grants yet. Find the data in the catalogue first, then ask for it."),
          action: buttonLink(t("打开目录", "Open the catalogue"), href: "/catalog")))
  }

  private static func decisions(_ t: Language) -> HTML {
    let items = [
      ("name", t("企业名称", "Name"), t("字符型", "text"), 120), ("code", t("统一社会信用代码", "Credit code"), t("字符型", "text"), 18),
      ("capital", t("注册资本", "Capital"), t("数值型", "number"), 1_200_000),
    ]
    return table(
      caption: t("逐项决定", "Decide item by item"),
      columns: [
        Column(t("选择", "Pick")), Column(t("信息项", "Item"), sort: .init(href: "?sort=-name", descending: false)),
        Column(t("类型", "Type"), sort: .init(href: "?sort=type")), Column(t("长度", "Length"), numeric: true),
        Column(t("决定", "Decision")), Column(t("脱敏", "Mask")), Column(t("说明", "Note")),
      ],
      rows: items.map { item in
        """
        <tr\(when: item.0 == "code", " class=\"soon\"")><td>\(rowTick(name: "items", value: item.0, label: t("选择 \(item.1)", "Pick \(item.1)"), checked: item.0 != "capital"))</td>\
        <th scope="row">\(item.1)</th><td>\(item.2)</td>\(numberCell(item.3, href: "/rows"))\
        <td>\(rowChoice(name: "decision.\(item.0)", label: t("\(item.1)的决定", "Decision on \(item.1)"), options: [("yes", t("同意", "Grant")), ("no", t("拒绝", "Refuse"))], value: item.0 == "capital" ? "no" : "yes"))</td>\
        <td>\(rowSelect(name: "mask.\(item.0)", label: t("\(item.1)的脱敏", "Mask \(item.1)"), options: [("", t("不脱敏", "as it is")), ("middle", t("隐去中段", "hide the middle"))], value: item.0 == "code" ? "middle" : ""))</td>\
        <td>\(rowText(name: "note.\(item.0)", label: t("\(item.1)的说明", "Note on \(item.1)"), value: nil))</td></tr>
        """
      }.joined(), empty: .nothing)
  }

  private static func right(_ t: Language) -> HTML {
    panel(
      t("办理进程", "Progress"),
      steps(
        t, label: t("申请的进程", "The request's way"),
        [
          Step(t("提出申请", "Asked"), .done, at: now - .seconds(3 * 86400), who: t("马晓燕", "Ma Xiaoyan")),
          Step(t("本单位审核", "Own office's approval"), .done, at: now - .seconds(86400), who: t("李处长", "Li")),
          Step(
            t("提供方答复", "Provider's answer"), .current, at: now - .seconds(3600), who: t("市场监督管理局", "Market Regulation"),
            due: Due(
              today + 2, isProvisional: true,
              explanation: [
                Text("自 2026-08-21 的次日起 10 个工作日", "10 working days from the day after 2026-08-21"),
                Text("2026-08-22 至 2026-08-23：周末，不计入", "2026-08-22 to 2026-08-23: weekend, not counted"),
              ])),
          Step(t("授权生效", "Grant in force"), .waiting), Step(t("撤销", "Revoked"), .stopped, at: now),
        ], today: today))
      + panel(
        t("到期", "Due"),
        "\(dueBadge(t, Due(today + -2), today: today))<br>\(dueBadge(t, Due(today), today: today))<br>\(dueBadge(t, Due(today + 9), today: today))"
      )
      + panel(
        t("交付", "Delivery"),
        progress(t, id: "run", label: t("正在读取", "Reading"), done: 123_456, of: 200_000)
          + progress(t, id: "idle", label: t("等待中", "Waiting"), done: 0, of: nil)
          + "<p>\(t("近七天", "Seven days")) \(sparkline(title: t("每日行数", "Rows a day"), [3, 9, 4, 12, 8, 20, 18]))</p>"
          + bars(
            title: t("各部门资源", "Resources by department"),
            [
              Bar(t("市场监管", "Market"), 1204, href: "/m"), Bar(t("民政", "Civil affairs"), 388, href: "/c", tone: .soon),
              Bar(t("公安", "Police"), 0, tone: .late),
            ]))
      + panel(
        t("经过", "What happened"),
        timeline(
          t,
          [
            TimelineEvent(
              t("批准 9 项，拒绝 1 项", "9 items granted, 1 refused"), at: now, by: t("王芳", "Wang Fang"), tone: .good,
              detail: "\(t("隐去一项的中段", "the middle of one is hidden"))"),
            TimelineEvent(t("退回更正", "Sent back"), at: now - .seconds(90_000), by: t("王芳", "Wang Fang"), tone: .late),
            TimelineEvent(t("提出申请", "Asked"), at: now - .seconds(200_000), by: t("马晓燕", "Ma Xiaoyan")),
          ])
          + "<p>\(time(t, now - .seconds(7200), now: now)) · \(searchHighlight(t("企业法人登记", "Legal persons"), [t("法人", "legal")]))</p>"
      )
      + note(.soon, "<p>\(t("2027 年放假安排尚未公布。", "The holidays of 2027 are not announced yet."))</p>")
      + note(.late, "<p>\(t("授权已撤销。", "The grant is revoked."))</p>")
  }

  private static func forms(_ t: Language, _ request: Request) -> HTML {
    let refusal = Refusal.invalid(
      "gallery",
      [.init("purpose", Text("请写明用途。", "Say what it is for.")), .init("mode", Text("请选择方式。", "Choose a mode."))])
    let value = Fields([("title", t("低保核对", "Allowance check")), ("ticks", "b"), ("until", "2026-12-31")])
    let fields: [Field] = [
      Field("title", Text("名称", "Title"), hint: Text("十个字以内说清楚。", "A few words.")),
      Field("purpose", Text("用途", "Purpose"), .area(maxLength: 500)),
      Field(
        "organisation", Text("单位", "Organisation"), .choice((1...20).map { ("\($0)", t("单位 \($0)", "Office \($0)")) })),
      Field("mode", Text("方式", "Mode"), .radio([("once", t("一次", "once")), ("daily", t("每日", "daily"))])),
      Field(
        "ticks", Text("范围", "Scope"), .ticks([("a", t("省级", "province")), ("b", t("市州", "prefectures"))]),
        required: false),
      Field("until", Text("截止", "Until"), .date), Field("count", Text("次数", "Times"), .number(1...99), required: false),
      Field("secret", Text("密码", "Password"), .password), Field("code", Text("验证码", "Code"), .oneTimeCode),
      Field("file", Text("附件", "File"), .file, required: false),
    ]
    return panel(
      t("表单", "Form"),
      faultSummary(t, refusal)
        + form(
          request, action: "/save",
          fields.map { field(t, $0, value: value, faults: refusal.faults) }.joined()
            + buttons(button(t("提交", "Send")), button(t("存为草稿", "Keep as a draft"), .plain, name: "draft", value: "1")))
    )
      + confirmForm(
        request, action: "/revoke", question: Text("撤销这项授权？", "Revoke this grant?"),
        touches: ["\(t("下一次交付（今晚 22:00）将不再进行", "The next delivery, tonight at 22:00, will not happen"))"],
        fields: field(t, Field("reason", Text("理由", "Reason")), value: Fields()), button: Text("撤销授权", "Revoke it"),
        cancel: "/grants")
      + details(t("更多", "More"), "<pre>SELECT 1</pre>")
  }
}
