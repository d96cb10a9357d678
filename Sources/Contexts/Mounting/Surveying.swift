internal import Audit
package import Catalog
package import Connecting
internal import Inbox
package import Inventory
package import Kernel
internal import Storage

// Reading a source's schema, and reading it again: what changed becomes its office's task.

extension Mounting {
  /// A source with more tables is read up to here.
  package static let mostTables = 20_000
  /// A schema is read again after this.
  static let surveyRhythm: Duration = .seconds(24 * 3600)

  /// Reads the schema of one's own source now; answers how many tables changed since.
  @discardableResult
  package func survey(_ principal: Principal, _ id: SourceID) async throws -> Int {
    let (source, tables) = try await register.survey(principal, id, for: .manageMounting, .compileCatalog)
    return try await take(tables, of: source, by: principal)
  }

  /// Reads what the schedule has come round to, some sources at the same time; one that cannot be read says so in its
  /// survey and holds up no other.
  @discardableResult
  package func surveyDue(limit: Int = 20) async throws -> Int {
    let now = clock.now()
    let due = try await db.read { try SurveyStore.due(at: now, limit: limit, in: $0) }
    return try await Self.eachOf(due) { id in
      try await surveyAlone(id)
      return 1
    }
  }

  private func surveyAlone(_ id: SourceID) async throws {
    do {
      let (source, address) = try await register.unattended(id)
      _ = try await take(register.probe.survey(address), of: source, by: .system())
    } catch let error as ConnectorError {
      try await fail(id, error.message)
    } catch let refusal as Refusal {
      try await fail(id, refusal.message)
    }
  }

  private func fail(_ id: SourceID, _ why: Text) async throws {
    let now = clock.now()
    try await db.write { tx in
      guard var survey = try SurveyStore.find(id, in: tx) else { return }
      survey.triedAt = now
      survey.fault = why
      survey.failures += 1
      let pause = min(Tie.firstRetry * (1 << min(survey.failures, 10)), Self.surveyRhythm)
      try SurveyStore.put(survey, dueAt: now + pause, in: tx)
    }
  }

  private func take(_ tables: [TableDescription], of source: DataSource, by principal: Principal) async throws -> Int {
    let now = clock.now()
    // What the platform keeps in a receiving database is no department's.
    let ours: Set = [WritePlan.offsetTable, WritePlan.batchTable]
    let read = tables.prefix(Self.mostTables).filter { !ours.contains($0.name.name.lowercased()) }
      .map { ($0, TableSnapshot($0)) }
    return try await db.write { tx in
      let before = try SurveyStore.find(source.id, in: tx)
      let known = Dictionary(
        try SurveyStore.tables(of: source.id, in: tx).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
      try SurveyStore.put(
        Survey(
          source: source.id, provider: source.owner, firstAt: before?.firstAt ?? now, readAt: now, tables: read.count,
          triedAt: now, fault: nil, failures: 0), dueAt: now + Self.surveyRhythm, in: tx)
      let entries = Dictionary(
        try CatalogStore.mounted(on: source.id, in: tx).map { ($0.table, $0.resource) },
        uniquingKeysWith: { first, _ in first })
      var changed = 0
      for (table, snapshot) in read {
        let earlier = known[table.name]
        if let earlier, earlier.goneAt == nil, earlier.digest == snapshot.digest { continue }
        if before != nil {
          let was =
            earlier.map { $0.goneAt == nil } ?? false
            ? try SurveyStore.snapshot(table.name, of: source.id, in: tx) ?? TableSnapshot(content: "")
            : TableSnapshot(content: "")
          try note(table.name, from: was, to: snapshot, source, entries[table.name], at: now, in: tx)
          changed += 1
        }
        try SurveyStore.put(table, snapshot, of: source.id, at: now, in: tx)
      }
      let present = Set(read.map { $0.0.name })
      for (name, table) in known where table.goneAt == nil && !present.contains(name) {
        let was = try SurveyStore.snapshot(name, of: source.id, in: tx) ?? TableSnapshot(content: "")
        try note(name, from: was, to: TableSnapshot(content: ""), source, entries[name], at: now, in: tx)
        try SurveyStore.setGone(name, of: source.id, at: now, in: tx)
        changed += 1
      }
      if before == nil || changed > 0 {
        try record(
          before == nil ? "mounting.survey.read" : "mounting.survey.change", source, by: principal, at: now,
          detail: [("tables", "\(read.count)"), ("changed", "\(changed)")], in: tx)
      }
      try followChanges(of: source, by: principal, at: now, in: tx)
      return changed
    }
  }

  /// A change of a table whose earlier one still waits becomes one with it.
  private func note(
    _ table: TableName, from before: TableSnapshot, to after: TableSnapshot, _ source: DataSource,
    _ resource: ResourceID?, at now: Instant, in tx: any Transaction
  ) throws {
    if var open = try SurveyStore.open(table, of: source.id, in: tx) {
      open.after = after
      if open.before == after {
        open.state = .reverted
        open.decidedAt = now
      }
      try SurveyStore.put(open, in: tx)
      return
    }
    try SurveyStore.put(
      SchemaChange(
        id: .make(at: now), source: source.id, provider: source.owner, table: table, before: before, after: after,
        foundAt: now, state: resource == nil ? .noted : .open, resource: resource), in: tx)
  }

  /// The office has one task for a source exactly while changes of its catalogued tables wait.
  private func followChanges(
    of source: DataSource, by principal: Principal, at now: Instant, in tx: any Transaction
  ) throws {
    let waits = try SurveyStore.openCount(of: source.id, in: tx) > 0
    let hasTask = try Inbox.history(subject: "survey", source.id.text, in: tx).contains { $0.closedAt == nil }
    if waits, !hasTask {
      try Inbox.post(
        InboxTask(
          kind: "mounting.schema",
          title: Text("表结构有变化：\(source.name)", "The schema changed: \(source.name)"),
          link: "/mounting/sources/\(source.id)/changes", for: .office(source.owner, .manageMounting),
          subject: ("survey", source.id.text), at: now), in: tx)
    } else if !waits, hasTask {
      try Inbox.close(subject: "survey", source.id.text, by: principal, at: now, in: tx)
    }
  }

  // MARK: Seeing

  /// A source's tables and what of them is catalogued.
  package struct TableList: Sendable {
    package var source: DataSource
    package var survey: Survey
    package var tables: [SurveyedTable]
    package var entries: [TableName: CatalogStore.MountedTable]
    package var openChanges: Int
    package var lastBatch: DraftBatch?
  }

  /// One's own source.
  package func source(_ principal: Principal, _ id: SourceID) async throws -> DataSource {
    try principal.require(.manageMounting)
    return try await db.read { try ownSource(principal, id, in: $0) }
  }

  /// The tables of one's own source; read now where it never was.
  package func tables(_ principal: Principal, _ id: SourceID) async throws -> TableList {
    if !principal.may(.compileCatalog) { try principal.require(.manageMounting) }
    if let list = try await stored(principal, id) { return list }
    try await survey(principal, id)
    guard let list = try await stored(principal, id) else { throw SystemRegister.unknownSource }
    return list
  }

  private func stored(_ principal: Principal, _ id: SourceID) async throws -> TableList? {
    try await db.read { tx in
      let source = try ownSource(principal, id, in: tx)
      guard let survey = try SurveyStore.find(id, in: tx) else { return nil }
      return TableList(
        source: source, survey: survey, tables: try SurveyStore.tables(of: id, in: tx),
        entries: Dictionary(
          try CatalogStore.mounted(on: id, in: tx).map { ($0.table, $0) }, uniquingKeysWith: { first, _ in first }),
        openChanges: try SurveyStore.openCount(of: id, in: tx), lastBatch: try BatchStore.last(of: id, in: tx))
    }
  }

  package func changes(
    _ principal: Principal, of id: SourceID, before: SchemaChangeID? = nil, limit: Int = 50
  ) async throws -> (source: DataSource, changes: [SchemaChange], names: [ResourceID: String], next: SchemaChangeID?) {
    try principal.require(.manageMounting)
    return try await db.read { tx in
      let source = try ownSource(principal, id, in: tx)
      let found = try SurveyStore.changes(of: id, before: before, limit: limit + 1, in: tx)
      let names = try CatalogStore.mounted(on: id, in: tx).reduce(into: [ResourceID: String]()) {
        $0[$1.resource] = $1.name
      }
      return (source, Array(found.prefix(limit)), names, found.count > limit ? found[limit - 1].id : nil)
    }
  }

  package func source(of id: SchemaChangeID, for principal: Principal) async throws -> SourceID {
    try await db.read { tx in try open(principal, id, in: tx).source }
  }

  // MARK: Deciding

  package static let reasonLimit = 500

  /// Finds a change to be of no matter for the entry.
  package func dismiss(_ principal: Principal, _ id: SchemaChangeID, reason: String) async throws -> SchemaChange {
    let missing = Text(
      "请写明理由，最多 \(Self.reasonLimit) 字。", "State the reason in at most \(Self.reasonLimit) characters.")
    if let wrong = PlainText.wrongWords(reason, most: Self.reasonLimit, missing: missing) {
      throw Refusal.invalid("mounting.reason", "reason", wrong)
    }
    return try await decide(principal, id, .dismissed, reason: reason)
  }

  /// Takes a change over into a draft of the entry: the open one, or a new version. Columns that came become items, those
  /// that went are taken out, renamed and retyped ones follow.
  package func takeOver(_ principal: Principal, _ id: SchemaChangeID) async throws -> Resource {
    try principal.require(.manageMounting)
    let change = try await db.read { tx in try open(principal, id, in: tx) }
    guard let resource = change.resource, !change.after.content.isEmpty else {
      throw Refusal(
        .conflict, "mounting.change.dropped",
        Text("表已不在，请为目录改挂其他表或下架。", "The table is gone: mount the entry elsewhere or withdraw it."))
    }
    var draft = try await cataloguing.latest(principal, resource)
    if !draft.state.isEditable { draft = try await cataloguing.beginChange(principal, resource) }
    let table = change.after.table(change.table)
    var mount = draft.mount
    for case .columnRenamed(let old, let new) in change.differences {
      let keys = mount?.keyColumns ?? []
      mount?.keyColumns = keys.map { $0 == old.name ? new.name : $0 }
      if mount?.cursorColumn == old.name { mount?.cursorColumn = new.name }
    }
    mount?.keyColumns.removeAll { table.column($0) == nil }
    if let cursor = mount?.cursorColumn, table.column(cursor) == nil { mount?.cursorColumn = nil }
    let edited = try await cataloguing.edit(
      principal, resource, from: draft.revision,
      .init(items: Mounting.items(of: draft, following: change, at: clock.now()), mount: .some(mount))
    ).resource
    _ = try await decide(principal, id, .taken, reason: "")
    return edited
  }

  private func decide(
    _ principal: Principal, _ id: SchemaChangeID, _ state: SchemaChange.State, reason: String
  ) async throws -> SchemaChange {
    try principal.require(.manageMounting)
    let now = clock.now()
    return try await db.write { tx in
      var change = try open(principal, id, in: tx)
      change.state = state
      change.decidedAt = now
      change.decidedBy = principal.name
      change.reason = reason.isEmpty ? nil : reason
      try SurveyStore.put(change, in: tx)
      guard let source = try InventoryStore.source(change.source, in: tx) else { throw SystemRegister.unknownSource }
      var detail = [(name: "table", value: change.table.description)]
      if !reason.isEmpty { detail.append(("reason", reason)) }
      try record(
        state == .taken ? "mounting.change.take" : "mounting.change.dismiss", source, by: principal, at: now,
        detail: detail, in: tx)
      try followChanges(of: source, by: principal, at: now, in: tx)
      return change
    }
  }

  private func open(
    _ principal: Principal, _ id: SchemaChangeID, in tx: any Transaction
  ) throws -> SchemaChange {
    guard let change = try SurveyStore.change(id, in: tx), principal.organisation == change.provider else {
      throw Refusal.notFound(Text("表结构变化", "change of a schema"))
    }
    guard change.state == .open else {
      throw Refusal(
        .conflict, "mounting.change.decided", Text("这处变化已经处理。", "This change has been dealt with."))
    }
    return change
  }

  func ownSource(_ principal: Principal, _ id: SourceID, in tx: any Transaction) throws -> DataSource {
    guard let source = try InventoryStore.source(id, in: tx), principal.organisation == source.owner else {
      throw SystemRegister.unknownSource
    }
    return source
  }

  private func record(
    _ action: String, _ source: DataSource, by principal: Principal, at now: Instant,
    detail: [(name: String, value: String)], in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "source", subject: source.id.text,
        subjectName: source.name, detail: detail), in: tx)
  }

  // MARK: Pure

  /// The entry's items as they follow the change; items that have no column stay.
  package static func items(of resource: Resource, following change: SchemaChange, at now: Instant) -> [Item] {
    let table = change.after.table(change.table)
    let drafted = Catalog.draft(
      from: table, sample: TableSample(values: [:], rows: 0), connector: "", classNode: nil, at: now
    ).items
    func fresh(_ column: String) -> Item? { drafted.first { $0.column == column } }
    var items = resource.items
    for difference in change.differences {
      switch difference {
      case .columnRenamed(let old, let new):
        for index in items.indices where items[index].column == old.name { items[index].column = new.name }
      case .columnDropped(let column): items.removeAll { $0.column == column.name }
      case .columnAdded(let column):
        if let item = fresh(column.name), !items.contains(where: { $0.column == column.name }) { items.append(item) }
      case .columnRetyped(_, let column):
        guard let item = fresh(column.name) else { continue }
        for index in items.indices where items[index].column == column.name {
          items[index].dataType = item.dataType
          items[index].length = item.length
          items[index].scale = item.scale
          items[index].type = item.type
        }
      case .nullability(let column, let isNullable):
        for index in items.indices where items[index].column == column { items[index].isNullable = isNullable }
      case .key, .comment, .tableComment, .added, .dropped: break
      }
    }
    return items
  }
}
