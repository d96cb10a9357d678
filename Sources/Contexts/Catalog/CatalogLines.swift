package import Kernel
package import Storage

// Every resource in force, office by office: what a context above walks through when it makes a line of each.

/// A resource in force in one line.
package struct CatalogLine: Hashable, Sendable {
  package var id: ResourceID
  package var version: Int
  package var code: String
  package var name: String
  package var classes: [String]
}

extension CatalogStore {
  /// The resources in force of a provider behind one of them, by id: a place that no later version moves.
  package static func lines(
    of provider: OrganisationID, after: ResourceID?, limit: Int, in tx: any Transaction
  ) throws -> [CatalogLine] {
    try tx.rows(
      """
      SELECT r.id, r.code, v.version, v.name, v.classes FROM catalog_resource r
      JOIN catalog_version v ON v.resource = r.id AND v.version = r.published
      WHERE r.provider = \(provider) AND r.id > \(after?.text ?? "") ORDER BY r.id LIMIT \(limit)
      """
    ).map { row in
      CatalogLine(
        id: try row.id("id"), version: try row.int("version"), code: try row.text("code"), name: try row.text("name"),
        classes: try row.text("classes").split(separator: " ").map(String.init))
    }
  }

  /// Providers of any resource, by id: one look into the index for each, however many resources there are.
  package static func providers(in tx: any Transaction) throws -> [OrganisationID] {
    var found: [OrganisationID] = []
    while let next = try tx.text(
      "SELECT provider FROM catalog_resource WHERE provider > \(found.last?.text ?? "") ORDER BY provider LIMIT 1")
    {
      found.append(OrganisationID(trusted: next))
    }
    return found
  }
}
