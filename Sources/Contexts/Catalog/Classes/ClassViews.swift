internal import Identity
internal import Kernel
internal import Storage

/// What the page of a class, or of the first level, shows.
struct ClassView: Sendable {
  var tree: Classification
  /// Nil for the first level.
  var node: Classification.Node?
  /// What lies right below, or what was found by words.
  var listed: [Classification.Node]
  /// Entries in force by class, of those listed below the node; empty when words were looked for.
  var counts: [String: Int] = [:]
  /// The entries in the node itself and below.
  var total = 0
  /// Counts are exact to `CatalogSearch.countLimit` entries; beyond, each is at least so many.
  var isExact = true
  /// What was kept of the node here, the latest first.
  var periods: [ClassPeriod] = []
  /// Which offices hold a department's node today.
  var holders: [OfficeToday] = []
  /// The office that alone may use it.
  var user: Organisation?
  /// Local classes that stand for this national one.
  var mappedFrom: [Classification.Node] = []
}

extension Cataloguing {
  func classView(_ principal: Principal, under code: String?, words: String = "") async throws -> ClassView {
    try principal.require(.readCatalog)
    return try await db.read { tx in
      if let code, words.isEmpty { return try classView(of: code, in: tx) }
      let tree = try classification(in: tx)
      if let code, tree[code] == nil { throw Self.unknownClass }
      guard words.isEmpty else { return ClassView(tree: tree, listed: tree.search(words, under: code)) }
      let counts = try CatalogSearch.countByClass(under: nil, board: board, classification: tree, in: tx)
      return ClassView(
        tree: tree, listed: tree.children(of: nil), counts: counts.classes, total: counts.total,
        isExact: counts.isExact)
    }
  }

  /// One class as this transaction sees it.
  func classView(of code: String, in tx: any Transaction) throws -> ClassView {
    let tree = try classification(in: tx)
    guard let node = tree[code] else { throw Self.unknownClass }
    let counts = try CatalogSearch.countByClass(under: code, board: board, classification: tree, in: tx)
    // A department whose entries say who it was: 2017 called it otherwise than today does.
    let holders =
      code.hasPrefix("3")
      ? try providers.holders(code, tx).flatMap { try providers.today(of: $0, on: clock.today, in: tx) } : []
    let user: Organisation? =
      if case .office(let id) = node.period?.usedBy { try providers.organisation(id, tx) } else { nil }
    var seen: Set<OrganisationID> = []
    return ClassView(
      tree: tree, node: node, listed: tree.children(of: code), counts: counts.classes, total: counts.total,
      isExact: counts.isExact, periods: try ClassStore.periods(of: code, in: tx).reversed(),
      holders: holders.filter { seen.insert($0.office.id).inserted }, user: user, mappedFrom: tree.mapped(to: code))
  }

  /// The classification by code, behind one, with which version of it that is.
  func classes(
    _ principal: Principal, after code: String?, limit: Int
  ) async throws -> (tree: Classification, nodes: [Classification.Node]) {
    try principal.require(.readCatalog)
    return try await db.read { tx in
      let tree = try classification(in: tx)
      return (tree, tree.nodes(after: code, limit: limit))
    }
  }
}

extension Classification {
  /// The local classes that are mapped to a national node.
  func mapped(to code: String) -> [Node] {
    local.values.filter { $0.period?.national == code }.sorted { $0.code < $1.code }
  }
}
