import Kernel
import Testing

@testable import Sharing

/// A request's way: the edges that exist, and that no other does.
@Suite struct RequestStateTests {
  static let conditional = RequestState.Terms(isUnconditional: false, supplementAsked: false)

  /// from, event, to: everything that may happen to a conditional request whose supplement was not asked for yet.
  static let edges: [(RequestState, RequestEvent, RequestState)] = [
    (.ownPending, .approveOwn, .reviewPending), (.ownPending, .refuseOwn, .refused),
    (.ownPending, .withdraw, .withdrawn),
    (.reviewPending, .passReview, .providerPending), (.reviewPending, .refuseReview, .refused),
    (.reviewPending, .withdraw, .withdrawn), (.providerPending, .askSupplement, .supplementPending),
    (.providerPending, .grant, .granted), (.providerPending, .refuse, .refused),
    (.providerPending, .withdraw, .withdrawn), (.supplementPending, .supplement, .providerPending),
    (.supplementPending, .withdraw, .withdrawn),
  ]

  @Test(arguments: RequestState.allCases, RequestEvent.allCases)
  func `only the edges that exist can be taken`(state: RequestState, event: RequestEvent) throws {
    let edge = Self.edges.first { $0.0 == state && $0.1 == event }
    if let edge {
      #expect(try state.applying(event, Self.conditional) == edge.2)
    } else {
      let refusal = #expect(throws: Refusal.self) { try state.applying(event, Self.conditional) }
      #expect(refusal?.kind == .conflict)
    }
  }

  @Test func `an unconditional resource is granted once the own department agrees`() throws {
    let terms = RequestState.Terms(isUnconditional: true, supplementAsked: false)
    #expect(try RequestState.ownPending.applying(.approveOwn, terms) == .granted)
  }

  @Test func `a supplement that changes the grounds is the leader's to approve`() throws {
    let terms = RequestState.Terms(isUnconditional: false, supplementAsked: true, changesGrounds: true)
    #expect(try RequestState.supplementPending.applying(.supplement, terms) == .ownPending)
  }

  @Test func `a supplement is asked for once only`() {
    let terms = RequestState.Terms(isUnconditional: false, supplementAsked: true)
    let refusal = #expect(throws: Refusal.self) { try RequestState.providerPending.applying(.askSupplement, terms) }
    #expect(refusal?.code == "sharing.supplement.once")
  }

  @Test(arguments: Grant.State.allCases, GrantOrder.allCases)
  func `a revoked grant never comes back`(state: Grant.State, order: GrantOrder) {
    let allowed: [Grant.State: [GrantOrder: Grant.State]] = [
      .active: [.suspend: .suspended, .revoke: .revoked], .suspended: [.resume: .active, .revoke: .revoked],
      .revoked: [:],
    ]
    let next = try? Grant.applying(order, to: state)
    #expect(next == allowed[state]?[order])
  }

  @Test(arguments: [Mask.none, .pseudonym, .keepHeadTail(6, 4), .keepHeadTail(1, 0), .keepHeadTail(0, 20)])
  func `a mask reads back as it was written`(mask: Mask) { #expect(Mask(mask.encoded) == mask) }

  @Test(arguments: [
    "", "keep", "keep()", "keep(1)", "keep(0,0)", "keep(-1,2)", "keep(1,2,3)", "keep(21,0)", "drop table",
  ])
  func `what is no mask is none`(text: String) { #expect(Mask(text) == nil) }
}
