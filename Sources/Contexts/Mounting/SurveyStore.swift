package import Connecting
package import Inventory
package import Catalog
package import Kernel
package import Storage

package typealias SchemaChangeID = ID<SchemaChange>

/// A source's schema as it was last read.
package struct Survey: Hashable, Sendable {
  package var source: SourceID
  package var provider: OrganisationID
  package var firstAt: Instant
  package var readAt: Instant
  package var tables: Int
  package var triedAt: Instant
  /// Why the last try failed; nil when it did not.
  package var fault: Text?
  package var failures: Int
}

/// A table of a survey, without its columns.
package struct SurveyedTable: Hashable, Sendable {
  package var name: TableName
  package var comment: String
  package var estimatedRows: Int?
  package var isView: Bool
  /// Delivered by this platform: another department's data.
  package var isReceived: Bool
  package var columns: Int
  package var firstSeenAt: Instant
  package var goneAt: Instant?
  var digest: String
}

/// One table that was read differently than before.
package struct SchemaChange: Hashable, Sendable {
  package enum State: String, Sendable, CaseIterable {
    /// Waits for the office that catalogued the table.
    case open
    /// Of a table that nobody catalogued.
    case noted
    /// Taken over into a draft.
    case taken
    /// Found to be of no matter, with a reason.
    case dismissed
    /// The table became again what it was.
    case reverted
  }

  package var id: SchemaChangeID
  package var source: SourceID
  package var provider: OrganisationID
  package var table: TableName
  package var before: TableSnapshot
  package var after: TableSnapshot
  package var foundAt: Instant
  package var state: State
  package var resource: ResourceID?
  package var decidedAt: Instant?
  package var decidedBy: String?
  package var reason: String?

  package var differences: [TableDifference] { TableDifference.between(before, after) }
}

/// The only SQL of surveys and what they found changed.
package enum SurveyStore {
  package static func find(_ source: SourceID, in tx: any Transaction) throws -> Survey? {
    try tx.row("SELECT * FROM mounting_survey WHERE source = \(source)").map { row in
      Survey(
        source: source, provider: try row.id("provider"), firstAt: try row.instant("first_at"),
        readAt: try row.instant("read_at"), tables: try row.int("tables"), triedAt: try row.instant("tried_at"),
        fault: try row.textOrNil("fault_zh").map { Text($0, try row.text("fault_en")) },
        failures: try row.int("failures"))
    }
  }

  /// Sources to be read again by now.
  static func due(at now: Instant, limit: Int, in tx: any Transaction) throws -> [SourceID] {
    try tx.rows("SELECT source FROM mounting_survey WHERE due_at <= \(now) ORDER BY due_at LIMIT \(limit)").map {
      try $0.id("source")
    }
  }

  static func put(_ survey: Survey, dueAt: Instant, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO mounting_survey (source, provider, first_at, read_at, tables, tried_at, fault_zh, fault_en, failures,
        due_at)
      VALUES (\(survey.source), \(survey.provider), \(survey.firstAt), \(survey.readAt), \(survey.tables),
        \(survey.triedAt), \(survey.fault?.chinese), \(survey.fault?.english), \(survey.failures), \(dueAt))
      ON CONFLICT (source) DO UPDATE SET read_at = excluded.read_at, tables = excluded.tables,
        tried_at = excluded.tried_at, fault_zh = excluded.fault_zh, fault_en = excluded.fault_en,
        failures = excluded.failures, due_at = excluded.due_at
      """)
  }

  /// Every table of a source that was ever read, by name; at most `Mounting.mostTables`.
  package static func tables(of source: SourceID, in tx: any Transaction) throws -> [SurveyedTable] {
    try tx.rows(
      """
      SELECT schema_name, table_name, digest, comment, estimated_rows, is_view, is_received, column_count, first_seen_at,
        gone_at
      FROM mounting_table WHERE source = \(source) ORDER BY schema_name, table_name LIMIT \(Mounting.mostTables)
      """
    ).map { row in
      SurveyedTable(
        name: try name(row), comment: try row.text("comment"), estimatedRows: try row.intOrNil("estimated_rows"),
        isView: try row.bool("is_view"), isReceived: try row.bool("is_received"), columns: try row.int("column_count"),
        firstSeenAt: try row.instant("first_seen_at"), goneAt: try row.instantOrNil("gone_at"),
        digest: try row.text("digest"))
    }
  }

  package static func snapshot(
    _ table: TableName, of source: SourceID, in tx: any Transaction
  ) throws -> TableSnapshot? {
    try tx.text(
      """
      SELECT content FROM mounting_table
      WHERE source = \(source) AND schema_name = \(table.schema ?? "") AND table_name = \(table.name)
      """
    ).map { TableSnapshot(content: $0) }
  }

  static func put(
    _ table: TableDescription, _ snapshot: TableSnapshot, of source: SourceID, at now: Instant, in tx: any Transaction
  ) throws {
    let isReceived = table.columns.contains { $0.name.lowercased() == WritePlan.batchColumn }
    try tx.run(
      """
      INSERT INTO mounting_table (source, schema_name, table_name, digest, content, comment, estimated_rows, is_view,
        is_received, column_count, first_seen_at, gone_at)
      VALUES (\(source), \(table.name.schema ?? ""), \(table.name.name), \(snapshot.digest), \(snapshot.content),
        \(table.comment ?? ""), \(table.estimatedRows), \(table.isView), \(isReceived), \(table.columns.count), \(now),
        NULL)
      ON CONFLICT (source, schema_name, table_name) DO UPDATE SET digest = excluded.digest, content = excluded.content,
        comment = excluded.comment, estimated_rows = excluded.estimated_rows, is_view = excluded.is_view,
        is_received = excluded.is_received, column_count = excluded.column_count, gone_at = NULL
      """)
  }

  static func setGone(_ table: TableName, of source: SourceID, at now: Instant, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE mounting_table SET gone_at = \(now)
      WHERE source = \(source) AND schema_name = \(table.schema ?? "") AND table_name = \(table.name)
      """)
  }

  // MARK: Changes

  package static func change(_ id: SchemaChangeID, in tx: any Transaction) throws -> SchemaChange? {
    try changes("id = \(id)", in: tx).first
  }

  /// Changes of a source, newest first.
  package static func changes(
    of source: SourceID, before: SchemaChangeID? = nil, limit: Int, in tx: any Transaction
  ) throws -> [SchemaChange] {
    let earlier: SQL = before.map { "AND id < \($0)" } ?? ""
    return try changes("source = \(source) \(earlier) ORDER BY id DESC LIMIT \(limit)", in: tx)
  }

  static func open(_ table: TableName, of source: SourceID, in tx: any Transaction) throws -> SchemaChange? {
    try changes(
      """
      state = 'open' AND source = \(source) AND schema_name = \(table.schema ?? "") AND table_name = \(table.name)
      """, in: tx
    ).first
  }

  package static func openCount(of source: SourceID, in tx: any Transaction) throws -> Int {
    try tx.int("SELECT COUNT(*) FROM mounting_change WHERE state = 'open' AND source = \(source)") ?? 0
  }

  static func put(_ change: SchemaChange, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO mounting_change (id, source, provider, schema_name, table_name, before, after, found_at, state,
        resource, decided_at, decided_by, reason)
      VALUES (\(change.id), \(change.source), \(change.provider), \(change.table.schema ?? ""), \(change.table.name),
        \(change.before.content), \(change.after.content), \(change.foundAt), \(change.state), \(change.resource),
        \(change.decidedAt), \(change.decidedBy), \(change.reason))
      ON CONFLICT (id) DO UPDATE SET after = excluded.after, state = excluded.state, resource = excluded.resource,
        decided_at = excluded.decided_at, decided_by = excluded.decided_by, reason = excluded.reason
      """)
  }

  private static func changes(_ condition: SQL, in tx: any Transaction) throws -> [SchemaChange] {
    try tx.rows("SELECT * FROM mounting_change WHERE \(condition)").map { row in
      SchemaChange(
        id: try row.id("id"), source: try row.id("source"), provider: try row.id("provider"), table: try name(row),
        before: TableSnapshot(content: try row.text("before")), after: TableSnapshot(content: try row.text("after")),
        foundAt: try row.instant("found_at"), state: try row.choice("state"), resource: try row.idOrNil("resource"),
        decidedAt: try row.instantOrNil("decided_at"), decidedBy: try row.textOrNil("decided_by"),
        reason: try row.textOrNil("reason"))
    }
  }

  private static func name(_ row: Row) throws -> TableName {
    let schema = try row.text("schema_name")
    return TableName(schema: schema.isEmpty ? nil : schema, try row.text("table_name"))
  }
}
