import Kernel
import Web

@testable import WebServer

/// A few routes of every kind, and three people.
enum SampleSite {
  static let clock = Clock { Instant("2026-08-22T09:30:00Z")! }
  static let reading = Permission("catalog.read")
  static let csrf = "0123456789abcdef0123456789abcdef"

  /// Stood in the forms of a session that is over.
  static let oldCSRF = "fedcba9876543210fedcba9876543210"

  struct Trouble: Error { var secret = "hunter2" }

  /// Tokens: `reader` may read, `nobody` may nothing, `halfway` has a second factor to give, `broken` fails.
  static let sessions = SessionProvider(bearer: bearer, keep: keep) { token, _ in
    let view = SessionView(csrfToken: csrf, waiting: 3, startedAt: clock.now())
    func principal(_ permissions: Set<Permission>) -> Principal {
      Principal(
        person: .make(at: clock.now()), name: "王小明<b>", organisation: nil, organisationName: "省农业农村厅",
        permissions: permissions)
    }
    switch token {
    case "reader": return SessionInfo(principal: principal([reading]), view: view)
    case "nobody": return SessionInfo(principal: principal([]), view: view)
    case "halfway": return SessionInfo(principal: nil, view: view)
    case "onestep":
      var view = view
      view.pendingStep = "/sign-in/second-factor"
      return SessionInfo(principal: nil, view: view)
    case "broken": throw Trouble()
    default: return nil
    }
  }

  /// `sj_reads` may read, `sj_idle` may nothing; any other is refused with what was sent.
  private static let bearer: @Sendable (String, String) async throws -> Principal = { token, source in
    guard ["sj_reads", "sj_idle"].contains(token) else {
      throw Refusal(.unauthenticated, "sample.token", Text(same: "[\(token)] \(source)"))
    }
    return Principal(
      person: .make(at: clock.now()), name: "程序", organisation: nil, organisationName: "省农业农村厅",
      permissions: token == "sj_reads" ? [reading] : [], token: ActingToken(id: .make(at: clock.now()), name: "同步"))
  }

  private static let keep: @Sendable (LateForm, PersonID?) async throws -> String? = { form, person in
    guard form.csrf == oldCSRF else { return nil }
    if form.address.hasSuffix("fail=1") { throw Trouble() }
    return address("/kept", [("to", form.address), ("fields", form.fields), ("person", person.map { _ in "some" })])
  }

  static let routes: [Route] = [
    .get("/", .anyone) { request in
      .page(Page(Text("首页", "Start"), section: .home, body: "<p>\(request.principal?.name ?? "-")</p>"))
    },
    .get("/sign-in", .anyone) { request in
      .page(Page(Text("登录", "Sign in"), body: form(request, action: "/sign-in", "<button>x</button>")))
    },
    .post("/sign-in", .anyone) { request in
      .session(
        token: "reader", redirect: localAddress(request.form["next"]), device: "mark-after-\(request.device ?? "none")")
    },
    .post("/sign-out", .signedIn) { _ in .session(token: nil, redirect: "/sign-in") },
    .get("/mine", .signedIn) { request in .plain("\(request.sessionToken ?? "")") },
    .get("/catalog", .permission(reading)) { request in
      .page(Page(Text("目录", "Catalogue"), section: .catalog, body: "<p>\(request.query["q"] ?? "")</p>"))
    },
    .get("/things/{id}", .anyone) { request in .plain(request.parameters["id"] ?? "") },
    .get("/things/new", .anyone) { _ in .plain("new one") },
    .post("/echo", .anyone, bodyLimit: 100_000) { request in
      let fields = request.form.pairs.map { "\($0.name)=\($0.value)" }
      let files = request.files.map { "\($0.field):\($0.name):\($0.size)" }
      return .plain((fields + files).joined(separator: "|"))
    },
    .post("/save", .signedIn) { _ in .redirect("/", flash: Text("已保存<i>。", "Saved<i>.")) },
    .post("/password", .signedIn) { _ in .redirect("/") }.takingSecrets(),
    .post("/long", .signedIn) { _ in
      .redirect("/", flash: Text(String(repeating: "江", count: 900), String(repeating: "é", count: 900)))
    },
    .post("/typed", .anyone) { _ in .redirect("/目录/a b?q=法人&x=%E4#z") },
    .post("/away", .anyone) { _ in .redirect("https://elsewhere.example/") },
    .get("/where", .anyone) { request in .plain(request.remoteAddress) },
    .get("/fails", .anyone) { _ in throw Trouble() },
    .get("/catalog/refuses/now", .anyone) { _ in throw Refusal(.conflict, "sample.state", Text("不行。", "No.")) },
    .get("/catalog/refuses/where", .anyone) { _ in
      throw Refusal.invalid("sample.twice", "x", Text("请选择<b>。", "Choose."))
        .leading(Text("打开", "Open"), "/things/三")
    },
    .get("/catalog/refuses/plain", .anyone) { request in
      guard request.query["q"] == nil else { throw Refusal.invalid("sample.q", "q", Text("不懂。", "What?")) }
      return .plain("")
    },
    .get("/refuses", .anyone) { _ in throw Refusal(.conflict, "sample.state", Text("不行。", "No.")) },
    .get("/file", .anyone) { _ in .download([1, 2, 3], type: "text/csv", name: "目录\"x.csv") },
    .get("/api/v1/things", .permission(reading), summary: Text("列出", "List things")) { _ in
      .json([0x5B, 0x5D], etag: "abc")
    },
    .get("/api/v1/quoted", .anyone) { _ in .json([0x5B, 0x5D], etag: "\"abc\"") },
    .get("/api/v1/plain", .anyone) { request in .json(.object([("q", .optional(request.query["q"]))])) },
    .post("/api/v1/things", .permission(reading), summary: Text("新建", "Make a thing")) { request in
      .json(request.body, status: 201)
    },
    .post("/api/v1/secrets", .signedIn, summary: Text("密钥", "Make a secret")) { _ in .json([0x22, 0x22]) }
      .givingSecret(),
    .get("/api/v1/fails", .anyone, summary: Text("出错", "Fail")) { _ in throw Trouble() },
    .get("/api/v1/refuses", .anyone) { _ in
      throw Refusal.invalid("sample.name", "name", Text("太长。", "Too long."))
    },
  ]
}
