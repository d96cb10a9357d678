internal import Audit
package import Catalog
package import Connecting
package import Inventory
internal import Jobs
package import Kernel
internal import Storage

package typealias DraftBatchID = ID<DraftBatch>

/// Drafts of many tables asked for at once; a worker makes them one after the other.
package struct DraftBatch: Hashable, Sendable {
  package struct Table: Hashable, Sendable {
    package var name: TableName
    /// The draft, once it is made.
    package var resource: ResourceID?
    /// Why none was.
    package var refusal: Text?

    package var isDone: Bool { resource != nil || refusal != nil }
  }

  package var id: DraftBatchID
  package var source: SourceID
  package var provider: OrganisationID
  package var providerName: String
  package var person: PersonID?
  package var personName: String
  package var askedAt: Instant
  package var endedAt: Instant?
  package var tables: [Table]

  package var done: Int { tables.count(where: \.isDone) }
}

extension Mounting {
  /// Asks for drafts of tables of one's own source: of all that are not catalogued yet, or of those named, of which one that
  /// cannot be drafted stands in the batch with the reason. Refused when there is none to draft.
  package func draft(
    _ principal: Principal, from id: SourceID, tables names: [TableName]?
  ) async throws -> DraftBatch {
    try principal.require(.compileCatalog)
    let list = try await tables(principal, id)
    let wanted = names.map(Set.init)
    let chosen = list.tables.filter { table in
      table.goneAt == nil && !table.isReceived && list.entries[table.name] == nil
        && (wanted?.contains(table.name) ?? true)
    }
    guard !chosen.isEmpty else {
      throw Refusal.invalid(
        "mounting.tables", "tables",
        Text("请选择尚未编目的表。", "Choose tables that are not catalogued yet."))
    }
    guard let office = principal.organisation else { throw Refusal.forbidden(.compileCatalog) }
    let now = clock.now()
    let batch = DraftBatch(
      id: .make(at: now), source: id, provider: office, providerName: principal.organisationName,
      person: principal.person, personName: principal.name, askedAt: now, endedAt: nil,
      tables: chosen.map { DraftBatch.Table(name: $0.name) } + Self.left(of: names ?? [], list))
    try await db.write { tx in
      try BatchStore.insert(batch, in: tx)
      _ = try JobQueue.enqueue(
        Self.draftJob, payload: batch.id.text, maxAttempts: 5, dedupe: "mounting:draft:\(batch.id)", at: now, in: tx)
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "mounting.draft.ask", subjectKind: "source", subject: id.text,
          subjectName: list.source.name, detail: [("tables", "\(batch.tables.count)")]), in: tx)
    }
    return batch
  }

  /// Those among the named that cannot be drafted, each once.
  private static func left(of names: [TableName], _ list: TableList) -> [DraftBatch.Table] {
    let known = Dictionary(list.tables.map { ($0.name, $0) }) { first, _ in first }
    var told: Set<TableName> = []
    return names.filter { told.insert($0).inserted }.compactMap { name in
      let why: Text? =
        switch known[name] {
        case nil: Text("数据源中没有这张表。", "The source has no such table.")
        case let table? where table.goneAt != nil: Text("表已不在。", "The table is gone.")
        case let table? where table.isReceived:
          Text("这是平台送达的表，不编目。", "The platform delivers this table; it is not catalogued.")
        case _?: list.entries[name] == nil ? nil : Text("这张表已有目录。", "The table has an entry already.")
        }
      return why.map { DraftBatch.Table(name: name, refusal: $0) }
    }
  }

  package func batch(_ principal: Principal, _ id: DraftBatchID) async throws -> DraftBatch {
    try principal.require(.compileCatalog)
    guard let batch = try await db.read({ try BatchStore.find(id, in: $0) }), batch.provider == principal.organisation
    else { throw Refusal.notFound(Text("批量编目", "batch of drafts")) }
    return batch
  }

  /// What a worker does: every table that has no answer yet, in the name of who asked. Goes on where an earlier worker
  /// stopped; one table more or less never undoes the others.
  package func make(
    _ id: DraftBatchID, progress: (_ done: Int, _ total: Int) async throws -> Void = { _, _ in }
  ) async throws {
    guard let batch = try await db.read({ try BatchStore.find(id, in: $0) }), batch.endedAt == nil else { return }
    let principal = Principal(
      person: batch.person, name: batch.personName, organisation: batch.provider, organisationName: batch.providerName,
      permissions: [.compileCatalog, .readCatalog])
    for (position, table) in batch.tables.enumerated() where !table.isDone {
      var table = table
      do {
        table.resource = try await made(table.name, batch, principal)
      } catch let refusal as Refusal {
        table.refusal = refusal.message
      }
      let answer = table
      try await db.write { try BatchStore.set(answer, at: position, of: id, in: $0) }
      try await progress(position + 1, batch.tables.count)
    }
    let now = clock.now()
    try await db.write { try BatchStore.end(id, at: now, in: $0) }
  }

  /// A worker that fell silent may have made the draft and not said so, and another batch may be at the same table.
  private func made(_ table: TableName, _ batch: DraftBatch, _ principal: Principal) async throws -> ResourceID {
    if let there = try await db.read({ try CatalogStore.mounted(on: batch.source, table, in: $0) }) { return there }
    return try await cataloguing.draft(principal, from: batch.source, table: table, onlyIfNone: true).id
  }
}

/// The only SQL of batches.
enum BatchStore {
  static func insert(_ batch: DraftBatch, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO mounting_batch (id, source, provider, person, person_name, provider_name, asked_at, ended_at)
      VALUES (\(batch.id), \(batch.source), \(batch.provider), \(batch.person), \(batch.personName),
        \(batch.providerName), \(batch.askedAt), NULL)
      """)
    for (position, table) in batch.tables.enumerated() {
      try tx.run(
        """
        INSERT INTO mounting_batch_table (batch, position, schema_name, table_name, refusal_zh, refusal_en)
        VALUES (\(batch.id), \(position), \(table.name.schema ?? ""), \(table.name.name),
          \(table.refusal?.chinese), \(table.refusal?.english))
        """)
    }
  }

  static func set(_ table: DraftBatch.Table, at position: Int, of id: DraftBatchID, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE mounting_batch_table SET resource = \(table.resource), refusal_zh = \(table.refusal?.chinese),
        refusal_en = \(table.refusal?.english)
      WHERE batch = \(id) AND position = \(position)
      """)
  }

  static func end(_ id: DraftBatchID, at now: Instant, in tx: any Transaction) throws {
    try tx.run("UPDATE mounting_batch SET ended_at = \(now) WHERE id = \(id)")
  }

  static func last(of source: SourceID, in tx: any Transaction) throws -> DraftBatch? {
    let id: DraftBatchID? = try tx.row(
      "SELECT id FROM mounting_batch WHERE source = \(source) ORDER BY id DESC LIMIT 1")?.id("id")
    return try id.flatMap { try find($0, in: tx) }
  }

  static func find(_ id: DraftBatchID, in tx: any Transaction) throws -> DraftBatch? {
    guard let row = try tx.row("SELECT * FROM mounting_batch WHERE id = \(id)") else { return nil }
    let tables = try tx.rows(
      "SELECT * FROM mounting_batch_table WHERE batch = \(id) ORDER BY position LIMIT \(Mounting.mostTables)"
    ).map { row in
      let schema = try row.text("schema_name")
      return DraftBatch.Table(
        name: TableName(schema: schema.isEmpty ? nil : schema, try row.text("table_name")),
        resource: try row.idOrNil("resource"),
        refusal: try row.textOrNil("refusal_zh").map { Text($0, try row.text("refusal_en")) })
    }
    return DraftBatch(
      id: id, source: try row.id("source"), provider: try row.id("provider"),
      providerName: try row.text("provider_name"), person: try row.idOrNil("person"),
      personName: try row.text("person_name"), askedAt: try row.instant("asked_at"),
      endedAt: try row.instantOrNil("ended_at"), tables: tables)
  }
}
