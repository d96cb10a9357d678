package import Kernel

package enum Method: String, Sendable, CaseIterable {
  case get = "GET"
  case post = "POST"
  case put = "PUT"
  case delete = "DELETE"
}

/// Who may come in at all. The use case behind asks again, and for the very thing; this is the outer door.
package enum Access: Hashable, Sendable {
  case anyone
  case signedIn
  case permission(Permission)
  /// Any one of these.
  case anyPermission([Permission])
  /// All of these.
  case allPermissions([Permission])
}

/// One address of the site or of the programming interface, with its door and what answers.
package struct Route: Sendable {
  package var method: Method
  /// `/catalog/resources/{id}`; a part in braces takes one segment.
  package var path: String
  package var access: Access
  /// The largest body taken, in bytes; more is refused with 413 before it is read.
  package var bodyLimit: Int
  /// The media types a body of the programming interface may have.
  package var bodyTypes = ["application/json"]
  /// Whether it answers a secret, once: to somebody who signed in and never to a program with a token, and its answer is not
  /// kept for an `Idempotency-Key`.
  package var givesSecret = false
  /// Whether its form, known by the key of `formKey`, is answered once: read again, the page is the one that was answered.
  package var answersOnce = false
  /// Whether its form carries a password or a code: what was typed is then kept nowhere, also not for its writer.
  package var takesSecrets = false
  /// What lets somebody who came in see or do more behind the door, such as others' offices'.
  package var widenedBy: [Permission] = []
  /// Whether a change names the state that it starts from.
  package var condition: Condition
  /// What it is for, in the OpenAPI document; nil for pages.
  package var summary: Text?
  /// What the OpenAPI document says of body and answer; see `described`.
  package var schema = RouteSchema()
  package var answer: @Sendable (Request) async throws -> Response

  /// What is made of `If-Match`: nothing, 412 when it names another state, or also 428 when it is not there.
  package enum Condition: Sendable { case none, honoured, required }

  package init(
    _ method: Method, _ path: String, _ access: Access, bodyLimit: Int = 256 * 1024, summary: Text? = nil,
    _ answer: @escaping @Sendable (Request) async throws -> Response
  ) {
    condition = .none
    self.method = method
    self.path = path
    self.access = access
    self.bodyLimit = bodyLimit
    self.summary = summary
    self.answer = answer
  }

  /// The same route with what the OpenAPI document says of it.
  package func described(
    takes: JSON? = nil, mayBeEmpty: Bool = false, gives: JSON? = nil, status: Int = 200,
    as type: String = "application/json", query: [QueryParameter] = []
  ) -> Route {
    var route = self
    route.schema = RouteSchema(
      takes: takes, mayBeEmpty: mayBeEmpty, gives: gives, status: status, type: type, query: query)
    return route
  }

  /// The same route, which minds `If-Match`.
  package func minding(_ condition: Condition) -> Route {
    var route = self
    route.condition = condition
    return route
  }

  /// The same route, behind whose door these permissions open more.
  package func widened(by permissions: Permission...) -> Route {
    var route = self
    route.widenedBy = permissions
    return route
  }

  /// The same route, whose answer is a secret shown once.
  package func givingSecret() -> Route {
    var route = self
    route.givesSecret = true
    return route
  }

  /// The same route, whose form carries a password or a code.
  package func takingSecrets() -> Route {
    var route = self
    route.takesSecrets = true
    return route
  }

  /// The same route, whose page says what became of many things and is to say the same when it is loaded again.
  package func answeringOnce() -> Route {
    var route = self
    route.answersOnce = true
    return route
  }

  /// The same route, taking bodies of these media types too.
  package func taking(_ types: String...) -> Route {
    var route = self
    route.bodyTypes += types
    return route
  }

  /// The same route, taking bodies of this media type and no other.
  package func taking(only type: String) -> Route {
    var route = self
    route.bodyTypes = [type]
    return route
  }

  package static func get(
    _ path: String, _ access: Access, summary: Text? = nil,
    _ answer: @escaping @Sendable (Request) async throws -> Response
  ) -> Route { Route(.get, path, access, summary: summary, answer) }

  package static func post(
    _ path: String, _ access: Access, bodyLimit: Int = 256 * 1024, summary: Text? = nil,
    _ answer: @escaping @Sendable (Request) async throws -> Response
  ) -> Route { Route(.post, path, access, bodyLimit: bodyLimit, summary: summary, answer) }
}

/// What came in, already parsed, checked for size, origin and CSRF token.
package struct Request: Sendable {
  package var method: Method
  package var path: String
  /// The segments named by the route.
  package var parameters: [String: String] = [:]
  package var query: Fields = Fields()
  package var form: Fields = Fields()
  package var files: [UploadedFile] = []
  package var headers: [String: String] = [:]
  package var body: [UInt8] = []
  /// Nil when nobody is signed in.
  package var principal: Principal?
  package var session: SessionView?
  /// What the session cookie holds, complete or not; only Identity's pages look at it.
  package var sessionToken: String?
  /// What the cookie of a browser that was signed in before holds; only Identity can tell whether it is worth anything.
  package var device: String?
  package var language: Language = .chinese
  /// What a form must carry to be believed; without a session it belongs to the browser that asked for the page.
  package var csrf: String {
    get { session?.csrfToken ?? visitorToken }
    set { visitorToken = newValue }
  }
  private var visitorToken = ""
  /// Names the kept form that was sent again with this, if it was one.
  package var keptForm: String?
  /// A message left by the step before, shown once.
  package var flash: Text?
  package var remoteAddress: String = ""
  package var now: Instant

  package init(method: Method, path: String, now: Instant) {
    self.method = method
    self.path = path
    self.now = now
  }

  /// The one who is signed in; routes that are not `.anyone` always have one.
  package func visitor() throws -> Principal {
    guard let principal else {
      throw Refusal(.unauthenticated, "unauthenticated", Text("请先登录。", "Please sign in first."))
    }
    return principal
  }

  /// Refuses a change that was not made for the state whose tag is `current`, one of these (RFC 9110 §13.1.1): two who edit the
  /// same thing cannot undo each other's work unseen. Throws `.unconditional` without `If-Match`, `.outdated` when it names
  /// another.
  package func requireMatch(_ current: String...) throws {
    guard headers["if-match"] != nil else {
      throw Refusal(
        .unconditional, "request.if-match",
        Text(
          "请在 If-Match 头中给出所依据版本的 ETag（先读取，再修改）。",
          "Give the ETag of the state you start from in If-Match: read first, then change."))
    }
    try match(current)
  }

  /// The same where the asker may leave `If-Match` out; the state may have been told by any of these tags.
  package func honourMatch(_ current: String...) throws { try match(current) }

  private func match(_ current: [String]) throws {
    guard let header = headers["if-match"] else { return }
    guard current.contains(where: { EntityTag($0).isMatched(by: header) }) else {
      throw Refusal(
        .outdated, "request.outdated",
        Text(
          "读取之后已被他人修改，没有保存；请重新读取，核对后再提交。",
          "It was changed after you read it, and nothing was saved; read it again, compare and send."))
    }
  }

  /// The id in the path; a forged one is answered like a missing one.
  package func id<T>(_ name: String = "id", of type: T.Type = T.self) throws -> ID<T> {
    guard let id = ID<T>(parameters[name] ?? "") else { throw Refusal.notFound(Text("页面", "page")) }
    return id
  }
}

/// What a page needs to know of the session.
package struct SessionView: Sendable {
  package var csrfToken: String
  /// What waits for this person now, for the badge on top.
  package var waiting: Int
  package var startedAt: Instant
  /// Where the next step of an unfinished sign-in is taken; nil once it is complete.
  package var pendingStep: String?

  package init(csrfToken: String, waiting: Int, startedAt: Instant, pendingStep: String? = nil) {
    self.csrfToken = csrfToken
    self.waiting = waiting
    self.startedAt = startedAt
    self.pendingStep = pendingStep
  }
}

/// A file of a form. It lies on disk, was counted against its route's limit, and is removed when the request is answered.
package struct UploadedFile: Sendable {
  package var field: String
  /// As its sender called it, without folders; may hold anything else.
  package var name: String
  /// What the sender says it is.
  package var type: String
  /// Where it lies, absolute. Whoever keeps it copies it.
  package var path: String
  /// Bytes.
  package var size: Int

  package init(field: String, name: String, type: String, path: String, size: Int) {
    self.field = field
    self.name = name
    self.type = type
    self.path = path
    self.size = size
  }
}

/// Names with one or more values, in the order they came.
package struct Fields: Sendable, Hashable {
  package var pairs: [(name: String, value: String)]

  package init(_ pairs: [(name: String, value: String)] = []) { self.pairs = pairs }

  /// The first value, trimmed; nil when absent or blank.
  package subscript(_ name: String) -> String? {
    guard let raw = pairs.first(where: { $0.name == name })?.value else { return nil }
    let trimmed = raw.trimmingBlanks
    return trimmed.isEmpty ? nil : trimmed
  }

  package func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

  package static func == (a: Fields, b: Fields) -> Bool { a.pairs.elementsEqual(b.pairs, by: ==) }
  package func hash(into hasher: inout Hasher) {
    for pair in pairs { hasher.combine(pair.name); hasher.combine(pair.value) }
  }
}

/// What goes out.
package enum Response: Sendable {
  /// A page in the house's layout.
  case page(Page)
  /// 303 to an address of ours, with a message shown once there.
  case redirect(String, flash: Text? = nil)
  /// `etag` need not be given nor quoted: a GET of the programming interface without one gets a digest of its bytes.
  case json([UInt8], status: Int = 200, etag: String? = nil)
  /// JSON of another media type: a problem of RFC 9457, a document with its own name.
  case media([UInt8], type: String, status: Int = 200)
  case download([UInt8], type: String, name: String)
  case plain(String, status: Int = 200)
  /// A redirect that starts or ends a session (Identity's sign-in and sign-out). `device` replaces what this browser
  /// keeps of who was signed in with it; nil leaves that as it is.
  case session(token: String?, redirect: String, device: String? = nil)
}

extension Response {
  package static func json(_ value: JSON, status: Int = 200) -> Response { .json(value.bytes, status: status) }
}

/// Which part of the navigation a page belongs to; follows the spine.
package enum Section: String, Sendable, CaseIterable {
  case home, systems, catalog, requests, grants, deliveries, supervision, evidence, people
}

/// One page of the site: a title and a body; the layout adds the rest.
package struct Page: Sendable {
  package var title: Text
  package var section: Section?
  package var status: Int
  package var body: HTML
  /// The path from the section to here: label and address.
  package var trail: [(label: Text, href: String)]
  /// The section's own page that this one belongs to, where its address does not lie below that page's.
  package var within: String?
  /// Seconds after which the page asks for itself again, without JavaScript: for work under way.
  package var refresh: Int?
  /// Seconds after which asking again makes sense, told in a header: for 429 and 503.
  package var retryAfter: Int?

  package init(
    _ title: Text, section: Section? = nil, status: Int = 200, trail: [(label: Text, href: String)] = [],
    within: String? = nil, refresh: Int? = nil, body: HTML
  ) {
    self.title = title
    self.section = section
    self.status = status
    self.trail = trail
    self.within = within
    self.refresh = refresh
    self.body = body
  }
}
