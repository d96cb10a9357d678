import Kernel
import Synchronization

/// The demo's own time: it starts on a working morning in March 2026 and jumps ahead when the journey does, so that the
/// due dates it shows are the same every time. Between jumps it ticks.
final class DemoClock: Sendable {
  static let start = Instant("2026-03-02T01:00:00.000Z")!

  private let from: Instant
  private let ahead = Mutex<Duration>(.zero)
  private let begun = Clock.system.now()

  init(from: Instant = start) { self.from = from }

  var clock: Clock {
    Clock { [self] in from + (Clock.system.now() - begun) + ahead.withLock { $0 } }
  }

  func advance(by duration: Duration) { ahead.withLock { $0 += duration } }
}
