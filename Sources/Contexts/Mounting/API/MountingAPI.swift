import Catalog
import Connecting
import Inventory
import Kernel
import Web

/// Ties for programs: what the pages show and do, no more.
enum MountingAPI {
  static func routes(_ mounting: Mounting) -> [Route] {
    [
      Route.get(
        "/api/v1/mounting/ties", .permission(.readMounting),
        summary: Text("可见目录的挂接：是否可用、是否按期更新", "Mounts of the entries one sees: whether they work and are updated")
      ) { request in
        let limit = try request.pageLimit(most: 200)
        let listing = try await mounting.list(
          request.visitor(), state: try request.queryChoice("state", of: Tie.State.self),
          timeliness: try request.queryChoice("timeliness", of: Timeliness.State.self),
          after: try request.queryID("after"), limit: limit)
        return .json([
          "ties": .array(listing.ties.map { json($0, request.language) }), "next": .optional(listing.next?.text),
          "counts": .object(Tie.State.allCases.map { ($0.rawValue, JSON(listing.counts[$0] ?? 0)) }),
          "timelinessCounts": .object(
            Timeliness.State.allCases.map { ($0.rawValue, JSON(listing.timeliness[$0] ?? 0)) }),
        ])
      }.widened(by: .reviewCatalog).described(
        gives: Schema.object([
          ("ties", Schema.list(Schema.object(tie))), ("next", Schema.maybe(Schema.text)),
          ("counts", Schema.object(Tie.State.allCases.map { ($0.rawValue, Schema.whole) })),
          ("timelinessCounts", Schema.object(Timeliness.State.allCases.map { ($0.rawValue, Schema.whole) })),
        ]),
        query: [
          QueryParameter("state", Text("状态", "state"), Schema.choice(Tie.State.self)),
          QueryParameter("timeliness", Text("更新及时性", "timeliness"), Schema.choice(Timeliness.State.self)),
          .cursor("after"), .limit(most: 200),
        ]),
      Route.get(
        "/api/v1/mounting/ties/{id}", .permission(.readMounting),
        summary: Text(
          "一项挂接：对象、更新及时性的依据和检测记录，供提供方和平台",
          "One mount: what it is tied to, why it counts as updated or not, and its tests; for its department and the operator"
        )
      ) { request in
        .json(json(try await mounting.tie(request.id(), for: request.visitor()), request.language))
      }.widened(by: .reviewCatalog).described(gives: view),
      Route(
        .delete, "/api/v1/mounting/ties/{id}", .permission(.manageMounting),
        summary: Text("取消与文件或接口的挂接", "Give up a tie to files or a service")
      ) { request in
        .json(json(try await mounting.untie(request.visitor(), request.id()), request.language))
      }.described(gives: Schema.object(tie)),
      Route.post(
        "/api/v1/mounting/ties/{id}/test", .permission(.readMounting),
        summary: Text("立即检测一项挂接", "Test one mount now")
      ) { request in
        .json(json(try await mounting.testNow(request.id(), by: request.visitor()), request.language))
      }.widened(by: .reviewCatalog).described(gives: Schema.object(tie)),
      Route.get(
        "/api/v1/mounting/resources/{id}", .permission(.readMounting),
        summary: Text("一条目录的各项挂接，供提供方和平台", "The mounts of one entry, for its department and the operator")
      ) { request in
        let found = try await mounting.mounts(of: request.id(), for: request.visitor())
        return .json(["ties": .array(found.map { json($0, request.language) })])
      }.widened(by: .reviewCatalog).described(gives: Schema.object([("ties", Schema.list(view))])),
    ] + TyingAPI.routes(mounting) + SourcesAPI.routes(mounting)
  }

  // MARK: What is answered

  static let tie: [(String, JSON)] = [
    ("id", Schema.id), ("resource", Schema.id), ("name", Schema.text), ("version", Schema.whole),
    ("provider", Schema.id), ("providerName", Schema.text), ("kind", Schema.choice(Tie.Kind.self)),
    ("inForce", Schema.flag), ("state", Schema.choice(Tie.State.self)), ("since", Schema.moment),
    ("measuredAt", Schema.maybe(Schema.moment)), ("fault", Schema.maybe(Schema.text)),
    ("faultWords", Schema.maybe(Schema.text)), ("failures", Schema.whole), ("nextTestAt", Schema.moment),
    ("timeliness", Schema.choice(Timeliness.State.self)), ("changedAt", Schema.maybe(Schema.moment)),
    ("timelyUntil", Schema.maybe(Schema.day)),
  ]

  private static let view = Schema.object(
    tie + [
      (
        "target",
        Schema.object([
          ("source", Schema.maybe(Schema.id)), ("sourceName", Schema.maybe(Schema.text)),
          ("schema", Schema.maybe(Schema.text)), ("table", Schema.maybe(Schema.text)),
          ("cursor", Schema.maybe(Schema.text)), ("pattern", Schema.maybe(Schema.text)),
          ("url", Schema.maybe(Schema.text)), ("status", Schema.maybe(Schema.whole)),
          ("expectsJSON", Schema.maybe(Schema.flag)),
        ])
      ), ("estimatedRows", Schema.maybe(Schema.whole)), ("reasons", Schema.list(Schema.text)),
      (
        "tests",
        Schema.list(
          Schema.object([
            ("passed", Schema.flag), ("fault", Schema.maybe(Schema.text)), ("faultWords", Schema.maybe(Schema.text)),
            ("first", Schema.moment), ("last", Schema.moment), ("tests", Schema.whole),
          ]))
      ),
    ])

  /// Where the data lies stays with its office and the operator.
  static func json(_ tie: Tie, _ language: Language) -> JSON {
    [
      "id": .string(tie.id.text), "resource": .string(tie.resource.text), "name": .string(tie.name),
      "version": JSON(tie.version), "provider": .string(tie.provider.text), "providerName": .string(tie.providerName),
      "kind": .string(tie.target.kind.rawValue), "inForce": JSON(tie.isInForce), "state": .string(tie.state.rawValue),
      "since": .string(tie.since.description), "measuredAt": .optional(tie.measuredAt?.description),
      "fault": .optional(tie.fault?.code), "faultWords": .optional(tie.fault.map { language($0.words) }),
      "failures": JSON(tie.failures), "nextTestAt": .string(tie.dueAt.description),
      "timeliness": .string(tie.timeliness.rawValue), "changedAt": .optional(tie.watch.changedAt?.description),
      "timelyUntil": .optional(tie.timelyUntil?.description),
    ]
  }

  private static func json(_ view: Mounting.View, _ language: Language) -> JSON {
    let runs = view.runs.map { run -> JSON in
      [
        "passed": JSON(run.fault == nil), "fault": .optional(run.fault?.code),
        "faultWords": .optional(run.fault.map { language($0.words) }), "first": .string(run.first.description),
        "last": .string(run.last.description), "tests": JSON(run.tests),
      ]
    }
    let more: [JSON.Member] = [
      .init("target", target(view)), .init("estimatedRows", .optional(view.tie.estimatedRows)),
      .init("reasons", .array(view.timeliness.reasons.map { .string(language($0)) })), .init("tests", .array(runs)),
    ]
    return .object((json(view.tie, language).members ?? []) + more)
  }

  private static func target(_ view: Mounting.View) -> JSON {
    var (table, pattern, url): (TableName?, String?, String?)
    var (cursor, status, isJSON): (String?, Int?, Bool?)
    switch view.tie.target {
    case .table(_, let name, let column): (table, cursor) = (name, column)
    case .files(_, let text): pattern = text
    case .api(let address, let expected, let expectsJSON): (url, status, isJSON) = (address, expected, expectsJSON)
    }
    return [
      "source": .optional(view.tie.target.source?.text), "sourceName": .optional(view.sourceName),
      "schema": .optional(table?.schema), "table": .optional(table?.name), "cursor": .optional(cursor),
      "pattern": .optional(pattern), "url": .optional(url), "status": .optional(status),
      "expectsJSON": isJSON.map { JSON($0) } ?? .null,
    ]
  }
}
