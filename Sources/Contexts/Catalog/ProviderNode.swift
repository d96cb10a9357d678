package import Identity
package import Kernel
package import Storage

/// What the catalogue asks of Identity about the offices that provide.
package struct Providers: Sendable {
  package var organisation: @Sendable (OrganisationID, any Transaction) throws -> Organisation?
  /// The offices it took over from, nearest first.
  package var predecessors: @Sendable (OrganisationID, any Transaction) throws -> [OrganisationID]

  package init(
    organisation: @escaping @Sendable (OrganisationID, any Transaction) throws -> Organisation?,
    predecessors: @escaping @Sendable (OrganisationID, any Transaction) throws -> [OrganisationID]
  ) {
    self.organisation = organisation
    self.predecessors = predecessors
  }

  package static let identity = Providers(
    organisation: { try OrganisationStore.find($0, in: $1) },
    predecessors: { try OrganisationStore.predecessors(of: $0, in: $1).map(\.id) })
}

/// The classification node that prefixes a provider's codes.
///
/// The tree is of 2017 and the offices are not: one that was founded by a later reform uses the node configured for it
/// (`Organisation.classificationNode`), or else that of the nearest predecessor that has one, so that its codes stay in the
/// branch where its data always stood. Nil when neither is known: somebody must configure one first.
func codeNode(
  of organisation: OrganisationID, _ providers: Providers, _ classification: Classification, in tx: any Transaction
) throws -> String? {
  var seen: Set<OrganisationID> = [organisation]
  var next = [organisation]
  while !next.isEmpty, seen.count < 100 {
    var earlier: [OrganisationID] = []
    for id in next {
      if let node = try providers.organisation(id, tx)?.classificationNode, classification[node] != nil { return node }
      earlier += try providers.predecessors(id, tx).filter { seen.insert($0).inserted }
    }
    next = earlier
  }
  return nil
}
