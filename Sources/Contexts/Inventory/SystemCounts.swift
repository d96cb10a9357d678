package import Kernel
package import Storage

/// Systems as whoever stands above all departments counts and lists them.
package enum SystemCounts {
  /// A system as a list of systems names it.
  package struct Line: Hashable, Sendable {
    package var id: SystemID
    package var number: String
    package var name: String
    package var registeredAt: Instant
  }

  /// Every system with its department, by id; a page begins after an id.
  package static func page(
    after: SystemID? = nil, limit: Int, in tx: any Transaction
  ) throws -> [(id: SystemID, owner: OrganisationID)] {
    try tx.rows("SELECT id, owner FROM inventory_system WHERE id > \(after?.text ?? "") ORDER BY id LIMIT \(limit)")
      .map { (try $0.id("id"), try $0.id("owner")) }
  }

  /// One department's systems by name, which is its own within a department; a page begins after a name.
  package static func list(
    of owner: OrganisationID, after: String? = nil, limit: Int, in tx: any Transaction
  ) throws -> [Line] {
    try tx.rows(
      """
      SELECT id, number, name, registered_at FROM inventory_system
      WHERE owner = \(owner) AND name > \(after ?? "") ORDER BY name LIMIT \(limit)
      """
    ).map {
      Line(
        id: try $0.id("id"), number: try $0.text("number"), name: try $0.text("name"),
        registeredAt: try $0.instant("registered_at"))
    }
  }
}
