import Catalog
import Deadlines
import Inventory
import Kernel
import Web

/// One objection: where it stands, until when, what was said, and what the reader may do now.
enum ObjectionPage {
  static func render(
    _ request: Request, _ item: Objection, _ events: [ObjectionStore.Event], correction: Feedback.Correction,
    lists: CodeLists, entered: Fields = Fields(), refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    return Page(
      Text(same: item.number), section: .catalog, status: refusal?.status ?? 200,
      trail: [catalogTrail, objectionsTrail],
      body: """
        \(heading(item.number, state: stateBadge(t, item.state)))\(faultSummary(t, refusal))\(standing(request, item))\
        \(facts([
          (t("目录", "Entry"), "<a href=\"\(FeedbackLink.resource(item.resource))\">\(item.resourceName)</a>"),
          (t("针对版本", "Version objected to"), "<a href=\"\(FeedbackLink.resource(item.resource, version: item.resourceVersion))\">\(t("第 \(item.resourceVersion) 版", "version \(item.resourceVersion)"))</a>"),
          (t("针对内容", "About"), subject(t, item, lists)), (t("异议类型", "Kind"), "\(t(lists["objection-kind"].text(item.kind)))"),
          (t("异议方", "Raised by"), "\(item.raiserName) · \(item.raisedByName)"), (t("提供部门", "Provider"), "\(item.providerName)"),
          (t("理由", "Words"), "\(item.words)"), (t("依据", "Evidence"), item.evidence.isEmpty ? "—" : "\(item.evidence)"),
          (t("更正版本", "Corrected by"), item.correctedBy.map { "<a href=\"\(FeedbackLink.resource(item.resource, version: $0))\">\(t("第 \($0) 版", "version \($0)"))</a>" } ?? "—"),
        ]))\
        \(actions(request, item, correction, entered, refusal?.faults ?? []))\
        \(panel(t("办理经过", "What happened"), id: "history", history(t, events)))
        """)
  }

  private static func subject(_ t: Language, _ item: Objection, _ lists: CodeLists) -> HTML {
    switch item.about {
    case .entry: "\(t("整条目录", "the whole entry"))"
    case .element(let code): "\(t(lists["entry-element"].text(code)))"
    case .item(_, let name): "\(t("信息项", "item"))\(t.colon)\(name)"
    }
  }

  private static func standing(_ request: Request, _ item: Objection) -> HTML {
    let t = request.language
    let today = request.now.dateInChina
    guard let party = item.state.waitsFor else {
      return note(
        item.state == .confirmed ? .good : .neutral,
        "<p>\(t("已办结：", "Finished: "))\(t(item.state.title))\(t.comma)\(time(item.changedAt))</p>")
    }
    let who: String =
      switch party {
      case .raiser: t("\(item.raiserName)回应", "\(item.raiserName) answers")
      case .provider: t("\(item.providerName)的数据管理员办理", "the data officer of \(item.providerName) acts")
      case .authority: t("主管部门协调", "the competent authority decides")
      }
    return note(
      item.terms(on: today).isLate ? .late : .neutral,
      """
      <p><strong>\(t("下一步：", "Next: "))\(who)</strong></p>\
      <p>\(t("自", "Since")) \(time(item.changedAt)) · \(t("期限", "Due")) \(due(t, item.due, today: today))</p>\
      \(when: item.pausedClock != nil, "<p>\(t("补充期间，提供部门的时限暂停计算。", "The provider's clock stands still meanwhile."))</p>")
      """)
  }

  private static func history(_ t: Language, _ events: [ObjectionStore.Event]) -> HTML {
    timeline(
      t,
      events.reversed().map { event in
        TimelineEvent(
          t(event.event.title), at: event.at, by: "\(event.organisation) \(event.actor)",
          tone: event.event == .refuse || event.event == .escalate ? .late : event.event == .confirm ? .good : .neutral,
          detail: "\(event.words ?? "")")
      })
  }

  // MARK: - What may be done now

  private static func actions(
    _ request: Request, _ item: Objection, _ correction: Feedback.Correction, _ entered: Fields,
    _ faults: [Refusal.Fault]
  ) -> HTML {
    guard let principal = request.principal else { return .nothing }
    let terms = item.terms(on: request.now.dateInChina)
    let open = ObjectionState.Party.allCases.flatMap { party in
      item.acts(principal, as: party) ? item.state.events(for: party, terms) : []
    }
    let steps = open.filter { $0 != .withdraw }
    let parts = steps.enumerated().map { index, event in
      step(
        request, item, event, correction, isFirst: index == 0, entered: entered,
        faults: entered["event"] == event.rawValue ? faults : [])
    }
    return parts.joined() + (open.contains(.withdraw) ? withdraw(request, item) : .nothing)
  }

  private static func step(
    _ request: Request, _ item: Objection, _ event: ObjectionEvent, _ correction: Feedback.Correction, isFirst: Bool,
    entered: Fields, faults: [Refusal.Fault]
  ) -> HTML {
    let t = request.language
    let (label, hint) = wording(event)
    var inner: HTML = """
      <input type="hidden" name="version" value="\(item.version)"><input type="hidden" name="event" value="\(event.rawValue)">
      """
    if event == .correct {
      switch correction {
      case .none:
        return note(
          .neutral,
          """
          <p><strong>\(t("先发布更正的新版本", "Publish the corrected version first"))</strong></p>\
          <p>\(t("在目录页编制新版本并发布后，在这里指明是哪一版更正了异议。", "Write and publish a new version from the entry's page, then name it here."))</p>\
          \(buttons(buttonLink(t("去目录页", "To the entry"), href: FeedbackLink.resource(item.resource), .primary)))
          """)
      case .version(let version):
        inner += """
          <input type="hidden" name="correctedBy" value="\(version)">\
          <p>\(t("更正版本：", "Corrected by: "))<a href="\(FeedbackLink.resource(item.resource, version: version))">\(t("第 \(version) 版", "version \(version)"))</a></p>
          """
      case .withdrawal: inner += "<p>\(t("目录已下架，以下架作为更正。", "The entry was withdrawn; that is the correction."))</p>"
      }
    }
    // A page has several of these forms: the one that was sent has the plain id, to which its faults point.
    inner += field(
      t,
      Field(
        "words", hint, .area(maxLength: Feedback.limits.words), required: ObjectionStep.needWords.contains(event),
        id: faults.isEmpty ? "\(event.rawValue)-words" : "words"),
      value: entered["event"] == event.rawValue ? entered : Fields(), faults: faults)
    inner += buttons(button(t(label), isFirst ? .primary : .plain))
    let body = form(request, action: FeedbackLink.objection(item.id), inner)
    return isFirst
      ? "<section class=\"act\"><h2>\(t(label))</h2>\(body)</section>"
      : "<details class=\"act\"\(when: !faults.isEmpty, " open")><summary>\(t(label))</summary>\(body)</details>"
  }

  /// What a step's button says, and what its words are for.
  private static func wording(_ event: ObjectionEvent) -> (label: Text, hint: Text) {
    switch event {
    case .accept: (Text("采纳异议", "Accept"), Text("说明打算怎样更正", "How it will be corrected"))
    case .refuse: (Text("不予采纳", "Refuse"), Text("理由（异议方会看到）", "Reasons, which the raiser reads"))
    case .askSupplement:
      (Text("要求补充材料", "Ask for a supplement"), Text("一次性写明需要补充的全部内容", "Everything that is missing, once"))
    case .supplement: (Text("提交补充", "Supplement"), Text("补充内容", "What was missing"))
    case .correct: (Text("已更正，请确认", "Corrected"), Text("更正说明", "What was corrected"))
    case .confirm: (Text("确认已更正", "Confirm"), Text("附言", "Words"))
    case .reopen: (Text("认为未改正，重新打开（仅一次）", "Open again (once)"), Text("哪里仍然不对", "What is still wrong"))
    case .concede: (Text("接受答复", "Accept the refusal"), Text("附言", "Words"))
    case .escalate:
      (Text("提请主管部门协调", "Go to the competent authority"), Text("协调请求与理由", "What is asked for, and why"))
    case .direct: (Text("要求提供部门更正", "Direct a correction"), Text("协调意见", "Decision and reasons"))
    case .dismiss: (Text("维持原目录", "Dismiss"), Text("协调意见", "Decision and reasons"))
    case .raise, .withdraw, .lapse: (event.title, Text("附言", "Words"))
    }
  }

  private static func withdraw(_ request: Request, _ item: Objection) -> HTML {
    let t = request.language
    return """
      <details class="act"><summary>\(t("撤回异议", "Withdraw"))</summary>\
      <p>\(t("撤回 \(item.number) 后不能恢复，\(item.providerName)不再办理；仍有问题时须重新提出。", "\(item.number) cannot be taken up again once withdrawn: \(item.providerName) no longer acts on it."))</p>\
      \(form(request, action: FeedbackLink.objection(item.id), """
        <input type="hidden" name="version" value="\(item.version)"><input type="hidden" name="event" value="withdraw">\
        \(buttons(button(t("撤回 \(item.number)", "Withdraw \(item.number)"), .danger)))
        """))</details>
      """
  }
}
