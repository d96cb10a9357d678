import Connecting
import Inventory
import Kernel
import Storage
import Synchronization
import Transfer

/// What a worker does at both ends of a grant, whatever it is: the ends it has opened, whether it may go on, how fast, and what
/// ends it where it blocks.
final class Errand: Sendable {
  let planned: PlannedDelivery
  let source: any Connector
  let target: any Connector
  let pulse: DeliveryPulse
  let pace: Pace
  private struct State {
    var isCancelled = false
    var progress: DeliveryProgress?
    var shown: ContinuousClock.Instant?
  }

  private let state = Mutex(State())

  init(_ planned: PlannedDelivery, _ connectors: ConnectorCatalog, _ pulse: DeliveryPulse) throws {
    self.planned = planned
    self.pulse = pulse
    source = try connectors.open(planned.source.kind, planned.source.settings)
    target = try connectors.open(planned.target.kind, planned.target.settings)
    pace = Pace(planned.pace)
  }

  func note(_ progress: DeliveryProgress) { state.withLock { $0.progress = progress } }

  /// Throws when it was cancelled, when the grant is over, when it has left its window, in this order. The engine's threads do not
  /// hear of a task's cancellation: told to stop, they stop before the next commit.
  func check(at moment: Instant, _ mayMove: () async throws -> Void) async throws {
    if state.withLock({ $0.isCancelled }) { throw CancellationError() }
    try await mayMove()
    let window = planned.obeysWindow ? planned.task.window : nil
    if let window, !window.contains(moment) { throw Wait.forWindow(window, at: moment) }
  }

  /// Whether so long has passed since it was last so that how far it has come is to be written down.
  func isToShow() -> Bool {
    let now = ContinuousClock.now
    return state.withLock { state in
      guard state.shown.map({ now - $0 > .milliseconds(400) }) ?? true else { return false }
      state.shown = now
      return true
    }
  }

  /// Waits for its turn at the sources; answers how far it has come.
  func rest() async throws -> DeliveryProgress? {
    guard let progress = state.withLock({ $0.progress }) else { return nil }
    let rest = pace.wait(after: progress)
    if rest > .zero { try await Task.sleep(for: rest) }
    return progress
  }

  /// Does it under the watchdog's eye, and ends what blocks when it is cancelled.
  func run<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    try await withTaskCancellationHandler {
      try await Watchdog(pulse: pulse, limit: .seconds(planned.task.stallMinutes * 60)).guarding(body)
    } onCancel: {
      state.withLock { $0.isCancelled = true }
      pulse.interrupt()
    }
  }
}
