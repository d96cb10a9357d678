import Kernel
import Storage
import Web

extension IdentityRoutes {
  /// Who I am, and which offices stand.
  var interface: [Route] {
    [
      .get("/api/v1/me", .signedIn, summary: Text("当前用户及其权限", "Who is signed in, with permissions")) { request in
        let principal = try request.visitor()
        return .json(
          .object([
            ("id", .optional(principal.person?.text)), ("name", .string(principal.name)),
            (
              "organisation",
              .object([
                ("id", .optional(principal.organisation?.text)), ("name", .string(principal.organisationName)),
              ])
            ),
            ("onBehalfOf", .optional(principal.onBehalfOf?.text)),
            ("permissions", .array(principal.permissions.sorted().map { .string($0.name) })),
            ("token", .optional(principal.token?.id.text)),
            ("csrfToken", .optional(principal.token == nil ? request.csrf : nil)),
          ]))
      }.described(
        gives: Schema.object([
          ("id", Schema.maybe(Schema.id)), ("name", Schema.text),
          ("organisation", Schema.object([("id", Schema.maybe(Schema.id)), ("name", Schema.text)])),
          ("onBehalfOf", Schema.maybe(Schema.id)), ("permissions", Schema.list(Schema.text)),
          // The application token that was sent.
          ("token", Schema.maybe(Schema.id)),
          // What X-CSRF-Token carries with each change that is made under the session's cookie; null with a token.
          ("csrfToken", Schema.maybe(Schema.text)),
        ])),
      .get("/api/v1/organisations", .signedIn, summary: Text("某日在设的单位", "Organisations standing on a day")) {
        request in
        let day = try self.day(request)
        let (search, limit) = (request.query["q"], try request.pageLimit(most: 500))
        let after: OrganisationID? = try request.queryID("after")
        let found = try await database.read { tx in
          let last = try after.map { id in
            guard let last = try OrganisationStore.find(id, in: tx) else {
              throw Refusal.invalid(
                "web.query", "after", Text("after 不是上一页给出的位置。", "after is no place that a page before gave."))
            }
            return last
          }
          return try OrganisationStore.list(on: day, search: search, after: last, limit: limit + 1, in: tx)
        }
        return .json(
          .object([
            ("on", .string(day.description)), ("organisations", .array(found.prefix(limit).map(Self.json))),
            ("next", .optional(found.count > limit ? found[limit - 1].id.text : nil)),
          ]))
      }.described(
        gives: Schema.object([
          ("on", Schema.day),
          (
            "organisations",
            Schema.list(
              Schema.object([
                ("id", Schema.id), ("name", Schema.text), ("shortName", Schema.text), ("creditCode", Schema.text),
                ("division", Schema.text), ("validFrom", Schema.day), ("validTo", Schema.maybe(Schema.day)),
              ]))
          ), ("next", Schema.maybe(Schema.id)),
        ]),
        query: [
          QueryParameter("on", Text("日期，默认今天", "The day, today by default"), Schema.day),
          QueryParameter("q", Text("名称中的文字", "Text in the name")), .cursor("after"), .limit(most: 500),
        ]),
    ]
  }

  /// The day asked for, today when none is; what is no day is refused and not taken for today.
  func day(_ request: Request) throws -> CalendarDate {
    guard let text = request.query["on"] else { return clock.today }
    guard let day = CalendarDate(text) else {
      throw Refusal.invalid("identity.organisations.day", "on", Text("应为日期，如 2026-03-01。", "A day such as 2026-03-01."))
    }
    return day
  }

  static func json(_ organisation: Organisation) -> JSON {
    .object([
      ("id", .string(organisation.id.text)), ("name", .string(organisation.name)),
      ("shortName", .string(organisation.shortName)), ("creditCode", .string(organisation.creditCode)),
      ("division", .string(organisation.division)), ("validFrom", .string(organisation.validFrom.description)),
      ("validTo", .optional(organisation.validTo?.description)),
    ])
  }
}
