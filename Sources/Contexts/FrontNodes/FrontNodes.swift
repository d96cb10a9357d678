import Audit
package import Connecting
package import Identity
import Inbox
package import Inventory
package import Kernel
package import Storage

extension Permission {
  package static let frontNodesRead = Permission("frontnodes.read")
  /// Asks for nodes of the own office, signs for them and gives them back.
  package static let frontNodesAsk = Permission("frontnodes.ask")
  /// Reviews, allots and takes back, and keeps the servers.
  package static let frontNodesManage = Permission("frontnodes.manage")
}

/// Front-end databases and machines (前置库、前置机) from the request to their return.
package struct FrontNodes: Sendable {
  package static let authority: [Permission: Set<Role>] = [
    .frontNodesRead: [.dataOfficer, .clerk, .leader, .platformOperator],
    .frontNodesAsk: [.dataOfficer],
    .frontNodesManage: [.platformOperator],
  ]

  /// So many days the data of a node that was taken back is kept: a practice of ours, no law.
  package static let keptDays = 30

  package let database: any Database
  package let clock: Clock
  package let register: SystemRegister
  /// The kinds of connector whose servers can host.
  package let kinds: [ConnectorKind]
  let seal: SourceSeal
  /// What still needs a node's source on a day, said for people: grants that write there, entries tied to it.
  let uses: @Sendable (SourceID, CalendarDate, any Transaction) throws -> [Text]
  /// Whether something listens at a host and port; throws what is wrong.
  let reach: @Sendable (_ place: String) throws -> Void

  package init(
    database: any Database, clock: Clock, register: SystemRegister, connectors: ConnectorCatalog, seal: SourceSeal,
    uses: @escaping @Sendable (SourceID, CalendarDate, any Transaction) throws -> [Text],
    reach: @escaping @Sendable (_ place: String) throws -> Void = { try Reaching.tcp($0) }
  ) {
    self.database = database
    self.clock = clock
    self.register = register
    kinds = connectors.kinds.filter { $0.hosting != nil }
    self.seal = seal
    self.uses = uses
    self.reach = reach
  }

  func kind(_ name: String?) -> ConnectorKind? { kinds.first { $0.name == name } }

  // MARK: Seeing

  package struct Listing: Sendable {
    package var nodes: [FrontNode]
    package var counts: [FrontNodeState: Int]
    package var next: FrontNodeID?
  }

  /// The own office's nodes, or everybody's for who manages them; newest first.
  package func list(
    _ principal: Principal, state: FrontNodeState? = nil, before: FrontNodeID? = nil, limit: Int = 50
  ) async throws -> Listing {
    try principal.require(.frontNodesRead)
    let owner = try Self.seen(by: principal)
    return try await database.read { tx in
      let found = try FrontNodeStore.list(owner: owner, state: state, before: before, limit: limit + 1, in: tx)
      return Listing(
        nodes: Array(found.prefix(limit)), counts: try FrontNodeStore.counts(owner: owner, in: tx),
        next: found.count > limit ? found[limit - 1].id : nil)
    }
  }

  package struct View: Sendable {
    package var node: FrontNode
    package var steps: [FrontNodeStep]
    package var days: [FrontNodeDay]
    /// For who manages them: the servers that could host it.
    package var servers: [FrontServer]
    package var server: FrontServer?
    /// What still uses it.
    package var uses: [Text]
    /// There is still a password to be handed over.
    package var hasPassword: Bool
  }

  package func view(_ principal: Principal, _ id: FrontNodeID) async throws -> View {
    try principal.require(.frontNodesRead)
    return try await database.read { tx in
      let node = try visible(id, to: principal, in: tx)
      let manages = principal.may(.frontNodesManage)
      return View(
        node: node, steps: try FrontNodeStore.steps(of: id, in: tx),
        days: try FrontNodeStore.days(of: id, limit: 30, in: tx),
        servers: manages && node.state == .approved
          ? try FrontServerStore.list(in: tx).filter { !$0.isClosed && $0.kind == node.wish.product } : [],
        server: manages ? try node.allotment?.server.flatMap { try FrontServerStore.find($0, in: tx) } : nil,
        uses: node.state.isOpen ? try node.source.map { try uses($0, clock.now().dateInChina, tx) } ?? [] : [],
        hasPassword: try FrontNodeStore.sealed(of: id, in: tx) != nil)
    }
  }

  /// The systems of an office, which a node may be asked for.
  package func systems(of principal: Principal) async throws -> [InformationSystem] {
    guard let office = principal.organisation else { return [] }
    return try await database.read { try InventoryStore.systems(of: office, in: $0) }
  }

  // MARK: Parts

  /// Nil for everybody's.
  private static func seen(by principal: Principal) throws -> OrganisationID? {
    if principal.may(.frontNodesManage) { return nil }
    guard let office = principal.organisation else { throw principal.lacking(.frontNodesRead) }
    return office
  }

  static let unknown = Refusal.notFound(Text("前置节点", "front-end node"))

  func visible(_ id: FrontNodeID, to principal: Principal, in tx: any Transaction) throws -> FrontNode {
    guard let node = try FrontNodeStore.find(id, in: tx),
      principal.may(.frontNodesManage) || principal.organisation == node.owner
    else { throw Self.unknown }
    return node
  }

  /// The node, where this principal may do this to it.
  func node(
    _ id: FrontNodeID, for principal: Principal, _ permission: Permission, version: Int?, in tx: any Transaction
  ) throws -> FrontNode {
    let node = try visible(id, to: principal, in: tx)
    if permission == .frontNodesManage {
      try principal.require(permission)
    } else {
      try principal.require(permission, in: node.owner)
    }
    if let version, version != node.version { throw FrontNodeStore.changedMeanwhile }
    return node
  }

  /// Moves the node on, with what everybody is to see of it: its steps and the log.
  func move(
    _ node: FrontNode, _ event: FrontNodeEvent, by principal: Principal, words: String = "",
    detail: [(name: String, value: String)] = [], in tx: any Transaction
  ) throws {
    let now = clock.now()
    try FrontNodeStore.move(node, to: node.state.applying(event), in: tx)
    try note(node, event.rawValue, by: principal, words: words, detail: detail, at: now, in: tx)
    try Inbox.close(subject: "frontnode", node.id.text, by: principal, at: now, in: tx)
  }

  func note(
    _ node: FrontNode, _ event: String, by principal: Principal, words: String = "",
    detail: [(name: String, value: String)] = [], at now: Instant, in tx: any Transaction
  ) throws {
    let actor = principal.organisationName.isEmpty ? principal.name : "\(principal.organisationName) \(principal.name)"
    try FrontNodeStore.add(FrontNodeStep(at: now, event: event, actor: actor, words: words), to: node.id, in: tx)
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: "frontnode.node.\(event)", subjectKind: "frontnode", subject: node.id.text,
        subjectName: node.number, detail: detail + (words.isEmpty ? [] : [("words", words)])), in: tx)
  }

  /// Puts a task before who acts next.
  func post(
    _ node: FrontNode, _ kind: String, _ title: Text, for waiting: InboxTask.Waiting, in tx: any Transaction
  ) throws {
    try Inbox.post(
      InboxTask(
        kind: "frontnode.\(kind)",
        title: Text(
          "\(title.chinese)：\(node.number)（\(node.ownerName)）", "\(title.english): \(node.number) (\(node.ownerName))"),
        link: FrontNodeLink.node(node.id), for: waiting, subject: ("frontnode", node.id.text), at: clock.now()), in: tx)
  }

  func notify(_ node: FrontNode, _ kind: String, _ title: Text, in tx: any Transaction) throws {
    try Inbox.notify(
      Notice(
        kind: "frontnode.\(kind)", title: Text("\(title.chinese)：\(node.number)", "\(title.english): \(node.number)"),
        link: FrontNodeLink.node(node.id), for: .office(node.owner, .frontNodesAsk),
        subject: ("frontnode", node.id.text), at: clock.now()), in: tx)
  }

  func checkWords(_ words: String, _ missing: Text?) throws {
    if let wrong = PlainText.wrongWords(words, most: 500, missing: missing) {
      throw Refusal.invalid("frontnode.words", "words", wrong)
    }
  }

  func reaching<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    do { return try await BlockingThread.run(body) } catch let error as ConnectorError {
      throw error.refusal
    }
  }
}

/// Addresses of this context, in one place.
enum FrontNodeLink {
  static let list = "/front-nodes"
  static let new = "/front-nodes/new"
  static let servers = "/front-nodes/servers"
  static func node(_ id: FrontNodeID) -> String { "/front-nodes/\(id)" }
  static func server(_ id: FrontServerID) -> String { "/front-nodes/servers/\(id)" }
  static func newServer(_ kind: String) -> String { "/front-nodes/servers/new?kind=\(kind)" }
}
