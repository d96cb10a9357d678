package import Catalog
import Kernel
package import Storage

// What hangs on a resource, named without reading it whole: there may be thousands.

extension GrantStore {
  /// Those on a resource that are not over, by id, behind one on: number and consumer.
  package static func open(
    on resource: ResourceID, after: GrantID?, limit: Int, in tx: any Transaction
  ) throws -> [(id: GrantID, number: String, consumerName: String)] {
    try tx.rows(
      """
      SELECT id, number, consumer_name FROM sharing_grant
      WHERE resource = \(resource) AND state <> 'revoked' AND id > \(after?.text ?? "") ORDER BY id LIMIT \(limit)
      """
    ).map { (try $0.id("id"), try $0.text("number"), try $0.text("consumer_name")) }
  }

  /// How many there are; counted to `most` and one more.
  package static func countOpen(on resource: ResourceID, most: Int, in tx: any Transaction) throws -> Int {
    try tx.int(
      """
      SELECT COUNT(*) FROM (SELECT 1 FROM sharing_grant WHERE resource = \(resource) AND state <> 'revoked'
        LIMIT \(most + 1)) t
      """) ?? 0
  }
}

extension RequestStore {
  /// Open requests for a resource, by id, behind one on: number and consumer.
  package static func open(
    on resource: ResourceID, after: ShareRequestID?, limit: Int, in tx: any Transaction
  ) throws -> [(id: ShareRequestID, number: String, consumerName: String)] {
    try tx.rows(
      """
      SELECT id, number, consumer_name FROM sharing_request
      WHERE resource = \(resource) AND \(isOpen) AND id > \(after?.text ?? "") ORDER BY id LIMIT \(limit)
      """
    ).map { (try $0.id("id"), try $0.text("number"), try $0.text("consumer_name")) }
  }

  /// How many there are; counted to `most` and one more.
  package static func countOpen(on resource: ResourceID, most: Int, in tx: any Transaction) throws -> Int {
    try tx.int(
      """
      SELECT COUNT(*) FROM (SELECT 1 FROM sharing_request WHERE resource = \(resource) AND \(isOpen)
        LIMIT \(most + 1)) t
      """) ?? 0
  }
}
