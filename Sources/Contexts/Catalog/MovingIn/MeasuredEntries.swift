package import Kernel
package import Storage

// Entries that come from another catalogue are in force already: they are stored and indexed many at a time, without the
// steps of review. Who moved them in, and that they were, is for the caller to record.

extension Cataloguing {
  /// A resource in force elsewhere, with what was measured of it.
  package struct Measured: Sendable {
    var resource: Resource
    var condition: CatalogSearch.Condition

    /// `resource` is a first version, published, with its code.
    package init(_ resource: Resource, isMounted: Bool = false, freshness: Freshness = .unknown) {
      self.resource = resource
      condition = CatalogSearch.Condition(isMounted: isMounted, freshness: freshness)
    }
  }

  /// Stores resources and puts them in front of the search's results, the last one foremost. Some thousands at a time are
  /// fastest; all or none are kept. They are found by the classes of `classification` and those above them.
  package static func moveIn(
    _ resources: [Measured], on day: CalendarDate, classification: Classification, in tx: any Transaction
  ) throws {
    try CatalogStore.insert(resources.map(\.resource), in: tx)
    try CatalogSearch.put(
      resources.map { ($0.resource, $0.condition) }, publishedOn: day, classification: classification, in: tx)
    try Likeness.put(resources.map(\.resource), in: tx)
  }
}
