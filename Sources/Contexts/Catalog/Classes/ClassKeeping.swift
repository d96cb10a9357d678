internal import Audit
internal import Identity
internal import Inbox
package import Kernel
package import Storage

// What the platform's operator does with the classification: adds local nodes, renames and maps them, retires nodes.
// Nothing is ever deleted: entries of old versions keep the class they were in.

/// What is said of a class from a day on.
package struct ClassDraft: Hashable, Sendable {
  package var code: String
  /// Nil for the root of a local tree.
  package var parent: String?
  package var name: String
  package var from: CalendarDate
  package var national: String?
  package var usedBy: ClassUse

  package init(
    code: String, parent: String?, name: String, from: CalendarDate, national: String? = nil,
    usedBy: ClassUse = .everyone
  ) {
    self.code = code
    self.parent = parent
    self.name = name
    self.from = from
    self.national = national
    self.usedBy = usedBy
  }
}

extension Cataloguing {
  /// Why a class with entries in force is not retired without successor.
  static let leavesEntries = "catalog.class.leaves-entries"

  static let unknownClass = Refusal.notFound(Text("分类", "class"))

  /// Adds a node below a national or local one, or the root of a local tree.
  package func addClass(_ principal: Principal, _ draft: ClassDraft) async throws {
    try principal.require(.reviewCatalog)
    let now = clock.now()
    try await db.write { tx in
      var tree = try classification(in: tx)
      try add(draft, to: &tree, by: principal, at: now, in: tx)
      try ClassStore.changed(mapping: false, in: tx)
    }
  }

  /// Renames a local node, maps it anew or gives it to others, from a day on; a retired one stands again from then. `check`
  /// throws when the class is not as the asker saw it.
  package func changeClass(
    _ principal: Principal, _ draft: ClassDraft,
    if check: @escaping @Sendable (any Transaction) throws -> Void = { _ in }
  ) async throws {
    try principal.require(.reviewCatalog)
    let now = clock.now()
    let isOtherwiseSearched = try await db.write { tx in
      try check(tx)
      var tree = try classification(in: tx)
      let done = try change(draft, in: &tree, by: principal, at: now, in: tx)
      try ClassStore.changed(mapping: done.isMapped, in: tx)
      return done.isOtherwiseSearched
    }
    if isOtherwiseSearched { try await renewSearch(under: draft.code) }
  }

  /// Ends a node from a day on, local or national; `successor` takes its entries over. Their departments get a task.
  ///
  /// Refused is what would leave entries nowhere: a successor that does not stand on that day, classes that hand them on in a
  /// circle, one that others hand theirs to and that has no successor; and, unless `leavesEntries` says that it is meant so,
  /// a class with entries and without successor. `check` throws when the class is not as the asker saw it.
  package func retireClass(
    _ principal: Principal, _ code: String, on day: CalendarDate, successor: String?, leavesEntries: Bool = false,
    if check: @escaping @Sendable (any Transaction) throws -> Void = { _ in }
  ) async throws {
    try principal.require(.reviewCatalog)
    let now = clock.now()
    try await db.write { tx in
      try check(tx)
      var tree = try classification(in: tx)
      let left = try retire(code, on: day, successor: successor, in: &tree, by: principal, at: now, in: tx)
      guard left == 0 || leavesEntries else {
        throw Refusal.invalid(
          Self.leavesEntries, "leaves",
          Text(
            "其中有 \(left) 条在用目录，没有后继就要由各单位逐条另选分类。请填写后继分类；确实没有的，勾选后再停用。",
            "\(left) entries in force are in it; without successor their departments choose another class for each. Enter a successor, or confirm that there is none."
          ))
      }
      try ClassStore.changed(mapping: false, in: tx)
    }
  }

  // MARK: Steps, each in an open transaction

  func add(
    _ draft: ClassDraft, to tree: inout Classification, by principal: Principal, at now: Instant, in tx: any Transaction
  ) throws {
    guard tree[draft.code] == nil else {
      throw Refusal.invalid(
        "catalog.class.code", "code",
        Text(
          "代码 \(draft.code) 已用于“\(tree.name(of: draft.code))”。代码不会重复使用。",
          "Code \(draft.code) is that of “\(tree.name(of: draft.code))”; none is used twice."))
    }
    if let parent = draft.parent {
      guard let above = tree[parent] else {
        throw Refusal.invalid(
          "catalog.class.parent", "parent", Text("没有上级分类 \(parent)。", "There is no class \(parent)."))
      }
      guard !above.isRetired else {
        throw Refusal.invalid(
          "catalog.class.parent", "parent",
          Text("上级分类“\(above.name)”已停用。", "The class above, “\(above.name)”, is retired."))
      }
    }
    if let wrong = ClassPeriod.wrongCode(draft.code, under: draft.parent) {
      throw Refusal.invalid("catalog.class.code", "code", wrong)
    }
    // Of two codes of which one begins with the other, nobody could say under which a third lies.
    if let close = tree.children(of: draft.parent).first(where: {
      $0.code.hasPrefix(draft.code) || draft.code.hasPrefix($0.code)
    }) {
      throw Refusal.invalid(
        "catalog.class.code", "code",
        Text(
          "代码与同级的 \(close.code)“\(close.name)”互为开头，请用同样长度。",
          "One of this code and \(close.code) “\(close.name)” beside it begins with the other; use the same length."))
    }
    guard tree.localCount < ClassPeriod.limits.nodes else {
      throw Refusal(
        .conflict, "catalog.class.many",
        Text("本地分类最多 \(ClassPeriod.limits.nodes) 个。", "At most \(ClassPeriod.limits.nodes) local classes."))
    }
    try check(draft, tree, in: tx)
    try ClassStore.insert(draft.code, parent: draft.parent, at: now, in: tx)
    let first = period(draft, by: principal, at: now)
    try ClassStore.insert(first, in: tx)
    tree = tree.with(first, on: now.dateInChina)
    try recordClass("catalog.class.add", draft.code, draft.name, by: principal, at: now, detail(draft), in: tx)
  }

  /// Answers whether it is mapped anew, and whether entries in it are now found by other words or under other nodes.
  func change(
    _ draft: ClassDraft, in tree: inout Classification, by principal: Principal, at now: Instant,
    in tx: any Transaction
  ) throws -> (isMapped: Bool, isOtherwiseSearched: Bool) {
    guard let node = tree[draft.code] else { throw Self.unknownClass }
    guard node.isLocal, var last = try ClassStore.periods(of: draft.code, in: tx).last else {
      throw Refusal(
        .conflict, "catalog.class.national",
        Text("国家分类的名称不能改，只能停用。", "A national class keeps its name; it can only be retired."))
    }
    var draft = draft
    draft.parent = node.parent
    try check(draft, tree, in: tx)
    let isMapped = last.national != draft.national
    guard draft.from >= last.validFrom else {
      throw Refusal.invalid(
        "catalog.class.from", "from",
        Text(
          "生效日不能早于 \(last.validFrom)，那天起已有登记。", "Not before \(last.validFrom): from that day on it is settled already.")
      )
    }
    guard draft.from <= now.dateInChina else {
      throw Refusal.invalid(
        "catalog.class.from", "from",
        Text("变更自当天或更早的日期生效。", "A change holds from today or an earlier day."))
    }
    if draft.from == last.validFrom {
      // It never held for a whole day: corrected, not followed.
      try ClassStore.update(period(draft, by: principal, at: now), in: tx)
    } else {
      last.validTo = min(last.validTo ?? draft.from, draft.from)
      try ClassStore.update(last, in: tx)
      try ClassStore.insert(period(draft, by: principal, at: now), in: tx)
    }
    tree = tree.with(period(draft, by: principal, at: now), on: now.dateInChina)
    let isOtherwiseSearched = isMapped || node.name != draft.name
    if isOtherwiseSearched { try searchMustBeRenewed(in: tx) }
    try recordClass(
      "catalog.class.change", draft.code, draft.name, by: principal, at: now,
      [("before", node.name)] + detail(draft), in: tx)
    return (isMapped, isOtherwiseSearched)
  }

  /// Answers how many entries it leaves without another class.
  func retire(
    _ code: String, on day: CalendarDate, successor: String?, in tree: inout Classification, by principal: Principal,
    at now: Instant, in tx: any Transaction
  ) throws -> Int {
    guard let node = tree[code] else { throw Self.unknownClass }
    let standing = tree.children(of: code).filter { child in
      guard let end = child.period?.validTo else { return true }
      return end > day
    }
    guard standing.isEmpty else {
      let names = standing.prefix(5).map { "\($0.name)（\($0.code)）" }.joined(separator: "、")
      throw Refusal.invalid(
        "catalog.class.children", "on",
        Text(
          "请先停用它的 \(standing.count) 个下级分类：\(names)\(standing.count > 5 ? "等" : "")。",
          "First retire the \(standing.count) below it: \(names)\(standing.count > 5 ? " …" : "")."))
    }
    let (before, today) = (tree, now.dateInChina)
    if let successor { try checkSuccessor(successor, of: code, on: day, today: today, in: tree) }
    var last =
      try ClassStore.periods(of: code, in: tx).last
      ?? ClassPeriod(
        code: code, parent: node.parent, name: node.name, validFrom: CalendarDate(year: 2017, month: 6, day: 1)!,
        changedAt: now, changedBy: principal.name)
    guard day > last.validFrom else {
      throw Refusal.invalid(
        "catalog.class.on", "on",
        Text("停用日须晚于 \(last.validFrom)。", "It is retired after \(last.validFrom) at the earliest."))
    }
    try ClassStore.insert(code, parent: node.parent, at: now, in: tx)
    let isNew = try ClassStore.periods(of: code, in: tx).isEmpty
    (last.validTo, last.successor, last.changedAt, last.changedBy) = (day, successor, now, principal.name)
    if isNew { try ClassStore.insert(last, in: tx) } else { try ClassStore.update(last, in: tx) }
    tree = tree.with(last, on: today)
    let handedOn = try checkPredecessors(of: node, on: day, today: today, before: before, in: tree, tx)
    try recordClass(
      "catalog.class.retire", code, node.name, by: principal, at: now,
      [("from", "\(day)")] + (successor.map { [("successor", "\($0) \(tree.name(of: $0))")] } ?? []), in: tx)
    try askToMove(node, by: day, tree, principal, now, in: tx)
    // What their tasks say of a successor is out of date.
    for one in handedOn {
      guard let end = one.period?.validTo else { continue }
      try askToMove(one, by: end, tree, principal, now, in: tx)
    }
    return successor == nil ? try entriesIn(node, tree, in: tx) : 0
  }

  // MARK: Parts

  private func check(_ draft: ClassDraft, _ tree: Classification, in tx: any Transaction) throws {
    if let wrong = PlainText.wrongName(draft.name, lengths: 1...ClassPeriod.limits.name) {
      throw Refusal.invalid("catalog.class.name", "name", Text("名称：\(wrong.chinese)", "Name: \(wrong.english)"))
    }
    if let mapped = draft.national {
      guard let node = tree[mapped], !node.isLocal, !node.isRetired else {
        throw Refusal.invalid(
          "catalog.class.national", "national",
          Text("国家分类中没有在用的 \(mapped)。", "The national tree has no \(mapped) that stands."))
      }
      let root = tree.path(to: draft.parent ?? draft.code).first
      guard draft.parent == nil || root?.isLocal == true else {
        throw Refusal.invalid(
          "catalog.class.national", "national",
          Text("它在国家分类之下，本来就对应其上级，不再另行对应。", "It lies below the national tree and needs no mapping."))
      }
    }
    if case .office(let id) = draft.usedBy, try providers.organisation(id, tx) == nil {
      throw Refusal.invalid("catalog.class.use", "usedBy", Text("没有这个单位。", "There is no such organisation."))
    }
  }

  private func period(_ draft: ClassDraft, by principal: Principal, at now: Instant) -> ClassPeriod {
    ClassPeriod(
      code: draft.code, parent: draft.parent, name: draft.name, validFrom: draft.from, national: draft.national,
      usedBy: draft.usedBy, changedAt: now, changedBy: principal.name)
  }

  private func detail(_ draft: ClassDraft) -> [(name: String, value: String)] {
    [("after", draft.name), ("from", "\(draft.from)")] + (draft.national.map { [("national", $0)] } ?? [])
      + (draft.usedBy == .everyone ? [] : [("use", draft.usedBy.text)])
  }

  private func recordClass(
    _ action: String, _ code: String, _ name: String, by principal: Principal, at now: Instant,
    _ detail: [(name: String, value: String)], in tx: any Transaction
  ) throws {
    try AuditLog.record(
      AuditEntry(
        at: now, actor: principal, action: action, subjectKind: "class", subject: code, subjectName: name,
        detail: detail), in: tx)
  }

  /// Each department with entries in force in the class gets one task, until the day it ends.
  private func askToMove(
    _ node: Classification.Node, by day: CalendarDate, _ tree: Classification, _ principal: Principal, _ now: Instant,
    in tx: any Transaction
  ) throws {
    let found = try CatalogSearch.countByClass(under: node.code, board: board, classification: tree, in: tx)
    let heir = tree.heir(of: node.code, on: max(day, now.dateInChina))
    let next = Text(
      heir.map { "，改用“\($0.name)”" } ?? "，没有后继", heir.map { ", use “\($0.name)”" } ?? ", without successor")
    for office in found.providers.keys.sorted() {
      let subject = "\(node.code)/\(office)"
      try Inbox.close(subject: "class", subject, by: principal, at: now, in: tx)
      try Inbox.post(
        InboxTask(
          kind: "catalog.class.move",
          title: Text(
            "分类“\(node.name)”自 \(day) 停用\(next.chinese)：其中的目录待改",
            "Class “\(node.name)” is retired from \(day)\(next.english): its entries are to move"),
          link: CatalogPath.retiredClasses, for: .office(OrganisationID(trusted: office), .compileCatalog),
          subject: ("class", subject), due: day, at: now), in: tx)
    }
  }
}
