import Connecting
import Inventory
import Kernel
package import Web

package enum FrontNodeRoutes {
  package static func routes(_ nodes: FrontNodes) -> [Route] {
    pages(nodes) + steps(nodes) + servers(nodes) + FrontNodeAPI(nodes: nodes).routes
  }

  private static func pages(_ nodes: FrontNodes) -> [Route] {
    [
      .get("/front-nodes", .permission(.frontNodesRead)) { request in
        let state: FrontNodeState? = try request.queryChoice("state")
        let found = try await nodes.list(
          request.visitor(), state: state, before: try request.queryID("before"))
        return .page(NodeListPage.render(request, found, state: state))
      },
      .get("/front-nodes/new", .permission(.frontNodesAsk)) { request in
        .page(
          NodeForm.render(
            request, try await nodes.systems(of: request.visitor()), nodes.kinds, values: request.query, refusal: nil))
      },
      .post("/front-nodes", .permission(.frontNodesAsk)) { request in
        do {
          let node = try await nodes.ask(
            request.visitor(), NodeForm.wish(request.form), formKey: request.form["form"])
          return .redirect(
            FrontNodeLink.node(node.id), flash: Text("已提交，编号 \(node.number)。", "Asked for as \(node.number)."))
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(
            NodeForm.render(
              request, try await nodes.systems(of: request.visitor()), nodes.kinds, values: request.form,
              refusal: refusal))
        }
      },
      .get("/front-nodes/{id}", .permission(.frontNodesRead)) { request in
        try await page(request, nodes)
      },
      .post("/front-nodes/{id}/check", .permission(.frontNodesRead)) { request in
        let id: FrontNodeID = try request.id()
        try await nodes.check(request.visitor(), id)
        return .redirect(FrontNodeLink.node(id) + "#health", flash: Text("已检查。", "Checked."))
      },
    ]
  }

  private static func steps(_ nodes: FrontNodes) -> [Route] {
    [
      step(nodes, "decide", .frontNodesManage, Text("已审核。", "Decided.")) { id, version, form, principal in
        try await nodes.decide(
          principal, id, version: version, approve: form["decision"] == "approve", words: form["words"] ?? "")
      },
      step(nodes, "withdraw", .frontNodesAsk, Text("已撤回。", "Withdrawn.")) { id, version, _, principal in
        try await nodes.withdraw(principal, id, version: version)
      },
      step(nodes, "allot", .frontNodesManage, Text("库已建立，等待部门签收。", "The database is made; its office signs for it.")) {
        id, version, form, principal in
        guard let server = FrontServerID(form["server"] ?? "") else {
          throw Refusal.invalid("frontnode.server", "server", Text("请选择服务器。", "Choose a server."))
        }
        try await nodes.allot(principal, id, version: version, on: server)
      },
      step(nodes, "allot-by-hand", .frontNodesManage, Text("已登记，等待部门签收。", "Entered; its office signs for it.")) {
        id, version, form, principal in
        let password = form.pairs.first { $0.name == "password" }?.value ?? ""
        try await nodes.allot(
          principal, id, version: version,
          by: HandmadeNode(
            place: form["place"] ?? "", database: form["database"] ?? "", account: form["account"] ?? "",
            password: password))
      }.takingSecrets(),
      step(nodes, "give-back", .frontNodesAsk, Text("已申请退回。", "Given back.")) { id, version, form, principal in
        try await nodes.giveBack(principal, id, version: version, words: form["words"] ?? "")
      },
      step(nodes, "reclaim", .frontNodesManage, Text("已回收。", "Taken back.")) { id, version, form, principal in
        try await nodes.reclaim(principal, id, version: version, words: form["words"] ?? "")
      },
      step(nodes, "erase", .frontNodesManage, Text("已清除。", "Erased.")) { id, version, form, principal in
        try await nodes.erase(principal, id, version: version, words: form["words"] ?? "")
      },
      secret(nodes, "sign") { try await nodes.sign($0, $1, version: $2) },
      secret(nodes, "renew-password") { try await nodes.renewPassword($0, $1, version: $2) },
    ]
  }

  private static func servers(_ nodes: FrontNodes) -> [Route] {
    [
      .get("/front-nodes/servers", .permission(.frontNodesManage)) { request in
        .page(ServerPages.list(request, try await nodes.servers(request.visitor()), nodes.kinds))
      },
      .get("/front-nodes/servers/new", .permission(.frontNodesManage)) { request in
        .page(
          ServerPages.edit(
            request, kind: try kind(request.query["kind"], nodes), editing: nil, values: Fields(), refusal: nil))
      },
      .post("/front-nodes/servers", .permission(.frontNodesManage)) { request in
        let kind = try kind(request.form["kind"], nodes)
        do {
          let server = try await nodes.addServer(request.visitor(), ServerPages.draft(request.form, kind))
          return try await tested(nodes, request, server.id)
        } catch let refusal as Refusal where refusal.kind == .invalid {
          return .page(
            ServerPages.edit(request, kind: kind, editing: nil, values: request.form, refusal: refusal))
        }
      }.takingSecrets(),
      .get("/front-nodes/servers/{id}/edit", .permission(.frontNodesManage)) { request in
        let server = try await nodes.server(request.visitor(), request.id())
        return .page(
          ServerPages.edit(
            request, kind: try kind(server.kind, nodes), editing: server, values: ServerPages.values(of: server),
            refusal: nil))
      },
      .post("/front-nodes/servers/{id}", .permission(.frontNodesManage)) { request in
        let server = try await nodes.server(request.visitor(), request.id())
        let kind = try kind(server.kind, nodes)
        do {
          try await nodes.editServer(
            request.visitor(), server.id, version: version(request.form), ServerPages.draft(request.form, kind))
          return try await tested(nodes, request, server.id)
        } catch let refusal as Refusal where refusal.kind == .invalid || refusal.kind == .conflict {
          return .page(
            ServerPages.edit(request, kind: kind, editing: server, values: request.form, refusal: refusal))
        }
      }.takingSecrets(),
      .post("/front-nodes/servers/{id}/probe", .permission(.frontNodesManage)) { request in
        try await tested(nodes, request, request.id())
      },
    ]
  }

  // MARK: Parts

  private static func step(
    _ nodes: FrontNodes, _ name: String, _ permission: Permission, _ done: Text,
    _ body: @escaping @Sendable (FrontNodeID, Int, Fields, Principal) async throws -> Void
  ) -> Route {
    .post("/front-nodes/{id}/\(name)", .permission(permission)) { request in
      let id: FrontNodeID = try request.id()
      do {
        try await body(id, version(request.form), request.form, request.visitor())
        return .redirect(FrontNodeLink.node(id), flash: done)
      } catch let refusal as Refusal where shown(refusal) {
        return try await page(request, nodes, entered: request.form, refusal: refusal)
      }
    }
  }

  /// A step whose answer is the password.
  private static func secret(
    _ nodes: FrontNodes, _ name: String,
    _ body: @escaping @Sendable (Principal, FrontNodeID, Int) async throws -> String
  ) -> Route {
    .post("/front-nodes/{id}/\(name)", .permission(.frontNodesAsk)) { request in
      let id: FrontNodeID = try request.id()
      do {
        let password = try await body(request.visitor(), id, version(request.form))
        return .page(
          NodePage.password(request, try await nodes.view(request.visitor(), id).node, password))
      } catch let refusal as Refusal where shown(refusal) {
        return try await page(request, nodes, refusal: refusal)
      }
    }.givingSecret()
  }

  private static func shown(_ refusal: Refusal) -> Bool { [.invalid, .conflict, .unavailable].contains(refusal.kind) }

  private static func page(
    _ request: Request, _ nodes: FrontNodes, entered: Fields = Fields(), refusal: Refusal? = nil
  ) async throws -> Response {
    let view = try await nodes.view(request.visitor(), request.id())
    return .page(
      NodePage.render(
        request, view, kindTitle: nodes.kind(view.node.wish.product)?.title, entered: entered, refusal: refusal))
  }

  private static func tested(_ nodes: FrontNodes, _ request: Request, _ id: FrontServerID) async throws -> Response {
    let probe = try await nodes.probeServer(request.visitor(), id)
    let words =
      probe.product.map { Text("连接成功，可以建库：\($0)。", "It answers and can host: \($0).") }
      ?? Text(
        "测试没有通过：\(probe.failure?.chinese ?? "")", "The test failed: \(probe.failure?.english ?? "")")
    return .redirect(FrontNodeLink.servers, flash: words)
  }

  private static func version(_ form: Fields) -> Int { Int(form["version"] ?? "") ?? -1 }

  private static func kind(_ name: String?, _ nodes: FrontNodes) throws -> ConnectorKind {
    guard let kind = nodes.kind(name) else { throw Refusal.notFound(Text("数据库类型", "kind of database")) }
    return kind
  }
}
