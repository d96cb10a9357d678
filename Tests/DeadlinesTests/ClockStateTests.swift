import Deadlines
import Kernel
import Testing

private let calendar = WorkCalendar.embedded
private let why = Text("材料不全", "papers incomplete")

private func clock(_ workingDays: Int = 5, mostExtension: Int = 5, _ events: ClockEvent...) throws -> ClockState {
  var state = ClockState(ClockState.Terms(workingDays: workingDays, mostExtension: mostExtension))
  for event in events { state = try state.applying(event, calendar: calendar) }
  return state
}

/// One event of each kind on that day.
private func everyEvent(on date: CalendarDate) -> [String: ClockEvent] {
  [
    "started": .started(on: date), "suspended": .suspended(on: date, reason: why), "resumed": .resumed(on: date),
    "restarted": .restarted(on: date, reason: why), "extended": .extended(on: date, workingDays: 1, reason: why),
    "met": .met(on: date),
  ]
}

@Suite struct `A clock` {
  /// The whole table: what each phase allows, and the phase after.
  @Test(arguments: [
    ("idle", ["started": "running"]),
    ("running", ["suspended": "suspended", "restarted": "running", "extended": "running", "met": "met"]),
    ("suspended", ["resumed": "running", "restarted": "running", "extended": "suspended", "met": "met"]),
    ("met", [:]),
  ])
  func `allows in each phase what the table says and nothing else`(phase: String, allowed: [String: String]) throws {
    let start = day("2026-08-17")
    let states = [
      "idle": try clock(), "running": try clock(5, .started(on: start)),
      "suspended": try clock(5, .started(on: start), .suspended(on: start, reason: why)),
      "met": try clock(5, .started(on: start), .met(on: start)),
    ]
    let state = states[phase]!
    #expect(state.phase.rawValue == phase)
    for (name, event) in everyEvent(on: day("2026-08-18")) {
      let next = try? state.applying(event, calendar: calendar)
      #expect(next?.phase.rawValue == allowed[name], "\(name) while \(phase)")
      if allowed[name] == nil {
        #expect(throws: ClockState.Fault.notNow(state.phase)) { try state.applying(event, calendar: calendar) }
      }
    }
  }

  @Test func `has no due date before its start`() throws {
    #expect(try clock().due(by: calendar) == nil)
    #expect(try clock().standing(on: day("2026-08-17"), by: calendar) == .notStarted)
  }

  @Test func `stands still from suspension to resumption`() throws {
    let state = try clock(
      5, .started(on: day("2026-08-17")), .suspended(on: day("2026-08-19"), reason: why),
      .resumed(on: day("2026-08-31")))
    // The 18th has counted; four days are left from 1 September on.
    #expect(state.due(by: calendar)?.date == day("2026-09-04"))
    #expect(state.pauses == [Pause(from: day("2026-08-19"), through: day("2026-08-31"), reason: why)])
  }

  @Test func `while suspended shows the due date as if it ran on from a day`() throws {
    let state = try clock(5, .started(on: day("2026-08-17")), .suspended(on: day("2026-08-19"), reason: why))
    #expect(state.due(by: calendar)?.date == day("2026-08-25"))
    #expect(state.due(by: calendar, resuming: day("2026-08-31"))?.date == day("2026-09-04"))
    #expect(state.standing(on: day("2027-01-15"), by: calendar) == .suspended(since: day("2026-08-19")))
  }

  @Test func `suspended on its last day still has that day after resumption`() throws {
    let state = try clock(
      1, .started(on: day("2026-08-17")), .suspended(on: day("2026-08-18"), reason: why),
      .resumed(on: day("2026-08-20")))
    #expect(state.due(by: calendar)?.date == day("2026-08-21"))
  }

  @Test func `restarted counts all its days again`() throws {
    let state = try clock(
      5, .started(on: day("2026-08-17")), .suspended(on: day("2026-08-19"), reason: why),
      .restarted(on: day("2026-08-31"), reason: why))
    #expect(state.due(by: calendar)?.date == day("2026-09-07"))
    #expect(state.pauses.isEmpty)
    #expect(state.events.count == 3)
  }

  @Test func `extended ends later, with the reason in its explanation`() throws {
    let state = try clock(
      5, .started(on: day("2026-08-17")), .extended(on: day("2026-08-20"), workingDays: 3, reason: why))
    let due = state.due(by: calendar)
    #expect(due?.date == day("2026-08-27"))
    #expect(due?.explanation.contains { $0.english.contains("papers incomplete") } == true)
  }

  @Test(arguments: [0, -1, 6, 1000])
  func `refuses an extension below one day or beyond the most`(days: Int) throws {
    let state = try clock(5, .started(on: day("2026-08-17")))
    #expect(throws: ClockState.Fault.extensionTooLong(most: 5)) {
      try state.applying(.extended(on: day("2026-08-18"), workingDays: days, reason: why), calendar: calendar)
    }
  }

  @Test func `counts extensions together against the most`() throws {
    let state = try clock(
      5, .started(on: day("2026-08-17")), .extended(on: day("2026-08-18"), workingDays: 3, reason: why))
    #expect(throws: ClockState.Fault.extensionTooLong(most: 5)) {
      try state.applying(.extended(on: day("2026-08-18"), workingDays: 3, reason: why), calendar: calendar)
    }
    _ = try state.applying(.extended(on: day("2026-08-18"), workingDays: 2, reason: why), calendar: calendar)
  }

  @Test(arguments: ["suspended", "restarted", "extended"])
  func `that is over can be neither paused nor lengthened`(name: String) throws {
    let state = try clock(5, .started(on: day("2026-08-17")))
    #expect(throws: ClockState.Fault.alreadyLate(day("2026-08-24"))) {
      try state.applying(everyEvent(on: day("2026-08-25"))[name]!, calendar: calendar)
    }
    _ = try state.applying(everyEvent(on: day("2026-08-24"))[name]!, calendar: calendar)
  }

  @Test func `refuses an event before the last one`() throws {
    let state = try clock(5, .started(on: day("2026-08-17")))
    #expect(throws: ClockState.Fault.beforeLastEvent(day("2026-08-17"))) {
      try state.applying(.met(on: day("2026-08-16")), calendar: calendar)
    }
  }

  @Test(arguments: [
    ("2026-08-17", Standing.inTime(workingDaysLeft: 5), Standing.Light.green),
    ("2026-08-20", .inTime(workingDaysLeft: 2), .green),
    ("2026-08-21", .soon(workingDaysLeft: 1), .soon),
    ("2026-08-23", .soon(workingDaysLeft: 1), .soon),
    ("2026-08-24", .soon(workingDaysLeft: 0), .soon),
    ("2026-08-25", .late(since: day("2026-08-24"), workingDays: 1), .late),
    ("2026-08-31", .late(since: day("2026-08-24"), workingDays: 5), .late),
  ])
  func `is green, then due soon, then late`(date: String, expected: Standing, light: Standing.Light) throws {
    let standing = try clock(5, .started(on: day("2026-08-17"))).standing(on: day(date), by: calendar)
    #expect(standing == expected)
    #expect(standing.light == light)
    #expect(!standing.text.chinese.isEmpty && !standing.text.english.isEmpty)
  }

  @Test func `warns by days left or by share elapsed, as configured`() throws {
    let state = try clock(20, .started(on: day("2026-08-03")))
    let due = state.due(by: calendar)!.date
    #expect(due == day("2026-08-31"))
    // 18 of 20 days gone is 90 %.
    #expect(state.standing(on: day("2026-08-27"), by: calendar).light == .soon)
    #expect(state.standing(on: day("2026-08-26"), by: calendar).light == .green)
    let early = ClockState.Warning(workingDaysLeft: 10, percentElapsed: 100)
    #expect(state.standing(on: day("2026-08-17"), by: calendar, warn: early).light == .soon)
    #expect(state.standing(on: day("2026-08-14"), by: calendar, warn: early).light == .green)
  }

  @Test func `tells whether it was met in time`() throws {
    let start = ClockEvent.started(on: day("2026-08-17"))
    #expect(
      try clock(5, start, .met(on: day("2026-08-24"))).standing(on: day("2026-12-01"), by: calendar)
        == .met(on: day("2026-08-24")))
    #expect(
      try clock(5, start, .met(on: day("2026-08-26"))).standing(on: day("2026-12-01"), by: calendar)
        == .metLate(on: day("2026-08-26"), workingDays: 2))
  }

  @Test func `comes back from its text with everything that happened`() throws {
    let rule = RuleSet.embedded[1].terms("share.conditional.reply")!
    var state = ClockState(rule)
    #expect(ClockState(encoded: state.encoded) == state)
    for event: ClockEvent in [
      .started(on: day("2026-08-17")), .suspended(on: day("2026-08-19"), reason: why), .resumed(on: day("2026-08-20")),
      .extended(on: day("2026-08-21"), workingDays: 2, reason: why), .restarted(on: day("2026-08-24"), reason: why),
      .met(on: day("2026-08-25")),
    ] {
      state = try state.applying(event, calendar: calendar)
      #expect(ClockState(encoded: state.encoded) == state)
    }
    #expect(ClockState(encoded: state.encoded.replacing("\"resumed\"", with: "\"started\"")) == nil)
  }
}

@Suite struct `Rules` {
  @Test(arguments: RuleSet.embedded)
  func `each set has what the journey needs, in working days`(set: RuleSet) throws {
    for (key, value) in [
      ("share.ownApproval", 3), ("share.conditional.platformReview", 2), ("share.conditional.reply", 10),
      ("share.unconditional.reply", 1), ("share.provideAfterAgree", 20), ("catalogue.review", 5),
    ] {
      let terms = try #require(set.terms(key))
      #expect(terms.workingDays == value)
      #expect(terms.rule?.version == set.version)
    }
    #expect(set.terms("share.conditional.reply")?.mostExtension == 10)
    #expect(set.terms("catalogue.review")?.mostExtension == 0)
    #expect(set.terms("supervise.soon.percent") == nil)
    #expect(set.terms("no.such.rule") == nil)
  }

  @Test func `the set of a day is the one in force then`() {
    #expect(RuleSet.inForce(on: day("2016-01-01")).version == "2017.1")
    #expect(RuleSet.inForce(on: day("2025-07-31")).version == "2017.1")
    #expect(RuleSet.inForce(on: day("2025-08-01")).version == "2025.1")
    #expect(RuleSet.inForce(on: day("2025-07-31"))["catalogue.update"]?.value == 15)
    #expect(RuleSet.inForce(on: day("2025-08-01"))["catalogue.update"]?.value == 10)
  }

  @Test(arguments: RuleSet.embedded)
  func `what nobody confirmed is cited as configured, never as law`(set: RuleSet) {
    for rule in set.rules where !rule.confirmed {
      #expect(rule.reference.citation.chinese.contains("配置规则"))
      #expect(!rule.reference.citation.chinese.contains("条例") && !rule.reference.citation.chinese.contains("办法"))
      #expect(rule.reference.citation.english.contains("configured rule"))
    }
    #expect(!set.rules.isEmpty)
  }

  @Test func `what was confirmed is cited by its source`() throws {
    let set = try RuleSet(
      csv: """
        # version: 9
        # in force from: 2026-01-01
        key,value,unit,name_zh,name_en,source_zh,source_en,confirmed
        log.retention,180,d,日志留存,Log retention,《网络安全法》第二十一条,Cybersecurity Law art. 21,yes

        """)
    #expect(set["log.retention"]?.reference.citation.chinese == "日志留存：《网络安全法》第二十一条")
    #expect(set["log.retention"]?.amount.chinese == "180 日")
  }

  @Test(arguments: [
    ("", RuleSet.Fault.head),
    ("# version: 1\nkey,value\n", .head),
    ("# version: 1\n# in force from: 2026-02-30\n", .head),
    ("a,1,wd,x,x,x,x,no", .key(line: 4)), ("a b.c,1,wd,x,x,x,x,no", .key(line: 4)),
    ("a.b,-1,wd,x,x,x,x,no", .value(line: 4)), ("a.b,1001,wd,x,x,x,x,no", .value(line: 4)),
    ("a.b,1.5,wd,x,x,x,x,no", .value(line: 4)), ("a.b,1,weeks,x,x,x,x,no", .unit(line: 4)),
    ("a.b,1,wd,x,x,x,x,maybe", .confirmed(line: 4)), ("a.b,1,wd,x,x,x,x,no\na.b,1,wd,x,x,x,x,no", .repeated(line: 5)),
    ("a.b,1,wd", .csv(CSV.Fault(line: 4, problem: .columns(expected: 8, found: 3)))),
  ])
  func `a broken set is refused at its line`(line: String, expected: RuleSet.Fault) {
    let head =
      "# version: 1\n# in force from: 2026-01-01\nkey,value,unit,name_zh,name_en,source_zh,source_en,confirmed\n"
    let text = expected == .head ? line : head + line
    #expect(throws: expected) { try RuleSet(csv: text) }
    #expect(!expected.message.chinese.isEmpty)
  }
}
