import Connecting
import Inventory
import Kernel
package import Sharing
package import Storage
import Transfer

package enum DeliveryStore {
  package static func find(_ id: DeliveryID, in tx: any Transaction) throws -> DeliveryRecord? {
    try tx.row("\(select) WHERE id = \(id)").map(record)
  }

  /// Newest first; of one grant, or of the grants that an organisation gives or uses.
  package static func list(
    grant: GrantID? = nil, grants: [GrantID]? = nil, before: DeliveryID? = nil, limit: Int = 50, in tx: any Transaction
  ) throws -> [DeliveryRecord] {
    var conditions: [SQL] = []
    if let grant { conditions.append("grant_id = \(grant)") }
    if let grants { conditions.append("grant_id IN (\(each: grants))") }
    if let before { conditions.append("id < \(before)") }
    return try tx.rows("\(select) WHERE \(SQL.all(conditions)) ORDER BY id DESC LIMIT \(limit)").map(record)
  }

  /// The newest of each of these grants; at most some hundreds are asked for.
  static func last(of grants: [GrantID], in tx: any Transaction) throws -> [GrantID: DeliveryRecord] {
    guard !grants.isEmpty else { return [:] }
    let newest = try tx.rows(
      "SELECT MAX(id) AS id FROM exchange_delivery WHERE grant_id IN (\(each: grants)) GROUP BY grant_id"
    ).map { (row) -> DeliveryID in try row.id("id") }
    guard !newest.isEmpty else { return [:] }
    return Dictionary(
      try tx.rows("\(select) WHERE id IN (\(each: newest))").map { row in
        let delivery = try record(row)
        return (delivery.grant, delivery)
      }, uniquingKeysWith: { first, _ in first })
  }

  /// Sums by state over deliveries of these grants that are open or were made since a moment.
  static func sums(
    of grants: [GrantID], since moment: Instant, in tx: any Transaction
  ) throws -> [(state: DeliveryRecord.State, deliveries: Int, delivered: Int, quarantined: Int, removed: Int)] {
    try tx.rows(
      """
      SELECT state, COUNT(*) AS n, CAST(SUM(rows_delivered) AS BIGINT) AS delivered,
        CAST(SUM(rows_quarantined) AS BIGINT) AS quarantined, CAST(SUM(rows_removed) AS BIGINT) AS removed
      FROM exchange_delivery
      WHERE grant_id IN (\(each: grants)) AND (id >= \(DeliveryID.make(at: moment)) OR state IN ('queued', 'running'))
      GROUP BY state
      """
    ).map {
      (
        try $0.choice("state"), try $0.int("n"), try $0.int("delivered"), try $0.int("quarantined"),
        try $0.int("removed")
      )
    }
  }

  /// Whether a grant was ever carried out to the end; until then every run is a full one.
  static func hasDelivered(_ grant: GrantID, in tx: any Transaction) throws -> Bool {
    try tx.row("SELECT id FROM exchange_delivery WHERE grant_id = \(grant) AND state = 'delivered' LIMIT 1") != nil
  }

  /// The last delivery whose receipts, both of them, are kept here; nil before the first.
  static func lastHeard(_ grant: GrantID, in tx: any Transaction) throws -> DeliveryID? {
    try tx.row(
      """
      SELECT id FROM exchange_delivery WHERE grant_id = \(grant) AND agrees IS NOT NULL AND finished_at IS NOT NULL
      ORDER BY finished_at DESC, id DESC LIMIT 1
      """
    ).map { (row) -> DeliveryID in try row.id("id") }
  }

  static func insert(_ delivery: DeliveryRecord, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO exchange_delivery (id, grant_id, mode, state, trigger_kind, asked_by, rows_read, rows_delivered,
        rows_unchanged, rows_quarantined, rows_stale, bytes, follows, since_day, created_at)
      VALUES (\(delivery.id), \(delivery.grant), \(stored(delivery.mode)), \(delivery.state), \(delivery.trigger),
        \(delivery.askedBy), 0, 0, 0, 0, 0, 0, \(follows(delivery.mode)), \(delivery.since), \(delivery.createdAt))
      """)
  }

  /// Moves a delivery along; throws `.conflict` for a step that does not exist.
  static func apply(
    _ event: DeliveryRecord.Event, to id: DeliveryID, _ cause: Cause? = nil, at now: Instant, in tx: any Transaction
  ) throws {
    guard let delivery = try find(id, in: tx) else { throw Refusal.notFound(Text("交换任务", "delivery")) }
    guard let next = delivery.state.applying(event) else {
      throw Refusal(
        .conflict, "exchange.delivery.state",
        Text("该次交换已是“\(delivery.state.title.chinese)”。", "This delivery is already “\(delivery.state.title.english)”."))
    }
    try tx.run(
      """
      UPDATE exchange_delivery SET state = \(next), reason_zh = \(cause?.words.chinese), reason_en = \(cause?.words.english),
        started_at = CASE WHEN started_at IS NULL AND \(next.rawValue) = 'running' THEN \(now) ELSE started_at END,
        finished_at = \(next.isOpen ? nil : now)
      WHERE id = \(id)
      """)
    if let cause, event == .fail || event == .stop {
      try FailureStore.insert(cause, of: id, grant: delivery.grant, at: now, in: tx)
    }
  }

  static func set(_ mode: DeliveryPlan.Mode, of id: DeliveryID, in tx: any Transaction) throws {
    try tx.run(
      "UPDATE exchange_delivery SET mode = \(stored(mode)), follows = \(follows(mode)) WHERE id = \(id)")
  }

  /// The column is older than following changes, and allows the other two only: `follows` says the rest.
  private static func stored(_ mode: DeliveryPlan.Mode) -> String { mode == .full ? "full" : "incremental" }
  private static func follows(_ mode: DeliveryPlan.Mode) -> Int { mode == .changes ? 1 : 0 }

  /// Between which sources it runs.
  static func set(source: SourceID, target: SourceID, of id: DeliveryID, in tx: any Transaction) throws {
    try tx.run("UPDATE exchange_delivery SET source = \(source), target = \(target) WHERE id = \(id)")
  }

  /// How many deliveries run at this source now; one may be left out.
  static func running(at source: SourceID, besides id: DeliveryID? = nil, in tx: any Transaction) throws -> Int {
    let others: SQL = id.map { "AND id <> \($0)" } ?? ""
    return try tx.int(
      """
      SELECT COUNT(*) FROM exchange_delivery
      WHERE state = 'running' AND (source = \(source) OR target = \(source)) \(others)
      """) ?? 0
  }

  static func show(
    _ progress: DeliveryProgress, _ times: DeliveryPulse.Times, of id: DeliveryID, at now: Instant,
    in tx: any Transaction
  ) throws {
    try tx.run(
      """
      UPDATE exchange_delivery SET rows_read = \(progress.read), rows_delivered = \(progress.delivered),
        rows_unchanged = \(progress.unchanged), rows_quarantined = \(progress.quarantined), bytes = \(progress.bytes),
        rows_filtered = \(progress.filtered), rows_removed = \(progress.removed), \(spent(times)),
        source_at = COALESCE(\(progress.committedAt), source_at), written_at = \(now)
      WHERE id = \(id)
      """)
  }

  private static func spent(_ times: DeliveryPulse.Times) -> SQL {
    """
    source_ms = \(times.source.inMilliseconds), target_ms = \(times.target.inMilliseconds),
    own_ms = \(times.own.inMilliseconds)
    """
  }

  /// Keeps what both sides said, and what it comes to.
  static func keep(
    _ outcome: DeliveryOutcome, _ receipts: [SignedReceipt], _ times: DeliveryPulse.Times, of id: DeliveryID,
    in tx: any Transaction
  ) throws {
    let (provider, counts) = (outcome.provider, outcome.provider.counts)
    let agrees = outcome.consumer == nil ? nil : outcome.disagreement == nil
    try tx.run(
      """
      UPDATE exchange_delivery SET rows_read = \(counts.read), rows_delivered = \(counts.delivered),
        rows_unchanged = \(counts.unchanged), rows_quarantined = \(counts.quarantined), rows_stale = \(counts.stale),
        rows_filtered = \(counts.filtered), rows_removed = \(counts.removed), \(spent(times)),
        source_at = COALESCE(\(provider.through?.time), source_at), bytes = \(counts.bytes), first_batch = \(provider.firstBatch), last_batch = \(provider.lastBatch), agrees = \(agrees)
      WHERE id = \(id)
      """)
    // An attempt that was broken off and begun anew left the rows that it had set apart: this one found them again.
    try tx.run("DELETE FROM exchange_quarantine WHERE delivery = \(id) AND batch < \(provider.firstBatch)")
    try tx.run("DELETE FROM exchange_receipt WHERE delivery = \(id)")
    for receipt in receipts {
      try tx.run(
        """
        INSERT INTO exchange_receipt (delivery, side, digest, body, signature, public_key)
        VALUES (\(id), \(receipt.side), \(receipt.digest), \(receipt.body), \(receipt.signature), \(receipt.key))
        """)
    }
  }

  package static func receipts(of id: DeliveryID, in tx: any Transaction) throws -> [SignedReceipt] {
    try tx.rows(
      """
      SELECT side, digest, body, signature, public_key FROM exchange_receipt WHERE delivery = \(id) ORDER BY side DESC
      """
    ).map {
      SignedReceipt(
        side: try $0.text("side"), digest: try $0.text("digest"), body: try $0.text("body"),
        signature: try $0.blobOrNil("signature"), key: try $0.blobOrNil("public_key"))
    }
  }

  // MARK: - Quarantine

  /// At least once from the engine, exactly once here: the same batch and part replaces what an earlier attempt left.
  static func keep(_ rows: QuarantinedRows, of id: DeliveryID, grant: GrantID, in tx: any Transaction) throws {
    if rows.part == 0 {
      try tx.run(
        """
        DELETE FROM exchange_quarantine
        WHERE grant_id = \(grant) AND batch >= \(rows.batch) AND batch <= \(rows.lastOwn)
        """)
    } else {
      try tx.run(
        "DELETE FROM exchange_quarantine WHERE grant_id = \(grant) AND batch = \(rows.batch) AND part = \(rows.part)")
    }
    for row in rows.rows {
      try tx.run(
        """
        INSERT INTO exchange_quarantine (grant_id, batch, part, position, delivery, key_digest, item, fault, sealed)
        VALUES (\(grant), \(rows.batch), \(rows.part), \(row.position), \(id), \(row.keyDigest), \(row.item),
          \(row.fault.code), \(row.sealed))
        """)
    }
  }

  package static func quarantineSummary(of id: DeliveryID, in tx: any Transaction) throws -> [QuarantineSummary] {
    try tx.rows(
      """
      SELECT item, fault, COUNT(*) AS n FROM exchange_quarantine WHERE delivery = \(id) GROUP BY item, fault
      ORDER BY COUNT(*) DESC, item, fault
      """
    ).map { QuarantineSummary(item: try $0.text("item"), fault: try $0.text("fault"), rows: try $0.int("n")) }
  }

  /// A page of the rows put aside, all or those of one item and one reason.
  package static func quarantine(
    of id: DeliveryID, item: String? = nil, fault: String? = nil,
    after: (batch: Int, part: Int, position: Int)? = nil, limit: Int = 100, in tx: any Transaction
  ) throws -> [QuarantineLine] {
    let ofItem: SQL = item.map { "AND item = \($0)" } ?? ""
    let ofFault: SQL = fault.map { "AND fault = \($0)" } ?? ""
    let place: SQL = after.map { "(batch, part, position) > (\($0.batch), \($0.part), \($0.position))" } ?? "TRUE"
    return try tx.rows(
      """
      SELECT batch, part, position, key_digest, item, fault FROM exchange_quarantine
      WHERE delivery = \(id) \(ofItem) \(ofFault) AND \(place) ORDER BY batch, part, position LIMIT \(limit)
      """
    ).map {
      QuarantineLine(
        batch: try $0.int("batch"), part: try $0.int("part"), position: try $0.int("position"),
        keyDigest: try $0.textOrNil("key_digest"), item: try $0.text("item"), fault: try $0.text("fault"))
    }
  }

  static func sealedRow(
    of id: DeliveryID, batch: Int, part: Int, position: Int, in tx: any Transaction
  ) throws -> [UInt8]? {
    try tx.row(
      """
      SELECT sealed FROM exchange_quarantine
      WHERE delivery = \(id) AND batch = \(batch) AND part = \(part) AND position = \(position)
      """
    )?.blob("sealed")
  }

  // MARK: - Rows

  private static let select: SQL = """
    SELECT id, grant_id, mode, state, trigger_kind, asked_by, rows_read, rows_delivered, rows_unchanged, rows_quarantined,
      rows_stale, rows_filtered, rows_removed, bytes, follows, since_day, source_ms, target_ms, own_ms, source_at,
      written_at, agrees, reason_zh, reason_en, created_at, started_at, finished_at
    FROM exchange_delivery
    """

  private static func record(_ row: Row) throws -> DeliveryRecord {
    var delivery = DeliveryRecord(
      id: try row.id("id"), grant: try row.id("grant_id"), mode: try row.choice("mode"), state: try row.choice("state"),
      trigger: try row.text("trigger_kind"), askedBy: try row.text("asked_by"), createdAt: try row.instant("created_at")
    )
    delivery.read = try row.int("rows_read")
    delivery.delivered = try row.int("rows_delivered")
    delivery.unchanged = try row.int("rows_unchanged")
    delivery.quarantined = try row.int("rows_quarantined")
    delivery.stale = try row.int("rows_stale")
    delivery.filtered = try row.int("rows_filtered")
    delivery.removed = try row.int("rows_removed")
    delivery.bytes = try row.int("bytes")
    if try row.int("follows") != 0 { delivery.mode = .changes }
    delivery.since = try row.dateOrNil("since_day")
    delivery.times.source = .milliseconds(try row.int("source_ms"))
    delivery.times.target = .milliseconds(try row.int("target_ms"))
    delivery.times.own = .milliseconds(try row.int("own_ms"))
    delivery.sourceAt = try row.instantOrNil("source_at")
    delivery.writtenAt = try row.instantOrNil("written_at")
    delivery.agrees = try row.intOrNil("agrees").map { $0 != 0 }
    if let chinese = try row.textOrNil("reason_zh") { delivery.reason = Text(chinese, try row.text("reason_en")) }
    delivery.startedAt = try row.instantOrNil("started_at")
    delivery.finishedAt = try row.instantOrNil("finished_at")
    return delivery
  }
}

extension CursorValue {
  /// Where it is a time: what it says, to the millisecond.
  fileprivate var time: Instant? {
    switch self {
    case .timestamp(let since2000): Instant(milliseconds: since2000 / 1000 + 946_684_800_000)
    case .integer: nil
    }
  }
}
