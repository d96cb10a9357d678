package import Kernel

/// What happens to one running deadline, on a day.
package enum ClockEvent: Hashable, Sendable {
  case started(on: CalendarDate)
  /// The other side has to do something first, such as complete its papers (补正).
  case suspended(on: CalendarDate, reason: Text)
  case resumed(on: CalendarDate)
  /// Counted anew with all its days, as when incomplete papers were handed in again.
  case restarted(on: CalendarDate, reason: Text)
  case extended(on: CalendarDate, workingDays: Int, reason: Text)
  case met(on: CalendarDate)

  package var day: CalendarDate {
    switch self {
    case .started(let day), .suspended(let day, _), .resumed(let day), .restarted(let day, _), .extended(let day, _, _),
      .met(let day):
      day
    }
  }
}

/// One deadline from its rule to its end: a pure state machine over `ClockEvent`. What happened is kept, so that the due
/// date can be computed anew with a later calendar.
package struct ClockState: Hashable, Sendable {
  package enum Phase: String, Hashable, Sendable { case idle, running, suspended, met }

  /// What the clock runs on. A running case keeps the terms it started with, whatever the rules become.
  package struct Terms: Hashable, Sendable {
    package var workingDays: Int
    /// All extensions together may not exceed it.
    package var mostExtension: Int
    package var rule: RuleReference?

    package init(workingDays: Int, mostExtension: Int = 0, rule: RuleReference? = nil) {
      precondition((0...Rule.longest).contains(workingDays) && (0...Rule.longest).contains(mostExtension))
      self.workingDays = workingDays
      self.mostExtension = mostExtension
      self.rule = rule
    }
  }

  package let terms: Terms
  package private(set) var phase = Phase.idle
  package private(set) var events: [ClockEvent] = []
  /// The day the count runs from: of the start, or of the last restart.
  package private(set) var countsFrom: CalendarDate?
  package private(set) var pauses: [Pause] = []
  package private(set) var extensions: [Extension] = []
  package private(set) var suspendedOn: CalendarDate?
  package private(set) var suspension: Text?
  package private(set) var metOn: CalendarDate?

  package init(_ terms: Terms) { self.terms = terms }

  package enum Fault: Error, Hashable, Sendable {
    /// The event does not exist in this phase.
    case notNow(Phase)
    /// Events come in the order of their days.
    case beforeLastEvent(CalendarDate)
    /// What is late cannot be paused, restarted or extended any more.
    case alreadyLate(CalendarDate)
    /// Extensions are of one working day or more, and together at most this many.
    case extensionTooLong(most: Int)

    package var message: Text {
      switch self {
      case .notNow(.idle): Text("期限尚未开始计算。", "The period has not begun.")
      case .notNow(.running): Text("期限正在计算，不能这样处理。", "The period is running; this cannot be done now.")
      case .notNow(.suspended): Text("期限已暂停，不能这样处理。", "The period is suspended; this cannot be done now.")
      case .notNow(.met): Text("事项已办结，期限不再变化。", "The matter is closed; its period changes no more.")
      case .beforeLastEvent(let day):
        Text("日期不能早于上一次变动（\(day)）。", "The day may not lie before the last change (\(day)).")
      case .alreadyLate(let day):
        Text("期限已于 \(day) 届满，不能再暂停、延长或重新计算。", "The period ended on \(day): no pause, extension or restart.")
      case .extensionTooLong(let most):
        Text("延长应为 1 个工作日以上，合计不超过 \(most) 个工作日。", "Extend by one working day or more, \(most) in all.")
      }
    }

    package var refusal: Refusal { Refusal(.conflict, "deadline.\(code)", message) }

    private var code: String {
      switch self {
      case .notNow: "not-now"
      case .beforeLastEvent: "order"
      case .alreadyLate: "late"
      case .extensionTooLong: "extension"
      }
    }
  }

  /// The state after an event that happens now, refused when the period is already over by that calendar.
  package func applying(_ event: ClockEvent, calendar: WorkCalendar) throws(Fault) -> ClockState {
    let next = try applying(event)
    switch event {
    case .suspended, .restarted, .extended:
      if phase == .running, let due = due(by: calendar), event.day > due.date { throw .alreadyLate(due.date) }
    case .started, .resumed, .met: break
    }
    return next
  }

  /// (state, event) → state, for events on record: those were judged when they happened, by the calendar of then.
  package func applying(_ event: ClockEvent) throws(Fault) -> ClockState {
    if let last = events.last, event.day < last.day { throw .beforeLastEvent(last.day) }
    var next = self
    next.events.append(event)
    switch (phase, event) {
    case (.idle, .started(let day)):
      next.phase = .running
      next.countsFrom = day
    case (.running, .suspended(let day, let reason)):
      next.phase = .suspended
      next.suspendedOn = day
      next.suspension = reason
    case (.suspended, .resumed(let day)):
      next.phase = .running
      next.close(pauseOn: day)
    case (.running, .restarted(let day, _)), (.suspended, .restarted(let day, _)):
      next.phase = .running
      next.countsFrom = day
      next.pauses = []
      next.extensions = []
      (next.suspendedOn, next.suspension) = (nil, nil)
    case (.running, .extended(let day, let workingDays, let reason)),
      (.suspended, .extended(let day, let workingDays, let reason)):
      let most = terms.mostExtension
      let before = extensions.reduce(0) { $0 + $1.workingDays }
      guard workingDays >= 1, workingDays <= most - before else { throw .extensionTooLong(most: most) }
      next.extensions.append(Extension(on: day, workingDays: workingDays, reason: reason))
    case (.running, .met(let day)):
      next.phase = .met
      next.metOn = day
    case (.suspended, .met(let day)):
      next.close(pauseOn: day)
      next.phase = .met
      next.metOn = day
    default: throw .notNow(phase)
    }
    return next
  }

  private mutating func close(pauseOn day: CalendarDate) {
    if let suspendedOn, let suspension { pauses.append(Pause(from: suspendedOn, through: day, reason: suspension)) }
    (suspendedOn, suspension) = (nil, nil)
  }

  // MARK: - Due dates

  /// The due date; nil before the start. While suspended: as it would be if the clock ran on from `resuming`, which
  /// defaults to the day of suspension.
  package func due(by calendar: WorkCalendar, resuming day: CalendarDate? = nil) -> DueDate? {
    guard let countsFrom else { return nil }
    var pauses = pauses
    if let suspendedOn, let suspension {
      pauses.append(Pause(from: suspendedOn, through: max(suspendedOn, day ?? suspendedOn), reason: suspension))
    }
    return calendar.due(
      from: countsFrom, workingDays: terms.workingDays, rule: terms.rule, pauses: pauses, extensions: extensions)
  }

  /// How it stands at the end of that day.
  package func standing(on day: CalendarDate, by calendar: WorkCalendar, warn: Warning = Warning()) -> Standing {
    guard let due = due(by: calendar, resuming: day) else { return .notStarted }
    if let metOn {
      return metOn <= due.date
        ? .met(on: metOn)
        : .metLate(on: metOn, workingDays: calendar.workingDays(after: due.date, through: metOn))
    }
    if let suspendedOn { return .suspended(since: suspendedOn) }
    if day > due.date {
      return .late(since: due.date, workingDays: calendar.workingDays(after: due.date, through: day))
    }
    let left = calendar.workingDays(after: day, through: due.date)
    let total = due.workingDays + due.extensions.reduce(0) { $0 + $1.workingDays }
    let soon = left <= warn.workingDaysLeft || (total - left) * 100 >= total * warn.percentElapsed
    return soon ? .soon(workingDaysLeft: left) : .inTime(workingDaysLeft: left)
  }

  /// When a deadline begins to show as due soon: whichever comes first.
  package struct Warning: Hashable, Sendable {
    package var workingDaysLeft: Int
    package var percentElapsed: Int

    package init(workingDaysLeft: Int = 1, percentElapsed: Int = 90) {
      self.workingDaysLeft = workingDaysLeft
      self.percentElapsed = percentElapsed
    }

    /// `supervise.soon.workingDays` and `supervise.soon.percent`, with the defaults where a rule is missing.
    package init(_ rules: RuleSet) {
      self.init(
        workingDaysLeft: rules["supervise.soon.workingDays"]?.value ?? 1,
        percentElapsed: rules["supervise.soon.percent"]?.value ?? 90)
    }
  }
}

/// How one deadline stands on a day.
package enum Standing: Hashable, Sendable {
  case notStarted
  case inTime(workingDaysLeft: Int)
  case soon(workingDaysLeft: Int)
  /// Late since the end of that day, by so many working days.
  case late(since: CalendarDate, workingDays: Int)
  case suspended(since: CalendarDate)
  case met(on: CalendarDate)
  case metLate(on: CalendarDate, workingDays: Int)

  /// One of three colours, always shown with `text`.
  package enum Light: String, Hashable, Sendable { case green, soon, late }

  package var light: Light {
    switch self {
    case .notStarted, .inTime, .suspended, .met: .green
    case .soon: .soon
    case .late, .metLate: .late
    }
  }

  package var text: Text {
    switch self {
    case .notStarted: Text("未开始计时", "Not started")
    case .inTime(let left): Text("还剩 \(left) 个工作日", left == 1 ? "1 working day left" : "\(left) working days left")
    case .soon(0): Text("今日到期", "Due today")
    case .soon(let left):
      Text("即将到期，还剩 \(left) 个工作日", left == 1 ? "Due soon, 1 working day left" : "Due soon, \(left) working days left")
    case .late(_, let days): Text("已逾期 \(days) 个工作日", days == 1 ? "1 working day late" : "\(days) working days late")
    case .suspended(let since): Text("自 \(since) 起暂停计时", "Paused since \(since)")
    case .met(let day): Text("\(day) 按期办结", "Done in time on \(day)")
    case .metLate(let day, let days): Text("\(day) 办结，逾期 \(days) 个工作日", "Done on \(day), \(days) working days late")
    }
  }
}
