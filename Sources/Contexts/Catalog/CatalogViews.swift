internal import Attachments
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
}

extension Cataloguing {
  func view(_ principal: Principal, _ id: ResourceID, version: Int?) async throws -> ResourceView {
    try await db.read { tx in
      let resource = try visible(principal, id, version: version, in: tx)
      let insider = principal.may(.reviewCatalog) || principal.organisation == resource.provider
      let versions = try CatalogStore.versions(of: id, in: tx).filter { line in
        insider || [.published, .superseded, .withdrawn].contains(line.state)
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
        isOwn: principal.may(.compileCatalog) && principal.organisation == resource.provider)
    }
  }

  /// The draft a form is about, with what the rules say of it.
  func draftView(
    _ principal: Principal, _ id: ResourceID
  ) async throws -> (resource: Resource, findings: [Finding], systems: [InformationSystem]) {
    try principal.require(.compileCatalog)
    return try await db.read { tx in
      let resource = try own(principal, id, in: tx)
      return (
        resource, try findings(of: resource, in: tx), try InventoryStore.systems(of: resource.provider, in: tx)
      )
    }
  }

  /// What the principal's department is writing.
  func work(_ principal: Principal) async throws -> [CatalogStore.Line] {
    try principal.require(.compileCatalog)
    guard let office = principal.organisation else { return [] }
    return try await db.read { tx in try CatalogStore.work(of: office, in: tx) }
  }

  /// What waits for review, with the number of errors and warnings of each.
  func queue(
    _ principal: Principal
  ) async throws -> [(line: CatalogStore.Line, errors: Int, warnings: Int)] {
    try principal.require(.reviewCatalog)
    return try await db.read { tx in
      try CatalogStore.queue(in: tx).map { line in
        let found =
          try CatalogStore.find(line.id, version: line.version, in: tx).map { try findings(of: $0, in: tx) } ?? []
        return (line, found.count { $0.severity == .error }, found.count { $0.severity == .warning })
      }
    }
  }

  func reviewView(
    _ principal: Principal, _ id: ResourceID
  ) async throws -> (view: ResourceView, findings: [Finding], before: Resource?) {
    try principal.require(.reviewCatalog)
    guard let latest = try await db.read({ tx in try CatalogStore.latest(id, in: tx) }) else { throw Self.unknown }
    let view = try await view(principal, id, version: latest.version)
    return try await db.read { tx in
      (view, try findings(of: latest, in: tx), latest.version > 1 ? try CatalogStore.published(id, in: tx) : nil)
    }
  }

  func dependents(_ principal: Principal, _ id: ResourceID) async throws -> [Text] {
    try await db.read { tx in
      let resource = try visible(principal, id, version: nil, in: tx)
      // Who uses a resource is its department's and the operator's business.
      if !principal.may(.reviewCatalog) { try principal.require(.compileCatalog, in: resource.provider) }
      return try dependents.of(id, tx)
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
