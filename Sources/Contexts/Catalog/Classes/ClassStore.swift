internal import Kernel
internal import Storage
internal import Synchronization

/// The only SQL of the classes that this platform keeps.
enum ClassStore {
  /// By code and first day; at most `ClassPeriod.limits.nodes` nodes are ever kept.
  static func periods(in tx: any Transaction) throws -> [ClassPeriod] {
    try tx.rows(
      """
      SELECT p.*, c.parent FROM catalog_class_period p JOIN catalog_class c ON c.code = p.code
      ORDER BY p.code, p.valid_from
      """
    ).map(period)
  }

  /// One code's periods, oldest first.
  static func periods(of code: String, in tx: any Transaction) throws -> [ClassPeriod] {
    try tx.rows(
      """
      SELECT p.*, c.parent FROM catalog_class_period p JOIN catalog_class c ON c.code = p.code
      WHERE p.code = \(code) ORDER BY p.valid_from
      """
    ).map(period)
  }

  static func state(in tx: any Transaction) throws -> (version: Int, mapping: Int) {
    guard let row = try tx.row("SELECT version, mapping FROM catalog_class_state") else { return (0, 0) }
    return (try row.int("version"), try row.int("mapping"))
  }

  static func insert(_ code: String, parent: String?, at now: Instant, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO catalog_class (code, parent, made_at) VALUES (\(code), \(parent), \(now)) ON CONFLICT (code) DO NOTHING
      """)
  }

  static func insert(_ period: ClassPeriod, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO catalog_class_period (code, valid_from, valid_to, name, national, used_by, successor, changed_at,
        changed_by)
      VALUES (\(period.code), \(period.validFrom), \(period.validTo), \(period.name), \(period.national),
        \(period.usedBy.text), \(period.successor), \(period.changedAt), \(period.changedBy))
      """)
  }

  static func update(_ period: ClassPeriod, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE catalog_class_period SET valid_to = \(period.validTo), name = \(period.name), national = \(period.national),
        used_by = \(period.usedBy.text), successor = \(period.successor), changed_at = \(period.changedAt),
        changed_by = \(period.changedBy)
      WHERE code = \(period.code) AND valid_from = \(period.validFrom)
      """)
  }

  /// Says that whoever holds a classification must read it again; with `mapping`, that entries count under other nodes.
  /// The last thing of a transaction: what it read after this would be kept as if it were committed.
  static func changed(mapping: Bool, in tx: any Transaction) throws {
    try tx.run("UPDATE catalog_class_state SET version = version + 1, mapping = mapping + \(mapping ? 1 : 0)")
  }

  private static func period(_ row: Row) throws -> ClassPeriod {
    ClassPeriod(
      code: try row.text("code"), parent: try row.textOrNil("parent"), name: try row.text("name"),
      validFrom: try row.date("valid_from"), validTo: try row.dateOrNil("valid_to"),
      national: try row.textOrNil("national"), usedBy: ClassUse(text: try row.text("used_by")) ?? .everyone,
      successor: try row.textOrNil("successor"), changedAt: try row.instant("changed_at"),
      changedBy: try row.text("changed_by"))
  }
}

/// The classification in force, read again when a transaction finds that this or another process changed it, or that the
/// day did.
final class ClassificationKeeper: Sendable {
  private struct Held {
    var classification: Classification
    var version = 0
    var day: CalendarDate?
  }

  private let national: Classification
  private let held: Mutex<Held>

  init(_ national: Classification) {
    self.national = national
    held = Mutex(Held(classification: national))
  }

  /// As the last transaction of this process saw it.
  var latest: Classification { held.withLock { $0.classification } }

  /// As this transaction sees it: one small row is read to know.
  func inForce(on day: CalendarDate, in tx: any Transaction) throws -> Classification {
    let (version, mapping) = try ClassStore.state(in: tx)
    if let known = held.withLock({ $0.version == version && $0.day == day ? $0.classification : nil }) { return known }
    let read = Classification(
      national, try ClassStore.periods(in: tx), on: day, version: version, mapping: mapping)
    held.withLock { held in
      // A transaction that began before a change must not put back what was before it.
      guard version >= held.version else { return }
      held = Held(classification: read, version: version, day: day)
    }
    return read
  }
}
