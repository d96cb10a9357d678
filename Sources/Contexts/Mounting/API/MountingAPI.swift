import Catalog
import Kernel
import Web

/// Ties for programs: what the pages show, no more.
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
        return .json(["ties": .array(listing.ties.map(json)), "next": .optional(listing.next?.text)])
      }.described(
        gives: Schema.page("ties", tie),
        query: [
          QueryParameter("state", Text("状态", "state"), Schema.choice(Tie.State.self)),
          QueryParameter("timeliness", Text("更新及时性", "timeliness"), Schema.choice(Timeliness.State.self)),
          .cursor("after"), .limit(most: 200),
        ]),
      Route.post(
        "/api/v1/mounting/ties/{id}/test", .permission(.readMounting),
        summary: Text("立即检测一项挂接", "Test one mount now")
      ) { request in
        .json(json(try await mounting.testNow(request.id(), by: request.visitor())))
      }.described(gives: tie),
    ]
  }

  private static let tie = Schema.object([
    ("id", Schema.id), ("resource", Schema.id), ("name", Schema.text), ("version", Schema.whole),
    ("provider", Schema.id), ("providerName", Schema.text), ("kind", Schema.choice(Tie.Kind.self)),
    ("inForce", Schema.flag), ("state", Schema.choice(Tie.State.self)), ("since", Schema.moment),
    ("measuredAt", Schema.maybe(Schema.moment)), ("fault", Schema.maybe(Schema.text)),
    ("faultWords", Schema.maybe(Schema.text)), ("failures", Schema.whole), ("nextTestAt", Schema.moment),
    ("timeliness", Schema.choice(Timeliness.State.self)), ("changedAt", Schema.maybe(Schema.moment)),
    ("timelyUntil", Schema.maybe(Schema.day)),
  ])

  /// Where the data lies stays with its office.
  private static func json(_ tie: Tie) -> JSON {
    [
      "id": .string(tie.id.text), "resource": .string(tie.resource.text), "name": .string(tie.name),
      "version": JSON(tie.version), "provider": .string(tie.provider.text), "providerName": .string(tie.providerName),
      "kind": .string(tie.target.kind.rawValue), "inForce": JSON(tie.isInForce), "state": .string(tie.state.rawValue),
      "since": .string(tie.since.description), "measuredAt": .optional(tie.measuredAt?.description),
      "fault": .optional(tie.fault?.code), "faultWords": .optional(tie.fault?.words.chinese),
      "failures": JSON(tie.failures), "nextTestAt": .string(tie.dueAt.description),
      "timeliness": .string(tie.timeliness.rawValue), "changedAt": .optional(tie.watch.changedAt?.description),
      "timelyUntil": .optional(tie.timelyUntil?.description),
    ]
  }
}
