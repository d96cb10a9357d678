import Inbox
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
    _ request: Request, _ principal: Principal, tasks: [InboxTask], count: Int, shortcuts: [(Text, String)]
  ) -> Page {
    let t = request.language
    let today = request.now.dateInChina
    let late = tasks.filter { ($0.due ?? today) < today }.count
    return Page(
      Text("首页", "Home"), section: .home,
      body: """
        <h1>\(principal.name)\(t("，您好", ", welcome"))</h1>
        <p class="lead">\(principal.organisationName) · <a href="/inbox">\(t("待办 \(count) 件", "\(count) waiting"))</a>\(when: late > 0, " · \(badge(t("逾期 \(late) 件", "\(late) late"), .late))")</p>
        \(list(t, tasks, today: today, caption: t("等我办理的", "Waiting for me")))
        <h2>\(t("从这里开始", "Start here"))</h2><ul class="tiles">\(shortcuts, { "<li><a href=\"\($0.1)\">\(t($0.0))</a></li>" })</ul>
        """)
  }

  static func inbox(_ request: Request, tasks: [InboxTask], count: Int, next: String?) -> Page {
    let t = request.language
    return Page(
      Text("待办", "Inbox"), section: .home,
      body: """
        <h1>\(t("待办", "Inbox")) · \(count)</h1>\(list(t, tasks, today: request.now.dateInChina, caption: t("按期限排列", "By due date")))
        \(next.map { "<p class=\"pager\"><a rel=\"next\" href=\"/inbox?after=\($0)\">\(t("下一页", "Next page"))</a></p>" as HTML })
        """)
  }

  private static func list(_ t: Language, _ tasks: [InboxTask], today: CalendarDate, caption: String) -> HTML {
    table(
      caption: caption, head: [t("事项", "What"), t("期限", "Due"), t("自", "Since")],
      rows: tasks.map { task in
        let tone: Tone = task.due.map { $0 < today ? .late : $0 - today <= 1 ? .soon : .neutral } ?? .neutral
        return """
          <tr><td><a href="\(task.link)">\(t(task.title))</a></td>\
          <td>\(task.due.map { badge("\($0)", tone) })\(when: task.isProvisional, " \(badge(t("暂定", "provisional"), .soon))")</td>\
          <td>\(task.createdAt.minuteInChina)</td></tr>
          """
      }.joined(), empty: "<p>\(t("没有等您办理的事。", "Nothing waits for you."))</p>")
  }
}
