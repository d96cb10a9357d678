internal import Attachments
internal import Deadlines
internal import Inventory
internal import Kernel
internal import Storage

/// What the page of a resource shows.
struct ResourceView: Sendable {
  var resource: Resource
  var systemName: String?
  var sourceName: String?
  var versions: [CatalogStore.Line]
  var events: [CatalogStore.Event]
  /// The latest version when it is not the one shown and this visitor may see it.
  var latest: CatalogStore.Line?
  var attachments: [Attachment]
  /// The visitor compiles for this provider.
  var isOwn: Bool
  /// What the provider is called today, when that is another name than this version bears.
  var providerToday: ProviderToday?
  /// When its versions were in force.
  var periods: [ForcePeriod] = []
  /// Why this version was written, where it is not the first.
  var change: VersionChange?
  /// Since when it is offered, or not; nil before it was ever published.
  var onlineSince: Instant?
  /// Until when a request to take it offline or bring it back must be decided.
  var onlineDue: DueDate?
  /// The day whose version was asked for.
  var day: CalendarDate?
}

/// The draft that a form is about.
struct DraftView: Sendable {
  var resource: Resource
  var findings: [Finding]
  var systems: [InformationSystem]
  /// What the reviewer said at single elements.
  var notes: [ReviewNote]
  /// The reviewer's sending this version back, unless it was submitted again since.
  var sentBack: CatalogStore.Event?
}

/// What a reviewer has before him: the entry, what the rules and the catalogue say of it, and what it was before.
struct ReviewView: Sendable {
  var view: ResourceView
  var findings: [Finding]
  /// The version that counts now, when this is a later one.
  var before: Resource?
  /// Entries of the catalogue that come nearest, alike or not.
  var nearest: [AlikeEntry]
  /// What was said at single elements the last time it was sent back.
  var notes: [ReviewNote]

  var resource: Resource { view.resource }
}

extension Cataloguing {
  /// One version, by its number or by a day on which it was in force; the one in force now without either.
  func view(
    _ principal: Principal, _ id: ResourceID, version: Int?, on day: CalendarDate? = nil
  ) async throws -> ResourceView {
    let today = clock.today
    return try await db.read { tx in
      let resource = try visible(principal, id, version: version, on: day, in: tx)
      let insider = principal.may(.reviewCatalog) || principal.organisation == resource.provider
      let versions = try CatalogStore.versions(of: id, in: tx).filter { line in
        insider || [.published, .superseded].contains(line.state)
      }
      let shown = Set(versions.map(\.version))
      return ResourceView(
        resource: resource,
        systemName: try resource.system.flatMap { try InventoryStore.system($0, in: tx)?.facts.name },
        sourceName: insider ? try resource.mount.flatMap { try InventoryStore.source($0.source, in: tx)?.name } : nil,
        versions: versions,
        events: try CatalogStore.events(of: id, in: tx).filter { shown.contains($0.version) },
        latest: versions.first.flatMap { $0.version == resource.version ? nil : $0 },
        attachments: try AttachmentStore.list(Attaching.owner(id, version: resource.version), in: tx),
        isOwn: principal.may(.compileCatalog) && principal.organisation == resource.provider,
        providerToday: try providers.later(of: resource.provider, called: resource.providerName, on: today, in: tx),
        periods: try CatalogStore.periods(of: id, in: tx),
        change: try CatalogStore.change(of: id, version: resource.version, in: tx),
        onlineSince: try CatalogStore.onlineSince(id, in: tx),
        onlineDue: resource.online.isAuditing ? try CatalogStore.onlineDue(id, in: tx) : nil, day: day)
    }
  }

  /// Two versions of an entry and what differs; without numbers, the last two that this visitor may see.
  func compare(
    _ principal: Principal, _ id: ResourceID, from: Int?, to: Int?
  ) async throws -> (old: Resource, new: Resource, versions: [Int]) {
    try await db.read { tx in
      let newest = try visible(principal, id, version: nil, in: tx)
      let insider = principal.may(.reviewCatalog) || principal.organisation == newest.provider
      let versions = try CatalogStore.versions(of: id, in: tx)
        .filter { insider || [.published, .superseded].contains($0.state) }.map(\.version)
      guard let last = versions.first else { throw Self.unknown }
      let new = to ?? from.map { from in versions.last { $0 > from } ?? last } ?? last
      let old = from ?? versions.first { $0 < new } ?? new
      return (
        try visible(principal, id, version: old, in: tx), try visible(principal, id, version: new, in: tx), versions
      )
    }
  }

  /// The draft a form is about, with what the rules say of it.
  func draftView(_ principal: Principal, _ id: ResourceID) async throws -> DraftView {
    try principal.require(.compileCatalog)
    return try await db.read { tx in
      let resource = try own(principal, id, in: tx)
      return DraftView(
        resource: resource, findings: try findings(of: resource, in: tx),
        systems: try InventoryStore.systems(of: resource.provider, in: tx),
        notes: try CatalogStore.notes(of: id, version: resource.version, in: tx),
        sentBack: try CatalogStore.sentBack(resource, in: tx))
    }
  }

  func reviewView(_ principal: Principal, _ id: ResourceID) async throws -> ReviewView {
    try principal.require(.reviewCatalog)
    guard let latest = try await db.read({ tx in try CatalogStore.latest(id, in: tx) }) else { throw Self.unknown }
    let view = try await view(principal, id, version: latest.version)
    return try await db.read { tx in
      ReviewView(
        view: view, findings: try findings(of: latest, in: tx),
        before: latest.version > 1 ? try CatalogStore.issued(id, in: tx) : nil,
        nearest: try Likeness.candidates(for: latest, limit: Self.shownAlike, in: tx),
        notes: try CatalogStore.notes(of: id, version: latest.version, in: tx))
    }
  }

  func dependents(_ principal: Principal, _ id: ResourceID, after: String?) async throws -> Dependents.Page {
    try await db.read { tx in
      let resource = try visible(principal, id, version: nil, in: tx)
      // Who uses a resource is its department's and the operator's business.
      if !principal.may(.reviewCatalog) { try principal.require(.compileCatalog, in: resource.provider) }
      return try dependents.of(id, after, tx)
    }
  }

  func systems(_ principal: Principal) async throws -> [(system: InformationSystem, sources: [DataSource])] {
    try principal.require(.compileCatalog)
    guard let office = principal.organisation else { return [] }
    return try await db.read { tx in
      try InventoryStore.systems(of: office, in: tx).map { ($0, try InventoryStore.sources(of: $0.id, in: tx)) }
    }
  }
}
