import Kernel
import Web

extension Page {
  /// What a person sees where something was not done: what was wrong, and where to go from here. `lacking` says what the
  /// permission that is missing lets others do; `above` is the nearest page above that may be opened.
  static func refused(
    _ refusal: Refusal, status: Int, reference: String?, lacking: Text? = nil, above: String? = nil, _ request: Request
  ) -> Page {
    let t = request.language
    let said =
      lacking.map { lacking in
        [
          Text(
            "这里须有“\(lacking.chinese)”的权限，您的角色没有这项权限。工作需要时，请联系本单位的安全管理员调整角色。",
            "This needs the authority “\(lacking.english)”, which your role does not carry. If your work needs it, ask your security administrator to change your role."
          )
        ]
      } ?? refusal.said
    let title =
      switch status {
      case 401: Text("请先登录", "Please sign in")
      case 403: Text("没有权限", "Not allowed")
      case 404: Text("没有找到", "Not found")
      case 405: Text("不支持的操作", "Not supported")
      case 409: Text("现在不能这样做", "Not possible now")
      case 413: Text("内容太大", "Too large")
      case 429: Text("请稍后再试", "Please try later")
      case 500: Text("系统出错", "Something went wrong")
      case 507: Text("服务器磁盘已满", "The server's disk is full")
      case 503: Text("暂时无法使用", "Not available right now")
      default: Text("无法处理这个请求", "This request cannot be handled")
      }
    let way = refusal.way ?? above.map { Refusal.Way(Text("返回上一级页面", "Back to the page above"), $0) }
    let body: HTML = """
      <p class="lead">\(t(said[0]))</p>\
      \(when: said.count > 1, "<ul>\(said.dropFirst(), { "<li>\(t($0))</li>" })</ul>")\
      \(reference.map { "<p>\(t("请把编号告诉系统管理员：", "Tell the administrator this reference: "))<code>\($0)</code></p>" as HTML })\
      <p class="actions">\(when: request.principal == nil, "<a class=\"button\" href=\"/sign-in\">\(t("登录", "Sign in"))</a> ")\
      \(way.map { "<a class=\"button\" href=\"\(addressEncoded($0.address))\">\(t($0.label))</a> " as HTML })\
      <a href="/">\(t("返回首页", "Back to the start page"))</a></p>
      """
    return Page(title, status: status, body: body)
  }
}
