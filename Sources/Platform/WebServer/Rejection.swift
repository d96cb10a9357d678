import Glibc
import Kernel
import Web

/// A request that no route ever saw, with the status that HTTP has for it.
struct Rejection: Error, Hashable, Sendable {
  var status: Int
  var refusal: Refusal

  init(_ status: Int, _ refusal: Refusal) {
    self.status = status
    self.refusal = refusal
  }

  /// 400: it is not written the way its kind is written.
  static func malformed(_ field: String, _ message: Text) -> Rejection {
    Rejection(400, .invalid("request.malformed", field, message))
  }

  static func tooLarge(_ limit: Int) -> Rejection {
    let size = limit >= 1 << 20 ? "\(limit >> 20) MiB" : "\(limit >> 10) KiB"
    return Rejection(
      413,
      Refusal(
        .tooLarge, "request.too-large", Text("提交的内容超过上限 \(size)。", "What was sent is larger than the limit of \(size).")
      ))
  }

  /// What was sent could not be kept: 507 (RFC 4918 §11.5) when the disk is full.
  static func disk(_ code: Int32) -> Rejection {
    guard code == ENOSPC || code == EDQUOT else {
      let reason = String(cString: strerror(code))
      return Rejection(
        503,
        Refusal(
          .unavailable, "request.disk",
          Text(
            "服务器无法存放上传的文件（\(reason)），这次操作没有完成。请联系系统管理员。",
            "The server cannot keep the file (\(reason)), and this was not done. Tell the administrator.")))
    }
    return Rejection(
      507,
      Refusal(
        .unavailable, "request.disk-full",
        Text(
          "服务器磁盘已满，上传的文件没有保存，这次操作没有完成。请联系系统管理员。",
          "The server's disk is full: the file was not kept, and this was not done. Tell the administrator.")))
  }

  /// HTTP/1.1 wants exactly one (RFC 9112 §3.2): what a proxy and we read differently is how requests are smuggled.
  static let host = Rejection(
    400,
    .invalid("request.host", "Host", Text("请求应恰好有一个 Host 头。", "A request has exactly one Host header.")))

  static let forged = Rejection(
    403,
    Refusal(
      .forbidden, "request.csrf",
      Text(
        "页面已过期，或者请求来自别的网站。请返回上一页，刷新后重试。",
        "This page is out of date, or the request came from another site. Go back, reload and try again.")))
}
