import HTTPTypes
import Hummingbird
import Kernel
import Logging
import NationalCrypto
import NIOCore
import Web

/// Answers requests: finds the route, asks who comes, reads what was sent, lets the route answer, and writes it down.
struct Site: HTTPResponder {
  typealias Context = SiteContext

  let table: RouteTable
  let sessions: SessionProvider
  let answers: AnswerKeeper
  let configuration: SiteServer.Configuration
  let proxies: [AddressBlock]
  let layout: Layout
  let clock: Kernel.Clock
  let logger: Logger
  let cookies: Cookies
  let seal: Seal
  /// Nil where no form brings files.
  let uploads: UploadFolder?
  let room: BodyRoom

  init(
    routes: [Route], sessions: SessionProvider, answers: AnswerKeeper = .none, configuration: SiteServer.Configuration,
    clock: Kernel.Clock, logger: Logger
  ) throws {
    self.sessions = sessions
    self.answers = answers
    self.configuration = configuration
    self.clock = clock
    self.logger = logger
    seal = Seal(key: configuration.secret)
    uploads = configuration.uploads.map { UploadFolder($0) }
    room = BodyRoom(configuration.largeBodies)
    proxies = try configuration.trustedProxies.map {
      guard let block = AddressBlock($0) else {
        throw Refusal(
          .invalid, "web.trusted-proxy",
          Text("“\($0)”不是 IP 地址或地址段。", "“\($0)” is neither an IP address nor a block of them."))
      }
      return block
    }
    cookies = Cookies(secure: configuration.tls != nil || !configuration.trustedProxies.isEmpty)
    let name = cookies.name(.session)
    func document(_ language: Language) -> [UInt8] {
      openAPI(routes, title: language(configuration.title), version: "1", cookie: name, language: language).bytes
    }
    let (chinese, english) = (document(.chinese), document(.english))
    table = RouteTable(
      routes + [.get("/api/v1/openapi.json", .anyone) { .json($0.language == .chinese ? chinese : english) }])
    let isNamed = configuration.title != SiteServer.Configuration.product
    layout = Layout(table: table, imprint: isNamed ? configuration.title : Text(same: ""))
  }

  /// Stands in where the configuration was refused, and is never run.
  static func closed(configuration: SiteServer.Configuration, clock: Kernel.Clock, logger: Logger) -> Site {
    var bare = configuration
    bare.trustedProxies = []
    // No routes cannot clash.
    return try! Site(
      routes: [], sessions: SessionProvider { _, _ in nil }, answers: .none, configuration: bare, clock: clock,
      logger: logger)
  }

  func respond(to request: Hummingbird.Request, context: SiteContext) async throws -> Hummingbird.Response {
    let parent = HTTPField.Name("traceparent").flatMap { request.headers[$0] }
    return try await Trace.$current.withValue(parent.flatMap(Trace.init(parent:)) ?? .make()) {
      try await traced(request, context)
    }
  }

  private func traced(_ request: Hummingbird.Request, _ context: SiteContext) async throws -> Hummingbird.Response {
    let started = ContinuousClock.now
    guard mayEnter(context.peer) else {
      let reply = Reply.plainHTTP(to: context.peer)
      record(request, reply, person: nil, from: context.peer, took: ContinuousClock.now - started)
      cut(context.channel, after: .seconds(2))
      return reply.response(secure: false)
    }
    let body = Body(request: request, channel: context.channel, timeout: configuration.bodyTimeout)
    let visit = Visit(request, peer: context.peer, proxies: proxies)
    var (reply, person) = await answer(visit, body)
    if visit.isHead { reply.omitsBody = true }
    if body.isPending {
      // Whoever still sends what nobody will read gets the time to hear the answer, then the line is cut.
      reply.headers.append(("connection", "close"))
      cut(context.channel, after: configuration.lingering)
    }
    record(request, reply, person: person, from: visit.remoteAddress, took: ContinuousClock.now - started)
    return reply.response(secure: cookies.secure)
  }

  private func cut(_ channel: any Channel, after patience: Duration) {
    channel.eventLoop.scheduleTask(in: .nanoseconds(patience.inMilliseconds * 1_000_000)) {
      channel.close(promise: nil)
    }
  }

  /// Without TLS only this machine and the declared proxies speak to us: passwords and session cookies of anybody else would
  /// cross a network in the clear, whatever the address we listen on.
  func mayEnter(_ peer: String) -> Bool {
    configuration.tls != nil || SiteServer.isLoopback(peer) || proxies.contains { $0.contains(peer) }
  }

  private func answer(_ visit: Visit, _ body: Body) async -> (Reply, person: String?) {
    if visit.fault == nil, visit.method == .get, let reply = unchanging(visit) {
      return (reply, nil)
    }
    var request = Web.Request(method: visit.method ?? .get, path: visit.path, now: clock.now())
    request.headers = visit.headers
    request.remoteAddress = visit.remoteAddress
    let chosen = cookies.read(.language, from: visit.headers["cookie"])
    request.language = .choose(query: nil, cookie: chosen, accept: visit.headers["accept-language"])
    let anonymous = Anonymous(cookies.read(.anonymous, from: visit.headers["cookie"]), seal: seal)
    request.csrf = anonymous.token
    var reply: Reply
    do {
      // First who it is: also what cannot be read is answered as to the one who is signed in.
      request.device = cookies.read(.device, from: visit.headers["cookie"])
      if visit.isAPI, let bearer = visit.bearer {
        // Then no cookie counts: what is done with a token is done with its scopes and no others.
        request.principal = try await sessions.bearer(bearer, visit.remoteAddress)
      } else if let token = cookies.read(.session, from: visit.headers["cookie"]),
        let info = try await sessions.resolve(token, visit.headers["x-poll"] != nil)
      {
        request.sessionToken = token
        request.principal = info.principal
        request.session = info.view
      }
      if let fault = visit.fault { throw fault }
      request.query = try FormReader.wellFormed { try urlEncodedFields(visit.rawQuery.utf8) }
      if let asked = request.query["lang"].flatMap(Language.init(tag:)) { request.language = asked }
      reply = try await handle(visit, &request, body)
    } catch {
      reply = failure(error, request, isAPI: visit.isAPI)
    }
    if let asked = request.query["lang"].flatMap(Language.init(tag:)), asked.rawValue != chosen {
      reply.cookies.append(cookies.set(.language, asked.rawValue, maxAge: 365 * 86_400))
    }
    if anonymous.isNew, request.session == nil, reply.carriesForm(with: anonymous.token) {
      reply.cookies.append(cookies.set(.anonymous, anonymous.cookie))
    }
    return (reply, request.principal?.actorInLog)
  }

  private func handle(_ visit: Visit, _ request: inout Web.Request, _ body: Body) async throws -> Reply {
    guard let method = visit.method, case .found(let route, let parameters) = table.match(method, visit.path) else {
      let methods = table.methods(at: visit.path)
      guard !methods.isEmpty || unchanging(visit) != nil else { throw Refusal.notFound(Text("这个页面", "page")) }
      var reply = failure(
        Rejection(
          405, Refusal(.invalid, "request.method", Text("这个地址不支持这种操作。", "This address does not support that."))),
        request, isAPI: visit.isAPI)
      let allowed = methods.isEmpty ? [.get] : methods
      reply.headers.append(("allow", allowed.map { $0 == .get ? "GET, HEAD" : $0.rawValue }.joined(separator: ", ")))
      return reply
    }
    request.parameters = parameters
    if let turnedAway = try await admit(route, request, visit, body) { return turnedAway }
    if visit.isAPI, method != .get, let stray = route.strayQuery(in: request.query) { throw stray }
    var files: Uploads?
    var held = 0
    defer {
      files?.discard()
      room.leave(held)
    }
    if method != .get {
      // A token is in no browser's keeping: no other site can have it sent.
      guard request.principal?.token != nil || visit.comesFromHere else { throw Rejection.forged }
      if !visit.isAPI, FormReader.isMultipart(request), let uploads {
        let begun = try uploads.begin()
        files = begun
        try await FormReader.readMultipart(&request, body, upTo: route.bodyLimit, into: begun)
      } else {
        let most = try body.most(upTo: route.bodyLimit)
        try room.enter(most)
        held = most
        request.body = try await body.collect(upTo: route.bodyLimit)
        do { try FormReader.read(&request, isAPI: visit.isAPI, types: route.bodyTypes) } catch let rejection
          as Rejection where rejection == .forged
        {
          // Written before he signed in anew, in another tab perhaps.
          guard request.principal != nil, let place = await keep(route, request, visit) else { throw rejection }
          return Reply(status: 303, headers: [("location", place)])
        }
      }
      // The token was for the door; what lies behind has no use for it.
      request.keptForm = request.form[KeptFormField.id]
      request.form.pairs.removeAll { LateForm.aside.contains($0.name) || $0.name == KeptFormField.page }
    }
    if visit.isAPI, method == .post, let key = visit.headers["idempotency-key"] {
      guard !route.givesSecret else {
        throw Rejection.malformed(
          "Idempotency-Key",
          Text(
            "此接口的回答含密钥，只显示一次、不保留，不能带 Idempotency-Key。",
            "What is answered here is a secret, shown once and kept nowhere: send no Idempotency-Key."))
      }
      return try await once(key, route, request, rawQuery: visit.rawQuery)
    }
    if route.answersOnce, let key = request.form["form"], !key.isEmpty {
      let reply = try await once("form-" + key, route, request, rawQuery: visit.rawQuery, isForm: true)
      await forget(request, reply)
      return reply
    }
    let reply = try reply(to: request, with: await route.answer(request), isAPI: visit.isAPI)
    await forget(request, reply)
    return reply
  }

  /// The one place that decides who may come in at all.
  private func admit(_ route: Route, _ request: Web.Request, _ visit: Visit, _ body: Body) async throws -> Reply? {
    if route.givesSecret, request.principal?.token != nil {
      throw Refusal(
        .forbidden, "request.token-door",
        Text("须本人登录后办理，不接受应用令牌。", "Only somebody who signed in may do this, no application token."))
    }
    guard request.principal == nil, route.access != .anyone, !visit.isAPI else {
      try route.access.check(request.principal)
      return nil
    }
    var kept: String?
    if let late = await unadmitted(route, request, visit, body) { kept = await keep(route, late, visit) }
    let here = visit.rawPath + (visit.rawQuery.isEmpty ? "" : "?" + visit.rawQuery)
    let next = kept ?? (visit.method == .get && here != "/" && localAddress(here) == here ? here : nil)
    // Who has begun to sign in goes on with the step that is missing.
    let step = request.session?.pendingStep ?? "/sign-in"
    var reply = Reply(status: 303, headers: [("location", address(step, [("next", next)]))])
    let isOver = request.session == nil && cookies.read(.session, from: visit.headers["cookie"]) != nil
    if isOver { reply.cookies.append(cookies.set(.session, nil)) }
    if kept != nil {
      reply.cookies.append(
        note(
          Text(
            "登录已过期，刚才提交的内容没有办理，但还在：登录后可以再次提交。",
            "You were signed out. What you just sent was not done, but it is still here: sign in to send it again.")))
    } else if isOver {
      // Whoever was signed in learns why the form is gone, rather than wondering.
      reply.cookies.append(
        note(
          visit.method == .get
            ? Text("登录已过期，请重新登录。", "You were signed out; please sign in again.")
            : Text("登录已过期，刚才提交的内容没有保存。", "You were signed out; what you just sent was not saved.")))
    }
    return reply
  }

  /// A route's answer as bytes and headers.
  func reply(to request: Web.Request, with response: Web.Response, isAPI: Bool) throws -> Reply {
    switch response {
    case .page(let page):
      var request = request
      request.flash = flash(request)
      var reply = Reply(
        status: page.status, type: "text/html; charset=utf-8",
        body: Array(layout.render(page, request: request).text.utf8))
      if request.flash != nil { reply.cookies.append(cookies.set(.flash, nil)) }
      if let seconds = page.retryAfter { reply.headers.append(("retry-after", "\(seconds)")) }
      return reply
    case .redirect(let address, let flash):
      var reply = Reply(status: 303, headers: [("location", try own(address))])
      if let flash { reply.cookies.append(note(flash)) }
      return reply
    case .json(let bytes, let status, let etag):
      let plain = Reply(status: status, type: "application/json", body: bytes)
      return etag == nil && !isAPI ? plain : tagged(plain, etag, request)
    case .media(let bytes, let type, let status):
      let plain = Reply(status: status, type: type, body: bytes)
      return isAPI && type.hasSuffix("json") ? tagged(plain, nil, request) : plain
    case .download(let bytes, let type, let name):
      let plain = String(
        String.UnicodeScalarView(
          name.unicodeScalars.map { $0.isASCII && $0.value > 0x1F && !"\"\\%/".unicodeScalars.contains($0) ? $0 : "_" })
      )
      return Reply(
        status: 200, type: type, body: bytes,
        headers: [
          ("content-disposition", "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(percentEncoded(name))"),
          // Whatever a stranger sent in: should a browser show it after all, it runs nothing and reaches nobody.
          ("content-security-policy", "default-src 'none'; sandbox"),
        ])
    case .plain(let text, let status):
      return Reply(status: status, type: "text/plain; charset=utf-8", body: Array(text.utf8))
    case .session(let token, let address, let device):
      var reply = Reply(
        status: 303, headers: [("location", try own(address))],
        cookies: [cookies.set(.session, token), cookies.set(.anonymous, nil)])
      if let device { reply.cookies.append(cookies.set(.device, device, maxAge: 180 * 86_400)) }
      return reply
    }
  }

  /// What a GET answered, with a tag by which the asker learns next time that nothing changed (RFC 9110 §13.1.2).
  private func tagged(_ reply: Reply, _ etag: String?, _ request: Web.Request) -> Reply {
    guard request.method == .get, reply.status == 200 else {
      guard let etag, reply.status < 300 else { return reply }
      // What a change left behind: the next one starts from it.
      var reply = reply
      reply.headers.append(("etag", EntityTag(etag).text))
      return reply
    }
    let tag = EntityTag(etag ?? String(SM3.hash(reply.body).hex.prefix(32)))
    var reply = reply
    reply.cache = "private, no-cache"
    reply.headers.append(("etag", tag.text))
    if let known = request.headers["if-none-match"], tag.isNamed(in: known) { (reply.status, reply.body) = (304, []) }
    return reply
  }

  /// The cookie of a message shown once, within the 4096 bytes that a browser keeps.
  private func note(_ text: Text) -> String {
    let both = "\(text.chinese.prefix(200))\u{1F}\(text.english.prefix(200))"
    return cookies.set(.flash, seal.seal(percentEncoded(both), as: "flash"), maxAge: 120)
  }

  private func flash(_ request: Web.Request) -> Text? {
    guard let sealed = cookies.read(.flash, from: request.headers["cookie"]),
      let encoded = seal.open(sealed, as: "flash"), let text = try? urlEncodedFields("t=\(encoded)".utf8)["t"]
    else { return nil }
    let parts = text.split(separator: "\u{1F}", maxSplits: 1, omittingEmptySubsequences: false)
    return parts.count == 2 ? Text(String(parts[0]), String(parts[1])) : nil
  }

  private func own(_ address: String) throws -> String {
    let parts = address.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    guard localAddress(String(parts[0])) == addressEncoded(String(parts[0])) else { throw Elsewhere(address: address) }
    return addressEncoded(address)
  }

  /// A redirect that would lead away is a mistake of ours.
  private struct Elsewhere: Error { var address: String }

  /// The few things that are the same for everybody.
  private func unchanging(_ visit: Visit) -> Reply? {
    if visit.path == "/healthz" {
      return Reply(status: 200, type: "text/plain; charset=utf-8", body: Array("ok\n".utf8))
    }
    guard let asset = layout.assets.find(visit.path) else { return nil }
    return Reply(
      status: 200, type: asset.type, body: asset.bytes, cache: "public, max-age=31536000, immutable")
  }

  /// An error as a page or a problem. Refusals were written for people; anything else is told to the log only.
  private func failure(_ error: any Error, _ request: Web.Request, isAPI: Bool) -> Reply {
    let status: Int
    let refusal: Refusal
    var reference: String?
    switch error {
    case let rejection as Rejection:
      (status, refusal) = (rejection.status, rejection.refusal)
      if status >= 500 {
        logger.error("request failed", metadata: ["path": "\(request.path)", "error": "\(refusal.code)"])
      }
    case let thrown as Refusal: (status, refusal) = (thrown.status, thrown)
    case _ where configuration.explain(error) != nil:
      let explained = configuration.explain(error) ?? .notFound(Text("这个页面", "page"))
      logger.error("request failed", metadata: ["path": "\(request.path)", "error": "\(error)"])
      refusal = explained
      status = explained.status
    default:
      let number = String(uuidVersion7(at: clock.now()).suffix(12))
      logger.error(
        "request failed",
        metadata: ["reference": "\(number)", "path": "\(request.path)", "error": "\(String(reflecting: error))"])
      status = 500
      reference = number
      refusal = Refusal(
        .unavailable, "internal",
        Text("系统出错，这次操作没有完成。", "Something went wrong on our side, and this was not done."))
    }
    var reply: Reply
    if isAPI {
      reply = Reply(
        status: status, type: "application/problem+json",
        body: problem(refusal, status: status, reference: reference, request).bytes)
    } else {
      let page = Page.refused(
        refusal, status: status, reference: reference, lacking: refusal.lacks.flatMap(configuration.words),
        above: above(request, status), request)
      reply = Reply(
        status: status, type: "text/html; charset=utf-8",
        body: Array(layout.render(page, request: request).text.utf8))
    }
    if isAPI, status == 401 || (status == 403 && request.principal?.token != nil) {
      // RFC 6750 §3: how to come in, and why this token did not.
      let reason =
        status == 403
        ? ", error=\"insufficient_scope\""
        : request.headers["authorization"] == nil ? "" : ", error=\"invalid_token\""
      reply.headers.append(("www-authenticate", "Bearer realm=\"sanjiang\"" + reason))
    }
    if status == 503 || status == 429 {
      reply.headers.append(("retry-after", "\(refusal.retryAfter ?? (status == 503 ? 5 : 60))"))
    }
    return reply
  }

  /// The nearest page above what was refused that this visitor may open: an entry's, above what can be done with it. Nil above
  /// what is not there, since that may lack more than its last part.
  private func above(_ request: Web.Request, _ status: Int) -> String? {
    guard status != 401, status != 404 else { return nil }
    func opens(_ path: Substring) -> Bool {
      guard case .found(let route, _) = table.match(.get, String(path)) else { return false }
      return (try? route.access.check(request.principal)) != nil
    }
    var path = request.path[...]
    // A page that did not understand its query is a page without it.
    if request.method == .get, status == 422, !request.query.pairs.isEmpty, opens(path) { return String(path) }
    while let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      path = path[..<slash]
      if opens(path) { return String(path) }
    }
    return nil
  }

  private func problem(_ refusal: Refusal, status: Int, reference: String?, _ request: Web.Request) -> JSON {
    var members =
      Problem(refusal, language: request.language, instance: reference.map { "urn:sanjiang:reference:\($0)" })
      .body.members ?? []
    for index in members.indices where members[index].name == "status" { members[index].value = JSON(status) }
    return .object(members)
  }

  /// One line a request. Names of query fields only: what people search for is nobody's business.
  private func record(
    _ request: Hummingbird.Request, _ reply: Reply, person: String?, from: String, took: Duration
  ) {
    let target = request.head.path ?? ""
    let cut = target.firstIndex(of: "?") ?? target.endIndex
    let names = target[cut...].dropFirst().split(separator: "&").prefix(20).map { $0.prefix { $0 != "=" }.prefix(40) }
    let query = names.isEmpty ? "" : "?" + names.joined(separator: "&")
    var details: Logger.Metadata = ["from": "\(from)"]
    if let person { details["person"] = "\(person)" }
    logger.info(
      "\(request.method.rawValue) \(target[..<cut].prefix(300))\(query) \(reply.status) \(took.inMilliseconds) ms \(reply.body.count) B",
      metadata: details)
  }
}

extension Principal {
  /// Who it was, for the server's log: ids only.
  fileprivate var actorInLog: String? {
    person.map { $0.text + (token.map { " token \($0.id)" } ?? "") }
  }
}

/// The form token of a visitor without a session: a signed cookie and a value in the form that belong together.
struct Anonymous: Sendable {
  let cookie: String
  let token: String
  let isNew: Bool

  init(_ cookie: String?, seal: Seal) {
    if let cookie, let nonce = seal.open(cookie, as: "pre") {
      (self.cookie, token, isNew) = (cookie, seal.sign(nonce, as: "csrf"), false)
    } else {
      let nonce = randomHex(16)
      (self.cookie, token, isNew) = (seal.seal(nonce, as: "pre"), seal.sign(nonce, as: "csrf"), true)
    }
  }
}
