internal import Catalog
internal import Kernel
internal import Storage

// Entries that were published before this context existed name a table and have no tie: they get it here, once.

extension Mounting {
  /// Ties the entries that were published before there were ties; without payload.
  package static let olderJob = "mounting.older"
  /// So many entries are gone through in one transaction.
  static let olderAtOnce = 200

  /// Goes through the entries in force that name a table and ties those that have none; the next sweep tests them. Goes
  /// on where an earlier worker stopped, and does nothing once all were seen. Answers how many were tied; `progress`
  /// hears how many so far.
  @discardableResult
  package func tieOlder(progress: (_ tied: Int) async throws -> Void = { _ in }) async throws -> Int {
    var count = 0
    while let tied = try await tieSomeOlder() {
      count += tied
      try await progress(count)
    }
    return count
  }

  /// Nil when there are no more.
  func tieSomeOlder() async throws -> Int? {
    let now = clock.now()
    return try await db.write { tx in
      guard let place = try OlderStore.place(in: tx) else { return nil }
      let found = try CatalogStore.mounted(after: ResourceID(place), limit: Self.olderAtOnce, in: tx)
      guard let last = found.last else {
        try OlderStore.end(at: now, in: tx)
        return nil
      }
      var tied = 0
      for id in found where try TieStore.ties(of: id, in: tx).allSatisfy({ $0.target.kind != .table }) {
        guard let resource = try CatalogStore.published(id, in: tx), let mount = resource.mount else { continue }
        try TieStore.insert(
          Tie(resource, .table(mount.source, mount.table, cursor: mount.cursorColumn), isInForce: true, at: now), in: tx
        )
        try Self.tellSearch(of: id, in: tx)
        tied += 1
      }
      try OlderStore.go(to: last, in: tx)
      return tied
    }
  }
}

/// The only SQL of how far older entries have got their ties.
enum OlderStore {
  /// The last entry that was gone through, empty before the first; nil when all were.
  static func place(in tx: any Transaction) throws -> String? {
    try tx.row("SELECT place FROM mounting_older WHERE one = 1 AND ended_at IS NULL")?.text("place")
  }

  static func go(to resource: ResourceID, in tx: any Transaction) throws {
    try tx.run("UPDATE mounting_older SET place = \(resource.text) WHERE one = 1")
  }

  static func end(at now: Instant, in tx: any Transaction) throws {
    try tx.run("UPDATE mounting_older SET ended_at = \(now) WHERE one = 1")
  }
}
