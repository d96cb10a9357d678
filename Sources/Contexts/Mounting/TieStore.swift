package import Catalog
internal import Connecting
internal import Inventory
package import Kernel
package import Storage

/// The only SQL of ties and of what their tests found.
package enum TieStore {
  package static func find(_ id: TieID, in tx: any Transaction) throws -> Tie? {
    try ties("id = \(id)", in: tx).first
  }

  package static func ties(of resource: ResourceID, in tx: any Transaction) throws -> [Tie] {
    try ties("resource = \(resource) ORDER BY kind LIMIT 3", in: tx)
  }

  /// The sources and hosts that must be asked by now, longest waiting first. Goes from one to the next through the index,
  /// so that however many ties one has, they cost the others nothing.
  static func partiesDue(at now: Instant, limit: Int, in tx: any Transaction) throws -> [String] {
    try tx.rows(
      """
      WITH RECURSIVE parties (party) AS (
        SELECT MIN(party) FROM mounting_tie
        UNION ALL
        SELECT (SELECT MIN(t.party) FROM mounting_tie t WHERE t.party > parties.party) FROM parties
        WHERE parties.party IS NOT NULL)
      SELECT party FROM (
        SELECT party, (SELECT MIN(t.due_at) FROM mounting_tie t WHERE t.party = parties.party) AS longest FROM parties
      ) waiting WHERE longest <= \(now) ORDER BY longest, party LIMIT \(limit)
      """
    ).map { try $0.text("party") }
  }

  /// What must be tested by now of one of them, longest waiting first.
  static func due(of party: String, at now: Instant, limit: Int, in tx: any Transaction) throws -> [Tie] {
    try ties("party = \(party) AND due_at <= \(now) ORDER BY due_at LIMIT \(limit)", in: tx)
  }

  /// How a list is narrowed; `provider` nil is every office's.
  package struct Filter: Hashable, Sendable {
    package var provider: OrganisationID?
    package var state: Tie.State?
    package var timeliness: Timeliness.State?

    package init(provider: OrganisationID? = nil, state: Tie.State? = nil, timeliness: Timeliness.State? = nil) {
      self.provider = provider
      self.state = state
      self.timeliness = timeliness
    }

    var conditions: [SQL] {
      var all: [SQL] = []
      if let provider { all.append("provider = \(provider)") }
      if let state { all.append("state = \(state)") }
      if let timeliness { all.append("timeliness = \(timeliness)") }
      return all
    }
  }

  /// Ties by id, oldest first, behind one on.
  package static func page(
    _ filter: Filter, after: TieID?, limit: Int, in tx: any Transaction
  ) throws -> [Tie] {
    let conditions = filter.conditions + ["id > \(after?.text ?? "")"]
    return try ties("\(SQL.all(conditions)) ORDER BY id LIMIT \(limit)", in: tx)
  }

  /// Counted up to here; beyond, the answer is this and one more.
  package static let countLimit = 10_000

  package static func count(_ filter: Filter, in tx: any Transaction) throws -> Int {
    try tx.int(
      """
      SELECT COUNT(*) FROM (SELECT 1 FROM mounting_tie WHERE \(SQL.all(filter.conditions)) LIMIT \(countLimit + 1)) t
      """) ?? 0
  }

  // MARK: For Supervision

  /// Entries in force none of whose ties works and one of whose last tests failed. As the partial index says it.
  private static let broken: SQL = """
    f.state = 'failing' AND f.in_force = TRUE
      AND (SELECT w.id FROM mounting_tie w WHERE w.resource = f.resource AND w.state = 'mounted' LIMIT 1) IS NULL
    """

  /// How many such entries each office has. Reads an index of all that fail: for a job, not for a page.
  package static func failingByOffice(in tx: any Transaction) throws -> [OrganisationID: Int] {
    Dictionary(
      uniqueKeysWithValues: try tx.rows(
        "SELECT f.provider, COUNT(DISTINCT f.resource) AS n FROM mounting_tie f WHERE \(broken) GROUP BY f.provider"
      ).map { (try $0.id("provider"), try $0.int("n")) })
  }

  /// Such entries of one office by id, behind one on.
  package static func failing(
    of provider: OrganisationID, after resource: ResourceID? = nil, limit: Int, in tx: any Transaction
  ) throws -> [ResourceID] {
    try tx.rows(
      """
      SELECT DISTINCT f.resource FROM mounting_tie f
      WHERE f.provider = \(provider) AND \(broken) AND f.resource > \(resource?.text ?? "")
      ORDER BY f.resource LIMIT \(limit)
      """
    ).map { try $0.id("resource") }
  }

  /// Entries in force that are tied to files or an API, be it beside a table. As the partial index says it.
  private static let untabled: SQL = "kind <> 'table' AND in_force = TRUE"

  /// All of them, in parts of up to so many. Reads the whole index, in its order: for a job, not for a page.
  package static func untabled(
    by count: Int, in tx: any Transaction, _ body: ([ResourceID]) throws -> Void
  ) throws {
    var part: [ResourceID] = []
    try tx.forEach("SELECT DISTINCT provider, resource FROM mounting_tie WHERE \(untabled)") { row in
      part.append(try row.id("resource"))
      if part.count == count {
        try body(part)
        part = []
      }
      return true
    }
    if !part.isEmpty { try body(part) }
  }

  /// Those of one office by id, behind one on.
  package static func untabled(
    of provider: OrganisationID, after resource: ResourceID? = nil, limit: Int, in tx: any Transaction
  ) throws -> [ResourceID] {
    try tx.rows(
      """
      SELECT DISTINCT resource FROM mounting_tie
      WHERE provider = \(provider) AND \(untabled) AND resource > \(resource?.text ?? "") ORDER BY resource LIMIT \(limit)
      """
    ).map { try $0.id("resource") }
  }

  /// Those among these entries; at most some hundreds are asked for.
  package static func untabled(among resources: [ResourceID], in tx: any Transaction) throws -> Set<ResourceID> {
    Set(
      try tx.rows(
        "SELECT DISTINCT resource FROM mounting_tie WHERE resource IN (\(each: resources)) AND \(untabled)"
      ).map { try $0.id("resource") })
  }

  /// Rows of these entries' tables, as their databases estimated them at the last test that passed; without those where
  /// nothing is estimated.
  package static func estimatedRows(of resources: [ResourceID], in tx: any Transaction) throws -> [ResourceID: Int] {
    let found = try tx.rows(
      """
      SELECT resource, estimated_rows FROM mounting_tie
      WHERE resource IN (\(each: resources.map(\.text))) AND kind = 'table' AND estimated_rows IS NOT NULL
      """)
    return Dictionary(
      try found.map { (try $0.id("resource"), try $0.int("estimated_rows")) }, uniquingKeysWith: { first, _ in first })
  }

  // MARK: Writing

  static func insert(_ tie: Tie, in tx: any Transaction) throws {
    let columns = columns(of: tie)
    try tx.run(
      """
      INSERT INTO mounting_tie (id, resource, kind, \(names(columns)))
      VALUES (\(tie.id), \(tie.resource), \(tie.target.kind), \(values(columns)))
      """)
  }

  static func update(_ tie: Tie, in tx: any Transaction) throws {
    var set: SQL = ""
    for (index, column) in columns(of: tie).enumerated() {
      if index > 0 { set += ", " }
      set += SQL(parts: [.text(column.name + " = "), .value(column.value)])
    }
    try tx.run("UPDATE mounting_tie SET \(set) WHERE id = \(tie.id)")
  }

  static func remove(_ id: TieID, in tx: any Transaction) throws {
    try tx.run("DELETE FROM mounting_run WHERE tie = \(id)")
    try tx.run("DELETE FROM mounting_tie WHERE id = \(id)")
  }

  // MARK: History

  /// A stretch of tests that ended alike.
  package struct Run: Hashable, Sendable {
    package var fault: Tie.Fault?
    package var first: Instant
    package var last: Instant
    package var tests: Int
  }

  /// So many stretches are kept of a tie.
  static let runsKept = 50

  package static func runs(of id: TieID, limit: Int = 20, in tx: any Transaction) throws -> [Run] {
    try tx.rows("SELECT * FROM mounting_run WHERE tie = \(id) ORDER BY position DESC LIMIT \(limit)").map { row in
      Run(
        fault: try row.textOrNil("fault").map {
          Tie.Fault($0, Text(try row.text("words_zh"), try row.text("words_en")))
        },
        first: try row.instant("first_at"), last: try row.instant("last_at"), tests: try row.int("tests"))
    }
  }

  /// Adds a test to the last stretch, or begins the next one.
  static func keep(_ found: Measurement, of id: TieID, in tx: any Transaction) throws {
    let last = try tx.row(
      "SELECT position, fault, words_zh FROM mounting_run WHERE tie = \(id) ORDER BY position DESC LIMIT 1")
    let position = try last?.int("position") ?? 0
    if let last, try last.textOrNil("fault") == found.fault?.code,
      try last.text("words_zh") == found.fault?.words.chinese ?? ""
    {
      try tx.run(
        "UPDATE mounting_run SET last_at = \(found.at), tests = tests + 1 WHERE tie = \(id) AND position = \(position)")
      return
    }
    try tx.run(
      """
      INSERT INTO mounting_run (tie, position, fault, words_zh, words_en, first_at, last_at, tests)
      VALUES (\(id), \(position + 1), \(found.fault?.code), \(found.fault?.words.chinese ?? ""),
        \(found.fault?.words.english ?? ""), \(found.at), \(found.at), 1)
      """)
    try tx.run("DELETE FROM mounting_run WHERE tie = \(id) AND position <= \(position + 1 - runsKept)")
  }

  // MARK: Columns

  private static func columns(of tie: Tie) -> [(name: String, value: SQLValue)] {
    func text(_ value: String?) -> SQLValue { value.map { .text($0) } ?? .null }
    var source: SQLValue = .null
    var (schema, table, cursor, pattern, url): (String?, String?, String?, String?, String?) = (nil, nil, nil, nil, nil)
    var (status, isJSON): (SQLValue, SQLValue) = (.null, .null)
    switch tie.target {
    case .table(let id, let name, let column):
      (source, schema, table, cursor) = (id.sqlValue, name.schema, name.name, column)
    case .files(let id, let names): (source, pattern) = (id.sqlValue, names)
    case .api(let address, let expected, let json):
      (url, status, isJSON) = (address, expected.sqlValue, json.sqlValue)
    }
    let watch = tie.watch
    return [
      ("provider", tie.provider.sqlValue), ("provider_name", text(tie.providerName)), ("name", text(tie.name)),
      ("version", tie.version.sqlValue), ("in_force", tie.isInForce.sqlValue), ("cycle", text(tie.cycle)),
      ("party", text(tie.target.party)), ("source", source), ("schema_name", text(schema)), ("table_name", text(table)),
      ("cursor_column", text(cursor)),
      ("pattern", text(pattern)), ("url", text(url)), ("expects_status", status), ("expects_json", isJSON),
      ("state", text(tie.state.rawValue)), ("since", tie.since.sqlValue),
      ("measured_at", text(tie.measuredAt?.description)),
      ("fault", text(tie.fault?.code)), ("fault_zh", text(tie.fault?.words.chinese)),
      ("fault_en", text(tie.fault?.words.english)), ("failures", tie.failures.sqlValue),
      ("due_at", tie.dueAt.sqlValue), ("mark_kind", text(watch.mark?.kind.rawValue)),
      ("mark_own", text(watch.mark?.own)),
      ("mark_around", text(watch.mark?.around)), ("watched_since", text(watch.since?.description)),
      ("changed_at", text(watch.changedAt?.description)),
      ("may_have_changed_at", text(watch.mayHaveChangedAt?.description)),
      ("timeliness", text(tie.timeliness.rawValue)), ("timely_until", text(tie.timelyUntil?.description)),
      ("estimated_rows", tie.estimatedRows.map { .integer(Int64($0)) } ?? .null),
    ]
  }

  private static func names(_ columns: [(name: String, value: SQLValue)]) -> SQL {
    SQL(parts: [.text(columns.map(\.name).joined(separator: ", "))])
  }

  private static func values(_ columns: [(name: String, value: SQLValue)]) -> SQL {
    var list: SQL = ""
    for (index, column) in columns.enumerated() {
      if index > 0 { list += ", " }
      list += SQL(parts: [.value(column.value)])
    }
    return list
  }

  private static func ties(_ condition: SQL, in tx: any Transaction) throws -> [Tie] {
    try tx.rows("SELECT * FROM mounting_tie WHERE \(condition)").map { row in
      let target: Tie.Target =
        switch try row.choice("kind", Tie.Kind.self) {
        case .table:
          .table(
            try row.id("source"), TableName(schema: try row.textOrNil("schema_name"), try row.text("table_name")),
            cursor: try row.textOrNil("cursor_column"))
        case .files: .files(try row.id("source"), pattern: try row.text("pattern"))
        case .api:
          .api(
            url: try row.text("url"), status: try row.int("expects_status"), isJSON: try row.bool("expects_json"))
        }
      let mark = try row.textOrNil("mark_kind").flatMap { ChangeMark.Kind(rawValue: $0) }.map { kind in
        ChangeMark(kind, own: try row.textOrNil("mark_own"), around: try row.textOrNil("mark_around"))
      }
      return Tie(
        id: try row.id("id"), resource: try row.id("resource"), provider: try row.id("provider"),
        providerName: try row.text("provider_name"), name: try row.text("name"), version: try row.int("version"),
        isInForce: try row.bool("in_force"), cycle: try row.text("cycle"), target: target,
        state: try row.choice("state"), since: try row.instant("since"),
        measuredAt: try row.instantOrNil("measured_at"),
        fault: try row.textOrNil("fault").map {
          Tie.Fault($0, Text(try row.text("fault_zh"), try row.text("fault_en")))
        },
        failures: try row.int("failures"), dueAt: try row.instant("due_at"),
        watch: ChangeWatch(
          mark: mark, since: try row.instantOrNil("watched_since"), changedAt: try row.instantOrNil("changed_at"),
          mayHaveChangedAt: try row.instantOrNil("may_have_changed_at")),
        timeliness: try row.choice("timeliness"), timelyUntil: try row.dateOrNil("timely_until"),
        estimatedRows: try row.intOrNil("estimated_rows"))
    }
  }
}
