package import Kernel

/// What surrounds every page: where one is, where one may go, who one is.
package struct Layout: Sendable {
  let table: RouteTable
  package let assets: Assets
  /// Said in the footer: which node this is and which version it runs.
  package var imprint: Text

  package init(table: RouteTable, assets: Assets = .site, imprint: Text = Text(same: "")) {
    self.table = table
    self.assets = assets
    self.imprint = imprint
  }

  /// The whole document.
  package func render(_ page: Page, request: Request) -> HTML {
    let t = request.language
    return """
      <!DOCTYPE html>
      <html lang="\(t.rawValue)"><head><meta charset="utf-8">\
      <meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">\
      \(page.refresh.map { "<noscript><meta http-equiv=\"refresh\" content=\"\($0)\"></noscript>" as HTML })\
      <title>\(t(page.title)) · \(t("三江", "Sanjiang"))</title>\
      <link rel="icon" href="\(assets.address("icon.svg"))" type="image/svg+xml">\
      <link rel="stylesheet" href="\(assets.address("site.css"))">\
      <script src="\(assets.address("site.js"))" defer></script></head>
      <body><a class="skip" href="#main">\(t("跳到正文", "Skip to content"))</a>
      \(header(page, request))
      <main id="main" tabindex="-1">\(trail(page, request))\
      \(request.flash.map { "<div class=\"flash\" role=\"status\">\(t($0))</div>" as HTML })\
      \(when: !page.body.text.contains("<h1"), "<h1>\(t(page.title))</h1>")\(page.body)</main>
      <footer class="site"><div class="wide"><span>\(t("三江 · 省级政务数据编目、共享与交换平台", "Sanjiang · cataloguing, sharing and exchanging a province's government data"))</span>\
      \(when: !t(imprint).isEmpty, "<span>\(t(imprint))</span>")</div></footer></body></html>
      """
  }

  private func header(_ page: Page, _ request: Request) -> HTML {
    let t = request.language
    let links = Section.allCases.filter { allows($0.address, request) }
    let within = page.section.map { sectionPages($0, page, request) } ?? .nothing
    func list(_ below: HTML) -> HTML {
      """
      <ul>\(links, { section in
        """
        <li><a href="\(section.address)"\(when: section == page.section, " aria-current=\"\(request.path == section.address ? "page" : "true")\"")>\
        \(t(section.label))</a>\(when: section == page.section, below)</li>
        """
      })</ul>
      """
    }
    return """
      <header class="site"><div class="wide bar"><a class="brand" href="/">\(rivers)<span>\(t("三江", "Sanjiang"))</span></a>\
      \(when: allows("/catalog", request), """
        <form class="search" role="search" action="/catalog"><label class="unseen" for="site-search">\(t("搜索数据目录", "Search the catalogue"))</label>\
        <input id="site-search" type="search" name="q" maxlength="200" placeholder="\(t("搜索数据目录", "Search the catalogue"))" \
        value="\(request.path == "/catalog" ? request.query["q"] ?? "" : "")"><button>\(t("搜索", "Search"))</button></form>
        """)<div class="me">\(inbox(request))\(visitor(request))\(languageSwitch(page, request))</div></div>\
      \(when: links.count > 1, """
        <nav class="spine" aria-label="\(t("主导航", "Main"))"><div class="wide">\(list(.nothing))</div></nav>\
        \(when: !within.text.isEmpty, "<nav class=\"within\" aria-label=\"\(page.section.map { t($0.label) } ?? "")\"><div class=\"wide\">\(within)</div></nav>")\
        <details class="menu"><summary>\(t("菜单", "Menu"))</summary><nav aria-label="\(t("菜单", "Menu"))">\(list(within))</nav></details>
        """)\(standingIn(request))</header>
      """
  }

  /// The pages that the section begins with and the visitor may open; nothing where there is only one.
  private func sectionPages(_ section: Section, _ page: Page, _ request: Request) -> HTML {
    let pages = section.pages.filter { allows($0.href, request) }
    guard pages.count > 1 else { return .nothing }
    let here = closest(pages.map(\.href), to: page.within ?? request.path)
    return """
      <ul>\(pages, { label, href in
        """
        <li><a href="\(href)"\(when: href == here, " aria-current=\"\(request.path == href ? "page" : "true")\"")>\
        \(request.language(label))</a></li>
        """
      })</ul>
      """
  }

  /// While somebody acts for another, every page says so.
  private func standingIn(_ request: Request) -> HTML {
    guard let principal = request.principal, principal.onBehalfOf != nil else { return .nothing }
    let t = request.language
    let other = principal.onBehalfOfName ?? t("委托人", "somebody")
    let words = t(
      "代理中：\(principal.name)正代表\(principal.organisationName)的\(other)办理，每一步都按代理记入日志。",
      "Acting as a deputy: \(principal.name) acts for \(other) of \(principal.organisationName); every step is recorded so."
    )
    return """
      <div class="acting" role="note"><div class="wide"><span>\(words)</span>\(when: allows("/account", request), """
        <a href="/account">\(t("代理的是谁", "For whom"))</a>\
        \(form(request, action: "/account/act", button(t("停止代理", "Stop acting"), .plain)))
        """)</div></div>
      """
  }

  private func inbox(_ request: Request) -> HTML {
    guard let session = request.session, allows("/inbox", request) else { return .nothing }
    let t = request.language
    let words = t("待办 \(session.waiting) 件", "\(plural(session.waiting, "task")) waiting")
    return """
      <a class="inbox" href="/inbox" aria-label="\(words)"\(when: request.path == "/inbox", " aria-current=\"page\"")>\
      \(t("待办", "To do")) <span class="count\(when: session.waiting > 0, " some")">\(grouped(session.waiting))</span></a>
      """
  }

  private func visitor(_ request: Request) -> HTML {
    let t = request.language
    guard let principal = request.principal else {
      let here = request.path == "/" || request.path.hasPrefix("/sign-") ? nil : encodedPath(request.path)
      return allows("/sign-in", request) && request.path != "/sign-in"
        ? "<a href=\"\(address("/sign-in", [("next", here)]))\">\(t("登录", "Sign in"))</a>" : .nothing
    }
    return """
      <details class="who"><summary><span class="name">\(principal.name)</span></summary><div>\
      <p>\(principal.name)<br><span class="muted">\(principal.organisationName)</span>\
      \(when: principal.onBehalfOf != nil, "<br>\(badge(t("代理", "as a deputy"), .soon))")</p>\
      \(when: allows("/account", request), "<p><a href=\"/account\">\(t("我的账号", "My account"))</a></p>")\
      \(form(request, action: "/sign-out", button(t("退出登录", "Sign out"), .plain)))</div></details>
      """
  }

  /// The same page in the other language; after a form was refused, the place it came from.
  private func languageSwitch(_ page: Page, _ request: Request) -> HTML {
    let other: Language = request.language == .chinese ? .english : .chinese
    let here = request.method == .get ? encodedPath(request.path) : page.trail.last?.href ?? "/"
    let kept =
      request.method == .get
      ? request.query.pairs.filter { $0.name != "lang" }.map { ($0.name, String?.some($0.value)) } : []
    return """
      <a class="language" href="\(address(here, kept + [("lang", other.rawValue)]))" lang="\(other.rawValue)" \
      hreflang="\(other.rawValue)" rel="nofollow">\(other("中文", "English"))</a>
      """
  }

  private func trail(_ page: Page, _ request: Request) -> HTML {
    if page.trail.isEmpty { return .nothing }
    let t = request.language
    return """
      <nav class="trail" aria-label="\(t("位置", "You are here"))"><ol>\
      \(page.trail, { "<li><a href=\"\($0.href)\">\(t($0.label))</a></li>" })\
      <li aria-current="page">\(t(page.title))</li></ol></nav>
      """
  }

  private func allows(_ path: String, _ request: Request) -> Bool {
    guard case .found(let route, _) = table.match(.get, path) else { return false }
    return route.access.allows(request.principal)
  }
}

extension Section {
  package var address: String {
    switch self {
    case .home: "/"
    case .evidence: "/audit"
    case .systems, .catalog, .requests, .grants, .deliveries, .supervision, .people: "/" + rawValue
    }
  }

  package var label: Text {
    switch self {
    case .home: Text("首页", "Home")
    case .systems: Text("信息系统", "Systems")
    case .catalog: Text("数据目录", "Catalogue")
    case .requests: Text("共享申请", "Requests")
    case .grants: Text("授权", "Grants")
    case .deliveries: Text("数据交换", "Deliveries")
    case .supervision: Text("共享监督", "Supervision")
    case .evidence: Text("存证审计", "Evidence")
    case .people: Text("人员机构", "People")
    }
  }
}

/// Three rivers that part and meet.
private let rivers: HTML = """
  <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false"><path d="M4 7c8 0 8 6 12 6s4-6 12-6M4 16c8 0 8 4 12 4s4-4 12-4M4 25c8 0 8 2 12 2s4-2 12-2"/></svg>
  """
