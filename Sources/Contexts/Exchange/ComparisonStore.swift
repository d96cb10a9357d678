import Kernel
import Sharing
import Storage

enum ComparisonStore {
  static func find(_ id: ComparisonID, in tx: any Transaction) throws -> Comparison? {
    try tx.row("\(select) WHERE id = \(id)").map(read)
  }

  static func last(of grant: GrantID, in tx: any Transaction) throws -> Comparison? {
    try tx.row("\(select) WHERE grant_id = \(grant) ORDER BY id DESC LIMIT 1").map(read)
  }

  /// How many of these grants differed when they were compared last.
  static func differing(among grants: [GrantID], in tx: any Transaction) throws -> Int {
    guard !grants.isEmpty else { return 0 }
    return try tx.int(
      """
      SELECT COUNT(*) FROM exchange_comparison WHERE state = 'differs' AND id IN (
        SELECT MAX(id) FROM exchange_comparison WHERE grant_id IN (\(each: grants)) AND state IN ('agrees', 'differs')
        GROUP BY grant_id)
      """) ?? 0
  }

  /// Those that wait for this delivery's mending.
  static func repaired(by delivery: DeliveryID, in tx: any Transaction) throws -> [Comparison] {
    try tx.rows("\(select) WHERE repair = \(delivery) ORDER BY id").map(read)
  }

  static func insert(_ one: Comparison, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO exchange_comparison (id, grant_id, state, asked_by, created_at, source_rows, target_rows, bad_rows,
        stale_rows, missing, extra, different, is_complete)
      VALUES (\(one.id), \(one.grant), \(one.state), \(one.askedBy), \(one.createdAt), 0, 0, 0, 0, 0, 0, 0, \(true))
      """)
  }

  static func set(
    _ state: Comparison.State, _ reason: Text?, of id: ComparisonID, at now: Instant, in tx: any Transaction
  )
    throws
  {
    try tx.run(
      """
      UPDATE exchange_comparison SET state = \(state), reason_zh = \(reason?.chinese), reason_en = \(reason?.english),
        started_at = CASE WHEN \(state.rawValue) = 'running' THEN \(now) ELSE started_at END,
        finished_at = \(state.isOpen ? nil : now)
      WHERE id = \(id)
      """)
  }

  /// `ranges` is sealed: it names keys.
  static func keep(
    _ counts: Comparison.Counts, isComplete: Bool, ranges: [UInt8], of id: ComparisonID, in tx: any Transaction
  ) throws {
    try tx.run(
      """
      UPDATE exchange_comparison SET source_rows = \(counts.source), target_rows = \(counts.target),
        bad_rows = \(counts.bad), stale_rows = \(counts.stale), missing = \(counts.missing), extra = \(counts.extra),
        different = \(counts.different), is_complete = \(isComplete), ranges = \(ranges)
      WHERE id = \(id)
      """)
  }

  static func ranges(of id: ComparisonID, in tx: any Transaction) throws -> [UInt8]? {
    try tx.row("SELECT ranges FROM exchange_comparison WHERE id = \(id)")?.blobOrNil("ranges")
  }

  static func set(repair: DeliveryID, of id: ComparisonID, in tx: any Transaction) throws {
    try tx.run("UPDATE exchange_comparison SET repair = \(repair) WHERE id = \(id)")
  }

  private static let select: SQL = """
    SELECT id, grant_id, state, asked_by, created_at, started_at, finished_at, reason_zh, reason_en, source_rows,
      target_rows, bad_rows, stale_rows, missing, extra, different, is_complete, repair
    FROM exchange_comparison
    """

  private static func read(_ row: Row) throws -> Comparison {
    var one = Comparison(
      id: try row.id("id"), grant: try row.id("grant_id"), state: try row.choice("state"),
      askedBy: try row.text("asked_by"), createdAt: try row.instant("created_at"))
    one.startedAt = try row.instantOrNil("started_at")
    one.finishedAt = try row.instantOrNil("finished_at")
    if let chinese = try row.textOrNil("reason_zh") { one.reason = Text(chinese, try row.text("reason_en")) }
    one.counts = Comparison.Counts(
      source: try row.int("source_rows"), target: try row.int("target_rows"), bad: try row.int("bad_rows"),
      stale: try row.int("stale_rows"), missing: try row.int("missing"), extra: try row.int("extra"),
      different: try row.int("different"))
    one.isComplete = try row.bool("is_complete")
    one.repair = try row.textOrNil("repair").flatMap { DeliveryID($0) }
    return one
  }
}
