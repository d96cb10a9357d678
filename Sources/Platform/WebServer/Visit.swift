import HTTPTypes
import Hummingbird
import Kernel
import NIOCore
import Web

/// One request on its way through the server: what it said, before anybody believed it.
struct Visit: Sendable {
  /// Nil for one that no address takes.
  var method: Method?
  /// A HEAD is a GET whose body nobody wants.
  var isHead: Bool
  var rawPath: String
  var rawQuery: String
  var path: String
  var headers: [String: String]
  /// The other end, or whom a trusted proxy names.
  var remoteAddress: String
  /// Why it cannot be answered, to be told once it is known who asks and in which language.
  var fault: Rejection?
  var isAPI: Bool { rawPath.hasPrefix("/api/") }

  init(_ request: Hummingbird.Request, peer: String, proxies: [AddressBlock]) {
    switch request.method {
    case .get: (method, isHead) = (.get, false)
    case .head: (method, isHead) = (.get, true)
    case .post: (method, isHead) = (.post, false)
    case .put: (method, isHead) = (.put, false)
    case .delete: (method, isHead) = (.delete, false)
    default: (method, isHead) = (nil, false)
    }
    let target = request.head.path ?? ""
    let cut = target.firstIndex(of: "?")
    rawPath = String(target[..<(cut ?? target.endIndex)])
    rawQuery = cut.map { String(target[target.index(after: $0)...]) } ?? ""
    path = "/"
    if target.utf8.first == UInt8(ascii: "/"), target.utf8.count <= 8192, let decoded = decodedPath(rawPath) {
      path = decoded
    } else {
      fault = .malformed("path", Text("地址无效。", "The address is not valid."))
    }
    var headers: [String: String] = [:]
    for field in request.headers {
      let name = field.name.canonicalName
      // Cookies may come in several headers; they are one list.
      headers[name] = headers[name].map { $0 + (name == "cookie" ? "; " : ", ") + field.value } ?? field.value
    }
    // The first one is the authority; another one stays among the headers.
    if headers["host"] != nil || (request.head.authority ?? "").isEmpty { fault = fault ?? .host }
    headers["host"] = request.head.authority
    self.headers = headers
    var remote = peer
    if proxies.contains(where: { $0.contains(peer) }) {
      // From the right: each trusted proxy vouches for the one before it.
      for hop in (headers["x-forwarded-for"] ?? "").split(separator: ",").reversed() {
        let address = hop.filter { $0 != " " }
        guard AddressBlock.bytes(of: address) != nil else { break }
        remote = address
        guard proxies.contains(where: { $0.contains(address) }) else { break }
      }
    }
    remoteAddress = remote
  }

  /// What stands behind `Authorization: Bearer` (RFC 6750), good or not; nil where nothing does. Never taken from the address.
  var bearer: String? {
    guard let header = headers["authorization"] else { return nil }
    let scheme = header.prefix { $0 != " " }
    guard scheme.lowercased() == "bearer" else { return nil }
    return String(header.dropFirst(scheme.count).drop { $0 == " " })
  }

  /// Whether a browser sent this from a page of ours, as far as its headers say. A client that sends neither header is
  /// no browser that could be tricked; the token is asked for in any case.
  var comesFromHere: Bool {
    if let site = headers["sec-fetch-site"] { return site == "same-origin" || site == "none" }
    guard let origin = headers["origin"] else { return true }
    guard let scheme = origin.range(of: "://"), let host = headers["host"] else { return false }
    return origin[scheme.upperBound...].lowercased() == host.lowercased()
  }
}

extension StringProtocol {
  fileprivate func range(of part: String) -> Range<Index>? { firstRange(of: part) }
}

/// What hummingbird makes for each request: all that is needed of it is the connection.
struct SiteContext: InitializableFromSource {
  let channel: any Channel
  init(source: ApplicationRequestContextSource) { channel = source.channel }
  var peer: String { channel.remoteAddress?.ipAddress ?? "" }
}
