import Inventory
import Catalog
package import Kernel
package import Storage

package enum GrantStore {
  package static func find(_ id: GrantID, in tx: any Transaction) throws -> Grant? {
    try tx.row("\(select) WHERE id = \(id)").map { try grant($0, in: tx) }
  }

  package static func find(request: ShareRequestID, in tx: any Transaction) throws -> Grant? {
    try tx.row("\(select) WHERE request = \(request)").map { try grant($0, in: tx) }
  }

  /// By its number as people write it, such as 青数授〔2026〕000001.
  package static func find(number: String, in tx: any Transaction) throws -> Grant? {
    try tx.row("\(select) WHERE number = \(number)").map { try grant($0, in: tx) }
  }

  package static func list(
    organisation: OrganisationID?, before: GrantID? = nil, limit: Int = 50, in tx: any Transaction
  ) throws -> [Grant] {
    var conditions: [SQL] = []
    if let organisation { conditions.append("consumer = \(organisation) OR provider = \(organisation)") }
    if let before { conditions.append("id < \(before)") }
    return try tx.rows("\(select) WHERE \(SQL.all(conditions)) ORDER BY id DESC LIMIT \(limit)").map {
      try grant($0, in: tx)
    }
  }

  /// The number of the grant that writes this table, whatever became of it: its rows and offset stand there.
  static func writing(_ source: SourceID, _ table: String, in tx: any Transaction) throws -> String? {
    try tx.text("SELECT number FROM sharing_grant WHERE target_source = \(source) AND target_table = \(table) LIMIT 1")
  }

  /// The grant's secret, sealed under the node's key.
  package static func sealedSecret(of id: GrantID, in tx: any Transaction) throws -> [UInt8] {
    guard let row = try tx.row("SELECT secret FROM sharing_grant WHERE id = \(id)") else {
      throw Refusal.notFound(Text("授权", "grant"))
    }
    return try row.blob("secret")
  }

  static func insert(_ grant: Grant, sealedSecret: [UInt8], in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO sharing_grant (id, number, request, resource, resource_version, resource_name, provider, provider_name,
        consumer, consumer_name, purpose, legal_basis, scene, mode, frequency, first_day, last_day, target_source,
        target_table, gone_rows, row_filter, secret, state, version, created_at)
      VALUES (\(grant.id), \(grant.number), \(grant.request), \(grant.resource), \(grant.resourceVersion),
        \(grant.resourceName), \(grant.provider), \(grant.providerName), \(grant.consumer), \(grant.consumerName),
        \(grant.purpose), \(grant.legalBasis), \(grant.scene), \(grant.mode), \(grant.frequency), \(grant.firstDay),
        \(grant.lastDay), \(grant.targetSource), \(grant.targetTable), \(grant.goneRows), \(grant.rowFilter), \(sealedSecret), \(grant.state), \(grant.version),
        \(grant.createdAt))
      """)
    for (position, item) in grant.items.enumerated() {
      try tx.run(
        """
        INSERT INTO sharing_grant_item (grant_id, position, item, name, column_name, is_key, mask)
        VALUES (\(grant.id), \(position), \(item.item), \(item.name), \(item.column), \(item.isKey), \(item.mask.encoded))
        """)
    }
  }

  /// False when somebody was faster.
  static func setState(
    _ state: Grant.State, of id: GrantID, version: Int, by name: String, for other: String? = nil, why: String,
    at now: Instant,
    in tx: any Transaction
  ) throws -> Bool {
    try tx.run(
      """
      UPDATE sharing_grant SET state = \(state), ended_at = \(now), ended_by = \(name), ended_for = \(other),
        ended_why = \(why), version = version + 1
      WHERE id = \(id) AND version = \(version)
      """) == 1
  }

  private static let select: SQL = """
    SELECT id, number, request, resource, resource_version, resource_name, provider, provider_name, consumer,
      consumer_name, purpose, legal_basis, scene, mode, frequency, first_day, last_day, target_source, target_table,
      gone_rows, row_filter, state, ended_at, ended_by, ended_for, ended_why, version, created_at
    FROM sharing_grant
    """

  private static func grant(_ row: Row, in tx: any Transaction) throws -> Grant {
    let id: GrantID = try row.id("id")
    let items = try tx.rows(
      "SELECT item, name, column_name, is_key, mask FROM sharing_grant_item WHERE grant_id = \(id) ORDER BY position"
    ).map { row in
      guard let mask = Mask(try row.text("mask")) else { throw StorageError(.decoding, "a mask of grant \(id)") }
      return Grant.Item(
        item: try row.id("item"), name: try row.text("name"), column: try row.text("column_name"),
        isKey: try row.bool("is_key"), mask: mask)
    }
    return Grant(
      id: id, number: try row.text("number"), request: try row.id("request"), resource: try row.id("resource"),
      resourceVersion: try row.int("resource_version"), resourceName: try row.text("resource_name"),
      provider: try row.id("provider"), providerName: try row.text("provider_name"), consumer: try row.id("consumer"),
      consumerName: try row.text("consumer_name"), purpose: try row.text("purpose"),
      legalBasis: try row.text("legal_basis"), scene: try row.text("scene"), mode: try row.choice("mode"),
      frequency: try row.choice("frequency"),
      firstDay: try row.date("first_day"), lastDay: try row.date("last_day"), targetSource: try row.id("target_source"),
      targetTable: try row.text("target_table"), goneRows: try row.choice("gone_rows"), items: items,
      rowFilter: try row.textOrNil("row_filter"),
      state: try row.choice("state"),
      endedAt: try row.instantOrNil("ended_at"), endedBy: try row.textOrNil("ended_by"),
      endedFor: try row.textOrNil("ended_for"),
      endedWhy: try row.textOrNil("ended_why"), version: try row.int("version"),
      createdAt: try row.instant("created_at"))
  }
}
