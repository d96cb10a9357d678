internal import Connecting
package import Identity
package import Inventory
package import Kernel

/// What the rules need to know besides the entry itself. Made by the store, so that the rules stay pure.
package struct RuleContext: Sendable {
  package var lists: CodeLists
  package var classification: Classification
  package var today: CalendarDate
  /// A registered information system bears the entry's name.
  package var isSystemName = false
  /// Another live entry of this provider bears it.
  package var nameIsTaken = false
  /// Related codes that no published entry has.
  package var unknownRelated: [String] = []
  /// The provider still stands as an organisation.
  package var providerStands = true
  /// Nil when it is not known which classes are kept for its division or itself.
  package var provider: Organisation?
  /// Its credit code where that is valid, so that it is not checked for each of its entries.
  var providerCode: CreditCode?
  /// The classes of the version in force, of which it need not be told that they cannot be chosen.
  package var classesInForce: Set<String> = []
  /// A later version says what the one in force says.
  var isAsInForce = false

  package init(lists: CodeLists = .embedded, classification: Classification = .embedded, today: CalendarDate) {
    self.lists = lists
    self.classification = classification
    self.today = today
  }

  /// The same for an entry of this office, which is nil when there is none.
  func of(_ office: Organisation?) -> RuleContext {
    var context = self
    context.provider = office
    context.providerCode = office.flatMap { try? CreditCode($0.creditCode) }
    context.providerStands = office.map { $0.validTo.map { today < $0 } ?? true } ?? false
    return context
  }

  /// The related codes that are looked for; of more than these, only their length is judged.
  func asked(of metadata: Metadata) -> [String] { Array(metadata.related.prefix(100)) }

  /// Whether it matters which classes its version in force has.
  func hasRetiredClass(_ resource: Resource) -> Bool {
    resource.metadata.classes.contains { classification[$0]?.isRetired == true }
  }
}

/// The rules of the core metadata, each a pure function; findings come in the order of the elements.
package func findings(of resource: Resource, in context: RuleContext) -> [Finding] {
  classFindings(resource, context) + nameFindings(resource, context) + providerFindings(resource, context)
    + abstractFindings(resource) + formatFindings(resource, context) + sharingFindings(resource, context)
    + methodFindings(resource, context) + opennessFindings(resource, context) + restFindings(resource, context)
    + mountFindings(resource) + itemFindings(resource, context) + versionFindings(resource, context)
}

// MARK: Version

private func versionFindings(_ resource: Resource, _ context: RuleContext) -> [Finding] {
  guard context.isAsInForce else { return [] }
  return [
    Finding(
      .warning, "version.same", "name",
      Text(
        "除附件外，与在用版本没有差别。没有要改的，可放弃这一版。",
        "But for attachments, nothing differs from the version in force. With nothing to change, discard this one."),
      source: RuleSource.platform)
  ]
}

/// Of a code that today's list does not offer: that it is missing, or that there is none such. `what` is what the list is of.
func choiceFinding(
  _ value: String, _ code: String, _ field: String, _ missing: Text, _ what: Text, _ source: Text
) -> Finding {
  let stem = code.contains(".") ? "\(code)-" : "\(code)."
  guard !value.isEmpty else { return Finding(.error, stem + "missing", field, missing, source: source) }
  let shown = value.prefix(40)
  return Finding(
    .error, stem + "unknown", field,
    Text(
      "“\(shown)”不是可选的\(what.chinese)。\(missing.chinese)",
      "“\(shown)” is not \(what.english) that can be chosen. \(missing.english)"),
    source: source)
}

// MARK: 2 Name

private func nameFindings(_ resource: Resource, _ context: RuleContext) -> [Finding] {
  let name = resource.metadata.name
  let element = RuleSource.element("2")
  guard !name.isEmpty else {
    return [Finding(.error, "name.missing", "name", Text("请填写信息资源名称。", "Enter the resource's name."), source: element)]
  }
  var found = textFindings(name, "name", Metadata.limits.name, Text("名称", "name"), element)
  found += shownFindings(name, "name", Text("名称", "name"), unless: !found.isEmpty)
  if context.isSystemName {
    found.append(
      Finding(
        .error, "name.is-system", "name",
        Text(
          "名称与一个信息系统同名。资源名称应描述数据内容，如“企业法人基本信息”。",
          "This is the name of an information system. A resource is named after its content, such as “Legal persons' basic data”."
        ),
        source: RuleSource.configured("2")))
  } else if name.hasSuffix("系统") || name.hasSuffix("平台") || name.hasSuffix("数据库") {
    found.append(
      Finding(
        .warning, "name.like-system", "name",
        Text("名称像是系统、平台或数据库的名字；请改为描述数据内容。", "This reads like a system's name; describe the content instead."),
        source: RuleSource.configured("2")))
  }
  if context.nameIsTaken {
    found.append(
      Finding(
        .error, "name.taken", "name",
        Text("本单位已有同名目录。", "Your organisation has an entry of this name."), source: RuleSource.configured("2")))
  }
  if let table = resource.mount?.table.name, name == table,
    !Han.isPart(of: name)
  {
    found.append(
      Finding(
        .error, "name.is-table", "name",
        Text(
          "“\(name)”是表名。请写业务上的名称，如“企业法人基本信息”。",
          "“\(name)” is the table's name. Write what business calls it, such as “Legal persons' basic data”."),
        source: RuleSource.configured("2")))
  } else if !Han.isPart(of: name) {
    found.append(
      Finding(
        .warning, "name.not-chinese", "name",
        Text("名称没有中文；请写业务上的名称，不要用表名。", "The name has no Chinese; write what business calls it, not the table's name."),
        source: RuleSource.configured("2")))
  }
  return found
}

// MARK: 4, 5 Provider

private func providerFindings(_ resource: Resource, _ context: RuleContext) -> [Finding] {
  var found: [Finding] = []
  if !context.providerStands {
    found.append(
      Finding(
        .error, "provider.ended", "provider",
        Text(
          "提供方已撤销，目录应由其职能的承接单位编制。", "The provider no longer stands; the office that took over its duties compiles this."
        ),
        source: RuleSource.platform))
  }
  if let code = context.providerCode, code.text == resource.providerCode { return found }
  do { _ = try CreditCode(resource.providerCode) } catch {
    found.append(
      Finding(
        .error, "provider.code", "provider",
        Text(
          "提供方代码不是有效的统一社会信用代码：\(error.message.chinese)",
          "The provider's code is no valid unified social credit code: \(error.message.english)"),
        source: Text("GB 32100-2015", "GB 32100-2015")))
  }
  return found
}

// MARK: 6 Abstract

private func abstractFindings(_ resource: Resource) -> [Finding] {
  let abstract = resource.metadata.abstract
  let element = RuleSource.element("6")
  guard !abstract.isEmpty else {
    return [
      Finding(
        .error, "abstract.missing", "abstract", Text("请填写摘要：有哪些数据，从何而来。", "Enter an abstract: which data, from where."),
        source: element)
    ]
  }
  var found = textFindings(abstract, "abstract", Metadata.limits.abstract, Text("摘要", "abstract"), element)
  if abstract.count < 10 || abstract == resource.metadata.name {
    found.append(
      Finding(
        .warning, "abstract.short", "abstract",
        Text(
          "摘要过短，使用部门看不出内容；请写明主要信息项、范围和来源。",
          "Too short to tell others what is in it; name the main items, the range and the origin."),
        source: RuleSource.platform))
  }
  return found
}

// MARK: 7 Format

private func formatFindings(_ resource: Resource, _ context: RuleContext) -> [Finding] {
  let metadata = resource.metadata
  guard context.lists.formats.permits(metadata.format, on: context.today) else {
    return [
      choiceFinding(
        metadata.format, "format", "format", Text("请选择信息资源格式。", "Choose the format."),
        Text("信息资源格式", "a format"), RuleSource.element("7"))
    ]
  }
  var found: [Finding] = []
  if resource.items.isEmpty {
    let structured = ["02", "03", "06"].contains(metadata.formatClass)
    found.append(
      Finding(
        structured ? .error : .hint, "items.missing", "items",
        structured
          ? Text("结构化的资源须列出信息项。", "A structured resource lists its items.")
          : Text(
            "没有信息项。文件里有固定的栏目时，列出来便于查找。",
            "No items. Where the files have set fields, listing them helps readers to find it."),
        source: RuleSource.configured("8")))
  }
  if metadata.formatClass == "03", resource.system == nil {
    found.append(
      Finding(
        .error, "system.missing", "system",
        Text("数据库类资源须关联所属信息系统。", "A database resource belongs to an information system."),
        source: RuleSource.platform))
  }
  return found
}

// MARK: 9.1, 9.2 Sharing

private func sharingFindings(_ resource: Resource, _ context: RuleContext) -> [Finding] {
  let metadata = resource.metadata
  guard context.lists.sharingTypes.permits(metadata.sharingType, on: context.today) else {
    return [
      choiceFinding(
        metadata.sharingType, "sharing", "sharingType", Text("请选择共享类型。", "Choose how it is shared."),
        Text("共享类型", "a sharing type"), RuleSource.element("9"))
    ]
  }
  var found = textFindings(
    metadata.sharingCondition, "sharingCondition", Metadata.limits.sharingCondition, Text("共享条件", "condition"),
    RuleSource.element("9"))
  found += conditionFindings(
    type: metadata.sharingType, condition: metadata.sharingCondition, field: "sharingCondition", code: "sharing")
  if metadata.sharingType == "1", !metadata.sharingCondition.isEmpty {
    found.append(
      Finding(
        .warning, "sharing.condition-idle", "sharingCondition",
        Text(
          "无条件共享不应再附条件；若确有条件，请改为有条件共享。", "Unconditional sharing has no condition; if there is one, share conditionally."
        ),
        source: RuleSource.configured("9.2")))
  }
  if metadata.sharingType == "3", metadata.classes.first.flatMap(context.classification.national)?.first == "1" {
    found.append(
      Finding(
        .warning, "sharing.base-refused", "sharingType",
        Text(
          "基础信息资源的基础信息项是各部门的共同需要，应当共享。", "The basic items of base resources are a common need and should be shared."),
        source: RuleSource.measures))
  }
  return found
}

/// Conditional needs its condition, refusal its legal basis: for the resource and for each item alike.
private func conditionFindings(type: String, condition: String, field: String, code: String) -> [Finding] {
  switch type {
  case "2" where condition.isEmpty:
    [
      Finding(
        .error, "\(code).condition-missing", field,
        Text(
          "有条件共享须写明共享条件和使用范围，如“用于社会救助对象资格核对”。",
          "Conditional sharing states its condition and range of use, such as “to check applicants for social assistance”."
        ),
        source: RuleSource.configured("9.2"))
    ]
  case "3" where condition.isEmpty:
    [
      Finding(
        .error, "\(code).basis-missing", field,
        Text("不予共享须写明法律、行政法规或党中央、国务院政策依据。", "Refusing to share needs its basis in a law, regulation or State policy."),
        source: RuleSource.measures)
    ]
  case "3" where !(condition.contains("《") && condition.contains("》")):
    [
      Finding(
        .error, "\(code).basis-unnamed", field,
        Text(
          "请用书名号写出依据的名称和条款，如《中华人民共和国统计法》第九条。",
          "Name the basis and its article in title marks, such as 《中华人民共和国统计法》第九条."),
        source: RuleSource.measures)
    ]
  default: []
  }
}

// MARK: 9.3, 9.4 Method

private func methodFindings(_ resource: Resource, _ context: RuleContext) -> [Finding] {
  let metadata = resource.metadata
  guard metadata.sharingType != "3" else {
    return metadata.methodClass.isEmpty && metadata.methodType.isEmpty
      ? []
      : [
        Finding(
          .warning, "method.idle", "methodClass",
          Text("不予共享的资源没有共享方式。", "What is not shared has no method."), source: RuleSource.configured("9.3"))
      ]
  }
  guard context.lists.methodClasses.permits(metadata.methodClass, on: context.today) else {
    return [
      choiceFinding(
        metadata.methodClass, "method", "methodClass", Text("请选择共享方式。", "Choose the method of sharing."),
        Text("共享方式", "a method of sharing"), RuleSource.element("9"))
    ]
  }
  guard metadata.methodClass == "1" else { return [] }
  guard let method = context.lists.methodTypes[metadata.methodType],
    context.lists.methodTypes.permits(metadata.methodType, on: context.today)
  else {
    return [
      choiceFinding(
        metadata.methodType, "method.type", "methodType",
        Text("通过共享平台时请选择数据库、文件或接口。", "Through the platform: choose table, file or interface."),
        Text("共享方式类型", "a type of method"), RuleSource.element("9"))
    ]
  }
  var found: [Finding] = []
  if !metadata.format.isEmpty, !method.value.split(separator: " ").contains(Substring(metadata.formatClass)) {
    let format = context.lists.formatClasses.text(metadata.formatClass)
    found.append(
      Finding(
        .error, "method.format", "methodType",
        Text(
          "格式是“\(format.chinese)”，不能以“\(method.name.chinese)”方式共享：文件类以文件共享，数据库以数据库或接口共享。",
          "A resource of format “\(format.english)” is not shared as “\(method.name.english)”: files as files, databases as tables or interfaces."
        ),
        source: RuleSource.configured("9.4")))
  }
  if metadata.cycle == "9", metadata.methodType == "2" {
    found.append(
      Finding(
        .warning, "method.real-time-file", "methodType",
        Text("实时更新的资源很难以文件方式共享。", "What changes in real time is hardly shared as files."), source: RuleSource.platform))
  }
  return found
}

// MARK: 10 Openness

private func opennessFindings(_ resource: Resource, _ context: RuleContext) -> [Finding] {
  let metadata = resource.metadata
  guard context.lists.openTypes.permits(metadata.openType, on: context.today) else {
    return [
      choiceFinding(
        metadata.openType, "open", "openType", Text("请选择是否向社会开放。", "Choose whether it is open to the public."),
        Text("开放属性", "an openness"), RuleSource.element("10"))
    ]
  }
  var found = textFindings(
    metadata.openCondition, "openCondition", Metadata.limits.openCondition, Text("开放条件", "condition"),
    RuleSource.element("10"))
  if metadata.openType == "2", metadata.openCondition.isEmpty {
    found.append(
      Finding(
        .error, "open.condition-missing", "openCondition",
        Text("依申请开放须写明开放条件。", "Opening on application states its condition."), source: RuleSource.configured("10.2")))
  }
  if metadata.openType == "1", metadata.sharingType == "3" {
    found.append(
      Finding(
        .error, "open.not-shared", "openType",
        Text("不予共享的资源不能普遍开放。", "What is not even shared cannot be open to all."), source: RuleSource.platform))
  }
  if metadata.openType == "1", resource.items.contains(where: { $0.grade >= "3" }) {
    found.append(
      Finding(
        .error, "open.sensitive", "openType",
        Text("含敏感信息项的资源不能普遍开放。", "A resource with sensitive items cannot be open to all."),
        source: RuleSource.platform))
  }
  return found
}

// MARK: 11, 13, secrecy and level

private func restFindings(_ resource: Resource, _ context: RuleContext) -> [Finding] {
  let metadata = resource.metadata
  var found: [Finding] = []
  if !context.lists.cycles.permits(metadata.cycle, on: context.today) {
    found.append(
      choiceFinding(
        metadata.cycle, "cycle", "cycle", Text("请选择更新周期。", "Choose the update cycle."),
        Text("更新周期", "an update cycle"), RuleSource.element("11")))
  }
  for code in metadata.related where ResourceCode(code) == nil {
    found.append(
      Finding(
        .error, "related.malformed", "related",
        Text(
          "“\(code.prefix(40))”不是信息资源代码，应如 3070120337/000001。",
          "“\(code.prefix(40))” is no resource code; one looks like 3070120337/000001."),
        source: RuleSource.element("13")))
  }
  for code in context.unknownRelated where ResourceCode(code) != nil {
    found.append(
      Finding(
        .error, "related.unknown", "related",
        Text("没有代码为 \(code) 的已发布目录。", "No published entry has code \(code)."), source: RuleSource.element("13")))
  }
  if metadata.related.joined(separator: " ").count > Metadata.limits.related {
    found.append(
      Finding(
        .error, "related.long", "related",
        Text(
          "关联代码合计最多 \(Metadata.limits.related) 字。",
          "Related codes have at most \(Metadata.limits.related) characters in all."),
        source: RuleSource.element("13")))
  }
  if metadata.secrecy != "0" {
    found.append(
      Finding(
        .error, "secrecy.secret", "secrecy",
        Text(
          "涉密资源不得在本网登记。请删除本条，并按保密规定在涉密网办理。",
          "Secret resources must not be registered on this network. Delete this entry and use the classified network."),
        source: Text("平台核验规则（涉密目录不得进入电子政务外网）", "Platform rule (secret entries stay off this network)")))
  }
  if !context.lists.levels.permits(metadata.level, on: context.today) {
    found.append(
      choiceFinding(
        metadata.level, "level", "level", Text("请选择层级。", "Choose the level."), Text("层级", "a level"),
        RuleSource.element("1")))
  }
  return found
}

// MARK: Mount

private func mountFindings(_ resource: Resource) -> [Finding] {
  guard let mount = resource.mount else {
    return resource.metadata.sharingType == "3"
      ? []
      : [
        Finding(
          .hint, "mount.missing", "mount",
          resource.metadata.formatClass == "03"
            ? Text("尚未挂接数据表：可以发布，但不能交付。", "Not mounted: it can be published but not delivered.")
            : Text(
              "尚未挂接：可以发布；在“挂接”页登记文件或接口后，读者才知道数据真的在。",
              "Not mounted: it can be published; once files or an API are tied to it, readers know that the data is there."
            ),
          source: RuleSource.platform)
      ]
  }
  let columns = Set(resource.items.map(\.column))
  var found: [Finding] = []
  if mount.keyColumns.isEmpty {
    found.append(
      Finding(
        .error, "mount.no-key", "keys",
        Text("挂接的表须有主键项，否则无法增量更新和核对。", "A mounted table needs key items, or nothing can be updated or checked."),
        source: RuleSource.platform))
  }
  for column in mount.keyColumns + [mount.cursorColumn].compactMap({ $0 }) where !columns.contains(column) {
    found.append(
      Finding(
        .error, "mount.column-unlisted", column == mount.cursorColumn ? "cursor" : "keys",
        Text("“\(column)”列没有列为信息项。", "Column “\(column)” is not among the items."), source: RuleSource.platform))
  }
  return found
}

// MARK: 8 Items

private func itemFindings(_ resource: Resource, _ context: RuleContext) -> [Finding] {
  var found: [Finding] = []
  if resource.items.count > Metadata.limits.items {
    found.append(
      Finding(
        .error, "items.many", "items",
        Text("最多 \(Metadata.limits.items) 个信息项。", "At most \(Metadata.limits.items) items."),
        source: RuleSource.platform))
  }
  var names: Set<String> = []
  var columns: Set<String> = []
  for (index, item) in resource.items.enumerated() {
    let repeatsName = !names.insert(foldedForSearch(item.name)).inserted
    let repeatsColumn = !columns.insert(item.column).inserted
    found += findings(
      of: item, "item.\(index)", repeatsName: repeatsName, repeatsColumn: repeatsColumn, resource, context)
  }
  return found
}
