package import Inventory
package import Kernel
package import Storage

extension GrantStore {
  /// Grants that write into a source and are not over on that day, oldest first.
  package static func writing(
    into source: SourceID, on day: CalendarDate, limit: Int, in tx: any Transaction
  ) throws -> [(number: String, resourceName: String)] {
    try tx.rows(
      """
      SELECT number, resource_name FROM sharing_grant
      WHERE target_source = \(source) AND state <> 'revoked' AND last_day >= \(day) ORDER BY id LIMIT \(limit)
      """
    ).map { (try $0.text("number"), try $0.text("resource_name")) }
  }
}

extension RequestStore {
  /// Requests that are under way and would write into a source, oldest first.
  package static func aiming(
    at source: SourceID, limit: Int, in tx: any Transaction
  ) throws -> [(number: String, resourceName: String)] {
    try tx.rows(
      """
      SELECT number, resource_name FROM sharing_request
      WHERE target_source = \(source) AND \(isOpen) ORDER BY id LIMIT \(limit)
      """
    ).map { (try $0.text("number"), try $0.text("resource_name")) }
  }
}
