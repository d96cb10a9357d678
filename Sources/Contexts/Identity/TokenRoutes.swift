import Kernel
import Storage
import Web

extension IdentityRoutes {
  /// One's own tokens, and everybody's for those who keep accounts.
  var tokenPages: [Route] {
    [
      .get("/account/tokens", .signedIn) { .page(TokenPages.own($0, try await ownTokens($0))) },
      .post("/account/tokens", .signedIn) { request in
        do {
          let made = try await tokens.issue(
            .init(
              name: request.form["name"] ?? "", scopes: Set(request.form.all("scopes").map { Permission($0) }),
              days: Int(request.form["days"] ?? "") ?? 0),
            by: request.visitor())
          return .page(TokenPages.issued(request, made.token, secret: made.secret))
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
          return .page(TokenPages.own(request, try await ownTokens(request), refusal: refusal))
        }
      },
      .post("/account/tokens/{id}/revoke", .signedIn) { request in
        try await revoke(request, back: "/account/tokens")
      },
      .get("/people/tokens", .permission(.peopleRead)) { request in
        let before: TokenID? = try request.queryID("before")
        let person: PersonID? = try request.queryID("person")
        let (found, names) = try await database.read { tx in
          let found = try TokenStore.list(of: person, before: before, limit: 51, in: tx)
          return (found, try Self.names(found, tx))
        }
        let next = found.count > 50 ? found[49].id.text : nil
        return .page(
          TokenPages.all(
            request, Array(found.prefix(50)), titles: tokens.titles, names: names, of: person,
            next: next.map { address("/people/tokens", [("person", person?.text), ("before", $0)]) }))
      },
      .post("/people/tokens/{id}/revoke", .permission(.peopleManage)) { request in
        try await revoke(request, back: "/people/tokens")
      },
    ]
  }

  private func revoke(_ request: Request, back: String) async throws -> Response {
    let token = try await tokens.revoke(try request.id(), by: request.visitor())
    return .redirect(
      back,
      flash: Text(
        "令牌“\(token.name)”已撤销，使用它的程序从现在起被拒绝。",
        "The token “\(token.name)” is revoked; programs that use it are refused from now on."))
  }

  /// The person's tokens, newest first, and the scopes that he could give away.
  private func ownTokens(_ request: Request) async throws -> TokenPages.Own {
    let principal = try request.visitor()
    guard let id = principal.person else { throw Refusal.notFound(Text("账户", "account")) }
    let found = try await database.read { try TokenStore.list(of: id, limit: 100, in: $0) }
    return TokenPages.Own(
      tokens: found, scopes: tokens.offered.filter { principal.may($0.permission) },
      titles: tokens.titles,
      isActing: principal.onBehalfOf != nil)
  }

  /// The names of issuers, and of those who revoked.
  private static func names(_ tokens: [ApplicationToken], _ tx: any Transaction) throws -> [PersonID: String] {
    try Set(tokens.map(\.person) + tokens.compactMap(\.endedBy)).reduce(into: [:]) { names, id in
      names[id] = try PersonStore.find(id, in: tx)?.name
    }
  }
}
