import Deadlines
import Inbox
import Kernel
import Storage
import TestKit
import Testing

@testable import Feedback

@Suite struct SpeakingTests {
  @Test(arguments: Engine.allCases)
  func `a question is answered once by the entry's department, for every reader, and followed up below`(engine: Engine)
    async throws
  {
    try await Desk.with(engine) { desk in
      let first = try await desk.feedback.ask("含个体工商户吗？", about: desk.resource, by: Desk.leader)
      #expect(first.due?.rule?.key == "question.reply")
      #expect(try await desk.tasks(of: Desk.officer).map(\.kind) == ["question.answer"])
      let foreign = await #expect(throws: Refusal.self) {
        try await desk.feedback.answer(first.id, "不知", by: Desk.stranger)
      }
      #expect(foreign?.kind == .forbidden)
      _ = try await desk.feedback.answer(first.id, "含。", by: Desk.officer)
      #expect(try await desk.tasks(of: Desk.officer).isEmpty)
      #expect(try await desk.notices(of: Desk.leader) == ["question.answered"])
      let second = await #expect(throws: Refusal.self) {
        try await desk.feedback.answer(first.id, "不含。", by: Desk.colleague)
      }
      #expect(second?.code == "feedback.question.answered" && second?.message.chinese.contains("马数据") == true)
      desk.hand.move(.seconds(60))
      let other = try await desk.feedback.ask("别的问题", about: desk.resource, by: Desk.stranger)
      desk.hand.move(.seconds(60))
      let follow = try await desk.feedback.ask("那农民合作社呢？", about: desk.resource, follows: first.id, by: Desk.clerk)
      let threads = try await desk.feedback.questions(about: desk.resource, limit: 10, for: Desk.stranger)
      #expect(threads.map { $0.map(\.id) } == [[other.id], [first.id, follow.id]])
      let rest = try await desk.feedback.questions(
        about: desk.resource, before: other.id, limit: 10, for: Desk.stranger)
      #expect(rest.map { $0.map(\.id) } == [[first.id, follow.id]])
      await #expect(throws: Refusal.self) {
        try await desk.feedback.ask("接在追问后", about: desk.resource, follows: follow.id, by: Desk.clerk)
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `a question is reminded of once, reported once when it is late, and its answer ends both`(engine: Engine)
    async throws
  {
    try await Desk.with(engine) { desk in
      desk.hand.go(to: "2026-12-28")
      let question = try await desk.feedback.ask("含个体工商户吗？", about: desk.resource, by: Desk.clerk)
      let due = try #require(question.due?.date)
      #expect(try await desk.feedback.tend() == .init())
      desk.hand.go(to: "\(due + -1)")
      #expect(try await desk.feedback.tend() == .init(reminded: 1))
      #expect(try await desk.feedback.tend() == .init(), "each is told once")
      desk.hand.go(to: "\(due)")
      #expect(try await desk.feedback.tend() == .init(), "its last day is not over")
      #expect(try await desk.notices(of: Desk.officer) == ["question.soon"])
      desk.hand.go(to: "\(due + 1)")
      #expect(try await desk.feedback.tend() == .init(late: 1))
      #expect(try await desk.feedback.tend() == .init())
      #expect(try await desk.notices(of: Desk.officer).sorted() == ["question.late", "question.soon"])
      #expect(try await desk.tasks(of: Desk.authority).map(\.kind) == ["question.late"])
      #expect(try await desk.actions().contains("feedback.question.late"))
      // A new calendar gives it another day: late no more, and told of again when that nears.
      let calendar = WorkCalendar.embedded.adding(
        (1...8).map { .init(date: CalendarDate("2027-01-0\($0)")!, day: .holiday("元旦")) })
      _ = try await desk.db.write { tx in try Feedback.recount(by: calendar, for: .system(), at: Desk.start, in: tx) }
      #expect(try await desk.tasks(of: Desk.authority).isEmpty)
      let moved = try await desk.feedback.question(question.id, for: Desk.clerk)
      desk.hand.go(to: "\(moved.due!.date + 1)")
      #expect(try await desk.feedback.tend() == .init(late: 1))
      _ = try await desk.feedback.answer(question.id, "含。", by: Desk.officer)
      #expect(try await desk.tasks(of: Desk.authority).isEmpty)
      #expect(try await desk.tasks(of: Desk.officer).isEmpty)
      // What is answered is never late.
      let other = try await desk.feedback.ask("口径？", about: desk.resource, by: Desk.clerk)
      _ = try await desk.feedback.answer(other.id, "见说明", by: Desk.officer)
      desk.hand.go(to: "\(other.due!.date + 30)")
      #expect(try await desk.feedback.tend() == .init())
    }
  }

  @Test(arguments: Engine.allCases)
  func `of two officers who answer a question at once one wins`(engine: Engine) async throws {
    try await Desk.with(engine) { desk in
      for _ in 0..<5 {
        let question = try await desk.feedback.ask("口径？", about: desk.resource, by: Desk.clerk)
        let lost = await withTaskGroup(of: String?.self) { group in
          for officer in [Desk.officer, Desk.colleague] {
            group.addTask {
              do {
                _ = try await desk.feedback.answer(question.id, "见说明", by: officer)
                return nil
              } catch { return (error as? Refusal)?.code ?? "\(error)" }
            }
          }
          return await group.reduce(into: [String]()) { if let code = $1 { $0.append(code) } }
        }
        #expect(lost == ["feedback.question.answered"])
      }
    }
  }

  @Test(arguments: Engine.allCases)
  func `an office has one voice that it may change, and low scores with words reach the provider`(engine: Engine)
    async throws
  {
    try await Desk.with(engine) { desk in
      try await desk.feedback.rate(desk.resource, score: 2, words: "", by: Desk.clerk)
      #expect(try await desk.notices(of: Desk.officer).isEmpty)
      try await desk.feedback.rate(desk.resource, score: 1, words: "字段不全", by: Desk.leader)
      #expect(try await desk.notices(of: Desk.officer) == ["rating.low"])
      try await desk.feedback.rate(desk.resource, score: 1, words: "字段不全", by: Desk.leader)
      try await desk.feedback.rate(desk.resource, score: 5, words: "很好", by: Desk.stranger)
      #expect(try await desk.notices(of: Desk.officer) == ["rating.low"], "said again without a change, it is no news")
      let (summary, ratings) = try await desk.feedback.ratings(of: desk.resource, limit: 10, for: Desk.authority)
      #expect(summary.counts == [1, 0, 0, 0, 1] && summary.mean == "3.0")
      #expect(
        ratings.map(\.score) == [1, 5] && ratings.map(\.by) == ["王处长", "外人"] && ratings.map(\.version) == [1, 1])
      #expect(try await desk.actions().count == 3)
    }
  }

  @Test func `nobody rates or asks of his own entries, nor out of bounds, nor without the right`() async throws {
    try await Desk.with(.sqlite) { desk in
      let (id, feedback) = (desk.resource, desk.feedback)
      for score in [0, 6, -1] {
        let refusal = await #expect(throws: Refusal.self) {
          try await feedback.rate(id, score: score, words: "", by: Desk.clerk)
        }
        #expect(refusal?.faults.map(\.field) == ["score"])
      }
      let own = await #expect(throws: Refusal.self) {
        try await feedback.rate(id, score: 5, words: "", by: Desk.officer)
      }
      #expect(own?.code == "feedback.own")
      let asked = await #expect(throws: Refusal.self) { try await feedback.ask("？", about: id, by: Desk.officer) }
      #expect(asked?.code == "feedback.own")
      let authority = await #expect(throws: Refusal.self) { try await feedback.ask("？", about: id, by: Desk.authority) }
      #expect(authority?.kind == .forbidden)
      for words in ["", "  ", "\u{200B}\u{2060}", "问\u{202E}题", "问\u{7}"] {
        let empty = await #expect(throws: Refusal.self) { try await feedback.ask(words, about: id, by: Desk.clerk) }
        #expect(empty?.faults.map(\.field) == ["words"])
      }
      for number in 0..<Feedback.limits.questionsADay {
        _ = try await feedback.ask("第 \(number) 问？", about: id, by: Desk.clerk)
      }
      let again = try await feedback.ask("第 0 问？", about: id, by: Desk.clerk)
      #expect(again.words == "第 0 问？", "sent again it is the question that waits")
      let many = await #expect(throws: Refusal.self) { try await feedback.ask("？", about: id, by: Desk.clerk) }
      #expect(many?.kind == .tooMany)
      try await desk.withdraw()
      let gone = await #expect(throws: Refusal.self) {
        try await feedback.rate(id, score: 3, words: "", by: Desk.leader)
      }
      #expect(gone?.kind == .notFound)
    }
  }
}
