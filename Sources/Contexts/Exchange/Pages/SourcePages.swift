import Inventory
import Kernel
import Sharing
import Web

/// What sources may be asked for by all deliveries together.
enum SourcePages {
  static func list(
    _ request: Request, _ found: [(source: DataSource, limit: SourceLimit, running: Int, grants: Int)],
    entered: Fields = Fields(), refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    return Page(
      Text("数据源限流", "Limits of sources"), section: .deliveries, status: refusal?.status ?? 200,
      trail: [DeliveryPages.section, TaskPages.section],
      body: """
        <h1>\(t("数据源限流", "Limits of sources"))</h1>\(TaskPages.views(t, at: "/tasks/sources"))
        <p class="hint">\(t("限流对数据源的全部交换合计生效，不论由哪台机器执行；同时进行的交换平分速率。留空为不限。", "A limit holds for all deliveries at a source together, on whatever machines they run; those that run at the same time share the rate evenly. Empty is no limit."))</p>
        \(faultSummary(t, refusal))
        \(table(
          caption: t("数据源", "Sources"),
          columns: [
            Column(t("数据源", "Source")), Column(t("任务数", "Tasks"), numeric: true), Column(t("正在进行", "Running now"), numeric: true), Column(t("限流", "Limits")),
            Column(t("修改", "Change")),
          ],
          rows: found.map { row(request, $0, entered) }.joined(),
          empty: emptyState(t("还没有参与交换的数据源。", "No source takes part in a task yet."))))
        """)
  }

  private static func row(
    _ request: Request, _ one: (source: DataSource, limit: SourceLimit, running: Int, grants: Int), _ entered: Fields
  ) -> HTML {
    let (t, limit) = (request.language, one.limit)
    let may =
      request.principal.map {
        $0.may(.exchangeManage) && ($0.may(.sharingReview) || $0.organisation == one.source.owner)
      } ?? false
    let isEntered = entered["source"] == one.source.id.text
    func value(_ name: String, _ number: Int?) -> String {
      isEntered ? entered[name] ?? "" : number.map(String.init) ?? ""
    }
    let change: HTML = details(
      t("修改", "Change"), open: isEntered,
      form(
        request, action: "/tasks/sources",
        """
        <input type="hidden" name="source" value="\(one.source.id)"><input type="hidden" name="version" value="\(limit.version)">\
        <label>\(t("同时进行的交换数", "Deliveries at once")) \(rowText(name: "deliveries", label: t("同时进行的交换数", "Deliveries at once"), value: value("deliveries", limit.deliveries), maxLength: 12))</label>\
        <label>\(t("每秒行数", "Rows a second")) \(rowText(name: "rows", label: t("每秒行数", "Rows a second"), value: value("rows", limit.rowsPerSecond), maxLength: 12))</label>\
        <label>\(t("每秒字节数", "Bytes a second")) \(rowText(name: "bytes", label: t("每秒字节数", "Bytes a second"), value: value("bytes", limit.bytesPerSecond), maxLength: 14))</label>\
        \(buttons(button(t("保存", "Save"))))
        """))
    return """
      <tr id="source-\(one.source.id)"><td>\(one.source.name)</td>\(numberCell(one.grants, href: "/tasks"))\(numberCell(one.running))\
      <td>\(said(limit, t))</td><td>\(when: may, change)</td></tr>
      """
  }

  static func said(_ limit: SourceLimit, _ t: Language) -> String {
    let parts = [
      limit.deliveries.map { t("同时 \($0) 个", "\($0) at once") },
      limit.rowsPerSecond.map { t("每秒 \(grouped($0)) 行", "\(grouped($0)) rows/s") },
      limit.bytesPerSecond.map { t("每秒 \(grouped($0)) 字节", "\(grouped($0)) bytes/s") },
    ].compactMap { $0 }
    return parts.isEmpty ? t("不限", "None") : parts.joined(separator: t("，", ", "))
  }
}
