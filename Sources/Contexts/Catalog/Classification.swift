internal import CEmbedded
internal import Kernel

/// The national classification of information resources (类、项、目、细目): 6,505 nodes of 2017, read once.
///
/// A child's code starts with its parent's and is two or three digits longer, as the data says.
package final class Classification: Sendable {
  package struct Node: Hashable, Sendable {
    package var code: String
    package var parent: String?
    package var name: String
  }

  package let version: String
  private let nodes: [String: Node]
  private let children: [String: [String]]
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
    suggestible = nodes.values.filter { ["1", "2"].contains($0.code.prefix(1)) && $0.code.count > 1 }
      .sorted { $0.code < $1.code }
    pairCounts = suggestible.reduce(into: [:]) { counts, node in
      for pair in pairs(of: node.name) { counts[pair, default: 0] += 1 }
    }
  }

  package var count: Int { nodes.count }

  package subscript(_ code: String) -> Node? { nodes[code] }

  /// The nodes right under a code; the three classes under nil.
  package func children(of code: String?) -> [Node] { (children[code ?? ""] ?? []).compactMap { nodes[$0] } }

  /// From the class down to the node itself; empty for an unknown code.
  package func path(to code: String) -> [Node] {
    var path: [Node] = []
    var next = nodes[code]
    while let node = next {
      path.append(node)
      next = node.parent.flatMap { nodes[$0] }
    }
    return path.reversed()
  }

  /// `部门政务信息资源目录 › … › 青海省民政厅`
  package func title(of code: String) -> String { path(to: code).map(\.name).joined(separator: " › ") }

  package func name(of code: String) -> String { nodes[code]?.name ?? code }

  /// Nodes whose name holds all the words, or whose code begins with the text; in the order of codes.
  package func search(_ text: String, limit: Int = 50) -> [Node] {
    let words = text.split(separator: " ")
    guard !words.isEmpty else { return [] }
    return nodes.values
      .filter { node in words.allSatisfy { node.name.contains($0) || node.code.hasPrefix($0) } }
      .sorted { $0.code < $1.code }.prefix(limit).map { $0 }
  }
}
