import Inventory
import Kernel
package import Storage

/// The only SQL of the servers that front-end databases stand on.
package enum FrontServerStore {
  package static func find(_ id: FrontServerID, in tx: any Transaction) throws -> FrontServer? {
    try tx.row("\(select) WHERE s.id = \(id)").map { try server($0, in: tx) }
  }

  /// At most 500, by name.
  static func list(in tx: any Transaction) throws -> [FrontServer] {
    try tx.rows("\(select) ORDER BY s.name LIMIT 500").map { try server($0, in: tx) }
  }

  static func isTaken(_ name: String, except id: FrontServerID?, in tx: any Transaction) throws -> Bool {
    try tx.int("SELECT COUNT(*) FROM frontnodes_server WHERE name = \(name) AND id <> \(id?.text ?? "")") != 0
  }

  static func insert(_ server: FrontServer, sealed: [String: [UInt8]], in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO frontnodes_server (id, name, kind, area, shown_place, is_closed, version, made_at, is_protected)
      VALUES (\(server.id), \(server.name), \(server.kind), \(server.area), \(server.shownPlace), \(server.isClosed), 0,
        \(server.madeAt), \(false))
      """)
    try put(server.settings, sealed, of: server.id, in: tx)
  }

  static func update(_ server: FrontServer, sealed: [String: [UInt8]], in tx: any Transaction) throws {
    let changed = try tx.run(
      """
      UPDATE frontnodes_server SET name = \(server.name), area = \(server.area), shown_place = \(server.shownPlace),
        is_closed = \(server.isClosed), version = version + 1, probed_at = NULL, product = NULL, failure_zh = NULL,
        failure_en = NULL
      WHERE id = \(server.id) AND version = \(server.version)
      """)
    guard changed == 1 else { throw FrontNodeStore.changedMeanwhile }
    try tx.run("DELETE FROM frontnodes_server_setting WHERE server = \(server.id) AND sealed IS NULL")
    try put(server.settings, sealed, of: server.id, in: tx)
  }

  static func record(_ probe: DataSource.Probe, of id: FrontServerID, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE frontnodes_server SET probed_at = \(probe.at), product = \(probe.product),
        failure_zh = \(probe.failure?.chinese), failure_en = \(probe.failure?.english),
        is_protected = \(probe.isProtected)
      WHERE id = \(id)
      """)
  }

  /// Sealed settings by name.
  static func sealed(of id: FrontServerID, in tx: any Transaction) throws -> [String: [UInt8]] {
    Dictionary(
      uniqueKeysWithValues: try tx.rows(
        "SELECT name, sealed FROM frontnodes_server_setting WHERE server = \(id) AND sealed IS NOT NULL"
      ).map { (try $0.text("name"), try $0.blob("sealed")) })
  }

  private static let select: SQL =
    """
    SELECT s.*, (SELECT COUNT(*) FROM frontnodes_node n
      WHERE n.server = s.id AND n.state IN ('allotted', 'used', 'returning', 'reclaimed')) AS nodes
    FROM frontnodes_server s
    """

  private static func put(
    _ settings: [String: String], _ sealed: [String: [UInt8]], of id: FrontServerID, in tx: any Transaction
  ) throws {
    for (name, value) in settings {
      try tx.run(
        "INSERT INTO frontnodes_server_setting (server, name, value, sealed) VALUES (\(id), \(name), \(value), NULL)")
    }
    for (name, bytes) in sealed {
      try tx.run(
        """
        INSERT INTO frontnodes_server_setting (server, name, value, sealed) VALUES (\(id), \(name), NULL, \(bytes))
        ON CONFLICT (server, name) DO UPDATE SET sealed = excluded.sealed
        """)
    }
  }

  private static func server(_ row: Row, in tx: any Transaction) throws -> FrontServer {
    let id: FrontServerID = try row.id("id")
    var settings: [String: String] = [:]
    for one in try tx.rows(
      "SELECT name, value FROM frontnodes_server_setting WHERE server = \(id) AND value IS NOT NULL")
    {
      settings[try one.text("name")] = try one.text("value")
    }
    let probe = try row.instantOrNil("probed_at").map { at in
      DataSource.Probe(
        at: at, product: try row.textOrNil("product"),
        failure: try row.textOrNil("failure_zh").map { Text($0, try row.textOrNil("failure_en") ?? $0) },
        isProtected: try row.bool("is_protected"), isReadOnly: false)
    }
    return FrontServer(
      id: id, name: try row.text("name"), kind: try row.text("kind"), area: try row.choice("area"), settings: settings,
      shownPlace: try row.textOrNil("shown_place"), isClosed: try row.bool("is_closed"),
      version: try row.int("version"),
      madeAt: try row.instant("made_at"), lastProbe: probe, nodes: try row.int("nodes"))
  }
}
