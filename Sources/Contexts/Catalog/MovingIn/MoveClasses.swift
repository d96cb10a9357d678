internal import Kernel
internal import Storage

/// Finds for each of their classes ours, and makes those that are not here: below a national one where their code extends
/// it by the rule; else in a tree that bears the other system's name, mapped to the national class that they say.
struct MoveClasses {
  let source: String
  let title: String
  let today: CalendarDate
  private let rows: [String: ExportRow]
  private let order: [String]
  private(set) var tree: Classification
  /// Their id → our code.
  private(set) var codes: [String: String]
  private(set) var findings: [MoveFinding] = []
  private(set) var made: [ClassDraft] = []
  private var open: Set<String> = []

  init(
    _ export: MoveExport, _ mapping: MoveMapping, known: [String: String], tree: Classification, on today: CalendarDate
  ) {
    source = mapping.source
    title = mapping.title
    self.today = today
    self.tree = tree
    order = export.classes.map { $0["id"] }
    rows = Dictionary(export.classes.map { ($0["id"], $0) }, uniquingKeysWith: { first, _ in first })
    codes = known.filter { tree[$0.value] != nil }
  }

  var theirs: [(id: String, code: String, name: String)] {
    order.compactMap { id in rows[id].map { (id, $0["code"].isEmpty ? id : $0["code"], $0["name"]) } }
  }

  mutating func resolveAll(_ add: (ClassDraft, inout Classification) throws -> Void) throws {
    for id in order { _ = try resolve(id, add) }
  }

  private mutating func resolve(
    _ id: String, _ add: (ClassDraft, inout Classification) throws -> Void
  ) throws -> String? {
    if let code = codes[id] { return code }
    // A circle of parents ends at its first class.
    guard let row = rows[id], open.insert(id).inserted else { return nil }
    defer { open.remove(id) }
    let (code, name, national) = (row["code"], row["name"], row["national"])
    if let node = tree[code], !code.isEmpty {
      if node.name != name {
        note(row, "class.name", name, Text("这里叫“\(node.name)”。", "It is “\(node.name)” here."), .replaced)
      }
      codes[id] = code
      return code
    }
    if let node = tree[national], node.name == name {
      codes[id] = national
      return national
    }
    let parent = try resolve(row["parent"], add)
    if let parent, ClassPeriod.wrongCode(code, under: parent) == nil,
      try make(ClassDraft(code: code, parent: parent, name: name, from: today), row, add)
    {
      codes[id] = code
      return code
    }
    // What is above may be a national class; a tree of its own begins at its root.
    let above = parent.flatMap { tree.path(to: $0).first?.code == source ? $0 : nil } ?? source
    if above == source, tree[source] == nil {
      let root = ClassDraft(code: source, parent: nil, name: title, from: today)
      guard try make(root, row, add) else { return nil }
    }
    let mapped = tree[national].flatMap { $0.isLocal ? nil : national } ?? parent.flatMap { tree.national(of: $0) }
    if mapped == nil {
      note(
        row, "class.unmapped", national,
        Text("没有对应的国家分类，不能作主分类。", "It stands for no national class and cannot be a primary one."), .kept)
    }
    let number = tree.children(of: above).count + 1
    guard above.utf8.count + 3 <= ClassPeriod.limits.code, number < 1000 else {
      note(
        row, "class.deep", code,
        Text("层级太深或同级太多，并入其上级。", "Too deep, or too many beside it; what is above stands for it."), .replaced)
      codes[id] = above
      return above
    }
    let digits = String(number)
    let draft = ClassDraft(
      code: above + String(repeating: "0", count: 3 - digits.count) + digits, parent: above, name: name, from: today,
      national: mapped == parent.flatMap({ tree.national(of: $0) }) && above != source ? nil : mapped)
    guard try make(draft, row, add) else { return nil }
    codes[id] = draft.code
    return draft.code
  }

  private mutating func make(
    _ draft: ClassDraft, _ row: ExportRow, _ add: (ClassDraft, inout Classification) throws -> Void
  ) throws -> Bool {
    do {
      try add(draft, &tree)
      made.append(draft)
      return true
    } catch let refusal as Refusal {
      note(row, "class.refused", draft.code, refusal.message, .leftOut)
      return false
    }
  }

  private mutating func note(
    _ row: ExportRow, _ code: String, _ value: String, _ reason: Text, _ action: MoveFinding.Action
  ) {
    findings.append(MoveFinding(row.place, "", value, code, reason, action))
  }
}
