import Connecting
import Glibc
import JSONBytes
import Kernel
import Remote

/// Fetches a list's pages one after the other, and sees that they come to an end.
final class PageWalk {
  /// One answer with its list.
  struct Page {
    var body: [UInt8]
    var rows: [JSONValue]
  }

  private let source: HTTPSource
  private let name: String
  private let start: RemoteAddress
  private let cancellation: RemoteCancellation
  private let client: WebClient
  private let text = JSONText()
  private var next: RemoteAddress?
  private var pages = 0
  private(set) var rows = 0
  private var lastDigest: [UInt8]?
  private var total: Int?

  init(_ source: HTTPSource, _ table: HTTPSource.Table, _ cancellation: RemoteCancellation) {
    self.source = source
    self.cancellation = cancellation
    name = table.name
    start = table.address
    client = WebClient(source.limits, cancellation: cancellation)
    next = address(after: nil)
  }

  /// The next page that holds rows; nil at the end.
  func page() throws(ConnectorError) -> Page? {
    guard let address = next else { return nil }
    pages += 1
    guard pages <= HTTPSource.mostPages else {
      throw stuck("超过 \(HTTPSource.mostPages) 页仍未结束", "more than \(HTTPSource.mostPages) pages and no end")
    }
    let answer = try fetch(address)
    let page = try parse(answer)
    var digest = ContentDigest()
    answer.body.withUnsafeBytes { digest.add($0) }
    if !page.rows.isEmpty, digest.bytes == lastDigest {
      throw stuck(
        "相邻两页完全相同；请核对翻页参数，或填写总数的位置", "two pages in a row are the same; check the paging, or say where the total stands")
    }
    lastDigest = digest.bytes
    rows += page.rows.count
    next = try following(answer, page)
    guard !page.rows.isEmpty else {
      // An empty page may still lead on where pages follow one another by themselves.
      return next == nil ? try end() : try self.page()
    }
    if next == nil { _ = try end() }
    return page
  }

  /// The list is over: it must have had as many rows as it said.
  private func end() throws(ConnectorError) -> Page? {
    next = nil
    if let total, total != rows {
      throw ConnectorError(
        .retryable, "http.incomplete",
        Text(
          "“\(name)”：接口称共 \(total) 行，实际读到 \(rows) 行，将重新开始。",
          "“\(name)”: the API told of \(total) rows and gave \(rows); the run begins again."))
    }
    return nil
  }

  // MARK: Where the next page is

  private func address(after rows: Int?) -> RemoteAddress {
    switch source.paging {
    case .page(let parameter, let size, let first):
      start.adding([(parameter, "\(first + pages)"), (size, "\(source.size)")].filter { !$0.0.isEmpty })
    case .offset(let parameter, let size):
      start.adding([(parameter, "\(rows ?? 0)"), (size, "\(source.size)")].filter { !$0.0.isEmpty })
    default: start
    }
  }

  private func following(_ answer: WebClient.Answer, _ page: Page) throws(ConnectorError) -> RemoteAddress? {
    if let pointer = source.total, let value = try find(pointer, answer.body), value.kind == .number,
      let number = Int(String(decoding: answer.body[value.range], as: UTF8.self)), number >= 0
    {
      total = number
    }
    switch source.paging {
    case .none: return nil
    case .page, .offset:
      // Fewer rows than were asked for prove nothing: many an API gives no more than its own limit.
      if let total, rows >= total { return nil }
      return page.rows.isEmpty ? nil : address(after: rows)
    case .cursor(let pointer, let parameter):
      guard let value = try written(pointer, answer.body) else { return nil }
      let following = start.adding([(parameter, value)])
      guard following != next else { throw stuck("游标没有前进", "the cursor does not move") }
      return following
    case .next(let pointer):
      return try written(pointer, answer.body).map { link throws(ConnectorError) in try follow(link) }
    case .link:
      return try Self.nextLink(answer.headers.filter { $0.name == "link" }.map(\.value)).map {
        link throws(ConnectorError) in try follow(link)
      }
    }
  }

  /// Only to the same scheme, host and port: the headers' secrets are for those.
  private func follow(_ link: String) throws(ConnectorError) -> RemoteAddress {
    guard let address = try? (next ?? start).resolve(link), address.hasOrigin(of: start) else {
      throw ConnectorError(
        .permanent, "http.elsewhere",
        Text("“\(name)”：下一页指向其他地址，已拒绝。", "“\(name)”: the next page leads elsewhere, which is refused."))
    }
    guard address != next else { throw stuck("下一页指向自己", "the next page leads to itself") }
    return address
  }

  /// `<https://…?page=2>; rel="next", <…>; rel="last"`.
  static func nextLink(_ headers: [String]) -> String? {
    for header in headers {
      var rest = header[...]
      while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
        let link = String(rest[rest.index(after: open)..<close])
        rest = rest[rest.index(after: close)...]
        let parameters = rest[..<(rest.firstIndex(of: "<") ?? rest.endIndex)]
        let relations = parameters.split(separator: ";").compactMap { part -> [Substring]? in
          let pair = part.split(separator: "=", maxSplits: 1).map { $0.filter { !" \"',\t".contains($0) || $0 == " " } }
          guard pair.count == 2, pair[0].filter({ $0 != " " }).lowercased() == "rel" else { return nil }
          return pair[1].lowercased().split(separator: " ").map { Substring($0) }
        }
        if relations.joined().contains("next") { return link }
      }
    }
    return nil
  }

  // MARK: Asking

  private func fetch(_ address: RemoteAddress) throws(ConnectorError) -> WebClient.Answer {
    let host = "\(address.host):\(address.port)"
    let end = ContinuousClock.now + source.patience
    while true {
      let answer = try client.get(address, headers: ["Accept: application/json"] + source.headers)
      switch answer.status {
      case 200: return answer
      case 204: return WebClient.Answer(status: 204, headers: answer.headers, body: [])
      case 429, 503:
        let wait = Duration.seconds(answer.header("retry-after").flatMap { Int($0) } ?? 5)
        guard ContinuousClock.now + wait <= end else {
          throw ConnectorError(
            .retryable, "http.busy",
            Text("\(host)：接口繁忙（\(answer.status)），稍后再试。", "\(host): the API is busy (\(answer.status)); later."))
        }
        try pause(wait, host)
      case 300...399:
        throw ConnectorError(
          .permanent, "http.redirect",
          Text(
            "\(host)：接口要求转到其他地址，已拒绝；请填写最终地址。", "\(host): it redirects, which is not followed; enter the final address.")
        )
      case 401, 403:
        throw ConnectorError(
          .permanent, "http.login",
          Text(
            "\(host)：凭据无效或无权访问（\(answer.status)）。",
            "\(host): the credentials are wrong or may not do this (\(answer.status))."))
      case 404, 410:
        throw .contract(
          "table-missing", "“\(name)”：接口不存在（\(answer.status)）。", "“\(name)”: there is no such API (\(answer.status)).")
      case 500...599:
        throw ConnectorError(
          .retryable, "http.status",
          Text("\(host)：接口出错（\(answer.status)）。", "\(host): the API failed (\(answer.status))."))
      default:
        throw ConnectorError(
          .permanent, "http.status",
          Text("\(host)：应答状态 \(answer.status)。", "\(host): answered with status \(answer.status)."))
      }
    }
  }

  private func pause(_ wait: Duration, _ host: String) throws(ConnectorError) {
    let end = ContinuousClock.now + wait
    while ContinuousClock.now < end {
      guard !cancellation.isCancelled else {
        throw ConnectorError(
          .retryable, "remote.cancelled", Text("\(host)：请求已取消。", "\(host): the request was cancelled."))
      }
      usleep(50_000)
    }
  }

  // MARK: Reading an answer

  private func parse(_ answer: WebClient.Answer) throws(ConnectorError) -> Page {
    guard answer.status != 204 else { return Page(body: [], rows: []) }
    guard let list = try find(source.list, answer.body), list.kind == .array else {
      throw .contract(
        "list-missing", "“\(name)”：应答中的指定位置没有列表。", "“\(name)”: there is no list at the place in the answer.")
    }
    var rows: [JSONValue] = []
    try reading(answer.body) { bytes throws(JSONFault) in
      var scan = JSONScan(bytes)
      scan.at = list.range.lowerBound
      try scan.elements { value throws(JSONFault) in
        rows.append(value)
        return true
      }
    }
    return Page(body: answer.body, rows: rows)
  }

  private func find(_ pointer: JSONPointer, _ body: [UInt8]) throws(ConnectorError) -> JSONValue? {
    var found: JSONValue?
    try reading(body) { bytes throws(JSONFault) in
      found = try pointer.find(in: try JSONScan.whole(bytes), bytes, text)
    }
    return found
  }

  /// A string or number that stands there; nil for nothing, null and an empty text.
  private func written(_ pointer: JSONPointer, _ body: [UInt8]) throws(ConnectorError) -> String? {
    guard let value = try find(pointer, body) else { return nil }
    return body.withUnsafeBytes { bytes -> String? in
      switch value.kind {
      case .string:
        let (written, fault) = text.text(of: value, in: bytes)
        return fault == nil && !written.isEmpty ? String(decoding: written, as: UTF8.self) : nil
      case .number: return String(decoding: bytes[value.range], as: UTF8.self)
      default: return nil
      }
    }
  }

  private func reading(
    _ body: [UInt8], _ read: (UnsafeRawBufferPointer) throws(JSONFault) -> Void
  ) throws(ConnectorError) {
    var fault: JSONFault?
    body.withUnsafeBytes { bytes in
      do throws(JSONFault) { try read(bytes) } catch { fault = error }
    }
    guard let fault else { return }
    throw ConnectorError(
      .data, "http.json",
      Text(
        "“\(name)”：应答不是有效的 JSON（字节 \(fault.at)）。", "“\(name)”: the answer is no valid JSON (byte \(fault.at))."))
  }

  private func stuck(_ chinese: String, _ english: String) -> ConnectorError {
    ConnectorError(.permanent, "http.endless", Text("“\(name)”：\(chinese)。", "“\(name)”: \(english)."))
  }
}
