import Connecting
import Kernel
import Sharing
import Transfer
import Web

/// What becomes of the bad rows of one item and one reason: handed back, corrected, read again.
enum HandBackPart {
  static func html(
    _ request: Request, _ view: DeliveryView, _ given: [HandBack], item: String?, fault: String?
  ) -> HTML {
    let t = request.language
    let shown = given.filter { (item == nil || $0.item == item) && (fault == nil || $0.fault == fault) }
    return """
      \(shown, { one in note(tone(one.state), standing(request, view, one)) })\
      \(ask(request, view, given, item: item, fault: fault))\
      \(when: shown.isEmpty && item == nil && view.quarantine.count > 1, "<p class=\"hint\">\(t("先在上面选一种问题，再退回提供部门更正。", "Choose one kind above to hand its rows back to the provider."))</p>")
      """
  }

  private static func tone(_ state: HandBack.State) -> Tone {
    switch state {
    case .open: .soon
    case .rereading: .active
    case .mended: .good
    case .stillBad: .late
    }
  }

  private static func standing(_ request: Request, _ view: DeliveryView, _ one: HandBack) -> HTML {
    let t = request.language
    let may =
      one.state.isOpen && view.grant.state == .active
      && (request.principal.map { $0.may(.quarantineOpen) && $0.organisation == view.grant.provider } ?? false)
    let again: HTML =
      one.stillBad > 0
      ? "<p>\(t("重新读取后仍有 \(one.stillBad) 行有问题。", "\(one.stillBad) rows were bad again when they were read."))</p>"
      : .nothing
    return """
      <p><strong>\(t(one.state.title))</strong> · \(name(one.item, view.grant)) · \(t(RowFault(code: one.fault)?.title ?? Text(same: one.fault))) · \(t("\(one.rows) 行", "\(one.rows) rows"))</p>\
      <p>\(time(one.at)) · \(one.by)\(t.colon)\(one.words)</p>\
      \(one.answeredAt.map { "<p>\(time($0)) · \(one.answeredBy ?? "")\(t.colon)\(one.answer ?? "")</p>" as HTML })\
      \(one.reread.map { "<p><a href=\"/deliveries/\($0)\">\(t("重新读取的那次交换", "The delivery that read them again"))</a></p>" as HTML })\(again)\
      \(when: may, answer(request, view, one))
      """
  }

  /// For the provider: its source is corrected, the rows can be read again.
  private static func answer(_ request: Request, _ view: DeliveryView, _ one: HandBack) -> HTML {
    let t = request.language
    return form(
      request, action: "/hand-backs/\(one.id)",
      """
      \(field(t, Field("words", Text("更正说明", "What was corrected"), .text(maxLength: 500), required: false, id: "words-\(one.id)"), value: Fields()))\
      \(field(t, Field("since", Text("从哪一天起重新读取", "Read again from this day on"), .date, required: false, hint: Text("按被更正行的更新时间填写；不填则全量重新读取。", "By the change times of the corrected rows; empty reads everything again."), id: "since-\(one.id)"), value: Fields()))\
      \(buttons(button(t("已在源库更正，重新读取", "Corrected in the source, read again"))))
      """)
  }

  private static func ask(
    _ request: Request, _ view: DeliveryView, _ given: [HandBack], item: String?, fault: String?
  ) -> HTML {
    let t = request.language
    let only = view.quarantine.count == 1 ? view.quarantine.first : nil
    guard request.principal?.may(.exchangeRun) ?? false, view.grant.state == .active,
      let item = item ?? only?.item, let fault = fault ?? only?.fault,
      view.quarantine.contains(where: { $0.item == item && $0.fault == fault }),
      !given.contains(where: { $0.item == item && $0.fault == fault })
    else { return .nothing }
    return details(
      t("退回提供部门更正", "Hand back to the provider"), open: request.form["words"] != nil,
      """
      <p>\(t("\(view.grant.providerName)会收到待办，在自己的源库里更正后重新读取；平台不改别人的数据。", "\(view.grant.providerName) gets a task, corrects its own source and has the rows read again; the platform changes nobody's data."))</p>
      \(form(request, action: "/deliveries/\(view.delivery.id)/hand-back", """
        <input type="hidden" name="item" value="\(item)"><input type="hidden" name="fault" value="\(fault)">\
        \(field(t, Field("words", Text("要更正什么", "What is to be corrected"), .text(maxLength: 500)), value: request.form))<button>\(t("退回", "Hand back"))</button>
        """))
      """)
  }

  private static func name(_ column: String, _ grant: Grant) -> HTML {
    grant.items.first { $0.column == column }.map { "\($0.name)" } ?? "<code>\(column)</code>"
  }
}
