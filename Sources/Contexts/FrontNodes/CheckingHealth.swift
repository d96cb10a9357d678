import Connecting
import Identity
import Inbox
import Inventory
import Jobs
package import Kernel
import Storage

// Whether the nodes in use can be reached, by their own accounts.

extension FrontNodes {
  /// The job that checks them; no payload.
  package static let check = "frontnodes.check"
  /// How often.
  package static let checkEvery: Duration = .seconds(300)
  /// After so many bad checks in a row the operator gets a task: one may be a restart.
  package static let alarmAfter = 3
  /// So many are asked at the same time.
  private static let atOnce = 8

  package func keepChecking() async throws {
    let now = clock.now()
    try await database.write { tx in
      try JobSchedule.set(Self.check, kind: Self.check, .every(Self.checkEvery), at: now, in: tx)
    }
  }

  /// Checks all that are in use; answers how many, and how many were bad.
  package func checkAll(report: @Sendable (Int) async throws -> Void = { _ in }) async throws -> (
    checked: Int, bad: Int
  ) {
    try await lockReclaimed()
    var (checked, bad) = (0, 0)
    var last: FrontNodeID?
    while true {
      let place = last
      let page = try await database.read { try FrontNodeStore.open(after: place, limit: Self.atOnce, in: $0) }
      guard let end = page.last else { return (checked, bad) }
      let use = await measure(page)
      let found = await withTaskGroup(of: (FrontNode, Text?).self) { group in
        for node in page { group.addTask { (node, await failure(of: node)) } }
        return await group.reduce(into: [(FrontNode, Text?)]()) { $0.append($1) }
      }
      for (node, failure) in found {
        try await keep(failure, use[node.id], of: node.id)
        checked += 1
        if failure != nil { bad += 1 }
      }
      last = end.id
      try await report(checked)
    }
  }

  /// Checks one now, for who looks at it.
  package func check(_ principal: Principal, _ id: FrontNodeID) async throws {
    try principal.require(.frontNodesRead)
    let node = try await database.read { try visible(id, to: principal, in: $0) }
    guard node.state.isOpen else {
      throw Refusal(.conflict, "frontnode.state", Text("只有使用中的前置节点可以检查。", "Only a node in use can be checked."))
    }
    try await keep(await failure(of: node), await measure([node])[id], of: id)
  }

  /// Nil when it answers to its own account.
  private func failure(of node: FrontNode) async -> Text? {
    do {
      if let source = node.source {
        let address = try await register.unattended(source).address
        _ = try await register.probe.probe(address)
      } else if let place = node.allotment?.place {
        let reach = reach
        try await BlockingThread.run { try reach(place) }
      }
      return nil
    } catch let error as ConnectorError {
      return error.message
    } catch let refusal as Refusal {
      return refusal.message
    } catch {
      return Text("检查时出错（\(type(of: error))）。", "The check failed (\(type(of: error))).")
    }
  }

  /// What their servers say of them; nothing of those whose server does not answer.
  private func measure(_ nodes: [FrontNode]) async -> [FrontNodeID: FrontNode.Health.Use] {
    var measured: [FrontNodeID: FrontNode.Health.Use] = [:]
    for (server, nodes) in Dictionary(grouping: nodes, by: { $0.allotment?.server }) {
      guard let server else { continue }
      let opened = try? await database.read { tx -> (DatabaseHosting, [String: String])? in
        guard let found = try FrontServerStore.find(server, in: tx), let hosting = kind(found.kind)?.hosting else {
          return nil
        }
        return (hosting, try self.opened(found, in: tx))
      }
      guard let (hosting, settings) = opened ?? nil else { continue }
      let names = nodes.map { Self.hosted($0).name }
      let found = try? await BlockingThread.run { try hosting.open(settings).measure(names) }
      for node in nodes {
        if let use = found?[Self.hosted(node).name] {
          measured[node.id] = FrontNode.Health.Use(bytes: use.bytes, connections: use.connections)
        }
      }
    }
    return measured
  }

  private func keep(_ failure: Text?, _ use: FrontNode.Health.Use?, of id: FrontNodeID) async throws {
    let now = clock.now()
    try await database.write { tx in
      guard let node = try FrontNodeStore.find(id, in: tx), node.state.isOpen else { return }
      let before = node.health
      let isGood = failure == nil
      let health = FrontNode.Health(
        at: now, isGood: isGood, since: before.map { $0.isGood == isGood ? $0.since : now } ?? now,
        badChecks: isGood ? 0 : (before?.badChecks ?? 0) + 1, failure: failure, use: use ?? before?.use)
      try FrontNodeStore.record(health, of: id, on: now.dateInChina, in: tx)
      if health.badChecks == Self.alarmAfter {
        try Inbox.post(
          InboxTask(
            kind: "frontnode.down",
            title: Text(
              "前置节点连不上：\(node.number)（\(node.ownerName)）", "Node does not answer: \(node.number) (\(node.ownerName))"),
            link: FrontNodeLink.node(id), for: .holders(.frontNodesManage), subject: ("frontnode-health", id.text),
            at: now),
          in: tx)
        try notify(node, "down", Text("前置节点连不上", "The node does not answer"), in: tx)
      } else if isGood, (before?.badChecks ?? 0) >= Self.alarmAfter {
        try Inbox.close(subject: "frontnode-health", id.text, by: .system(), at: now, in: tx)
        try notify(node, "up", Text("前置节点已恢复", "The node answers again"), in: tx)
      }
    }
  }
}
