import Kernel
package import Sharing
package import Storage

extension DeliveryStore {
  /// The most rows that one finished delivery carried under each of these grants; grants that carried none are left out.
  package static func mostDelivered(under grants: [GrantID], in tx: any Transaction) throws -> [GrantID: Int] {
    var most: [GrantID: Int] = [:]
    for row in try tx.rows(
      """
      SELECT grant_id, MAX(rows_delivered) AS most FROM exchange_delivery
      WHERE grant_id IN (\(each: grants.map(\.text))) AND state = 'delivered' GROUP BY grant_id
      """)
    {
      most[try row.id("grant_id")] = try row.int("most")
    }
    return most
  }
}
