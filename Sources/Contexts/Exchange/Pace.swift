import Kernel
import Synchronization
import Transfer

/// Holds a delivery to its share of what a source may be asked for in a second.
///
/// The limit belongs to the source; each delivery that runs there takes an equal share, counted anew with each progress
/// that is written down, so that machines need not speak with each other.
final class Pace: Sendable {
  struct Limit: Hashable, Sendable {
    var rows: Int?
    var bytes: Int?

    static let none = Limit(rows: nil, bytes: nil)
    var isNone: Bool { rows == nil && bytes == nil }
  }

  private struct State {
    var sharers = 1
    var read = 0
    var bytes = 0
    /// When what was moved so far is paid for.
    var paidUntil: ContinuousClock.Instant
  }

  private let limit: Limit
  private let state: Mutex<State>

  init(_ limit: Limit, from start: ContinuousClock.Instant = .now) {
    self.limit = limit
    state = Mutex(State(paidUntil: start))
  }

  /// How many deliveries run at the source, this one too.
  func share(among deliveries: Int) { state.withLock { $0.sharers = max(1, deliveries) } }

  /// Counts what was moved since it was last told, and answers how long to wait before the next.
  func wait(after progress: DeliveryProgress, at now: ContinuousClock.Instant = .now) -> Duration {
    guard !limit.isNone else { return .zero }
    return state.withLock { state in
      let rows = max(0, progress.read - state.read)
      let bytes = max(0, progress.bytes - state.bytes)
      (state.read, state.bytes) = (progress.read, progress.bytes)
      func time(_ moved: Int, _ limit: Int?) -> Double {
        limit.map { Double(moved) * Double(state.sharers) / Double(max(1, $0)) } ?? 0
      }
      // What was not used is not saved up for more than a second.
      state.paidUntil =
        max(state.paidUntil, now - .seconds(1)) + .seconds(max(time(rows, limit.rows), time(bytes, limit.bytes)))
      return max(.zero, state.paidUntil - now)
    }
  }
}
