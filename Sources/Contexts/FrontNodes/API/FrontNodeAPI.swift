import Kernel
import Web

/// Front-end nodes for programs: what the pages show, without any password.
struct FrontNodeAPI: Sendable {
  let nodes: FrontNodes

  var routes: [Route] {
    [
      .get(
        "/api/v1/front-nodes", .permission(.frontNodesRead),
        summary: Text("前置机和前置库，新的在前", "Front-end machines and databases, newest first")
      ) { request in
        let found = try await nodes.list(
          request.visitor(), state: try request.queryChoice("state"), before: try request.queryID("before"),
          limit: try request.pageLimit(most: 200))
        return .json([
          "nodes": .array(found.nodes.map { .object(Self.members($0)) }), "next": .optional(found.next?.text),
        ])
      }.widened(by: .frontNodesManage).described(
        gives: Schema.page("nodes", Schema.object(Self.node)),
        query: [
          QueryParameter("state", Text("状态", "state"), Schema.choice(FrontNodeState.self)), .cursor("before"),
          .limit(most: 200),
        ]),
      .get(
        "/api/v1/front-nodes/{id}", .permission(.frontNodesRead),
        summary: Text(
          "一个前置节点：申请内容、分配、经过和每日检查", "One node: what was asked for, what was allotted, what happened, its checks by day")
      ) { request in
        let view = try await nodes.view(request.visitor(), request.id())
        let steps = view.steps.map { step -> JSON in
          [
            "at": .string(step.at.description), "event": .string(step.event), "actor": .string(step.actor),
            "words": .string(step.words),
          ]
        }
        let days = view.days.map { day -> JSON in
          ["day": .string(day.day.description), "checks": JSON(day.checks), "failures": JSON(day.failures)]
        }
        return .json(.object(Self.members(view.node) + [("steps", .array(steps)), ("days", .array(days))]))
      }.widened(by: .frontNodesManage).described(
        gives: Schema.object(
          Self.node + [
            (
              "steps",
              Schema.list(
                Schema.object([
                  ("at", Schema.moment), ("event", Schema.text), ("actor", Schema.text), ("words", Schema.text),
                ]))
            ),
            (
              "days",
              Schema.list(
                Schema.object([("day", Schema.day), ("checks", Schema.whole), ("failures", Schema.whole)]))
            ),
          ])),
    ]
  }

  private static let node: [(String, JSON)] = [
    ("id", Schema.id), ("number", Schema.text), ("owner", Schema.id), ("ownerName", Schema.text),
    ("system", Schema.id), ("systemName", Schema.text), ("form", Schema.choice(FrontNode.Form.self)),
    ("area", Schema.choice(FrontNode.Area.self)), ("product", Schema.maybe(Schema.text)), ("room", Schema.whole),
    ("grade", Schema.whole), ("until", Schema.maybe(Schema.day)), ("state", Schema.choice(FrontNodeState.self)),
    ("askedAt", Schema.moment), ("place", Schema.maybe(Schema.text)), ("database", Schema.maybe(Schema.text)),
    ("account", Schema.maybe(Schema.text)), ("source", Schema.maybe(Schema.id)),
    ("checkedAt", Schema.maybe(Schema.moment)), ("healthy", Schema.maybe(Schema.flag)),
    ("bytes", Schema.maybe(Schema.whole)), ("connections", Schema.maybe(Schema.whole)),
  ]

  private static func members(_ node: FrontNode) -> [(String, JSON)] {
    let (wish, allotment, health) = (node.wish, node.allotment, node.health)
    return [
      ("id", .string(node.id.text)), ("number", .string(node.number)), ("owner", .string(node.owner.text)),
      ("ownerName", .string(node.ownerName)), ("system", .string(wish.system.text)),
      ("systemName", .string(node.systemName)), ("form", .string(wish.form.rawValue)),
      ("area", .string(wish.area.rawValue)), ("product", .optional(wish.product)), ("room", JSON(wish.room)),
      ("grade", JSON(wish.grade)), ("until", .optional(wish.until?.description)),
      ("state", .string(node.state.rawValue)),
      ("askedAt", .string(node.askedAt.description)), ("place", .optional(allotment?.place)),
      ("database", .optional(allotment?.database)), ("account", .optional(allotment?.account)),
      ("source", .optional(node.source?.text)), ("checkedAt", .optional(health?.at.description)),
      ("healthy", health.map { .bool($0.isGood) } ?? .null),
      ("bytes", health?.use.map { JSON(Int($0.bytes)) } ?? .null),
      ("connections", health?.use.map { JSON($0.connections) } ?? .null),
    ]
  }
}
