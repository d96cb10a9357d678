import Identity
package import Kernel
import Storage

/// A row of the matrix: a department and its numbers.
package struct OfficeTally: Hashable, Sendable {
  package var office: OrganisationID
  package var name: String
  package var division: String
  /// False for a department that a reform has ended and that still holds something.
  package var isStanding: Bool
  package var lastDelivery: Instant?
  package var tally: Tally
}

/// The only SQL of what was counted.
enum TallyStore {
  /// Whose numbers of a month are meant; `everyone` are the sums, kept beside so that no page adds up.
  static let everyone = "all"

  /// When the numbers were counted; nil before the first time.
  static func asOf(in tx: any Transaction) throws -> Instant? {
    try tx.row("SELECT as_of FROM supervision_state WHERE one = 1")?.instant("as_of")
  }

  static func setAsOf(_ now: Instant, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO supervision_state (one, as_of) VALUES (1, \(now)) ON CONFLICT (one) DO UPDATE SET as_of = excluded.as_of
      """)
  }

  /// Every department, by division and name. A province has some two thousand.
  static func offices(in tx: any Transaction) throws -> [OfficeTally] {
    try tx.rows("\(select) ORDER BY division, name, office LIMIT 20000").map(office)
  }

  static func office(_ id: OrganisationID, in tx: any Transaction) throws -> OfficeTally? {
    try tx.row("\(select) WHERE office = \(id)").map(office)
  }

  static func put(_ row: OfficeTally, in tx: any Transaction) throws {
    try remove(row.office, in: tx)
    try tx.run(
      """
      INSERT INTO supervision_office (office, name, division, is_standing, last_delivery, \(columns))
      VALUES (\(row.office), \(row.name), \(row.division), \(row.isStanding), \(row.lastDelivery), \(values(row.tally)))
      """)
  }

  static func remove(_ office: OrganisationID, in tx: any Transaction) throws {
    try tx.run("DELETE FROM supervision_office WHERE office = \(office)")
  }

  /// The numbers of one department (or of `everyone`) at the end of its last so many months, oldest first.
  static func months(of office: String, last count: Int, in tx: any Transaction) throws -> [(CalendarMonth, Tally)] {
    try tx.rows(
      """
      SELECT month, \(columns) FROM supervision_month WHERE office = \(office) ORDER BY month DESC LIMIT \(count)
      """
    ).reversed().map { row in
      guard let month = CalendarMonth(try row.text("month")) else { throw StorageError(.decoding, "a month") }
      return (month, try tally(row))
    }
  }

  /// What is kept of one month, by department.
  static func month(_ month: CalendarMonth, in tx: any Transaction) throws -> [String: Tally] {
    Dictionary(
      uniqueKeysWithValues: try tx.rows(
        "SELECT office, \(columns) FROM supervision_month WHERE month = \(month.description)"
      ).map { (try $0.text("office"), try tally($0)) })
  }

  static func put(_ tally: Tally, of office: String, in month: CalendarMonth, in tx: any Transaction) throws {
    try tx.run("DELETE FROM supervision_month WHERE office = \(office) AND month = \(month.description)")
    try tx.run(
      """
      INSERT INTO supervision_month (office, month, \(columns))
      VALUES (\(office), \(month.description), \(values(tally)))
      """)
  }

  // MARK: - Rows

  private static let select: SQL =
    "SELECT office, name, division, is_standing, last_delivery, \(columns) FROM supervision_office"

  /// In the order of `Measure.allCases`.
  private static let columns: SQL = """
    systems, systems_without_entries, entries, entries_without_system, entries_without_items, entries_without_condition,
    entries_without_mount, mounts, mounts_failing, mounts_unused, grants, grants_undelivered, grants_obtained, deliveries,
    rows_delivered
    """

  private static func values(_ tally: Tally) -> SQL {
    let each = Measure.allCases.map { "\(tally[$0])" as SQL }
    return each.dropFirst().reduce(each[0]) { $0 + ", " + $1 }
  }

  private static func office(_ row: Row) throws -> OfficeTally {
    OfficeTally(
      office: try row.id("office"), name: try row.text("name"), division: try row.text("division"),
      isStanding: try row.bool("is_standing"), lastDelivery: try row.instantOrNil("last_delivery"),
      tally: try tally(row))
  }

  private static func tally(_ row: Row) throws -> Tally {
    var tally = Tally()
    let first = row.values.count - Measure.allCases.count
    for (place, measure) in Measure.allCases.enumerated() {
      tally[measure] = try row.intOrNil(at: first + place) ?? 0
    }
    return tally
  }
}
