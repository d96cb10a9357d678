internal import Identity
internal import Inbox
package import Kernel
internal import Storage

// What the platform's operator does: decide what was submitted, register and publish it, take it down.

/// What a reviewer says of a submitted version.
package enum ReviewDecision: Hashable, Sendable {
  /// With the reasons the department will read.
  case sendBack(reasons: String)
  /// Registers it (it gets its code), and puts it in force at once or leaves that for later.
  case approve(publish: Bool)
}

extension Cataloguing {
  package static let reasonLimit = 1000

  package func decide(_ principal: Principal, _ id: ResourceID, _ decision: ReviewDecision) async throws -> Resource {
    try principal.require(.reviewCatalog)
    let now = clock.now()
    return try await db.write { tx in
      guard var resource = try CatalogStore.latest(id, in: tx) else { throw Self.unknown }
      switch decision {
      case .sendBack(let reasons):
        try sendBack(&resource, principal, reasons, now, in: tx)
      case .approve(let publish):
        try approve(&resource, principal, now, in: tx)
        if publish { try self.publish(&resource, principal, now, in: tx) }
      }
      return resource
    }
  }

  /// Puts an approved version in force; the one before it is superseded.
  package func publish(_ principal: Principal, _ id: ResourceID) async throws -> Resource {
    try principal.require(.reviewCatalog)
    let now = clock.now()
    return try await db.write { tx in
      guard var resource = try CatalogStore.latest(id, in: tx) else { throw Self.unknown }
      try publish(&resource, principal, now, in: tx)
      return resource
    }
  }

  /// Takes a resource out of force, by its department or by the operator. Its code is never given again.
  package func withdraw(_ principal: Principal, _ id: ResourceID, reason: String) async throws {
    guard principal.may(.reviewCatalog) || principal.may(.compileCatalog) else {
      throw Refusal.forbidden(.compileCatalog)
    }
    let now = clock.now()
    try checkReason(reason, "reason", Text("请写明下架原因。", "State why it is withdrawn."))
    try await db.write { tx in
      guard let resource = try CatalogStore.published(id, in: tx) else { throw Self.unknown }
      if !principal.may(.reviewCatalog) { try principal.require(.compileCatalog, in: resource.provider) }
      guard let latest = try CatalogStore.latest(id, in: tx),
        latest.version == resource.version || latest.state == .discarded
      else {
        throw Refusal(
          .conflict, "catalog.withdraw.open-change",
          Text("有新版本正在编制或审核，请先结束它。", "A new version is being written or reviewed; end that first."))
      }
      try CatalogStore.move(resource, to: resource.state.applying(.withdraw), at: now, in: tx)
      try CatalogStore.setPublished(nil, of: id, in: tx)
      try CatalogSearch.remove(id, in: tx)
      try Inbox.close(subject: "resource", id.text, by: principal, at: now, in: tx)
      try record(.withdraw, "catalog.version.withdraw", resource, by: principal, at: now, words: reason, in: tx)
    }
  }

  // MARK: Parts

  private func sendBack(
    _ resource: inout Resource, _ principal: Principal, _ reasons: String, _ now: Instant, in tx: any Transaction
  ) throws {
    try checkReason(reasons, "reasons", Text("请写明退回原因，编制人会看到。", "State the reasons; the compiler will read them."))
    let next = try resource.state.applying(.sendBack)
    try CatalogStore.move(resource, to: next, at: now, in: tx)
    try Inbox.close(subject: "resource", resource.id.text, by: principal, at: now, in: tx)
    try Inbox.post(
      InboxTask(
        kind: "catalog.correct",
        title: Text("目录被退回：\(resource.metadata.name)", "Entry returned: \(resource.metadata.name)"),
        link: "/catalog/resources/\(resource.id)/edit", for: .office(resource.provider, .compileCatalog),
        subject: ("resource", resource.id.text), at: now), in: tx)
    resource.state = next
    try record(.sendBack, "catalog.version.return", resource, by: principal, at: now, words: reasons, in: tx)
  }

  private func approve(
    _ resource: inout Resource, _ principal: Principal, _ now: Instant, in tx: any Transaction
  ) throws {
    let next = try resource.state.applying(.approve)
    if let refusal = try findings(of: resource, in: tx).refusal { throw refusal }
    if resource.code == nil {
      guard let node = try codeNode(of: resource.provider, providers, classification(in: tx), in: tx) else {
        throw Refusal(
          .conflict, "catalog.provider.no-node",
          Text("提供方在国家分类中没有节点，无法编码。", "The provider has no node in the classification; no code can be given."))
      }
      let code = ResourceCode(node: node, number: try CatalogStore.next("code/\(node)", in: tx))
      try CatalogStore.setCode(code, of: resource.id, in: tx)
      resource.code = code
    }
    try CatalogStore.move(resource, to: next, at: now, in: tx)
    try Inbox.close(subject: "resource", resource.id.text, by: principal, at: now, in: tx)
    try Inbox.post(
      InboxTask(
        kind: "catalog.publish",
        title: Text("发布目录：\(resource.metadata.name)", "Publish entry: \(resource.metadata.name)"),
        link: "/catalog/review/\(resource.id)", for: .holders(.reviewCatalog), subject: ("resource", resource.id.text),
        at: now), in: tx)
    resource.state = next
    try record(.approve, "catalog.version.approve", resource, by: principal, at: now, in: tx)
  }

  private func publish(
    _ resource: inout Resource, _ principal: Principal, _ now: Instant, in tx: any Transaction
  ) throws {
    let next = try resource.state.applying(.publish)
    guard let code = resource.code else { throw Self.unknown }
    if let before = try CatalogStore.published(resource.id, in: tx) {
      try CatalogStore.move(before, to: before.state.applying(.supersede), at: now, in: tx)
      try CatalogStore.record(.supersede, of: before, by: principal, at: now, in: tx)
    }
    try CatalogStore.move(resource, to: next, at: now, publishedOn: now.dateInChina, in: tx)
    try CatalogStore.setPublished(resource.version, of: resource.id, in: tx)
    try CatalogSearch.put(
      resource, code: code, publishedOn: now.dateInChina, classification: classification(in: tx), in: tx)
    try Inbox.close(subject: "resource", resource.id.text, by: principal, at: now, in: tx)
    resource.state = next
    resource.publishedOn = now.dateInChina
    try record(.publish, "catalog.version.publish", resource, by: principal, at: now, in: tx)
  }

  private func checkReason(_ reason: String, _ field: String, _ missing: Text) throws {
    guard !reason.isEmpty else { throw Refusal.invalid("catalog.reason", field, missing) }
    guard reason.count <= Self.reasonLimit else {
      throw Refusal.invalid(
        "catalog.reason", field,
        Text("最多 \(Self.reasonLimit) 字。", "At most \(Self.reasonLimit) characters."))
    }
  }
}
