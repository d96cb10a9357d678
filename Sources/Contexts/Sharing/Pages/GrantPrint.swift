import Kernel
import Web

/// A grant on paper (政务数据共享授权书): what may move, from whom to whom, on what ground and until when.
enum GrantPrint {
  static func page(_ request: Request, _ grant: Grant) -> Page {
    let t = request.language
    return PrintedForm(
      title: Text("政务数据共享授权书", "Grant to share government data"), number: grant.number,
      body: "\(facts(t, grant))\(items(t, grant))",
      seals: [
        Text("提供部门：\(grant.providerName)", "Provider: \(grant.providerName)"),
        Text("使用部门：\(grant.consumerName)", "Consumer: \(grant.consumerName)"),
      ]
    ).page(request, section: .grants, trail: [GrantPages.section, (Text(same: grant.number), "/grants/\(grant.id)")])
  }

  private static func facts(_ t: Language, _ grant: Grant) -> HTML {
    var rows: [[(label: String, value: HTML)]] = [
      [
        (
          t("信息资源", "Resource"),
          "\(grant.resourceName)\(t("（第 \(grant.resourceVersion) 版）", " (version \(grant.resourceVersion))"))"
        )
      ],
      [
        (t("提供部门", "Provider"), "\(grant.providerName)"), (t("使用部门", "Consumer"), "\(grant.consumerName)"),
      ],
      [(t("使用目的", "Purpose"), "\(grant.purpose)")], [(t("法律依据", "Legal basis"), "\(grant.legalBasis)")],
      [(t("办事场景", "Scene"), "\(grant.scene)")],
      [
        (t("共享方式", "Mode"), "\(t(grant.mode.title))"), (t("频率", "Frequency"), "\(t(grant.frequency.title))"),
        (t("来源不再有的行", "Rows that go"), "\(t(grant.goneRows.title))"),
      ],
      [
        (t("授权期限", "Valid"), period(grant.firstDay, grant.lastDay)),
        (t("目标表", "Target table"), "\(grant.targetTable)"),
      ],
      [
        (t("签发", "Made"), "\(grant.createdAt.minuteInChina)"), (t("状态", "State"), "\(t(grant.state.title))"),
      ],
    ]
    if grant.state != .active {
      let who = actor(t, grant.endedBy ?? t("平台", "the platform"), inNameOf: grant.endedFor)
      rows.append([
        (
          t("\(grant.state.title.chinese)自", "\(grant.state.title.english) since"),
          "\(grant.endedAt?.minuteInChina ?? "—") \(who)"
        ), (t("理由", "Reason"), "\(grant.endedWhy ?? "—")"),
      ])
    }
    return ruledFacts(rows)
  }

  private static func items(_ t: Language, _ grant: Grant) -> HTML {
    let rows = grant.items.enumerated().map { index, item in
      """
      <tr><td class="number">\(index + 1)</td><td>\(item.name)\(when: item.isKey, "\(t("（主键）", " (key)"))")</td>\
      <td>\(item.column)</td><td>\(t(item.mask.title))</td></tr>
      """ as HTML
    }.joined()
    return ruledList(
      t("授权的信息项（\(grant.items.count)）", "Items granted (\(grant.items.count))"),
      [t("序号", "No."), t("信息项", "Item"), t("技术名称", "Column"), t("交付方式", "Delivered as")], rows, empty: "")
  }
}
