internal import Kernel

/// The address of a service, read strictly: what this does not understand is refused, so that no other reader of
/// addresses can understand it differently.
package struct ServiceAddress: Hashable, Sendable {
  package enum Scheme: String, Sendable {
    case http, https

    package var port: Int { self == .http ? 80 : 443 }
  }

  package var scheme: Scheme
  /// In small letters; an IPv6 address without its brackets.
  package var host: String
  package var port: Int
  /// Path and query, beginning with `/`.
  package var target: String

  /// The longest address that is read, in bytes.
  package static let limit = 1000

  /// Reads `http://host[:port][/path][?query]`. Throws `.invalid` that says what is wrong.
  package init(_ text: String) throws {
    guard text.utf8.count <= Self.limit else {
      throw Self.wrong("最长 \(Self.limit) 字节。", "It is at most \(Self.limit) bytes long.")
    }
    guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !#""<>\^`{|}"#.utf8.contains($0) }) else {
      throw Self.wrong(
        "地址里的汉字、空格和反斜杠须用百分号编码。", "Chinese, spaces and backslashes must be percent-encoded.")
    }
    let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let scheme = Scheme(rawValue: parts[0].lowercased()) else {
      throw Self.wrong("应以 http:// 或 https:// 开头。", "It begins with http:// or https://.")
    }
    guard !text.contains("#") else { throw Self.wrong("不能带 #。", "It has no #.") }
    let rest = parts[1]
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    guard !authority.contains("@") else {
      throw Self.wrong("地址里不能有用户名和密码。", "It carries no user name and no password.")
    }
    guard let (host, port) = Self.hostAndPort(authority) else {
      throw Self.wrong("主机应为域名或 IP 地址，可加 :端口。", "The host is a name or an IP address, with :port if need be.")
    }
    self.scheme = scheme
    self.host = host
    self.port = port ?? scheme.port
    let target = rest[authority.endIndex...]
    self.target = target.hasPrefix("/") ? String(target) : "/" + target
  }

  /// `host`, `host:port`, `1.2.3.4:port` or `[::1]:port`; nil for anything else.
  static func hostAndPort(_ text: some StringProtocol) -> (host: String, port: Int?)? {
    let (host, rest): (String, Substring)
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end].lowercased()
      rest = Substring(text[text.index(after: end)...])
      guard host.contains(":"), NetworkAddress(literal: host) != nil else { return nil }
    } else {
      host = text.prefix { $0 != ":" }.lowercased()
      rest = Substring(text.dropFirst(host.utf8.count))
      guard isName(host) else { return nil }
    }
    if rest.isEmpty { return (host, nil) }
    guard rest.hasPrefix(":"), rest.count <= 6, let port = Int(rest.dropFirst()), (1...65535).contains(port),
      rest.dropFirst().allSatisfy(\.isNumber)
    else { return nil }
    return (host, port)
  }

  private static func isName(_ text: String) -> Bool {
    (1...253).contains(text.utf8.count)
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
        (1...63).contains(label.utf8.count)
          && label.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
              UInt8(ascii: "_"):
              true
            default: false
            }
          }
      }
  }

  /// As a request names it: `host:port`, the port left out where it is the scheme's own.
  package var authority: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return port == scheme.port ? name : "\(name):\(port)"
  }

  /// The same address, written one way only.
  package var text: String { "\(scheme.rawValue)://\(authority)\(target)" }

  private static func wrong(_ chinese: String, _ english: String) -> Refusal {
    Refusal.invalid("api.address", "url", Text("接口地址不对：\(chinese)", "The service's address is wrong. \(english)"))
  }
}

/// A host whose services may be asked, as whoever keeps the node declares it.
package struct DeclaredHost: Hashable, Sendable {
  package var host: String
  /// Nil for the usual ports of HTTP and HTTPS, 80 and 443.
  package var port: Int?

  /// `host` or `host:port`; nil for anything else.
  package init?(_ text: String) {
    guard let (host, port) = ServiceAddress.hostAndPort(text) else { return nil }
    self.host = host
    self.port = port
  }

  package func admits(_ address: ServiceAddress) -> Bool {
    host == address.host && address.port == port ?? address.scheme.port
  }
}
