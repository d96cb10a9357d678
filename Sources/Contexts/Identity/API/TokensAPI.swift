import Kernel
import Storage
import Web

extension IdentityRoutes {
  /// One's own tokens for programs, by program.
  var tokenInterface: [Route] {
    [
      .get("/api/v1/tokens", .signedIn, summary: Text("本人的应用令牌", "One's own application tokens")) { request in
        guard let id = try request.visitor().person else { throw Refusal.notFound(Text("账户", "account")) }
        let limit = try request.pageLimit(most: 200)
        let before: TokenID? = try request.queryID("before")
        let found = try await database.read { try TokenStore.list(of: id, before: before, limit: limit + 1, in: $0) }
        return .json(
          .object([
            ("tokens", .array(found.prefix(limit).map { Self.json($0, at: request.now) })),
            ("next", .optional(found.count > limit ? found[limit - 1].id.text : nil)),
          ]))
      }.described(
        gives: Schema.page("tokens", Self.tokenSchema), query: [.cursor("before"), .limit(most: 200)]),
      .post(
        "/api/v1/tokens", .signedIn, summary: Text("签发应用令牌（须本人登录）", "Issue an application token, signed in oneself")
      ) {
        request in
        let made = try await tokens.issue(try Self.draft(request), by: request.visitor())
        return .json(
          .object([("secret", .string(made.secret)), ("token", Self.json(made.token, at: request.now))]), status: 201)
      }.givingSecret().described(
        takes: Schema.taken(
          ["name", "scopes"],
          [
            ("name", ["type": "string", "maxLength": 50]),
            (
              "scopes", ["type": "array", "minItems": 1, "items": Schema.choice(tokens.offered.map(\.permission.name))]
            ),
            ("days", Schema.number(1...Tokens.longestDays)),
          ]),
        gives: Schema.object([("secret", Schema.text), ("token", Self.tokenSchema)]), status: 201),
      Route(.delete, "/api/v1/tokens/{id}", .signedIn, summary: Text("撤销应用令牌", "Revoke an application token")) {
        request in
        .json(Self.json(try await tokens.revoke(try request.id(), by: request.visitor()), at: request.now))
      }.widened(by: .peopleManage).described(gives: Self.tokenSchema),
    ]
  }

  private static func draft(_ request: Request) throws -> Tokens.Draft {
    let body = try request.members("name", "scopes", "days")
    return Tokens.Draft(
      name: try body.text("name") ?? "", scopes: Set((try body.texts("scopes") ?? []).map { Permission($0) }),
      days: try body.whole("days") ?? Tokens.usualDays)
  }

  private static let tokenSchema = Schema.object([
    ("id", Schema.id), ("name", Schema.text), ("hint", Schema.text), ("scopes", Schema.list(Schema.text)),
    ("state", Schema.choice(ApplicationToken.State.self)), ("createdAt", Schema.moment),
    ("expiresAt", Schema.moment), ("revokedAt", Schema.maybe(Schema.moment)),
    ("lastUsedAt", Schema.maybe(Schema.moment)), ("lastUsedFrom", Schema.maybe(Schema.text)),
  ])

  private static func json(_ token: ApplicationToken, at now: Instant) -> JSON {
    .object([
      ("id", .string(token.id.text)), ("name", .string(token.name)), ("hint", .string(token.hint)),
      ("scopes", .array(token.scopes.sorted().map { .string($0.name) })),
      ("state", .string(token.state(at: now).rawValue)), ("createdAt", .string(token.createdAt.description)),
      ("expiresAt", .string(token.expiresAt.description)), ("revokedAt", .optional(token.endedAt?.description)),
      ("lastUsedAt", .optional(token.usedAt?.description)), ("lastUsedFrom", .optional(token.usedFrom)),
    ])
  }
}
