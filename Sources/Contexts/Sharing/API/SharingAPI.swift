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
        let state = request.query["state"].flatMap(RequestState.init(rawValue:))
        let before = request.query["before"].flatMap { ShareRequestID($0) }
        let found = try await sharing.requests(for: request.visitor(), state: state, before: before, limit: 51)
        let next = found.count > 50 ? found[49].id.text : nil
        return .json(
          JSON.object([("requests", .array(found.prefix(50).map(Self.json))), ("next", .optional(next))]).bytes)
      },
      .get(
        "/api/v1/requests/{id}", .permission(.sharingRead), summary: Text("一件共享申请", "One request")
      ) { request in
        let (item, _, _) = try await sharing.request(request.id(), for: request.visitor())
        return .json(Self.json(item).bytes)
      },
      .get(
        "/api/v1/grants/{id}", .permission(.sharingRead), summary: Text("一份授权", "One grant")
      ) { request in
        .json(Self.json(try await sharing.grant(request.id(), for: request.visitor())).bytes)
      },
    ]
  }

  private static func json(_ item: ShareRequest) -> JSON {
    .object([
      ("id", .string(item.id.text)), ("number", .string(item.number)), ("state", .string(item.state.rawValue)),
      ("resource", .string(item.resource.text)), ("resourceName", .string(item.resourceName)),
      ("provider", .string(item.providerName)), ("consumer", .string(item.consumerName)),
      ("purpose", .string(item.purpose)), ("legalBasis", .string(item.legalBasis)), ("scene", .string(item.scene)),
      ("mode", .string(item.mode.rawValue)), ("frequency", .string(item.frequency.rawValue)),
      ("from", .string("\(item.firstDay)")),
      ("to", .string("\(item.lastDay)")), ("due", .optional(item.due.map { "\($0.date)" })),
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
      ("targetTable", .string(grant.targetTable)), ("endedWhy", .optional(grant.endedWhy)),
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
