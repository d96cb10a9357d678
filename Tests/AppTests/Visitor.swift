import Foundation
import FoundationNetworking
import Testing

@testable import App

/// Somebody of the demo's people who has just signed in.
func enter(_ base: String, as login: String, in language: String = "zh-CN") async throws -> Visitor {
  let visitor = Visitor(base: base)
  visitor.language = language
  let answer = try await visitor.post(
    "/sign-in", [("login", login), ("password", DemoCast.password), ("next", "/")], from: "/sign-in")
  #expect(answer.status == 303)
  return visitor
}

/// A browser without a screen: keeps cookies, follows no redirect by itself, sends forms with the page's own CSRF token.
final class Visitor: @unchecked Sendable {
  // Mutable state is used by one test at a time; nothing here is shared between tasks.
  struct Answer {
    var status: Int
    var headers: [String: String]
    var body: Data
    var text: String { String(decoding: body, as: UTF8.self) }
    var location: String? { headers["location"] }
  }

  let base: String
  private var cookies: [String: String] = [:]
  private let session: URLSession
  var language = "zh-CN"

  init(base: String) {
    self.base = base
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpCookieStorage = nil
    configuration.timeoutIntervalForRequest = 30
    session = URLSession(configuration: configuration, delegate: NoRedirects(), delegateQueue: nil)
  }

  deinit { session.invalidateAndCancel() }

  func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
    try await send("GET", path, body: nil, type: nil, headers: headers)
  }

  /// Posts fields as a form, with the CSRF token that stands in the page at `from`.
  func post(_ path: String, _ fields: [(String, String)], from page: String) async throws -> Answer {
    let form = try await get(page)
    let token = Self.token(in: form.text) ?? ""
    return try await post(path, [("csrf", token)] + fields)
  }

  func post(_ path: String, _ fields: [(String, String)], headers: [String: String] = [:]) async throws -> Answer {
    let body = fields.map { "\(Self.encode($0.0))=\(Self.encode($0.1))" }.joined(separator: "&")
    return try await send(
      "POST", path, body: Data(body.utf8), type: "application/x-www-form-urlencoded",
      headers: ["Origin": base].merging(headers) { _, given in given })
  }

  func send(
    _ method: String, _ path: String, body: Data?, type: String?, headers: [String: String] = [:]
  ) async throws -> Answer {
    var request = URLRequest(url: URL(string: base + path)!)
    request.httpMethod = method
    request.httpBody = body
    if let type { request.setValue(type, forHTTPHeaderField: "Content-Type") }
    request.setValue(language, forHTTPHeaderField: "Accept-Language")
    if !cookies.isEmpty { request.setValue(cookieHeader, forHTTPHeaderField: "Cookie") }
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    let (data, response) = try await session.data(for: request)
    let http = response as! HTTPURLResponse
    var lowered: [String: String] = [:]
    for (name, value) in http.allHeaderFields { lowered["\(name)".lowercased()] = "\(value)" }
    keepCookies(lowered["set-cookie"])
    return Answer(status: http.statusCode, headers: lowered, body: data)
  }

  /// What it sends of its cookies.
  var cookieHeader: String {
    cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
  }

  /// The value of the first hidden `csrf` field.
  static func token(in html: String) -> String? {
    guard let start = html.range(of: "name=\"csrf\" value=\"") else { return nil }
    return String(html[start.upperBound...].prefix { $0 != "\"" })
  }

  private func keepCookies(_ header: String?) {
    guard let header else { return }
    // Several Set-Cookie lines arrive joined by commas; ours have no comma inside but in Expires, which we do not send.
    for line in header.components(separatedBy: ", ") {
      guard let pair = line.split(separator: ";").first, let equals = pair.firstIndex(of: "=") else { continue }
      let name = String(pair[..<equals]).trimmingCharacters(in: .whitespaces)
      let value = String(pair[pair.index(after: equals)...])
      if value.isEmpty || line.lowercased().contains("max-age=0") { cookies[name] = nil } else { cookies[name] = value }
    }
  }

  private static func encode(_ text: String) -> String {
    var allowed = CharacterSet.alphanumerics
    allowed.insert(charactersIn: "-._~")
    return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
  }
}

private final class NoRedirects: NSObject, URLSessionTaskDelegate {
  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
  ) { completionHandler(nil) }
}
