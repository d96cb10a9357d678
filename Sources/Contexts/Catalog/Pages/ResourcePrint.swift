internal import Attachments
internal import Inventory
internal import Kernel
internal import Web

/// An entry's form for paper (政务信息资源目录表): the core metadata in the guide's order, its items, what was decided when by
/// whom, and its attachments, of which pictures and texts are printed in full.
struct ResourcePrint {
  /// A text longer than this is named and not printed.
  private static let mostText = 100_000

  let t: Language
  let view: ResourceView
  let lists: CodeLists
  let classification: Classification
  let enclosures: [Attaching.Enclosure]
  /// The form stands beside its attachments in a zip, and not on the site.
  let inBundle: Bool

  var form: PrintedForm {
    let r = view.resource
    return PrintedForm(
      title: Text("政务信息资源目录表", "Government information resource: catalogue entry"),
      number: r.code?.description ?? t("未赋码", "no code yet"),
      body:
        "\(elements)\(items)\(decisions)\(attachments)",
      seals: [
        Text("提供方：\(r.providerName)", "Provider: \(r.providerName)"),
        Text("主管部门审核", "Reviewed by the competent authority"),
      ], enclosed: enclosures.enumerated().map { enclosed($0.offset, $0.element) }.joined())
  }

  /// The thirteen elements, the short ones two in a row; what the platform adds comes after them.
  private var elements: HTML {
    let r = view.resource
    let m = r.metadata
    func name(_ code: String, _ list: CodeList) -> HTML { code.isEmpty ? "—" : "\(t(list.text(code)))" }
    func text(_ text: String) -> HTML { text.isEmpty ? "—" : "\(text)" }
    let classes: HTML =
      m.classes.isEmpty ? "—" : m.classes.map { "\($0)　\(classification.title(of: $0))" as HTML }.joined("<br>")
    var method = name(m.methodClass, lists.methodClasses)
    if m.methodClass == "1", !m.methodType.isEmpty { method += " · \(t(lists.methodTypes.text(m.methodType)))" }
    if m.sharingType == "3" { method = "—" }
    let condition =
      m.sharingType == "3" ? Text("9 不予共享依据", "9 Legal basis of refusal") : Text("9 共享条件", "9 Condition of sharing")
    return ruledFacts([
      [(t("1 信息资源分类", "1 Classes"), classes)],
      [(t("2 信息资源名称", "2 Name"), "\(m.name)")],
      [
        (t("3 信息资源代码", "3 Code"), "\(r.code?.description ?? t("审核通过后赋码", "given when approved"))"),
        (t("版本 / 状态", "Version / state"), "\(r.version) · \(t(r.state.title))"),
      ],
      [(t("4 信息资源提供方", "4 Provider"), "\(r.providerName)"), (t("5 提供方代码", "5 Provider's code"), "\(r.providerCode)")],
      [(t("6 信息资源摘要", "6 Abstract"), text(m.abstract))],
      [
        (
          t("7 信息资源格式", "7 Format"),
          m.format.isEmpty ? "—" : "\(t(lists.formatClasses.text(m.formatClass))) · \(t(lists.formats.text(m.format)))"
        ),
        (t("8 信息项", "8 Items"), "\(t("\(r.items.count) 项，见下表", "\(r.items.count), below"))"),
      ],
      [(t("9 共享类型", "9 Sharing"), name(m.sharingType, lists.sharingTypes)), (t("9 共享方式", "9 Method"), method)],
      [(t(condition), text(m.sharingCondition))],
      [
        (t("10 开放属性", "10 Openness"), name(m.openType, lists.openTypes)),
        (t("10 开放条件", "10 Condition of opening"), text(m.openCondition)),
      ],
      [
        (t("11 更新周期", "11 Update cycle"), name(m.cycle, lists.cycles)),
        (t("12 发布日期", "12 Published"), r.publishedOn.map { "\($0)" } ?? "—"),
      ],
      [(t("13 关联资源代码", "13 Related codes"), text(m.related.joined(separator: t.listing)))],
      [
        (t("所属信息系统", "Information system"), text(view.systemName ?? "")),
        (t("涉密 / 层级", "Secrecy / level"), "\(name(m.secrecy, lists.secrecies)) · \(name(m.level, lists.levels))"),
      ],
    ])
  }

  private var items: HTML {
    let rows = view.resource.items.enumerated().map { index, item in
      """
      <tr><td class="number">\(index + 1)</td><td>\(item.name)</td><td>\(item.column)</td>\
      <td>\(t(lists.itemTypes.text(item.dataType)))\(length(item))</td><td>\(item.isKey ? t("是", "yes") : "")</td>\
      <td>\(item.isNullable ? t("是", "yes") : t("否", "no"))</td>\
      <td>\(t(lists.sharingTypes.text(view.resource.sharingType(of: item))))\(when: !item.sharingCondition.isEmpty, "\(t.colon)\(item.sharingCondition)")</td>\
      <td>\(item.description)</td></tr>
      """ as HTML
    }.joined()
    return ruledList(
      t("信息项", "Items"),
      [
        t("序号", "No."), t("信息项名称", "Item"), t("技术名称", "Column"), t("数据类型（长度）", "Type (length)"), t("主键", "Key"),
        t("可空", "Null"), t("共享类型", "Sharing"), t("说明", "Description"),
      ], rows, empty: t("没有信息项。", "No items."))
  }

  private var decisions: HTML {
    let rows = view.events.reversed().map { event in
      """
      <tr><td>\(event.at.minuteInChina)</td><td>\(t("第 \(event.version) 版", "Version \(event.version)"))</td>\
      <td>\(t(eventTitle(event.event)))</td><td>\(event.organisation) \(event.person)</td><td>\(event.words)</td></tr>
      """ as HTML
    }.joined()
    return ruledList(
      t("版本和办理经过", "Versions and decisions"),
      [t("时间", "When"), t("版本", "Version"), t("事项", "What"), t("单位、人员", "By"), t("意见", "Words")], rows,
      empty: t("尚未提交审核。", "Not submitted yet."))
  }

  private var attachments: HTML {
    let rows = enclosures.enumerated().map { index, one in
      """
      <tr><td class="number">\(index + 1)</td><td>\(one.file.name)</td><td>\(one.file.note)</td><td>\(t(one.file.kind.title))</td>\
      <td class="number">\(byteCount(Int64(one.file.size)))</td><td class="code">\(one.file.digest)</td><td>\(how(one))</td></tr>
      """ as HTML
    }.joined()
    return ruledList(
      t("附件", "Attachments"),
      [
        t("序号", "No."), t("文件", "File"), t("说明", "What it is"), t("类型", "Kind"), t("大小", "Size"),
        t("SM3 摘要", "SM3 digest"), t("附于", "Where"),
      ], rows, empty: t("没有附件。", "None."))
  }

  private func how(_ one: Attaching.Enclosure) -> String {
    if let trouble = one.trouble { return t(trouble) }
    return isPrinted(one) ? t("本表之后", "after this form") : t("另附文件", "a file of its own")
  }

  private func isPrinted(_ one: Attaching.Enclosure) -> Bool {
    one.trouble == nil && (one.file.kind.isImage || one.text.map { $0.utf8.count <= Self.mostText } ?? false)
  }

  private func enclosed(_ index: Int, _ one: Attaching.Enclosure) -> HTML {
    guard isPrinted(one) else { return .nothing }
    let r = view.resource
    let address =
      inBundle
      ? encodedPath(Attaching.pathInBundle(index, one.file))
      : AttachmentLink.file(r.id, version: r.version, one.file.id)
    return """
      <section class="enclosed"><h2>\(t("附件 \(index + 1)", "Attachment \(index + 1)"))\(t.colon)\(one.file.name)</h2>\
      \(one.text.map { "<pre>\($0)</pre>" as HTML } ?? "<img src=\"\(address)\" alt=\"\(one.file.note.isEmpty ? one.file.name : one.file.note)\">")</section>
      """
  }
}
