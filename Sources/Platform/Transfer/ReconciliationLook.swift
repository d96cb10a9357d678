import Connecting
import Kernel

/// Both sides read at once, each on a thread of its own: what one of them meets ends the other.
final class ReconciliationLook: Sendable {
  private struct State {
    var failure: (any Error)?
    var interrupters: [@Sendable () -> Void] = []
    var isSourceGone = false
    var rows = 0
    var asked = ContinuousClock.now
  }

  /// The other side failed; what it said counts.
  private struct Ended: Error {}

  let control: DeliveryControl
  /// From 1.
  let number: Int
  private let state: Monitor<State>

  /// `rows`: that were read in the looks before this.
  init(_ number: Int, _ control: DeliveryControl, after rows: Int) {
    self.number = number
    self.control = control
    state = Monitor(State(rows: rows))
  }

  /// Waits for both; gives how many rows were read so far, of both sides and in all looks.
  func run(_ source: @escaping @Sendable () throws -> Void, _ target: () throws -> Void) throws -> Int {
    try ask()
    BlockingThread.start { [self] in
      attempt(source)
      state.change { $0.isSourceGone = true }
    }
    attempt(target)
    let (failure, rows) = state.wait { $0.isSourceGone ? ($0.failure, $0.rows) : nil }
    if let failure { throw failure }
    report(rows)
    return rows
  }

  private func attempt(_ body: () throws -> Void) {
    do {
      try body()
    } catch {
      let others = state.change { state in
        if state.failure == nil { state.failure = error }
        return state.interrupters
      }
      for interrupt in others { interrupt() }
    }
  }

  /// What ends the calls of a reader that was opened just now.
  func opened(_ interrupter: @escaping @Sendable () -> Void) throws {
    let isTooLate = state.change { state in
      state.interrupters.append(interrupter)
      return state.failure != nil
    }
    if isTooLate { throw Ended() }
  }

  /// After each batch.
  func read(_ count: Int) throws {
    let (isEnded, isTime, rows) = state.change { state in
      state.rows += count
      let isTime = ContinuousClock.now - state.asked >= .seconds(1)
      if isTime { state.asked = .now }
      return (state.failure != nil, isTime, state.rows)
    }
    if isEnded { throw Ended() }
    guard isTime else { return }
    try ask()
    report(rows)
  }

  private func ask() throws {
    do {
      try control.mayGoOn()
    } catch let stop as DeliveryStop { throw stop.reason }
  }

  private func report(_ rows: Int) {
    control.progress(
      DeliveryProgress(batch: Int64(number), read: rows, delivered: 0, unchanged: 0, quarantined: 0, bytes: 0))
  }
}
