package import Connecting
package import Deadlines
package import Inventory
package import Kernel

/// What is remembered of a source's change marks between two tests.
package struct ChangeWatch: Hashable, Sendable {
  package var mark: ChangeMark?
  /// Since when marks of this kind are compared.
  package var since: Instant?
  /// The last change that is proved; its moment is the source's own, or that of the test that noticed it.
  package var changedAt: Instant?
  /// The last moment at which a change cannot be ruled out.
  package var mayHaveChangedAt: Instant?

  package init(
    mark: ChangeMark? = nil, since: Instant? = nil, changedAt: Instant? = nil, mayHaveChangedAt: Instant? = nil
  ) {
    self.mark = mark
    self.since = since
    self.changedAt = changedAt
    self.mayHaveChangedAt = mayHaveChangedAt
  }

  /// Compares with the mark before. A first mark, one of another kind and a counter that was reset begin anew: until
  /// then anything may have happened, what was proved stays proved.
  package mutating func look(_ found: ChangeMark?, at now: Instant) {
    guard let found else {
      self = ChangeWatch(changedAt: changedAt, mayHaveChangedAt: now)
      return
    }
    let before = mark
    mark = found
    if let before, before.kind == found.kind, !(before.own.map { found.wasReset(since: $0) } ?? false) {
      if let own = found.own, own != before.own {
        changedAt = found.at ?? now
        mayHaveChangedAt = changedAt
      } else if found.around != before.around {
        mayHaveChangedAt = now
      }
      return
    }
    since = now
    if let at = found.at {
      // The source says when it changed: nothing has to be waited for.
      changedAt = at
      mayHaveChangedAt = at
    } else {
      mayHaveChangedAt = now
    }
  }
}

/// 更新及时性: the declared cycle against what the source shows.
package struct Timeliness: Hashable, Sendable {
  package enum State: String, Sendable, CaseIterable {
    /// Changed within its cycle.
    case timely
    /// Should have changed by now and did not.
    case late
    /// Cannot be told from what the source shows, or not yet.
    case unknown
    /// The cycle gives no date: irregular, other, or none.
    case unjudged
  }

  package var state: State
  package var until: CalendarDate?
  package var isProvisional = false
  /// Why, a line each.
  package var reasons: [Text]
}

extension Timeliness.State {
  package var title: Text {
    switch self {
    case .timely: Text("更新及时", "Up to date")
    case .late: Text("逾期未更新", "Update overdue")
    case .unknown: Text("无法判断", "Cannot be told")
    case .unjudged: Text("不判断", "Not judged")
    }
  }
}

extension Timeliness {
  /// A cycle of at most so many days is counted in working days: nothing is expected on a holiday.
  static let shortest = 2

  /// Pure: the same marks, cycle, calendar and day give the same answer.
  package static func judge(
    cycle: CodeList.Entry?, watch: ChangeWatch, on today: CalendarDate, calendar: WorkCalendar
  ) -> Timeliness {
    guard let cycle, let days = Int(cycle.value) else {
      let name = cycle?.name ?? Text("未填写", "not entered")
      return Timeliness(
        state: .unjudged,
        reasons: [Text("更新周期“\(name.chinese)”没有期限，不判断。", "The cycle “\(name.english)” sets no date; not judged.")])
    }
    var reasons = [
      Text(
        "更新周期“\(cycle.name.chinese)”：两次更新最多间隔 \(days) 个\(days <= shortest ? "工作日" : "日历日")（配置规则）。",
        "Cycle “\(cycle.name.english)”: at most \(days) \(days <= shortest ? "working" : "calendar") days between two updates (configured rule)."
      )
    ]
    guard let mark = watch.mark else {
      reasons.append(Text("来源没有可用的变化标记。", "The source shows no mark of changes."))
      return Timeliness(state: .unknown, reasons: reasons)
    }
    if let changed = watch.changedAt {
      let due = due(after: changed.dateInChina, days: days, calendar)
      reasons.append(Text("最近变化 \(changed.minuteInChina)。", "Last change \(changed.minuteInChina)."))
      reasons += due.reasons
      if today <= due.date {
        return Timeliness(state: .timely, until: due.date, isProvisional: due.isProvisional, reasons: reasons)
      }
      if watch.mayHaveChangedAt ?? changed <= changed {
        return Timeliness(state: .late, until: due.date, isProvisional: due.isProvisional, reasons: reasons)
      }
    }
    guard let possible = watch.mayHaveChangedAt else { return Timeliness(state: .unknown, reasons: reasons) }
    let due = due(after: possible.dateInChina, days: days, calendar)
    if today <= due.date {
      let isNew = possible == watch.since && mark.around == nil
      reasons.append(
        isNew
          ? Text(
            "自 \(possible.minuteInChina) 起观察变化标记，还不足一个周期。",
            "Its marks are watched since \(possible.minuteInChina), for less than a cycle.")
          : Text(
            "\(possible.minuteInChina) 时不能排除有变化，但不能证明是这张表。",
            "At \(possible.minuteInChina) a change cannot be ruled out, nor proved to be this table's."))
      reasons.append(ChangeMark.limits(of: mark.kind))
      return Timeliness(state: .unknown, reasons: reasons)
    }
    reasons.append(
      Text("自 \(possible.minuteInChina) 起没有任何变化。", "Nothing has changed since \(possible.minuteInChina)."))
    reasons += due.reasons
    return Timeliness(state: .late, until: due.date, isProvisional: due.isProvisional, reasons: reasons)
  }

  /// By when the next change is expected: short cycles by working days, longer ones by calendar days and, where that is no
  /// working day, by the next one (节假日顺延).
  static func due(
    after day: CalendarDate, days: Int, _ calendar: WorkCalendar
  ) -> (date: CalendarDate, isProvisional: Bool, reasons: [Text]) {
    if days <= shortest {
      let due = calendar.due(from: day, workingDays: days)
      return (due.date, due.provisional, due.trace.map(\.text) + [expected(due.date, due.provisional)])
    }
    let plain = day + days
    var date = plain
    while !calendar.isWorkingDay(date) { date = date + 1 }
    let isProvisional = !calendar.knows(year: date.year)
    var reasons: [Text] = []
    if date != plain {
      reasons.append(Text("\(plain) 不是工作日，顺延。", "\(plain) is no working day: the next one counts."))
    }
    return (date, isProvisional, reasons + [expected(date, isProvisional)])
  }

  private static func expected(_ date: CalendarDate, _ isProvisional: Bool) -> Text {
    Text(
      "应于 \(date) 前（含当日）再次更新\(isProvisional ? "（暂定：放假安排尚未公布）" : "")。",
      "The next update is expected by \(date)\(isProvisional ? " (provisional: holidays not announced yet)" : "").")
  }
}
