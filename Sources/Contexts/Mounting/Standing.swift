package import Catalog
package import Kernel
internal import Storage

/// How an entry stands by all of its ties, as their last tests found: mounted when one of them works.
package enum Standing: Hashable, Sendable {
  /// Nothing is tied to it.
  case untied
  /// Tied, and not tested yet.
  case declared
  case mounted(since: Instant)
  /// No tie works since then. `fault` is the one of the tie that failed last.
  case failing(since: Instant, fault: Text?)

  /// Pure: of several ties that work the longest working counts, of several that fail the last one to fail.
  package init(_ ties: [Tie]) {
    let failing = ties.filter { $0.state == .failing }
    if let since = ties.filter({ $0.state == .mounted }).map(\.since).min() {
      self = .mounted(since: since)
    } else if let last = failing.max(by: { $0.since < $1.since }) {
      self = .failing(since: last.since, fault: last.fault?.words)
    } else {
      self = ties.isEmpty ? .untied : .declared
    }
  }
}

extension Mounting {
  /// How a version of an entry stands, for everybody who may read it; what exactly failed stays with its office and the
  /// operator. Nil for a version that the ties are not about: one before that in force, or a draft after it.
  package func standing(of resource: Resource, for principal: Principal) async throws -> Standing? {
    let mayKnow = sees(principal, resource.provider)
    return try await db.read { tx in
      let ties = try TieStore.ties(of: resource.id, in: tx)
      guard ties.allSatisfy({ $0.version == resource.version }) else { return nil }
      if case .failing(let since, _) = Standing(ties), !mayKnow { return .failing(since: since, fault: nil) }
      return Standing(ties)
    }
  }
}
