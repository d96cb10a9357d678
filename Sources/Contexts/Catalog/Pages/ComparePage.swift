internal import Inventory
internal import Kernel
internal import Web

/// Two versions of an entry beside each other: what differs, element by element and item by item. It prints as it stands.
func comparePage(
  _ request: Request, old: Resource, new: Resource, versions: [Int], lists: CodeLists, classification: Classification
) -> Page {
  let t = request.language
  let difference = VersionDifference(from: old, to: new, lists: lists, classification: classification)
  let title = Text("版本比较", "Compare versions")
  let options = versions.map { (String($0), t("第 \($0) 版", "Version \($0)")) }
  func choice(_ name: String, _ label: Text, _ chosen: Int) -> HTML {
    field(t, Field(name, label, .choice(options)), value: Fields([(name, String(chosen))]))
  }
  return Page(
    title, section: .catalog,
    trail: [catalogTrail, (Text(same: new.metadata.name), CatalogLink.resource(new.id))],
    body: """
      <h1>\(t(title))\(t.colon)\(new.metadata.name)</h1>\
      <p class="badges">\(t("第 \(old.version) 版", "Version \(old.version)")) \(stateBadge(t, old.state)) → \
      \(t("第 \(new.version) 版", "Version \(new.version)")) \(stateBadge(t, new.state))</p>\
      <form class="search grid" method="get" action="\(CatalogLink.compare(new.id))">\
      \(choice("from", Text("从", "From"), old.version))\(choice("to", Text("到", "To"), new.version))\
      <button>\(t("比较", "Compare"))</button></form>\
      \(differenceParts(t, difference, t("第 \(old.version) 版", "Version \(old.version)"), t("第 \(new.version) 版", "Version \(new.version)")))
      """)
}

/// The differences as two tables, under the names of the two sides.
func differenceParts(_ t: Language, _ difference: VersionDifference, _ old: String, _ new: String) -> HTML {
  if difference.isEmpty {
    return
      "<p class=\"empty\">\(badge(t("相同", "The same"), .good)) \(t("元数据和信息项都没有差别。", "Metadata and items are the same."))</p>"
  }
  let elements = difference.metadata.map { change in
    "<tr><th scope=\"row\">\(t(change.title))</th><td>\(value(t, change.old))</td><td>\(value(t, change.new))</td></tr>"
      as HTML
  }.joined()
  let items = difference.items.filter { $0.kind != .same }.map { itemRow(t, $0) }.joined()
  return panel(
    t("元数据", "Metadata"), id: "differences",
    table(
      caption: t("有变化的要素（\(difference.metadata.count)）", "Elements that differ (\(difference.metadata.count))"),
      head: [t("要素", "Element"), old, new], rows: elements,
      empty: emptyState(t("元数据没有差别。", "The metadata is the same."))))
    + panel(
      t("信息项", "Items"), id: "item-differences",
      table(
        caption: t(
          "新增 \(difference.count(.added)) · 移除 \(difference.count(.removed)) · 有变化 \(difference.count(.changed)) · 不变 \(difference.count(.same))",
          "Added \(difference.count(.added)) · removed \(difference.count(.removed)) · changed \(difference.count(.changed)) · the same \(difference.count(.same))"
        ),
        head: [t("信息项", "Item"), t("变化", "Change"), old, new], rows: items,
        empty: emptyState(t("信息项没有差别。", "The items are the same."))))
}

private func itemRow(_ t: Language, _ change: VersionDifference.ItemChange) -> HTML {
  let name: HTML = "<td>\(change.item.name) <span class=\"code\">\(change.item.column)</span></td>"
  func lines(_ side: (VersionDifference.Change) -> Text) -> HTML {
    change.changes.map { "\(t($0.title))\(t.colon)\(value(t, side($0)))" as HTML }.joined("<br>")
  }
  return switch change.kind {
  case .added: "<tr>\(name)<td>\(badge(t("新增", "added"), .good))</td><td>—</td><td>\(t("有", "there"))</td></tr>"
  case .removed: "<tr>\(name)<td>\(badge(t("移除", "removed"), .late))</td><td>\(t("有", "there"))</td><td>—</td></tr>"
  case .changed:
    "<tr>\(name)<td>\(badge(t("有变化", "changed"), .soon))</td><td>\(lines(\.old))</td><td>\(lines(\.new))</td></tr>"
  case .same: .nothing
  }
}

private func value(_ t: Language, _ text: Text) -> HTML {
  let shown = t(text)
  return shown.isEmpty ? "<span class=\"muted\">\(t("（空）", "(empty)"))</span>" : "\(shown)"
}
