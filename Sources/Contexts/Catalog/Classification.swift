internal import CEmbedded
package import Kernel

/// The classification of information resources (类、项、目、细目) as it stood on a day: the national tree of 2017 (6,505
/// nodes, read once) and the local nodes that the platform's operator keeps (`ClassPeriod`).
///
/// A child's code starts with its parent's and is two or three digits longer. Local nodes lie below national ones, or in a
/// tree of their own, whose root is a word of letters; a value never changes, the next one follows a change.
package final class Classification: Sendable {
  package struct Node: Hashable, Sendable {
    package var code: String
    package var parent: String?
    package var name: String
    /// The period that is in force on the day, or was or will be nearest to it; nil for a national node nobody touched.
    package var period: ClassPeriod?
    /// Kept here, and not of the national tree.
    package var isLocal = false
    /// Where the node stands on the day.
    package var standing = Standing.inForce

    package enum Standing: Hashable, Sendable {
      case inForce
      /// From that day on.
      case future(CalendarDate)
      /// Since that day.
      case retired(CalendarDate)
    }

    fileprivate init(code: String, parent: String?, name: String) {
      self.code = code
      self.parent = parent
      self.name = name
    }

    fileprivate init(_ period: ClassPeriod, isLocal: Bool, on day: CalendarDate) {
      self.init(code: period.code, parent: period.parent, name: period.name)
      self.period = period
      self.isLocal = isLocal
      standing =
        if day < period.validFrom {
          .future(period.validFrom)
        } else if let end = period.validTo, end <= day {
          .retired(end)
        } else { .inForce }
    }

    package var isRetired: Bool { if case .retired = standing { true } else { false } }
    /// Where its entries go, once it is retired.
    package var successor: String? { period?.successor }
  }

  package let version: String
  /// Grows when a mapping changes, and with it where entries are counted.
  package let mapping: Int
  private let nodes: [String: Node]
  private let children: [String: [String]]
  /// The local nodes and the national ones with a period of their own, over those of `nodes`.
  let local: [String: Node]
  private let localChildren: [String: [String]]
  /// Base and thematic nodes under their class, and in how many of their names a pair of characters stands.
  let suggestible: [Node]
  let pairCounts: [String: Int]

  package static let embedded: Classification = {
    do {
      return try Classification(
        version: "2017", text: embeddedText(sj_classification_2017_csv(), sj_classification_2017_csv_length))
    } catch {
      preconditionFailure("the embedded classification is broken: \(error)")
    }
  }()

  package struct Broken: Error {
    package var line: Int
    package var code: String
  }

  package init(version: String, text: String) throws {
    self.version = version
    let table = try CSV.table(text, comments: true)
    try table.require("code", "parent_code", "name")
    var nodes: [String: Node] = [:]
    var children: [String: [String]] = [:]
    nodes.reserveCapacity(table.rows.count)
    for row in table.rows {
      let code = row["code"]
      let parent = row["parent_code"].isEmpty ? nil : row["parent_code"]
      let step = code.utf8.count - (parent?.utf8.count ?? 0)
      guard nodes[code] == nil, parent == nil ? step == 1 : (code.hasPrefix(parent!) && (2...3).contains(step)),
        !row["name"].isEmpty
      else { throw Broken(line: row.line, code: code) }
      nodes[code] = Node(code: code, parent: parent, name: row["name"])
      children[parent ?? "", default: []].append(code)
    }
    for row in table.rows where !row["parent_code"].isEmpty && nodes[row["parent_code"]] == nil {
      throw Broken(line: row.line, code: row["code"])
    }
    self.nodes = nodes
    self.children = children.mapValues { $0.sorted() }
    mapping = 0
    local = [:]
    localChildren = [:]
    suggestible = nodes.values.filter { ["1", "2"].contains($0.code.prefix(1)) && $0.code.count > 1 }
      .sorted { $0.code < $1.code }
    pairCounts = suggestible.reduce(into: [:]) { counts, node in
      for pair in pairs(of: node.name) { counts[pair, default: 0] += 1 }
    }
  }

  /// The national tree with the local periods as they stand on a day. `periods` come by code and first day.
  package convenience init(
    _ national: Classification, _ periods: [ClassPeriod], on day: CalendarDate, version: Int, mapping: Int
  ) {
    var local: [String: Node] = [:]
    var localChildren: [String: [String]] = [:]
    for period in periods {
      let isNational = national.nodes[period.code] != nil
      if local[period.code] == nil, !isNational { localChildren[period.parent ?? "", default: []].append(period.code) }
      // The first period stands in for the days before it; each later one that has begun takes its place.
      if local[period.code] != nil, day < period.validFrom { continue }
      local[period.code] = Node(period, isLocal: !isNational, on: day)
    }
    self.init(
      national, "\(national.version).\(version)", local, localChildren.mapValues { $0.sorted() }, mapping: mapping)
  }

  private init(
    _ other: Classification, _ version: String, _ local: [String: Node], _ localChildren: [String: [String]],
    mapping: Int
  ) {
    self.version = version
    self.mapping = mapping
    nodes = other.nodes
    children = other.children
    self.local = local
    self.localChildren = localChildren
    suggestible = other.suggestible
    pairCounts = other.pairCounts
  }

  /// The same with one period more, which has the last word on its node: for what is decided in the transaction that keeps
  /// it.
  func with(_ period: ClassPeriod, on day: CalendarDate) -> Classification {
    let isLocal = nodes[period.code] == nil
    var (local, below) = (local, localChildren)
    if isLocal, local[period.code] == nil {
      below[period.parent ?? "", default: []].append(period.code)
      below[period.parent ?? ""]?.sort()
    }
    local[period.code] = Node(period, isLocal: isLocal, on: day)
    return Classification(self, version, local, below, mapping: mapping)
  }

  /// All nodes, the local ones included.
  package var count: Int { nodes.count + localCount }
  package var localCount: Int { local.values.count { $0.isLocal } }
  package var retired: [Node] { local.values.filter(\.isRetired).sorted { $0.code < $1.code } }

  package subscript(_ code: String) -> Node? { local[code] ?? nodes[code] }

  /// The nodes right under a code, national ones first; under nil the three classes and the roots of local trees.
  package func children(of code: String?) -> [Node] {
    ((children[code ?? ""] ?? []) + (localChildren[code ?? ""] ?? [])).compactMap { self[$0] }
  }

  /// All nodes in the order of their codes, behind one.
  func nodes(after code: String?, limit: Int) -> [Node] {
    let places = Array(nodes.keys) + local.values.lazy.filter(\.isLocal).map(\.code)
    return places.filter { $0 > code ?? "" }.sorted().prefix(limit).compactMap { self[$0] }
  }

  /// The node of the national tree that a class stands for: itself; the nearest national node above it; or what it, or the
  /// nearest node above it that is mapped, is mapped to. Nil for a local tree that is not mapped, and for an unknown code.
  package func national(of code: String) -> String? {
    var next: String? = code
    while let here = next, let node = self[here] {
      if nodes[here] != nil { return here }
      if let mapped = node.period?.national { return mapped }
      next = node.parent
    }
    return nil
  }

  /// The ways down to a class: its own tree's, and for a class of a local tree that is mapped also the national one's.
  /// Whoever looks under any node on them finds what is in the class.
  package func branches(of code: String) -> [[Node]] {
    let own = path(to: code)
    guard let top = own.first, nodes[top.code] == nil, let mapped = national(of: code) else { return [own] }
    return [own, path(to: mapped)]
  }

  /// From the class down to the node itself; empty for an unknown code.
  package func path(to code: String) -> [Node] {
    var path: [Node] = []
    var next = self[code]
    while let node = next {
      path.append(node)
      next = node.parent.flatMap { self[$0] }
    }
    return path.reversed()
  }

  /// `部门政务信息资源目录 › … › 青海省民政厅`
  package func title(of code: String) -> String { path(to: code).map(\.name).joined(separator: " › ") }

  package func name(of code: String) -> String { self[code]?.name ?? code }

  /// Nodes whose name holds all the words, or whose code begins with the text; in the order of codes. Of those below one
  /// node, where it is given.
  package func search(_ text: String, under node: String? = nil, limit: Int = 50) -> [Node] {
    let words = text.split(separator: " ")
    guard !words.isEmpty else { return [] }
    let touched = nodes.values.lazy.map { self.local[$0.code] ?? $0 }
    return (Array(touched) + local.values.filter(\.isLocal))
      .filter { node in words.allSatisfy { node.name.contains($0) || node.code.hasPrefix($0) } }
      .filter { found in node.map { path(to: found.code).dropLast().map(\.code).contains($0) } ?? true }
      .sorted { $0.code < $1.code }.prefix(limit).map { $0 }
  }
}
