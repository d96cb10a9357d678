internal import Inventory
internal import Kernel
internal import Web

/// One entry before the reviewer: the checklist, what comes near it in the catalogue, what it changes, and the decision
/// with reasons in general or at single elements.
func reviewPage(
  _ request: Request, _ review: ReviewView, values: Fields, refusal: Refusal?, lists: CodeLists,
  classification: Classification
) -> Page {
  let t = request.language
  let (view, resource) = (review.view, review.resource)
  let line = view.versions.first { $0.version == resource.version }
  let changes: HTML =
    review.before.map { before in
      differenceParts(
        t, VersionDifference(from: before, to: resource, lists: lists, classification: classification),
        t("在用的第 \(before.version) 版", "Version \(before.version), which counts now"),
        t("第 \(resource.version) 版", "Version \(resource.version)"))
    } ?? .nothing
  return Page(
    Text("审核目录", "Review entry"), section: .catalog, status: refusal?.status ?? 200,
    trail: [catalogTrail, (Text("目录审核", "Review"), CatalogLink.queue)],
    body: """
      <h1>\(t("审核", "Review"))\(t.colon)\(resource.metadata.name)</h1>\
      <p class="badges">\(stateBadge(t, resource.state)) \(t("第 \(resource.version) 版", "Version \(resource.version)")) · \(resource.providerName) \
      \(line.map { reviewDue(t, $0, request.now.dateInChina) })</p>\(faultSummary(t, refusal))\
      \(undecided(t, resource, values, refusal))\
      \(changeNotice(t, view, request.now.dateInChina))\
      \(checklist(t, review.findings))\
      \(nearest(t, review, lists, classification))\(changes)\
      \(panel(t("元数据", "Metadata"), id: "metadata", facts(metadataFacts(t, view, lists, classification))))\
      \(decision(request, review, values, refusal, lists))\(history(t, view))
      """)
}

// MARK: Checklist

private func checklist(_ t: Language, _ findings: [Finding]) -> HTML {
  let list = ReviewChecklist(findings)
  func rows(_ checks: [ReviewChecklist.Check]) -> HTML {
    checks.map { check -> HTML in
      """
      <tr><th scope="row">\(check.element.map { "\($0) " as HTML })\(t(check.title))</th><td>\(result(t, check))</td>\
      <td>\(check.findings.prefix(20), { finding in
        """
        <div><a href="\(finding.field.hasPrefix("item.") ? "#items" : "#metadata")">\(t(finding.message))</a> \
        <span class="muted">\(t(finding.source))</span></div>
        """
      })</td></tr>
      """
    }.joined()
  }
  func part(_ caption: String, _ checks: [ReviewChecklist.Check]) -> HTML {
    table(
      caption: caption, head: [t("核验项", "Check"), t("结果", "Result"), t("问题", "Found")], rows: rows(checks),
      empty: .nothing)
  }
  let wrong = (list.elements + list.practice).filter { $0.severity == .error || $0.severity == .warning }
  let summary = t(
    "通过 \(list.passed) 项，须更正 \(list.failed) 项，请核对 \(list.doubtful) 项",
    "\(list.passed) passed, \(list.failed) to correct, \(list.doubtful) to check")
  return panel(
    t("核验清单", "Checklist"), id: "checklist",
    """
    <p>\(badge(summary, list.failed > 0 ? .late : list.doubtful > 0 ? .soon : .good))</p>\
    \(when: !wrong.isEmpty, part(t("有问题的", "What was found"), wrong))\
    \(details(t("核心元数据 13 项和实践规则，逐项结果", "All 13 elements and the rules of practice, one by one"), part(t("核心元数据", "Core metadata"), list.elements) + part(t("实践规则", "Rules of practice"), list.practice)))
    """)
}

private func result(_ t: Language, _ check: ReviewChecklist.Check) -> HTML {
  switch check.severity {
  case .error: badge(t("不通过", "Failed"), .late)
  case .warning: badge(t("请核对", "Please check"), .soon)
  case .hint: badge(t("通过，有建议", "Passed, could be better"), .good)
  case nil: badge(t("通过", "Passed"), .good)
  }
}

// MARK: What comes near

/// Entries that are alike first of all, then those that merely come near, each side by side on request: what other
/// departments' entries look like.
private func nearest(
  _ t: Language, _ review: ReviewView, _ lists: CodeLists, _ classification: Classification
) -> HTML {
  let rows = review.nearest.map { other -> HTML in
    let entry = other.resource
    let isForeign = entry.provider != review.resource.provider
    let side = VersionDifference(from: entry, to: review.resource, lists: lists, classification: classification)
    return """
      <li><p><a href="\(other.isUnderReview ? CatalogLink.review(entry.id) : CatalogLink.resource(entry.id))">\(entry.metadata.name)</a> \
      \(when: other.isUnderReview, "\(stateBadge(t, entry.state)) ")\
      \(other.likeness.isAlike ? badge(t("疑似重复", "Probably the same"), .soon) : badge(t("可参考", "For comparison"))) \
      \(entry.providerName)\(when: isForeign, " \(badge(t("其他单位", "another office")))") \
      <span class="code">\(entry.code?.description ?? "")</span><br>\
      <span class="muted">\(t(other.likeness.explanation))</span></p>\
      \(details(t("并列对照", "Side by side"), sideBySide(t, side, entry, review.resource)))</li>
      """
  }.joined()
  let body: HTML =
    rows.isEmpty
    ? "<p>\(badge(t("没有相近目录", "Nothing alike"), .good)) \(t("在用和送审的目录中没有名称或信息项相近的条目。", "No entry in force or under review has a name or items like these."))</p>"
    : "<ul class=\"findings\">\(rows)</ul>"
  return panel(t("相近目录", "Entries that come near"), id: "alike", body)
}

private func sideBySide(
  _ t: Language, _ difference: VersionDifference, _ other: Resource, _ own: Resource
) -> HTML {
  let same = difference.items.filter { $0.kind == .same || $0.kind == .changed }.map(\.item.name)
  return """
    <p>\(t("双方都有的信息项（\(same.count)）：", "Items of both (\(same.count)): "))\(same.joined(separator: t.listing))</p>\
    \(differenceParts(t, difference, other.providerName, own.providerName))
    """
}

// MARK: Decision

/// What was typed at single elements of a form.
func typedNotes(_ form: Fields) -> [ReviewNote] {
  form.pairs.compactMap { pair in
    guard pair.name.hasPrefix("note."), let words = form[pair.name] else { return nil }
    return ReviewNote(field: String(pair.name.dropFirst("note.".count)), words: words)
  }
}

/// After a decision that came too late: where what was typed is now, and the ways on.
private func undecided(_ t: Language, _ resource: Resource, _ values: Fields, _ refusal: Refusal?) -> HTML {
  guard refusal?.kind == .conflict else { return .nothing }
  let isOpen = resource.state == .submitted
  let places = Set(ElementGuide.fields + resource.items.map { ReviewNote.field(of: $0) })
  var lost = typedNotes(values).filter { !isOpen || !places.contains($0.field) }.map { note in
    (places.contains(note.field) ? note.title(in: resource) : Text("已移除的信息项", "an item that was taken out"), note.words)
  }
  if !isOpen, let reasons = values["reasons"] {
    lost.insert((Text("退回原因", "Reasons for returning"), reasons), at: 0)
  }
  return note(
    .soon,
    """
    \(when: isOpen, "<p>\(t("您填写的意见都在下面的表单里，没有送达：请核对现在的内容再决定。", "What you entered stands in the form below and was not sent: check what the entry says now, then decide."))</p>")\
    \(when: !lost.isEmpty, """
      <p>\(t("您填写的这些意见没有送达，现在也没有填写的位置：", "These words of yours were not sent, and there is no place for them now:"))</p>\
      <ul>\(lost, { "<li>\(t($0.0))\(t.colon)\($0.1)</li>" })</ul>
      """)\
    <p><a href="\(CatalogLink.queue)">\(t("返回目录审核", "Back to the review queue"))</a> \
    <a href="\(CatalogLink.resource(resource.id))">\(t("查看这条目录", "See the entry"))</a></p>
    """)
}

private func decision(
  _ request: Request, _ review: ReviewView, _ values: Fields, _ refusal: Refusal?, _ lists: CodeLists
) -> HTML {
  let t = request.language
  let resource = review.resource
  let isOpen = resource.state == .submitted
  let items = panel(
    t("信息项", "Items"), id: "items", itemsTable(t, review, values, refusal?.faults ?? [], lists, notes: isOpen))
  let seen: HTML = "<input type=\"hidden\" name=\"revision\" value=\"\(String(resource.revision))\">"
  if resource.state == .approved {
    return items
      + form(
        request, action: CatalogLink.review(resource.id),
        "\(seen)\(buttons(button(t("发布", "Publish"), name: "decision", value: "publish")))")
  }
  guard isOpen else { return items }
  let faults = refusal?.faults ?? []
  let reasons = field(
    t,
    Field(
      "reasons", Text("退回原因", "Reasons for returning"), .area(maxLength: Cataloguing.reasonLimit), required: false,
      hint: Text("编制人会看到；也可只写逐项意见。", "The compiler will read them. Notes at elements are enough."),
      needed: Text("退回时必填", "needed when returning")),
    value: values, faults: faults)
  let notes = ElementGuide.fields.map { name in
    field(
      t,
      Field(
        "note.\(name)", ElementGuide.title(of: name), .text(maxLength: ReviewNote.limits.words), required: false,
        saysOptional: false),
      value: values, faults: faults)
  }.joined()
  let isNoted = values.pairs.contains { $0.name.hasPrefix("note.") && !$0.value.isEmpty }
  let back = button(t("退回", "Return"), .danger, name: "decision", value: "return")
  let choices =
    review.findings.hasErrors
    ? buttons(back)
    : buttons(
      button(t("通过并发布", "Approve and publish"), name: "decision", value: "approve-publish"),
      button(t("通过，暂不发布", "Approve, publish later"), .plain, name: "decision", value: "approve"), back)
  let last: HTML =
    review.notes.isEmpty
    ? .nothing
    : """
    <p>\(t("上次退回时的逐项意见：", "Notes when it was last returned: "))</p>\
    <ul>\(review.notes, { "<li>\(t($0.title(in: resource)))\(t.colon)\($0.words)</li>" })</ul>
    """
  return form(
    request, action: CatalogLink.review(resource.id),
    """
    \(seen)\(items)\(panel(
      t("审核决定", "Decision"), id: "decision",
      "\(last)\(details(t("逐项意见（随退回送达，显示在对应的填写处）", "Notes at elements (sent with a return, shown at the fields)"), open: isNoted, "<div class=\"grid notes\">\(notes)</div>"))\(reasons)\(choices)"))
    """)
}

private func itemsTable(
  _ t: Language, _ review: ReviewView, _ values: Fields, _ faults: [Refusal.Fault], _ lists: CodeLists, notes: Bool
) -> HTML {
  let resource = review.resource
  let rows = resource.items.map { item -> HTML in
    let name = "note.\(ReviewNote.field(of: item))"
    let fault = faults.first { $0.field == name }
    return """
      <tr><td>\(item.name)\(when: item.isKey, " \(badge(t("主键", "key")))")</td><td class="code">\(item.column)</td>\
      <td>\(t(lists.itemTypes.text(item.dataType)))\(length(item))</td>\
      <td>\(item.semantic.map { t(lists.semantics.text($0)) } ?? "")\(when: item.evidence != nil, "<br>")\(evidence(t, item))</td>\
      <td>\(sharingBadge(t, resource.sharingType(of: item), lists))</td><td>\(t(lists.grades.text(item.grade)))</td>\
      \(when: notes, "<td>\(rowText(name: name, label: t("对“\(item.name)”的意见", "Note on “\(item.name)”"), value: values[name], maxLength: ReviewNote.limits.words, wrong: fault != nil))\(fault.map { "<p class=\"fault\">\(t($0.message))</p>" as HTML })</td>")</tr>
      """
  }.joined()
  return table(
    caption: t("信息项（\(resource.items.count)）", "Items (\(resource.items.count))"),
    head: [
      t("信息项", "Item"), t("技术名称", "Column"), t("类型", "Type"), t("语义", "Kind of value"), t("共享", "Sharing"),
      t("分级", "Grade"),
    ] + (notes ? [t("逐项意见", "Note")] : []), rows: rows, empty: emptyState(t("没有信息项。", "No items.")))
}
