package import Inventory
package import Kernel
package import Storage

/// Entries in force as whoever stands above all departments counts and lists them: how many there are, and how many lack
/// what auditors look for (items, a system, a sharing condition, a mount). Each question is answered from an index of its
/// own: "020 entries that lack something".
package enum EntryCounts {
  /// Which entries in force.
  package enum Kind: String, Sendable, CaseIterable {
    case all, withoutItems
    /// Tied to a table, or to none, as the entry declares: whether the table answers is another question.
    case mounted, unmounted
    /// Tied to no information system.
    case withoutSystem
    /// Shared conditionally or not at all, with neither a condition nor a legal basis.
    case withoutCondition
  }

  /// An entry as a list of entries names it.
  package struct Line: Hashable, Sendable {
    package var id: ResourceID
    package var code: String
    package var name: String
    package var publishedOn: CalendarDate?
    /// Where the next page begins.
    package var place: String
  }

  /// How many each department has of each kind. Reads whole indexes: for a job, never for a page.
  package static func byProvider(in tx: any Transaction) throws -> [OrganisationID: [Kind: Int]] {
    var counts: [OrganisationID: [Kind: Int]] = [:]
    func add(_ kind: Kind, _ rows: [Row]) throws {
      for row in rows { counts[try row.id("provider"), default: [:]][kind, default: 0] += try row.int("n") }
    }
    try add(.all, tx.rows("SELECT provider, COUNT(*) AS n FROM catalog_entry GROUP BY provider"))
    try add(
      .withoutItems, tx.rows("SELECT provider, COUNT(*) AS n FROM catalog_entry WHERE items = 0 GROUP BY provider"))
    for (kind, condition) in [
      (Kind.mounted, mounted), (.unmounted, unmounted), (.withoutSystem, withoutSystem),
      (.withoutCondition, withoutCondition),
    ] {
      try add(
        kind,
        tx.rows(
          """
          SELECT v.provider, COUNT(*) AS n FROM catalog_version v
          JOIN catalog_resource r ON r.id = v.resource AND r.published = v.version
          WHERE \(condition) GROUP BY v.provider
          """))
    }
    return counts
  }

  /// One department's, in the order of `place`; a page begins after one.
  package static func list(
    _ kind: Kind, of provider: OrganisationID, after place: String? = nil, limit: Int, in tx: any Transaction
  ) throws -> [Line] {
    switch kind {
    case .all: try entries("provider = \(provider)", place, limit, in: tx)
    case .mounted: try versions("v.provider = \(provider) AND \(mounted)", place, limit, in: tx)
    case .unmounted: try versions("v.provider = \(provider) AND \(unmounted)", place, limit, in: tx)
    case .withoutItems: try entries("provider = \(provider) AND items = 0", place, limit, in: tx)
    case .withoutSystem: try versions("v.provider = \(provider) AND \(withoutSystem)", place, limit, in: tx)
    case .withoutCondition: try versions("v.provider = \(provider) AND \(withoutCondition)", place, limit, in: tx)
    }
  }

  /// These, by id, as far as they are in force; at most some hundreds.
  package static func lines(of ids: [ResourceID], in tx: any Transaction) throws -> [Line] {
    try tx.rows(
      "SELECT resource, code, name, published_on FROM catalog_entry WHERE resource IN (\(each: ids)) ORDER BY resource"
    ).map { try line($0, place: "resource") }
  }

  /// Those of these systems that hold an entry in force; at most some hundreds are asked for.
  package static func systemsWithEntries(
    among systems: [SystemID], in tx: any Transaction
  ) throws -> Set<SystemID> {
    Set(
      try tx.rows(
        """
        SELECT DISTINCT v.system FROM catalog_version v
        JOIN catalog_resource r ON r.id = v.resource AND r.published = v.version
        WHERE v.state = 'published' AND v.system IN (\(each: systems))
        """
      ).map { try $0.id("system") })
  }

  /// Whose the mounted ones among these are; at most some hundreds are asked for.
  package static func mounted(
    among ids: [ResourceID], in tx: any Transaction
  ) throws -> [ResourceID: OrganisationID] {
    try providers(of: ids, where: "v.mount_source IS NOT NULL", in: tx)
  }

  /// Whose those in force are that declare no table; at most some hundreds are asked for.
  package static func unmounted(
    among ids: [ResourceID], in tx: any Transaction
  ) throws -> [ResourceID: OrganisationID] {
    try providers(of: ids, where: "v.mount_source IS NULL", in: tx)
  }

  private static func providers(
    of ids: [ResourceID], where condition: SQL, in tx: any Transaction
  ) throws -> [ResourceID: OrganisationID] {
    Dictionary(
      uniqueKeysWithValues: try tx.rows(
        """
        SELECT v.resource, v.provider FROM catalog_resource r
        JOIN catalog_version v ON v.resource = r.id AND v.version = r.published
        WHERE \(condition) AND r.id IN (\(each: ids))
        """
      ).map { (try $0.id("resource"), try $0.id("provider")) })
  }

  // As the partial indexes say it: an index is used only where the words are the same. A published version of a resource
  // that is offline is not in force: the resource's `published` says which are.
  private static let mounted: SQL = "state = 'published' AND mount_source IS NOT NULL"
  private static let unmounted: SQL = "state = 'published' AND mount_source IS NULL"
  private static let withoutSystem: SQL = "state = 'published' AND system IS NULL"
  private static let withoutCondition: SQL =
    "state = 'published' AND sharing_type <> '1' AND sharing_condition = ''"

  private static func entries(
    _ condition: SQL, _ place: String?, _ limit: Int, in tx: any Transaction
  ) throws -> [Line] {
    try tx.rows(
      """
      SELECT place, resource, code, name, published_on FROM catalog_entry
      WHERE \(condition) AND place > \(place.flatMap { Int($0) } ?? 0) ORDER BY place LIMIT \(limit)
      """
    ).map { try line($0, place: nil) }
  }

  private static func versions(
    _ condition: SQL, _ place: String?, _ limit: Int, in tx: any Transaction
  ) throws -> [Line] {
    try tx.rows(
      """
      SELECT v.resource, r.code, v.name, v.published_on FROM catalog_version v
      JOIN catalog_resource r ON r.id = v.resource AND r.published = v.version
      WHERE \(condition) AND v.resource > \(place ?? "") ORDER BY v.resource LIMIT \(limit)
      """
    ).map { try line($0, place: "resource") }
  }

  private static func line(_ row: Row, place column: String?) throws -> Line {
    Line(
      id: try row.id("resource"), code: try row.textOrNil("code") ?? "", name: try row.text("name"),
      publishedOn: try row.dateOrNil("published_on"),
      place: try column.map { try row.text($0) } ?? "\(row.int("place"))")
  }
}
