internal import Audit
package import Calendars
package import Deadlines
package import Identity
internal import Inbox
package import Inventory
package import Kernel
package import Storage

extension Permission {
  package static let readCatalog = Permission("catalog.read")
  package static let compileCatalog = Permission("catalog.compile")
  package static let reviewCatalog = Permission("catalog.review")
}

/// Compiling, reviewing, publishing and finding resources.
package struct Cataloguing: Sendable {
  package static let authority: [Permission: Set<Role>] = [
    .readCatalog: [.platformOperator, .dataOfficer, .clerk, .leader],
    .compileCatalog: [.dataOfficer],
    .reviewCatalog: [.platformOperator],
  ]

  package var db: any Database
  package var clock: Clock
  package var register: SystemRegister
  package var providers: Providers
  package var lists: CodeLists
  let classes: ClassificationKeeper
  package var calendars: Calendars
  package var rules: [RuleSet]
  package var dependents: Dependents
  /// What a resource that leaves the catalogue sets in motion above this context, in the same transaction; filled in by App.
  package var left: @Sendable (Resource, Instant, any Transaction) throws -> Void
  package var mountWatch: MountWatch
  /// Follows the entries for the counts beside search results.
  let board = FacetBoard()

  package init(
    db: any Database, clock: Clock, register: SystemRegister, providers: Providers = .identity,
    lists: CodeLists = .embedded,
    classification: Classification = .embedded, calendars: Calendars = .embedded,
    rules: [RuleSet] = RuleSet.embedded, dependents: Dependents = .none, mountWatch: MountWatch = .none,
    left: @escaping @Sendable (Resource, Instant, any Transaction) throws -> Void = { _, _, _ in }
  ) {
    self.db = db
    self.clock = clock
    self.register = register
    self.providers = providers
    self.lists = lists
    classes = ClassificationKeeper(classification)
    self.calendars = calendars
    self.rules = rules
    self.dependents = dependents
    self.left = left
    self.mountWatch = mountWatch
  }

  /// The national and the local classes as the last transaction of this process saw them: for pages.
  package var classification: Classification { classes.latest }

  /// The same as this transaction sees them: for whatever is decided in it.
  func classification(in tx: any Transaction) throws -> Classification {
    try classes.inForce(on: clock.today, in: tx)
  }

  /// What hangs on a resource, asked before it is taken offline. `App` fills it in with Sharing's answer.
  package struct Dependents: Sendable {
    /// So many are named on one page.
    package static let page = 50
    /// Counted up to here; beyond, a count is this and one more.
    package static let countLimit = 10_000

    package struct Page: Sendable {
      /// How many there are of each kind, whatever the page.
      package var counts: [(what: Text, number: Int)]
      /// What each is and what becomes of it.
      package var lines: [Text]
      /// Where the next page begins; nil at the end.
      package var next: String?

      package init(counts: [(what: Text, number: Int)], lines: [Text], next: String?) {
        self.counts = counts
        self.lines = lines
        self.next = next
      }
      package var isEmpty: Bool { counts.allSatisfy { $0.number == 0 } }
      static let none = Page(counts: [], lines: [], next: nil)
    }

    /// At most `page` of them, behind a place that an earlier page named.
    package var of: @Sendable (ResourceID, _ after: String?, any Transaction) throws -> Page
    package init(of: @escaping @Sendable (ResourceID, _ after: String?, any Transaction) throws -> Page) {
      self.of = of
    }
    package static let none = Dependents { _, _, _ in .none }
  }

  // MARK: Finding

  /// The same query, whose codes are all in some list. One that is not is refused by its name: found nothing, it would look
  /// like an answer.
  package func known(_ query: CatalogQuery) throws -> CatalogQuery {
    let codes: [(name: String, code: String?, isKnown: (String) -> Bool)] = [
      ("class", query.node, { classification[$0] != nil }),
      ("sharing", query.sharingType, { lists.sharingTypes[$0] != nil }),
      ("format", query.format, { lists.formatClasses[$0] != nil }),
      ("cycle", query.cycle, { lists.cycles[$0] != nil }),
    ]
    for (name, code, isKnown) in codes {
      guard let code, !isKnown(code) else { continue }
      throw Refusal.invalid("web.query", name, Text("没有代码“\(code)”。", "There is no code “\(code)”."))
    }
    return query
  }

  package func search(_ principal: Principal, _ query: CatalogQuery) async throws -> CatalogHits {
    try principal.require(.readCatalog)
    return try await db.read { tx in
      try CatalogSearch.find(
        query, board: board, classification: classification(in: tx), lists: lists, in: tx)
    }
  }

  /// One version as the principal may see it: of that number, or in force on that day; without either the one in force, or
  /// else the latest.
  package func resource(
    _ principal: Principal, _ id: ResourceID, version: Int? = nil, on day: CalendarDate? = nil
  ) async throws -> Resource {
    try await db.read { tx in try visible(principal, id, version: version, on: day, in: tx) }
  }

  /// A version with what was last measured of it: nil where it is not the one in force.
  func measured(
    _ principal: Principal, _ id: ResourceID, version: Int? = nil, on day: CalendarDate? = nil
  ) async throws -> (resource: Resource, condition: CatalogSearch.Condition?) {
    try await db.read { tx in
      let resource = try visible(principal, id, version: version, on: day, in: tx)
      return (resource, try CatalogSearch.condition(of: id, version: resource.version, in: tx))
    }
  }

  /// The version that is being written or was last ended, for its department.
  package func latest(_ principal: Principal, _ id: ResourceID) async throws -> Resource {
    try await db.read { tx in try own(principal, id, in: tx) }
  }

  package func findings(_ principal: Principal, _ id: ResourceID) async throws -> [Finding] {
    try await db.read { tx in
      let resource = try visible(principal, id, version: CatalogStore.latest(id, in: tx)?.version, in: tx)
      return try findings(of: resource, in: tx)
    }
  }

  // MARK: Parts

  /// That there is no such entry, or none that the asker may know of.
  package static let unknown = Refusal.notFound(Text("目录", "catalogue entry"))

  /// What is or was in force is for every reader; what is being written is for its department and the reviewers.
  func visible(
    _ principal: Principal, _ id: ResourceID, version: Int?, on day: CalendarDate? = nil, in tx: any Transaction
  ) throws -> Resource {
    // The page that shows it names its classes.
    _ = try classification(in: tx)
    guard let day else {
      guard let resource = try CatalogStore.find(id, version: version, in: tx), maySee(principal, resource) else {
        throw Self.unknown
      }
      return resource
    }
    let newest = try visible(principal, id, version: nil, in: tx)
    guard let resource = try CatalogStore.find(id, on: day, in: tx), maySee(principal, resource) else {
      throw Refusal(
        .notFound, "catalog.not-in-force",
        Text(
          "“\(newest.metadata.name)”在 \(day) 没有在用的版本：当时尚未发布，或已下架。",
          "No version of “\(newest.metadata.name)” was in force on \(day): it was not published then, or offline.")
      ).leading(Text("查看这条目录", "See the entry"), "/catalog/resources/\(id)")
    }
    return resource
  }

  func maySee(_ principal: Principal, _ resource: Resource) -> Bool {
    switch resource.state {
    case .published, .superseded: principal.may(.readCatalog)
    case .draft, .submitted, .returned, .approved, .discarded:
      principal.may(.reviewCatalog)
        || principal.may(.compileCatalog) && principal.organisation == resource.provider
    }
  }

  /// The latest version, which must be of the principal's own organisation.
  func own(_ principal: Principal, _ id: ResourceID, in tx: any Transaction) throws -> Resource {
    guard let resource = try CatalogStore.latest(id, in: tx), maySee(principal, resource) else { throw Self.unknown }
    try principal.require(.compileCatalog, in: resource.provider)
    return resource
  }

  /// What the rules say; by another classification than that in force where classes are only about to be kept.
  func findings(
    of resource: Resource, classification tree: Classification? = nil, supposing trial: MoveTrial? = nil,
    in tx: any Transaction
  ) throws -> [Finding] {
    try findings(of: [resource], classification: tree, supposing: trial, in: tx)[0]
  }

  /// The same of a page of entries, in their order: asked with as many statements for all of them as for one.
  func findings(
    of resources: [Resource], classification tree: Classification? = nil, supposing trial: MoveTrial? = nil,
    in tx: any Transaction
  ) throws -> [[Finding]] {
    let rules = RuleContext(lists: lists, classification: try tree ?? classification(in: tx), today: clock.today)
    let offices = try providers.organisations(Array(Set(resources.map(\.provider))), tx)
    let systemNames = try InventoryStore.systemNames(among: resources.map(\.metadata.name), in: tx)
    var bearers = try CatalogStore.bearers(of: resources, in: tx)
    let related = resources.flatMap { rules.asked(of: $0.metadata) }
    var published = try CatalogStore.publishedCodes(among: related, in: tx)
    trial?.amend(&bearers, of: resources)
    trial?.amend(&published, among: related)
    let inForce = try CatalogStore.published(
      resources.filter { rules.hasRetiredClass($0) || $0.version > 1 && $0.state != .published }.map(\.id), in: tx)
    return resources.map { resource in
      var context = rules.of(offices[resource.provider])
      context.isSystemName = systemNames.contains(resource.metadata.name)
      context.nameIsTaken = bearers[NameKey(resource), default: []].contains { $0 != resource.id }
      context.unknownRelated = rules.asked(of: resource.metadata).filter { !published.contains($0) }
      if let before = inForce[resource.id] {
        context.classesInForce = Set(before.metadata.classes)
        context.isAsInForce =
          before.version < resource.version && resource.saysTheSame(as: before) && resource.mount == before.mount
      }
      return Catalog.findings(of: resource, in: context)
    }
  }

  func record(
    _ event: VersionEvent?, _ action: String, _ resource: Resource, by principal: Principal, at now: Instant,
    words: String = "", detail: [(name: String, value: String)] = [], in tx: any Transaction
  ) throws {
    if let event { try CatalogStore.record(event.rawValue, of: resource, by: principal, at: now, words: words, in: tx) }
    if let event { try ChangeFeed.tell(event, of: resource, at: now, in: tx) }
    try AuditLog.record(entry(action, resource, by: principal, at: now, words: words, detail: detail), in: tx)
  }

  /// What the log is told of something that was done to a version.
  func entry(
    _ action: String, _ resource: Resource, by principal: Principal, at now: Instant, words: String = "",
    detail: [(name: String, value: String)] = []
  ) -> AuditEntry {
    var facts = [(name: "version", value: String(resource.version))]
    if let code = resource.code { facts.append(("code", code.description)) }
    if !words.isEmpty { facts.append(("words", words)) }
    return AuditEntry(
      at: now, actor: principal, action: action, subjectKind: "resource", subject: resource.id.text,
      subjectName: resource.metadata.name, detail: facts + detail)
  }

  func record(
    _ event: OnlineEvent, _ resource: Resource, by principal: Principal, at now: Instant, words: String = "",
    due: DueDate? = nil, in tx: any Transaction
  ) throws {
    try CatalogStore.record(event.rawValue, of: resource, by: principal, at: now, words: words, in: tx)
    try record(
      nil, "catalog.\(event.rawValue)", resource, by: principal, at: now, words: words,
      detail: due.map { [("due", "\($0.date)")] } ?? [], in: tx)
  }

  /// When a review that is asked for now must be decided.
  func reviewDue(from day: CalendarDate, in tx: any Transaction) throws -> DueDate? {
    guard let rule = RuleSet.inForce(on: day, of: rules)["catalogue.review"] else { return nil }
    return try calendars.inForce(tx).due(from: day, workingDays: rule.value, rule: rule.reference)
  }
}
