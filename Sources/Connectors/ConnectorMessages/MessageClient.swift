import Connecting
import Glibc
import JSONBytes
import Kernel
import NationalCrypto
import Remote

/// Speaks with the receiving system about one table and one stream. Used by one thread.
///
/// A request that was not answered is made again for a while: the same message under the same number and id, which is done
/// once however often it comes.
final class MessageClient {
  /// Of an answer that is not a message.
  private static let longestAnswer = 4 << 20

  private let target: MessagesTarget
  private let table: RemoteAddress
  private let stream: String
  private let errors: MessageErrors
  private let plan: WritePlan?
  private let cancellation: RemoteCancellation
  private let web: WebClient
  private lazy var inbox = WebClient(
    RemoteLimits(answer: MessageFormat.longest + (1 << 20)), cancellation: cancellation)

  /// Without a plan it only greets.
  init(_ target: MessagesTarget, _ cancellation: RemoteCancellation, _ plan: WritePlan? = nil) {
    self.target = target
    self.cancellation = cancellation
    self.plan = plan
    stream = plan?.stream ?? ""
    table = plan.map { target.address.appending($0.table.name) } ?? target.address
    errors = MessageErrors(address: target.address, table: plan?.table.name ?? "")
    web = WebClient(RemoteLimits(answer: Self.longestAnswer), cancellation: cancellation)
  }

  // MARK: What is asked

  /// Whether somebody is there who speaks this protocol.
  func greet() throws(ConnectorError) {
    guard try tree(get(target.address, web))["format"]?.string == MessageFormat.name else { throw errors.answer }
  }

  /// Where the stream is, and how many rows the table holds.
  func offset() throws(ConnectorError) -> (offset: MessageOffset?, rows: Int) {
    let found = try tree(get(table.adding([("stream", stream)]), web))
    guard let rows = found["rows"]?.int, rows >= 0, let written = found["offset"] else { throw errors.answer }
    if case .null = written { return (nil, rows) }
    guard let offset = MessageOffset(written) else { throw errors.offset }
    return (offset, rows)
  }

  /// Batches of the stream, ascending.
  func batches(_ range: ClosedRange<Int64>) throws(ConnectorError) -> [MessageBatch] {
    var (batches, from) = ([MessageBatch](), range.lowerBound)
    while from <= range.upperBound {
      let through = min(range.upperBound, from + 999)
      let address = table.appending("batches").adding([
        ("stream", stream), ("from", "\(from)"), ("through", "\(through)"),
      ])
      guard let list = try tree(get(address, web))["batches"]?.array else { throw errors.answer }
      for tree in list {
        guard let batch = MessageBatch(tree), (from...through).contains(batch.record.batch) else { throw errors.answer }
        batches.append(batch)
      }
      from = through + 1
    }
    return batches.sorted { $0.record.batch < $1.record.batch }
  }

  /// A message as the system took it, and where its lines begin; nil where it has it no more, or not as it was sent.
  func message(_ number: Int) throws(ConnectorError) -> (body: [UInt8], lines: Int)? {
    let address = table.appending("messages").appending("\(number)").adding([("stream", stream)])
    let answer = try answer { () throws(ConnectorError) in
      try inbox.get(address, headers: headers(signing: "GET " + Self.requestTarget(address)))
    }
    if answer.status == 404 || answer.status == 410 { return nil }
    if answer.status == 409 { throw conflict(answer) }
    guard answer.status == 200 else { throw errors.status(answer.status) }
    return Message.lines(of: answer.body, number: number, stream: stream).map { (answer.body, $0) }
  }

  /// Sends a message and hears that all of it was taken. Throws `.fenced` where another has the stream.
  func send(_ message: Message) throws(ConnectorError) {
    guard message.body.count <= MessageFormat.longest else {
      throw errors.status(413, sent: message.body.count)
    }
    let headers = headers(signing: message.body) + ["Content-Type: application/x-ndjson; charset=utf-8"]
    let answer = try answer { () throws(ConnectorError) in
      try web.post(table, headers: headers, body: message.body)
    }
    switch answer.status {
    case 200: break
    case 409: throw conflict(answer)
    default: throw errors.status(answer.status, sent: message.body.count)
    }
    let said = try tree(answer)
    guard let number = said["number"]?.int, let rows = said["rows"]?.int, let digest = said["sm3"]?.string else {
      throw errors.answer
    }
    guard number == message.number, rows == message.puts, digest == message.digest else {
      throw errors.readBack(message.number)
    }
  }

  private func conflict(_ answer: WebClient.Answer) -> ConnectorError {
    guard let said = answer.body.withUnsafeBytes({ JSONTree($0) }), let plan else { return errors.conflict }
    if let other = said["stream"]?.string, other != plan.stream { return plan.taken }
    if let fence = said["fence"]?.int, fence > plan.fence { return .takenOver }
    return said["number"]?.int == nil ? errors.conflict : errors.outOfStep
  }

  // MARK: Asking

  private func headers(signing text: String) -> [String] { headers(signing: Array(text.utf8)) }

  private func headers(signing bytes: [UInt8]) -> [String] {
    let signature = HMAC.authenticate(bytes, key: target.secret).hex
    return ["Accept: application/json", "Sanjiang-Signature: hmac-sm3=\(signature)"] + target.headers
  }

  /// As it stands in the request's first line.
  private static func requestTarget(_ address: RemoteAddress) -> String {
    address.path + (address.query.map { "?" + $0 } ?? "")
  }

  private func get(_ address: RemoteAddress, _ web: WebClient) throws(ConnectorError) -> WebClient.Answer {
    let answer = try answer { () throws(ConnectorError) in
      try web.get(address, headers: headers(signing: "GET " + Self.requestTarget(address)))
    }
    if answer.status == 409 { throw conflict(answer) }
    guard answer.status == 200 else { throw errors.status(answer.status) }
    return answer
  }

  private func tree(_ answer: WebClient.Answer) throws(ConnectorError) -> JSONTree {
    guard let tree = answer.body.withUnsafeBytes({ JSONTree($0) }), case .object = tree else { throw errors.answer }
    return tree
  }

  /// Tries again while nobody answers or the system is in trouble, as long as patience lasts.
  private func answer(
    _ ask: () throws(ConnectorError) -> WebClient.Answer
  ) throws(ConnectorError) -> WebClient.Answer {
    let end = ContinuousClock.now + target.patience
    var pause = Duration.milliseconds(200)
    while true {
      let trouble: ConnectorError
      var wait = pause
      do throws(ConnectorError) {
        let answer = try ask()
        guard [408, 425, 429].contains(answer.status) || answer.status >= 500 else { return answer }
        trouble = errors.status(answer.status)
        if let seconds = answer.header("retry-after").flatMap({ Int($0) }), seconds >= 0 {
          wait = .seconds(min(seconds, 86_400))
        }
      } catch {
        trouble = error
      }
      guard trouble.kind == .retryable, !cancellation.isCancelled, ContinuousClock.now + wait <= end else {
        throw trouble
      }
      try rest(wait)
      pause = min(pause * 2, .seconds(5))
    }
  }

  private func rest(_ wait: Duration) throws(ConnectorError) {
    let end = ContinuousClock.now + wait
    while ContinuousClock.now < end {
      guard !cancellation.isCancelled else { throw errors.cancelled }
      usleep(20_000)
    }
  }
}
