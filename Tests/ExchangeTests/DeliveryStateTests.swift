import Kernel
import Testing

@testable import Exchange

/// A delivery's way: the edges that exist, and that no other does.
@Suite struct DeliveryStateTests {
  static let edges: [DeliveryRecord.State: [DeliveryRecord.Event: DeliveryRecord.State]] = [
    .queued: [.start: .running, .stop: .stopped, .fail: .failed, .wait: .queued],
    // Its window closed, or its source is busy: it goes on later.
    .running: [.start: .running, .deliver: .delivered, .stop: .stopped, .fail: .failed, .wait: .queued],
    // A failed attempt is tried again by the queue.
    .failed: [.start: .running, .stop: .stopped],
    .delivered: [:], .stopped: [:],
  ]

  @Test(arguments: DeliveryRecord.State.allCases, DeliveryRecord.Event.allCases)
  func `only the edges that exist can be taken`(state: DeliveryRecord.State, event: DeliveryRecord.Event) {
    #expect(state.applying(event) == Self.edges[state]?[event])
  }
}
