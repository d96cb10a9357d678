import Inventory
import Kernel
package import Storage

/// The only SQL of front-end nodes, what happened to them and what their checks found.
package enum FrontNodeStore {
  package static func find(_ id: FrontNodeID, in tx: any Transaction) throws -> FrontNode? {
    try tx.row("SELECT * FROM frontnodes_node WHERE id = \(id)").map(node)
  }

  /// Newest first; of one office, or of all.
  static func list(
    owner: OrganisationID?, state: FrontNodeState?, before: FrontNodeID?, limit: Int, in tx: any Transaction
  ) throws -> [FrontNode] {
    var conditions: [SQL] = []
    if let owner { conditions.append("owner = \(owner)") }
    if let state { conditions.append("state = \(state)") }
    if let before { conditions.append("id < \(before)") }
    return try tx.rows(
      "SELECT * FROM frontnodes_node WHERE \(SQL.all(conditions)) ORDER BY id DESC LIMIT \(limit)"
    ).map(node)
  }

  static func counts(owner: OrganisationID?, in tx: any Transaction) throws -> [FrontNodeState: Int] {
    let condition: SQL = owner.map { "owner = \($0)" } ?? "1 = 1"
    return Dictionary(
      uniqueKeysWithValues: try tx.rows(
        "SELECT state, COUNT(*) AS n FROM frontnodes_node WHERE \(condition) GROUP BY state"
      ).map { (try $0.choice("state"), try $0.int("n")) })
  }

  /// Those that are to be checked, in the order of their ids.
  static func open(after id: FrontNodeID?, limit: Int, in tx: any Transaction) throws -> [FrontNode] {
    try tx.rows(
      """
      SELECT * FROM frontnodes_node WHERE state IN ('used', 'returning') AND id > \(id?.text ?? "")
      ORDER BY id LIMIT \(limit)
      """
    ).map(node)
  }

  static func nextNumber(year: Int, in tx: any Transaction) throws -> Int {
    try tx.int(
      """
      INSERT INTO frontnodes_sequence (year, last) VALUES (\(year), 1)
      ON CONFLICT (year) DO UPDATE SET last = frontnodes_sequence.last + 1 RETURNING last
      """) ?? 1
  }

  /// What this form of that office made already.
  static func made(_ formKey: String, by owner: OrganisationID, in tx: any Transaction) throws -> FrontNode? {
    try tx.row("SELECT * FROM frontnodes_node WHERE owner = \(owner) AND form_key = \(formKey)").map(node)
  }

  static func insert(_ n: FrontNode, formKey: String?, in tx: any Transaction) throws {
    let w = n.wish
    try tx.run(
      """
      INSERT INTO frontnodes_node (id, number, owner, owner_name, system, system_name, form, area, reason, grade, product,
        machine, room, contact, contact_phone, technician, technician_phone, until, form_key, state, version, asked_at, is_locked, bad_checks)
      VALUES (\(n.id), \(n.number), \(n.owner), \(n.ownerName), \(w.system), \(n.systemName), \(w.form), \(w.area),
        \(w.reason), \(w.grade), \(w.product), \(w.machine), \(w.room), \(w.contact), \(w.contactPhone), \(w.technician),
        \(w.technicianPhone), \(w.until), \(formKey), \(n.state), 0, \(n.askedAt), \(false), 0)
      """)
  }

  /// Moves a node on; refused when somebody moved it meanwhile.
  static func move(_ node: FrontNode, to state: FrontNodeState, in tx: any Transaction) throws {
    let changed = try tx.run(
      """
      UPDATE frontnodes_node SET state = \(state), version = version + 1
      WHERE id = \(node.id) AND version = \(node.version)
      """)
    guard changed == 1 else { throw changedMeanwhile }
  }

  /// Counts a change that leaves the state as it is; refused when somebody was faster.
  static func touch(_ node: FrontNode, in tx: any Transaction) throws { try move(node, to: node.state, in: tx) }

  static func setLocked(_ id: FrontNodeID, in tx: any Transaction) throws {
    try tx.run("UPDATE frontnodes_node SET is_locked = \(true) WHERE id = \(id)")
  }

  /// Taken back, and their accounts still open: the server did not answer.
  static func unlocked(limit: Int, in tx: any Transaction) throws -> [FrontNode] {
    try tx.rows(
      """
      SELECT * FROM frontnodes_node WHERE state = 'reclaimed' AND server IS NOT NULL AND NOT is_locked
      ORDER BY id LIMIT \(limit)
      """
    ).map(node)
  }

  /// What is allotted, and its password until somebody has signed for it.
  static func set(
    _ allotment: FrontNode.Allotment, sealed: [UInt8]?, of id: FrontNodeID, in tx: any Transaction
  ) throws {
    try tx.run(
      """
      UPDATE frontnodes_node SET server = \(allotment.server), place = \(allotment.place),
        database_name = \(allotment.database), account = \(allotment.account), sealed = \(sealed)
      WHERE id = \(id)
      """)
  }

  static func sealed(of id: FrontNodeID, in tx: any Transaction) throws -> [UInt8]? {
    try tx.row("SELECT sealed FROM frontnodes_node WHERE id = \(id)")?.blobOrNil("sealed")
  }

  /// Signed for: the platform's copy of the password is gone.
  static func sign(_ id: FrontNodeID, source: SourceID?, in tx: any Transaction) throws {
    try tx.run("UPDATE frontnodes_node SET sealed = NULL, source = \(source) WHERE id = \(id)")
  }

  static func reclaim(_ id: FrontNodeID, keptUntil: CalendarDate?, in tx: any Transaction) throws {
    try tx.run("UPDATE frontnodes_node SET sealed = NULL, kept_until = \(keptUntil) WHERE id = \(id)")
  }

  static let changedMeanwhile = Refusal(
    .conflict, "frontnode.changed",
    Text("这个前置节点已被他人处理，请刷新后再试。", "Somebody has dealt with this node meanwhile; reload it."))

  // MARK: What happened

  static func add(_ step: FrontNodeStep, to id: FrontNodeID, in tx: any Transaction) throws {
    let last = try tx.int("SELECT MAX(place) FROM frontnodes_step WHERE node = \(id)") ?? 0
    try tx.run(
      """
      INSERT INTO frontnodes_step (node, place, at, event, actor, words)
      VALUES (\(id), \(last + 1), \(step.at), \(step.event), \(step.actor), \(step.words))
      """)
  }

  /// Newest first.
  static func steps(of id: FrontNodeID, in tx: any Transaction) throws -> [FrontNodeStep] {
    try tx.rows("SELECT * FROM frontnodes_step WHERE node = \(id) ORDER BY place DESC LIMIT 200").map {
      FrontNodeStep(
        at: try $0.instant("at"), event: try $0.text("event"), actor: try $0.text("actor"), words: try $0.text("words"))
    }
  }

  // MARK: Health

  static func record(
    _ health: FrontNode.Health, of id: FrontNodeID, on day: CalendarDate, in tx: any Transaction
  ) throws {
    try tx.run(
      """
      UPDATE frontnodes_node SET checked_at = \(health.at), is_good = \(health.isGood), since = \(health.since),
        bad_checks = \(health.badChecks), failure_zh = \(health.failure?.chinese), failure_en = \(health.failure?.english),
        bytes = \(health.use?.bytes), connections = \(health.use?.connections)
      WHERE id = \(id)
      """)
    let failed = health.isGood ? 0 : 1
    try tx.run(
      """
      INSERT INTO frontnodes_day (node, day, checks, failures) VALUES (\(id), \(day), 1, \(failed))
      ON CONFLICT (node, day) DO UPDATE SET checks = frontnodes_day.checks + 1,
        failures = frontnodes_day.failures + \(failed)
      """)
  }

  /// Newest first.
  static func days(of id: FrontNodeID, limit: Int, in tx: any Transaction) throws -> [FrontNodeDay] {
    try tx.rows("SELECT * FROM frontnodes_day WHERE node = \(id) ORDER BY day DESC LIMIT \(limit)").map {
      FrontNodeDay(day: try $0.date("day"), checks: try $0.int("checks"), failures: try $0.int("failures"))
    }
  }

  private static func node(_ row: Row) throws -> FrontNode {
    FrontNode(
      id: try row.id("id"), number: try row.text("number"), owner: try row.id("owner"),
      ownerName: try row.text("owner_name"), systemName: try row.text("system_name"),
      wish: FrontNode.Wish(
        form: try row.choice("form"), area: try row.choice("area"), system: try row.id("system"),
        reason: try row.text("reason"), grade: try row.int("grade"), product: try row.textOrNil("product"),
        machine: try row.textOrNil("machine"), room: try row.int("room"), contact: try row.text("contact"),
        contactPhone: try row.text("contact_phone"), technician: try row.text("technician"),
        technicianPhone: try row.text("technician_phone"), until: try row.dateOrNil("until")),
      state: try row.choice("state"), version: try row.int("version"), askedAt: try row.instant("asked_at"),
      allotment: try row.textOrNil("place").map { place in
        FrontNode.Allotment(
          server: try row.idOrNil("server"), place: place, database: try row.textOrNil("database_name"),
          account: try row.text("account"))
      }, source: try row.idOrNil("source"),
      isLocked: try row.bool("is_locked"), keptUntil: try row.dateOrNil("kept_until"), health: try health(row))
  }

  private static func health(_ row: Row) throws -> FrontNode.Health? {
    guard let at = try row.instantOrNil("checked_at") else { return nil }
    let failure = try row.textOrNil("failure_zh").map { Text($0, try row.textOrNil("failure_en") ?? $0) }
    let use = try row.intOrNil("bytes").map { bytes in
      FrontNode.Health.Use(bytes: Int64(bytes), connections: try row.intOrNil("connections") ?? 0)
    }
    return FrontNode.Health(
      at: at, isGood: try row.bool("is_good"), since: try row.instant("since"), badChecks: try row.int("bad_checks"),
      failure: failure, use: use)
  }
}
