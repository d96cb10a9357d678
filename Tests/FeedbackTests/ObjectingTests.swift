import Deadlines
import Identity
import Inbox
import Kernel
import Storage
import TestKit
import Testing

@testable import Feedback

@Suite struct ObjectingTests {
  @Test(arguments: Engine.allCases)
  func `from objection to confirmed correction, both sides hear of each step and the log has it`(engine: Engine)
    async throws
  {
    try await Desk.with(engine) { desk in
      var objection = try await desk.raised()
      #expect(objection.number == "青目异〔2026〕000001" && objection.state == .raised)
      #expect(try await desk.tasks(of: Desk.officer).map(\.kind) == ["objection.raised"])
      objection = try await desk.act(objection, .accept, by: Desk.officer)
      #expect(try await desk.tasks(of: Desk.officer).map(\.kind) == ["objection.accepted"])
      #expect(try await desk.notices(of: Desk.clerk) == ["objection.accept"])
      await #expect(throws: Refusal.self) { try await desk.act(objection, .correct, by: Desk.officer, correctedBy: 1) }
      #expect(try await desk.feedback.correction(of: objection) == .none)
      try await desk.publish("企业法人登记信息", version: 2)
      #expect(try await desk.feedback.correction(of: objection) == .version(2))
      objection = try await desk.act(objection, .correct, by: Desk.officer, correctedBy: 2)
      #expect(objection.correctedBy == 2 && objection.state == .corrected)
      #expect(try await desk.tasks(of: Desk.clerk).map(\.kind) == ["objection.corrected"])
      #expect(try await desk.tasks(of: Desk.officer).isEmpty)
      objection = try await desk.act(objection, .confirm, by: Desk.clerk)
      #expect(objection.state == .confirmed && objection.due == nil)
      #expect(try await desk.tasks(of: Desk.clerk).isEmpty)
      #expect(try await desk.notices(of: Desk.officer) == ["objection.confirm"])
      let steps = ["raise", "accept", "correct", "confirm"]
      #expect(try await desk.actions().sorted() == steps.map { "feedback.objection.\($0)" }.sorted())
      let (_, events) = try await desk.feedback.objection(objection.id, for: Desk.clerk)
      #expect(events.map(\.event.rawValue) == steps)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what is not mended is opened again once, then the authority decides`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      var objection = try await desk.raised()
      objection = try await desk.act(objection, .accept, by: Desk.officer)
      try await desk.publish("企业法人登记信息", version: 2)
      objection = try await desk.act(objection, .correct, by: Desk.officer, correctedBy: 2)
      objection = try await desk.act(objection, .reopen, by: Desk.clerk)
      #expect(objection.state == .raised && objection.wasReopened)
      objection = try await desk.act(objection, .refuse, by: Desk.officer)
      #expect(try await desk.tasks(of: Desk.authority).isEmpty)
      objection = try await desk.act(objection, .escalate, by: Desk.clerk)
      #expect(try await desk.tasks(of: Desk.authority).map(\.kind) == ["objection.escalated"])
      objection = try await desk.act(objection, .direct, by: Desk.authority)
      #expect(objection.state == .accepted)
      // The version that did not mend it is no correction the second time.
      await #expect(throws: Refusal.self) { try await desk.act(objection, .correct, by: Desk.officer, correctedBy: 2) }
      try await desk.withdraw()
      objection = try await desk.act(objection, .correct, by: Desk.officer)
      #expect(objection.correctedBy == nil, "an entry that was withdrawn is corrected by that")
      #expect(try await desk.act(objection, .confirm, by: Desk.clerk).state == .confirmed)
    }
  }

  // MARK: - Clocks

  /// Raised on, to be answered by: ten working days by the embedded calendar of 2026.
  static let clocks: [(raised: String, due: String)] = [
    ("2026-08-20", "2026-09-03"), ("2026-08-22", "2026-09-04"), ("2026-02-10", "2026-03-02"),
    ("2026-09-18", "2026-10-09"), ("2026-09-24", "2026-10-15"), ("2026-04-30", "2026-05-18"),
  ]

  @Test(arguments: clocks)
  func `ten working days are counted over holidays and days worked in exchange`(raised: String, due: String)
    async throws
  {
    try await Desk.with(.sqlite) { desk in
      desk.hand.go(to: raised)
      let objection = try await desk.raised()
      #expect("\(objection.due!.date)" == due)
      #expect(objection.due?.rule?.key == "correction.reply" && objection.due?.rule?.confirmed == false)
      #expect(try await desk.tasks(of: Desk.officer).first?.due == objection.due?.date)
    }
  }

  @Test(arguments: Engine.allCases)
  func `the provider's clock stands still while the raiser supplements`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      var objection = try await desk.raised()
      desk.hand.go(to: "2026-08-24")
      objection = try await desk.act(objection, .askSupplement, by: Desk.officer)
      #expect("\(objection.due!.date)" == "2026-09-07", "the raiser's own ten days")
      #expect(try await desk.tasks(of: Desk.clerk).map(\.kind) == ["objection.supplement-pending"])
      desk.hand.go(to: "2026-08-27")
      objection = try await desk.act(objection, .supplement, by: Desk.clerk)
      // Four working days, of the asking to the answer, did not count.
      #expect("\(objection.due!.date)" == "2026-09-09" && objection.pausedClock == nil)
      #expect(objection.due!.trace.contains { if case .paused = $0.reason { true } else { false } })
      let asked = objection
      let refusal = await #expect(throws: Refusal.self) { try await desk.act(asked, .askSupplement, by: Desk.officer) }
      #expect(refusal?.code == "feedback.supplement.once")
    }
  }

  @Test(arguments: Engine.allCases)
  func `time reminds once, reports what is late to the authority once, and takes silence for consent`(engine: Engine)
    async throws
  {
    try await Desk.with(engine) { desk in
      let late = try await desk.raised()
      var silent = try await desk.raised("另一处")
      silent = try await desk.act(silent, .refuse, by: Desk.officer)
      #expect(try await desk.feedback.tend() == .init())
      desk.hand.go(to: "2026-09-02")
      #expect(try await desk.feedback.tend() == .init(reminded: 2))
      #expect(try await desk.feedback.tend() == .init(), "each is told once")
      #expect(try await desk.notices(of: Desk.officer) == ["objection.soon"])
      let early = await #expect(throws: Refusal.self) { try await desk.act(late, .escalate, by: Desk.clerk) }
      #expect(early?.code == "feedback.escalate.early")
      desk.hand.go(to: "2026-09-04")
      #expect(try await desk.feedback.tend() == .init(late: 1, lapsed: 1))
      #expect(try await desk.feedback.tend() == .init())
      #expect(try await desk.feedback.objection(silent.id, for: Desk.clerk).objection.state == .conceded)
      #expect(try await desk.tasks(of: Desk.authority).map(\.kind) == ["objection.late"])
      #expect(try await desk.feedback.lateObjections(for: Desk.authority, limit: 10).map(\.id) == [late.id])
      let taken = try await desk.act(late, .escalate, by: Desk.authority)
      #expect(taken.state == .escalated)
      #expect(try await desk.tasks(of: Desk.authority).map(\.kind) == ["objection.escalated"])
    }
  }

  @Test(arguments: Engine.allCases)
  func `a new calendar counts open objections and questions anew, inbox and all`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      desk.hand.go(to: "2026-12-28")
      let objection = try await desk.raised()
      let question = try await desk.feedback.ask("口径？", about: desk.resource, by: Desk.clerk)
      #expect("\(objection.due!.date)" == "2027-01-11" && objection.due!.provisional)
      #expect("\(question.due!.date)" == "2027-01-04" && question.due!.provisional)
      // Made up: the first week of 2027 is free.
      let calendar = WorkCalendar.embedded.adding(
        (1...8).map { .init(date: CalendarDate("2027-01-0\($0)")!, day: .holiday("元旦")) })
      let changed = try await desk.db.write { tx in
        try Feedback.recount(by: calendar, for: .system(), at: Desk.start, in: tx)
      }
      #expect(changed == 2)
      let moved = try await desk.feedback.objection(objection.id, for: Desk.clerk).objection
      #expect("\(moved.due!.date)" == "2027-01-19" && !moved.due!.provisional && moved.version == objection.version)
      let asked = try await desk.feedback.question(question.id, for: Desk.clerk)
      #expect("\(asked.due!.date)" == "2027-01-12" && !asked.due!.provisional)
      let tasks = try await desk.tasks(of: Desk.officer)
      #expect(tasks.map(\.due) == [asked.due?.date, moved.due?.date] && tasks.allSatisfy { !$0.isProvisional })
      let again = try await desk.db.write { tx in
        try Feedback.recount(by: calendar, for: .system(), at: Desk.start, in: tx)
      }
      #expect(again == 0)
    }
  }

  // MARK: - Who may what

  @Test func `each step is its party's alone`() async throws {
    try await Desk.with(.sqlite) { desk in
      let objection = try await desk.raised()
      let people: [(Principal, ObjectionState.Party?)] = [
        (Desk.clerk, .raiser), (Desk.officer, .provider), (Desk.authority, .authority), (Desk.leader, nil),
        (Desk.stranger, nil), (Desk.person("局长", of: Desk.provider, .leader), nil),
        (Desk.person("审计", of: Desk.centre, .auditAdministrator), nil),
        (Desk.person("经办", of: Desk.provider, .clerk), nil),
      ]
      for (principal, party) in people {
        for event in ObjectionEvent.allCases {
          // A version that never was: whoever may take the step hears of that, everybody else is turned away first.
          let refusal = await #expect(throws: Refusal.self) {
            try await desk.feedback.act(
              on: objection.id, ObjectionStep(event, words: "理由"), version: 99, by: principal)
          }
          let mayAct = party != nil && event.party == party
          #expect(
            (refusal?.kind == .conflict) == mayAct, "\(principal.name) \(event.rawValue): \(refusal?.code ?? "")")
          if !mayAct { #expect(refusal?.kind == .forbidden || refusal?.kind == .notFound) }
        }
      }
    }
  }

  @Test func `raising is for clerks and data officers of another office; reading for its parties and the authority`()
    async throws
  {
    try await Desk.with(.sqlite) { desk in
      let draft = ObjectionDraft(resource: desk.resource, kind: "content", words: "有误")
      for principal in [Desk.leader, Desk.authority, Desk.person("安全", of: Desk.third, .securityAdministrator)] {
        let refusal = await #expect(throws: Refusal.self) { try await desk.feedback.raise(draft, by: principal) }
        #expect(refusal?.kind == .forbidden, "\(principal.name)")
      }
      let own = await #expect(throws: Refusal.self) { try await desk.feedback.raise(draft, by: Desk.officer) }
      #expect(own?.code == "feedback.own")
      let objection = try await desk.feedback.raise(draft, by: Desk.stranger)
      for reader in [Desk.stranger, Desk.officer, Desk.authority] {
        #expect(try await desk.feedback.objection(objection.id, for: reader).objection.words == "有误")
      }
      let refusal = await #expect(throws: Refusal.self) {
        try await desk.feedback.objection(objection.id, for: Desk.clerk)
      }
      #expect(refusal?.kind == .notFound)
      let entry = try await desk.feedback.entry(desk.resource, for: Desk.clerk)
      let view = try await desk.feedback.entryView(of: entry, for: Desk.clerk, threads: 1, ratings: 1)
      #expect(view.objections.map(\.id) == [objection.id], "every reader sees that it is in correction")
      #expect(try await desk.feedback.objections(for: Desk.officer, side: .received, limit: 10).count == 1)
      #expect(try await desk.feedback.objections(for: Desk.officer, side: .raised, limit: 10).isEmpty)
      await #expect(throws: Refusal.self) {
        try await desk.feedback.objections(for: Desk.officer, side: .all, limit: 10)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `of two officers who answer at once one wins, and the other is told who was faster`(engine: Engine) async throws
  {
    try await Desk.with(engine) { desk in
      for number in 0..<5 {
        let objection = try await desk.raised("条件于法无据之\(number)")
        let outcomes = await withTaskGroup(of: Result<Objection, any Error>.self) { group in
          for (event, officer) in [(ObjectionEvent.accept, Desk.officer), (.refuse, Desk.colleague)] {
            group.addTask {
              do { return .success(try await desk.act(objection, event, by: officer)) } catch { return .failure(error) }
            }
          }
          return await group.reduce(into: []) { $0.append($1) }
        }
        let won = outcomes.compactMap { try? $0.get() }
        let lost = outcomes.compactMap { outcome -> Refusal? in
          if case .failure(let error) = outcome { error as? Refusal } else { nil }
        }
        #expect(won.count == 1 && lost.map(\.code) == ["feedback.changed"])
        let winner = won.first?.state == .accepted ? "马数据" : "同事"
        #expect(lost.first?.message.chinese.contains(winner) == true)
        let kept = try await desk.feedback.objection(objection.id, for: Desk.clerk)
        #expect(kept.objection.state == won.first?.state && kept.events.count == 2)
      }
    }
  }

  // MARK: - Bounds

  @Test(arguments: Engine.allCases)
  func `a form sent twice makes one objection, and one that was changed is refused`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      let first = try await desk.raised(key: "form-1")
      let again = try await desk.raised(key: "form-1")
      #expect(first.id == again.id)
      let refusal = await #expect(throws: Refusal.self) { try await desk.raised("别的", key: "form-1") }
      #expect(refusal?.code == "feedback.objection.sent")
      #expect(try await desk.actions().count == 1)
    }
  }

  @Test(arguments: Engine.allCases)
  func `what one person wrote word for word in two windows is one objection while it is open`(engine: Engine)
    async throws
  {
    try await Desk.with(engine) { desk in
      let first = try await desk.raised(key: "form-1")
      #expect(try await desk.raised(key: "form-2").id == first.id)
      #expect(try await desk.raised("别的条件", key: "form-3").id != first.id)
      let other = try await desk.feedback.raise(
        ObjectionDraft(resource: desk.resource, kind: "condition", words: first.words), by: Desk.stranger)
      #expect(other.id != first.id, "another office speaks for itself")
      _ = try await desk.act(first, .withdraw, by: Desk.clerk)
      #expect(try await desk.raised(key: "form-4").id != first.id)
      #expect(try await desk.actions().filter { $0 == "feedback.objection.raise" }.count == 4)
    }
  }

  @Test(arguments: [
    ("", "条件", "", "words"), ("长", "", "", "kind"), ("长", "king", "", "kind"),
    (String(repeating: "长", count: 1001), "content", "", "words"),
    ("长", "content", String(repeating: "长", count: 1001), "evidence"),
    ("e" + String(repeating: "\u{301}", count: 40), "content", "", "words"),
  ])
  func `what is out of bounds is refused by its field`(words: String, kind: String, evidence: String, field: String)
    async throws
  {
    try await Desk.with(.sqlite) { desk in
      let refusal = await #expect(throws: Refusal.self) {
        try await desk.feedback.raise(
          ObjectionDraft(resource: desk.resource, kind: kind, words: words, evidence: evidence), by: Desk.clerk)
      }
      #expect(refusal?.faults.contains { $0.field == field } == true)
    }
  }

  @Test(arguments: Engine.allCases)
  func `one person sends so many in a day and no more`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      for number in 0..<Feedback.limits.objectionsADay { _ = try await desk.raised("之\(number)") }
      let refusal = await #expect(throws: Refusal.self) { try await desk.raised() }
      #expect(refusal?.kind == .tooMany)
      desk.hand.move(.seconds(86_400))
      #expect(try await desk.raised().state == .raised)
    }
  }
}
