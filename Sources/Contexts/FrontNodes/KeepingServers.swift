import Audit
import Connecting
import Identity
package import Inventory
package import Kernel
import Storage

// The servers that front-end databases stand on.

extension FrontNodes {
  package func servers(_ principal: Principal) async throws -> [FrontServer] {
    try principal.require(.frontNodesManage)
    return try await database.read { try FrontServerStore.list(in: $0) }
  }

  package func server(_ principal: Principal, _ id: FrontServerID) async throws -> FrontServer {
    try principal.require(.frontNodesManage)
    return try await database.read { tx in
      guard let server = try FrontServerStore.find(id, in: tx) else { throw Self.unknownServer }
      return server
    }
  }

  package func addServer(_ principal: Principal, _ draft: FrontServerDraft) async throws -> FrontServer {
    try principal.require(.frontNodesManage)
    let now = clock.now()
    return try await database.write { tx in
      try check(draft, kept: [], except: nil, in: tx)
      let server = FrontServer(
        id: .make(at: now), name: draft.name, kind: draft.kind, area: draft.area, settings: openSettings(draft),
        shownPlace: draft.shownPlace.isEmpty ? nil : draft.shownPlace, isClosed: draft.isClosed, version: 0,
        madeAt: now,
        lastProbe: nil, nodes: 0)
      try FrontServerStore.insert(server, sealed: sealedSettings(draft, server.id), in: tx)
      try record("add", server, principal, now, in: tx)
      return server
    }
  }

  /// Blank secrets stay as they are; the kind stays.
  package func editServer(
    _ principal: Principal, _ id: FrontServerID, version: Int, _ draft: FrontServerDraft
  ) async throws {
    try principal.require(.frontNodesManage)
    let now = clock.now()
    try await database.write { tx in
      guard var server = try FrontServerStore.find(id, in: tx) else { throw Self.unknownServer }
      var draft = draft
      draft.kind = server.kind
      let kept = try FrontServerStore.sealed(of: id, in: tx).keys.sorted()
      try check(draft, kept: kept, except: id, in: tx)
      try checkMove(server, draft, kept: kept)
      server.name = draft.name
      server.area = draft.area
      server.settings = openSettings(draft)
      server.shownPlace = draft.shownPlace.isEmpty ? nil : draft.shownPlace
      server.isClosed = draft.isClosed
      server.version = version
      try FrontServerStore.update(server, sealed: sealedSettings(draft, id), in: tx)
      try record("edit", server, principal, now, in: tx)
    }
  }

  /// Asks the server whether databases can be made there, and keeps what was found, good or bad.
  package func probeServer(_ principal: Principal, _ id: FrontServerID) async throws -> DataSource.Probe {
    let server = try await server(principal, id)
    let settings = try await database.read { try opened(server, in: $0) }
    guard let hosting = kind(server.kind)?.hosting else { throw Self.unknownServer }
    let found = await DataSource.Probe.of(clock) {
      try await BlockingThread.run { try hosting.open(settings).probe() }
    }
    try await database.write { tx in try FrontServerStore.record(found, of: id, in: tx) }
    return found
  }

  /// The server's settings with its secrets.
  func opened(_ server: FrontServer, in tx: any Transaction) throws -> [String: String] {
    var settings = server.settings
    for (name, sealed) in try FrontServerStore.sealed(of: server.id, in: tx) {
      guard let opened = try? seal.open(sealed, Self.context(server.id, name)) else {
        throw Refusal(
          .unavailable, "frontnode.server.sealed",
          Text(
            "服务器“\(server.name)”的口令不能用本节点的密钥打开，请重新填写。",
            "The password of server “\(server.name)” does not open with this node's key; enter it again."))
      }
      settings[name] = String(decoding: opened, as: UTF8.self)
    }
    return settings
  }

  private static let unknownServer = Refusal.notFound(Text("前置库服务器", "server"))

  private static func context(_ id: FrontServerID, _ setting: String) -> String { "frontnodes/server/\(id)/\(setting)" }

  private func check(
    _ draft: FrontServerDraft, kept: [String], except id: FrontServerID?, in tx: any Transaction
  ) throws {
    guard let hosting = kind(draft.kind)?.hosting else {
      throw Refusal.invalid("frontnode.server.invalid", "kind", Text("请选择数据库类型。", "Choose the kind of database."))
    }
    var faults: [Refusal.Fault] = []
    if let wrong = PlainText.wrongWords(draft.name, most: 64, missing: Text("请填写名称。", "Enter a name.")) {
      faults.append(.init("name", wrong))
    } else if try FrontServerStore.isTaken(draft.name, except: id, in: tx) {
      faults.append(.init("name", Text("已有同名服务器。", "There is a server of this name.")))
    }
    if !draft.shownPlace.isEmpty, !PlainText.isPlace(draft.shownPlace) {
      faults.append(.init("shownPlace", Text("应写作“主机:端口”，如 10.1.2.3:5432。", "Write host:port, such as 10.1.2.3:5432.")))
    }
    for setting in hosting.serverSettings {
      let value = draft.settings[setting.name] ?? ""
      if value.isEmpty {
        guard setting.isRequired, !(setting.isSecret && kept.contains(setting.name)) else { continue }
        faults.append(
          .init(
            "setting.\(setting.name)", Text("请填写\(setting.title.chinese)。", "Enter the \(setting.title.english).")))
      } else if value.utf8.count > (setting.isLong ? SourceDraft.longSettingLimit : SourceDraft.settingLimit) {
        faults.append(.init("setting.\(setting.name)", Text("太长。", "Too long.")))
      }
    }
    if faults.isEmpty { faults = hosting.check(draft.settings).map { .init("setting.\($0.setting)", $0.message) } }
    guard faults.isEmpty else { throw Refusal.invalid("frontnode.server.invalid", faults) }
  }

  /// Databases stand on it: it cannot lead elsewhere. And what is kept sealed is only ever sent where it was entered for.
  private func checkMove(_ server: FrontServer, _ draft: FrontServerDraft, kept: [String]) throws {
    let settings = openSettings(draft)
    guard settings != server.settings else { return }
    if server.nodes > 0, let hosting = kind(server.kind)?.hosting,
      hosting.place(settings) != hosting.place(server.settings)
    {
      throw Refusal(
        .conflict, "frontnode.server.moved",
        Text(
          "服务器上还有 \(server.nodes) 个前置库，不能改为另一台服务器的地址；请另行登记。",
          "\(server.nodes) databases stand on this server, so it cannot lead to another one; add that one by itself."))
    }
    for name in kept where (draft.settings[name] ?? "").isEmpty {
      throw Refusal.invalid(
        "frontnode.server.invalid", "setting.\(name)",
        Text("连接设置已变更，请重新填写口令。", "How it is reached has changed: enter the password again."))
    }
  }

  private func secretNames(_ draft: FrontServerDraft) -> Set<String> {
    Set((kind(draft.kind)?.hosting?.serverSettings ?? []).filter(\.isSecret).map(\.name))
  }

  private func openSettings(_ draft: FrontServerDraft) -> [String: String] {
    let known = Set((kind(draft.kind)?.hosting?.serverSettings ?? []).map(\.name)).subtracting(secretNames(draft))
    return draft.settings.filter { known.contains($0.key) && !$0.value.isEmpty }
  }

  private func sealedSettings(_ draft: FrontServerDraft, _ id: FrontServerID) throws -> [String: [UInt8]] {
    let secret = secretNames(draft)
    var sealed: [String: [UInt8]] = [:]
    for (name, value) in draft.settings where secret.contains(name) && !value.isEmpty {
      sealed[name] = try seal.seal(Array(value.utf8), Self.context(id, name))
    }
    return sealed
  }

  private func record(
    _ action: String, _ server: FrontServer, _ principal: Principal, _ now: Instant, in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: "frontnode.server.\(action)", subjectKind: "frontserver",
        subject: server.id.text, subjectName: server.name, detail: [("kind", server.kind)]), in: tx)
  }
}
