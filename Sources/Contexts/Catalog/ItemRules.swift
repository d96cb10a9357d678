internal import Inventory
internal import Kernel

/// The rules of one item; `field` is the form's prefix for it.
func findings(
  of item: Item, _ field: String, repeatsName: Bool, repeatsColumn: Bool, _ resource: Resource, _ context: RuleContext
) -> [Finding] {
  var found: [Finding] = []
  func add(_ severity: Finding.Severity, _ code: String, _ part: String, _ message: Text, _ source: Text) {
    found.append(Finding(severity, "item.\(code)", "\(field).\(part)", message, source: source))
  }
  let name = item.name.isEmpty ? item.column.isEmpty ? "—" : item.column : item.name

  if item.name.isEmpty {
    add(.error, "name-missing", "name", Text("请填写信息项名称。", "Enter the item's name."), RuleSource.element("8.1"))
  } else if repeatsName {
    add(
      .error, "name-repeated", "name",
      Text("信息项“\(name)”重名。", "Two items are called “\(name)”."), RuleSource.configured("8.1"))
  } else if !Han.isPart(of: item.name) {
    add(
      .warning, "name-not-chinese", "name",
      Text("“\(name)”没有中文名称。", "“\(name)” has no Chinese name."), RuleSource.configured("8.1"))
  }
  let long = textFindings(
    item.name, "\(field).name", Item.limits.name, Text("信息项名称", "item's name"), RuleSource.element("8.1"))
  found += long
  found += shownFindings(
    item.name, "\(field).name", Text("信息项名称", "item's name"), unless: item.name.isEmpty || !long.isEmpty)
  if item.column.isEmpty {
    add(.error, "column-missing", "column", Text("“\(name)”缺少技术名称。", "“\(name)” has no column."), RuleSource.platform)
  } else if repeatsColumn {
    add(
      .error, "column-repeated", "column",
      Text("列“\(item.column)”出现两次。", "Column “\(item.column)” stands twice."), RuleSource.platform)
  }
  found += textFindings(
    item.column, "\(field).column", Item.limits.column, Text("技术名称", "column"), RuleSource.platform)
  found += textFindings(
    item.description, "\(field).description", Item.limits.description, Text("说明", "description"), RuleSource.platform)

  if let type = context.lists.itemTypes[item.dataType] {
    let needsLength = type.value == "length"
    if needsLength, item.length ?? 0 <= 0 {
      add(
        .error, "length-missing", "length",
        Text(
          "“\(name)”是\(type.name.chinese)，须填写 1 到 \(Item.limits.length) 之间的长度。",
          "“\(name)” is \(type.name.english.lowercased()): enter a length from 1 to \(Item.limits.length)."),
        RuleSource.configured("8.3"))
    } else if let length = item.length, !(1...Item.limits.length).contains(length) {
      add(
        .error, "length-wrong", "length",
        Text(
          "“\(name)”的长度须在 1 到 \(Item.limits.length) 之间，现为 \(length)。",
          "“\(name)”: a length from 1 to \(Item.limits.length), not \(length)."),
        RuleSource.configured("8.3"))
    }
    if let scale = item.scale, scale < 0 || scale > (item.length ?? 0) {
      add(
        .error, "scale-wrong", "scale",
        Text(
          "“\(name)”的小数位须在 0 到总位数（\(item.length ?? 0)）之间，现为 \(scale)。",
          "“\(name)”: decimals from 0 to the digits in all (\(item.length ?? 0)), not \(scale)."),
        RuleSource.configured("8.3"))
    }
  } else {
    found.append(
      choiceFinding(
        item.dataType, "item.type", "\(field).dataType",
        Text("请为“\(name)”选择数据类型。", "Choose a data type for “\(name)”."), Text("数据类型", "a data type"),
        RuleSource.element("8.2")))
  }
  if resource.mount != nil, item.type == nil {
    add(
      .warning, "not-carried", "column",
      Text(
        "“\(name)”的库内类型不能无损传送，无法授权。", "“\(name)” has a type that cannot be carried without loss; it cannot be granted."),
      RuleSource.platform)
  }
  if item.isKey, item.isNullable {
    add(
      .warning, "key-nullable", "isNullable",
      Text("主键项“\(name)”允许为空；空主键的行会被隔离。", "Key “\(name)” may be null; rows without it go to quarantine."),
      RuleSource.platform)
  }
  if let semantic = item.semantic, context.lists.semantics[semantic] == nil {
    add(
      .error, "semantic-unknown", "semantic",
      Text("“\(name)”的语义类型不在字典中。", "“\(name)”: no such kind of value."), RuleSource.platform)
  }
  if context.lists.grades[item.grade] == nil {
    found.append(
      choiceFinding(
        item.grade, "item.grade", "\(field).grade",
        Text("请为“\(name)”选择分级。", "Choose a grade for “\(name)”."), Text("分级", "a grade"), RuleSource.platform))
  } else if let semantic = item.semantic, ["citizen-id", "mobile", "bank-card"].contains(semantic), item.grade < "3" {
    add(
      .warning, "grade-low", "grade",
      Text("“\(name)”是个人信息，一般应为三级以上。", "“\(name)” is personal; usually grade 3 or above."), RuleSource.platform)
  }
  found += sharing(of: item, name, field, resource, context)
  return found
}

private func sharing(
  of item: Item, _ name: String, _ field: String, _ resource: Resource, _ context: RuleContext
) -> [Finding] {
  var found: [Finding] = []
  let whole = resource.metadata.sharingType
  if let type = item.sharingType {
    if !context.lists.sharingTypes.permits(type, on: context.today) {
      found.append(
        Finding(
          .error, "item.sharing-unknown", "\(field).sharingType",
          Text("“\(name)”的共享类型不在字典中。", "“\(name)”: no such sharing type."), source: RuleSource.element("9")))
    } else if whole == "3", type != "3" {
      found.append(
        Finding(
          .error, "item.sharing-wider", "\(field).sharingType",
          Text(
            "整个资源不予共享，“\(name)”却标为可共享；请改为有条件共享并逐项说明。",
            "The resource is not shared, yet “\(name)” is; share the resource conditionally and say so item by item."),
          source: RuleSource.platform))
    } else if whole == "1", type != "1" {
      found.append(
        Finding(
          .warning, "item.sharing-narrower", "\(field).sharingType",
          Text(
            "“\(name)”不是无条件共享：仅部分内容可提供的资源应为有条件共享。",
            "“\(name)” is not unconditional: a resource of which only parts are given is shared conditionally."),
          source: RuleSource.measures))
    }
    if type == "2" || type == "3", item.sharingCondition.isEmpty, type != whole {
      found.append(
        Finding(
          .error, "item.sharing-reason", "\(field).sharingCondition",
          Text("请写明“\(name)”的共享条件或不予共享依据。", "State the condition or legal basis for “\(name)”."),
          source: RuleSource.configured("9.2")))
    }
  }
  found += textFindings(
    item.sharingCondition, "\(field).sharingCondition", Item.limits.sharingCondition, Text("共享条件", "condition"),
    RuleSource.element("9"))
  if (item.sharingType ?? whole) == "1", item.grade >= "3" {
    found.append(
      Finding(
        .warning, "item.sensitive-unconditional", "\(field).sharingType",
        Text("敏感项“\(name)”不宜无条件共享。", "Sensitive item “\(name)” should hardly be shared unconditionally."),
        source: RuleSource.platform))
  }
  return found
}

/// A name that shows as something else than it is, or not at all, so that two look alike; told `unless` worse was.
func shownFindings(
  _ name: String, _ field: @autoclosure () -> String, _ label: @autoclosure () -> Text, unless isTold: Bool
) -> [Finding] {
  guard !isTold, let wrong = PlainText.wrongName(trimmed(name), lengths: 1...Int.max) else { return [] }
  let label = label()
  return [
    Finding(
      .error, "text.hidden", field(),
      Text("\(label.chinese)：\(wrong.chinese)", "The \(label.english): \(wrong.english)"), source: RuleSource.platform)
  ]
}

/// Too long, or holding what no one types. What only a finding needs is made when there is one.
func textFindings(
  _ text: String, _ field: @autoclosure () -> String, _ limit: Int, _ label: @autoclosure () -> Text,
  _ source: @autoclosure () -> Text
) -> [Finding] {
  var found: [Finding] = []
  // No text has more characters than bytes.
  if text.utf8.count > limit, text.count > limit {
    let label = label()
    found.append(
      Finding(
        .error, "text.long", field(),
        Text(
          "\(label.chinese)最多 \(limit) 字，现有 \(text.count) 字。",
          "The \(label.english) has at most \(limit) characters, not \(text.count)."),
        source: source()))
  }
  if PlainText.holdsControls(text) {
    let label = label()
    found.append(
      Finding(
        .error, "text.control", field(),
        Text("\(label.chinese)含有控制字符。", "The \(label.english) holds control characters."), source: RuleSource.platform))
  }
  return found
}
