package import Kernel
import Synchronization

/// A clock that only moves when it is told to.
package final class ManualClock: Sendable {
  private let time: Mutex<Instant>

  package init(_ text: String = "2026-03-02T01:00:00.000Z") { time = Mutex(Instant(text)!) }

  package var now: Instant { time.withLock { $0 } }
  package func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
  package func set(_ text: String) { time.withLock { $0 = Instant(text)! } }
  package var clock: Clock { Clock { self.now } }
}
