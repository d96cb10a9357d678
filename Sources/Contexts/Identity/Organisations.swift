import Audit
package import Kernel
package import Storage

/// What Identity asks of whoever knows the national classification, which stands above it.
package struct ClassificationNodes: Sendable {
  /// The node's full title; nil when there is no such node.
  package var title: @Sendable (_ code: String) -> String?

  package init(title: @escaping @Sendable (_ code: String) -> String?) { self.title = title }
}

/// Changing what is known of an office: the security administrator's work.
package struct Organisations: Sendable {
  let database: any Database
  let clock: Clock
  package let nodes: ClassificationNodes

  package init(database: any Database, clock: Clock, nodes: ClassificationNodes) {
    self.database = database
    self.clock = clock
    self.nodes = nodes
  }

  /// Digits, the first of them one of the three big classes.
  static func isNode(_ code: String) -> Bool {
    (1...24).contains(code.utf8.count) && code.utf8.allSatisfy { (48...57).contains($0) }
      && (49...51).contains(code.utf8.first ?? 0)
  }

  /// Gives an office its node of the national classification, which prefixes the codes of its resources. Codes that were
  /// given already stay as they are. `seen` is the office's own node when the form was shown.
  package func setNode(
    _ code: String, of id: OrganisationID, seen: String?, by principal: Principal
  ) async throws {
    try principal.require(.organisationsManage)
    guard Self.isNode(code) else {
      throw Refusal.invalid(
        "identity.organisation.node", "node",
        Text("分类节点为 1 到 24 位数字，以 1、2 或 3 开头。", "A node is 1 to 24 digits and begins with 1, 2 or 3."))
    }
    guard nodes.title(code) != nil else {
      throw Refusal.invalid(
        "identity.organisation.node", "node",
        Text(
          "国家分类里没有节点 \(code)，请在目录的分类页中核对。",
          "The national classification has no node \(code); look it up in the catalogue's tree."))
    }
    let now = clock.now()
    try await database.write { tx in
      try People.stillMay(.organisationsManage, principal, in: tx)
      let office = try OrganisationStore.get(id, in: tx)
      guard office.classificationNode == seen else {
        throw Refusal(
          .conflict, "identity.organisation.changed",
          Text("有人刚修改过，请刷新后再试。", "Somebody has just changed this; reload and try again."))
      }
      guard office.classificationNode != code else { return }
      try OrganisationStore.setNode(code, of: id, in: tx)
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "identity.organisation.node", subjectKind: "organisation",
          subject: id.text, subjectName: office.name,
          detail: [("before", office.classificationNode ?? "—"), ("after", code)]), in: tx)
    }
  }
}
