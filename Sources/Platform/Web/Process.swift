package import Kernel

// Where something stands: until when, who acts next, what has happened.

/// `韩数据（代王处长）`: who acted, and in whose name when it was not the own.
package func actor(_ t: Language, _ name: String, inNameOf other: String?) -> String {
  other.map { t("\(name)（代\($0)）", "\(name) (for \($0))") } ?? name
}

/// A due date with what explains it.
package struct Due: Sendable, Hashable {
  package var date: CalendarDate
  /// Counted with a year whose holidays are not announced yet.
  package var isProvisional: Bool
  /// One line each: the rule, the start, the days that did not count, the calendar.
  package var explanation: [Text]

  package init(_ date: CalendarDate, isProvisional: Bool = false, explanation: [Text] = []) {
    self.date = date
    self.isProvisional = isProvisional
    self.explanation = explanation
  }
}

/// The date, whether it is near or past as words and colour, and on request the days that were counted.
/// `soon` is how many calendar days before the date the warning starts.
package func dueBadge(_ language: Language, _ due: Due, today: CalendarDate, soon: Int = 3) -> HTML {
  let left = due.date - today
  let (words, tone): (String, Tone) =
    switch left {
    case ..<0: (language("已逾期 \(-left) 天", "\(plural(-left, "day")) late"), .late)
    case 0: (language("今天到期", "due today"), .soon)
    case 1: (language("明天到期", "due tomorrow"), .soon)
    case ...soon: (language("还剩 \(left) 天", "\(left) days left"), .soon)
    default: (language("还剩 \(left) 天", "\(left) days left"), .neutral)
    }
  let shown: HTML = """
    <span class="due"><time datetime="\(due.date)">\(due.date)</time> \(badge(words, tone))\
    \(when: due.isProvisional, " \(badge(language("暂定", "provisional")))")</span>
    """
  if due.explanation.isEmpty { return shown }
  return """
    \(shown)<details class="why"><summary>\(language("怎么算的", "How it was counted"))</summary>\
    <ul>\(due.explanation, { "<li>\(language($0))</li>" })</ul></details>
    """
}

/// One station of a process.
package struct Step: Sendable {
  package enum State: String, Sendable {
    case done, current, waiting
    /// Ended here: refused, withdrawn, revoked.
    case stopped
  }

  package var label: String
  package var state: State
  /// Since when it is in this state.
  package var at: Instant?
  /// Who did it, or who acts next.
  package var who: String?
  package var due: Due?
  package var note: HTML

  package init(
    _ label: String, _ state: State, at: Instant? = nil, who: String? = nil, due: Due? = nil, note: HTML = .nothing
  ) {
    self.label = label
    self.state = state
    self.at = at
    self.who = who
    self.due = due
    self.note = note
  }
}

/// A process from its start to its end, with where it stands, until when, and who acts next.
package func steps(_ language: Language, label: String, _ steps: [Step], today: CalendarDate) -> HTML {
  """
  <ol class="steps" aria-label="\(label)">\(steps, { step in
    """
    <li class="\(step.state.rawValue)"\(when: step.state == .current, " aria-current=\"step\"")><strong>\(step.label)</strong>\
    <span class="state">\(stateWords(language, step.state))</span>\
    \(step.who.map { who in
      "<span class=\"who\">\(when: step.state == .current, "\(language("待办：", "Next: "))")\(who)</span>" as HTML
    })\
    \(step.at.map { "<span class=\"since\">\(when: step.state == .current, "\(language("自 ", "since "))")\(time($0))</span>" as HTML })\
    \(step.due.map { dueBadge(language, $0, today: today) })\(step.note)</li>
    """
  })</ol>
  """
}

private func stateWords(_ language: Language, _ state: Step.State) -> String {
  switch state {
  case .done: language("已完成", "done")
  case .current: language("进行中", "now")
  case .waiting: language("未开始", "to come")
  case .stopped: language("已终止", "ended here")
  }
}

/// One thing that happened.
package struct TimelineEvent: Sendable {
  package var what: String
  package var at: Instant
  package var who: String
  package var tone: Tone
  package var detail: HTML

  package init(_ what: String, at: Instant, by who: String, tone: Tone = .neutral, detail: HTML = .nothing) {
    self.what = what
    self.at = at
    self.who = who
    self.tone = tone
    self.detail = detail
  }
}

/// What happened, when, by whom; newest first, as given.
package func timeline(_ language: Language, _ events: [TimelineEvent], empty: Text = Text("还没有记录。", "Nothing yet."))
  -> HTML
{
  if events.isEmpty { return "<p class=\"nothing\">\(language(empty))</p>" }
  return """
    <ol class="timeline">\(events, { event in
      """
      <li class="\(event.tone.rawValue)"><strong>\(event.what)</strong> <span class="who">\(event.who)</span> \
      \(time(event.at))\(when: !event.detail.isEmpty, "<div>\(event.detail)</div>")</li>
      """
    })</ol>
    """
}
