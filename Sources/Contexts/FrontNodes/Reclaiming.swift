import Connecting
import Identity
import Inbox
import Inventory
package import Kernel
import Storage

// The office gives back, the operator takes back; later the data goes.

extension FrontNodes {
  package func giveBack(_ principal: Principal, _ id: FrontNodeID, version: Int, words: String) async throws {
    try checkWords(words, Text("请写明退回的原因。", "Say why it is given back."))
    try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesAsk, version: version, in: tx)
      try move(node, .giveBack, by: principal, words: words, in: tx)
      try post(node, "reclaim", Text("回收前置节点", "Take the node back"), for: .holders(.frontNodesManage), in: tx)
    }
  }

  /// Nobody signs in any more, and the office's data source is closed. The data stays for `keptDays`. Refused while a grant or an
  /// entry needs it.
  package func reclaim(_ principal: Principal, _ id: FrontNodeID, version: Int, words: String) async throws {
    try checkWords(words, nil)
    let now = clock.now()
    let host = try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesManage, version: version, in: tx)
      _ = try node.state.applying(.reclaim)
      if node.state == .used, words.isEmpty {
        throw Refusal.invalid("frontnode.words", "words", Text("请写明收回的原因。", "Say why it is taken back."))
      }
      try refuseWhileUsed(node, in: tx)
      let host = try home(of: node, in: tx)
      if let source = node.source { try register.closeSource(source, by: principal, in: tx) }
      try FrontNodeStore.reclaim(id, keptUntil: host == nil ? nil : now.dateInChina + Self.keptDays, in: tx)
      try move(node, .reclaim, by: principal, words: words, in: tx)
      try Inbox.close(subject: "frontnode-health", id.text, by: principal, at: now, in: tx)
      try notify(node, "reclaimed", Text("前置节点已回收", "The node was taken back"), in: tx)
      return host
    }
    guard let (hosting, settings, hosted) = host else { return }
    // Written down first: should the server not answer, the account is closed as soon as it does.
    try await reaching { try hosting.open(settings).close(hosted) }
    try await database.write { try FrontNodeStore.setLocked(id, in: $0) }
  }

  /// Closes the accounts of nodes that were taken back while their server did not answer.
  func lockReclaimed() async throws {
    let left = try await database.read { tx in
      try FrontNodeStore.unlocked(limit: 100, in: tx).map { ($0.id, try home(of: $0, in: tx)) }
    }
    for (id, host) in left {
      guard let (hosting, settings, hosted) = host,
        (try? await BlockingThread.run { try hosting.open(settings).close(hosted) }) != nil
      else { continue }
      try await database.write { try FrontNodeStore.setLocked(id, in: $0) }
    }
  }

  /// Removes the data of a node that was taken back (剩余信息清除). Before its time only with a reason.
  package func erase(_ principal: Principal, _ id: FrontNodeID, version: Int, words: String) async throws {
    try checkWords(words, nil)
    let host = try await database.read { tx in
      let node = try node(id, for: principal, .frontNodesManage, version: version, in: tx)
      _ = try node.state.applying(.erase)
      if let kept = node.keptUntil, clock.now().dateInChina <= kept, words.isEmpty {
        throw Refusal.invalid(
          "frontnode.words", "words",
          Text("数据保留到 \(kept)，提前清除请写明原因。", "The data is kept until \(kept); say why it goes earlier."))
      }
      return try home(of: node, in: tx)
    }
    if let (hosting, settings, hosted) = host {
      try await reaching { try hosting.open(settings).erase(hosted) }
    }
    try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesManage, version: version, in: tx)
      try move(node, .erase, by: principal, words: words, in: tx)
    }
  }

  private func home(
    of node: FrontNode, in tx: any Transaction
  ) throws -> (DatabaseHosting, [String: String], HostedDatabase)? {
    guard let server = try node.allotment?.server.flatMap({ try FrontServerStore.find($0, in: tx) }),
      let hosting = kind(server.kind)?.hosting
    else { return nil }
    return (hosting, try opened(server, in: tx), Self.hosted(node))
  }

  private func refuseWhileUsed(_ node: FrontNode, in tx: any Transaction) throws {
    let users = try node.source.map { try uses($0, clock.now().dateInChina, tx) } ?? []
    guard !users.isEmpty else { return }
    throw Refusal(
      .conflict, "frontnode.in-use",
      Text(
        "还不能回收，仍在使用：\(users.prefix(5).map(\.chinese).joined(separator: "；"))。",
        "It cannot be taken back yet; still in use: \(users.prefix(5).map(\.english).joined(separator: "; ")).")
    )
  }
}
