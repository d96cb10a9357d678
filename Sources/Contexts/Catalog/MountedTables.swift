package import Connecting
package import Inventory
internal import Kernel
package import Storage

extension CatalogStore {
  /// An entry that names a table of a source: the version in force, or what is being written.
  package struct MountedTable: Hashable, Sendable {
    package var resource: ResourceID
    package var version: Int
    package var state: VersionState
    package var name: String
    package var table: TableName
  }

  /// Entries in force that name a table, by id, behind one on. Reads along the key of versions: for a job.
  package static func mounted(
    after resource: ResourceID?, limit: Int, in tx: any Transaction
  ) throws -> [ResourceID] {
    try tx.rows(
      """
      SELECT v.resource FROM catalog_version v JOIN catalog_resource r ON r.id = v.resource AND r.published = v.version
      WHERE v.mount_source IS NOT NULL AND v.resource > \(resource?.text ?? "") ORDER BY v.resource LIMIT \(limit)
      """
    ).map { try $0.id("resource") }
  }

  /// The entry tied to a table, the oldest of several: as it is written now where a version is.
  package static func mounted(on source: SourceID, _ table: TableName, in tx: any Transaction) throws -> ResourceID? {
    try tx.row(
      """
      SELECT v.resource FROM catalog_version v JOIN catalog_resource r ON r.id = v.resource
      WHERE v.mount_source = \(source) AND v.mount_table = \(table.name)
        AND COALESCE(v.mount_schema, '') = \(table.schema ?? "") AND (v.version = r.published OR v.version = r.latest)
        AND v.state NOT IN ('superseded', 'withdrawn', 'discarded') ORDER BY v.resource LIMIT 1
      """
    ).map { try $0.id("resource") }
  }

  /// Entries tied to tables of a source, at most 20,000.
  package static func mounted(on source: SourceID, in tx: any Transaction) throws -> [MountedTable] {
    try tx.rows(
      """
      SELECT v.resource, v.version, v.state, v.name, v.mount_schema, v.mount_table
      FROM catalog_version v JOIN catalog_resource r ON r.id = v.resource
      WHERE v.mount_source = \(source) AND (v.version = r.published OR v.version = r.latest)
        AND v.state NOT IN ('superseded', 'withdrawn', 'discarded') LIMIT 20000
      """
    ).map { row in
      MountedTable(
        resource: try row.id("resource"), version: try row.int("version"), state: try row.choice("state"),
        name: try row.text("name"),
        table: TableName(schema: try row.textOrNil("mount_schema"), try row.text("mount_table")))
    }
  }
}

extension Cataloguing {
  /// The entry of a table of one's own source, as it is written or stands now.
  func entry(of table: TableName, in source: SourceID) async throws -> Resource? {
    try await db.read { tx in
      try CatalogStore.mounted(on: source, table, in: tx).flatMap { try CatalogStore.latest($0, in: tx) }
    }
  }
}
