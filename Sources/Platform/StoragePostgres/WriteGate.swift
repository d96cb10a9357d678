import Foundation

/// Lets this process's writers through together, or one alone.
///
/// Serialisable transactions that conflict are tried again, but one that is longer than the others can lose to a stream
/// of short ones for ever. Who has lost often enough waits here until the others are out, and then meets nobody of this
/// process. Writers of another process (a worker) are still met, and then chance decides.
final class WriteGate: @unchecked Sendable {
  // All state is touched under the condition's lock.
  private let condition = NSCondition()
  private var inside = 0
  private var isAlone = false
  private var waitingAlone = 0

  func pass<T>(alone: Bool, _ body: () throws -> T) rethrows -> T {
    enter(alone)
    defer { leave(alone) }
    return try body()
  }

  private func enter(_ alone: Bool) {
    condition.lock()
    defer { condition.unlock() }
    if alone {
      waitingAlone += 1
      while isAlone || inside > 0 { condition.wait() }
      waitingAlone -= 1
      isAlone = true
    } else {
      while isAlone || waitingAlone > 0 { condition.wait() }
      inside += 1
    }
  }

  private func leave(_ alone: Bool) {
    condition.lock()
    if alone { isAlone = false } else { inside -= 1 }
    condition.broadcast()
    condition.unlock()
  }
}
