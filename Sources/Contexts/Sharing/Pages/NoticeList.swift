import Inbox
import Kernel
import Web

/// What there is to know and nothing to do, each put away by a button of its own.
func noticeList(_ request: Request, _ notices: [Notice]) -> HTML {
  let t = request.language
  if notices.isEmpty { return .nothing }
  return panel(
    t("知悉", "To know"), id: "notices",
    table(
      caption: t("通知，新的在前", "Notices, newest first"), head: [t("内容", "What"), t("时间", "When"), t("操作", "Action")],
      rows: notices.map { one in
        """
        <tr><td><a href="\(one.link)">\(t(one.title))</a></td><td>\(time(one.createdAt))</td>\
        <td>\(form(request, action: "/inbox/notices/\(one.id)", button(t("知道了", "Put away"), .plain)))</td></tr>
        """
      }.joined(), empty: .nothing))
}
