internal import Kernel
internal import Storage

// Where the entries of a retired class go: to its successor, or to whoever took over from that since. What would leave
// them nowhere is told when it is decided, not when the day comes.

extension Classification.Node {
  /// Whether it stands on a day, which is today or later.
  func stands(on day: CalendarDate) -> Bool {
    guard let period else { return true }
    return period.validFrom <= day && period.validTo.map { day < $0 } ?? true
  }
}

extension Classification {
  /// The class that has the entries of a retired one on a day: its successor; where that is retired by then too, the
  /// successor's; and so on. Nil where nobody took over, or they would go in a circle.
  func heir(of code: String, on day: CalendarDate) -> Node? {
    var seen: Set<String> = [code]
    var next = self[code]?.successor
    while let here = next, seen.insert(here).inserted, let node = self[here] {
      if node.stands(on: day) { return node }
      next = node.successor
    }
    return nil
  }

  /// The classes, retired or about to be, whose entries come to this one at once or through others; by code.
  func predecessors(of code: String) -> [Node] {
    var found: [String: Node] = [:]
    var open = [code]
    while let here = open.popLast() {
      for node in local.values where node.successor == here && node.code != code && found[node.code] == nil {
        found[node.code] = node
        open.append(node.code)
      }
    }
    return found.values.sorted { $0.code < $1.code }
  }
}

extension Cataloguing {
  /// Throws unless the successor can take over on the day, and does not hand back later what it is given.
  func checkSuccessor(
    _ successor: String, of code: String, on day: CalendarDate, today: CalendarDate, in tree: Classification
  ) throws {
    func wrong(_ chinese: String, _ english: String) -> Refusal {
      Refusal.invalid("catalog.class.successor", "successor", Text(chinese, english))
    }
    guard let next = tree[successor], successor != code else {
      throw wrong("没有后继分类 \(successor)，或就是它自己。", "There is no class \(successor), or it is this one.")
    }
    let from = max(day, today)
    guard next.stands(on: from) else {
      if case .future(let begin) = next.standing {
        throw wrong(
          "后继分类“\(next.name)”自 \(begin) 起才启用，\(from) 还不能承接。",
          "The successor “\(next.name)” stands from \(begin) on only and cannot take over on \(from).")
      }
      let end = next.period?.validTo ?? from
      let heir = tree.heir(of: successor, on: from).flatMap { $0.code == code ? nil : $0 }
      throw wrong(
        "后继分类“\(next.name)”自 \(end) 停用，\(from) 已不能承接。"
          + (heir.map { "它由“\($0.name)”承接，请直接填 \($0.code)。" } ?? "请另选。"),
        "The successor “\(next.name)” is itself retired from \(end) and cannot take over on \(from). "
          + (heir.map { "“\($0.name)” takes over from it: enter \($0.code)." } ?? "Choose another."))
    }
    var (path, here) = ([next], next)
    while let after = here.successor.flatMap({ tree[$0] }), !path.contains(where: { $0.code == after.code }) {
      guard after.code != code else {
        let names = (path + [after]).map(\.name)
        throw wrong(
          "首尾相接：它由“\(names.joined(separator: "”承接，再由“"))”承接，目录最后无处可去。请另选后继，或先改“\(here.name)”的后继。",
          "They go in a circle: from it to “\(names.joined(separator: "”, to “"))”; in the end its entries are nowhere. Choose another, or change the successor of “\(here.name)” first."
        )
      }
      path.append(after)
      here = after
    }
  }

  /// The entries in force in a class itself, counted to fifty where others lie below it.
  func entriesIn(_ node: Classification.Node, _ tree: Classification, in tx: any Transaction) throws -> Int {
    let hits = try CatalogSearch.find(
      CatalogQuery(node: node.code, limit: 50), board: board, classification: tree, lists: lists, in: tx)
    return tree.children(of: node.code).isEmpty ? hits.total : hits.entries.count { $0.classes.contains(node.code) }
  }

  /// Throws when the retirement of a class, which `tree` knows already and `before` does not, leaves those without an heir
  /// that were to come to it; answers those whose heir is another now.
  func checkPredecessors(
    of node: Classification.Node, on day: CalendarDate, today: CalendarDate, before: Classification,
    in tree: Classification, _ tx: any Transaction
  ) throws -> [Classification.Node] {
    var changed: [Classification.Node] = []
    for one in tree.predecessors(of: node.code) {
      guard let end = one.period?.validTo else { continue }
      let from = max(end, day, today)
      guard let old = before.heir(of: one.code, on: from) else { continue }
      guard let heir = tree.heir(of: one.code, on: from) else {
        guard try end > today || entriesIn(one, tree, in: tx) > 0 else { continue }
        throw Refusal.invalid(
          "catalog.class.successor", "successor",
          Text(
            "“\(one.name)”（\(one.code)）自 \(end) 停用后由它承接，它停用后那些目录就无处可去。请给它一个那时仍在用的后继，或先改“\(one.name)”的后继。",
            "“\(one.name)” (\(one.code)), retired from \(end), hands its entries to it; without it they are nowhere. Give it a successor that stands then, or change that of “\(one.name)” first."
          ))
      }
      if heir.code != old.code { changed.append(one) }
    }
    return changed
  }
}
