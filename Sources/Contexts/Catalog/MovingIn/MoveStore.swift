internal import Kernel
internal import Storage

/// The only SQL of what was moved in from another catalogue system.
enum MoveStore {
  /// How an entry was moved in last.
  struct Moved: Sendable {
    var resource: ResourceID
    var version: Int
    var revision: Int
    var digest: String
    var at: Instant
  }

  static func moved(_ source: String, _ oldID: String, in tx: any Transaction) throws -> Moved? {
    try tx.row(
      """
      SELECT resource, version, revision, digest, moved_at FROM catalog_moved
      WHERE source = \(source) AND old_id = \(oldID)
      """
    ).map { row in
      Moved(
        resource: try row.id("resource"), version: try row.int("version"), revision: try row.int("revision"),
        digest: try row.text("digest"), at: try row.instant("moved_at"))
    }
  }

  static func keep(
    _ source: String, _ candidate: MoveCandidate, digest: String, as resource: Resource, findings: Int, at now: Instant,
    in tx: any Transaction
  ) throws {
    try tx.run(
      """
      INSERT INTO catalog_moved (source, old_id, old_code, resource, provider, version, revision, digest, findings,
        moved_at)
      VALUES (\(source), \(candidate.oldID), \(candidate.oldCode), \(resource.id), \(resource.provider),
        \(resource.version), \(resource.revision), \(digest), \(findings), \(now))
      ON CONFLICT (source, old_id) DO UPDATE SET old_code = excluded.old_code, version = excluded.version,
        revision = excluded.revision, digest = excluded.digest, findings = excluded.findings,
        moved_at = excluded.moved_at
      """)
  }

  static func resource(code: ResourceCode, in tx: any Transaction) throws -> ResourceID? {
    try tx.row("SELECT id FROM catalog_resource WHERE code = \(code.description)").map { try $0.id("id") }
  }

  /// No number up to this one will be given again.
  static func raise(_ node: String, to number: Int, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO catalog_sequence (name, last) VALUES (\("code/\(node)"), \(number))
      ON CONFLICT (name) DO UPDATE SET
        last = CASE WHEN catalog_sequence.last < excluded.last THEN excluded.last ELSE catalog_sequence.last END
      """)
  }

  /// The last number that was given, or is not to be given; 0 before the first.
  static func lastNumber(under node: String, in tx: any Transaction) throws -> Int {
    try tx.int("SELECT last FROM catalog_sequence WHERE name = \("code/\(node)")") ?? 0
  }

  static func insert(
    _ events: [MoveCandidate.Event], of resource: Resource, organisation: String, in tx: any Transaction
  ) throws {
    let last = try tx.int("SELECT COUNT(*) FROM catalog_event WHERE resource = \(resource.id)") ?? 0
    for (index, event) in events.enumerated() {
      try tx.run(
        """
        INSERT INTO catalog_event (resource, position, version, at, person, organisation, event, words)
        VALUES (\(resource.id), \(last + index + 1), \(resource.version), \(event.at), \(event.person), \(organisation),
          \(event.event), \(event.words))
        """)
    }
  }

  // MARK: Classes

  static func classes(_ source: String, in tx: any Transaction) throws -> [String: String] {
    var codes: [String: String] = [:]
    for row in try tx.rows("SELECT old_id, code FROM catalog_moved_class WHERE source = \(source)") {
      codes[try row.text("old_id")] = try row.text("code")
    }
    return codes
  }

  static func keep(_ source: String, class oldID: String, as code: String, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO catalog_moved_class (source, old_id, code) VALUES (\(source), \(oldID), \(code))
      ON CONFLICT (source, old_id) DO NOTHING
      """)
  }

  // MARK: Runs

  static func begin(
    _ run: MoveRunID, source: String, folder: String, by person: String, read: Int, at now: Instant,
    in tx: any Transaction
  ) throws {
    try tx.run(
      """
      INSERT INTO catalog_move_run (id, source, folder, started_at, person, read, moved, changed, same, left_out,
        findings)
      VALUES (\(run), \(source), \(folder), \(now), \(person), \(read), 0, 0, 0, 0, 0)
      """)
  }

  static func count(
    _ run: MoveRunID, _ report: MoveReport, findings: Int, endedAt: Instant?, in tx: any Transaction
  ) throws {
    try tx.run(
      """
      UPDATE catalog_move_run SET moved = \(report.count(.moved)), changed = \(report.count(.changed)),
        same = \(report.count(.same)), left_out = \(report.count(.leftOut) + report.count(.foreign)),
        findings = \(findings), ended_at = \(endedAt)
      WHERE id = \(run)
      """)
  }

  static func insert(
    _ findings: [MoveFinding], of run: MoveRunID, from first: Int, in tx: any Transaction
  ) throws {
    for (index, finding) in findings.enumerated() {
      try tx.run(
        """
        INSERT INTO catalog_move_finding (run, position, file, line, column_name, element, value, code, reason_zh,
          reason_en, action, resource, provider)
        VALUES (\(run), \(first + index), \(finding.file), \(finding.line), \(finding.column), \(finding.element),
          \(finding.value), \(finding.code), \(finding.reason.chinese), \(finding.reason.english), \(finding.action),
          \(finding.resource), \(finding.provider))
        """)
    }
  }

  struct Run: Sendable {
    var id: MoveRunID
    var source, folder, person: String
    var startedAt: Instant
    /// Nil while it runs, and for ever where it was broken off.
    var endedAt: Instant?
    var read, moved, changed, same, leftOut, findings: Int
  }

  /// The latest first; at most 100.
  static func runs(in tx: any Transaction) throws -> [Run] {
    try tx.rows("SELECT * FROM catalog_move_run ORDER BY id DESC LIMIT 100").map(run)
  }

  static func run(_ id: MoveRunID, in tx: any Transaction) throws -> Run? {
    try tx.row("SELECT * FROM catalog_move_run WHERE id = \(id)").map(run)
  }

  static func findings(
    of run: MoveRunID, after position: Int, limit: Int, in tx: any Transaction
  ) throws -> [(position: Int, finding: MoveFinding)] {
    try tx.rows(
      """
      SELECT * FROM catalog_move_finding WHERE run = \(run) AND position > \(position) ORDER BY position LIMIT \(limit)
      """
    ).map { (try $0.int("position"), try finding($0)) }
  }

  /// What still stands of an entry as it was moved in, with something to mend; by resource, after one.
  struct Open: Sendable {
    var id: ResourceID
    var version: Int
    var code: String?
    var name: String
    var state: VersionState
    var online: OnlineState
    var findings: [MoveFinding] = []
  }

  static func open(
    of provider: OrganisationID, after: ResourceID?, limit: Int, in tx: any Transaction
  ) throws -> [Open] {
    var found = try tx.rows(
      """
      SELECT m.resource, m.version, r.code, r.online, v.name, v.state FROM catalog_moved m
        JOIN catalog_resource r ON r.id = m.resource AND r.latest = m.version
        JOIN catalog_version v ON v.resource = m.resource AND v.version = m.version AND v.revision = m.revision
      WHERE m.provider = \(provider) AND m.findings > 0 AND m.resource > \(after?.text ?? "")
        AND v.state IN ('draft', 'returned', 'approved', 'published')
      ORDER BY m.resource LIMIT \(limit)
      """
    ).map { row in
      Open(
        id: try row.id("resource"), version: try row.int("version"), code: try row.textOrNil("code"),
        name: try row.text("name"), state: try row.choice("state"), online: try row.choice("online"))
    }
    for index in found.indices {
      found[index].findings = try tx.rows(
        "SELECT * FROM catalog_move_finding WHERE resource = \(found[index].id) ORDER BY run DESC, position LIMIT 10"
      ).map(finding)
    }
    return found
  }

  private static func run(_ row: Row) throws -> Run {
    Run(
      id: try row.id("id"), source: try row.text("source"), folder: try row.text("folder"),
      person: try row.text("person"), startedAt: try row.instant("started_at"),
      endedAt: try row.instantOrNil("ended_at"), read: try row.int("read"), moved: try row.int("moved"),
      changed: try row.int("changed"), same: try row.int("same"), leftOut: try row.int("left_out"),
      findings: try row.int("findings"))
  }

  private static func finding(_ row: Row) throws -> MoveFinding {
    var finding = MoveFinding(
      ExportPlace(file: try row.text("file"), line: try row.int("line")), try row.text("column_name"),
      try row.text("value"), try row.text("code"), Text(try row.text("reason_zh"), try row.text("reason_en")),
      try row.choice("action"))
    finding.element = try row.text("element")
    finding.resource = try row.idOrNil("resource")
    finding.provider = try row.idOrNil("provider")
    return finding
  }
}
