package import Catalog
package import Kernel
import Storage

package typealias SavedSearchID = ID<SavedSearch>

/// A search of the catalogue that a person keeps under a name and hears of when something new is found by it.
package struct SavedSearch: Hashable, Sendable {
  package var id: SavedSearchID
  package var person: PersonID
  package var name: String
  /// Its words and filters; no page of it.
  package var query: CatalogQuery
  package var isPaused: Bool
  /// The place in the catalogue up to which its owner has seen everything.
  package var seenTo: Int
  /// The place up to which its owner was told.
  package var toldTo: Int
  package var madeAt: Instant
}

/// An entry that left the catalogue and had been found by a saved search.
package struct Loss: Hashable, Sendable {
  package var resource: ResourceID
  package var name: String
  package var at: Instant
}

/// The only SQL of saved searches and of what is on its way to them.
enum SavedSearchStore {
  static func find(_ id: SavedSearchID, of person: PersonID, in tx: any Transaction) throws -> SavedSearch? {
    try tx.row("\(select) WHERE id = \(id) AND person = \(person)").map(search)
  }

  /// By name; there are at most `Feedback.limits.searches` of a person.
  static func list(of person: PersonID, in tx: any Transaction) throws -> [SavedSearch] {
    try tx.rows("\(select) WHERE person = \(person) ORDER BY name LIMIT \(Feedback.limits.searches)").map(search)
  }

  static func insert(_ s: SavedSearch, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO feedback_search (id, person, name, query, is_paused, seen_to, told_to, made_at)
      VALUES (\(s.id), \(s.person), \(s.name), \(s.query.encoded), \(s.isPaused), \(s.seenTo), \(s.toldTo), \(s.madeAt))
      """)
  }

  static func update(_ s: SavedSearch, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE feedback_search SET name = \(s.name), is_paused = \(s.isPaused), seen_to = \(s.seenTo),
        told_to = \(s.toldTo) WHERE id = \(s.id)
      """)
  }

  static func delete(_ id: SavedSearchID, in tx: any Transaction) throws {
    try tx.run("DELETE FROM feedback_search WHERE id = \(id)")
  }

  /// Those that were not told of what stands above their place, longest waiting first.
  static func untold(below head: Int, limit: Int, in tx: any Transaction) throws -> [SavedSearch] {
    try tx.rows("\(select) WHERE is_paused = FALSE AND told_to < \(head) ORDER BY told_to, id LIMIT \(limit)").map(
      search)
  }

  static func active(after: String, limit: Int, in tx: any Transaction) throws -> [SavedSearch] {
    try tx.rows("\(select) WHERE is_paused = FALSE AND id > \(after) ORDER BY id LIMIT \(limit)").map(search)
  }

  // MARK: - What left the catalogue

  struct Withdrawal {
    var id: String
    var resource: ResourceID
    var version: Int
    var name: String
    var at: Instant
    /// The last search that was asked whether it had found it; empty at first.
    var askedTo: String
  }

  static func note(_ resource: Resource, at now: Instant, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO feedback_withdrawal (id, resource, resource_version, resource_name, at, asked_to)
      VALUES (\(uuidVersion7(at: now)), \(resource.id), \(resource.version), \(resource.metadata.name), \(now), '')
      """)
  }

  static func oldestWithdrawal(in tx: any Transaction) throws -> Withdrawal? {
    try tx.row(
      """
      SELECT id, resource, resource_version, resource_name, at, asked_to FROM feedback_withdrawal ORDER BY id LIMIT 1
      """
    ).map { row in
      Withdrawal(
        id: try row.text("id"), resource: try row.id("resource"), version: try row.int("resource_version"),
        name: try row.text("resource_name"), at: try row.instant("at"), askedTo: try row.text("asked_to"))
    }
  }

  static func setAsked(_ withdrawal: String, to search: String, in tx: any Transaction) throws {
    try tx.run("UPDATE feedback_withdrawal SET asked_to = \(search) WHERE id = \(withdrawal)")
  }

  static func forget(_ withdrawal: String, in tx: any Transaction) throws {
    try tx.run("DELETE FROM feedback_withdrawal WHERE id = \(withdrawal)")
  }

  static func add(_ withdrawal: Withdrawal, to search: SavedSearchID, in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO feedback_loss (search, resource, resource_name, at)
      VALUES (\(search), \(withdrawal.resource), \(withdrawal.name), \(withdrawal.at))
      ON CONFLICT (search, resource) DO UPDATE SET resource_name = excluded.resource_name, at = excluded.at
      """)
  }

  static func losses(of search: SavedSearchID, limit: Int, in tx: any Transaction) throws -> [Loss] {
    try tx.rows(
      "SELECT resource, resource_name, at FROM feedback_loss WHERE search = \(search) ORDER BY resource LIMIT \(limit)"
    ).map { Loss(resource: try $0.id("resource"), name: try $0.text("resource_name"), at: try $0.instant("at")) }
  }

  static func forgetLosses(of search: SavedSearchID, until moment: Instant, in tx: any Transaction) throws {
    try tx.run("DELETE FROM feedback_loss WHERE search = \(search) AND at <= \(moment)")
  }

  // MARK: - Rows

  private static let select: SQL = """
    SELECT id, person, name, query, is_paused, seen_to, told_to, made_at FROM feedback_search
    """

  private static func search(_ row: Row) throws -> SavedSearch {
    SavedSearch(
      id: try row.id("id"), person: try row.id("person"), name: try row.text("name"),
      query: CatalogQuery(encoded: try row.text("query")), isPaused: try row.bool("is_paused"),
      seenTo: try row.int("seen_to"), toldTo: try row.int("told_to"),
      madeAt: try row.instant("made_at"))
  }
}
