internal import Deadlines
internal import Inbox
package import Kernel
package import Storage

// Taking a published resource offline and bringing it back: asked for by its department and decided by the operator, or done
// by the operator with a reason. Grants stay; deliveries stand still while it is offline and go on when it is back.

extension Cataloguing {
  /// What waits in the inbox about whether a resource is offered, apart from what waits about its versions.
  static let onlineSubject = "resource.online"

  /// Lets one thing happen to whether a resource is offered. `since` is when the asker saw its state begin; a decision on
  /// what changed meanwhile is refused.
  package func online(
    _ principal: Principal, _ id: ResourceID, _ event: OnlineEvent, reason: String = "", since: Instant? = nil
  ) async throws -> OnlineState {
    try await online(principal, id, event, reason: reason) { _, tx in
      if let since, try CatalogStore.onlineSince(id, in: tx) != since { throw CatalogStore.changedMeanwhile }
    }
  }

  /// The same, where `check` throws when the version in force is not as the asker saw it.
  func online(
    _ principal: Principal, _ id: ResourceID, _ event: OnlineEvent, reason: String,
    if check: @escaping @Sendable (Resource, any Transaction) throws -> Void
  ) async throws -> OnlineState {
    try principal.require(event.isDepartments ? .compileCatalog : .reviewCatalog)
    if event.needsReason || !reason.isEmpty {
      try checkReason(reason, "reason", Text("请写明理由。", "State the reason."))
    }
    let now = clock.now()
    return try await db.write { tx in
      guard let resource = try CatalogStore.issued(id, in: tx) else { throw Self.unknown }
      if event.isDepartments { try principal.require(.compileCatalog, in: resource.provider) }
      try check(resource, tx)
      let next = try resource.online.applying(event)
      let due = next.isAuditing ? try reviewDue(from: now.dateInChina, in: tx) : nil
      try CatalogStore.setOnline(next, of: resource, at: now, due: due?.encoded, in: tx)
      if resource.online.isOnline, !next.isOnline {
        try Likeness.remove(resource, in: tx)
        try CatalogSearch.remove(id, in: tx)
        try left(resource, now, tx)
      } else if !resource.online.isOnline, next.isOnline {
        try offer(resource, on: now.dateInChina, in: tx)
      }
      var moved = resource
      moved.online = next
      let isMoved = resource.online.isOnline != next.isOnline
      if isMoved { try mountWatch.heard(moved, now, tx) }
      try Inbox.close(subject: Self.onlineSubject, id.text, by: principal, at: now, in: tx)
      try tell(event, next, resource, reason, due, now, in: tx)
      try record(event, resource, by: principal, at: now, words: reason, due: due, in: tx)
      if isMoved { try ChangeFeed.tellOnline(of: moved, at: now, in: tx) }
      return next
    }
  }

  /// Puts a version among what is found, and among what later ones are compared with.
  func offer(
    _ resource: Resource, replacing before: Resource? = nil, on day: CalendarDate, in tx: any Transaction
  ) throws {
    try CatalogSearch.put(
      resource, replacing: before, publishedOn: resource.publishedOn ?? day, classification: classification(in: tx),
      in: tx)
    try Likeness.put(resource, in: tx)
  }

  /// Who has to act next hears of it as a task; whoever asked, or whose resource it is, as a notice.
  private func tell(
    _ event: OnlineEvent, _ next: OnlineState, _ resource: Resource, _ reason: String, _ due: DueDate?, _ now: Instant,
    in tx: any Transaction
  ) throws {
    let subject = (Self.onlineSubject, resource.id.text)
    let name = resource.metadata.name
    if next.isAuditing {
      try Inbox.post(
        InboxTask(
          kind: "catalog.online",
          title: next == .downAuditing
            ? Text("审核下架申请：\(name)", "Decide on taking offline: \(name)")
            : Text("审核重新上线申请：\(name)", "Decide on bringing back: \(name)"),
          link: CatalogLink.onlineRequest(resource.id), for: .holders(.reviewCatalog), subject: subject, due: due?.date,
          isProvisional: due?.provisional ?? false, at: now), in: tx)
    } else if !event.isDepartments {
      let why = reason.isEmpty ? "" : "（\(reason.prefix(200))）"
      try Inbox.notify(
        Notice(
          kind: "catalog.online",
          title: Text("\(event.title.chinese)：\(name)\(why)", "\(event.title.english): \(name)\(why)"),
          link: CatalogLink.resource(resource.id), for: .office(resource.provider, .compileCatalog), subject: subject,
          at: now), in: tx)
    }
  }
}

extension CatalogStore {
  /// Since when it is offered or not; nil before it was ever published.
  package static func onlineSince(_ id: ResourceID, in tx: any Transaction) throws -> Instant? {
    try tx.row("SELECT online_at FROM catalog_resource WHERE id = \(id)").flatMap { try $0.instantOrNil("online_at") }
  }

  /// Until when a request about it must be decided.
  static func onlineDue(_ id: ResourceID, in tx: any Transaction) throws -> DueDate? {
    try tx.text("SELECT online_due FROM catalog_resource WHERE id = \(id)").flatMap { DueDate(encoded: $0) }
  }
}
