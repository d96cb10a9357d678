import Kernel
import Web

/// Why deliveries failed, the most frequent cause first.
enum FailurePage {
  static func render(_ request: Request, _ causes: [FailureCause]) -> Page {
    let t = request.language
    let attempts = causes.reduce(0) { $0 + $1.attempts }
    return Page(
      Text("失败原因", "Causes of failure"), section: .deliveries, trail: [DeliveryPages.section, TaskPages.section],
      body: """
        <h1>\(t("失败原因", "Causes of failure"))</h1>\(TaskPages.views(t, at: "/tasks/failures"))
        <p>\(t("近 \(Exchange.failureDays) 天有 \(grouped(attempts)) 次尝试没有送达；自动重试后送达的也算。", "\(grouped(attempts)) attempts in \(Exchange.failureDays) days did not deliver, those that a later attempt made good too."))</p>
        \(table(
          caption: t("没有送达的原因", "Why attempts did not deliver"),
          columns: [
            Column(t("最近一次怎么说", "What the last one said")), Column(t("次数", "Attempts"), numeric: true),
            Column(t("交换", "Deliveries"), numeric: true), Column(t("授权", "Grants"), numeric: true),
            Column(t("最近", "Last")), Column(t("代码", "Code")),
          ],
          rows: causes.map { cause in
            """
            <tr><td>\(t(cause.words))</td>\(numberCell(cause.attempts))\(numberCell(cause.deliveries))\(numberCell(cause.grants))\
            <td><a href="/deliveries/\(cause.last)">\(time(cause.lastAt))</a></td><td><code>\(cause.code)</code></td></tr>
            """
          }.joined(), empty: "<p>\(t("没有失败。", "Nothing failed."))</p>"))
        """)
  }
}
