import HTTPTypes
import Hummingbird
import NIOCore
import Web

/// Status, headers and bytes, before they become hummingbird's; every answer of the site goes out through here.
struct Reply: Sendable {
  var status: Int
  var type: String? = nil
  var body: [UInt8] = []
  /// Pages may hold what only their reader should see: nobody keeps a copy unless an answer says otherwise.
  var cache = "no-store"
  var headers: [(name: String, value: String)] = []
  var cookies: [String] = []
  var omitsBody = false

  /// What somebody hears who speaks plain HTTP from elsewhere than this machine or a declared proxy: no page, no form.
  static func plainHTTP(to peer: String) -> Reply {
    let text = """
      不接受来自 \(peer) 的明文 HTTP：请用 https:// 访问。若这是本节点的反向代理，请用 --trusted-proxy 声明它的地址。
      Plain HTTP from \(peer) is not accepted: use https://. If that is this node's reverse proxy, declare its address with --trusted-proxy.

      """
    return Reply(
      status: 403, type: "text/plain; charset=utf-8", body: Array(text.utf8), headers: [("connection", "close")])
  }

  /// A form token that stands in a page needs its cookie.
  func carriesForm(with token: String) -> Bool {
    type?.hasPrefix("text/html") == true && body.contains(Array("\"\(token)\"".utf8))
  }

  func response(secure: Bool) -> Hummingbird.Response {
    var fields = HTTPFields()
    for (name, value) in Self.always + (secure ? Self.underTLS : []) + headers { fields[field(name)] = value }
    fields[.cacheControl] = cache
    if let type { fields[.contentType] = type }
    for cookie in cookies { fields.append(HTTPField(name: .setCookie, value: cookie)) }
    fields[.contentLength] = status == 304 ? nil : String(body.count)
    let withoutBody = omitsBody || status == 304
    return Hummingbird.Response(
      status: .init(code: status), headers: fields,
      body: withoutBody ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
  }

  private func field(_ name: String) -> HTTPField.Name { HTTPField.Name(name)! }

  /// Nothing inline, nothing from elsewhere, in no one's frame.
  static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    + "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

  private static let always = [
    (name: "content-security-policy", value: policy), (name: "x-content-type-options", value: "nosniff"),
    (name: "referrer-policy", value: "same-origin"), (name: "cross-origin-opener-policy", value: "same-origin"),
    (name: "cross-origin-resource-policy", value: "same-origin"),
    (name: "permissions-policy", value: "camera=(), geolocation=(), microphone=()"),
  ]
  private static let underTLS = [(name: "strict-transport-security", value: "max-age=31536000")]
}
