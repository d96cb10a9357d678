internal import Connecting
internal import Deadlines
internal import Inventory
package import Kernel
package import Storage

/// The only SQL of resources, their versions and items.
package enum CatalogStore {
  /// One version of a resource; without a number the one in force, or else the one published last, or else the latest.
  package static func find(_ id: ResourceID, version: Int? = nil, in tx: any Transaction) throws -> Resource? {
    let number: SQL = version.map { "\($0)" } ?? "COALESCE(r.published, r.issued, r.latest)"
    return try load("v.resource = \(id) AND v.version = \(number)", in: tx).first
  }

  /// The version in force, if one is: what may be asked for and delivered.
  package static func published(_ id: ResourceID, in tx: any Transaction) throws -> Resource? {
    try load("v.resource = \(id) AND v.version = r.published", in: tx).first
  }

  /// The version that counts, whether the resource is online or not.
  package static func issued(_ id: ResourceID, in tx: any Transaction) throws -> Resource? {
    try load("v.resource = \(id) AND v.version = r.issued", in: tx).first
  }

  /// Whether a version is in force, without reading it: asked before every commit of a delivery.
  package static func isInForce(_ id: ResourceID, in tx: any Transaction) throws -> Bool {
    try tx.int("SELECT published FROM catalog_resource WHERE id = \(id)") != nil
  }

  package static func published(code: ResourceCode, in tx: any Transaction) throws -> Resource? {
    try load("r.code = \(code.description) AND v.version = r.published", in: tx).first
  }

  /// Every resource in force of one provider, by code; at most 1,000.
  package static func published(of provider: OrganisationID, in tx: any Transaction) throws -> [Resource] {
    try load("r.provider = \(provider) AND v.version = r.published ORDER BY r.code LIMIT 1000", in: tx)
  }

  /// The version being written, reviewed or last ended, whatever its state.
  package static func latest(_ id: ResourceID, in tx: any Transaction) throws -> Resource? {
    try load("v.resource = \(id) AND v.version = r.latest", in: tx).first
  }

  // MARK: Writing

  static func insert(_ resource: Resource, in tx: any Transaction) throws {
    if resource.version == 1 {
      try tx.run(
        """
        INSERT INTO catalog_resource (id, provider, code, latest, published, made_at)
        VALUES (\(resource.id), \(resource.provider), \(resource.code?.description), 1, NULL, \(resource.changedAt))
        """)
    } else {
      try tx.run("UPDATE catalog_resource SET latest = \(resource.version) WHERE id = \(resource.id)")
    }
    try insertVersions([resource], in: tx)
    try insertItems(of: [resource], in: tx)
  }

  /// Inserts first versions, in force already when they are published: what moves in from another catalogue.
  static func insert(_ resources: [Resource], in tx: any Transaction) throws {
    try tx.insert(
      "INSERT INTO catalog_resource (id, provider, code, latest, published, issued, online, online_at, made_at)",
      resources.map { resource in
        let version = resource.state == .published ? 1 : nil
        let online: OnlineState = version == nil ? .notOnline : .online
        return """
          (\(resource.id), \(resource.provider), \(resource.code?.description), 1, \(version), \(version),
            \(online), \(version.map { _ in resource.changedAt }), \(resource.changedAt))
          """
      }, columns: 9)
    try insertVersions(resources, in: tx)
    try insertItems(of: resources, in: tx)
    try openPeriods(of: resources.filter { $0.state == .published }, in: tx)
  }

  private static func insertVersions(_ resources: [Resource], in tx: any Transaction) throws {
    try tx.insert(
      """
      INSERT INTO catalog_version (resource, version, state, provider, provider_name, provider_code, system, name,
        folded_name, classes, abstract, format, sharing_type, sharing_condition, method_class, method_type, open_type,
        open_condition, cycle, related, secrecy, level, mount_source, mount_schema, mount_table, mount_keys,
        mount_cursor, revision, lists, changed_at, changed_by, submitted_at, review_due, published_on)
      """,
      resources.map { resource in
        let m = resource.metadata
        return """
          (\(resource.id), \(resource.version), \(resource.state), \(resource.provider), \(resource.providerName),
            \(resource.providerCode), \(resource.system), \(m.name), \(foldedForSearch(m.name)),
            \(m.classes.joined(separator: " ")), \(m.abstract), \(m.format), \(m.sharingType), \(m.sharingCondition),
            \(m.methodClass), \(m.methodType), \(m.openType), \(m.openCondition), \(m.cycle),
            \(m.related.joined(separator: " ")), \(m.secrecy), \(m.level), \(resource.mount?.source),
            \(resource.mount?.table.schema), \(resource.mount?.table.name),
            \(resource.mount.map { list($0.keyColumns) }), \(resource.mount?.cursorColumn), \(resource.revision),
            \(resource.lists), \(resource.changedAt), \(resource.changedBy), \(resource.submittedAt), NULL,
            \(resource.publishedOn))
          """
      }, columns: 34)
  }

  /// Writes a draft anew; false when it was changed since `revision`.
  static func update(_ resource: Resource, from revision: Int, in tx: any Transaction) throws -> Bool {
    guard resource.revision == revision else { return false }
    let m = resource.metadata
    let changed = try tx.run(
      """
      UPDATE catalog_version SET state = \(resource.state), provider_name = \(resource.providerName),
        provider_code = \(resource.providerCode), system = \(resource.system), name = \(m.name),
        folded_name = \(foldedForSearch(m.name)), classes = \(m.classes.joined(separator: " ")),
        abstract = \(m.abstract), format = \(m.format), sharing_type = \(m.sharingType),
        sharing_condition = \(m.sharingCondition), method_class = \(m.methodClass), method_type = \(m.methodType),
        open_type = \(m.openType), open_condition = \(m.openCondition), cycle = \(m.cycle),
        related = \(m.related.joined(separator: " ")), secrecy = \(m.secrecy), level = \(m.level),
        mount_source = \(resource.mount?.source), mount_schema = \(resource.mount?.table.schema),
        mount_table = \(resource.mount?.table.name), mount_keys = \(resource.mount.map { list($0.keyColumns) }),
        mount_cursor = \(resource.mount?.cursorColumn), revision = revision + 1, lists = \(resource.lists),
        changed_at = \(resource.changedAt), changed_by = \(resource.changedBy)
      WHERE resource = \(resource.id) AND version = \(resource.version) AND revision = \(revision)
      """)
    guard changed == 1 else { return false }
    try tx.run("DELETE FROM catalog_item WHERE resource = \(resource.id) AND version = \(resource.version)")
    try insertItems(of: [resource], in: tx)
    return true
  }

  /// Moves a version on; nothing of its content changes.
  static func move(
    _ resource: Resource, to state: VersionState, at now: Instant, submittedAt: Instant? = nil,
    reviewDue: DueDate? = nil, publishedOn: CalendarDate? = nil, in tx: any Transaction
  ) throws {
    let changed = try tx.run(
      """
      UPDATE catalog_version SET state = \(state), changed_at = \(now),
        submitted_at = COALESCE(\(submittedAt), submitted_at), review_due = \(reviewDue?.encoded),
        due_on = \(reviewDue?.date), published_on = COALESCE(\(publishedOn), published_on)
      WHERE resource = \(resource.id) AND version = \(resource.version) AND state = \(resource.state)
      """)
    guard changed == 1 else { throw changedMeanwhile }
  }

  static func setCode(_ code: ResourceCode, of id: ResourceID, in tx: any Transaction) throws {
    try tx.run("UPDATE catalog_resource SET code = \(code.description) WHERE id = \(id) AND code IS NULL")
  }

  /// The next number of a series, or the first of `count`; a number that was given is never given again.
  static func next(_ series: String, count: Int = 1, in tx: any Transaction) throws -> Int {
    let last =
      try tx.int(
        """
        INSERT INTO catalog_sequence (name, last) VALUES (\(series), \(count))
        ON CONFLICT (name) DO UPDATE SET last = catalog_sequence.last + \(count) RETURNING last
        """) ?? count
    return last - count + 1
  }

  // MARK: Questions of the rules

  /// Whether another live resource of this provider bears the name (width, case and the form of characters aside).
  static func nameIsTaken(
    _ name: String, provider: OrganisationID, except id: ResourceID, in tx: any Transaction
  ) throws -> Bool {
    try tx.int(
      """
      SELECT COUNT(*) FROM catalog_version v JOIN catalog_resource r ON r.id = v.resource
      WHERE v.provider = \(provider) AND v.folded_name = \(foldedForSearch(name)) AND v.resource <> \(id)
        AND (v.version = r.issued OR v.version = r.latest) AND v.state NOT IN ('discarded', 'superseded')
      """) != 0
  }

  static func unknownCodes(_ codes: [String], in tx: any Transaction) throws -> [String] {
    guard !codes.isEmpty else { return [] }
    let known = Set(
      try tx.rows("SELECT code FROM catalog_resource WHERE code IN (\(each: codes)) AND published IS NOT NULL").map {
        try $0.text("code")
      })
    return codes.filter { !known.contains($0) }
  }

  // MARK: Lists

  /// A line of the compilers' and reviewers' lists.
  struct Line: Sendable {
    var id: ResourceID
    var version: Int
    var state: VersionState
    var code: String?
    var name: String
    var provider: OrganisationID
    var providerName: String
    var revision: Int
    var changedAt: Instant
    var submittedAt: Instant?
    /// Set while it waits for the reviewer.
    var reviewDue: DueDate?
    /// Warnings and entries alike when it was submitted; nil where that was before they were counted.
    var warnings: Int?
    var alike: Int?
  }

  /// Versions that are being worked on by a provider, last changed first.
  static func work(of provider: OrganisationID, in tx: any Transaction) throws -> [Line] {
    try lines(
      """
      v.provider = \(provider) AND v.state IN ('draft', 'returned', 'submitted', 'approved')
      ORDER BY v.changed_at DESC, v.resource LIMIT 200
      """, in: tx)
  }

  static func versions(of id: ResourceID, in tx: any Transaction) throws -> [Line] {
    try lines("v.resource = \(id) ORDER BY v.version DESC LIMIT 200", in: tx)
  }

  struct Event: Sendable {
    var version: Int
    var at: Instant
    var person: String
    var organisation: String
    /// `VersionEvent` or `OnlineEvent`.
    var event: String
    var words: String
  }

  static func events(of id: ResourceID, in tx: any Transaction) throws -> [Event] {
    try tx.rows("SELECT * FROM catalog_event WHERE resource = \(id) ORDER BY position DESC LIMIT 200").map { row in
      Event(
        version: try row.int("version"), at: try row.instant("at"), person: try row.text("person"),
        organisation: try row.text("organisation"), event: try row.text("event"),
        words: try row.text("words"))
    }
  }

  static func record(
    _ event: String, of resource: Resource, by principal: Principal, at now: Instant, words: String = "",
    in tx: any Transaction
  ) throws {
    try tx.run(
      """
      INSERT INTO catalog_event (resource, position, version, at, person, organisation, event, words)
      VALUES (\(resource.id), (SELECT COALESCE(MAX(position), 0) + 1 FROM catalog_event WHERE resource = \(resource.id)),
        \(resource.version), \(now), \(principal.name), \(principal.organisationName),
        \(event), \(words))
      """)
  }

  static let changedMeanwhile = Refusal(
    .conflict, "catalog.changed",
    Text("这条目录已被他人修改，请刷新后再试。", "Somebody changed this entry meanwhile; reload and try again."))

  // MARK: Rows

  static func lines(_ condition: SQL, in tx: any Transaction) throws -> [Line] {
    try tx.rows(
      """
      SELECT v.resource, v.version, v.state, r.code, v.name, v.provider, v.provider_name, v.revision, v.changed_at,
        v.submitted_at, v.review_due, v.warnings, v.alike
      FROM catalog_version v JOIN catalog_resource r ON r.id = v.resource WHERE \(condition)
      """
    ).map { row in
      Line(
        id: try row.id("resource"), version: try row.int("version"), state: try row.choice("state"),
        code: try row.textOrNil("code"), name: try row.text("name"), provider: try row.id("provider"),
        providerName: try row.text("provider_name"), revision: try row.int("revision"),
        changedAt: try row.instant("changed_at"), submittedAt: try row.instantOrNil("submitted_at"),
        reviewDue: try row.textOrNil("review_due").flatMap { DueDate(encoded: $0) },
        warnings: try row.intOrNil("warnings"), alike: try row.intOrNil("alike"))
    }
  }

  static func load(_ condition: SQL, in tx: any Transaction) throws -> [Resource] {
    try tx.rows(
      "SELECT r.code, r.online, v.* FROM catalog_version v JOIN catalog_resource r ON r.id = v.resource WHERE \(condition)"
    ).map { row in
      let id: ResourceID = try row.id("resource")
      let version = try row.int("version")
      let mount = try row.textOrNil("mount_table").map { table in
        Mount(
          source: try row.id("mount_source"), table: TableName(schema: try row.textOrNil("mount_schema"), table),
          keyColumns: try row.text("mount_keys").split(separator: "\n").map(String.init),
          cursorColumn: try row.textOrNil("mount_cursor"))
      }
      return Resource(
        id: id, version: version, state: try row.choice("state"),
        code: try row.textOrNil("code").flatMap { ResourceCode($0) }, provider: try row.id("provider"),
        providerName: try row.text("provider_name"), providerCode: try row.text("provider_code"),
        system: try row.idOrNil("system"),
        metadata: Metadata(
          name: try row.text("name"), classes: words(try row.text("classes")), abstract: try row.text("abstract"),
          format: try row.text("format"), sharingType: try row.text("sharing_type"),
          sharingCondition: try row.text("sharing_condition"), methodClass: try row.text("method_class"),
          methodType: try row.text("method_type"), openType: try row.text("open_type"),
          openCondition: try row.text("open_condition"), cycle: try row.text("cycle"),
          related: words(try row.text("related")), secrecy: try row.text("secrecy"), level: try row.text("level")),
        items: try items(id, version, in: tx), mount: mount, revision: try row.int("revision"),
        lists: try row.text("lists"), changedAt: try row.instant("changed_at"),
        changedBy: try row.textOrNil("changed_by"), submittedAt: try row.instantOrNil("submitted_at"),
        publishedOn: try row.dateOrNil("published_on"), online: try row.choice("online"))
    }
  }

  private static func items(_ id: ResourceID, _ version: Int, in tx: any Transaction) throws -> [Item] {
    try tx.rows(
      "SELECT * FROM catalog_item WHERE resource = \(id) AND version = \(version) ORDER BY position LIMIT 1000"
    ).map { row in
      Item(
        id: try row.id("id"), name: try row.text("name"), column: try row.text("column_name"),
        dataType: try row.text("data_type"), length: try row.intOrNil("length"), scale: try row.intOrNil("scale"),
        isNullable: try row.bool("is_nullable"), isKey: try row.bool("is_key"),
        type: try row.textOrNil("carried_as").flatMap { ValueType($0) }, semantic: try row.textOrNil("semantic"),
        description: try row.text("description"), sharingType: try row.textOrNil("sharing_type"),
        sharingCondition: try row.text("sharing_condition"), grade: try row.text("grade"),
        evidence: try row.intOrNil("evidence_valid").map {
          Item.Evidence(valid: $0, looked: try row.int("evidence_looked"))
        })
    }
  }

  static func insertItems(of resources: [Resource], in tx: any Transaction) throws {
    let rows = resources.flatMap { resource in
      resource.items.enumerated().map { position, item in
        """
        (\(resource.id), \(resource.version), \(position), \(item.id), \(item.name), \(item.column), \(item.dataType),
          \(item.length), \(item.scale), \(item.isNullable), \(item.isKey), \(item.type?.description), \(item.semantic),
          \(item.description), \(item.sharingType), \(item.sharingCondition), \(item.grade), \(item.evidence?.valid),
          \(item.evidence?.looked))
        """ as SQL
      }
    }
    try tx.insert(
      """
      INSERT INTO catalog_item (resource, version, position, id, name, column_name, data_type, length, scale,
        is_nullable, is_key, carried_as, semantic, description, sharing_type, sharing_condition, grade,
        evidence_valid, evidence_looked)
      """, rows, columns: 19)
  }

  private static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
  private static func list(_ names: [String]) -> String { names.joined(separator: "\n") }
}
