package import Kernel
package import Storage

/// The only SQL of systems and sources.
package enum InventoryStore {
  package static func system(_ id: SystemID, in tx: any Transaction) throws -> InformationSystem? {
    try tx.row("SELECT * FROM inventory_system WHERE id = \(id)").map(system)
  }

  package static func systems(of owner: OrganisationID, in tx: any Transaction) throws -> [InformationSystem] {
    try tx.rows("SELECT * FROM inventory_system WHERE owner = \(owner) ORDER BY name, id LIMIT 500").map(system)
  }

  /// Those among these names, at most 512, that any system of any department bears: a resource must not (domain §1.4,
  /// element 2).
  package static func systemNames(among names: [String], in tx: any Transaction) throws -> Set<String> {
    Set(try tx.rows("SELECT name FROM inventory_system WHERE name IN (\(each: names))").map { try $0.text("name") })
  }

  package static func source(_ id: SourceID, in tx: any Transaction) throws -> DataSource? {
    try sources("id = \(id)", in: tx).first
  }

  /// The source where it is this owner's and not closed.
  package static func openSource(
    _ id: SourceID, of owner: OrganisationID, in tx: any Transaction
  ) throws -> DataSource? {
    try source(id, in: tx).flatMap { $0.owner == owner && $0.closedAt == nil ? $0 : nil }
  }

  /// Those that are not closed.
  package static func sources(of system: SystemID, in tx: any Transaction) throws -> [DataSource] {
    try sources("system = \(system) AND closed_at IS NULL", in: tx)
  }

  /// What opens the source, secrets in the clear: for the connector only.
  package static func address(
    of id: SourceID, seal: SourceSeal, in tx: any Transaction
  ) throws -> (source: DataSource, address: SourceAddress)? {
    guard let source = try source(id, in: tx) else { return nil }
    guard source.closedAt == nil else {
      throw Refusal(
        .conflict, "inventory.source.closed",
        Text("数据源“\(source.name)”已关闭。", "Source “\(source.name)” is closed."))
    }
    var settings = source.settings
    for row in try tx.rows(
      "SELECT name, sealed FROM inventory_source_setting WHERE source = \(id) AND sealed IS NOT NULL")
    {
      let name = try row.text("name")
      let sealed: [UInt8] = try row.blob("sealed")
      guard let opened = try? seal.open(sealed, "\(id)/\(name)") else {
        throw Refusal(
          .unavailable, "inventory.source.sealed",
          Text(
            "数据源“\(source.name)”的口令不能用本节点的密钥打开，请重新填写。",
            "The password of source “\(source.name)” does not open with this node's key; enter it again."))
      }
      settings[name] = String(decoding: opened, as: UTF8.self)
    }
    return (source, SourceAddress(kind: source.kind, settings: settings))
  }

  /// Systems by name, page by page: `after` is the last row's name and id.
  static func page(
    words: [String], owner: OrganisationID?, after: (name: String, id: SystemID)?, limit: Int, in tx: any Transaction
  ) throws -> [InformationSystem] {
    var conditions: [SQL] = words.map { .contains("folded", $0) }
    if let owner { conditions.append("owner = \(owner)") }
    if let after { conditions.append("(name, id) > (\(after.name), \(after.id))") }
    return try tx.rows(
      "SELECT * FROM inventory_system WHERE \(SQL.all(conditions)) ORDER BY name, id LIMIT \(limit)"
    ).map(system)
  }

  static func nextNumber(division: String, in tx: any Transaction) throws -> String {
    let last = try tx.int(
      """
      INSERT INTO inventory_sequence (division, last) VALUES (\(division), 1)
      ON CONFLICT (division) DO UPDATE SET last = inventory_sequence.last + 1 RETURNING last
      """)
    let digits = String(last ?? 1)
    return "XT\(division)-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
  }

  static func insert(_ system: InformationSystem, in tx: any Transaction) throws {
    let facts = system.facts
    try tx.run(
      """
      INSERT INTO inventory_system (id, number, owner, owner_name, name, purpose, scope, frequency, approved_by,
        approved_on, fund_source, network, stage, folded, revision, registered_at, changed_at)
      VALUES (\(system.id), \(system.number), \(system.owner), \(system.ownerName), \(facts.name), \(facts.function),
        \(facts.scope), \(facts.frequency), \(facts.approvedBy), \(facts.approvedOn), \(facts.fundSource),
        \(facts.network), \(facts.stage), \(folded(system)), \(system.revision), \(system.registeredAt),
        \(system.changedAt))
      """)
  }

  static func update(_ system: InformationSystem, in tx: any Transaction) throws {
    let facts = system.facts
    try tx.run(
      """
      UPDATE inventory_system SET name = \(facts.name), purpose = \(facts.function), scope = \(facts.scope),
        frequency = \(facts.frequency), approved_by = \(facts.approvedBy), approved_on = \(facts.approvedOn),
        fund_source = \(facts.fundSource), network = \(facts.network), stage = \(facts.stage),
        folded = \(folded(system)), revision = \(system.revision), changed_at = \(system.changedAt)
      WHERE id = \(system.id)
      """)
  }

  static func nameIsTaken(
    _ name: String, owner: OrganisationID, except id: SystemID?, in tx: any Transaction
  ) throws -> Bool {
    try tx.int(
      """
      SELECT COUNT(*) FROM inventory_system
      WHERE owner = \(owner) AND name = \(name) AND id <> \(id?.text ?? "")
      """) != 0
  }

  static func insert(_ source: DataSource, sealed: [String: [UInt8]], in tx: any Transaction) throws {
    try tx.run(
      """
      INSERT INTO inventory_source (id, system, owner, name, kind, made_at, is_protected, is_read_only)
      VALUES (\(source.id), \(source.system), \(source.owner), \(source.name), \(source.kind), \(source.madeAt),
        \(false), \(false))
      """)
    try putSettings(source.id, source.settings, sealed, in: tx)
  }

  static func update(_ source: DataSource, sealed: [String: [UInt8]], in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE inventory_source SET name = \(source.name), probed_at = NULL, product = NULL, failure = NULL
      WHERE id = \(source.id)
      """)
    try tx.run("DELETE FROM inventory_source_setting WHERE source = \(source.id) AND sealed IS NULL")
    try putSettings(source.id, source.settings, sealed, in: tx)
  }

  /// Also by one that is closed.
  static func isTaken(
    _ name: String, bySourceOf system: SystemID, except id: SourceID?, in tx: any Transaction
  ) throws -> Bool {
    try tx.int(
      """
      SELECT COUNT(*) FROM inventory_source WHERE system = \(system) AND name = \(name) AND id <> \(id?.text ?? "")
      """) != 0
  }

  /// Nobody opens it again: its secrets are forgotten.
  static func close(_ id: SourceID, at now: Instant, in tx: any Transaction) throws {
    try tx.run("DELETE FROM inventory_source_setting WHERE source = \(id) AND sealed IS NOT NULL")
    try tx.run("UPDATE inventory_source SET closed_at = \(now) WHERE id = \(id) AND closed_at IS NULL")
  }

  static func record(_ probe: DataSource.Probe, of id: SourceID, in tx: any Transaction) throws {
    try tx.run(
      """
      UPDATE inventory_source SET probed_at = \(probe.at), product = \(probe.product), failure = \(probe.failure.map(lines)),
        is_protected = \(probe.isProtected), is_read_only = \(probe.isReadOnly)
      WHERE id = \(id)
      """)
  }

  /// Words in both languages in one column: a line each. What was kept before there were two has one line.
  private static func lines(_ words: Text) -> String {
    [words.chinese, words.english].map { $0.replacing("\n", with: " ") }.joined(separator: "\n")
  }

  private static func words(_ lines: String) -> Text {
    let parts = lines.split(separator: "\n", maxSplits: 1).map(String.init)
    return parts.count == 2 ? Text(parts[0], parts[1]) : Text(same: lines)
  }

  private static func putSettings(
    _ id: SourceID, _ settings: [String: String], _ sealed: [String: [UInt8]], in tx: any Transaction
  ) throws {
    for (name, value) in settings {
      try tx.run(
        "INSERT INTO inventory_source_setting (source, name, value, sealed) VALUES (\(id), \(name), \(value), NULL)")
    }
    for (name, bytes) in sealed {
      try tx.run(
        """
        INSERT INTO inventory_source_setting (source, name, value, sealed) VALUES (\(id), \(name), NULL, \(bytes))
        ON CONFLICT (source, name) DO UPDATE SET sealed = excluded.sealed
        """)
    }
  }

  private static func sources(_ condition: SQL, in tx: any Transaction) throws -> [DataSource] {
    try tx.rows("SELECT * FROM inventory_source WHERE \(condition) ORDER BY name, id LIMIT 200").map { row in
      let id: SourceID = try row.id("id")
      var settings: [String: String] = [:]
      var secrets: [String] = []
      for setting in try tx.rows(
        "SELECT name, value FROM inventory_source_setting WHERE source = \(id) ORDER BY name")
      {
        if let value = try setting.textOrNil("value") {
          settings[try setting.text("name")] = value
        } else {
          secrets.append(try setting.text("name"))
        }
      }
      let probe = try row.instantOrNil("probed_at").map { at in
        DataSource.Probe(
          at: at, product: try row.textOrNil("product"), failure: try row.textOrNil("failure").map(words),
          isProtected: try row.bool("is_protected"), isReadOnly: try row.bool("is_read_only"))
      }
      return DataSource(
        id: id, system: try row.id("system"), owner: try row.id("owner"), name: try row.text("name"),
        kind: try row.text("kind"), settings: settings, secrets: secrets, lastProbe: probe,
        madeAt: try row.instant("made_at"), closedAt: try row.instantOrNil("closed_at"))
    }
  }

  private static func system(_ row: Row) throws -> InformationSystem {
    InformationSystem(
      id: try row.id("id"), number: try row.text("number"), owner: try row.id("owner"),
      ownerName: try row.text("owner_name"),
      facts: SystemFacts(
        name: try row.text("name"), function: try row.text("purpose"), scope: try row.text("scope"),
        frequency: try row.text("frequency"), approvedBy: try row.text("approved_by"),
        approvedOn: try row.date("approved_on"), fundSource: try row.text("fund_source"),
        network: try row.text("network"), stage: try row.text("stage")),
      revision: try row.int("revision"), registeredAt: try row.instant("registered_at"),
      changedAt: try row.instant("changed_at"))
  }

  /// What the list's search box looks through.
  private static func folded(_ system: InformationSystem) -> String {
    foldedForSearch([system.number, system.facts.name, system.facts.function, system.ownerName].joined(separator: " "))
  }
}
