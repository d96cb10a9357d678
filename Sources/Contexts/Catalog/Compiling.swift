internal import Calendars
package import Connecting
internal import Deadlines
internal import Identity
internal import Inbox
package import Inventory
package import Kernel
internal import Storage

// What a department does: write entries, have them reviewed, change and give them up.

extension Cataloguing {
  /// Makes a draft from a table of one of the department's own sources: its columns become items, and what their values
  /// seem to be is guessed from at most `rows` rows, which are looked at and forgotten. A form of the same key leads to the
  /// draft that it has begun. With `onlyIfNone`, a table that has an entry gets no other, however many ask at once: that entry
  /// is answered.
  package func draft(
    _ principal: Principal, from source: SourceID, table: TableName, sampling rows: Int = 1000, formKey: String? = nil,
    onlyIfNone: Bool = false
  ) async throws -> Resource {
    try principal.require(.compileCatalog)
    let begun = BegunDraft(principal, key: formKey, asks: [source.text, table.schema ?? "", table.name])
    let asked = clock.now()
    if let begun, let resource = try await db.read({ try begun.find(at: asked, in: $0) }) { return resource }
    let (found, description) = try await register.describe(principal, source, table, for: .compileCatalog)
    guard description.columns.count <= Metadata.limits.items else {
      throw Refusal(
        .tooLarge, "catalog.table.wide",
        Text(
          "表有 \(description.columns.count) 列，一条目录最多 \(Metadata.limits.items) 个信息项。",
          "The table has \(description.columns.count) columns; an entry has at most \(Metadata.limits.items) items."))
    }
    let sample = try await register.sample(
      principal, source, description, limit: min(max(rows, 0), 10_000), for: .compileCatalog)
    let now = clock.now()
    return try await db.write { tx in
      if let found = try begun?.find(at: now, in: tx) { return found }
      if onlyIfNone, let there = try CatalogStore.entry(of: description.name, on: source, in: tx) { return there }
      let made = Catalog.draft(
        from: description, sample: sample, connector: found.kind,
        classNode: try firstClass(of: found.owner, in: tx), at: now)
      let resource = try begin(
        principal, system: found.system, metadata: made.metadata, items: made.items,
        mount: Mount(
          source: source, table: description.name, keyColumns: made.keyColumns, cursorColumn: made.cursorColumn),
        at: now, in: tx)
      try begun?.note(resource.id, at: now, in: tx)
      return resource
    }
  }

  /// Starts an entry by hand. A form of the same key leads to the draft that it has begun.
  package func draft(
    _ principal: Principal, system: SystemID?, metadata: Metadata, items: [Item] = [], formKey: String? = nil
  ) async throws -> Resource {
    try principal.require(.compileCatalog)
    let now = clock.now()
    let begun = BegunDraft(principal, key: formKey, asks: [system?.text ?? "", metadata.name])
    return try await db.write { tx in
      if let found = try begun?.find(at: now, in: tx) { return found }
      var metadata = metadata
      if metadata.classes.isEmpty, let office = principal.organisation, let node = try firstClass(of: office, in: tx) {
        metadata.classes = [node]
      }
      let resource = try begin(
        principal, system: system, metadata: metadata, items: items, mount: nil, at: now, in: tx)
      try begun?.note(resource.id, at: now, in: tx)
      return resource
    }
  }

  /// What a form may change in a draft.
  package struct Change: Sendable {
    package var metadata: Metadata?
    package var system: SystemID??
    package var items: [Item]?
    package var mount: Mount??

    package init(
      metadata: Metadata? = nil, system: SystemID?? = nil, items: [Item]? = nil, mount: Mount?? = nil
    ) {
      self.metadata = metadata
      self.system = system
      self.items = items
      self.mount = mount
    }
  }

  /// Writes in a draft. It may stay incomplete (the findings say what is missing), but never over its limits. Refused when
  /// somebody else changed it since `revision`.
  package func edit(
    _ principal: Principal, _ id: ResourceID, from revision: Int, _ change: Change
  ) async throws -> (resource: Resource, findings: [Finding]) {
    try await edit(principal, id) { current, _ in
      _ = try current.state.applying(.edit)
      guard current.revision == revision else { throw CatalogStore.changedMeanwhile }
      return change
    }
  }

  /// Writes in a draft what `change` makes of it as it stands, in one transaction: what `change` judges before it is what
  /// is written over, whatever others do meanwhile. It may be called again when the transaction has to be.
  func edit(
    _ principal: Principal, _ id: ResourceID,
    _ change: @escaping @Sendable (_ current: Resource, any Transaction) throws -> Change
  ) async throws -> (resource: Resource, findings: [Finding]) {
    try principal.require(.compileCatalog)
    let now = clock.now()
    return try await db.write { tx in
      var resource = try own(principal, id, in: tx)
      let change = try change(resource, tx)
      resource.state = try resource.state.applying(.edit)
      if let metadata = change.metadata { resource.metadata = metadata }
      if let system = change.system { resource.system = system }
      if let items = change.items { resource.items = items }
      if let mount = change.mount { resource.mount = mount }
      if let mount = resource.mount {
        resource.items = resource.items.map { item in
          var item = item
          item.isKey = mount.keyColumns.contains(item.column)
          return item
        }
      }
      try refuseForeign(resource, principal, in: tx)
      resource.changedAt = now
      resource.changedBy = principal.name
      resource.lists = lists.version
      let findings = try findings(of: resource, in: tx)
      // Drafts may lack things; what cannot be kept at all is refused at once.
      try refuseUnkeepable(findings, isNamed: change.metadata != nil)
      guard try CatalogStore.update(resource, from: resource.revision, in: tx) else {
        throw CatalogStore.changedMeanwhile
      }
      resource.revision += 1
      try record(.edit, "catalog.draft.edit", resource, by: principal, at: now, in: tx)
      try mountWatch.heard(resource, now, tx)
      return (resource, findings)
    }
  }

  /// Hands a draft to the reviewer. Refused while a rule finds an error, or when a later version does not say why it was
  /// written.
  package func submit(
    _ principal: Principal, _ id: ResourceID, because change: VersionChange? = nil
  ) async throws -> Resource {
    try await submit(principal, id, because: change) { _ in }
  }

  /// The same, where `check` throws when the draft is not as the asker saw it.
  func submit(
    _ principal: Principal, _ id: ResourceID, because change: VersionChange?,
    if check: @escaping @Sendable (Resource) throws -> Void
  ) async throws -> Resource {
    try principal.require(.compileCatalog)
    let now = clock.now()
    return try await db.write { tx in
      try submit(principal, id, because: change, at: now, if: check, in: tx)
    }
  }

  /// Drafts submitted in one transaction.
  static let submittedAtOnce = 50

  /// Submits many, some in a transaction: one that is refused wrote nothing, and keeps none of the others.
  func submit(
    _ principal: Principal, _ drafts: [(id: ResourceID, change: VersionChange?)]
  ) async throws -> [Result<Resource, Refusal>] {
    try principal.require(.compileCatalog)
    let now = clock.now()
    var done: [Result<Resource, Refusal>] = []
    for start in stride(from: 0, to: drafts.count, by: Self.submittedAtOnce) {
      let part = drafts[start..<min(start + Self.submittedAtOnce, drafts.count)]
      done += try await db.write { tx in
        try part.map { draft in
          do {
            return .success(try submit(principal, draft.id, because: draft.change, at: now, in: tx))
          } catch let refusal as Refusal {
            return .failure(refusal)
          }
        }
      }
    }
    return done
  }

  /// One step in an open transaction. Whatever is refused is refused before anything is written.
  private func submit(
    _ principal: Principal, _ id: ResourceID, because change: VersionChange?, at now: Instant,
    if check: (Resource) throws -> Void = { _ in }, in tx: any Transaction
  ) throws -> Resource {
    var resource = try own(principal, id, in: tx)
    try check(resource)
    let next = try resource.state.applying(.submit)
    let found = try findings(of: resource, in: tx)
    if let refusal = found.refusal { throw refusal }
    let change =
      resource.version > 1
      ? try dated(change ?? CatalogStore.change(of: id, version: resource.version, in: tx), by: now, in: tx) : nil
    guard try codeNode(of: resource.provider, providers, classification(in: tx), in: tx) != nil else {
      throw Refusal(
        .conflict, "catalog.provider.no-node",
        Text(
          "提供方在国家分类中没有节点，其前身单位也没有；请安全管理员先在单位信息中配置“目录分类节点”。",
          "Neither the provider nor any predecessor has a node in the classification; have one configured first."))
    }
    var detail: [(name: String, value: String)] = []
    if let change {
      try CatalogStore.setChange(change, of: id, version: resource.version, in: tx)
      detail.append(("change", change.kind.title.chinese))
      if let trigger = change.trigger { detail.append(("trigger", "\(trigger)")) }
    }
    let due = try reviewDue(from: now.dateInChina, in: tx)
    try CatalogStore.move(
      resource, to: next, at: now, submittedAt: now, reviewDue: due, revision: resource.revision + 1, in: tx)
    resource.revision += 1
    try CatalogStore.noteFindings(
      warnings: found.count { $0.severity == .warning }, alike: compareOpen(resource, in: tx), of: resource, in: tx)
    try Inbox.close(subject: "resource", id.text, by: principal, at: now, in: tx)
    try Inbox.post(
      InboxTask(
        kind: "catalog.review",
        title: Text("审核目录：\(resource.metadata.name)", "Review entry: \(resource.metadata.name)"),
        link: "/catalog/review/\(id)", for: .holders(.reviewCatalog), subject: ("resource", id.text),
        due: due?.date, isProvisional: due?.provisional ?? false, at: now), in: tx)
    resource.state = next
    resource.submittedAt = now
    try record(
      .submit, "catalog.version.submit", resource, by: principal, at: now,
      detail: detail + (due.map { [("due", "\($0.date)")] } ?? []), in: tx)
    return resource
  }

  /// Takes a submitted entry back before it is decided.
  package func recall(_ principal: Principal, _ id: ResourceID) async throws {
    try await leave(principal, id, .recall, "catalog.version.recall")
  }

  /// Gives up a draft that was never registered. For a later version, the one in force stays.
  package func discard(_ principal: Principal, _ id: ResourceID) async throws {
    try await discard(principal, id) { _ in }
  }

  /// The same, where `check` throws when the draft is not as the asker saw it.
  func discard(
    _ principal: Principal, _ id: ResourceID, if check: @escaping @Sendable (Resource) throws -> Void
  ) async throws {
    try await leave(principal, id, .discard, "catalog.version.discard", if: check)
  }

  /// Begins the next version of what is in force: a draft with the same content, whose items keep their ids.
  package func beginChange(_ principal: Principal, _ id: ResourceID) async throws -> Resource {
    try principal.require(.compileCatalog)
    let now = clock.now()
    return try await db.write { tx in
      guard let current = try CatalogStore.issued(id, in: tx), let latest = try CatalogStore.latest(id, in: tx)
      else {
        throw Self.unknown
      }
      try principal.require(.compileCatalog, in: current.provider)
      guard latest.version == current.version || latest.state == .discarded else {
        throw Refusal(
          .conflict, "catalog.change.open",
          Text(
            "第 \(latest.version) 版正在编制，请在其中修改。", "Version \(latest.version) is already being written; change it there.")
        ).leading(
          Text("打开第 \(latest.version) 版", "Open version \(latest.version)"),
          "/catalog/resources/\(id)?version=\(latest.version)")
      }
      var next = current
      next.version = latest.version + 1
      next.state = .draft
      // Goes on counting: a revision names one state of the entry, not one of each version.
      next.revision = latest.revision + 1
      next.changedAt = now
      next.changedBy = principal.name
      next.submittedAt = nil
      next.publishedOn = nil
      if let office = try providers.organisation(next.provider, tx) {
        next.providerName = office.name
        next.providerCode = office.creditCode
      }
      try CatalogStore.insert(next, in: tx)
      try Attaching.carryOver([next], from: [id: current.version], at: now, in: tx)
      try record(nil, "catalog.version.begin", next, by: principal, at: now, in: tx)
      return next
    }
  }

  // MARK: Parts

  /// The change with the day by which it had to be made, by the rule of the day that made it necessary.
  private func dated(_ change: VersionChange?, by now: Instant, in tx: any Transaction) throws -> VersionChange {
    guard var change else {
      throw Refusal.invalid(
        "catalog.change.reason", "kind", Text("请选择变更原因。", "Choose why this version was written."))
    }
    try checkReason(change.words, "words", Text("请说明变更了什么、为什么。", "Say what changed and why."))
    change.due = nil
    if let day = change.trigger {
      guard day <= now.dateInChina, day.year >= 1949 else {
        throw Refusal.invalid(
          "catalog.change.reason", "trigger",
          Text(
            "触发日期应在 1949-01-01 至今天（\(now.dateInChina)）之间。",
            "The day lies between 1949-01-01 and today (\(now.dateInChina))."))
      }
      if let rule = RuleSet.inForce(on: day, of: rules)["catalogue.update"] {
        change.due = try calendars.inForce(tx).due(from: day, workingDays: rule.value, rule: rule.reference)
      }
    }
    return change
  }

  /// Refuses what no draft may hold; where it is named, also a name that nobody sees, which leads to no draft.
  private func refuseUnkeepable(_ findings: [Finding], isNamed: Bool) throws {
    let broken = findings.filter {
      ["text.long", "text.control", "items.many", "secrecy.secret"].contains($0.code)
        || isNamed && $0.field == "name" && $0.code == "text.hidden"
    }
    if let refusal = broken.refusal { throw refusal }
  }

  /// The class that a new entry of an office begins with: its own in the tree, while that can be chosen.
  private func firstClass(of office: OrganisationID, in tx: any Transaction) throws -> String? {
    let tree = try classification(in: tx)
    return try codeNode(of: office, providers, tree, in: tx).flatMap { tree[$0]?.isRetired == false ? $0 : nil }
  }

  private func begin(
    _ principal: Principal, system: SystemID?, metadata: Metadata, items: [Item], mount: Mount?, at now: Instant,
    in tx: any Transaction
  ) throws -> Resource {
    guard let provider = principal.organisation, let office = try providers.organisation(provider, tx) else {
      throw Refusal.forbidden(.compileCatalog)
    }
    let resource = Resource(
      id: .make(at: now), provider: provider, providerName: office.name, providerCode: office.creditCode,
      system: system, metadata: metadata, items: items, mount: mount, lists: lists.version, changedAt: now,
      changedBy: principal.name)
    try refuseForeign(resource, principal, in: tx)
    try refuseUnkeepable(findings(of: resource, in: tx), isNamed: true)
    try CatalogStore.insert(resource, in: tx)
    try record(nil, "catalog.draft.begin", resource, by: principal, at: now, in: tx)
    try mountWatch.heard(resource, now, tx)
    return resource
  }

  /// A system or source of another organisation, or none at all: a forged id is answered like a missing one.
  private func refuseForeign(_ resource: Resource, _ principal: Principal, in tx: any Transaction) throws {
    if let system = resource.system, try InventoryStore.system(system, in: tx)?.owner != resource.provider {
      throw Refusal.invalid(
        "catalog.system", "system", Text("请选择本单位登记的信息系统。", "Choose a system your organisation registered."))
    }
    if let mount = resource.mount {
      guard let source = try InventoryStore.openSource(mount.source, of: resource.provider, in: tx) else {
        throw Refusal.invalid("catalog.mount", "mount", Text("请选择本单位的数据源。", "Choose a source of your organisation."))
      }
      guard resource.system == nil || resource.system == source.system else {
        throw Refusal.invalid(
          "catalog.mount.system", "system",
          Text("挂接的数据源属于另一个信息系统。", "The mounted source belongs to another information system."))
      }
    }
    guard Set(resource.items.map(\.id)).count == resource.items.count else {
      throw Refusal.invalid("catalog.items", "items", Text("信息项标识重复。", "An item's id stands twice."))
    }
  }

  private func leave(
    _ principal: Principal, _ id: ResourceID, _ event: VersionEvent, _ action: String,
    if check: @escaping @Sendable (Resource) throws -> Void = { _ in }
  ) async throws {
    try principal.require(.compileCatalog)
    let now = clock.now()
    try await db.write { tx in
      var resource = try own(principal, id, in: tx)
      try check(resource)
      let next = try resource.state.applying(event)
      try CatalogStore.move(resource, to: next, at: now, in: tx)
      if resource.state == .submitted { try leaveOpen(resource, in: tx) }
      try Inbox.close(subject: "resource", id.text, by: principal, at: now, in: tx)
      try record(event, action, resource, by: principal, at: now, in: tx)
      resource.state = next
      try mountWatch.heard(resource, now, tx)
    }
  }
}
