internal import Connecting
internal import Deadlines
internal import Identity
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
    try openPeriods(of: resources.filter { $0.state == .published }, in: tx)
  }

  /// Inserts further versions, each one more than the last of its resource.
  static func insertNext(_ resources: [Resource], in tx: any Transaction) throws {
    for part in parts(of: resources.map(\.id)) {
      try tx.run("UPDATE catalog_resource SET latest = latest + 1 WHERE id IN (\(each: part))")
    }
    try insertVersions(resources, in: tx)
  }

  @discardableResult
  private static func insertVersions(
    _ resources: [Resource], then rest: SQL = "", in tx: any Transaction
  ) throws -> Int {
    try tx.insert(
      """
      INSERT INTO catalog_version (resource, version, state, provider, provider_name, provider_code, system, name,
        folded_name, classes, abstract, format, sharing_type, sharing_condition, method_class, method_type, open_type,
        open_condition, cycle, related, secrecy, level, mount_source, mount_schema, mount_table, mount_keys,
        mount_cursor, revision, lists, changed_at, changed_by, submitted_at, review_due, published_on, items)
      """,
      resources.lazy.map { resource -> SQL in
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
            \(resource.publishedOn), \(ItemDocument.text(resource.items)))
          """
      }, columns: 35, then: rest)
  }

  /// Writes a draft anew; false when it was changed since `revision`.
  static func update(_ resource: Resource, from revision: Int, in tx: any Transaction) throws -> Bool {
    guard resource.revision == revision else { return false }
    var next = resource
    next.revision += 1
    return try rewrite([next], in: tx) == 1
  }

  /// Writes drafts anew, each the next revision of what is there, and says how many those were: one that was changed
  /// meanwhile is left.
  static func rewrite(_ drafts: [Resource], in tx: any Transaction) throws -> Int {
    try insertVersions(
      drafts,
      then: """
        ON CONFLICT (resource, version) DO UPDATE SET state = excluded.state, provider_name = excluded.provider_name,
          provider_code = excluded.provider_code, system = excluded.system, name = excluded.name,
          folded_name = excluded.folded_name, classes = excluded.classes, abstract = excluded.abstract,
          format = excluded.format, sharing_type = excluded.sharing_type,
          sharing_condition = excluded.sharing_condition, method_class = excluded.method_class,
          method_type = excluded.method_type, open_type = excluded.open_type,
          open_condition = excluded.open_condition, cycle = excluded.cycle, related = excluded.related,
          secrecy = excluded.secrecy, level = excluded.level, mount_source = excluded.mount_source,
          mount_schema = excluded.mount_schema, mount_table = excluded.mount_table, mount_keys = excluded.mount_keys,
          mount_cursor = excluded.mount_cursor, revision = excluded.revision, lists = excluded.lists,
          changed_at = excluded.changed_at, changed_by = excluded.changed_by, items = excluded.items
        WHERE catalog_version.revision = excluded.revision - 1
        """, in: tx)
  }

  /// Moves a version on; nothing of its content changes. `revision` is what it has from now on: what is submitted is another
  /// one than what was submitted before, taken back and perhaps given other attachments.
  static func move(
    _ resource: Resource, to state: VersionState, at now: Instant, submittedAt: Instant? = nil,
    reviewDue: DueDate? = nil, publishedOn: CalendarDate? = nil, revision: Int? = nil, in tx: any Transaction
  ) throws {
    let changed = try tx.run(
      """
      UPDATE catalog_version SET state = \(state), changed_at = \(now),
        submitted_at = COALESCE(\(submittedAt), submitted_at), review_due = \(reviewDue?.encoded),
        due_on = \(reviewDue?.date), published_on = COALESCE(\(publishedOn), published_on),
        revision = \(revision ?? resource.revision)
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

  /// The live entries of the same providers that bear the names of these (width, case and the form of characters aside).
  static func bearers(of resources: [Resource], in tx: any Transaction) throws -> [NameKey: [ResourceID]] {
    var found: [NameKey: [ResourceID]] = [:]
    for part in parts(of: Array(Set(resources.map(NameKey.init)))) {
      for row in try tx.rows(
        """
        \(NameKey.wanted(part)) SELECT v.provider, v.folded_name, v.resource
        FROM wanted w CROSS JOIN catalog_version v JOIN catalog_resource r ON r.id = v.resource
        WHERE v.provider = w.provider AND v.folded_name = w.folded_name
          AND (v.version = r.issued OR v.version = r.latest) AND v.state NOT IN ('discarded', 'superseded')
        """)
      {
        let key = NameKey(provider: try row.id("provider"), folded: try row.text("folded_name"))
        found[key, default: []].append(try row.id("resource"))
      }
    }
    return found
  }

  /// Those among these codes that an entry in force has.
  static func publishedCodes(among codes: [String], in tx: any Transaction) throws -> Set<String> {
    Set(
      try parts(of: Array(Set(codes))).flatMap { part in
        try tx.rows("SELECT code FROM catalog_resource WHERE code IN (\(each: part)) AND published IS NOT NULL").map {
          try $0.text("code")
        }
      })
  }

  /// Those among these entries, at most 512, that are a provider's.
  static func own(
    _ ids: ArraySlice<ResourceID>, of provider: OrganisationID, in tx: any Transaction
  ) throws -> [ResourceID] {
    try tx.rows("SELECT id FROM catalog_resource WHERE id IN (\(each: ids)) AND provider = \(provider)").map {
      try $0.id("id")
    }
  }

  /// A provider's entries of these codes, at most 512.
  static func coded(
    _ codes: ArraySlice<String>, of provider: OrganisationID, in tx: any Transaction
  ) throws -> [String: ResourceID] {
    var found: [String: ResourceID] = [:]
    for row in try tx.rows(
      "SELECT id, code FROM catalog_resource WHERE code IN (\(each: codes)) AND provider = \(provider)")
    {
      found[try row.text("code")] = try row.id("id")
    }
    return found
  }

  /// A provider's live versions, each with its name, that bear one of these folded names, at most 512.
  static func live(
    named names: ArraySlice<String>, of provider: OrganisationID, in tx: any Transaction
  ) throws -> [(name: String, version: VersionKey)] {
    try tx.rows(
      """
      SELECT v.folded_name, v.resource, v.version FROM catalog_version v JOIN catalog_resource r ON r.id = v.resource
      WHERE v.provider = \(provider) AND v.folded_name IN (\(each: names))
        AND (v.version = r.issued OR v.version = r.latest) AND v.state NOT IN ('discarded', 'superseded')
      """
    ).map { (try $0.text("folded_name"), VersionKey(resource: try $0.id("resource"), version: try $0.int("version"))) }
  }

  // MARK: Lists

  /// A line of the compilers' and reviewers' lists.
  struct Line: Sendable {
    var id: ResourceID
    var version: Int
    var state: VersionState
    var online: OnlineState
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
    /// Why it was written, of a later version that was submitted.
    var change: VersionChange?
  }

  /// Versions of a provider in these states with any part of a name, by id, after one of them.
  static func open(
    of provider: OrganisationID, in states: [String], name: String = "", after: ResourceID?, limit: Int,
    in tx: any Transaction
  ) throws -> [Line] {
    // The first is that of the index, word by word; no entry has two versions that are open.
    var conditions: [SQL] = [
      "v.state = 'draft' OR v.state = 'returned' OR v.state = 'submitted' OR v.state = 'approved'",
      "v.provider = \(provider)", "v.state IN (\(each: states))",
    ]
    if !name.isEmpty { conditions.append(.contains("v.folded_name", foldedForSearch(name))) }
    if let after { conditions.append("v.resource > \(after)") }
    return try lines("\(SQL.all(conditions)) ORDER BY v.resource LIMIT \(limit)", in: tx)
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

  /// The last sending back of this version that no new submission followed.
  static func sentBack(_ resource: Resource, in tx: any Transaction) throws -> Event? {
    let steps = [VersionEvent.sendBack.rawValue, VersionEvent.submit.rawValue]
    let last = try events(of: resource.id, in: tx).first { $0.version == resource.version && steps.contains($0.event) }
    return last?.event == VersionEvent.sendBack.rawValue ? last : nil
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

  /// The same event of many resources, once of each.
  static func record(
    _ event: VersionEvent, of resources: [Resource], by principal: Principal, at now: Instant, in tx: any Transaction
  ) throws {
    var last: [String: Int] = [:]
    for part in parts(of: resources.map(\.id)) {
      for row in try tx.rows(
        """
        SELECT resource, MAX(position) AS position FROM catalog_event WHERE resource IN (\(each: part)) GROUP BY resource
        """)
      {
        last[try row.text("resource")] = try row.int("position")
      }
    }
    try tx.insert(
      "INSERT INTO catalog_event (resource, position, version, at, person, organisation, event, words)",
      resources.map { resource in
        """
        (\(resource.id), \(last[resource.id.text, default: 0] + 1), \(resource.version), \(now), \(principal.name),
          \(principal.organisationName), \(event), '')
        """
      }, columns: 8)
  }

  static let changedMeanwhile = Refusal(
    .conflict, "catalog.changed",
    Text("这条目录已被他人修改，请刷新后再试。", "Somebody changed this entry meanwhile; reload and try again."))

  // MARK: Rows

  static func lines(_ condition: SQL, in tx: any Transaction) throws -> [Line] {
    try tx.rows(
      """
      SELECT v.resource, v.version, v.state, r.online, r.code, v.name, v.provider, v.provider_name, v.revision, v.changed_at,
        v.submitted_at, v.review_due, v.warnings, v.alike, \(changeColumns)
      FROM catalog_version v JOIN catalog_resource r ON r.id = v.resource WHERE \(condition)
      """
    ).map { row in
      Line(
        id: try row.id("resource"), version: try row.int("version"), state: try row.choice("state"),
        online: try row.choice("online"), code: try row.textOrNil("code"), name: try row.text("name"),
        provider: try row.id("provider"), providerName: try row.text("provider_name"),
        revision: try row.int("revision"),
        changedAt: try row.instant("changed_at"), submittedAt: try row.instantOrNil("submitted_at"),
        reviewDue: try row.textOrNil("review_due").flatMap { DueDate(encoded: $0) },
        warnings: try row.intOrNil("warnings"), alike: try row.intOrNil("alike"), change: try change(row))
    }
  }

  /// The versions in force of these.
  static func published(_ ids: [ResourceID], in tx: any Transaction) throws -> [ResourceID: Resource] {
    let found = try parts(of: ids).flatMap { try load("r.id IN (\(each: $0)) AND v.version = r.published", in: tx) }
    return Dictionary(found.map { ($0.id, $0) }) { first, _ in first }
  }

  /// Versions, of which one that is not there is left out.
  static func find(_ versions: [VersionKey], in tx: any Transaction) throws -> [VersionKey: Resource] {
    let found = try parts(of: versions).flatMap {
      try load("v.resource = w.resource AND v.version = w.version", among: $0, in: tx)
    }
    return Dictionary(found.map { (VersionKey($0), $0) }) { first, _ in first }
  }

  /// The latest versions of these.
  static func latest(_ ids: some Sequence<ResourceID>, in tx: any Transaction) throws -> [Resource] {
    try parts(of: Array(ids)).flatMap { try load("r.id IN (\(each: $0)) AND v.version = r.latest", in: tx) }
  }

  /// With `keys`, the condition may speak of them as `w`.
  static func load(
    _ condition: SQL, among keys: ArraySlice<VersionKey>? = nil, in tx: any Transaction
  ) throws -> [Resource] {
    let (wanted, from) = keys.map { (VersionKey.wanted($0), "wanted w CROSS JOIN " as SQL) } ?? ("", "")
    return try tx.rows(
      """
      \(wanted) SELECT r.code, r.online, v.*
      FROM \(from)catalog_version v JOIN catalog_resource r ON r.id = v.resource WHERE \(condition)
      """
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
        items: try ItemDocument.items(try row.text("items")), mount: mount, revision: try row.int("revision"),
        lists: try row.text("lists"), changedAt: try row.instant("changed_at"),
        changedBy: try row.textOrNil("changed_by"), submittedAt: try row.instantOrNil("submitted_at"),
        publishedOn: try row.dateOrNil("published_on"), online: try row.choice("online"))
    }
  }

  private static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
  private static func list(_ names: [String]) -> String { names.joined(separator: "\n") }
}
