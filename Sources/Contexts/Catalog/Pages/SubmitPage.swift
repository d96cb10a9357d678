internal import Deadlines
internal import Inventory
internal import Kernel
internal import Web

/// Asks why a later version was written, and shows what it changes, before it goes to the reviewer.
func submitPage(
  _ request: Request, _ draft: Resource, before: Resource?, rules: [Rule], values: Fields, refusal: Refusal?,
  lists: CodeLists, classification: Classification
) -> Page {
  let t = request.language
  let faults = refusal?.faults ?? []
  let title = Text("提交第 \(draft.version) 版", "Submit version \(draft.version)")
  let back = CatalogLink.resource(draft.id, version: draft.version)
  // The period is a configured rule, and is named as one.
  let clocks = rules.enumerated().map { index, rule in
    Text(
      "\(index == 0 ? "" : "经批准可延长 ")\(rule.amount.chinese)（\(rule.reference.citation.chinese)）",
      "\(index == 0 ? "" : "with consent longer by ")\(rule.amount.english) (\(rule.reference.citation.english))")
  }
  let hint = Text(
    "法律、职能或系统变化发生的日期；更新期限从次日起计：\(clocks.map(\.chinese).joined(separator: "，"))。没有这样的日期可不填。",
    "The day the law, the duty or the system changed; the period to update counts from the day after: \(clocks.map(\.english).joined(separator: ", ")). Leave it empty if there was none."
  )
  let fields = [
    Field(
      "kind", Text("变更原因", "Why it changed"), .radio(VersionChange.Kind.allCases.map { ($0.rawValue, t($0.title)) })),
    Field("words", Text("变更说明", "What changed and why"), .area(maxLength: Cataloguing.reasonLimit)),
    Field("trigger", Text("触发日期", "Day of what made it necessary"), .date, required: false, hint: hint),
  ]
  return Page(
    title, section: .catalog, status: refusal?.status ?? 200,
    trail: [catalogTrail, (Text(same: draft.metadata.name), back)], within: CatalogLink.work,
    body: """
      <h1>\(t(title))\(t.colon)\(draft.metadata.name)</h1>\(faultSummary(t, refusal))\
      \(form(request, action: CatalogLink.step(draft.id, "submit"), """
        \(fields, { field(t, $0, value: values, faults: faults) })\
        \(buttons(button(t("提交审核", "Submit for review")), buttonLink(t("返回", "Back"), href: back)))
        """))\
      \(before.map { before in
        differenceParts(
          t, VersionDifference(from: before, to: draft, lists: lists, classification: classification),
          t("第 \(before.version) 版", "Version \(before.version)"), t("第 \(draft.version) 版", "Version \(draft.version)"))
      })
      """)
}
