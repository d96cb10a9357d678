package import Catalog
package import Kernel
package import Storage

// What hangs on a resource, named without reading it whole: there may be thousands.

/// One kind of it: rows with an id, a number and a consumer's name.
package struct HangingOnResource<Kind>: Sendable {
  fileprivate let table: SQL
  /// Which of them are not over.
  fileprivate let condition: SQL

  /// Those on a resource, by id, behind one on.
  package func list(
    on resource: ResourceID, after: ID<Kind>?, limit: Int, in tx: any Transaction
  ) throws -> [(id: ID<Kind>, number: String, consumerName: String)] {
    try tx.rows(
      """
      SELECT id, number, consumer_name FROM \(table)
      WHERE resource = \(resource) AND \(condition) AND id > \(after?.text ?? "") ORDER BY id LIMIT \(limit)
      """
    ).map { (try $0.id("id"), try $0.text("number"), try $0.text("consumer_name")) }
  }

  /// How many there are; counted to `most` and one more.
  package func count(on resource: ResourceID, most: Int, in tx: any Transaction) throws -> Int {
    try tx.int(
      """
      SELECT COUNT(*) FROM (SELECT 1 FROM \(table) WHERE resource = \(resource) AND \(condition) LIMIT \(most + 1)) t
      """) ?? 0
  }
}

extension GrantStore {
  /// Grants that are not over.
  package static let open = HangingOnResource<Grant>(table: "sharing_grant", condition: "state <> 'revoked'")
}

extension RequestStore {
  /// Requests that are not decided or given up.
  package static let open = HangingOnResource<ShareRequest>(table: "sharing_request", condition: isOpen)
}
