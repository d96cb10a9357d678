import Kernel
import NationalCrypto
package import Web

/// Keeps the answers of POSTs that carry an `Idempotency-Key`: declared here, filled in by App.
package struct AnswerKeeper: Sendable {
  package struct Answer: Sendable {
    package var status: Int
    package var type: String
    package var etag: String?
    package var body: [UInt8]

    package init(status: Int, type: String, etag: String?, body: [UInt8]) {
      self.status = status
      self.type = type
      self.etag = etag
      self.body = body
    }
  }

  package enum Claim: Sendable { case mine, kept(Answer), underWay, unknown, otherRequest }

  /// Whose key it is, the key, and a digest of the whole request.
  package var claim: @Sendable (_ owner: String, _ key: String, _ digest: String) async throws -> Claim
  package var keep: @Sendable (_ owner: String, _ key: String, Answer) async throws -> Void
  /// Gives a key back: nothing of its request holds.
  package var release: @Sendable (_ owner: String, _ key: String) async throws -> Void
  /// Gives a key up: its request failed, and something of it may hold. From now on its claim is `unknown`.
  package var abandon: @Sendable (_ owner: String, _ key: String) async throws -> Void
  /// Carries a request out, and says whether something that it wrote holds, or may hold.
  package var attempt: @Sendable (_ request: @Sendable () async throws -> Web.Response) async -> Attempt

  package struct Attempt: Sendable {
    package var outcome: Result<Web.Response, any Error>
    package var mayHold: Bool

    package init(outcome: Result<Web.Response, any Error>, mayHold: Bool) {
      self.outcome = outcome
      self.mayHold = mayHold
    }
  }

  package init(
    claim: @escaping @Sendable (String, String, String) async throws -> Claim,
    keep: @escaping @Sendable (String, String, Answer) async throws -> Void,
    release: @escaping @Sendable (String, String) async throws -> Void,
    abandon: @escaping @Sendable (String, String) async throws -> Void,
    attempt: @escaping @Sendable (@Sendable () async throws -> Web.Response) async -> Attempt
  ) {
    self.claim = claim
    self.keep = keep
    self.release = release
    self.abandon = abandon
    self.attempt = attempt
  }

  /// Keeps nothing: every request is carried out.
  package static let none = AnswerKeeper(
    claim: { _, _, _ in .mine }, keep: { _, _, _ in }, release: { _, _ in }, abandon: { _, _ in },
    attempt: { request in
      do { return Attempt(outcome: .success(try await request()), mayHold: true) } catch {
        return Attempt(outcome: .failure(error), mayHold: true)
      }
    })
}

extension Site {
  /// Carries a POST out once for its key: the same request again gets the same answer, another request under that key is
  /// refused with 422, one whose first is still under way with 409. A refusal changes nothing and leaves the key free, and
  /// so does whatever else fails before anything was written; of what fails later, only a look can tell. A page's form that
  /// was changed since, or was cut off, is carried out: what it names says which state it was.
  func once(
    _ key: String, _ route: Route, _ request: Web.Request, rawQuery: String, isForm: Bool = false
  ) async throws -> Reply {
    guard (1...200).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw Rejection.malformed(
        "Idempotency-Key",
        Text("Idempotency-Key 应为 1 至 200 个可见 ASCII 字符。", "An Idempotency-Key has 1 to 200 visible ASCII characters."))
    }
    guard let principal = request.principal, let person = principal.person else {
      return try reply(to: request, with: await route.answer(request), isAPI: !isForm)
    }
    let owner =
      person.text + (principal.onBehalfOf.map { "/" + $0.text } ?? "")
      + (principal.token.map { "#" + $0.id.text } ?? "")
    let head = Array("\(request.method.rawValue) \(request.path)?\(rawQuery)\n".utf8)
    let digest = SM3.hash(head + request.body).hex
    switch try await answers.claim(owner, key, digest) {
    case .mine: break
    case .kept(let answer):
      var reply = Reply(status: answer.status, type: answer.type, body: answer.body)
      if let etag = answer.etag { reply.headers.append(("etag", etag)) }
      reply.headers.append(("idempotency-replayed", "true"))
      return reply
    case .underWay:
      var refusal = Refusal(
        .conflict, "idempotency.under-way",
        isForm
          ? Text("这次提交正在办理，请稍后刷新。", "This is being done; reload the page in a while.")
          : Text(
            "带此 Idempotency-Key 的请求正在处理，请稍后重发。", "The request with this key is under way; send it again in a while."))
      refusal.retryAfter = 5
      throw refusal
    case .unknown where isForm, .otherRequest where isForm:
      return try reply(to: request, with: await route.answer(request), isAPI: false)
    case .unknown:
      throw Refusal(
        .conflict, "idempotency.unknown",
        Text(
          "带此 Idempotency-Key 的请求曾被中断，是否生效请先查询，再换一个键重发。",
          "The request with this key was cut off; look whether it took effect, then send it with another key."))
    case .otherRequest:
      throw Refusal.invalid(
        "idempotency.other-request", "Idempotency-Key",
        Text("此 Idempotency-Key 已用于内容不同的请求。", "This Idempotency-Key was used for a request of other content."))
    }
    let attempt = await answers.attempt { try await route.answer(request) }
    let response: Web.Response
    switch attempt.outcome {
    case .success(let answered): response = answered
    case .failure(let error):
      // Should the key's own row fail now, what went wrong before is told all the same.
      if error is Refusal || !attempt.mayHold {
        try? await answers.release(owner, key)
      } else {
        try? await answers.abandon(owner, key)
      }
      throw error
    }
    let done = try reply(to: request, with: response, isAPI: !isForm)
    let etag = done.headers.first { $0.name == "etag" }?.value
    try await answers.keep(
      owner, key, .init(status: done.status, type: done.type ?? "application/json", etag: etag, body: done.body))
    return done
  }
}
