import Connecting
import Identity
import Inbox
import Inventory
package import Kernel
import NationalCrypto
import Storage

// The operator allots, the office signs and gets the password once.

/// What an operator says of a node that was made by hand.
package struct HandmadeNode: Sendable {
  package var place: String
  package var database: String
  package var account: String
  package var password: String

  package init(place: String, database: String, account: String, password: String) {
    self.place = place
    self.database = database
    self.account = account
    self.password = password
  }
}

extension FrontNodes {
  /// Makes the database on a server, with an account of its own and a password that nobody has seen. Killed in between, or when
  /// the server does not answer, it can be asked for again.
  package func allot(
    _ principal: Principal, _ id: FrontNodeID, version: Int, on server: FrontServerID
  ) async throws {
    let (hosting, settings, hosted, password) = try await prepare(principal, id, version, server)
    try await reaching { try hosting.open(settings).make(hosted, password: password) }
    try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesManage, version: version + 1, in: tx)
      try finishAllotting(node, by: principal, in: tx)
    }
  }

  /// Writes down what is going to be made, before it is: so that nothing is made that nobody knows of.
  private func prepare(
    _ principal: Principal, _ id: FrontNodeID, _ version: Int, _ server: FrontServerID
  ) async throws -> (DatabaseHosting, [String: String], HostedDatabase, String) {
    let fresh = Self.makePassword()
    return try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesManage, version: version, in: tx)
      _ = try node.state.applying(.allot)
      // Begun before: the server may have that password already.
      let begun = node.allotment?.server == server ? try FrontNodeStore.sealed(of: id, in: tx) : nil
      let password = try begun.map { try opened($0, of: id) } ?? fresh
      guard let found = try FrontServerStore.find(server, in: tx), !found.isClosed, found.kind == node.wish.product,
        let hosting = kind(found.kind)?.hosting
      else {
        throw Refusal.invalid("frontnode.server", "server", Text("请选择可用的服务器。", "Choose a server that can host it."))
      }
      if let begun = node.allotment?.server, begun != server,
        try FrontServerStore.find(begun, in: tx)?.isClosed == false
      {
        throw Refusal(
          .conflict, "frontnode.begun",
          Text("已在另一台服务器上开始分配，请在那台服务器上继续。", "It was begun on another server; go on there."))
      }
      let hosted = Self.hosted(node)
      let settings = try opened(found, in: tx)
      try FrontNodeStore.set(
        FrontNode.Allotment(
          server: server, place: found.shownPlace ?? hosting.place(settings) ?? found.name, database: hosted.name,
          account: hosted.name), sealed: try seal.seal(Array(password.utf8), Self.context(id)), of: id, in: tx)
      try FrontNodeStore.touch(node, in: tx)
      return (hosting, settings, hosted, password)
    }
  }

  /// One that was made by hand: a machine, or a database on a server that the platform does not know.
  package func allot(
    _ principal: Principal, _ id: FrontNodeID, version: Int, by hand: HandmadeNode
  ) async throws {
    let faults = hand.faults
    guard faults.isEmpty else { throw Refusal.invalid("frontnode.hand", faults) }
    try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesManage, version: version, in: tx)
      _ = try node.state.applying(.allot)
      guard node.allotment?.server == nil else { throw FrontNodeStore.changedMeanwhile }
      try FrontNodeStore.set(
        FrontNode.Allotment(
          server: nil, place: hand.place, database: hand.database.isEmpty ? nil : hand.database, account: hand.account),
        sealed: try seal.seal(Array(hand.password.utf8), Self.context(id)), of: id, in: tx)
      try finishAllotting(node, by: principal, in: tx)
    }
  }

  private func finishAllotting(_ node: FrontNode, by principal: Principal, in tx: any Transaction) throws {
    guard let allotment = try FrontNodeStore.find(node.id, in: tx)?.allotment else { throw Self.unknown }
    try move(node, .allot, by: principal, detail: [("place", allotment.place)], in: tx)
    try post(
      node, "sign", Text("签收前置节点", "Sign for the node"), for: .office(node.owner, .frontNodesAsk), in: tx)
  }

  /// Signs for it. The answer is the password, which is shown now and never again: what the platform had of it is gone, except in
  /// the data source that the office's system gets of it.
  package func sign(_ principal: Principal, _ id: FrontNodeID, version: Int) async throws -> String {
    try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesAsk, version: version, in: tx)
      _ = try node.state.applying(.sign)
      guard let sealed = try FrontNodeStore.sealed(of: id, in: tx) else { throw FrontNodeStore.changedMeanwhile }
      let password = try opened(sealed, of: id)
      let source = try settings(of: node, password, in: tx).map { kind, settings in
        try register.addSource(
          principal, node.wish.system, SourceDraft(name: Self.sourceName(node), kind: kind, settings: settings), in: tx)
      }
      try FrontNodeStore.sign(id, source: source?.id, in: tx)
      try move(node, .sign, by: principal, in: tx)
      return password
    }
  }

  /// A new password for a node that its office uses, where the old one was lost; the old one opens nothing any more.
  package func renewPassword(_ principal: Principal, _ id: FrontNodeID, version: Int) async throws -> String {
    let password = Self.makePassword()
    let (hosting, settings, hosted) = try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesAsk, version: version, in: tx)
      guard node.state.isOpen,
        let server = try node.allotment?.server.flatMap({ try FrontServerStore.find($0, in: tx) }),
        let hosting = kind(server.kind)?.hosting
      else {
        throw Refusal(
          .conflict, "frontnode.no-password",
          Text(
            "只有使用中、由平台建立的前置库可以换口令；其他请联系运维人员。",
            "Only a database that the platform made and that is in use gets a new password; otherwise ask the operator."
          ))
      }
      // Whoever asks again with what he saw before is late.
      try FrontNodeStore.touch(node, in: tx)
      return (hosting, try opened(server, in: tx), Self.hosted(node))
    }
    try await reaching { try hosting.open(settings).renew(hosted, password: password) }
    let isKept = try await database.write { tx in
      let node = try node(id, for: principal, .frontNodesAsk, version: nil, in: tx)
      guard node.state.isOpen, node.version == version + 1 else { return false }
      if let source = node.source, let (kind, settings) = try self.settings(of: node, password, in: tx) {
        let name = try InventoryStore.source(source, in: tx)?.name ?? Self.sourceName(node)
        _ = try register.editSource(
          principal, source, SourceDraft(name: name, kind: kind, settings: settings), in: tx)
      }
      try note(node, "renew-password", by: principal, at: clock.now(), in: tx)
      return true
    }
    if !isKept {
      // Taken back meanwhile: what was just opened is closed again.
      try await reaching { try hosting.open(settings).close(hosted) }
      throw FrontNodeStore.changedMeanwhile
    }
    return password
  }

  // MARK: Parts

  /// The database that was made for the node, or is going to be: its number, and letters so that two platforms may share a server.
  static func hosted(_ node: FrontNode) -> HostedDatabase {
    let digits = node.number.filter(\.isNumber)
    let letters = SecureRandom.bytes(4).map { String(Unicode.Scalar(0x61 + $0 % 26)) }.joined()
    return HostedDatabase(name: node.allotment?.database ?? "qz\(digits)\(letters)", holder: node.id.text)
  }

  static func context(_ id: FrontNodeID) -> String { "frontnodes/\(id)" }

  /// As its office knows it: the number is nobody else's.
  private static func sourceName(_ node: FrontNode) -> String { "\(node.wish.form.title.chinese) \(node.number)" }

  /// 24 letters and digits, of every sort some, none that look alike: 137 bits.
  static func makePassword() -> String {
    let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
    while true {
      let letters = SecureRandom.bytes(96).filter { $0 < 224 }.prefix(24).map { alphabet[Int($0) % 56] }
      let sorts: [(Character) -> Bool] = [{ $0.isLowercase }, { $0.isUppercase }, { $0.isNumber }]
      if letters.count == 24, sorts.allSatisfy({ letters.contains(where: $0) }) { return String(letters) }
    }
  }

  private func opened(_ sealed: [UInt8], of id: FrontNodeID) throws -> String {
    guard let opened = try? seal.open(sealed, Self.context(id)) else {
      throw Refusal(
        .unavailable, "frontnode.sealed",
        Text(
          "口令不能用本节点的密钥打开，请运维人员重新分配。", "The password does not open with this node's key; the operator allots it anew."))
    }
    return String(decoding: opened, as: UTF8.self)
  }

  /// What opens the node's database as its own account; nil where the platform did not make it.
  private func settings(
    of node: FrontNode, _ password: String, in tx: any Transaction
  ) throws -> (kind: String, settings: [String: String])? {
    guard let allotment = node.allotment, let name = allotment.database,
      let server = try allotment.server.flatMap({ try FrontServerStore.find($0, in: tx) }),
      let hosting = kind(server.kind)?.hosting
    else { return nil }
    // The server's own password does not go along.
    return (server.kind, try hosting.settings(server.settings, name, password))
  }
}

extension HandmadeNode {
  var faults: [Refusal.Fault] {
    var faults: [Refusal.Fault] = []
    if !PlainText.isPlace(place) {
      faults.append(.init("place", Text("应写作“主机:端口”，如 10.1.2.3:5432。", "Write host:port, such as 10.1.2.3:5432.")))
    }
    if !database.isEmpty, let wrong = PlainText.wrongWords(database, most: 64) {
      faults.append(.init("database", wrong))
    }
    if let wrong = PlainText.wrongWords(account, most: 64, missing: Text("请填写账号。", "Enter the account.")) {
      faults.append(.init("account", wrong))
    }
    if password.utf8.count < 10 || password.utf8.count > 200 || PlainText.holdsControls(password) {
      faults.append(.init("password", Text("口令应为 10 到 200 字节。", "A password has 10 to 200 bytes.")))
    }
    return faults
  }
}
