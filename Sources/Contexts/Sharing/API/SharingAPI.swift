import Deadlines
import Kernel
import Web

/// Requests and grants for programs: what the pages show, no more.
struct SharingAPI: Sendable {
  let sharing: Sharing

  var routes: [Route] {
    [
      .get(
        "/api/v1/requests", .permission(.sharingRead),
        summary: Text("本单位提出或收到的共享申请，新的在前", "Requests of or to one's organisation, newest first")
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let found = try await sharing.requests(
          for: request.visitor(), state: try request.queryChoice("state"), before: try request.queryID("before"),
          limit: limit + 1)
        return .json([
          "requests": .array(found.prefix(limit).map(Self.json)),
          "next": .optional(found.count > limit ? found[limit - 1].id.text : nil),
        ])
      }.widened(by: .sharingReview).described(
        gives: Schema.page("requests", Self.request),
        query: [
          QueryParameter("state", Text("状态", "where it stands"), Schema.choice(RequestState.self)),
          .cursor("before"), .limit(most: 200),
        ]),
      .get(
        "/api/v1/requests/{id}", .permission(.sharingRead), summary: Text("一件共享申请", "One request")
      ) { request in
        let (item, _, _) = try await sharing.request(request.id(), for: request.visitor())
        return .json(Self.json(item))
      }.widened(by: .sharingReview).described(gives: Self.request),
      .get(
        "/api/v1/grants", .permission(.sharingRead),
        summary: Text("本单位给出或使用的授权，新的在前", "Grants that one's organisation gave or uses, newest first")
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let found = try await sharing.grants(
          for: request.visitor(), before: try request.queryID("before"), limit: limit + 1)
        return .json([
          "grants": .array(found.prefix(limit).map(Self.json)),
          "next": .optional(found.count > limit ? found[limit - 1].id.text : nil),
        ])
      }.widened(by: .sharingReview).described(
        gives: Schema.page("grants", Self.grant), query: [.cursor("before"), .limit(most: 200)]),
      .get(
        "/api/v1/grants/{id}", .permission(.sharingRead), summary: Text("一份授权", "One grant")
      ) { request in
        .json(Self.json(try await sharing.grant(request.id(), for: request.visitor())))
      }.widened(by: .sharingReview).described(gives: Self.grant),
    ]
  }

  // MARK: What is answered

  private static let request = Schema.object([
    ("id", Schema.id), ("number", Schema.text), ("state", Schema.choice(RequestState.self)), ("resource", Schema.id),
    ("resourceName", Schema.text), ("provider", Schema.text), ("consumer", Schema.text), ("purpose", Schema.text),
    ("legalBasis", Schema.text), ("scene", Schema.text), ("mode", Schema.choice(SharingMode.self)),
    ("frequency", Schema.choice(Frequency.self)), ("from", Schema.day), ("to", Schema.day),
    ("goneRows", Schema.choice(GoneRows.self)), ("due", Schema.maybe(Schema.day)), ("dueIsProvisional", Schema.flag),
    (
      "items",
      Schema.list(
        Schema.object([
          ("name", Schema.text), ("column", Schema.text), ("approved", Schema.maybe(Schema.flag)),
          ("mask", Schema.maybe(Schema.text)), ("reason", Schema.maybe(Schema.text)),
        ]))
    ),
  ])

  private static let grant = Schema.object([
    ("id", Schema.id), ("number", Schema.text), ("state", Schema.choice(Grant.State.self)), ("request", Schema.id),
    ("resource", Schema.id), ("resourceName", Schema.text), ("provider", Schema.text), ("consumer", Schema.text),
    ("purpose", Schema.text), ("legalBasis", Schema.text), ("scene", Schema.text),
    ("mode", Schema.choice(SharingMode.self)), ("frequency", Schema.choice(Frequency.self)), ("from", Schema.day),
    ("to", Schema.day), ("targetTable", Schema.text), ("goneRows", Schema.choice(GoneRows.self)),
    ("rowFilter", Schema.maybe(Schema.text)),
    ("endedWhy", Schema.maybe(Schema.text)),
    (
      "items",
      Schema.list(
        Schema.object([
          ("name", Schema.text), ("column", Schema.text), ("key", Schema.flag), ("mask", Schema.text),
        ]))
    ),
  ])

  private static func json(_ item: ShareRequest) -> JSON {
    .object([
      ("id", .string(item.id.text)), ("number", .string(item.number)), ("state", .string(item.state.rawValue)),
      ("resource", .string(item.resource.text)), ("resourceName", .string(item.resourceName)),
      ("provider", .string(item.providerName)), ("consumer", .string(item.consumerName)),
      ("purpose", .string(item.purpose)), ("legalBasis", .string(item.legalBasis)), ("scene", .string(item.scene)),
      ("mode", .string(item.mode.rawValue)), ("frequency", .string(item.frequency.rawValue)),
      ("from", .string("\(item.firstDay)")),
      ("to", .string("\(item.lastDay)")), ("goneRows", .string(item.goneRows.rawValue)),
      ("due", .optional(item.due.map { "\($0.date)" })),
      ("dueIsProvisional", .bool(item.due?.provisional ?? false)),
      (
        "items",
        .array(
          item.items.map { line in
            .object([
              ("name", .string(line.name)), ("column", .string(line.column)),
              ("approved", line.approved.map { .bool($0) } ?? .null), ("mask", .optional(line.mask?.encoded)),
              ("reason", .optional(line.reason)),
            ])
          })
      ),
    ])
  }

  private static func json(_ grant: Grant) -> JSON {
    .object([
      ("id", .string(grant.id.text)), ("number", .string(grant.number)), ("state", .string(grant.state.rawValue)),
      ("request", .string(grant.request.text)), ("resource", .string(grant.resource.text)),
      ("resourceName", .string(grant.resourceName)), ("provider", .string(grant.providerName)),
      ("consumer", .string(grant.consumerName)), ("purpose", .string(grant.purpose)),
      ("legalBasis", .string(grant.legalBasis)), ("scene", .string(grant.scene)),
      ("mode", .string(grant.mode.rawValue)),
      ("frequency", .string(grant.frequency.rawValue)),
      ("from", .string("\(grant.firstDay)")), ("to", .string("\(grant.lastDay)")),
      ("targetTable", .string(grant.targetTable)), ("goneRows", .string(grant.goneRows.rawValue)),
      ("rowFilter", .optional(grant.rowFilter)),
      ("endedWhy", .optional(grant.endedWhy)),
      (
        "items",
        .array(
          grant.items.map { item in
            .object([
              ("name", .string(item.name)), ("column", .string(item.column)), ("key", .bool(item.isKey)),
              ("mask", .string(item.mask.encoded)),
            ])
          })
      ),
    ])
  }
}
