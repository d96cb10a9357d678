import Kernel
import Storage

/// A's word that B may act with A's business roles on these days.
struct Deputy: Sendable, Hashable {
  var id: String
  var person: PersonID
  var deputy: PersonID
  var firstDay: CalendarDate
  /// Included.
  var lastDay: CalendarDate
}

/// Who may act for whom, and when.
enum Deputies {
  static func isDeputy(_ deputy: PersonID, of person: PersonID, on day: CalendarDate, in tx: any Transaction) throws
    -> Bool
  {
    try tx.row(
      """
      SELECT id FROM identity_deputy WHERE person = \(person) AND deputy = \(deputy) AND ended_at IS NULL
        AND first_day <= \(day) AND last_day >= \(day) LIMIT 1
      """) != nil
  }

  /// Those for whom this person may act on a day.
  static func principals(of deputy: PersonID, on day: CalendarDate, in tx: any Transaction) throws -> [Person] {
    try tx.rows(
      """
      SELECT person FROM identity_deputy WHERE deputy = \(deputy) AND ended_at IS NULL AND first_day <= \(day)
        AND last_day >= \(day) ORDER BY person LIMIT 50
      """
    ).compactMap { try PersonStore.find($0.id("person"), in: tx) }.filter(\.isActive)
  }

  /// What this person has arranged from a day on, soonest first.
  static func list(of person: PersonID, from day: CalendarDate, in tx: any Transaction) throws -> [Deputy] {
    try tx.rows(
      """
      SELECT id, person, deputy, first_day, last_day FROM identity_deputy
      WHERE person = \(person) AND ended_at IS NULL AND last_day >= \(day) ORDER BY first_day, id LIMIT 50
      """
    ).map(deputy)
  }

  /// Everything still agreed that touches a period: few, and what a new arrangement is held against.
  static func between(_ first: CalendarDate, _ last: CalendarDate, in tx: any Transaction) throws -> [Deputy] {
    try tx.rows(
      """
      SELECT id, person, deputy, first_day, last_day FROM identity_deputy
      WHERE ended_at IS NULL AND first_day <= \(last) AND last_day >= \(first)
      """
    ).map(deputy)
  }

  enum Clash: Hashable {
    /// The same two, already, on some of these days.
    case overlap
    /// The deputy is, over others or directly, represented by the one he would represent.
    case circle
  }

  /// Why `deputy` cannot stand for `person` besides what is agreed for the same days, or nil.
  static func clash(of person: PersonID, with deputy: PersonID, among agreed: [Deputy]) -> Clash? {
    if agreed.contains(where: { $0.person == person && $0.deputy == deputy }) { return .overlap }
    var open = [deputy]
    var seen: Set<PersonID> = [deputy]
    while let next = open.popLast() {
      for other in agreed where other.person == next {
        if other.deputy == person { return .circle }
        if seen.insert(other.deputy).inserted { open.append(other.deputy) }
      }
    }
    return nil
  }

  private static func deputy(_ row: Row) throws -> Deputy {
    Deputy(
      id: try row.text("id"), person: try row.id("person"), deputy: try row.id("deputy"),
      firstDay: try row.date("first_day"), lastDay: try row.date("last_day"))
  }
}
