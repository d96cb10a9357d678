import Connecting
import Kernel
import Web

/// What kinds of source there are to choose from, and what each can do.
func sourceKindsPage(_ request: Request, _ system: InformationSystem, _ kinds: [ConnectorKind]) -> Page {
  let t = request.language
  let title = Text("连接数据源", "Connect a source")
  func can(_ able: Bool) -> HTML { able ? "\(t("可以", "Yes"))" : "<span class=\"hint\">\(t("不能", "No"))</span>" }
  let rows = kinds.map { kind in
    """
    <tr><td><a href="\(SystemLink.newSource(system.id, kind: kind.name))">\(t(kind.title))</a></td>\
    <td>\(can(kind.guarantee.reads))</td><td>\(can(kind.guarantee.followsChanges))</td><td>\(can(kind.guarantee.writes))</td>\
    <td>\(can(kind.guarantee.receivesChanges))</td></tr>
    """ as HTML
  }.joined()
  return Page(
    title, section: .systems,
    trail: [
      (Text("信息系统", "Information systems"), SystemLink.list),
      (Text(same: system.facts.name), SystemLink.system(system.id)),
    ],
    body: """
      <h1>\(t(title))</h1>\
      <p>\(t("选择这个系统的数据放在哪里，或怎样接收数据。", "Choose where this system keeps its data, or how it receives data."))</p>\
      \(table(
        caption: t("连接方式", "Kinds of connection"),
        head: [
          t("连接方式", "Kind"), t("提供数据", "Provides data"), t("变更随时送出", "Tells of changes as they happen"),
          t("接收数据", "Receives data"), t("变更随时接收", "Receives changes as they happen"),
        ], rows: rows, empty: .nothing))
      """)
}
