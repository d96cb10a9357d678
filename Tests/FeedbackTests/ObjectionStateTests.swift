import Kernel
import Testing

@testable import Feedback

/// An objection's way: the edges that exist, and that no other does.
@Suite struct ObjectionStateTests {
  /// from, event, to: everything that may happen in time, with nothing asked for and nothing opened again so far.
  static let inTime: [(ObjectionState, ObjectionEvent, ObjectionState)] = [
    (.raised, .askSupplement, .supplementPending), (.raised, .accept, .accepted), (.raised, .refuse, .refused),
    (.supplementPending, .supplement, .raised), (.accepted, .correct, .corrected), (.corrected, .confirm, .confirmed),
    (.corrected, .reopen, .raised), (.refused, .concede, .conceded), (.refused, .escalate, .escalated),
    (.escalated, .direct, .accepted), (.escalated, .dismiss, .dismissed), (.raised, .withdraw, .withdrawn),
    (.supplementPending, .withdraw, .withdrawn), (.accepted, .withdraw, .withdrawn), (.refused, .withdraw, .withdrawn),
    (.corrected, .withdraw, .withdrawn), (.escalated, .withdraw, .withdrawn),
  ]
  /// What being late adds.
  static let late: [(ObjectionState, ObjectionEvent, ObjectionState)] = [
    (.raised, .escalate, .escalated), (.accepted, .escalate, .escalated), (.supplementPending, .lapse, .withdrawn),
    (.refused, .lapse, .conceded), (.corrected, .lapse, .confirmed),
  ]

  private func check(
    _ state: ObjectionState, _ event: ObjectionEvent, _ terms: ObjectionState.Terms,
    _ edges: [(ObjectionState, ObjectionEvent, ObjectionState)]
  ) {
    if let edge = edges.first(where: { $0.0 == state && $0.1 == event }) {
      #expect((try? state.applying(event, terms)) == edge.2)
    } else {
      let refusal = #expect(throws: Refusal.self) { try state.applying(event, terms) }
      #expect(refusal?.kind == .conflict)
    }
  }

  @Test(arguments: ObjectionState.allCases, ObjectionEvent.allCases)
  func `only the edges that exist can be taken`(state: ObjectionState, event: ObjectionEvent) {
    check(state, event, .init(), Self.inTime)
  }

  @Test(arguments: ObjectionState.allCases, ObjectionEvent.allCases)
  func `lateness opens the way to the authority, and lets silence pass for consent`(
    state: ObjectionState, event: ObjectionEvent
  ) {
    check(state, event, .init(isLate: true), Self.inTime + Self.late)
  }

  @Test(arguments: ObjectionState.allCases, ObjectionEvent.allCases)
  func `a supplement is asked for once, and a correction opened again once; then the authority decides`(
    state: ObjectionState, event: ObjectionEvent
  ) {
    let edges =
      Self.inTime.filter { !($0.1 == .askSupplement || $0.1 == .reopen) } + [(.corrected, .escalate, .escalated)]
    check(state, event, .init(supplementAsked: true, wasReopened: true), edges)
  }

  @Test(arguments: ObjectionState.allCases)
  func `whoever's turn it is has something to do, and nobody can do anything once it is over`(state: ObjectionState) {
    for party in ObjectionState.Party.allCases {
      let open = state.events(for: party, .init())
      #expect(!open.isEmpty || state.waitsFor != party)
      #expect(state.isOpen || open.isEmpty)
    }
    #expect((state.rule != nil) == state.isOpen, "an open state has a clock")
  }

  @Test func `the authority takes up what is late by itself, and nothing else`() {
    #expect(ObjectionState.raised.events(for: .authority, .init(isLate: true)) == [.escalate])
    #expect(ObjectionState.raised.events(for: .authority, .init()) == [])
    #expect(ObjectionState.raised.events(for: .provider, .init(isLate: true)) == [.askSupplement, .accept, .refuse])
  }

  @Test(arguments: ["entry", "element:cycle", "item:019cc1bb-4a4c-7001-afeb-e075049b064e"])
  func `what is meant reads back as it was written`(text: String) {
    #expect(ObjectionDraft.About(text)?.text == text)
  }

  @Test(arguments: ["", "item:", "item:7", "entry:x", "element", "column:name"])
  func `what is no part of an entry is none`(text: String) { #expect(ObjectionDraft.About(text) == nil) }

  @Test(
    arguments: [
      ([0, 0, 0, 0, 0], nil), ([0, 0, 0, 0, 3], "5.0"), ([1, 0, 0, 0, 1], "3.0"), ([0, 0, 0, 2, 1], "4.3"),
      ([1, 1, 1, 1, 0], "2.5"), ([3, 0, 0, 1, 0], "1.8"),
    ] as [([Int], String?)])
  func `the mean is rounded to one decimal`(counts: [Int], mean: String?) {
    #expect(RatingSummary(counts: counts).mean == mean)
  }
}
