import Catalog
import Kernel
import Testing

@Suite struct `Whether a resource is offered` {
  /// Every edge that exists; everything else must not.
  static let edges: [OnlineState: [OnlineEvent: OnlineState]] = [
    .notOnline: [.publish: .online],
    .online: [.requestDown: .downAuditing, .takeDown: .offline],
    .downAuditing: [
      .approveDown: .offline, .rejectDown: .downRejected, .recall: .online, .takeDown: .offline,
    ],
    .downRejected: [.requestDown: .downAuditing, .takeDown: .offline],
    .offline: [.requestUp: .upAuditing, .bringUp: .online],
    .upAuditing: [.approveUp: .online, .rejectUp: .upRejected, .recall: .offline, .bringUp: .online],
    .upRejected: [.requestUp: .upAuditing, .bringUp: .online],
  ]

  @Test(arguments: OnlineState.allCases, OnlineEvent.allCases)
  func `only the edges that make sense exist`(state: OnlineState, event: OnlineEvent) throws {
    let expected = Self.edges[state]?[event]
    #expect(state.after(event) == expected)
    if let expected {
      #expect(try state.applying(event) == expected)
    } else {
      let refusal = #expect(throws: Refusal.self) { try state.applying(event) }
      #expect(refusal?.kind == .conflict)
    }
  }

  @Test func `a request alone changes nothing for those who use it`() {
    #expect(OnlineState.allCases.filter(\.isOnline) == [.online, .downAuditing, .downRejected])
    for state in OnlineState.allCases {
      for event in OnlineEvent.allCases where event.isDepartments {
        if let next = state.after(event) { #expect(next.isOnline == state.isOnline, "\(state) \(event)") }
      }
    }
  }
}

@Suite struct `What was in force on a day` {
  private func at(_ text: String) -> Instant { Instant(text)! }
  private func day(_ text: String) -> CalendarDate { CalendarDate(text)! }

  @Test func `the last version of the day counts, offline days have none, and days are those of China`() {
    let periods = [
      ForcePeriod(version: 1, from: at("2026-03-01T02:00:00Z"), until: at("2026-04-01T02:00:00Z")),
      ForcePeriod(version: 2, from: at("2026-04-01T02:00:00Z"), until: at("2026-05-10T02:00:00Z")),
      // Offline from 10 to 20 May; the 20th begins at 16:00 UTC of the 19th.
      ForcePeriod(version: 2, from: at("2026-05-19T17:00:00Z"), until: nil),
    ]
    for (date, version) in [
      ("2026-02-28", nil), ("2026-03-01", 1), ("2026-03-31", 1), ("2026-04-01", 2), ("2026-05-10", 2),
      ("2026-05-11", nil), ("2026-05-19", nil), ("2026-05-20", 2), ("2030-01-01", 2),
    ] as [(String, Int?)] {
      #expect(ForcePeriod.version(on: day(date), of: periods) == version, "\(date)")
    }
    #expect(ForcePeriod.version(on: day("2026-03-01"), of: []) == nil)
  }
}
