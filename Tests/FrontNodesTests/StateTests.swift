import Kernel
import Testing

@testable import FrontNodes

@Suite struct StateTests {
  @Test func `a node goes from the request to the end and nowhere else`() throws {
    var state = FrontNodeState.asked
    for event in [FrontNodeEvent.approve, .allot, .sign, .giveBack, .reclaim, .erase] {
      state = try state.applying(event)
    }
    #expect(state == .erased)
    let ends = FrontNodeState.allCases.filter { state in FrontNodeEvent.allCases.allSatisfy { state.after($0) == nil } }
    #expect(Set(ends) == [.refused, .withdrawn, .erased])
    #expect(throws: Refusal.self) { try FrontNodeState.asked.applying(.allot) }
    #expect(throws: Refusal.self) { try FrontNodeState.allotted.applying(.giveBack) }
  }
}
