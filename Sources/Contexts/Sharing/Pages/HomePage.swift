import Audit
import Catalog
import Identity
import Inbox
import Inventory
import Kernel
import Web

/// What waits for me, what is late, and where to begin.
enum HomePage {
  static func welcome(_ request: Request) -> Page {
    let t = request.language
    return Page(
      Text("三江", "Sanjiang"), section: .home,
      body: """
        <div class="welcome"><h1>\(t("三江 · 政务数据共享平台", "Sanjiang · government data sharing"))</h1>\
        <p>\(t("知道每一个政务信息系统、每一项数据资源，在有记录的法定授权之下，把对的列送到对的部门，并留下证据。", "Every government information system and every data resource known; the right columns to the right office under a recorded legal permission, with proof."))</p>\
        <p><a class="button primary" href="/sign-in">\(t("登录", "Sign in"))</a></p></div>
        """)
  }

  static func home(
    _ request: Request, _ principal: Principal, tasks: [InboxTask], count: Int, shortcuts: [(Text, String)],
    headlines: [Figure]
  ) -> Page {
    let t = request.language
    let today = request.now.dateInChina
    let late = tasks.filter { ($0.due ?? today) < today }.count
    return Page(
      Text("首页", "Home"), section: .home,
      body: """
        <h1>\(principal.name)\(t("，您好", ", welcome"))</h1>
        <p class="lead">\(principal.organisationName) · <a href="/inbox">\(t("待办 \(count) 件", "\(count) waiting"))</a>\(when: late > 0, " · \(badge(t("逾期 \(late) 件", "\(late) late"), .late))")</p>
        \(when: !headlines.isEmpty, figures(headlines))\
        \(list(t, tasks, today: today, caption: t("等我办理的", "Waiting for me"), empty: beginning(principal, t)))
        <h2>\(t("从这里开始", "Start here"))</h2><ul class="tiles">\(shortcuts, { "<li><a href=\"\($0.1)\">\(t($0.0))</a></li>" })</ul>
        """)
  }

  static func inbox(
    _ request: Request, tasks: [InboxTask], count: Int, next: String?, notices: [Notice]
  ) -> Page {
    let t = request.language
    return Page(
      Text("待办", "Inbox"), section: .home,
      body: """
        <h1>\(t("待办", "Inbox")) · \(count)</h1>\(list(t, tasks, today: request.now.dateInChina, caption: t("按期限排列", "By due date"),
          empty: emptyState(t("没有等您办理的事。有新事项时，页面上方的“待办”会显示件数。", "Nothing waits for you. The count on top of every page shows when something does."))))
        \(next.map { "<p class=\"pager\"><a rel=\"next\" href=\"/inbox?after=\($0)\">\(t("下一页", "Next page"))</a></p>" as HTML })
        \(noticeList(request, notices))
        """)
  }

  private static func list(_ t: Language, _ tasks: [InboxTask], today: CalendarDate, caption: String, empty: HTML)
    -> HTML
  {
    table(
      caption: caption, head: [t("事项", "What"), t("期限", "Due"), t("自", "Since")],
      rows: tasks.map { task in
        let tone: Tone = task.due.map { $0 < today ? .late : $0 - today <= 1 ? .soon : .neutral } ?? .neutral
        return """
          <tr><td><a href="\(task.link)">\(t(task.title))</a></td>\
          <td>\(task.due.map { badge("\($0)", tone) })\(when: task.isProvisional, " \(badge(t("暂定", "provisional"), .soon))")</td>\
          <td>\(time(task.createdAt))</td></tr>
          """
      }.joined(), empty: empty)
  }

  /// What to do first where nothing waits: the first step that this visitor's roles allow.
  private static func beginning(_ principal: Principal, _ t: Language) -> HTML {
    let (words, label, href): (Text, Text, String)
    if principal.may(.manageInventory) {
      (words, label, href) = (
        Text(
          "没有等您办理的事。先登记信息系统并连接数据库，再把数据表编成目录，别的部门才能查到和申请。",
          "Nothing waits for you. Register a system, connect its database and catalogue its tables, so that others find and ask for them."
        ), Text("登记信息系统", "Register a system"), "/systems"
      )
    } else if principal.may(.sharingRequest) {
      (words, label, href) = (
        Text(
          "没有等您办理的事。需要别的部门的数据时，先在目录里找到资源，勾选信息项，再提交申请。",
          "Nothing waits for you. When you need another department's data, find the resource, tick its items and ask for them."
        ), Text("查找数据资源", "Find a data resource"), "/catalog"
      )
    } else if principal.may(.sharingApproveOwn) {
      (words, label, href) = (
        Text(
          "没有等您办理的事。本部门经办人提交申请后，会在这里等您审批。",
          "Nothing waits for you. Requests of your department come here for your approval."),
        Text("查看申请", "See the requests"), "/requests"
      )
    } else if principal.may(.sharingReview) {
      (words, label, href) = (
        Text(
          "没有等您办理的事。部门提交的目录和有条件共享的申请会在这里等您审查。",
          "Nothing waits for you. Entries handed in and conditional requests come here for review."),
        Text("目录审核", "Entries to review"), "/catalog/review"
      )
    } else if principal.may(.auditRead) {
      (words, label, href) = (
        Text("没有等您办理的事。可在日志中查询谁在何时做了什么。", "Nothing waits for you. The log says who did what and when."),
        Text("查询审计日志", "Search the log"), "/audit"
      )
    } else if principal.may(.peopleRead) {
      (words, label, href) = (
        Text("没有等您办理的事。可查看人员、角色和账户状态。", "Nothing waits for you. See people, their roles and accounts."),
        Text("人员与角色", "People and roles"), "/people"
      )
    } else {
      (words, label, href) = (
        Text("没有等您办理的事。", "Nothing waits for you."), Text("我的账号", "My account"), "/account"
      )
    }
    return emptyState(t(words), action: buttonLink(t(label), href: href, .primary))
  }
}
