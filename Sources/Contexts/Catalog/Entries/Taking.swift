internal import Audit
internal import Identity
internal import Inventory
internal import Kernel
internal import Storage

/// From where a number of entries came, for the log.
struct TakingOrigin: Sendable {
  /// A file's name, or which address of the programming interface.
  var name: String
  /// SM3 over the file or the body, in hexadecimal.
  var digest: String
}

/// Takes entries of one office in one transaction, a part after the other: what the catalogue knows of a part is read at
/// once, each entry of it is judged by that and by what was decided of those before it, and then all of it is written.
///
/// Made anew inside of it, since a transaction may be run again: what it has seen so far belongs to this run.
struct Taking {
  let cataloguing: Cataloguing
  let principal: Principal
  let office: Organisation
  let systems: SystemNames
  let mode: TakingMode
  let origin: TakingOrigin
  let now: Instant
  private let rules: RuleContext
  private var touched: Set<ResourceID> = []
  /// By what a provider was called, whether that is this office.
  private var isOwn: [String: Bool] = [:]
  private var known: KnownEntries
  private var decided = TakenWrites()

  init(
    _ cataloguing: Cataloguing, _ principal: Principal, _ mode: TakingMode, _ origin: TakingOrigin, at now: Instant,
    in tx: any Transaction
  ) throws {
    try principal.require(.compileCatalog)
    guard let id = principal.organisation, let office = try cataloguing.providers.organisation(id, tx) else {
      throw Refusal.forbidden(.compileCatalog)
    }
    self.cataloguing = cataloguing
    self.principal = principal
    self.office = office
    systems = SystemNames(try InventoryStore.systems(of: id, in: tx))
    self.mode = mode
    self.origin = origin
    self.now = now
    rules = RuleContext(
      lists: cataloguing.lists, classification: try cataloguing.classification(in: tx), today: cataloguing.clock.today
    ).of(office)
    known = KnownEntries(of: id)
  }

  /// Keeps entries that pass the rules, whole, as drafts of the office; says of the others why they do not.
  mutating func take(_ given: [GivenEntry], in tx: any Transaction) throws -> [TakenEntry] {
    var taken: [TakenEntry] = []
    taken.reserveCapacity(given.count)
    for start in stride(from: 0, to: given.count, by: KnownEntries.most) {
      let part = Array(given[start..<min(start + KnownEntries.most, given.count)])
      known = try KnownEntries(part, of: office.id, asking: rules, in: tx)
      for entry in part {
        let done = try take(entry, in: tx)
        taken.append(done)
        if let change = entry.change, done.outcome != .refused, let draft = done.resource, draft.version > 1,
          draft.state.isEditable
        {
          decided.changes.append((change, draft))
        }
      }
      try decided.write(by: principal, at: now, in: tx)
      decided = TakenWrites()
    }
    return taken
  }

  private mutating func take(_ given: GivenEntry, in tx: any Transaction) throws -> TakenEntry {
    // With nothing read there is nothing to judge.
    if given.isUnread, !given.faults.isEmpty { return refused(nil, given.faults) }
    var given = given
    let system = systems.find(given.system)
    if system == nil, !given.system.isEmpty { given.faults.append(Self.noSuchSystem(given.system)) }
    if let fault = Self.referenceFault(given.reference) { return refused(nil, given.faults + [fault]) }
    for (field, text) in given.providers where try !isOffice(text, in: tx) {
      return refused(nil, given.faults + [cataloguing.otherOffice(text, office, field)])
    }
    let key: EntryKey
    switch EntryKey.find(given, among: known) {
    case .success(let found): key = found
    case .failure(let failure): return refused(nil, given.faults + [failure.finding])
    }
    guard let id = key.resource, let latest = try known.latest(id, in: tx) else {
      return try create(given, system, replacing: key.isReferenceKnown, in: tx)
    }
    guard touched.insert(id).inserted else { return refused(latest, [Self.repeated(key.field)]) }
    if latest.state == .discarded {
      guard let current = try CatalogStore.issued(id, in: tx) else {
        // It was given up before it was registered: nothing of it is left to be changed.
        return try create(given, system, replacing: key.isReferenceKnown, in: tx)
      }
      return try change(current, latest: latest, given, system, key, in: tx)
    }
    return try change(latest, latest: latest, given, system, key, in: tx)
  }

  // MARK: Parts

  private mutating func create(
    _ given: GivenEntry, _ system: SystemID?, replacing: Bool, in tx: any Transaction
  ) throws -> TakenEntry {
    let empty = Resource(
      id: .make(at: now), provider: office.id, providerName: office.name, providerCode: office.creditCode,
      system: system, metadata: given.metadata, items: [], mount: nil, lists: cataloguing.lists.version, changedAt: now)
    let resource = empty.taking(given, system: system)
    let findings = try findings(of: resource, given, in: tx)
    guard !findings.hasErrors, !given.isUnread else { return refused(nil, findings) }
    touched.insert(resource.id)
    known.add(resource)
    decided.created.append(resource)
    keep(given.reference, for: resource, replacing: replacing)
    record("catalog.draft.begin", resource)
    return TakenEntry(outcome: .created, resource: resource, findings: findings)
  }

  /// `base` is what the entry says now, `latest` its version of the greatest number, which may have been given up.
  private mutating func change(
    _ base: Resource, latest: Resource, _ given: GivenEntry, _ system: SystemID?, _ key: EntryKey,
    in tx: any Transaction
  ) throws -> TakenEntry {
    var next = base.taking(given, system: system)
    let isRead = given.faults.isEmpty && !given.isUnread
    if isRead, next.saysTheSame(as: base) {
      if !key.isReferenceKnown { keep(given.reference, for: base, replacing: false) }
      return TakenEntry(outcome: .unchanged, resource: base, findings: [])
    }
    guard mode == .update else {
      let findings = try findings(of: next, given, in: tx)
      return refused(base, [Self.taken(given.code)] + findings.filter { $0.field != "name" })
    }
    guard base.state.isEditable || base.state == .published else { return refused(base, [Self.closed(base.state)]) }
    next.changedAt = now
    next.lists = cataloguing.lists.version
    next.providerName = office.name
    next.providerCode = office.creditCode
    let findings = try findings(of: next, given, in: tx)
    guard !findings.hasErrors, isRead else { return refused(base, findings) }
    if base.state == .published {
      next.version = latest.version + 1
      (next.state, next.revision, next.submittedAt, next.publishedOn) = (.draft, latest.revision + 1, nil, nil)
      known.add(next)
      decided.begun.append(next)
      decided.bases[next.id] = base.version
      record("catalog.version.begin", next)
    } else {
      next.state = try base.state.applying(.edit)
      next.revision += 1
      known.change(base, to: next)
      decided.edited.append(next)
      record("catalog.draft.edit", next)
    }
    if !key.isReferenceKnown { keep(given.reference, for: next, replacing: false) }
    return TakenEntry(outcome: .updated, resource: next, findings: findings)
  }

  /// What could not be read, and what the rules say of the rest.
  private func findings(of resource: Resource, _ given: GivenEntry, in tx: any Transaction) throws -> [Finding] {
    var context = rules
    context.isSystemName = known.isSystemName(resource.metadata.name)
    context.nameIsTaken = known.isNameTaken(resource.metadata.name, except: resource.id)
    context.unknownRelated = known.unknown(context.asked(of: resource.metadata))
    if context.hasRetiredClass(resource), resource.version > 1 || resource.state == .published {
      context.classesInForce = Set(try CatalogStore.published(resource.id, in: tx)?.metadata.classes ?? [])
    }
    let found = Catalog.findings(of: resource, in: context)
    if given.faults.isEmpty { return found }
    let unread = Set(given.faults.map(\.field))
    return given.faults + found.filter { !unread.contains($0.field) }
  }

  /// `replacing`: the reference belonged to an entry that was given up.
  private mutating func keep(_ reference: String, for resource: Resource, replacing: Bool) {
    guard !reference.isEmpty else { return }
    known.keep(reference, for: resource.id)
    if replacing { decided.moved.append((reference, resource)) } else { decided.kept.append((reference, resource)) }
  }

  private mutating func record(_ action: String, _ resource: Resource) {
    decided.records.append(
      cataloguing.entry(action, resource, by: principal, at: now, detail: [("import", origin.name)]))
  }

  private func refused(_ resource: Resource?, _ findings: [Finding]) -> TakenEntry {
    TakenEntry(outcome: .refused, resource: resource, findings: findings)
  }

  private mutating func isOffice(_ provider: String, in tx: any Transaction) throws -> Bool {
    if let known = isOwn[provider] { return known }
    let found = try cataloguing.isOffice(provider, office, in: tx)
    isOwn[provider] = found
    return found
  }

  // MARK: Why not

  /// `field` is what it was known by.
  private static func repeated(_ field: String) -> Finding {
    Finding(
      .error, "entry.repeated", field,
      Text("同一批中已有这条目录。", "The same entry stands in this batch already."), source: RuleSource.platform)
  }

  private static func taken(_ code: String) -> Finding {
    let what =
      code.isEmpty
      ? Text("本单位已有同名目录，且内容不同。", "Your organisation has an entry of this name, with other content.")
      : Text(
        "代码为 \(code) 的目录已有，且内容不同。", "The entry with the code \(code) is there already, with other content.")
    return Finding(.error, "name.taken", "name", what, source: RuleSource.configured("2"))
  }

  private static func closed(_ state: VersionState) -> Finding {
    let what = Text(
      "这条目录的状态是“\(state.title.chinese)”，现在不能修改；请先撤回或等审核结束。",
      "This entry is now “\(state.title.english)” and cannot be changed; recall it or wait for the review.")
    return Finding(.error, "entry.state", "name", what, source: RuleSource.platform)
  }

  private static func noSuchSystem(_ entered: String) -> Finding {
    Finding(
      .error, "system.unknown", "system",
      Text(
        "“\(entered.prefix(40))”不是本单位登记的信息系统的编号或名称。",
        "“\(entered.prefix(40))” is neither number nor name of a system your organisation registered."),
      source: RuleSource.platform)
  }

  private static func referenceFault(_ reference: String) -> Finding? {
    guard !reference.isEmpty else { return nil }
    return PlainText.wrongName(reference, lengths: 1...GivenEntry.referenceLimit).map {
      Finding(.error, "reference.wrong", "reference", $0, source: RuleSource.platform)
    }
  }
}

extension Cataloguing {
  /// Takes all these entries in one transaction with the one record that says so: what is right becomes drafts, what is not
  /// is told, and a process that dies leaves nothing or all of it.
  func take(
    _ principal: Principal, _ given: [GivenEntry], _ mode: TakingMode, from origin: TakingOrigin
  ) async throws -> [TakenEntry] {
    try principal.require(.compileCatalog)
    let now = clock.now()
    return try await db.write { tx in
      var taking = try Taking(self, principal, mode, origin, at: now, in: tx)
      let taken = try taking.take(given, in: tx)
      let count = Dictionary(grouping: taken, by: \.outcome).mapValues(\.count)
      try AuditLog.record(
        AuditEntry(
          at: now, actor: principal, action: "catalog.import", subjectKind: "import", subject: origin.digest,
          subjectName: origin.name,
          detail: EntryOutcome.allCases.map { ($0.rawValue, String(count[$0] ?? 0)) }), in: tx)
      return taken
    }
  }
}
