internal import Identity
internal import Inbox
package import Kernel
internal import Storage

// What the platform's operator does: decide what was submitted, register it and publish it.

/// What a reviewer says of a submitted version.
package enum ReviewDecision: Hashable, Sendable {
  /// With the reasons the department will read, in general or at single elements.
  case sendBack(reasons: String, notes: [ReviewNote] = [])
  /// Registers it (it gets its code), and puts it in force at once or leaves that for later.
  case approve(publish: Bool)
  /// Puts in force what was approved before.
  case publish

  /// Why words beside any other decision than a return are refused: they would reach nobody.
  static let wordsUnsent = Text(
    "意见只随退回送达；请清空意见后再通过，或选择退回。",
    "Words go out only with a return: clear them before you approve, or return the entry.")
}

/// One of several entries that are decided at once, as the reviewer saw it.
package struct ReviewPick: Hashable, Sendable {
  package var id: ResourceID
  private var seen: Seen

  /// By what a state that was seen is known again: a page's form carries its revision, a program its `ETag`.
  private enum Seen: Hashable, Sendable {
    case revision(Int)
    case tag(String)
  }

  package init(id: ResourceID, revision: Int) {
    self.id = id
    seen = .revision(revision)
  }

  /// `tag` as `Resource.tag` tells it.
  init(id: ResourceID, tag: String) {
    self.id = id
    seen = .tag(tag)
  }

  init?(_ text: String) {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let id = ResourceID(String(parts[0])), let revision = Int(parts[1]) else { return nil }
    self.init(id: id, revision: revision)
  }

  static func text(_ line: CatalogStore.Line) -> String { "\(line.id):\(line.revision)" }

  /// Throws when the version is not as it was seen.
  func check(_ resource: Resource) throws {
    let isSame =
      switch seen {
      case .revision(let revision): revision == resource.revision
      case .tag(let tag): tag == resource.tag
      }
    guard isSame else { throw CatalogStore.changedMeanwhile }
  }

  /// So many are decided at once.
  package static let limit = 200

  /// Refuses none, and more than `limit`.
  static func check(_ picks: [ReviewPick]) throws {
    guard !picks.isEmpty else {
      throw Refusal.invalid("catalog.picks", "pick", Text("请先勾选目录。", "Tick some entries first."))
    }
    guard picks.count <= limit else {
      throw Refusal.invalid(
        "catalog.picks", "pick",
        Text("一次最多办理 \(limit) 条。", "At most \(limit) entries at once."))
    }
  }
}

/// What became of one of several.
package struct ReviewOutcome: Sendable {
  package var pick: ReviewPick
  /// Nil for one that is not there.
  package var name: String?
  /// As it is now; nil when it was refused.
  package var resource: Resource?
  /// Nil when it was decided.
  package var refusal: Refusal?
}

extension Cataloguing {
  package static let reasonLimit = 1000

  /// Decides the latest version. `revision` is the one the reviewer saw: a decision on what was written since is refused.
  package func decide(
    _ principal: Principal, _ id: ResourceID, _ decision: ReviewDecision, seen revision: Int? = nil
  ) async throws -> Resource {
    try await decide(principal, id, decision) { resource in
      if let revision, revision != resource.revision { throw CatalogStore.changedMeanwhile }
    }
  }

  /// The same, where `check` throws when the version is not as the reviewer saw it.
  func decide(
    _ principal: Principal, _ id: ResourceID, _ decision: ReviewDecision,
    if check: @escaping @Sendable (Resource) throws -> Void
  ) async throws -> Resource {
    try principal.require(.reviewCatalog)
    let now = clock.now()
    return try await db.write { tx in
      guard var resource = try CatalogStore.latest(id, in: tx) else { throw Self.unknown }
      try check(resource)
      switch decision {
      case .sendBack(let reasons, let notes):
        try sendBack(&resource, principal, reasons, notes, now, in: tx)
      case .approve(let publish):
        try approve(&resource, principal, now, in: tx)
        if publish { try self.publish(&resource, principal, now, in: tx) }
      case .publish:
        try publish(&resource, principal, now, in: tx)
      }
      return resource
    }
  }

  /// The same decision on many, each in a transaction of its own: one that cannot be decided keeps none of the others.
  package func decide(
    _ principal: Principal, _ picks: [ReviewPick], _ decision: ReviewDecision
  ) async throws -> [ReviewOutcome] {
    try principal.require(.reviewCatalog)
    try ReviewPick.check(picks)
    if case .sendBack(let reasons, _) = decision { try checkReason(reasons, "reasons", Self.reasonsMissing) }
    return try await each(picks, of: nil) { pick in
      try await decide(principal, pick.id, decision, if: pick.check)
    }
  }

  /// Does the same with each that was picked; one that is refused keeps none of the others, and is told by its name if it is
  /// the office's (of any without one).
  func each(
    _ picks: [ReviewPick], of office: OrganisationID?, _ body: (ReviewPick) async throws -> Resource
  ) async throws -> [ReviewOutcome] {
    var outcomes: [ReviewOutcome] = []
    for pick in picks {
      do {
        let resource = try await body(pick)
        outcomes.append(ReviewOutcome(pick: pick, name: resource.metadata.name, resource: resource))
      } catch let refusal as Refusal {
        let latest = try await db.read { tx in try CatalogStore.latest(pick.id, in: tx) }
        let mayKnow = office == nil || latest?.provider == office
        outcomes.append(ReviewOutcome(pick: pick, name: mayKnow ? latest?.metadata.name : nil, refusal: refusal))
      }
    }
    return outcomes
  }

  /// Puts an approved version in force; the one before it is superseded.
  package func publish(_ principal: Principal, _ id: ResourceID) async throws -> Resource {
    try await decide(principal, id, .publish)
  }

  // MARK: Parts

  private static let reasonsMissing = Text("请写明退回原因，编制人会看到。", "State the reasons; the compiler will read them.")

  private func sendBack(
    _ resource: inout Resource, _ principal: Principal, _ reasons: String, _ notes: [ReviewNote], _ now: Instant,
    in tx: any Transaction
  ) throws {
    if notes.isEmpty || !reasons.isEmpty { try checkReason(reasons, "reasons", Self.reasonsMissing) }
    try check(notes)
    let next = try resource.state.applying(.sendBack)
    try CatalogStore.move(resource, to: next, at: now, in: tx)
    try leaveOpen(resource, in: tx)
    try CatalogStore.setNotes(notes, of: resource, by: principal, at: now, in: tx)
    try Inbox.close(subject: "resource", resource.id.text, by: principal, at: now, in: tx)
    try Inbox.post(
      InboxTask(
        kind: "catalog.correct",
        title: Text("目录被退回：\(resource.metadata.name)", "Entry returned: \(resource.metadata.name)"),
        link: "/catalog/resources/\(resource.id)/edit", for: .office(resource.provider, .compileCatalog),
        subject: ("resource", resource.id.text), at: now), in: tx)
    resource.state = next
    let said = notes.map { "\($0.title(in: resource).chinese)：\($0.words)" }.joined(separator: "；")
    try record(
      .sendBack, "catalog.version.return", resource, by: principal, at: now,
      words: [reasons, said].filter { !$0.isEmpty }.joined(separator: "。"), in: tx)
  }

  private func check(_ notes: [ReviewNote]) throws {
    guard notes.count <= ReviewNote.limits.notes else {
      throw Refusal.invalid(
        "catalog.notes", "reasons",
        Text("最多 \(ReviewNote.limits.notes) 条逐项意见。", "At most \(ReviewNote.limits.notes) notes."))
    }
    var noted: Set<String> = []
    for note in notes {
      guard note.words.count <= ReviewNote.limits.words else {
        throw Refusal.invalid("catalog.notes", "note.\(note.field)", ReviewNote.tooLong)
      }
      guard noted.insert(note.field).inserted else {
        throw Refusal.invalid("catalog.notes", "note.\(note.field)", ReviewNote.twice)
      }
    }
  }

  private func approve(
    _ resource: inout Resource, _ principal: Principal, _ now: Instant, in tx: any Transaction
  ) throws {
    let next = try resource.state.applying(.approve)
    if let refusal = try findings(of: resource, in: tx).refusal { throw refusal }
    if resource.code == nil {
      guard let node = try codeNode(of: resource.provider, providers, classification(in: tx), in: tx) else {
        throw Refusal(
          .conflict, "catalog.provider.no-node",
          Text("提供方在国家分类中没有节点，无法编码。", "The provider has no node in the classification; no code can be given."))
      }
      let code = ResourceCode(node: node, number: try CatalogStore.next("code/\(node)", in: tx))
      try CatalogStore.setCode(code, of: resource.id, in: tx)
      resource.code = code
    }
    try CatalogStore.move(resource, to: next, at: now, in: tx)
    try Inbox.close(subject: "resource", resource.id.text, by: principal, at: now, in: tx)
    try Inbox.post(
      InboxTask(
        kind: "catalog.publish",
        title: Text("发布目录：\(resource.metadata.name)", "Publish entry: \(resource.metadata.name)"),
        link: "/catalog/review/\(resource.id)", for: .holders(.reviewCatalog), subject: ("resource", resource.id.text),
        at: now), in: tx)
    resource.state = next
    try record(.approve, "catalog.version.approve", resource, by: principal, at: now, in: tx)
  }

  /// The first version goes online with it; a later one is in force at once, or, while the resource is offline, when that is
  /// brought back.
  private func publish(
    _ resource: inout Resource, _ principal: Principal, _ now: Instant, in tx: any Transaction
  ) throws {
    let next = try resource.state.applying(.publish)
    let before = try CatalogStore.issued(resource.id, in: tx)
    if let before {
      try CatalogStore.move(before, to: before.state.applying(.supersede), at: now, in: tx)
      try CatalogStore.record(VersionEvent.supersede.rawValue, of: before, by: principal, at: now, in: tx)
      if before.online.isOnline { try Likeness.remove(before, in: tx) }
    }
    try CatalogStore.move(resource, to: next, at: now, publishedOn: now.dateInChina, in: tx)
    // In force it is compared with as such.
    try Likeness.removeOpen(resource.id, in: tx)
    resource.state = next
    resource.publishedOn = now.dateInChina
    if resource.online == .notOnline {
      resource.online = try resource.online.applying(.publish)
      try CatalogStore.issue(resource.version, of: resource.id, online: resource.online, since: now, at: now, in: tx)
    } else {
      try CatalogStore.issue(resource.version, of: resource.id, online: resource.online, since: nil, at: now, in: tx)
    }
    if resource.online.isOnline { try offer(resource, replacing: before, on: now.dateInChina, in: tx) }
    try Inbox.close(subject: "resource", resource.id.text, by: principal, at: now, in: tx)
    try record(.publish, "catalog.version.publish", resource, by: principal, at: now, in: tx)
    try mountWatch.heard(resource, now, tx)
  }

  func checkReason(_ reason: String, _ field: String, _ missing: Text) throws {
    if let wrong = PlainText.wrongWords(reason, most: Self.reasonLimit, missing: missing) {
      throw Refusal.invalid("catalog.reason", field, wrong)
    }
  }
}
