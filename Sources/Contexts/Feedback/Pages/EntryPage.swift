import Catalog
import Inventory
import Kernel
import Web

/// What everybody says of one entry: corrections under way, ratings, questions.
struct EntryView: Sendable {
  var resource: Resource
  /// Open objections, oldest first.
  var objections: [Objection]
  var summary: RatingSummary
  var ratings: [Rating]
  var moreRatings: OrganisationID?
  /// What the visitor's own office gave.
  var own: Rating?
  var threads: [[Question]]
  var moreThreads: QuestionID?
}

enum EntryPage {
  static func render(
    _ request: Request, _ view: EntryView, lists: CodeLists, entered: Fields = Fields(), refusal: Refusal? = nil
  ) -> Page {
    let t = request.language
    let resource = view.resource
    return Page(
      Text("目录反馈", "Feedback"), section: .catalog, status: refusal?.status ?? 200,
      trail: [catalogTrail, (Text(same: resource.metadata.name), FeedbackLink.resource(resource.id))],
      body: """
        <h1>\(t("各部门对《\(resource.metadata.name)》的反馈", "Feedback on “\(resource.metadata.name)”"))</h1>\
        <p class="muted">\(resource.providerName)</p>\(faultSummary(t, refusal))\
        \(objections(request, view, lists))\(ratings(request, view, entered, refusal))\
        \(questions(request, view, entered, refusal))
        """)
  }

  /// The part of it that an entry's own page shows.
  static func section(_ request: Request, _ view: EntryView, lists: CodeLists) -> HTML {
    let t = request.language
    let resource = view.resource
    let answered = view.threads.flatMap { $0 }
    let last: HTML =
      answered.isEmpty
      ? .nothing
      : """
      <ul class="questions">\(view.threads.prefix(2), { thread in "<li>\(thread.first?.words ?? "")\(when: thread.last?.answer != nil, " \(badge(t("已答复", "answered"), .good))")</li>" })</ul>
      """
    var tools: [HTML] = []
    if mayObject(request, resource) {
      tools.append(buttonLink(t("提出异议", "Raise an objection"), href: FeedbackLink.newObjection(resource.id)))
    }
    tools.append(buttonLink(t("评分与咨询", "Ratings and questions"), href: FeedbackLink.entry(resource.id)))
    return panel(
      t("异议、评分与咨询", "Objections, ratings, questions"), id: "feedback", actions: tools.joined(" "),
      """
      \(inCorrection(request, view.objections, lists))\
      <p>\(mean(t, resource.id, view.summary)) · \
      \(view.threads.isEmpty ? "\(t("还没有咨询", "no questions yet"))" as HTML : "<a href=\"\(FeedbackLink.entry(resource.id, "questions"))\">\(t("最近的咨询", "latest questions"))</a>" as HTML)</p>\(last)
      """)
  }

  private static func mayObject(_ request: Request, _ resource: Resource) -> Bool {
    guard let principal = request.principal, resource.state == .published else { return false }
    return principal.may(.feedbackRaise) && principal.organisation != resource.provider
  }

  private static func maySpeak(_ request: Request, _ resource: Resource) -> Bool {
    guard let principal = request.principal, resource.state == .published else { return false }
    return principal.may(.feedbackSpeak) && principal.organisation != resource.provider
  }

  // MARK: - Objections

  /// Every reader sees that something is being corrected and since when; what and how far is for the parties and the
  /// authority.
  private static func inCorrection(_ request: Request, _ objections: [Objection], _ lists: CodeLists) -> HTML {
    let t = request.language
    if objections.isEmpty { return "<p>\(badge(t("没有未办结的异议", "No open objection"), .good))</p>" }
    return """
      <ul class="corrections">\(objections, { item in
        let isParty = request.principal.map { item.party($0) != nil } ?? false
        let words: HTML =
          isParty
          ? """
           · \(t(lists["objection-kind"].text(item.kind))) · \(t(item.state.title)) · \
          <a href="\(FeedbackLink.objection(item.id))">\(item.number)</a>
          """ : .nothing
        return """
          <li>\(badge(t("校核中", "In correction"), .soon)) \(t("自", "since")) \(time(item.createdAt))\(words)</li>
          """ as HTML
      })</ul>
      """
  }

  private static func objections(_ request: Request, _ view: EntryView, _ lists: CodeLists) -> HTML {
    let t = request.language
    let resource = view.resource
    let tool =
      mayObject(request, resource)
      ? buttonLink(t("提出异议", "Raise an objection"), href: FeedbackLink.newObjection(resource.id)) : .nothing
    return panel(
      t("异议与纠错", "Objections"), id: "objections", actions: tool, inCorrection(request, view.objections, lists))
  }

  // MARK: - Ratings

  private static func mean(_ t: Language, _ id: ResourceID, _ summary: RatingSummary) -> HTML {
    guard let mean = summary.mean else { return "\(t("还没有部门评分", "not rated yet"))" }
    return """
      <a href="\(FeedbackLink.entry(id, "ratings"))">\(t("评分", "Rated")) <strong>\(mean)</strong>/5 · \
      \(t("\(summary.count) 个部门", plural(summary.count, "office")))</a>
      """
  }

  private static func ratings(_ request: Request, _ view: EntryView, _ entered: Fields, _ refusal: Refusal?) -> HTML {
    let t = request.language
    let summary = view.summary
    let bars: HTML = """
      <table class="distribution"><caption>\(t("评分分布（每个部门一票）", "Distribution, one voice per office"))</caption><tbody>\
      \((1...5).reversed(), { score in
        let count = summary.counts[score - 1]
        return """
          <tr><th scope="row">\(t("\(score) 分", "\(score)"))</th><td><meter min="0" max="\(max(1, summary.count))" value="\(count)">\(count)</meter></td>\
          <td class="number">\(count)</td></tr>
          """ as HTML
      })</tbody></table>
      """
    let list = view.ratings.filter { !$0.words.isEmpty }
    let isSent = entered["rating"] != nil
    var values = entered
    if !isSent, let own = view.own {
      values = Fields([("score", String(own.score)), ("words", own.words)])
    }
    let ask: HTML = """
      \(form(request, action: FeedbackLink.rating(view.resource.id), """
        <input type="hidden" name="rating" value="1">\
        \(field(t, Field("score", Text("本单位评分", "Your office's rating"), .radio((1...5).map { (String($0), t("\($0) 分", "\($0)")) }), hint: Text("一个单位一票，可以修改；1–2 分并写明原因的会告知提供部门。", "One voice per office, to be changed at any time; 1 or 2 with reasons is told to the provider.")), value: isSent ? entered : values, faults: isSent ? refusal?.faults ?? [] : []))\
        \(field(t, Field("words", Text("说明", "Words"), .area(maxLength: Feedback.limits.words), required: false, id: isSent ? "words" : "rating-words"), value: isSent ? entered : values, faults: isSent ? refusal?.faults ?? [] : []))\
        \(buttons(button(view.own == nil ? t("评分", "Rate") : t("修改评分", "Change the rating"))))
        """))
      """
    return panel(
      t("评分", "Ratings"), id: "ratings",
      """
      <p>\(mean(t, view.resource.id, summary))</p>\(when: summary.count > 0, bars)\
      \(when: !list.isEmpty, """
        <ul class="words">\(list, { one in
          "<li>\(badge(t("\(one.score) 分", "\(one.score)"), one.score <= 2 ? .late : one.score >= 4 ? .good : .neutral)) \(one.words)<br><span class=\"muted\">\(one.officeName) · \(t("第 \(one.version) 版", "version \(one.version)")) · \(time(one.at))</span></li>"
        })</ul>
        """)\
      \(view.moreRatings.map { pager(t, previous: nil, next: address(FeedbackLink.entry(view.resource.id), [("ratings", $0.text)])) })\
      \(when: maySpeak(request, view.resource), ask)
      """)
  }

  // MARK: - Questions

  private static func questions(_ request: Request, _ view: EntryView, _ entered: Fields, _ refusal: Refusal?) -> HTML {
    let t = request.language
    let mayAnswer =
      request.principal.map { $0.may(.feedbackAnswer) && $0.organisation == view.resource.provider } ?? false
    let list =
      view.threads.isEmpty
      ? emptyState(
        t(
          "还没有咨询。对数据内容、口径、更新有疑问时，在这里问提供部门，答复对所有部门可见。",
          "No questions yet. Ask the provider here; every department reads the answer."))
      : view.threads.map { thread($0, request, view, mayAnswer: mayAnswer, entered, refusal) }.joined()
    let new: HTML =
      maySpeak(request, view.resource)
      ? question(request, view, follows: nil, entered, refusal) : .nothing
    return panel(
      t("咨询", "Questions"), id: "questions",
      """
      \(list)\(view.moreThreads.map { pager(t, previous: nil, next: address(FeedbackLink.entry(view.resource.id), [("before", $0.text)])) })\(new)
      """)
  }

  private static func thread(
    _ thread: [Question], _ request: Request, _ view: EntryView, mayAnswer: Bool, _ entered: Fields, _ refusal: Refusal?
  ) -> HTML {
    let t = request.language
    let lines = thread.map { one in
      """
      <div class="question" id="question-\(one.id)"><p><strong>\(t("问", "Q"))</strong> \(one.words)<br>\
      <span class="muted">\(one.askerName) · \(time(one.createdAt))</span></p>\
      \(one.answer.map { "<p><strong>\(t("答", "A"))</strong> \($0.words)<br><span class=\"muted\">\(one.providerName) · \(time($0.at))</span></p>" as HTML } ?? """
        <p class="muted">\(t("待答复，期限", "Not answered yet; due")) \(due(t, one.due, today: request.now.dateInChina))</p>\
        \(when: mayAnswer, answer(request, one, entered, refusal))
        """)</div>
      """ as HTML
    }
    let root = thread.first?.root
    let follow: HTML =
      maySpeak(request, view.resource)
      ? details(
        t("追问", "Ask more"), open: entered["follows"] == root?.text,
        question(request, view, follows: root, entered, refusal))
      : .nothing
    return "<article class=\"thread\">\(lines.joined())\(follow)</article>"
  }

  private static func question(
    _ request: Request, _ view: EntryView, follows: QuestionID?, _ entered: Fields, _ refusal: Refusal?
  ) -> HTML {
    let t = request.language
    let isSent = entered["question"] != nil && entered["follows"] == follows?.text
    let faults = isSent ? refusal?.faults ?? [] : []
    return form(
      request, action: FeedbackLink.questions(view.resource.id),
      """
      \(formKey(request, isSent ? entered : Fields()))<input type="hidden" name="question" value="1">\
      \(when: follows != nil, "<input type=\"hidden\" name=\"follows\" value=\"\(follows?.text ?? "")\">")\
      \(field(t, Field("words", follows == nil ? Text("向提供部门提问", "Ask the provider") : Text("追问", "Ask more"), .area(maxLength: Feedback.limits.words), hint: Text("对所有能查目录的部门可见，提交后不能修改。", "Every reader of the catalogue sees it; it cannot be changed."), id: isSent ? "words" : "ask-\(follows?.text ?? "new")"), value: isSent ? entered : Fields(), faults: faults))\
      \(buttons(button(t("提问", "Ask"), .plain)))
      """)
  }

  private static func answer(_ request: Request, _ one: Question, _ entered: Fields, _ refusal: Refusal?) -> HTML {
    let t = request.language
    let isSent = entered["answering"] == one.id.text
    return form(
      request, action: FeedbackLink.answer(one.id),
      """
      <input type="hidden" name="answering" value="\(one.id)">\
      \(field(t, Field("answer", Text("答复", "Answer"), .area(maxLength: Feedback.limits.words), hint: Text("对所有部门可见，提交后不能修改。", "Every department sees it; it cannot be changed."), id: isSent ? "answer" : "answer-\(one.id)"), value: isSent ? entered : Fields(), faults: isSent ? refusal?.faults ?? [] : []))\
      \(buttons(button(t("答复", "Answer"))))
      """)
  }
}
