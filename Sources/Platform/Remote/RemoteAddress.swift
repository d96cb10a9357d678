internal import CCurl
package import Kernel

/// Where something elsewhere is, taken apart by the same parser that later connects: what is judged is what is asked.
package struct RemoteAddress: Hashable, Sendable {
  package enum Scheme: String, Sendable { case https, http, sftp }

  package let scheme: Scheme
  /// In small letters, an IPv6 address without its brackets.
  package let host: String
  package let port: Int
  /// Percent-encoded, begins with a slash.
  package let path: String
  /// Percent-encoded, without its question mark.
  package let query: String?

  /// Throws what is wrong with it: an unknown scheme, no host, a user or password (which belong into settings of their
  /// own), plain HTTP to another machine.
  package init(_ text: String) throws(Fault) { try self.init(text, from: nil) }

  /// `text` may be relative to this address (RFC 3986).
  package func resolve(_ text: String) throws(Fault) -> RemoteAddress { try RemoteAddress(text, from: self) }

  package struct Fault: Error, Hashable, Sendable {
    package let message: Text
  }

  private init(_ text: String, from base: RemoteAddress?) throws(Fault) {
    guard text.utf8.count <= 8192, !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }), let handle = curl_url()
    else { throw Self.malformed }
    defer { curl_url_cleanup(handle) }
    if let base { curl_url_set(handle, CURLUPART_URL, base.text, 0) }
    guard curl_url_set(handle, CURLUPART_URL, text, UInt32(CURLU_PATH_AS_IS)) == CURLUE_OK else { throw Self.malformed }
    func part(_ part: CURLUPart, _ flags: Int32 = 0) -> String? {
      var value: UnsafeMutablePointer<CChar>?
      guard curl_url_get(handle, part, &value, UInt32(flags)) == CURLUE_OK, let value else { return nil }
      defer { curl_free(value) }
      return String(cString: value)
    }
    guard let scheme = part(CURLUPART_SCHEME).flatMap({ Scheme(rawValue: $0.lowercased()) }) else {
      throw Fault(
        message: Text("地址应以 https:// 或 sftp:// 开头。", "The address begins with https:// or sftp://."))
    }
    guard part(CURLUPART_USER) == nil, part(CURLUPART_PASSWORD) == nil else {
      throw Fault(
        message: Text("地址里不写用户名和口令，请填入各自的设置。", "No user or password in the address; they have settings of their own."))
    }
    guard part(CURLUPART_FRAGMENT) == nil, var host = part(CURLUPART_HOST)?.lowercased(), !host.isEmpty,
      let port = part(CURLUPART_PORT, Int32(CURLU_DEFAULT_PORT)).flatMap({ Int($0) })
    else { throw Self.malformed }
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    let path = part(CURLUPART_PATH) ?? "/"
    guard !path.split(separator: "/").contains(where: { $0 == ".." || $0 == "." }) else { throw Self.malformed }
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
    query = part(CURLUPART_QUERY)
    guard scheme != .http || isLoopback else {
      throw Fault(
        message: Text(
          "向其他机器须用 https://；http:// 只限本机。", "Another machine is asked by https://; http:// is for this machine only."))
    }
  }

  private static let malformed = Fault(message: Text("地址写法有误。", "The address is malformed."))

  package var isLoopback: Bool {
    host == "localhost" || host == "::1" || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
  }

  /// Scheme, host and port: what a request's secrets may be sent to.
  package func hasOrigin(of other: RemoteAddress) -> Bool {
    scheme == other.scheme && host == other.host && port == other.port
  }

  package var origin: String { "\(scheme.rawValue)://\(host.contains(":") ? "[\(host)]" : host):\(port)" }

  package var text: String { origin + path + (query.map { "?" + $0 } ?? "") }

  /// The path's last folder with another one or a file behind it.
  package func appending(_ name: String) -> RemoteAddress {
    with(path: (path.hasSuffix("/") ? path : path + "/") + Self.encoded(name), query: nil)
  }

  package func with(path: String, query: String?) -> RemoteAddress {
    RemoteAddress(scheme: scheme, host: host, port: port, path: path, query: query)
  }

  /// With more parameters behind those it has.
  package func adding(_ parameters: [(name: String, value: String)]) -> RemoteAddress {
    let more = parameters.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }
    let all = (query.map { $0.isEmpty ? [] : [$0] } ?? []) + more
    return with(path: path, query: all.isEmpty ? nil : all.joined(separator: "&"))
  }

  private init(scheme: Scheme, host: String, port: Int, path: String, query: String?) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
    self.query = query
  }

  /// Everything but RFC 3986's unreserved characters percent-encoded, as S3's signatures want it too.
  package static func encoded(_ text: String, keeping kept: String = "") -> String {
    var result = ""
    for byte in text.utf8 {
      let scalar = Unicode.Scalar(byte)
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(scalar)
      default:
        if byte < 0x80, kept.unicodeScalars.contains(scalar) {
          result.unicodeScalars.append(scalar)
        } else {
          let digits = String(byte, radix: 16, uppercase: true)
          result += "%" + (digits.count == 1 ? "0" + digits : digits)
        }
      }
    }
    return result
  }
}
