package import Catalog
import Kernel
package import Storage

extension GrantStore {
  /// Every grant that was ever given on any of these resources, in force or not.
  package static func all(
    on resources: [ResourceID], in tx: any Transaction
  ) throws -> [(grant: GrantID, resource: ResourceID)] {
    try tx.rows("SELECT id, resource FROM sharing_grant WHERE resource IN (\(each: resources.map(\.text)))").map {
      (try $0.id("id"), try $0.id("resource"))
    }
  }
}
