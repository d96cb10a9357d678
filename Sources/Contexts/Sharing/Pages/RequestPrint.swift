import Attachments
import Kernel
import Web

/// A request on paper (政务数据共享申请表): what was asked, what was decided on each item, by whom and when.
enum RequestPrint {
  static func page(
    _ request: Request, _ item: ShareRequest, _ events: [RequestStore.Event], _ grant: Grant?, _ files: [Attachment]
  ) -> Page {
    let t = request.language
    let form = PrintedForm(
      title: Text("政务数据共享申请表", "Request to share government data"), number: item.number,
      body: "\(facts(t, item, grant))\(items(t, item))\(material(t, files))\(decisions(t, events))",
      seals: [
        Text("申请部门：\(item.consumerName)", "Asked by: \(item.consumerName)"),
        Text("提供部门：\(item.providerName)", "Provider: \(item.providerName)"),
      ])
    return form.page(
      request, section: .requests, trail: [RequestPages.section, (Text(same: item.number), "/requests/\(item.id)")])
  }

  private static func facts(_ t: Language, _ item: ShareRequest, _ grant: Grant?) -> HTML {
    ruledFacts([
      [
        (
          t("信息资源", "Resource"),
          "\(item.resourceName)\(t("（第 \(item.resourceVersion) 版）", " (version \(item.resourceVersion))"))"
        )
      ],
      [
        (t("申请部门", "Asked by"), "\(item.consumerName) · \(actor(t, item.askedByName, inNameOf: item.askedForName))"),
        (t("提供部门", "Provider"), "\(item.providerName)"),
      ],
      [(t("使用目的", "Purpose"), "\(item.purpose)")], [(t("法律依据", "Legal basis"), "\(item.legalBasis)")],
      [(t("办事场景", "Scene"), "\(item.scene)")],
      [
        (t("共享方式", "Mode"), "\(t(item.mode.title))"), (t("频率", "Frequency"), "\(t(item.frequency.title))"),
        (t("来源不再有的行", "Rows that go"), "\(t(item.goneRows.title))"),
      ],
      [
        (t("使用期限", "Period of use"), period(item.firstDay, item.lastDay)),
        (t("目标表", "Target table"), "\(item.targetTable)"),
      ],
      [
        (t("状态", "State"), "\(t(item.state.title))"),
        (t("授权编号", "Grant"), grant.map { "\($0.number)" } ?? "—"),
      ],
    ])
  }

  private static func items(_ t: Language, _ item: ShareRequest) -> HTML {
    let rows = item.items.enumerated().map { index, one in
      let decision = one.approved.map { $0 ? t("同意", "agreed") : t("不同意", "refused") } ?? t("未定", "open")
      return """
        <tr><td class="number">\(index + 1)</td><td>\(one.name)</td><td>\(one.column)</td><td>\(decision)</td>\
        <td>\(one.mask.map { t($0.title) } ?? "")</td><td>\(one.reason ?? "")</td></tr>
        """ as HTML
    }.joined()
    return ruledList(
      t("信息项", "Items"),
      [
        t("序号", "No."), t("信息项", "Item"), t("技术名称", "Column"), t("决定", "Decision"), t("脱敏", "Mask"),
        t("理由", "Reason"),
      ], rows, empty: "")
  }

  /// With the digests, so that a paper says which files it speaks of.
  private static func material(_ t: Language, _ files: [Attachment]) -> HTML {
    let rows = files.enumerated().map { index, file in
      """
      <tr><td class="number">\(index + 1)</td><td>\(file.name)</td><td>\(file.note)</td>\
      <td class="code">\(file.digest)</td></tr>
      """ as HTML
    }.joined()
    return ruledList(
      t("申请材料", "Material"), [t("序号", "No."), t("文件", "File"), t("说明", "What it is"), t("SM3 摘要", "SM3 digest")],
      rows, empty: t("没有材料。", "None."))
  }

  private static func decisions(_ t: Language, _ events: [RequestStore.Event]) -> HTML {
    let rows = events.map { event in
      """
      <tr><td>\(event.at.minuteInChina)</td><td>\(t(event.event.title))</td><td>\(event.organisation) \(actor(t, event.actor, inNameOf: event.inNameOf))</td>\
      <td>\(event.words ?? "")</td></tr>
      """ as HTML
    }.joined()
    return ruledList(
      t("办理经过", "What happened"), [t("时间", "When"), t("事项", "What"), t("单位、人员", "By"), t("意见", "Words")], rows,
      empty: "")
  }
}
