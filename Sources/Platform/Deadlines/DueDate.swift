package import Kernel

/// The last day of a period, and why it is that day: which rule, which calendar, which days did not count.
package struct DueDate: Hashable, Sendable {
  /// Until the end of this day the thing is in time.
  package let date: CalendarDate
  /// What the rule gives, without extensions.
  package let workingDays: Int
  /// The day of the start, which does not count itself.
  package let from: CalendarDate
  /// Computed, in part, with a year whose arrangement was not known: it may still move.
  package let provisional: Bool
  package let rule: RuleReference?
  package let pauses: [Pause]
  package let extensions: [Extension]
  package let calendarVersion: String
  package let trace: [Trace]

  /// A run of days that were not plain weekdays, for one reason.
  package struct Trace: Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
      case weekend
      case holiday(String)
      /// These days did count, although they look like weekend.
      case makeUp(String)
      case paused(Text)
    }

    package var from: CalendarDate
    package var through: CalendarDate
    package var reason: Reason

    package init(from: CalendarDate, through: CalendarDate, reason: Reason) {
      self.from = from
      self.through = through
      self.reason = reason
    }

    package var counted: Bool {
      if case .makeUp = reason { true } else { false }
    }
    package var days: Int { through - from + 1 }

    /// `2026-10-01 至 2026-10-07：国庆节，不计入`.
    package var text: Text {
      let span = from == through ? Text(same: "\(from)") : Text("\(from) 至 \(through)", "\(from) to \(through)")
      switch reason {
      case .weekend: return Text("\(span.chinese)：周末，不计入", "\(span.english): weekend, not counted")
      case .holiday(let name):
        return Text("\(span.chinese)：\(name)，不计入", "\(span.english): \(holidayName(name)), not counted")
      case .makeUp(let name):
        return Text(
          "\(span.chinese)：\(name)调休上班，计入", "\(span.english): worked in exchange for \(holidayName(name)), counted")
      case .paused(let reason):
        return Text(
          "\(span.chinese)：暂停计时（\(reason.chinese)），不计入", "\(span.english): paused (\(reason.english)), not counted")
      }
    }
  }

  /// The whole explanation, a line each: the rule, the start, the days, the calendar.
  package var explanation: [Text] {
    var lines: [Text] = []
    if let rule { lines.append(rule.citation) }
    let extra = extensions.reduce(0) { $0 + $1.workingDays }
    lines.append(
      Text(
        "自 \(from) 的次日起 \(workingDays + extra) 个工作日，至 \(date)（含当日）",
        "\(workingDays + extra) working days counted from the day after \(from), to the end of \(date)"))
    for more in extensions {
      lines.append(
        Text(
          "\(more.on) 延长 \(more.workingDays) 个工作日：\(more.reason.chinese)",
          "Extended on \(more.on) by \(more.workingDays) working days: \(more.reason.english)"))
    }
    lines += trace.map(\.text)
    lines.append(Text("工作日历版本 \(calendarVersion)", "Working-day calendar \(calendarVersion)"))
    if provisional {
      lines.append(
        Text(
          "暂定：其中有年份的放假安排尚未公布，公布后重新计算。",
          "Provisional: the holidays of a year in it are not yet announced; it will be computed anew."))
    }
    return lines
  }

  /// The same period counted with another calendar: what to do when a new year has been loaded.
  package func recomputed(with calendar: WorkCalendar) -> DueDate {
    calendar.version == calendarVersion
      ? self : calendar.due(from: from, workingDays: workingDays, rule: rule, pauses: pauses, extensions: extensions)
  }
}

extension [DueDate.Trace] {
  /// Adds a day to the last run when it continues it. A weekend between two stretches of one holiday is listed as the
  /// arrangement lists it.
  mutating func note(_ reason: DueDate.Trace.Reason, on date: CalendarDate) {
    if let last = indices.last, self[last].reason == reason, self[last].through + 1 == date {
      self[last].through = date
    } else {
      append(DueDate.Trace(from: date, through: date, reason: reason))
    }
  }
}

/// The English of the occasions in the State Council's arrangements; an unknown one stays as it is.
func holidayName(_ chinese: String) -> String {
  switch chinese {
  case "元旦": "New Year's Day"
  case "春节": "Spring Festival"
  case "清明节": "Qingming"
  case "劳动节": "Labour Day"
  case "端午节": "Dragon Boat Festival"
  case "中秋节": "Mid-Autumn Festival"
  case "国庆节": "National Day"
  case "抗战胜利70周年纪念日": "the 70th Victory Day"
  default: chinese
  }
}
