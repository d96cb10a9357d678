internal import Inventory
internal import Kernel
internal import Web

func queuePage(
  _ request: Request, _ queue: [(line: CatalogStore.Line, errors: Int, warnings: Int)]
) -> Page {
  let t = request.language
  let today = request.now.dateInChina
  let rows = queue.map { line, errors, warnings in
    """
    <tr><td><a href="\(CatalogLink.review(line.id))">\(line.name)</a></td><td>\(line.providerName)</td>\
    <td>\(t("第 \(line.version) 版", "Version \(line.version)"))</td><td>\(stateBadge(t, line.state))</td>\
    <td>\(line.submittedAt.map { time($0) })</td><td>\(reviewDue(t, line, today))</td>\
    <td>\(when: errors > 0, badge(t("\(errors) 项须更正", "\(errors) to correct"), .late))\
    \(when: warnings > 0, badge(t("\(warnings) 项请核对", "\(warnings) to check"), .soon))\
    \(when: errors + warnings == 0, badge(t("通过", "Passed"), .good))</td></tr>
    """ as HTML
  }.joined()
  return Page(
    Text("目录审核", "Review"), section: .catalog, trail: [catalogTrail],
    body: """
      <h1>\(t("目录审核", "Entries to review"))</h1>\
      \(table(
        caption: t("等待最久的在前", "Longest waiting first"),
        head: [t("名称", "Name"), t("提供方", "Provider"), t("版本", "Version"), t("状态", "State"), t("提交时间", "Submitted"), t("办理期限", "Due"), t("核验", "Findings")],
        rows: rows, empty: emptyState(t("没有待审核的目录。", "Nothing waits for review."))))
      """)
}

func reviewPage(
  _ request: Request, _ view: ResourceView, _ findings: [Finding], before: Resource?, values: Fields, refusal: Refusal?,
  lists: CodeLists, classification: Classification
) -> Page {
  let t = request.language
  let resource = view.resource
  let items = resource.items.map { item in
    """
    <tr><td>\(item.name)\(when: item.isKey, " \(badge(t("主键", "key")))")\(changeMark(t, item, before))</td><td class="code">\(item.column)</td>\
    <td>\(t(lists.itemTypes.text(item.dataType)))\(length(item))</td>\
    <td>\(item.semantic.map { t(lists.semantics.text($0)) } ?? "")\(when: item.evidence != nil, "<br>")\(evidence(t, item))</td>\
    <td>\(sharingBadge(t, resource.sharingType(of: item), lists))</td><td>\(t(lists.grades.text(item.grade)))</td></tr>
    """ as HTML
  }.joined()
  let line = view.versions.first { $0.version == resource.version }
  return Page(
    Text("审核目录", "Review entry"), section: .catalog, status: refusal?.status ?? 200,
    trail: [catalogTrail, (Text("目录审核", "Review"), CatalogLink.queue)],
    body: """
      <h1>\(t("审核", "Review"))：\(resource.metadata.name)</h1>\
      <p class="badges">\(stateBadge(t, resource.state)) \(t("第 \(resource.version) 版", "Version \(resource.version)")) · \(resource.providerName) \
      \(line.map { reviewDue(t, $0, request.now.dateInChina) })</p>\(faultSummary(t, refusal))\
      \(panel(t("核验结果", "What the rules say"), findingsList(t, findings) { $0.field.hasPrefix("item.") ? "#items" : "#metadata" }))\
      \(decisionForm(request, resource, findings, values, refusal))\
      \(when: before != nil, changes(t, resource, before, lists))\
      \(panel(t("元数据", "Metadata"), id: "metadata", facts(metadataFacts(t, view, lists, classification))))\
      \(panel(
        t("信息项", "Items"), id: "items",
        table(
          caption: t("信息项（\(resource.items.count)）", "Items (\(resource.items.count))"),
          head: [
            t("信息项", "Item"), t("技术名称", "Column"), t("类型", "Type"), t("语义", "Kind of value"), t("共享", "Sharing"),
            t("分级", "Grade"),
          ], rows: items, empty: emptyState(t("没有信息项。", "No items.")))))\(history(t, view))
      """)
}

private func decisionForm(
  _ request: Request, _ resource: Resource, _ findings: [Finding], _ values: Fields, _ refusal: Refusal?
) -> HTML {
  let t = request.language
  if resource.state == .approved {
    return form(
      request, action: CatalogLink.review(resource.id),
      buttons(button(t("发布", "Publish"), name: "decision", value: "publish")))
  }
  guard resource.state == .submitted else { return .nothing }
  let reasons = field(
    t,
    Field(
      "reasons", Text("退回原因", "Reasons for returning"), .area(maxLength: Cataloguing.reasonLimit), required: false,
      hint: Text("退回时必填，编制人会看到。", "Needed when returning; the compiler will read them.")), value: values,
    faults: refusal?.faults ?? [])
  let back = button(t("退回", "Return"), .danger, name: "decision", value: "return")
  let choices =
    findings.hasErrors
    ? buttons(back)
    : buttons(
      button(t("通过并发布", "Approve and publish"), name: "decision", value: "approve-publish"),
      button(t("通过，暂不发布", "Approve, publish later"), .plain, name: "decision", value: "approve"), back)
  return panel(
    t("审核决定", "Decision"), form(request, action: CatalogLink.review(resource.id), "\(reasons)\(choices)"))
}

private func changeMark(_ t: Language, _ item: Item, _ before: Resource?) -> HTML {
  guard let before else { return .nothing }
  guard let old = before.item(item.id) else { return " \(badge(t("新增", "new"), .active))" }
  var same = old
  same.evidence = item.evidence
  return same == item ? .nothing : " \(badge(t("有变化", "changed"), .soon))"
}

/// What differs from the version in force, element by element.
private func changes(_ t: Language, _ resource: Resource, _ before: Resource?, _ lists: CodeLists) -> HTML {
  guard let before else { return .nothing }
  let (old, new) = (before.metadata, resource.metadata)
  let pairs: [(String, String, String)] = [
    (t("名称", "Name"), old.name, new.name),
    (t("分类", "Classes"), old.classes.joined(separator: " "), new.classes.joined(separator: " ")),
    (t("摘要", "Abstract"), old.abstract, new.abstract),
    (t("格式", "Format"), t(lists.formats.text(old.format)), t(lists.formats.text(new.format))),
    (t("共享类型", "Sharing"), t(lists.sharingTypes.text(old.sharingType)), t(lists.sharingTypes.text(new.sharingType))),
    (t("共享条件", "Condition"), old.sharingCondition, new.sharingCondition),
    (t("开放属性", "Openness"), t(lists.openTypes.text(old.openType)), t(lists.openTypes.text(new.openType))),
    (t("更新周期", "Update cycle"), t(lists.cycles.text(old.cycle)), t(lists.cycles.text(new.cycle))),
  ]
  let kept = Set(resource.items.map(\.id))
  let gone = before.items.filter { !kept.contains($0.id) }.map(\.name).joined(separator: "、")
  let rows = (pairs + [(t("删除的信息项", "Items taken out"), "", gone)]).filter { $0.1 != $0.2 }.map { name, old, new in
    "<tr><th scope=\"row\">\(name)</th><td>\(old)</td><td>\(new)</td></tr>" as HTML
  }.joined()
  return panel(
    t("与在用版本的差别", "What differs from the version in force"),
    table(
      caption: t("差别", "Differences"), head: [t("要素", "Element"), t("在用版本", "In force"), t("本版本", "This version")],
      rows: rows, empty: emptyState(t("元数据没有差别。", "The metadata is the same."))))
}
