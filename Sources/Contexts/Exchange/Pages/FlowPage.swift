import Kernel
import Web

/// The map of flows (数据流向图): who gives what to whom, how much, and what runs now.
enum FlowPage {
  /// The picture shows so many flows; the table beside it all.
  private static let drawn = 24
  private static let (width, left, right) = (1000, 330, 670)

  static func render(_ request: Request, _ flows: [Flow]) -> Page {
    let t = request.language
    let rows = flows.reduce(0) { $0 + $1.rows }
    let running = flows.reduce(0) { $0 + $1.running }
    return Page(
      Text("数据流向", "Flows of data"), section: .deliveries, trail: [DeliveryPages.section, TaskPages.section],
      refresh: running > 0 ? 10 : nil,
      body: """
        <h1>\(t("数据流向", "Flows of data"))</h1>\(TaskPages.views(t, at: "/tasks/flows"))
        <p>\(t("近 \(Exchange.flowDays) 天共送达 \(grouped(rows)) 行；现在有 \(running) 个交换在进行。", "\(grouped(rows)) rows in \(Exchange.flowDays) days; \(running) deliveries run now."))</p>
        \(when: !flows.isEmpty, picture(Array(flows.prefix(drawn)), of: flows.count, t))
        \(table(
          caption: t("部门之间的流向", "Flows between departments"),
          columns: [
            Column(t("提供部门", "Provider")), Column(t("使用部门", "Consumer")), Column(t("授权", "Grants"), numeric: true), Column(t("交换次数", "Deliveries"), numeric: true),
            Column(t("送达行数", "Rows"), numeric: true), Column(t("状态", "State")),
          ],
          rows: flows.map {
            """
            <tr><td>\($0.provider.name)</td><td>\($0.consumer.name)</td>\(numberCell($0.grants, href: "/tasks"))\(numberCell($0.deliveries, href: "/deliveries"))\
            \(numberCell($0.rows))<td>\(state($0, t))</td></tr>
            """
          }.joined(),
          empty: emptyState(
            t("还没有数据在部门之间流动。授权签发后，这里会画出它们。", "No data flows between departments yet. Grants are drawn here once they are made."),
            action: buttonLink(t("查看授权", "See the grants"), href: "/grants"))))
        """)
  }

  private static func state(_ flow: Flow, _ t: Language) -> HTML {
    if flow.failing > 0 { return badge(t("\(flow.failing) 个失败或冻结", "\(flow.failing) failed or frozen"), .late) }
    if flow.running > 0 { return badge(t("\(flow.running) 个进行中", "\(flow.running) running"), .active) }
    return badge(
      flow.deliveries > 0 ? t("正常", "Fine") : t("近期无交换", "Nothing lately"), flow.deliveries > 0 ? .good : .neutral)
  }

  /// Departments on both sides in the order of what they give and get, and a ribbon between each two, as wide as what
  /// flowed.
  private static func picture(_ flows: [Flow], of all: Int, _ t: Language) -> HTML {
    let providers = places(flows) { $0.provider }
    let consumers = places(flows) { $0.consumer }
    let height = 40 * max(providers.count, consumers.count) + 20
    func y(_ place: Int, of count: Int) -> Int { height * (2 * place + 1) / (2 * count) }
    let most = max(1, flows.map(\.rows).max() ?? 1)
    let words = flows.prefix(3).map {
      t(
        "\($0.provider.name)向\($0.consumer.name) \(grouped($0.rows)) 行",
        "\($0.provider.name) to \($0.consumer.name) \(grouped($0.rows)) rows")
    }
    return """
      <figure class="chart flows" tabindex="0"><figcaption>\(t("流向图", "Map of flows"))\(when: all > flows.count, " · \(t("最大的 \(flows.count) 条", "the \(flows.count) largest"))")</figcaption>\
      <svg viewBox="0 0 \(width) \(height)" role="img" aria-labelledby="flows-title flows-words"><title id="flows-title">\(t("部门之间的数据流向", "Flows of data between departments"))</title>\
      <desc id="flows-words">\(words.joined(separator: t("；", "; ")))</desc>\
      \(flows, { flow in
        let from = y(providers.firstIndex(of: flow.provider) ?? 0, of: providers.count)
        let to = y(consumers.firstIndex(of: flow.consumer) ?? 0, of: consumers.count)
        let tone: Tone = flow.failing > 0 ? .late : flow.running > 0 ? .active : flow.deliveries > 0 ? .good : .neutral
        let thickness = 2 + 22 * flow.rows / most
        return """
          <path class="flow \(tone.rawValue)" d="M \(left) \(from) C \(left + 140) \(from) \(right - 140) \(to) \(right) \(to)" stroke-width="\(thickness)"><title>\(flow.provider.name) → \(flow.consumer.name)\(t.colon)\(t("\(grouped(flow.rows)) 行，\(flow.grants) 个授权", "\(grouped(flow.rows)) rows, \(flow.grants) grants"))</title></path>
          """
      })\
      \(labels(providers, height, x: left - 10, anchor: "end"))\(labels(consumers, height, x: right + 10, anchor: "start"))</svg></figure>
      """
  }

  private static func places(_ flows: [Flow], _ side: (Flow) -> Flow.OrganisationRef) -> [Flow.OrganisationRef] {
    flows.reduce(into: []) { if !$0.contains(side($1)) { $0.append(side($1)) } }
  }

  private static func labels(_ names: [Flow.OrganisationRef], _ height: Int, x: Int, anchor: String) -> HTML {
    names.enumerated().map { place, one in
      """
      <text x="\(x)" y="\(height * (2 * place + 1) / (2 * names.count) + 5)" text-anchor="\(anchor)">\(one.name)</text>
      """
    }.joined()
  }
}
