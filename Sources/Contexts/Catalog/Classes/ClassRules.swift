internal import Identity
internal import Kernel

// MARK: 1 Classification

/// The rules of element 1: classes that are there, stand, are the provider's to use, and a primary one that the national
/// tree knows.
func classFindings(_ resource: Resource, _ context: RuleContext) -> [Finding] {
  let classes = resource.metadata.classes
  let tree = context.classification
  guard let primary = classes.first else {
    return [
      Finding(
        .error, "classes.missing", "classes", Text("请选择信息资源分类。", "Choose a class."), source: RuleSource.element("1"))
    ]
  }
  var found = classes.flatMap { code in
    guard let node = tree[code] else {
      return [
        Finding(
          .error, "classes.unknown", "classes",
          Text("没有分类“\(code)”，国家和本地分类中都查不到。", "There is no class “\(code)”, neither national nor local."),
          source: RuleSource.element("1"))
      ]
    }
    return standingFindings(node, context) + useFindings(node, context)
  }
  if classes.count > Metadata.limits.classes {
    found.append(
      Finding(
        .error, "classes.many", "classes",
        Text("最多选 \(Metadata.limits.classes) 个分类。", "At most \(Metadata.limits.classes) classes."),
        source: RuleSource.platform))
  }
  if Set(classes).count < classes.count {
    found.append(
      Finding(
        .error, "classes.repeated", "classes", Text("同一分类只选一次。", "Each class once."), source: RuleSource.platform))
  }
  guard tree[primary] != nil else { return found }
  guard let national = tree.national(of: primary) else {
    found.append(
      Finding(
        .error, "classes.primary-local", "classes",
        Text(
          "主分类“\(tree.name(of: primary))”属于本地分类树，没有对应的国家分类；请把一个国家分类或有对应关系的分类放在最前。",
          "The primary class “\(tree.name(of: primary))” is of a local tree and not mapped to the national one; put a national or a mapped class first."
        ),
        source: RuleSource.configured("1")))
    return found
  }
  // 类、项、目 are required, but some branches of the tree end earlier (202 全民住房保障).
  if tree.path(to: national).count < 3, !tree.children(of: national).filter({ !$0.isLocal }).isEmpty {
    found.append(
      Finding(
        .error, "classes.shallow", "classes",
        Text(
          "主分类须细到“目”，请在“\(tree.name(of: national))”下继续选择。",
          "The primary class must go down to the third level; choose below “\(tree.name(of: national))”."
        ),
        source: RuleSource.configured("1")))
  }
  return found
}

/// An entry is not newly put into a class that no longer stands, or does not stand yet. One that is in it already is asked
/// to move.
private func standingFindings(_ node: Classification.Node, _ context: RuleContext) -> [Finding] {
  let name = "“\(node.name)”（\(node.code)）"
  switch node.standing {
  case .inForce: return []
  case .future(let day):
    return [
      Finding(
        .error, "classes.future", "classes",
        Text("分类\(name)自 \(day) 起启用，现在还不能选。", "Class \(name) stands from \(day) on; it cannot be chosen yet."),
        source: RuleSource.platform)
    ]
  case .retired(let day):
    let next = context.classification.heir(of: node.code, on: context.today).map { heir in
      Text("请改用“\(heir.name)”（\(heir.code)）。", "Use “\(heir.name)” (\(heir.code)).")
    }
    let hint = next ?? Text("它没有后继分类，请另选。", "It has no successor; choose another.")
    return [
      Finding(
        context.classesInForce.contains(node.code) ? .warning : .error, "classes.retired", "classes",
        Text("分类\(name)自 \(day) 起停用。\(hint.chinese)", "Class \(name) is retired since \(day). \(hint.english)"),
        source: RuleSource.platform)
    ]
  }
}

/// Classes that are for one division or office, and so is what lies below them.
private func useFindings(_ node: Classification.Node, _ context: RuleContext) -> [Finding] {
  guard let provider = context.provider else { return [] }
  for above in context.classification.path(to: node.code) {
    let isFree =
      switch above.period?.usedBy {
      case nil, .everyone: true
      case .division(let code): provider.division.hasPrefix(code)
      case .office(let id): provider.id == id
      }
    guard isFree else {
      return [
        Finding(
          .error, "classes.not-yours", "classes",
          Text(
            "分类“\(node.name)”（\(node.code)）只供其指定的地区或单位使用。",
            "Class “\(node.name)” (\(node.code)) is for the division or office it was made for only."),
          source: RuleSource.platform)
      ]
    }
  }
  return []
}
