internal import Inbox
package import Kernel
internal import Storage

// Entries whose class was retired: who has them, and the one step that moves one to the successor.

/// Addresses that tasks lead to.
enum CatalogPath {
  static let retiredClasses = "/catalog/retired-classes"
}

extension CatalogSearch {
  /// Of the entries in force at or below a node, the first `countLimit`: how many are in each class one level lower, and
  /// how many each provider has. Under nil, all entries by the first level.
  static func countByClass(
    under node: String?, board: FacetBoard, classification: Classification, in tx: any Transaction
  ) throws -> (total: Int, isExact: Bool, classes: [String: Int], providers: [String: Int]) {
    guard let facets = CatalogQuery(node: node).facets else { return (0, true, [:], [:]) }
    var walk = SearchWalk([], facets, from: nil, wanted: 0, countLimit: countLimit)
    try walk.run(in: tx)
    let places = walk.counted
    let depth = node.map { classification.path(to: $0).count + 1 } ?? 1
    let found = try board.count(
      Array(places.prefix(countLimit)), depth: depth, classification: classification, in: tx)
    func byText(_ values: [FacetBoard.Counts.Value]) -> [String: Int] {
      Dictionary(uniqueKeysWithValues: values.map { ($0.text, $0.count) })
    }
    return (
      min(places.count, countLimit), places.count <= countLimit, byText(found.classes), byText(found.providers)
    )
  }
}

/// A retired class and the entries in force that are still in it, as far as somebody may care for them.
struct RetiredClass: Sendable {
  var node: Classification.Node
  /// Who has its entries today, after whom they went to.
  var successor: Classification.Node?
  var total: Int
  var isTotalExact: Bool
  /// The first of them.
  var entries: [CatalogEntry]
}

extension Cataloguing {
  /// What is in classes that no longer stand: for the operator everybody's, for a department its own.
  func retiredClasses(_ principal: Principal) async throws -> [RetiredClass] {
    let office = principal.may(.reviewCatalog) ? nil : principal.organisation
    guard principal.may(.reviewCatalog) || principal.may(.compileCatalog) && office != nil else {
      throw Refusal.forbidden(.compileCatalog)
    }
    return try await db.read { tx in
      let tree = try classification(in: tx)
      // A province retires classes by the dozen in a year; more than these are a reform, done with one by one.
      return try tree.retired.prefix(200).compactMap { node in
        let hits = try CatalogSearch.find(
          CatalogQuery(node: node.code, provider: office, limit: 50), board: board, classification: tree, lists: lists,
          in: tx)
        let entries = hits.entries.filter { $0.classes.contains(node.code) }
        guard !entries.isEmpty else { return nil }
        return RetiredClass(
          node: node, successor: tree.heir(of: node.code, on: clock.today), total: hits.total,
          isTotalExact: hits.isTotalExact, entries: entries)
      }
    }
  }

  /// Puts an entry of the principal's department into the class that takes a retired one's place: in the draft that is
  /// open, or in a new version. What is in force stays until that is published.
  package func moveToSuccessor(_ principal: Principal, _ id: ResourceID, from code: String) async throws -> Resource {
    try principal.require(.compileCatalog)
    let (latest, successor) = try await db.read { tx in
      let resource = try own(principal, id, in: tx)
      let tree = try classification(in: tx)
      guard let node = tree[code], node.isRetired, resource.metadata.classes.contains(code) else {
        throw Refusal(
          .conflict, "catalog.class.not-in",
          Text("这条目录最新的版本已不在停用的分类中。", "The latest version of this entry is in no such retired class any more."))
      }
      guard let successor = tree.heir(of: code, on: clock.today)?.code else {
        throw Refusal(
          .conflict, "catalog.class.no-successor",
          Text("这个分类没有后继，请在新版本中另选分类。", "This class has no successor; choose another in a new version."))
      }
      return (resource, successor)
    }
    // Two steps, each whole: broken off between them, a new version stands open with its old class, and this goes on there.
    let draft = latest.state.isEditable ? latest : try await beginChange(principal, id)
    var metadata = draft.metadata
    metadata.classes = metadata.classes.map { $0 == code ? successor : $0 }
    var seen: Set<String> = []
    metadata.classes = metadata.classes.filter { seen.insert($0).inserted }
    let moved = try await edit(principal, id, from: draft.revision, .init(metadata: metadata)).resource
    try await closeMoveTask(principal, code)
    return moved
  }

  /// Once every entry of the department that is in the class has a draft elsewhere, nothing waits for the department.
  private func closeMoveTask(_ principal: Principal, _ code: String) async throws {
    guard let office = principal.organisation else { return }
    let now = clock.now()
    try await db.write { tx in
      let hits = try CatalogSearch.find(
        CatalogQuery(node: code, provider: office, limit: 100), board: board, classification: classification(in: tx),
        lists: lists, in: tx)
      let waits = try hits.entries.contains { entry in
        try CatalogStore.latest(entry.id, in: tx)?.metadata.classes.contains(code) == true
      }
      guard !waits, hits.next == nil else { return }
      try Inbox.close(subject: "class", "\(code)/\(office)", by: principal, at: now, in: tx)
    }
  }

  // MARK: The index

  /// Noted in the same transaction as the change, so that a program that dies before the index is renewed renews it at its
  /// next start.
  func searchMustBeRenewed(in tx: any Transaction) throws {
    try tx.run("UPDATE catalog_search_state SET tokens = 0")
  }

  /// Makes the blocks of the index anew that hold entries in a class, whose name or mapping changed.
  func renewSearch(under code: String) async throws {
    let blocks = try await db.read { try PostingBlock.numbers(under: code, in: $0) }
    for block in blocks {
      try await db.write { tx in
        _ = try CatalogSearch.renew(blockAfter: block - 1, classification: classification(in: tx), in: tx)
      }
    }
    try await db.write { tx in
      try tx.run("UPDATE catalog_search_state SET tokens = \(CatalogSearch.tokenVersion)")
    }
  }
}

extension PostingBlock {
  /// The blocks with entries at or below a class, in order; each span is asked by its key.
  fileprivate static func numbers(under code: String, in tx: any Transaction) throws -> [Int] {
    guard let token = SearchFacet.node(code).token else { return [] }
    let spans = try SearchSpans(in: tx).all
    var numbers: Set<Int> = []
    for start in stride(from: 0, to: spans.count, by: 200) {
      let some = Dictionary(uniqueKeysWithValues: spans[start..<min(start + 200, spans.count)].map { ($0.key, $0) })
      for row in try tx.rows(
        """
        SELECT block, places FROM catalog_posting
        WHERE block IN (\(each: some.keys.sorted())) AND token = \(SearchMark.facet.rawValue + token)
        """)
      {
        guard let span = some[try row.int("block")] else { continue }
        PlaceSet(try row.blob("places"), size: span.size).forEach { numbers.insert(number(of: span.first + $0)) }
      }
    }
    return numbers.sorted()
  }
}
