internal import Audit
internal import Kernel
internal import Storage

/// What was decided of a part of a batch and is to be written.
struct TakenWrites {
  /// First versions.
  var created: [Resource] = []
  /// Further versions of what is in force, and of which version each is made.
  var begun: [Resource] = []
  var bases: [ResourceID: Int] = [:]
  /// Drafts as they stand from now on.
  var edited: [Resource] = []
  /// References that are new to the office, and those that belonged to an entry that was given up.
  var kept: [(reference: String, resource: Resource)] = []
  var moved: [(reference: String, resource: Resource)] = []
  /// Why drafts of further versions are written: kept with each, whenever it is submitted.
  var changes: [(change: VersionChange, draft: Resource)] = []
  /// One for each that was created, begun or edited, in the order of the batch.
  var records: [AuditEntry] = []

  func write(by principal: Principal, at now: Instant, in tx: any Transaction) throws {
    try CatalogStore.insert(created, in: tx)
    try CatalogStore.insertNext(begun, in: tx)
    try Attaching.carryOver(begun, from: bases, at: now, in: tx)
    guard try CatalogStore.rewrite(edited, in: tx) == edited.count else {
      throw CatalogStore.changedMeanwhile
    }
    try CatalogStore.record(.edit, of: edited, by: principal, at: now, in: tx)
    for (change, draft) in changes {
      try CatalogStore.setChange(change, of: draft.id, version: draft.version, in: tx)
    }
    try EntryKey.keep(kept, in: tx)
    for (reference, resource) in moved { try EntryKey.move(reference, to: resource, in: tx) }
    try AuditLog.record(records, in: tx)
  }
}
